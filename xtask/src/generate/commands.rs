//! The reference of the command line.

use std::fmt::Write as _;

use serde_json::Value;

use super::page::{anchor, cell, list, text};

pub(super) fn render(docs: &Value) -> String {
    let command = &docs["command"];
    let name = text(&command["name"]);
    let mut page = String::from("| command | what it does |\n|---|---|\n");
    for sub in list(&command["commands"]) {
        let title = title(name, sub);
        let _ = writeln!(
            page,
            "| [`{}`](#{}) | {} |",
            usage(name, sub),
            anchor(&title),
            text(&sub["about"])
        );
    }
    page.push_str("\n### Options of every command\n\n");
    options(&mut page, &command["global"]);
    for sub in list(&command["commands"]) {
        let _ = write!(page, "\n### {}\n\n", title(name, sub));
        let _ = write!(page, "`{}`\n\n{}\n", usage(name, sub), text(&sub["about"]));
        if list(&sub["arguments"]).next().is_some() {
            page.push('\n');
            options(&mut page, &sub["arguments"]);
        }
        let after = text(&sub["after"]);
        if !after.is_empty() {
            let _ = write!(page, "\n```text\n{after}\n```\n");
        }
    }
    page
}

fn title(name: &str, sub: &Value) -> String {
    format!("{name} {}", text(&sub["name"]))
}

/// `laktory show FILE NODE`.
fn usage(name: &str, sub: &Value) -> String {
    let mut usage = title(name, sub);
    for argument in list(&sub["arguments"]).filter(|argument| is_positional(argument)) {
        let value = text(&argument["value"]);
        let many = if argument["many"] == true { ".." } else { "" };
        let _ = match argument["required"] == true {
            true => write!(usage, " {value}{many}"),
            false => write!(usage, " [{value}{many}]"),
        };
    }
    usage
}

fn is_positional(argument: &Value) -> bool {
    argument["long"].is_null() && argument["short"].is_null()
}

fn options(page: &mut String, arguments: &Value) {
    page.push_str("| option | meaning |\n|---|---|\n");
    for argument in list(arguments) {
        let short = argument["short"].as_str().map(|short| format!("-{short}"));
        let long = argument["long"].as_str().map(|long| format!("--{long}"));
        let aliases = list(&argument["aliases"]).map(|alias| format!("--{}", text(alias)));
        let names: Vec<String> = short.into_iter().chain(long).chain(aliases).collect();
        let value = text(&argument["value"]);
        let written = match (names.is_empty(), value) {
            (true, value) => format!("`{value}`"),
            (false, "") => format!("`{}`", names.join("`, `")),
            (false, value) => format!("`{} {value}`", names.join("`, `")),
        };
        // The help of a terminal has no period at its end.
        let mut meaning = format!("{}.", text(&argument["help"]).trim_end_matches('.'));
        let values: Vec<String> = list(&argument["values"])
            .map(|value| format!("`{}`", text(value)))
            .collect();
        if !values.is_empty() && values.len() < 8 && !value.is_empty() {
            let _ = write!(meaning, " One of {}.", values.join(", "));
        }
        let default: Vec<&str> = list(&argument["default"]).map(text).collect();
        if !default.is_empty() && !value.is_empty() {
            let _ = write!(meaning, " Default: `{}`.", default.join(", "));
        }
        let _ = writeln!(page, "| {} | {} |", cell(&written), cell(&meaning));
    }
}
