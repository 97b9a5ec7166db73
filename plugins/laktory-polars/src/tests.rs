//! The vertical: JSON lines through SQL and steps into files, and rows across the border of the engine.

use laktory_core::{
    ErrorKind, Expr, Format, Frame, FrameName, Func, Job, Keep, NamedFrames, Op, Outcome, ReadSpec,
    Result, Scalar, SqlSegment, SqlTemplate, Target, WriteSpec,
};
use polars::prelude::{DataFrame, DataType, TimeUnit, df};

use crate::testing::{Bench, wait};

const LINES: &str = concat!(
    r#"{"name":"prices","data":{"symbol":"A","created_at":"2023-09-01T00:00:00Z","open":1.5}}"#,
    "\n",
    r#"{"name":"prices","data":{"symbol":"A","created_at":"2023-09-01 00:00:00","open":1.5}}"#,
    "\n",
    r#"{"name":"prices","data":{"symbol":"B","created_at":"2023-09-01T02:00:00+02:00","open":null}}"#,
    "\n"
);

fn read(bench: &Bench, spec: &ReadSpec) -> Result<Frame> {
    let mut spec = spec.clone();
    spec.rows = true;
    wait(bench.backend.read(&bench.cx, &spec))
}

fn sql(bench: &Bench, text: &str, df: &Frame) -> Result<Frame> {
    let mut segments = Vec::new();
    let mut at = 0;
    for (start, placeholder) in text.match_indices("{df}") {
        segments.push((SqlSegment::Text(text[at..start].to_owned()), at..start));
        at = start + placeholder.len();
        segments.push((SqlSegment::Frame(FrameName::Df), start..at));
    }
    segments.push((SqlSegment::Text(text[at..].to_owned()), at..text.len()));
    let mut named = NamedFrames::new();
    named.insert(FrameName::Df, df.clone());
    wait(
        bench
            .backend
            .sql(&bench.cx, &SqlTemplate::new(segments), &named),
    )
}

fn apply(bench: &Bench, frame: &Frame, op: &Op) -> Result<Frame> {
    bench
        .backend
        .apply(&bench.cx, frame, op, &NamedFrames::new())
}

fn write(bench: &Bench, frame: &Frame, format: Format, name: &str) -> Job {
    Job::new(
        frame.clone(),
        Target::Write(WriteSpec::new(format, bench.folder.path().join(name))),
    )
}

#[test]
fn json_lines_go_through_sql_and_steps_into_every_format() {
    let bench = Bench::new();
    let path = bench.file("prices.jsonl", LINES);
    let source = read(
        &bench,
        &ReadSpec::new(Format::JsonLines, path.to_str().unwrap()),
    )
    .unwrap();
    let silver = sql(
        &bench,
        "SELECT data.symbol, CAST(data.created_at AS TIMESTAMP) AS created_at, data.open AS open FROM {df}",
        &source,
    )
    .unwrap();
    let unique = apply(
        &bench,
        &silver,
        &Op::Unique {
            subset: Some(vec!["symbol".into(), "created_at".into()]),
            keep: Keep::Any,
            order_by: Vec::new(),
        },
    )
    .unwrap();
    let rows = bench.collect(&unique).unwrap();
    assert_eq!(rows.height(), 2);
    assert_eq!(
        rows.column("created_at").unwrap().dtype(),
        &DataType::Datetime(TimeUnit::Microseconds, None)
    );

    let formats = [
        Format::Parquet,
        Format::Csv,
        Format::JsonLines,
        Format::Json,
        Format::Ipc,
    ];
    let jobs = formats
        .iter()
        .map(|format| {
            write(
                &bench,
                &unique,
                format.clone(),
                &format!("out.{}", format.name()),
            )
        })
        .collect();
    for outcome in bench.run(jobs).unwrap() {
        assert!(
            matches!(outcome, Outcome::Written(report) if report.rows == 2),
            "{outcome:?}"
        );
    }
    for format in formats {
        let path = bench.folder.path().join(format!("out.{}", format.name()));
        let back = read(
            &bench,
            &ReadSpec::new(format.clone(), path.to_str().unwrap()),
        )
        .unwrap();
        let back = bench.collect(&back).unwrap();
        assert_eq!(back.height(), 2, "{format}");
        assert_eq!(
            back.get_column_names(),
            ["symbol", "created_at", "open"],
            "{format}"
        );
    }
}

