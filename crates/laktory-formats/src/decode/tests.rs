//! What is torn, at every place, and what comes back.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringViewArray, TimestampMicrosecondArray};
use laktory_core::{ErrorKind, Format, OptionValue, ReadSpec, Result, WriteSpec};

use super::Reading;
use crate::encode::Writing;
use crate::files::Files;

/// Rows of a few columns, with nulls.
fn rows(from: i64, count: i64) -> RecordBatch {
    let numbers = (from..from + count).map(|row| (row % 7 != 0).then_some(row));
    let texts =
        (from..from + count).map(|row| (row % 5 != 0).then(|| format!("text {row} \u{fc}")));
    let times = (from..from + count).map(|row| Some(row * 1_000_003));
    RecordBatch::try_from_iter_with_nullable([
        (
            "n",
            Arc::new(Int64Array::from_iter(numbers)) as ArrayRef,
            true,
        ),
        ("s", Arc::new(StringViewArray::from_iter(texts)), true),
        (
            "t",
            Arc::new(TimestampMicrosecondArray::from_iter(times)),
            true,
        ),
    ])
    .unwrap()
}

fn write(format: Format, path: &Path, options: &[(&str, &str)], batches: &[RecordBatch]) {
    let mut spec = WriteSpec::new(format, path);
    for (name, value) in options {
        let value = OptionValue::Text((*value).to_owned());
        spec.options.insert((*name).to_owned(), value);
    }
    let writing = Writing::of(&spec, &batches[0].schema()).unwrap().unwrap();
    let mut encoder = writing.create(path).unwrap();
    for batch in batches {
        encoder.push(batch).unwrap();
    }
    encoder.finish().unwrap();
}

fn read(spec: &ReadSpec, columns: &[usize]) -> Result<Vec<RecordBatch>> {
    let files = Files::of(spec)?;
    let reading = Reading::of(spec, &files)?.unwrap();
    let mut all = Vec::new();
    for file in &files.paths {
        for batch in reading.batches(file, columns, 100)? {
            all.push(batch?);
        }
    }
    Ok(all)
}

fn spec(format: Format, path: &Path) -> ReadSpec {
    let mut spec = ReadSpec::new(format, path.display().to_string());
    spec.files = vec![path.to_owned()];
    spec
}

fn count(batches: &[RecordBatch]) -> usize {
    batches.iter().map(RecordBatch::num_rows).sum()
}

/// Every beginning of a file, each in a file of its own.
fn beginnings(whole: &Path, mut each: impl FnMut(usize, PathBuf)) {
    let bytes = std::fs::read(whole).unwrap();
    let cut = whole.with_extension("cut");
    for length in 1..bytes.len() {
        std::fs::write(&cut, &bytes[..length]).unwrap();
        each(length, cut.clone());
    }
}

#[cfg(feature = "decoders")]
#[test]
fn what_is_written_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    for format in [Format::Avro, Format::Orc] {
        let path = folder.path().join(format.name());
        let batches = [rows(0, 150), rows(150, 33)];
        write(format.clone(), &path, &[], &batches);
        let found = read(&spec(format.clone(), &path), &[0, 1, 2]).unwrap();
        let wanted: Vec<RecordBatch> = vec![
            batches[0].slice(0, 100),
            batches[0].slice(100, 50),
            batches[1].clone(),
        ];
        assert_eq!(count(&found), 183);
        for (at, column) in ["n", "s", "t"].into_iter().enumerate() {
            let of = |batches: &[RecordBatch]| {
                let texts = batches.iter().flat_map(|batch| {
                    let column = batch.column_by_name(column).unwrap();
                    let text = crate::decode::converted(column, &arrow_schema::DataType::Utf8);
                    let text = text.unwrap();
                    let text = arrow_array::cast::AsArray::as_string::<i32>(&text);
                    text.iter()
                        .map(|text| text.map(str::to_owned))
                        .collect::<Vec<_>>()
                });
                texts.collect::<Vec<_>>()
            };
            assert_eq!(of(&found), of(&wanted), "{format} {at}");
        }
        // Some columns, in another order, and none.
        let some = read(&spec(format.clone(), &path), &[2, 0]).unwrap();
        assert_eq!(some[0].schema().field(0).name(), "t");
        assert_eq!(count(&read(&spec(format, &path), &[]).unwrap()), 183);
    }
}

