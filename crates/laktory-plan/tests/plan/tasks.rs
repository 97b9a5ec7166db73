//! Tasks for orchestrators (section 6.2).

use crate::support::{findings, names, plan, plan_with, selecting};
use laktory_plan::Plan;

const MEDALLION: &str = "
name: p
nodes:
  - name: brz
    source: {path: in.json, format: JSON}
    sinks: [{path: brz.parquet, format: PARQUET}]
  - {name: slv, source: {node_name: brz}}
  - {name: gld1, source: {node_name: slv}, sinks: [{path: gld1.parquet, format: PARQUET}]}
  - {name: gld2, source: {node_name: slv}}
";

/// Each task as `name [nodes] <- upstream`.
fn tasks(plan: &Plan) -> Vec<String> {
    plan.tasks
        .iter()
        .map(|task| format!("{} {:?} <- {:?}", task.name, task.nodes, task.upstream))
        .collect()
}

#[test]
fn r_task_1_nodes_without_sinks_have_a_task_as_leaves_only() {
    assert_eq!(
        tasks(&plan(MEDALLION)),
        [
            r#"node-brz ["brz"] <- []"#,
            r#"node-gld1 ["gld1"] <- ["node-brz"]"#,
            r#"node-gld2 ["gld2"] <- ["node-brz"]"#,
        ]
    );
}

#[test]
fn r_task_1_a_leaf_of_the_selection_has_a_task() {
    let plan = plan_with(MEDALLION, &selecting(&["slv"]));
    assert_eq!(tasks(&plan), [r#"node-slv ["slv"] <- []"#]);
}

#[test]
fn r_task_2_order_is_that_of_first_nodes() {
    let yaml = "
name: p
nodes:
  - {name: late, source: {node_name: b}, sinks: [{path: l.parquet, format: PARQUET}], execution_task_name: one}
  - {name: b, source: {path: in.json, format: JSON}, sinks: [{path: b.parquet, format: PARQUET}]}
  - {name: early, source: {path: in.json, format: JSON}, sinks: [{path: e.parquet, format: PARQUET}], execution_task_name: one}
  - {name: c, source: {path: in.json, format: JSON}, sinks: [{path: c.parquet, format: PARQUET}], execution_task_name: two}
";
    assert_eq!(
        tasks(&plan(yaml)),
        [
            r#"node-b ["b"] <- []"#,
            r#"one ["early", "late"] <- ["node-b"]"#,
            r#"two ["c"] <- []"#,
        ]
    );
}

#[test]
fn r_task_3_selected_tags_without_their_upstream_have_no_edges() {
    let yaml = "
name: p
nodes:
  - {name: brz, source: {path: in.json, format: JSON}, sinks: [{path: b.parquet, format: PARQUET}]}
  - {name: a1, tags: [slv_a], source: {node_name: brz}, sinks: [{path: a1.parquet, format: PARQUET}], execution_task_name: slv_a}
  - {name: a2, tags: [slv_a], source: {node_name: brz}, sinks: [{path: a2.parquet, format: PARQUET}], execution_task_name: slv_a}
  - {name: b1, tags: [slv_b], source: {node_name: brz}, sinks: [{path: b1.parquet, format: PARQUET}]}
";
    let plan = plan_with(yaml, &selecting(&["slv_a", "slv_b"]));
    assert_eq!(
        tasks(&plan),
        [r#"slv_a ["a1", "a2"] <- []"#, r#"node-b1 ["b1"] <- []"#]
    );
    assert_eq!(names(&plan), ["a1", "a2", "b1"]);
}

#[test]
fn r_task_3_edges_go_through_several_nodes_without_sinks() {
    let yaml = "
name: p
nodes:
  - {name: a, source: {path: in.json, format: JSON}, sinks: [{path: a.parquet, format: PARQUET}]}
  - {name: b, source: {node_name: a}}
  - {name: c, source: {node_name: b}, depends_on: [a]}
  - {name: d, source: {node_name: c}, sinks: [{path: d.parquet, format: PARQUET}]}
";
    assert_eq!(
        tasks(&plan(yaml)),
        [r#"node-a ["a"] <- []"#, r#"node-d ["d"] <- ["node-a"]"#]
    );
}

/// Nodes run in the order of the graph whatever their tasks; only an orchestrator could not order the tasks.
#[test]
fn r_task_defect_1_tasks_in_a_circle_are_told() {
    let yaml = "
name: p
nodes:
  - {name: a, source: {path: in.json, format: JSON}, sinks: [{path: a.parquet, format: PARQUET}], execution_task_name: g}
  - {name: b, source: {node_name: a}, sinks: [{path: b.parquet, format: PARQUET}]}
  - {name: c, source: {node_name: b}, sinks: [{path: c.parquet, format: PARQUET}], execution_task_name: g}
";
    let plan = plan(yaml);
    assert_eq!(names(&plan), ["a", "b", "c"]);
    assert_eq!(
        tasks(&plan),
        [r#"g ["a", "c"] <- ["node-b"]"#, r#"node-b ["b"] <- ["g"]"#]
    );
    assert_eq!(
        findings(yaml),
        [
            "nodes[0].execution_task_name: task-cycle: tasks wait for each other in a circle: g -> node-b -> g; \
          nodes still run in the right order here, but an orchestrator cannot order the tasks: give them other names"
        ]
    );
}

/// A node that is only waited for is part of the run (defect 2 of section 6.2).
#[test]
fn r_task_defect_2_a_node_named_in_depends_on_only_is_executed() {
    let yaml = "
name: p
nodes:
  - {name: a, source: {path: in.json, format: JSON}}
  - {name: b, source: {path: in.json, format: JSON}, depends_on: [a], sinks: [{path: b.parquet, format: PARQUET}]}
";
    let plan = plan_with(yaml, &selecting(&["b"]));
    assert_eq!(names(&plan), ["a", "b"]);
    assert_eq!(plan.node("b").unwrap().upstream, [0]);
}

#[test]
fn r_task_3_tasks_wait_for_what_is_above_nodes_that_come_along() {
    let yaml = "
name: p
nodes:
  - {name: a, source: {path: in.json, format: JSON}, sinks: [{path: a.parquet, format: PARQUET}]}
  - {name: b, source: {node_name: a}}
  - {name: c, source: {node_name: b}, sinks: [{path: c.parquet, format: PARQUET}]}
";
    let plan = plan_with(yaml, &selecting(&["a", "c"]));
    assert_eq!(
        tasks(&plan),
        [r#"node-a ["a"] <- []"#, r#"node-c ["c"] <- ["node-a"]"#]
    );
}
