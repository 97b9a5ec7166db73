//! Rows added to a file of text: the old bytes stay as they are, the new rows follow in the form that the writer's
//! options give, and the rows of the whole are counted before anybody takes it for the output.
//!
//! An engine writes the new rows to a file of their own, uncompressed. This makes one file of the two.

mod csv;
mod json;
pub(crate) mod utf8;

use std::fs::File;
use std::io::BufRead;
use std::path::{Path, PathBuf};

use laktory_core::{Error, ErrorKind, Result};

pub use crate::packed::Pack;
use crate::packed::{Packed, raw as text};
pub use csv::CsvText;

/// How a file of text holds its rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Text {
    /// Records of fields.
    Csv(CsvText),
    /// An object on each line.
    JsonLines,
    /// One array of objects.
    JsonArray,
}

/// The file with the rows of `old`, then those of `new`: columns `columns`, `rows` of them, as the engine counted them.
/// `old` may be compressed in whatever way; `whole` is as `pack` says.
///
/// # Errors
/// `SchemaMismatch` when `old` has other columns; `ConversionFailed` when it is not what `form` says; `RowsLost` when the
/// whole does not hold the rows of both; `Io`.
pub fn append(
    form: &Text,
    (old, new): (&Path, &Path),
    (whole, pack): (&Path, Pack),
    columns: &[String],
    rows: u64,
) -> Result<()> {
    utf8::check(old)?;
    let before = match form {
        Text::Csv(form) => {
            let mut out = Packed::create(whole, pack)?;
            let before = csv::append(form, (old, new), columns, &mut out)?;
            out.finish()?;
            before
        }
        Text::JsonLines => {
            json::same_keys(old, false, columns)?;
            let mut out = Packed::create(whole, pack)?;
            let before = json::append_lines((old, new), &mut out)?;
            out.finish()?;
            before
        }
        Text::JsonArray => {
            json::same_keys(old, true, columns)?;
            let mut out = Packed::create(whole, pack)?;
            let before = json::append_array((old, new), &mut out)?;
            out.finish()?;
            before
        }
    };
    counted(form, whole, columns, before + rows)
}

/// A file of text that an engine writes: on its own, or the rows that are added to one that exists.
#[derive(Clone, Debug)]
pub struct TextOutput {
    /// How rows are held.
    pub form: Text,
    /// How the file is compressed.
    pub pack: Pack,
    /// Whether who writes the rows compresses nothing.
    pub plain: bool,
    /// The file to create.
    pub path: PathBuf,
    /// The file whose rows come first.
    pub existing: Option<PathBuf>,
    /// Names of the columns.
    pub columns: Vec<String>,
}

impl TextOutput {
    /// Whether the engine writes to a file beside the output, uncompressed and in lines: rows that are added, and records
    /// that end otherwise, are put into the output by [`TextOutput::finish`].
    #[must_use]
    pub fn is_beside(&self) -> bool {
        let packed = self.plain && self.pack != Pack::None;
        self.existing.is_some() || self.ends().is_some() || packed
    }

    /// Where the engine writes its rows.
    #[must_use]
    pub fn engine_path(&self) -> PathBuf {
        match self.is_beside() {
            true => self.path.with_added_extension("new"),
            false => self.path.clone(),
        }
    }

    /// Whether records end otherwise than engines expect, who then write lines.
    #[must_use]
    pub fn ends_otherwise(&self) -> bool {
        self.ends().is_some()
    }

    /// The form of records that do not end in lines.
    fn ends(&self) -> Option<&CsvText> {
        match &self.form {
            Text::Csv(form) if form.ends_otherwise() => Some(form),
            _ => None,
        }
    }

    /// Completes the file, once the engine has written `rows` rows.
    ///
    /// # Errors
    /// Those of [`append`] and [`counted`].
    pub fn finish(&self, rows: u64) -> Result<()> {
        if !self.is_beside() {
            return counted(&self.form, &self.path, &self.columns, rows);
        }
        let mut new = self.engine_path();
        if let Some(form) = self.ends() {
            counted(&Text::Csv(form.of_lines()), &new, &self.columns, rows)?;
            let lines = std::mem::replace(&mut new, self.path.with_added_extension("ended"));
            let mut out = match self.existing {
                Some(_) => Packed::create(&new, Pack::None)?,
                None => Packed::create(&self.path, self.pack)?,
            };
            csv::terminate(form, &lines, &mut out)?;
            out.finish()?;
            std::fs::remove_file(lines)?;
        }
        let Some(old) = &self.existing else {
            if self.ends().is_none() {
                let mut out = Packed::create(&self.path, self.pack)?;
                std::io::copy(&mut File::open(&new)?, &mut out)?;
                out.finish()?;
                std::fs::remove_file(new)?;
            }
            return counted(&self.form, &self.path, &self.columns, rows);
        };
        counted(&self.form, &new, &self.columns, rows)?;
        let whole = (self.path.as_path(), self.pack);
        append(&self.form, (old, &new), whole, &self.columns, rows)?;
        Ok(std::fs::remove_file(new)?)
    }
}

/// That a file holds as many rows as its writer was given: what a writer's options make of the rows can be told by nobody
/// else.
///
/// # Errors
/// `RowsLost` when it does not; `Io`.
pub fn counted(form: &Text, file: &Path, columns: &[String], rows: u64) -> Result<()> {
    let (found, is_even) = match form {
        Text::Csv(form) => csv::count(form, file, columns.len())?,
        Text::JsonLines => (json::count_lines(file)?, true),
        Text::JsonArray => (json::count_elements(file)?, true),
    };
    if found == rows && !is_even {
        return Err(Error::new(
            ErrorKind::RowsLost,
            "a text holds the separator and nothing is quoted, so that its row would have more fields than there are columns",
        )
        .with_hint("leave `quote_style` out, or choose a `separator` that no text holds"));
    }
    if found == rows {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::RowsLost,
        format!("{rows} rows were written, but the file would hold {found}"),
    )
    .with_hint(
        "texts that hold separators, quotes or line ends need quotes: check `quote_style`, `quote_char` and `line_terminator`",
    ))
}

/// Hands every byte of a text to `each`, in pieces.
fn pieces(mut text: impl BufRead, mut each: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
    loop {
        let piece = text.fill_buf()?;
        if piece.is_empty() {
            return Ok(());
        }
        each(piece)?;
        let length = piece.len();
        text.consume(length);
    }
}

/// Columns that differ, told as one error.
fn other_columns(old: &Path, found: &[String], columns: &[String]) -> Error {
    let listed = |names: &[String]| {
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        names.join(", ")
    };
    Error::new(
        ErrorKind::SchemaMismatch,
        format!(
            "cannot append to `{}`: it has the columns {}, the new rows have {}",
            old.display(),
            listed(found),
            listed(columns)
        ),
    )
    .with_hint("select the same columns in the same order, or use mode OVERWRITE")
}

#[cfg(test)]
mod tests;
