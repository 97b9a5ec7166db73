//! One value of many, and the functions that leave some of the many out. Groups and partitions are frames of their own
//! here, so that an aggregate knows nothing of them.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, RecordBatch, UInt32Array,
    UInt64Array, new_null_array,
};
use arrow::compute::{filter, is_not_null, sum, sum_checked, take};
use arrow::datatypes::{DataType, Float64Type, Int64Type, UInt64Type};
use laktory_core::{Func, Result, SortKey};

use super::{Call, FULL, NUMBERS, Row};
use crate::batch::{Key, groups_of, keyed, keys};
use crate::cast::convert;
use crate::error::OrError;
use crate::expr::{Column, Value, holding, ordered, truth};
use crate::types::{is_float, is_number};

pub(super) const ROWS: &[Row] = &[
    (Func::Len, FULL, |_| {
        Ok(Value::new(DataType::UInt32, |rows| {
            Ok(Column::One(counted(rows.num_rows())))
        }))
    }),
    (Func::LenOf, FULL, |call| {
        folded(call.receiver()?, DataType::UInt32, |array| {
            Ok(counted(array.len()))
        })
    }),
    (Func::Count, FULL, |call| {
        folded(call.receiver()?, DataType::UInt32, |array| {
            Ok(counted(array.len() - array.logical_null_count()))
        })
    }),
    (Func::NullCount, FULL, |call| {
        folded(call.receiver()?, DataType::UInt32, |array| {
            Ok(counted(array.logical_null_count()))
        })
    }),
    (Func::NUnique, FULL, |call| {
        folded(keyed(call.receiver()?)?, DataType::UInt32, |array| {
            Ok(counted(
                groups_of(&keys(std::slice::from_ref(array))?).len(),
            ))
        })
    }),
    (Func::Sum, NUMBERS, |call| {
        total(call, call.receiver()?, true)
    }),
    (Func::ExactSum, NUMBERS, |call| {
        total(call, call.receiver()?, true)
    }),
    (Func::SqlSum, NUMBERS, |call| {
        total(call, call.value("x")?, false)
    }),
    (Func::Mean, NUMBERS, |call| {
        moment(call, |values| {
            #[allow(clippy::cast_precision_loss, reason = "a number of rows")]
            let count = values.len() as f64;
            (!values.is_empty()).then(|| values.iter().sum::<f64>() / count)
        })
    }),
    (Func::Median, NUMBERS, |call| moment(call, median)),
    (Func::Var, NUMBERS, |call| {
        let ddof = call.ddof()?;
        moment(call, move |values| variance(values, ddof))
    }),
    (Func::Std, NUMBERS, |call| {
        let ddof = call.ddof()?;
        moment(call, move |values| variance(values, ddof).map(f64::sqrt))
    }),
    (Func::Min, FULL, |call| extreme(call, Ordering::Less)),
    (Func::Max, FULL, |call| extreme(call, Ordering::Greater)),
    (Func::SqlMax, FULL, sql_max),
    (Func::Any, FULL, |call| {
        judged(call, |mut values| values.any(|value| value == Some(true)))
    }),
    (Func::All, FULL, |call| {
        judged(call, |mut values| values.all(|value| value != Some(false)))
    }),
    (Func::AnyValue, FULL, |call| {
        let skip = call.flag("ignore_nulls")?;
        let value = call.receiver()?;
        let dtype = value.dtype.clone();
        folded(value, dtype, move |array| {
            let at = (0..array.len()).find(|at| !skip || array.is_valid(*at));
            at_position(array, at)
        })
    }),
    (Func::First, FULL, |call| end(call, false)),
    (Func::Last, FULL, |call| end(call, true)),
    (Func::Filter, FULL, |call| {
        let value = call.receiver()?;
        let predicates = call
            .values("predicates")?
            .into_iter()
            .map(|predicate| truth(predicate, "a predicate"))
            .collect::<Result<Vec<_>>>()?;
        let dtype = value.dtype.clone();
        Ok(Value::new(dtype, move |rows| {
            let mut values = value.column(rows)?;
            let mut masks = predicates
                .iter()
                .map(|predicate| predicate.column(rows))
                .collect::<Result<Vec<_>>>()?;
            while let Some(mask) = masks.pop() {
                let mask = holding(mask.as_boolean());
                values = filter(&values, &mask).or_error()?;
                for other in &mut masks {
                    *other = filter(other, &mask).or_error()?;
                }
            }
            Ok(Column::Each(values))
        }))
    }),
    (Func::DropNulls, FULL, |call| {
        reduced(call.receiver()?, |array| {
            filter(array, &is_not_null(array).or_error()?).or_error()
        })
    }),
    (Func::Unique, FULL, |call| {
        reduced(keyed(call.receiver()?)?, |array| {
            let groups = groups_of(&keys(std::slice::from_ref(array))?);
            let firsts = groups.iter().map(|group| group[0] as u64);
            take(array, &UInt64Array::from_iter_values(firsts), None).or_error()
        })
    }),
];

