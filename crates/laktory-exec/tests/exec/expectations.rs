//! Expectations judged on the metrics of the pass, before anything is published (section 15).

use crate::support::{Bench, Done};
use laktory_exec::{CheckStatus, Status};
use laktory_testkit::recorder::{Behaviour, Script, Verb};

const FLAG: &str = "__laktory_expectation_0";

/// A run of one node with this expectation and a sink, on metrics of these numbers: rows, dropped, quarantined, fails.
fn judged(expectation: &str, metrics: [i64; 4], written: u64) -> (Bench, Done) {
    let [rows, dropped, quarantined, fails] = metrics;
    let values = vec![
        ("rows", rows),
        ("dropped", dropped),
        ("quarantined", quarantined),
        (FLAG, fails),
    ];
    let script = Script::new()
        .on(Verb::Execute, "in.json", Behaviour::Collected(values))
        .on(Verb::Execute, "in.json", Behaviour::Rows(vec![written]));
    let bench = Bench::with(script);
    bench.table("a.parquet", &[7]);
    let done = bench.run(&format!(
        "
  - name: a
    source: {{path: '@/in.json', format: JSON}}
    expectations: [{{name: e, {expectation}}}]
    quarantine: DISCARD
    sinks: [{{path: '@/a.parquet', format: PARQUET}}]
  - {{name: b, source: {{node_name: a}}, sinks: [{{path: '@/b.parquet', format: PARQUET}}]}}
  - {{name: c, source: {{data: [{{x: 1}}]}}, sinks: [{{path: '@/c.parquet', format: PARQUET}}]}}
"
    ));
    (bench, done)
}

#[test]
fn r_nexec_4_fail_publishes_nothing_and_leaves_no_trace() {
    let (bench, done) = judged("expr: x > 0, action: FAIL", [4, 0, 0, 1], 4);
    assert_eq!(
        done.faults(),
        [
            "a: nodes[0].expectations[0].expr.expr: expectation_failed: expectation `e` failed on node `a` \
          | expr: x > 0 | status: FAIL | fails count: 1 / 4 (25.00 %)"
        ]
    );
    assert_eq!(bench.values("a.parquet"), ["7"], "the old output stays");
    assert_eq!(
        bench.files(),
        ["a.parquet", "c.parquet"],
        "no staging folder, no output of the reader"
    );
    assert_eq!(
        done.statuses(),
        [
            ("a", Status::Failed),
            ("c", Status::Succeeded),
            ("b", Status::Skipped)
        ]
    );
    let report = done.node("a");
    assert_eq!(report.expectations[0].status, CheckStatus::Fail);
    assert_eq!(report.error_kind, Some("expectation_failed"));
    assert!(report.outputs.is_empty());
    assert_eq!(
        done.node("b").error.as_deref(),
        Some("a node that it depends on failed")
    );
}

#[test]
fn r_dq_5_warn_is_a_warning_and_everything_is_published() {
    let (bench, done) = judged("expr: x > 0", [4, 0, 0, 1], 4);
    done.good();
    let warning = "expectation `e` for node `a` failed | expr: x > 0 | status: FAIL | fails count: 1 / 4 (25.00 %)";
    assert_eq!(done.node("a").warnings, [warning]);
    assert_eq!(bench.files(), ["a.parquet", "b.parquet", "c.parquet"]);
}

#[test]
fn r_dq_6_rows_that_leave_are_counted() {
    let (_, done) = judged("expr: x > 0, action: DROP", [4, 1, 0, 1], 3);
    done.good();
    let report = done.node("a");
    assert_eq!(
        (
            report.rows_in,
            report.rows_dropped,
            report.rows_quarantined,
            report.rows_out
        ),
        (Some(4), 1, 0, Some(3))
    );
    let (_, done) = judged("expr: x > 0, action: QUARANTINE", [4, 0, 2, 2], 2);
    done.good();
    let report = done.node("a");
    assert_eq!((report.rows_quarantined, report.rows_discarded), (2, 2));
    assert_eq!(
        report.warnings.last().map(String::as_str),
        Some("2 quarantined rows of node `a` were thrown away, as `quarantine: DISCARD` says")
    );
}

#[test]
fn rows_lost_between_the_counts_are_a_fault() {
    for (metrics, written, says) in [
        (
            [4, 1, 0, 1],
            4,
            "has 4 rows, but 4 came in, 1 were dropped and 0 quarantined, which leaves 3",
        ),
        (
            [4, 0, 0, 0],
            3,
            "has 3 rows, but 4 came in, 0 were dropped and 0 quarantined, which leaves 4",
        ),
        (
            [4, 3, 2, 5],
            0,
            "the output has 0 rows, but 4 came in, 3 were dropped and 2 quarantined",
        ),
    ] {
        let (bench, done) = judged("expr: x > 0, action: DROP", metrics, written);
        let [fault] = &done.faults()[..] else {
            panic!("{:?}", done.faults())
        };
        assert!(
            fault.starts_with("a: nodes[0]: rows_lost: ") && fault.contains(says),
            "{fault}"
        );
        assert_eq!(bench.values("a.parquet"), ["7"]);
        assert_eq!(bench.files(), ["a.parquet", "c.parquet"]);
    }
}

