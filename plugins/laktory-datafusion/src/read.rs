//! File sources: each format becomes a lazy scan of exactly the files that the executor resolved. Headers, footers and
//! samples are looked at here, which is blocking work; rows are read when a plan runs.

mod columns;
mod csv;
mod damage;
mod decoded;
mod ipc;
mod json;
mod local;
mod parquet;
mod sound;
mod table;

use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::execution::cache::cache_manager::FileMetadataCache;
use datafusion::logical_expr::LogicalPlanBuilder;
use laktory_core::{
    Error, ErrorKind, Format, FormatSupport, Frame, ReadSpec, Result, RunCx, Support,
};

use laktory_formats::decode;
use laktory_formats::files::{self, Files as Found, named, shown};

use crate::DataFusionFrame;
use crate::error::ResultExt;
use crate::options::Given;
use crate::session::Session;
use crate::types::data_type;

pub(crate) use damage::locate;
use table::Files;

/// Looks at files of one format and makes a table of them.
type Reader = fn(&Request<'_>) -> Result<Files>;

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

/// The formats that are read here.
const READERS: &[(Format, FormatSupport, Reader)] = &[
    (Format::Csv, full(laktory_formats::csv::OPTIONS), csv::read),
    (Format::JsonLines, full(json::OPTIONS), json::read_lines),
    (Format::Json, full(json::OPTIONS), json::read_documents),
    (Format::Parquet, full(parquet::OPTIONS), parquet::read),
    (Format::Ipc, full(ipc::OPTIONS), ipc::read),
];

/// The formats that the driver reads: its own, and those that the crate decodes which engines share.
pub(crate) fn formats() -> Vec<(Format, FormatSupport)> {
    let own = READERS.iter();
    own.map(|(format, support, _)| (format.clone(), *support))
        .chain(decode::READS.iter().cloned())
        .collect()
}

/// How a format is read.
fn reader(format: &Format) -> Option<(FormatSupport, Reader)> {
    let own = READERS.iter().find(|(known, ..)| known == format);
    let shared = || {
        let known = decode::READS.iter().find(|(known, _)| known == format);
        known.filter(|_| decode::is_decoded(format))
    };
    own.map(|(_, support, reader)| (*support, *reader))
        .or_else(|| shared().map(|(_, support)| (*support, decoded::read as Reader)))
}

/// A read, prepared: checked options, existing files, declared types.
struct Request<'a> {
    spec: &'a ReadSpec,
    given: Given<'a>,
    /// Files that hold something, never none, and the columns that their folders give.
    files: Found,
    declared: Option<SchemaRef>,
    /// What files of JSON hold.
    json: Option<laktory_formats::json::Answer>,
    /// Footers that the session knows; scans look there too.
    footers: &'a FileMetadataCache,
    /// What was found out about files of CSV.
    csv: Option<laktory_formats::csv::Looked>,
}

/// A frame that reads files.
///
/// # Errors
/// `Unsupported` for the format, `InvalidArgument` for an option, `NotFound`, `Io`, `ConversionFailed`.
pub(crate) async fn read(session: &Session, cx: &RunCx, spec: &ReadSpec) -> Result<Frame> {
    let limit = spec.options.get("n_rows").and_then(|value| match value {
        laktory_core::OptionValue::Int(rows) => usize::try_from(*rows).ok(),
        _ => None,
    });
    let owned = spec.clone();
    let found = cx.blocking(move || Found::of(&owned)).await?;
    let looked = match spec.format {
        Format::Csv => {
            laktory_formats::csv::look(cx, spec, &found, laktory_formats::packed::text).await?
        }
        _ => None,
    };
    let options = json::OPTIONS;
    let json =
        laktory_formats::json::look(cx, session.known(), spec, &found, options, json::source)
            .await?;
    let survey = looked.as_ref().and_then(|looked| looked.survey.clone());
    let records = json.as_ref().and_then(|json| json.records);
    let spec = spec.clone();
    let runtime = session.context().runtime_env();
    let footers = runtime.cache_manager.get_file_metadata_cache();
    let table = cx
        .blocking(move || table(&spec, found, &*footers, looked, json))
        .await?;
    let records = table.1.or(records);
    let mut plan = crate::source::scan(session, table.0)?;
    if limit.is_some() {
        plan = LogicalPlanBuilder::from(plan)
            .limit(0, limit)
            .and_then(LogicalPlanBuilder::build)
            .or_error()?;
    }
    let frame = DataFusionFrame::from_plan(plan);
    let frame = match records.filter(|_| limit.is_none()) {
        Some(records) => frame.with_source_rows(records),
        None => frame,
    };
    Ok(match survey {
        Some(survey) => frame
            .with_source_rows(survey.rows)
            .with_warnings(survey.warnings),
        None => frame,
    })
}

