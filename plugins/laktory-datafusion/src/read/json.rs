//! JSON documents and JSON lines. Without declared columns, types are found in the files: all of a small one, the
//! beginning and spaced blocks of a large one.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef};
use datafusion::arrow::json::ReaderBuilder;
use datafusion::arrow::json::reader::infer_json_schema;
use datafusion::common::parsers::CompressionTypeVariant;
use laktory_core::{DType, Error, ErrorKind, Result};

use super::Request;
use super::input::{Elements, Text, compression, lines, text};
use super::local::{Batches, Chunk, Decode, project};
use super::table::Files;
use crate::arrow::encoded;
use crate::error::engine_error;

/// Options of both.
pub(super) const OPTIONS: &[&str] = &["include_file_paths", "infer_schema_length", "n_rows"];

/// Files up to this size are looked at whole, when it is not told how many lines to look at.
const WHOLE: u64 = 8 << 20;
/// Bytes looked at in each of the blocks of a larger file.
const BLOCK: u64 = 512 << 10;
const BLOCKS: u64 = 16;

/// Text of JSON.
#[derive(Clone, Debug)]
struct Json {
    /// Whether a file is a document, not lines.
    document: bool,
    splits: bool,
    /// The columns as the parser reads them.
    parsed: SchemaRef,
    /// The columns as they leave.
    schema: SchemaRef,
}

pub(super) fn read_lines(request: &Request<'_>) -> Result<Files> {
    read(request, false)
}

pub(super) fn read_documents(request: &Request<'_>) -> Result<Files> {
    read(request, true)
}

fn read(request: &Request<'_>, document: bool) -> Result<Files> {
    let schema = match &request.declared {
        Some(declared) => Arc::clone(declared),
        None => Arc::new(inferred(request, document)?),
    };
    let mut plain = true;
    for file in &request.files {
        plain &= compression(file)? == CompressionTypeVariant::UNCOMPRESSED;
    }
    let columns = schema
        .fields()
        .iter()
        .map(|field| Field::new(field.name(), parsed(field.data_type()), true));
    let json = Json {
        document,
        splits: plain && !document,
        parsed: Arc::new(Schema::new(columns.collect::<Vec<_>>())),
        schema: Arc::clone(&schema),
    };
    Files::ours(Arc::new(json), &request.files, schema)
}

/// The type in which the parser reads a value.
fn parsed(dtype: &DataType) -> DataType {
    match dtype {
        DataType::Dictionary(..) | DataType::BinaryView => DataType::Utf8View,
        other => other.clone(),
    }
}

fn inferred(request: &Request<'_>, document: bool) -> Result<Schema> {
    let told = request.given.count("infer_schema_length")?;
    let mut all: Option<Fields> = None;
    for file in &request.files {
        let mut found = Vec::new();
        let limit = told.filter(|lines| *lines > 0);
        let sampled = told.is_none() && !document;
        for text in samples(file, document, sampled)? {
            let (schema, _) = infer_json_schema(text, limit)
                .map_err(|error| malformed(file, document, None, &engine_error(error.into())))?;
            found.push(schema);
        }
        for schema in found {
            all = Some(match all {
                Some(known) => unite(&known, schema.fields())?,
                None => schema.fields().clone(),
            });
        }
    }
    let all = all.unwrap_or_default();
    if all.is_empty() {
        return Err(super::unknown_columns(&super::shown(&request.files)));
    }
    let fields = all.iter().map(|field| {
        let dtype = DType::from_arrow(field.data_type());
        let dtype = dtype.to_arrow().unwrap_or(DataType::Utf8View);
        Field::new(field.name(), dtype, true)
    });
    Ok(Schema::new(fields.collect::<Vec<_>>()))
}

/// The parts of a file in which its types are found.
fn samples(file: &Path, document: bool, sampled: bool) -> Result<Vec<Text>> {
    let size = std::fs::metadata(file)?.len();
    if !sampled || size <= WHOLE {
        return Ok(vec![opened(file, document, None)?]);
    }
    if compression(file)? != CompressionTypeVariant::UNCOMPRESSED {
        return Ok(vec![Box::new(text(file)?.take(WHOLE))]);
    }
    let step = (size - BLOCK) / (BLOCKS - 1);
    (0..BLOCKS)
        .map(|block| lines(file, Some((block * step, block * step + BLOCK))))
        .collect()
}

