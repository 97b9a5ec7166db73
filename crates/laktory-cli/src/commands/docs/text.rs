//! The reference for people at a terminal.

use std::fmt::Write as _;

use laktory::core::{Registry, Support};
use laktory::reference::{self, Entry, Refused, SqlPlace};
use laktory::table::wrapped;

/// Columns that fit where there is no terminal.
const WIDTH: usize = 100;

/// Names of all entries, group by group.
pub(super) fn contents(entries: &[Entry], width: Option<usize>) -> String {
    let mut text = contents_of(entries.iter(), width);
    text.push_str("\n\n`laktory docs NAME` tells more, such as `laktory docs str.contains`");
    text
}

/// The same of some.
pub(super) fn contents_of<'a>(
    entries: impl Iterator<Item = &'a Entry>,
    width: Option<usize>,
) -> String {
    let mut groups: Vec<(&str, &str, Vec<&str>)> = Vec::new();
    for entry in entries {
        let page = page(entry);
        match groups.last_mut() {
            Some((last, group, names)) if *last == page && *group == entry.group => {
                names.push(entry.name);
            }
            _ => groups.push((page, entry.group, vec![entry.name])),
        }
    }
    let mut lines = Vec::new();
    let mut last = "";
    for (page, group, names) in groups {
        if page != last {
            last = page;
            lines.push(format!(
                "{}{page}",
                if lines.is_empty() { "" } else { "\n" }
            ));
        }
        lines.push(format!("  {group}"));
        lines.push(filled(&names.join(", "), "    ", width));
    }
    lines.join("\n")
}

fn page(entry: &Entry) -> &'static str {
    use laktory::reference::EntryKind as K;
    match entry.kind {
        K::Step => "STEPS",
        K::Function | K::Method | K::Operator => "EXPRESSIONS",
        _ => "SQL",
    }
}

/// All that is known of an entry.
pub(super) fn entry(entry: &Entry, registry: &Registry, width: Option<usize>) -> String {
    let mut text = format!("{}  ({})\n\n", entry.name, entry.kind.title());
    let _ = writeln!(text, "  {}", entry.call);
    if !entry.types.is_empty() {
        let _ = writeln!(text, "  {}", entry.types);
    }
    if !entry.aliases.is_empty() {
        let _ = writeln!(text, "  also {}", entry.aliases.join(", "));
    }
    let _ = writeln!(text, "\n{}", filled(&plain(entry.doc), "", width));
    if entry.nulls != "no matter" {
        let nulls = format!("Null: {}.", entry.nulls);
        let _ = writeln!(text, "{}", filled(&nulls, "", width));
    }
    if !entry.parameters.is_empty() {
        text.push_str("\nArguments\n");
        for parameter in &entry.parameters {
            let default = match (&parameter.default, parameter.required) {
                (Some(default), _) => format!("; by default {default}"),
                (None, true) => String::new(),
                (None, false) => "; may be left out".to_owned(),
            };
            let line = format!("{}: {}{default}", parameter.name, parameter.takes);
            let _ = writeln!(text, "{}", filled(&line, "  ", width));
            let _ = writeln!(text, "{}", filled(parameter.doc, "    ", width));
        }
    }
    text.push_str("\nExample\n");
    for line in entry.example.given.lines() {
        let _ = writeln!(text, "  {line}");
    }
    for (at, line) in entry.example.text.lines().enumerate() {
        let sign = if at == 0 { ">" } else { " " };
        let _ = writeln!(text, "  {sign} {line}");
    }
    let _ = writeln!(text, "  {}", entry.example.gives);
    if entry.place == SqlPlace::Statements {
        text.push_str("\nIn SQL steps only, not in expressions.\n");
    }
    let backends: Vec<String> = reference::support(entry, registry)
        .into_iter()
        .filter_map(|(name, support)| match support {
            Support::Full => Some(name.to_owned()),
            Support::Partial { note } => Some(format!("{name} ({note})")),
            Support::NotYet { reason } => Some(format!("{name} not yet ({reason})")),
            _ => None,
        })
        .collect();
    if !backends.is_empty() {
        let _ = write!(text, "\nBackends: {}", backends.join(", "));
    }
    text.trim_end().to_owned()
}

/// What is refused, and what to write.
pub(super) fn refused(refused: &[&Refused]) -> String {
    let lines: Vec<String> = refused
        .iter()
        .map(|refused| {
            let instead = match refused.instead {
                "" => "nothing takes its place",
                instead => instead,
            };
            format!(
                "{}  (refused: no {} here)\n\n  {instead}",
                refused.name, refused.kind
            )
        })
        .collect();
    lines.join("\n\n")
}

/// Markdown without the addresses of its links.
fn plain(doc: &str) -> String {
    let mut text = String::new();
    let mut rest = doc;
    while let Some((before, after)) = rest.split_once("](") {
        let (open, shown) = match before.rfind('[') {
            Some(at) => (&before[..at], &before[at + 1..]),
            None => (before, ""),
        };
        text.push_str(open);
        text.push_str(shown);
        rest = after.split_once(')').map_or("", |(_, rest)| rest);
    }
    text + rest
}

/// A text broken between words, each line behind a margin.
fn filled(text: &str, margin: &str, width: Option<usize>) -> String {
    let room = width.unwrap_or(WIDTH).saturating_sub(margin.len()).max(20);
    let broken = wrapped(text, Some(room), "");
    let lines: Vec<String> = broken
        .lines()
        .map(|line| format!("{margin}{line}"))
        .collect();
    lines.join("\n")
}
