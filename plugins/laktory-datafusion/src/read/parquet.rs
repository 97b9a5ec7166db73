//! PARQUET: schemas come from the footers, rows are read by the engine's own scan with its pruning by statistics.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::Statistics;
use datafusion::common::stats::Precision;
use datafusion::datasource::physical_plan::parquet::CachedParquetMetaData;
use datafusion::datasource::physical_plan::parquet::metadata::DFParquetMetadata;
use datafusion::execution::cache::cache_manager::{CachedFileMetadataEntry, FileMetadataCache};
use datafusion::parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, RowSelection,
};
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::metadata::ParquetMetaData;
use laktory_core::{Error, Format, Result};
use laktory_formats::damaged;

use super::Request;
use super::table::{Files, object};
use crate::arrow::exported;

/// Options of PARQUET.
pub(super) const OPTIONS: &[&str] = &[
    "allow_missing_columns",
    "extra_columns",
    "hive_partitioning",
    "include_file_paths",
    "missing_columns",
    "n_rows",
    "recursiveFileLookup",
];

pub(super) fn read(request: &Request<'_>) -> Result<Files> {
    let mut schemas = Vec::with_capacity(request.files.paths.len());
    let mut footers = Vec::with_capacity(request.files.paths.len());
    for file in &request.files.paths {
        let footer = footer(file, request.footers)?;
        schemas.push(Arc::clone(footer.schema()));
        footers.push(Arc::clone(footer.metadata()));
    }
    let schema = super::columns::united(request, &schemas)?;
    let rows = footers
        .iter()
        .map(|footer| u64::try_from(footer.file_metadata().num_rows()).unwrap_or(0));
    let rows = rows.sum();
    let statistics = schemas
        .iter()
        .zip(&footers)
        .map(|(stored, footer)| statistics(&exported(stored), footer, &schema))
        .collect();
    let files = Files::parquet(&request.files.paths, schema, statistics)?;
    let Some(logged) = &request.spec.logged else {
        return Ok(files.with_rows(rows));
    };
    let deleted = (0..footers.len()).map(|at| logged.deleted(at).len() as u64);
    let left = footers.iter().enumerate().map(|(at, footer)| {
        let rows = usize::try_from(footer.file_metadata().num_rows()).unwrap_or(0);
        left(logged.deleted(at), rows)
    });
    Ok(files
        .with_rows(rows.saturating_sub(deleted.sum()))
        .with_selections(left.collect()))
}

/// The rows of a file that are not deleted; none where all are left.
fn left(deleted: &[u64], rows: usize) -> Option<RowSelection> {
    if deleted.is_empty() {
        return None;
    }
    let (mut ranges, mut next) = (Vec::new(), 0);
    for &row in deleted {
        let row = usize::try_from(row).unwrap_or(rows).min(rows);
        ranges.extend((next < row).then_some(next..row));
        next = row + 1;
    }
    ranges.extend((next < rows).then_some(next..rows));
    Some(RowSelection::from_consecutive_ranges(
        ranges.into_iter(),
        rows,
    ))
}

/// What the footer of a file tells about its rows, by which joins are planned. None where the rows are read in other types.
fn statistics(
    stored: &SchemaRef,
    metadata: &ParquetMetaData,
    schema: &SchemaRef,
) -> Option<Arc<Statistics>> {
    if stored != schema {
        return None;
    }
    let mut statistics =
        DFParquetMetadata::statistics_from_parquet_metadata(metadata, schema).ok()?;
    for (column, field) in statistics.column_statistics.iter_mut().zip(schema.fields()) {
        if field.data_type().is_floating() {
            // Not-a-number is left out of them, so that they are no answers, not even rough ones.
            column.min_value = Precision::Absent;
            column.max_value = Precision::Absent;
            column.sum_value = Precision::Absent;
        }
    }
    Some(Arc::new(statistics))
}

/// The footer of a file. It is parsed once as long as the file stays the same, for the check, the run, and each part of a scan.
fn footer(file: &Path, known: &FileMetadataCache) -> Result<ArrowReaderMetadata> {
    let object = object(file)?.object_meta;
    let cached = known
        .get(&object.location)
        .filter(|entry| entry.is_valid_for(&object));
    let cached = cached.as_ref().and_then(|entry| {
        let metadata = entry.file_metadata.as_any();
        metadata.downcast_ref::<CachedParquetMetaData>()
    });
    let options = ArrowReaderOptions::new();
    let unreadable = |error: ParquetError| {
        damaged(&Format::Parquet, file).with_source(crate::error::engine_error(error.into()))
    };
    if let Some(cached) = cached {
        let metadata = Arc::clone(cached.parquet_metadata());
        return ArrowReaderMetadata::try_new(metadata, options).map_err(unreadable);
    }
    let opened = File::open(file)
        .map_err(|error| Error::from(error).context(format!("`{}`", file.display())))?;
    // The reader takes some damaged footers for impossible.
    let loaded = std::panic::catch_unwind(|| ArrowReaderMetadata::load(&opened, options.clone()));
    let footer = loaded
        .map_err(|_| damaged(&Format::Parquet, file))?
        .map_err(unreadable)?;
    let metadata = super::sound::without_floats(Arc::clone(footer.metadata()));
    let footer = ArrowReaderMetadata::try_new(metadata, options).map_err(unreadable)?;
    let parsed = CachedParquetMetaData::new(Arc::clone(footer.metadata()));
    let location = object.location.clone();
    known.put(
        &location,
        CachedFileMetadataEntry::new(object, Arc::new(parsed)),
    );
    Ok(footer)
}
