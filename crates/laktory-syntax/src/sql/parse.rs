//! The text of a scalar SQL expression read by the grammar, and what stands around it refused.

use laktory_core::Expr;
use sqlparser::dialect::{Dialect, GenericDialect};
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;

use super::hints;
use super::lower::{Lower, Result};
use super::position::{Source, within_bounds};
use super::simpler::sql_in_simpler_forms;
use crate::diagnostic::FragmentError;
use crate::stack::with_room;
use crate::written::Part;

/// The generic dialect, whose identifiers may also stand in back-quotes.
#[derive(Debug)]
struct Scalars(GenericDialect);

impl Dialect for Scalars {
    fn is_delimited_identifier_start(&self, ch: char) -> bool {
        ch == '"' || ch == '`'
    }

    fn is_identifier_start(&self, ch: char) -> bool {
        ch.is_alphabetic() || ch == '_'
    }

    fn is_identifier_part(&self, ch: char) -> bool {
        ch.is_alphanumeric() || ch == '_' || ch == '$'
    }

    fn supports_filter_during_aggregation(&self) -> bool {
        self.0.supports_filter_during_aggregation()
    }

    fn supports_window_function_null_treatment_arg(&self) -> bool {
        true
    }

    /// `TRIM(s, 'x')`.
    fn supports_comma_separated_trim(&self) -> bool {
        true
    }

    /// `1_000`, which would else be a number and a name.
    fn supports_numeric_literal_underscores(&self) -> bool {
        true
    }

    /// `INT[]`.
    fn supports_array_typedef_with_brackets(&self) -> bool {
        true
    }

    /// `STRUCT(x AS a)` and the type `STRUCT<a INT>`.
    fn supports_struct_literal(&self) -> bool {
        true
    }

    /// The type `MAP<STRING, INT>`.
    fn supports_map_literal_with_angle_brackets(&self) -> bool {
        true
    }

    /// `U&'\\00e9'`.
    fn supports_unicode_string_literal(&self) -> bool {
        true
    }

    /// `x NOTNULL`.
    fn supports_notnull_operator(&self) -> bool {
        true
    }
}

/// Parses a scalar SQL expression (the `filter` of a source, `sql_expr('...')`, an expectation).
///
/// # Errors
/// Text that is not SQL, or SQL that has no counterpart among the expressions, each with its place.
pub fn sql_expression(text: &str) -> Result<Expr> {
    expression(text)
}

/// The same, for use inside of this crate.
pub(crate) fn expression(text: &str) -> Result<Expr> {
    with_room(|| parse(text, false))
}

/// Parses an item of `selects`: a scalar SQL expression that may be renamed with `AS`.
///
/// # Errors
/// As [`sql_expression`].
pub fn sql_projection(text: &str) -> Result<Expr> {
    with_room(|| parse(text, true))
}

/// The parts of a scalar SQL expression that is all right as SQL, inner ones first; behind it may stand a name.
pub(crate) fn parts(text: &str) -> Vec<Part> {
    if let Some(rest) = text.strip_prefix('\u{feff}') {
        return parts(rest).into_iter().map(|part| part.behind(3)).collect();
    }
    if within_bounds(text).is_err() {
        return Vec::new();
    }
    with_room(|| {
        let dialect = Scalars(GenericDialect {});
        let parser = Parser::new(&dialect).with_recursion_limit(256);
        let tree = parser
            .try_with_sql(text)
            .and_then(|mut parser| parser.parse_expr());
        match tree {
            Ok(tree) => Lower::new(text).parts_of(&tree),
            Err(_) => Vec::new(),
        }
    })
}

fn parse(text: &str, projection: bool) -> Result<Expr> {
    // A mark of the byte order, as editors put in front of a file.
    if let Some(rest) = text.strip_prefix('\u{feff}') {
        return parse(rest, projection).map_err(|errors| {
            let behind = |error: FragmentError| FragmentError {
                range: error.range.start + 3..error.range.end + 3,
                ..error
            };
            errors.into_iter().map(behind).collect()
        });
    }
    let source = Source::new(text);
    within_bounds(text).map_err(|error| vec![error])?;
    if text.trim().is_empty() {
        return Err(vec![FragmentError::new(
            "sql-unsupported",
            "the SQL expression is empty",
            0..text.len(),
        )]);
    }
    let dialect = Scalars(GenericDialect {});
    let failed = |error: sqlparser::parser::ParserError| {
        let message = match &error {
            sqlparser::parser::ParserError::ParserError(message)
            | sqlparser::parser::ParserError::TokenizerError(message) => message.clone(),
            sqlparser::parser::ParserError::RecursionLimitExceeded => {
                "expression nested too deeply".to_owned()
            }
        };
        let (message, range) = source.reported(&message);
        let near = text.get(range.clone()).unwrap_or("");
        let rest = text.get(range.start..).unwrap_or("");
        let message = hints::message(&message, near, rest);
        let hint = hints::syntax(text, range.start, &message);
        vec![FragmentError::new("sql-unsupported", message, range).hint_if(hint)]
    };
    let mut parser = Parser::new(&dialect)
        .with_recursion_limit(256)
        .try_with_sql(text)
        .map_err(failed)?;
    let mut tree = parser.parse_expr().map_err(failed)?;
    sql_in_simpler_forms(&mut tree);
    let lower = Lower::new(text);
    let mut expr = lower.expr(&tree)?;
    if projection {
        let named = parser.parse_keyword(sqlparser::keywords::Keyword::AS);
        let next = parser.peek_token();
        if named || matches!(next.token, Token::Word(_)) {
            let name = parser.parse_identifier().map_err(failed)?;
            expr = expr.alias(name.value);
        }
    }
    let next = parser.peek_token();
    if next.token != Token::EOF {
        let range = source.range(next.span);
        let message = format!("`{}` does not belong to the expression", next.token);
        let hint = hints::syntax(text, range.start, &message);
        return Err(vec![
            FragmentError::new("sql-unsupported", message, range).hint_if(hint),
        ]);
    }
    Ok(expr)
}
