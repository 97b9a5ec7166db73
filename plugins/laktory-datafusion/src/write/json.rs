//! Files of JSON, in the forms that POLARS writes: decimals and zoned times as texts, NaN and infinities refused.

use std::io::Write as _;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef};
use datafusion::arrow::json::WriterBuilder;
use datafusion::arrow::json::writer::{JsonFormat, Writer};
use laktory_core::Result;
use laktory_formats::json::{NAN_AS_NULL, finite, may_be_non_finite};
use laktory_formats::packed::{COMPRESSION, LEVEL, Packed};

use super::{DATETIME, ZONED};
use crate::arrow::encoded;
use crate::error::ResultExt;
use crate::options::Given;
use crate::types::is_decimal;

/// Options of both.
pub(super) const OPTIONS: &[&str] = &[COMPRESSION, LEVEL, NAN_AS_NULL];

/// A file that is being written.
pub(crate) struct Json<F: JsonFormat> {
    writer: Writer<Packed, F>,
    rows: u64,
    checks: bool,
    /// The columns as the writer takes them, where they come otherwise.
    schema: Option<SchemaRef>,
}

/// Whether there may be numbers that JSON has no form for.
pub(crate) struct Checks(bool);

impl Checks {
    /// What options ask for, for rows of these columns.
    pub(super) fn given(given: &Given<'_>, columns: &[laktory_core::Field]) -> Result<Self> {
        let as_null = given.flag(NAN_AS_NULL)?.unwrap_or(false);
        let mut types = columns.iter().map(|column| &column.dtype);
        Ok(Self(!as_null && types.any(may_be_non_finite)))
    }
}

impl<F: JsonFormat> Json<F> {
    /// A file for rows of `schema`.
    pub(super) fn new(Checks(checks): Checks, file: Packed, schema: &SchemaRef) -> Self {
        let written = Arc::new(Schema::new(texts(schema.fields())));
        Self {
            writer: WriterBuilder::new()
                .with_explicit_nulls(true)
                .with_timestamp_format(DATETIME.to_owned())
                .with_timestamp_tz_format(ZONED.to_owned())
                .build(file),
            rows: 0,
            checks,
            schema: (written != *schema).then_some(written),
        }
    }

    pub(super) fn push(&mut self, batch: &RecordBatch) -> Result<()> {
        if self.checks {
            finite(batch, self.rows)?;
        }
        self.rows += batch.num_rows() as u64;
        match &self.schema {
            Some(schema) => self.writer.write(&encoded(batch, schema)?).or_error(),
            None => self.writer.write(batch).or_error(),
        }
    }

    pub(super) fn finish(mut self, end: &[u8]) -> Result<()> {
        self.writer.finish().or_error()?;
        let mut file = self.writer.into_inner();
        file.write_all(end)?;
        file.finish()
    }
}

/// The fields, decimals among them as texts.
fn texts(fields: &Fields) -> Fields {
    let text = |field: &Arc<Field>| {
        let dtype = text(field.data_type());
        field.as_ref().clone().with_data_type(dtype)
    };
    fields.iter().map(text).collect()
}

fn text(dtype: &DataType) -> DataType {
    match dtype {
        dtype if is_decimal(dtype) => DataType::Utf8View,
        DataType::LargeList(field) => {
            let inner = text(field.data_type());
            DataType::LargeList(Arc::new(field.as_ref().clone().with_data_type(inner)))
        }
        DataType::Struct(fields) => DataType::Struct(texts(fields)),
        other => other.clone(),
    }
}
