//! What a fault of an engine does not say: how the user probably meant it. By the text at the fault and the names around it,
//! whatever the engine.

use laktory_core::{Error, ErrorKind, Subject};
use laktory_syntax::nearest;

/// Where a fault is, as far as hints depend on it.
pub(crate) struct Place<'a> {
    /// The text of the step, rule or argument.
    pub(crate) text: &'a str,
    /// Whether it is SQL.
    pub(crate) sql: bool,
    /// Names of the pipeline's nodes.
    pub(crate) nodes: Vec<&'a str>,
}

/// A hint that takes the place of the engine's own.
pub(crate) fn hint(error: &Error, place: &Place<'_>) -> Option<String> {
    if place.sql
        && let Some(node) = bare_node(place)
        && error.kind() != ErrorKind::ColumnNotFound
        && names(error.message(), node)
    {
        return Some(format!(
            "`{node}` is a node of the pipeline: write `{{nodes.{node}}}`"
        ));
    }
    if !matches!(
        error.kind(),
        ErrorKind::ColumnNotFound | ErrorKind::FieldNotFound
    ) {
        return None;
    }
    let name = match error.subject() {
        Some(Subject::Name(name) | Subject::Other(name)) => name.as_str(),
        _ => error.message().split('`').nth(1)?,
    };
    let mut columns: Vec<&str> = error.siblings().iter().map(String::as_str).collect();
    if columns.is_empty() {
        columns = self::columns(error.hint());
    }
    let listed = |hint: String| match error.hint().filter(|_| !columns.is_empty()) {
        Some(known) => format!("{hint}; {known}"),
        None => hint,
    };
    // A condition is SQL too, and reads no frame by itself.
    let is_statement = place.sql && has_word(place.text, "select");
    if is_statement && !has_word(place.text, "from") {
        return Some("the statement reads no frame: add `FROM {df}`".to_owned());
    }
    let is_named = [format!("col('{name}')"), format!("col(\"{name}\")")]
        .iter()
        .any(|column| place.text.contains(column));
    if !place.sql
        && !is_named
        && let Some(hint) = meant_expression(name, &columns)
    {
        return Some(listed(hint));
    }
    if let Some(nearest) = nearest(name, columns.iter().copied()) {
        return Some(listed(format!("did you mean `{nearest}`?")));
    }
    let (double, single) = (format!("\"{name}\""), format!("'{name}'"));
    if place.sql && place.text.contains(&double) {
        let hint =
            format!("a text is written in single quotes: `{single}`; double quotes name columns");
        return Some(listed(hint));
    }
    let is_value = [double, single].iter().any(|quoted| {
        let mut found = place.text.match_indices(quoted.as_str());
        found.any(|(at, _)| !place.text[..at].trim_end().ends_with("col("))
    });
    if error.kind() == ErrorKind::ColumnNotFound
        && !place.sql
        && place.text.contains("nw.")
        && is_value
    {
        return Some(listed(format!(
            "the text `{name}` as a value is `nw.lit('{name}')`"
        )));
    }
    None
}

/// The names in `columns here: ...`.
fn columns(hint: Option<&str>) -> Vec<&str> {
    let Some(names) = hint.and_then(|hint| hint.strip_prefix("columns here: ")) else {
        return Vec::new();
    };
    names.trim_matches('`').split("`, `").collect()
}

/// A node that SQL reads as if it were a table.
fn bare_node<'a>(place: &Place<'a>) -> Option<&'a str> {
    // The text may be in quotes, as the file has it.
    let mut words = place.text.split_whitespace();
    while let Some(word) = words.next() {
        if !(word.eq_ignore_ascii_case("from") || word.eq_ignore_ascii_case("join")) {
            continue;
        }
        let table = words
            .clone()
            .next()?
            .trim_matches([',', ';', ')', '(', '"', '`', '\'']);
        if let Some(node) = place.nodes.iter().find(|node| **node == table) {
            return Some(*node);
        }
    }
    None
}

/// Whether a message names a node, in quotes; engines may have its name in other letters, and behind those of schemas.
fn names(message: &str, node: &str) -> bool {
    let mut quoted = message.split(['`', '\'', '"']).skip(1).step_by(2);
    quoted.any(|name| {
        let last = name.rsplit('.').next().unwrap_or(name);
        last.eq_ignore_ascii_case(node) || name.eq_ignore_ascii_case(node)
    })
}

