//! JSON documents and JSON lines.
//!
//! The crate that engines share looks at every record: it finds the columns, and the faults. Lines whose values are all of
//! the plainest form are read by polars, which then reads them exactly; others are decoded by that crate.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use laktory_core::{Error, Field, Format, ReadSpec, Result, RunCx};
pub(crate) use laktory_formats::json::Answer;
use laktory_formats::json::{Decoding, Known, Layout, Source, Text, decode};
use laktory_formats::packed::{Compression, text};
use polars::prelude::{DataFrame, DataType, Expr, IntoLazy, LazyFrame, Schema};
use polars_plan::dsl::{FileScanDsl, UnifiedScanArgs};
use polars_plan::prelude::NDJsonReadOptions;

use super::frames::{self, BATCH, Frames};
use super::{Request, select_declared};
use crate::error::ResultExt;
use crate::options::Given;

/// Options of JSON lines.
pub(super) const LINES_OPTIONS: &[&str] = &[
    "hive_partitioning",
    "ignore_errors",
    "include_file_paths",
    "infer_schema_length",
    "low_memory",
    "n_rows",
    "recursiveFileLookup",
];

/// Options of JSON documents.
pub(super) const OPTIONS: &[&str] = &[
    "hive_partitioning",
    "infer_schema_length",
    "recursiveFileLookup",
];

/// Looks at the files of a read, when they are of JSON.
///
/// # Errors
/// Those of [`laktory_formats::json::look`].
pub(super) async fn look(
    cx: &RunCx,
    known: &Arc<Known>,
    spec: &ReadSpec,
    files: &laktory_formats::files::Files,
) -> Result<Option<Answer>> {
    let options = match spec.format {
        Format::JsonLines => LINES_OPTIONS,
        _ => OPTIONS,
    };
    laktory_formats::json::look(cx, known, spec, files, options, source).await
}

fn ignores_errors(given: &Given<'_>) -> Result<bool> {
    Ok(given.has("ignore_errors") && given.flag("ignore_errors")?.unwrap_or(false))
}

fn opened(file: &Path) -> Result<Text> {
    Ok(Box::new(text(file)?))
}

/// A file of JSON, as it is compressed.
pub(crate) fn source(file: &Path) -> Result<Source> {
    let packed = Compression::of_file(file)?.is_some();
    Ok(Source::new(file, packed.then_some(opened)))
}

pub(super) fn read_lines(request: &Request<'_>) -> Result<LazyFrame> {
    let answer = answer(request)?;
    let (packed, ignores) = (packed(request)?, ignores_errors(&request.given)?);
    if packed && ignores {
        return Err(Error::unsupported(
            "`ignore_errors` does not go together with compressed files",
        )
        .with_hint("leave it out, or decompress the files first"));
    }
    if ignores || (answer.is_plain && !packed) {
        return scanned(request, answer);
    }
    let lazy = decoded(request, answer, Layout::Lines)?;
    Ok(match request.given.count("n_rows")? {
        Some(rows) => lazy.limit(u32::try_from(rows).unwrap_or(u32::MAX)),
        None => lazy,
    })
}

/// Whether a file is compressed, which the engine's own reader does in its own way.
fn packed(request: &Request<'_>) -> Result<bool> {
    for file in &request.files.paths {
        if Compression::of_file(file)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

pub(super) fn read(request: &Request<'_>) -> Result<LazyFrame> {
    decoded(request, answer(request)?, Layout::Document)
}

fn answer<'a>(request: &'a Request<'_>) -> Result<&'a Answer> {
    request
        .json
        .as_ref()
        .ok_or_else(|| Error::internal("files of JSON that were not looked at"))
}

/// The files as polars reads them.
fn scanned(request: &Request<'_>, answer: &Answer) -> Result<LazyFrame> {
    let given = &request.given;
    let declared = crate::schema::schema(&answer.columns)?;
    let schema: Schema = declared
        .iter()
        .map(|(name, dtype)| (name.clone(), parsed(dtype)))
        .collect();
    let options = NDJsonReadOptions {
        n_threads: None,
        infer_schema_length: None,
        chunk_size: const { NonZeroUsize::new(1 << 18).unwrap() },
        low_memory: given.flag("low_memory")?.unwrap_or(false),
        ignore_errors: ignores_errors(given)?,
        schema: Some(Arc::new(schema)),
        schema_overwrite: None,
    };
    let lazy = request.scan(
        FileScanDsl::NDJson { options },
        request.texts()?,
        UnifiedScanArgs::default(),
    )?;
    typed(request, lazy, &declared, parsed)
}

/// The type in which polars parses a value that is declared as `dtype`.
fn parsed(dtype: &DataType) -> DataType {
    match dtype {
        DataType::Date
        | DataType::Time
        | DataType::Datetime(..)
        | DataType::Categorical(..)
        | DataType::Enum(..) => DataType::String,
        DataType::Duration(_) => DataType::Int64,
        other => other.clone(),
    }
}

/// The columns in their declared types, where they come in others.
fn typed(
    request: &Request<'_>,
    lazy: LazyFrame,
    declared: &Schema,
    comes: impl Fn(&DataType) -> DataType,
) -> Result<LazyFrame> {
    if declared.iter_values().all(|dtype| comes(dtype) == *dtype) {
        return Ok(lazy);
    }
    Ok(select_declared(lazy, declared, &request.kept()?))
}

/// Files that are decoded here.
#[derive(Clone)]
struct Decoded {
    layout: Layout,
    /// Each with the columns that come with its rows.
    files: Vec<(Source, Vec<Expr>)>,
    columns: Vec<Field>,
}

impl Frames for Decoded {
    fn each(&self, mut push: impl FnMut(DataFrame) -> Result<()>) -> Result<()> {
        for (source, constants) in &self.files {
            let decoding = Decoding {
                source: source.clone(),
                layout: self.layout,
                range: None,
                batch_size: BATCH,
                complete: false,
            };
            for batch in decode(decoding, &self.columns)? {
                let mut frame = crate::arrow::from_batch(&batch?)?;
                if !constants.is_empty() {
                    frame = frame.lazy().with_columns(constants).collect().or_error()?;
                }
                push(frame)?;
            }
        }
        Ok(())
    }
}

fn decoded(request: &Request<'_>, answer: &Answer, layout: Layout) -> Result<LazyFrame> {
    let files = Decoded {
        layout,
        files: request
            .files
            .paths
            .iter()
            .enumerate()
            .map(|(at, file)| Ok((source(file)?, request.constants(at)?)))
            .collect::<Result<_>>()?,
        columns: answer.columns.clone(),
    };
    let empty = crate::arrow::empty_frame(&laktory_formats::json::schema(&answer.columns)?)?;
    let declared = crate::schema::schema(&answer.columns)?;
    frames::read(request, files, "JSON", empty.schema(), &declared)
}
