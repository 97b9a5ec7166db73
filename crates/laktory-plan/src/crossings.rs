//! Which node reads what another node writes, by path or by table name, and which of these places must not meet.

use std::collections::BTreeMap;

use laktory_core::Format;
use laktory_model::{
    DataSink, DataSource, Finding, Path, PipelineNode, SinkKind, SourceKind, plain_path,
};

use crate::compile::Compiler;
use crate::paths::{self, Use};
use crate::places::{Relation, Target, Targets, is_pattern};
use crate::plan::Writer;

/// A read of what another node writes.
#[derive(Clone, Debug)]
pub(crate) struct Crossing {
    /// Position of the source.
    pub(crate) source: usize,
    /// What is written, as the reader sees it.
    pub(crate) writer: Writer,
    /// What is read and what is written, as they stand in the file.
    pub(crate) paths: (String, String),
}

impl Crossing {
    /// Why the reader comes after the writer.
    pub(crate) fn reason(&self, reader: &str) -> String {
        let (read, written) = &self.paths;
        let writer = &self.writer.node;
        if read == written {
            format!("`{reader}` reads `{read}`, which `{writer}` writes")
        } else {
            format!("`{reader}` reads `{read}`, where `{writer}` writes `{written}`")
        }
    }
}

/// A sink of a node, by positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sink {
    node: usize,
    number: usize,
}

/// The reads of each node of what other nodes write. Targets that meet, and a target that meets what its own node reads, are reported.
pub(crate) fn crossings(compiler: &mut Compiler<'_>) -> Vec<Vec<Crossing>> {
    let pipeline = compiler.pipeline;
    let targets = targets(compiler);
    let mut findings = meeting(&pipeline.nodes, &targets);
    let mut crossings = vec![Vec::new(); pipeline.nodes.len()];
    for (reader, node) in pipeline.nodes.iter().enumerate() {
        for (number, source) in node.sources.iter().enumerate() {
            let Some((text, pattern)) = place_read(source) else {
                continue;
            };
            if !is_table(&source.kind) && is_faulty(compiler, reader, &text, Use::Source) {
                continue;
            }
            let keys = keys_of(compiler, reader, &text, is_table(&source.kind));
            for (target, relation) in targets.touched(&keys, pattern) {
                let sink = targets.get(target).of;
                let writer = &pipeline.nodes[sink.node];
                let partition = relation == Relation::Within && targets.is_partition(target, &keys);
                if sink.node == reader || relation == Relation::Within && !partition {
                    findings.push(refused(&pipeline.nodes, sink, (reader, number), relation));
                    continue;
                }
                crossings[reader].push(Crossing {
                    source: number,
                    writer: Writer {
                        node: writer.name.clone(),
                        sink: sink.number,
                        whole: relation == Relation::Same,
                    },
                    paths: (text.clone(), writer.sinks[sink.number].id()),
                });
            }
        }
    }
    findings
        .into_iter()
        .for_each(|finding| compiler.report(finding));
    crossings
}

/// Everything that the pipeline writes.
fn targets(compiler: &Compiler<'_>) -> Targets<Sink> {
    let mut targets = Vec::new();
    for (node, sinks) in compiler.pipeline.nodes.iter().enumerate() {
        for (number, sink) in sinks.sinks.iter().enumerate() {
            let (id, table, format) = match &sink.kind {
                SinkKind::File(file) => (file.path.clone(), false, file.format.as_str()),
                SinkKind::UnityCatalog(table) | SinkKind::HiveMetastore(table) => {
                    (table.full_name(), true, table.format())
                }
                SinkKind::PipelineView(_) => continue,
            };
            let refused = !table && is_faulty(compiler, node, &id, Use::Target);
            if id.is_empty() || refused {
                continue;
            }
            targets.push(Target {
                keys: keys_of(compiler, node, &id, table),
                format: Format::parse(format),
                of: Sink { node, number },
            });
        }
    }
    Targets::new(targets)
}

/// The keys of a path or table of a node.
fn keys_of(
    compiler: &Compiler<'_>,
    node: usize,
    text: &str,
    table: bool,
) -> Vec<std::path::PathBuf> {
    if table {
        // One part, so that no table lies in another.
        return vec![format!("table {}", text.to_lowercase().replace('/', "\\")).into()];
    }
    let local = compiler
        .engine(node)
        .is_some_and(|engine| engine.capabilities.local_files);
    compiler.options.survey.keys(text, local)
}

