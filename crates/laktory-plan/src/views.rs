//! Views: the tables behind the frames of a view's query. A view outlives the run, so that nothing of the run can stand in
//! it.

use laktory_core::{FrameName, TableName};
use laktory_model::{DataSource, Finding, Path, SinkKind, SourceKind};

use crate::compile::Compiler;
use crate::plan::{SinkPlan, SinkTarget};

/// The table behind each frame that the view of a node reads (R-SQL-7). None when one of them is no table.
pub(crate) fn tables(
    compiler: &mut Compiler<'_>,
    index: usize,
    frames: &[(FrameName, Path)],
) -> Option<Vec<(FrameName, TableName)>> {
    let before = compiler.findings.len();
    changed_sources(compiler, index);
    let mut tables = Vec::new();
    for (frame, used_at) in frames {
        match table(compiler, index, frame) {
            Some(name) => tables.push((frame.clone(), name)),
            None => {
                let message = format!("`{frame}` of a view must be a table of a catalog");
                let hint = "read a table, or a node whose first sink is a table, or write a table instead of a view";
                compiler.report(Finding::error("view", used_at.clone(), message).hint(hint));
            }
        }
    }
    let failed = compiler.findings[before..].iter().any(Finding::is_error);
    (!failed).then_some(tables)
}

/// Puts the tables into a sink that is a view.
pub(crate) fn complete(sink: &mut SinkPlan, known: &[(FrameName, TableName)]) {
    if let SinkTarget::View { tables, .. } = &mut sink.target {
        *tables = known.to_vec();
    }
}

fn table(compiler: &Compiler<'_>, index: usize, frame: &FrameName) -> Option<TableName> {
    let node = &compiler.pipeline.nodes[index];
    let declared = |wanted: Option<&str>| {
        let mut sources = node.sources.iter();
        sources.find(|source| source.common.name.as_deref() == wanted)
    };
    match frame {
        FrameName::Df => behind(compiler, node.sources.first()?),
        FrameName::Source(name) => {
            let unnamed = || declared(None).filter(|_| name == "df");
            behind(compiler, declared(Some(name)).or_else(unnamed)?)
        }
        FrameName::Node(name) => written_by(compiler, name),
        FrameName::Named(_) => None,
    }
}

fn behind(compiler: &Compiler<'_>, source: &DataSource) -> Option<TableName> {
    match &source.kind {
        SourceKind::UnityCatalog(table) | SourceKind::HiveMetastore(table) => {
            Some(TableName::parse(&table.full_name()))
        }
        SourceKind::PipelineNode(node) => written_by(compiler, &node.node_name),
        _ => None,
    }
}

/// The table or view that a node writes first.
fn written_by(compiler: &Compiler<'_>, node: &str) -> Option<TableName> {
    let mut nodes = compiler.pipeline.nodes.iter();
    let sink = nodes.find(|known| known.name == node)?.primary_sink()?;
    match &sink.kind {
        SinkKind::UnityCatalog(table) | SinkKind::HiveMetastore(table) => {
            Some(TableName::parse(&table.full_name()))
        }
        _ => None,
    }
}

/// What a source does to its rows would be lost: the view reads the table itself.
fn changed_sources(compiler: &mut Compiler<'_>, index: usize) {
    let node = &compiler.pipeline.nodes[index];
    let mut findings = Vec::new();
    for (number, source) in node.sources.iter().enumerate() {
        let common = &source.common;
        let keys = [
            (common.filter.is_some(), "filter"),
            (common.selects.is_some(), "selects"),
            (!common.renames.is_empty(), "renames"),
            (!common.drops.is_empty(), "drops"),
            (common.drop_duplicates.is_some(), "drop_duplicates"),
        ];
        for (_, key) in keys.into_iter().filter(|(given, _)| *given) {
            let place = Path::node(index).key("sources").index(number).key(key);
            let message = format!("`{key}` cannot be part of a view, which reads the table itself");
            let finding = Finding::error("view", place, message).at_key();
            findings.push(finding.hint("put it into the SQL of the view"));
        }
    }
    for finding in findings {
        compiler.report(finding);
    }
}
