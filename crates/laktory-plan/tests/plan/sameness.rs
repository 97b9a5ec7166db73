//! The same pipeline gives the same plan, byte for byte, and large ones in a time that grows with their size.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use crate::support::{options, pipeline, registry};
use laktory_plan::{Graph, compile};
use proptest::prelude::*;

const RICH: &str = "
name: p
nodes:
  - name: brz
    source: {path: in.csv, format: CSV, reader_kwargs: {separator: ;}, filter: x > 1, renames: {x: y, a: b}, drop_duplicates: true}
    sinks: [{path: brz.parquet, format: PARQUET}, {path: brz.csv, format: CSV, mode: APPEND}]
  - name: slv
    dataframe_backend: RIGHT
    sources: [{node_name: brz}, {name: extra, data: [{z: 1}, {y: 2}]}]
    transformer:
      nodes:
        - {func_name: group_by, func_args: [y]}
        - {func_name: agg, func_kwargs: {n: nw.len(), s: nw.col('z').sum()}}
        - {expr: 'SELECT * FROM {df} JOIN {sources.extra} USING (y)'}
    expectations: [{name: e, expr: n > 0, action: DROP, tolerance: {rel: 0.1}}]
    tags: [x]
  - {name: gld, source: {node_name: slv}, depends_on: [brz], sinks: [{path: gld, format: JSONL, mode: ERROR}]}
";

fn json(yaml: &str) -> String {
    let pipeline = pipeline(yaml);
    let (plan, _) = compile(&pipeline, &registry(), &options());
    let plan = plan.unwrap();
    let again = compile(&pipeline.clone(), &registry(), &options())
        .0
        .unwrap();
    assert_eq!(plan, again);
    let text = serde_json::to_string(&plan).unwrap();
    assert_eq!(text, serde_json::to_string(&again.clone()).unwrap());
    text
}

#[test]
fn the_same_pipeline_gives_the_same_bytes() {
    assert_eq!(json(RICH), json(RICH));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Random graphs: the order is that of the graph, every reader comes after what it reads, and the bytes are equal.
    #[test]
    fn r_dag_3_nodes_come_after_what_they_read(edges in proptest::collection::vec((0_usize..20, 0_usize..20), 0..40)) {
        let mut yaml = String::from("name: p\nnodes:\n");
        for node in 0..20 {
            let above: Vec<String> = edges
                .iter()
                .filter(|(_, to)| *to == node)
                .filter(|(from, to)| from < to)
                .map(|(from, _)| format!("n{from}"))
                .collect();
            let _ = writeln!(
                yaml,
                "  - {{name: n{node}, source: {{path: in.json, format: JSON}}, depends_on: [{}]}}",
                above.join(", ")
            );
        }
        let (plan, findings) = compile(&pipeline(&yaml), &registry(), &options());
        prop_assert!(findings.is_empty(), "{findings:?}");
        let plan = plan.unwrap();
        prop_assert_eq!(plan.nodes.len(), 20);
        for (index, node) in plan.nodes.iter().enumerate() {
            prop_assert!(node.upstream.iter().all(|above| *above < index));
        }
        prop_assert_eq!(json(&yaml), serde_json::to_string(&plan).unwrap());
    }
}

fn chain(nodes: usize, sinks: bool) -> String {
    let mut yaml =
        String::from("name: p\nnodes:\n  - {name: n0, source: {path: in.json, format: JSON}}\n");
    for node in 1..nodes {
        let sink = if sinks {
            format!(", sinks: [{{path: n{node}.parquet, format: PARQUET}}]")
        } else {
            String::new()
        };
        let _ = writeln!(
            yaml,
            "  - {{name: n{node}, source: {{node_name: n{}}}{sink}}}",
            node - 1
        );
    }
    yaml
}

/// Time to compile, without loading.
fn seconds(yaml: &str) -> Duration {
    let pipeline = pipeline(yaml);
    let registry = registry();
    let began = Instant::now();
    let (plan, findings) = compile(&pipeline, &registry, &options());
    assert!(plan.is_some(), "{findings:?}");
    began.elapsed()
}

#[test]
fn ten_thousand_nodes_in_a_chain_compile_in_linear_time() {
    for sinks in [false, true] {
        let time = seconds(&chain(10_000, sinks));
        assert!(time < Duration::from_secs(5), "{time:?}");
    }
}

/// A long chain without sinks, each node of which has a reader with one: tasks must not walk the chain for each.
#[test]
fn a_comb_of_tasks_compiles_in_linear_time() {
    let mut yaml = chain(5_000, false);
    for node in 0..5_000 {
        let _ = writeln!(
            yaml,
            "  - {{name: t{node}, source: {{node_name: n{node}}}, sinks: [{{path: t{node}.parquet, format: PARQUET}}]}}"
        );
    }
    let time = seconds(&yaml);
    assert!(time < Duration::from_secs(5), "{time:?}");
}

#[test]
fn a_node_that_reads_thousands_compiles_in_linear_time() {
    let mut yaml = String::from("name: p\nnodes:\n");
    let mut names = Vec::new();
    for node in 0..5_000 {
        let _ = writeln!(
            yaml,
            "  - {{name: n{node}, source: {{path: in.json, format: JSON}}}}"
        );
        names.push(format!("n{node}"));
    }
    let _ = writeln!(
        yaml,
        "  - {{name: all, source: {{path: in.json, format: JSON}}, depends_on: [{}]}}",
        names.join(", ")
    );
    let time = seconds(&yaml);
    assert!(time < Duration::from_secs(5), "{time:?}");
}

#[test]
fn drawings_of_long_chains_stay_small() {
    let pipeline = pipeline(&chain(10_000, false));
    let plan = compile(&pipeline, &registry(), &options()).0.unwrap();
    let tree = Graph(&plan).tree();
    for node in [0, 41, 9_999] {
        assert!(
            tree.lines()
                .any(|line| line.ends_with(&format!("── n{node}"))),
            "n{node}"
        );
    }
    assert!(Graph(&plan).mermaid().len() < 1_000_000);
    assert!(tree.len() < 10_000_000, "{} bytes", tree.len());
}
