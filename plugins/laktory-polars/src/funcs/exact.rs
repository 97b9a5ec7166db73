//! Exact arithmetic: integers are 64 bits wide, and what has more is an error; products of decimals keep all
//! digits. Other types add up as the engine has it.

use laktory_core::semantics::decimal::Division;
use laktory_core::typing::{Typed, arithmetic};
use laktory_core::{DType, ErrorKind, Expr as LanguageExpr, Func, Result};
use polars::prelude::{
    ChunkAgg, ChunkApply, Column, DataType, DecimalChunked, Expr, Field, Float64Chunked,
    Int64Chunked, Int128Chunked, IntoColumn, IntoSeries, NULL, Operator, PlSmallStr, PolarsError,
    PolarsResult, Schema, Series, arity, binary_expr, col, lit, when,
};

use super::{Call, FULL, Row};
use crate::error::carried;
use crate::schema::known;

pub(super) const ROWS: &[Row] = &[
    (Func::ExactAdd, FULL, |call| exact(call, Operator::Plus)),
    (Func::ExactSub, FULL, |call| exact(call, Operator::Minus)),
    (Func::ExactMul, FULL, |call| exact(call, Operator::Multiply)),
    (Func::ExactSum, FULL, |call| Ok(exact_sum(call.this()?))),
    (Func::DecimalSum, FULL, |call| {
        let x = call.this()?;
        let some = x.clone().count().gt(lit(0));
        Ok(when(some).then(decimal_sum(x)).otherwise(lit(NULL)))
    }),
];

/// Digits of a decimal.
const DIGITS: usize = 38;

fn exact(call: &Call<'_>, op: Operator) -> Result<Expr> {
    let (left, right) = (call.this()?, call.expr("other")?);
    let func = call.func();
    Ok(left.map_many(
        move |columns| computed(func, op, &columns[0], &columns[1]),
        &[right],
        move |_: &Schema, fields: &[Field]| output(func, op, &fields[0], &fields[1]),
    ))
}

/// The type of the contract, of those that are calculated exactly.
fn exact_type(dtype: &DataType) -> Option<DType> {
    Some(match dtype {
        DataType::Decimal(precision, scale) => DType::Decimal {
            precision: u8::try_from(*precision).ok(),
            scale: u8::try_from(*scale).ok()?,
        },
        dtype if dtype.is_integer() => DType::Int64,
        _ => return None,
    })
}

/// The decimal that comes out of two values, of which one is a decimal, and both are exact.
fn decimal(func: Func, left: &DataType, right: &DataType) -> PolarsResult<Option<DataType>> {
    let (Some(a), Some(b)) = (exact_type(left), exact_type(right)) else {
        return Ok(None);
    };
    let given = arithmetic(func, &Typed::of(a), &Typed::of(b));
    match given.map_err(|error| carried(error.kind(), error.message()))? {
        DType::Decimal { precision, scale } => Ok(Some(DataType::Decimal(
            precision.map_or(DIGITS, usize::from),
            scale.into(),
        ))),
        _ => Ok(None),
    }
}

