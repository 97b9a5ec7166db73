//! How outputs reach their readers.

use crate::support::{handover, options, plan, plan_with};
use laktory_plan::{Handover, InputSource, PlanOptions};

const READER: &str = "{source: {node_name: a}, sinks: [{path: b.parquet, format: PARQUET}]";

/// A pipeline of a node `a` with these keys, and `readers` nodes that read it.
fn with(keys: &str, readers: usize) -> String {
    let mut yaml = format!(
        "name: p\nnodes:\n  - {{name: a, source: {{path: in.json, format: JSON}}{keys}}}\n"
    );
    for reader in 0..readers {
        yaml += &format!("  - {READER}, name: b{reader}}}\n")
            .replace("b.parquet", &format!("b{reader}.parquet"));
    }
    yaml
}

fn decided(keys: &str, readers: usize) -> Handover {
    handover(&plan(&with(keys, readers)), "a")
}

#[test]
fn one_reader_computes_the_node_itself() {
    assert_eq!(decided("", 1), Handover::Inline);
}

#[test]
fn two_readers_share_what_is_kept() {
    assert_eq!(decided("", 2), Handover::Materialize);
}

#[test]
fn what_a_reader_names_twice_is_kept() {
    let decided = |reader: &str| {
        let yaml = format!(
            "name: p\nnodes:\n  - {{name: a, source: {{path: in.json, format: JSON}}}}\n  - {{name: b, {reader}}}\n"
        );
        handover(&plan(&yaml), "a")
    };
    for once in [
        "source: {node_name: a}, transformer: {nodes: [{expr: 'SELECT x FROM {df}'}, {expr: 'SELECT y FROM {df}'}]}",
        "source: {node_name: a}, transformer: {nodes: [{func_name: head}]}",
        "transformer: {nodes: [{expr: 'SELECT * FROM {nodes.a}'}]}",
    ] {
        assert_eq!(decided(once), Handover::Inline, "{once}");
    }
    for twice in [
        "source: {node_name: a}, transformer: {nodes: [{expr: 'SELECT * FROM {df}'}, {expr: 'SELECT * FROM {df} JOIN {df} AS b'}]}",
        "source: {node_name: a}, transformer: {nodes: [{func_name: join, func_kwargs: {other: '{nodes.a}', on: x}}]}",
        "source: {node_name: a}, transformer: {nodes: [{expr: 'SELECT * FROM {df} JOIN {nodes.a}'}]}",
        "source: {node_name: a}, transformer: {nodes: [{expr: 'SELECT * FROM {df} JOIN {df} AS b'}]}",
        "transformer: {nodes: [{expr: 'SELECT * FROM {nodes.a} JOIN {nodes.a} AS b'}]}",
        "sources: [{node_name: a}, {node_name: a, name: c}]",
    ] {
        assert_eq!(decided(twice), Handover::Materialize, "{twice}");
    }
}

#[test]
fn random_steps_are_computed_once() {
    let random = ", transformer: {nodes: [{func_name: sample, func_kwargs: {n: 3}}]}";
    assert_eq!(decided(random, 1), Handover::Materialize);
    let seeded = ", transformer: {nodes: [{func_name: sample, func_kwargs: {n: 3, seed: 1}}]}";
    assert_eq!(decided(seeded, 1), Handover::Inline);
    let sql = ", transformer: {nodes: [{expr: 'SELECT uuid() AS u FROM {df}'}]}";
    assert_eq!(decided(sql, 1), Handover::Materialize);
}

#[test]
fn a_long_chain_is_cut() {
    let mut yaml =
        "name: p\nnodes:\n  - {name: n0, source: {path: in.json, format: JSON}}\n".to_owned();
    for node in 1..100 {
        yaml += &format!(
            "  - {{name: n{node}, source: {{node_name: n{}}}}}\n",
            node - 1
        );
    }
    let plan = plan(&yaml);
    let kept = |node: &&laktory_plan::NodePlan| node.handover == Handover::Materialize;
    assert_eq!(plan.nodes.iter().filter(kept).count(), 4);
    assert_eq!(handover(&plan, "n31"), Handover::Materialize);
}

