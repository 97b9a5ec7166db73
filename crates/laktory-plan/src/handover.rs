//! How outputs reach their readers: which nodes take part, where each input of a node comes from, and whether an output
//! is read from its sink, kept, or computed by its reader.

use std::collections::{BTreeMap, HashMap};

use laktory_core::Capabilities;
use laktory_model::{DataSink, Finding, Pipeline, SinkKind};

use crate::compile::Compiler;
use crate::dag::Dag;
use crate::plan::{Handover, InputSource, NodePlan, SinkPlan, SinkTarget, Stored};
use crate::uses;

/// The nodes of the plan: the selected ones, and the nodes without sinks that they read (R-NSRC-2).
pub(crate) fn members(pipeline: &Pipeline, dag: &Dag, selected: &[bool]) -> Vec<bool> {
    let mut members = selected.to_vec();
    for &node in dag.order().iter().rev() {
        if !members[node] {
            continue;
        }
        for &above in dag.upstream(node) {
            if primary_sink(&pipeline.nodes[above].sinks).is_none() {
                members[above] = true;
            }
        }
    }
    members
}

/// Refuses plans with a random node whose rows are kept nowhere, while a node that is not part of the plan writes what it made
/// of them: it got other rows.
pub(crate) fn refuse_redrawn(
    compiler: &mut Compiler<'_>,
    dag: &Dag,
    members: &[bool],
    compiled: &[Option<NodePlan>],
) {
    let is_kept = |node: usize| primary_sink(&compiler.pipeline.nodes[node].sinks).is_some();
    // Nodes below may but wait for it.
    let readers = |node: usize| {
        let name = &compiler.pipeline.nodes[node].name;
        let reads = move |reader: &usize| {
            let inputs = compiled[*reader].iter().flat_map(|reader| &reader.inputs);
            inputs.into_iter().any(
                |input| matches!(&input.source, InputSource::Node { name: read, .. } if read == name),
            )
        };
        dag.downstream(node)
            .iter()
            .copied()
            .filter(move |reader| reads(reader))
    };
    let mut findings = Vec::new();
    for (index, node) in compiled.iter().enumerate() {
        let Some(node) = node.as_ref().filter(|node| node.random) else {
            continue;
        };
        if !members[index] || is_kept(index) {
            continue;
        }
        let mut below: Vec<usize> = readers(index).collect();
        let mut seen = vec![false; members.len()];
        while let Some(reader) = below.pop() {
            if std::mem::replace(&mut seen[reader], true) {
                continue;
            }
            if !members[reader] {
                let reader = &compiler.pipeline.nodes[reader].name;
                let message = format!(
                    "node `{}` is random and has no sink: here it gives other rows than node `{reader}` got, which is not part of this run",
                    node.name
                );
                let finding = Finding::error("redrawn-node", node.place.key("name"), message);
                findings.push(finding.hint(format!(
                    "select `{reader}` too, as `--select '{}*'`, or give `{}` a PARQUET sink",
                    node.name, node.name
                )));
                break;
            }
            if !is_kept(reader) {
                below.extend(readers(reader));
            }
        }
    }
    for finding in findings {
        compiler.report(finding);
    }
}

/// Takes the quarantine from nodes that are part of the plan for their readers alone: their own run writes it, and rows that
/// are appended would be there once more for each reader that is run alone.
pub(crate) fn write_selected(nodes: &mut [NodePlan], is_selected: impl Fn(&NodePlan) -> bool) {
    // By node, where its sinks were before.
    let mut kept: HashMap<String, Vec<usize>> = HashMap::new();
    for node in nodes.iter_mut().filter(|node| !is_selected(node)) {
        let sinks = node.sinks.iter().enumerate();
        let left = sinks.filter(|(_, sink)| !sink.quarantine);
        kept.insert(node.name.clone(), left.map(|(number, _)| number).collect());
        node.sinks.retain(|sink| !sink.quarantine);
    }
    // What is not written now is read as an earlier run has left it.
    for input in nodes.iter_mut().flat_map(|node| &mut node.inputs) {
        input.written_by.retain_mut(|writer| {
            let Some(kept) = kept.get(&writer.node) else {
                return true;
            };
            let position = kept.iter().position(|&number| number == writer.sink);
            writer.sink = position.unwrap_or_default();
            position.is_some()
        });
    }
}

fn primary_sink(sinks: &[DataSink]) -> Option<(usize, &DataSink)> {
    sinks.iter().enumerate().find(|(_, sink)| {
        !sink.common.is_quarantine && !matches!(sink.kind, SinkKind::PipelineView(_))
    })
}

