//! Faults found while a text is lowered: each belongs to one of the texts of a step, at a byte range of it.

use std::ops::Range;

use ruff_text_size::TextRange;

use crate::diagnostic::FragmentError;

/// A place: which text of the step, and which bytes of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct At {
    pub(crate) text: u32,
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl At {
    /// The start of text number `text`, when no bytes can be named.
    pub(crate) fn text(text: u32) -> Self {
        Self {
            text,
            start: 0,
            end: 0,
        }
    }

    pub(crate) fn new(text: u32, range: TextRange) -> Self {
        Self {
            text,
            start: range.start().into(),
            end: range.end().into(),
        }
    }

    pub(crate) fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// One fault.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fault {
    pub(crate) text: u32,
    pub(crate) error: FragmentError,
}

impl Fault {
    pub(crate) fn new(code: &'static str, message: impl Into<String>, at: At) -> Self {
        Self {
            text: at.text,
            error: FragmentError::new(code, message, at.range()),
        }
    }

    pub(crate) fn invalid(message: impl Into<String>, at: At) -> Self {
        Self::new("invalid-argument", message, at)
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.error = self.error.hint(hint);
        self
    }

    pub(crate) fn hint_if(self, hint: Option<String>) -> Self {
        match hint {
            Some(hint) => self.hint(hint),
            None => self,
        }
    }
}

/// Several faults, at least one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Faults(pub(crate) Vec<Fault>);

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Self {
        Self(vec![fault])
    }
}

/// A value, or all that is wrong with its text.
pub(crate) type Outcome<T> = Result<T, Faults>;

/// All values, or the faults of every one that failed.
pub(crate) fn collect<T>(outcomes: impl IntoIterator<Item = Outcome<T>>) -> Outcome<Vec<T>> {
    let mut values = Vec::new();
    let mut faults = Vec::new();
    for outcome in outcomes {
        match outcome {
            Ok(value) => values.push(value),
            Err(Faults(more)) => faults.extend(more),
        }
    }
    if faults.is_empty() {
        Ok(values)
    } else {
        Err(Faults(faults))
    }
}

/// Both values, or the faults of both.
pub(crate) fn both<A, B>(a: Outcome<A>, b: Outcome<B>) -> Outcome<(A, B)> {
    match (a, b) {
        (Ok(a), Ok(b)) => Ok((a, b)),
        (Err(Faults(mut faults)), Err(Faults(more))) => {
            faults.extend(more);
            Err(Faults(faults))
        }
        (Err(faults), Ok(_)) | (Ok(_), Err(faults)) => Err(faults),
    }
}
