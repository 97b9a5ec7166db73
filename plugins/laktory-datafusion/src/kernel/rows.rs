//! Rows of arrays as keys: which values are equal, and which comes first. All NaN are one value, so are both zeros, and
//! null equals null.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::compute::SortOptions;
use datafusion::arrow::datatypes::{DataType, Float16Type, Float32Type, Float64Type};
use datafusion::arrow::row::{Row, RowConverter, Rows, SortField};
use laktory_core::Result;

use crate::error::ResultExt;

/// Floats in the form in which all NaN and both zeros are one; other arrays as they are.
pub(crate) fn canonical(array: &ArrayRef) -> ArrayRef {
    match array.data_type() {
        DataType::Float16 => Arc::new(array.as_primitive::<Float16Type>().unary::<_, Float16Type>(
            |value| {
                if value.is_nan() {
                    half_nan()
                } else if value.to_bits() & 0x7fff == 0 {
                    Default::default()
                } else {
                    value
                }
            },
        )),
        DataType::Float32 => {
            Arc::new(
                array
                    .as_primitive::<Float32Type>()
                    .unary::<_, Float32Type>(|value| {
                        if value.is_nan() {
                            f32::NAN
                        } else {
                            // Minus zero plus zero is zero.
                            value + 0.0
                        }
                    }),
            )
        }
        DataType::Float64 => Arc::new(array.as_primitive::<Float64Type>().unary::<_, Float64Type>(
            |value| {
                if value.is_nan() {
                    f64::NAN
                } else {
                    value + 0.0
                }
            },
        )),
        _ => Arc::clone(array),
    }
}

type Half = <Float16Type as datafusion::arrow::datatypes::ArrowPrimitiveType>::Native;

fn half_nan() -> Half {
    Half::NAN
}

/// One key for each row.
pub(crate) fn keys(arrays: &[ArrayRef], descending: bool) -> Result<Rows> {
    let arrays: Vec<ArrayRef> = arrays.iter().map(canonical).collect();
    let options = SortOptions {
        descending,
        nulls_first: false,
    };
    let fields = arrays
        .iter()
        .map(|array| SortField::new_with_options(array.data_type().clone(), options))
        .collect();
    let converter = RowConverter::new(fields).or_error()?;
    converter.convert_columns(&arrays).or_error()
}

/// The first row of each distinct key within a range, in their order, with the number of rows that have it.
pub(crate) fn distinct(keys: &Rows, range: Range<usize>) -> Vec<(usize, usize)> {
    let mut seen: HashMap<Row<'_>, usize> = HashMap::new();
    let mut found: Vec<(usize, usize)> = Vec::new();
    for row in range {
        let at = *seen.entry(keys.row(row)).or_insert(found.len());
        match found.get_mut(at) {
            Some((_, count)) => *count += 1,
            None => found.push((row, 1)),
        }
    }
    found
}

/// For each row the number of its distinct value, counted from 0 in order of appearance, and how often each occurs.
pub(crate) fn occurrences(keys: &Rows) -> (Vec<usize>, Vec<usize>) {
    let mut seen: HashMap<Row<'_>, usize> = HashMap::new();
    let mut counts: Vec<usize> = Vec::new();
    let values = keys
        .iter()
        .map(|key| {
            let value = *seen.entry(key).or_insert(counts.len());
            match counts.get_mut(value) {
                Some(count) => *count += 1,
                None => counts.push(1),
            }
            value
        })
        .collect();
    (values, counts)
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::Float64Array;

    use super::*;

    #[test]
    fn nan_and_zeros_are_one_and_null_equals_null() {
        let array: ArrayRef = Arc::new(Float64Array::from(vec![
            Some(f64::NAN),
            Some(-f64::NAN),
            Some(0.0),
            Some(-0.0),
            None,
            None,
        ]));
        let keys = keys(&[array], false).unwrap();
        assert_eq!(distinct(&keys, 0..6), [(0, 2), (2, 2), (4, 2)]);
        assert_eq!(distinct(&keys, 1..3), [(1, 1), (2, 1)]);
    }
}
