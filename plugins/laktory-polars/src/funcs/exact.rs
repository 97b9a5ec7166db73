//! Arithmetic of SQL statements: integers are 64 bits wide, and what has more is an error; products of decimals keep all
//! digits. Other types add up as the engine has it.

use laktory_core::{ErrorKind, Func, Result};
use polars::prelude::{
    ChunkAgg, Column, DataType, Expr, Field, Int64Chunked, IntoColumn, IntoSeries, Operator,
    PlSmallStr, PolarsResult, Schema, Series, binary_expr, col,
};

use super::{Call, FULL, Row};
use crate::error::carried;

pub(super) const ROWS: &[Row] = &[
    (Func::SqlAdd, FULL, |call| exact(call, Operator::Plus)),
    (Func::SqlSub, FULL, |call| exact(call, Operator::Minus)),
    (Func::SqlMul, FULL, |call| exact(call, Operator::Multiply)),
];

/// Digits of a decimal.
const DIGITS: usize = 38;

fn exact(call: &Call<'_>, op: Operator) -> Result<Expr> {
    let (left, right) = (call.this()?, call.expr("other")?);
    Ok(left.map_many(
        move |columns| computed(op, &columns[0], &columns[1]),
        &[right],
        move |_: &Schema, fields: &[Field]| output(op, &fields[0], &fields[1]),
    ))
}

/// The digits behind the point, of decimals and integers.
fn scale(dtype: &DataType) -> Option<usize> {
    match dtype {
        DataType::Decimal(_, scale) => Some(*scale),
        dtype if dtype.is_integer() => Some(0),
        _ => None,
    }
}

/// The scale of a product of which one factor is a decimal, and both are exact.
fn product_scale(op: Operator, left: &DataType, right: &DataType) -> PolarsResult<Option<usize>> {
    let decimal = |dtype: &DataType| matches!(dtype, DataType::Decimal(..));
    let (Some(a), Some(b)) = (scale(left), scale(right)) else {
        return Ok(None);
    };
    if op != Operator::Multiply || !(decimal(left) || decimal(right)) {
        return Ok(None);
    }
    if a + b > DIGITS {
        let message = format!(
            "the product has {} digits behind the point; {DIGITS} are kept",
            a + b
        );
        return Err(carried(ErrorKind::TypeMismatch, &message));
    }
    Ok(Some(a + b))
}

fn output(op: Operator, left: &Field, right: &Field) -> PolarsResult<Field> {
    let known = |field: &Field| field.dtype().clone().materialize_unknown(true);
    let (a, b) = (known(left)?, known(right)?);
    let dtype = if a.is_integer() && b.is_integer() {
        DataType::Int64
    } else if let Some(scale) = product_scale(op, &a, &b)? {
        DataType::Decimal(DIGITS, scale)
    } else {
        let schema = Schema::from_iter([Field::new("a".into(), a), Field::new("b".into(), b)]);
        binary_expr(col("a"), op, col("b"))
            .to_field(&schema)?
            .dtype()
            .clone()
    };
    Ok(Field::new(left.name().clone(), dtype))
}

fn applied(op: Operator, left: &Series, right: &Series) -> PolarsResult<Series> {
    match op {
        Operator::Plus => left + right,
        Operator::Minus => left - right,
        _ => left * right,
    }
}

fn computed(op: Operator, left: &Column, right: &Column) -> PolarsResult<Column> {
    let name: PlSmallStr = left.name().clone();
    let (a, b) = (
        left.as_materialized_series(),
        right.as_materialized_series(),
    );
    let values = if a.dtype().is_integer() && b.dtype().is_integer() {
        integers(op, a, b)?
    } else if let Some(scale) = product_scale(op, a.dtype(), b.dtype())? {
        product(a, b, scale)?
    } else {
        applied(op, a, b)?
    };
    Ok(values.with_name(name).into_column())
}

fn integers(op: Operator, left: &Series, right: &Series) -> PolarsResult<Series> {
    let narrow = |series: &Series| {
        !matches!(
            series.dtype(),
            DataType::UInt64 | DataType::Int128 | DataType::UInt128
        )
    };
    if narrow(left) && narrow(right) {
        let (a, b) = (left.cast(&DataType::Int64)?, right.cast(&DataType::Int64)?);
        let (most, other) = (greatest(a.i64()?), greatest(b.i64()?));
        let bound = match op {
            Operator::Multiply => most * other,
            _ => most + other,
        };
        if bound <= i128::from(i64::MAX) {
            return applied(op, &a, &b);
        }
    }
    let (a, b) = (
        left.cast(&DataType::Int128)?,
        right.cast(&DataType::Int128)?,
    );
    let wide = applied(op, &a, &b)?;
    wide.strict_cast(&DataType::Int64).map_err(|_| {
        let word = match op {
            Operator::Plus => "sum",
            Operator::Minus => "difference",
            _ => "product",
        };
        let message = format!("a {word} of `{}` has more than 64 bits", left.name());
        carried(ErrorKind::ConversionFailed, &message)
    })
}

/// The greatest number, whatever its sign.
fn greatest(values: &Int64Chunked) -> i128 {
    let size = |value: Option<i64>| i128::from(value.unwrap_or(0)).abs();
    size(values.min()).max(size(values.max()))
}

fn product(left: &Series, right: &Series, scale: usize) -> PolarsResult<Series> {
    let digits = |series: &Series| match series.dtype() {
        DataType::Decimal(..) => Ok(series.decimal()?.physical().clone().into_series()),
        _ => series.cast(&DataType::Int128),
    };
    let (a, b) = (digits(left)?, digits(right)?);
    let greatest = |series: &Series| -> PolarsResult<u128> {
        let values = series.i128()?;
        let size = |value: Option<i128>| value.unwrap_or(0).unsigned_abs();
        Ok(size(values.min()).max(size(values.max())))
    };
    let bound = greatest(&a)?.checked_mul(greatest(&b)?);
    if bound.is_none_or(|bound| bound > i128::MAX.unsigned_abs()) {
        let message = format!(
            "a product of `{}` may have more than {DIGITS} digits",
            left.name()
        );
        return Err(carried(ErrorKind::ConversionFailed, &message));
    }
    let product = (&a * &b)?;
    let digits = product.i128()?.clone();
    Ok(digits.into_decimal(DIGITS, scale)?.into_series())
}
