//! The check before the first row: faults at the step that caused them, all of them, and only those that are certain.

use std::fmt::Write as _;

use crate::support::{Bench, shown};
use laktory_core::ErrorKind;
use laktory_testkit::recorder::{Behaviour, Script, Verb};

#[test]
fn a_schema_fault_blames_the_first_step_that_has_it() {
    // The engine says so only when it resolves the whole frame.
    let fault = Behaviour::Fail(ErrorKind::TypeMismatch, "cannot compare text with number");
    for (guilty, place) in [
        ("Filter", "nodes[0].sources[0].filter"),
        ("Rename", "nodes[0].sources[0].renames"),
        ("Sort", "nodes[0].transformer.nodes[0]"),
        ("sql SELECT", "nodes[0].transformer.nodes[1].expr"),
        ("Tail", "nodes[0].transformer.nodes[2]"),
        ("read JSON", "nodes[0].sources[0]"),
    ] {
        let bench = Bench::with(Script::new().on(Verb::Schema, guilty, fault.clone()));
        let done = bench.run(
            "
  - name: a
    source: {path: '@/in.json', format: JSON, filter: x > 0, renames: {x: z}}
    transformer:
      nodes:
        - {func_name: sort, func_args: [z]}
        - {expr: 'SELECT * FROM {df}'}
        - {func_name: tail, func_args: [2]}
    sinks: [{path: '@/a.parquet', format: PARQUET}]
",
        );
        assert_eq!(
            done.faults(),
            [format!(
                "a: {place}: type_mismatch: cannot compare text with number"
            )],
            "{guilty}"
        );
        assert!(
            done.events.is_empty() && bench.passes().is_empty(),
            "nothing was started"
        );
    }
}

#[test]
fn a_step_that_fails_over_an_earlier_one_is_not_blamed() {
    // `sort` refuses a column that `filter` should have been refused for: the engine noticed late.
    let script = Script::new()
        .on(
            Verb::Apply,
            "Sort",
            Behaviour::Fail(ErrorKind::Compute, "the plan is poisoned"),
        )
        .on(
            Verb::Schema,
            "Filter",
            Behaviour::Fail(ErrorKind::TypeMismatch, "not a condition"),
        );
    let bench = Bench::with(script);
    let done = bench.run(
        "
  - name: a
    source: {path: '@/in.json', format: JSON}
    transformer: {nodes: [{func_name: filter, func_args: [nw.col('x') > 1]}, {func_name: sort, func_args: [x]}]}
",
    );
    assert_eq!(
        done.faults(),
        ["a: nodes[0].transformer.nodes[0].func_args[0]: type_mismatch: not a condition"]
    );
}

#[test]
fn faults_of_several_nodes_are_told_and_those_behind_them_left_out() {
    let bench = Bench::new();
    let (schemas, faults) = bench.resolve(
        "
  - {name: a, source: {path: '@/in.json', format: JSON, filter: nope > 1}}
  - {name: b, source: {node_name: a, filter: never_told > 1}}
  - {name: c, source: {node_name: b}}
  - {name: d, source: {path: '@/in.json', format: JSON}, transformer: {nodes: [{func_name: select, func_args: [neither]}]}}
  - {name: e, source: {path: '@/missing.json', format: JSON}}
  - {name: f, source: {path: '@/in.json', format: JSON, renames: {x: z}}}
",
    );
    let shown = shown(&faults);
    assert_eq!(
        shown[..2],
        [
            "a: nodes[0].sources[0].filter: column_not_found: there is no column `nope`",
            "d: nodes[3].transformer.nodes[0].func_args[0]: column_not_found: there is no column `neither`",
        ]
    );
    assert!(
        shown[2].starts_with("e: nodes[4].sources[0].path: not_found: there is no file or folder "),
        "{shown:?}"
    );
    assert_eq!(shown.len(), 3);
    let names: Vec<&str> = schemas.iter().map(|schema| schema.node.as_str()).collect();
    assert_eq!(names, ["f"]);
    let schema = schemas[0].schema.as_ref().unwrap();
    let columns: Vec<&String> = schema.fields().iter().map(|field| field.name()).collect();
    assert_eq!(columns, ["z", "y"]);
}

