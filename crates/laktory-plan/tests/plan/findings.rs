//! What is refused without an engine: each fault at its place, with a way out, and all of them at once.

use crate::support::{findings, findings_with, options};
use laktory_plan::PlanOptions;

/// Findings on node 0 with these keys beside its source.
fn node(keys: &str) -> Vec<String> {
    findings(&format!(
        "
name: p
nodes:
  - name: a
    source: {{path: in.json, format: JSON}}
    {keys}
"
    ))
}

/// Findings on a source.
fn source(keys: &str) -> Vec<String> {
    findings(&format!(
        "name: p\nnodes: [{{name: a, source: {{{keys}}}}}]"
    ))
}

fn sink(keys: &str) -> Vec<String> {
    node(&format!("sinks: [{{{keys}}}]"))
}

fn step(keys: &str) -> Vec<String> {
    node(&format!("transformer: {{nodes: [{{{keys}}}]}}"))
}

/// Exactly one finding, which begins so.
fn only(findings: &[String], expected: &str) {
    let [finding] = findings else {
        panic!("{expected}\n{findings:#?}")
    };
    assert!(finding.starts_with(expected), "{expected}\n{finding}");
}

#[test]
fn r_fsrc_1_formats_that_the_engine_has_not() {
    let formats = "formats read here: CSV, IPC, JSON, JSONL, PARQUET";
    only(
        &source("path: x, format: ORC"),
        &format!(
            "nodes[0].sources[0].format: unsupported: format `ORC` cannot be read on backend LEFT; {formats}"
        ),
    );
    only(
        &source("path: x, format: LANCE"),
        &format!(
            "nodes[0].sources[0].format: unsupported: format `LANCE` cannot be read on backend LEFT; {formats}"
        ),
    );
    only(
        &sink("path: x, format: XML"),
        "nodes[0].sinks[0].format: unsupported: format `XML` cannot be written on backend LEFT; \
         formats written here: CSV, IPC, JSON, JSONL, PARQUET",
    );
}

#[test]
fn r_fsrc_1_options_have_a_place_and_a_nearest_name() {
    only(
        &source("path: x, format: CSV, reader_kwargs: {seperator: ;}"),
        "nodes[0].sources[0].reader_kwargs.seperator: unknown-option: `seperator` is not an option of \
         reading `CSV` on backend LEFT; did you mean `separator`?",
    );
    only(
        &sink("path: x, format: PARQUET, writer_kwargs: {compression: zstd}"),
        "nodes[0].sinks[0].writer_kwargs.compression: unknown-option: `compression` is not an option of \
         writing `PARQUET` on backend LEFT",
    );
    let schema = "path: x, format: JSONL, schema: {columns: {x: int}}";
    assert!(source(schema).is_empty());
    let right = PlanOptions {
        backend: Some("RIGHT".into()),
        ..options()
    };
    only(
        &findings_with(
            &format!("name: p\nnodes: [{{name: a, source: {{{schema}}}}}]"),
            &right,
        ),
        "nodes[0].sources[0].schema_definition: unsupported: a schema cannot be given for format `JSONL` on backend RIGHT",
    );
}

#[test]
fn steps_that_do_not_exist_are_told_with_the_nearest() {
    only(
        &step("func_name: with_colums, func_kwargs: {x: nw.col('y')}"),
        "nodes[0].transformer.nodes[0].func_name: unknown-method: ",
    );
    let told = step("func_name: with_colums, func_kwargs: {x: nw.col('y')}");
    assert!(told[0].contains("did you mean `with_columns`?"), "{told:?}");
    let told = step("func_name: with_columns, func_kwargs: {x: nw.col('y').rond(2)}");
    assert!(
        told[0].starts_with("nodes[0].transformer.nodes[0].func_kwargs.x: "),
        "{told:?}"
    );
    assert!(told[0].contains("round"), "{told:?}");
    let told = step("func_name: head, func_args: [1, 2]");
    assert!(
        told[0].starts_with("nodes[0].transformer.nodes[0].func_args[1]: "),
        "{told:?}"
    );
}

