//! Checkpoints: all entries up to a version in one file of PARQUET. Their rows are entries in the form of columns, so that they
//! go through the same door as lines of the log.

use std::fs::File;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_json::{LineDelimitedWriter, ReaderBuilder};
use arrow_schema::{DataType, Field, Fields, Schema, SchemaRef};
use laktory_core::{Error, ErrorKind, Result};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::arrow::{ArrowWriter, ProjectionMask};
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use serde_json::json;

use crate::actions::{Line, Sidecar};
use crate::disk;
use crate::log;
use crate::named::Named as _;
use crate::state::State;

/// The folder below that of the log for files that checkpoints name.
const SIDECARS: &str = "_sidecars";
/// Columns that repeat others for the sake of speed.
const REPEATED: &[&str] = &["stats_parsed", "partitionValues_parsed"];
/// Rows that are decoded at once.
const ROWS: usize = 4096;

/// Hands each entry of a checkpoint to `take`, those of its sidecars too.
///
/// # Errors
/// `ConversionFailed` for a file that is no checkpoint; `Io`.
pub(crate) fn read(files: &[PathBuf], take: &mut impl FnMut(Line)) -> Result<()> {
    let mut sidecars: Vec<Sidecar> = Vec::new();
    for file in files {
        let mut sort = |mut line: Line| match line.sidecar.take() {
            Some(sidecar) => sidecars.push(sidecar),
            None => take(line),
        };
        match file.extension().is_some_and(|end| end == "json") {
            true => log::lines(file, &mut sort)?,
            false => rows(file, &mut sort)?,
        }
    }
    let folder = files.first().and_then(|file| file.parent());
    for sidecar in sidecars {
        let folder = folder.unwrap_or(Path::new(".")).join(SIDECARS);
        rows(&crate::names::file(&folder, &sidecar.path)?, take)?;
    }
    Ok(())
}

fn rows(file: &Path, take: &mut impl FnMut(Line)) -> Result<()> {
    let torn = |error: &dyn std::fmt::Display| {
        let message = format!("`{}` is no checkpoint of a table", file.display());
        Error::new(ErrorKind::ConversionFailed, message).with_hint(error.to_string())
    };
    let opened = File::open(file).map_err(|error| Error::from(error).at(file))?;
    let reader = ParquetRecordBatchReaderBuilder::try_new(opened).map_err(|error| torn(&error))?;
    let columns = reader.parquet_schema();
    let wanted = columns.columns().iter().enumerate().filter(|(_, column)| {
        let second = column.path().parts().get(1);
        !second.is_some_and(|second| REPEATED.contains(&second.as_str()))
    });
    let wanted: Vec<usize> = wanted.map(|(leaf, _)| leaf).collect();
    let mask = ProjectionMask::leaves(columns, wanted);
    let reader = reader
        .with_projection(mask)
        .with_batch_size(ROWS)
        .build()
        .map_err(|error| torn(&error))?;
    for batch in reader {
        let batch = batch.map_err(|error| torn(&error))?;
        let mut writer = LineDelimitedWriter::new(Vec::new());
        writer.write(&batch).map_err(|error| torn(&error))?;
        writer.finish().map_err(|error| torn(&error))?;
        for line in writer.into_inner().split(|byte| *byte == b'\n') {
            if !line.is_empty() {
                take(serde_json::from_slice(line).map_err(|error| torn(&error))?);
            }
        }
    }
    Ok(())
}

/// Writes the checkpoint of a version, and notes that it is there.
///
/// # Errors
/// `Io`; those of encoding.
pub(crate) fn write(log: &Path, state: &State, version: u64, id: &str) -> Result<()> {
    let lines = state.lines();
    let file = log.join(format!("{version:020}.checkpoint.parquet"));
    let count = lines.len();
    disk::replace(&file, id, |opened| encode(opened, &lines))?;
    // What cannot be read back is worse than none.
    let mut found = 0;
    if let Err(error) = rows(&file, &mut |_| found += 1) {
        let _ = std::fs::remove_file(&file);
        return Err(error);
    }
    let hint = json!({"version": version, "size": count});
    disk::replace(&log.join("_last_checkpoint"), id, |mut opened| {
        Ok(std::io::Write::write_all(
            &mut opened,
            hint.to_string().as_bytes(),
        )?)
    })
}

