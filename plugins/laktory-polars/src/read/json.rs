//! JSON documents and JSON lines.
//!
//! The crate that engines share looks at every record: it finds the columns, and the faults. Lines whose values are all of
//! the plainest form are read by polars, which then reads them exactly; others are decoded by that crate.

use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Seek, SeekFrom};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use laktory_core::{Error, Field, Format, ReadSpec, Result, RunCx};
pub(crate) use laktory_formats::json::Answer;
use laktory_formats::json::{Decoding, Known, Layout, Question, Source, Text, decode};
use polars::prelude::{
    DataFrame, DataType, IntoLazy, LazyFrame, NamedFrom, PolarsResult, Schema, Series,
};
use polars_io::utils::compression::{ByteSourceReader, SupportedCompression};
use polars_plan::dsl::{FileScanDsl, UnifiedScanArgs};
use polars_plan::prelude::NDJsonReadOptions;

use super::{Request, select_declared};
use crate::error::ResultExt;
use crate::options::Given;
use crate::spool::Spool;

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

/// Rows of a decoded batch.
const BATCH: usize = 1 << 15;

/// Looks at the files of a read, when they are of JSON.
///
/// # Errors
/// `ConversionFailed` with file and line, `InvalidArgument` for an option, `NotFound`, `Io`.
pub(super) async fn look(
    cx: &RunCx,
    known: &Arc<Known>,
    spec: &ReadSpec,
) -> Result<Option<Answer>> {
    let (layout, options) = match spec.format {
        Format::JsonLines => (Layout::Lines, LINES_OPTIONS),
        Format::Json => (Layout::Document, OPTIONS),
        _ => return Ok(None),
    };
    let what = format!("reader option of {}", spec.format);
    let given = Given::new(&what, &spec.options, options)?;
    let first = given
        .count("infer_schema_length")?
        .filter(|lines| *lines > 0);
    // Whoever asks for faults to be passed over does not want to hear of them.
    let rows = spec.rows && !ignores_errors(&given)?;
    let files = match spec.files.as_slice() {
        [] => vec![PathBuf::from(&spec.path)],
        files => files.to_vec(),
    };
    let sources = cx
        .blocking(move || {
            let mut out = Vec::with_capacity(files.len());
            for file in &files {
                if super::size(file)? > 0 {
                    out.push(source(file)?);
                }
            }
            Ok(out)
        })
        .await?;
    if sources.is_empty() {
        return Ok(None);
    }
    let question = Question {
        sources,
        layout,
        declared: spec.schema.clone(),
        first: first.map(|first| first as u64),
        rows,
    };
    question.ask(cx, known).await.map(Some)
}

fn ignores_errors(given: &Given<'_>) -> Result<bool> {
    Ok(given.has("ignore_errors") && given.flag("ignore_errors")?.unwrap_or(false))
}

/// A file of JSON, as it is compressed.
pub(crate) fn source(file: &Path) -> Result<Source> {
    let compressed = SupportedCompression::check(&super::head(file, 16)?).is_some();
    Ok(Source::new(file, compressed.then_some(opened)))
}

fn opened(file: &Path) -> Result<Text> {
    Ok(Box::new(lines(file)?))
}

/// The text of a file, decompressed, without byte order mark.
pub(super) fn lines(file: &Path) -> Result<Box<dyn BufRead + Send>> {
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

pub(super) fn read_lines(request: &Request<'_>) -> Result<LazyFrame> {
    let answer = answer(request)?;
    if answer.is_plain || ignores_errors(&request.given)? {
        return scanned(request, answer);
    }
    let lazy = decoded(request, answer, Layout::Lines)?;
    Ok(match request.given.count("n_rows")? {
        Some(rows) => lazy.limit(u32::try_from(rows).unwrap_or(u32::MAX)),
        None => lazy,
    })
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
    let kept = match request.given.has("include_file_paths") {
        true => request.given.text("include_file_paths")?,
        false => None,
    };
    select_declared(lazy, declared, kept)
}

/// Files that are decoded here.
#[derive(Clone)]
struct Files {
    layout: Layout,
    sources: Vec<Source>,
    columns: Vec<Field>,
    /// A further column, with the path of each row's file.
    paths: Option<String>,
}

impl Files {
    /// No rows.
    fn empty(&self) -> Result<DataFrame> {
        let schema = laktory_formats::json::schema(&self.columns)?;
        self.with_path(crate::arrow::empty_frame(&schema)?, "")
    }

    fn with_path(&self, mut frame: DataFrame, path: &str) -> Result<DataFrame> {
        if let Some(name) = &self.paths {
            let rows = frame.height();
            let paths = Series::new(name.as_str().into(), [path]);
            let paths = match rows {
                0 => paths.clear(),
                rows => paths.new_from_index(0, rows),
            };
            frame.with_column(paths.into()).or_error()?;
        }
        Ok(frame)
    }

    fn each(&self, mut push: impl FnMut(DataFrame) -> Result<()>) -> Result<()> {
        for source in &self.sources {
            let decoding = Decoding {
                source: source.clone(),
                layout: self.layout,
                range: None,
                batch_size: BATCH,
                complete: false,
            };
            for batch in decode(decoding, &self.columns)? {
                let frame = crate::arrow::from_batch(&batch?)?;
                push(self.with_path(frame, &source.path().to_string_lossy())?)?;
            }
        }
        Ok(())
    }
}

fn decoded(request: &Request<'_>, answer: &Answer, layout: Layout) -> Result<LazyFrame> {
    let paths = match request.given.has("include_file_paths") {
        true => request.given.text("include_file_paths")?.map(str::to_owned),
        false => None,
    };
    let files = Files {
        layout,
        sources: request
            .files
            .iter()
            .map(|file| source(file))
            .collect::<Result<_>>()?,
        columns: answer.columns.clone(),
        paths,
    };
    let empty = files.empty()?;
    let comes = Arc::clone(empty.schema());
    let lazy = if request.spec.rows {
        let mut spool = Spool::new(request.cx, Arc::clone(&comes));
        files.each(|frame| {
            request.cx.cancel().check()?;
            spool.push(frame)
        })?;
        spool.finish()?.1
    } else {
        // The names and types are what is wanted.
        let output = Arc::clone(&comes);
        let rows = move |_: DataFrame| -> PolarsResult<DataFrame> {
            let mut all = empty.clone();
            let decoded = files.each(|frame| {
                all.vstack_mut_owned(frame).or_error()?;
                Ok(())
            });
            decoded.map_err(|error| crate::error::carry(&error))?;
            Ok(all)
        };
        let schema = move |_: &Schema| Ok(Arc::clone(&output));
        crate::ops::opaque(
            DataFrame::empty().lazy(),
            "JSON",
            rows,
            Some(Arc::new(schema)),
        )
    };
    let declared = crate::schema::schema(&answer.columns)?;
    let is_same = declared
        .iter()
        .all(|(name, dtype)| comes.get(name) == Some(dtype));
    if is_same {
        return Ok(lazy);
    }
    typed(request, lazy, &declared, |_| DataType::Null)
}
