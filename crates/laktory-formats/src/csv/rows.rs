//! Records as batches of typed columns.

use std::path::Path;
use std::sync::Arc;

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_schema::{Field as ArrowField, Schema, SchemaRef};
use laktory_core::{Error, Field, Result};

use super::dialect::Coding;
use super::fault::Fault;
use super::records::Records;
use super::values::{Column, decoded};
use super::{File, Reading, Text, header, records, stopped};

/// Bytes of records after which a batch ends, however few they are.
const BATCH: usize = 16 << 20;

/// What options changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Changes {
    /// Lines whose surplus fields were left out.
    pub(super) truncated: u64,
    /// Lines whose missing fields are null.
    pub(super) padded: u64,
    /// Values that are null, since they are not of their type.
    pub(super) nulled: u64,
    /// Lines in which bytes that are no text were replaced.
    pub(super) replaced: u64,
}

/// The rows of a file, batch by batch.
pub struct Batches {
    reading: Arc<Reading>,
    file: usize,
    records: Records<Text>,
    schema: SchemaRef,
    /// The wanted columns, with their names, and the fields that hold them.
    columns: Vec<(Field, Option<usize>, Column)>,
    size: usize,
    left: u64,
    rows: u64,
    /// Whether the first record, which is no header, waits.
    waiting: bool,
    done: bool,
    changes: Changes,
}

impl Reading {
    /// Decodes a file, by its place in [`Self::files`]: the `wanted` columns, by their places in [`Self::columns`].
    /// Errors name the file.
    ///
    /// # Errors
    /// `NotFound`, `Io`, and what keeps a file from being read.
    pub fn batches(
        self: &Arc<Self>,
        file: usize,
        wanted: &[usize],
        size: usize,
    ) -> Result<Batches> {
        let chosen = &self.files[file];
        let mut records = records(&self.dialect, self.open, &chosen.path)?;
        let stop = |stop| stopped(stop, &self.dialect, &chosen.path);
        let there = header::first(&mut records, &self.dialect, &chosen.path)?;
        if self.dialect.has_header {
            for _ in 0..self.dialect.skip_after {
                if !records.advance().map_err(stop)? {
                    break;
                }
            }
        }
        let columns: Vec<(Field, Option<usize>, Column)> = wanted
            .iter()
            .map(|at| {
                let field = &self.columns[*at];
                let dtype = decoded(&field.dtype);
                let column = Column::new(&dtype, size);
                (
                    Field::new(field.name.as_str(), dtype),
                    chosen.fields[*at],
                    column,
                )
            })
            .collect();
        let fields: Vec<ArrowField> = columns
            .iter()
            .map(|(field, ..)| arrow_field(field))
            .collect();
        Ok(Batches {
            reading: Arc::clone(self),
            file,
            records,
            schema: Arc::new(Schema::new(fields)),
            columns,
            size: size.max(1),
            left: self.dialect.limit.unwrap_or(u64::MAX),
            rows: 0,
            waiting: there && !self.dialect.has_header,
            done: !there,
            changes: Changes::default(),
        })
    }
}

fn arrow_field(field: &Field) -> ArrowField {
    let dtype = field
        .dtype
        .to_arrow()
        .unwrap_or(arrow_schema::DataType::Utf8View);
    ArrowField::new(&field.name, dtype, true)
}

impl Batches {
    /// The columns of the batches.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// Rows so far.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// What options changed so far.
    pub(super) fn changes(&self) -> Changes {
        self.changes
    }

    fn batch(&mut self) -> Result<Option<RecordBatch>> {
        let mut rows = 0;
        let mut bytes = 0;
        while rows < self.size && bytes < BATCH && !self.done {
            if self.left == 0 || !self.advance()? {
                self.done = true;
                break;
            }
            bytes += self.records.bytes().len();
            if self.row()? {
                rows += 1;
                self.left -= 1;
            }
        }
        self.rows += rows as u64;
        if self.done {
            // What was opened and what is there now are one file.
            let file = &self.reading.files[self.file];
            file.stamp.check(&file.path)?;
        }
        if rows == 0 && self.done {
            return Ok(None);
        }
        let columns = self.columns.iter_mut().map(|(.., column)| column.finish());
        let columns = columns.collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)
            .map(Some)
            .map_err(|error| Error::internal(error.to_string()))
    }

    fn advance(&mut self) -> Result<bool> {
        if std::mem::take(&mut self.waiting) {
            return Ok(true);
        }
        let Self {
            reading,
            file,
            records,
            ..
        } = self;
        let path = &reading.files[*file].path;
        records
            .advance()
            .map_err(|stop| stopped(stop, &reading.dialect, path))
    }

    /// Adds the current record; false for a blank line, which is none.
    fn row(&mut self) -> Result<bool> {
        let Self {
            reading,
            file,
            records,
            columns,
            changes,
            ..
        } = self;
        let dialect = &reading.dialect;
        let File { path, width, .. } = &reading.files[*file];
        let fault = |fault: Fault| Err(fault.error(path, dialect.has_header));
        let (spans, line) = (records.fields(), records.line());
        let (found, wanted) = (spans.len(), *width);
        if found != wanted {
            if records.is_blank() {
                return Ok(false);
            }
            let (taken, changed) = match found > wanted {
                true => (dialect.truncate, &mut changes.truncated),
                false => (dialect.pad, &mut changes.padded),
            };
            if !taken {
                return fault(Fault::Width {
                    line,
                    found,
                    wanted,
                });
            }
            *changed += 1;
        }
        let text = match std::str::from_utf8(records.bytes()) {
            Ok(text) => Some(text),
            Err(_) if dialect.coding == Coding::Lossy => {
                changes.replaced += 1;
                None
            }
            Err(_) => return fault(Fault::Encoding { line }),
        };
        for (field, place, column) in columns {
            let Some(span) = place.and_then(|place| spans.get(place)) else {
                column.push_null();
                continue;
            };
            let value = match text {
                Some(text) => records.single(*span, &text[records.within(*span)]),
                None => {
                    let lossy = String::from_utf8_lossy(records.raw(*span));
                    records.single(*span, &lossy).into_owned().into()
                }
            };
            if value.is_empty() && !span.quoted {
                if dialect.missing_is_null || !column.is_text() {
                    column.push_null();
                } else {
                    let _ = column.push("", false);
                }
            } else if dialect.is_null(&field.name, &value) {
                column.push_null();
            } else if !column.push(&value, dialect.decimal_comma) {
                if !dialect.lenient {
                    return fault(Fault::Value {
                        line,
                        column: field.name.clone(),
                        value: value.into_owned(),
                        dtype: field.dtype.to_string(),
                        guessed: reading.guessed,
                    });
                }
                changes.nulled += 1;
                column.push_null();
            }
        }
        Ok(true)
    }

    /// The file that is decoded.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.reading.files[self.file].path
    }
}

impl Iterator for Batches {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let batch = self.batch().transpose();
        if matches!(batch, Some(Err(_))) {
            self.done = true;
        }
        batch
    }
}