#[test]
fn each_faulty_expectation_and_sink_is_told() {
    let bench = Bench::new();
    let (_, faults) = bench.resolve(
        "
  - name: a
    source: {path: '@/in.json', format: JSON}
    expectations: [{name: e, expr: x > 0}, {name: f, expr: nope > 0}, {name: g, expr: COUNT(nor) > 0, type: AGGREGATE}]
    sinks:
      - {path: '@/a.parquet', format: PARQUET, schema: {columns: {x: bigint}}}
      - {path: '@/b.parquet', format: PARQUET, schema: {columns: {x: bigint, zzz: string}}}
",
    );
    assert_eq!(
        shown(&faults),
        [
            "a: nodes[0].expectations[1].expr.expr: column_not_found: there is no column `nope`",
            "a: nodes[0].expectations[2].expr.expr: column_not_found: there is no column `nor`",
            "a: nodes[0].sinks[1].schema_definition.columns.zzz: column_not_found: there is no column `zzz`",
        ]
    );
}

#[test]
fn what_a_node_before_writes_is_not_looked_at() {
    let bench = Bench::new();
    // An old file of other columns is there from an earlier run; the folder is not.
    std::fs::write(bench.path("old.csv"), "not a document").unwrap();
    let nodes = "
  - {name: a, source: {path: '@/in.json', format: JSON}, sinks: [{path: '@/old.csv', format: CSV}, {path: '@/out/part.parquet', format: PARQUET}]}
  - {name: b, depends_on: [a], source: {path: '@/old.csv', format: CSV, filter: x IS NOT NULL}, sinks: [{path: '@/b.parquet', format: PARQUET}]}
  - {name: c, depends_on: [a], source: {path: '@/out', format: PARQUET}, sinks: [{path: '@/c.parquet', format: PARQUET}]}
  - {name: d, depends_on: [a], source: {path: '@/out/*.parquet', format: PARQUET}, sinks: [{path: '@/d.parquet', format: PARQUET}]}
";
    bench.run(nodes).good();
    for name in ["b.parquet", "c.parquet", "d.parquet"] {
        assert_eq!(bench.values(name), ["1", "2", "3"], "{name}");
    }
    // A path that a node writes is an edge by itself.
    let bench = Bench::new();
    bench.run(&nodes.replace("depends_on: [a], ", "")).good();
}

#[test]
fn long_chains_are_cut_and_keep_their_columns() {
    let bench = Bench::new();
    let mut nodes = String::from("  - {name: n0, source: {path: '@/in.json', format: JSON}}\n");
    for node in 1..100 {
        let _ = writeln!(
            nodes,
            "  - {{name: n{node}, source: {{node_name: n{}}}, transformer: {{nodes: [{{func_name: with_columns, func_kwargs: {{c{node}: nw.col('x')}}}}]}}}}",
            node - 1
        );
    }
    let (schemas, faults) = bench.resolve(&nodes);
    assert!(faults.is_empty(), "{:?}", shown(&faults));
    assert_eq!(schemas.len(), 100);
    assert_eq!(schemas[99].schema.as_ref().unwrap().fields().len(), 101);
    let calls = bench.script.calls(Verb::Schema);
    let longest = calls
        .iter()
        .flat_map(|call| &call.steps)
        .map(Vec::len)
        .max()
        .unwrap();
    assert!(longest < 20, "a frame of {longest} steps was resolved");
    let reads = bench.script.calls(Verb::Read).len();
    assert_eq!(reads, 1, "the source is opened once");
    // A fault far down the chain is found all the same.
    let (_, faults) = bench.resolve(&format!(
        "{nodes}  - {{name: end, source: {{node_name: n99, filter: c100 > 1}}}}\n"
    ));
    assert_eq!(
        shown(&faults),
        ["end: nodes[100].sources[0].filter: column_not_found: there is no column `c100`"]
    );
}

#[test]
fn a_backend_that_cannot_be_read_across_engines_is_checked_too() {
    let bench = Bench::new();
    let (_, faults) = bench.resolve(
        "
  - {name: a, source: {path: '@/in.json', format: JSON}}
  - {name: b, dataframe_backend: OTHER, source: {node_name: a, filter: nope > 1}}
",
    );
    assert_eq!(
        shown(&faults),
        ["b: nodes[1].sources[0].filter: column_not_found: there is no column `nope`"]
    );
    assert!(
        bench.script.calls(Verb::Export).is_empty(),
        "no row leaves an engine in the check"
    );
}
