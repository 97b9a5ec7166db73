//! Which nodes run side by side.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::support::Bench;
use laktory_exec::Event;
use laktory_testkit::recorder::{Behaviour, Script, Verb};

fn independent(count: usize) -> String {
    let mut nodes = String::new();
    for node in 0..count {
        let _ = writeln!(
            nodes,
            "  - {{name: n{node}, source: {{data: [{{x: 1}}]}}, sinks: [{{path: '@/n{node}.json', format: JSON}}]}}"
        );
    }
    nodes
}

#[test]
fn independent_nodes_run_side_by_side_up_to_the_bound() {
    for (jobs, expected) in [(0, 1), (1, 1), (2, 2), (5, 5), (64, 6)] {
        let script = Script::new().on(Verb::Execute, "", Behaviour::Turns(100));
        let mut bench = Bench::with(script);
        bench.options.jobs = jobs;
        bench.run(&independent(6)).good();
        assert_eq!(bench.script.most_at_a_time(), expected, "jobs: {jobs}");
        assert_eq!(bench.files().len(), 6);
    }
}

#[test]
fn nodes_that_wait_for_each_other_do_not() {
    let script = Script::new().on(Verb::Execute, "", Behaviour::Turns(20));
    let mut bench = Bench::with(script);
    bench.options.jobs = 8;
    let mut nodes = String::from(
        "  - {name: n0, source: {data: [{x: 1}]}, sinks: [{path: '@/0.json', format: JSON}]}\n",
    );
    for node in 1..6 {
        let _ = writeln!(
            nodes,
            "  - {{name: n{node}, source: {{data: [{{x: 1}}]}}, depends_on: [n{}], sinks: [{{path: '@/{node}.json', format: JSON}}]}}",
            node - 1
        );
    }
    bench.run(&nodes).good();
    assert_eq!(bench.script.most_at_a_time(), 1);
}

#[test]
fn reports_are_in_the_order_of_the_plan() {
    let quick_is_done = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&quick_is_done);
    let wait = Behaviour::until(move || flag.load(Ordering::SeqCst));
    let mut bench = Bench::with(Script::new().on(Verb::Execute, "slow", wait));
    bench.options.jobs = 2;
    let nodes = "
  - {name: a, source: {data: [{x: 1}]}, transformer: {nodes: [{expr: 'SELECT slow FROM {df}'}]}, sinks: [{path: '@/a.json', format: JSON}]}
  - {name: b, source: {data: [{x: 1}]}, sinks: [{path: '@/b.json', format: JSON}]}
";
    let done = bench.run_and(nodes, &|event| {
        if matches!(event, Event::NodeFinished { report } if report.name == "b") {
            quick_is_done.store(true, Ordering::SeqCst);
        }
    });
    let names: Vec<&str> = done.statuses().iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["a", "b"]);
    let told = done.told();
    let at = |event: &str| told.iter().position(|told| told == event).unwrap();
    assert!(
        at("node_finished b") < at("node_finished a"),
        "the second was done first: {told:?}"
    );
}

#[test]
fn a_long_chain_runs_in_linear_time() {
    let bench = Bench::new();
    let mut nodes = String::from(
        "  - {name: n0, source: {data: [{x: 1}]}, sinks: [{path: '@/0.parquet', format: PARQUET}]}\n",
    );
    for node in 1..300 {
        let _ = writeln!(
            nodes,
            "  - {{name: n{node}, source: {{node_name: n{}}}, sinks: [{{path: '@/{node}.parquet', format: PARQUET}}]}}",
            node - 1
        );
    }
    let began = Instant::now();
    bench.run(&nodes).good();
    assert!(
        began.elapsed() < Duration::from_secs(20),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(bench.values("299.parquet"), ["1"]);
}
