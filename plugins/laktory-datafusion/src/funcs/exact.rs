//! Arithmetic of SQL statements: integers are 64 bits wide, and products of decimals keep all digits.

use datafusion::arrow::datatypes::DataType;
use datafusion::logical_expr::Operator;
use datafusion::logical_expr::binary::BinaryTypeCoercer;
use laktory_core::{Func, Result};

use super::cast::convert;
use super::numeric::{binary, difference, product, sum};
use super::{FULL, Row};
use crate::error::ResultExt;
use crate::expr::Value;
use crate::types::{is_decimal, is_integer};

pub(super) const ROWS: &[Row] = &[
    (Func::SqlAdd, FULL, |call| {
        sum(call, wide(call.receiver()?)?, wide(call.value("other")?)?)
    }),
    (Func::SqlSub, FULL, |call| {
        difference(call, wide(call.receiver()?)?, wide(call.value("other")?)?)
    }),
    (Func::SqlMul, FULL, |call| {
        let (left, right) = (wide(call.receiver()?)?, wide(call.value("other")?)?);
        match exact_product(&left, &right)? {
            Some(value) => Ok(value),
            None => product(call, left, right),
        }
    }),
];

/// Integers in 64 bits, as statements calculate.
fn wide(value: Value) -> Result<Value> {
    match &value.dtype {
        DataType::Int64 | DataType::UInt64 => Ok(value),
        dtype if is_integer(dtype) => convert(value, &DataType::Int64),
        _ => Ok(value),
    }
}

/// The product of decimals, or of decimals and integers, with the digits of both, which is the engine's own rule.
fn exact_product(left: &Value, right: &Value) -> Result<Option<Value>> {
    let exact = |value: &Value| is_decimal(&value.dtype) || is_integer(&value.dtype);
    let some = is_decimal(&left.dtype) || is_decimal(&right.dtype);
    if !some || !exact(left) || !exact(right) {
        return Ok(None);
    }
    let digits = |value: &Value| match is_decimal(&value.dtype) {
        true => Ok(value.clone()),
        false => convert(value.clone(), &DataType::Decimal128(20, 0)),
    };
    let (left, right) = (digits(left)?, digits(right)?);
    let op = Operator::Multiply;
    let dtype = BinaryTypeCoercer::new(&left.dtype, &op, &right.dtype)
        .get_result_type()
        .or_error()?;
    Ok(Some(Value {
        expr: binary(left.expr, op, right.expr),
        dtype,
    }))
}
