//! `over`: an expression computed within each partition, in an order. The rows of a partition are a frame of their own.

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::take;
use arrow::datatypes::DataType;
use laktory_core::Result;

use super::{Column, Value};
use crate::batch::{self, Key};
use crate::error::OrError;

/// The expression within partitions.
pub(super) fn over(inner: Value, partition_by: Vec<Value>, order_by: Vec<Key>) -> Value {
    let dtype = inner.dtype.clone();
    if order_by.is_empty() {
        return in_parts(dtype, partition_by, move |part| inner.column(part));
    }
    in_parts(dtype, partition_by, move |part| {
        let order = batch::order(part, &order_by)?;
        let values = inner.column(&batch::rows_at(part, &order)?)?;
        let mut places = vec![None; order.len()];
        for (place, row) in order.into_iter().enumerate() {
            places[row] = Some(place);
        }
        take(&values, &batch::indices(places.into_iter()), None).or_error()
    })
}

/// What a function gives for the rows of each partition: one value for each of them.
pub(super) fn in_parts(
    dtype: DataType,
    partition_by: Vec<Value>,
    function: impl Fn(&RecordBatch) -> Result<ArrayRef> + Send + Sync + 'static,
) -> Value {
    Value::new(dtype.clone(), move |rows| {
        let mut parts = Vec::new();
        let mut place_of = vec![None; rows.num_rows()];
        let mut placed = 0;
        for group in batch::groups(rows, &partition_by)? {
            parts.push(function(&batch::rows_at(rows, &group)?)?);
            for position in group {
                place_of[position] = Some(placed);
                placed += 1;
            }
        }
        let values = batch::stacked(&parts, &dtype)?;
        let places = batch::indices(place_of.into_iter());
        Ok(Column::Each(take(&values, &places, None).or_error()?))
    })
}

/// Values in the order of keys computed on the same rows.
///
/// # Errors
/// `LengthChanging` when there are not as many values as rows.
pub(crate) fn ordered(value: &Value, rows: &RecordBatch, keys: &[Key]) -> Result<ArrayRef> {
    if keys.is_empty() {
        return value.values(rows);
    }
    let values = value.column(rows)?;
    let order = batch::indices(batch::order(rows, keys)?.into_iter().map(Some));
    take(&values, &order, None).or_error()
}
