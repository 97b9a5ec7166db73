//! File sinks: each format becomes a lazy sink of the streaming engine, so that nothing is collected to be written.
//!
//! One file at the staging path that the executor gives; modes, folders and publishing are the executor's.

mod json;
mod rows;
mod times;

use std::num::NonZeroUsize;
use std::sync::Arc;

use laktory_core::{Error, ErrorKind, Format, FormatSupport, Result, Support, WriteSpec};
use laktory_formats::append::{CsvText, Text, TextOutput};
use laktory_formats::encode::{self, Writing};
use laktory_formats::json::NAN_AS_NULL;
use laktory_formats::options;
use laktory_formats::packed::{COMPRESSION, LEVEL, Pack};
use polars::prelude::{
    CompatLevel, CsvWriterOptions, DataFrame, IntoLazy, IpcCompression, IpcWriterOptions,
    NDJsonWriterOptions, ParquetCompression, ParquetWriteOptions, QuoteStyle, Schema,
    SerializeOptions, StatisticsOptions,
};
use polars_io::ExternalCompression;
use polars_plan::dsl::FileWriteFormat;
use polars_utils::compression::{BrotliLevel, GzipLevel, ZstdLevel};

use crate::options::Given;

pub(crate) use json::ready;
pub(crate) use rows::JsonRows;

/// How a file is written.
pub(crate) enum Sink {
    /// By the engine.
    Engine(FileWriteFormat),
    /// Batch by batch, as objects of JSON.
    Json(Form),
    /// Batch by batch, by the crate that engines share.
    Shared(Writing),
}

/// What the objects of JSON make up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// One document.
    Array,
    /// A document on each line.
    Lines,
}

type Writer = fn(&Given<'_>) -> Result<Sink>;

/// The formats that are written.
pub(crate) const WRITERS: &[(Format, FormatSupport, Writer)] = &[
    (Format::Csv, full(CSV_OPTIONS), csv),
    (
        Format::JsonLines,
        full(&[COMPRESSION, LEVEL, NAN_AS_NULL]),
        json_lines,
    ),
    (
        Format::Json,
        full(&[COMPRESSION, LEVEL, NAN_AS_NULL]),
        |_| Ok(Sink::Json(Form::Array)),
    ),
    (Format::Parquet, full(options::PARQUET), parquet),
    (
        Format::Ipc,
        full(&["compression", "record_batch_size", "compat_level"]),
        ipc,
    ),
];

const CSV_OPTIONS: &[&str] = &[
    "batch_size",
    "compression",
    "compression_level",
    "date_format",
    "datetime_format",
    "decimal_comma",
    "float_precision",
    "float_scientific",
    "include_bom",
    "include_header",
    "line_terminator",
    "null_value",
    "quote_char",
    "quote_style",
    "separator",
    "time_format",
];

/// Tables with a log: their files are files of PARQUET, and the executor asks the format for the rest.
pub(crate) const TABLES: &[(Format, FormatSupport)] = &[(Format::Delta, full(options::TABLES))];

const fn full(options: &'static [&'static str]) -> FormatSupport {
    FormatSupport::new(Support::Full).with_options(options)
}

/// How to write what `spec` asks for, rows of `schema`.
///
/// # Errors
/// `Unsupported` for the format or a type that it cannot hold, `InvalidArgument` for an option.
pub(crate) fn sink(spec: &WriteSpec, schema: &Schema) -> Result<Sink> {
    if let Some(writing) = Writing::of(spec, &crate::arrow::arrow_schema(schema)?)? {
        return Ok(Sink::Shared(writing));
    }
    let Some((_, support, writer)) = WRITERS.iter().find(|(format, ..)| *format == spec.format)
    else {
        let own = WRITERS.iter().map(|(format, ..)| format);
        let known = own.chain(encode::WRITES.iter().map(|(format, _)| format));
        let known = crate::read::formats(known);
        return Err(
            Error::unsupported(format!("polars does not write {}", spec.format))
                .with_hint(format!("it writes {known}")),
        );
    };
    let what = format!("writer option of {}", spec.format);
    let sink = writer(&Given::new(&what, &spec.options, support.options)?)?;
    Ok(match spec.format {
        Format::JsonLines if rows::is_mistaken(schema) => Sink::Json(Form::Lines),
        _ => sink,
    })
}

