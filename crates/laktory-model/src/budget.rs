//! What reading a configuration may use up, so that a small file cannot become an endless one.
//!
//! One budget serves a whole document: what is written, and what anchors, includes and variables repeat.

use laktory_syntax::Diagnostic;

use crate::tree::Extent;

/// Longest file that is read as configuration, in bytes.
pub const MAX_FILE_BYTES: usize = 16 << 20;
/// Values of a document, with all that is repeated.
const MAX_VALUES: usize = 1_000_000;
/// Bytes of text of a document, with all that is repeated.
const MAX_TEXT: usize = 32 << 20;
/// Files that includes read; a file that is read twice counts twice.
const MAX_FILES: usize = 5_000;
/// Bytes of text that a path may become when its variables are substituted.
const MAX_PATH: usize = 64 << 10;

/// Why something is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// It is written in a file.
    Written,
    /// An alias repeats it.
    Anchor,
    /// An include tag names its file.
    Include,
    /// A placeholder stands for it.
    Variable,
}

/// What is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Limit {
    Values,
    Text,
    Files,
}

/// The budget is used up; [`Budget::fault`] says so once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exhausted;

/// What may still be used.
#[derive(Debug)]
pub(crate) struct Budget {
    values: usize,
    text: usize,
    /// Bytes of text that there were to use.
    most_text: usize,
    files: usize,
    /// What repeats, in the order of its first use.
    causes: Vec<Cause>,
    exceeded: Option<Limit>,
    told: bool,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            values: MAX_VALUES,
            text: MAX_TEXT,
            most_text: MAX_TEXT,
            files: MAX_FILES,
            causes: Vec::new(),
            exceeded: None,
            told: false,
        }
    }
}

impl Budget {
    /// The budget of one short text, such as a path.
    pub(crate) fn of_path() -> Self {
        Self {
            text: MAX_PATH,
            most_text: MAX_PATH,
            ..Self::default()
        }
    }

    /// Takes values and their text.
    ///
    /// # Errors
    /// When there is not enough left, now or before.
    pub(crate) fn take(&mut self, extent: Extent, cause: Cause) -> Result<(), Exhausted> {
        self.note(cause);
        Self::reduce(
            &mut self.values,
            extent.values,
            Limit::Values,
            &mut self.exceeded,
        )?;
        Self::reduce(
            &mut self.text,
            extent.bytes,
            Limit::Text,
            &mut self.exceeded,
        )
    }

    /// Takes bytes of text.
    ///
    /// # Errors
    /// As [`Self::take`].
    pub(crate) fn take_text(&mut self, bytes: usize, cause: Cause) -> Result<(), Exhausted> {
        self.note(cause);
        Self::reduce(&mut self.text, bytes, Limit::Text, &mut self.exceeded)
    }

    /// Takes one value that is written in a file; the bytes of the file are taken when it is read.
    ///
    /// # Errors
    /// As [`Self::take`].
    pub(crate) fn take_value(&mut self) -> Result<(), Exhausted> {
        Self::reduce(&mut self.values, 1, Limit::Values, &mut self.exceeded)
    }

    /// Takes a file, or an entry of a folder that is looked through.
    ///
    /// # Errors
    /// As [`Self::take`].
    pub(crate) fn take_file(&mut self) -> Result<(), Exhausted> {
        Self::reduce(&mut self.files, 1, Limit::Files, &mut self.exceeded)
    }

    fn reduce(
        left: &mut usize,
        amount: usize,
        limit: Limit,
        exceeded: &mut Option<Limit>,
    ) -> Result<(), Exhausted> {
        if exceeded.is_none() {
            match left.checked_sub(amount) {
                Some(rest) => {
                    *left = rest;
                    return Ok(());
                }
                None => *exceeded = Some(limit),
            }
        }
        Err(Exhausted)
    }

    fn note(&mut self, cause: Cause) {
        if cause != Cause::Written && !self.causes.contains(&cause) {
            self.causes.push(cause);
        }
    }

    /// Whether a document is cut short: nothing can be made of it.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.exceeded.is_some()
    }

    /// The fault, the first time that it is asked for; later uses fail for the same reason.
    pub(crate) fn fault(&mut self) -> Option<Diagnostic> {
        let limit = self.exceeded.filter(|_| !self.told)?;
        self.told = true;
        let what = match limit {
            Limit::Values => "more than 1,000,000 values".to_owned(),
            Limit::Text if self.most_text == MAX_PATH => {
                let message = format!("a path holds more than {} KiB of text", MAX_PATH >> 10);
                return Some(Diagnostic::error("too-large", message).hint("write a shorter path"));
            }
            Limit::Text => format!("more than {} MiB of text", MAX_TEXT >> 20),
            Limit::Files => "more than 5,000 included files or entries of folders".to_owned(),
        };
        let causes: Vec<&str> = self
            .causes
            .iter()
            .filter_map(|cause| match cause {
                Cause::Written => None,
                Cause::Anchor => Some("anchors"),
                Cause::Include => Some("includes"),
                Cause::Variable => Some("variables"),
            })
            .collect();
        let repeated = match causes.as_slice() {
            [] => String::new(),
            _ if limit == Limit::Files => String::new(),
            [one] => format!(", with what {one} repeat"),
            [first @ .., last] => format!(", with what {} and {last} repeat", first.join(", ")),
        };
        let hint = match limit {
            Limit::Files => "name the files that belong to the pipeline, each once",
            Limit::Values | Limit::Text => {
                "keep data in files of their own and read them as sources, or split the pipeline"
            }
        };
        let message = format!("the configuration holds {what}{repeated}");
        Some(Diagnostic::error("too-large", message).hint(hint))
    }
}
