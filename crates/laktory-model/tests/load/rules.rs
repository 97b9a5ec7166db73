//! Faults: what is refused, and what is said about it.

use super::*;

#[test]
fn r_model_1_unknown_keys_are_one_fault_each() {
    check(
        &node("transfomer: {}\nexpr: select 1\nsinks: [{pth: y, format: CSV}]"),
        &[
            "p.yaml:7:12: error: unknown key `pth` in a file sink (nodes[0] `a` > sinks[0].pth); did you mean `path`?",
            "p.yaml:5:3: error: unknown key `transfomer` in a pipeline node (nodes[0] `a` > transfomer); did you mean `transformer`?",
            "p.yaml:6:3: error: unknown key `expr` in a pipeline node (nodes[0] `a` > expr); `expr` is a key of a SQL step, an expectation",
        ],
    );
}

#[test]
fn r_model_6_only_the_errors_of_the_picked_kind() {
    check(
        "name: p\nnodes:\n- name: a\n  sources:\n  - {node_name: b, as_strem: true}\n  - {type: FILE, node_name: b, name: x}\n  - {name: y, type: FLE, path: x, format: CSV}\n  - {name: z}\n",
        &[
            "p.yaml:5:20: error: unknown key `as_strem` in a pipeline node source (nodes[0] `a` > sources[0].as_strem); did you mean `as_stream`?",
            "p.yaml:6:12: error: `type` is `FILE`, but `node_name` belongs to type `PIPELINE_NODE` (nodes[0] `a` > sources[1].type); a `FILE` source has `path`",
            "p.yaml:7:21: error: `FLE` is not a type of source (nodes[0] `a` > sources[2].type); did you mean `FILE`?",
            "p.yaml:8:5: error: cannot tell what kind of source this is (nodes[0] `a` > sources[3]); give one of `custom_reader`, `path`, `table_name`, `data`, `node_name`",
        ],
    );
}

#[test]
fn r_model_4_words_are_read_in_any_case_and_slips_are_told() {
    check(
        &node("sinks: [{path: y, format: csv, mode: apend}]\ndataframe_api: nativ"),
        &[
            "p.yaml:5:40: error: `apend` is not a write mode (nodes[0] `a` > sinks[0].mode); did you mean `APPEND`?",
            "p.yaml:6:18: error: `nativ` is not a dataframe API (nodes[0] `a` > dataframe_api); did you mean `NATIVE`?",
        ],
    );
}

#[test]
fn dialects_warn_once_with_the_new_key() {
    let text = "name: p\nnodes:\n- name: a\n  description: d\n  source: {path: x, format: CSV, read_options: {a: 1}}\n- name: b\n  description: e\n  sources: {first: {node_name: a}, q: {path: y, format: CSV}}\n  transformer: {nodes: [{sql_expr: select 1}]}\n";
    let loaded = loaded(text);
    assert_eq!(
        told(&loaded),
        [
            "p.yaml:4:3: warning: key `description` is now `comment` (nodes[0] `a` > comment); write `comment`",
            "p.yaml:5:34: warning: key `read_options` is now `reader_kwargs` (nodes[0] `a` > sources[0].reader_kwargs); write `reader_kwargs`",
            "p.yaml:9:26: warning: key `sql_expr` is now `expr` (nodes[1] `b` > transformer.nodes[0].expr); write `expr`",
        ]
    );
    let pipeline = loaded.pipeline.expect("warnings do not hinder");
    assert_eq!(
        pipeline.nodes[1].sources[1].common.name.as_deref(),
        Some("q")
    );
    assert_eq!(pipeline.nodes[1].comment.as_deref(), Some("e"));
    check(
        &node("sources: []"),
        &[
            "p.yaml:4:3: error: `source` and `sources` are one key, and both are given (nodes[0] `a`); keep `sources`",
        ],
    );
}

#[test]
fn e3_orchestrators_of_every_era() {
    for old in [
        "DATABRICKS_JOB",
        "DATABRICKS_PIPELINE",
        "databricks_dlt",
        "DLT",
    ] {
        let loaded = loaded(&format!("name: p\norchestrator: {{type: {old}}}\n"));
        assert_eq!(loaded.diagnostics.len(), 1, "{old}");
        assert!(loaded.pipeline.is_some(), "{:?}", told(&loaded));
    }
    check(
        "name: p\norchestrator: {type: DAGSTER}\n",
        &[
            "p.yaml:2:22: error: `DAGSTER` is not an orchestrator type (orchestrator.type); known here: `LAKEFLOW_JOB`, `LAKEFLOW_DECLARATIVE_PIPELINE`, `SPARK_DECLARATIVE_PIPELINE`, `AIRFLOW`",
        ],
    );
}

