//! Files, jobs and statements through the doors that the executor uses.

use std::sync::Arc;

use datafusion::arrow::array::{AsArray, Int64Array, StringViewArray};
use datafusion::arrow::datatypes::Int64Type;
use laktory_core::arrow::array::{ArrayRef, RecordBatch};
use laktory_core::{
    DType, Error, ErrorKind, Field, Format, OptionValue, Options, Outcome, ReadSpec, Result,
    Target, WriteSpec,
};

use crate::testing::{Bench, shown};

fn numbers(rows: i64, batches: i64) -> Vec<RecordBatch> {
    (0..batches)
        .map(|batch| {
            let numbers = Int64Array::from_iter_values(batch * rows..(batch + 1) * rows);
            let texts: StringViewArray = (0..rows)
                .map(|row| (row % 3 > 0).then(|| format!("text {row}")))
                .collect();
            RecordBatch::try_from_iter([
                ("n", Arc::new(numbers) as ArrayRef),
                ("s", Arc::new(texts)),
            ])
            .unwrap()
        })
        .collect()
}

fn check(
    format: Format,
    files: &[(&str, &[u8])],
    adjust: impl Fn(&mut ReadSpec),
) -> Result<String> {
    let bench = Bench::new();
    let mut spec = ReadSpec::new(format, "folder");
    spec.rows = true;
    spec.files = files
        .iter()
        .map(|(name, content)| bench.file(name, content))
        .collect();
    adjust(&mut spec);
    let folder = bench.folder.path().to_str().unwrap();
    bench
        .read(&spec)
        .and_then(|frame| bench.shown(&frame))
        .map_err(|error| Error::new(error.kind(), error.message().replace(folder, ".")))
}

fn option(name: &str, value: OptionValue) -> Options {
    Options::from([(name.to_owned(), value)])
}

fn message(result: Result<String>) -> String {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConversionFailed, "{error}");
    error.message().to_owned()
}

#[test]
fn rows_come_back_in_order_from_memory_and_from_disk() {
    for budget in [1 << 30, 1] {
        let bench = Bench::with_budget(budget);
        let frame = bench.import(numbers(10_000, 3)).unwrap();
        let rows = bench.rows(&frame).unwrap();
        let seen: Vec<i64> = rows
            .iter()
            .flat_map(|batch| {
                batch
                    .column(0)
                    .as_primitive::<Int64Type>()
                    .values()
                    .to_vec()
            })
            .collect();
        assert_eq!(seen, (0..30_000).collect::<Vec<_>>());
        assert_eq!(bench.folder.path().join("scratch").exists(), budget == 1);
    }
}

#[test]
fn a_cancelled_run_ends_with_that_error() {
    let bench = Bench::new();
    let frame = bench.import(numbers(10, 1)).unwrap();
    bench.cancel.cancel();
    assert_eq!(bench.rows(&frame).unwrap_err().kind(), ErrorKind::Cancelled);
    let error = bench
        .execute(vec![(&frame, Target::Materialize)])
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
}

#[test]
fn jobs_of_one_plan_give_what_each_asks_for() {
    let bench = Bench::new();
    let frame = bench.import(numbers(10_000, 20)).unwrap();
    let common = bench
        .sql(&frame, "SELECT n, n * 2 AS d, s FROM {df} WHERE n >= 10")
        .unwrap();
    let kept = bench
        .sql(&common, "SELECT n, s FROM {df} WHERE d % 4 = 0")
        .unwrap();
    let counted = bench
        .sql(&common, "SELECT COUNT(*) AS rows, MAX(d) AS most FROM {df}")
        .unwrap();
    let first = bench.sql(&common, "SELECT n FROM {df} LIMIT 1").unwrap();
    let twice = bench
        .sql(
            &common,
            "SELECT COUNT(*) AS c FROM {df} a JOIN {df} b ON a.n = b.n",
        )
        .unwrap();
    let path = bench.folder.path().join("out.parquet");
    let spec = WriteSpec::new(Format::Parquet, path.clone());
    let outcomes = bench
        .execute(vec![
            (&kept, Target::Write(spec)),
            (&counted, Target::Collect),
            (&first, Target::Collect),
            (&twice, Target::Collect),
            (&common, Target::Materialize),
        ])
        .unwrap();
    let [
        Outcome::Written(report),
        Outcome::Collected(counted),
        Outcome::Collected(first),
        Outcome::Collected(twice),
        Outcome::Materialized { frame, rows },
    ] = outcomes.as_slice()
    else {
        panic!("{outcomes:?}");
    };
    assert_eq!(report.rows, 99_995);
    assert_eq!(shown(counted), "rows Int64: 199990, most Int64: 399998");
    assert_eq!(shown(first), "n Int64: 10");
    assert_eq!(shown(twice), "c Int64: 199990");
    assert_eq!(*rows, 199_990);
    let again = bench
        .sql(frame, "SELECT MIN(d) AS least FROM {df}")
        .unwrap();
    assert_eq!(bench.shown(&again).unwrap(), "least Int64: 20");
    let mut spec = ReadSpec::new(Format::Parquet, "x");
    spec.files = vec![path];
    let written = bench.read(&spec).unwrap();
    let written = bench
        .sql(&written, "SELECT COUNT(*) AS c, MAX(s) AS s FROM {df}")
        .unwrap();
    assert_eq!(
        bench.shown(&written).unwrap(),
        "c Int64: 99995, s String: text 9998"
    );
}

