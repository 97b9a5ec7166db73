//! The reference of SQL.

use std::fmt::Write as _;

use serde_json::Value;

use super::examples;
use super::page::{anchor, cell, contents, doc, entries, groups, list, text};

/// Clauses of statements.
pub(super) fn statements(docs: &Value) -> String {
    let clauses = entries(docs, &["clause"]);
    let links: Vec<String> = clauses
        .iter()
        .map(|clause| {
            let name = text(&clause["name"]);
            format!("[{name}](#{})", heading_anchor(name))
        })
        .collect();
    let mut page = format!("{}\n", links.join(" · "));
    for clause in clauses {
        let name = text(&clause["name"]);
        let _ = write!(page, "\n### {}\n\n", heading(name));
        let _ = write!(page, "```sql\n{}\n```\n\n", text(&clause["call"]));
        let _ = write!(page, "{}\n\n", doc(clause));
        let example = &clause["example"];
        let _ = write!(page, "```sql\n{}\n```\n", text(&example["text"]));
        let _ = writeln!(page, "{}", examples::frames(example));
    }
    page
}

/// A star alone would be no heading that a link finds.
fn heading(name: &str) -> String {
    match name {
        "*" => "The star".to_owned(),
        "sub-query" => "Sub-queries".to_owned(),
        name => name.to_owned(),
    }
}

fn heading_anchor(name: &str) -> String {
    anchor(&heading(name))
}

/// Functions and constructs, a table for each group.
pub(super) fn functions(docs: &Value) -> String {
    let functions = entries(docs, &["sql"]);
    let groups = groups(&functions);
    let mut page = contents(&groups, |entry| text(&entry["name"]).to_owned());
    page.push('\n');
    for (group, members) in &groups {
        let _ = write!(page, "\n### {group}\n\n");
        page.push_str("| written | types | what it gives | example |\n|---|---|---|---|\n");
        for entry in members {
            let example = &entry["example"];
            let aliases: Vec<&str> = list(&entry["aliases"]).map(text).collect();
            let also = match aliases.is_empty() {
                true => String::new(),
                false => format!("<br>also `{}`", aliases.join("`, `")),
            };
            let only = match entry["statements_only"] == true {
                true => " Statements only.",
                false => "",
            };
            let name = text(&entry["name"]);
            let named = name.chars().any(char::is_alphanumeric);
            if named {
                let _ = write!(page, "| <a id=\"{}\"></a>", anchor(name));
            } else {
                page.push_str("| ");
            }
            let _ = writeln!(
                page,
                "`{}`{} | {} | {}{only} *Null: {}.* | `{}`<br>{} |",
                cell(text(&entry["call"])),
                cell(&also),
                cell(text(&entry["types"])),
                cell(text(&entry["doc"])),
                cell(text(&entry["nulls"])),
                cell(text(&example["text"])),
                cell(&examples::line(example)),
            );
        }
    }
    page
}

/// Types, as SQL and expressions write them.
pub(super) fn types(docs: &Value) -> String {
    let mut page = String::from("| SQL | expressions and schemas | values |\n|---|---|---|\n");
    for row in list(&docs["types"]) {
        let sql: Vec<String> = list(&row["sql"])
            .map(|name| format!("`{}`", text(name)))
            .collect();
        let sql = match sql.is_empty() {
            true => "-".to_owned(),
            false => sql.join(", "),
        };
        let _ = writeln!(
            page,
            "| {sql} | `nw.{}` | {} |",
            text(&row["name"]),
            cell(text(&row["doc"]))
        );
    }
    page
}

/// What is refused by name.
pub(super) fn refused(docs: &Value) -> String {
    let of = |kind: &str| -> Vec<&Value> {
        list(&docs["refused"])
            .filter(|refused| refused["kind"] == kind)
            .collect()
    };
    let instead = |refused: &Value| match text(&refused["instead"]) {
        "" => "-".to_owned(),
        instead => cell(instead),
    };
    let mut page = String::from("| in a statement | write instead |\n|---|---|\n");
    for refused in of("statement") {
        let _ = writeln!(
            page,
            "| {} | {} |",
            cell(text(&refused["name"])),
            instead(refused)
        );
    }
    page.push_str("\n| function | write instead |\n|---|---|\n");
    for refused in of("function of SQL") {
        let _ = writeln!(
            page,
            "| `{}` | {} |",
            text(&refused["name"]),
            instead(refused)
        );
    }
    page
}
