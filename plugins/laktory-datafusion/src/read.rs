//! File sources: each format becomes a lazy scan of exactly the files that the executor resolved. Headers, footers and
//! samples are looked at here, which is blocking work; rows are read when a plan runs.

mod columns;
mod csv;
mod damage;
mod input;
mod ipc;
mod json;
mod local;
mod parquet;
mod sound;
mod table;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::execution::cache::cache_manager::FileMetadataCache;
use datafusion::logical_expr::LogicalPlanBuilder;
use laktory_core::{
    Error, ErrorKind, Format, FormatSupport, Frame, ReadSpec, Result, RunCx, Support,
};

use laktory_formats::hive::{self, Partitions};

use crate::DataFusionFrame;
use crate::error::ResultExt;
use crate::options::Given;
use crate::session::Session;
use crate::types::data_type;

pub(crate) use damage::locate;
use table::Files;

/// Looks at files of one format and makes a table of them.
type Reader = fn(&Request<'_>) -> Result<Files>;

const fn full(options: &'static [&'static str]) -> FormatSupport {
    FormatSupport {
        support: Support::Full,
        options,
        schema: true,
    }
}

/// The formats that are read.
const READERS: &[(Format, FormatSupport, Reader)] = &[
    (Format::Csv, full(csv::OPTIONS), csv::read),
    (Format::JsonLines, full(json::OPTIONS), json::read_lines),
    (Format::Json, full(json::OPTIONS), json::read_documents),
    (Format::Parquet, full(parquet::OPTIONS), parquet::read),
    (Format::Ipc, full(ipc::OPTIONS), ipc::read),
];

/// The formats that the driver reads.
pub(crate) fn formats() -> Vec<(Format, FormatSupport)> {
    READERS
        .iter()
        .map(|(format, support, _)| (format.clone(), *support))
        .collect()
}

/// A read, prepared: checked options, existing files, declared types.
struct Request<'a> {
    spec: &'a ReadSpec,
    given: Given<'a>,
    /// Files that hold something, never none.
    files: Vec<PathBuf>,
    declared: Option<SchemaRef>,
    /// What files of JSON hold.
    json: Option<json::Answer>,
    /// Columns that the folders of the files give.
    partitions: Option<Partitions>,
    /// Footers that the session knows; scans look there too.
    footers: &'a FileMetadataCache,
    /// What was found out about files of CSV.
    csv: Option<csv::Looked>,
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
    let looked = match spec.format {
        Format::Csv => csv::look(cx, spec)
            .await
            .map_err(|error| at_files(error, &files(spec)))?,
        _ => None,
    };
    let json = json::look(cx, session.known(), spec).await?;
    let survey = looked.as_ref().and_then(|looked| looked.survey.clone());
    let records = json.as_ref().and_then(|json| json.records);
    let spec = spec.clone();
    let runtime = session.context().runtime_env();
    let footers = runtime.cache_manager.get_file_metadata_cache();
    let table = cx
        .blocking(move || table(&spec, &*footers, looked, json))
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

/// The files of a read.
fn files(spec: &ReadSpec) -> Vec<PathBuf> {
    match spec.files.as_slice() {
        [] => vec![PathBuf::from(&spec.path)],
        files => files.to_vec(),
    }
}

/// Those of the files that hold something.
fn filled(files: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut filled = Vec::with_capacity(files.len());
    for file in files {
        let size = std::fs::metadata(file)
            .map_err(|error| Error::from(error).context(format!("`{}`", file.display())))?
            .len();
        if size > 0 {
            filled.push(file.clone());
        }
    }
    Ok(filled)
}

/// The error, which names a file.
fn at_files(error: Error, files: &[PathBuf]) -> Error {
    let named = files
        .iter()
        .any(|file| error.message().contains(&*file.to_string_lossy()));
    if named {
        error
    } else {
        error.context(format!("`{}`", shown(files)))
    }
}

/// A table of the files, and its rows where the files tell them.
type Table = (Arc<dyn TableProvider>, Option<u64>);

fn table(
    spec: &ReadSpec,
    footers: &FileMetadataCache,
    csv: Option<csv::Looked>,
    json: Option<json::Answer>,
) -> Result<Table> {
    let Some((_, support, reader)) = READERS.iter().find(|(format, ..)| *format == spec.format)
    else {
        let known: Vec<&str> = READERS.iter().map(|(format, ..)| format.name()).collect();
        return Err(
            Error::unsupported(format!("datafusion does not read {}", spec.format))
                .with_hint(format!("it reads {}", known.join(", "))),
        );
    };
    let what = format!("reader option of {}", spec.format);
    let given = Given::new(what, &spec.options, support.options)?;
    let declared = spec.schema.as_deref().map(declared).transpose()?;
    let files = files(spec);
    let filled = filled(&files)?;
    if filled.is_empty() {
        return Ok((nothing(spec, &files, declared)?, None));
    }
    let partitions = match spec.format {
        Format::Parquet | Format::Ipc => {
            hive::partitions(&spec.path, &filled, spec.schema.as_deref(), &spec.options)?
        }
        _ => None,
    };
    let request = Request {
        spec,
        given,
        partitions,
        files: filled,
        declared,
        json,
        footers,
        csv,
    };
    let table = reader(&request).map_err(|error| at_files(error, &request.files))?;
    let table = table
        .with_partitions(request.partitions.as_ref())?
        .with_paths(request.given.text("include_file_paths")?)
        .in_one_stream(request.given.count("n_rows")?.is_some());
    let rows = table.rows();
    Ok((Arc::new(table), rows))
}

impl Request<'_> {
    /// Names of the columns that folders give.
    fn partition_names(&self) -> Vec<&str> {
        let fields = self.partitions.iter().flat_map(|found| &found.fields);
        fields.map(|field| field.name.as_str()).collect()
    }
}

/// The table of files without content: no rows of the declared columns.
fn nothing(
    spec: &ReadSpec,
    files: &[PathBuf],
    declared: Option<SchemaRef>,
) -> Result<Arc<dyn TableProvider>> {
    match (declared, &spec.format) {
        (Some(declared), Format::Csv | Format::Json | Format::JsonLines) => {
            Ok(Arc::new(crate::source::Rows::memory(declared, Vec::new())))
        }
        (_, Format::Csv) => Err(unknown_columns(
            &shown(files),
            "`schema_definition`, or write a header",
        )),
        _ => Err(unknown_columns(&shown(files), "`schema`")),
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

/// The files of a read, for messages.
fn shown(files: &[PathBuf]) -> String {
    match files {
        [] => String::new(),
        [file] => file.display().to_string(),
        [first, rest @ ..] => format!("{} and {} more files", first.display(), rest.len()),
    }
}

/// The rows of a spilled frame.
///
/// # Errors
/// `Io` when the file cannot be looked at.
pub(crate) fn spilled(schema: SchemaRef, path: &Path) -> Result<Arc<dyn TableProvider>> {
    Ok(Arc::new(ipc::spilled(schema, path)?))
}
