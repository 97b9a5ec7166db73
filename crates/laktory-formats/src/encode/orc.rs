//! ORC: flat columns, zoned points in time as those of UTC.
//!
//! The writer of the format stays on the thread that made it, while the batches of an engine come from several. It has one of
//! its own, which ends with the file, and waits for rows: no more than a few batches are between the two.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
};
use arrow_array::{Array as _, ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_cast::display::array_value_to_string;
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use laktory_core::{Error, ErrorKind, Result, WriteSpec};
use orc_rust::arrow_writer::ArrowWriterBuilder;
use orc_rust::compression::CompressionType;

use super::{Encoder, Encoding, without_form};
use crate::decode::converted;
use crate::options::Given;

/// Options of writing.
pub(super) const OPTIONS: &[&str] = &["compression", "stripe_size"];

struct Orc {
    codec: Option<CompressionType>,
    stripe: Option<usize>,
}

pub(super) fn encoding(_: &WriteSpec, given: &Given<'_>) -> Result<Box<dyn Encoding>> {
    let codec = given.one_of(
        "compression",
        &[
            ("none", None),
            ("uncompressed", None),
            ("zlib", Some(CompressionType::Zlib)),
            ("snappy", Some(CompressionType::Snappy)),
            ("lz4", Some(CompressionType::Lz4)),
            ("zstd", Some(CompressionType::Zstd)),
        ],
    )?;
    let stripe = given.count("stripe_size")?;
    if stripe == Some(0) {
        return Err(given.refused("stripe_size", "takes a number of bytes above zero"));
    }
    Ok(Box::new(Orc {
        codec: codec.unwrap_or(Some(CompressionType::Zstd)),
        stripe,
    }))
}

impl Encoding for Orc {
    fn create(&self, path: &Path, schema: &SchemaRef) -> Result<Box<dyn Encoder>> {
        let fields = schema.fields().iter();
        let fields = fields.map(|field| Field::new(field.name(), written(field.data_type()), true));
        let written = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let file = File::create_new(path)
            .map_err(|error| Error::from(error).context(format!("`{}`", path.display())))?;
        let file = BufWriter::with_capacity(1 << 18, file);
        let (rows, batches) = sync_channel(WAITING);
        let (schema, codec, stripe) = (Arc::clone(&written), self.codec, self.stripe);
        let thread = std::thread::Builder::new()
            .name("orc".to_owned())
            .spawn(move || write(file, schema, (codec, stripe), &batches))?;
        Ok(Box::new(Rows {
            written,
            rows: Some(rows),
            thread: Some(thread),
        }))
    }
}

/// Batches that wait for the writer.
const WAITING: usize = 2;

/// What is sent: rows, and at last that there are no more.
enum Sent {
    Rows(RecordBatch),
    End,
}

/// Writes what is sent. A file whose end is not sent is left without its tail, by which it is none.
fn write(
    file: BufWriter<File>,
    schema: SchemaRef,
    (codec, stripe): (Option<CompressionType>, Option<usize>),
    batches: &Receiver<Sent>,
) -> Result<()> {
    let mut builder = ArrowWriterBuilder::new(file, schema);
    if let Some(codec) = codec {
        builder = builder.with_compression(codec);
    }
    if let Some(stripe) = stripe {
        builder = builder.with_stripe_byte_size(stripe);
    }
    let mut writer = builder.try_build().map_err(failed)?;
    for sent in batches {
        match sent {
            Sent::Rows(batch) => writer.write(&batch).map_err(unwritable)?,
            Sent::End => return writer.close().map_err(failed),
        }
    }
    Ok(())
}

struct Rows {
    written: SchemaRef,
    rows: Option<SyncSender<Sent>>,
    thread: Option<JoinHandle<Result<()>>>,
}

impl Rows {
    fn send(&mut self, sent: Sent) -> Result<()> {
        let rows = self.rows.as_ref();
        match rows.map(|rows| rows.send(sent)) {
            Some(Ok(())) => Ok(()),
            // The writer has ended before its time.
            _ => self
                .join()
                .and_then(|()| Err(Error::internal("the writer of ORC has ended"))),
        }
    }

    fn join(&mut self) -> Result<()> {
        self.rows = None;
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(written)) => written,
            Some(Err(panic)) => Err(unencodable(&Error::from_panic(&*panic))),
            None => Ok(()),
        }
    }
}

