//! Why a statement has no plan.

use laktory_core::Error;

/// What ends planning.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The statement is wrong.
    Wrong(Box<Error>),
    /// It uses what this front end does not have.
    Beyond(String),
}

/// The outcome of planning a part.
pub(crate) type Planned<T> = Result<T, Stop>;

/// The stop for what the front end does not have.
pub(crate) fn beyond<T>(what: impl Into<String>) -> Planned<T> {
    Err(Stop::Beyond(what.into()))
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Wrong(Box::new(error))
    }
}
