//! TEXT: each line of a file is a row of the one column `value`, as Spark has it. With `wholetext`, each file is one row.

use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::builder::StringViewBuilder;
use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::{DataType, Field as ArrowField, Schema, SchemaRef};
use laktory_core::{Error, ErrorKind, ReadSpec, Result};

use super::{Batches, Decoder, Stored};
use crate::options::Given;
use crate::packed;

/// The name of the column.
pub(super) const VALUE: &str = "value";

/// Options of reading.
pub(super) const OPTIONS: &[&str] = &[
    "encoding",
    "hive_partitioning",
    "include_file_paths",
    "lineSep",
    "n_rows",
    "recursiveFileLookup",
    "wholetext",
];

/// Bytes of texts of a batch, about.
const BYTES: usize = 1 << 23;

/// Where lines end.
#[derive(Clone, Debug)]
enum Ends {
    /// At a line feed, a carriage return, or both.
    Lines,
    /// At a text.
    At(Arc<[u8]>),
    /// At the end of the file.
    Whole,
}

#[derive(Debug)]
struct Text {
    ends: Ends,
    encoding: Option<&'static encoding_rs::Encoding>,
    schema: SchemaRef,
}

pub(super) fn decoder(spec: &ReadSpec, given: &Given<'_>) -> Result<Arc<dyn Decoder>> {
    let separator = given.text("lineSep")?;
    let ends = match (given.flag("wholetext")?.unwrap_or(false), separator) {
        (true, _) => Ends::Whole,
        (false, Some("")) => return Err(given.refused("lineSep", "cannot be empty")),
        (false, Some(text)) => Ends::At(unescaped(text).into()),
        (false, None) => Ends::Lines,
    };
    let encoding = match given.text("encoding")? {
        None => None,
        Some(label) => match encoding_rs::Encoding::for_label(label.as_bytes()) {
            Some(encoding) if encoding == encoding_rs::UTF_8 => None,
            Some(encoding) => Some(encoding),
            None => {
                return Err(given
                    .refused("encoding", format!("cannot be `{label}`"))
                    .with_hint("it takes `utf-8`, `latin1`, `windows-1252`, `utf-16`, and other names of the web"));
            }
        },
    };
    // The one column may be given another name.
    let name = match spec.schema.as_deref() {
        None => VALUE.to_owned(),
        Some([one]) => one.name.clone(),
        Some(_) => VALUE.to_owned(),
    };
    let field = ArrowField::new(name, DataType::Utf8View, true);
    Ok(Arc::new(Text {
        ends,
        encoding,
        schema: Arc::new(Schema::new(vec![field])),
    }))
}

/// The text of an option, in which line ends may be written as in code.
pub(crate) fn unescaped(text: &str) -> Vec<u8> {
    text.replace("\\r", "\r")
        .replace("\\n", "\n")
        .replace("\\t", "\t")
        .into_bytes()
}

impl Decoder for Text {
    fn look(&self, file: &Path) -> Result<Stored> {
        packed::text(file)?;
        Ok(Stored {
            schema: Arc::clone(&self.schema),
            rows: None,
        })
    }

    fn open(&self, file: &Path, columns: &[usize], batch_size: usize) -> Result<Batches> {
        let text: Box<dyn BufRead + Send> = match self.encoding {
            None => packed::text(file)?,
            Some(encoding) => Box::new(std::io::BufReader::new(crate::csv::recoded(
                packed::raw(file)?,
                encoding,
            ))),
        };
        let fields: Vec<ArrowField> = columns
            .iter()
            .map(|_| self.schema.field(0).clone())
            .collect();
        Ok(Box::new(Lines {
            path: file.to_owned(),
            text,
            ends: self.ends.clone(),
            schema: Arc::new(Schema::new(fields)),
            batch_size,
            line: Vec::new(),
            number: 0,
            skips_feed: false,
            ended: false,
        }))
    }
}

struct Lines {
    path: PathBuf,
    text: Box<dyn BufRead + Send>,
    ends: Ends,
    schema: SchemaRef,
    batch_size: usize,
    line: Vec<u8>,
    /// The number of the last line, the first one being 1.
    number: u64,
    /// Whether a line feed that comes next belongs to the end of the line before.
    skips_feed: bool,
    ended: bool,
}

impl Lines {
    /// Reads the next line; false behind the last one.
    fn line(&mut self) -> std::io::Result<bool> {
        self.line.clear();
        match &self.ends {
            Ends::Whole => {
                let first = self.number == 0;
                self.text.read_to_end(&mut self.line)?;
                return Ok(first);
            }
            Ends::At(separator) => {
                let separator = Arc::clone(separator);
                let Some(last) = separator.last() else {
                    return Ok(false);
                };
                loop {
                    let read = self.text.read_until(*last, &mut self.line)?;
                    if self.line.ends_with(&separator) {
                        self.line.truncate(self.line.len() - separator.len());
                        return Ok(true);
                    }
                    if read == 0 {
                        return Ok(!self.line.is_empty());
                    }
                }
            }
            Ends::Lines => {}
        }
        loop {
            let piece = self.text.fill_buf()?;
            let Some(first) = piece.first() else {
                return Ok(!self.line.is_empty());
            };
            if self.skips_feed {
                self.skips_feed = false;
                if *first == b'\n' {
                    self.text.consume(1);
                    continue;
                }
            }
            match memchr::memchr2(b'\n', b'\r', piece) {
                Some(at) => {
                    self.skips_feed = piece[at] == b'\r';
                    self.line.extend_from_slice(&piece[..at]);
                    self.text.consume(at + 1);
                    return Ok(true);
                }
                None => {
                    self.line.extend_from_slice(piece);
                    let length = piece.len();
                    self.text.consume(length);
                }
            }
        }
    }

    fn batch(&mut self) -> Result<Option<RecordBatch>> {
        let mut values = StringViewBuilder::new();
        let (mut rows, mut bytes) = (0, 0);
        while rows < self.batch_size && bytes < BYTES {
            let more = self.line().map_err(|error| {
                let place = format!("line {}", self.number + 1);
                packed::named(&self.path, error).context(place)
            })?;
            if !more {
                self.ended = true;
                break;
            }
            self.number += 1;
            let text = simdutf8::compat::from_utf8(&self.line)
                .map_err(|error| self.not_utf8(error.valid_up_to()))?;
            if !self.schema.fields().is_empty() {
                values.try_append_value(text).map_err(|_| self.too_long())?;
            }
            rows += 1;
            bytes += self.line.len();
        }
        if rows == 0 {
            return Ok(None);
        }
        let values: ArrayRef = Arc::new(values.finish());
        let columns = self.schema.fields().iter().map(|_| Arc::clone(&values));
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns.collect(), &options)
            .map(Some)
            .map_err(|error| Error::internal(error.to_string()))
    }

    fn not_utf8(&self, at: usize) -> Error {
        Error::new(
            ErrorKind::ConversionFailed,
            format!(
                "`{}`: line {} is not UTF-8, from its byte {} on",
                self.path.display(),
                self.number,
                at + 1
            ),
        )
        .with_hint("say how it is encoded: `encoding` in `reader_kwargs`, as `latin1` or `utf-16`")
    }

    fn too_long(&self) -> Error {
        Error::new(
            ErrorKind::ConversionFailed,
            format!(
                "`{}`: line {} is longer than 4 GiB",
                self.path.display(),
                self.number
            ),
        )
        .with_hint("set `lineSep` to what its lines end with")
    }
}

impl Iterator for Lines {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let batch = self.batch();
        self.ended |= batch.is_err();
        batch.transpose()
    }
}
