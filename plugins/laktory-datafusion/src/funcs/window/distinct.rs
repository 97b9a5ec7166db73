//! Whether a value occurs again. Null equals null, and all NaN are equal.

use std::sync::Arc;

use datafusion::arrow::array::{Array, BooleanArray};
use datafusion::arrow::datatypes::DataType;
use laktory_core::Result;

use super::{along, this};
use crate::expr::Value;
use crate::funcs::Call;
use crate::kernel::rows;

/// Whether the value occurs once, or more often.
pub(super) fn is_unique(call: &Call<'_, '_>, once: bool) -> Result<Value> {
    let value = this(call)?;
    let name = format!("is_unique({once})");
    along(call, name, value, DataType::Boolean, move |array| {
        let keys = rows::keys(std::slice::from_ref(array), false)?;
        let (values, counts) = rows::occurrences(&keys);
        let unique: BooleanArray = values
            .into_iter()
            .map(|value| Some((counts[value] == 1) == once))
            .collect();
        Ok(Arc::new(unique))
    })
}

/// Whether this is the first or last row with its value.
pub(super) fn is_end(call: &Call<'_, '_>, last: bool) -> Result<Value> {
    let value = this(call)?;
    let name = format!("is_end({last})");
    along(call, name, value, DataType::Boolean, move |array| {
        let keys = rows::keys(std::slice::from_ref(array), false)?;
        let (values, counts) = rows::occurrences(&keys);
        let mut met = vec![false; counts.len()];
        let mut ends = vec![false; array.len()];
        let mut visit = |row: usize| {
            let met = &mut met[values[row]];
            ends[row] = !*met;
            *met = true;
        };
        if last {
            (0..array.len()).rev().for_each(&mut visit);
        } else {
            (0..array.len()).for_each(&mut visit);
        }
        Ok(Arc::new(BooleanArray::from(ends)))
    })
}
