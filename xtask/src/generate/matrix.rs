//! The support matrix, from what the linked drivers declare.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::Value;

/// Sections of functions: title, and what paths in it begin with.
const SECTIONS: &[(&str, &[&str])] = &[
    ("Text", &["str."]),
    ("Time", &["dt."]),
    (
        "Lists, structs, maps, categories",
        &["list.", "struct.", "map.", "cat."],
    ),
    ("Laktory's own", &["laktory."]),
    ("SQL, where its meaning is another", &["sql."]),
];

/// The page as Markdown.
pub(super) fn render(declared: &Value) -> String {
    let backends: Vec<&Value> = entries(&declared["backends"]).collect();
    let names: Vec<&str> = backends
        .iter()
        .map(|backend| text(&backend["name"]))
        .collect();
    let mut page = String::from(
        "# Support matrix\n\n\
         Printed by `cargo xtask generate` from what the drivers declare; do not edit it by hand. `laktory backends --all` says\n\
         the same of the engines in your build. A pipeline that uses something unsupported is refused before a row is read.\n\n",
    );
    for backend in &backends {
        let _ = writeln!(
            page,
            "- **{}**{}: {}",
            text(&backend["name"]),
            if backend["default"] == true {
                " (default)"
            } else {
                ""
            },
            text(&backend["engine"])
        );
    }
    page.push_str("\n## Formats\n\n");
    formats(&mut page, &backends, &names);
    page.push_str("\n## Steps\n\n");
    let steps = entries(&declared["steps"]);
    let rows = steps.map(|step| (vec![escaped(text(&step["name"]))], cells(step, &names)));
    table(&mut page, &["step"], &names, rows);
    page.push_str(
        "\n## Functions\n\n\
         *elementwise*: one value for each row, from that row alone. *aggregate*: one value for all rows. *ordered*: looks at other\n\
         rows in an order, which `over(order_by=...)` gives. *window*: looks at other rows, whatever their order.\n\
         *length_changing*: another number of rows, to be followed by an aggregate.\n",
    );
    let functions: Vec<&Value> = entries(&declared["functions"]).collect();
    let prefixed = |function: &Value, prefixes: &[&str]| {
        let path = text(&function["path"]);
        prefixes.iter().any(|prefix| path.starts_with(prefix))
    };
    let named: Vec<&str> = SECTIONS
        .iter()
        .flat_map(|(_, prefixes)| *prefixes)
        .copied()
        .collect();
    let plain = functions
        .iter()
        .filter(|function| !prefixed(function, &named));
    let (operators, plain): (Vec<&Value>, Vec<&Value>) =
        plain.partition(|function| function["receiver"] == "operator");
    section(&mut page, "Operators", &operators, &names);
    section(
        &mut page,
        "Numbers, nulls, aggregates, windows",
        &plain,
        &names,
    );
    for (title, prefixes) in SECTIONS {
        let members: Vec<&Value> = functions
            .iter()
            .filter(|function| prefixed(function, prefixes))
            .copied()
            .collect();
        section(&mut page, title, &members, &names);
    }
    page
}

fn section(page: &mut String, title: &str, functions: &[&Value], names: &[&str]) {
    let _ = writeln!(page, "\n### {title}\n");
    let rows = functions.iter().map(|function| {
        let fixed = vec![
            format!("`{}`", escaped(&signature(function))),
            text(&function["kind"]).to_owned(),
            escaped(text(&function["doc"])),
            escaped(text(&function["nulls"])),
        ];
        (fixed, cells(function, names))
    });
    table(
        page,
        &["function", "kind", "what it gives", "null and NaN"],
        names,
        rows,
    );
}

/// How a function is written: `.round(decimals=0)`, `coalesce(*exprs)`, `+`.
fn signature(function: &Value) -> String {
    let path = text(&function["path"]);
    if function["receiver"] == "operator" {
        return path.to_owned();
    }
    let mut star = false;
    let mut parameters: Vec<String> = Vec::new();
    for parameter in entries(&function["parameters"]) {
        if parameter["keyword_only"] == true && !star {
            star = true;
            // What comes behind a variadic parameter is given by name anyway.
            if !parameters.iter().any(|known| known.starts_with('*')) {
                parameters.push("*".to_owned());
            }
        }
        let name = text(&parameter["name"]);
        parameters.push(match &parameter["default"] {
            _ if parameter["variadic"] == true => format!("*{name}"),
            Value::Null if parameter["required"] == true => name.to_owned(),
            Value::Null => format!("{name}=None"),
            Value::Bool(true) => format!("{name}=True"),
            Value::Bool(false) => format!("{name}=False"),
            Value::String(value) => format!("{name}='{value}'"),
            Value::Number(value) if value.as_f64() == Some(std::f64::consts::E) => {
                format!("{name}=e")
            }
            other => format!("{name}={other}"),
        });
    }
    let dot = if function["receiver"] == "method" {
        "."
    } else {
        ""
    };
    format!("{dot}{path}({})", parameters.join(", "))
}

