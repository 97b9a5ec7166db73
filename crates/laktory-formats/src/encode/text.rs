//! TEXT: each row of the one column is a line, as Spark has it; a null is an empty line.

use std::io::{BufRead as _, Write as _};
use std::path::{Path, PathBuf};

use arrow_array::{Array as _, RecordBatch, StringViewArray};
use arrow_schema::{DataType, SchemaRef};
use laktory_core::{Error, ErrorKind, Result, WriteSpec};

use super::{Encoder, Encoding};
use crate::decode::{converted, unescaped};
use crate::options::Given;
use crate::packed::{self, Pack, Packed};

/// Options of writing.
pub(super) const OPTIONS: &[&str] = &["compression", "compression_level", "lineSep"];

struct Text {
    pack: Pack,
    /// What lines end with; none for line feeds.
    separator: Option<Vec<u8>>,
    existing: Option<PathBuf>,
}

pub(super) fn encoding(spec: &WriteSpec, given: &Given<'_>) -> Result<Box<dyn Encoding>> {
    let separator = match given.text("lineSep")? {
        Some("") => return Err(given.refused("lineSep", "cannot be empty")),
        Some(text) => Some(unescaped(text)),
        None => None,
    };
    Ok(Box::new(Text {
        pack: Pack::given(given)?,
        separator,
        existing: spec.existing.clone(),
    }))
}

impl Encoding for Text {
    fn create(&self, path: &Path, _: &SchemaRef) -> Result<Box<dyn Encoder>> {
        let mut lines = Lines {
            file: Packed::create(path, self.pack)?,
            separator: self.separator.clone().unwrap_or_else(|| b"\n".to_vec()),
            of_lines: self.separator.is_none(),
            rows: 0,
        };
        if let Some(existing) = &self.existing {
            lines.begin_with(existing)?;
        }
        Ok(Box::new(lines))
    }
}

struct Lines {
    file: Packed,
    separator: Vec<u8>,
    /// Whether each of the usual ends would begin a new line.
    of_lines: bool,
    rows: u64,
}

impl Lines {
    /// Copies the lines that come first, of which the last one may lack its end.
    fn begin_with(&mut self, existing: &Path) -> Result<()> {
        let mut text = packed::raw(existing)?;
        let mut last: Vec<u8> = Vec::new();
        loop {
            let piece = text
                .fill_buf()
                .map_err(|error| packed::named(existing, error))?;
            if piece.is_empty() {
                break;
            }
            self.file.write_all(piece)?;
            let width = self.separator.len();
            last.extend_from_slice(&piece[piece.len().saturating_sub(width)..]);
            last.drain(..last.len().saturating_sub(width));
            let length = piece.len();
            text.consume(length);
        }
        let ends = last.ends_with(&self.separator) || (self.of_lines && last.ends_with(b"\r"));
        if !last.is_empty() && !ends {
            self.file.write_all(&self.separator)?;
        }
        Ok(())
    }

    fn splits(&self, text: &[u8]) -> bool {
        match self.of_lines {
            true => memchr::memchr2(b'\n', b'\r', text).is_some(),
            false => memchr::memmem::find(text, &self.separator).is_some(),
        }
    }
}

impl Encoder for Lines {
    fn push(&mut self, batch: &RecordBatch) -> Result<()> {
        let Some(column) = batch.columns().first() else {
            return Err(Error::internal("rows of TEXT without a column"));
        };
        let column = converted(column, &DataType::Utf8View)
            .map_err(|error| Error::internal(error.to_string()))?;
        let Some(texts) = column.as_any().downcast_ref::<StringViewArray>() else {
            return Err(Error::internal("a column of TEXT that is no text"));
        };
        for text in texts {
            self.rows += 1;
            let text = text.unwrap_or_default().as_bytes();
            if self.splits(text) {
                return Err(Error::new(
                    ErrorKind::RowsLost,
                    format!(
                        "the text of row {} holds the end of a line, and would come back as several rows",
                        self.rows
                    ),
                )
                .with_hint("replace line ends in the column, set `lineSep` in `writer_kwargs` to a text that no row holds, or write PARQUET"));
            }
            self.file.write_all(text)?;
            self.file.write_all(&self.separator)?;
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<()> {
        self.file.finish()
    }
}
