//! Operators, mathematics, nulls and membership.

use std::sync::Arc;
use std::time::UNIX_EPOCH;

use laktory_core::semantics::decimal::Division;
use laktory_core::{
    Arg, DType, Error, ErrorKind, Expr as LanguageExpr, Func, Result, Scalar, semantics,
};
use polars::prelude::{AnyValue, LiteralValue, Scalar as PolarsScalar};
use polars::prelude::{
    DataType, Expr, Field, FillNullStrategy, Operator, PlSmallStr, RoundMode, Schema, TimeUnit,
    TimeZone, binary_expr, coalesce, lit,
};

use super::exact::{decimal_division, exact_pow};
use super::text::joined;
use super::{Call, FULL, Row, as_long_as};
use crate::error::carried;
use crate::expr;
use crate::schema::known;

pub(super) const ROWS: &[Row] = &[
    (Func::Add, FULL, |call| match &*call.bound.this()? {
        // Texts are told by a cast.
        LanguageExpr::Cast {
            to: DType::String, ..
        } => Ok(joined(vec![call.this()?, call.expr("other")?], "", false)),
        _ => binary(call, Operator::Plus),
    }),
    (Func::Sub, FULL, |call| binary(call, Operator::Minus)),
    (Func::Mul, FULL, |call| binary(call, Operator::Multiply)),
    (Func::TrueDiv, FULL, true_div),
    (Func::SqlDiv, FULL, true_div),
    (Func::FloorDiv, FULL, |call| {
        decimal_division(call, Division::Floored)?
            .map_or_else(|| binary(call, Operator::FloorDivide), Ok)
    }),
    (Func::Mod, FULL, |call| {
        decimal_division(call, Division::Modulo)?
            .map_or_else(|| binary(call, Operator::Modulus), Ok)
    }),
    (Func::Pow, FULL, |call| {
        Ok(exact_pow(call.this()?, call.expr("other")?))
    }),
    (Func::Neg, FULL, |call| Ok(-call.this()?)),
    (Func::Eq, FULL, |call| binary(call, Operator::Eq)),
    (Func::Ne, FULL, |call| binary(call, Operator::NotEq)),
    (Func::Lt, FULL, |call| binary(call, Operator::Lt)),
    (Func::Le, FULL, |call| binary(call, Operator::LtEq)),
    (Func::Gt, FULL, |call| binary(call, Operator::Gt)),
    (Func::Ge, FULL, |call| binary(call, Operator::GtEq)),
    (Func::And, FULL, |call| binary(call, Operator::And)),
    (Func::Or, FULL, |call| binary(call, Operator::Or)),
    (Func::Xor, FULL, |call| binary(call, Operator::Xor)),
    (Func::Not, FULL, |call| Ok(call.this()?.not())),
    (Func::Abs, FULL, |call| Ok(call.this()?.abs())),
    (Func::Sqrt, FULL, |call| Ok(call.this()?.sqrt())),
    (Func::Exp, FULL, |call| Ok(call.this()?.exp())),
    (Func::Log, FULL, |call| {
        // Behind the logarithm of integers the engine announces integers for `cum_prod`.
        let float = call.this()? * lit(1.0);
        Ok(float.log(lit(call.float("base")?)))
    }),
    (Func::Sin, FULL, |call| Ok(call.this()?.sin())),
    (Func::Cos, FULL, |call| Ok(call.this()?.cos())),
    (Func::Floor, FULL, |call| Ok(call.this()?.floor())),
    (Func::Ceil, FULL, |call| Ok(call.this()?.ceil())),
    (Func::Round, FULL, round),
    (Func::Clip, FULL, clip),
    (Func::FillNull, FULL, fill_null),
    (Func::FillNan, FULL, |call| {
        Ok(call.this()?.fill_nan(call.expr("value")?))
    }),
    (Func::IsNull, FULL, |call| Ok(call.this()?.is_null())),
    (Func::IsNan, FULL, |call| Ok(call.this()?.is_nan())),
    (Func::IsFinite, FULL, |call| Ok(call.this()?.is_finite())),
    (Func::IsIn, FULL, is_in),
    (Func::IsBetween, FULL, is_between),
    (Func::IsClose, FULL, is_close),
    (Func::ReplaceStrict, FULL, replace_strict),
    (Func::Coalesce, FULL, |call| {
        Ok(coalesce(&call.some_exprs("exprs")?))
    }),
    (Func::RoundP, FULL, round_p),
    (Func::ConvertUnits, FULL, convert_units),
    (Func::CurrentTimestamp, FULL, current_timestamp),
];

