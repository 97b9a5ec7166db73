//! An error of the contract together with the place in the pipeline that caused it.

use std::fmt;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;
use laktory_core::{Error, ErrorKind};
use laktory_model::Path;

/// An error at a place.
#[derive(Debug)]
pub struct Fault {
    /// The node concerned.
    pub node: String,
    /// The place in the document. When the error has a range, the place is that of the text that the range is of.
    pub place: Path,
    /// Whether the key there is at fault, not its value.
    pub at_key: bool,
    /// What went wrong.
    pub error: Error,
}

impl Fault {
    pub(crate) fn new(node: &str, place: &Path, error: Error) -> Self {
        Self {
            node: node.to_owned(),
            place: place.clone(),
            at_key: false,
            error,
        }
    }

    /// Whether the user interrupted the run.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.error.kind() == ErrorKind::Cancelled
    }
}

/// The outcome of work on a node; a panic of the driver is a fault of the node, and leaves the other nodes alone.
pub(crate) async fn guarded<T>(
    node: &str,
    place: &Path,
    work: impl Future<Output = Result<T, Vec<Fault>>>,
) -> Result<T, Vec<Fault>> {
    AssertUnwindSafe(work)
        .catch_unwind()
        .await
        .unwrap_or_else(|panic| Err(vec![Fault::new(node, place, Error::from_panic(&*panic))]))
}

impl From<Fault> for Vec<Fault> {
    fn from(fault: Fault) -> Self {
        vec![fault]
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
