//! Errors of files, told with file and line. polars knows neither when a line does not parse; after such an error the
//! files of the plan are read once more, line by line, until the guilty one is found.

use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use laktory_core::{Error, ErrorKind, Format, ReadSpec};
use polars::prelude::{DataType, Schema};
use polars_io::ndjson::core::parse_ndjson;

use crate::read::lines;

/// Files that a plan reads.
#[derive(Debug)]
pub(crate) struct Source {
    format: Format,
    files: Vec<PathBuf>,
    separator: u8,
    quote: Option<u8>,
    has_header: bool,
    schema: Option<Arc<Schema>>,
}

impl Source {
    /// The files of a read, and the types in which lines of JSON are parsed.
    pub(crate) fn new(spec: &ReadSpec, files: Vec<PathBuf>, schema: Option<Arc<Schema>>) -> Self {
        let text = |name: &str| match spec.options.get(name) {
            Some(laktory_core::OptionValue::Text(text)) => Some(text.as_bytes().first().copied()),
            _ => None,
        };
        Self {
            format: spec.format.clone(),
            files,
            separator: text("separator").flatten().unwrap_or(b','),
            quote: text("quote_char").unwrap_or(Some(b'"')),
            has_header: spec.has_header,
            schema,
        }
    }
}

/// The error with the file and the line that caused it, when it is of that kind and they can be found.
pub(crate) fn locate(error: Error, sources: &[Arc<Source>]) -> Error {
    let message = error.message();
    let of_lines = [
        "parsing line",
        "NDJSON line",
        "cannot parse",
        "deserializ",
        "error parsing",
        "extra field in struct",
    ]
    .iter()
    .any(|words| message.contains(words));
    let ragged = message.contains("more fields than defined");
    let of_text = ragged || message.contains("could not parse") || message.contains("invalid utf");
    for source in sources {
        let located = match source.format {
            Format::JsonLines if of_lines => {
                let schema = source.schema.as_deref();
                source
                    .files
                    .iter()
                    .find_map(|file| malformed_line(file, schema))
            }
            Format::Csv if ragged => source
                .files
                .iter()
                .find_map(|file| ragged_line(source, file)),
            Format::Csv if of_text && source.files.len() == 1 => {
                return error.context(format!("`{}`", source.files[0].display()));
            }
            _ => None,
        };
        if let Some(located) = located {
            return located.with_source(error);
        }
    }
    error
}

/// An error for the first line of a file that is not a JSON object, or whose values are not of the types of `schema`.
pub(crate) fn malformed_line(file: &Path, schema: Option<&Schema>) -> Option<Error> {
    let none = [("".into(), DataType::Boolean)].into_iter().collect();
    let schema = schema.unwrap_or(&none);
    let mut reader = lines(file).ok()?;
    let mut line = Vec::new();
    for number in 1_u64.. {
        line.clear();
        if reader.read_until(b'\n', &mut line).ok()? == 0 {
            return None;
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        if let Err(error) = parse_ndjson(&line, Some(1), schema, false) {
            let is_object = parse_ndjson(&line, Some(1), &none, false).is_ok();
            let error = crate::error::engine_error(error);
            let why = error
                .message()
                .trim_start_matches("error parsing line:")
                .trim();
            let what = if is_object { "" } else { "not a JSON object: " };
            let located = Error::new(
                ErrorKind::ConversionFailed,
                format!("`{}`, line {number}: {what}{why}", file.display()),
            );
            return Some(if is_object {
                located.with_hint("declare the column with `schema_definition`, or set `infer_schema_length: 0` to look at every line")
            } else {
                located
            });
        }
    }
    None
}

/// An error for the first line of a CSV file that has more fields than its first line.
fn ragged_line(source: &Source, file: &Path) -> Option<Error> {
    let mut reader = lines(file).ok()?;
    let mut line = Vec::new();
    let mut number = 0_u64;
    let mut expected = None;
    loop {
        line.clear();
        let first = number + 1;
        // A record goes on while a quote is open.
        loop {
            if reader.read_until(b'\n', &mut line).ok()? == 0 {
                return None;
            }
            number += 1;
            let quotes = line
                .iter()
                .filter(|byte| Some(**byte) == source.quote)
                .count();
            if quotes % 2 == 0 {
                break;
            }
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let fields = fields(&line, source);
        match expected {
            None => expected = Some(fields),
            Some(expected) if fields > expected => {
                let header = if source.has_header {
                    "header"
                } else {
                    "first line"
                };
                return Some(
                    Error::new(
                        ErrorKind::ConversionFailed,
                        format!(
                            "`{}`, line {first}: {fields} fields, but the {header} has {expected}",
                            file.display()
                        ),
                    )
                    .with_hint("quote fields that hold the separator, or set `truncate_ragged_lines: true`"),
                );
            }
            Some(_) => {}
        }
    }
}

fn fields(record: &[u8], source: &Source) -> usize {
    let mut quoted = false;
    let mut fields = 1;
    for byte in record {
        if Some(*byte) == source.quote {
            quoted = !quoted;
        } else if *byte == source.separator && !quoted {
            fields += 1;
        }
    }
    fields
}
