//! Errors that name the file that they are about.

use std::path::Path;

use laktory_core::Error;

/// Naming a file.
pub(crate) trait Named {
    /// The error, with the file in front.
    fn at(self, path: &Path) -> Self;
}

impl Named for Error {
    fn at(self, path: &Path) -> Self {
        self.context(format!("`{}`", path.display()))
    }
}
