//! Sums, means and truth values over many rows.

use std::sync::Arc;

use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::{DataType, Float64Type, Int64Type, TimeUnit};
use datafusion::common::ScalarValue;
use datafusion::functions::core::expr_fn::coalesce;
use datafusion::functions_aggregate::average::avg_udaf;
use datafusion::functions_aggregate::bool_and_or::{bool_and_udaf, bool_or_udaf};
use datafusion::functions_aggregate::sum::sum_udaf;
use datafusion::logical_expr::{Expr as PlanExpr, lit};
use laktory_core::{Error, ErrorKind, Result};

use super::over::{Over, of, this};
use crate::error::ResultExt;
use crate::expr::Value;
use crate::funcs::Call;
use crate::funcs::cast::convert;
use crate::funcs::exact::{decimal_sum, exact_sum};
use crate::kernel::kernel;
use crate::types::{is_decimal, is_float, is_integer, shown};

/// The sum; 0 when there is nothing to add.
pub(super) fn sum(call: &Call<'_, '_>) -> Result<Value> {
    let (value, over) = this(call)?;
    if value.dtype == DataType::Null {
        return Ok(over.nothing(value));
    }
    let dtype = value.dtype.clone();
    or_zero(total(&over, value)?.ok_or_else(|| call.mismatch(&dtype))?)
}

/// A sum, or 0 where there was nothing to add.
pub(in crate::funcs) fn or_zero(total: Value) -> Result<Value> {
    let zero = Value::constant(ScalarValue::new_zero(&total.dtype).or_error()?);
    Ok(total.map(|expr| coalesce(vec![expr, zero.expr])))
}

/// The sum; null when there is nothing to add.
pub(super) fn sql_sum(call: &Call<'_, '_>) -> Result<Value> {
    let (value, over) = of(call, || call.value("x"))?;
    if value.dtype == DataType::Null {
        return Ok(over.nothing(value));
    }
    match value.dtype {
        DataType::Int64 => exact_sum(&over, value),
        _ => {
            let dtype = value.dtype.clone();
            total(&over, value)?.ok_or_else(|| call.mismatch(&dtype))
        }
    }
}

/// The sum of a column over the rows of a group that satisfy a condition; 0 when there is nothing to add.
///
/// # Errors
/// `TypeMismatch` for a column that is not added up.
pub(crate) fn sum_where(condition: PlanExpr, value: Value) -> Result<Value> {
    let over = Over::group_where(condition);
    let sum = match &value.dtype {
        DataType::Decimal128(..) => decimal_sum(&over, value)?,
        DataType::UInt64 => {
            let sum = decimal_sum(&over, convert(value, &DataType::Decimal128(20, 0))?)?;
            convert(sum, &DataType::UInt64)?
        }
        number if is_integer(number) => exact_sum(&over, value)?,
        other => {
            let message = format!("`pivot`: values of type {} are not added up", shown(other));
            total(&over, value)?.ok_or_else(|| Error::new(ErrorKind::TypeMismatch, message))?
        }
    };
    or_zero(sum)
}

/// The type of sums of a type ([`laktory_core::typing`]).
pub(in crate::funcs) fn sum_type(dtype: &DataType) -> Option<DataType> {
    Some(match dtype {
        DataType::UInt64 => DataType::UInt64,
        number if is_integer(number) => DataType::Int64,
        DataType::Boolean => DataType::Int64,
        DataType::Duration(_) => dtype.clone(),
        DataType::Decimal32(_, scale)
        | DataType::Decimal64(_, scale)
        | DataType::Decimal128(_, scale) => DataType::Decimal128(38, *scale),
        number if is_float(number) || is_decimal(number) => number.clone(),
        _ => return None,
    })
}

/// The sum in the type of sums, null when there is nothing to add; none for what is not added up.
fn total(over: &Over<'_>, value: Value) -> Result<Option<Value>> {
    let Some(output) = sum_type(&value.dtype) else {
        return Ok(None);
    };
    // The types in which the engine adds.
    let wide = match &output {
        DataType::UInt64 => DataType::UInt64,
        DataType::Duration(_) => DataType::Int64,
        number if is_integer(number) => DataType::Int64,
        number if is_float(number) => DataType::Float64,
        other => other.clone(),
    };
    let value = if value.dtype == DataType::Boolean {
        convert(value, &DataType::UInt32)?
    } else {
        value
    };
    let value = convert(value, &wide)?;
    convert(over.call(sum_udaf(), vec![value], wide), &output).map(Some)
}