#[test]
fn a_node_that_doubles_without_end_is_refused() {
    let doubling = |times: usize| {
        let step = "{expr: 'SELECT * FROM {df} UNION ALL SELECT * FROM {df}'}";
        let steps = vec![step; times].join(", ");
        crate::support::findings(&with(&format!(", transformer: {{nodes: [{steps}]}}"), 1))
    };
    assert!(doubling(11).is_empty());
    let findings = doubling(16);
    assert_eq!(findings.len(), 1, "{findings:#?}");
    let told = &findings[0];
    assert!(
        told.contains("reads its input more than 2048 times"),
        "{told}"
    );
    assert!(
        told.contains("nodes[0].transformer.nodes[11].expr"),
        "{told}"
    );
}

#[test]
fn expectations_are_judged_once_and_before_the_reader() {
    assert_eq!(
        decided(", expectations: [{name: e, expr: x > 0}]", 1),
        Handover::Materialize
    );
}

#[test]
fn a_lossless_sink_is_read_back() {
    for format in ["PARQUET", "IPC"] {
        for mode in ["", ", mode: OVERWRITE", ", mode: ERROR"] {
            let sink = format!(", sinks: [{{path: a.x, format: {format}{mode}}}]");
            assert_eq!(decided(&sink, 1), Handover::Sink(0), "{sink}");
            assert_eq!(decided(&sink, 0), Handover::None, "{sink}");
        }
    }
}

#[test]
fn the_first_lossless_sink_is_taken() {
    let sinks = ", sinks: [{path: a.csv, format: CSV}, {path: q.parquet, format: PARQUET, is_quarantine: true}, \
                 {path: a.parquet, format: PARQUET}, {path: a.arrow, format: IPC}]";
    let keys = format!(", expectations: [{{name: e, expr: x > 0, action: QUARANTINE}}]{sinks}");
    assert_eq!(decided(&keys, 2), Handover::Sink(2));
}

#[test]
fn sinks_that_differ_from_the_output_are_not_read_back() {
    for sink in [
        "format: CSV",
        "format: JSON",
        "format: PARQUET, mode: APPEND",
        "format: PARQUET, mode: IGNORE",
        "format: PARQUET, is_quarantine: true",
        "format: PARQUET, schema: {columns: {x: int}}",
    ] {
        let keys = format!(", sinks: [{{path: a.x, {sink}}}]");
        assert_eq!(decided(&keys, 1), Handover::Materialize, "{sink}");
    }
}

#[test]
fn a_sink_that_its_own_engine_cannot_read_is_not_read_back() {
    let sink = ", dataframe_backend: RIGHT, sinks: [{path: a.arrow, format: IPC}]";
    assert_eq!(decided(sink, 1), Handover::Materialize);
}

#[test]
fn rows_that_cross_engines_are_kept() {
    let yaml = with(", dataframe_backend: RIGHT", 1);
    let plan = plan(&yaml);
    assert_eq!(handover(&plan, "a"), Handover::Materialize);
    let InputSource::Node { transfer, .. } = plan.node("b0").unwrap().inputs[0].source else {
        panic!("read from the node");
    };
    assert!(transfer);
}

#[test]
fn without_writing_nothing_is_read_from_sinks() {
    let sink = ", sinks: [{path: a.parquet, format: PARQUET}]";
    let options = PlanOptions {
        write: false,
        ..options()
    };
    let decided = |readers| {
        let plan = plan_with(&with(sink, readers), &options);
        assert!(!plan.writes);
        handover(&plan, "a")
    };
    assert_eq!(decided(0), Handover::Materialize);
    assert_eq!(decided(1), Handover::Inline);
    assert_eq!(decided(2), Handover::Materialize);
}

#[test]
fn a_declarative_orchestrator_writes_nothing_in_a_local_run() {
    let yaml = format!(
        "{}orchestrator: {{type: LAKEFLOW_DECLARATIVE_PIPELINE}}\n",
        with("", 1).replace("path: b0.parquet, format: PARQUET", "pipeline_view_name: v")
    );
    let findings = crate::support::findings(&yaml);
    assert!(
        findings
            .iter()
            .any(|text| text.starts_with("orchestrator: declarative-orchestrator:")),
        "{findings:?}"
    );
}

#[test]
fn a_leaf_without_sinks_is_kept_for_the_caller() {
    assert_eq!(decided("", 0), Handover::Materialize);
}
