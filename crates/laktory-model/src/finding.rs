//! A fault found in a model, at a path. The document that the model came from turns it into a diagnostic.

use std::ops::Range;

use laktory_syntax::{FragmentError, Severity};

use crate::path::Path;

/// One fault of a pipeline, whether it came from a file or from code.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Error or warning.
    pub severity: Severity,
    /// Stable kebab-case code.
    pub code: &'static str,
    /// What is wrong: lower case, no final period, names in backticks.
    pub message: String,
    /// Where.
    pub path: Path,
    /// Byte range in the text at `path`; none for the whole value.
    pub range: Option<Range<usize>>,
    /// The fault is the key, not its value.
    pub at_key: bool,
    /// What the caller asked for is at fault, not the document: the name of the option.
    pub option: Option<&'static str>,
    /// How to mend it.
    pub hint: Option<String>,
    /// Other places that matter, each with a text.
    pub related: Vec<(Path, String)>,
}

impl Finding {
    /// An error at `path`.
    #[must_use]
    pub fn error(code: &'static str, path: Path, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            code,
            message: message.into(),
            path,
            range: None,
            at_key: false,
            option: None,
            hint: None,
            related: Vec::new(),
        }
    }

    /// A warning at `path`.
    #[must_use]
    pub fn warning(code: &'static str, path: Path, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, path, message)
        }
    }

    /// A fault inside the text at `path`.
    #[must_use]
    pub fn in_text(path: Path, error: FragmentError) -> Self {
        Self {
            range: Some(error.range),
            hint: error.hint,
            ..Self::error(error.code, path, error.message)
        }
    }

    /// Points at the key.
    #[must_use]
    pub fn at_key(mut self) -> Self {
        self.at_key = true;
        self
    }

    /// Blames an option of the caller.
    #[must_use]
    pub fn of_option(mut self, option: &'static str) -> Self {
        self.option = Some(option);
        self
    }

    /// Points into the text at the path.
    #[must_use]
    pub fn range(mut self, range: Range<usize>) -> Self {
        self.range = Some(range);
        self
    }

    /// Says how to mend it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds another place.
    #[must_use]
    pub fn related(mut self, path: Path, label: impl Into<String>) -> Self {
        self.related.push((path, label.into()));
        self
    }

    /// True for errors.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}
