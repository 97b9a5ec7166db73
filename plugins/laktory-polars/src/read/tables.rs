//! Formats that carry their own schema: PARQUET and IPC.
//!
//! The schemas of all files are looked at, and what the files have in common is decided by the rule that both embedded
//! engines share. Files of one schema are one scan; runs of files of other schemas are scans of their own, converted and
//! put one behind the other.

use std::fs::File;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use laktory_core::{DType, Error, ErrorKind, Field, Format, Result};
use laktory_formats::damaged;
use laktory_formats::folder::{self, Columns, Policy};
use polars::prelude::{
    ArrowDataType, ArrowSchema, DataType, Expr, IpcReader, LazyFrame, NULL, ParallelStrategy,
    ParquetReader, PlSmallStr, PolarsResult, Schema, SerReader, UnionArgs, col, concat, lit,
};
use polars_core::schema::SchemaExt;
use polars_io::ipc::IpcScanOptions;
use polars_io::prelude::ParquetOptions;
use polars_parquet::parquet::metadata::ColumnDescriptor;
use polars_parquet::parquet::schema::types::PrimitiveLogicalType;
use polars_plan::dsl::{FileScanDsl, UnifiedScanArgs};

use super::Request;
use crate::diagnose::Converted;
use crate::error::{ResultExt, engine_error};

/// Options of PARQUET.
pub(super) const PARQUET_OPTIONS: &[&str] = &[
    "allow_missing_columns",
    "extra_columns",
    "hive_partitioning",
    "include_file_paths",
    "low_memory",
    "missing_columns",
    "n_rows",
    "parallel",
    "recursiveFileLookup",
    "use_statistics",
];

/// Options of IPC.
pub(super) const IPC_OPTIONS: &[&str] = &[
    "allow_missing_columns",
    "extra_columns",
    "hive_partitioning",
    "include_file_paths",
    "missing_columns",
    "n_rows",
    "recursiveFileLookup",
];

/// What a file says of itself.
struct Stored {
    /// Names and types, as the engine reads them.
    schema: Schema,
    rows: u64,
}

pub(super) fn read_parquet(request: &Request<'_>) -> Result<LazyFrame> {
    let given = &request.given;
    let parallel = given.one_of(
        "parallel",
        &[
            ("auto", ParallelStrategy::Auto),
            ("columns", ParallelStrategy::Columns),
            ("row_groups", ParallelStrategy::RowGroups),
            ("prefiltered", ParallelStrategy::Prefiltered),
            ("none", ParallelStrategy::None),
        ],
    )?;
    let options = ParquetOptions {
        schema: None,
        parallel: parallel.unwrap_or_default(),
        low_memory: given.flag("low_memory")?.unwrap_or(false),
        use_statistics: given.flag("use_statistics")?.unwrap_or(true),
    };
    let stored = stored(request, |file| {
        let mut reader = ParquetReader::new(file);
        let columns = reader.get_metadata()?.schema_descr.columns();
        // Without a schema of Arrow in the file, the engine takes them for bytes.
        let is_half = |column: &&ColumnDescriptor| {
            column.descriptor.primitive_type.logical_type == Some(PrimitiveLogicalType::Float16)
        };
        let half = columns.iter().find(is_half);
        let half = half.and_then(|column| column.path_in_schema.first().cloned());
        Ok(Footer {
            half,
            schema: reader.schema()?,
            rows: reader.num_rows()? as u64,
        })
    })?;
    united(request, &stored, false, || FileScanDsl::Parquet {
        options: options.clone(),
    })
}

pub(super) fn read_ipc(request: &Request<'_>) -> Result<LazyFrame> {
    let mut rows = Vec::with_capacity(request.files.paths.len());
    for file in &request.files.paths {
        rows.push(laktory_formats::ipc::inspect(file)?.rows);
    }
    let mut rows = rows.into_iter();
    let stored = stored(request, |file| {
        Ok(Footer {
            half: None,
            schema: IpcReader::new(file).schema()?,
            rows: rows.next().unwrap_or(0),
        })
    })?;
    united(request, &stored, true, || FileScanDsl::Ipc {
        options: IpcScanOptions::default(),
    })
}

