//! Why a statement has no plan.

use std::ops::Range;

use laktory_core::{Error, ErrorKind};
use laktory_syntax::FragmentError;

use crate::refused::Refusal;

/// What ends planning. Ranges are those of the text that is parsed.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The statement is wrong.
    Wrong(Box<Error>),
    /// It uses what this front end does not have.
    Beyond(Box<Beyond>),
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

    pub(crate) fn map_range(&mut self, map: impl FnOnce(Range<usize>) -> Range<usize>) {
        self.range = self.range.take().map(map);
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
    Stop::Beyond(Box::new(Beyond {
        what: what.into(),
        hint,
        range,
    }))
}

/// The stop for a statement that is wrong.
pub(crate) fn wrong<T>(kind: ErrorKind, message: impl Into<String>) -> Planned<T> {
    Err(Error::new(kind, message).into())
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Wrong(Box::new(error))
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
