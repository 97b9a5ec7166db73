//! What JSON has a form for: finite numbers, texts, truth values, and lists and objects of them.
//!
//! Decimals and integers beyond 64 bits are written as texts, which keep their digits whatever reads them; dates, times and
//! datetimes as texts of ISO 8601.

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type};
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;
use laktory_core::{DType, Error, ErrorKind, Result};

/// The writer option, true or false, by which NaN and infinities are written as null; without it they are refused.
pub const NAN_AS_NULL: &str = "nan_as_null";

/// Whether values of a type may be NaN or infinite.
#[must_use]
pub fn may_be_non_finite(dtype: &DType) -> bool {
    match dtype {
        DType::Float16 | DType::Float32 | DType::Float64 => true,
        DType::List(inner) | DType::Array(inner, _) => may_be_non_finite(inner),
        DType::Struct(fields) => fields.iter().any(|field| may_be_non_finite(&field.dtype)),
        DType::Map(_, value) => may_be_non_finite(value),
        _ => false,
    }
}

/// Refuses NaN and infinities in a batch, before which there are `rows`.
///
/// # Errors
/// `ConversionFailed`, with row and column.
pub fn finite(batch: &RecordBatch, rows: u64) -> Result<()> {
    let schema = batch.schema();
    let mut first: Option<(usize, String, f64)> = None;
    for (field, column) in schema.fields().iter().zip(batch.columns()) {
        if let Some((row, path, value)) = bad(column, field.name(), &|_| true)
            && first.as_ref().is_none_or(|first| row < first.0)
        {
            first = Some((row, path, value));
        }
    }
    match first {
        None => Ok(()),
        Some((row, path, value)) => {
            let row = rows + row as u64 + 1;
            Err(Error::new(
                ErrorKind::ConversionFailed,
                format!("column `{path}`, row {row}: {value} has no form in JSON"),
            )
            .with_hint("replace it (`fill_nan`, `CASE`), write it as null with `writer_kwargs: {nan_as_null: true}`, or write PARQUET"))
        }
    }
}

/// The first value among those that count which is no finite number: its row, the path to it, itself.
fn bad(
    array: &dyn Array,
    path: &str,
    counts: &dyn Fn(usize) -> bool,
) -> Option<(usize, String, f64)> {
    let found = |row: usize, value: f64| Some((row, path.to_owned(), value));
    match array.data_type() {
        DataType::Float64 => {
            let values = array.as_primitive::<Float64Type>();
            if values.values().iter().all(|value| value.is_finite()) {
                return None;
            }
            let is_bad = |row: &usize| {
                values.is_valid(*row) && counts(*row) && !values.value(*row).is_finite()
            };
            (0..values.len())
                .find(is_bad)
                .and_then(|row| found(row, values.value(row)))
        }
        DataType::Float32 => {
            let values = array.as_primitive::<Float32Type>();
            if values.values().iter().all(|value| value.is_finite()) {
                return None;
            }
            let is_bad = |row: &usize| {
                values.is_valid(*row) && counts(*row) && !values.value(*row).is_finite()
            };
            (0..values.len())
                .find(is_bad)
                .and_then(|row| found(row, values.value(row).into()))
        }
        DataType::Struct(fields) => {
            let columns = fields.iter().zip(array.as_struct().columns());
            columns
                .filter_map(|(field, column)| {
                    let path = format!("{path}.{}", field.name());
                    bad(column, &path, &|row| array.is_valid(row) && counts(row))
                })
                .min_by_key(|(row, ..)| *row)
        }
        DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..) => (0..array
            .len())
            .filter(|row| array.is_valid(*row) && counts(*row))
            .find_map(|row| {
                let items = match array.data_type() {
                    DataType::List(_) => array.as_list::<i32>().value(row),
                    DataType::LargeList(_) => array.as_list::<i64>().value(row),
                    _ => array.as_fixed_size_list().value(row),
                };
                bad(&items, path, &|_| true).map(|(_, path, value)| (row, path, value))
            }),
        _ => None,
    }
}
