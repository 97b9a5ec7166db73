//! Functions with the meaning of SQL where that differs from the expression language.

use laktory_core::semantics::decimal::{Division, ending_in_zeros};
use laktory_core::shape::shape;
use laktory_core::{ErrorKind, Func, Result, semantics};
use polars::prelude::{
    ChunkAgg, Column, DataType, Expr, Field, Float64Chunked, Int128Chunked, IntoColumn, IntoSeries,
    NULL, PlSmallStr, PolarsResult, RoundMode, RoundSeries, Schema, Series, StringChunked, arity,
    len, lit, map_multiple, polars_err, when,
};

use super::exact::{decimal_division, exact_sum, too_long};
use super::text::joined;
use super::{Call, FULL, Row};
use crate::error::carried;
use crate::schema::known;

pub(super) const ROWS: &[Row] = &[
    (Func::SqlMod, FULL, modulo),
    (Func::SqlIsTrue, FULL, |call| {
        Ok(call.this()?.fill_null(lit(false)))
    }),
    (Func::SqlIsFalse, FULL, |call| {
        Ok(call.this()?.not().fill_null(lit(false)))
    }),
    (Func::SqlEqNullSafe, FULL, |call| {
        Ok(call.this()?.eq_missing(call.expr("other")?))
    }),
    (Func::SqlConcat, FULL, |call| {
        Ok(joined(call.some_exprs("exprs")?, "", true))
    }),
    (Func::SqlLike, FULL, like),
    (Func::SqlRoundHalfUp, FULL, |call| {
        let decimals = i32::try_from(call.int("decimals")?).unwrap_or(i32::MAX);
        Ok(call.expr("x")?.map_with_fmt_str(
            move |column| round_half_up(&column, decimals),
            |_: &Schema, field: &Field| known(field),
            PlSmallStr::from_static("round_half_up"),
        ))
    }),
    (Func::SqlRound, FULL, |call| {
        let decimals = call.int("decimals")?;
        let decimals =
            u32::try_from(decimals).map_err(|_| call.invalid("`decimals` cannot be negative"))?;
        Ok(call.expr("x")?.round(decimals, RoundMode::HalfToEven))
    }),
    (Func::SqlPosition, FULL, |call| {
        let (text, part) = (call.expr("x")?, call.expr("text")?);
        Ok(text.map_many(
            |columns| position(&columns[0], &columns[1]),
            &[part],
            |_: &Schema, fields: &[Field]| {
                Ok(Field::new(fields[0].name().clone(), DataType::Int64))
            },
        ))
    }),
    (Func::SqlSign, FULL, |call| Ok(call.expr("x")?.sign())),
    (Func::SqlNullIf, FULL, |call| {
        let (x, y) = (call.expr("x")?, call.expr("y")?);
        let equal = x.clone().eq(y).fill_null(lit(false));
        Ok(when(equal.not()).then(x).otherwise(lit(NULL)))
    }),
    (Func::SqlSum, FULL, |call| {
        let x = call.expr("x")?;
        if shape(&*call.bound.expr("x")?).constant {
            // As many as there are rows.
            return Ok(when(len().gt(lit(0))).then(x * len()).otherwise(lit(NULL)));
        }
        let some = x.clone().count().gt(lit(0));
        Ok(when(some).then(exact_sum(x)).otherwise(lit(NULL)))
    }),
    // Of floats: whatever has no NaN was settled as `max`.
    (Func::SqlMax, FULL, |call| {
        let x = call.expr("x")?;
        let nan = x.clone().filter(x.clone().is_nan());
        Ok(when(x.clone().is_nan().any(true))
            .then(nan.first())
            .otherwise(x.max()))
    }),
    (Func::SqlSingle, FULL, |call| {
        let (value, count) = (call.expr("x")?, call.expr("count")?);
        Ok(value.map_many(
            |columns| single(&columns[0], &columns[1]),
            &[count],
            |_: &Schema, fields: &[Field]| known(&fields[0]),
        ))
    }),
    (Func::SqlCountDistinct, FULL, |call| {
        Ok(call.expr("x")?.drop_nulls().n_unique())
    }),
    (Func::SqlTan, FULL, |call| Ok(call.expr("x")?.tan())),
    (Func::SqlCbrt, FULL, |call| {
        Ok(call.expr("x")?.cast(DataType::Float64).pow(lit(1.0 / 3.0)))
    }),
    (Func::SqlRegexpExtract, FULL, |call| {
        Ok(call
            .expr("x")?
            .str()
            .extract(lit(call.text("pattern")?), call.count("group")?))
    }),
    (Func::SqlSubstring, FULL, substring),
    (Func::SqlReverse, FULL, |call| {
        // By characters, as engines of SQL do; the engine's own function keeps accents on their letters.
        map_text(call.expr("x")?, "reverse", |text| {
            text.chars().rev().collect()
        })
    }),
    (Func::SqlQuarter, FULL, |call| {
        Ok(call.expr("x")?.dt().quarter())
    }),
    (Func::SqlWeek, FULL, |call| Ok(call.expr("x")?.dt().week())),
    (Func::SqlDayOfWeek, FULL, |call| {
        Ok(call.expr("x")?.dt().weekday() % lit(7))
    }),
];

/// The values, unless one of them was counted several times.
fn single(values: &Column, counts: &Column) -> PolarsResult<Column> {
    let counts = counts.cast(&DataType::Int64)?;
    if counts.i64()?.max().is_some_and(|most| most > 1) {
        return Err(carried(
            ErrorKind::InvalidArgument,
            "a sub-query gives several rows where one value is wanted",
        ));
    }
    Ok(values.clone())
}

