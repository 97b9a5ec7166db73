//! Rules of nodes: sources, transformer, expectations, views.

use std::collections::HashMap;

use crate::finding::Finding;
use crate::model::{
    Action, DataSource, Expectation, ExpectationType, ExprType, FileDataSource, InlineData,
    PipelineNode, Schema, SourceKind, Tolerance, TransformerNode,
};
use crate::path::Path;
use crate::validate::not_empty;

/// Functions whose calls make a condition one over the whole frame (R-DQ-10).
const AGGREGATES: [&str; 10] = [
    "count",
    "sum",
    "avg",
    "mean",
    "max",
    "min",
    "variance",
    "stddev",
    "row_number",
    "rank",
];

pub(super) fn check(node: &PipelineNode, path: &Path, found: &mut Vec<Finding>) {
    sources(node, path, found);
    steps(node, path, found);
    check_count(&node.expectations, &path.key("expectations"), found);
    let streaming = node.has_streaming_source();
    for (index, expectation) in node.expectations.iter().enumerate() {
        let path = path.key("expectations").index(index);
        check_expectation(expectation, streaming, &path, found);
    }
    if let Some(task) = &node.execution_task_name {
        super::name(task, &path.key("execution_task_name"), "a node", found);
    }
    if node.is_view() {
        view(node, path, found);
    }
    let quarantines = node
        .expectations
        .iter()
        .any(|expectation| expectation.action == Action::Quarantine);
    if !quarantines {
        for (index, _) in node.quarantine_sinks() {
            let path = path.key("sinks").index(index).key("is_quarantine");
            found.push(
                Finding::warning(
                    "idle-quarantine",
                    path,
                    "no expectation of this node quarantines rows, so this sink stays empty",
                )
                .hint("give an expectation `action: QUARANTINE`"),
            );
        }
    }
}

fn sources(node: &PipelineNode, path: &Path, found: &mut Vec<Finding>) {
    let list = path.key("sources");
    let mut unnamed: Option<usize> = None;
    let mut names: HashMap<&str, usize> = HashMap::new();
    for (index, source) in node.sources.iter().enumerate() {
        let path = list.index(index);
        check_source(source, &path, found);
        match source.common.name.as_deref() {
            None => {
                if let Some(first) = unnamed {
                    found.push(
                        Finding::error(
                            "unnamed-source",
                            path,
                            "only one source of a node may be without `name`",
                        )
                        .hint("give it a `name`, and use it as `{sources.<name>}`")
                        .related(list.index(first), "this one is `{sources.df}`"),
                    );
                } else {
                    unnamed = Some(index);
                }
            }
            Some(name) => {
                super::name(name, &path.key("name"), "a source", found);
                if let Some(first) = names.insert(name, index) {
                    let message = format!("two sources of this node are called `{name}`");
                    found.push(
                        Finding::error("duplicate-source", path.key("name"), message)
                            .related(list.index(first).key("name"), "the first one"),
                    );
                }
            }
        }
    }
}

fn check_source(source: &DataSource, path: &Path, found: &mut Vec<Finding>) {
    match &source.kind {
        SourceKind::File(file) => check_file(file, source.common.as_stream, path, found),
        SourceKind::UnityCatalog(table) | SourceKind::HiveMetastore(table) => {
            not_empty(
                &table.table_name,
                &path.key("table_name"),
                "a table source",
                found,
            );
        }
        SourceKind::PipelineNode(source) => {
            not_empty(
                &source.node_name,
                &path.key("node_name"),
                "a pipeline node source",
                found,
            );
        }
        SourceKind::Custom(source) => {
            let name = &source.custom_reader.func_name;
            not_empty(name, &path.key("custom_reader"), "a source", found);
        }
        SourceKind::DataFrame(source) => {
            if let InlineData::Columns(columns) = &source.data {
                let mut lengths = columns.iter().map(|(name, values)| (name, values.len()));
                if let Some((first, length)) = lengths.next()
                    && let Some((other, wrong)) = lengths.find(|(_, other)| *other != length)
                {
                    let message = format!(
                        "columns of inline data differ in length: `{first}` has {length}, `{other}` has {wrong}"
                    );
                    let path = path.key("data").key(other.as_str());
                    found.push(Finding::error("inline-data", path, message));
                }
            }
        }
    }
}

