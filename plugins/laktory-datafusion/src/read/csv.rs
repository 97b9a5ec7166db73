//! CSV: every column is text unless types are declared or guessed. Files are decoded by `laktory_formats`, which says what
//! they hold.

use std::sync::Arc;

use datafusion::arrow::datatypes::{Field, Schema, SchemaRef};
use laktory_core::{Error, ErrorKind, Result};
use laktory_formats::csv::{self, Reading};

use super::Request;
use super::local::{Batches, Chunk, Decode};
use super::table::Files;
use crate::arrow::encoded;
use crate::types::data_type;

/// How files of CSV are read.
#[derive(Debug)]
struct Csv {
    reading: Arc<Reading>,
    /// Rows of each file, where all of them are read.
    rows: Option<Vec<u64>>,
    /// The columns as they leave.
    schema: SchemaRef,
}

pub(super) fn read(request: &Request<'_>) -> Result<Files> {
    let Some(looked) = &request.csv else {
        return Err(Error::internal("files of CSV that nobody looked at"));
    };
    let reading = Arc::clone(&looked.reading);
    let fields = reading
        .columns()
        .iter()
        .map(|field| Ok(Field::new(&field.name, data_type(&field.dtype)?, true)))
        .collect::<Result<Vec<_>>>()?;
    let schema = Arc::new(Schema::new(fields));
    let all = !request.spec.options.contains_key("n_rows");
    let csv = Csv {
        reading,
        rows: looked
            .survey
            .as_ref()
            .filter(|_| all)
            .map(|survey| survey.files.clone()),
        schema: Arc::clone(&schema),
    };
    Files::ours(Arc::new(csv), &request.files.paths, schema)
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
        // A file without records has no place there.
        let Some(file) = self
            .reading
            .files()
            .position(|(path, _)| path == chunk.path)
        else {
            return Ok(Box::new(std::iter::empty()));
        };
        let output = Arc::new(super::local::project(&self.schema, &chunk.columns)?);
        let batches = self
            .reading
            .batches(file, &chunk.columns, chunk.batch_size)?;
        Ok(Box::new(Counted {
            batches: Some(batches),
            wanted: self.rows.as_ref().and_then(|rows| rows.get(file).copied()),
            output,
        }))
    }
}

/// Batches of a file, of which there must be as many rows as were found before.
struct Counted {
    batches: Option<csv::Batches>,
    wanted: Option<u64>,
    output: SchemaRef,
}

impl Iterator for Counted {
    type Item = Result<datafusion::arrow::array::RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let batches = self.batches.as_mut()?;
        let named = |error: Error, batches: &csv::Batches| {
            let hint = error.hint().map(str::to_owned);
            let error = Error::new(ErrorKind::ConversionFailed, error.message())
                .context(format!("`{}`", batches.path().display()));
            match hint {
                Some(hint) => error.with_hint(hint),
                None => error,
            }
        };
        match batches.next() {
            Some(Ok(batch)) => {
                Some(encoded(&batch, &self.output).map_err(|error| named(error, batches)))
            }
            Some(Err(error)) => {
                self.batches = None;
                Some(Err(error))
            }
            None => {
                let (read, file) = (batches.rows(), batches.path().display().to_string());
                self.batches = None;
                let wanted = self.wanted.filter(|wanted| *wanted != read)?;
                Some(Err(Error::new(
                    ErrorKind::RowsLost,
                    format!("`{file}` holds {wanted} rows, of which {read} were read"),
                )))
            }
        }
    }
}
