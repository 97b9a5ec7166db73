//! What sources, steps, expectations and sinks become.

use crate::support::{findings, plan};
use laktory_core::{DType, FrameName, Op};
use laktory_plan::{ExpectationKind, InputSource, SinkMode, StepKind, Stored, ToleranceLimit};

#[test]
fn r_src_3_post_read_steps_have_one_order() {
    let yaml = "
name: p
nodes:
  - name: a
    source:
      drop_duplicates: [b]
      drops: [zzz]
      renames: {x: b}
      selects: [x, y]
      filter: z > 0
      path: in.json
      format: JSON
";
    let plan = plan(yaml);
    let steps = &plan.nodes[0].inputs[0].steps;
    let labels: Vec<&str> = steps.iter().map(|step| step.label.as_str()).collect();
    assert_eq!(
        labels,
        ["filter", "selects", "renames", "drops", "drop_duplicates"]
    );
    let places: Vec<String> = steps.iter().map(|step| step.place.to_string()).collect();
    for (place, label) in places.iter().zip(labels) {
        assert_eq!(place, &format!("nodes[0].sources[0].{label}"));
    }
    let StepKind::Ops(drops) = &steps[3].kind else {
        panic!("{steps:?}")
    };
    assert_eq!(
        drops[..],
        [Op::Drop {
            columns: vec!["zzz".into()],
            strict: false
        }],
        "R-SRC-5: lenient"
    );
}

#[test]
fn r_src_3_drop_duplicates_may_be_off_or_look_at_all_columns() {
    for (text, expected) in [
        ("false", None),
        ("true", Some(None)),
        ("[x]", Some(Some(vec!["x".to_owned()]))),
    ] {
        let yaml = format!(
            "name: p\nnodes: [{{name: a, source: {{path: in.json, format: JSON, drop_duplicates: {text}}}}}]"
        );
        let plan = plan(&yaml);
        let subset = plan.nodes[0].inputs[0]
            .steps
            .first()
            .map(|step| match &step.kind {
                StepKind::Ops(ops) => match &ops[..] {
                    [Op::Unique { subset, .. }] => subset.clone(),
                    other => panic!("{other:?}"),
                },
                StepKind::Sql(sql) => panic!("{sql:?}"),
            });
        assert_eq!(subset, expected, "{text}");
    }
}

fn transformer(steps: &str) -> String {
    format!(
        "
name: p
nodes:
  - name: a
    source: {{path: in.json, format: JSON}}
    transformer:
      nodes:
{steps}
"
    )
}

#[test]
fn a_group_and_its_aggregates_become_one_step() {
    let yaml = transformer(
        "        - {func_name: group_by, func_args: [k]}
        - {func_name: agg, func_args: [nw.len().alias('n')]}
        - {func_name: sort, func_args: [k]}",
    );
    let plan = plan(&yaml);
    let kinds: Vec<Vec<&'static str>> = plan.nodes[0]
        .steps
        .iter()
        .map(|step| match &step.kind {
            StepKind::Ops(ops) => ops.iter().map(|op| op.kind().name()).collect(),
            StepKind::Sql(_) => vec!["SQL"],
        })
        .collect();
    assert_eq!(kinds.concat(), ["group_by", "sort"]);
    assert_eq!(kinds.len(), 3, "each step keeps its own place and label");
    let labels: Vec<&str> = plan.nodes[0]
        .steps
        .iter()
        .map(|step| step.label.as_str())
        .collect();
    assert_eq!(
        labels,
        ["group_by(k)", "agg(nw.len().alias('n'))", "sort(k)"]
    );
    assert!(
        !serde_json::to_string(&plan).unwrap().contains("GroupBy"),
        "halves never reach a driver"
    );
}

