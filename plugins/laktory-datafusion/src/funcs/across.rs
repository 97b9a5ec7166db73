//! Functions across columns: sums, means, extremes, and truth values joined.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, Float64Array};
use datafusion::arrow::datatypes::{DataType, Float64Type};
use datafusion::common::ScalarValue;
use datafusion::functions::core::expr_fn::{coalesce, greatest, least};
use datafusion::functions::math::expr_fn::isnan;
use datafusion::logical_expr::{Expr as PlanExpr, Operator, cast, lit, when};
use laktory_core::{Func, Result, typing};

use super::cast::{common_type, convert};
use super::logic::binary;
use super::numeric::canonical;
use super::{Call, FULL, Row, truth};
use crate::error::ResultExt;
use crate::expr::Value;
use crate::kernel::kernel;
use crate::types::{is_float, is_integer, is_number};

pub(super) const ROWS: &[Row] = &[
    (Func::SumHorizontal, FULL, sum_horizontal),
    (Func::MeanHorizontal, FULL, mean_horizontal),
    (Func::MinHorizontal, FULL, |call| extreme(call, least)),
    (Func::MaxHorizontal, FULL, |call| extreme(call, greatest)),
    (Func::SqlGreatest, FULL, |call| {
        let (values, dtype) = comparable_values(call)?;
        // To the engine a NaN with a sign is less than all numbers.
        let canonical = |expr| {
            let dtype = dtype.clone();
            canonical(Value { expr, dtype }).expr
        };
        Ok(Value {
            expr: greatest(values.into_iter().map(canonical).collect()),
            dtype,
        })
    }),
    (Func::AllHorizontal, FULL, |call| {
        across(call, Operator::And, true)
    }),
    (Func::AnyHorizontal, FULL, |call| {
        across(call, Operator::Or, false)
    }),
];

fn numbers(call: &Call<'_, '_>) -> Result<(Vec<Value>, DataType)> {
    let values = call.values("exprs")?;
    for value in &values {
        if !is_number(&value.dtype)
            && !matches!(
                value.dtype,
                DataType::Boolean | DataType::Null | DataType::Duration(_)
            )
        {
            return Err(call.mismatch(&value.dtype));
        }
    }
    let dtype = match common_type(values.iter())? {
        DataType::Boolean => DataType::UInt32,
        DataType::Null => DataType::Int64,
        other => other,
    };
    let values = values
        .into_iter()
        .map(|value| convert(value, &dtype))
        .collect::<Result<_>>()?;
    Ok((values, dtype))
}

fn sum_horizontal(call: &Call<'_, '_>) -> Result<Value> {
    let (values, dtype) = numbers(call)?;
    let zero = match &dtype {
        DataType::Duration(_) => Value::constant(ScalarValue::new_zero(&dtype).or_error()?),
        _ => convert(Value::constant(ScalarValue::Int32(Some(0))), &dtype)?,
    };
    let mut sum: Option<PlanExpr> = None;
    for value in values {
        let next = coalesce(vec![value.expr, zero.expr.clone()]);
        sum = Some(match sum {
            Some(sum) => binary(sum, Operator::Plus, next),
            None => next,
        });
    }
    let expr = sum.unwrap_or(zero.expr);
    // Decimals gain a digit with each sum.
    Ok(Value {
        expr: if crate::types::is_decimal(&dtype) {
            cast(expr, dtype.clone())
        } else {
            expr
        },
        dtype,
    })
}

fn mean_horizontal(call: &Call<'_, '_>) -> Result<Value> {
    let (values, dtype) = numbers(call)?;
    let output = if dtype == DataType::Float32 {
        DataType::Float32
    } else {
        DataType::Float64
    };
    let args = values
        .into_iter()
        .map(|value| convert(value, &DataType::Float64))
        .collect::<Result<Vec<_>>>()?;
    let to = output.clone();
    Ok(kernel("mean_horizontal", args, output, move |args| {
        let columns: Vec<&Float64Array> = args
            .iter()
            .map(|array| array.as_primitive::<Float64Type>())
            .collect();
        let rows = columns.first().map_or(0, |column| column.len());
        let out: Float64Array = (0..rows)
            .map(|row| {
                let known = columns
                    .iter()
                    .filter(|column| datafusion::arrow::array::Array::is_valid(**column, row));
                let (sum, count) = known.fold((0.0, 0.0), |(sum, count), column| {
                    (sum + column.value(row), count + 1.0)
                });
                (count > 0.0).then_some(sum / count)
            })
            .collect();
        datafusion::arrow::compute::cast(&(Arc::new(out) as ArrayRef), &to).or_error()
    }))
}

/// The values across which one is the greatest or the least, in their common type.
fn comparable_values(call: &Call<'_, '_>) -> Result<(Vec<PlanExpr>, DataType)> {
    let values = call.values("exprs")?;
    let dtype = common_type(values.iter())?;
    // Times have texts, but no order among them.
    let temporal = values.iter().find(|value| value.dtype.is_temporal());
    if let Some(value) = temporal.filter(|_| !dtype.is_temporal()) {
        return Err(call.mismatch(&value.dtype));
    }
    let values = values
        .into_iter()
        .map(|value| Ok(convert(value, &dtype)?.expr))
        .collect::<Result<Vec<_>>>()?;
    Ok((values, dtype))
}

/// The smallest or greatest across columns; null and NaN are skipped, unless there is nothing else.
fn extreme(call: &Call<'_, '_>, pick: fn(Vec<PlanExpr>) -> PlanExpr) -> Result<Value> {
    let (values, dtype) = comparable_values(call)?;
    if dtype == DataType::Null {
        return Value::null(&dtype);
    }
    if !is_float(&dtype) {
        return Ok(Value {
            expr: pick(values),
            dtype,
        });
    }
    let known = values
        .iter()
        .map(|value| {
            let number = PlanExpr::Not(Box::new(isnan(value.clone())));
            when(number, value.clone()).end().or_error()
        })
        .collect::<Result<Vec<_>>>()?;
    let mut candidates = vec![pick(known)];
    candidates.extend(values);
    Ok(Value {
        expr: coalesce(candidates),
        dtype,
    })
}

/// Truth values joined across columns; a number is true unless it is zero, as in Polars.
fn across(call: &Call<'_, '_>, op: Operator, neutral: bool) -> Result<Value> {
    let ignore = call.flag("ignore_nulls")?;
    let mut all: Option<PlanExpr> = None;
    for value in call.values("exprs")? {
        let mut next = if is_integer(&value.dtype) {
            let zero = convert(Value::constant(ScalarValue::Int32(Some(0))), &value.dtype)?;
            binary(value.expr, Operator::NotEq, zero.expr)
        } else {
            let what = format!("a value of `{}`", typing::shown(call.func()));
            truth(value, &what)?
        };
        if ignore {
            next = coalesce(vec![next, lit(neutral)]);
        }
        all = Some(match all {
            Some(all) => binary(all, op, next),
            None => next,
        });
    }
    all.map(Value::boolean)
        .ok_or_else(|| call.invalid("at least one expression is needed"))
}
