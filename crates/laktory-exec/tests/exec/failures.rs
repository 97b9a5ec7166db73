//! Engines that fail or panic: a fault at its node, no trace on disk, and the rest of the pipeline goes on.

use crate::support::Bench;
use laktory_core::ErrorKind;
use laktory_exec::Status;
use laktory_testkit::recorder::{Behaviour, Script, Verb};

/// `a` fails; `b` reads it, `c` reads `b`, `d` waits for `a`, `e` has nothing to do with it.
const NODES: &str = "
  - {name: a, source: {path: '@/in.json', format: JSON}, sinks: [{path: '@/new/a.parquet', format: PARQUET}, {path: '@/a.csv', format: CSV}]}
  - {name: b, source: {node_name: a}, sinks: [{path: '@/b.parquet', format: PARQUET}]}
  - {name: c, source: {node_name: b}}
  - {name: d, source: {data: [{x: 1}]}, depends_on: [a], sinks: [{path: '@/d.parquet', format: PARQUET}]}
  - {name: e, source: {data: [{x: 1}]}, sinks: [{path: '@/e.parquet', format: PARQUET}]}
";

/// `passes` are those of `a` and `e`, and what is computed alone to find the part that fails.
fn failing(verb: Verb, behaviour: Behaviour, expected: &str, passes: usize) {
    // Only the pass of the run: the check goes through.
    let script = Script::new().on(verb, "in.json", behaviour);
    let mut bench = Bench::with(script);
    bench.options.jobs = 2;
    bench.text("a.csv", "old");
    let done = bench.run(NODES);
    assert_eq!(done.faults(), [expected]);
    assert_eq!(
        done.statuses(),
        [
            ("a", Status::Failed),
            ("e", Status::Succeeded),
            ("b", Status::Skipped),
            ("d", Status::Skipped),
            ("c", Status::Skipped),
        ]
    );
    assert_eq!(done.run().report.status, Status::Failed);
    assert_eq!(
        bench.files(),
        ["a.csv", "e.parquet"],
        "half-written files and new folders are gone"
    );
    assert_eq!(bench.read("a.csv"), "old");
    assert_eq!(bench.script.calls(Verb::Execute).len(), passes);
}

#[test]
fn an_error_is_a_fault_of_the_part_that_fails() {
    failing(
        Verb::Execute,
        Behaviour::Fail(ErrorKind::Compute, "out of luck"),
        "a: nodes[0].sinks[0]: compute: out of luck",
        3,
    );
}

#[test]
fn a_panic_is_a_fault_of_its_node() {
    failing(
        Verb::Execute,
        Behaviour::Panic("index out of bounds"),
        "a: nodes[0]: internal: the engine panicked: index out of bounds",
        2,
    );
}

#[test]
fn a_panic_on_the_pool_is_a_fault_of_the_part_that_panics() {
    failing(
        Verb::Execute,
        Behaviour::PanicOnPool("index out of bounds"),
        "a: nodes[0].sinks[0]: internal: the engine panicked: index out of bounds",
        3,
    );
}

#[test]
fn a_lost_outcome_is_a_fault_of_its_node() {
    failing(
        Verb::Execute,
        Behaviour::Forget,
        "a: nodes[0]: internal: the engine returned fewer outcomes than jobs",
        2,
    );
}

#[test]
fn panics_of_the_check_are_faults_and_hide_nothing() {
    for verb in [Verb::Schema, Verb::Apply] {
        let script = Script::new().on(verb, "in.json", Behaviour::Panic("no such plan"));
        let bench = Bench::with(script);
        let done = bench.run(
            "
  - name: a
    source: {path: '@/in.json', format: JSON, filter: x > 0}
    sinks: [{path: '@/a.parquet', format: PARQUET}]
  - {name: b, source: {path: '@/nope.json', format: JSON}}
",
        );
        let faults = done.faults();
        assert_eq!(faults.len(), 2, "{faults:?}");
        assert_eq!(
            faults[0],
            "a: nodes[0]: internal: the engine panicked: no such plan"
        );
        assert!(
            faults[1].starts_with("b: nodes[1].sources[0].path: not_found: "),
            "{faults:?}"
        );
        assert!(bench.passes().is_empty() && bench.files().is_empty());
    }
}

#[test]
fn a_target_that_cannot_be_written_is_a_fault_of_its_sink() {
    let bench = Bench::new();
    bench.text("file", "");
    let done = bench.run(
        "
  - name: a
    source: {path: '@/in.json', format: JSON}
    sinks: [{path: '@/a.parquet', format: PARQUET}, {path: '@/file/b.parquet', format: PARQUET}]
",
    );
    assert!(
        done.faults()[0].starts_with("a: nodes[0].sinks[1]: io: "),
        "{:?}",
        done.faults()
    );
    assert_eq!(bench.files(), ["file"]);
    assert!(
        bench.passes().is_empty(),
        "told before anything is computed"
    );
}

#[test]
fn a_failed_transfer_is_a_fault_of_the_reader() {
    for (verb, message) in [
        (Verb::Export, "cannot leave"),
        (Verb::Import, "cannot enter"),
    ] {
        // The check imports an empty frame too, under the same names: fail on the second import only.
        let count = std::sync::atomic::AtomicUsize::new(0);
        let script = Script::new().when(
            move |call| {
                call.verb == verb
                    && (verb == Verb::Export
                        || count.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 1)
            },
            Behaviour::Fail(ErrorKind::Unsupported, message),
        );
        let bench = Bench::with(script);
        let done = bench.run(
            "
  - {name: a, source: {path: '@/in.json', format: JSON}}
  - {name: b, dataframe_backend: OTHER, source: {node_name: a}, sinks: [{path: '@/b.parquet', format: PARQUET}]}
",
        );
        assert_eq!(
            done.faults(),
            [format!("b: nodes[1].sources[0]: unsupported: {message}")]
        );
        assert_eq!(
            done.statuses(),
            [("a", Status::Succeeded), ("b", Status::Failed)]
        );
    }
}
