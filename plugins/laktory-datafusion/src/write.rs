//! File sinks: rows are encoded batch by batch into one file at the staging path that the executor gives; modes,
//! folders and publishing are the executor's.

mod csv;
mod json;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::ipc::CompressionType;
use datafusion::arrow::ipc::writer::{FileWriter, IpcWriteOptions};
use datafusion::arrow::json::writer::{JsonArray, LineDelimited};
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::{BrotliLevel, Compression, GzipLevel, ZstdLevel};
use datafusion::parquet::file::properties::{EnabledStatistics, WriterProperties};
use laktory_core::{
    DType, Error, ErrorKind, Field, Format, FormatSupport, Result, Support, WriteSpec,
};

use laktory_formats::append::{CsvText, Text, TextOutput};
use laktory_formats::encode::{self, Encoder, Writing};
use laktory_formats::options;
use laktory_formats::packed::{Pack, Packed};

use crate::error::ResultExt;
use crate::options::Given;

use json::Json;

/// The form of points in time in formats of text.
const DATETIME: &str = "%Y-%m-%dT%H:%M:%S%.f";
const ZONED: &str = "%Y-%m-%dT%H:%M:%S%.f%:z";

/// How rows become bytes, as options ask for it.
pub(crate) enum Encoding {
    Csv(csv::Form),
    Lines(json::Checks),
    Array(json::Checks),
    Parquet(Box<WriterProperties>),
    Ipc(IpcWriteOptions),
    /// By the crate that engines share.
    Shared(Writing),
}

/// The encoding that options ask for, for rows of a schema.
type Encode = fn(&Given<'_>, &[Field]) -> Result<Encoding>;

/// The formats that are written.
const WRITERS: &[(Format, FormatSupport, Encode)] = &[
    (Format::Csv, full(csv::OPTIONS), |given, columns| {
        csv::Form::given(given, columns).map(Encoding::Csv)
    }),
    (Format::JsonLines, full(json::OPTIONS), |given, columns| {
        json::Checks::given(given, columns).map(Encoding::Lines)
    }),
    (Format::Json, full(json::OPTIONS), |given, columns| {
        json::Checks::given(given, columns).map(Encoding::Array)
    }),
    (Format::Parquet, full(options::PARQUET), |given, _| {
        parquet(given)
    }),
    (Format::Ipc, full(&["compression"]), |given, _| ipc(given)),
];

/// Tables with a log: their files are files of PARQUET, and the executor asks the format for the rest.
pub(crate) const TABLES: &[(Format, FormatSupport)] = &[(Format::Delta, full(options::TABLES))];

const fn full(options: &'static [&'static str]) -> FormatSupport {
    FormatSupport::new(Support::Full).with_options(options)
}

/// The formats that are text: rows are added to their files, and counted in them.
pub(crate) const TEXTS: &[Format] = &[Format::Csv, Format::JsonLines, Format::Json];

/// What has to be known of a file of text beside its rows; none for other formats.
///
/// # Errors
/// `InvalidArgument` for an option.
pub(crate) fn text(spec: &WriteSpec, schema: &SchemaRef) -> Result<Option<TextOutput>> {
    let known = match spec.format {
        Format::Csv => csv::OPTIONS,
        Format::JsonLines | Format::Json => json::OPTIONS,
        _ => return Ok(None),
    };
    let what = format!("writer option of {}", spec.format);
    let given = Given::new(what, &spec.options, known)?;
    let form = match spec.format {
        Format::Csv => Text::Csv(CsvText::given(&given)?),
        Format::JsonLines => Text::JsonLines,
        _ => Text::JsonArray,
    };
    let columns = schema.fields().iter().map(|field| field.name().clone());
    Ok(Some(TextOutput {
        form,
        pack: Pack::given(&given)?,
        plain: false,
        path: spec.path.clone(),
        existing: spec.existing.clone(),
        columns: columns.collect(),
    }))
}

/// The formats that the driver writes.
pub(crate) fn formats() -> Vec<(Format, FormatSupport)> {
    let own = WRITERS.iter();
    own.map(|(format, support, _)| (format.clone(), *support))
        .chain(encode::WRITES.iter().cloned())
        .collect()
}

/// A file that is being written. All of its methods block.
pub(crate) enum Sink {
    Csv(Box<csv::Writer>),
    Lines(Json<LineDelimited>),
    Array(Json<JsonArray>),
    Parquet(Box<ArrowWriter<File>>),
    Ipc(Box<FileWriter<BufWriter<File>>>),
    Shared(Box<dyn Encoder>),
}

impl Encoding {
    /// How to write what `spec` asks for, rows of `schema`, which is that of exported rows.
    ///
    /// # Errors
    /// `Unsupported` for the format or a type that it cannot hold, `InvalidArgument` for an option.
    pub(crate) fn of(spec: &WriteSpec, schema: &SchemaRef) -> Result<Self> {
        if let Some(writing) = Writing::of(spec, schema)? {
            return Ok(Self::Shared(writing));
        }
        let Some((_, support, encode)) = WRITERS.iter().find(|(format, ..)| *format == spec.format)
        else {
            let known = formats();
            let known: Vec<&str> = known.iter().map(|(format, _)| format.name()).collect();
            return Err(
                Error::unsupported(format!("datafusion does not write {}", spec.format))
                    .with_hint(format!("it writes {}", known.join(", "))),
            );
        };
        let columns: Vec<Field> = schema
            .fields()
            .iter()
            .map(|field| Field::new(field.name(), DType::from_arrow(field.data_type())))
            .collect();
        laktory_formats::writable(&spec.format, &columns)?;
        let what = format!("writer option of {}", spec.format);
        let given = Given::new(what, &spec.options, support.options)?;
        encode(&given, &columns)
    }