fn counted(count: usize) -> ArrayRef {
    Arc::new(UInt32Array::from(vec![
        u32::try_from(count).unwrap_or(u32::MAX),
    ]))
}

/// One value of all values.
fn folded(
    value: Value,
    dtype: DataType,
    fold: impl Fn(&ArrayRef) -> Result<ArrayRef> + Send + Sync + 'static,
) -> Result<Value> {
    Ok(Value::new(dtype, move |rows| {
        Ok(Column::One(fold(&value.values(rows)?)?))
    }))
}

/// Some of the values.
fn reduced(
    value: Value,
    reduce: impl Fn(&ArrayRef) -> Result<ArrayRef> + Send + Sync + 'static,
) -> Result<Value> {
    let dtype = value.dtype.clone();
    Ok(Value::new(dtype, move |rows| {
        Ok(Column::Each(reduce(&value.values(rows)?)?))
    }))
}

/// A sum in 64 bits, which wraps. Of nothing it is 0, or null as in SQL.
fn total(call: &Call<'_, '_>, value: Value, zero: bool) -> Result<Value> {
    let dtype = match &value.dtype {
        DataType::Null | DataType::Boolean => DataType::Int64,
        dtype if is_float(dtype) => dtype.clone(),
        dtype if dtype.is_unsigned_integer() => DataType::UInt64,
        dtype if dtype.is_integer() => DataType::Int64,
        dtype => return Err(call.mismatch(dtype)),
    };
    let output = dtype.clone();
    let wide = if is_float(&dtype) {
        DataType::Float64
    } else {
        dtype.clone()
    };
    folded(convert(value, &wide)?, dtype, move |array| {
        let total: ArrayRef = match array.data_type() {
            DataType::Int64 => {
                let total = sum_checked(array.as_primitive::<Int64Type>()).or_error()?;
                Arc::new(Int64Array::from(vec![total.or(zero.then_some(0))]))
            }
            DataType::UInt64 => {
                let total = sum(array.as_primitive::<UInt64Type>());
                Arc::new(UInt64Array::from(vec![total.or(zero.then_some(0))]))
            }
            _ => {
                let total = sum(array.as_primitive::<Float64Type>());
                Arc::new(Float64Array::from(vec![total.or(zero.then_some(0.0))]))
            }
        };
        arrow::compute::cast(&total, &output).or_error()
    })
}

/// A float computed of the numbers that are not null.
fn moment(
    call: &Call<'_, '_>,
    compute: impl Fn(&[f64]) -> Option<f64> + Send + Sync + 'static,
) -> Result<Value> {
    let value = call.receiver()?;
    match &value.dtype {
        DataType::Null | DataType::Boolean => {}
        dtype if is_number(dtype) => {}
        dtype => return Err(call.mismatch(dtype)),
    }
    let value = convert(value, &DataType::Float64)?;
    folded(value, DataType::Float64, move |array| {
        let values: Vec<f64> = array
            .as_primitive::<Float64Type>()
            .iter()
            .flatten()
            .collect();
        Ok(Arc::new(Float64Array::from(vec![compute(&values)])))
    })
}

fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(sorted[middle]),
        _ => Some(f64::midpoint(sorted[middle - 1], sorted[middle])),
    }
}

