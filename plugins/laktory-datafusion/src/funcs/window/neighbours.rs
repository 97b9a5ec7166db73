//! Values of rows before and after.

use std::sync::Arc;

use datafusion::arrow::array::{Array, UInt64Array};
use datafusion::arrow::compute::kernels::numeric::sub_wrapping;
use datafusion::arrow::compute::kernels::window::shift as shifted;
use datafusion::arrow::compute::{cast, take};
use datafusion::arrow::datatypes::{DataType, TimeUnit};
use laktory_core::Result;

use super::{along, this};
use crate::error::ResultExt;
use crate::expr::Value;
use crate::funcs::Call;
use crate::funcs::cast::convert;
use crate::types::{is_float, is_integer};

/// The value n rows before.
pub(super) fn shift(call: &Call<'_, '_>) -> Result<Value> {
    let n = call.int("n")?;
    let value = this(call)?;
    let output = value.dtype.clone();
    along(call, format!("shift({n})"), value, output, move |array| {
        shifted(array, n).or_error()
    })
}

/// The type of differences, as Polars gives it, and the type in which they are computed.
fn diff_types(dtype: &DataType) -> Option<(DataType, DataType)> {
    let number = |output: DataType| Some((output.clone(), output));
    let span = |unit: TimeUnit| Some((DataType::Duration(unit), DataType::Int64));
    match dtype {
        DataType::UInt64 | DataType::UInt32 => number(DataType::Int64),
        DataType::UInt16 => number(DataType::Int32),
        DataType::UInt8 => number(DataType::Int16),
        DataType::Decimal32(_, scale)
        | DataType::Decimal64(_, scale)
        | DataType::Decimal128(_, scale) => number(DataType::Decimal128(38, *scale)),
        DataType::Date32 => span(TimeUnit::Microsecond),
        DataType::Timestamp(unit, _) | DataType::Duration(unit) | DataType::Time64(unit) => {
            span(*unit)
        }
        known if is_integer(known) || is_float(known) => number(known.clone()),
        DataType::Null => number(DataType::Null),
        _ => None,
    }
}

/// The difference to the row before.
pub(super) fn diff(call: &Call<'_, '_>) -> Result<Value> {
    let value = this(call)?;
    let (output, computed) = diff_types(&value.dtype).ok_or_else(|| call.mismatch(&value.dtype))?;
    let value = match value.dtype {
        // Days in the unit of the difference.
        DataType::Date32 => convert(value, &DataType::Timestamp(TimeUnit::Microsecond, None))?,
        _ => value,
    };
    let value = convert(value, &computed)?;
    let difference = along(call, "diff", value, computed, move |array| {
        if array.data_type() == &DataType::Null {
            return Ok(Arc::clone(array));
        }
        let difference = sub_wrapping(array, &shifted(array, 1).or_error()?).or_error()?;
        // Differences of decimals get a digit more.
        cast(&difference, array.data_type()).or_error()
    })?;
    convert(difference, &output)
}

/// `fill_null(strategy=...)`: nulls become the value before or after, at most `limit` in a row.
///
/// # Errors
/// `InvalidArgument` for an unknown strategy or a negative limit.
pub(crate) fn fill_null_strategy(call: &Call<'_, '_>) -> Result<Value> {
    let backward = match call.text("strategy")? {
        "forward" => false,
        "backward" => true,
        _ => return Err(call.invalid("`strategy` is `forward` or `backward`")),
    };
    let limit = call.opt_count("limit")?;
    let value = this(call)?;
    let output = value.dtype.clone();
    let name = format!("fill_null({backward},{limit:?})");
    along(call, name, value, output, move |array| {
        let limit = limit.unwrap_or(usize::MAX);
        let length = array.len();
        let nulls = array.logical_nulls();
        let mut sources: Vec<Option<u64>> = vec![None; length];
        let mut known: Option<u64> = None;
        let mut filled = 0;
        for step in 0..length {
            let row = if backward { length - 1 - step } else { step };
            if nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)) {
                known = Some(row as u64);
                filled = 0;
                sources[row] = known;
            } else if filled < limit {
                sources[row] = known;
                filled += 1;
            }
        }
        take(array, &UInt64Array::from(sources), None).or_error()
    })
}
