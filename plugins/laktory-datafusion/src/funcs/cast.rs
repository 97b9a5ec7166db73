//! Conversions between types.

use datafusion::arrow::datatypes::DataType;
use datafusion::logical_expr::{Expr as PlanExpr, TryCast};
use laktory_core::{DType, Error, ErrorKind, Result};

use crate::expr::Value;
use crate::types::{data_type, shown};

/// The value converted to a type, as `cast` of the expression language does it.
///
/// # Errors
/// `UnsupportedCast`.
pub(crate) fn cast(value: Value, to: &DType, strict: bool) -> Result<Value> {
    if *to == DType::Unknown {
        return Ok(value);
    }
    let dtype = data_type(to)?;
    if strict {
        return convert(value, &dtype);
    }
    Ok(Value {
        expr: PlanExpr::TryCast(TryCast::new(Box::new(value.expr), dtype.clone())),
        dtype,
    })
}

/// The value in a type that holds all of its values, for operands and branches; the engine's own conversion.
///
/// # Errors
/// None today; conversions that the engine lacks fail when the plan is checked.
pub(crate) fn convert(value: Value, dtype: &DataType) -> Result<Value> {
    if value.dtype == *dtype {
        return Ok(value);
    }
    Ok(Value {
        expr: PlanExpr::Cast(datafusion::logical_expr::Cast::new(
            Box::new(value.expr),
            dtype.clone(),
        )),
        dtype: dtype.clone(),
    })
}

/// The type in which values of several expressions meet, by the rules of Polars.
///
/// # Errors
/// `TypeMismatch` when there is none.
pub(crate) fn common_type<'a>(values: impl Iterator<Item = &'a Value>) -> Result<DataType> {
    let mut common: Option<&DataType> = None;
    for value in values {
        match common {
            None | Some(DataType::Null) => common = Some(&value.dtype),
            Some(known) if *known == value.dtype || value.dtype == DataType::Null => {}
            Some(known) => {
                return Err(Error::new(
                    ErrorKind::TypeMismatch,
                    format!(
                        "{} and {} have no common type",
                        shown(known),
                        shown(&value.dtype)
                    ),
                ));
            }
        }
    }
    Ok(common.cloned().unwrap_or(DataType::Null))
}
