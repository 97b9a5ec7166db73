//! Conversions between types: `cast` of the expression language, and the common type of operands and branches.
//!
//! The rules are those of Polars, on arrays of ours ([`array`]) wherever the engine's own conversion answers
//! differently; texts of ISO 8601 convert to dates, times and datetimes as well. Whether a conversion exists is
//! decided here, before anything is computed ([`support`]).

mod array;
mod common;
mod decimal;
mod support;
mod text;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Cast, Expr as PlanExpr};
use laktory_core::{DType, Error, ErrorKind, Result};

use crate::error::ResultExt;
use crate::expr::Value;
use crate::kernel::kernel;
use crate::types::{data_type, is_text, shown};

pub(crate) use array::{
    compacted, convert_array, from_counts, masked, per_day, per_second, rescaled,
};
pub(crate) use common::{coarser, common_of, common_type};
pub(super) use decimal::power;
pub(crate) use text::{all_parsed, printed};

use support::{is_lossless, is_supported};

/// The value converted to a type, as `cast` of the expression language does it.
///
/// # Errors
/// `UnsupportedCast` when no conversion exists between the types; `InvalidArgument` for a decimal or a time zone that
/// does not exist. Values that do not fit fail with `ConversionFailed` while computing, or become null unless `strict`.
pub(crate) fn cast(value: Value, to: &DType, strict: bool) -> Result<Value> {
    if *to == DType::Unknown {
        return Ok(value);
    }
    check(to)?;
    let dtype = data_type(to)?;
    if let DType::Enum(categories) = to {
        return to_enum(value, categories, strict);
    }
    if value.dtype == dtype {
        return Ok(value);
    }
    if !is_supported(&value.dtype, &dtype) {
        return Err(unsupported(&value.dtype, &dtype));
    }
    Ok(converted(value, &dtype, strict))
}

/// The value in a type that holds all of its values, for operands and branches. Constants stay constants.
///
/// # Errors
/// `TypeMismatch` when no conversion exists.
pub(crate) fn convert(value: Value, dtype: &DataType) -> Result<Value> {
    if value.dtype == *dtype {
        return Ok(value);
    }
    if !is_supported(&value.dtype, dtype) {
        return Err(Error::new(
            ErrorKind::TypeMismatch,
            format!(
                "{} does not become {} by itself",
                shown(&value.dtype),
                shown(dtype)
            ),
        )
        .with_hint("convert it with `cast`"));
    }
    if let Some(constant) = value.as_constant() {
        let array = constant.to_array().or_error()?;
        let array = convert_array(&array, dtype, true)?;
        return Ok(Value::constant(
            ScalarValue::try_from_array(&array, 0).or_error()?,
        ));
    }
    Ok(converted(value, dtype, true))
}

/// The conversion that the plan holds: the engine's own, which its optimizer understands, where no value can be lost.
fn converted(value: Value, dtype: &DataType, strict: bool) -> Value {
    if is_lossless(&value.dtype, dtype) {
        return Value {
            expr: PlanExpr::Cast(Cast::new(Box::new(value.expr), dtype.clone())),
            dtype: dtype.clone(),
        };
    }
    let to = dtype.clone();
    let name = if strict { "cast" } else { "try_cast" };
    kernel(
        format!("{name}({dtype})"),
        vec![value],
        dtype.clone(),
        move |arrays| convert_array(&arrays[0], &to, strict),
    )
}

/// Texts that must be among the categories.
fn to_enum(value: Value, categories: &[String], strict: bool) -> Result<Value> {
    if !is_text(&value.dtype) && value.dtype != DataType::Null {
        return Err(unsupported(&value.dtype, &DataType::Utf8View).context("an enum is a text"));
    }
    let categories = categories.to_vec();
    Ok(kernel(
        format!("enum({categories:?}, {strict})"),
        vec![value],
        DataType::Utf8View,
        move |arrays| text::to_enum(&arrays[0], &categories, strict),
    ))
}

fn unsupported(from: &DataType, to: &DataType) -> Error {
    Error::new(
        ErrorKind::UnsupportedCast,
        format!("{} cannot be converted to {}", shown(from), shown(to)),
    )
}

/// Refuses types that do not exist.
fn check(to: &DType) -> Result<()> {
    match to {
        DType::Decimal { precision, scale } => {
            let precision = precision.unwrap_or(38);
            if !(1..=38).contains(&precision) || *scale > precision {
                return Err(Error::new(
                    ErrorKind::InvalidArgument,
                    format!("decimal({precision}, {scale}) does not exist"),
                )
                .with_hint("precision is 1 to 38, scale at most the precision"));
            }
            Ok(())
        }
        DType::Datetime {
            zone: Some(zone), ..
        } => super::time::zone(zone).map(|_| ()),
        DType::List(item) | DType::Array(item, _) => check(item),
        DType::Struct(fields) => fields.iter().try_for_each(|field| check(&field.dtype)),
        DType::Map(key, value) => check(key).and_then(|()| check(value)),
        _ => Ok(()),
    }
}
