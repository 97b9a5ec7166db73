//! Where parts of a statement stand in its text.

use std::ops::Range;

use laktory_core::{Error, ErrorKind};
use sqlparser::parser::ParserError;
use sqlparser::tokenizer::{Location, Span};

/// The bytes of a span; none for what stands nowhere.
pub(crate) fn range(text: &str, span: Span) -> Option<Range<usize>> {
    let start = offset(text, span.start)?;
    let end = offset(text, span.end)?;
    (start < end).then_some(start..end)
}

/// The byte at a line and column, both from 1, the column in characters.
fn offset(text: &str, at: Location) -> Option<usize> {
    let line = usize::try_from(at.line).ok()?.checked_sub(1)?;
    let column = usize::try_from(at.column).ok()?.checked_sub(1)?;
    let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let within: usize = text
        .get(start..)?
        .chars()
        .take(column)
        .map(char::len_utf8)
        .sum();
    Some(start + within)
}

/// `Expected: ..., found: x at Line: 1, Column: 8`, with its place.
pub(crate) fn syntax_error(text: &str, error: ParserError) -> Error {
    let told = match error {
        ParserError::TokenizerError(told) | ParserError::ParserError(told) => told,
        ParserError::RecursionLimitExceeded => {
            return Error::new(ErrorKind::SqlSyntax, "the statement is nested too deeply")
                .with_hint("split it into several steps");
        }
    };
    let (words, at) = match told.rsplit_once(" at Line: ") {
        Some((words, at)) => (words, numbers(at)),
        None => (told.as_str(), None),
    };
    let words = words
        .trim()
        .replace("Expected: ", "expected ")
        .replace(", found: ", ", found ");
    let words = words.replace(", found EOF", ", but the statement ends");
    let error = Error::new(ErrorKind::SqlSyntax, lower_first(&words));
    let start = at.and_then(|(line, column)| offset(text, Location::new(line, column)));
    let Some(start) = start else {
        let end = text.trim_end().len();
        return error.with_range(end..end);
    };
    let found = word(text, start);
    let word = text.get(found.clone()).unwrap_or_default().to_uppercase();
    let meant = laktory_syntax::nearest(&word, WORDS.iter().copied());
    let error = match meant.filter(|meant| *meant != word) {
        Some(meant) => error.with_hint(format!("did you mean `{meant}`?")),
        None => error,
    };
    error.with_range(found)
}

/// Words that statements and their clauses begin with.
const WORDS: &[&str] = &[
    "SELECT",
    "WITH",
    "FROM",
    "WHERE",
    "GROUP",
    "HAVING",
    "QUALIFY",
    "ORDER",
    "LIMIT",
    "OFFSET",
    "JOIN",
    "UNION",
    "EXCEPT",
    "INTERSECT",
];

/// The first word of a text, behind its comments.
pub(crate) fn first_word(text: &str) -> Range<usize> {
    let words = laktory_syntax::sql_words(text);
    words
        .first()
        .map_or(0..text.len(), |word| word.range.clone())
}

/// The word that begins at a byte: a name, also in quotes, or one character.
fn word(text: &str, start: usize) -> Range<usize> {
    let rest = text.get(start..).unwrap_or_default();
    let length = match rest.strip_prefix('"').and_then(|rest| rest.find('"')) {
        Some(inside) => inside + 2,
        None => rest
            .find(|char: char| !char.is_alphanumeric() && char != '_')
            .unwrap_or(rest.len())
            .max(rest.chars().next().map_or(0, char::len_utf8)),
    };
    start..start + length
}

fn numbers(text: &str) -> Option<(u64, u64)> {
    let (line, column) = text.split_once(", Column: ")?;
    let digits = column
        .find(|char: char| !char.is_ascii_digit())
        .unwrap_or(column.len());
    Some((line.parse().ok()?, column[..digits].parse().ok()?))
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_lowercase().chain(chars).collect(),
        None => String::new(),
    }
}
