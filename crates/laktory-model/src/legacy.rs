//! Old constructs that need more than a new key: column steps, sources inside arguments, view definitions.

use laktory_core::DType;
use laktory_syntax::Diagnostic;

use crate::dialect::{Dialect, items};
use crate::dtype::parse_dtype;
use crate::tree::{Entry, Kind, Node, Place};

/// `with_column: {…}` and `with_columns: [{…}]` steps to `func_name: with_columns`, one step per column, since each
/// column could use the one before (section 1.4).
pub(crate) fn column_steps(dialect: &mut Dialect<'_>, steps: &mut Vec<Node>) {
    let old = |entry: &Entry| matches!(entry.key.as_str(), "with_column" | "with_columns");
    let has_old = |step: &Node| step.as_map().is_some_and(|entries| entries.iter().any(old));
    if !steps.iter().any(has_old) {
        return;
    }
    let mut out = Vec::with_capacity(steps.len());
    for step in steps.drain(..) {
        let old = step
            .as_map()
            .and_then(|entries| entries.iter().find(|entry| old(entry)));
        let Some(entry) = old else {
            out.push(step);
            continue;
        };
        let name = if entry.key == "with_column" {
            "with_column"
        } else {
            "with_columns"
        };
        dialect.warn("step", name, "func_name: with_columns", entry.key_at);
        let columns = entry
            .value
            .as_seq()
            .unwrap_or(std::slice::from_ref(&entry.value));
        for column in columns {
            out.push(column_step(dialect, column).unwrap_or_else(|| Node::poison(step.at)));
        }
    }
    *steps = out;
}

fn column_step(dialect: &mut Dialect<'_>, column: &Node) -> Option<Node> {
    let text = |key: &str| column.get(key).and_then(Node::as_text);
    if let Some(unit) = column.entry("unit").filter(|entry| !entry.value.is_null()) {
        let fault = Diagnostic::error("unsupported", "units of columns are not supported")
            .hint("convert with `.laktory.convert_units(…)` in the expression");
        dialect.report(fault, unit.key_at);
        return None;
    }
    let (Some(name), Some(expr)) = (text("name"), text("expr")) else {
        let fault = Diagnostic::error("missing-key", "a column needs `name` and `expr`");
        dialect.report(fault, column.at);
        return None;
    };
    let mut code = if looks_like_dataframe(expr) {
        format!("({expr})")
    } else {
        format!("sql_expr({})", python_text(expr))
    };
    let declared = column.get("type");
    if declared.is_none_or(|node| !node.is_null()) {
        let wanted = declared.and_then(Node::as_text).unwrap_or("string");
        match parse_dtype(wanted) {
            Ok(dtype) => code.push_str(&format!(".cast({})", narwhals(&dtype))),
            Err(error) => {
                let mut fault = Diagnostic::error(error.code, error.message);
                fault.hint = error.hint;
                dialect.report(fault, declared.map_or(column.at, |node| node.at));
                return None;
            }
        }
    }
    let at = column.at;
    let kwargs = vec![entry(
        name,
        at,
        Node::text(code, column.get("expr").map_or(at, |node| node.at).whole()),
    )];
    let entries = vec![
        entry("func_name", at, Node::text("with_columns", at.whole())),
        entry("func_kwargs", at, Node::new(Kind::Map(kwargs), at.whole())),
    ];
    Some(Node::new(Kind::Map(entries), at.whole()))
}

fn entry(key: &str, at: Place, value: Node) -> Entry {
    Entry {
        key: key.to_owned(),
        key_at: at.whole(),
        value,
    }
}

/// R-COL-1, without its false positives inside words.
fn looks_like_dataframe(expr: &str) -> bool {
    ["nw.", "F.", "pl.", "col(", "lit("].iter().any(|marker| {
        expr.match_indices(marker).any(|(at, _)| {
            !expr[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '.')
        })
    })
}

fn python_text(text: &str) -> String {
    let escaped = text
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n");
    format!("\"{escaped}\"")
}

/// The Narwhals expression of a type.
fn narwhals(dtype: &DType) -> String {
    match dtype {
        DType::List(inner) => format!("nw.List({})", narwhals(inner)),
        DType::Array(inner, width) => format!("nw.Array({}, {width})", narwhals(inner)),
        DType::Struct(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|field| format!("{}: {}", python_text(&field.name), narwhals(&field.dtype)))
                .collect();
            format!("nw.Struct({{{}}})", fields.join(", "))
        }
        other => format!("nw.{other}"),
    }
}

