//! One fault of a user's text: what, where, and how to mend it. Rendering belongs to the command line.

use std::fmt;
use std::ops::Range;

use serde::Serialize;

use crate::source::Span;
use crate::visible::visible;

/// Whether a diagnostic stops the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The pipeline cannot run as written.
    Error,
    /// It runs, but the user should know.
    Warning,
}

/// One fault, rendered as its message, the source line with a caret, and a hint.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnostic {
    /// Error or warning.
    pub severity: Severity,
    /// Stable kebab-case code such as `unknown-key`.
    pub code: &'static str,
    /// What is wrong: lower case, no final period, names and literals in backticks.
    pub message: String,
    /// Where, when known.
    pub span: Option<Span>,
    /// Path in the document, such as ``nodes[1] `slv` > transformer.nodes[0].expr``.
    pub path: Option<String>,
    /// Other places that matter (the first declaration of a duplicate), each with a text.
    pub related: Vec<(Span, String)>,
    /// How to mend it.
    pub hint: Option<String>,
}

impl Diagnostic {
    /// An error without a place yet.
    #[must_use]
    pub fn error(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            code,
            message: shortened(message.into()),
            span: None,
            path: None,
            related: Vec::new(),
            hint: None,
        }
    }

    /// A warning without a place yet.
    #[must_use]
    pub fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, message)
        }
    }

    /// Sets the place.
    #[must_use]
    pub fn at(mut self, span: Option<Span>) -> Self {
        self.span = span;
        self
    }

    /// Sets the path in the document.
    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = Some(shortened(path.into()));
        self
    }

    /// Adds another place that matters.
    #[must_use]
    pub fn related(mut self, span: Span, label: impl Into<String>) -> Self {
        self.related.push((span, shortened(label.into())));
        self
    }

    /// Sets how to mend it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(shortened(hint.into()));
        self
    }

    /// True for errors.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Diagnostic {
    /// One line: `file:line:column: error: message (path); hint`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(span) = &self.span {
            write!(f, "{}: ", span.location())?;
        }
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        write!(f, "{severity}: {}", self.message)?;
        if let Some(path) = &self.path {
            write!(f, " ({path})")?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "; {hint}")?;
        }
        Ok(())
    }
}

/// A fault inside one fragment of text (an expression, a SQL statement), at a byte range of that fragment.
/// The owner of the fragment turns it into a [`Diagnostic`] by mapping the range into the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FragmentError {
    /// Stable kebab-case code.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// Byte range in the fragment.
    pub range: Range<usize>,
    /// How to mend it.
    pub hint: Option<String>,
}

/// Longest text of a diagnostic, in characters, whatever the names in it are.
const MAX_TEXT: usize = 1_000;

/// The text without its middle, when it is longer than anybody reads.
#[must_use]
pub fn shortened(text: String) -> String {
    const KEPT: usize = MAX_TEXT / 2;
    if text.len() <= MAX_TEXT || text.chars().nth(MAX_TEXT).is_none() {
        return text;
    }
    let at = |index: Option<(usize, char)>| index.map_or(0, |(at, _)| at);
    let head = at(text.char_indices().nth(KEPT));
    let tail = at(text.char_indices().rev().nth(KEPT));
    format!("{} ... {}", &text[..head], &text[tail..])
}

/// Longest message, in characters.
const MAX_MESSAGE: usize = 600;

/// A message in which nothing of the user's text is invisible, turns the direction of writing, or is endless.
fn shown(message: String) -> String {
    let message = match message.char_indices().nth(MAX_MESSAGE) {
        Some((end, _)) => format!("{}...", &message[..end]),
        None => message,
    };
    visible(&message).into_owned()
}

impl FragmentError {
    /// A fault at `range` of the fragment.
    #[must_use]
    pub fn new(code: &'static str, message: impl Into<String>, range: Range<usize>) -> Self {
        Self {
            code,
            message: shown(message.into()),
            range,
            hint: None,
        }
    }

    /// Sets how to mend it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds a hint, if there is one.
    pub(crate) fn hint_if(self, hint: Option<String>) -> Self {
        match hint {
            Some(hint) => self.hint(hint),
            None => self,
        }
    }
}

impl fmt::Display for FragmentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.message)
    }
}

impl std::error::Error for FragmentError {}
