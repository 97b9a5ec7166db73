//! A look at the lines of text files before Spark's parsers see them: one pass on the cluster, which splits lines and counts
//! in them, and parses nothing. It finds what the parsers pass over without a word: bytes that are no UTF-8, a quote that is
//! still open where the file ends, lines that are no objects.

use std::collections::HashMap;
use std::sync::atomic::Ordering;

use laktory_core::arrow::array::{
    Array, BinaryViewArray, Int64Array, RecordBatch, StringViewArray,
};
use laktory_core::{DType, Error, ErrorKind, Field, Format, OptionValue, ReadSpec, Result, RunCx};
use spark_connect_proto as proto;

use super::scan;
use crate::dsl::{Ex, aggregate, alias, attribute, filter, project, sql};
use crate::rows::collect;
use crate::session::Session;

/// A file whose quotes are not even is looked at byte by byte, up to this size.
const LARGEST_LOOKED_AT: i64 = 64 << 20;

/// What the lines of all files of a source show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lines {
    /// Whether a value may be in quotes.
    pub(super) quoted: bool,
    /// Records, where that is told by lines.
    pub(super) rows: Option<u64>,
}

/// What the lines of one file show: the columns of the look, in order.
#[derive(Clone, Debug, Default)]
struct File {
    path: String,
    lines: i64,
    blank: i64,
    /// Quotes in all of them.
    quotes: i64,
    /// Lines that are no UTF-8.
    invalid: i64,
    /// Lines with a zero byte: UTF-16, most likely.
    zeros: i64,
    /// Lines with a carriage return elsewhere than at the end.
    returns: i64,
    /// Lines that are no object.
    no_objects: i64,
}

/// Looks at the files of a source. None where the format is no text, where options give these bytes another meaning, or
/// where the server has no functions for it.
///
/// # Errors
/// `ConversionFailed` with the file for what no reader would understand.
pub(super) async fn look(
    session: &Session,
    cx: &RunCx,
    spec: &ReadSpec,
    paths: &[String],
) -> Result<Option<Lines>> {
    const OTHER_MEANING: &[&str] = &[
        "encoding", "charset", "lineSep", "escape", "comment", "quote",
    ];
    let is_text = matches!(spec.format, Format::Csv | Format::JsonLines | Format::Json);
    let other = spec
        .options
        .keys()
        .any(|name| OTHER_MEANING.contains(&name.as_str()));
    if !is_text || other || !session.looks_at_lines.load(Ordering::Relaxed) {
        return Ok(None);
    }
    let files = match files(session, cx, spec, paths).await {
        Ok(files) => files,
        Err(error) if error.kind() == ErrorKind::Cancelled => return Err(error),
        // A path that is not there is told by the reader; a server that lacks a function is not asked again.
        Err(error) => {
            if error.kind() != ErrorKind::NotFound {
                session.looks_at_lines.store(false, Ordering::Relaxed);
            }
            tracing::debug!(%error, "The server does not look at lines");
            return Ok(None);
        }
    };
    for file in &files {
        judge(session, cx, spec, file).await?;
    }
    let quoted = files.iter().any(|file| file.quotes > 0);
    // A lone carriage return ends a line for the parsers, not for this look.
    let told = spec.format == Format::JsonLines
        || (spec.format == Format::Csv && !quoted && files.iter().all(|file| file.returns == 0));
    let rows = told.then(|| {
        let header = i64::from(spec.format == Format::Csv && spec.has_header);
        let rows = files
            .iter()
            .map(|file| (file.lines - file.blank - header).max(0));
        rows.sum::<i64>().unsigned_abs()
    });
    Ok(Some(Lines { quoted, rows }))
}

async fn files(
    session: &Session,
    cx: &RunCx,
    spec: &ReadSpec,
    paths: &[String],
) -> Result<Vec<File>> {
    let counts = [
        ("lines", "count(*)"),
        ("blank", "count_if(trim('\r' FROM trim(value)) = '')"),
        (
            "quotes",
            "sum(length(value) - length(replace(value, '\"', '')))",
        ),
        ("invalid", "count_if(NOT is_valid_utf8(value))"),
        ("zeros", "count_if(contains(value, chr(0)))"),
        ("returns", "count_if(contains(rtrim('\r', value), '\r'))"),
        (
            "no_objects",
            "count_if(trim('\r' FROM trim(value)) <> '' AND NOT (startswith(trim(value), '{') \
             AND endswith(trim('\r' FROM trim(value)), '}')))",
        ),
    ];
    let file = alias(attribute("_metadata.file_path"), "file");
    let measures: Vec<Ex> = counts
        .iter()
        .map(|(name, text)| alias(sql(text), name))
        .collect();
    let names = std::iter::once("file").chain(counts.iter().map(|(name, _)| *name));
    let columns: Vec<Field> = names
        .enumerate()
        .map(|(at, name)| Field::new(name, if at == 0 { DType::String } else { DType::Int64 }))
        .collect();
    let text = text_of(spec, paths, ("lineSep", "\n"));
    let batches = collect(session, cx, aggregate(text, vec![file], measures), &columns).await?;
    batches
        .iter()
        .map(of_batch)
        .collect::<Option<Vec<_>>>()
        .map(|files| files.concat())
        .ok_or_else(|| {
            Error::unsupported("the server answers with other types than it was asked for")
        })
}