#[test]
fn steps_and_functions_that_the_engine_has_not() {
    let yaml = "
name: p
dataframe_backend: RIGHT
nodes:
  - name: other
    dataframe_backend: LEFT
    source: {path: in.json, format: JSON}
  - name: a
    sources: [{name: s, path: in.json, format: JSON, filter: MEDIAN(x) > 1}, {name: t, path: in.json, format: JSON}]
    transformer:
      nodes:
        - {func_name: pivot, func_args: [k], func_kwargs: {index: i, values: v}}
        - {func_name: join_asof, func_args: ['{sources.t}'], func_kwargs: {on: k}}
        - {func_name: select, func_args: [nw.col('x').median()]}
    expectations: [{name: e, expr: MEDIAN(x) > 1, type: AGGREGATE}]
";
    let found = findings(yaml);
    let elsewhere =
        "supported by: LEFT; write this step as SQL, or set `dataframe_backend` on the node";
    let steps = "nodes[1].transformer.nodes";
    assert_eq!(
        found,
        [
            format!(
                "{steps}[0].func_name: unsupported: step `pivot` is not available on backend RIGHT; pivoting is planned for version 2"
            ),
            format!(
                "{steps}[1].func_name: unsupported: step `join_asof` is not available on backend RIGHT; {elsewhere}"
            ),
            format!(
                "{steps}[2]: unsupported: function `median` is not available on backend RIGHT; {elsewhere}"
            ),
            format!(
                "nodes[1].sources[0].filter: unsupported: function `median` is not available on backend RIGHT; {elsewhere}"
            ),
            format!(
                "nodes[1].expectations[0].expr.expr: unsupported: function `median` is not available on backend RIGHT; {elsewhere}"
            ),
        ]
    );
}

#[test]
fn r_ph_placeholders_that_nobody_supplies() {
    let known =
        "known here: `{df}`, `{sources.df}`, and `{nodes.<name>}` for the output of another node";
    only(
        &step("expr: 'SELECT * FROM {sources.oops}'"),
        &format!(
            "nodes[0].transformer.nodes[0].expr: unknown-frame: `{{sources.oops}}` refers to nothing that node `a` can see; {known}"
        ),
    );
    only(
        &step("func_name: join, func_kwargs: {other: '{sources.oops}', on: x}"),
        &format!(
            "nodes[0].transformer.nodes[0].func_kwargs.other: unknown-frame: `{{sources.oops}}` refers to nothing that node `a` can see; {known}"
        ),
    );
    only(
        &step("expr: 'SELECT * FROM {nodes.b}'"),
        "nodes[0].transformer.nodes[0].expr: unknown-node: node `b` is not defined in the pipeline",
    );
}

#[test]
fn texts_that_do_not_parse_point_into_the_text() {
    only(
        &step("expr: 'SELECT * FROM {df}; SELECT 1'"),
        "nodes[0].transformer.nodes[0].expr: ",
    );
    only(
        &node("expectations: [{name: e, expr: 'x >'}]"),
        "nodes[0].expectations[0].expr.expr: ",
    );
    only(
        &source("path: x, format: JSON, filter: 'x >'"),
        "nodes[0].sources[0].filter: ",
    );
    only(
        &source("path: x, format: JSON, selects: [x, 'y +']"),
        "nodes[0].sources[0].selects[1]: ",
    );
}

#[test]
fn kinds_of_sources_that_no_engine_has_yet() {
    for (keys, key, message) in [
        (
            "table_name: t",
            "table_name",
            "backend LEFT has no catalog of tables",
        ),
        (
            "type: HIVE_METASTORE, table_name: t",
            "table_name",
            "backend LEFT has no catalog of tables",
        ),
        (
            "custom_reader: my.reader",
            "custom_reader",
            "custom readers are Python functions, which laktory does not run",
        ),
        (
            "path: x, format: JSON, as_stream: true",
            "as_stream",
            "incremental reads (`as_stream`) are not available in this version",
        ),
        (
            "path: x, format: JSON, reader_methods: [{name: m}]",
            "reader_methods",
            "backend LEFT has no reader to call methods on",
        ),
    ] {
        only(
            &source(keys),
            &format!("nodes[0].sources[0].{key}: unsupported: {message}; "),
        );
    }
}

#[test]
fn kinds_of_sinks_that_no_engine_has_yet() {
    for (keys, key, message) in [
        (
            "table_name: t",
            "table_name",
            "backend LEFT has no catalog of tables",
        ),
        (
            "pipeline_view_name: v",
            "pipeline_view_name",
            "pipeline views exist only inside of a declarative runtime",
        ),
        (
            "path: x, format: PARQUET, custom_writer: my.writer",
            "custom_writer",
            "custom writers are Python functions, which laktory does not run",
        ),
        (
            "path: x, format: PARQUET, as_stream: true",
            "as_stream",
            "streaming writes are not available in this version",
        ),
        (
            "path: x, format: PARQUET, writer_methods: [{name: m}]",
            "writer_methods",
            "backend LEFT has no writer to call methods on",
        ),
        (
            "path: x, format: PARQUET, mode: COMPLETE",
            "mode",
            "write mode `COMPLETE` is not available in this version",
        ),
        (
            "path: x, format: PARQUET, mode: UPDATE",
            "mode",
            "write mode `UPDATE` is not available in this version",
        ),
    ] {
        only(
            &sink(keys),
            &format!("nodes[0].sinks[0].{key}: unsupported: {message}; "),
        );
    }
}

