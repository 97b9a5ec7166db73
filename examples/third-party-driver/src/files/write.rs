//! File sinks: one file at the staging path that the executor gives.

use std::fs::File;
use std::io::{BufWriter, Write as _};

use arrow::array::RecordBatch;
use arrow::csv::WriterBuilder as CsvBuilder;
use arrow::json::WriterBuilder as JsonBuilder;
use arrow::json::writer::{LineDelimited, Writer as JsonWriter};
use laktory_core::{Error, Format, FormatSupport, Options, Result, Support, WriteSpec};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

use super::{check, flag, separator};
use crate::error::OrError;
use crate::unsupported;

type Write = fn(&Options, BufWriter<File>, &RecordBatch) -> Result<BufWriter<File>>;

const WRITERS: &[(Format, FormatSupport, Write)] = &[
    (Format::Csv, with(&["include_header", "separator"]), csv),
    (Format::JsonLines, with(&[]), lines),
    (Format::Parquet, with(&[]), parquet),
];

const fn with(options: &'static [&'static str]) -> FormatSupport {
    FormatSupport::new(Support::Full).with_options(options)
}

/// The formats that are written.
pub(crate) fn writes() -> impl Iterator<Item = (Format, FormatSupport)> {
    WRITERS
        .iter()
        .map(|(format, support, _)| (format.clone(), *support))
}

/// Writes rows to a file, which is complete on disk then.
///
/// # Errors
/// `Unsupported` for the format, `InvalidArgument` for options, `Io`, `ConversionFailed` for types that the format lacks.
pub(crate) fn write(spec: &WriteSpec, rows: &RecordBatch) -> Result<()> {
    let known = WRITERS.iter().find(|(format, ..)| *format == spec.format);
    let Some((_, support, write)) = known else {
        return Err(unsupported(format!("writing {}", spec.format)));
    };
    check(&spec.options, support.options)?;
    let describe = |error: Error| error.context(format!("`{}`", spec.path.display()));
    let file = File::create(&spec.path).map_err(|error| describe(error.into()))?;
    let mut writer = write(&spec.options, BufWriter::new(file), rows).map_err(describe)?;
    writer.flush().map_err(|error| describe(error.into()))
}

fn csv(options: &Options, file: BufWriter<File>, rows: &RecordBatch) -> Result<BufWriter<File>> {
    let mut writer = CsvBuilder::new()
        .with_header(flag(options, "include_header", true)?)
        .with_delimiter(separator(options)?)
        .build(file);
    writer.write(rows).or_error()?;
    Ok(writer.into_inner())
}

fn lines(_: &Options, file: BufWriter<File>, rows: &RecordBatch) -> Result<BufWriter<File>> {
    let builder = JsonBuilder::new().with_explicit_nulls(true);
    let mut writer: JsonWriter<_, LineDelimited> = builder.build(file);
    writer.write(rows).or_error()?;
    writer.finish().or_error()?;
    Ok(writer.into_inner())
}

fn parquet(_: &Options, file: BufWriter<File>, rows: &RecordBatch) -> Result<BufWriter<File>> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .build();
    let mut writer = ArrowWriter::try_new(file, rows.schema(), Some(properties)).or_error()?;
    writer.write(rows).or_error()?;
    writer.into_inner().or_error()
}
