//! The texts that make up one document, by number.
//!
//! Holds texts and turns places into spans; reads nothing.

use std::sync::Arc;

use laktory_syntax::{SourceFile, Span};

use crate::tree::{Place, Style};

/// Every file of a document, in the order in which it was first read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sources {
    files: Vec<Arc<SourceFile>>,
}

impl Sources {
    pub(crate) fn add(&mut self, name: &str, text: String) -> u32 {
        self.files.push(SourceFile::new(name, text));
        u32::try_from(self.files.len() - 1).unwrap_or(u32::MAX)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|file| file.name())
    }

    pub(crate) fn file(&self, file: u32) -> Option<&Arc<SourceFile>> {
        self.files.get(file as usize)
    }

    pub(crate) fn span(&self, place: Place) -> Option<Span> {
        let file = self.file(place.file)?;
        Some(Span::new(file, place.start as usize..place.end as usize))
    }
}

/// A place covering `range` of file `file`.
pub(crate) fn place(file: u32, range: std::ops::Range<usize>) -> Place {
    Place {
        file,
        start: u32::try_from(range.start).unwrap_or(u32::MAX),
        end: u32::try_from(range.end).unwrap_or(u32::MAX),
        style: Style::Whole,
    }
}
