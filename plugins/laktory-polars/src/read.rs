//! File sources: each format becomes a lazy scan of exactly the files that the executor resolved.
//!
//! Files are never matched again by pattern. Looking at headers and footers happens here, reading does not.

mod csv;
mod decoded;
mod frames;
mod json;
mod partitions;
mod tables;

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use laktory_core::{
    Error, ErrorKind, Format, FormatSupport, Frame, ReadSpec, Result, RunCx, Support,
};
use laktory_formats::csv::{Looked, look};
use laktory_formats::decode;
use laktory_formats::files::{Files, named, shown};
use laktory_formats::json::Known;
use polars::prelude::{DataFrame, Expr, IntoLazy, LazyFrame, PlRefPath, ScanSources, Schema, col};
use polars_buffer::Buffer;
use polars_plan::dsl::{FileScanDsl, UnifiedScanArgs};
use polars_utils::mmap::MMapSemaphore;

use crate::PolarsFrame;
use crate::diagnose::{Converted, Source};
use crate::options::Given;

pub(crate) use json::source as json_source;

/// Reads files of one format into a lazy plan.
type Reader = fn(&Request<'_>) -> Result<LazyFrame>;

/// A format, the options that it has, and its reader.
pub(crate) type Row = (Format, FormatSupport, Reader);

/// The formats that are read here; the crate that engines share decodes further ones.
pub(crate) const READERS: &[Row] = &[
    (Format::Csv, full(laktory_formats::csv::OPTIONS), csv::read),
    (
        Format::JsonLines,
        full(json::LINES_OPTIONS),
        json::read_lines,
    ),
    (Format::Json, full(json::OPTIONS), json::read),
    (
        Format::Parquet,
        full(tables::PARQUET_OPTIONS),
        tables::read_parquet,
    ),
    (Format::Ipc, full(tables::IPC_OPTIONS), tables::read_ipc),
];

/// Tables with a log: their files are files of PARQUET, which the executor names.
pub(crate) const TABLES: &[(Format, FormatSupport)] = &[(
    Format::Delta,
    FormatSupport::new(Support::Full).with_options(laktory_core::table::READ_OPTIONS),
)];

const fn full(options: &'static [&'static str]) -> FormatSupport {
    FormatSupport::new(Support::Full)
        .with_options(options)
        .with_schema(true)
}

/// A read, prepared: checked options, existing files, declared types.
pub(crate) struct Request<'a> {
    spec: &'a ReadSpec,
    cx: &'a RunCx,
    given: Given<'a>,
    /// Files that hold something, and the columns that their folders give.
    files: Files,
    declared: Option<Arc<Schema>>,
    /// What files of JSON hold.
    json: Option<json::Answer>,
    /// What was found out about files of CSV.
    csv: Option<Looked>,
    /// Rows of the files, where they tell them.
    rows: Cell<Option<u64>>,
    /// Those that are read in other types than they have.
    converted: RefCell<Vec<Converted>>,
}

/// A frame that reads files.
///
/// # Errors
/// `Unsupported` for the format, `InvalidArgument` for an option, `NotFound`, `Io`, `ConversionFailed`.
pub(crate) async fn read(cx: &RunCx, known: &Arc<Known>, spec: &ReadSpec) -> Result<Frame> {
    let reader = reader(&spec.format)?;
    let owned = spec.clone();
    let found = cx.blocking(move || Files::of(&owned)).await?;
    let csv = match spec.format {
        Format::Csv => look(cx, spec, &found, laktory_formats::packed::raw).await?,
        _ => None,
    };
    let json = json::look(cx, known, spec, &found).await?;
    let (run, spec) = (cx.clone(), spec.clone());
    cx.blocking(move || plan(&run, &spec, reader, found, csv, json))
        .await
}

/// The row of a format.
fn reader(format: &Format) -> Result<Row> {
    let own = READERS.iter().find(|(known, ..)| known == format);
    let shared = || {
        let known = decode::READS.iter().find(|(known, _)| known == format);
        known.filter(|_| decode::is_decoded(format))
    };
    own.cloned()
        .or_else(|| {
            shared().map(|(format, support)| (format.clone(), *support, decoded::read as Reader))
        })
        .ok_or_else(|| {
            let own = READERS.iter().map(|(format, ..)| format);
            let known = own.chain(decode::READS.iter().map(|(format, _)| format));
            Error::unsupported(format!("polars does not read {format}"))
                .with_hint(format!("it reads {}", formats(known)))
        })
}