/// That rows of the columns of `empty` can be written as `spec` asks.
///
/// # Errors
/// Those of [`sink`].
pub(crate) fn check(spec: &WriteSpec, empty: DataFrame) -> Result<()> {
    let schema = Arc::clone(empty.schema());
    let (_, schema) = ready(empty.lazy(), spec, schema)?;
    let text = text(spec, &schema)?;
    sink(&engine(spec, text.as_ref()), &schema).map(drop)
}

/// The formats that are text: rows are added to their files, and counted in them.
pub(crate) const TEXTS: &[Format] = &[Format::Csv, Format::JsonLines, Format::Json];

/// What has to be known of a file of text beside what the engine writes; none for other formats.
///
/// # Errors
/// `InvalidArgument` for an option.
pub(crate) fn text(spec: &WriteSpec, schema: &Schema) -> Result<Option<TextOutput>> {
    let Some((_, support, _)) = WRITERS.iter().find(|(format, ..)| *format == spec.format) else {
        return Ok(None);
    };
    let what = format!("writer option of {}", spec.format);
    let given = Given::new(&what, &spec.options, support.options)?;
    let form = match spec.format {
        Format::Csv => Text::Csv(CsvText::given(&given)?),
        Format::JsonLines => Text::JsonLines,
        Format::Json => Text::JsonArray,
        _ => return Ok(None),
    };
    let pack = Pack::given(&given)?;
    // What the engine does not compress by itself.
    let plain = match spec.format {
        Format::Json => true,
        Format::JsonLines if rows::is_mistaken(schema) => true,
        _ => matches!(pack, Pack::Bzip2(_)),
    };
    Ok(Some(TextOutput {
        form,
        pack,
        plain,
        path: spec.path.clone(),
        existing: spec.existing.clone(),
        columns: schema.iter_names().map(ToString::to_string).collect(),
    }))
}

/// What the engine itself has to write: `spec`, but for rows that go into a file with others, or with ends of their own.
pub(crate) fn engine(spec: &WriteSpec, text: Option<&TextOutput>) -> WriteSpec {
    let mut spec = spec.clone();
    if let Some(text) = text.filter(|text| text.is_beside()) {
        spec.path = text.engine_path();
        spec.options
            .retain(|name, _| !name.starts_with("compression"));
        if text.ends_otherwise() {
            spec.options.remove("line_terminator");
        }
    }
    spec
}

fn csv(given: &Given<'_>) -> Result<Sink> {
    let form = CsvText::given(given)?;
    let scientific = given.flag("float_scientific")?;
    let decimal_comma = given.flag("decimal_comma")?.unwrap_or(false);
    // The engine puts the numbers of all rows so far into each field.
    if decimal_comma && scientific == Some(true) {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            "writer options of CSV `decimal_comma` and `float_scientific` do not go together",
        )
        .with_hint("leave one of them out"));
    }
    let defaults = SerializeOptions::default();
    let serialize = SerializeOptions {
        // Times are texts by then.
        date_format: None,
        time_format: None,
        datetime_format: None,
        float_scientific: scientific,
        float_precision: given.count("float_precision")?,
        decimal_comma,
        separator: form.separator,
        quote_char: given.byte("quote_char")?.unwrap_or(defaults.quote_char),
        null: given.text("null_value")?.map_or(defaults.null, Into::into),
        line_terminator: given
            .text("line_terminator")?
            .map_or(defaults.line_terminator, Into::into),
        quote_style: given
            .one_of(
                "quote_style",
                &[
                    ("necessary", QuoteStyle::Necessary),
                    ("always", QuoteStyle::Always),
                    ("non_numeric", QuoteStyle::NonNumeric),
                    ("never", QuoteStyle::Never),
                ],
            )?
            .unwrap_or_default(),
    };
    let defaults = CsvWriterOptions::default();
    Ok(Sink::Engine(FileWriteFormat::Csv(CsvWriterOptions {
        include_bom: given.flag("include_bom")?.unwrap_or(false),
        compression: external_compression(given)?,
        check_extension: false,
        include_header: given.flag("include_header")?.unwrap_or(true),
        batch_size: given
            .count("batch_size")?
            .and_then(NonZeroUsize::new)
            .unwrap_or(defaults.batch_size),
        serialize_options: Arc::new(serialize),
    })))
}