#[test]
fn e8_source_objects_in_arguments_become_placeholders() {
    let text = node(
        "transformer:\n  nodes:\n  - func_name: join\n    func_kwargs: {other: {node_name: b}, third: {path: j, format: CSV}, keep: {a: b}}\n  - with_column: {name: z, expr: x + 1, type: double}",
    );
    let pipeline = loaded(&text).pipeline.expect("warnings only");
    let node = &pipeline.nodes[0];
    assert_eq!(node.sources[1].common.name.as_deref(), Some("argument_1"));
    let steps = &node.transformer.as_ref().expect("steps").nodes;
    let TransformerNode::Method(join) = &steps[0] else {
        panic!("a method")
    };
    assert_eq!(join.func_kwargs["other"], "{nodes.b}");
    assert_eq!(join.func_kwargs["third"], "{sources.argument_1}");
    assert_eq!(join.func_kwargs["keep"]["a"], "b");
    let TransformerNode::Method(column) = &steps[1] else {
        panic!("a method")
    };
    assert_eq!(column.func_name, "with_columns");
    assert_eq!(
        column.func_kwargs["z"],
        "sql_expr(\"x + 1\").cast(nw.Float64)"
    );
}

#[test]
fn load_rules_of_the_error_catalogue() {
    for (more, expected) in [
        // E7
        ("source: {data: [], df: 1}", "either `data` or `df`"),
        ("source: {df: 1}", "`df` is a live frame"),
        // E10, E11, E12
        (
            "expectations: [{name: e, expr: x, tolerance: {abs: 1, rel: 0.1}}]",
            "either `abs` or `rel`, not both",
        ),
        (
            "expectations: [{name: e, expr: x, tolerance: {}}]",
            "needs `abs` or `rel`",
        ),
        (
            "expectations: [{name: e, expr: x, tolerance: {abs: -1}}]",
            "not negative",
        ),
        (
            "expectations: [{name: e, expr: x, tolerance: {rel: 1.5}}]",
            "fraction from 0 to 1",
        ),
        (
            "expectations: [{name: e, expr: x, type: AGGREGATE, action: DROP}]",
            "action `DROP` is not possible",
        ),
        (
            "source: {path: x, format: CSV, as_stream: true}\nexpectations: [{name: e, expr: x, tolerance: {abs: 1}}]",
            "streaming source allows only",
        ),
        // E13, E14
        (
            "sinks: [{path: y, format: DELTA, mode: MERGE}]",
            "needs `merge_cdc_options`",
        ),
        (
            "sinks: [{path: y, format: DELTA, mode: MERGE, merge_cdc_options: {primary_keys: k, scd_type: 2}}]",
            "`scd_type: 2` needs `order_by`",
        ),
        (
            "sinks: [{path: y, format: DELTA, merge_cdc_options: {primary_keys: k, scd_type: 3}}]",
            "is 1 or 2, not 3",
        ),
        (
            "sinks: [{path: y, format: DELTA, merge_cdc_options: {primary_keys: k, include_columns: a, exclude_columns: b}}]",
            "exclude each other",
        ),
        (
            "sinks: [{path: y, format: DELTA, merge_cdc_options: {primary_keys: k, order_by: a, exclude_columns: [a]}}]",
            "among `exclude_columns`",
        ),
        (
            "sinks: [{path: y, format: DELTA, merge_cdc_options: {order_by: a}}]",
            "needs `primary_keys`",
        ),
        (
            "sinks: [{table_name: t, format: PARQUET, merge_cdc_options: {primary_keys: k}}]",
            "merging needs format `DELTA`",
        ),
        // E15
        (
            "sinks: [{path: y, format: CSV, custom_writer: a.b, mode: APPEND}]",
            "cannot be combined with `custom_writer`",
        ),
        // E16
        (
            "sinks: [{path: y, format: DELTA, shared: true, mode: OVERWRITE}]",
            "a shared sink only appends",
        ),
        (
            "sinks: [{path: y, format: CSV, shared: true}]",
            "can be shared",
        ),
        (
            "sinks: [{path: y, format: DELTA, shared: {where: a, column: b}}]",
            "`where` excludes",
        ),
        (
            "sinks: [{path: y, format: CSV}, {path: y/, format: CSV}]",
            "`y` is written by 2 sinks",
        ),
        (
            "sinks: [{path: y, format: DELTA, shared: true}, {path: y, format: DELTA, shared: true}]",
            "have `writer_id` `p.a`",
        ),
        (
            "sinks: [{path: y, format: DELTA, shared: {where: a}}, {path: y, format: DELTA, shared: true}]",
            "must all use `where`",
        ),
        // E17
        (
            "sinks: [{path: y, format: CSV, reset_mode: TRUNCATE}]",
            "`TRUNCATE` is only possible",
        ),
        // E18
        (
            "sinks: [{table_name: v, table_type: VIEW}]\ntransformer: {nodes: [{expr: x}]}",
            "source `0` of a view must be a table or a node",
        ),
        (
            "sinks: [{table_name: v, table_type: VIEW}]\nsource: {node_name: b}",
            "exactly one SQL step",
        ),
        (
            "sinks: [{table_name: v, table_type: VIEW}]\nsource: {node_name: b}\ntransformer: {nodes: [{expr: x}]}\nexpectations: [{name: e, expr: x}]",
            "cannot have expectations",
        ),
        // E21
        (
            "source: {path: x, format: CSV, schema: {columns: {}}}",
            "at least one column",
        ),
        (
            "source: {path: x, format: CSV, schema: {columns: {a: {name: Array, inner: int}}}}",
            "`Array` needs `inner` and `shape`",
        ),
        (
            "source: {path: x, format: CSV, schema: {columns: {a: strng}}}",
            "type `strng` is not supported",
        ),
        // R-TRF-1, R-FSRC-1, R-DQ-10, quarantine
        (
            "transformer: {nodes: [{expr: x, func_name: y}]}",
            "either `expr` or `func_name`",
        ),
        ("transformer: {nodes: [select 1]}", "not a text"),
        (
            "source: {path: x, format: PARQUET, has_header: true}",
            "`has_header` does not apply",
        ),
        (
            "expectations: [{name: e, expr: COUNT(x) > 1}]",
            "warning: `count(…)` looks at all rows",
        ),
        (
            "sinks: [{path: q, format: CSV, is_quarantine: true}]",
            "warning: no expectation of this node quarantines",
        ),
        (
            "sources: [{path: x, format: CSV}, {path: y, format: CSV}]",
            "only one source of a node may be without `name`",
        ),
        (
            "sources: [{name: x, path: x, format: CSV}, {name: x, path: y, format: CSV}]",
            "are called `x`",
        ),
        (
            "sources: []\nsinks: [{path: y, format: CSV}]",
            "neither sources nor a transformer",
        ),
        (
            "sources: []\ntransformer: {nodes: [{func_name: head}]}",
            "`head` has no frame to work on",
        ),
        ("layer: BRONZE", "`layer` is not part of the language"),
    ] {
        let mut text = node(more);
        if more.contains("source: ") || more.starts_with("sources") {
            text = text.replacen("  source: {path: x, format: CSV}\n", "", 1);
        }
        let told = told(&loaded(&text));
        assert_eq!(told.len(), 1, "{text}\n{told:#?}");
        assert!(told[0].contains(expected), "{text}\n{told:#?}");
        assert!(told[0].starts_with("p.yaml:"), "{told:#?}");
    }
}

#[test]
fn r_pl_3_duplicate_nodes_name_both_places() {
    let loaded = loaded("name: p\nnodes:\n- name: a\n- name: b\n- name: a\n");
    assert_eq!(
        told(&loaded),
        [
            "p.yaml:5:9: error: node `a` is declared twice (nodes[2] `a` > name); give it another name"
        ]
    );
    assert_eq!(loaded.diagnostics[0].related[0].0.location(), "p.yaml:3:9");
}

#[test]
fn all_faults_at_once() {
    let text = "name: p\nnam: q\nnodes:\n- name: a\n  source: {path: x, format: CSV}\n  expectations: [{name: e, expr: x, type: AGGREGATE, action: DROP}]\n  sinks: [{path: y, format: CSV, mode: apend}, {path: '${vars.nope}', format: CSV}]\n- name: a\n";
    let told = told(&loaded(text));
    assert_eq!(told.len(), 5, "{told:#?}");
}
