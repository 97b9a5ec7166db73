//! Objects of JSON, written batch by batch by this driver: documents that are one array, and what the engine's own writer of
//! lines mistakes.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use laktory_core::{Error, Result};
use polars::prelude::{
    Column, DataFrame, DataType, IntoColumn, JsonFormat, JsonWriter, Schema, SerWriter,
};

use super::Form;
use crate::error::ResultExt;

/// Whether the engine may take other items of a list for its nulls: its serializer begins at the first row of a chunk to
/// look for the nulls of objects and arrays, also where a list begins later.
pub(super) fn is_mistaken(schema: &Schema) -> bool {
    schema.iter_values().any(|dtype| holds(dtype, false))
}

/// Whether objects or arrays are somewhere in a list.
fn holds(dtype: &DataType, in_list: bool) -> bool {
    match dtype {
        DataType::List(inner) => holds(inner, true),
        DataType::Struct(fields) => {
            in_list || fields.iter().any(|field| holds(field.dtype(), false))
        }
        other => in_list && other.is_nested(),
    }
}

/// A file of objects that is being written.
pub(crate) struct JsonRows {
    file: BufWriter<File>,
    form: Form,
    lines: Vec<u8>,
    rows: u64,
}

impl JsonRows {
    /// Opens the file.
    pub(crate) fn create(path: &Path, form: Form) -> Result<Self> {
        let file = File::create(path)
            .map_err(|error| Error::from(error).context(format!("`{}`", path.display())))?;
        let mut file = BufWriter::with_capacity(1 << 18, file);
        if form == Form::Array {
            file.write_all(b"[")?;
        }
        Ok(Self {
            file,
            form,
            lines: Vec::new(),
            rows: 0,
        })
    }

    /// Adds a batch.
    pub(crate) fn push(&mut self, batch: DataFrame) -> Result<()> {
        let height = batch.height();
        let columns = batch.into_columns().into_iter().map(from_its_start);
        let mut batch = DataFrame::new(height, columns.collect()).or_error()?;
        self.lines.clear();
        JsonWriter::new(&mut self.lines)
            .with_json_format(JsonFormat::JsonLines)
            .finish(&mut batch)
            .or_error()?;
        if self.form == Form::Lines {
            self.file.write_all(&self.lines)?;
            return Ok(());
        }
        for line in self
            .lines
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
        {
            self.file
                .write_all(if self.rows == 0 { b"\n" } else { b",\n" })?;
            self.file.write_all(line)?;
            self.rows += 1;
        }
        Ok(())
    }

    /// Ends the file.
    pub(crate) fn finish(mut self) -> Result<()> {
        if self.form == Form::Array {
            self.file.write_all(b"\n]\n")?;
        }
        self.file.flush()?;
        Ok(())
    }
}

/// A column whose lists begin with the first item that is there.
fn from_its_start(column: Column) -> Column {
    if !column.dtype().is_nested() {
        return column;
    }
    let series = column.as_materialized_series();
    match series.trim_lists_to_normalized_offsets() {
        Some(trimmed) => trimmed.into_column(),
        None => column,
    }
}