#[test]
fn an_error_of_the_common_plan_is_that_of_the_run() {
    let bench = Bench::new();
    let frame = bench.import(numbers(10, 1)).unwrap();
    let common = bench
        .sql(&frame, "SELECT CAST(s AS INT) AS i FROM {df}")
        .unwrap();
    let counted = bench.sql(&common, "SELECT SUM(i) AS c FROM {df}").unwrap();
    let error = bench
        .execute(vec![
            (&common, Target::Materialize),
            (&counted, Target::Collect),
        ])
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConversionFailed, "{error}");
}

#[test]
fn every_format_is_read_as_it_was_written() {
    let bench = Bench::new();
    let frame = bench.import(numbers(4, 1)).unwrap();
    let frame = bench
        .sql(
            &frame,
            "SELECT n, s, named_struct('x', n, 'l', [n]) AS d, n / 2 AS f FROM {df}",
        )
        .unwrap();
    let expected = bench.shown(&frame).unwrap();
    for format in [
        Format::Parquet,
        Format::Ipc,
        Format::Json,
        Format::JsonLines,
    ] {
        let path = bench.folder.path().join(format.name());
        let spec = WriteSpec::new(format.clone(), path.clone());
        bench.execute(vec![(&frame, Target::Write(spec))]).unwrap();
        let mut spec = ReadSpec::new(format.clone(), "x");
        spec.files = vec![path];
        let back = bench.read(&spec).unwrap();
        assert_eq!(bench.shown(&back).unwrap(), expected, "{format}");
        let part = bench
            .sql(&back, "SELECT f, n FROM {df} WHERE n > 2")
            .unwrap();
        assert_eq!(
            bench.shown(&part).unwrap(),
            "f Float64: 1.5, n Int64: 3",
            "{format}"
        );
    }
    let spec = WriteSpec::new(Format::Csv, bench.folder.path().join("x.csv"));
    let error = bench
        .execute(vec![(&frame, Target::Write(spec.clone()))])
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    let none = bench
        .sql(&frame, "SELECT n, s FROM {df} WHERE n > 99")
        .unwrap();
    bench
        .execute(vec![(&none, Target::Write(spec.clone()))])
        .unwrap();
    assert_eq!(std::fs::read_to_string(&spec.path).unwrap(), "n,s\n");
}

#[test]
fn csv_is_text_unless_types_are_declared_or_guessed() {
    let content: &[u8] = b"\xEF\xBB\xBFid,at\r\n1,2024-01-31\r\n2,\r\n";
    let files = [("a.csv", content)];
    let plain = check(Format::Csv, &files, |_| {}).unwrap();
    assert_eq!(plain, "id String: 1 2, at String: 2024-01-31 null");
    let guessed = check(Format::Csv, &files, |spec| spec.infer_schema = true).unwrap();
    assert_eq!(guessed, "id Int64: 1 2, at String: 2024-01-31 null");
    let declared = check(Format::Csv, &files, |spec| {
        spec.schema = Some(vec![
            Field::new("n", DType::Int32),
            Field::new("day", DType::Date),
        ]);
        spec.options = option("by_position", OptionValue::Bool(true));
    });
    assert_eq!(declared.unwrap(), "n Int32: 1 2, day Date: 2024-01-31 null");
    let headless = check(
        Format::Csv,
        &[("a*[1].csv", b"1;x\n2;y\n"), ("b.csv", b"3;z\n")],
        |spec| {
            spec.has_header = false;
            spec.options = option("separator", OptionValue::Text(";".into()));
        },
    );
    assert_eq!(
        headless.unwrap(),
        "column_1 String: 1 2 3, column_2 String: x y z"
    );
    let short = check(Format::Csv, &[("a.csv", b"x,y\n1\n2,3\n")], |spec| {
        spec.options = option("null_padding", OptionValue::Bool(true));
    });
    assert_eq!(short.unwrap(), "x String: 1 2, y String: null 3");
}

