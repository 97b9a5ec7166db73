//! Tasks: groups of selected nodes for orchestrators (R-TASK-1 to R-TASK-3).

use std::collections::{BTreeSet, HashMap};

use laktory_model::{Finding, Path, Pipeline};

use crate::dag::Dag;
use crate::plan::TaskPlan;

/// The tasks of the selected nodes, in the order of their first nodes. A node without sinks has no task of its own
/// unless it is a leaf of the selection: it runs with its readers. `members` are the nodes of the plan, which has nodes
/// without sinks that nobody selected: readers wait for what is above those too.
pub(crate) fn tasks(
    pipeline: &Pipeline,
    dag: &Dag,
    selected: &[bool],
    members: &[bool],
) -> Vec<TaskPlan> {
    let is_leaf = |node: usize| !dag.downstream(node).iter().any(|&below| selected[below]);
    let in_task =
        |node: usize| selected[node] && (!pipeline.nodes[node].sinks.is_empty() || is_leaf(node));
    let mut tasks: Vec<TaskPlan> = Vec::new();
    let mut positions: HashMap<String, usize> = HashMap::new();
    // The tasks that must end before a reader of the node begins: the node's own, or those behind it.
    let mut behind: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); pipeline.nodes.len()];
    let mut upstream: Vec<BTreeSet<usize>> = Vec::new();
    for &node in dag.order().iter().filter(|&&node| members[node]) {
        let above: BTreeSet<usize> = dag
            .upstream(node)
            .iter()
            .flat_map(|&above| &behind[above])
            .copied()
            .collect();
        if !in_task(node) {
            behind[node] = above;
            continue;
        }
        let name = pipeline.nodes[node].execution_task_name();
        let position = *positions.entry(name.clone()).or_insert_with(|| {
            tasks.push(TaskPlan {
                name,
                nodes: Vec::new(),
                upstream: Vec::new(),
            });
            upstream.push(BTreeSet::new());
            tasks.len() - 1
        });
        tasks[position]
            .nodes
            .push(pipeline.nodes[node].name.clone());
        upstream[position].extend(above);
        behind[node] = BTreeSet::from([position]);
    }
    for (position, mut above) in upstream.into_iter().enumerate() {
        above.remove(&position);
        tasks[position].upstream = above
            .iter()
            .map(|&above| tasks[above].name.clone())
            .collect();
    }
    tasks
}

/// A warning when tasks wait for each other: nodes still have an order, but tasks as wholes have none.
pub(crate) fn cycle(pipeline: &Pipeline, tasks: &[TaskPlan]) -> Option<Finding> {
    let positions: HashMap<&str, usize> = tasks
        .iter()
        .enumerate()
        .map(|(position, task)| (task.name.as_str(), position))
        .collect();
    let mut waits: Vec<usize> = tasks.iter().map(|task| task.upstream.len()).collect();
    let mut below: Vec<Vec<usize>> = vec![Vec::new(); tasks.len()];
    for (position, task) in tasks.iter().enumerate() {
        for above in &task.upstream {
            below[positions[above.as_str()]].push(position);
        }
    }
    let mut open: Vec<usize> = (0..tasks.len()).filter(|&task| waits[task] == 0).collect();
    while let Some(done) = open.pop() {
        for &task in &below[done] {
            waits[task] -= 1;
            if waits[task] == 0 {
                open.push(task);
            }
        }
    }
    // Each task that is left has another one above it that is left: walking up ends in a circle.
    let mut task = waits.iter().position(|&waits| waits > 0)?;
    let mut trail: Vec<usize> = Vec::new();
    while !trail.contains(&task) {
        trail.push(task);
        let above = tasks[task]
            .upstream
            .iter()
            .map(|above| positions[above.as_str()]);
        task = above.into_iter().find(|&above| waits[above] > 0)?;
    }
    let start = trail.iter().position(|&known| known == task)?;
    let mut circle = trail.split_off(start);
    circle.reverse();
    // From the first task of the circle, in the direction of the data.
    let first = circle.iter().enumerate().min_by_key(|(_, task)| **task)?.0;
    circle.rotate_left(first);
    let mut names: Vec<&str> = circle
        .iter()
        .map(|&task| tasks[task].name.as_str())
        .collect();
    names.push(names[0]);
    // Only a task of several nodes can close a circle, and that takes a name of its own.
    let named = circle.iter().find_map(|&task| {
        let name = Some(tasks[task].name.as_str());
        pipeline
            .nodes
            .iter()
            .position(|node| node.execution_task_name.as_deref() == name)
    });
    let place = named.map_or_else(Path::root, |node| {
        Path::node(node).key("execution_task_name")
    });
    let message = format!(
        "tasks wait for each other in a circle: {}",
        names.join(" -> ")
    );
    Some(Finding::warning("task-cycle", place, message).hint(
        "nodes still run in the right order here, but an orchestrator cannot order the tasks: give them other names",
    ))
}