fn formats(page: &mut String, backends: &[&Value], names: &[&str]) {
    let formats: BTreeSet<&str> = backends
        .iter()
        .flat_map(|backend| [&backend["reads"], &backend["writes"]])
        .filter_map(Value::as_object)
        .flat_map(|formats| formats.keys().map(String::as_str))
        .collect();
    let directions = [("read", "reads"), ("write", "writes")];
    let rows = formats.iter().flat_map(|format| {
        directions.iter().map(|(shown, key)| {
            let supports = backends
                .iter()
                .map(|backend| support(&backend[*key][*format]));
            let options: BTreeSet<&str> = backends
                .iter()
                .flat_map(|backend| entries(&backend[*key][*format]["options"]))
                .map(text)
                .collect();
            let options: Vec<String> = options
                .into_iter()
                .map(|option| {
                    let lacking: Vec<&str> = backends
                        .iter()
                        .filter(|backend| {
                            let known = &backend[*key][*format];
                            is_available(known)
                                && !entries(&known["options"]).any(|known| known == option)
                        })
                        .map(|backend| text(&backend["name"]))
                        .collect();
                    if lacking.is_empty() {
                        format!("`{option}`")
                    } else {
                        format!("`{option}` (not {})", lacking.join(", "))
                    }
                })
                .collect();
            let fixed = vec![
                (*format).to_owned(),
                (*shown).to_owned(),
                options.join(", "),
            ];
            (fixed, supports.collect())
        })
    });
    table(page, &["format", "", "options"], names, rows);
}

fn is_available(support: &Value) -> bool {
    matches!(support["support"].as_str(), Some("full" | "partial"))
}

/// What each backend does, in the order of `names`.
fn cells(entry: &Value, names: &[&str]) -> Vec<(&'static str, String)> {
    let backends = &entry["backends"];
    names.iter().map(|name| support(&backends[*name])).collect()
}

/// A word, and the note to it.
fn support(support: &Value) -> (&'static str, String) {
    let word = match support["support"].as_str() {
        Some("full") => "yes",
        Some("partial") => "partly",
        Some("not_yet") => "not yet",
        _ => "no",
    };
    (word, text(&support["note"]).to_owned())
}

/// A table with one column for each backend, and its notes below.
fn table(
    page: &mut String,
    fixed: &[&str],
    names: &[&str],
    rows: impl Iterator<Item = (Vec<String>, Vec<(&'static str, String)>)>,
) {
    let header: Vec<&str> = fixed.iter().chain(names).copied().collect();
    let _ = writeln!(page, "| {} |", header.join(" | "));
    let _ = writeln!(page, "|{}", "---|".repeat(header.len()));
    let mut notes: Vec<(String, String)> = Vec::new();
    for (mut row, supports) in rows {
        for (name, (word, note)) in names.iter().zip(supports) {
            if note.is_empty() {
                row.push(word.to_owned());
                continue;
            }
            let note = ((*name).to_owned(), note);
            let number = notes
                .iter()
                .position(|known| *known == note)
                .unwrap_or_else(|| {
                    notes.push(note);
                    notes.len() - 1
                });
            row.push(format!("{word} ({})", number + 1));
        }
        let _ = writeln!(page, "| {} |", row.join(" | "));
    }
    if !notes.is_empty() {
        page.push('\n');
    }
    for (number, (name, note)) in notes.iter().enumerate() {
        let _ = writeln!(page, "{}. {name}: {note}", number + 1);
    }
}

fn entries(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A text in a cell of a table.
fn escaped(text: &str) -> String {
    text.replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn notes_are_numbered_once_and_bars_are_escaped() {
        let partly = json!({"support": "partial", "note": "slowly"});
        let declared = json!({
            "backends": [
                {"name": "A", "default": true, "engine": "a 1", "reads": {"CSV": {"support": "full", "options": ["x"]}}},
                {"name": "B", "engine": "b 2", "reads": {"CSV": {"support": "full", "options": []}}},
            ],
            "steps": [
                {"name": "select", "backends": {"A": {"support": "full"}, "B": partly}},
                {"name": "sort", "backends": {"A": {"support": "never"}, "B": partly}},
            ],
            "functions": [
                {"path": "|", "receiver": "operator", "kind": "elementwise", "doc": "Or.", "nulls": "Kleene",
                 "parameters": [], "backends": {"A": {"support": "full"}}},
                {"path": "str.split", "receiver": "method", "kind": "elementwise", "doc": "Parts.", "nulls": "null",
                 "parameters": [{"name": "by", "required": true}, {"name": "n", "default": 1, "keyword_only": true}],
                 "backends": {"A": {"support": "full"}, "B": {"support": "not_yet", "note": "soon"}}},
            ],
        });
        let page = render(&declared);
        for line in [
            "- **A** (default): a 1",
            "| CSV | read | `x` (not B) | yes | yes |",
            "| CSV | write |  | no | no |",
            "| select | yes | partly (1) |",
            "| sort | no | partly (1) |",
            "1. B: slowly",
            "| `\\|` | elementwise | Or. | Kleene | yes | no |",
            "| `.str.split(by, *, n=1)` | elementwise | Parts. | null | yes | not yet (1) |",
        ] {
            assert!(page.lines().any(|known| known == line), "{line}\n{page}");
        }
    }
}
