//! Which nodes take part in a run, and where the inputs of a partial run come from (R-NSRC-2).

use crate::support::{findings_with, names, plan_with, selecting};
use laktory_plan::{InputSource, Plan, Stored};

const CHAIN: &str = "
name: p
nodes:
  - {name: brz, source: {path: in.json, format: JSON}, sinks: [{path: brz.csv, format: CSV, writer_kwargs: {separator: ;}}]}
  - {name: slv, source: {node_name: brz}}
  - {name: mid, source: {node_name: slv}}
  - {name: gld, source: {node_name: mid}, sinks: [{path: gld.parquet, format: PARQUET}]}
";

fn sources(plan: &Plan, node: &str) -> Vec<String> {
    let node = plan.node(node).unwrap();
    node.inputs
        .iter()
        .map(|input| match &input.source {
            InputSource::Node {
                node,
                name,
                transfer,
            } => {
                assert_eq!(&plan.nodes[*node].name, name);
                format!("node {name}{}", if *transfer { " by transfer" } else { "" })
            }
            InputSource::Sink { name, read, .. } => format!("sink of {name}: {}", read.target),
            InputSource::Files(spec) => format!("files {}", spec.path),
            other => format!("{other:?}"),
        })
        .collect()
}

#[test]
fn r_nsrc_2_nodes_without_sinks_come_along() {
    let plan = plan_with(CHAIN, &selecting(&["gld"]));
    assert_eq!(names(&plan), ["slv", "mid", "gld"]);
    assert_eq!(plan.tasks.len(), 1, "the tasks are those of the selection");
    assert_eq!(sources(&plan, "gld"), ["node mid"]);
}

#[test]
fn r_nsrc_2_an_unselected_node_with_a_sink_is_read_from_it() {
    let plan = plan_with(CHAIN, &selecting(&["slv"]));
    assert_eq!(sources(&plan, "slv"), ["sink of brz: brz.csv"]);
    let InputSource::Sink { read, .. } = &plan.node("slv").unwrap().inputs[0].source else {
        panic!("read from the sink");
    };
    let Stored::Files(read) = &read.read else {
        panic!("a file");
    };
    assert_eq!(plan.outside[0].name, "brz", "its columns must be known");
    assert!(
        read.options.contains_key("separator"),
        "it is read as it was written"
    );
    assert!(plan.node("slv").unwrap().upstream.is_empty());
}

#[test]
fn r_nsrc_2_a_quarantine_sink_is_not_the_output() {
    let yaml = "
name: p
nodes:
  - name: a
    source: {path: in.json, format: JSON}
    expectations: [{name: e, expr: x > 0, action: QUARANTINE}]
    sinks: [{path: bad.parquet, format: PARQUET, is_quarantine: true}]
  - {name: b, source: {node_name: a}, sinks: [{path: b.parquet, format: PARQUET}]}
";
    let plan = plan_with(yaml, &selecting(&["b"]));
    assert_eq!(names(&plan), ["a", "b"]);
    assert_eq!(sources(&plan, "b"), ["node a"]);
}

#[test]
fn r_nsrc_2_the_reader_must_be_able_to_read_the_sink() {
    let yaml = "
name: p
nodes:
  - {name: a, source: {path: in.json, format: JSON}, sinks: [{path: a.arrow, format: IPC}]}
  - {name: b, dataframe_backend: RIGHT, source: {node_name: a}, sinks: [{path: b.parquet, format: PARQUET}]}
";
    assert_eq!(
        findings_with(yaml, &selecting(&["b"])),
        [
            "nodes[1].sources[0]: unreadable-node: node `a` is not part of this run, and its sink `a.arrow` has format `IPC`, \
          which cannot be read on backend RIGHT; select `a` too, as `--select '*b'`, or give it a PARQUET sink that is overwritten"
        ]
    );
    let plan = plan_with(yaml, &selecting(&["*b"]));
    assert_eq!(sources(&plan, "b"), ["node a by transfer"]);
}

#[test]
fn r_sel_4_an_empty_selection_runs_nothing() {
    let plan = plan_with(CHAIN, &selecting(&[]));
    assert!(plan.nodes.is_empty() && plan.tasks.is_empty());
}

#[test]
fn r_sel_2_every_unknown_selection_is_told() {
    assert_eq!(
        findings_with(CHAIN, &selecting(&["gdl", "*", "brz"])),
        [
            ": unknown-selection: no node, task or tag is called `gdl`; did you mean `gld`?",
            ": unknown-selection: no node, task or tag is called `*`; known here: `brz`, `slv`, `mid`, `gld`",
        ]
    );
}

#[test]
fn r_node_2_a_declared_source_of_a_node_is_shared_with_its_steps() {
    let yaml = "
name: p
nodes:
  - {name: a, source: {path: in.json, format: JSON}}
  - {name: c, source: {path: in.json, format: JSON}}
  - name: b
    source: {node_name: a, filter: x > 1}
    transformer: {nodes: [{expr: 'SELECT * FROM {df} JOIN {nodes.a} JOIN {nodes.c} JOIN {nodes.a}'}]}
";
    let plan = plan_with(yaml, &selecting(&["*b"]));
    let inputs: Vec<(String, usize)> = plan
        .node("b")
        .unwrap()
        .inputs
        .iter()
        .map(|input| (input.name.to_string(), input.steps.len()))
        .collect();
    let expected = [("{sources.df}", 1), ("{nodes.a}", 1), ("{nodes.c}", 0)];
    assert_eq!(
        inputs,
        expected.map(|(name, steps)| (name.to_owned(), steps))
    );
    assert_eq!(plan.node("b").unwrap().upstream, [0, 1]);
}
