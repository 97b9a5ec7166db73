//! CSV: what a file holds, whatever an engine's reader makes of it.
//!
//! [`Reading::new`] looks at the headers: encoding, names, declared columns, guessed types. [`Reading::survey`] looks at
//! all of each file before an engine does: it says how many rows there are, whether an engine's own reader takes the files
//! as they are ([`Survey::clean`]), and refuses what has no sensible reading, with its line. [`Reading::batches`] decodes a
//! file; what it gives is what CSV means here, and an engine's own reader may only be used where it gives the same.

mod coding;
mod dialect;
mod fault;
mod guess;
mod header;
mod look;
mod records;
mod rows;
mod scan;
mod survey;
mod values;

use std::io::{BufRead, Read};
use std::path::{Path, PathBuf};

use laktory_core::{DType, Error, ErrorKind, Field, Result};

pub use dialect::{Dialect, OPTIONS};
#[cfg(feature = "decoders")]
pub(crate) use guess::Candidates;
pub use look::{Looked, look};
pub use rows::Batches;
pub use survey::{Survey, survey};

use coding::{Recoded, suspect};
use dialect::Coding;
use fault::Fault;
use records::Records;

/// Opens a file as a driver reads it: decompressed, else as it is.
pub type Open = fn(&Path) -> Result<Box<dyn BufRead + Send>>;

/// What UTF-8 may begin with.
const MARK: &[u8] = b"\xEF\xBB\xBF";

/// Text of records.
type Text = Box<dyn Read + Send>;

/// Files of one read: how they are written, and the columns that they give.
#[derive(Clone, Debug)]
pub struct Reading {
    dialect: Dialect,
    open: Open,
    files: Vec<File>,
    columns: Vec<Field>,
    guessed: bool,
}

/// A file of a read.
#[derive(Clone, Debug)]
struct File {
    path: PathBuf,
    /// Fields of each record.
    width: usize,
    /// For each column, which field holds it.
    fields: Vec<Option<usize>>,
    /// Whether the names stand in one line, the first one.
    plain_header: bool,
    stamp: Stamp,
}

/// What tells a file from what it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    size: u64,
    modified: Option<std::time::SystemTime>,
}

impl Stamp {
    /// The present state of a file.
    ///
    /// # Errors
    /// `NotFound`, `Io`.
    pub fn of(file: &Path) -> Result<Self> {
        let metadata = std::fs::metadata(file).map_err(|error| named(error.into(), file))?;
        Ok(Self {
            size: metadata.len(),
            modified: metadata.modified().ok(),
        })
    }

    /// Whether the file is as it was.
    ///
    /// # Errors
    /// `ConversionFailed` when it was changed.
    pub fn check(&self, file: &Path) -> Result<()> {
        if Self::of(file)? == *self {
            Ok(())
        } else {
            Err(Fault::Changed.error(file, true))
        }
    }
}

impl Reading {
    /// The columns, in the order in which they are read.
    #[must_use]
    pub fn columns(&self) -> &[Field] {
        &self.columns
    }

    /// The columns as [`Self::batches`] decodes them: types that are not spelled in Arrow alone are text.
    #[must_use]
    pub fn decoded(&self) -> Vec<Field> {
        let decoded =
            |field: &Field| Field::new(field.name.as_str(), values::decoded(&field.dtype));
        self.columns.iter().map(decoded).collect()
    }

    /// The files, with what they were when their headers were looked at.
    pub fn files(&self) -> impl Iterator<Item = (&Path, Stamp)> {
        self.files
            .iter()
            .map(|file| (file.path.as_path(), file.stamp))
    }

    /// The columns in the order of the fields of the files, when all files have that order and no further ones.
    #[must_use]
    pub fn in_order(&self) -> Option<Vec<Field>> {
        let first = self.files.first()?;
        let same = |file: &File| {
            file.width == self.columns.len() && file.fields == first.fields && file.plain_header
        };
        if !self.files.iter().all(same) {
            return None;
        }
        (0..first.width)
            .map(|at| {
                let column = first.fields.iter().position(|field| *field == Some(at))?;
                Some(self.columns[column].clone())
            })
            .collect()
    }

    /// Whether an engine's own reader may read the files, once they turn out to be clean: what is asked for means the same
    /// to each reader.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        let simple = |field: &Field| {
            !matches!(
                field.dtype,
                DType::Decimal { .. } | DType::Int128 | DType::UInt128
            )
        };
        self.dialect.is_plain()
            && self.columns.iter().all(simple)
            && self.files.iter().all(|file| !is_compressed(&file.path))
    }

    /// Whether records may be changed by an option, so that a survey counts how often.
    #[must_use]
    fn is_lenient(&self) -> bool {
        self.dialect.truncate
            || self.dialect.pad
            || self.dialect.lenient
            || self.dialect.coding == Coding::Lossy
    }

    /// Whether values are other than text, which blanks around them must not keep from being read.
    fn is_typed(&self) -> bool {
        self.columns
            .iter()
            .any(|field| values::decoded(&field.dtype) != DType::String)
    }
}

/// A text in another encoding, as UTF-8.
pub(crate) fn recoded(
    text: Box<dyn BufRead + Send>,
    encoding: &'static encoding_rs::Encoding,
) -> impl Read + Send {
    Recoded::new(text, encoding)
}

/// The text of a file as UTF-8, behind its byte order mark.
fn text(dialect: &Dialect, open: Open, file: &Path) -> Result<Text> {
    let mut text = open(file)?;
    let head = text.fill_buf().map_err(|error| named(error.into(), file))?;
    match dialect.coding {
        Coding::Other(encoding) => Ok(Box::new(Recoded::new(text, encoding))),
        Coding::Utf8 | Coding::Lossy => {
            if let Some(encoding) = suspect(head) {
                return Err(other_encoding(file, encoding));
            }
            if head.starts_with(MARK) {
                text.consume(MARK.len());
            }
            Ok(Box::new(text))
        }
    }
}

fn other_encoding(file: &Path, encoding: &str) -> Error {
    let error = Error::new(
        ErrorKind::ConversionFailed,
        format!("`{}` is {encoding}, not UTF-8", file.display()),
    );
    error.with_hint(if encoding == "UTF-32" {
        "convert the file to UTF-8".to_owned()
    } else {
        format!(
            "set `encoding: {}` in `reader_kwargs`, or convert the file to UTF-8",
            encoding.to_ascii_lowercase()
        )
    })
}

/// The records of a file, from the first one on that counts.
fn records(dialect: &Dialect, open: Open, file: &Path) -> Result<Records<Text>> {
    let mut records = Records::new(text(dialect, open, file)?, dialect);
    let failed = |stop| stopped(stop, dialect, file);
    for _ in 0..dialect.skip_lines {
        if !records.skip_line().map_err(failed)? {
            break;
        }
    }
    records.tolerate(true);
    for _ in 0..dialect.skip_rows {
        if !records.advance().map_err(failed)? {
            break;
        }
    }
    records.tolerate(false);
    Ok(records)
}

/// The error behind which reading stopped.
fn stopped(stop: records::Stop, dialect: &Dialect, file: &Path) -> Error {
    match stop {
        records::Stop::Fault(fault) => fault.error(file, dialect.has_header),
        records::Stop::Io(error) => named(error, file),
    }
}

fn named(error: Error, file: &Path) -> Error {
    error.context(format!("`{}`", file.display()))
}

/// Whether the first bytes of a file are those of a compressed one.
fn is_compressed(file: &Path) -> bool {
    !matches!(crate::packed::Compression::of_file(file), Ok(None))
}

#[cfg(test)]
mod tests;