/// The same files that the source reads, as text.
fn text_of(spec: &ReadSpec, paths: &[String], (option, value): (&str, &str)) -> proto::Relation {
    let mut options = HashMap::from([
        (option.to_owned(), value.to_owned()),
        ("recursiveFileLookup".to_owned(), "true".to_owned()),
    ]);
    for name in [
        "pathGlobFilter",
        "recursiveFileLookup",
        "modifiedBefore",
        "modifiedAfter",
    ] {
        match spec.options.get(name) {
            Some(OptionValue::Text(value)) => options.insert(name.to_owned(), value.clone()),
            Some(OptionValue::Bool(value)) => options.insert(name.to_owned(), value.to_string()),
            _ => None,
        };
    }
    scan(proto::read::DataSource {
        format: Some("text".to_owned()),
        options,
        paths: paths.to_vec(),
        ..Default::default()
    })
}

fn of_batch(batch: &RecordBatch) -> Option<Vec<File>> {
    let paths = batch.column(0).as_any().downcast_ref::<StringViewArray>()?;
    let numbers: Vec<&Int64Array> = (1..batch.num_columns())
        .map(|column| batch.column(column).as_any().downcast_ref())
        .collect::<Option<_>>()?;
    let number = |column: usize, row: usize| numbers.get(column).map(|column| column.value(row));
    (0..batch.num_rows())
        .map(|row| {
            Some(File {
                path: paths.value(row).to_owned(),
                lines: number(0, row)?,
                blank: number(1, row)?,
                quotes: number(2, row)?,
                invalid: number(3, row)?,
                zeros: number(4, row)?,
                returns: number(5, row)?,
                no_objects: number(6, row)?,
            })
        })
        .collect()
}

/// The error for text whose columns cannot be found, told by file and line where a look at the lines shows why.
pub(super) async fn malformed(
    session: &Session,
    cx: &RunCx,
    spec: &ReadSpec,
    paths: &[String],
    error: Error,
) -> Error {
    if error.kind() != ErrorKind::ConversionFailed {
        return error;
    }
    if let Err(told) = look(session, cx, spec, paths).await {
        return told.with_source(error);
    }
    if spec.format == Format::Csv && !error.message().contains(&spec.path) {
        return error.context(format!("`{}`", spec.path));
    }
    if spec.format != Format::JsonLines || spec.options.contains_key("lineSep") {
        return error;
    }
    match first_malformed(session, cx, spec, paths).await {
        Ok(Some((path, line))) => {
            let message = format!("`{}`: line {line} is no JSON object", shown(&path));
            Error::new(ErrorKind::ConversionFailed, message)
                .with_hint(
                    "mend the line; `reader_kwargs: {mode: DROPMALFORMED}` leaves such lines out",
                )
                .with_source(error)
        }
        // The first error is the one to report.
        _ => error,
    }
}

/// The first line, by file, that is no JSON.
async fn first_malformed(
    session: &Session,
    cx: &RunCx,
    spec: &ReadSpec,
    paths: &[String],
) -> Result<Option<(String, i64)>> {
    let file = alias(attribute("_metadata.file_path"), "file");
    let whole = text_of(spec, paths, ("wholetext", "true"));
    let lines = project(whole, vec![file, sql("posexplode(split(value, '\n'))")]);
    let wrong = filter(
        lines,
        sql("trim('\r' FROM trim(col)) <> '' AND try_parse_json(col) IS NULL"),
    );
    let first = alias(sql("CAST(min(pos) AS BIGINT)"), "line");
    let found = aggregate(wrong, vec![attribute("file")], vec![first]);
    let columns = [
        Field::new("file", DType::String),
        Field::new("line", DType::Int64),
    ];
    let batches = collect(session, cx, found, &columns).await?;
    let found = batches.iter().flat_map(|batch| {
        let paths = batch.column(0).as_any().downcast_ref::<StringViewArray>();
        let lines = batch.column(1).as_any().downcast_ref::<Int64Array>();
        let pairs = paths.zip(lines).map(|(paths, lines)| {
            (0..batch.num_rows()).map(|row| (paths.value(row).to_owned(), lines.value(row) + 1))
        });
        pairs.into_iter().flatten()
    });
    Ok(found.min())
}