#[cfg(feature = "decoders")]
#[test]
fn types_come_back_as_those_that_the_format_holds() {
    use laktory_core::{DType, Field, TimeUnit};

    let time = |unit, zone: Option<&str>| DType::Datetime {
        unit,
        zone: zone.map(str::to_owned),
    };
    let mut types = vec![
        DType::Boolean,
        DType::Int8,
        DType::Int16,
        DType::Int32,
        DType::Int64,
        DType::UInt8,
        DType::UInt16,
        DType::UInt32,
        DType::UInt64,
        DType::Float16,
        DType::Float32,
        DType::Float64,
        DType::String,
        DType::Binary,
        DType::Date,
        DType::Time,
        DType::List(Box::new(DType::UInt8)),
        DType::Array(Box::new(DType::Int8), 2),
        DType::Struct(vec![Field::new("x", DType::Int16)]),
        DType::Map(Box::new(DType::String), Box::new(DType::UInt16)),
    ];
    for zone in [None, Some("UTC"), Some("Europe/Paris")] {
        types.push(time(TimeUnit::Second, zone));
        types.push(time(TimeUnit::Millisecond, zone));
        types.push(time(TimeUnit::Microsecond, zone));
        types.push(time(TimeUnit::Nanosecond, zone));
    }
    let folder = tempfile::tempdir().unwrap();
    for format in [Format::Avro, Format::Orc] {
        for (number, dtype) in types.iter().enumerate() {
            let path = folder.path().join(format!("{number}.{format}"));
            let arrow = dtype.to_arrow().unwrap();
            if crate::writable(&format, &[Field::new("c", dtype.clone())]).is_err() {
                assert_eq!(format, Format::Orc, "{dtype}");
                continue;
            }
            let column = arrow_array::new_null_array(&arrow, 2);
            let batch = RecordBatch::try_from_iter_with_nullable([("c", column, true)]).unwrap();
            write(format.clone(), &path, &[], &[batch]);
            let mut asked = spec(format.clone(), &path);
            let is_fine = matches!(
                dtype,
                DType::Datetime {
                    unit: TimeUnit::Nanosecond,
                    ..
                }
            );
            if format == Format::Orc && is_fine {
                let unit = OptionValue::Text("ns".to_owned());
                asked.options.insert("timestamp_unit".to_owned(), unit);
            }
            let files = Files::of(&asked).unwrap();
            let reading = Reading::of(&asked, &files).unwrap().unwrap();
            let found = &reading.columns()[0].dtype;
            assert_eq!(*found, format.held(dtype), "{format} {dtype}");
            assert_eq!(format.held(found), *found, "{format} {dtype}");
        }
    }
}

