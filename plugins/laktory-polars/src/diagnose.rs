//! Errors of files, told with file and line. polars knows neither when a line does not parse; after such an error the
//! files of the plan are read once more, line by line, until the guilty one is found.

use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use laktory_core::{Error, ErrorKind, Format, ReadSpec, Result};
use laktory_formats::csv::Reading;
use polars::prelude::{DataType, Schema};
use polars_io::ndjson::core::parse_ndjson;

use crate::read::lines;

/// Files that a plan reads.
#[derive(Debug)]
pub(crate) struct Source {
    format: Format,
    files: Vec<PathBuf>,
    schema: Option<Arc<Schema>>,
    /// How files of CSV are read.
    csv: Option<Arc<Reading>>,
}

impl Source {
    /// The files of a read, and the types in which lines of JSON are parsed.
    pub(crate) fn new(spec: &ReadSpec, files: Vec<PathBuf>, schema: Option<Arc<Schema>>) -> Self {
        Self {
            format: spec.format.clone(),
            files,
            schema,
            csv: None,
        }
    }

    /// The same files, with how they are read as CSV.
    pub(crate) fn of_csv(mut self, reading: Arc<Reading>) -> Self {
        self.csv = Some(reading);
        self
    }
}

/// Whether the files of CSV are what they were when their plan was made.
///
/// # Errors
/// `ConversionFailed` for a file that was changed meanwhile.
pub(crate) fn unchanged(sources: &[Arc<Source>]) -> Result<()> {
    let readings = sources.iter().filter_map(|source| source.csv.as_ref());
    for (file, stamp) in readings.flat_map(|reading| reading.files()) {
        stamp.check(file)?;
    }
    Ok(())
}

/// The first fault of files of CSV, as our own decoder tells it.
fn fault(reading: &Arc<Reading>) -> Option<Error> {
    let all: Vec<usize> = (0..reading.columns().len()).collect();
    (0..reading.files().count()).find_map(|file| match reading.batches(file, &all, ROWS) {
        Ok(mut batches) => batches.find_map(|batch| batch.err()),
        Err(error) => Some(error),
    })
}

/// Rows that are decoded at once.
const ROWS: usize = 8_192;

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
    // The engine's parser and conversions behind it fail in many words.
    let of_values = matches!(
        error.kind(),
        ErrorKind::Compute | ErrorKind::ConversionFailed
    );
    for source in sources {
        let located = match source.format {
            Format::JsonLines if of_lines => {
                let schema = source.schema.as_deref();
                source
                    .files
                    .iter()
                    .find_map(|file| malformed_line(file, schema))
            }
            Format::Csv if of_values => source.csv.as_ref().and_then(fault),
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
