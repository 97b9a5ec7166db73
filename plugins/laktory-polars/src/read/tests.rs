//! Tests of `read`.

use std::collections::BTreeMap;

use laktory_core::{DType, Field, OptionValue};
use polars::prelude::DataFrame;

use super::*;
use crate::testing::{Bench, wait};

/// What reading files gives: the rows, or the kind and message of the error.
fn check(
    format: Format,
    files: &[(&str, &[u8])],
    adjust: impl Fn(&mut ReadSpec),
) -> Result<DataFrame> {
    let bench = Bench::new();
    let mut spec = ReadSpec::new(format, "folder");
    spec.files = files
        .iter()
        .map(|(name, content)| bench.file(name, content))
        .collect();
    spec.rows = true;
    adjust(&mut spec);
    spec.rows = true;
    let frame = wait(bench.backend.read(&bench.cx, &spec));
    let rows = frame.and_then(|frame| bench.collect(&frame));
    let folder = bench.folder.path().to_str().unwrap().to_owned();
    rows.map_err(|error| {
        let mut out = Error::new(error.kind(), error.message().replace(&folder, "."));
        if let Some(hint) = error.hint() {
            out = out.with_hint(hint);
        }
        out
    })
}

fn option(name: &str, value: OptionValue) -> BTreeMap<String, OptionValue> {
    BTreeMap::from([(name.to_owned(), value)])
}

fn shown(rows: &DataFrame) -> String {
    let columns: Vec<String> = rows
        .columns()
        .iter()
        .map(|column| {
            let values: Vec<String> = (0..column.len())
                .map(|row| column.get(row).unwrap().to_string())
                .collect();
            format!("{} {}: {}", column.name(), column.dtype(), values.join(" "))
        })
        .collect();
    columns.join(", ").replace('"', "")
}

fn text(value: &str) -> OptionValue {
    OptionValue::Text(value.to_owned())
}

#[test]
fn csv_is_text_unless_types_are_declared_or_guessed() {
    let content: &[u8] = b"\xEF\xBB\xBFid,at\r\n1,2024-01-31\r\n2,\r\n";
    let plain = check(Format::Csv, &[("a.csv", content)], |_| {}).unwrap();
    assert_eq!(shown(&plain), "id str: 1 2, at str: 2024-01-31 null");
    let guessed = check(Format::Csv, &[("a.csv", content)], |spec| {
        spec.infer_schema = true
    })
    .unwrap();
    assert_eq!(shown(&guessed), "id i64: 1 2, at str: 2024-01-31 null");
    let declared = check(Format::Csv, &[("a.csv", content)], |spec| {
        spec.schema = Some(vec![
            Field::new("n", DType::Int32),
            Field::new("day", DType::Date),
        ]);
        spec.options = option("by_position", OptionValue::Bool(true));
    });
    assert_eq!(
        shown(&declared.unwrap()),
        "n i32: 1 2, day date: 2024-01-31 null"
    );
}

#[test]
fn csv_without_header_names_columns_from_one() {
    let rows = check(
        Format::Csv,
        &[("a*[1].csv", b"1;x\n2;y\n"), ("b.csv", b"3;z\n")],
        |spec| {
            spec.has_header = false;
            spec.options = option("separator", text(";"));
        },
    );
    assert_eq!(
        shown(&rows.unwrap()),
        "column_1 str: 1 2 3, column_2 str: x y z"
    );
}

#[test]
fn a_ragged_line_is_named() {
    let error = check(
        Format::Csv,
        &[("a.csv", b"a,b\n1,\"2\n,\"\n3,4,5\n")],
        |_| {},
    )
    .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConversionFailed);
    assert_eq!(
        error.message(),
        "`./a.csv`, line 4: 3 fields, but the header has 2"
    );
    let rows = check(Format::Csv, &[("a.csv", b"a,b\n1,2\n3,4,5\n")], |spec| {
        spec.options = option("truncate_ragged_lines", OptionValue::Bool(true));
    });
    assert_eq!(shown(&rows.unwrap()), "a str: 1 3, b str: 2 4");
}

#[test]
fn files_of_one_read_are_read_by_name() {
    let files: &[(&str, &[u8])] = &[("a.csv", b"a,b\n1,2\n"), ("b.csv", b"b,a\n4,3\n")];
    let rows = check(Format::Csv, files, |_| {});
    assert_eq!(shown(&rows.unwrap()), "a str: 1 3, b str: 2 4");
    let error = check(
        Format::Csv,
        &[("a.csv", b"a,b\n1,2\n"), ("b.csv", b"a,c\n1,2\n")],
        |_| {},
    )
    .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SchemaMismatch);
    assert_eq!(
        error.message(),
        "`./b.csv` has the column `c`, which `./a.csv` does not have"
    );
}

#[test]
fn stray_quotes_hide_no_rows() {
    let content: &[u8] = b"id,note\n1,5\" pipe\n2,x\n3,12\" disk\n4,end\n";
    let rows = check(Format::Csv, &[("a.csv", content)], |spec| {
        spec.options = option("include_file_paths", text("file"));
    })
    .unwrap();
    assert_eq!(rows.height(), 4);
    assert_eq!(rows.width(), 3);
}

