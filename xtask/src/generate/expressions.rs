//! The reference of expressions.

use std::fmt::Write as _;

use serde_json::Value;

use super::examples;
use super::page::{backends, cell, contents, doc, entries, groups, list, parameters, text};

const KINDS: &[&str] = &["function", "method", "operator"];

pub(super) fn render(docs: &Value) -> String {
    let entries = entries(docs, KINDS);
    let groups = groups(&entries);
    let mut page = contents(&groups, title);
    page.push('\n');
    for (group, members) in &groups {
        let _ = write!(page, "\n## {group}\n");
        if text(&members[0]["kind"]) == "operator" {
            page.push('\n');
            operators(&mut page, members);
            continue;
        }
        for entry in members {
            one(&mut page, entry);
        }
    }
    page
}

/// The heading of an entry.
fn title(entry: &Value) -> String {
    let call = text(&entry["call"]);
    match text(&entry["kind"]) {
        "operator" => call.to_owned(),
        _ => call.split('(').next().unwrap_or(call).to_owned(),
    }
}

fn one(page: &mut String, entry: &Value) {
    let _ = write!(page, "\n### {}\n\n", title(entry));
    let _ = write!(
        page,
        "`{}`: {}\n\n",
        text(&entry["call"]),
        text(&entry["types"])
    );
    let _ = write!(page, "{}\n\n", doc(entry));
    let listed = parameters(entry);
    if !listed.is_empty() {
        let _ = write!(page, "{listed}\n\n");
    }
    if let Some(backends) = backends(entry) {
        let _ = write!(page, "{backends}\n\n");
    }
    let example = &entry["example"];
    let code = text(&example["text"]);
    if code.starts_with("- ") {
        let _ = write!(
            page,
            "```yaml\n{code}\n```\n{}\n",
            examples::frames(example)
        );
    } else {
        let _ = write!(
            page,
            "```python\n{code}\n{}\n```\n",
            examples::columns(example)
        );
    }
}

/// Operators are short enough for a table.
fn operators(page: &mut String, members: &[&Value]) {
    page.push_str(
        "| operator | types | what it gives | null and NaN | example |\n|---|---|---|---|---|\n",
    );
    for entry in members {
        let example = &entry["example"];
        let _ = writeln!(
            page,
            "| `{}` | {} | {} | {} | `{}`: {} |",
            cell(text(&entry["call"])),
            cell(text(&entry["types"])),
            cell(text(&entry["doc"])),
            cell(text(&entry["nulls"])),
            cell(text(&example["text"])),
            cell(&examples::line(example)),
        );
    }
}

/// What users of other libraries look for.
pub(super) fn refused(docs: &Value) -> String {
    let mut page = String::from("| elsewhere | here |\n|---|---|\n");
    for refused in list(&docs["refused"]) {
        let kind = text(&refused["kind"]);
        let name = match kind {
            "method of expressions" => format!("`.{}()`", text(&refused["name"])),
            "step" => format!("step `{}`", text(&refused["name"])),
            _ => continue,
        };
        let _ = writeln!(page, "| {name} | {} |", cell(text(&refused["instead"])));
    }
    page
}
