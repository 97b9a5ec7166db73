//! The types that leave the engine: those of the contract, whatever encoding the engine chose.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatchOptions};
use datafusion::arrow::compute::{CastOptions, cast_with_options};
use datafusion::arrow::datatypes::DataType;
use laktory_core::arrow::array::RecordBatch;
use laktory_core::arrow::schema::{Field, Schema, SchemaRef};
use laktory_core::{DType, Field as Column, Result};

use crate::error::ResultExt;

/// The schema that `export` gives for a plan's schema.
pub(crate) fn exported(schema: &Schema) -> SchemaRef {
    let fields: Vec<Field> = schema
        .fields()
        .iter()
        .map(|field| {
            let dtype = DType::from_arrow(field.data_type());
            let field = Field::new(field.name(), exported_type(field.data_type()), true);
            Column::carried(field, &dtype)
        })
        .collect();
    Arc::new(Schema::new(fields))
}

/// The encoding in which a type leaves the engine; types that the contract does not know leave as they are.
fn exported_type(data_type: &DataType) -> DataType {
    DType::from_arrow(data_type)
        .to_arrow()
        .unwrap_or_else(|| data_type.clone())
}

/// A batch with the columns of `schema`, which are of the same types in maybe other encodings.
///
/// # Errors
/// `Compute` when a value does not fit, as a number of a wider decimal.
pub(crate) fn encoded(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    encoded_columns(batch.columns().iter().cloned(), batch.num_rows(), schema)
}

/// A batch of columns of so many rows with the types of `schema`.
///
/// # Errors
/// As [`encoded`].
pub(crate) fn encoded_columns(
    columns: impl Iterator<Item = ArrayRef>,
    rows: usize,
    schema: &SchemaRef,
) -> Result<RecordBatch> {
    let columns = columns
        .zip(schema.fields())
        .map(|(column, field)| encoded_column(&column, field.data_type()))
        .collect::<Result<Vec<_>>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options).or_error()
}

fn encoded_column(column: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    if column.data_type() == to {
        return Ok(Arc::clone(column));
    }
    let options = CastOptions {
        safe: false,
        ..CastOptions::default()
    };
    cast_with_options(column, to, &options).or_error()
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{Array, AsArray, DictionaryArray, ListArray, StringArray};
    use datafusion::arrow::datatypes::{Int32Type, UInt32Type};

    use super::*;

    #[test]
    fn every_encoding_leaves_in_that_of_the_contract() {
        let dictionary: DictionaryArray<UInt32Type> = ["a", "b", "a"].into_iter().collect();
        let list = ListArray::from_iter_primitive::<Int32Type, _, _>([
            Some(vec![Some(1), None]),
            None,
            Some(vec![]),
        ]);
        let batch = RecordBatch::try_from_iter([
            ("d", Arc::new(dictionary) as ArrayRef),
            ("l", Arc::new(list)),
            ("s", Arc::new(StringArray::from(vec!["x", "y", "z"]))),
        ])
        .unwrap();
        let schema = exported(batch.schema_ref());
        let out = encoded(&batch, &schema).unwrap();
        assert_eq!(out.schema(), schema);
        assert_eq!(out.column(0).as_string_view().value(2), "a");
        assert!(matches!(out.column(1).data_type(), DataType::LargeList(_)));
        assert!(out.column(1).is_null(1));
        assert_eq!(out.column(2).data_type(), &DataType::Utf8View);
    }
}
