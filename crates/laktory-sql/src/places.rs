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

    /// An error of a step on columns, in the words of the statement, with the place of the smallest expression that fails so by
    /// itself.
    #[must_use]
    pub fn located(&self, error: Error, columns: &[Field]) -> Error {
        let error = self.placed(error, columns);
        let words = in_words(error.message());
        if words == error.message() {
            return error;
        }
        let mut told = Error::new(error.kind(), words);
        if let Some(hint) = error.hint() {
            told = told.with_hint(in_words(hint));
        }
        if let Some(range) = error.range() {
            told = told.with_range(range);
        }
        told.with_source(error)
    }

    fn placed(&self, error: Error, columns: &[Field]) -> Error {
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

/// Names that columns have in frames, `__x_1`, as what they are about.
fn in_words(message: &str) -> String {
    let about = |name: &str| {
        let (about, number) = name.strip_prefix("__")?.rsplit_once('_')?;
        number.parse::<u32>().ok().map(|_| about.to_owned())
    };
    let parts = message.split('`').enumerate();
    let words = parts.map(|(at, part)| match about(part) {
        Some(name) if at % 2 == 1 => name,
        _ => part.to_owned(),
    });
    words.collect::<Vec<_>>().join("`")
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
