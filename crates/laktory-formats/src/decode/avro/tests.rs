//! Blocks that are not what they say, and values that are not what their schema says.

use std::path::Path;
use std::time::{Duration, Instant};

use arrow_array::RecordBatch;
use laktory_core::{DType, Field, Format, ReadSpec, Result};

use crate::decode::Reading;
use crate::files::Files;

/// A whole number as it is encoded.
fn long(value: i64) -> Vec<u8> {
    let mut rest = (value << 1 ^ value >> 63).cast_unsigned();
    let mut out = Vec::new();
    while rest > 0x7f {
        out.push((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
    out
}

fn longs(values: &[i64]) -> Vec<u8> {
    values.iter().flat_map(|value| long(*value)).collect()
}

fn text(bytes: &[u8]) -> Vec<u8> {
    [long(bytes.len() as i64), bytes.to_vec()].concat()
}

/// A file whose records have the one field `v`.
fn file(codec: &[u8], dtype: &str, blocks: &[(i64, Vec<u8>)]) -> Vec<u8> {
    let schema =
        format!(r#"{{"type":"record","name":"r","fields":[{{"name":"v","type":{dtype}}}]}}"#);
    let mut out = b"Obj\x01".to_vec();
    out.extend(long(2));
    out.extend([text(b"avro.schema"), text(schema.as_bytes())].concat());
    out.extend([text(b"avro.codec"), text(codec), long(0)].concat());
    out.extend(b"0123456789abcdef");
    for (count, bytes) in blocks {
        out.extend([long(*count), text(bytes), b"0123456789abcdef".to_vec()].concat());
    }
    out
}

fn read(path: &Path, bytes: &[u8]) -> Result<Vec<RecordBatch>> {
    std::fs::write(path, bytes).unwrap();
    let mut spec = ReadSpec::new(Format::Avro, path.display().to_string());
    spec.files = vec![path.to_owned()];
    let files = Files::of(&spec)?;
    let reading = Reading::of(&spec, &files)?.unwrap();
    reading.batches(path, &[0], 2)?.collect()
}

fn refused(dtype: &str, blocks: &[(i64, Vec<u8>)], what: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.avro");
    let begun = Instant::now();
    let error = read(&path, &file(b"null", dtype, blocks)).unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(1));
    let text = error.to_string();
    assert!(text.contains(what) && text.contains("a.avro"), "{text}");
}

fn rows(dtype: &str, blocks: &[(i64, Vec<u8>)]) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.avro");
    let found = read(&path, &file(b"null", dtype, blocks)).unwrap();
    found.iter().map(RecordBatch::num_rows).sum()
}

#[test]
fn a_block_holds_its_records_and_nothing_else() {
    let good = (1, long(7));
    let of = |count, bytes: &[u8]| [good.clone(), (count, bytes.to_vec()), good.clone()];
    refused(
        r#""long""#,
        &of(1, &[2, 0]),
        "block 2 is damaged: of 1 rows, it holds 1 bytes more than its rows",
    );
    refused(
        r#""long""#,
        &of(1, &longs(&[1, 2, 3])),
        "block 2 is damaged",
    );
    refused(
        r#""long""#,
        &of(3, &longs(&[1, 2])),
        "block 2 is damaged: of 3 rows, its bytes end within row 3",
    );
    refused(
        r#""long""#,
        &of(1 << 40, &long(1)),
        "its bytes end within row 2",
    );
    refused(
        r#""long""#,
        &of(0, &long(9)),
        "block 2 of no rows holds 1 bytes",
    );
    assert_eq!(rows(r#""long""#, &of(0, &[])), 2);
    assert_eq!(rows(r#""long""#, &of(5, &longs(&[1, 2, 3, 4, 5]))), 7);
}

#[test]
fn compressed_blocks_hold_their_records_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.avro");
    let packed = |bytes: &[u8]| {
        let mut packer =
            flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
        std::io::Write::write_all(&mut packer, bytes).unwrap();
        packer.finish().unwrap()
    };
    for (count, bytes) in [(0, long(9)), (1, longs(&[1, 2])), (3, longs(&[1, 2]))] {
        let bytes = file(b"deflate", r#""long""#, &[(count, packed(&bytes))]);
        let error = read(&path, &bytes).unwrap_err().to_string();
        assert!(error.contains("block 1 is damaged"), "{error}");
    }
    let bytes = file(
        b"deflate",
        r#""long""#,
        &[(0, packed(&[])), (1, packed(&[2]))],
    );
    assert_eq!(read(&path, &bytes).unwrap().len(), 1);
    let bytes = file(b"snappy", r#""long""#, &[(1, vec![2])]);
    let error = read(&path, &bytes).unwrap_err().to_string();
    assert!(error.contains("cannot be decompressed"), "{error}");
    let error = read(&path, &file(b"lzma", r#""long""#, &[])).unwrap_err();
    let error = error.to_string();
    assert!(
        error.contains("compressed with `lzma`, which is not read"),
        "{error}"
    );
}

#[test]
fn values_are_of_their_schema() {
    let decimal = r#"{"type":"bytes","logicalType":"decimal","precision":4,"scale":2}"#;
    assert_eq!(
        rows(
            decimal,
            &[(
                3,
                [text(&[0x27, 0x0f]), text(&[0xd8, 0xf1]), text(&[])].concat()
            )]
        ),
        3
    );
    for bytes in [vec![0x27, 0x10], vec![0xd8, 0xf0], vec![0x7f; 20]] {
        refused(
            decimal,
            &[(1, text(&bytes))],
            "its row 1 holds a decimal of more than 4 digits",
        );
    }
    let wide = r#"{"type":"fixed","name":"f","size":16,"logicalType":"decimal","precision":38}"#;
    let huge = [vec![0x7f], vec![0xff; 15]].concat();
    refused(wide, &[(1, huge)], "a decimal of more than 38 digits");
    assert_eq!(rows(wide, &[(1, vec![0xff; 16])]), 1);
    refused(
        r#""boolean""#,
        &[(2, vec![1, 2])],
        "its row 2 holds 2 in the place of a truth value",
    );
    for branch in [2, -1] {
        refused(
            r#"["null","long"]"#,
            &[(1, longs(&[branch, 1]))],
            &format!("branch {branch} of a union of 2"),
        );
    }
    let millis = r#"{"type":"int","logicalType":"time-millis"}"#;
    let micros = r#"{"type":"long","logicalType":"time-micros"}"#;
    for (dtype, day) in [(millis, 86_400_000), (micros, 86_400_000_000)] {
        assert_eq!(rows(dtype, &[(2, longs(&[0, day - 1]))]), 2);
        for value in [-1, day] {
            refused(
                dtype,
                &[(1, long(value))],
                "in the place of a time of the day",
            );
        }
    }
    refused(r#""int""#, &[(1, long(1 << 40))], "a number of 32 bits");
    refused(
        r#"{"type":"enum","name":"e","symbols":["A"]}"#,
        &[(1, long(5))],
        "symbol 5 of 1",
    );
    let list = r#"{"type":"array","items":"long"}"#;
    assert_eq!(rows(list, &[(1, longs(&[-2, 2, 1, 2, 1, 3, 0]))]), 1);
    refused(list, &[(1, longs(&[-2, 3, 1, 2, 0]))], "another length");
    refused(list, &[(1, longs(&[1 << 40, 0]))], "its bytes end within");
    let nothing = r#"{"type":"array","items":"null"}"#;
    refused(nothing, &[(1, longs(&[1 << 33, 0]))], "without a byte");
}

#[test]
fn names_are_found_in_their_namespaces() {
    let dtype = r#"{"type":"record","name":"s","namespace":"n","fields":[
        {"name":"a","type":{"type":"enum","name":"e","symbols":["A","B"]}},
        {"name":"b","type":"e"},{"name":"c","type":["null","n.e"]},
        {"name":"d","type":{"type":"map","values":"e"}}]}"#;
    let bytes = [longs(&[1, 0, 1, 1, 1]), text(b"k"), longs(&[1, 0])].concat();
    assert_eq!(rows(dtype, &[(1, bytes.clone())]), 1);
    let other = [longs(&[1, 0, 1, 1, 1]), text(b"k"), longs(&[2, 0])].concat();
    refused(dtype, &[(1, other)], "symbol 2 of 2");
}

#[test]
fn columns_that_are_not_read_do_not_hinder_others() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.avro");
    let dtype = r#""long"},{"name":"w","type":["long","string"]"#;
    let bytes = file(
        b"null",
        dtype,
        &[(2, [longs(&[7, 0, 8, 9, 1]), text(b"x")].concat())],
    );
    let error = read(&path, &bytes).unwrap_err();
    assert!(error.to_string().contains("column `w` of"), "{error}");
    let mut spec = ReadSpec::new(Format::Avro, path.display().to_string());
    spec.files = vec![path.clone()];
    spec.schema = Some(vec![Field::new("v", DType::Int64)]);
    let reading = Reading::of(&spec, &Files::of(&spec).unwrap())
        .unwrap()
        .unwrap();
    let found: Result<Vec<_>> = reading.batches(&path, &[0], 10).unwrap().collect();
    assert_eq!(found.unwrap()[0].num_rows(), 2);
}

#[test]
fn types_are_not_nested_without_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.avro");
    for (depth, is_read) in [(10, true), (100, false), (20_000, false)] {
        let (start, end) = (
            r#"{"type":"array","items":"#.repeat(depth),
            "}".repeat(depth),
        );
        let dtype = format!(r#"{start}"long"{end}"#);
        let found = read(&path, &file(b"null", &dtype, &[(1, long(0))]));
        assert_eq!(found.is_ok(), is_read, "{depth}");
    }
}