/// What a mean, median or quantile of values of a type is, as Polars gives it, and how values become floats and back.
pub(in crate::funcs) struct Averaged {
    /// The type of the result.
    output: DataType,
    /// Floats of the input are multiplied by this on the way to the result.
    factor: f64,
}

impl Averaged {
    /// The rule for a type, if there is one.
    pub(in crate::funcs) fn of(dtype: &DataType) -> Option<Self> {
        let output = match dtype {
            DataType::Null | DataType::Boolean | DataType::Float64 => DataType::Float64,
            DataType::Float16 | DataType::Float32 => dtype.clone(),
            DataType::Date32 => DataType::Timestamp(TimeUnit::Microsecond, None),
            DataType::Timestamp(..) | DataType::Duration(_) | DataType::Time64(_) => dtype.clone(),
            number if is_integer(number) || is_decimal(number) => DataType::Float64,
            _ => return None,
        };
        let factor = if *dtype == DataType::Date32 {
            86_400_000_000.0
        } else {
            1.0
        };
        Some(Self { output, factor })
    }

    /// A float that was computed of such values, as the result.
    pub(in crate::funcs) fn result(&self, value: Value) -> Result<Value> {
        if is_float(&self.output) {
            return convert(value, &self.output);
        }
        let factor = self.factor;
        #[allow(clippy::cast_possible_truncation, reason = "toward zero, as Polars")]
        let whole = kernel(
            format!("whole({factor})"),
            vec![value],
            DataType::Int64,
            move |args| {
                Ok(Arc::new(
                    args[0]
                        .as_primitive::<Float64Type>()
                        .unary::<_, Int64Type>(|value| (value * factor) as i64),
                ))
            },
        );
        convert(whole, &self.output)
    }
}

/// Numbers, truth values and times as 64-bit floats.
pub(in crate::funcs) fn floats(value: Value) -> Result<Value> {
    let value = match value.dtype {
        DataType::Date32 => convert(value, &DataType::Int32)?,
        DataType::Timestamp(..) | DataType::Duration(_) | DataType::Time64(_) => {
            convert(value, &DataType::Int64)?
        }
        _ => value,
    };
    convert(value, &DataType::Float64)
}

/// The arithmetic mean.
pub(super) fn mean(call: &Call<'_, '_>) -> Result<Value> {
    let (value, over) = this(call)?;
    if value.dtype == DataType::Null {
        return Ok(over.nothing(value));
    }
    let rule = Averaged::of(&value.dtype).ok_or_else(|| call.mismatch(&value.dtype))?;
    let value = floats(value)?;
    rule.result(over.call(avg_udaf(), vec![value], DataType::Float64))
}

fn truths(call: &Call<'_, '_>, value: Value) -> Result<Value> {
    match &value.dtype {
        DataType::Boolean => Ok(value),
        DataType::Null => convert(value, &DataType::Boolean),
        number if is_integer(number) || is_float(number) => {
            let zero = Value::constant(ScalarValue::new_zero(number).or_error()?);
            Ok(Value::boolean(value.expr.not_eq(zero.expr)))
        }
        other => Err(call.mismatch(other)),
    }
}

/// Whether one value is true.
pub(super) fn any(call: &Call<'_, '_>) -> Result<Value> {
    let (value, over) = this(call)?;
    let value = truths(call, value)?;
    let any = over.call(bool_or_udaf(), vec![value], DataType::Boolean);
    Ok(any.map(|expr| coalesce(vec![expr, lit(false)])))
}

/// Whether every value is true.
pub(super) fn all(call: &Call<'_, '_>) -> Result<Value> {
    let (value, over) = this(call)?;
    let value = truths(call, value)?;
    let all = over.call(bool_and_udaf(), vec![value], DataType::Boolean);
    Ok(all.map(|expr| coalesce(vec![expr, lit(true)])))
}