fn true_div(call: &Call<'_>) -> Result<Expr> {
    let decimal = decimal_division(call, Division::Quotient)?;
    decimal.map_or_else(|| binary(call, Operator::TrueDivide), Ok)
}

fn binary(call: &Call<'_>, operator: Operator) -> Result<Expr> {
    Ok(binary_expr(call.this()?, operator, call.expr("other")?))
}

fn round(call: &Call<'_>) -> Result<Expr> {
    let decimals = call.int("decimals")?;
    let decimals =
        u32::try_from(decimals).map_err(|_| call.invalid("`decimals` cannot be negative"))?;
    Ok(call.this()?.round(decimals, RoundMode::HalfToEven))
}

fn clip(call: &Call<'_>) -> Result<Expr> {
    let (lower, upper) = (call.opt_expr("lower_bound")?, call.opt_expr("upper_bound")?);
    let mut this = call.this()?;
    // The engine computes one value where only the bounds have many.
    if call.on_single_value()? {
        for bound in lower.iter().chain(&upper) {
            this = as_long_as(this, bound);
        }
    }
    Ok(match (lower, upper) {
        (Some(lower), Some(upper)) => this.clip(lower, upper),
        (Some(lower), None) => this.clip_min(lower),
        (None, Some(upper)) => this.clip_max(upper),
        (None, None) => this,
    })
}

fn fill_null(call: &Call<'_>) -> Result<Expr> {
    let this = call.this()?;
    let limit = call
        .opt_int("limit")?
        .map(|limit| u32::try_from(limit).map_err(|_| call.invalid("`limit` cannot be negative")))
        .transpose()?;
    match (call.opt_expr("value")?, call.opt_text("strategy")?) {
        (Some(_), Some(_)) => Err(call.invalid("give either `value` or `strategy`")),
        (None, None) => Err(call.invalid("`value` or `strategy` is needed")),
        (Some(_), None) if limit.is_some() => Err(call.invalid("`limit` needs a `strategy`")),
        (Some(_), None) if call.on_single_value()? => {
            // The engine gives a constant without nulls back as it is, however many rows fill it.
            let (this, value) = call.pair(call.bound.this()?, call.bound.expr("value")?)?;
            Ok(this.fill_null(value))
        }
        (Some(value), None) => Ok(this.fill_null(value)),
        (None, Some("forward")) => {
            Ok(this.fill_null_with_strategy(FillNullStrategy::Forward(limit)))
        }
        (None, Some("backward")) => {
            Ok(this.fill_null_with_strategy(FillNullStrategy::Backward(limit)))
        }
        (None, Some(_)) => Err(call.invalid("`strategy` is `forward` or `backward`")),
    }
}

fn is_in(call: &Call<'_>) -> Result<Expr> {
    let this = call.this()?;
    match call.arg("other") {
        Arg::Values(values) if values.is_empty() => {
            // Nothing is in an empty list, of whatever type; null stays null.
            Ok(this.clone().neq(this))
        }
        Arg::Values(values) => {
            let floats = values.iter().any(|value| matches!(value, Scalar::Float(_)));
            let this = if floats { no_integers(this) } else { this };
            Ok(this.is_in(list_of(values)?, false))
        }
        _ => Ok(this.is_in(call.expr("other")?, false)),
    }
}

