//! Reading on the cluster: `spark.read` with a format, options and a schema. Paths mean what the cluster means by them.

mod by_name;
mod ddl;
mod folders;
mod formats;
mod lines;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::Ordering;
use std::time::SystemTime;

use laktory_core::{
    DType, Error, ErrorKind, Field, Format, Frame, OptionValue, ReadSpec, Result, RunCx, Subject,
};
use proto::relation::RelType;
use spark_connect_proto as proto;

use self::by_name::is_by_name;
use self::ddl::ddl;
pub(crate) use self::formats::{READERS, spark_options};
use self::formats::{is_listed, takes_schema};
use crate::analysed::Signature;
use crate::dsl::relation;
use crate::frame::{Resolved, SparkFrame};
use crate::session::Session;
use crate::types;

/// A frame that reads files of the cluster. The server looks at headers and footers to find the columns.
///
/// Spark's readers are permissive: a line that is cut, or a value that does not fit, becomes null without a word. Here they
/// fail, as those of the other engines do, unless the option `mode` says otherwise.
pub(crate) async fn read(session: &Session, cx: &RunCx, spec: &ReadSpec) -> Result<Frame> {
    let mut source = source(spec)?;
    session.paths.add(&source.paths);
    if is_listed(&spec.format) && is_hive(session, cx, spec, &source).await? {
        // Spark then makes columns of `day=1`, and looks into these folders.
        source
            .options
            .insert(RECURSIVE.to_owned(), "false".to_owned());
    }
    let lines = match spec.rows && is_strict(spec) {
        true => lines::look(session, cx, spec, &source.paths).await?,
        false => None,
    };
    if lines.as_ref().is_some_and(|lines| !lines.quoted) && spec.format == Format::Csv {
        // Without quotes each line is a record, whatever ends it, and a file is read in parts.
        source
            .options
            .insert(MULTI_LINE.to_owned(), "false".to_owned());
    }
    let frame = match &spec.schema {
        Some(declared) if is_by_name(spec) => {
            by_name::read(session, cx, spec, source, declared).await?
        }
        Some(declared) => {
            source.schema = Some(ddl(declared)?);
            found(session, cx, spec, source).await?
        }
        None => found(session, cx, spec, source).await?,
    };
    let frame = SparkFrame::of_relation(frame).into_frame();
    Ok(match lines.and_then(|lines| lines.rows) {
        Some(rows) => frame.with_source_rows(rows),
        None => frame,
    })
}

/// Whether the names of the folders below a source are values.
async fn is_hive(
    session: &Session,
    cx: &RunCx,
    spec: &ReadSpec,
    source: &proto::read::DataSource,
) -> Result<bool> {
    let asked = signature(cx.started(), spec, source);
    if let Some(known) = session.hive.get(&asked) {
        return Ok(known);
    }
    let hive = folders::are_hive(session, cx, spec, &source.paths).await?;
    session.hive.add(asked, hive);
    Ok(hive)
}

/// What the files of a source show in a run depends on this.
fn signature(run: SystemTime, spec: &ReadSpec, source: &proto::read::DataSource) -> Signature {
    // Ours is set by a look at the lines, where it makes no difference to the columns.
    let asked = |(name, _): &(&String, &String)| {
        *name != MULTI_LINE || spec.options.contains_key(MULTI_LINE)
    };
    let options: BTreeMap<_, _> = source.options.iter().filter(asked).collect();
    let (format, schema, paths) = (&source.format, &source.schema, &source.paths);
    Signature::of(&(run, format, schema, paths, options), &[])
}