#[allow(clippy::cast_precision_loss, reason = "a number of rows")]
fn variance(values: &[f64], ddof: u8) -> Option<f64> {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (values.len() > usize::from(ddof)).then(|| squares / (count - f64::from(ddof)))
}

/// The smallest or greatest value. Null is skipped, and NaN where there is anything else.
fn extreme(call: &Call<'_, '_>, wanted: Ordering) -> Result<Value> {
    let value = call.receiver()?;
    let dtype = value.dtype.clone();
    if dtype.is_nested() {
        return Err(call.mismatch(&dtype));
    }
    folded(value, dtype, move |array| {
        let nulls = array.logical_nulls();
        let nan = nan(array)?;
        let known: Vec<usize> = (0..array.len())
            .filter(|at| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(*at)))
            .collect();
        let numbers: Vec<usize> = known.iter().copied().filter(|at| !nan[*at]).collect();
        let rows = keys(std::slice::from_ref(array))?;
        let found = numbers.into_iter().reduce(|best, at| {
            let better = rows.row(at).cmp(&rows.row(best)) == wanted;
            if better { at } else { best }
        });
        at_position(array, found.or_else(|| known.first().copied()))
    })
}

/// The greatest value; NaN is greater than all.
fn sql_max(call: &Call<'_, '_>) -> Result<Value> {
    let value = call.value("x")?;
    let dtype = value.dtype.clone();
    folded(value, dtype, move |array| {
        let nulls = array.logical_nulls();
        let nan = nan(array)?;
        let rows = keys(std::slice::from_ref(array))?;
        let known =
            (0..array.len()).filter(|at| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(*at)));
        let found = known.reduce(|best, at| {
            let better = (nan[at], rows.row(at)) > (nan[best], rows.row(best));
            if better { at } else { best }
        });
        at_position(array, found)
    })
}

/// Which values are NaN.
pub(crate) fn nan(array: &ArrayRef) -> Result<Vec<bool>> {
    if !is_float(array.data_type()) {
        return Ok(vec![false; array.len()]);
    }
    let floats = arrow::compute::cast(array, &DataType::Float64).or_error()?;
    let floats = floats.as_primitive::<Float64Type>();
    Ok(floats
        .iter()
        .map(|value| value.is_some_and(f64::is_nan))
        .collect())
}

/// The value at a position, or null.
fn at_position(array: &ArrayRef, position: Option<usize>) -> Result<ArrayRef> {
    match position {
        Some(at) => Ok(array.slice(at, 1)),
        None => Ok(new_null_array(array.data_type(), 1)),
    }
}

/// A truth value of truth values; a number is true unless it is zero.
fn judged(call: &Call<'_, '_>, judge: fn(arrow::array::BooleanIter<'_>) -> bool) -> Result<Value> {
    let value = truths(call, call.receiver()?)?;
    folded(value, DataType::Boolean, move |array| {
        let judged = judge(array.as_boolean().iter());
        Ok(Arc::new(BooleanArray::from(vec![judged])))
    })
}

/// A value as a truth value, where numbers are true unless they are zero.
pub(super) fn truths(call: &Call<'_, '_>, value: Value) -> Result<Value> {
    if is_number(&value.dtype) {
        return convert(value, &DataType::Boolean);
    }
    truth(value, &format!("a value of `{}`", call.func().def().path))
}

/// The first or last value, in the order of other values or of the rows.
fn end(call: &Call<'_, '_>, last: bool) -> Result<Value> {
    let value = call.receiver()?;
    let by = call
        .exprs("order_by")?
        .into_iter()
        .map(|expr| {
            let key = SortKey::ascending(expr.into_owned());
            Key::new(call.lower.lower(&key.expr)?, &key)
        })
        .collect::<Result<Vec<_>>>()?;
    let dtype = value.dtype.clone();
    Ok(Value::new(dtype, move |rows: &RecordBatch| {
        let array = ordered(&value, rows, &by)?;
        let at = if last {
            array.len().checked_sub(1)
        } else {
            (!array.is_empty()).then_some(0)
        };
        Ok(Column::One(at_position(&array, at)?))
    }))
}
