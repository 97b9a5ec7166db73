//! Arrow IPC files, among them those of spilled frames.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::ipc::reader::FileReader;
use laktory_core::{Error, ErrorKind, Result};

use super::Request;
use super::local::{Batches, Chunk, Decode, project};
use super::table::Files;
use crate::arrow::{encoded, exported};
use crate::error::engine_error;

/// Options of IPC.
pub(super) const OPTIONS: &[&str] = &["include_file_paths", "n_rows"];

/// Files of one schema, of which columns may be declared in other types.
#[derive(Debug)]
struct Ipc {
    schema: SchemaRef,
}

pub(super) fn read(request: &Request<'_>) -> Result<Files> {
    let first = stored(&request.files[0])?;
    for file in &request.files[1..] {
        let other = stored(file)?;
        super::parquet::same_columns(&first, &request.files[0], &other, file)?;
    }
    let schema = match &request.declared {
        Some(declared) => {
            super::parquet::has_columns(&first, &request.files[0], declared)?;
            Arc::clone(declared)
        }
        None => exported(&first),
    };
    let decode = Ipc {
        schema: Arc::clone(&schema),
    };
    Files::ours(Arc::new(decode), &request.files, schema)
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
    FileReader::try_new_buffered(opened, columns).map_err(|error| damaged(file, &error.to_string()))
}

fn damaged(file: &Path, why: &str) -> Error {
    Error::new(
        ErrorKind::ConversionFailed,
        format!("`{}` is no readable IPC file: {why}", file.display()),
    )
}

fn stored(file: &PathBuf) -> Result<SchemaRef> {
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
        // The columns are found by name, and come in the order of the file.
        let places = output
            .fields()
            .iter()
            .map(|field| {
                all.index_of(field.name())
                    .map_err(|error| damaged(&chunk.path, &error.to_string()))
            })
            .collect::<Result<Vec<_>>>()?;
        let mut wanted = places.clone();
        wanted.sort_unstable();
        let order: Vec<usize> = places
            .iter()
            .filter_map(|place| wanted.iter().position(|known| known == place))
            .collect();
        let batches = reader(&chunk.path, Some(wanted))?;
        let size = chunk.batch_size.max(1);
        Ok(Box::new(batches.flat_map(move |batch| {
            let batch = batch
                .map_err(|error| engine_error(error.into()))
                .and_then(|batch| {
                    let batch = batch
                        .project(&order)
                        .map_err(|error| engine_error(error.into()))?;
                    encoded(&batch, &output)
                })
                .map_err(|error| error.context(format!("`{}`", chunk.path.display())));
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
