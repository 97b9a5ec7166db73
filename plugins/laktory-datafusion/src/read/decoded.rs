//! Files that the crate which engines share decodes.

use std::sync::Arc;

use datafusion::arrow::datatypes::{Field, Schema, SchemaRef};
use laktory_core::{Error, Result};
use laktory_formats::decode::Reading;

use super::Request;
use super::local::{Batches, Chunk, Decode, encoded_as, project};
use super::table::Files;
use crate::types::data_type;

/// Files of such a format.
#[derive(Clone, Debug)]
struct Decoded {
    reading: Reading,
    /// The columns as they leave.
    schema: SchemaRef,
}

pub(super) fn read(request: &Request<'_>) -> Result<Files> {
    let Some(reading) = Reading::of(request.spec, &request.files)? else {
        return Err(Error::internal("a format that nobody decodes"));
    };
    let fields = reading
        .columns()
        .iter()
        .map(|column| Ok(Field::new(&column.name, data_type(&column.dtype)?, true)))
        .collect::<Result<Vec<_>>>()?;
    let schema = Arc::new(Schema::new(fields));
    let rows = reading.rows();
    let decoded = Decoded {
        reading,
        schema: Arc::clone(&schema),
    };
    let files = Files::ours(Arc::new(decoded), &request.files.paths, schema)?;
    Ok(match rows {
        Some(rows) => files.with_rows(rows),
        None => files,
    })
}

impl Decode for Decoded {
    fn name(&self) -> &'static str {
        "decoded"
    }

    fn splits(&self) -> bool {
        false
    }

    fn open(&self, chunk: Chunk) -> Result<Batches> {
        let output = Arc::new(project(&self.schema, &chunk.columns)?);
        let batches = self
            .reading
            .batches(&chunk.path, &chunk.columns, chunk.batch_size)?;
        Ok(encoded_as(output, chunk.path, batches))
    }
}
