//! JSON documents and JSON lines.
//!
//! Types of lines are found in a sample of each file: all of a small file, the beginning and spaced blocks of a large one.

use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Read, Seek, SeekFrom};
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use laktory_core::{Error, ErrorKind, Result};
use polars::prelude::{
    DataFrame, DataType, IntoLazy, JsonFormat, JsonReader, LazyFrame, PolarsResult, Schema,
    SchemaRef, SerReader,
};
use polars_io::utils::compression::{ByteSourceReader, SupportedCompression};
use polars_plan::dsl::{FileScanDsl, UnifiedScanArgs};
use polars_plan::prelude::NDJsonReadOptions;

use super::{Request, select_declared};
use crate::error::{ResultExt, engine_error};

/// Options of JSON lines.
pub(super) const LINES_OPTIONS: &[&str] = &[
    "ignore_errors",
    "include_file_paths",
    "infer_schema_length",
    "low_memory",
    "n_rows",
];

/// Options of JSON documents.
pub(super) const OPTIONS: &[&str] = &["infer_schema_length"];

/// Files up to this size are looked at whole.
const WHOLE: u64 = 8 << 20;
/// Bytes looked at in the beginning of a larger file, and in each block further on.
const HEAD: usize = 1 << 20;
const BLOCK: usize = 64 << 10;
/// Blocks looked at beyond the beginning, the last one at the end.
const BLOCKS: u64 = 16;

pub(super) fn read_lines(request: &Request<'_>) -> Result<LazyFrame> {
    let given = &request.given;
    let schema = match &request.declared {
        Some(declared) => declared
            .iter()
            .map(|(name, dtype)| (name.clone(), parsed(dtype)))
            .collect(),
        None => infer_lines(request)?,
    };
    let schema = Arc::clone(request.lines.get_or_init(|| Arc::new(schema)));
    let options = NDJsonReadOptions {
        n_threads: None,
        infer_schema_length: None,
        chunk_size: const { NonZeroUsize::new(1 << 18).unwrap() },
        low_memory: given.flag("low_memory")?.unwrap_or(false),
        ignore_errors: given.flag("ignore_errors")?.unwrap_or(false),
        schema: Some(schema),
        schema_overwrite: None,
    };
    let lazy = request.scan(
        FileScanDsl::NDJson { options },
        request.texts()?,
        UnifiedScanArgs::default(),
    )?;
    declared(request, lazy)
}

/// The type in which the parser reads a value that is declared as `dtype`.
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

fn declared(request: &Request<'_>, lazy: LazyFrame) -> Result<LazyFrame> {
    match &request.declared {
        Some(declared) if declared.iter_values().any(|dtype| parsed(dtype) != *dtype) => {
            let kept = match request.given.has("include_file_paths") {
                true => request.given.text("include_file_paths")?,
                false => None,
            };
            select_declared(lazy, declared, kept)
        }
        _ => Ok(lazy),
    }
}

fn infer_lines(request: &Request<'_>) -> Result<Schema> {
    let limit = request
        .given
        .count("infer_schema_length")?
        .and_then(NonZeroUsize::new);
    let sampled = !request.given.has("infer_schema_length");
    let mut found = Vec::new();
    for file in &request.files {
        let schema = if sampled {
            let sample = sample(file)?;
            polars_io::ndjson::infer_schema(&mut Cursor::new(&sample), None)
        } else {
            polars_io::ndjson::infer_schema(&mut lines(file)?, limit)
        };
        let schema = schema.map_err(|error| {
            crate::diagnose::malformed_line(file, None).unwrap_or_else(|| {
                Error::new(
                    ErrorKind::ConversionFailed,
                    format!("`{}`: {}", file.display(), engine_error(error).message()),
                )
            })
        })?;
        found.push(schema);
    }
    unite(found)
}

/// One schema for several: all fields, in order of appearance, in types that hold the values of each.
fn unite(schemas: Vec<Schema>) -> Result<Schema> {
    let mut all = Schema::default();
    for schema in schemas {
        for (name, dtype) in schema {
            let united = match all.get(&name) {
                Some(known) if *known == dtype => continue,
                Some(known) => polars_core::utils::try_get_supertype(known, &dtype).or_error()?,
                None => dtype,
            };
            all.insert(name, united);
        }
    }
    Ok(all)
}