/// A number rounded to decimals, half away from zero; negative decimals round to tens and hundreds.
fn round_half_up(column: &Column, decimals: i32) -> PolarsResult<Column> {
    let numbers = column.as_materialized_series();
    if let (true, DataType::Decimal(precision, scale)) = (decimals < 0, numbers.dtype()) {
        return tens(numbers, decimals.unsigned_abs(), *precision, *scale);
    }
    let mode = RoundMode::HalfAwayFromZero;
    let rounded = match u32::try_from(decimals) {
        Ok(_) if numbers.dtype().is_integer() => numbers.clone(),
        Ok(decimals) => numbers.round(decimals, mode)?,
        Err(_) => {
            let unit = 10_f64.powi(decimals.saturating_neg());
            let whole = (numbers.cast(&DataType::Float64)? / unit).round(0, mode)? * unit;
            whole.cast(numbers.dtype())?
        }
    };
    Ok(rounded.into_column())
}

/// A decimal rounded to tens and hundreds.
fn tens(numbers: &Series, zeros: u32, precision: usize, scale: usize) -> PolarsResult<Column> {
    let zeros = zeros.saturating_add(u32::try_from(scale).unwrap_or(u32::MAX));
    let digits = numbers.decimal()?.physical();
    let rounded: Int128Chunked = digits.try_apply_nonnull_values_generic(|number| {
        ending_in_zeros(number, zeros).ok_or_else(|| too_long("rounded number"))
    })?;
    let rounded = rounded.into_decimal(precision, scale)?;
    Ok(rounded.into_series().into_column())
}

/// The remainder with the sign of the dividend; by zero it is null for integers, NaN for floats.
fn modulo(call: &Call<'_>) -> Result<Expr> {
    if let Some(remainder) = decimal_division(call, Division::Remainder)? {
        return Ok(remainder);
    }
    let (x, y) = (call.this()?, call.expr("other")?);
    let floored = x.clone() % y.clone();
    let other_sign = x.clone().lt(lit(0)).neq(floored.clone().lt(lit(0)));
    let correct = floored.clone().neq(lit(0)).and(other_sign);
    let remainder = when(correct)
        .then(floored.clone() - y.clone())
        .otherwise(floored);
    // The engine's own remainder of floats is rounded, and NaN by infinity.
    let exact = |columns: &mut [Column]| -> PolarsResult<Column> {
        let [remainder, x, y] = columns else {
            return Err(polars_err!(ComputeError: "two operands are needed"));
        };
        let dtype = remainder.dtype().clone();
        if !dtype.is_float() {
            return Ok(remainder.clone());
        }
        let (x, y) = (x.cast(&DataType::Float64)?, y.cast(&DataType::Float64)?);
        let exact: Float64Chunked = arity::broadcast_binary_elementwise(
            x.f64()?,
            y.f64()?,
            |x: Option<f64>, y: Option<f64>| Some(x? % y?),
        );
        exact
            .with_name(remainder.name().clone())
            .into_column()
            .cast(&dtype)
    };
    let output = |_: &Schema, fields: &[Field]| known(&fields[0]);
    Ok(map_multiple(exact, [remainder, x, y], output))
}

/// A text turned into another text, value by value.
pub(super) fn map_text(
    expr: Expr,
    name: &'static str,
    function: fn(&str) -> String,
) -> Result<Expr> {
    Ok(expr.map_with_fmt_str(
        move |column| {
            column.try_apply_unary_elementwise(|series| {
                use polars::prelude::IntoSeries;
                let texts: StringChunked = series
                    .str()?
                    .iter()
                    .map(|text| text.map(function))
                    .collect();
                Ok(texts.with_name(series.name().clone()).into_series())
            })
        },
        |_: &Schema, field: &Field| Ok(Field::new(field.name().clone(), DataType::String)),
        PlSmallStr::from_static(name),
    ))
}

/// Characters before the first occurrence, plus one; zero without one.
fn position(texts: &Column, parts: &Column) -> PolarsResult<Column> {
    use polars::prelude::{Int64Chunked, IntoColumn, IntoSeries};
    let length = texts.len().max(parts.len());
    let length = if texts.is_empty() || parts.is_empty() {
        0
    } else {
        length
    };
    let (texts, parts) = (
        texts.as_materialized_series(),
        parts.as_materialized_series(),
    );
    let (text, part) = (texts.str()?, parts.str()?);
    let found: Int64Chunked = (0..length)
        .map(|row| {
            let text = text.get(if text.len() == 1 { 0 } else { row })?;
            let part = part.get(if part.len() == 1 { 0 } else { row })?;
            Some(semantics::text::position(text, part))
        })
        .collect();
    Ok(found
        .with_name(texts.name().clone())
        .into_series()
        .into_column())
}

fn like(call: &Call<'_>) -> Result<Expr> {
    let escape = call
        .opt_text("escape")?
        .and_then(|escape| escape.chars().next());
    let pattern = semantics::text::like_regex(
        call.text("pattern")?,
        escape,
        call.flag("case_insensitive")?,
    );
    Ok(call.this()?.str().contains(lit(pattern), true))
}

/// Characters from position 1; what lies before the text counts but does not appear.
fn substring(call: &Call<'_>) -> Result<Expr> {
    let (this, start) = (call.expr("x")?, call.int("start")?);
    let length = call.opt_int("length")?;
    if length.is_some_and(|length| length < 0) {
        return Err(call.invalid("the length cannot be negative"));
    }
    let end = length.map(|length| start.saturating_add(length));
    let first = start.max(1);
    let count = match end {
        Some(end) => lit((end - first).max(0)),
        None => lit(u64::MAX),
    };
    Ok(this.str().slice(lit(first - 1), count))
}
