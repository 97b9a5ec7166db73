//! CSV: every column is text unless types are declared or guessed.

use std::io::{BufRead, Read};
use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::csv::ReaderBuilder;
use datafusion::arrow::csv::reader::Format;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use laktory_core::{Error, ErrorKind, Result};
use regex::Regex;

use super::Request;
use super::input::text;
use super::local::{Batches, Chunk, Decode};
use super::table::Files;
use crate::arrow::encoded;
use crate::error::engine_error;
use crate::options::listed;

/// Options of CSV.
pub(super) const OPTIONS: &[&str] = &[
    "comment_prefix",
    "encoding",
    "eol_char",
    "has_header",
    "include_file_paths",
    "infer_schema",
    "infer_schema_length",
    "n_rows",
    "new_columns",
    "null_values",
    "quote_char",
    "separator",
    "skip_rows",
];

/// Lines from which types are guessed when `infer_schema` is on.
const GUESSED_LINES: usize = 10_000;

/// How files of CSV are written.
#[derive(Clone, Debug)]
struct Csv {
    has_header: bool,
    skip: usize,
    separator: u8,
    quote: Option<u8>,
    end: Option<u8>,
    comment: Option<u8>,
    nulls: Option<Regex>,
    /// The columns as the parser reads them.
    parsed: SchemaRef,
    /// The columns as they leave.
    schema: SchemaRef,
}

pub(super) fn read(request: &Request<'_>) -> Result<Files> {
    let given = &request.given;
    given.one_of("encoding", &[("utf8", ())])?;
    let mut csv = Csv {
        has_header: given.flag("has_header")?.unwrap_or(request.spec.has_header),
        skip: given.count("skip_rows")?.unwrap_or(0),
        separator: given.byte("separator")?.unwrap_or(b','),
        quote: match given.text("quote_char") {
            Ok(Some("")) => None,
            _ => Some(given.byte("quote_char")?.unwrap_or(b'"')),
        },
        end: given.byte("eol_char")?.filter(|end| *end != b'\n'),
        comment: given.byte("comment_prefix")?,
        nulls: given
            .texts("null_values")?
            .map(|nulls| {
                let mut any: Vec<String> = nulls.into_iter().map(regex::escape).collect();
                any.push(String::new());
                Regex::new(&format!("^(?:{})$", any.join("|")))
            })
            .transpose()
            .map_err(|error| Error::new(ErrorKind::InvalidArgument, error.to_string()))?,
        parsed: Arc::new(Schema::empty()),
        schema: Arc::new(Schema::empty()),
    };
    let guess = given
        .flag("infer_schema")?
        .unwrap_or(request.spec.infer_schema);
    let lines = match (guess, given.count("infer_schema_length")?) {
        (false, _) => 1,
        (true, length) => length.filter(|length| *length > 0).unwrap_or(GUESSED_LINES),
    };
    let first = &request.files[0];
    let header = csv.columns_of(first, lines)?;
    for file in &request.files[1..] {
        same_header(&header, first, &csv.columns_of(file, 1)?, file)?;
    }
    let found: Vec<Field> = header
        .fields()
        .iter()
        .map(|field| {
            let dtype = match field.data_type() {
                DataType::Int64 | DataType::Float64 | DataType::Boolean if guess => {
                    field.data_type().clone()
                }
                _ => DataType::Utf8View,
            };
            Field::new(field.name(), dtype, true)
        })
        .collect();
    let found = Arc::new(Schema::new(found));
    csv.schema = match (&request.declared, given.texts("new_columns")?) {
        (Some(declared), _) => {
            if declared.fields().len() != found.fields().len() {
                return Err(Error::new(
                    ErrorKind::SchemaMismatch,
                    format!(
                        "{} columns are declared, the file `{}` has {}",
                        declared.fields().len(),
                        first.display(),
                        found.fields().len()
                    ),
                ));
            }
            Arc::clone(declared)
        }
        (None, Some(new)) => {
            let fields = found.fields().iter().enumerate().map(|(at, field)| {
                let name = new.get(at).copied().unwrap_or(field.name());
                field.as_ref().clone().with_name(name)
            });
            Arc::new(Schema::new(fields.collect::<Vec<_>>()))
        }
        (None, None) => found,
    };
    let parsed = csv.schema.fields().iter().map(|field| {
        let dtype = parsed(field.data_type());
        Field::new(field.name(), dtype, true)
    });
    csv.parsed = Arc::new(Schema::new(parsed.collect::<Vec<_>>()));
    let schema = Arc::clone(&csv.schema);
    Files::ours(Arc::new(csv), &request.files, schema)
}

/// The type in which the parser reads a column; what it does not know is converted from text.
fn parsed(dtype: &DataType) -> DataType {
    match dtype {
        DataType::Boolean
        | DataType::Date32
        | DataType::Decimal128(..)
        | DataType::Decimal256(..)
        | DataType::Timestamp(..)
        | DataType::Time64(TimeUnit::Nanosecond) => dtype.clone(),
        dtype if dtype.is_integer() || dtype.is_floating() => dtype.clone(),
        _ => DataType::Utf8View,
    }
}

