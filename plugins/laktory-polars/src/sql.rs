//! SQL steps: the statement is parsed with the engine's own parser, rewritten where the engine slips, and planned over
//! frames under private names. Errors point into the text as the user wrote it.

mod case;
mod computed;
mod frame_spec;
mod frames;
mod grouping;
mod guard;
mod names;
mod qualify;
mod rewrite;
mod scalar;
mod scope;
mod udf;
mod window;

use std::ops::Range;

use laktory_core::{
    Error, ErrorKind, Frame, FrameName, NamedFrames, RenderedSql, Result, SqlTemplate, Window,
};
use polars::prelude::Expr;
use sqlparser::ast::Statement;
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::{Parser, ParserError, ParserOptions};

use crate::PolarsFrame;
use crate::diagnose::locate;
use crate::error::engine_error;

/// A window function over its arguments, partition keys and order keys.
pub(crate) fn window(window: &Window, columns: Vec<Expr>) -> Expr {
    udf::window(frame_spec::Spec::of(window)).call(columns)
}

/// The result of a statement by the engine's own planner.
///
/// # Errors
/// `SqlSyntax`, `UnknownFrame`, `UnknownFunction`, `ColumnNotFound`, `Unsupported`.
pub(crate) fn sql(query: &SqlTemplate, named: &NamedFrames) -> Result<Frame> {
    let names: Vec<FrameName> = query.frames().into_iter().cloned().collect();
    let relation = |name: &FrameName| {
        let at = names.iter().position(|known| known == name).unwrap_or(0);
        relation(at)
    };
    let rendered = query.render(|name| format!("\"{}\"", relation(name)));
    let shown = |error: Error| presented(error, &rendered, &names);
    let mut statement = parse(&rendered).map_err(&shown)?;
    guard::check(&statement).map_err(&shown)?;
    let mut scope = scope::Scope::default();
    let mut frames = Vec::with_capacity(names.len());
    let mut columns = Vec::new();
    for name in &names {
        let frame = PolarsFrame::of(named.get(name)?)?;
        let mut lazy = frame.plan();
        let schema = lazy
            .collect_schema()
            .map_err(|error| locate(engine_error(error), &frame.sources()))?;
        columns.extend(schema.iter_names().map(ToString::to_string));
        scope.insert(relation(name), lazy, frame.weight());
        frames.push(frame);
    }
    let sources = PolarsFrame::all_sources(frames);
    rewrite::rewrite(&mut statement, &columns).map_err(&shown)?;
    let Statement::Query(query) = &statement else {
        return Err(Error::internal("a statement that is no query"));
    };
    let (mut lazy, weight) = scope
        .plan(query)
        .map_err(|error| locate(shown(engine_error(error)), &sources))?;
    // Names and types are wrong here or nowhere; later nobody knows the text any more.
    lazy.collect_schema()
        .map_err(|error| locate(shown(engine_error(error)), &sources))?;
    Ok(PolarsFrame::reading(lazy, sources, weight))
}

/// The private name of the frame at a position.
fn relation(at: usize) -> String {
    format!("__laktory_frame_{at}__")
}

fn parse(rendered: &RenderedSql) -> Result<Statement> {
    let failed = |error: ParserError| {
        let text = match error {
            ParserError::TokenizerError(text) | ParserError::ParserError(text) => text,
            ParserError::RecursionLimitExceeded => {
                return Error::new(ErrorKind::SqlSyntax, "the statement is nested too deeply")
                    .with_hint("split it into several steps");
            }
        };
        syntax_error(&text, rendered)
    };
    let options = ParserOptions {
        trailing_commas: true,
        ..ParserOptions::default()
    };
    let statements = Parser::new(&GenericDialect)
        .with_options(options)
        .try_with_sql(&rendered.text)
        .and_then(|mut parser| parser.parse_statements())
        .map_err(failed)?;
    let count = statements.len();
    let mut statements = statements.into_iter();
    match (statements.next(), count) {
        (Some(statement @ Statement::Query(_)), 1) => Ok(statement),
        (Some(_), 1) => Err(Error::new(
            ErrorKind::SqlSyntax,
            "a SQL step is one SELECT statement",
        )),
        (None, _) => Err(Error::new(ErrorKind::SqlSyntax, "there is no statement")),
        _ => Err(Error::new(
            ErrorKind::SqlSyntax,
            "a SQL step holds exactly one statement",
        )
        .with_hint("write each statement as a step of its own")),
    }
}