#[test]
fn values_that_do_not_fit_are_told_with_line_and_column() {
    for (content, dtype, message) in [
        (
            b"x\n1\ntwo\n" as &[u8],
            DType::Int32,
            "`./a.csv`, line 3: `two` is not of type Int32, as column `x` is",
        ),
        (
            b"x\n2024-01-01\nnever\n",
            DType::Date,
            "`./a.csv`, line 3: `never` is not of type Date, as column `x` is",
        ),
    ] {
        let error = check(Format::Csv, &[("a.csv", content)], |spec| {
            spec.schema = Some(vec![Field::new("x", dtype.clone())]);
        })
        .unwrap_err();
        assert_eq!(error.message(), message);
    }
}

#[test]
fn empty_files_have_rows_only_by_declaration() {
    let header = check(Format::Csv, &[("a.csv", b"a,b\n")], |_| {}).unwrap();
    assert_eq!(shown(&header), "a str: , b str: ");
    for format in [Format::Csv, Format::JsonLines, Format::Json] {
        let error = check(format.clone(), &[("a", b"")], |_| {}).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConversionFailed, "{format}");
        assert_eq!(
            error.message(),
            "`./a` is empty, so its columns are not known"
        );
        let rows = check(format, &[("a", b"")], |spec| {
            spec.schema = Some(vec![Field::new("x", DType::Int64)])
        });
        assert_eq!(shown(&rows.unwrap()), "x i64: ");
    }
}

#[test]
fn json_lines_of_several_files_share_all_fields() {
    let rows = check(
        Format::JsonLines,
        &[
            ("a.jsonl", b"\xEF\xBB\xBF{\"x\":1}\n\n"),
            ("b.jsonl", b"{\"x\":1.5,\"y\":{\"z\":\"t\"}}"),
        ],
        |_| {},
    );
    assert_eq!(
        shown(&rows.unwrap()),
        "x f64: 1.0 1.5, y struct[1]: null {t}"
    );
    let declared = check(
        Format::JsonLines,
        &[("a.jsonl", b"{\"at\":\"2024-01-31T00:00:00Z\",\"u\":1}\n")],
        |spec| {
            spec.schema = Some(vec![
                Field::new("at", DType::datetime()),
                Field::new("v", DType::String),
            ]);
        },
    );
    assert_eq!(
        shown(&declared.unwrap()),
        "at datetime[\u{3bc}s]: 2024-01-31 00:00:00 null, v str: null".replace(" null, v", ", v")
    );
}

#[test]
fn a_malformed_line_is_named() {
    let error = check(
        Format::JsonLines,
        &[("a.jsonl", b"{\"x\":1}\n\n{\"x\":\n")],
        |_| {},
    )
    .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConversionFailed);
    assert!(
        error
            .message()
            .starts_with("`./a.jsonl`, line 3: field `x`: the value is cut off"),
        "{}",
        error.message()
    );
    let declared = check(
        Format::JsonLines,
        &[("a.jsonl", b"{\"x\":1}\n[1]\n")],
        |spec| {
            spec.schema = Some(vec![Field::new("x", DType::Int64)]);
        },
    );
    let error = declared.unwrap_err();
    assert!(
        error
            .message()
            .starts_with("`./a.jsonl`, line 2: not a JSON object"),
        "{}",
        error.message()
    );
}

#[test]
fn a_value_of_another_type_than_found_fails() {
    let mut lines = String::new();
    for row in 0..200 {
        lines.push_str(&format!("{{\"x\":{row}}}\n"));
    }
    lines.push_str("{\"x\":\"text\"}\n");
    let rows = check(
        Format::JsonLines,
        &[("a.jsonl", lines.as_bytes())],
        |spec| {
            spec.options = option("infer_schema_length", OptionValue::Int(100));
        },
    );
    let error = rows.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConversionFailed);
    assert!(
        error.message().starts_with("`./a.jsonl`, line 201: "),
        "{}",
        error.message()
    );
    let whole = check(Format::JsonLines, &[("a.jsonl", lines.as_bytes())], |_| {}).unwrap();
    assert_eq!(whole.height(), 201);
}

#[test]
fn documents_are_arrays_or_single_objects() {
    let rows = check(
        Format::Json,
        &[
            ("a.json", b"[{\"x\":1},{\"x\":2}]"),
            ("b.json", b"{\"x\":3}"),
        ],
        |_| {},
    );
    assert_eq!(shown(&rows.unwrap()), "x i64: 1 2 3");
    let error = check(Format::Json, &[("a.json", b"[{\"x\":1}")], |_| {}).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConversionFailed);
    assert!(
        error.message().starts_with("`./a.json`"),
        "{}",
        error.message()
    );
}

#[test]
fn an_unknown_option_is_refused_with_the_known_ones() {
    let error = check(Format::Ipc, &[("a", b"x")], |spec| {
        spec.options = option("seperator", text(";"))
    })
    .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert_eq!(error.message(), "`seperator` is not a reader option of IPC");
    assert_eq!(
        error.hint(),
        Some(
            "known here: `allow_missing_columns`, `extra_columns`, `hive_partitioning`, `include_file_paths`, `missing_columns`, `n_rows`, `recursiveFileLookup`"
        )
    );
}

#[test]
fn a_missing_file_is_named() {
    let mut spec = ReadSpec::new(Format::Parquet, "/nowhere/x.parquet");
    let bench = Bench::new();
    let read = |spec: &ReadSpec| wait(bench.backend.read(&bench.cx, spec));
    let error = read(&spec).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.message().contains("/nowhere/x.parquet"));
    spec.format = Format::BinaryFile;
    assert_eq!(read(&spec).unwrap_err().kind(), ErrorKind::Unsupported);
}