#[test]
fn merges_and_shared_targets_are_told_at_their_keys() {
    let merge = |options: &str| {
        sink(&format!(
            "path: x, format: DELTA, mode: MERGE, merge_cdc_options: {{primary_keys: [id], {options}}}"
        ))
    };
    let shared = sink("path: x, format: DELTA, mode: APPEND, shared: true");
    for (found, key) in [
        (
            merge("delete_where: MAX(x) > 1"),
            "merge_cdc_options.delete_where",
        ),
        (merge("delete_where: x >"), "merge_cdc_options.delete_where"),
        (shared, "shared"),
    ] {
        let places: Vec<&str> = found
            .iter()
            .filter_map(|text| text.split(": ").next())
            .collect();
        let place = format!("nodes[0].sinks[0].{key}");
        assert_eq!(
            places,
            [place.as_str(), "nodes[0].sinks[0].format"],
            "each cause once: {found:?}"
        );
    }
}

#[test]
fn what_has_no_effect_is_a_warning() {
    let found = findings(
        "
name: p
nodes:
  - {name: a, source: {path: in.json, format: JSON}}
  - {name: b, source: {node_name: a, reader_kwargs: {x: 1}}}
",
    );
    only(&found, "nodes[1].sources[0].reader_kwargs: no-effect: ");
}

#[test]
fn r_dag_2_faults_of_the_graph() {
    only(
        &findings(
            "name: p\nnodes: [{name: slv, source: {node_name: brzz}}, {name: brz, source: {path: x, format: CSV}}]",
        ),
        "nodes[0].sources[0].node_name: unknown-node: node `brzz` is not defined in the pipeline; did you mean `brz`?",
    );
    only(
        &findings(
            "name: p\nnodes: [{name: a, source: {node_name: b}}, {name: b, source: {node_name: a}}]",
        ),
        "nodes[1].sources[0].node_name: cycle: nodes depend on each other in a circle: b -> a -> b; ",
    );
    only(
        &findings("name: p\nnodes: [{name: a, source: {path: x, format: CSV}, depends_on: [a]}]"),
        "nodes[0].depends_on[0]: cycle: nodes depend on each other in a circle: a -> a; ",
    );
}

#[test]
fn every_fault_of_a_pipeline_is_told_at_once() {
    let yaml = "
name: p
nodes:
  - name: a
    sources: [{name: s, path: x, format: ORC, filter: 'x >'}, {name: t, table_name: t}]
    transformer:
      nodes:
        - {func_name: nope}
        - {expr: 'SELECT 1; SELECT 2'}
    expectations: [{name: e, expr: nope(x)}, {name: f, expr: 'x ='}]
    sinks: [{path: a, format: ORC}, {path: b, format: PARQUET, mode: COMPLETE}, {path: c, format: PARQUET, writer_kwargs: {u: 1, v: 2}}]
  - {name: b, source: {node_name: nope}}
  - {name: c, dataframe_backend: NOPE, source: {node_name: a}}
";
    let found = findings_with(
        yaml,
        &PlanOptions {
            selects: Some(vec!["zzz".into()]),
            ..options()
        },
    );
    let places: Vec<&str> = found
        .iter()
        .map(|text| text.split(": ").next().unwrap())
        .collect();
    for place in [
        "nodes[0].sources[0].format",
        "nodes[0].sources[0].filter",
        "nodes[0].sources[1].table_name",
        "nodes[0].transformer.nodes[0].func_name",
        "nodes[0].transformer.nodes[1].expr",
        "nodes[0].expectations[0].expr.expr",
        "nodes[0].expectations[1].expr.expr",
        "nodes[0].sinks[0].format",
        "nodes[0].sinks[1].mode",
        "nodes[0].sinks[2].writer_kwargs.u",
        "nodes[0].sinks[2].writer_kwargs.v",
        "nodes[1].sources[0].node_name",
        "nodes[2].dataframe_backend",
    ] {
        assert_eq!(
            places.iter().filter(|known| **known == place).count(),
            1,
            "{place}\n{found:#?}"
        );
    }
    assert_eq!(places.len(), 13, "{found:#?}");
}