/// Whether a path is refused by its text alone.
fn is_faulty(compiler: &Compiler<'_>, node: usize, path: &str, used: Use) -> bool {
    let engine = compiler.engine(node);
    engine.is_some_and(|engine| paths::is_faulty(&engine.capabilities, path, used))
}

fn is_table(kind: &SourceKind) -> bool {
    matches!(
        kind,
        SourceKind::UnityCatalog(_) | SourceKind::HiveMetastore(_)
    )
}

/// What a source names, and whether that may be a glob.
fn place_read(source: &DataSource) -> Option<(String, bool)> {
    let (text, pattern) = match &source.kind {
        SourceKind::File(file) => (file.path.clone(), is_pattern(&file.path)),
        SourceKind::UnityCatalog(table) | SourceKind::HiveMetastore(table) => {
            (table.full_name(), false)
        }
        _ => return None,
    };
    (!text.is_empty()).then_some((text, pattern))
}

/// Targets that are one place, or one inside of the other.
fn meeting(nodes: &[PipelineNode], targets: &Targets<Sink>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for number in 0..targets.len() {
        for (other, relation) in targets.clashes(number) {
            let (this, that) = (targets.get(number), targets.get(other));
            let (id, other_id) = (sink(nodes, this.of).id(), sink(nodes, that.of).id());
            // Spelt alike, it is told by the rules of the language, which also know of targets that are shared.
            let alike = match sink(nodes, this.of).kind {
                SinkKind::File(_) => plain_path(&id) == plain_path(&other_id),
                _ => id == other_id,
            };
            if alike {
                continue;
            }
            let node = &nodes[that.of.node].name;
            let (message, hint) = match relation {
                Relation::Same => (
                    format!("`{id}` and `{other_id}`, which node `{node}` writes, are one place"),
                    "give each sink a target of its own",
                ),
                _ => (
                    format!("`{id}` lies in `{other_id}`, which node `{node}` writes"),
                    "give each sink a target of its own, side by side: a folder is written as a whole",
                ),
            };
            findings.push(
                Finding::error("overlap", target_place(nodes, this.of), message)
                    .hint(hint)
                    .related(target_place(nodes, that.of), "the other target"),
            );
        }
    }
    findings
}

/// A target that meets what a node reads in a way that cannot be meant.
fn refused(
    nodes: &[PipelineNode],
    target: Sink,
    (reader, source): (usize, usize),
    relation: Relation,
) -> Finding {
    let id = sink(nodes, target).id();
    let read = place_read(&nodes[reader].sources[source]).map(|(text, _)| text);
    let read = read.unwrap_or_default();
    let node = &nodes[reader].name;
    let (message, hint) = match relation {
        Relation::Same => (
            format!(
                "node `{node}` writes `{id}`, which it reads: each run would begin with the result of the one before"
            ),
            "write to another target, and let that be read",
        ),
        Relation::Around => (
            format!(
                "node `{node}` writes `{id}`, which lies in what it reads, `{read}`: the next run would read it too"
            ),
            "write to a target outside of what is read, or read less of it",
        ),
        Relation::Within => (
            format!(
                "`{id}` holds `{read}`, which node `{node}` reads: a folder is written as a whole"
            ),
            "write to a folder of its own, beside what is read",
        ),
    };
    let read_at = Path::node(reader).key("sources").index(source);
    let key = match is_table(&nodes[reader].sources[source].kind) {
        true => "table_name",
        false => "path",
    };
    Finding::error("overlap", target_place(nodes, target), message)
        .hint(hint)
        .related(read_at.key(key), "read here")
}

fn sink(nodes: &[PipelineNode], sink: Sink) -> &DataSink {
    &nodes[sink.node].sinks[sink.number]
}

fn target_place(nodes: &[PipelineNode], target: Sink) -> Path {
    let place = Path::node(target.node).key("sinks").index(target.number);
    match sink(nodes, target).kind {
        SinkKind::File(_) => place.key("path"),
        _ => place.key("table_name"),
    }
}

/// For each reader, why it comes after each of the nodes whose targets it reads.
pub(crate) fn reasons(reader: &str, crossings: &[Crossing]) -> BTreeMap<String, String> {
    let reasons = crossings.iter();
    reasons
        .map(|crossing| (crossing.writer.node.clone(), crossing.reason(reader)))
        .collect()
}