#[test]
fn rows_lost_in_what_is_kept_are_a_fault() {
    let values = vec![("rows", 3), ("dropped", 0), ("quarantined", 0), (FLAG, 0)];
    let script = Script::new()
        .on(Verb::Execute, "in.json", Behaviour::Collected(values))
        .on(Verb::Execute, "in.json", Behaviour::Rows(vec![3, 2]));
    let bench = Bench::with(script);
    let done = bench.run(
        "
  - name: a
    source: {path: '@/in.json', format: JSON}
    expectations: [{name: e, expr: x > 0}]
    sinks: [{path: '@/a.csv', format: CSV}]
  - {name: b, source: {node_name: a}}
",
    );
    assert!(
        done.faults()[0].contains("rows_lost: the output has 2 rows"),
        "{:?}",
        done.faults()
    );
    assert!(bench.files().is_empty());
}

#[test]
fn r_dq_2_to_4_tolerances_are_strict() {
    let fails = |expectation: &str, metrics: [i64; 4]| {
        let (_, done) = judged(expectation, metrics, u64::try_from(metrics[0]).unwrap());
        done.node("a").expectations[0].status == CheckStatus::Fail
    };
    assert!(!fails("expr: x > 0, tolerance: {abs: 2}", [4, 0, 0, 2]));
    assert!(fails("expr: x > 0, tolerance: {abs: 2}", [4, 0, 0, 3]));
    assert!(!fails("expr: x > 0, tolerance: {rel: 0.5}", [4, 0, 0, 2]));
    assert!(fails("expr: x > 0, tolerance: {rel: 0.5}", [4, 0, 0, 3]));
    assert!(
        !fails("expr: x > 0", [0, 0, 0, 0]),
        "R-DQ-4: an empty frame passes"
    );
    let aggregate = "expr: COUNT(*) > 5, type: AGGREGATE";
    assert!(fails(aggregate, [4, 0, 0, 0]), "R-DQ-3: zero is false");
    assert!(!fails(aggregate, [4, 0, 0, 1]));
    assert!(
        !fails(aggregate, [0, 0, 0, 0]),
        "R-DQ-4: an empty frame passes"
    );
}

#[test]
fn r_dq_5_every_failed_expectation_is_named() {
    let values = vec![
        ("rows", 3),
        ("dropped", 0),
        ("quarantined", 0),
        (FLAG, 1),
        ("__laktory_expectation_1", 0),
        ("__laktory_expectation_2", 2),
    ];
    let script = Script::new().on(Verb::Execute, "in.json", Behaviour::Collected(values));
    let bench = Bench::with(script);
    let done = bench.run(
        "
  - name: a
    source: {path: '@/in.json', format: JSON}
    expectations:
      - {name: one, expr: x > 0, action: FAIL}
      - {name: two, expr: x > 1, action: FAIL}
      - {name: three, expr: x > 2, action: FAIL}
    sinks: [{path: '@/a.parquet', format: PARQUET}]
",
    );
    let [one, three] = &done.faults()[..] else {
        panic!("{:?}", done.faults())
    };
    for (fault, place, name) in [(one, 0, "`one`"), (three, 2, "`three`")] {
        let place = format!("a: nodes[0].expectations[{place}].expr.expr: ");
        assert!(fault.starts_with(&place) && fault.contains(name), "{fault}");
    }
    let checked = done
        .told()
        .iter()
        .filter(|event| *event == "checked a")
        .count();
    assert_eq!(checked, 3);
}

#[test]
fn metrics_that_are_none_are_a_fault_of_the_node() {
    let script = Script::new().on(
        Verb::Execute,
        "in.json",
        Behaviour::Collected(vec![("rows", 3)]),
    );
    let bench = Bench::with(script);
    let done = bench.run(
        "
  - name: a
    source: {path: '@/in.json', format: JSON}
    expectations: [{name: e, expr: x > 0}]
    sinks: [{path: '@/a.parquet', format: PARQUET}]
",
    );
    assert_eq!(
        done.faults(),
        [format!(
            "a: nodes[0]: internal: the engine returned no metric `{FLAG}`"
        )]
    );
    assert!(bench.files().is_empty());
}