/// Source objects in the arguments of a step to placeholders: a node to `{nodes.x}`, anything else to a source of the
/// node (E8).
pub(crate) fn arguments(dialect: &mut Dialect<'_>, entries: &mut [Entry]) {
    let mut moved = Vec::new();
    for transformer in entries
        .iter_mut()
        .filter(|entry| entry.key == "transformer")
    {
        let Kind::Map(own) = &mut transformer.value.kind else {
            continue;
        };
        for steps in own.iter_mut().filter(|entry| entry.key == "nodes") {
            for step in items(&mut steps.value) {
                let Kind::Map(own) = &mut step.kind else {
                    continue;
                };
                for entry in own {
                    match (entry.key.as_str(), &mut entry.value.kind) {
                        ("func_args", Kind::Seq(values)) => {
                            for value in values {
                                argument(dialect, value, &mut moved);
                            }
                        }
                        ("func_kwargs", Kind::Map(values)) => {
                            for entry in values {
                                argument(dialect, &mut entry.value, &mut moved);
                            }
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    if moved.is_empty() {
        return;
    }
    let sources = entries.iter_mut().find(|entry| entry.key == "sources");
    match sources.map(|entry| &mut entry.value.kind) {
        Some(Kind::Seq(sources)) if !sources.is_empty() => sources.extend(moved),
        _ => {
            for source in moved {
                let fault = Diagnostic::error(
                    "source-argument",
                    "a source cannot be an argument here",
                )
                .hint("declare it under `sources` with a `name`, and write `\"{sources.<name>}\"`");
                dialect.report(fault, source.at);
            }
        }
    }
}

fn argument(dialect: &mut Dialect<'_>, value: &mut Node, moved: &mut Vec<Node>) {
    if let Kind::Seq(values) = &mut value.kind {
        for value in values {
            if !matches!(value.kind, Kind::Seq(_)) {
                argument(dialect, value, moved);
            }
        }
        return;
    }
    let at = value.at;
    let Some(entries) = value.as_map() else {
        return;
    };
    let has = |key: &str| entries.iter().any(|entry| entry.key == key);
    let node_name = value.get("node_name").and_then(Node::as_text);
    let kinds = [
        "CUSTOM",
        "FILE",
        "UNITY_CATALOG",
        "HIVE_METASTORE",
        "DATAFRAME",
        "PIPELINE_NODE",
    ];
    let typed = value
        .get("type")
        .and_then(Node::as_text)
        .is_some_and(|text| kinds.iter().any(|kind| kind.eq_ignore_ascii_case(text)));
    if let Some(name) = node_name
        && entries.iter().all(|entry| {
            matches!(entry.key.as_str(), "node_name" | "type")
                || entry.key == "as_stream" && entry.value.as_text() == Some("false")
        })
    {
        let text = format!("{{nodes.{name}}}");
        dialect.warn("argument", "{node_name: …}", &format!("\"{text}\""), at);
        *value = Node::text(text, at.whole());
        return;
    }
    if node_name.is_none() && !typed && !(has("path") && has("format")) {
        return;
    }
    let name = value
        .get("name")
        .and_then(Node::as_text)
        .map_or_else(|| format!("argument_{}", moved.len() + 1), str::to_owned);
    let text = format!("{{sources.{name}}}");
    dialect.moved("{path: …}", &name, at);
    let mut source = std::mem::replace(value, Node::text(text, at.whole()));
    if let Kind::Map(entries) = &mut source.kind
        && !entries.iter().any(|entry| entry.key == "name")
    {
        entries.push(entry("name", at, Node::text(name, at.whole())));
    }
    moved.push(source);
}

/// `view_definition` of a table sink to the node's transformer: the view is the node's single SQL step now.
pub(crate) fn view_definition(dialect: &mut Dialect<'_>, entries: &mut Vec<Entry>) {
    let mut definition = None;
    for sinks in entries.iter_mut().filter(|entry| entry.key == "sinks") {
        for sink in items(&mut sinks.value) {
            let Kind::Map(own) = &mut sink.kind else {
                continue;
            };
            let Some(index) = own.iter().position(|entry| entry.key == "view_definition") else {
                continue;
            };
            let old = own.remove(index);
            if !own.iter().any(|entry| entry.key == "table_type") {
                own.push(entry(
                    "table_type",
                    old.key_at,
                    Node::text("VIEW", old.key_at.whole()),
                ));
            }
            definition = Some(old);
        }
    }
    let Some(old) = definition else { return };
    if entries
        .iter()
        .any(|entry| entry.key == "transformer" && !entry.value.is_null())
    {
        let fault = Diagnostic::error(
            "unsupported",
            "the node has a `transformer` and a `view_definition`",
        )
        .hint("the view is the SQL step of the transformer: remove one of them");
        dialect.report(fault, old.key_at);
        return;
    }
    dialect.warn("key", "view_definition", "transformer", old.key_at);
    let at = old.value.at;
    let step = Node::new(
        Kind::Map(vec![entry("expr", old.key_at, old.value)]),
        at.whole(),
    );
    let steps = Node::new(Kind::Seq(vec![step]), at.whole());
    let transformer = Node::new(
        Kind::Map(vec![entry("nodes", old.key_at, steps)]),
        at.whole(),
    );
    entries.retain(|entry| entry.key != "transformer");
    entries.push(entry("transformer", old.key_at, transformer));
}