fn check_file(file: &FileDataSource, streaming: bool, path: &Path, found: &mut Vec<Finding>) {
    not_empty(&file.path, &path.key("path"), "a file source", found);
    not_empty(&file.format, &path.key("format"), "a file source", found);
    let mut refuse = |key: &str, formats: &str| {
        let message = format!("`{key}` does not apply to format `{}`", file.format);
        let hint = format!("it applies to {formats}");
        found.push(
            Finding::error("option-not-applicable", path.key(key), message)
                .at_key()
                .hint(hint),
        );
    };
    // Formats that are not listed may belong to an engine that this crate does not know (R-FSRC-1).
    let format = file.format.as_str();
    let binary = matches!(
        format,
        "PARQUET" | "DELTA" | "IPC" | "ORC" | "AVRO" | "ICEBERG" | "PYARROW" | "BINARYFILE"
    );
    let text = matches!(format, "JSON" | "JSONL" | "NDJSON" | "XML" | "TEXT");
    if file.has_header.is_some() && (binary || text) {
        refuse("has_header", "CSV and EXCEL");
    }
    if file.infer_schema.is_some() && !streaming && (binary || text && format != "XML") {
        refuse("infer_schema", "CSV and XML, and to streams");
    }
    if file.by_position.is_some() && (binary || text) {
        refuse("by_position", "CSV");
    }
    if let Some(schema) = &file.schema_definition {
        check_schema(schema, &path.key("schema_definition"), found);
    }
}

pub(super) fn check_schema(schema: &Schema, path: &Path, found: &mut Vec<Finding>) {
    let columns = path.key("columns");
    if schema.columns.is_empty() {
        let message = "a schema needs at least one column";
        found.push(Finding::error("schema", columns, message));
        return;
    }
    let mut names: HashMap<&str, usize> = HashMap::new();
    for (index, column) in schema.columns.iter().enumerate() {
        let path = columns.index(index);
        not_empty(&column.name, &path.key("name"), "a column", found);
        if let Some(first) = names.insert(&column.name, index) {
            let message = format!("column `{}` is declared twice", column.name);
            found.push(
                Finding::error("schema", path.key("name"), message)
                    .related(columns.index(first).key("name"), "first declared here"),
            );
        }
    }
}

fn steps(node: &PipelineNode, path: &Path, found: &mut Vec<Finding>) {
    let steps = node
        .transformer
        .as_ref()
        .map_or(&[][..], |transformer| &transformer.nodes);
    let list = path.key("transformer").key("nodes");
    for (index, step) in steps.iter().enumerate() {
        let path = list.index(index);
        match step {
            TransformerNode::Sql(step) => {
                not_empty(&step.expr, &path.key("expr"), "a SQL step", found);
                if step.r#type == Some(ExprType::Df) {
                    let message =
                        "a step with `expr` is SQL; `DF` expressions belong into `func_args`";
                    found.push(Finding::error("step", path.key("type"), message));
                }
            }
            TransformerNode::Method(step) => {
                not_empty(
                    &step.func_name,
                    &path.key("func_name"),
                    "a method step",
                    found,
                );
            }
        }
    }
    if !node.sources.is_empty() {
        return;
    }
    match steps.first() {
        Some(TransformerNode::Method(step)) => {
            let message = format!(
                "`{}` has no frame to work on: the node has no source",
                step.func_name
            );
            found
                .push(Finding::error("no-source", list.index(0), message).hint(
                    "give the node a source, or begin with a SQL step over `{nodes.<name>}`",
                ));
        }
        None if !node.sinks.is_empty() => {
            let message = "the node has sinks, but neither sources nor a transformer";
            found.push(Finding::error("no-source", path.clone(), message));
        }
        _ => {}
    }
}

/// Expectations of one node: each is a column of the pass that judges them, and engines plan columns beside each other.
const MAX_EXPECTATIONS: usize = 500;