#[cfg(feature = "decoders")]
#[test]
fn values_without_a_form_are_told() {
    use arrow_array::{Time64NanosecondArray, TimestampSecondArray};

    let folder = tempfile::tempdir().unwrap();
    let refused = |format: Format, column: ArrayRef, number: u32| {
        let path = folder.path().join(format!("{number}.{format}"));
        let batch = RecordBatch::try_from_iter_with_nullable([("c", column, true)]).unwrap();
        let spec = WriteSpec::new(format, &path);
        let writing = Writing::of(&spec, &batch.schema()).unwrap().unwrap();
        let mut encoder = writing.create(&path).unwrap();
        let written = encoder.push(&batch).and_then(|()| encoder.finish());
        written.err().map(|error| error.to_string())
    };
    for (number, time) in [-999_000, -500_000, -1].into_iter().enumerate() {
        let column = TimestampMicrosecondArray::from(vec![None, Some(5), Some(time)]);
        let error = refused(Format::Orc, Arc::new(column), number as u32).unwrap();
        assert!(
            error.contains("column `c` holds 1969-12-31T23:59:59"),
            "{error}"
        );
    }
    for (number, time) in [-2_500_000, -1_000_000, -999_001, 0]
        .into_iter()
        .enumerate()
    {
        let column = TimestampMicrosecondArray::from(vec![time]);
        let written = refused(Format::Orc, Arc::new(column), 10 + number as u32);
        assert_eq!(written, None, "{time}");
    }
    let column = Time64NanosecondArray::from(vec![None, Some(1_000), Some(1_001)]);
    let error = refused(Format::Avro, Arc::new(column), 20).unwrap();
    assert!(
        error.contains("column `c`, 00:00:00.000001001, has parts"),
        "{error}"
    );
    let column = TimestampSecondArray::from(vec![i64::MAX]);
    let error = refused(Format::Avro, Arc::new(column), 21).unwrap();
    assert!(error.contains("column `c` holds a value"), "{error}");
}

#[cfg(feature = "decoders")]
#[test]
fn a_torn_file_is_never_a_shorter_one() {
    let folder = tempfile::tempdir().unwrap();
    for (format, options) in [
        (Format::Avro, &[("compression", "none")] as &[_]),
        (Format::Avro, &[("compression", "snappy")]),
        (Format::Orc, &[("compression", "none")]),
        (Format::Orc, &[("compression", "zlib")]),
    ] {
        let path = folder.path().join(format!("{format}-{}", options[0].1));
        write(format.clone(), &path, options, &[rows(0, 20), rows(20, 20)]);
        let mut shorter = Vec::new();
        beginnings(&path, |length, cut| {
            if let Ok(found) = read(&spec(format.clone(), &cut), &[0, 1, 2]) {
                shorter.push((length, count(&found)));
            }
        });
        // A file of Avro that is cut between two blocks is a whole one.
        match format {
            Format::Avro => {
                let rows: Vec<usize> = shorter.iter().map(|(_, rows)| *rows).collect();
                assert_eq!(rows, [0, 20], "{options:?}");
            }
            _ => assert!(shorter.is_empty(), "{format} {options:?} {shorter:?}"),
        }
    }
}

#[cfg(feature = "decoders")]
#[test]
fn a_flipped_byte_gives_rows_or_an_error_and_never_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    for format in [Format::Avro, Format::Orc] {
        let path = folder.path().join(format.name());
        write(format.clone(), &path, &[], &[rows(0, 40)]);
        let bytes = std::fs::read(&path).unwrap();
        for at in 0..bytes.len() {
            let mut other = bytes.clone();
            other[at] ^= 0x55;
            std::fs::write(&path, &other).unwrap();
            if let Ok(found) = read(&spec(format.clone(), &path), &[0, 1, 2]) {
                assert_eq!(count(&found), 40, "{format} {at}");
            }
        }
    }
}

#[test]
fn a_column_of_paths_has_a_name_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.txt");
    std::fs::write(&path, "a\n").unwrap();
    let mut spec = spec(Format::Text, &path);
    let name = OptionValue::Text("value".to_owned());
    spec.options.insert("include_file_paths".to_owned(), name);
    let error = read(&spec, &[0]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DuplicateColumn);
    assert!(
        error.message().contains("names the column `value`"),
        "{error}"
    );
}