/// What the server is asked to read, but for a schema.
fn source(spec: &ReadSpec) -> Result<proto::read::DataSource> {
    let name = READERS
        .iter()
        .find(|(format, ..)| *format == spec.format)
        .map(|(_, _, name)| (*name).to_owned());
    let name = match (&spec.format, name) {
        (_, Some(name)) => name,
        (Format::Other(name), None) => name.to_ascii_lowercase(),
        (other, None) => {
            return Err(Error::unsupported(format!(
                "format `{other}` is not read on backend PYSPARK"
            )));
        }
    };
    let mut options = HashMap::new();
    let mut option = |name: &str, value: &str| options.insert(name.to_owned(), value.to_owned());
    match spec.format {
        Format::Csv => {
            option("header", bool_text(spec.has_header));
            option("inferSchema", bool_text(spec.infer_schema));
            // A quote in a value is doubled, as the other engines have it.
            option("escape", "\"");
            // A break of lines in quotes is part of its value, on every engine.
            option(MULTI_LINE, "true");
            // Files whose columns are in another order are a fault, not rows with the values of other columns.
            option("enforceSchema", "false");
            option("mode", STRICT);
            // A line that is cut shows whatever columns are asked for.
            option("columnPruning", "false");
            // Text behind a closing quote.
            option("unescapedQuoteHandling", "RAISE_ERROR");
        }
        Format::Json => {
            option(MULTI_LINE, "true");
            option("mode", STRICT);
        }
        Format::JsonLines | Format::Xml => {
            option("mode", STRICT);
        }
        _ => {}
    }
    if is_listed(&spec.format) {
        // A folder means all files below it, on every engine. Spark alone would leave out those of folders in it.
        option(RECURSIVE, "true");
    }
    options.extend(spark_options(&spec.options)?);
    let paths = if spec.files.is_empty() {
        vec![located(&spec.path)?]
    } else {
        let files = spec.files.iter();
        files
            .map(|file| located(&file.to_string_lossy()))
            .collect::<Result<_>>()?
    };
    Ok(proto::read::DataSource {
        format: Some(name),
        schema: None,
        options,
        paths,
        ..Default::default()
    })
}

/// Spark's option by which all files below a folder are read, and names of folders mean nothing.
const RECURSIVE: &str = "recursiveFileLookup";

/// Spark's option by which a record may take several lines.
const MULTI_LINE: &str = "multiLine";

/// Spark's word for readers that fail on what they cannot read.
const STRICT: &str = "FAILFAST";

fn bool_text(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}

/// Whether what cannot be read is a fault: no option says otherwise.
fn is_strict(spec: &ReadSpec) -> bool {
    match spec.options.get("mode") {
        Some(OptionValue::Text(mode)) => mode.eq_ignore_ascii_case(STRICT),
        _ => true,
    }
}

/// The columns of a source as the server finds them, or as they are declared.
async fn found(
    session: &Session,
    cx: &RunCx,
    spec: &ReadSpec,
    mut source: proto::read::DataSource,
) -> Result<Resolved> {
    let mut columns = columns(session, cx, spec, &source).await?;
    keep_nan(session, cx, spec, &columns).await?;
    if source.schema.is_none() && takes_schema(&spec.format) {
        // What was found once is not looked for again with each request: that reads headers, footers, or all of the file.
        source.schema = unambiguous(&columns);
    }
    let mut relation = scan(source);
    let is_named = spec.has_header || spec.schema.is_some();
    if spec.format == Format::Csv && !is_named {
        // Spark counts from `_c0`.
        let names = (1..=columns.len()).map(|number| format!("column_{number}"));
        for (field, name) in columns.iter_mut().zip(names) {
            field.name = name;
        }
        relation = renamed(relation, &columns);
    }
    Ok(Resolved {
        relation,
        columns,
        confirmed: true,
    })
}