/// Notes more expectations than a node can have.
fn check_count(expectations: &[Expectation], path: &Path, found: &mut Vec<Finding>) {
    if expectations.len() > MAX_EXPECTATIONS {
        let count = expectations.len();
        let message = format!("a node has at most {MAX_EXPECTATIONS} expectations, not {count}");
        let finding = Finding::error("too-large", path.clone(), message);
        found
            .push(finding.hint(
                "join those that belong together with AND, or give them to a node behind it",
            ));
    }
}

fn check_expectation(
    expectation: &Expectation,
    streaming: bool,
    path: &Path,
    found: &mut Vec<Finding>,
) {
    super::name(
        &expectation.name,
        &path.key("name"),
        "an expectation",
        found,
    );
    not_empty(
        &expectation.expr.expr,
        &path.key("expr"),
        "an expectation",
        found,
    );
    let aggregate = expectation.r#type == ExpectationType::Aggregate;
    if aggregate && matches!(expectation.action, Action::Drop | Action::Quarantine) {
        let message = format!(
            "action `{}` is not possible for an `AGGREGATE` expectation, which judges no single row",
            expectation.action
        );
        found.push(
            Finding::error("action", path.key("action"), message).hint("use `WARN` or `FAIL`"),
        );
    }
    if let Tolerance::Rel(rel) = expectation.tolerance
        && !(0.0..=1.0).contains(&rel)
    {
        let message = format!("`rel` is a fraction from 0 to 1, not {rel}");
        let path = path.key("tolerance").key("rel");
        found.push(Finding::error("tolerance", path, message).hint("5 % is `0.05`"));
    }
    if streaming && (aggregate || !expectation.tolerance.is_zero()) {
        let message =
            "a node with a streaming source allows only `ROW` expectations with tolerance `abs: 0`";
        let key = if aggregate { "type" } else { "tolerance" };
        found.push(Finding::error(
            "streaming-expectation",
            path.key(key),
            message,
        ));
    }
    if !aggregate && let Some(name) = aggregate_in(&expectation.expr.expr) {
        let message = format!("`{name}(…)` looks at all rows, but the expectation judges each row");
        found.push(
            Finding::warning("row-expectation", path.key("expr"), message)
                .hint("the type should probably be `AGGREGATE`"),
        );
    }
}

/// The aggregate function that a condition calls.
fn aggregate_in(expr: &str) -> Option<&'static str> {
    let lower = expr.to_lowercase();
    AGGREGATES.into_iter().find(|name| {
        lower.match_indices(name).any(|(at, _)| {
            let before = lower[..at].chars().next_back();
            lower[at + name.len()..].trim_start().starts_with('(')
                && !before.is_some_and(|c| c.is_alphanumeric() || c == '_')
        })
    })
}

/// R-NODE-3.
fn view(node: &PipelineNode, path: &Path, found: &mut Vec<Finding>) {
    for (index, source) in node.sources.iter().enumerate() {
        let path = path.key("sources").index(index);
        let shown = source
            .common
            .name
            .clone()
            .unwrap_or_else(|| index.to_string());
        let fits = matches!(
            source.kind,
            SourceKind::UnityCatalog(_)
                | SourceKind::HiveMetastore(_)
                | SourceKind::PipelineNode(_)
        );
        if !fits {
            let message = format!("source `{shown}` of a view must be a table or a node");
            found.push(Finding::error("view", path, message));
        } else if source.common.as_stream {
            let message = format!("source `{shown}` of a view cannot be a stream");
            found.push(Finding::error("view", path.key("as_stream"), message));
        }
    }
    let steps = node
        .transformer
        .as_ref()
        .map_or(&[][..], |transformer| &transformer.nodes);
    if !matches!(steps, [TransformerNode::Sql(_)]) {
        let message = "the transformer of a view is exactly one SQL step";
        found.push(Finding::error("view", path.key("transformer"), message));
    }
    if !node.expectations.is_empty() {
        let message = "a view cannot have expectations";
        found.push(Finding::error("view", path.key("expectations"), message).at_key());
    }
}