fn opened(file: &Path, document: bool, range: Option<(u64, u64)>) -> Result<Text> {
    if document {
        return Ok(Box::new(BufReader::with_capacity(
            1 << 18,
            Elements::new(text(file)?),
        )));
    }
    lines(file, range)
}

/// The fields of both, in order of appearance, in types that hold the values of each.
fn unite(left: &Fields, right: &Fields) -> Result<Fields> {
    let mut all: Vec<Field> = left.iter().map(|field| field.as_ref().clone()).collect();
    for field in right {
        match all.iter_mut().find(|known| known.name() == field.name()) {
            Some(known) => {
                let both = both(known.data_type(), field.data_type())?;
                known.set_data_type(both);
            }
            None => all.push(field.as_ref().clone()),
        }
    }
    Ok(all.into())
}

fn both(left: &DataType, right: &DataType) -> Result<DataType> {
    Ok(match (left, right) {
        (left, right) if left == right => left.clone(),
        (DataType::Null, other) | (other, DataType::Null) => other.clone(),
        (DataType::Int64, DataType::Float64) | (DataType::Float64, DataType::Int64) => {
            DataType::Float64
        }
        (DataType::Struct(left), DataType::Struct(right)) => DataType::Struct(unite(left, right)?),
        (DataType::List(left), DataType::List(right)) => {
            let item = both(left.data_type(), right.data_type())?;
            DataType::List(Arc::new(left.as_ref().clone().with_data_type(item)))
        }
        (left, right) if !left.is_nested() && !right.is_nested() => DataType::Utf8,
        (left, right) => {
            return Err(Error::new(
                ErrorKind::SchemaMismatch,
                format!(
                    "a column is of type {} here and of type {} there",
                    crate::types::shown(left),
                    crate::types::shown(right)
                ),
            ));
        }
    })
}

impl Decode for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn splits(&self) -> bool {
        self.splits
    }

    fn open(&self, chunk: Chunk) -> Result<Batches> {
        let parsed = Arc::new(project(&self.parsed, &chunk.columns)?);
        let output = Arc::new(project(&self.schema, &chunk.columns)?);
        let text = opened(&chunk.path, self.document, chunk.range)?;
        let reader = ReaderBuilder::new(Arc::clone(&parsed))
            .with_batch_size(chunk.batch_size)
            .with_coerce_primitive(true)
            .build(text)
            .map_err(|error| engine_error(error.into()))?;
        let document = self.document;
        let same = parsed == output;
        let all = Arc::clone(&self.parsed);
        Ok(Box::new(reader.map(move |batch| {
            let batch = batch.map_err(|error| {
                malformed(
                    &chunk.path,
                    document,
                    Some(&all),
                    &engine_error(error.into()),
                )
            })?;
            if same {
                return Ok(batch);
            }
            encoded(&batch, &output)
                .map_err(|error| error.context(format!("`{}`", chunk.path.display())))
        })))
    }
}

/// The error of a parser, with the line that caused it when it can be found: the file is read once more, line by line.
fn malformed(file: &Path, document: bool, schema: Option<&SchemaRef>, error: &Error) -> Error {
    if !document && let Some(located) = malformed_line(file, schema) {
        return located;
    }
    Error::new(
        ErrorKind::ConversionFailed,
        format!("`{}`: {}", file.display(), error.message()),
    )
}

fn malformed_line(file: &Path, schema: Option<&SchemaRef>) -> Option<Error> {
    let none = Arc::new(Schema::empty());
    let fails = |line: &[u8], schema: &SchemaRef| {
        let read = || {
            ReaderBuilder::new(Arc::clone(schema))
                .with_coerce_primitive(true)
                .build(line)?
                .next()
                .transpose()
        };
        read().err().map(|error| engine_error(error.into()))
    };
    let mut text = text(file).ok()?;
    let mut line = Vec::new();
    for number in 1_u64.. {
        line.clear();
        if text.read_until(b'\n', &mut line).ok()? == 0 {
            return None;
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        if let Some(error) = fails(&line, &none) {
            return Some(Error::new(
                ErrorKind::ConversionFailed,
                format!(
                    "`{}`, line {number}: not a JSON object: {}",
                    file.display(),
                    error.message()
                ),
            ));
        }
        if let Some(error) = schema.and_then(|schema| fails(&line, schema)) {
            let message = format!("`{}`, line {number}: {}", file.display(), error.message());
            return Some(Error::new(ErrorKind::ConversionFailed, message).with_hint(
                "declare the column with `schema_definition`, or set `infer_schema_length: 0` to look at every line",
            ));
        }
    }
    None
}
