//! XML, by the mapping of Spark: each element of the name `rowTag` is a row. Its attributes are columns that begin with
//! `attributePrefix`, its elements are columns, lists where a name comes more than once, and objects where they have attributes
//! or elements of their own; the text of such an element is its field `valueTag`. Columns and fields are in the order of their
//! names. An element without anything in it is null.

mod build;
mod infer;
mod tree;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_schema::{Field as ArrowField, Schema, SchemaRef};
use laktory_core::{DType, Error, ErrorKind, Field, ReadSpec, Result};

use super::{Batches, Decoder, Stored};
use crate::options::Given;
use crate::packed;
use infer::Shape;
use tree::{Fault, Names, Node, Rows};

/// Options of reading.
pub(super) const OPTIONS: &[&str] = &[
    "allow_missing_columns",
    "attributePrefix",
    "encoding",
    "excludeAttribute",
    "extra_columns",
    "hive_partitioning",
    "ignoreNamespace",
    "ignoreSurroundingSpaces",
    "include_file_paths",
    "missing_columns",
    "n_rows",
    "nullValue",
    "recursiveFileLookup",
    "rowTag",
    "valueTag",
];

/// The text of files.
type Text = Box<dyn BufRead + Send>;

#[derive(Debug)]
struct Xml {
    names: Arc<Names>,
    encoding: Option<&'static encoding_rs::Encoding>,
    /// Whether types are guessed from texts.
    guesses: bool,
    /// Columns that are declared, which files without a row have.
    declared: Option<Vec<Field>>,
}

pub(super) fn decoder(spec: &ReadSpec, given: &Given<'_>) -> Result<Arc<dyn Decoder>> {
    let Some(row) = given.text("rowTag")?.filter(|name| !name.is_empty()) else {
        return Err(given
            .refused("rowTag", "is needed")
            .with_hint("set it to the name of the elements that are rows"));
    };
    let encoding = match given.text("encoding")? {
        None => None,
        Some(label) => Some(named(label).ok_or_else(|| {
            given
                .refused("encoding", format!("cannot be `{label}`"))
                .with_hint("it takes `utf-8`, `latin1`, `windows-1252`, `utf-16`, and other names of the web")
        })?),
    };
    let names = Names {
        row: row.trim_matches(['<', '>']).to_owned(),
        prefix: given.text("attributePrefix")?.unwrap_or("_").to_owned(),
        value: given.text("valueTag")?.unwrap_or("_VALUE").to_owned(),
        null: given.text("nullValue")?.map(str::to_owned),
        attributes: !given.flag("excludeAttribute")?.unwrap_or(false),
        local: given.flag("ignoreNamespace")?.unwrap_or(false),
        trims: given.flag("ignoreSurroundingSpaces")?.unwrap_or(true),
    };
    if names.value.is_empty() {
        return Err(given.refused("valueTag", "cannot be empty"));
    }
    Ok(Arc::new(Xml {
        names: Arc::new(names),
        encoding,
        guesses: spec.infer_schema,
        declared: spec.schema.clone(),
    }))
}

fn named(label: &str) -> Option<&'static encoding_rs::Encoding> {
    encoding_rs::Encoding::for_label(label.as_bytes())
}

impl Xml {
    /// The text of a file as UTF-8.
    fn text(&self, file: &Path) -> Result<Text> {
        let mut raw = packed::raw(file)?;
        let head = raw.fill_buf().map_err(|error| packed::named(file, error))?;
        let encoding = self.encoding.or_else(|| told(head));
        match encoding {
            Some(encoding) if encoding != encoding_rs::UTF_8 => {
                Ok(Box::new(BufReader::new(crate::csv::recoded(raw, encoding))))
            }
            _ => packed::text(file),
        }
    }

    fn rows(&self, file: &Path) -> Result<Rows<Text>> {
        Ok(Rows::new(self.text(file)?, Arc::clone(&self.names)))
    }

    /// What is wrong with a file, with the line.
    fn error(&self, file: &Path, fault: Fault) -> Error {
        let place = match (&fault.at, self.text(file)) {
            (Some(at), Ok(text)) => match line(text, *at) {
                Some(line) => format!("`{}`: line {line}", file.display()),
                None => format!("`{}`", file.display()),
            },
            _ => format!("`{}`", file.display()),
        };
        match fault.io {
            Some(error) => packed::named(file, error),
            None => Error::new(
                ErrorKind::ConversionFailed,
                format!("{place}: {}", fault.what),
            )
            .with_hint("it is damaged, cut off, or no XML: write it again"),
        }
    }

    fn without_rows(&self, file: &Path, seen: &[String]) -> Error {
        let row = &self.names.row;
        let nearest = seen
            .iter()
            .filter(|name| strsim::jaro_winkler(&name.to_lowercase(), &row.to_lowercase()) > 0.8)
            .max_by(|left, right| {
                strsim::jaro_winkler(left, row).total_cmp(&strsim::jaro_winkler(right, row))
            });
        let hint = match nearest {
            Some(name) => format!("did you mean `{name}`? set `rowTag` in `reader_kwargs`"),
            None => format!("elements there: {}", crate::options::listed(seen)),
        };
        Error::new(
            ErrorKind::ConversionFailed,
            format!("`{}` has no element `{row}`", file.display()),
        )
        .with_hint(hint)
    }
}