/// Connects a node's open inputs: to nodes of the plan, or to the sinks of nodes outside of it.
pub(crate) fn connect(
    compiler: &mut Compiler<'_>,
    node: &mut NodePlan,
    positions: &BTreeMap<usize, usize>,
    names: &HashMap<&str, usize>,
    nodes: &[NodePlan],
    others: &[Option<NodePlan>],
) {
    for input in &mut node.inputs {
        let InputSource::Node { name, .. } = &input.source else {
            continue;
        };
        let name = name.clone();
        let Some(&index) = names.get(name.as_str()) else {
            continue;
        };
        if let Some(&position) = positions.get(&index) {
            input.source = InputSource::Node {
                node: position,
                transfer: nodes[position].backend != node.backend,
                name,
            };
            continue;
        }
        let above = others[index].as_ref();
        let Some(sink) = above.and_then(|above| readable_sink(compiler, &node.backend, above))
        else {
            compiler.report(Finding::error(
                "unreadable-node",
                input.place.clone(),
                format!("node `{name}` is not part of this run and has no sink to read"),
            ));
            continue;
        };
        let (sink, backend) = sink;
        // What a sink holds is refused by those who read it; a reset does not.
        let reason = refused(compiler, &node.backend, &backend, sink);
        if let Some(reason) = reason.filter(|_| sink.inexact.is_none()) {
            let message = format!(
                "node `{name}` is not part of this run, and its sink `{}` {reason}",
                sink.target
            );
            let finding = Finding::error("unreadable-node", input.place.clone(), message);
            compiler.report(finding.hint(way_out(&name, &node.name)));
        }
        input.source = InputSource::Sink {
            name,
            backend,
            read: Box::new(sink.clone()),
        };
    }
}

/// What to do where the sink of node `above`, which is not part of a run, cannot stand for its output to `node`.
#[must_use]
pub fn way_out(above: &str, node: &str) -> String {
    format!(
        "select `{above}` too, as `--select '*{node}'`, or give it a PARQUET sink that is overwritten"
    )
}

/// The sink that stands best for a node's output, and the node's backend.
fn readable_sink<'a>(
    compiler: &Compiler<'_>,
    reader: &str,
    above: &'a NodePlan,
) -> Option<(&'a SinkPlan, String)> {
    let sinks = || above.sinks.iter().filter(|sink| !sink.quarantine);
    let fit = |sink: &&SinkPlan| refused(compiler, reader, &above.backend, sink).is_none();
    let sink = sinks()
        .find(|sink| sink.holds_output() && fit(sink))
        .or_else(|| sinks().find(fit))
        .or_else(|| sinks().next())?;
    Some((sink, above.backend.clone()))
}

/// Why the sink of a node that is not part of the run cannot stand for the node's output; none when it can, as far as
/// that shows without the types of its columns.
fn refused(compiler: &Compiler<'_>, reader: &str, writer: &str, sink: &SinkPlan) -> Option<String> {
    if let Some(reason) = &sink.inexact {
        return Some(reason.clone());
    }
    // What holds no types is read by the backend that wrote it.
    let reader = if sink.is_untyped() { writer } else { reader };
    let reason = unreadable(compiler, reader, &sink.read)?;
    Some(format!("{reason} on backend {reader}"))
}

/// Marks the nodes outside of the plan whose columns must be known, since a node of the plan reads what they wrote without
/// types: they, and those that they read, up to what was written with types.
pub(crate) fn outside(
    compiler: &Compiler<'_>,
    dag: &Dag,
    members: &[bool],
    names: &HashMap<&str, usize>,
    compiled: &[Option<NodePlan>],
) -> Vec<bool> {
    let mut marks = vec![false; members.len()];
    for &index in dag.order().iter().rev() {
        let Some(node) = &compiled[index] else {
            continue;
        };
        if !members[index] && !marks[index] {
            continue;
        }
        for input in &node.inputs {
            let InputSource::Node { name, .. } = &input.source else {
                continue;
            };
            let Some(&above) = names.get(name.as_str()) else {
                continue;
            };
            let typed = || {
                let sink = compiled[above].as_ref();
                let sink = sink.and_then(|above| readable_sink(compiler, &node.backend, above));
                sink.is_some_and(|(sink, writer)| {
                    !sink.is_untyped() && refused(compiler, &node.backend, &writer, sink).is_none()
                })
            };
            // What a member of the plan has written may be of an earlier run.
            if members[above] {
                marks[above] |= marks[index];
            } else if !typed() {
                marks[above] = true;
            }
        }
    }
    marks
}

