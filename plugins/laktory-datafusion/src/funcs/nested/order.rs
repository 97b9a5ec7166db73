//! Order among the elements of lists: sorting, distinct values, extremes. Elements are compared as rows of bytes, in
//! which floats have one NaN, after infinity, and one zero.

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, LargeListArray, UInt64Array};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::compute::take;
use datafusion::arrow::datatypes::{DataType, Float16Type, Float32Type, Float64Type};
use datafusion::arrow::row::Rows;
use laktory_core::{Error, Result};

use super::kernel;
use super::list::{places, receiver};
use crate::error::ResultExt;
use crate::expr::Value;
use crate::funcs::{Call, arrays};
use crate::kernel::rows::{distinct, keys};
use crate::types::{is_float, list_of};

/// A kernel that gives lists made of some of the elements of each, which are chosen by their keys.
fn chosen(
    call: &Call<'_, '_>,
    name: String,
    descending: bool,
    choose: impl Fn(&ArrayRef, &Rows, Range<usize>) -> Vec<usize> + Send + Sync + 'static,
) -> Result<Value> {
    let (this, item) = receiver(call)?;
    let output = list_of(item);
    let to = output.clone();
    Ok(kernel(name, vec![this], output, move |arrays| {
        let lists = arrays::lists(&arrays[0])?;
        let keys = keys(&[Arc::clone(lists.values())], descending)?;
        let mut elements: Vec<u64> = Vec::with_capacity(lists.values().len());
        let mut lengths = Vec::with_capacity(lists.len());
        for places in places(&lists) {
            let found =
                places.map_or_else(Vec::new, |places| choose(lists.values(), &keys, places));
            lengths.push(found.len());
            elements.extend(found.into_iter().map(|at| at as u64));
        }
        let values = take(lists.values(), &UInt64Array::from(elements), None).or_error()?;
        let DataType::LargeList(field) = &to else {
            return Err(Error::internal("a list type that is no list"));
        };
        let out = LargeListArray::try_new(
            field.clone(),
            OffsetBuffer::from_lengths(lengths),
            values,
            lists.nulls().cloned(),
        )
        .or_error()?;
        Ok(Arc::new(out))
    }))
}

/// `list.sort`: nulls first unless asked otherwise, in both directions.
pub(super) fn sort(call: &Call<'_, '_>) -> Result<Value> {
    let (descending, nulls_last) = (call.flag("descending")?, call.flag("nulls_last")?);
    let name = format!("list_sort({descending}, {nulls_last})");
    chosen(call, name, descending, move |values, keys, places| {
        let (mut known, nulls): (Vec<usize>, Vec<usize>) =
            places.partition(|at| values.is_valid(*at));
        known.sort_by(|a, b| keys.row(*a).cmp(&keys.row(*b)));
        if nulls_last {
            [known, nulls].concat()
        } else {
            [nulls, known].concat()
        }
    })
}

/// `list.unique`: elements in the order in which they first occur.
pub(super) fn unique(call: &Call<'_, '_>) -> Result<Value> {
    chosen(call, "list_unique".into(), false, |_, keys, places| {
        let found = distinct(keys, places);
        found.into_iter().map(|(at, _)| at).collect()
    })
}

/// `list.min` and `list.max`: nulls are skipped; NaN counts only where there is nothing else.
pub(super) fn extreme(call: &Call<'_, '_>, greatest: bool) -> Result<Value> {
    let (this, item) = receiver(call)?;
    if item.is_nested() {
        return Err(call.mismatch(&this.dtype));
    }
    let name = if greatest { "list_max" } else { "list_min" };
    Ok(kernel(name, vec![this], item, move |arrays| {
        let lists = arrays::lists(&arrays[0])?;
        let values = lists.values();
        let rows = keys(&[Arc::clone(values)], false)?;
        let number = numbers(values);
        let beats = if greatest {
            Ordering::Greater
        } else {
            Ordering::Less
        };
        let found: UInt64Array = places(&lists)
            .map(|places| {
                let mut best: Option<usize> = None;
                for at in places?.filter(|at| values.is_valid(*at)) {
                    let better = match best {
                        None => true,
                        Some(best) => match (number(at), number(best)) {
                            (true, false) => true,
                            (false, true) => false,
                            _ => rows.row(at).cmp(&rows.row(best)) == beats,
                        },
                    };
                    if better {
                        best = Some(at);
                    }
                }
                best.map(|at| at as u64)
            })
            .collect();
        take(values, &found, None).or_error()
    }))
}

/// Whether an element is something else than NaN.
fn numbers(values: &ArrayRef) -> Box<dyn Fn(usize) -> bool + '_> {
    match values.data_type() {
        DataType::Float64 => {
            let floats = values.as_primitive::<Float64Type>();
            Box::new(|at| !floats.value(at).is_nan())
        }
        DataType::Float32 => {
            let floats = values.as_primitive::<Float32Type>();
            Box::new(|at| !floats.value(at).is_nan())
        }
        DataType::Float16 => {
            let floats = values.as_primitive::<Float16Type>();
            Box::new(|at| !floats.value(at).is_nan())
        }
        other => {
            debug_assert!(!is_float(other));
            Box::new(|_| true)
        }
    }
}
