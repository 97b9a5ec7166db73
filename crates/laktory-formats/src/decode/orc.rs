//! ORC: the types of a file are in its tail, and so is how many rows it has.

use std::fs::File;
use std::io::{BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_schema::{ArrowError, Schema};
use laktory_core::{Error, ErrorKind, Format, ReadSpec, Result};
use orc_rust::ArrowReaderBuilder;
use orc_rust::projection::ProjectionMask;
use orc_rust::reader::ChunkReader;
use orc_rust::schema::TimestampPrecision;

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

/// The unit of points in time, which a file holds in nanoseconds.
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
        precision: precision.unwrap_or(TimestampPrecision::Nanosecond),
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
        let reader = builder
            .with_projection(projection)
            .with_batch_size(batch_size)
            .build();
        let path = file.to_owned();
        Ok(Box::new(reader.map(move |batch| {
            batch.map_err(|error| unreadable(&path, error))
        })))
    }
}

fn unreadable(file: &Path, error: ArrowError) -> Error {
    let text = error.to_string();
    if text.contains("nanosecond") || text.contains("Overflow") {
        return Error::new(
            ErrorKind::ConversionFailed,
            format!(
                "`{}` holds a point in time that nanoseconds do not reach",
                file.display()
            ),
        )
        .with_source(error)
        .with_hint("set `timestamp_unit: us` in `reader_kwargs`");
    }
    damaged(&Format::Orc, file).with_source(error)
}
