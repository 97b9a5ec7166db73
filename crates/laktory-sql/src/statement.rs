//! The text of a statement read by the grammar.

use std::ops::{ControlFlow, Range};

use laktory_core::{Error, ErrorKind, FrameName, RenderedSql, Result, SqlTemplate};
use sqlparser::ast::{BinaryOperator, Expr, Query, Statement, VisitMut, VisitorMut};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::{Parser, ParserOptions};

use crate::place;

/// A statement, with private names in the place of its frames.
pub(crate) struct Parsed {
    pub(crate) rendered: RenderedSql,
    pub(crate) query: Query,
    frames: Vec<FrameName>,
}

impl Parsed {
    /// Parses the statement of a template.
    ///
    /// # Errors
    /// `SqlSyntax`, with the range in the user's text.
    pub(crate) fn of(template: &SqlTemplate) -> Result<Self> {
        let frames: Vec<FrameName> = template.frames().into_iter().cloned().collect();
        let rendered = template.render(|name| {
            let at = frames.iter().position(|known| known == name).unwrap_or(0);
            format!("\"{}\"", relation(at))
        });
        let options = ParserOptions {
            trailing_commas: true,
            ..ParserOptions::default()
        };
        let statements = Parser::new(&GenericDialect)
            .with_options(options)
            .try_with_sql(&rendered.text)
            .and_then(|mut parser| parser.parse_statements());
        let statements = match statements {
            Ok(statements) => statements,
            Err(error) => {
                let error = place::syntax_error(&rendered.text, error);
                return Err(told(error, &rendered, &frames));
            }
        };
        let count = statements.len();
        let mut query = match (statements.into_iter().next(), count) {
            (Some(Statement::Query(query)), 1) => *query,
            (Some(_), 1) => {
                let error = syntax("a SQL step is one SELECT statement")
                    .with_range(place::first_word(&rendered.text));
                return Err(told(error, &rendered, &frames));
            }
            (None, _) => return Err(syntax("there is no statement")),
            _ => {
                return Err(syntax("a SQL step holds exactly one statement")
                    .with_hint("write each statement as a step of its own"));
            }
        };
        let _ = query.visit(&mut Distinct);
        laktory_syntax::sql_in_simpler_forms(&mut query);
        Ok(Self {
            rendered,
            query,
            frames,
        })
    }

    /// The range in the user's text of one in the text that was parsed.
    pub(crate) fn source(&self, range: &Range<usize>) -> Range<usize> {
        source(&self.rendered, range)
    }

    /// An error in the words of the user: placeholders as written, and the place in the text as written.
    pub(crate) fn told(&self, error: Error) -> Error {
        told(error, &self.rendered, &self.frames)
    }

    /// The frame that a private name stands for.
    pub(crate) fn frame(&self, private: &str) -> Option<&FrameName> {
        let at = (0..self.frames.len()).find(|at| relation(*at) == private)?;
        self.frames.get(at)
    }
}

fn source(rendered: &RenderedSql, range: &Range<usize>) -> Range<usize> {
    let start = rendered.source_offset(range.start);
    start..rendered.source_offset(range.end).max(start)
}

fn told(error: Error, rendered: &RenderedSql, frames: &[FrameName]) -> Error {
    let words = |text: &str| {
        let mut text = text.to_owned();
        for (at, name) in frames.iter().enumerate() {
            text = text
                .replace(&format!("\"{}\"", relation(at)), &name.to_string())
                .replace(&relation(at), &name.to_string());
        }
        text
    };
    let range = error.range();
    let told = error.reworded(words);
    match range {
        Some(range) => told.with_range(source(rendered, &range)),
        None => told,
    }
}

fn syntax(message: &str) -> Error {
    Error::new(ErrorKind::SqlSyntax, message)
}

/// The private name of the frame at a position.
fn relation(at: usize) -> String {
    format!("__laktory_frame_{at}__")
}

/// `a IS DISTINCT FROM b AND c` is `(a IS DISTINCT FROM b) AND c`; the grammar takes all that follows for the second
/// operand.
struct Distinct;

impl VisitorMut for Distinct {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::IsDistinctFrom(_, right) | Expr::IsNotDistinctFrom(_, right) = expr
            && is_logical(right)
        {
            let mut whole = std::mem::replace(&mut **right, Expr::Tuple(Vec::new()));
            let mut first = &mut whole;
            while is_logical(first) {
                let Expr::BinaryOp { left, .. } = first else {
                    break;
                };
                first = left;
            }
            std::mem::swap(&mut **right, first);
            let test = std::mem::replace(expr, Expr::Tuple(Vec::new()));
            *first = test;
            *expr = whole;
        }
        ControlFlow::Continue(())
    }
}

fn is_logical(expr: &Expr) -> bool {
    matches!(
        expr,
        Expr::BinaryOp {
            op: BinaryOperator::And | BinaryOperator::Or | BinaryOperator::Xor,
            ..
        }
    )
}