fn has_word(text: &str, wanted: &str) -> bool {
    text.split(|letter: char| !letter.is_alphanumeric() && letter != '_')
        .any(|word| word.eq_ignore_ascii_case(wanted))
}

/// What to write for a text that was meant as an expression and taken as the name of a column.
fn meant_expression(name: &str, columns: &[&str]) -> Option<String> {
    if ["laktory.", "sql."]
        .iter()
        .any(|start| name.starts_with(start))
    {
        return Some(format!("an expression begins with `nw.`: `nw.{name}`"));
    }
    if name.contains(['(', '[']) {
        return Some(
            "a text is the name of a column; an expression begins with `nw.`: `nw.col('x')`"
                .to_owned(),
        );
    }
    if !name.contains(['+', '-', '*', '/', '%', '<', '>', '=', '&', '|', '~']) {
        return None;
    }
    let mut meant = String::new();
    let mut word = String::new();
    let mut known = false;
    for letter in name.chars().chain([' ']) {
        if letter.is_alphanumeric() || letter == '_' {
            word.push(letter);
            continue;
        }
        if columns.contains(&word.as_str()) {
            known = true;
            meant.push_str(&format!("nw.col('{word}')"));
        } else {
            meant.push_str(&word);
        }
        word.clear();
        meant.push(letter);
    }
    let meant = meant.trim_end();
    known.then(|| format!("a text is the name of a column; the expression is `{meant}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hinted(message: &str, text: &str, sql: bool) -> Option<String> {
        let error = Error::new(ErrorKind::ColumnNotFound, message);
        let error = error.with_hint("columns here: `order_id`, `k`, `v`");
        let place = Place {
            text,
            sql,
            nodes: vec!["brz_orders"],
        };
        hint(&error, &place)
    }

    fn missing(name: &str, text: &str, sql: bool) -> String {
        hinted(&format!("there is no column `{name}`"), text, sql).unwrap_or_default()
    }

    #[test]
    fn columns_are_proposed() {
        assert_eq!(
            missing("ordr_id", "nw.col('ordr_id')", false),
            "did you mean `order_id`?; columns here: `order_id`, `k`, `v`"
        );
        assert_eq!(
            hinted("there is no column `zzzz`", "nw.col('zzzz')", false),
            None
        );
    }

    #[test]
    fn expressions_begin_with_nw() {
        assert!(missing("v + 1", "v + 1", false).contains("the expression is `nw.col('v') + 1`;"));
        assert!(missing("len(v)", "len(v)", false).contains("begins with `nw.`"));
        assert!(
            missing("laktory.row_index()", "laktory.row_index()", false)
                .contains("`nw.laktory.row_index()`")
        );
    }

    #[test]
    fn quotes_of_texts() {
        let hint = missing(
            "2024-01-01",
            "SELECT * FROM {df} WHERE d = \"2024-01-01\"",
            true,
        );
        assert!(
            hint.starts_with("a text is written in single quotes: `'2024-01-01'`"),
            "{hint}"
        );
        let hint = missing("a", "SELECT 1 FROM {df} WHERE k = \"a\"", true);
        assert!(
            hint.starts_with("a text is written in single quotes: `'a'`"),
            "{hint}"
        );
        let hint = missing("abc", "nw.when(nw.col('v') > 1).then('abc')", false);
        assert!(
            hint.starts_with("the text `abc` as a value is `nw.lit('abc')`"),
            "{hint}"
        );
        let hint = missing("zzzz", "SELECT zzzz", true);
        assert_eq!(hint, "the statement reads no frame: add `FROM {df}`");
    }

    #[test]
    fn nodes_are_not_tables() {
        let error = Error::new(ErrorKind::Compute, "relation 'brz_orders' was not found");
        let other = Error::new(ErrorKind::TypeMismatch, "a text is compared with a number");
        let place = Place {
            text: "SELECT * FROM brz_orders",
            sql: true,
            nodes: vec!["brz_orders"],
        };
        assert_eq!(
            hint(&error, &place).unwrap(),
            "`brz_orders` is a node of the pipeline: write `{nodes.brz_orders}`"
        );
        // It may be the name of a common table expression too.
        assert_eq!(hint(&other, &place), None);
    }
}
