//! Entries looked up by what users type.

use super::entry::{Entry, EntryKind};
use crate::suggest::nearest;

/// The entries that a name means: exactly, or else by its last part (`contains` is `str.contains` and `list.contains`).
/// Names of SQL are found in any case of letters; what stands around a name in code is passed over.
#[must_use]
pub fn find<'a>(entries: &'a [Entry], asked: &str) -> Vec<&'a Entry> {
    let asked = bare(asked);
    let all = |test: &dyn Fn(&Entry) -> bool| -> Vec<&'a Entry> {
        entries.iter().filter(|entry| test(entry)).collect()
    };
    let exact = all(&|entry| {
        names(entry).any(|name| match entry.kind {
            EntryKind::Sql | EntryKind::Clause => name.eq_ignore_ascii_case(&asked),
            _ => name == asked,
        })
    });
    if !exact.is_empty() {
        return exact;
    }
    all(&|entry| {
        let last = names(entry).any(|name| name.rsplit('.').next() == Some(asked.as_str()));
        last && entry.kind != EntryKind::Sql
    })
}

/// The names that are near to one that is not known, at most five.
#[must_use]
pub fn near<'a>(entries: &'a [Entry], asked: &str) -> Vec<&'a str> {
    let asked = bare(asked);
    let mut candidates: Vec<&str> = entries.iter().flat_map(names).collect();
    let mut found = Vec::new();
    while found.len() < 5 {
        let last = |name: &'a str| name.rsplit('.').next().unwrap_or(name);
        let whole = nearest(&asked, candidates.iter().copied());
        let near = whole.or_else(|| {
            let part = nearest(&asked, candidates.iter().map(|name| last(name)))?;
            candidates.iter().copied().find(|name| last(name) == part)
        });
        let Some(near) = near else {
            break;
        };
        candidates.retain(|name| *name != near);
        found.push(near);
    }
    found
}

fn names(entry: &Entry) -> impl Iterator<Item = &'static str> {
    std::iter::once(entry.name).chain(entry.aliases.iter().copied())
}

/// The name within `nw.col('x').str.contains('a')`.
fn bare(asked: &str) -> String {
    let asked = asked.trim();
    let name = match (asked.rfind(")."), asked.find('(')) {
        (Some(at), _) => &asked[at + 2..],
        (None, Some(at)) if at > 0 => &asked[..at],
        _ => asked,
    };
    let name = name.split_once('(').map_or(name, |(name, _)| name);
    let name = name.strip_prefix("nw.").unwrap_or(name);
    let name = name
        .strip_prefix('.')
        .filter(|rest| !rest.is_empty())
        .unwrap_or(name);
    match name.strip_prefix("cs.") {
        Some(selector) => format!("selectors.{selector}"),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_as_users_type_them() {
        let entries = super::super::entries();
        let found = |asked: &str| -> Vec<&str> {
            find(&entries, asked)
                .iter()
                .map(|entry| entry.name)
                .collect()
        };
        assert_eq!(found("str.contains"), ["str.contains"]);
        assert_eq!(found("nw.col('x').str.contains('a')"), ["str.contains"]);
        assert_eq!(found("contains").first(), Some(&"CONTAINS"));
        assert_eq!(found("lpad"), ["LPAD"]);
        assert_eq!(found("char_length"), ["LENGTH"]);
        assert_eq!(found("join"), ["join"]);
        assert_eq!(found("cs.numeric()"), ["selectors.numeric"]);
        assert_eq!(found("len_chars"), ["str.len_chars"]);
        assert_eq!(found("nw.coalesce"), ["coalesce", "COALESCE"]);
        assert!(found("nothing_like_it").is_empty());
        assert_eq!(near(&entries, "joim").first(), Some(&"join"));
        assert!(near(&entries, "to_upercase").contains(&"str.to_uppercase"));
    }
}