/// Whole lines of a file: all of a small one, of a larger one its beginning and spaced blocks.
fn sample(file: &Path) -> Result<Vec<u8>> {
    let size = super::size(file)?;
    let compressed = SupportedCompression::check(&super::head(file, 16)?).is_some();
    let mut sample = Vec::new();
    if size <= WHOLE || compressed {
        let limit = if size <= WHOLE { u64::MAX } else { HEAD as u64 };
        lines(file)?.take(limit).read_to_end(&mut sample)?;
        if limit != u64::MAX {
            sample.truncate(
                sample
                    .iter()
                    .rposition(|byte| *byte == b'\n')
                    .map_or(0, |at| at + 1),
            );
        }
        return Ok(sample);
    }
    let mut reader = File::open(file)?;
    let starts = (0..=BLOCKS).map(|block| match block {
        0 => (0, HEAD),
        block => ((size - BLOCK as u64) / BLOCKS * block, BLOCK),
    });
    for (start, length) in starts {
        reader.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::with_capacity(length);
        (&mut reader).take(length as u64).read_to_end(&mut bytes)?;
        // A block begins and ends within a line; those two are left out.
        let first = if start == 0 {
            0
        } else {
            bytes
                .iter()
                .position(|byte| *byte == b'\n')
                .map_or(bytes.len(), |at| at + 1)
        };
        let last = bytes
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |at| at + 1);
        if first < last {
            sample.extend_from_slice(&bytes[first..last]);
        }
    }
    if sample.is_empty() {
        // Lines longer than the blocks.
        lines(file)?.read_until(b'\n', &mut sample)?;
    }
    if sample.starts_with(b"\xEF\xBB\xBF") {
        sample.drain(..3);
    }
    Ok(sample)
}

/// The text of a file, decompressed, without byte order mark.
pub(crate) fn lines(file: &Path) -> Result<Box<dyn BufRead + Send>> {
    let head = super::head(file, 16)?;
    if SupportedCompression::check(&head).is_some() {
        let reader = BufReader::with_capacity(1 << 18, File::open(file)?);
        return Ok(
            match ByteSourceReader::try_new(reader, SupportedCompression::check(&head))
                .or_error()?
            {
                ByteSourceReader::Gzip(reader) => Box::new(BufReader::new(reader)),
                ByteSourceReader::Zlib(reader) => Box::new(BufReader::new(reader)),
                ByteSourceReader::Zstd(reader) => Box::new(BufReader::new(reader)),
                ByteSourceReader::UncompressedStream(reader) => Box::new(reader),
                ByteSourceReader::UncompressedMemory { slice, .. } => Box::new(Cursor::new(slice)),
            },
        );
    }
    let mut reader = File::open(file)?;
    if head.starts_with(b"\xEF\xBB\xBF") {
        reader.seek(SeekFrom::Start(3))?;
    }
    Ok(Box::new(BufReader::with_capacity(1 << 20, reader)))
}

pub(super) fn read(request: &Request<'_>) -> Result<LazyFrame> {
    let files = request.files.clone();
    let schema = match &request.declared {
        Some(declared) => declared
            .iter()
            .map(|(name, dtype)| (name.clone(), parsed(dtype)))
            .collect(),
        None => {
            let limit = request
                .given
                .count("infer_schema_length")?
                .and_then(NonZeroUsize::new);
            let schemas = files
                .iter()
                .map(|file| Ok(document(file, None, limit)?.schema().as_ref().clone()))
                .collect::<Result<Vec<_>>>()?;
            unite(schemas)?
        }
    };
    let schema = Arc::new(schema);
    let output = Arc::clone(&schema);
    let documents = move |_: DataFrame| -> PolarsResult<DataFrame> {
        let mut all = DataFrame::empty_with_arc_schema(Arc::clone(&schema));
        for file in &files {
            let frame = document(file, Some(Arc::clone(&schema)), None)
                .map_err(|error| crate::error::carry(&error))?;
            all.vstack_mut_owned(frame)?;
        }
        Ok(all)
    };
    // The streaming engine has no scan of one's own; a function of a frame without rows stands in for it.
    let output = move |_: &Schema| Ok(Arc::clone(&output));
    declared(
        request,
        crate::ops::opaque(
            DataFrame::empty().lazy(),
            "JSON",
            documents,
            Some(Arc::new(output)),
        ),
    )
}

fn document(
    file: &Path,
    schema: Option<SchemaRef>,
    limit: Option<NonZeroUsize>,
) -> Result<DataFrame> {
    let mut bytes = Vec::new();
    lines(file)?.read_to_end(&mut bytes)?;
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(Error::new(
            ErrorKind::ConversionFailed,
            format!(
                "`{}` is empty, so its columns are not known",
                file.display()
            ),
        )
        .with_hint("declare its columns with `schema_definition`"));
    }
    let mut reader = JsonReader::new(Cursor::new(&bytes))
        .with_json_format(JsonFormat::Json)
        .infer_schema_len(limit);
    if let Some(schema) = schema {
        reader = reader.with_schema(schema);
    }
    reader.finish().map_err(|error| {
        Error::new(
            ErrorKind::ConversionFailed,
            format!("`{}`: {}", file.display(), engine_error(error).message()),
        )
    })
}