/// What a file says of itself, as the engine tells it.
struct Footer {
    schema: Arc<ArrowSchema>,
    rows: u64,
    /// A column of floats of 16 bits, which the schema may show as bytes.
    half: Option<PlSmallStr>,
}

/// What the files say of themselves, as `look` finds out.
fn stored(
    request: &Request<'_>,
    mut look: impl FnMut(File) -> PolarsResult<Footer>,
) -> Result<Vec<Stored>> {
    let mut all = Vec::with_capacity(request.files.paths.len());
    for path in &request.files.paths {
        let file = File::open(path)
            .map_err(|error| Error::from(error).context(format!("`{}`", path.display())))?;
        // Readers of the engine take some damaged footers for impossible.
        let looked = catch_unwind(AssertUnwindSafe(|| look(file)));
        let footer = match looked {
            Ok(Ok(found)) => found,
            Ok(Err(error)) => return Err(unreadable(&request.spec.format, path, error)),
            Err(_) => return Err(damaged(&request.spec.format, path)),
        };
        if let Some(column) = &footer.half {
            supported(path, column, &ArrowDataType::Float16)?;
        }
        for field in footer.schema.iter_values() {
            supported(path, &field.name, &field.dtype)?;
        }
        all.push(Stored {
            schema: Schema::from_arrow_schema(&footer.schema),
            rows: footer.rows,
        });
    }
    Ok(all)
}

/// A file that is not of its format.
fn unreadable(format: &Format, path: &Path, error: polars::prelude::PolarsError) -> Error {
    let error = engine_error(error);
    match error.kind() {
        ErrorKind::Unsupported | ErrorKind::DuplicateColumn | ErrorKind::NotFound => {
            error.context(format!("`{}`", path.display()))
        }
        _ => damaged(format, path).with_source(error),
    }
}

/// Types that this build of the engine does not read.
fn supported(path: &Path, column: &PlSmallStr, dtype: &ArrowDataType) -> Result<()> {
    let named = match dtype {
        ArrowDataType::Float16 => "a float of 16 bits".to_owned(),
        ArrowDataType::Decimal(digits, _) | ArrowDataType::Decimal256(digits, _)
            if *digits > 38 =>
        {
            format!("a decimal of {digits} digits")
        }
        ArrowDataType::Decimal(digits, scale) | ArrowDataType::Decimal256(digits, scale)
            if scale > digits =>
        {
            format!("a decimal of {digits} digits, {scale} of them behind the point")
        }
        ArrowDataType::Interval(_) => "an interval of months and days".to_owned(),
        ArrowDataType::Union(_) => "a union".to_owned(),
        ArrowDataType::List(inner)
        | ArrowDataType::LargeList(inner)
        | ArrowDataType::FixedSizeList(inner, _)
        | ArrowDataType::Map(inner, _) => return supported(path, column, &inner.dtype),
        ArrowDataType::Struct(fields) => {
            for field in fields {
                supported(path, column, &field.dtype)?;
            }
            return Ok(());
        }
        ArrowDataType::Dictionary(_, values, _) => return supported(path, column, values),
        _ => return Ok(()),
    };
    Err(laktory_formats::type_not_read(
        path, column, &named, "polars",
    ))
}

