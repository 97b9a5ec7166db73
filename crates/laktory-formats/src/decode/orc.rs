//! ORC: the types of a file are in its tail, and so is how many rows it has.

use std::fs::File;
use std::io::{BufReader, Read as _, Seek as _, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray as _;
use arrow_array::types::TimestampMillisecondType;
use arrow_schema::{ArrowError, DataType, Schema, TimeUnit};
use laktory_core::{Error, ErrorKind, Format, ReadSpec, Result};
use orc_rust::ArrowReaderBuilder;
use orc_rust::projection::ProjectionMask;
use orc_rust::reader::ChunkReader;
use orc_rust::reader::metadata::FileMetadata;
use orc_rust::schema::TimestampPrecision;
use orc_rust::statistics::TypeStatistics;

use super::{Batches, Decoder, Stored};
use crate::damaged;
use crate::options::Given;

/// Options of reading.
pub(super) const OPTIONS: &[&str] = &[
    "allow_missing_columns",
    "extra_columns",
    "hive_partitioning",
    "include_file_paths",
    "missing_columns",
    "n_rows",
    "recursiveFileLookup",
    TIMESTAMP_UNIT,
];

/// The unit of points in time, which a file holds in nanoseconds: microseconds, where nothing finer is lost, or nanoseconds.
const TIMESTAMP_UNIT: &str = "timestamp_unit";

#[derive(Debug)]
struct Orc {
    precision: TimestampPrecision,
}

pub(super) fn decoder(_: &ReadSpec, given: &Given<'_>) -> Result<Arc<dyn Decoder>> {
    let precision = given.one_of(
        TIMESTAMP_UNIT,
        &[
            ("ns", TimestampPrecision::Nanosecond),
            ("us", TimestampPrecision::Microsecond),
        ],
    )?;
    Ok(Arc::new(Orc {
        precision: precision.unwrap_or(TimestampPrecision::Microsecond),
    }))
}

/// A file, opened anew for each of its parts, so that no two of them move one another.
struct Parts(PathBuf);

impl ChunkReader for Parts {
    type T = BufReader<File>;

    fn len(&self) -> u64 {
        self.0.metadata().map_or(0, |found| found.len())
    }

    fn get_read(&self, offset: u64) -> std::io::Result<Self::T> {
        let mut file = File::open(&self.0)?;
        file.seek(SeekFrom::Start(offset))?;
        Ok(BufReader::new(file))
    }

    fn get_bytes(&self, offset: u64, length: u64) -> std::io::Result<bytes::Bytes> {
        // A damaged tail asks for more than there is, and would be given the room for it.
        let end = offset.checked_add(length);
        if end.is_none_or(|end| end > self.len()) {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let mut bytes = Vec::new();
        let read = self
            .get_read(offset)?
            .take(length)
            .read_to_end(&mut bytes)?;
        match read as u64 == length {
            true => Ok(bytes.into()),
            false => Err(std::io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

impl Orc {
    fn builder(&self, file: &Path) -> Result<ArrowReaderBuilder<Parts>> {
        let mut head = Vec::with_capacity(3);
        File::open(file)
            .and_then(|file| file.take(3).read_to_end(&mut head))
            .map_err(|error| Error::from(error).context(format!("`{}`", file.display())))?;
        if head != b"ORC" {
            return Err(damaged(&Format::Orc, file));
        }
        let builder = ArrowReaderBuilder::try_new(Parts(file.to_owned()))
            .map_err(|error| damaged(&Format::Orc, file).with_source(error))?;
        Ok(builder.with_timestamp_precision(self.precision))
    }
}

impl Decoder for Orc {
    fn look(&self, file: &Path) -> Result<Stored> {
        let builder = self.builder(file)?;
        Ok(Stored {
            schema: Arc::new(Schema::new(builder.schema().fields().clone())),
            rows: Some(builder.file_metadata().number_of_rows()),
        })
    }

    fn open(&self, file: &Path, columns: &[usize], batch_size: usize) -> Result<Batches> {
        let builder = self.builder(file)?;
        let metadata = builder.file_metadata();
        if columns.is_empty() {
            // Nothing to decode.
            let (rows, schema) = (metadata.number_of_rows(), Arc::new(Schema::empty()));
            return Ok(Box::new(super::counted(rows, schema, batch_size)));
        }
        let root = metadata.root_data_type();
        let children = root.children();
        let wanted = columns
            .iter()
            .filter_map(|place| Some(children.get(*place)?.data_type().column_index()));
        let projection = ProjectionMask::roots(root, wanted);
        let bounds = bounds(builder.file_metadata(), columns);
        let mut reader = builder
            .with_projection(projection)
            .with_batch_size(batch_size)
            .build();
        let path = file.to_owned();
        Ok(Box::new(std::iter::from_fn(move || {
            // What it does not expect, it takes for impossible.
            let next = catch_unwind(AssertUnwindSafe(|| reader.next()));
            let batch = match next {
                Ok(batch) => batch?.map_err(|error| unreadable(&path, &error)),
                Err(_) if bounds.iter().flatten().any(|(least, _)| *least < 0) => {
                    Err(before_1970(&path))
                }
                Err(_) => Err(damaged(&Format::Orc, &path)),
            };
            Some(batch.and_then(|batch| {
                within(&batch, &bounds)
                    .then_some(batch)
                    .ok_or_else(|| before_1970(&path))
            }))
        })))
    }
}

/// The least and the greatest point in time of a column, in milliseconds, where a file tells.
type Bounds = Option<(i64, i64)>;

fn bounds(metadata: &FileMetadata, columns: &[usize]) -> Vec<Bounds> {
    let children = metadata.root_data_type().children();
    let statistics = metadata.column_file_statistics();
    let of = |place: &usize| {
        let column = children.get(*place)?.data_type().column_index();
        match statistics.get(column)?.type_statistics()? {
            TypeStatistics::Timestamp {
                min_utc, max_utc, ..
            } if (*min_utc, *max_utc) != (0, 0) => Some((*min_utc, *max_utc)),
            _ => None,
        }
    };
    columns.iter().map(of).collect()
}

/// Whether points in time are those that the file tells of. Some writers have fractions of a second before 1970 below zero,
/// which the reader takes for others.
fn within(batch: &RecordBatch, bounds: &[Bounds]) -> bool {
    let columns = batch.columns().iter().zip(bounds);
    let mut told = columns.filter_map(|(column, bounds)| Some((column, (*bounds)?)));
    told.all(|(column, (least, greatest))| {
        let unit = DataType::Timestamp(TimeUnit::Millisecond, None);
        let Ok(times) = crate::decode::converted(column, &unit) else {
            return true;
        };
        let times = times.as_primitive::<TimestampMillisecondType>();
        let least = least.saturating_sub(1);
        let greatest = greatest.saturating_add(1);
        times
            .iter()
            .flatten()
            .all(|time| (least..=greatest).contains(&time))
    })
}

fn before_1970(file: &Path) -> Error {
    Error::unsupported(format!(
        "`{}` holds a point in time before 1970 in a form of its writer that is not read",
        file.display()
    ))
    .with_hint("leave the column out: name the others in `schema`; or have it written as PARQUET")
}

fn unreadable(file: &Path, error: &ArrowError) -> Error {
    let text = error.to_string();
    if text.contains("Timestamp") || text.contains("timestamp") {
        let name = file.display();
        return Error::new(
            ErrorKind::ConversionFailed,
            format!("`{name}` holds a point in time that the unit does not reach, or that is finer"),
        )
        .with_source(std::io::Error::other(text))
        .with_hint("set `timestamp_unit` in `reader_kwargs`: `ns` for the years 1678 to 2261, `us` for others");
    }
    damaged(&Format::Orc, file).with_source(std::io::Error::other(text))
}