impl Encoder for Rows {
    fn push(&mut self, batch: &RecordBatch) -> Result<()> {
        let columns = batch.columns().iter().zip(self.written.fields());
        let columns = columns
            .map(|(column, field)| {
                let column = converted(column, field.data_type())
                    .map_err(|error| without_form(field.name(), "ORC", error))?;
                before_1970(field.name(), &column)?;
                Ok(column)
            })
            .collect::<Result<Vec<_>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.written), columns, &options)
            .map_err(failed)?;
        self.send(Sent::Rows(batch))
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        self.send(Sent::End)?;
        self.join()
    }
}

impl Drop for Rows {
    fn drop(&mut self) {
        // Why it ended is told elsewhere.
        drop(self.join());
    }
}

/// That the writer of the format has given up: it subtracts with overflow where few integers among many need more bits, and
/// these are no width of the format (orc-rust 0.9, `write_patched_base`).
fn unencodable(panic: &Error) -> Error {
    let message = format!(
        "rows cannot be written as ORC: its writer does not encode the integers of a column, of which few are far larger than the others ({})",
        panic.message()
    );
    Error::new(ErrorKind::Unsupported, message).with_hint("write PARQUET")
}

/// Refuses points in time of the second before 1970, but for its first millisecond.
fn before_1970(name: &str, column: &ArrayRef) -> Result<()> {
    let of_unit = |per_second: i64| (per_second / 1_000 - per_second)..0;
    let (values, unit) = match column.data_type() {
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            let times = column.as_primitive::<TimestampMillisecondType>();
            (times.values(), of_unit(1_000))
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            let times = column.as_primitive::<TimestampMicrosecondType>();
            (times.values(), of_unit(1_000_000))
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            let times = column.as_primitive::<TimestampNanosecondType>();
            (times.values(), of_unit(1_000_000_000))
        }
        _ => return Ok(()),
    };
    let mut rows = values.iter().enumerate();
    let Some((row, _)) = rows.find(|(row, value)| unit.contains(value) && column.is_valid(*row))
    else {
        return Ok(());
    };
    let value = array_value_to_string(column, row).unwrap_or_default();
    Err(Error::new(
        ErrorKind::ConversionFailed,
        format!("column `{name}` holds {value}, which has no form in ORC: parts of the second before 1970 have none"),
    )
    .with_hint("write the column as a text, or PARQUET"))
}

/// What it has no form for is the second before 1970, but for its first millisecond (ORC-763), and what 64 bits do not hold.
fn unwritable(error: orc_rust::error::OrcError) -> Error {
    match error {
        orc_rust::error::OrcError::EncodeTimestamp { .. } => Error::new(
            ErrorKind::ConversionFailed,
            "a point in time has no form in ORC: parts of the second before 1970 have none",
        )
        .with_source(error)
        .with_hint("write the column as a text, or PARQUET"),
        error => failed(error),
    }
}

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    let message = format!("rows cannot be written as ORC: {error}");
    Error::new(ErrorKind::Compute, message).with_source(error)
}

/// The type in which values of another are written.
fn written(dtype: &DataType) -> DataType {
    match dtype {
        DataType::UInt8 => DataType::Int16,
        DataType::UInt16 => DataType::Int32,
        DataType::UInt32 => DataType::Int64,
        DataType::Float16 => DataType::Float32,
        DataType::LargeUtf8 | DataType::Utf8View | DataType::Dictionary(..) => DataType::Utf8,
        DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            DataType::Binary
        }
        DataType::Date64 => DataType::Date32,
        DataType::Timestamp(unit, zone) => {
            DataType::Timestamp(*unit, zone.as_ref().map(|_| "UTC".into()))
        }
        other => other.clone(),
    }
}
