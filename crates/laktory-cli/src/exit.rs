//! Exit codes, and what a command that did not succeed leaves to print.

use laktory::syntax::Diagnostic;

/// The run failed; outputs of the failed nodes are as they were.
pub(crate) const FAILED: u8 = 1;
/// Wrong usage, or an invalid pipeline: nothing was read or written.
pub(crate) const USAGE: u8 = 2;
/// The user interrupted the run.
pub(crate) const INTERRUPTED: u8 = 130;

/// Why a command did not succeed.
#[derive(Debug)]
pub(crate) struct Failure {
    /// Exit code.
    pub(crate) code: u8,
    /// Faults to print, each once.
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// Whether threads hang that nothing stops: the process ends at once then, since what runs at the end of one may wait
    /// for them, or take away what they look at.
    pub(crate) leaves_threads: bool,
}

impl Failure {
    /// An invalid pipeline or wrong usage.
    pub(crate) fn usage(diagnostics: Vec<Diagnostic>) -> Self {
        Self {
            code: USAGE,
            diagnostics,
            leaves_threads: false,
        }
    }

    /// A run that failed.
    pub(crate) fn failed(diagnostics: Vec<Diagnostic>) -> Self {
        Self {
            code: FAILED,
            diagnostics,
            leaves_threads: false,
        }
    }

    /// A run that the user interrupted.
    pub(crate) fn interrupted() -> Self {
        Self {
            code: INTERRUPTED,
            diagnostics: Vec::new(),
            leaves_threads: false,
        }
    }
}

impl From<Vec<Diagnostic>> for Failure {
    fn from(diagnostics: Vec<Diagnostic>) -> Self {
        Self::usage(diagnostics)
    }
}

impl From<laktory::core::Error> for Failure {
    fn from(error: laktory::core::Error) -> Self {
        Self::failed(vec![laktory::diagnostic(&error)])
    }
}