/// `Expected: ..., found: x at Line: 1, Column: 8` with its place in the user's text.
fn syntax_error(text: &str, rendered: &RenderedSql) -> Error {
    let (message, position) = match text.rsplit_once(" at Line: ") {
        Some((message, position)) => (message, Some(position)),
        None => (text, None),
    };
    let position = position.and_then(|position| {
        let (line, column) = position.split_once(", Column: ")?;
        let digits = |text: &str| {
            text.chars()
                .take_while(char::is_ascii_digit)
                .collect::<String>()
        };
        Some((digits(line).parse().ok()?, digits(column).parse().ok()?))
    });
    let mut message = message
        .trim()
        .replace("Expected: ", "expected ")
        .replace(", found: ", ", found ");
    if let Some(first) = message.get(..1) {
        message = first.to_lowercase() + &message[1..];
    }
    let error = Error::new(ErrorKind::SqlSyntax, message);
    match position {
        Some((line, column)) if line > 0 => error.with_range(word_at(rendered, line, column)),
        _ => error,
    }
}

/// The range, in the user's text, of the word at a line and column of the rendered text.
fn word_at(rendered: &RenderedSql, line: usize, column: usize) -> Range<usize> {
    let start: usize = rendered
        .text
        .split_inclusive('\n')
        .take(line - 1)
        .map(str::len)
        .sum();
    let rest = rendered.text.get(start..).unwrap_or_default();
    let within: usize = rest
        .chars()
        .take(column.saturating_sub(1))
        .map(char::len_utf8)
        .sum();
    let word = rest.get(within..).unwrap_or_default();
    let length = word
        .find(|character: char| !character.is_alphanumeric() && character != '_')
        .unwrap_or(word.len())
        .max(word.chars().next().map_or(0, char::len_utf8));
    let from = rendered.source_offset(start + within);
    let to = rendered.source_offset(start + within + length);
    from..to.max(from)
}

/// An error in the words of the user: placeholders as written, and the place of the name that it is about.
fn presented(error: Error, rendered: &RenderedSql, names: &[FrameName]) -> Error {
    let mut message = error.message().to_owned();
    for (at, name) in names.iter().enumerate() {
        message = message.replace(&relation(at), &name.to_string());
    }
    for (name, shown) in udf::NAMES {
        message = message.replace(name, shown);
    }
    let range = error.range().or_else(|| {
        let name = message
            .split('`')
            .nth(1)
            .or_else(|| message.split('\'').nth(1))?;
        let at = find_word(&rendered.text, name)?;
        Some(rendered.source_offset(at)..rendered.source_offset(at + name.len()))
    });
    let mut out = Error::new(error.kind(), message);
    if let Some(hint) = error.hint() {
        out = out.with_hint(hint);
    }
    if let Some(range) = range {
        out = out.with_range(range);
    }
    out.with_source(error)
}

/// Where a name stands in a text, not as a part of another name.
fn find_word(text: &str, name: &str) -> Option<usize> {
    let part = |character: char| character.is_alphanumeric() || character == '_';
    if name.is_empty() {
        return None;
    }
    text.match_indices(name).map(|(at, _)| at).find(|at| {
        let before = text[..*at].chars().next_back();
        let after = text[at + name.len()..].chars().next();
        !before.is_some_and(part) && !after.is_some_and(part)
    })
}

#[cfg(test)]
mod tests {
    use laktory_core::{SqlSegment, SqlTemplate};
    use polars::prelude::{DataFrame, df};

    use super::*;
    use crate::testing::Bench;

    /// The rows of a statement over `{df}`, or its error.
    fn check(text: &str) -> Result<DataFrame> {
        let bench = Bench::new();
        let mut segments = Vec::new();
        let mut at = 0;
        for (start, placeholder) in text.match_indices("{df}") {
            segments.push((SqlSegment::Text(text[at..start].to_owned()), at..start));
            at = start + placeholder.len();
            segments.push((SqlSegment::Frame(FrameName::Df), start..at));
        }
        segments.push((SqlSegment::Text(text[at..].to_owned()), at..text.len()));
        let rows = df!(
            "id" => [1_i64, 2, 3],
            "ok" => [Some(true), None, Some(false)],
            "at" => ["2023-09-01T00:00:00Z", "2023-09-01 00:00:00.5", "2023-09-01"],
            "s" => ["héllo", "abc", "l"],
        )
        .unwrap();
        let mut named = NamedFrames::new();
        named.insert(FrameName::Df, bench.frame(rows));
        bench.collect(&sql(&SqlTemplate::new(segments), &named)?)
    }

