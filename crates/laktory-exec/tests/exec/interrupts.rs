//! Interrupts: nothing new is started, nothing is published, and every node says so.

use crate::support::Bench;
use laktory_core::Cancel;
use laktory_exec::{Event, Status};
use laktory_testkit::recorder::{Behaviour, Script, Verb};

const NODES: &str = "
  - {name: a, source: {path: '@/in.json', format: JSON}, expectations: [{name: e, expr: x > 0}], sinks: [{path: '@/a.parquet', format: PARQUET}]}
  - {name: b, source: {path: '@/in.json', format: JSON}, sinks: [{path: '@/b.parquet', format: PARQUET}]}
  - {name: c, source: {node_name: a}, sinks: [{path: '@/c.parquet', format: PARQUET}]}
";

fn interrupted(names: &[&'static str]) -> Vec<(&'static str, Status)> {
    names
        .iter()
        .map(|name| (*name, Status::Interrupted))
        .collect()
}

#[test]
fn an_interrupt_before_the_run_starts_nothing() {
    let bench = Bench::new();
    bench.options.cancel.cancel();
    let done = bench.run(NODES);
    assert_eq!(done.run().report.status, Status::Interrupted);
    assert_eq!(done.statuses(), interrupted(&["a", "b", "c"]));
    assert!(bench.files().is_empty() && bench.passes().is_empty());
    assert!(done.faults().is_empty(), "{:?}", done.faults());
    assert_eq!(
        done.told(),
        [
            "run_started ",
            "node_interrupted a",
            "node_interrupted b",
            "node_interrupted c",
            "run_finished "
        ]
    );
}

#[test]
fn an_interrupt_while_computing_publishes_nothing() {
    let cancel = Cancel::new();
    let flag = cancel.clone();
    let act = Behaviour::act(move || flag.cancel());
    let mut bench = Bench::with(Script::new().on(Verb::Execute, "in.json", act));
    bench.options.cancel = cancel;
    bench.table("a.parquet", &[7]);
    let done = bench.run(NODES);
    assert_eq!(done.statuses(), interrupted(&["a", "b", "c"]));
    assert_eq!(bench.files(), ["a.parquet"]);
    assert_eq!(bench.values("a.parquet"), ["7"]);
    assert_eq!(bench.passes().len(), 1);
    assert_eq!(
        done.faults(),
        ["a: nodes[0]: cancelled: the run was interrupted"]
    );
    assert_eq!(done.node("a").error_kind, Some("cancelled"));
}

/// Everything is computed and judged, but not published yet.
#[test]
fn an_interrupt_before_publishing_publishes_nothing() {
    let bench = Bench::new();
    let cancel = bench.options.cancel.clone();
    let done = bench.run_and(NODES, &|event| {
        if let Event::Checked { .. } = event {
            cancel.cancel();
        }
    });
    assert_eq!(done.statuses(), interrupted(&["a", "b", "c"]));
    assert!(bench.files().is_empty(), "{:?}", bench.files());
}

#[test]
fn what_was_published_before_the_interrupt_stays() {
    let bench = Bench::new();
    let cancel = bench.options.cancel.clone();
    let done = bench.run_and(NODES, &|event| {
        if let Event::NodeFinished { .. } = event {
            cancel.cancel();
        }
    });
    let expected = [
        ("a", Status::Succeeded),
        ("b", Status::Interrupted),
        ("c", Status::Interrupted),
    ];
    assert_eq!(done.statuses(), expected);
    assert_eq!(done.run().report.status, Status::Interrupted);
    assert!(!done.run().succeeded());
    assert_eq!(bench.files(), ["a.parquet"]);
}

#[test]
fn an_interrupt_after_the_last_node_is_too_late() {
    let bench = Bench::new();
    let cancel = bench.options.cancel.clone();
    let done = bench.run_and(NODES, &|event| {
        if matches!(event, Event::NodeFinished { report } if report.name == "c") {
            cancel.cancel();
        }
    });
    done.good();
}
