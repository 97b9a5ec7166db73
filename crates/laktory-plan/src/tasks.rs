//! Tasks: groups of selected nodes for orchestrators (R-TASK-1 to R-TASK-3).

use std::collections::{BTreeSet, HashMap};

use laktory_model::Pipeline;

use crate::dag::Dag;
use crate::plan::TaskPlan;

/// The tasks of the selected nodes, in the order of their first nodes. A node without sinks has no task of its own
/// unless it is a leaf of the selection: it runs with its readers.
pub(crate) fn tasks(pipeline: &Pipeline, dag: &Dag, selected: &[bool]) -> Vec<TaskPlan> {
    let is_leaf = |node: usize| !dag.downstream(node).iter().any(|&below| selected[below]);
    let in_task: Vec<bool> = (0..pipeline.nodes.len())
        .map(|node| selected[node] && (!pipeline.nodes[node].sinks.is_empty() || is_leaf(node)))
        .collect();
    let mut tasks: Vec<TaskPlan> = Vec::new();
    let mut positions: HashMap<String, usize> = HashMap::new();
    for &node in dag.order().iter().filter(|&&node| in_task[node]) {
        let name = pipeline.nodes[node].execution_task_name();
        let mut upstream = BTreeSet::new();
        upstream_tasks(pipeline, dag, selected, &in_task, node, &mut upstream);
        let position = *positions.entry(name.clone()).or_insert_with(|| {
            tasks.push(TaskPlan {
                name,
                nodes: Vec::new(),
                upstream: Vec::new(),
            });
            tasks.len() - 1
        });
        let task = &mut tasks[position];
        task.nodes.push(pipeline.nodes[node].name.clone());
        for above in upstream {
            if above != task.name && !task.upstream.contains(&above) {
                task.upstream.push(above);
            }
        }
    }
    tasks
}

/// Walks upstream, through selected nodes without a task, to the tasks that must end first.
fn upstream_tasks(
    pipeline: &Pipeline,
    dag: &Dag,
    selected: &[bool],
    in_task: &[bool],
    node: usize,
    found: &mut BTreeSet<String>,
) {
    let mut open: Vec<usize> = dag.upstream(node).to_vec();
    let mut seen = BTreeSet::new();
    while let Some(above) = open.pop() {
        if !seen.insert(above) {
            continue;
        }
        if in_task[above] {
            found.insert(pipeline.nodes[above].execution_task_name());
        } else if selected[above] {
            open.extend(dag.upstream(above));
        }
    }
}