fn same_header(expected: &Schema, first: &Path, found: &Schema, file: &Path) -> Result<()> {
    let names = |schema: &Schema| -> Vec<String> {
        let fields = schema.fields().iter();
        fields.map(|field| field.name().clone()).collect()
    };
    let (expected, found) = (names(expected), names(found));
    if expected == found {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::SchemaMismatch,
        format!(
            "`{}` has the columns {}, but `{}` has {}",
            file.display(),
            listed(&found),
            first.display(),
            listed(&expected)
        ),
    )
    .with_hint("read files with different columns as separate sources and unite them"))
}

impl Csv {
    fn format(&self) -> Format {
        let mut format = Format::default()
            .with_header(self.has_header)
            .with_delimiter(self.separator)
            .with_truncated_rows(true);
        // Without quotes, a byte that no text holds takes their place.
        format = format.with_quote(self.quote.unwrap_or(0));
        if let Some(end) = self.end {
            format = format.with_terminator(end);
        }
        if let Some(comment) = self.comment {
            format = format.with_comment(comment);
        }
        if let Some(nulls) = &self.nulls {
            format = format.with_null_regex(nulls.clone());
        }
        format
    }

    fn text(&self, file: &Path) -> Result<Box<dyn BufRead + Send>> {
        let mut text = text(file)?;
        let mut line = Vec::new();
        for _ in 0..self.skip {
            line.clear();
            text.read_until(self.end.unwrap_or(b'\n'), &mut line)?;
        }
        Ok(text)
    }

    /// Names and guessed types of a file's columns; without a header they are `column_1`, `column_2`, ...
    fn columns_of(&self, file: &Path, lines: usize) -> Result<Schema> {
        let (schema, _) = self
            .format()
            .infer_schema(self.text(file)?, Some(lines))
            .map_err(|error| located(engine_error(error.into()), file, 0, 0))?;
        if schema.fields().is_empty() {
            return Err(Error::new(
                ErrorKind::ConversionFailed,
                format!("`{}` has no header", file.display()),
            )
            .with_hint("declare its columns with `schema_definition`, or write a header"));
        }
        Ok(schema)
    }
}

impl Decode for Csv {
    fn name(&self) -> &'static str {
        "csv"
    }

    fn splits(&self) -> bool {
        // A quoted field may hold ends of lines.
        false
    }

    fn open(&self, chunk: Chunk) -> Result<Batches> {
        let parsed = Arc::new(super::local::project(&self.parsed, &chunk.columns)?);
        let output = Arc::new(super::local::project(&self.schema, &chunk.columns)?);
        let reader: Box<dyn Read + Send> = Box::new(self.text(&chunk.path)?);
        let reader = ReaderBuilder::new(Arc::clone(&self.parsed))
            .with_format(self.format())
            .with_batch_size(chunk.batch_size)
            .with_projection(chunk.columns)
            .build(reader)
            .map_err(|error| engine_error(error.into()))?;
        let columns = self.schema.fields().len();
        let skipped = self.skip;
        let file = chunk.path;
        let same = parsed == output;
        Ok(Box::new(reader.map(move |batch| {
            let batch = batch
                .map_err(|error| located(engine_error(error.into()), &file, columns, skipped))?;
            if same {
                return Ok(batch);
            }
            encoded(&batch, &output).map_err(|error| located(error, &file, columns, skipped))
        })))
    }
}

/// An error of the parser, told with its file, and its line when that is known.
fn located(error: Error, file: &Path, columns: usize, skipped: usize) -> Error {
    let message = error.message();
    let named = |what: String| {
        Error::new(
            ErrorKind::ConversionFailed,
            format!("`{}`{what}", file.display()),
        )
    };
    let number = |before: &str| {
        let (_, rest) = message.split_once(before)?;
        let digits = rest
            .find(|character: char| !character.is_ascii_digit())
            .unwrap_or(rest.len());
        rest[..digits].parse::<usize>().ok()
    };
    if message.contains("incorrect number of fields") {
        let line = number("for line ")
            .map_or_else(String::new, |line| format!(", line {}", line + skipped));
        return named(format!(
            "{line}: more than {columns} fields, but the header has {columns}"
        ))
        .with_hint("quote fields that hold the separator")
        .with_source(error);
    }
    if message.contains("invalid UTF-8") || message.contains("invalid utf-8") {
        return named(": it is not UTF-8".to_owned())
            .with_hint("convert the file to UTF-8")
            .with_source(error);
    }
    if let Some((value, rest)) = message
        .split_once("while parsing value '")
        .and_then(|(_, rest)| rest.split_once("' as type '"))
    {
        // The parser counts lines of values from 0.
        let dtype = rest.split('\'').next().unwrap_or_default().to_lowercase();
        let line = number(" at line ")
            .map_or_else(String::new, |line| format!(", line {}", line + skipped + 1));
        return named(format!("{line}: could not parse `{value}` as {dtype}")).with_source(error);
    }
    let what = format!(": {message}");
    match error.kind() {
        ErrorKind::Io | ErrorKind::NotFound => error.context(format!("`{}`", file.display())),
        _ => named(what).with_source(error),
    }
}