fn json_lines(given: &Given<'_>) -> Result<Sink> {
    Ok(Sink::Engine(FileWriteFormat::NDJson(NDJsonWriterOptions {
        compression: external_compression(given)?,
        check_extension: false,
    })))
}

fn level(given: &Given<'_>) -> Result<Option<u32>> {
    let level = given.count("compression_level")?;
    level
        .map(|level| u32::try_from(level).map_err(|_| bad_level()))
        .transpose()
}

fn bad_level() -> Error {
    Error::new(
        ErrorKind::InvalidArgument,
        "`compression_level` is out of range",
    )
}

fn external_compression(given: &Given<'_>) -> Result<ExternalCompression> {
    Ok(match Pack::given(given)? {
        Pack::Gzip(level) => ExternalCompression::Gzip { level },
        Pack::Zstd(level) => ExternalCompression::Zstd { level },
        // The rest is done when the rows are written.
        Pack::None | Pack::Bzip2(_) => ExternalCompression::Uncompressed,
    })
}

fn parquet(given: &Given<'_>) -> Result<Sink> {
    let level = level(given)?;
    let small = || {
        level
            .map(|level| u8::try_from(level).map_err(|_| bad_level()))
            .transpose()
    };
    let signed = || {
        level
            .map(|level| i32::try_from(level).map_err(|_| bad_level()))
            .transpose()
    };
    let refused = |_| bad_level();
    let compression = match given
        .text("compression")?
        .map(str::to_ascii_lowercase)
        .as_deref()
    {
        None | Some("zstd") => ParquetCompression::Zstd(
            signed()?
                .map(ZstdLevel::try_new)
                .transpose()
                .map_err(refused)?,
        ),
        Some("gzip") => ParquetCompression::Gzip(
            small()?
                .map(GzipLevel::try_new)
                .transpose()
                .map_err(refused)?,
        ),
        Some("brotli") => ParquetCompression::Brotli(
            level
                .map(BrotliLevel::try_new)
                .transpose()
                .map_err(refused)?,
        ),
        Some("snappy") => ParquetCompression::Snappy,
        Some("lz4" | "lz4_raw") => ParquetCompression::Lz4Raw,
        Some("none" | "uncompressed") => ParquetCompression::Uncompressed,
        Some(other) => {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                format!("writer option of PARQUET `compression` cannot be `{other}`"),
            )
            .with_hint(
                "it takes one of `zstd`, `snappy`, `gzip`, `brotli`, `lz4`, `uncompressed`",
            ));
        }
    };
    let statistics = match given.flag("statistics")? {
        Some(false) => StatisticsOptions::empty(),
        _ => StatisticsOptions::default(),
    };
    Ok(Sink::Engine(FileWriteFormat::Parquet(Arc::new(
        ParquetWriteOptions {
            compression,
            statistics,
            row_group_size: given.count("row_group_size")?,
            data_page_size: given.count("data_page_size")?,
            ..ParquetWriteOptions::default()
        },
    ))))
}

fn ipc(given: &Given<'_>) -> Result<Sink> {
    let compression = given.one_of(
        "compression",
        &[
            ("uncompressed", None),
            ("lz4", Some(IpcCompression::LZ4)),
            ("zstd", Some(IpcCompression::ZSTD(ZstdLevel::default()))),
        ],
    )?;
    let compat_level = given.one_of(
        "compat_level",
        &[
            ("newest", CompatLevel::newest()),
            ("oldest", CompatLevel::oldest()),
        ],
    )?;
    Ok(Sink::Engine(FileWriteFormat::Ipc(IpcWriterOptions {
        compression: compression.flatten(),
        compat_level: compat_level.unwrap_or_else(CompatLevel::newest),
        record_batch_size: given.count("record_batch_size")?,
        ..IpcWriterOptions::default()
    })))
}