/// The encoding that a declaration names, where its letters are those of ASCII, or that the mark of a text tells.
fn told(head: &[u8]) -> Option<&'static encoding_rs::Encoding> {
    if let Some((encoding, _)) = encoding_rs::Encoding::for_bom(head) {
        return Some(encoding);
    }
    let head = &head[..head.len().min(256)];
    let head = String::from_utf8_lossy(head);
    let declaration = head.strip_prefix("<?xml")?.split_once("?>")?.0;
    let value = declaration.split_once("encoding")?.1;
    let value = value.trim_start().strip_prefix('=')?.trim_start();
    let quote = value
        .chars()
        .next()
        .filter(|quote| matches!(quote, '"' | '\''))?;
    named(value[1..].split_once(quote)?.0)
}

/// The line of a byte of a text.
fn line(mut text: Text, at: u64) -> Option<u64> {
    let mut left = at;
    let mut line = 1;
    loop {
        let piece = text.fill_buf().ok()?;
        if piece.is_empty() || left == 0 {
            return Some(line);
        }
        let length = piece.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        line += memchr::memchr_iter(b'\n', &piece[..length]).count() as u64;
        left -= length as u64;
        text.consume(length);
    }
}

impl Decoder for Xml {
    fn look(&self, file: &Path) -> Result<Stored> {
        let mut rows = self.rows(file)?;
        let mut shape = Shape::default();
        let mut count = 0_u64;
        while let Some(row) = rows.next_row().map_err(|fault| self.error(file, fault))? {
            shape.look(&row, self.guesses);
            count += 1;
        }
        let columns = match (count, &self.declared) {
            (0, None) => return Err(self.without_rows(file, rows.seen())),
            (0, Some(declared)) => declared.clone(),
            _ => match shape.dtype(&self.names.value) {
                DType::Struct(fields) => fields,
                // Rows of nothing but text.
                other => vec![Field::new(self.names.value.as_str(), other)],
            },
        };
        Ok(Stored {
            schema: super::schema(&columns)?,
            rows: Some(count),
        })
    }

    fn open(&self, file: &Path, columns: &[usize], batch_size: usize) -> Result<Batches> {
        let stored = self.look(file)?;
        if columns.is_empty() {
            let (rows, schema) = (stored.rows.unwrap_or(0), Arc::new(Schema::empty()));
            return Ok(Box::new(super::counted(rows, schema, batch_size)));
        }
        let schema = stored
            .schema
            .project(columns)
            .map_err(|error| Error::internal(error.to_string()))?;
        Ok(Box::new(Decoding {
            file: file.to_owned(),
            rows: self.rows(file)?,
            xml: Xml {
                names: Arc::clone(&self.names),
                encoding: self.encoding,
                guesses: self.guesses,
                declared: None,
            },
            schema: Arc::new(schema),
            batch_size,
            number: 0,
            ended: false,
        }))
    }
}

struct Decoding {
    file: PathBuf,
    rows: Rows<Text>,
    xml: Xml,
    schema: SchemaRef,
    batch_size: usize,
    /// Rows before the next one.
    number: u64,
    ended: bool,
}

impl Decoding {
    fn batch(&mut self) -> Result<Option<RecordBatch>> {
        let mut rows: Vec<Node> = Vec::new();
        while rows.len() < self.batch_size {
            match self.rows.next_row() {
                Ok(Some(row)) => rows.push(row),
                Ok(None) => {
                    self.ended = true;
                    break;
                }
                Err(fault) => return Err(self.xml.error(&self.file, fault)),
            }
        }
        if rows.is_empty() {
            return Ok(None);
        }
        let nodes: Vec<Option<&Node>> = rows.iter().map(Some).collect();
        let columns = self
            .schema
            .fields()
            .iter()
            .map(|field| self.column(field, &nodes))
            .collect::<Result<Vec<_>>>()?;
        self.number += rows.len() as u64;
        let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)
            .map(Some)
            .map_err(|error| Error::internal(error.to_string()))
    }

    fn column(&self, field: &ArrowField, rows: &[Option<&Node>]) -> Result<arrow_array::ArrayRef> {
        let of = build::fields(rows, field.name(), &self.xml.names.value);
        build::array(field.data_type(), &of, &self.xml.names.value).map_err(|error| {
            // Which of the rows it is.
            let first = of.iter().position(|node| {
                build::array(field.data_type(), &[*node], &self.xml.names.value).is_err()
            });
            let row = self.number + first.map_or(0, |first| first as u64) + 1;
            Error::new(
                ErrorKind::ConversionFailed,
                format!(
                    "`{}`: row {row}: column `{}` holds a value that is no {}",
                    self.file.display(),
                    field.name(),
                    DType::from_arrow(field.data_type())
                ),
            )
            .with_source(error)
            .with_hint(crate::OTHER_TYPE)
        })
    }
}

impl Iterator for Decoding {
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
