//! A list of diagnostics that ends where nobody reads on: the rest is counted.

use std::ops::{Deref, DerefMut};

use crate::diagnostic::{Diagnostic, Severity};

/// How many errors, and how many warnings, are told. The others are counted.
const MOST: usize = 100;

/// What was found, in the order in which it was found: the first errors and warnings, and how many more there are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Diagnostics {
    told: Vec<Diagnostic>,
    errors: usize,
    warnings: usize,
}

impl Diagnostics {
    /// Adds a diagnostic, or counts it when there are enough; its position when it was added.
    pub fn push(&mut self, diagnostic: Diagnostic) -> Option<usize> {
        self.push_with(diagnostic.severity, || diagnostic)
    }

    /// Adds a diagnostic that is made only when there is room for it.
    pub fn push_with(
        &mut self,
        severity: Severity,
        diagnostic: impl FnOnce() -> Diagnostic,
    ) -> Option<usize> {
        let count = match severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
        };
        *count += 1;
        if *count > MOST {
            return None;
        }
        self.told.push(diagnostic());
        Some(self.told.len() - 1)
    }

    /// Counts errors that nobody made a diagnostic of.
    pub fn count(&mut self, errors: usize) {
        self.errors += errors;
    }

    /// Whether there are more errors than are told, so that looking for others is of no use.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.errors > MOST
    }

    /// The diagnostics in the order of the file; those without a place first, and the count of those left out last.
    #[must_use]
    pub fn into_sorted(mut self) -> Vec<Diagnostic> {
        self.told
            .sort_by_key(|fault| fault.span.as_ref().map(|span| span.start));
        self.into_vec()
    }

    /// The diagnostics, with one that counts those left out.
    #[must_use]
    pub fn into_vec(mut self) -> Vec<Diagnostic> {
        let more = |count: usize, noun: &str| match count.saturating_sub(MOST) {
            0 => None,
            1 => Some(format!("there is 1 more {noun}, which is not shown")),
            more => Some(format!(
                "there are {more} more {noun}s, which are not shown"
            )),
        };
        if let Some(message) = more(self.warnings, "warning") {
            self.told.push(Diagnostic::warning(Self::MORE, message));
        }
        if let Some(message) = more(self.errors, "error") {
            let hint = "mend those above first: others may be their consequences";
            self.told
                .push(Diagnostic::error(Self::MORE, message).hint(hint));
        }
        self.told
    }

    /// The code of the diagnostic that counts those left out.
    pub const MORE: &'static str = "more";
}

impl Deref for Diagnostics {
    type Target = [Diagnostic];

    fn deref(&self) -> &[Diagnostic] {
        &self.told
    }
}

impl DerefMut for Diagnostics {
    fn deref_mut(&mut self) -> &mut [Diagnostic] {
        &mut self.told
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.told.iter()
    }
}

impl FromIterator<Diagnostic> for Diagnostics {
    fn from_iter<T: IntoIterator<Item = Diagnostic>>(diagnostics: T) -> Self {
        let mut collected = Self::default();
        collected.extend(diagnostics);
        collected
    }
}

impl Extend<Diagnostic> for Diagnostics {
    fn extend<T: IntoIterator<Item = Diagnostic>>(&mut self, diagnostics: T) {
        for diagnostic in diagnostics {
            self.push(diagnostic);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_reads_is_counted() {
        let mut found = Diagnostics::default();
        found.extend((0..MOST).map(|n| Diagnostic::error("c", n.to_string())));
        found.push(Diagnostic::warning("c", "w"));
        assert_eq!(found.clone().into_vec().len(), MOST + 1);
        assert_eq!(found.push(Diagnostic::error("c", "late")), None);
        found.count(1);
        let told = found.into_vec();
        assert_eq!(told.len(), MOST + 2);
        assert_eq!(
            told[MOST + 1].message,
            "there are 2 more errors, which are not shown"
        );
    }

    #[test]
    fn a_message_keeps_its_beginning_and_its_end() {
        let name = "é".repeat(100_000);
        let fault = Diagnostic::error("c", format!("unknown key `{name}` in a node"));
        assert!(fault.message.starts_with("unknown key `é"));
        assert!(fault.message.ends_with("é` in a node"));
        assert!(fault.message.len() < 4_000);
    }
}