    /// Creates a file for rows of `schema`, in formats of text compressed by `pack`. Blocks.
    ///
    /// # Errors
    /// `Io`.
    pub(crate) fn create(self, path: &Path, schema: &SchemaRef, pack: Pack) -> Result<Sink> {
        let create = || {
            File::create(path)
                .map_err(|error| Error::from(error).context(format!("`{}`", path.display())))
        };
        Ok(match self {
            Self::Csv(form) => Sink::Csv(Box::new(csv::Writer::begin(
                form,
                Packed::create(path, pack)?,
                schema,
            )?)),
            Self::Lines(checks) => {
                Sink::Lines(Json::new(checks, Packed::create(path, pack)?, schema))
            }
            Self::Array(checks) => {
                Sink::Array(Json::new(checks, Packed::create(path, pack)?, schema))
            }
            Self::Parquet(properties) => {
                let writer = ArrowWriter::try_new(create()?, schema.clone(), Some(*properties));
                Sink::Parquet(Box::new(writer.map_err(parquet_error)?))
            }
            Self::Ipc(options) => {
                let writer = FileWriter::try_new_with_options(buffered(create()?), schema, options);
                Sink::Ipc(Box::new(writer.or_error()?))
            }
            Self::Shared(writing) => Sink::Shared(writing.create(path)?),
        })
    }
}

impl Sink {
    /// Adds a batch.
    ///
    /// # Errors
    /// `Io`, `Unsupported` for a type that the format cannot hold.
    pub(crate) fn push(&mut self, batch: &RecordBatch) -> Result<()> {
        match self {
            Self::Csv(writer) => writer.write(batch),
            Self::Lines(json) => json.push(batch),
            Self::Array(json) => json.push(batch),
            Self::Parquet(writer) => writer.write(batch).map_err(parquet_error),
            Self::Ipc(writer) => writer.write(batch).or_error(),
            Self::Shared(encoder) => encoder.push(batch),
        }
    }

    /// Completes the file.
    ///
    /// # Errors
    /// `Io`.
    pub(crate) fn finish(self) -> Result<()> {
        match self {
            Self::Csv(writer) => writer.finish()?,
            Self::Lines(json) => json.finish(b"")?,
            Self::Array(json) => json.finish(b"\n")?,
            Self::Parquet(writer) => {
                writer.close().map_err(parquet_error)?;
            }
            Self::Ipc(mut writer) => {
                writer.finish().or_error()?;
                writer.into_inner().or_error()?.flush()?;
            }
            Self::Shared(encoder) => encoder.finish()?,
        }
        Ok(())
    }
}

fn parquet_error(error: datafusion::parquet::errors::ParquetError) -> Error {
    crate::error::engine_error(error.into())
}

fn buffered(file: File) -> BufWriter<File> {
    BufWriter::with_capacity(1 << 18, file)
}

fn parquet(given: &Given<'_>) -> Result<Encoding> {
    let level = given.count("compression_level")?;
    let bad = || {
        Error::new(
            ErrorKind::InvalidArgument,
            "`compression_level` is out of range",
        )
    };
    let small = level
        .map(|level| u32::try_from(level).map_err(|_| bad()))
        .transpose()?;
    let chosen = given.one_of(
        "compression",
        &[
            ("zstd", Compression::ZSTD(ZstdLevel::default())),
            ("gzip", Compression::GZIP(GzipLevel::default())),
            ("brotli", Compression::BROTLI(BrotliLevel::default())),
            ("snappy", Compression::SNAPPY),
            ("lz4", Compression::LZ4_RAW),
            ("lz4_raw", Compression::LZ4_RAW),
            ("none", Compression::UNCOMPRESSED),
            ("uncompressed", Compression::UNCOMPRESSED),
        ],
    )?;
    let chosen = chosen.unwrap_or(Compression::ZSTD(ZstdLevel::default()));
    let compression = match (chosen, small) {
        (Compression::ZSTD(_), Some(level)) => {
            let level = i32::try_from(level).map_err(|_| bad())?;
            Compression::ZSTD(ZstdLevel::try_new(level).map_err(|_| bad())?)
        }
        (Compression::GZIP(_), Some(level)) => {
            Compression::GZIP(GzipLevel::try_new(level).map_err(|_| bad())?)
        }
        (Compression::BROTLI(_), Some(level)) => {
            Compression::BROTLI(BrotliLevel::try_new(level).map_err(|_| bad())?)
        }
        (other, _) => other,
    };
    let mut properties = WriterProperties::builder().set_compression(compression);
    if let Some(rows) = given.count("row_group_size")?.filter(|rows| *rows > 0) {
        properties = properties.set_max_row_group_row_count(Some(rows));
    }
    if let Some(bytes) = given.count("data_page_size")? {
        properties = properties.set_data_page_size_limit(bytes);
    }
    if given.flag("statistics")? == Some(false) {
        properties = properties.set_statistics_enabled(EnabledStatistics::None);
    }
    Ok(Encoding::Parquet(Box::new(properties.build())))
}

fn ipc(given: &Given<'_>) -> Result<Encoding> {
    let compression = given.one_of(
        "compression",
        &[
            ("uncompressed", None),
            ("lz4", Some(CompressionType::LZ4_FRAME)),
            ("zstd", Some(CompressionType::ZSTD)),
        ],
    )?;
    IpcWriteOptions::default()
        .try_with_compression(compression.flatten())
        .map(Encoding::Ipc)
        .or_error()
}