/// The plan of files that have their columns by name. `ordered` tells whether the engine needs equal orders of columns
/// within a scan.
fn united(
    request: &Request<'_>,
    stored: &[Stored],
    ordered: bool,
    scan: impl Fn() -> FileScanDsl,
) -> Result<LazyFrame> {
    let logged = request.spec.logged.as_ref();
    let deleted = logged.map_or(0, |logged| logged.deleted.iter().map(Vec::len).sum());
    let rows: u64 = stored.iter().map(|file| file.rows).sum();
    request.rows.set(Some(rows.saturating_sub(deleted as u64)));
    let policy = Policy::of_read(request.spec)?;
    let partitions = request.files.of_folders();
    let fields = stored
        .iter()
        .map(|file| {
            let mut fields = contract(&file.schema)?;
            fields.retain(|field| !partitions.contains(&field.name.as_str()));
            Ok(fields)
        })
        .collect::<Result<Vec<_>>>()?;
    let columns: Vec<Columns<'_>> = request
        .files
        .paths
        .iter()
        .zip(&fields)
        .map(|(file, fields)| Columns { file, fields })
        .collect();
    let wanted: Vec<(PlSmallStr, DataType)> = match &request.declared {
        Some(declared) => {
            let own: Vec<Field> = request
                .spec
                .schema
                .iter()
                .flatten()
                .filter(|field| !partitions.contains(&field.name.as_str()))
                .cloned()
                .collect();
            folder::declared(&columns, &own, policy)?;
            declared
                .iter()
                .filter(|(name, _)| !partitions.contains(&name.as_str()))
                .map(|(name, dtype)| (name.clone(), dtype.clone()))
                .collect()
        }
        None => folder::unite(&columns, policy)?
            .into_iter()
            .map(|field| target(field, stored))
            .collect::<Result<_>>()?,
    };
    let mut sorted: Vec<Vec<(&PlSmallStr, &DataType)>> = stored
        .iter()
        .map(|file| file.schema.iter().collect())
        .collect();
    if !ordered {
        for columns in &mut sorted {
            columns.sort_unstable_by_key(|(name, _)| *name);
        }
    }
    let runs = folder::runs(&request.files.paths, |at| &sorted[at]);
    let whole = runs.len() == 1;
    let frames = runs
        .into_iter()
        .map(|run| {
            part(
                request,
                &stored[run.start].schema,
                &wanted,
                run,
                whole,
                scan(),
            )
        })
        .collect::<Result<Vec<_>>>()?;
    request.limited(frames)
}

/// The scan of some files of one schema, with the wanted columns.
fn part(
    request: &Request<'_>,
    stored: &Schema,
    wanted: &[(PlSmallStr, DataType)],
    files: Range<usize>,
    whole: bool,
    scan: FileScanDsl,
) -> Result<LazyFrame> {
    let sources = request.paths()?;
    let lazy = request.scan_part(scan, &sources, files.clone(), UnifiedScanArgs::default())?;
    let same = stored.len() == wanted.len()
        && stored
            .iter()
            .zip(wanted)
            .all(|((name, dtype), wanted)| (name, dtype) == (&wanted.0, &wanted.1));
    if same && whole {
        return Ok(lazy);
    }
    let mut exprs: Vec<Expr> = wanted
        .iter()
        .map(|(name, dtype)| match stored.get(name) {
            Some(found) if found == dtype => col(name.clone()),
            Some(_) => crate::expr::convert(col(name.clone()), dtype, true),
            None => lit(NULL).cast(dtype.clone()).alias(name.clone()),
        })
        .collect();
    let is_other = |(name, dtype): &(PlSmallStr, DataType)| {
        stored.get(name).is_some_and(|found| found != dtype)
    };
    if wanted.iter().any(is_other) {
        request.converted.borrow_mut().push(Converted {
            files: request.files.paths[files].to_vec(),
            columns: exprs.clone(),
        });
    }
    exprs.extend(request.kept()?.into_iter().map(col));
    Ok(lazy.select(exprs))
}

/// The engine's type of a column of all files: that of the files where they have one type, else that of the contract.
fn target(field: Field, stored: &[Stored]) -> Result<(PlSmallStr, DataType)> {
    let mut types = stored
        .iter()
        .filter_map(|file| file.schema.get(field.name.as_str()));
    let first = types.next();
    let dtype = match first {
        Some(first) if types.all(|other| other == first) => first.clone(),
        _ => crate::schema::data_type(&field.dtype)?,
    };
    Ok((field.name.into(), dtype))
}

/// The columns of a schema, as the contract names types.
fn contract(schema: &Schema) -> Result<Vec<Field>> {
    let arrow = crate::arrow::arrow_schema(schema)?;
    let fields = arrow.fields().iter();
    Ok(fields
        .map(|field| Field::new(field.name().as_str(), DType::from_arrow(field.data_type())))
        .collect())
}

/// Frames one behind the other.
pub(super) fn stacked(mut frames: Vec<LazyFrame>) -> Result<LazyFrame> {
    if frames.len() == 1
        && let Some(one) = frames.pop()
    {
        return Ok(one);
    }
    let args = UnionArgs {
        rechunk: false,
        to_supertypes: false,
        maintain_order: true,
        ..UnionArgs::default()
    };
    concat(frames, args).or_error()
}
