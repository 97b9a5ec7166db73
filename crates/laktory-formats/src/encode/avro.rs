//! AVRO: object container files, with columns that may be null. Times are of microseconds, zoned points in time are of UTC,
//! whole numbers beyond those of Avro are decimals.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::sync::Arc;

use arrow_array::{Array as _, RecordBatch, RecordBatchOptions};
use arrow_avro::compression::CompressionCodec;
use arrow_avro::writer::format::AvroOcfFormat;
use arrow_avro::writer::{AvroWriter, WriterBuilder};
use arrow_cast::display::array_value_to_string;
use arrow_schema::{ArrowError, DataType, Field, Fields, Schema, SchemaRef, TimeUnit};
use laktory_core::{Error, ErrorKind, Result, WriteSpec};

use super::{Encoder, Encoding, without_form};
use crate::decode::converted;
use crate::options::Given;

/// Options of writing.
pub(super) const OPTIONS: &[&str] = &["compression"];

struct Avro {
    codec: Option<CompressionCodec>,
}

pub(super) fn encoding(_: &WriteSpec, given: &Given<'_>) -> Result<Box<dyn Encoding>> {
    let codec = given.one_of(
        "compression",
        &[
            ("none", None),
            ("uncompressed", None),
            ("deflate", Some(CompressionCodec::Deflate)),
            ("snappy", Some(CompressionCodec::Snappy)),
            ("zstd", Some(CompressionCodec::ZStandard)),
            ("zstandard", Some(CompressionCodec::ZStandard)),
            ("bzip2", Some(CompressionCodec::Bzip2)),
            ("xz", Some(CompressionCodec::Xz)),
        ],
    )?;
    // What Spark and others write where nothing is said.
    let codec = codec.unwrap_or(Some(CompressionCodec::Snappy));
    Ok(Box::new(Avro { codec }))
}

impl Encoding for Avro {
    fn create(&self, path: &Path, schema: &SchemaRef) -> Result<Box<dyn Encoder>> {
        let written = Arc::new(Schema::new(fields(schema.fields())));
        let file = File::create_new(path)
            .map_err(|error| Error::from(error).context(format!("`{}`", path.display())))?;
        let file = BufWriter::with_capacity(1 << 18, file);
        let writer = WriterBuilder::new(Schema::clone(&written))
            .with_compression(self.codec)
            .build::<_, AvroOcfFormat>(file)
            .map_err(|error| failed(ArrowError::from(error)))?;
        Ok(Box::new(Rows { writer, written }))
    }
}

struct Rows {
    writer: AvroWriter<BufWriter<File>>,
    written: SchemaRef,
}

impl Encoder for Rows {
    fn push(&mut self, batch: &RecordBatch) -> Result<()> {
        let columns = batch
            .columns()
            .iter()
            .zip(self.written.fields())
            .map(|(column, field)| {
                let out = converted(column, field.data_type())
                    .map_err(|error| without_form(field.name(), "AVRO", error))?;
                // Finer times have no form.
                if matches!(column.data_type(), DataType::Time64(TimeUnit::Nanosecond)) {
                    let back = converted(&out, column.data_type()).map_err(failed)?;
                    if back.to_data() != column.to_data() {
                        let row = (0..column.len()).find(|row| {
                            back.slice(*row, 1).to_data() != column.slice(*row, 1).to_data()
                        });
                        let value = row.map(|row| array_value_to_string(column, row));
                        let value = value.and_then(std::result::Result::ok).unwrap_or_default();
                        return Err(Error::new(
                            ErrorKind::ConversionFailed,
                            format!("a time of column `{}`, {value}, has parts of a microsecond, which AVRO has no form for", field.name()),
                        )
                        .with_hint("round it first, or write it as a text"));
                    }
                }
                Ok(out)
            })
            .collect::<Result<Vec<_>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.written), columns, &options)
            .map_err(failed)?;
        self.writer
            .write(&batch)
            .map_err(|error| failed(ArrowError::from(error)))
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        self.writer
            .finish()
            .map_err(|error| failed(ArrowError::from(error)))?;
        self.writer.into_inner().flush()?;
        Ok(())
    }
}

fn failed(error: ArrowError) -> Error {
    match error {
        ArrowError::IoError(_, error) => Error::from(error),
        error => {
            Error::new(ErrorKind::Compute, "rows cannot be written as AVRO").with_source(error)
        }
    }
}

fn fields(fields: &Fields) -> Fields {
    fields
        .iter()
        .map(|field| Arc::new(self::field(field)))
        .collect()
}

fn field(field: &Field) -> Field {
    Field::new(field.name(), written(field.data_type()), true)
}

/// The type in which values of another are written.
fn written(dtype: &DataType) -> DataType {
    match dtype {
        DataType::UInt64 => DataType::Decimal128(20, 0),
        DataType::Float16 => DataType::Float32,
        DataType::LargeUtf8 | DataType::Utf8View | DataType::Dictionary(..) => DataType::Utf8,
        DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            DataType::Binary
        }
        DataType::Decimal32(digits, scale) | DataType::Decimal64(digits, scale) => {
            DataType::Decimal128(*digits, *scale)
        }
        DataType::Time32(_) | DataType::Time64(_) => DataType::Time64(TimeUnit::Microsecond),
        DataType::Date64 => DataType::Date32,
        DataType::Timestamp(unit, zone) => {
            let unit = match unit {
                TimeUnit::Second => TimeUnit::Millisecond,
                other => *other,
            };
            DataType::Timestamp(unit, zone.as_ref().map(|_| "UTC".into()))
        }
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _) => DataType::List(Arc::new(field(item))),
        DataType::Struct(fields) => DataType::Struct(self::fields(fields)),
        DataType::Map(entries, sorted) => match entries.data_type() {
            DataType::Struct(pair) if pair.len() == 2 => {
                let pair = Fields::from(vec![
                    Field::new("key", DataType::Utf8, false),
                    Field::new("value", written(pair[1].data_type()), true),
                ]);
                let entries = Field::new("entries", DataType::Struct(pair), false);
                DataType::Map(Arc::new(entries), *sorted)
            }
            _ => dtype.clone(),
        },
        other => other.clone(),
    }
}