/// The expression, refused for integers and lists of them: none of them is among floats, which is rarely meant.
pub(super) fn no_integers(expr: Expr) -> Expr {
    expr.map_with_fmt_str(
        Ok,
        |_: &Schema, field: &Field| {
            let dtype = match field.dtype() {
                DataType::List(inner) => inner,
                dtype => dtype,
            };
            if dtype.is_integer() {
                return Err(carried(
                    ErrorKind::TypeMismatch,
                    &format!(
                        "column `{}` holds {dtype}, which is not looked up among floats",
                        field.name()
                    ),
                ));
            }
            known(field)
        },
        PlSmallStr::from_static("no_integers"),
    )
}

/// Constants as one list, as wide as they need to be, so that they are compared in the type of the column.
fn list_of(values: &[Scalar]) -> Result<Expr> {
    let series = expr::series(values)?;
    Ok(Expr::Literal(LiteralValue::Scalar(PolarsScalar::new(
        DataType::List(Box::new(series.dtype().clone())),
        AnyValue::List(series),
    ))))
}

fn is_between(call: &Call<'_>) -> Result<Expr> {
    use polars::prelude::ClosedInterval;
    let closed = match call.text("closed")? {
        "both" => ClosedInterval::Both,
        "left" => ClosedInterval::Left,
        "right" => ClosedInterval::Right,
        "none" => ClosedInterval::None,
        _ => return Err(call.invalid("`closed` is `both`, `left`, `right` or `none`")),
    };
    Ok(call
        .this()?
        .is_between(call.expr("lower_bound")?, call.expr("upper_bound")?, closed))
}

fn is_close(call: &Call<'_>) -> Result<Expr> {
    let (absolute, relative) = (call.float("abs_tol")?, call.float("rel_tol")?);
    if absolute < 0.0 {
        return Err(call.invalid("`abs_tol` cannot be negative"));
    }
    if !(0.0..1.0).contains(&relative) {
        return Err(call.invalid("`rel_tol` must be at least 0 and less than 1"));
    }
    Ok(call.this()?.is_close(
        call.expr("other")?,
        absolute,
        relative,
        call.flag("nans_equal")?,
    ))
}

fn replace_strict(call: &Call<'_>) -> Result<Expr> {
    let Arg::Mapping(pairs) = call.arg("mapping") else {
        return Err(Error::internal(
            "`replace_strict` was bound without mapping",
        ));
    };
    let (old, new): (Vec<Scalar>, Vec<Scalar>) = pairs.iter().cloned().unzip();
    let default = call.opt_expr("default")?;
    let dtype = call
        .opt_dtype("return_dtype")?
        .map(crate::schema::data_type)
        .transpose()?;
    Ok(call.this()?.replace_strict(
        lit(expr::series(&old)?),
        lit(expr::series(&new)?),
        default,
        dtype,
    ))
}

fn round_p(call: &Call<'_>) -> Result<Expr> {
    let p = call.expr("p")?;
    let quotient = binary_expr(call.this()?, Operator::TrueDivide, p.clone());
    Ok(quotient.round(0, RoundMode::HalfToEven) * p)
}

fn convert_units(call: &Call<'_>) -> Result<Expr> {
    let conversion =
        semantics::units::conversion(call.text("input_unit")?, call.text("output_unit")?)?;
    let scaled = call.this()?.cast(DataType::Float64) * lit(conversion.factor);
    Ok(if conversion.offset == 0.0 {
        scaled
    } else {
        scaled + lit(conversion.offset)
    })
}

fn current_timestamp(call: &Call<'_>) -> Result<Expr> {
    let since = call
        .cx()
        .started()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let value =
        i64::try_from(since.as_micros()).map_err(|_| Error::internal("the clock is far off"))?;
    let zone = TimeZone::UTC;
    let any = AnyValue::DatetimeOwned(value, TimeUnit::Microseconds, Some(Arc::new(zone.clone())));
    let dtype = DataType::Datetime(TimeUnit::Microseconds, Some(zone));
    Ok(lit(PolarsScalar::new(dtype, any)))
}
