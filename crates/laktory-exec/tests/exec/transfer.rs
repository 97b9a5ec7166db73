//! Rows that cross from one engine to another.

use crate::support::Bench;
use laktory_core::BackendConfig;
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

#[test]
fn a_session_of_the_callers_own_is_used_for_its_backend_and_no_other_is_opened() {
    let mut bench = Bench::new();
    let connect = |bench: &Bench, settings: &BackendConfig| {
        bench
            .wait(laktory_exec::connect(&Bench::registry(), "OTHER", settings))
            .unwrap()
    };
    let session = connect(&bench, &bench.script.settings());
    // The run gives this backend no script: what the log holds came through the session.
    bench.options.backends.remove("OTHER");
    bench
        .options
        .sessions
        .insert("OTHER".to_owned(), session.clone());
    bench.run(NODES).good();
    let imports = bench.script.calls(Verb::Import);
    assert!(imports.iter().all(|call| call.backend == "OTHER"));
    assert_eq!(imports.len(), 2);
    bench
        .options
        .sessions
        .insert("RECORDER".to_owned(), session);
    let faults = bench.run(NODES).run.unwrap_err();
    assert_eq!(
        faults[0].error.message(),
        "the session given for backend RECORDER is one of OTHER"
    );
}

#[test]
fn settings_reach_their_backend_only() {
    let mut bench = Bench::new();
    // Without its script the recorder answers as it is, and logs nothing.
    bench.options.backends.remove("RECORDER");
    bench.run(NODES).good();
    assert!(bench.script.calls(Verb::Read).is_empty());
    assert!(!bench.script.calls(Verb::Import).is_empty());
}
