//! JSON documents and JSON lines, decoded by the crate that engines share: it finds the columns in all records, and the
//! same values and faults on each of them.

use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::datatypes::{Schema, SchemaRef};
use laktory_core::{Error, Field, Result};
use laktory_formats::json::{Decoding, Layout, Source, Text, decode};
use laktory_formats::packed::{Compression, text};

use super::Request;
use super::local::{Batches, Chunk, Decode, encoded_as, project};
use super::table::Files;
use crate::types::data_type;

/// Options of both.
pub(super) const OPTIONS: &[&str] = &[
    "hive_partitioning",
    "include_file_paths",
    "infer_schema_length",
    "n_rows",
    "recursiveFileLookup",
];

fn opened(file: &Path) -> Result<Text> {
    Ok(Box::new(text(file)?))
}

/// A file, as it is compressed.
pub(super) fn source(file: &Path) -> Result<Source> {
    let packed = Compression::of_file(file)?.is_some();
    Ok(Source::new(file, packed.then_some(opened)))
}

/// Text of JSON.
#[derive(Clone, Debug)]
struct Json {
    layout: Layout,
    splits: bool,
    columns: Vec<Field>,
    /// The columns as they leave.
    schema: SchemaRef,
}

pub(super) fn read_lines(request: &Request<'_>) -> Result<Files> {
    read(request, Layout::Lines)
}

pub(super) fn read_documents(request: &Request<'_>) -> Result<Files> {
    read(request, Layout::Document)
}

fn read(request: &Request<'_>, layout: Layout) -> Result<Files> {
    let Some(answer) = &request.json else {
        return Err(Error::internal("files of JSON that were not looked at"));
    };
    let columns = answer.columns.clone();
    let fields = columns
        .iter()
        .map(|column| {
            let dtype = data_type(&column.dtype)?;
            Ok(datafusion::arrow::datatypes::Field::new(
                &column.name,
                dtype,
                true,
            ))
        })
        .collect::<Result<Vec<_>>>()?;
    let schema = Arc::new(Schema::new(fields));
    let mut splits = layout == Layout::Lines;
    for file in &request.files.paths {
        splits &= Compression::of_file(file)?.is_none();
    }
    let json = Json {
        layout,
        splits,
        columns,
        schema: Arc::clone(&schema),
    };
    Files::ours(Arc::new(json), &request.files.paths, schema)
}

impl Decode for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn splits(&self) -> bool {
        self.splits
    }

    fn open(&self, chunk: Chunk) -> Result<Batches> {
        let output = Arc::new(project(&self.schema, &chunk.columns)?);
        let columns: Vec<Field> = chunk
            .columns
            .iter()
            .filter_map(|place| self.columns.get(*place).cloned())
            .collect();
        let decoding = Decoding {
            source: source(&chunk.path)?,
            layout: self.layout,
            range: chunk.range.filter(|_| self.splits),
            batch_size: chunk.batch_size,
            complete: false,
        };
        let batches = decode(decoding, &columns)?;
        Ok(encoded_as(output, chunk.path, batches))
    }
}
