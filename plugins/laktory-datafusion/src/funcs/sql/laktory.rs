//! The functions of the `laktory` namespace.

use std::sync::Arc;
use std::time::UNIX_EPOCH;

use datafusion::arrow::array::Float64Array;
use datafusion::arrow::compute::kernels::arity::binary;
use datafusion::arrow::datatypes::{DataType, Float64Type};
use datafusion::common::ScalarValue;
use laktory_core::semantics::units::conversion;
use laktory_core::{Error, Result};

use crate::error::ResultExt;
use crate::expr::Value;
use crate::funcs::{Call, arrays};
use crate::kernel::kernel;
use crate::types::is_number;

/// A value that must be a number; a null of no type becomes a float.
fn number(call: &Call<'_, '_>, value: Value) -> Result<Value> {
    match &value.dtype {
        DataType::Null => Value::null(&DataType::Float64),
        dtype if is_number(dtype) => Ok(value),
        other => Err(call.mismatch(other)),
    }
}

/// `laktory.roundp`: the nearest multiple, of two the even one.
pub(super) fn round_p(call: &Call<'_, '_>) -> Result<Value> {
    let this = number(call, call.receiver()?)?;
    let p = number(call, call.value("p")?)?;
    Ok(kernel(
        "roundp",
        vec![this, p],
        DataType::Float64,
        |arrays| {
            let (x, p) = (arrays::floats(&arrays[0])?, arrays::floats(&arrays[1])?);
            let out: Float64Array =
                binary(&x, &p, |x, p| (x / p).round_ties_even() * p).or_error()?;
            Ok(Arc::new(out))
        },
    ))
}

/// `laktory.convert_units`.
pub(super) fn convert_units(call: &Call<'_, '_>) -> Result<Value> {
    let (from, to) = (call.text("input_unit")?, call.text("output_unit")?);
    let conversion = conversion(from, to)?;
    let this = number(call, call.receiver()?)?;
    Ok(kernel(
        format!("convert_units({from}, {to})"),
        vec![this],
        DataType::Float64,
        move |arrays| {
            let values = arrays::floats(&arrays[0])?;
            Ok(Arc::new(
                values.unary::<_, Float64Type>(|value| conversion.apply(value)),
            ))
        },
    ))
}

/// `laktory.current_timestamp`: when the run began.
pub(super) fn current_timestamp(call: &Call<'_, '_>) -> Result<Value> {
    let since = call
        .lower
        .cx
        .started()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let value =
        i64::try_from(since.as_micros()).map_err(|_| Error::internal("the clock is far off"))?;
    Ok(Value::constant(ScalarValue::TimestampMicrosecond(
        Some(value),
        Some("UTC".into()),
    )))
}