fn plan(
    cx: &RunCx,
    spec: &ReadSpec,
    (_, support, reader): Row,
    files: Files,
    csv: Option<Looked>,
    json: Option<json::Answer>,
) -> Result<Frame> {
    let what = format!("reader option of {}", spec.format);
    let declared = spec
        .schema
        .as_deref()
        .map(crate::schema::schema)
        .transpose()?
        .map(Arc::new);
    let given = Given::new(&what, &spec.options, support.options)?;
    let request = Request {
        spec,
        cx,
        given,
        files,
        rows: Cell::new(None),
        converted: RefCell::default(),
        declared,
        json,
        csv,
    };
    if request.files.paths.is_empty() {
        return request.nothing().map(PolarsFrame::from_lazy);
    }
    let lazy = reader(&request).map_err(|error| named(error, &request.files.paths))?;
    let is_limited = request.given.has("n_rows");
    let records = match request.rows.get() {
        Some(rows) => Some(rows),
        None => request.json.as_ref().and_then(|json| json.records),
    };
    let mut source = Source::new(spec, request.files.paths, request.json)
        .converting(request.converted.into_inner());
    let mut found = None;
    if let Some(looked) = request.csv {
        source = source.of_csv(looked.reading);
        found = looked.survey;
    }
    let frame = PolarsFrame::reading(lazy, Arc::new([Arc::new(source)]), 1);
    let frame = match records.filter(|_| !is_limited) {
        Some(records) => frame.with_source_rows(records),
        None => frame,
    };
    Ok(match found {
        Some(survey) => frame
            .with_source_rows(survey.rows)
            .with_warnings(survey.warnings),
        None => frame,
    })
}

/// Names of formats, for messages.
pub(crate) fn formats<'a>(formats: impl Iterator<Item = &'a Format>) -> String {
    formats.map(Format::name).collect::<Vec<_>>().join(", ")
}

impl Request<'_> {
    /// The frame of files without content: no rows of the declared columns.
    fn nothing(&self) -> Result<LazyFrame> {
        if let (None, Some(columns)) = (&self.declared, decode::of_nothing(self.spec)?) {
            let schema = crate::schema::schema(&columns)?;
            return Ok(DataFrame::empty_with_schema(&schema).lazy());
        }
        match (&self.declared, &self.spec.format) {
            (Some(declared), format)
                if decode::is_decoded(format)
                    || matches!(format, Format::Csv | Format::Json | Format::JsonLines) =>
            {
                Ok(DataFrame::empty_with_schema(declared).lazy())
            }
            (_, format) => Err(Error::new(
                ErrorKind::ConversionFailed,
                format!(
                    "`{}` is empty, so its columns are not known",
                    shown(&laktory_formats::files::all(self.spec))
                ),
            )
            .with_hint(match format {
                Format::Csv => "declare its columns with `schema_definition`, or write a header",
                _ => "declare its columns with `schema`",
            })),
        }
    }

    /// The lazy scan of the files.
    fn scan(
        &self,
        scan: FileScanDsl,
        sources: ScanSources,
        args: UnifiedScanArgs,
    ) -> Result<LazyFrame> {
        let lazy = self.scan_part(scan, &sources, 0..self.files.paths.len(), args)?;
        self.limited(vec![lazy])
    }

    /// Frames one behind the other, as many rows as are wanted.
    fn limited(&self, frames: Vec<LazyFrame>) -> Result<LazyFrame> {
        let lazy = tables::stacked(frames)?;
        Ok(match self.given.count("n_rows")? {
            Some(rows) => lazy.slice(0, u32::try_from(rows).unwrap_or(u32::MAX)),
            None => lazy,
        })
    }

    /// The files as sources of a scan.
    fn paths(&self) -> Result<ScanSources> {
        let paths = self
            .files
            .paths
            .iter()
            .map(|file| path(file))
            .collect::<Result<Vec<_>>>()?;
        Ok(ScanSources::Paths(Buffer::from_iter(paths)))
    }

    /// The files as sources of a scan of text, without the byte order marks that some of them may begin with.
    fn texts(&self) -> Result<ScanSources> {
        const MARK: &[u8] = b"\xEF\xBB\xBF";
        let marked = self
            .files
            .paths
            .iter()
            .map(|file| Ok(head(file, MARK.len())? == MARK))
            .collect::<Result<Vec<_>>>()?;
        if !marked.contains(&true) {
            return self.paths();
        }
        let buffers = self
            .files
            .paths
            .iter()
            .zip(marked)
            .map(|(file, marked)| {
                let map = MMapSemaphore::new_from_file(&File::open(file)?)
                    .map_err(crate::error::engine_error)?;
                let bytes = Buffer::from_owner(map);
                Ok(if marked {
                    bytes.sliced(MARK.len()..)
                } else {
                    bytes
                })
            })
            .collect::<Result<Vec<Buffer<u8>>>>()?;
        Ok(ScanSources::Buffers(buffers.into()))
    }
}

/// The first bytes of a file.
fn head(file: &Path, length: usize) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(length);
    File::open(file)
        .and_then(|file| file.take(length as u64).read_to_end(&mut bytes))
        .map_err(|error| Error::from(error).context(format!("`{}`", file.display())))?;
    Ok(bytes)
}

/// A path for polars, which only knows paths of text.
pub(crate) fn path(file: &Path) -> Result<PlRefPath> {
    match file.to_str() {
        Some(text) => Ok(PlRefPath::new(text)),
        None => Err(Error::unsupported(format!(
            "the path `{}` is not valid UTF-8",
            file.display()
        ))),
    }
}

/// The declared columns, converted from what the scan gives.
fn select_declared(lazy: LazyFrame, declared: &Schema, keep: &[&str]) -> LazyFrame {
    let mut exprs = declared
        .iter()
        .map(|(name, dtype)| crate::expr::convert(col(name.clone()), dtype, true))
        .collect::<Vec<Expr>>();
    exprs.extend(keep.iter().map(|name| col(*name)));
    lazy.select(exprs)
}

#[cfg(test)]
mod tests;