#[test]
fn wrong_lines_are_told_with_file_and_line() {
    let ragged = check(Format::Csv, &[("a.csv", b"a,b\n1,2\n3,4,5\n")], |_| {});
    assert_eq!(
        message(ragged),
        "`./a.csv`, line 3: 3 fields, but the header has 2"
    );
    let typed = check(Format::Csv, &[("a.csv", b"x\n1\ntwo\n")], |spec| {
        spec.schema = Some(vec![Field::new("x", DType::Int32)]);
    });
    assert_eq!(
        message(typed),
        "`./a.csv`, line 3: `two` is not of type Int32, as column `x` is"
    );
    let latin = check(Format::Csv, &[("a.csv", b"x\n\xe9\n")], |_| {});
    assert_eq!(message(latin), "`./a.csv`, line 2: it is not UTF-8");
    let broken = message(check(
        Format::JsonLines,
        &[("a", b"{\"x\":1}\n\n{\"x\":\n")],
        |_| {},
    ));
    assert!(
        broken.starts_with("`./a`, line 3: field `x`: the value is cut off"),
        "{broken}"
    );
    let open = message(check(Format::Json, &[("a", b"[{\"x\":1}")], |_| {}));
    assert!(open.starts_with("`./a`"), "{open}");
    for format in [Format::Parquet, Format::Ipc] {
        let text = message(check(
            format,
            &[("a", b"this is plain text, and long enough")],
            |_| {},
        ));
        assert!(text.starts_with("`./a` is no readable "), "{text}");
    }
}

#[test]
fn json_of_several_files_has_all_fields() {
    let files: [(&str, &[u8]); 2] = [
        ("a", b"\xEF\xBB\xBF{\"x\":1}\n\n"),
        ("b", b"{\"x\":1.5,\"y\":{\"z\":\"t\"},\"w\":null}"),
    ];
    let rows = check(Format::JsonLines, &files, |_| {}).unwrap();
    assert_eq!(
        rows,
        "x Float64: 1.0 1.5, y Struct({'z': String}): null {z: t}, w Null: null null"
    );
    let mixed = check(
        Format::JsonLines,
        &[("a", b"{\"x\":1}\n{\"x\":\"t\"}\n")],
        |_| {},
    )
    .unwrap();
    assert_eq!(mixed, "x String: 1 t");
    let documents = check(
        Format::Json,
        &[("a", b"[{\"x\":1},\n{\"x\":2}]"), ("b", b"{\"x\":3}")],
        |_| {},
    );
    assert_eq!(documents.unwrap(), "x Int64: 1 2 3");
    let paths = check(Format::JsonLines, &[("a", b"{\"x\":1}\n")], |spec| {
        spec.options = option("include_file_paths", OptionValue::Text("path".into()));
    });
    assert!(paths.unwrap().contains("/a"));
}

#[test]
fn empty_files_have_rows_only_by_declaration() {
    for format in [Format::Csv, Format::JsonLines, Format::Json] {
        let error = message(check(format.clone(), &[("a", b"")], |_| {}));
        assert_eq!(error, "`./a` is empty, so its columns are not known");
        let rows = check(format, &[("a", b"")], |spec| {
            spec.schema = Some(vec![Field::new("x", DType::Int64)]);
        });
        assert_eq!(rows.unwrap(), "no batch");
    }
    let spec = ReadSpec::new(Format::Parquet, "/nowhere/x.parquet");
    let bench = Bench::new();
    assert_eq!(bench.read(&spec).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(
        check(Format::BinaryFile, &[("a", b"x")], |_| {})
            .unwrap_err()
            .kind(),
        ErrorKind::Unsupported
    );
}

#[test]
fn errors_of_statements_point_into_the_text_as_written() {
    let bench = Bench::new();
    let frame = bench.import(numbers(2, 1)).unwrap();
    let pointed = |text: &'static str| {
        let error = bench.sql(&frame, text).unwrap_err();
        let range = error.range().unwrap_or(0..0);
        (error.kind(), &text[range])
    };
    assert_eq!(
        pointed("SELECT n FROM {df} WHERE nope > 1"),
        (ErrorKind::ColumnNotFound, "nope")
    );
    assert_eq!(
        pointed("SELECT n\nFROM {df} GROUP s"),
        (ErrorKind::SqlSyntax, "GROUP")
    );
    assert_eq!(
        pointed("SELECT nope(n) FROM {df}"),
        (ErrorKind::UnknownFunction, "nope")
    );
    assert_eq!(
        pointed("SELECT n, COUNT(*) AS c FROM {df}").0,
        ErrorKind::SqlSyntax
    );
    assert_eq!(pointed("SELECT 1 FROM other").0, ErrorKind::UnknownFrame);
}