/// A table of the files, and its rows where the files tell them.
type Table = (Arc<dyn TableProvider>, Option<u64>);

fn table(
    spec: &ReadSpec,
    found: Found,
    footers: &FileMetadataCache,
    csv: Option<laktory_formats::csv::Looked>,
    json: Option<laktory_formats::json::Answer>,
) -> Result<Table> {
    let Some((support, reader)) = reader(&spec.format) else {
        let known = formats();
        let known: Vec<&str> = known.iter().map(|(format, _)| format.name()).collect();
        return Err(
            Error::unsupported(format!("datafusion does not read {}", spec.format))
                .with_hint(format!("it reads {}", known.join(", "))),
        );
    };
    let what = format!("reader option of {}", spec.format);
    let given = Given::new(what, &spec.options, support.options)?;
    let declared = spec.schema.as_deref().map(declared).transpose()?;
    if found.paths.is_empty() {
        return Ok((nothing(spec, declared)?, None));
    }
    let request = Request {
        spec,
        given,
        files: found,
        declared,
        json,
        footers,
        csv,
    };
    let table = reader(&request).map_err(|error| named(error, &request.files.paths))?;
    let table = table
        .with_partitions(request.files.partitions.as_ref())?
        .with_paths(request.given.text("include_file_paths")?)
        .in_one_stream(request.given.count("n_rows")?.is_some());
    let rows = table.rows();
    Ok((Arc::new(table), rows))
}

/// The table of files without content: no rows of the declared columns.
fn nothing(spec: &ReadSpec, declared: Option<SchemaRef>) -> Result<Arc<dyn TableProvider>> {
    let files = shown(&files::all(spec));
    if let (None, Some(columns)) = (&declared, decode::of_nothing(spec)?) {
        let columns = self::declared(&columns)?;
        return Ok(Arc::new(crate::source::Rows::memory(columns, Vec::new())));
    }
    let empty_is_none = decode::is_decoded(&spec.format);
    match (declared, &spec.format) {
        (Some(declared), format)
            if empty_is_none
                || matches!(format, Format::Csv | Format::Json | Format::JsonLines) =>
        {
            Ok(Arc::new(crate::source::Rows::memory(declared, Vec::new())))
        }
        (_, Format::Csv) => Err(unknown_columns(
            &files,
            "`schema_definition`, or write a header",
        )),
        _ => Err(unknown_columns(&files, "`schema`")),
    }
}

fn unknown_columns(file: &str, otherwise: &str) -> Error {
    Error::new(
        ErrorKind::ConversionFailed,
        format!("`{file}` is empty, so its columns are not known"),
    )
    .with_hint(format!("declare its columns with {otherwise}"))
}

/// The Arrow schema of declared columns.
fn declared(fields: &[laktory_core::Field]) -> Result<SchemaRef> {
    let mut columns: Vec<Field> = Vec::with_capacity(fields.len());
    for field in fields {
        if columns.iter().any(|known| *known.name() == field.name) {
            return Err(Error::new(
                ErrorKind::DuplicateColumn,
                format!("column `{}` is declared twice", field.name),
            ));
        }
        columns.push(Field::new(&field.name, data_type(&field.dtype)?, true));
    }
    Ok(Arc::new(Schema::new(columns)))
}

/// The rows of a spilled frame.
///
/// # Errors
/// `Io` when the file cannot be looked at.
pub(crate) fn spilled(schema: SchemaRef, path: &Path) -> Result<Arc<dyn TableProvider>> {
    Ok(Arc::new(ipc::spilled(schema, path)?))
}