fn encode(file: File, lines: &[Line]) -> Result<()> {
    let failed = |error: &dyn std::fmt::Display| {
        Error::internal(format!("a checkpoint cannot be written: {error}"))
    };
    let schema = schema();
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .build();
    let mut writer = ArrowWriter::try_new(file, Arc::clone(&schema), Some(properties))
        .map_err(|error| failed(&error))?;
    for chunk in lines.chunks(ROWS) {
        let mut text = Vec::new();
        for line in chunk {
            serde_json::to_writer(&mut text, line).map_err(|error| failed(&error))?;
            text.push(b'\n');
        }
        let reader = ReaderBuilder::new(Arc::clone(&schema))
            .with_batch_size(ROWS)
            .build(Cursor::new(text))
            .map_err(|error| failed(&error))?;
        for batch in reader {
            let batch = batch.map_err(|error| failed(&error))?;
            writer.write(&batch).map_err(|error| failed(&error))?;
        }
    }
    writer.close().map_err(|error| failed(&error))?;
    Ok(())
}

/// The columns of a checkpoint, as the protocol has them.
fn schema() -> SchemaRef {
    let text = || DataType::Utf8;
    let field = |name: &str, dtype: DataType| Field::new(name, dtype, true);
    let group = |fields: Vec<Field>| DataType::Struct(Fields::from(fields));
    let texts = || {
        let entries = vec![Field::new("key", text(), false), field("value", text())];
        let entries = Field::new("key_value", group(entries), false);
        DataType::Map(Arc::new(entries), false)
    };
    let list = || DataType::List(Arc::new(field("element", text())));
    let vector = || {
        group(vec![
            field("storageType", text()),
            field("pathOrInlineDv", text()),
            field("offset", DataType::Int32),
            field("sizeInBytes", DataType::Int32),
            field("cardinality", DataType::Int64),
        ])
    };
    let add = group(vec![
        field("path", text()),
        field("partitionValues", texts()),
        field("size", DataType::Int64),
        field("modificationTime", DataType::Int64),
        field("dataChange", DataType::Boolean),
        field("stats", text()),
        field("tags", texts()),
        field("deletionVector", vector()),
        field("baseRowId", DataType::Int64),
        field("defaultRowCommitVersion", DataType::Int64),
        field("clusteringProvider", text()),
    ]);
    let remove = group(vec![
        field("path", text()),
        field("deletionTimestamp", DataType::Int64),
        field("dataChange", DataType::Boolean),
        field("extendedFileMetadata", DataType::Boolean),
        field("partitionValues", texts()),
        field("size", DataType::Int64),
        field("deletionVector", vector()),
    ]);
    let format = group(vec![field("provider", text()), field("options", texts())]);
    let metadata = group(vec![
        field("id", text()),
        field("name", text()),
        field("description", text()),
        field("format", format),
        field("schemaString", text()),
        field("partitionColumns", list()),
        field("configuration", texts()),
        field("createdTime", DataType::Int64),
    ]);
    let protocol = group(vec![
        field("minReaderVersion", DataType::Int32),
        field("minWriterVersion", DataType::Int32),
        field("readerFeatures", list()),
        field("writerFeatures", list()),
    ]);
    let txn = group(vec![
        field("appId", text()),
        field("version", DataType::Int64),
        field("lastUpdated", DataType::Int64),
    ]);
    Arc::new(Schema::new(vec![
        field("txn", txn),
        field("add", add),
        field("remove", remove),
        field("metaData", metadata),
        field("protocol", protocol),
    ]))
}
