//! Where an expression stands that does not fit the types of its columns.

use std::fmt;
use std::ops::ControlFlow;

use laktory_core::{Error, Field, typing};
use sqlparser::ast::{Expr, Query, Spanned, VisitMut, VisitorMut};

use crate::place;
use crate::statement::Parsed;

/// The expressions of a statement, as they stand in its text.
pub struct Places {
    parsed: Parsed,
    exprs: Vec<Expr>,
}

impl fmt::Debug for Places {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Places")
            .field("text", &self.parsed.rendered.text)
            .finish_non_exhaustive()
    }
}

impl Places {
    pub(crate) fn new(parsed: Parsed, exprs: Vec<Expr>) -> Self {
        Self { parsed, exprs }
    }

    /// An error of a step on columns, with the place of the smallest expression that fails so by itself.
    #[must_use]
    pub fn located(&self, error: Error, columns: &[Field]) -> Error {
        if error.range().is_some() {
            return error;
        }
        for expr in &self.exprs {
            let mut search = Search {
                text: &self.parsed.rendered.text,
                message: error.message(),
                columns,
                depth: 0,
            };
            if let ControlFlow::Break(range) = expr.clone().visit(&mut search) {
                return error.with_range(self.parsed.source(&range));
            }
        }
        error
    }
}

struct Search<'a> {
    text: &'a str,
    message: &'a str,
    columns: &'a [Field],
    depth: usize,
}

impl VisitorMut for Search<'_> {
    type Break = std::ops::Range<usize>;

    fn pre_visit_query(&mut self, _: &mut Query) -> ControlFlow<Self::Break> {
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<Self::Break> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Self::Break> {
        if self.depth > 0 {
            return ControlFlow::Continue(());
        }
        let Ok(lowered) = laktory_syntax::sql_tree(self.text, expr) else {
            return ControlFlow::Continue(());
        };
        match typing::type_of(&lowered, self.columns) {
            Err(error) if error.message() == self.message => {
                match place::range(self.text, expr.span()) {
                    Some(range) => ControlFlow::Break(range),
                    None => ControlFlow::Continue(()),
                }
            }
            _ => ControlFlow::Continue(()),
        }
    }
}
