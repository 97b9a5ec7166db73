//! Records as batches of Arrow.

use std::sync::Arc;

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_schema::{Field as ArrowField, Schema, SchemaRef};
use laktory_core::{Error, Field, Result};

use super::column::Object;
use super::records::{Layout, Records, Source};

/// What to decode.
#[derive(Clone, Debug)]
pub struct Decoding {
    /// The file.
    pub source: Source,
    /// How records stand in it.
    pub layout: Layout,
    /// The records that begin in this range of bytes; all of them without one. Of [`Layout::Lines`] alone.
    pub range: Option<(u64, u64)>,
    /// Rows of a batch.
    pub batch_size: usize,
    /// Whether a field that is not among the columns is an error.
    pub complete: bool,
}

/// Batches of a file, decoded while they are asked for. Nothing follows an error.
pub struct Batches {
    records: Records,
    source: Source,
    columns: Object,
    schema: SchemaRef,
    batch_size: usize,
    ended: bool,
}

/// The Arrow schema in which columns are decoded.
///
/// # Errors
/// `Unsupported` for types that Arrow does not have.
pub fn schema(fields: &[Field]) -> Result<SchemaRef> {
    let fields = fields
        .iter()
        .map(|field| match field.dtype.to_arrow() {
            Some(dtype) => Ok(ArrowField::new(&field.name, dtype, true)),
            None => Err(Error::unsupported(format!(
                "column `{}` of type {} cannot be read from JSON",
                field.name, field.dtype
            ))),
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(Arc::new(Schema::new(fields)))
}

/// Decodes the columns `fields` of a file.
///
/// # Errors
/// `Unsupported` for types that JSON has no form for, `NotFound`, `Io`. The batches: `ConversionFailed`, with file and line.
pub fn decode(decoding: Decoding, fields: &[Field]) -> Result<Batches> {
    Ok(Batches {
        schema: schema(fields)?,
        columns: Object::new(fields, decoding.complete)?,
        records: Records::open(&decoding.source, decoding.layout, decoding.range)?,
        source: decoding.source,
        batch_size: decoding.batch_size.max(1),
        ended: false,
    })
}

impl Batches {
    fn batch(&mut self) -> Result<Option<RecordBatch>> {
        let mut rows = 0;
        let (columns, most) = (&mut self.columns, self.batch_size);
        let paused = self.records.run(|cursor, _| {
            columns.push(cursor)?;
            rows += 1;
            Ok(rows < most)
        });
        self.ended = !paused.map_err(|fault| fault.error(&self.source))?;
        if rows == 0 {
            return Ok(None);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let columns = self.columns.take()?;
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)
            .map(Some)
            .map_err(|error| Error::internal(error.to_string()))
    }
}

impl Iterator for Batches {
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

impl std::fmt::Debug for Batches {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Batches").finish_non_exhaustive()
    }
}
