//! File sources. Headers and footers are looked at when the frame is made, rows when it runs.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::csv::ReaderBuilder as CsvBuilder;
use arrow::csv::reader::Format as CsvFormat;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::json::ReaderBuilder as JsonBuilder;
use arrow::json::reader::infer_json_schema;
use laktory_core::{
    Cancel, Error, ErrorKind, Format, FormatSupport, Frame, ReadSpec, Result, Support,
};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::{check, flag, separator};
use crate::error::OrError;
use crate::frame::LiteFrame;
use crate::types::encoded_schema;
use crate::unsupported;

/// The columns of one file, in the reader's own types.
type Look = fn(&ReadSpec, &Path) -> Result<Schema>;

/// The rows of one file.
type Open = fn(&ReadSpec, &Path, &SchemaRef) -> Result<Batches>;

type Batches = Box<dyn Iterator<Item = std::result::Result<RecordBatch, ArrowError>>>;

const READERS: &[(Format, FormatSupport, Look, Open)] = &[
    (
        Format::Csv,
        FormatSupport::new(Support::Full)
            .with_options(&["has_header", "infer_schema", "separator"])
            .with_schema(true),
        look_csv,
        open_csv,
    ),
    (
        Format::JsonLines,
        FormatSupport::new(Support::Full).with_schema(true),
        look_lines,
        open_lines,
    ),
    (
        Format::Parquet,
        FormatSupport::new(Support::Full),
        look_parquet,
        open_parquet,
    ),
];

/// The formats that are read.
pub(crate) fn reads() -> impl Iterator<Item = (Format, FormatSupport)> {
    READERS
        .iter()
        .map(|(format, support, ..)| (format.clone(), *support))
}

/// Files to read.
pub(crate) struct Scan {
    spec: ReadSpec,
    files: Vec<PathBuf>,
    /// As the reader gives them; the frame's are in the encodings of the contract.
    schema: SchemaRef,
    open: Open,
}

impl Scan {
    /// The rows of all files, in the order of the files.
    ///
    /// # Errors
    /// `NotFound`, `Io`, `ConversionFailed`; `Cancelled`.
    pub(crate) fn read(&self, cancel: &Cancel) -> Result<Vec<RecordBatch>> {
        let mut batches = Vec::new();
        for file in &self.files {
            let rows = (self.open)(&self.spec, file, &self.schema)?;
            for batch in rows {
                cancel.check()?;
                batches.push(batch.or_error().map_err(|error| within(file, error))?);
            }
        }
        Ok(batches)
    }
}

fn within(file: &Path, error: Error) -> Error {
    error.context(format!("`{}`", file.display()))
}

fn opened(file: &Path) -> Result<File> {
    File::open(file).map_err(|error| within(file, error.into()))
}

/// A frame that reads files.
///
/// # Errors
/// `Unsupported`, `InvalidArgument`, `NotFound`, `Io`, `ConversionFailed`; `SchemaMismatch` when the files differ.
pub(crate) fn read(spec: &ReadSpec) -> Result<Frame> {
    let known = READERS.iter().find(|(format, ..)| *format == spec.format);
    let Some((_, support, look, open)) = known else {
        return Err(unsupported(format!("reading {}", spec.format)));
    };
    check(&spec.options, support.options)?;
    let mut files = spec.files.clone();
    if files.is_empty() {
        files.push(PathBuf::from(&spec.path));
    }
    let schema = match &spec.schema {
        Some(declared) if support.schema => {
            let fields = declared.iter().map(|field| match field.dtype.to_arrow() {
                Some(dtype) => Ok(Field::new(&field.name, dtype, true)),
                None => Err(unsupported(format!("reading {}", field.dtype))),
            });
            Schema::new(fields.collect::<Result<Vec<_>>>()?)
        }
        _ => {
            let mut schemas = Vec::new();
            for file in &files {
                schemas.push(look(spec, file).map_err(|error| within(file, error))?);
            }
            agreed(schemas, &spec.format)?
        }
    };
    let encoded = encoded_schema(&schema);
    let scan = Scan {
        spec: spec.clone(),
        files,
        schema: Arc::new(schema),
        open: *open,
    };
    Ok(LiteFrame::files(encoded, scan))
}

/// The columns of all files. Those of lines may differ, and are merged; those of other formats must not.
fn agreed(schemas: Vec<Schema>, format: &Format) -> Result<Schema> {
    if *format == Format::JsonLines {
        return Schema::try_merge(schemas).map_err(|error| {
            Error::new(ErrorKind::SchemaMismatch, error.to_string()).with_source(error)
        });
    }
    let mut schemas = schemas.into_iter();
    let first = schemas.next().unwrap_or_else(Schema::empty);
    match schemas.find(|schema| schema.fields() != first.fields()) {
        None => Ok(first),
        Some(_) => Err(Error::new(
            ErrorKind::SchemaMismatch,
            "the files have different columns",
        )),
    }
}

fn csv_format(spec: &ReadSpec) -> Result<CsvFormat> {
    Ok(CsvFormat::default()
        .with_header(flag(&spec.options, "has_header", spec.has_header)?)
        .with_delimiter(separator(&spec.options)?))
}

/// Every column is a text, unless types are to be guessed.
fn look_csv(spec: &ReadSpec, file: &Path) -> Result<Schema> {
    let infer = flag(&spec.options, "infer_schema", spec.infer_schema)?;
    let limit = if infer { None } else { Some(1) };
    let (schema, _) = csv_format(spec)?
        .infer_schema(opened(file)?, limit)
        .or_error()?;
    if infer {
        return Ok(schema);
    }
    let texts = schema.fields().iter();
    let texts = texts.map(|field| Field::new(field.name(), DataType::Utf8View, true));
    Ok(Schema::new(texts.collect::<Vec<_>>()))
}

fn open_csv(spec: &ReadSpec, file: &Path, schema: &SchemaRef) -> Result<Batches> {
    let reader = CsvBuilder::new(Arc::clone(schema))
        .with_format(csv_format(spec)?)
        .build(opened(file)?)
        .or_error()?;
    Ok(Box::new(reader))
}

fn look_lines(_: &ReadSpec, file: &Path) -> Result<Schema> {
    let reader = BufReader::new(opened(file)?);
    Ok(infer_json_schema(reader, None).or_error()?.0)
}

fn open_lines(_: &ReadSpec, file: &Path, schema: &SchemaRef) -> Result<Batches> {
    let reader = JsonBuilder::new(Arc::clone(schema))
        .build(BufReader::new(opened(file)?))
        .or_error()?;
    Ok(Box::new(reader))
}

fn look_parquet(_: &ReadSpec, file: &Path) -> Result<Schema> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(opened(file)?).or_error()?;
    Ok(reader.schema().as_ref().clone())
}

fn open_parquet(_: &ReadSpec, file: &Path, _: &SchemaRef) -> Result<Batches> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(opened(file)?).or_error()?;
    Ok(Box::new(reader.build().or_error()?))
}
