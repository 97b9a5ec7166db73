//! Arrow IPC files, among them those of spilled frames.

use std::fs::File;
use std::io::BufReader;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::{RecordBatch, new_null_array};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::ipc::reader::FileReader;
use laktory_core::{Error, Format, Result};
use laktory_formats::damaged;

use super::Request;
use super::local::{Batches, Chunk, Decode, project};
use super::table::Files;
use crate::arrow::encoded_columns;

/// Options of IPC.
pub(super) const OPTIONS: &[&str] = &[
    "allow_missing_columns",
    "extra_columns",
    "hive_partitioning",
    "include_file_paths",
    "missing_columns",
    "n_rows",
    "recursiveFileLookup",
];

/// Files of one schema, of which columns may be declared in other types.
#[derive(Debug)]
struct Ipc {
    schema: SchemaRef,
}

pub(super) fn read(request: &Request<'_>) -> Result<Files> {
    let mut rows = 0;
    let mut schemas = Vec::with_capacity(request.files.paths.len());
    for file in &request.files.paths {
        rows += laktory_formats::ipc::inspect(file)?.rows;
        // The reader takes some damaged schemas for impossible.
        let schema = catch_unwind(|| stored(file));
        schemas.push(schema.unwrap_or_else(|_| Err(damaged(&Format::Ipc, file)))?);
    }
    let schema = super::columns::united(request, &schemas)?;
    let decode = Ipc {
        schema: Arc::clone(&schema),
    };
    Ok(Files::ours(Arc::new(decode), &request.files.paths, schema)?.with_rows(rows))
}

/// The rows of a spilled frame.
pub(super) fn spilled(schema: SchemaRef, path: &Path) -> Result<Files> {
    let decode = Ipc {
        schema: Arc::clone(&schema),
    };
    Files::ours(Arc::new(decode), &[path.to_owned()], schema)
}

fn reader(file: &Path, columns: Option<Vec<usize>>) -> Result<FileReader<BufReader<File>>> {
    let opened = File::open(file)
        .map_err(|error| Error::from(error).context(format!("`{}`", file.display())))?;
    FileReader::try_new_buffered(opened, columns).map_err(|error| unreadable(file, error))
}

fn unreadable(file: &Path, error: ArrowError) -> Error {
    damaged(&Format::Ipc, file).with_source(error)
}

fn stored(file: &Path) -> Result<SchemaRef> {
    Ok(reader(file, None)?.schema())
}

impl Decode for Ipc {
    fn name(&self) -> &'static str {
        "ipc"
    }

    fn splits(&self) -> bool {
        false
    }

    fn open(&self, chunk: Chunk) -> Result<Batches> {
        let output = Arc::new(project(&self.schema, &chunk.columns)?);
        let all = reader(&chunk.path, None)?.schema();
        // The columns are found by name, and come in the order of the file. Those that it lacks are null.
        let places: Vec<Option<usize>> = output
            .fields()
            .iter()
            .map(|field| all.index_of(field.name()).ok())
            .collect();
        let mut wanted: Vec<usize> = places.iter().flatten().copied().collect();
        wanted.sort_unstable();
        let order: Vec<Option<usize>> = places
            .iter()
            .map(|place| wanted.iter().position(|known| Some(*known) == *place))
            .collect();
        let mut batches = reader(&chunk.path, Some(wanted))?;
        let size = chunk.batch_size.max(1);
        // The reader takes some damaged batches for impossible.
        let next = move || match catch_unwind(AssertUnwindSafe(|| batches.next())) {
            Ok(batch) => batch.map(|batch| batch.map_err(Some)),
            Err(_) => Some(Err(None)),
        };
        let mut failed = false;
        let batches = std::iter::from_fn(next).take_while(move |batch| {
            let goes_on = !failed;
            failed |= batch.is_err();
            goes_on
        });
        Ok(Box::new(batches.flat_map(move |batch| {
            let batch = batch
                .map_err(|error| match error {
                    Some(error) => unreadable(&chunk.path, error),
                    None => damaged(&Format::Ipc, &chunk.path),
                })
                .and_then(|batch| {
                    arranged(&batch, &order, &output)
                        .map_err(|error| error.context(format!("`{}`", chunk.path.display())))
                });
            let parts: Vec<Result<_>> = match batch {
                Ok(batch) => (0..batch.num_rows())
                    .step_by(size)
                    .map(|start| Ok(batch.slice(start, size.min(batch.num_rows() - start))))
                    .collect(),
                Err(error) => vec![Err(error)],
            };
            parts
        })))
    }
}

/// The columns at the places of a batch, or nulls, in the types of a schema.
fn arranged(
    batch: &RecordBatch,
    places: &[Option<usize>],
    output: &SchemaRef,
) -> Result<RecordBatch> {
    let columns = places
        .iter()
        .zip(output.fields())
        .map(|(place, field)| match place {
            Some(place) => Arc::clone(batch.column(*place)),
            None => new_null_array(field.data_type(), batch.num_rows()),
        });
    encoded_columns(columns, batch.num_rows(), output)
}