/// Statistics of PARQUET files know no NaN, which is the greatest value of the language: by them, Spark would leave out rows
/// that a condition holds for.
async fn keep_nan(session: &Session, cx: &RunCx, spec: &ReadSpec, columns: &[Field]) -> Result<()> {
    let floats = columns.iter().any(|column| holds_float(&column.dtype));
    if spec.format != Format::Parquet || !floats || session.keeps_nan.swap(true, Ordering::Relaxed)
    {
        return Ok(());
    }
    let property = [("spark.sql.parquet.filterPushdown", "false")];
    match session.client.configure(&property, cx.cancel()).await {
        Err(error) if error.kind() == ErrorKind::Cancelled => Err(error),
        Err(error) => {
            tracing::debug!(%error, "The server has no such property");
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}

fn holds_float(dtype: &DType) -> bool {
    match dtype {
        DType::Float32 | DType::Float64 => true,
        DType::Struct(fields) => fields.iter().any(|field| holds_float(&field.dtype)),
        _ => false,
    }
}

/// The columns that the server says a source has.
async fn columns(
    session: &Session,
    cx: &RunCx,
    spec: &ReadSpec,
    source: &proto::read::DataSource,
) -> Result<Vec<Field>> {
    let asked = signature(cx.started(), spec, source);
    if let Some(known) = session.sources.get(&asked) {
        return Ok(known);
    }
    let relation = scan(source.clone());
    match session.client.schema(&relation, cx.cancel()).await {
        Ok(schema) => {
            let found = types::columns(&schema);
            session.sources.add(asked, found.clone());
            Ok(found)
        }
        Err(error) => {
            let error = lines::malformed(session, cx, spec, &source.paths, error).await;
            Err(unread(error, &spec.path))
        }
    }
}

fn scan(source: proto::read::DataSource) -> proto::Relation {
    relation(RelType::Read(proto::Read {
        is_streaming: false,
        read_type: Some(proto::read::ReadType::DataSource(source)),
    }))
}

/// The columns that were found, as a schema; none where one of them has no written form, or where names are not unique for
/// Spark, which does not tell the letter case apart.
fn unambiguous(columns: &[Field]) -> Option<String> {
    let names: BTreeSet<String> = columns
        .iter()
        .map(|field| field.name.to_lowercase())
        .collect();
    if names.len() < columns.len() || columns.is_empty() {
        return None;
    }
    ddl(columns).ok()
}

/// The relation with other names, by position.
fn renamed(input: proto::Relation, columns: &[Field]) -> proto::Relation {
    relation(RelType::ToDf(Box::new(proto::ToDf {
        input: Some(Box::new(input)),
        column_names: columns.iter().map(|field| field.name.clone()).collect(),
    })))
}

/// The error for a path that cannot be read, in the words of the pipeline.
fn unread(error: Error, path: &str) -> Error {
    let message = error.message();
    let told = |kind, message: String, hint: &str| {
        let error = Error::new(kind, message).with_hint(hint);
        error.with_subject(Subject::Name(path.to_owned()))
    };
    let told = if message.contains("path does not exist") {
        let hint = "the cluster looks for it in its own file system; relative paths start at this program's working directory";
        let is_glob = path.contains(['*', '?', '[', '{']);
        let message = match is_glob {
            true => format!("no file matches `{path}`"),
            false => format!("there is no file or folder `{path}`"),
        };
        told(ErrorKind::NotFound, message, hint)
    } else if message.starts_with("unable to infer schema") {
        let hint = "names that begin with `.` or `_` are not read";
        told(
            ErrorKind::NotFound,
            format!("folder `{path}` holds no files"),
            hint,
        )
    } else if let Some(reason) = message.strip_prefix("illegal file pattern: ") {
        let message = format!("`{path}` is not a valid glob");
        told(ErrorKind::InvalidArgument, message, reason)
    } else if let Some((_, scheme)) = message.split_once("no FileSystem for scheme ") {
        let scheme = scheme.trim_matches('"');
        let message =
            format!("`{path}` is on remote storage (`{scheme}`), which the cluster cannot reach");
        told(
            ErrorKind::Unsupported,
            message,
            "start the cluster with the package of that storage",
        )
    } else {
        return error;
    };
    told.with_source(error)
}

/// A path as the cluster gets it. A relative one starts at this program's working directory, not at the server's: that
/// is what a pipeline means by it when both are on one machine.
pub(crate) fn located(path: &str) -> Result<String> {
    if path.contains("://") || path.starts_with('/') || path.contains(":/") {
        return Ok(path.to_owned());
    }
    Ok(std::path::absolute(path)?.display().to_string())
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    #[test]
    fn a_source_is_known_by_what_it_asks_for_in_its_run() {
        let spec = ReadSpec::new(Format::Csv, "/in.csv");
        let plain = source(&spec).unwrap();
        let of = |source: &proto::read::DataSource| signature(UNIX_EPOCH, &spec, source);
        let mut by_lines = plain.clone();
        by_lines
            .options
            .insert(MULTI_LINE.to_owned(), "false".to_owned());
        assert_eq!(of(&plain), of(&by_lines));
        let mut declared = plain.clone();
        declared.schema = Some("`x` INT".to_owned());
        let mut elsewhere = plain.clone();
        elsewhere.paths.push("/more.csv".to_owned());
        let mut otherwise = plain.clone();
        otherwise.options.insert("sep".to_owned(), ";".to_owned());
        for other in [declared, elsewhere, otherwise] {
            assert_ne!(of(&plain), of(&other));
        }
        let later = UNIX_EPOCH + std::time::Duration::from_secs(1);
        assert_ne!(of(&plain), signature(later, &spec, &plain));
    }
}
