//! Errors in the words of the user: placeholders as written, and the place in the text that an error is about.

use std::ops::Range;

use datafusion::error::DataFusionError;
use datafusion::sql::sqlparser::parser::ParserError;
use laktory_core::{Error, ErrorKind, FrameName, RenderedSql};

use super::catalog::relation;
use crate::error::engine_error;

/// The way from a rendered statement back to the user's text.
pub(super) struct Place<'a> {
    rendered: &'a RenderedSql,
    text: &'a str,
    names: &'a [FrameName],
}

impl<'a> Place<'a> {
    /// The way back from `rendered`, in which the frames `names` have their private names, to the user's `text`.
    pub(super) fn new(rendered: &'a RenderedSql, text: &'a str, names: &'a [FrameName]) -> Self {
        Self {
            rendered,
            text,
            names,
        }
    }

    /// `Expected: ..., found: x at Line: 1, Column: 8`, with its place in the user's text.
    pub(super) fn syntax_error(&self, error: ParserError) -> Error {
        let text = match error {
            ParserError::TokenizerError(text) | ParserError::ParserError(text) => text,
            ParserError::RecursionLimitExceeded => {
                return Error::new(ErrorKind::SqlSyntax, "the statement is nested too deeply")
                    .with_hint("split it into several steps");
            }
        };
        let (words, at) = match text.rsplit_once(" at Line: ") {
            Some((words, at)) => (words, numbers(at)),
            None => (text.as_str(), None),
        };
        let words = words
            .trim()
            .replace("Expected: ", "expected ")
            .replace(", found: ", ", found ");
        let error = Error::new(
            ErrorKind::SqlSyntax,
            self.in_users_words(&lower_first(&words)),
        );
        match at {
            Some((line, column)) if line > 0 => error.with_range(self.word(line, column)),
            _ => error,
        }
    }

    /// An error of the planner, with the range that it is about.
    pub(super) fn present(&self, error: DataFusionError) -> Error {
        let span = error.diagnostic().and_then(|diagnostic| diagnostic.span);
        let error = engine_error(error);
        let message = self.in_users_words(error.message());
        let range = span
            .map(|span| {
                let (line, column) = (span.start.line as usize, span.start.column as usize);
                self.word(line, column)
            })
            .filter(|range| !range.is_empty())
            .or_else(|| error.range())
            .or_else(|| self.mentioned(&message));
        let mut out = Error::new(kind(&error), message);
        if let Some(hint) = error.hint() {
            out = out.with_hint(self.in_users_words(hint));
        }
        if let Some(range) = range {
            out = out.with_range(range);
        }
        out.with_source(error)
    }

    fn in_users_words(&self, message: &str) -> String {
        let mut message = message.to_owned();
        for (at, name) in self.names.iter().enumerate() {
            let private = relation(at);
            // Columns need no relation, and it would read as a placeholder.
            message = message
                .replace(&format!("{private}."), "")
                .replace(&format!("\"{private}\""), &name.to_string())
                .replace(&private, &name.to_string());
        }
        message
    }

    /// The range, in the user's text, of the word at a line and column of the rendered text.
    fn word(&self, line: usize, column: usize) -> Range<usize> {
        let start = self.rendered.source_offset_of_position(line, column);
        let word = self.text.get(start..).unwrap_or_default();
        let length = match word.strip_prefix('{').and_then(|rest| rest.find('}')) {
            Some(inside) => inside + 2,
            None => word
                .find(|character: char| !part_of_name(character))
                .unwrap_or(word.len())
                .max(word.chars().next().map_or(0, char::len_utf8)),
        };
        start..start + length
    }

    fn source(&self, range: Range<usize>) -> Range<usize> {
        let from = self.rendered.source_offset(range.start);
        let to = self.rendered.source_offset(range.end);
        from..to.max(from)
    }

    /// The range of the first name that a message has between quotes, if it stands in the text.
    fn mentioned(&self, message: &str) -> Option<Range<usize>> {
        let name = message
            .split('`')
            .nth(1)
            .or_else(|| message.split('\'').nth(1))
            .filter(|name| !name.is_empty())?;
        let folded = self.rendered.text.to_ascii_lowercase();
        let wanted = name.to_ascii_lowercase();
        let at = folded.match_indices(&wanted).map(|(at, _)| at).find(|at| {
            let before = folded[..*at].chars().next_back();
            let after = folded[at + wanted.len()..].chars().next();
            !before.is_some_and(part_of_name) && !after.is_some_and(part_of_name)
        })?;
        Some(self.source(at..at + wanted.len()))
    }
}

/// The kind of a planner's error: what it calls a plan error may be a fault of the statement.
fn kind(error: &Error) -> ErrorKind {
    const OF_THE_STATEMENT: &[&str] = &[
        "GROUP BY",
        "aggregate function",
        "must be aliased",
        "number of columns",
        "ORDER BY",
        "HAVING",
        "window function",
    ];
    let plain = matches!(
        error.kind(),
        ErrorKind::Compute | ErrorKind::InvalidExpression
    );
    let of_the_statement = OF_THE_STATEMENT
        .iter()
        .any(|words| error.message().contains(words));
    if plain && of_the_statement {
        ErrorKind::SqlSyntax
    } else {
        error.kind()
    }
}

fn numbers(text: &str) -> Option<(usize, usize)> {
    let (line, column) = text.split_once(", Column: ")?;
    let digits = column
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(column.len());
    Some((line.parse().ok()?, column[..digits].parse().ok()?))
}

fn lower_first(text: &str) -> String {
    let mut characters = text.chars();
    match characters.next() {
        Some(first) => first.to_lowercase().chain(characters).collect(),
        None => String::new(),
    }
}

fn part_of_name(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}
