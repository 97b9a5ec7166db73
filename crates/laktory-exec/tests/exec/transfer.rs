//! Rows that cross from one engine to another.

use crate::support::Bench;
use laktory_testkit::recorder::Verb;

const NODES: &str = "
  - {name: a, source: {path: '@/in.json', format: JSON}}
  - {name: b, dataframe_backend: OTHER, source: {node_name: a}, sinks: [{path: '@/b.parquet', format: PARQUET}]}
";

#[test]
fn rows_are_exported_and_imported_once_and_arrive_whole() {
    let bench = Bench::new();
    let done = bench.run(NODES);
    done.good();
    let exports = bench.script.calls(Verb::Export);
    assert_eq!(exports.len(), 1);
    assert_eq!(exports[0].backend, "RECORDER");
    assert!(
        exports[0].mentions("materialize"),
        "what crosses is computed before: {exports:?}"
    );
    let imports = bench.script.calls(Verb::Import);
    let by: Vec<&str> = imports.iter().map(|call| call.backend).collect();
    assert_eq!(
        by,
        ["OTHER", "OTHER"],
        "the empty frame of the check, then the rows"
    );
    assert_eq!(bench.values("b.parquet"), ["1", "2", "3"]);
    assert_eq!(bench.document("b.parquet").steps, ["import"]);
}

#[test]
fn one_engine_needs_no_transfer() {
    let bench = Bench::new();
    bench
        .run(&NODES.replace("dataframe_backend: OTHER, ", ""))
        .good();
    assert!(bench.script.calls(Verb::Export).is_empty());
    assert!(bench.script.calls(Verb::Import).is_empty());
}

#[test]
fn readers_on_both_engines_share_what_is_kept() {
    let bench = Bench::new();
    let nodes = format!(
        "{NODES}  - {{name: c, source: {{node_name: a}}, sinks: [{{path: '@/c.parquet', format: PARQUET}}]}}\n"
    );
    bench.run(&nodes).good();
    assert_eq!(bench.script.calls(Verb::Export).len(), 1);
    assert_eq!(
        bench.document("c.parquet").steps.last().unwrap(),
        "materialize"
    );
    assert_eq!(bench.passes().len(), 3);
}

#[test]
fn rows_written_to_a_sink_cross_from_there() {
    let bench = Bench::new();
    let nodes = NODES.replace(
        "JSON}}\n",
        "JSON}, sinks: [{path: '@/a.parquet', format: PARQUET}]}\n",
    );
    bench.run(&nodes).good();
    let exports = bench.script.calls(Verb::Export);
    assert!(exports[0].mentions("read PARQUET"), "{exports:?}");
    assert_eq!(bench.values("b.parquet"), ["1", "2", "3"]);
}