#[test]
fn outputs_of_one_stage_read_the_source_once() {
    let bench = Bench::new();
    let reads = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
    let lines: String = (0..5_000).map(|row| format!("{{\"x\":{row}}}\n")).collect();
    let path = bench.file("x.jsonl", lines);
    let source = read(
        &bench,
        &ReadSpec::new(Format::JsonLines, path.to_str().unwrap()),
    )
    .unwrap();
    let counted = {
        let reads = reads.clone();
        let count = move |rows: DataFrame| {
            reads.fetch_add(rows.height() as u64, std::sync::atomic::Ordering::SeqCst);
            Ok(rows)
        };
        let optimizations =
            polars::prelude::OptFlags::default() | polars::prelude::OptFlags::STREAMING;
        let lazy = crate::PolarsFrame::lazy(&source).unwrap().map(
            count,
            optimizations,
            None,
            Some("count"),
        );
        crate::PolarsFrame::from_lazy(lazy)
    };
    let part = |func| {
        let predicate = Expr::call(func, [Expr::column("x"), Expr::Literal(Scalar::Int(1_000))]);
        apply(&bench, &counted, &Op::Filter { predicate }).unwrap()
    };
    let metrics = apply(
        &bench,
        &counted,
        &Op::Aggregate {
            keys: Vec::new(),
            aggs: vec![Expr::call(Func::Sum, [Expr::column("x")])],
            drop_null_keys: false,
        },
    )
    .unwrap();
    let jobs = vec![
        write(&bench, &part(Func::Lt), Format::Parquet, "low.parquet"),
        write(&bench, &part(Func::Ge), Format::Csv, "high.csv"),
        Job::new(counted.clone(), Target::Materialize),
        Job::new(metrics, Target::Collect),
    ];
    let outcomes = bench.run(jobs).unwrap();
    assert!(matches!(outcomes[0], Outcome::Written(report) if report.rows == 1_000));
    assert!(matches!(outcomes[1], Outcome::Written(report) if report.rows == 4_000));
    assert!(matches!(
        outcomes[2],
        Outcome::Materialized { rows: 5_000, .. }
    ));
    assert_eq!(reads.load(std::sync::atomic::Ordering::SeqCst), 5_000);
}

#[test]
fn rows_leave_and_enter_unchanged() {
    let bench = Bench::new();
    let rows = df!("x" => [Some(1_i64), None, Some(3)], "s" => ["a", "é", ""]).unwrap();
    let stream = wait(bench.backend.export(&bench.cx, &bench.frame(rows.clone()))).unwrap();
    let back = wait(bench.backend.import(&bench.cx, stream)).unwrap();
    assert!(bench.collect(&back).unwrap().equals_missing(&rows));
}

#[test]
fn a_frame_beyond_the_budget_is_spilled() {
    let bench = Bench::with_budget(1_000);
    let rows = df!("x" => (0..10_000_i64).collect::<Vec<_>>()).unwrap();
    let job = Job::new(bench.frame(rows.clone()), Target::Materialize);
    let outcomes = bench.run(vec![job]).unwrap();
    let [Outcome::Materialized { frame, rows: count }] = outcomes.as_slice() else {
        panic!("{outcomes:?}");
    };
    assert_eq!(*count, 10_000);
    assert_eq!(std::fs::read_dir(bench.cx.scratch()).unwrap().count(), 1);
    assert!(bench.collect(frame).unwrap().equals(&rows));
}

#[test]
fn an_interrupted_run_stops() {
    let bench = Bench::new();
    let frame = bench.frame(df!("x" => [1]).unwrap());
    bench.cx.cancel().cancel();
    let error = bench
        .run(vec![write(&bench, &frame, Format::Csv, "x.csv")])
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
}

#[test]
fn a_frame_without_rows_gives_whole_files() {
    let bench = Bench::new();
    let frame = bench.frame(df!("x" => Vec::<i64>::new(), "s" => Vec::<String>::new()).unwrap());
    let formats = [Format::Parquet, Format::Ipc, Format::Csv, Format::Json];
    let jobs = formats
        .iter()
        .map(|format| write(&bench, &frame, format.clone(), format.name()))
        .collect();
    bench.run(jobs).unwrap();
    for format in [Format::Parquet, Format::Ipc, Format::Csv] {
        let path = bench.folder.path().join(format.name());
        let back = read(
            &bench,
            &ReadSpec::new(format.clone(), path.to_str().unwrap()),
        )
        .unwrap();
        let back = bench.collect(&back).unwrap();
        assert_eq!(back.height(), 0, "{format}");
        assert_eq!(back.get_column_names(), ["x", "s"], "{format}");
    }
    assert_eq!(
        std::fs::read_to_string(bench.folder.path().join("JSON")).unwrap(),
        "[\n]\n"
    );
}

#[test]
fn what_cannot_be_streamed_is_computed_in_memory() {
    let bench = Bench::new();
    let frame = bench.frame(df!("x" => [1.0, 2.0, 6.0]).unwrap());
    let above = sql(
        &bench,
        "SELECT x FROM {df} WHERE x > (SELECT AVG(x) FROM {df})",
        &frame,
    )
    .unwrap();
    assert_eq!(bench.collect(&above).unwrap().height(), 1);
}

#[test]
fn capabilities_are_those_of_the_tables() {
    let capabilities = (crate::POLARS.capabilities)();
    assert!(capabilities.local_files);
    assert!(capabilities.func(Func::StrToUppercase).is_available());
    assert!(capabilities.read(&Format::JsonLines).support.is_available());
    assert!(
        !capabilities
            .write(&Format::BinaryFile)
            .support
            .is_available()
    );
    let missing: Vec<&str> = Func::all()
        .filter(|def| !capabilities.func(def.func).is_available())
        .map(|def| def.path)
        .collect();
    assert_eq!(missing, Vec::<&str>::new());
}