async fn judge(session: &Session, cx: &RunCx, spec: &ReadSpec, file: &File) -> Result<()> {
    let path = shown(&file.path);
    let fault = |message: String, hint: &str| {
        Err(Error::new(ErrorKind::ConversionFailed, message).with_hint(hint))
    };
    if file.zeros > 0 && file.invalid > 0 {
        return fault(
            format!("`{path}` is not UTF-8 but UTF-16, as it seems"),
            "save it as UTF-8, or give `reader_kwargs: {encoding: UTF-16}`",
        );
    }
    if file.invalid > 0 {
        return fault(
            format!(
                "`{path}` is not UTF-8: {} of its lines hold other bytes",
                file.invalid
            ),
            "save it as UTF-8, or say how it is encoded: `reader_kwargs: {encoding: ISO-8859-1}`",
        );
    }
    if spec.format == Format::JsonLines && file.no_objects > 0 {
        let paths = std::slice::from_ref(&file.path);
        let place = match first_malformed(session, cx, spec, paths).await? {
            Some((_, line)) => format!(", line {line}"),
            None => String::new(),
        };
        return fault(
            format!(
                "`{path}`{place}: {} of its lines are no JSON object",
                file.no_objects
            ),
            "JSONL has one object on each line; a file that is one array, or objects over several lines, has format JSON",
        );
    }
    if spec.format == Format::Csv && file.quotes % 2 != 0 {
        return unbalanced(session, cx, spec, file).await;
    }
    Ok(())
}

/// A file with an odd number of quotes: an open one at its end, unless one of them is a letter of an unquoted value.
async fn unbalanced(session: &Session, cx: &RunCx, spec: &ReadSpec, file: &File) -> Result<()> {
    let path = shown(&file.path);
    let source = scan(proto::read::DataSource {
        format: Some("binaryFile".to_owned()),
        paths: vec![file.path.clone()],
        ..Default::default()
    });
    let small = filter(source, sql(&format!("length <= {LARGEST_LOOKED_AT}")));
    let content = project(small, vec![attribute("content")]);
    let batches = collect(
        session,
        cx,
        content,
        &[Field::new("content", DType::Binary)],
    )
    .await?;
    let bytes = batches
        .iter()
        .find(|batch| batch.num_rows() > 0)
        .and_then(|batch| batch.column(0).as_any().downcast_ref::<BinaryViewArray>());
    let open = match bytes {
        Some(bytes) => match open_quote(bytes.value(0), separator(spec)) {
            Some(line) => format!("`{path}`: a quote that opens in line {line} is not closed"),
            None => return Ok(()),
        },
        None => format!("`{path}` has an odd number of quotes, so that one of them is not closed"),
    };
    Err(Error::new(ErrorKind::ConversionFailed, open)
        .with_hint("the file may be cut; `reader_kwargs: {mode: PERMISSIVE}` reads what is there"))
}

/// The line in which a quoted value opens that does not end. A quote opens a value at its beginning only.
fn open_quote(text: &[u8], separator: u8) -> Option<u64> {
    enum At {
        Begin,
        Plain,
        Quoted,
        /// Behind a quote that ends the value, or is the first of two.
        Closed,
    }
    let (mut at, mut line, mut opened) = (At::Begin, 1, 1);
    for &byte in text {
        at = match (at, byte) {
            (At::Quoted, b'"') => At::Closed,
            (At::Quoted, _) => At::Quoted,
            (At::Closed, b'"') => At::Quoted,
            (At::Begin, b'"') => {
                opened = line;
                At::Quoted
            }
            (_, b'\n' | b'\r') => At::Begin,
            (_, byte) if byte == separator => At::Begin,
            _ => At::Plain,
        };
        line += u64::from(byte == b'\n');
    }
    matches!(at, At::Quoted).then_some(opened)
}

fn separator(spec: &ReadSpec) -> u8 {
    let given =
        ["separator", "sep", "delimiter"]
            .iter()
            .find_map(|name| match spec.options.get(*name) {
                Some(OptionValue::Text(text)) => text.bytes().next(),
                _ => None,
            });
    given.unwrap_or(b',')
}

/// A path as users write it.
fn shown(path: &str) -> &str {
    let path = path.strip_prefix("file://").unwrap_or(path);
    path.strip_prefix("file:").unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_opens_a_value_at_its_beginning_only() {
        assert_eq!(open_quote(b"id,v\n1,\"a\"\n2,\"cut he", b','), Some(3));
        assert_eq!(open_quote(b"id,v\n1,5\" pipe\n", b','), None);
        assert_eq!(open_quote(b"id;v\n1;\"a \"\"b\"\" c\"\n", b';'), None);
        assert_eq!(open_quote(b"v\n\"\"\"", b','), Some(2));
        assert_eq!(open_quote(b"v\n5\"\"\" pipe\n", b','), None);
    }
}
