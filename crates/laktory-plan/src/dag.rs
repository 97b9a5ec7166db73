//! The graph of a pipeline's nodes: edges, cycles, and the order in which nodes run (R-DAG-1 to R-DAG-3).

use std::collections::{BTreeMap, HashMap};

use laktory_model::{Finding, Path};
use laktory_syntax::did_you_mean;

/// A node as the graph sees it.
#[derive(Clone, Debug)]
pub(crate) struct DagNode<'a> {
    /// Name, unique in the pipeline.
    pub(crate) name: &'a str,
    /// Names of upstream nodes, each with the place that refers to it.
    pub(crate) upstream: Vec<(String, Path)>,
    /// Place of the node's name.
    pub(crate) place: Path,
    /// For nodes that are upstream since they write what is read: the paths that say so.
    pub(crate) reasons: BTreeMap<String, String>,
}

/// A graph without cycles. Nodes are numbered in order of declaration.
#[derive(Clone, Debug)]
pub(crate) struct Dag {
    upstream: Vec<Vec<usize>>,
    downstream: Vec<Vec<usize>>,
    order: Vec<usize>,
}

impl Dag {
    /// The graph of `nodes`.
    ///
    /// # Errors
    /// One finding for each duplicate name, unknown upstream node, and cycle.
    pub(crate) fn build(nodes: &[DagNode<'_>]) -> Result<Self, Vec<Finding>> {
        let mut findings = Vec::new();
        let mut numbers: HashMap<&str, usize> = HashMap::with_capacity(nodes.len());
        for (number, node) in nodes.iter().enumerate() {
            // A duplicate is reported by the model's validation, with both places; the first one counts here.
            numbers.entry(node.name).or_insert(number);
        }
        let mut upstream = vec![Vec::new(); nodes.len()];
        let mut downstream = vec![Vec::new(); nodes.len()];
        for (number, node) in nodes.iter().enumerate() {
            for (name, place) in &node.upstream {
                match numbers.get(name.as_str()) {
                    Some(&above) => {
                        if !upstream[number].contains(&above) {
                            upstream[number].push(above);
                            downstream[above].push(number);
                        }
                    }
                    None => {
                        let known = nodes.iter().map(|node| node.name);
                        let mut finding = Finding::error(
                            "unknown-node",
                            place.clone(),
                            format!("node `{name}` is not defined in the pipeline"),
                        );
                        if let Some(hint) = did_you_mean(name, known) {
                            finding = finding.hint(hint);
                        }
                        findings.push(finding);
                    }
                }
            }
        }
        let order = generations(&upstream, &downstream);
        if order.len() < nodes.len() {
            findings.extend(cycles(nodes, &upstream, &order));
        }
        if findings.is_empty() {
            Ok(Self {
                upstream,
                downstream,
                order,
            })
        } else {
            Err(findings)
        }
    }

    /// Every node, in the order in which nodes run.
    #[must_use]
    pub(crate) fn order(&self) -> &[usize] {
        &self.order
    }

    /// The nodes that `node` reads or waits for.
    #[must_use]
    pub(crate) fn upstream(&self, node: usize) -> &[usize] {
        &self.upstream[node]
    }

    /// The nodes that read or wait for `node`.
    #[must_use]
    pub(crate) fn downstream(&self, node: usize) -> &[usize] {
        &self.downstream[node]
    }

    /// Marks `node` and all its ancestors.
    pub(crate) fn mark_ancestors(&self, node: usize, marks: &mut [bool]) {
        mark(&self.upstream, node, marks);
    }

    /// Marks `node` and all its descendants.
    pub(crate) fn mark_descendants(&self, node: usize, marks: &mut [bool]) {
        mark(&self.downstream, node, marks);
    }
}

fn mark(edges: &[Vec<usize>], from: usize, marks: &mut [bool]) {
    let mut seen = vec![false; edges.len()];
    let mut open = vec![from];
    while let Some(node) = open.pop() {
        if !std::mem::replace(&mut seen[node], true) {
            marks[node] = true;
            open.extend(&edges[node]);
        }
    }
}

/// Topological order by generation: each generation lists nodes in the order in which their last open predecessor
/// releases them (R-DAG-3). Nodes on or behind a cycle are missing.
fn generations(upstream: &[Vec<usize>], downstream: &[Vec<usize>]) -> Vec<usize> {
    let mut open: Vec<usize> = upstream.iter().map(Vec::len).collect();
    let mut order = Vec::with_capacity(upstream.len());
    let mut generation: Vec<usize> = (0..upstream.len())
        .filter(|&node| open[node] == 0)
        .collect();
    while !generation.is_empty() {
        let mut next = Vec::new();
        for &node in &generation {
            for &below in &downstream[node] {
                open[below] -= 1;
                if open[below] == 0 {
                    next.push(below);
                }
            }
        }
        order.append(&mut generation);
        generation = next;
    }
    order
}

/// One finding for each cycle that can be reached by walking upstream from the nodes without an order.
fn cycles(nodes: &[DagNode<'_>], upstream: &[Vec<usize>], order: &[usize]) -> Vec<Finding> {
    let mut done = vec![false; nodes.len()];
    for &node in order {
        done[node] = true;
    }
    let mut findings = Vec::new();
    for start in 0..nodes.len() {
        let mut trail: Vec<usize> = Vec::new();
        let mut position: HashMap<usize, usize> = HashMap::new();
        let mut node = start;
        while !done[node] {
            if let Some(&first) = position.get(&node) {
                findings.push(cycle(nodes, &trail[first..]));
                break;
            }
            position.insert(node, trail.len());
            trail.push(node);
            // A node without an order has an upstream node without one.
            let Some(&above) = upstream[node].iter().find(|&&above| !done[above]) else {
                break;
            };
            node = above;
        }
        for node in trail {
            done[node] = true;
        }
    }
    findings
}

/// `trail` goes upstream; the chain is shown in the direction of the data.
fn cycle(nodes: &[DagNode<'_>], trail: &[usize]) -> Finding {
    let mut names: Vec<&str> = trail.iter().rev().map(|&node| nodes[node].name).collect();
    names.push(names[0]);
    let first = trail[trail.len() - 1];
    let above = trail[0];
    let place = nodes[first]
        .upstream
        .iter()
        .find(|(name, _)| name == nodes[above].name)
        .map_or_else(|| nodes[first].place.clone(), |(_, place)| place.clone());
    let reasons: Vec<&str> = (0..trail.len())
        .filter_map(|number| {
            let (below, above) = (trail[number], trail[(number + 1) % trail.len()]);
            nodes[below].reasons.get(nodes[above].name)
        })
        .map(String::as_str)
        .collect();
    let reasons = match reasons.as_slice() {
        [] => String::new(),
        reasons => format!(" ({})", reasons.join("; ")),
    };
    Finding::error(
        "cycle",
        place,
        format!(
            "nodes depend on each other in a circle: {}{reasons}",
            names.join(" -> ")
        ),
    )
    .hint("a pipeline must be a directed acyclic graph; remove one of these references")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes<'a>(edges: &[(&'a str, &[&str])]) -> Vec<DagNode<'a>> {
        edges
            .iter()
            .enumerate()
            .map(|(index, (name, upstream))| DagNode {
                name,
                upstream: upstream
                    .iter()
                    .map(|above| ((*above).to_owned(), Path::node(index).key("depends_on")))
                    .collect(),
                place: Path::node(index).key("name"),
                reasons: BTreeMap::new(),
            })
            .collect()
    }

    #[test]
    fn r_dag_3_generations_list_nodes_as_they_are_released() {
        let nodes = nodes(&[
            ("brz_a", &[]),
            ("slv_a1", &["brz_a"]),
            ("slv_a2", &["brz_a"]),
            ("gld_a", &["slv_a1"]),
            ("brz_b", &[]),
            ("slv_b1", &["slv_b2"]),
            ("slv_b2", &["brz_b"]),
            ("gld_b", &["slv_b1"]),
        ]);
        let dag = Dag::build(&nodes).unwrap();
        let order: Vec<&str> = dag.order().iter().map(|&node| nodes[node].name).collect();
        assert_eq!(
            order,
            [
                "brz_a", "brz_b", "slv_a1", "slv_a2", "slv_b2", "gld_a", "slv_b1", "gld_b"
            ]
        );
    }

    #[test]
    fn r_dag_2_every_fault_is_reported_once() {
        let nodes = nodes(&[
            ("a", &["c"]),
            ("b", &["a"]),
            ("c", &["b"]),
            ("d", &["d"]),
            ("e", &["c", "nope"]),
        ]);
        let findings = Dag::build(&nodes).unwrap_err();
        let messages: Vec<&str> = findings
            .iter()
            .map(|finding| finding.message.as_str())
            .collect();
        assert_eq!(
            messages,
            [
                "node `nope` is not defined in the pipeline",
                "nodes depend on each other in a circle: b -> c -> a -> b",
                "nodes depend on each other in a circle: d -> d",
            ]
        );
    }

    #[test]
    fn a_chain_of_ten_thousand_nodes_is_ordered() {
        let names: Vec<String> = (0..10_000).map(|index| format!("n{index}")).collect();
        let nodes: Vec<DagNode<'_>> = names
            .iter()
            .enumerate()
            .map(|(index, name)| DagNode {
                name,
                upstream: index
                    .checked_sub(1)
                    .map(|above| (names[above].clone(), Path::root()))
                    .into_iter()
                    .collect(),
                place: Path::root(),
                reasons: BTreeMap::new(),
            })
            .collect();
        assert_eq!(Dag::build(&nodes).unwrap().order().len(), 10_000);
    }
}
