//! Batches of a file as batches of all files: columns found by name, in the types of the read, and as many rows as the file
//! has told.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::{Array as _, ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::{DataType, SchemaRef};
use laktory_core::{DType, Error, ErrorKind, Format, Result};

use super::{Batches, Decoder, File};
use crate::damaged;

/// A file that is being decoded.
pub(super) struct Arranged {
    path: PathBuf,
    format: Format,
    batches: Batches,
    /// Where each wanted column stands among those that are decoded.
    places: Vec<Option<usize>>,
    output: SchemaRef,
    size: usize,
    /// Rows that are still to come, where the file has told.
    left: Option<u64>,
    /// What is left of the batch before.
    rest: Option<RecordBatch>,
    ended: bool,
}

impl Arranged {
    pub(super) fn begin(
        decoder: Arc<dyn Decoder>,
        format: Format,
        file: &File,
        output: SchemaRef,
        size: usize,
    ) -> Result<Batches> {
        let stored: Vec<Option<usize>> = output
            .fields()
            .iter()
            .map(|field| file.stored.index_of(field.name()).ok())
            .collect();
        let mut wanted: Vec<usize> = stored.iter().flatten().copied().collect();
        wanted.sort_unstable();
        wanted.dedup();
        let places = stored
            .iter()
            .map(|place| wanted.iter().position(|known| Some(*known) == *place))
            .collect();
        let path = file.path.clone();
        let opened = catch_unwind(AssertUnwindSafe(|| decoder.open(&path, &wanted, size)));
        let batches = opened.unwrap_or_else(|_| Err(damaged(&format, &path)))?;
        Ok(Box::new(Self {
            path,
            format,
            batches,
            places,
            output,
            size,
            left: file.rows,
            rest: None,
            ended: false,
        }))
    }

    fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        if let Some(rest) = self.rest.take() {
            return Ok(Some(self.cut(rest)));
        }
        loop {
            // Readers of others take some damaged files for impossible.
            let next = catch_unwind(AssertUnwindSafe(|| self.batches.next()));
            let batch = match next {
                Ok(Some(batch)) => batch?,
                Ok(None) => {
                    return match self.left {
                        Some(left) if left > 0 => Err(damaged(&self.format, &self.path)),
                        _ => Ok(None),
                    };
                }
                Err(_) => return Err(damaged(&self.format, &self.path)),
            };
            if batch.num_rows() == 0 {
                continue;
            }
            if let Some(left) = &mut self.left {
                *left = left
                    .checked_sub(batch.num_rows() as u64)
                    .ok_or_else(|| damaged(&self.format, &self.path))?;
            }
            let batch = self.arranged(&batch)?;
            return Ok(Some(self.cut(batch)));
        }
    }

    /// The first rows of a batch, as many as are wanted at once; the others wait.
    fn cut(&mut self, batch: RecordBatch) -> RecordBatch {
        if batch.num_rows() <= self.size {
            return batch;
        }
        self.rest = Some(batch.slice(self.size, batch.num_rows() - self.size));
        batch.slice(0, self.size)
    }

    fn arranged(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let rows = batch.num_rows();
        let columns = self.places.iter().zip(self.output.fields());
        let columns = columns
            .map(|(place, field)| match place {
                Some(place) => converted(batch.column(*place), field.data_type())
                    .map_err(|error| self.other_type(field.name(), error)),
                None => Ok(new_null_array(field.data_type(), rows)),
            })
            .collect::<Result<Vec<_>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(Arc::clone(&self.output), columns, &options)
            .map_err(|error| Error::internal(error.to_string()))
    }

    fn other_type(&self, column: &str, error: arrow_schema::ArrowError) -> Error {
        let wanted = self.output.field_with_name(column);
        let wanted = wanted.map_or(DType::Unknown, |field| DType::from_arrow(field.data_type()));
        Error::new(
            ErrorKind::ConversionFailed,
            format!(
                "`{}`: column `{column}` holds a value that is no {wanted}",
                self.path.display()
            ),
        )
        .with_source(error)
        .with_hint(crate::OTHER_TYPE)
    }
}

impl Iterator for Arranged {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let batch = self.next_batch();
        self.ended = !matches!(batch, Ok(Some(_)));
        batch.transpose()
    }
}

/// Values in another type, or another encoding of theirs.
pub(crate) fn converted(
    column: &ArrayRef,
    to: &DataType,
) -> std::result::Result<ArrayRef, arrow_schema::ArrowError> {
    if column.data_type() == to {
        return Ok(Arc::clone(column));
    }
    let options = CastOptions {
        safe: false,
        ..CastOptions::default()
    };
    cast_with_options(column, to, &options)
}