    fn column(text: &str) -> String {
        let rows = check(text).unwrap();
        let column = &rows.columns()[0];
        let values: Vec<String> = (0..column.len())
            .map(|row| column.get(row).unwrap().to_string())
            .collect();
        format!("{} {}: {}", column.name(), column.dtype(), values.join(" "))
    }

    /// The text that an error points at.
    fn pointed(text: &str) -> (Error, &str) {
        let error = check(text).unwrap_err();
        let range = error.range().unwrap_or(0..0);
        (error, &text[range])
    }

    #[test]
    fn a_statement_needs_no_frame() {
        assert_eq!(column("SELECT 1 AS a"), "a i32: 1");
    }

    #[test]
    fn texts_of_every_iso_form_become_timestamps() {
        assert_eq!(
            column("SELECT CAST(at AS TIMESTAMP) AS t FROM {df}"),
            "t datetime[μs]: 2023-09-01 00:00:00 2023-09-01 00:00:00.500 2023-09-01 00:00:00"
        );
        assert_eq!(
            column("SELECT at::DATE FROM {df} LIMIT 1"),
            "at date: 2023-09-01"
        );
        assert_eq!(
            column("SELECT TRY_CAST(s AS TIMESTAMP) AS t FROM {df} LIMIT 1"),
            "t datetime[μs]: null"
        );
        // One row: of several bad values, any may be met first.
        let one = "SELECT CAST(s AS TIMESTAMP) AS t FROM {df} WHERE s = 'héllo'";
        let error = check(one).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConversionFailed);
        assert_eq!(
            error.message(),
            "column `s`: `héllo` is not a datetime of ISO 8601"
        );
    }

    #[test]
    fn slips_of_the_engine_are_mended() {
        assert_eq!(
            column("SELECT id FROM {df} WHERE ok IS NOT TRUE ORDER BY id"),
            "id i64: 2 3"
        );
        assert_eq!(
            column("SELECT POSITION('l' IN s) AS p FROM {df} LIMIT 1"),
            "p i64: 3"
        );
        assert_eq!(
            column("SELECT (0 - id) % 2 AS m FROM {df} LIMIT 1"),
            "m i64: -1"
        );
        assert_eq!(column("SELECT ROUND(2.5) AS r"), "r f64: 3.0");
        assert_eq!(column("SELECT COUNT(*) AS n FROM {df}"), "n i64: 3");
        assert_eq!(
            column("SELECT DATE_TRUNC('month', CAST(at AS DATE)) AS m FROM {df} LIMIT 1"),
            "m date: 2023-09-01"
        );
        assert_eq!(
            column("SELECT ID FROM {df} WHERE iD = (SELECT MAX(id) FROM {df})"),
            "ID i64: 3"
        );
        assert_eq!(
            column("SELECT id FROM {df} QUALIFY ROW_NUMBER() OVER (ORDER BY s DESC) = 1"),
            "id i64: 3"
        );
        assert_eq!(
            column("SELECT id, SUM(id) OVER () AS t FROM {df} QUALIFY t > 1 ORDER BY id LIMIT 1"),
            "id i64: 1"
        );
    }

    #[test]
    fn errors_point_into_the_text_as_written() {
        let (error, place) = pointed("SELECT id FROM {df} WHERE nope > 1");
        assert_eq!((error.kind(), place), (ErrorKind::ColumnNotFound, "nope"));
        assert_eq!(error.message(), "there is no column `nope`");
        assert_eq!(error.hint(), Some("columns here: `id`, `ok`, `at`, `s`"));
        let (error, place) = pointed("SELECT id\nFROM {df} GROUP ok");
        assert_eq!((error.kind(), place), (ErrorKind::SqlSyntax, "GROUP"));
        let (error, _) = pointed("SELECT nope(id) FROM {df}");
        assert_eq!(error.kind(), ErrorKind::UnknownFunction);
        let (error, _) = pointed("SELECT id, COUNT(*) AS n FROM {df}");
        assert_eq!(error.kind(), ErrorKind::SqlSyntax);
        let (error, _) = pointed("SELECT 1; SELECT 2");
        assert_eq!(error.kind(), ErrorKind::SqlSyntax);
        let (error, _) = pointed("DROP TABLE {df}");
        assert_eq!(error.kind(), ErrorKind::SqlSyntax);
    }
}
