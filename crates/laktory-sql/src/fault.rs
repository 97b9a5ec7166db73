//! Why a statement has no plan.

use std::ops::Range;

use laktory_core::{Error, ErrorKind};
use laktory_syntax::FragmentError;
use sqlparser::ast::Spanned;
use sqlparser::tokenizer::Span;

use crate::refused::Refusal;

/// What ends planning, and where; nowhere where that is not known. Ranges are those of the text that is parsed.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The statement is wrong.
    Wrong(Box<Error>, Span),
    /// It uses what this front end does not have.
    Beyond(Box<Beyond>, Span),
}

impl Stop {
    /// The same at a part of the statement, where it has no place yet.
    pub(crate) fn at(self, part: &impl Spanned) -> Self {
        self.within(part.span())
    }

    /// The same at a place, where it has none yet.
    pub(crate) fn within(self, span: Span) -> Self {
        match self {
            Self::Wrong(error, known) if known == Span::empty() => Self::Wrong(error, span),
            Self::Beyond(beyond, known) if known == Span::empty() => Self::Beyond(beyond, span),
            placed => placed,
        }
    }
}

/// What the front end does not have.
#[derive(Clone, Debug)]
pub struct Beyond {
    what: String,
    hint: Option<String>,
    range: Option<Range<usize>>,
}

impl Beyond {
    /// The error for it, on a backend whose engine has it neither.
    #[must_use]
    pub fn refused(&self, backend: &str) -> Error {
        let message = format!("{} is not available on backend {backend}", self.what);
        let mut error = Error::unsupported(message);
        if let Some(hint) = &self.hint {
            error = error.with_hint(hint);
        }
        match &self.range {
            Some(range) => error.with_range(range.clone()),
            None => error,
        }
    }

    /// The same at a place of the text that the user wrote.
    pub(crate) fn placed(mut self, range: Option<Range<usize>>) -> Self {
        self.range = range;
        self
    }

    /// Its place, where it has one of its own.
    pub(crate) fn range(&self) -> Option<Range<usize>> {
        self.range.clone()
    }
}

/// The outcome of planning a part.
pub(crate) type Planned<T> = Result<T, Stop>;

/// The stop for what the front end does not have.
pub(crate) fn beyond<T>(refusal: Refusal) -> Planned<T> {
    let instead = (!refusal.instead.is_empty()).then(|| refusal.instead.to_owned());
    Err(missing(refusal.what, instead, None))
}

pub(crate) fn missing(
    what: impl Into<String>,
    hint: Option<String>,
    range: Option<Range<usize>>,
) -> Stop {
    let beyond = Beyond {
        what: what.into(),
        hint,
        range,
    };
    Stop::Beyond(Box::new(beyond), Span::empty())
}

/// The stop for a statement that is wrong.
pub(crate) fn wrong<T>(kind: ErrorKind, message: impl Into<String>) -> Planned<T> {
    Err(Error::new(kind, message).into())
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Wrong(Box::new(error), Span::empty())
    }
}

impl From<FragmentError> for Stop {
    fn from(error: FragmentError) -> Self {
        let name = error.code.replace('-', "_");
        let kind = ErrorKind::parse(&name).unwrap_or(ErrorKind::Unsupported);
        let mut found = Error::new(kind, error.message).with_range(error.range);
        if let Some(hint) = error.hint {
            found = found.with_hint(hint);
        }
        found.into()
    }
}
