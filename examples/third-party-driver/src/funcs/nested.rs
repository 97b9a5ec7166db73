//! Parts of structs and lists, and the least and greatest of several columns.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array, UInt64Array, make_array};
use arrow::compute::{interleave, take};
use arrow::datatypes::{DataType, Float64Type};
use laktory_core::{Error, ErrorKind, Func, Result};

use super::aggregate::nan;
use super::{Call, FULL, NUMBERS, Row};
use crate::batch::{keyed, keys, stacked};
use crate::cast::convert;
use crate::error::OrError;
use crate::expr::{Value, kernel};
use crate::types::common;

pub(super) const ROWS: &[Row] = &[
    (Func::StructField, FULL, field),
    (Func::ListLen, FULL, |call| {
        let (value, _) = list(call)?;
        Ok(kernel(vec![value], DataType::Int64, |arrays| {
            let lists = arrays[0].as_list::<i64>();
            let lengths = (0..lists.len()).map(|row| {
                let known = lists.is_valid(row);
                known.then(|| lists.value_length(row))
            });
            Ok(Arc::new(lengths.collect::<Int64Array>()))
        }))
    }),
    (Func::ListGet, FULL, |call| {
        let index = usize::try_from(call.int("index")?).map_err(|_| {
            let message = "`list.get` takes an index from 0 on";
            Error::new(ErrorKind::OutOfBounds, message)
        })?;
        let (value, element) = list(call)?;
        Ok(kernel(vec![value], element, move |arrays| {
            let lists = arrays[0].as_list::<i64>();
            let places = (0..lists.len()).map(|row| {
                let within = lists.is_valid(row) && index < offset(lists.value_length(row));
                within.then(|| (offset(lists.value_offsets()[row]) + index) as u64)
            });
            let places: UInt64Array = places.collect();
            take(lists.values(), &places, None).or_error()
        }))
    }),
    (Func::MinHorizontal, FULL, |call| {
        extreme(call, Ordering::Less)
    }),
    (Func::MaxHorizontal, FULL, |call| {
        extreme(call, Ordering::Greater)
    }),
    (Func::SqlGreatest, FULL, |call| {
        found(call, Ordering::Greater, true)
    }),
    (Func::MeanHorizontal, NUMBERS, |call| {
        let values = call.values("exprs")?.into_iter();
        let args = values
            .map(|value| convert(super::numeric::numeric(call, value)?, &DataType::Float64))
            .collect::<Result<Vec<_>>>()?;
        Ok(kernel(args, DataType::Float64, |arrays| {
            let columns: Vec<&Float64Array> = arrays
                .iter()
                .map(|array| array.as_primitive::<Float64Type>())
                .collect();
            let rows = columns.first().map_or(0, |column| column.len());
            let means = (0..rows).map(|row| {
                let known = columns.iter().filter(|column| column.is_valid(row));
                let (sum, count) = known.fold((0.0, 0_u32), |(sum, count), column| {
                    (sum + column.value(row), count + 1)
                });
                (count > 0).then(|| sum / f64::from(count))
            });
            Ok(Arc::new(means.collect::<Float64Array>()))
        }))
    }),
];

fn offset(at: i64) -> usize {
    usize::try_from(at).unwrap_or(0)
}

/// A field of a struct; null where the struct is.
fn field(call: &Call<'_, '_>) -> Result<Value> {
    let (value, name) = (call.receiver()?, call.text("name")?);
    let DataType::Struct(fields) = &value.dtype else {
        return Err(call.mismatch(&value.dtype));
    };
    let Some((at, field)) = fields.find(name) else {
        let known: Vec<&str> = fields.iter().map(|field| field.name().as_str()).collect();
        let message = format!("the struct has no field `{name}`");
        return Err(Error::new(ErrorKind::FieldNotFound, message)
            .with_hint(format!("its fields: {}", known.join(", "))));
    };
    let dtype = field.data_type().clone();
    Ok(kernel(vec![value], dtype, move |arrays| {
        let structs = arrays[0].as_struct();
        let column = structs.column(at);
        let nulls = arrow::buffer::NullBuffer::union(structs.nulls(), column.nulls());
        let data = column.to_data().into_builder().nulls(nulls);
        Ok(make_array(data.build().or_error()?))
    }))
}

/// A value that must be a list, and the type of its elements.
fn list(call: &Call<'_, '_>) -> Result<(Value, DataType)> {
    let value = call.receiver()?;
    match &value.dtype {
        DataType::LargeList(element) => {
            let element = element.data_type().clone();
            Ok((value, element))
        }
        other => Err(call.mismatch(other)),
    }
}

/// The least or greatest of the values of a row. Null is passed over, and NaN where there is anything else.
fn extreme(call: &Call<'_, '_>, wanted: Ordering) -> Result<Value> {
    found(call, wanted, false)
}

/// The same, where NaN may be the greatest.
fn found(call: &Call<'_, '_>, wanted: Ordering, nan_greatest: bool) -> Result<Value> {
    let values = call.values("exprs")?;
    let dtype = common(&values)?;
    let args = values
        .into_iter()
        .map(|value| keyed(convert(value, &dtype)?))
        .collect::<Result<Vec<_>>>()?;
    let output = dtype.clone();
    Ok(kernel(args, dtype, move |arrays: &[ArrayRef]| {
        let rows = arrays.first().map_or(0, |array| array.len());
        // Keys of one conversion compare with each other.
        let all = stacked(arrays, &output)?;
        let (order, nan, nulls) = (
            keys(std::slice::from_ref(&all))?,
            nan(&all)?,
            all.logical_nulls(),
        );
        let known = |at: usize| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(at));
        let chosen: Vec<(usize, usize)> = (0..rows)
            .map(|row| {
                let at = |column: usize| column * rows + row;
                let best = (0..arrays.len())
                    .filter(|column| known(at(*column)))
                    .reduce(|best, next| {
                        let (a, b) = (at(next), at(best));
                        let better = match (nan[a], nan[b]) {
                            (false, false) => order.row(a).cmp(&order.row(b)) == wanted,
                            (next, best) => (next != best) && next == nan_greatest,
                        };
                        if better { next } else { best }
                    });
                (best.unwrap_or(0), row)
            })
            .collect();
        let columns: Vec<&dyn Array> = arrays.iter().map(AsRef::as_ref).collect();
        interleave(&columns, &chosen).or_error()
    }))
}