#[test]
fn a_group_without_aggregates_is_told_at_its_step() {
    for (steps, place) in [
        ("        - {func_name: group_by, func_args: [k]}", 0),
        (
            "        - {expr: 'SELECT * FROM {df}'}\n        - {func_name: agg, func_args: [nw.len()]}",
            1,
        ),
        (
            "        - {func_name: group_by, func_args: [k]}\n        - {expr: 'SELECT * FROM {df}'}\n        - {func_name: agg, func_args: [nw.len()]}",
            0,
        ),
    ] {
        let findings = findings(&transformer(steps));
        let expected = format!("nodes[0].transformer.nodes[{place}].func_name: ");
        assert!(findings[0].starts_with(&expected), "{findings:?}");
    }
}

#[test]
fn sql_frames_become_inputs_and_edges() {
    let yaml = "
name: p
nodes:
  - {name: x, source: {path: in.json, format: JSON}}
  - name: a
    transformer: {nodes: [{expr: 'SELECT * FROM {nodes.x}'}]}
  - name: b
    sources: [{name: left, node_name: a}, {name: right, path: in.json, format: JSON}]
    transformer: {nodes: [{func_name: join, func_kwargs: {other: '{sources.right}', on: k, how: inner}}]}
";
    let plan = plan(yaml);
    let a = plan.node("a").unwrap();
    assert_eq!(a.primary, None, "R-NODE-5: SQL alone makes the frame");
    assert_eq!(a.inputs[0].name, FrameName::Node("x".into()));
    let b = plan.node("b").unwrap();
    assert_eq!(b.primary, Some(FrameName::Source("left".into())));
    assert!(matches!(b.inputs[1].source, InputSource::Files(_)));
}

#[test]
fn expectations_keep_kind_action_and_tolerance() {
    let yaml = "
name: p
nodes:
  - name: a
    source: {path: in.json, format: JSON}
    expectations:
      - {name: rows, expr: x > 0, action: DROP, tolerance: {abs: 3}}
      - {name: all, expr: COUNT(*) > 5, type: AGGREGATE, action: FAIL, tolerance: {rel: 0.5}}
      - {name: df, expr: nw.col('x').is_null()}
";
    let plan = plan(yaml);
    let [rows, all, df] = &plan.nodes[0].expectations[..] else {
        panic!("{plan:?}")
    };
    assert_eq!(
        (rows.kind, all.kind),
        (ExpectationKind::Row, ExpectationKind::Aggregate)
    );
    assert_eq!(
        (rows.tolerance, all.tolerance),
        (ToleranceLimit::Rows(3), ToleranceLimit::Share(0.5))
    );
    assert_eq!(df.tolerance, ToleranceLimit::Rows(0));
    assert_eq!(rows.place.to_string(), "nodes[0].expectations[0].expr.expr");
}

#[test]
fn r_mode_2_sinks_overwrite_unless_told_otherwise() {
    let yaml = "
name: p
nodes:
  - name: a
    source: {path: in.json, format: JSON}
    sinks:
      - {path: a, format: parquet, schema: {columns: {x: bigint, y: string}}}
      - {path: b, format: NDJSON, mode: append}
      - {path: c, format: CSV, writer_kwargs: {separator: '|', include_header: false}}
";
    let plan = plan(yaml);
    let [a, b, c] = &plan.nodes[0].sinks[..] else {
        panic!("{plan:?}")
    };
    assert_eq!((a.mode, b.mode), (SinkMode::Overwrite, SinkMode::Append));
    assert_eq!(b.target.format_name(), "JSONL");
    let schema = a.schema.as_ref().unwrap();
    assert_eq!(
        (schema[0].name.as_str(), &schema[0].dtype),
        ("x", &DType::Int64)
    );
    let Stored::Files(read) = &c.read else {
        panic!("{c:?}")
    };
    assert!(!read.has_header, "it is read back as it was written");
    assert_eq!(read.options.len(), 1, "the separator");
    assert_eq!(c.place.to_string(), "nodes[0].sinks[2]");
}