#[test]
fn lines_end_wherever_pieces_do() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.txt");
    let mut text = String::new();
    let mut lines = Vec::new();
    for row in 0..30_000 {
        let line = "x".repeat(row % 37);
        text += &line;
        text += ["\n", "\r\n", "\r"][row % 3];
        lines.push(line);
    }
    // A return before a feed is one end.
    lines.clear();
    let mut rest = text.as_str();
    while let Some(end) = rest.find(['\n', '\r']) {
        lines.push(rest[..end].to_owned());
        rest = &rest[end..];
        rest = rest.strip_prefix("\r\n").unwrap_or_else(|| &rest[1..]);
    }
    for packed in ["none", "gzip", "zstd", "bzip2"] {
        let mut out = crate::packed::Packed::create(
            &path,
            match packed {
                "gzip" => crate::packed::Pack::Gzip(None),
                "zstd" => crate::packed::Pack::Zstd(None),
                "bzip2" => crate::packed::Pack::Bzip2(None),
                _ => crate::packed::Pack::None,
            },
        )
        .unwrap();
        std::io::Write::write_all(&mut out, text.as_bytes()).unwrap();
        out.finish().unwrap();
        let found = read(&spec(Format::Text, &path), &[0]).unwrap();
        let mut texts = Vec::new();
        for batch in &found {
            let column = batch.column(0).as_any().downcast_ref::<StringViewArray>();
            texts.extend(column.unwrap().iter().map(|text| text.unwrap().to_owned()));
        }
        assert_eq!(texts.len(), lines.len(), "{packed}");
        assert!(texts == lines, "{packed}");
        std::fs::remove_file(&path).unwrap();
    }
}

#[test]
fn a_torn_text_is_never_a_shorter_one() {
    let folder = tempfile::tempdir().unwrap();
    for (number, pack) in ["gzip", "zstd", "bzip2"].into_iter().enumerate() {
        let path = folder.path().join(format!("{number}.txt"));
        let lines: StringViewArray = (0..200).map(|row| Some(format!("line {row}"))).collect();
        let batch = RecordBatch::try_from_iter([("x", Arc::new(lines) as ArrayRef)]).unwrap();
        write(Format::Text, &path, &[("compression", pack)], &[batch]);
        assert_eq!(count(&read(&spec(Format::Text, &path), &[0]).unwrap()), 200);
        beginnings(&path, |length, cut| {
            let found = read(&spec(Format::Text, &cut), &[0]);
            // What is too short to be told for compressed is no UTF-8, or a few bytes of text.
            match found {
                Err(error) => assert_eq!(error.kind(), ErrorKind::ConversionFailed, "{error}"),
                Ok(_) => assert!(length < 6, "{pack} {length}"),
            }
        });
    }
}

#[cfg(feature = "decoders")]
#[test]
fn a_torn_document_is_never_a_shorter_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.xml");
    let rows: String = (0..20)
        .map(|row| format!("<r id='{row}'><v>{row}</v><v>&lt;{row}</v><!-- c --></r>\n"))
        .collect();
    let whole = format!("<?xml version='1.0'?>\n<a>\n{rows}</a>\n");
    std::fs::write(&path, &whole).unwrap();
    let asked = |path: &Path| {
        let mut spec = spec(Format::Xml, path);
        let row = OptionValue::Text("r".to_owned());
        spec.options.insert("rowTag".to_owned(), row);
        spec
    };
    let found = read(&asked(&path), &[0, 1]).unwrap();
    assert_eq!(count(&found), 20);
    assert_eq!(found[0].schema().field(0).name(), "_id");
    beginnings(&path, |length, cut| {
        let found = read(&asked(&cut), &[0, 1]);
        // The line behind the document is no part of it.
        assert!(found.is_err() || length + 1 == whole.len(), "{length}");
    });
    let deep = format!(
        "<a><r>{}{}</r></a>",
        "<x>".repeat(5_000),
        "</x>".repeat(5_000)
    );
    std::fs::write(&path, deep).unwrap();
    let error = read(&asked(&path), &[0]).unwrap_err();
    assert!(
        error.message().contains("nested deeper than 200"),
        "{error}"
    );
}
