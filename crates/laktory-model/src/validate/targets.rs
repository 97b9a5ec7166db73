//! Targets that several sinks write (R-SHR-3).

use std::collections::HashMap;

use indexmap::IndexMap;

use crate::finding::Finding;
use crate::model::{DataSink, Pipeline, SinkKind};
use crate::path::Path;
use crate::plain_path::plain_path;

struct Writer<'a> {
    node: &'a str,
    sink: &'a DataSink,
    path: Path,
}

pub(super) fn check(pipeline: &Pipeline, found: &mut Vec<Finding>) {
    let mut counts: HashMap<String, usize> = HashMap::new();
    let sinks = || pipeline.nodes.iter().flat_map(|node| &node.sinks);
    for target in sinks().filter_map(target) {
        *counts.entry(target).or_default() += 1;
    }
    let mut targets: IndexMap<String, Vec<Writer<'_>>> = IndexMap::new();
    for (index, node) in pipeline.nodes.iter().enumerate() {
        for (position, sink) in node.sinks.iter().enumerate() {
            if let Some(target) = target(sink).filter(|target| counts.get(target) > Some(&1)) {
                targets.entry(target).or_default().push(Writer {
                    node: &node.name,
                    sink,
                    path: Path::node(index).key("sinks").index(position),
                });
            }
        }
    }
    for writers in targets.values() {
        check_writers(pipeline, writers, found);
    }
}

/// What identifies the place that a sink writes; none when it is empty.
fn target(sink: &DataSink) -> Option<String> {
    let id = sink.id();
    let (kind, id) = match &sink.kind {
        SinkKind::File(_) => ("file", plain_path(&id).display().to_string()),
        SinkKind::PipelineView(_) => ("view", id),
        SinkKind::UnityCatalog(_) | SinkKind::HiveMetastore(_) => ("table", id),
    };
    (!id.is_empty()).then(|| format!("{kind} {id}"))
}

fn check_writers(pipeline: &Pipeline, writers: &[Writer<'_>], found: &mut Vec<Finding>) {
    let [first, others @ ..] = writers else {
        return;
    };
    let id = first.sink.id();
    let place = |writer: &Writer<'_>| match &writer.sink.kind {
        SinkKind::File(_) => writer.path.key("path"),
        SinkKind::PipelineView(_) => writer.path.key("pipeline_view_name"),
        _ => writer.path.key("table_name"),
    };
    if let Some(lone) = writers
        .iter()
        .find(|writer| writer.sink.common.shared.is_none())
    {
        // Told once per target, at the second writer.
        let message = format!("`{id}` is written by {} sinks", writers.len());
        let at = if lone.path == first.path {
            &others[0]
        } else {
            lone
        };
        found.push(
            Finding::error("shared", place(at), message)
                .hint("give each sink a target of its own")
                .related(place(first), "also written here"),
        );
        return;
    }
    let mut ids: HashMap<String, usize> = HashMap::new();
    let mut column: Option<&str> = None;
    let mut predicates: Option<bool> = None;
    for (position, writer) in writers.iter().enumerate() {
        let Some(shared) = &writer.sink.common.shared else {
            continue;
        };
        let path = writer.path.key("shared");
        let by_predicate = shared.r#where.is_some();
        if *predicates.get_or_insert(by_predicate) != by_predicate {
            let message = format!("writers of `{id}` must all use `where`, or none of them");
            found.push(
                Finding::error("shared", path, message)
                    .related(first.path.key("shared"), "compare"),
            );
            return;
        }
        let key = match (&shared.r#where, &shared.writer_id) {
            (Some(predicate), _) => predicate.trim().to_owned(),
            (None, Some(id)) => id.clone(),
            (None, None) => format!("{}.{}", pipeline.name, writer.node),
        };
        if let Some(own) = shared.column()
            && *column.get_or_insert(own) != own
        {
            let message = format!("writers of `{id}` must use one `column`");
            found.push(
                Finding::error("shared", path.key("column"), message)
                    .related(first.path.key("shared"), "compare"),
            );
        }
        if let Some(other) = ids.insert(key.clone(), position) {
            let what = if by_predicate { "where" } else { "writer_id" };
            let message = format!("two writers of `{id}` have `{what}` `{key}`");
            found.push(
                Finding::error("shared", path, message)
                    .related(writers[other].path.key("shared"), "the other one"),
            );
        }
    }
}