/// In a run that writes nothing, a node that reads by path what another one writes gets the frame of that node, where the
/// files would hold just that. Elsewhere it reads what an earlier run left there, and is told so.
pub(crate) fn read_unwritten(compiler: &mut Compiler<'_>, node: &mut NodePlan, nodes: &[NodePlan]) {
    for input in &mut node.inputs {
        let writers = input.written_by.iter().filter_map(|writer| {
            let position = nodes.iter().position(|node| node.name == writer.node)?;
            Some((writer, position))
        });
        let writers: Vec<_> = writers.collect();
        let [(writer, position), ..] = writers.as_slice() else {
            continue;
        };
        let above = &nodes[*position];
        let sink = &above.sinks[writer.sink];
        let plain = match &input.source {
            InputSource::Files(spec) => {
                spec.options.is_empty()
                    && spec.schema.is_none()
                    && sink.target.format() == Some(&spec.format)
            }
            InputSource::Table(spec) => spec.options.is_empty(),
            _ => continue,
        };
        if writers.len() == 1 && writer.whole && plain && sink.holds_output() {
            input.source = InputSource::Node {
                node: *position,
                transfer: above.backend != node.backend,
                name: above.name.clone(),
            };
            continue;
        }
        let message = format!(
            "node `{}` reads what the last run left: nothing is written here, and what node `{}` would write to `{}` \
             is known only once it is written",
            node.name, above.name, sink.target
        );
        let finding = Finding::warning("not-written", input.place.clone(), message);
        compiler.report(finding.hint(format!("read it with `node_name: {}`", above.name)));
    }
}

/// Why `backend` cannot read what another backend has written; none when it can.
fn unreadable(compiler: &Compiler<'_>, backend: &str, read: &Stored) -> Option<String> {
    let capabilities = capabilities(compiler, backend)?;
    let read = match read {
        Stored::Files(read) => read,
        Stored::Table(_) if capabilities.tables.is_available() => return None,
        Stored::Table(_) => {
            return Some("is a table of a catalog, which cannot be read".to_owned());
        }
    };
    let support = capabilities.read(&read.format);
    if !support.support.is_available() {
        return Some(format!(
            "has format `{}`, which cannot be read",
            read.format
        ));
    }
    let unknown = read
        .options
        .keys()
        .find(|name| !support.options.contains(&name.as_str()))?;
    Some(format!(
        "needs `{unknown}`, which is not an option of reading"
    ))
}

fn capabilities<'a>(compiler: &'a Compiler<'_>, backend: &str) -> Option<&'a Capabilities> {
    let engine = compiler
        .known
        .iter()
        .find(|engine| engine.descriptor.name == backend)?;
    Some(&engine.capabilities)
}

/// Decides how each node's output reaches its readers.
pub(crate) fn decide(compiler: &Compiler<'_>, nodes: &mut [NodePlan], writes: bool) {
    let mut readers = vec![0_u64; nodes.len()];
    let mut transferred = vec![false; nodes.len()];
    for node in nodes.iter() {
        let (copies, _) = uses::uses(node);
        for (input, copies) in node.inputs.iter().zip(copies) {
            if let InputSource::Node { node, transfer, .. } = input.source {
                // A reader that reads it twice would compute it twice.
                readers[node] = readers[node].saturating_add(copies.max(1));
                transferred[node] |= transfer;
            }
        }
    }
    let mut lengths = vec![0_usize; nodes.len()];
    for index in 0..nodes.len() {
        let node = &nodes[index];
        let before = node.inputs.iter().filter_map(|input| match input.source {
            InputSource::Node { node, .. } if nodes[node].handover == Handover::Inline => {
                Some(lengths[node])
            }
            _ => None,
        });
        lengths[index] = before.max().unwrap_or(0) + 1 + node.steps.len();
        let decided = handover(compiler, node, readers[index], transferred[index], writes);
        nodes[index].handover = match decided {
            // The engine plans a chain from its beginning for each node of it.
            Handover::Inline if lengths[index] >= LONGEST_CHAIN => Handover::Materialize,
            decided => decided,
        };
    }
}

/// Nodes and steps that are computed as parts of one plan.
const LONGEST_CHAIN: usize = 32;

fn handover(
    compiler: &Compiler<'_>,
    node: &NodePlan,
    readers: u64,
    transferred: bool,
    writes: bool,
) -> Handover {
    let writes_something = writes && !node.sinks.is_empty();
    match readers {
        0 if writes_something => Handover::None,
        0 => Handover::Materialize,
        _ if writes_something => {
            lossless_sink(compiler, node).map_or(Handover::Materialize, Handover::Sink)
        }
        1 if node.expectations.is_empty() && !transferred && !node.random => Handover::Inline,
        _ => Handover::Materialize,
    }
}

/// The first sink that holds exactly the node's output: same columns, same types, no rows of earlier runs.
fn lossless_sink(compiler: &Compiler<'_>, node: &NodePlan) -> Option<usize> {
    let reads = capabilities(compiler, &node.backend)?;
    node.sinks.iter().position(|sink| {
        let readable = match &sink.target {
            SinkTarget::File { format, .. } => reads.read(format).support.is_available(),
            SinkTarget::Table { .. } | SinkTarget::View { .. } => true,
        };
        readable && sink.holds_output()
    })
}
