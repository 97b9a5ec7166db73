//! PARQUET: schemas come from the footers, rows are read by the engine's own scan with its pruning by statistics.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::Statistics;
use datafusion::datasource::physical_plan::parquet::CachedParquetMetaData;
use datafusion::datasource::physical_plan::parquet::metadata::DFParquetMetadata;
use datafusion::execution::cache::cache_manager::{CachedFileMetadataEntry, FileMetadataCache};
use datafusion::parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::metadata::ParquetMetaData;
use laktory_core::{Error, ErrorKind, Result};

use super::Request;
use super::table::{Files, object};
use crate::arrow::exported;
use crate::options::listed;
use crate::types::shown;

/// Options of PARQUET.
pub(super) const OPTIONS: &[&str] = &[
    "allow_missing_columns",
    "extra_columns",
    "include_file_paths",
    "missing_columns",
    "n_rows",
];

pub(super) fn read(request: &Request<'_>) -> Result<Files> {
    let given = &request.given;
    let policy = [("insert", true), ("raise", false)];
    let missing = given.one_of("missing_columns", &policy)?.unwrap_or(false)
        || given.flag("allow_missing_columns")?.unwrap_or(false);
    let extra = given
        .one_of("extra_columns", &[("ignore", true), ("raise", false)])?
        .unwrap_or(false);
    let (first_file, rest) = (&request.files[0], &request.files[1..]);
    let footer = self::footer(first_file, request.footers)?;
    let first = exported(footer.schema());
    let schema = request.declared.as_ref().unwrap_or(&first);
    let mut statistics = vec![self::statistics(&first, footer.metadata(), schema)];
    for file in rest {
        let footer = self::footer(file, request.footers)?;
        let other = exported(footer.schema());
        fits(&first, first_file, &other, file, missing, extra)?;
        statistics.push(self::statistics(&other, footer.metadata(), schema));
    }
    if let Some(declared) = &request.declared {
        has_columns(&first, first_file, declared)?;
    }
    let schema = Arc::clone(schema);
    Files::parquet(&request.files, schema, statistics)
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
            // Not-a-number is left out of them, so that they are no answers.
            column.min_value = std::mem::take(&mut column.min_value).to_inexact();
            column.max_value = std::mem::take(&mut column.max_value).to_inexact();
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
        let error = crate::error::engine_error(error.into());
        Error::new(
            ErrorKind::ConversionFailed,
            format!(
                "`{}` is no readable PARQUET file: {}",
                file.display(),
                error.message()
            ),
        )
    };
    if let Some(cached) = cached {
        let metadata = Arc::clone(cached.parquet_metadata());
        return ArrowReaderMetadata::try_new(metadata, options).map_err(unreadable);
    }
    let opened = File::open(file)
        .map_err(|error| Error::from(error).context(format!("`{}`", file.display())))?;
    let footer = ArrowReaderMetadata::load(&opened, options).map_err(unreadable)?;
    let parsed = CachedParquetMetaData::new(Arc::clone(footer.metadata()));
    let location = object.location.clone();
    known.put(
        &location,
        CachedFileMetadataEntry::new(object, Arc::new(parsed)),
    );
    Ok(footer)
}

/// Whether a file can be read with the columns of the first one.
fn fits(
    first: &Schema,
    first_file: &Path,
    other: &Schema,
    file: &Path,
    missing: bool,
    extra: bool,
) -> Result<()> {
    for field in first.fields() {
        match other.field_with_name(field.name()) {
            Ok(found) if widens(found.data_type(), field.data_type()) => {}
            Ok(found) => return Err(other_type(field, first_file, found, file)),
            Err(_) if missing => {}
            Err(_) => {
                return Err(Error::new(
                    ErrorKind::SchemaMismatch,
                    format!(
                        "`{}` has no column `{}`, which `{}` has",
                        file.display(),
                        field.name(),
                        first_file.display()
                    ),
                )
                .with_hint("set `missing_columns: insert` to read nulls"));
            }
        }
    }
    let more: Vec<&str> = other
        .fields()
        .iter()
        .map(|field| field.name().as_str())
        .filter(|name| first.field_with_name(name).is_err())
        .collect();
    if !extra && !more.is_empty() {
        return Err(Error::new(
            ErrorKind::SchemaMismatch,
            format!(
                "`{}` has the columns {}, which `{}` does not have",
                file.display(),
                listed(&more),
                first_file.display()
            ),
        )
        .with_hint("set `extra_columns: ignore` to leave them out"));
    }
    Ok(())
}

/// Whether every value of a type is one of the other type too.
fn widens(from: &DataType, to: &DataType) -> bool {
    let bits = |dtype: &DataType| dtype.primitive_width().unwrap_or(0);
    from == to
        || (from.is_signed_integer() && to.is_signed_integer() && bits(from) <= bits(to))
        || (from.is_unsigned_integer() && to.is_unsigned_integer() && bits(from) <= bits(to))
        || (from.is_floating() && to.is_floating() && bits(from) <= bits(to))
}

fn other_type(expected: &Field, first: &Path, found: &Field, file: &Path) -> Error {
    Error::new(
        ErrorKind::SchemaMismatch,
        format!(
            "column `{}` is of type {} in `{}`, but of type {} in `{}`",
            expected.name(),
            shown(expected.data_type()),
            first.display(),
            shown(found.data_type()),
            file.display()
        ),
    )
    .with_hint("read files with different types as separate sources, convert and unite them")
}

/// Every file has the columns of the first, in the same types.
///
/// # Errors
/// `SchemaMismatch`.
pub(super) fn same_columns(
    first: &Schema,
    first_file: &Path,
    other: &Schema,
    file: &Path,
) -> Result<()> {
    fits(first, first_file, other, file, false, false)
}

/// A file has every declared column.
///
/// # Errors
/// `SchemaMismatch`.
pub(super) fn has_columns(stored: &Schema, file: &Path, declared: &Schema) -> Result<()> {
    let missing: Vec<&str> = declared
        .fields()
        .iter()
        .map(|field| field.name().as_str())
        .filter(|name| stored.field_with_name(name).is_err())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::ColumnNotFound,
        format!("`{}` has no column {}", file.display(), listed(&missing)),
    ))
}
