//! Which engine and API each part of a pipeline works with (section 2.3).

use crate::support::{findings, findings_with, options, plan_with};
use laktory_model::DataFrameApi;
use laktory_plan::PlanOptions;

fn backends(yaml: &str, options: &PlanOptions) -> Vec<String> {
    plan_with(yaml, options)
        .nodes
        .iter()
        .map(|node| node.backend.clone())
        .collect()
}

const NODES: &str = "
nodes:
  - {name: a, source: {path: in.json, format: JSON}}
  - {name: b, source: {path: in.json, format: JSON}, dataframe_backend: right}
";

#[test]
fn r_inh_1_node_then_pipeline_then_setting() {
    let bare = format!("name: p{NODES}");
    assert_eq!(backends(&bare, &options()), ["LEFT", "RIGHT"]);
    let own = format!("name: p\ndataframe_backend: RIGHT{NODES}");
    assert_eq!(backends(&own, &options()), ["RIGHT", "RIGHT"]);
    let settings = PlanOptions {
        default_backend: "RIGHT".to_owned(),
        ..options()
    };
    assert_eq!(backends(&bare, &settings), ["RIGHT", "RIGHT"]);
    let forced = PlanOptions {
        backend: Some("l".to_owned()),
        ..options()
    };
    assert_eq!(
        backends(&own, &forced),
        ["LEFT", "LEFT"],
        "aliases count, in any case"
    );
}

#[test]
fn an_unknown_backend_is_told_once_at_its_place() {
    let elsewhere =
        "linked backends: LEFT, RIGHT; build laktory with `--features datafusion` to add it";
    let nowhere =
        "linked backends: LEFT, RIGHT; a backend of your own is linked into a binary of your own";
    let pipeline = format!("name: p\ndataframe_backend: DATAFUSION{NODES}");
    assert_eq!(
        findings(&pipeline),
        [format!(
            "dataframe_backend: unknown-backend: backend `DATAFUSION` is not part of this build; {elsewhere}"
        )]
    );
    let node = format!("name: p{}", NODES.replace("right", "leftt"));
    assert_eq!(
        findings(&node),
        [format!(
            "nodes[1].dataframe_backend: unknown-backend: there is no backend called `LEFTT`; did you mean `LEFT`? {nowhere}"
        )]
    );
    let forced = PlanOptions {
        backend: Some("nope".to_owned()),
        ..options()
    };
    assert_eq!(
        findings_with(&format!("name: p{NODES}"), &forced),
        [format!(
            ": unknown-backend: there is no backend called `nope`; {nowhere}"
        )]
    );
}

#[test]
fn r_inh_2_a_part_of_a_node_cannot_name_another_engine() {
    let yaml = "
name: p
nodes:
  - name: a
    source: {path: in.json, format: JSON, dataframe_backend: l}
    transformer:
      nodes:
        - {func_name: head, func_args: [1], dataframe_backend: RIGHT}
        - {expr: SELECT * FROM {df}, dataframe_backend: LEFT}
    expectations: [{name: e, expr: x > 0, dataframe_backend: RIGHT}]
    sinks: [{path: a.parquet, format: PARQUET, dataframe_backend: RIGHT}]
";
    let yaml = yaml.replace("SELECT * FROM {df}", "'SELECT * FROM {df}'");
    let message = "this part of the node names backend RIGHT, but the node runs on LEFT; \
                   set `dataframe_backend` on the node, or split the node in two";
    let expected: Vec<String> = ["transformer.nodes[0]", "expectations[0]", "sinks[0]"]
        .into_iter()
        .map(|part| format!("nodes[0].{part}.dataframe_backend: foreign-backend: {message}"))
        .collect();
    assert_eq!(findings(&yaml), expected);
}

#[test]
fn r_inh_1_the_api_of_a_step_is_the_nearest_one() {
    let yaml = |pipeline: &str, node: &str, transformer: &str, step: &str| {
        format!(
            "
name: p
{pipeline}
nodes:
  - name: a
    {node}
    source: {{path: in.json, format: JSON}}
    transformer:
      {transformer}
      nodes:
        - {{func_name: with_columns, func_kwargs: {{y: EXPR}}{step}}}
"
        )
    };
    let native = "dataframe_api: NATIVE";
    let fits = |text: &str, api: &str, options: &PlanOptions| {
        let expr = if api == "NATIVE" {
            "pl.col('x')"
        } else {
            "nw.col('x')"
        };
        findings_with(&text.replace("EXPR", expr), options).is_empty()
    };
    let setting = PlanOptions {
        default_api: DataFrameApi::Native,
        ..options()
    };
    for (text, options) in [
        (yaml(native, "", "", ""), options()),
        (yaml("", native, "", ""), options()),
        (yaml("", "", native, ""), options()),
        (yaml("", "", "", ", dataframe_api: NATIVE"), options()),
        (yaml("", "", "", ""), setting),
        (yaml("", "dataframe_api: NARWHALS", native, ""), options()),
    ] {
        assert!(fits(&text, "NATIVE", &options), "{text}");
    }
    let nearer = yaml(native, native, native, ", dataframe_api: NARWHALS");
    assert!(fits(&nearer, "NARWHALS", &options()));
}