fn output(func: Func, op: Operator, left: &Field, right: &Field) -> PolarsResult<Field> {
    let known = |field: &Field| field.dtype().clone().materialize_unknown(true);
    let (a, b) = (known(left)?, known(right)?);
    let dtype = if a.is_integer() && b.is_integer() {
        DataType::Int64
    } else if let Some(dtype) = decimal(func, &a, &b)? {
        dtype
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

fn computed(func: Func, op: Operator, left: &Column, right: &Column) -> PolarsResult<Column> {
    let name: PlSmallStr = left.name().clone();
    let (a, b) = (
        left.as_materialized_series(),
        right.as_materialized_series(),
    );
    let values = if a.dtype().is_integer() && b.dtype().is_integer() {
        integers(op, a, b)?
    } else if let Some(dtype) = decimal(func, a.dtype(), b.dtype())? {
        decimals(op, a, b, &dtype)?
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

/// Decimals, or decimals and integers, calculated as 128-bit integers in the digits of the result.
fn decimals(op: Operator, left: &Series, right: &Series, dtype: &DataType) -> PolarsResult<Series> {
    let DataType::Decimal(precision, scale) = dtype else {
        return Err(carried(ErrorKind::Internal, "a decimal that is none"));
    };
    let what = match op {
        Operator::Plus => "sum",
        Operator::Minus => "difference",
        _ => "product",
    };
    // A product has the digits of both; other operands meet in one scale.
    let digits = |series: &Series| -> PolarsResult<Series> {
        if op == Operator::Multiply {
            return match series.dtype() {
                DataType::Decimal(..) => Ok(series.decimal()?.physical().clone().into_series()),
                _ => series.cast(&DataType::Int128),
            };
        }
        let scaled = series.strict_cast(&DataType::Decimal(DIGITS, *scale));
        Ok(scaled
            .map_err(|_| too_long(what))?
            .decimal()?
            .physical()
            .clone()
            .into_series())
    };
    let (a, b) = (digits(left)?, digits(right)?);
    let greatest = |series: &Series| -> PolarsResult<u128> {
        let values = series.i128()?;
        let size = |value: Option<i128>| value.unwrap_or(0).unsigned_abs();
        Ok(size(values.min()).max(size(values.max())))
    };
    let (x, y) = (greatest(&a)?, greatest(&b)?);
    let bound = match op {
        Operator::Multiply => x.checked_mul(y),
        _ => x.checked_add(y),
    };
    if bound.is_none_or(|bound| bound > MOST) {
        // The greatest ones need not meet in a row.
        let fits = |(x, y): (Option<i128>, Option<i128>)| {
            let (Some(x), Some(y)) = (x, y) else {
                return true;
            };
            let number = match op {
                Operator::Plus => x.checked_add(y),
                Operator::Minus => x.checked_sub(y),
                _ => x.checked_mul(y),
            };
            number.is_some_and(|number| number.unsigned_abs() <= MOST)
        };
        let (x, y) = (a.i128()?, b.i128()?);
        let rows = x.len().max(y.len());
        let at = |values: &Int128Chunked, row: usize| {
            values.get(if values.len() == 1 { 0 } else { row })
        };
        if !(0..rows).map(|row| (at(x, row), at(y, row))).all(fits) {
            return Err(too_long(what));
        }
    }
    let computed = applied(op, &a, &b)?;
    let digits = computed.i128()?.clone();
    Ok(digits.into_decimal(*precision, *scale)?.into_series())
}

/// The division of decimals, which have been cast to decimals of their own digits; none where others are divided.
pub(super) fn decimal_division(call: &Call<'_>, division: Division) -> Result<Option<Expr>> {
    let LanguageExpr::Cast {
        to: DType::Decimal { .. },
        ..
    } = &*call.bound.this()?
    else {
        return Ok(None);
    };
    let (left, right) = (call.this()?, call.expr("other")?);
    Ok(Some(left.map_many(
        move |columns| divided(division, &columns[0], &columns[1]),
        &[right],
        |_: &Schema, fields: &[Field]| {
            let scales = fields.iter().map(|field| match field.dtype() {
                DataType::Decimal(_, scale) => *scale,
                _ => 0,
            });
            let scale = scales.max().unwrap_or(0);
            let dtype = DataType::Decimal(DIGITS, scale);
            Ok(Field::new(fields[0].name().clone(), dtype))
        },
    )))
}

fn divided(division: Division, left: &Column, right: &Column) -> PolarsResult<Column> {
    let (a, b) = (left.decimal()?, right.decimal()?);
    let digits = |decimals: &DecimalChunked| u8::try_from(decimals.scale());
    let (Ok(scale), Ok(by)) = (digits(a), digits(b)) else {
        return Err(too_long(division.name()));
    };
    let numbers: Int128Chunked =
        arity::broadcast_try_binary_elementwise(a.physical(), b.physical(), |a, b| match (a, b) {
            (Some(_), Some(0)) | (None, _) | (_, None) => Ok(None),
            (Some(a), Some(b)) => division
                .of((a, scale), (b, by))
                .map(Some)
                .ok_or_else(|| too_long(division.name())),
        })?;
    let numbers = numbers.into_decimal(DIGITS, scale.max(by).into())?;
    Ok(numbers
        .into_series()
        .with_name(left.name().clone())
        .into_column())
}

/// A power of integers that has no more than 64 bits; other powers are those of the engine.
pub(super) fn exact_pow(base: Expr, exponent: Expr) -> Expr {
    let power = base.clone().pow(exponent.clone());
    power.map_many(
        |columns| {
            let [power, base, exponent] = columns else {
                return Err(carried(ErrorKind::Internal, "a power of two numbers"));
            };
            if !power.dtype().is_integer() {
                return Ok(power.clone());
            }
            // 2 to the power of 63.
            const LIMIT: f64 = 9_223_372_036_854_775_808.0;
            let (a, b) = (
                base.cast(&DataType::Float64)?,
                exponent.cast(&DataType::Float64)?,
            );
            let size: Float64Chunked = arity::broadcast_binary_elementwise(
                a.f64()?,
                b.f64()?,
                |a: Option<f64>, b: Option<f64>| Some(a?.powf(b?).abs()),
            );
            match size.max() {
                Some(most) if most >= LIMIT => {
                    let message = format!("a power of `{}` has more than 64 bits", base.name());
                    Err(carried(ErrorKind::ConversionFailed, &message))
                }
                _ => Ok(power.clone()),
            }
        },
        &[base, exponent],
        |_: &Schema, fields: &[Field]| known(&fields[0]),
    )
}

/// What adds values up, in which integers cannot overflow on the way: in 128 bits, in the end brought back to 64.
pub(super) fn in_128_bits(x: Expr, add: impl FnOnce(Expr) -> Expr) -> Expr {
    let wide = x.map_with_fmt_str(
        |column| widest(&column),
        |_: &Schema, field: &Field| known(&widest_field(field)),
        PlSmallStr::from_static("widest"),
    );
    add(wide).map_with_fmt_str(
        |column| narrowed(&column),
        |_: &Schema, field: &Field| known(&narrowed_field(field)),
        PlSmallStr::from_static("narrowed"),
    )
}

/// Half of the digits of a decimal, as a number: sums of such halves stay within 128 bits.
const HALF: i128 = 10_i128.pow(19);

/// A sum of decimals, in two halves of their digits; of other numbers as [`exact_sum`]. 0 when there is nothing to add.
pub(crate) fn decimal_sum(x: Expr) -> Expr {
    let half = |upper: bool| {
        x.clone().map_with_fmt_str(
            move |column| half(&column, upper),
            |_: &Schema, field: &Field| known(&half_field(field)),
            PlSmallStr::from_static("half"),
        )
    };
    half(true).sum().map_many(
        |columns| joined(&columns[0], &columns[1]),
        &[half(false).sum()],
        |_: &Schema, fields: &[Field]| known(&narrowed_field(&fields[0])),
    )
}

fn half_field(field: &Field) -> Field {
    match field.dtype() {
        DataType::Decimal(_, scale) => {
            Field::new(field.name().clone(), DataType::Decimal(DIGITS, *scale))
        }
        _ => widest_field(field),
    }
}

/// The upper or lower half of the digits; a number that is no decimal is upper as a whole.
fn half(column: &Column, upper: bool) -> PolarsResult<Column> {
    let DataType::Decimal(_, scale) = *column.dtype() else {
        let wide = widest(column)?;
        return match upper {
            true => Ok(wide),
            false => Ok(Column::full_null(
                wide.name().clone(),
                wide.len(),
                wide.dtype(),
            )),
        };
    };
    let digits = column
        .as_materialized_series()
        .decimal()?
        .physical()
        .clone();
    let digits = digits.apply_values(|digits| match upper {
        true => digits / HALF,
        false => digits % HALF,
    });
    Ok(digits.into_decimal(DIGITS, scale)?.into_column())
}

fn joined(upper: &Column, lower: &Column) -> PolarsResult<Column> {
    let DataType::Decimal(_, scale) = *upper.dtype() else {
        return narrowed(upper);
    };
    let physical = |column: &Column| -> PolarsResult<_> {
        Ok(column
            .as_materialized_series()
            .decimal()?
            .physical()
            .clone())
    };
    let sums: Int128Chunked = arity::try_binary_elementwise(
        &physical(upper)?,
        &physical(lower)?,
        |upper: Option<i128>, lower: Option<i128>| -> PolarsResult<_> {
            let (Some(upper), Some(lower)) = (upper, lower) else {
                return Ok(None);
            };
            let sum = upper
                .checked_mul(HALF)
                .and_then(|sum| sum.checked_add(lower));
            match sum.filter(|sum| sum.unsigned_abs() <= MOST) {
                Some(sum) => Ok(Some(sum)),
                None => Err(too_long("sum")),
            }
        },
    )?;
    let sums = sums.with_name(upper.name().clone());
    Ok(sums.into_decimal(DIGITS, scale)?.into_column())
}

/// The greatest decimal, without its point.
const MOST: u128 = 10_u128.pow(38) - 1;

pub(super) fn too_long(what: &str) -> PolarsError {
    let message = format!(
        "a {what} has more than {DIGITS} digits; cast what it is made of to `Float64`, or to a decimal of fewer digits"
    );
    carried(ErrorKind::ConversionFailed, &message)
}

/// A sum of integers in 64 bits.
pub(crate) fn exact_sum(x: Expr) -> Expr {
    in_128_bits(x, Expr::sum)
}

/// Integers, or lists of them, in 128 bits, in which no sum of 64-bit ones overflows; other types as they are.
fn widest(column: &Column) -> PolarsResult<Column> {
    match widest_type(column.dtype()) {
        Some(wide) => column.cast(&wide),
        None => Ok(column.clone()),
    }
}

fn widest_type(dtype: &DataType) -> Option<DataType> {
    match dtype {
        DataType::List(inner) => Some(DataType::List(Box::new(widest_type(inner)?))),
        dtype if dtype.is_integer() => Some(DataType::Int128),
        _ => None,
    }
}

fn widest_field(field: &Field) -> Field {
    match widest_type(field.dtype()) {
        Some(wide) => Field::new(field.name().clone(), wide),
        None => field.clone(),
    }
}

/// A sum of integers in 64 bits.
fn narrowed(column: &Column) -> PolarsResult<Column> {
    if column.dtype() != &DataType::Int128 {
        return Ok(column.clone());
    }
    column.strict_cast(&DataType::Int64).map_err(|_| {
        let message = format!(
            "a sum of `{}` has more than 64 bits; cast it to a float or a decimal before",
            column.name()
        );
        carried(ErrorKind::ConversionFailed, &message)
    })
}

fn narrowed_field(field: &Field) -> Field {
    match field.dtype() {
        DataType::Int128 => Field::new(field.name().clone(), DataType::Int64),
        _ => field.clone(),
    }
}
