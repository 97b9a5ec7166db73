//! What pages are made of: parts between comments, headings with anchors, escapes, lists of contents.

use serde_json::Value;

/// A page with one of its parts replaced: what stands between its two comments.
pub(super) fn with_part(page: &str, part: &str, body: &str) -> Result<String, String> {
    let begin = format!("<!-- begin: {part}, by cargo xtask generate -->\n");
    let end = format!("<!-- end: {part} -->");
    let start = page
        .find(&begin)
        .ok_or_else(|| format!("there is no line `{}`", begin.trim_end()))?
        + begin.len();
    let stop = page[start..]
        .find(&end)
        .ok_or_else(|| format!("there is no line `{end}`"))?
        + start;
    Ok(format!(
        "{}\n{}\n\n{}",
        &page[..start],
        body.trim(),
        &page[stop..]
    ))
}

pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

pub(super) fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// Entries of some kinds, in their order.
pub(super) fn entries<'a>(docs: &'a Value, kinds: &[&str]) -> Vec<&'a Value> {
    list(&docs["entries"])
        .filter(|entry| kinds.contains(&text(&entry["kind"])))
        .collect()
}

/// Entries by group, in the order of the groups.
pub(super) fn groups<'a>(entries: &[&'a Value]) -> Vec<(&'a str, Vec<&'a Value>)> {
    let mut groups: Vec<(&str, Vec<&Value>)> = Vec::new();
    for entry in entries {
        let group = text(&entry["group"]);
        match groups.iter_mut().find(|(name, _)| *name == group) {
            Some((_, members)) => members.push(entry),
            None => groups.push((group, vec![entry])),
        }
    }
    groups
}

/// A text within a cell of a table, where a bar would end the cell.
pub(super) fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// The anchor that a heading gets.
pub(super) fn anchor(heading: &str) -> String {
    heading
        .to_lowercase()
        .chars()
        .filter_map(|char| match char {
            ' ' => Some('-'),
            char if char.is_alphanumeric() || matches!(char, '-' | '_') => Some(char),
            _ => None,
        })
        .collect()
}

/// A list of contents: groups, and links to what is in each.
pub(super) fn contents(groups: &[(&str, Vec<&Value>)], title: impl Fn(&Value) -> String) -> String {
    let mut lines = Vec::new();
    let mut seen: Vec<String> = Vec::new();
    for (group, members) in groups {
        let mut linked = |heading: &str| {
            let plain = anchor(heading);
            let before = seen.iter().filter(|known| **known == plain).count();
            seen.push(plain.clone());
            match before {
                0 => plain,
                count => format!("{plain}-{count}"),
            }
        };
        let group_anchor = linked(group);
        let links: Vec<String> = members
            .iter()
            .map(|member| {
                let title = title(member);
                // Operators are rows of a table, and signs make no anchor.
                let named = title.chars().any(char::is_alphanumeric);
                match named && text(&member["kind"]) != "operator" {
                    true => format!("[`{title}`](#{})", linked(&title)),
                    false => format!("`{title}`"),
                }
            })
            .collect();
        lines.push(format!(
            "- [{group}](#{group_anchor}): {}",
            links.join(", ")
        ));
    }
    lines.join("\n")
}

/// What an entry does, with what it does with null where that matters.
pub(super) fn doc(entry: &Value) -> String {
    match text(&entry["nulls"]) {
        "no matter" => text(&entry["doc"]).to_owned(),
        nulls => format!("{} *Null: {nulls}.*", text(&entry["doc"])),
    }
}

/// What a list of parameters says, one on each line.
pub(super) fn parameters(entry: &Value) -> String {
    let lines: Vec<String> = list(&entry["parameters"])
        .map(|parameter| {
            let name = text(&parameter["name"]);
            let star = if parameter["variadic"] == true {
                "\\*"
            } else {
                ""
            };
            let default = match (&parameter["default"], &parameter["required"]) {
                (Value::String(default), _) => format!("; default: {}", default_text(default)),
                (_, Value::Bool(true)) => "; required".to_owned(),
                _ => String::new(),
            };
            let keyword = match parameter["keyword_only"] == true {
                true => "; by name only",
                false => "",
            };
            format!(
                "- **{star}{name}** ({}{default}{keyword}): {}",
                text(&parameter["takes"]),
                text(&parameter["doc"])
            )
        })
        .collect();
    lines.join("\n")
}

/// Values stand in code, words do not.
fn default_text(default: &str) -> String {
    match default.contains(' ') {
        true => default.to_owned(),
        false => format!("`{default}`"),
    }
}

/// A sentence on the backends, where one lacks something.
pub(super) fn backends(entry: &Value) -> Option<String> {
    let lacking: Vec<String> = entry["backends"]
        .as_object()?
        .iter()
        .filter_map(|(name, support)| {
            let note = text(&support["note"]);
            match text(&support["support"]) {
                "full" => None,
                "partial" => Some(format!("{name}: {note}")),
                "not_yet" => Some(format!("{name}: not yet, {note}")),
                _ => Some(format!("not on {name}")),
            }
        })
        .collect();
    (!lacking.is_empty()).then(|| format!("Backends: {}.", lacking.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_replaced_and_the_rest_stays() {
        let page = "a\n<!-- begin: x, by cargo xtask generate -->\nold\n<!-- end: x -->\nb\n";
        let fresh = with_part(page, "x", "new").unwrap();
        assert_eq!(
            fresh,
            "a\n<!-- begin: x, by cargo xtask generate -->\n\nnew\n\n<!-- end: x -->\nb\n"
        );
        assert_eq!(with_part(&fresh, "x", "new").unwrap(), fresh);
        assert!(with_part(page, "y", "").is_err());
    }

    #[test]
    fn anchors_are_those_of_headings() {
        assert_eq!(anchor("Order and windows"), "order-and-windows");
        assert_eq!(anchor(".str.len_chars"), "strlen_chars");
        assert_eq!(anchor("Laktory's own"), "laktorys-own");
    }
}
