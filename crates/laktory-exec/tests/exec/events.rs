//! Events in their order, log lines, and the record of a run as programs read it.

use crate::support::Bench;
use laktory_testkit::recorder::{Behaviour, Script, Verb};
use serde_json::{Value, json};

const NODES: &str = "
  - name: a
    source: {path: '@/in.json', format: JSON, filter: x > 0}
    transformer: {nodes: [{expr: 'SELECT * FROM {df}'}, {func_name: unique, func_kwargs: {subset: [x], keep: any}}]}
    expectations: [{name: e, expr: x > 0, action: DROP}]
    sinks: [{path: '@/a.parquet', format: PARQUET}, {path: '@/b.parquet', format: PARQUET, mode: IGNORE}]
  - {name: b, source: {node_name: a}}
";

fn bench() -> Bench {
    let flags = vec![
        ("rows", 4),
        ("dropped", 1),
        ("quarantined", 0),
        ("__laktory_expectation_0", 1),
    ];
    let script = Script::new()
        .when(
            |call| call.verb == Verb::Execute && call.mentions("__laktory"),
            Behaviour::Collected(flags),
        )
        .on(Verb::Execute, "in.json", Behaviour::Rows(vec![3]));
    let bench = Bench::with(script);
    bench.table("b.parquet", &[7]);
    bench
}

#[test]
fn events_are_told_in_the_order_of_the_work() {
    let done = bench().run(NODES);
    done.good();
    assert_eq!(
        done.told(),
        [
            "run_started ",
            "node_started a",
            "reading a",
            "read a",
            "step a",
            "step a",
            "writing a",
            "written a",
            "checked a",
            "warning a",
            "written a",
            "node_finished a",
            "node_started b",
            "reading b",
            "read b",
            "node_finished b",
            "run_finished ",
        ]
    );
}

#[test]
fn log_lines_have_the_wording_of_the_reference() {
    let bench = bench();
    let done = bench.run(NODES);
    let folder = bench.folder.path().display().to_string();
    let lines: Vec<String> = done
        .events
        .iter()
        .map(|event| event.to_string().replace(&folder, "@"))
        .collect();
    let lines = lines.join("\n");
    for line in [
        "Executing pipeline 'p' (nodes: a, b)",
        "Executing pipeline node a",
        "Reading `FileDataSource` @/in.json with DataFrameBackends.RECORDER\nRead completed.",
        "Executing DataFrame Transformer\nExecuting DataFrame transformer node 0 (DataFrameExpr).\nDataFrame as\nSELECT * FROM {df}",
        "Executing DataFrame transformer node 1 (DataFrameMethod).\nApplying df.unique(subset=['x'],keep=any)",
        "Writing static df to @/a.parquet with format 'PARQUET' and {}",
        "Write skipped: @/b.parquet exists and its mode is IGNORE.",
        "Checking expectation 'e' | x > 0 (type: ROW) | status: FAIL | fails count: 1 / 4 (25.00 %)",
        "Write completed.",
        "Reading `PipelineNodeDataSource` a with DataFrameBackends.RECORDER",
    ] {
        assert!(lines.contains(line), "{line}\n---\n{lines}");
    }
}

/// The record without what varies from run to run.
fn redacted(mut report: Value, folder: &str) -> Value {
    for key in ["laktory", "run_id", "started", "seconds"] {
        let value = report[key].take();
        assert!(!value.is_null(), "{key}");
    }
    for node in report["nodes"].as_array_mut().unwrap() {
        assert!(node["seconds"].take().is_f64());
        for output in node["outputs"].as_array_mut().unwrap() {
            output["bytes"] = json!(output["bytes"].as_u64().unwrap() > 0);
            output["path"] = json!(output["path"].as_str().unwrap().replace(folder, "@"));
        }
    }
    report
}

#[test]
fn the_record_keeps_its_layout() {
    let bench = bench();
    let done = bench.run(NODES);
    let report = serde_json::to_value(&done.good().report).unwrap();
    let warning = "expectation `e` for node `a` failed | expr: x > 0 | status: FAIL | fails count: 1 / 4 (25.00 %)";
    assert_eq!(
        redacted(report, bench.folder.path().to_str().unwrap()),
        json!({
            "version": 1,
            "laktory": null,
            "pipeline": "p",
            "run_id": null,
            "started": null,
            "seconds": null,
            "status": "succeeded",
            "nodes": [
                {
                    "name": "a",
                    "backend": "RECORDER",
                    "status": "succeeded",
                    "rows_in": 4,
                    "rows_out": 3,
                    "rows_dropped": 1,
                    "rows_quarantined": 0,
                    "rows_discarded": 0,
                    "rows_read": null,
                    "seconds": null,
                    "outputs": [
                        {
                            "path": "@/b.parquet",
                            "format": "PARQUET",
                            "mode": "IGNORE",
                            "quarantine": false,
                            "skipped": true,
                            "rows": 0,
                            "bytes": false,
                        },
                        {
                            "path": "@/a.parquet",
                            "format": "PARQUET",
                            "mode": "OVERWRITE",
                            "quarantine": false,
                            "skipped": false,
                            "rows": 3,
                            "bytes": true,
                        },
                    ],
                    "expectations": [{
                        "name": "e",
                        "expr": "x > 0",
                        "kind": "ROW",
                        "action": "DROP",
                        "status": "FAIL",
                        "rows_count": 4,
                        "fails_count": 1,
                    }],
                    "warnings": [warning],
                    "error": null,
                    "error_kind": null,
                },
                {
                    "name": "b",
                    "backend": "RECORDER",
                    "status": "succeeded",
                    "rows_in": 3,
                    "rows_out": 3,
                    "rows_dropped": 0,
                    "rows_quarantined": 0,
                    "rows_discarded": 0,
                    "rows_read": 3,
                    "seconds": null,
                    "outputs": [],
                    "expectations": [],
                    "warnings": [],
                    "error": null,
                    "error_kind": null,
                },
            ],
        })
    );
}

#[test]
fn run_names_are_unique() {
    let bench = Bench::new();
    let run = || {
        let done = bench.run("  - {name: a, source: {data: [{x: 1}]}}\n");
        done.good().report.run_id.clone()
    };
    assert_ne!(run(), run());
}
