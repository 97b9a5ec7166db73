//! How outputs reach their readers: which nodes take part, where each input of a node comes from, and whether an output
//! is read from its sink, kept, or computed by its reader.

use std::collections::{BTreeMap, HashMap};

use laktory_core::{Capabilities, Format};
use laktory_model::{DataSink, Finding, Pipeline, SinkKind};

use crate::compile::Compiler;
use crate::dag::Dag;
use crate::plan::{Handover, InputSource, NodePlan, SinkMode, SinkPlan, SinkTarget, Stored};
use crate::sinks;
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
        let pipeline = compiler.pipeline;
        let sink = primary_sink(&pipeline.nodes[index].sinks);
        let place = laktory_model::Path::node(index).key("sinks");
        let read = sink
            .and_then(|(number, sink)| sinks::compile(compiler, index, sink, &place.index(number)));
        match read {
            Some(sink) => {
                if let Some(reason) = unreadable(compiler, &node.backend, &sink.read) {
                    let message = format!(
                        "node `{name}` is not part of this run, and its sink `{}` {reason} on backend {}",
                        sink.target, node.backend
                    );
                    let finding = Finding::error("unreadable-node", input.place.clone(), message);
                    let hint = format!("select `{name}` too, as `*{}`", node.name);
                    compiler.report(finding.hint(hint));
                }
                input.source = InputSource::Sink {
                    name,
                    read: sink.read,
                };
            }
            None => compiler.report(Finding::error(
                "unreadable-node",
                input.place.clone(),
                format!("node `{name}` is not part of this run and has no sink to read"),
            )),
        }
    }
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
        if writers.len() == 1 && writer.whole && plain && holds_output(sink) {
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
        "was written with `{unknown}`, which is not an option of reading"
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
        readable && holds_output(sink)
    })
}

/// Whether a sink holds exactly the node's output after a run, in a form that loses nothing.
fn holds_output(sink: &SinkPlan) -> bool {
    let holds_all = match &sink.target {
        SinkTarget::File { format, .. } => format.is_lossless(),
        SinkTarget::Table { format, .. } => format.is_lossless() || *format == Format::Delta,
        // What readers get is what the view shows.
        SinkTarget::View { .. } => true,
    };
    holds_all
        && !sink.quarantine
        && sink.schema.is_none()
        && matches!(sink.mode, SinkMode::Overwrite | SinkMode::Error)
}
