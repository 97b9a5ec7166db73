//! `over`: an expression computed within each partition, in an order. The rows of a partition are a frame of their own.

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::take;
use laktory_core::Result;

use super::{Column, Value};
use crate::batch::{self, Key};
use crate::error::OrError;

/// The expression within partitions.
pub(super) fn over(inner: Value, partition_by: Vec<Value>, order_by: Vec<Key>) -> Value {
    let dtype = inner.dtype.clone();
    Value::new(dtype.clone(), move |rows| {
        let count = rows.num_rows();
        let mut rank = vec![0; count];
        for (place, position) in batch::order(rows, &order_by)?.into_iter().enumerate() {
            rank[position] = place;
        }
        let mut parts = Vec::new();
        let mut place_of = vec![None; count];
        let mut placed = 0;
        for mut group in batch::groups(rows, &partition_by)? {
            group.sort_by_key(|position| rank[*position]);
            let part = batch::rows_at(rows, &group)?;
            parts.push(inner.column(&part)?);
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
