//! File sources: each format becomes a lazy scan of exactly the files that the executor resolved.
//!
//! Files are never matched again by pattern. Looking at headers, footers and a sample of the lines happens here, reading
//! does not.

mod csv;
mod json;
mod tables;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use laktory_core::{Error, ErrorKind, Format, FormatSupport, Frame, ReadSpec, Result, Support};
use polars::prelude::{DataFrame, Expr, IntoLazy, LazyFrame, PlRefPath, ScanSources, Schema, col};
use polars_buffer::Buffer;
use polars_io::HiveOptions;
use polars_plan::dsl::{DslPlan, FileScanDsl, UnifiedScanArgs};
use polars_utils::mmap::MMapSemaphore;
use polars_utils::slice_enum::Slice;

use crate::PolarsFrame;
use crate::diagnose::Source;
use crate::options::Given;

pub(crate) use json::lines;

/// Reads files of one format into a lazy plan.
type Reader = fn(&Request<'_>) -> Result<LazyFrame>;

/// The formats that are read.
pub(crate) const READERS: &[(Format, FormatSupport, Reader)] = &[
    (Format::Csv, full(csv::OPTIONS), csv::read),
    (Format::JsonLines, full(json::LINES_OPTIONS), json::read_lines),
    (Format::Json, full(json::OPTIONS), json::read),
    (Format::Parquet, full(tables::PARQUET_OPTIONS), tables::read_parquet),
    (Format::Ipc, full(tables::IPC_OPTIONS), tables::read_ipc),
];

const fn full(options: &'static [&'static str]) -> FormatSupport {
    FormatSupport {
        support: Support::Full,
        options,
        schema: true,
    }
}

/// A read, prepared: checked options, existing files, declared types.
pub(crate) struct Request<'a> {
    spec: &'a ReadSpec,
    given: Given<'a>,
    /// Files that hold something.
    files: Vec<PathBuf>,
    declared: Option<Arc<Schema>>,
}

/// A frame that reads files.
///
/// # Errors
/// `Unsupported` for the format, `InvalidArgument` for an option, `NotFound`, `Io`, `ConversionFailed`.
pub(crate) fn read(spec: &ReadSpec) -> Result<Frame> {
    let Some((_, support, reader)) = READERS.iter().find(|(format, ..)| *format == spec.format) else {
        return Err(Error::unsupported(format!("polars does not read {}", spec.format))
            .with_hint(format!("it reads {}", formats(READERS.iter().map(|(format, ..)| format)))));
    };
    let what = format!("reader option of {}", spec.format);
    let declared = spec.schema.as_deref().map(crate::schema::schema).transpose()?.map(Arc::new);
    let mut files = spec.files.clone();
    if files.is_empty() {
        files.push(PathBuf::from(&spec.path));
    }
    let mut filled = Vec::with_capacity(files.len());
    for file in &files {
        if size(file)? > 0 {
            filled.push(file.clone());
        }
    }
    let request = Request {
        spec,
        given: Given::new(&what, &spec.options, support.options)?,
        files: filled,
        declared,
    };
    if request.files.is_empty() {
        return request.nothing(&files).map(PolarsFrame::from_lazy);
    }
    let lazy = reader(&request).map_err(|error| {
        if request.files.iter().any(|file| error.message().contains(&*file.to_string_lossy())) {
            error
        } else {
            error.context(format!("`{}`", shown(&request.files)))
        }
    })?;
    let source = Source::new(spec, request.files);
    Ok(PolarsFrame::new(lazy, Arc::new([Arc::new(source)])))
}

/// Names of formats, for messages.
pub(crate) fn formats<'a>(formats: impl Iterator<Item = &'a Format>) -> String {
    formats.map(Format::name).collect::<Vec<_>>().join(", ")
}

/// The files of a read, for messages.
pub(crate) fn shown(files: &[PathBuf]) -> String {
    match files {
        [] => String::new(),
        [file] => file.display().to_string(),
        [first, rest @ ..] => format!("{} and {} more files", first.display(), rest.len()),
    }
}

fn size(file: &Path) -> Result<u64> {
    std::fs::metadata(file)
        .map(|metadata| metadata.len())
        .map_err(|error| Error::from(error).context(format!("`{}`", file.display())))
}

impl Request<'_> {
    /// The frame of files without content: no rows of the declared columns.
    fn nothing(&self, files: &[PathBuf]) -> Result<LazyFrame> {
        match (&self.declared, &self.spec.format) {
            (Some(declared), Format::Csv | Format::Json | Format::JsonLines) => {
                Ok(DataFrame::empty_with_schema(declared).lazy())
            }
            _ => Err(Error::new(
                ErrorKind::ConversionFailed,
                format!("`{}` is empty, so its columns are not known", shown(files)),
            )
            .with_hint("declare its columns with `schema_definition`, or write a header")),
        }
    }

    /// The lazy scan of the files.
    fn scan(&self, scan: FileScanDsl, sources: ScanSources, mut args: UnifiedScanArgs) -> Result<LazyFrame> {
        args.glob = false;
        args.cache = false;
        args.hive_options = HiveOptions::new_disabled();
        if let Some(len) = self.given.count("n_rows")? {
            args.pre_slice = Some(Slice::Positive { offset: 0, len });
        }
        if let Some(name) = self.given.text("include_file_paths")? {
            args.include_file_paths = Some(name.into());
        }
        Ok(LazyFrame::from(DslPlan::Scan {
            sources,
            unified_scan_args: Box::new(args),
            scan_type: Box::new(scan),
            cached_ir: Arc::default(),
        }))
    }

    /// The files as sources of a scan.
    fn paths(&self) -> Result<ScanSources> {
        let paths = self.files.iter().map(|file| path(file)).collect::<Result<Vec<_>>>()?;
        Ok(ScanSources::Paths(Buffer::from_iter(paths)))
    }

    /// The files as sources of a scan of text, without the byte order marks that some of them may begin with.
    fn texts(&self) -> Result<ScanSources> {
        const MARK: &[u8] = b"\xEF\xBB\xBF";
        let marked = self
            .files
            .iter()
            .map(|file| Ok(head(file, MARK.len())? == MARK))
            .collect::<Result<Vec<_>>>()?;
        if !marked.contains(&true) {
            return self.paths();
        }
        let buffers = self
            .files
            .iter()
            .zip(marked)
            .map(|(file, marked)| {
                let map = MMapSemaphore::new_from_file(&File::open(file)?)
                    .map_err(crate::error::engine_error)?;
                let bytes = Buffer::from_owner(map);
                Ok(if marked { bytes.sliced(MARK.len()..) } else { bytes })
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
fn select_declared(lazy: LazyFrame, declared: &Schema, keep: Option<&str>) -> Result<LazyFrame> {
    let mut exprs = declared
        .iter()
        .map(|(name, dtype)| crate::expr::convert(col(name.clone()), dtype, true))
        .collect::<Vec<Expr>>();
    exprs.extend(keep.map(col));
    Ok(lazy.select(exprs))
}
