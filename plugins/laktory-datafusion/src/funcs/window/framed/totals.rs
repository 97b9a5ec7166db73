//! Sums and means of frames.

use datafusion::arrow::datatypes::DataType;
use laktory_core::{Error, ErrorKind, Result};

use super::Place;
use crate::expr::Value;
use crate::funcs::aggregate::{Averaged, floats, sum_type};
use crate::funcs::cast::convert;
use crate::kernel::totals;
use crate::types::{is_float, shown};

/// The sum of each frame; null where it has no value.
pub(super) fn sum(place: &Place<'_>, value: Value) -> Result<Value> {
    if value.dtype == DataType::Null {
        return Ok(value);
    }
    let output = sum_type(&value.dtype).ok_or_else(|| mismatch(place, &value.dtype))?;
    let value = addends(value, &output)?;
    let wide = value.dtype.clone();
    let sums = place.framed(vec![value], wide, |partition| {
        totals::sums(&partition.values[0], &partition.frames, 1)
    });
    convert(sums, &output)
}

/// Values in the type in which sums of a type are computed.
pub(in crate::funcs::window) fn addends(value: Value, output: &DataType) -> Result<Value> {
    let value = match value.dtype {
        DataType::Boolean => convert(value, &DataType::UInt32)?,
        _ => value,
    };
    match output {
        DataType::Duration(_) => convert(value, &DataType::Int64),
        float if is_float(float) => convert(value, &DataType::Float64),
        other => convert(value, other),
    }
}

/// The mean of each frame; null where it has no value.
pub(super) fn average(place: &Place<'_>, value: Value) -> Result<Value> {
    if value.dtype == DataType::Null {
        return convert(value, &DataType::Float64);
    }
    let rule = Averaged::of(&value.dtype).ok_or_else(|| mismatch(place, &value.dtype))?;
    let value = floats(value)?;
    rule.result(place.framed(vec![value], DataType::Float64, |partition| {
        Ok(totals::means(&partition.values[0], &partition.frames, 1))
    }))
}

fn mismatch(place: &Place<'_>, dtype: &DataType) -> Error {
    let name = place.window.func.name().to_uppercase();
    Error::new(
        ErrorKind::TypeMismatch,
        format!("{name} takes numbers, not {}", shown(dtype)),
    )
}
