//! An error of the contract together with the place in the pipeline that caused it.

use std::fmt;

use laktory_core::{Error, ErrorKind};
use laktory_model::Path;

/// An error at a place.
#[derive(Debug)]
pub struct Fault {
    /// The node concerned.
    pub node: String,
    /// The place in the document. When the error has a range, the place is that of the text that the range is of.
    pub place: Path,
    /// What went wrong.
    pub error: Error,
}

impl Fault {
    pub(crate) fn new(node: &str, place: &Path, error: Error) -> Self {
        Self {
            node: node.to_owned(),
            place: place.clone(),
            error,
        }
    }

    /// Whether the user interrupted the run.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.error.kind() == ErrorKind::Cancelled
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.error)
    }
}

impl std::error::Error for Fault {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}
