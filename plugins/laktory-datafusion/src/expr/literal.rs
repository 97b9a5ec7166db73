//! Constants, with the types that Narwhals on Polars gives them.

use std::sync::Arc;

use datafusion::common::ScalarValue;
use laktory_core::{Error, ErrorKind, Result, Scalar, TimeUnit};

use super::Value;
use crate::error::ResultExt;

/// A constant as a value of the engine.
///
/// # Errors
/// `Unsupported` for lists of values that share no type.
pub(crate) fn literal(value: &Scalar) -> Result<Value> {
    Ok(Value::constant(scalar(value)?))
}

/// A constant of the engine. Integers take 32 bits when they fit, as Polars gives them; see
/// [`crate::funcs::numeric`] for how they bend to the type of the column beside them.
pub(crate) fn scalar(value: &Scalar) -> Result<ScalarValue> {
    Ok(match value {
        Scalar::Null => ScalarValue::Null,
        Scalar::Bool(value) => ScalarValue::Boolean(Some(*value)),
        Scalar::Int(value) => match (i32::try_from(*value), i64::try_from(*value)) {
            (Ok(value), _) => ScalarValue::Int32(Some(value)),
            (_, Ok(value)) => ScalarValue::Int64(Some(value)),
            _ => match u64::try_from(*value) {
                Ok(value) => ScalarValue::UInt64(Some(value)),
                Err(_) => ScalarValue::Decimal128(Some(*value), 38, 0),
            },
        },
        Scalar::Float(value) => ScalarValue::Float64(Some(*value)),
        Scalar::Str(value) => ScalarValue::Utf8View(Some(value.clone())),
        Scalar::Bytes(value) => ScalarValue::BinaryView(Some(value.clone())),
        Scalar::Date(value) => ScalarValue::Date32(Some(*value)),
        Scalar::Time(value) => ScalarValue::Time64Nanosecond(Some(*value)),
        Scalar::Datetime { value, unit, zone } => {
            let zone = zone.as_deref().map(Arc::from);
            match unit {
                // Seconds are held in milliseconds, the coarsest unit of Polars.
                TimeUnit::Second => {
                    ScalarValue::TimestampMillisecond(Some(thousand(*value)?), zone)
                }
                TimeUnit::Millisecond => ScalarValue::TimestampMillisecond(Some(*value), zone),
                TimeUnit::Microsecond => ScalarValue::TimestampMicrosecond(Some(*value), zone),
                TimeUnit::Nanosecond => ScalarValue::TimestampNanosecond(Some(*value), zone),
            }
        }
        Scalar::Duration { value, unit } => match unit {
            TimeUnit::Second => ScalarValue::DurationMillisecond(Some(thousand(*value)?)),
            TimeUnit::Millisecond => ScalarValue::DurationMillisecond(Some(*value)),
            TimeUnit::Microsecond => ScalarValue::DurationMicrosecond(Some(*value)),
            TimeUnit::Nanosecond => ScalarValue::DurationNanosecond(Some(*value)),
        },
        Scalar::List(values) => list(values)?,
        _ => return Err(Error::unsupported("this kind of constant")),
    })
}

fn thousand(seconds: i64) -> Result<i64> {
    seconds.checked_mul(1_000).ok_or_else(|| {
        Error::new(
            ErrorKind::OutOfBounds,
            "a constant lies outside of the range of time",
        )
    })
}

/// Constants as one array, in a type that holds all of them. Integers take 64 bits.
pub(crate) fn array(values: &[Scalar]) -> Result<datafusion::arrow::array::ArrayRef> {
    let mut scalars = values
        .iter()
        .map(|value| match value {
            Scalar::Int(value) if i64::try_from(*value).is_ok() => {
                Ok(ScalarValue::Int64(i64::try_from(*value).ok()))
            }
            other => scalar(other),
        })
        .collect::<Result<Vec<_>>>()?;
    let common = crate::funcs::cast::common_of(scalars.iter().map(ScalarValue::data_type))?;
    for scalar in &mut scalars {
        *scalar = scalar.cast_to(&common).or_error()?;
    }
    if scalars.is_empty() {
        return Ok(datafusion::arrow::array::new_empty_array(&common));
    }
    ScalarValue::iter_to_array(scalars).or_error()
}

fn list(values: &[Scalar]) -> Result<ScalarValue> {
    let items = array(values)?;
    Ok(ScalarValue::LargeList(Arc::new(
        datafusion::common::utils::SingleRowListArrayBuilder::new(items)
            .with_nullable(true)
            .build_large_list_array(),
    )))
}
