//! Where an expression stands that does not fit the types of its columns.

use std::fmt;

use laktory_core::{DType, Error, ErrorKind, Expr, Field, Func, Op, Subject, typing, walk};
use laktory_syntax::{Part, StatementParts, What, at_word};
use sqlparser::ast;
use sqlparser::tokenizer::Span;

use crate::place;
use crate::statement::Parsed;

/// What planning read of the text.
#[derive(Debug, Default)]
pub(crate) struct Read {
    /// Expressions, as they stand in it, with their names resolved.
    pub(crate) exprs: Vec<ast::Expr>,
    /// Those that are conditions.
    pub(crate) conditions: Vec<ast::Expr>,
    /// Conditions that became keys of joins.
    pub(crate) keys: Vec<KeyPair>,
}

/// The expressions of a statement, as they stand in its text.
pub struct Places {
    parsed: Parsed,
    read: Read,
}

impl fmt::Debug for Places {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Places")
            .field("text", &self.parsed.rendered.text)
            .finish_non_exhaustive()
    }
}

impl Places {
    pub(crate) fn new(parsed: Parsed, read: Read) -> Self {
        Self { parsed, read }
    }

    /// An error of a step on columns, in the words of the statement, with the place of the smallest expression that fails so by
    /// itself.
    #[must_use]
    pub fn located(&self, error: Error, columns: &[Field]) -> Error {
        let placed = self.of_types(error, columns);
        self.told(placed)
    }

    /// The same of a step that is known. Joins have the columns of another frame too.
    pub(crate) fn of_step(
        &self,
        error: Error,
        op: &Op,
        columns: &[Field],
        other: &[Field],
    ) -> Error {
        let placed = self.of_types(error, columns);
        let placed = placed.or_else(|error| match op {
            Op::Filter { predicate } => self.of_condition(error, predicate, columns),
            Op::Join {
                left_on, right_on, ..
            } => self.of_keys(error, (left_on, columns), (right_on, other)),
            _ => Err(error),
        });
        self.told(placed)
    }

    /// An error with its place in the text as the user wrote it, if it has one of this text.
    fn told(&self, placed: Result<Error, Error>) -> Error {
        let error = match placed {
            Ok(error) => {
                let range = error.range().unwrap_or_default();
                error.with_range(self.parsed.source(&range))
            }
            Err(error) => error,
        };
        error.reworded(in_words)
    }

    fn text(&self) -> &str {
        &self.parsed.rendered.text
    }

    /// At the part of an expression that does not fit the columns.
    fn of_types(&self, error: Error, columns: &[Field]) -> Result<Error, Error> {
        let mut outcome = Err(error);
        if outcome.as_ref().is_err_and(|error| error.range().is_some()) {
            return outcome;
        }
        let parts = StatementParts::of(self.text());
        for expr in &self.read.exprs {
            outcome = match outcome {
                Err(error) => at_word(&parts.tree(expr), error, columns),
                placed => return placed,
            };
        }
        outcome
    }

    /// At the condition that is none.
    fn of_condition(
        &self,
        error: Error,
        predicate: &Expr,
        columns: &[Field],
    ) -> Result<Error, Error> {
        let mut conditions = vec![predicate];
        let mut odd = None;
        while let Some(condition) = conditions.pop() {
            if let Expr::Call {
                func: Func::And,
                args,
            } = condition
            {
                let parts: Vec<&Expr> = walk::arguments(args).collect();
                conditions.extend(parts.into_iter().rev());
                continue;
            }
            let dtype = typing::type_of(condition, columns).map(|typed| typed.dtype);
            if let Ok(dtype) = dtype
                && !matches!(dtype, DType::Boolean | DType::Null | DType::Unknown)
            {
                odd = Some((condition, dtype));
                break;
            }
        }
        let Some((condition, dtype)) = odd else {
            return Err(error);
        };
        let conditions = self.read.conditions.iter();
        let statement = StatementParts::of(self.text());
        let mut parts = conditions.flat_map(|expr| statement.tree(expr));
        let is_it = |part: &Part| matches!(&part.what, What::Expr(expr) if expr == condition);
        match parts.rfind(is_it) {
            Some(part) => {
                let message = format!("a condition is a boolean, not {dtype}");
                Ok(Error::new(error.kind(), message)
                    .with_hint("compare it with something: `... > 0`")
                    .with_range(part.range))
            }
            None => Err(error),
        }
    }

    /// At the comparison of keys of different types.
    fn of_keys(
        &self,
        error: Error,
        (left_on, left): (&[String], &[Field]),
        (right_on, right): (&[String], &[Field]),
    ) -> Result<Error, Error> {
        let name = match error.subject() {
            Some(Subject::Name(name)) if error.kind() == ErrorKind::TypeMismatch => name.clone(),
            _ => return Err(error),
        };
        let Some(at) = left_on.iter().position(|known| *known == name) else {
            return Err(error);
        };
        let type_of = |fields: &[Field], name: &str| {
            let mut fields = fields.iter();
            fields
                .find(|field| field.name == name)
                .map(|field| field.dtype.clone())
        };
        let (Some(a), Some(b)) = (
            type_of(left, &name),
            right_on.get(at).and_then(|name| type_of(right, name)),
        ) else {
            return Err(error);
        };
        let is_pair = |pair: &&KeyPair| match &pair.left {
            Expr::Column(id) => *id == name,
            _ => false,
        };
        let pair = self
            .read
            .keys
            .iter()
            .find(is_pair)
            .or(match self.read.keys.as_slice() {
                [only] => Some(only),
                _ => None,
            });
        let range = pair.and_then(|pair| place::range(self.text(), pair.span));
        let message = format!("`=` does not compare {a} and {b}");
        let told = Error::new(ErrorKind::TypeMismatch, message)
            .with_hint("convert one of them with `CAST`");
        match range {
            Some(range) => Ok(told.with_range(range)),
            None => Err(told),
        }
    }
}

/// Two sides of a condition that became keys of a join.
#[derive(Clone, Debug)]
pub(crate) struct KeyPair {
    pub(crate) left: Expr,
    pub(crate) span: Span,
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
