//! Operators, mathematics, nulls and membership.

use std::time::UNIX_EPOCH;

use laktory_core::{Arg, BoundCall, DType, Error, ErrorKind, Func, Result, Scalar, TimeUnit};
use proto::expression::literal::LiteralType;
use spark_connect_proto as proto;

use super::{FULL, Row, mismatch, this_of, time};
use crate::client::MARK;
use crate::dsl::{
    Ex, and, boolean, cast, double, f, iff, int, is_null, literal, not, not_null, null, or, text,
    when,
};
use crate::expr::{Lw, Val, common, constant};
use crate::types;

pub(super) const ROWS: &[Row] = &[
    (Func::Add, FULL, add),
    (Func::Sub, FULL, sub),
    (Func::Mul, FULL, mul),
    (Func::TrueDiv, FULL, true_div),
    (Func::FloorDiv, FULL, floor_div),
    (Func::Mod, FULL, modulo),
    (Func::Pow, FULL, pow),
    (Func::Neg, FULL, |lw, call| {
        let this = this_of(lw, call, signed)?;
        Ok(this.map(f("negative", [this.e.clone()]), this.t.clone()))
    }),
    (Func::Eq, FULL, |lw, call| compare(lw, call, "==")),
    (Func::Ne, FULL, |lw, call| {
        let equal = compare(lw, call, "==")?;
        Ok(equal.map(not(equal.e.clone()), DType::Boolean))
    }),
    (Func::Lt, FULL, |lw, call| compare(lw, call, "<")),
    (Func::Le, FULL, |lw, call| compare(lw, call, "<=")),
    (Func::Gt, FULL, |lw, call| compare(lw, call, ">")),
    (Func::Ge, FULL, |lw, call| compare(lw, call, ">=")),
    (Func::And, FULL, |lw, call| logic(lw, call, "and", "&")),
    (Func::Or, FULL, |lw, call| logic(lw, call, "or", "|")),
    (Func::Xor, FULL, |lw, call| logic(lw, call, "!=", "^")),
    (Func::Not, FULL, |lw, call| {
        let this = this_of(lw, call, |t| *t == DType::Boolean || t.is_integer())?;
        let name = if this.t.is_integer() { "~" } else { "not" };
        Ok(this.map(f(name, [this.e.clone()]), this.t.clone()))
    }),
    (Func::Abs, FULL, |lw, call| {
        let this = this_of(lw, call, signed)?;
        Ok(this.map(f("abs", [this.e.clone()]), this.t.clone()))
    }),
    (Func::Sqrt, FULL, |lw, call| unary(lw, call, "sqrt")),
    (Func::Exp, FULL, |lw, call| unary(lw, call, "exp")),
    (Func::Log, FULL, log),
    (Func::Sin, FULL, |lw, call| unary(lw, call, "sin")),
    (Func::Cos, FULL, |lw, call| unary(lw, call, "cos")),
    (Func::Floor, FULL, |lw, call| {
        let this = this_of(lw, call, DType::is_numeric)?;
        Ok(whole(lw, this, "floor"))
    }),
    (Func::Ceil, FULL, |lw, call| {
        let this = this_of(lw, call, DType::is_numeric)?;
        Ok(whole(lw, this, "ceil"))
    }),
    (Func::Round, FULL, |lw, call| {
        let this = this_of(lw, call, DType::is_numeric)?;
        let decimals = call.int("decimals")?;
        if decimals < 0 {
            return Err(call.invalid("`decimals` cannot be negative"));
        }
        rounded(lw, this, decimals)
    }),
    (Func::Clip, FULL, clip),
    (Func::FillNull, FULL, fill_null),
    (Func::FillNan, FULL, |lw, call| {
        let this = this_of(lw, call, DType::is_numeric)?;
        if !this.is_float() {
            return Ok(this);
        }
        let this = lw.share(this);
        let value = lw.lower(&*call.expr("value")?)?;
        let value = lw.cast(&value, &this.t.clone(), true)?;
        let e = iff(is_nan(this.e.clone()), value.e.clone(), this.e.clone());
        Ok(Val::of(e, this.t.clone(), &[&this, &value]))
    }),
    (Func::IsNull, FULL, |lw, call| {
        let this = lw.lower(&*call.this()?)?;
        Ok(this.map(is_null(this.e.clone()), DType::Boolean))
    }),
    (Func::IsNan, FULL, |lw, call| {
        let this = this_of(lw, call, DType::is_numeric)?;
        if !this.is_float() {
            return Ok(this.map(
                iff(not_null(this.e.clone()), boolean(false), null_bool()),
                DType::Boolean,
            ));
        }
        let e = iff(
            not_null(this.e.clone()),
            f("isnan", [this.e.clone()]),
            null_bool(),
        );
        Ok(this.map(e, DType::Boolean))
    }),
    (Func::IsFinite, FULL, |lw, call| {
        let this = this_of(lw, call, DType::is_numeric)?;
        let e = if this.is_float() {
            and(
                not(f("isnan", [this.e.clone()])),
                f("<", [f("abs", [this.e.clone()]), double(f64::INFINITY)]),
            )
        } else {
            boolean(true)
        };
        Ok(this.map(
            iff(not_null(this.e.clone()), e, null_bool()),
            DType::Boolean,
        ))
    }),
    (Func::IsIn, FULL, is_in),
    (Func::IsBetween, FULL, is_between),
    (Func::IsClose, FULL, is_close),
    (Func::ReplaceStrict, FULL, replace_strict),
    (Func::Coalesce, FULL, |lw, call| {
        let exprs = call.some_exprs("exprs")?;
        let mut values = lw.lower_all(exprs.iter().map(|expr| &**expr))?;
        let t = lw.unify(&mut values)?;
        let e = f(
            "coalesce",
            values
                .iter()
                .map(|value| value.e.clone())
                .collect::<Vec<_>>(),
        );
        Ok(Val::of(e, t, &values.iter().collect::<Vec<_>>()))
    }),
    (Func::RoundP, FULL, |lw, call| {
        let this = this_of(lw, call, DType::is_numeric)?;
        let p = lw.lower(&*call.expr("p")?)?;
        let quotient = quotient(lw, &this, &p)?;
        let quotient = rounded(lw, quotient, 0)?;
        let e = f(
            "*",
            [quotient.e.clone(), cast(p.e.clone(), &DType::Float64)?],
        );
        Ok(Val::of(e, DType::Float64, &[&quotient, &p]))
    }),
    (Func::ConvertUnits, FULL, |lw, call| {
        let units = laktory_core::semantics::units::conversion(
            call.text("input_unit")?,
            call.text("output_unit")?,
        )?;
        let this = this_of(lw, call, DType::is_numeric)?;
        let scaled = f(
            "*",
            [cast(this.e.clone(), &DType::Float64)?, double(units.factor)],
        );
        let e = if units.offset == 0.0 {
            scaled
        } else {
            f("+", [scaled, double(units.offset)])
        };
        Ok(this.map(e, DType::Float64))
    }),
    (Func::CurrentTimestamp, FULL, |lw, _| {
        let since = lw.started.duration_since(UNIX_EPOCH).unwrap_or_default();
        let micros = i64::try_from(since.as_micros())
            .map_err(|_| Error::internal("the clock is far off"))?;
        let mut value = Val::of(
            literal(LiteralType::Timestamp(micros)),
            types::zoned(types::UTC),
            &[],
        );
        value.constant = true;
        Ok(value)
    }),
];

fn signed(t: &DType) -> bool {
    t.is_numeric() || matches!(t, DType::Duration(_))
}

fn null_bool() -> Ex {
    f("nullif", [boolean(true), boolean(true)])
}

/// NaN is true, null is false.
pub(super) fn is_nan(e: Ex) -> Ex {
    f("isnan", [e])
}

pub(super) fn floating(lw: &mut Lw<'_>, value: &Val) -> Result<Val> {
    if value.is_float() {
        Ok(value.clone())
    } else {
        lw.cast(value, &DType::Float64, true)
    }
}

fn unary(lw: &mut Lw<'_>, call: &BoundCall<'_>, name: &str) -> Result<Val> {
    let this = this_of(lw, call, DType::is_numeric)?;
    let this = floating(lw, &this)?;
    Ok(this.map(f(name, [this.e.clone()]), DType::Float64))
}

/// Both operands of an operator.
fn operands(lw: &mut Lw<'_>, call: &BoundCall<'_>) -> Result<(Val, Val)> {
    let a = lw.lower(&*call.this()?)?;
    let b = lw.lower(&*call.expr("other")?)?;
    Ok((a, b))
}

fn refused(call: &BoundCall<'_>, a: &DType, b: &DType) -> Error {
    Error::new(
        ErrorKind::TypeMismatch,
        format!("`{}` does not go with {a} and {b}", call.func().def().path),
    )
}

/// Operands of arithmetic in the type of the result.
fn numbers(lw: &mut Lw<'_>, call: &BoundCall<'_>, a: &Val, b: &Val) -> Result<(Val, Val, DType)> {
    let numeric =
        |t: &DType| t.is_numeric() || matches!(t, DType::Boolean | DType::Null | DType::Unknown);
    if !numeric(&a.t) || !numeric(&b.t) {
        return Err(refused(call, &a.t, &b.t));
    }
    let mut t = match (&a.t, &b.t) {
        // A constant takes the width of the column that it meets.
        (DType::Float32, other) if b.constant && other.is_numeric() => DType::Float32,
        (other, DType::Float32) if a.constant && other.is_numeric() => DType::Float32,
        (a, b) => common(a, b).ok_or_else(|| refused(call, a, b))?,
    };
    if t == DType::Boolean {
        t = DType::Int64;
    }
    if matches!(t, DType::Null | DType::Unknown) {
        return Ok((a.clone(), b.clone(), t));
    }
    if matches!(t, DType::Decimal { .. }) {
        return Ok((a.clone(), b.clone(), t));
    }
    let (a, b) = (lw.cast(a, &t, true)?, lw.cast(b, &t, true)?);
    Ok((a, b, t))
}

/// The result of decimal arithmetic: the greater scale, as many digits as there are.
fn decimal(t: &DType) -> DType {
    match t {
        DType::Decimal { scale, .. } => DType::Decimal {
            precision: Some(38),
            scale: *scale,
        },
        other => other.clone(),
    }
}

/// A decimal with fewer digits after the point, halves to even.
fn rescaled(e: Ex, t: &DType) -> Result<Ex> {
    match t {
        DType::Decimal { scale, .. } => cast(f("bround", [e, int((*scale).into())]), t),
        t => cast(e, t),
    }
}

fn arithmetic(lw: &mut Lw<'_>, call: &BoundCall<'_>, a: &Val, b: &Val, name: &str) -> Result<Val> {
    let (a, b, t) = numbers(lw, call, a, b)?;
    let e = f(name, [a.e.clone(), b.e.clone()]);
    let parts = [&a, &b];
    if matches!(t, DType::Decimal { .. }) {
        let t = decimal(&t);
        return Ok(Val::of(rescaled(e, &t)?, t, &parts));
    }
    Ok(Val::of(e, t, &parts))
}

fn add(lw: &mut Lw<'_>, call: &BoundCall<'_>) -> Result<Val> {
    let (a, b) = operands(lw, call)?;
    match (&a.t, &b.t) {
        (DType::String, DType::String | DType::Null) | (DType::Null, DType::String) => Ok(Val::of(
            f("concat", [a.e.clone(), b.e.clone()]),
            DType::String,
            &[&a, &b],
        )),
        (DType::Duration(_), DType::Duration(_)) | (DType::Datetime { .. }, DType::Duration(_)) => {
            Ok(Val::of(
                f("+", [a.e.clone(), b.e.clone()]),
                a.t.clone(),
                &[&a, &b],
            ))
        }
        (DType::Duration(_), DType::Datetime { .. }) => Ok(Val::of(
            f("+", [b.e.clone(), a.e.clone()]),
            b.t.clone(),
            &[&a, &b],
        )),
        (DType::Date, DType::Duration(_)) => date_plus(&a, &b, "+"),
        (DType::Duration(_), DType::Date) => date_plus(&b, &a, "+"),
        _ => arithmetic(lw, call, &a, &b, "+"),
    }
}

/// A date moved by a span stays a date.
fn date_plus(date: &Val, span: &Val, name: &str) -> Result<Val> {
    let moved = f(
        name,
        [cast(date.e.clone(), &DType::datetime())?, span.e.clone()],
    );
    Ok(Val::of(
        cast(moved, &DType::Date)?,
        DType::Date,
        &[date, span],
    ))
}

fn sub(lw: &mut Lw<'_>, call: &BoundCall<'_>) -> Result<Val> {
    let (a, b) = operands(lw, call)?;
    match (&a.t, &b.t) {
        (DType::Duration(_), DType::Duration(_)) | (DType::Datetime { .. }, DType::Duration(_)) => {
            Ok(Val::of(
                f("-", [a.e.clone(), b.e.clone()]),
                a.t.clone(),
                &[&a, &b],
            ))
        }
        (DType::Date, DType::Duration(_)) => date_plus(&a, &b, "-"),
        (DType::Date | DType::Datetime { .. }, DType::Date | DType::Datetime { .. }) => {
            let t = common(&a.t, &b.t).ok_or_else(|| refused(call, &a.t, &b.t))?;
            let t = if t == DType::Date {
                DType::datetime()
            } else {
                t
            };
            let (a, b) = (lw.cast(&a, &t, true)?, lw.cast(&b, &t, true)?);
            let e = f("-", [a.e.clone(), b.e.clone()]);
            Ok(Val::of(
                e,
                DType::Duration(TimeUnit::Microsecond),
                &[&a, &b],
            ))
        }
        _ => arithmetic(lw, call, &a, &b, "-"),
    }
}

fn mul(lw: &mut Lw<'_>, call: &BoundCall<'_>) -> Result<Val> {
    let (a, b) = operands(lw, call)?;
    match (&a.t, &b.t) {
        (DType::Duration(_), other) if other.is_numeric() => Ok(Val::of(
            f("*", [a.e.clone(), b.e.clone()]),
            a.t.clone(),
            &[&a, &b],
        )),
        (other, DType::Duration(_)) if other.is_numeric() => Ok(Val::of(
            f("*", [b.e.clone(), a.e.clone()]),
            b.t.clone(),
            &[&a, &b],
        )),
        _ => arithmetic(lw, call, &a, &b, "*"),
    }
}

/// The quotient of numbers as a float: by zero it is infinite, or not a number.
pub(super) fn quotient(lw: &mut Lw<'_>, a: &Val, b: &Val) -> Result<Val> {
    let t = if a.t == DType::Float32 && (b.t == DType::Float32 || b.constant) {
        DType::Float32
    } else {
        DType::Float64
    };
    let (a, b) = (lw.cast(a, &t, true)?, lw.cast(b, &t, true)?);
    let (a, b) = (lw.share(a), lw.share(b));
    let by_zero = when(
        [
            (is_null(a.e.clone()), a.e.clone()),
            (
                or(is_nan(a.e.clone()), f("==", [a.e.clone(), double(0.0)])),
                double(f64::NAN),
            ),
            (f(">", [a.e.clone(), double(0.0)]), double(f64::INFINITY)),
        ],
        Some(double(f64::NEG_INFINITY)),
    );
    let e = iff(
        f("==", [b.e.clone(), double(0.0)]),
        by_zero,
        f("/", [a.e.clone(), b.e.clone()]),
    );
    Ok(Val::of(cast(e, &t)?, t, &[&a, &b]))
}

fn true_div(lw: &mut Lw<'_>, call: &BoundCall<'_>) -> Result<Val> {
    let (a, b) = operands(lw, call)?;
    match (&a.t, &b.t) {
        (DType::Duration(_), DType::Duration(_)) => {
            let micros = |value: &Val| -> Result<Val> {
                Ok(value.map(time::micros(value.e.clone())?, DType::Int64))
            };
            let (a, b) = (micros(&a)?, micros(&b)?);
            quotient(lw, &a, &b)
        }
        (DType::Duration(_), other) if other.is_numeric() => Ok(Val::of(
            f("/", [a.e.clone(), b.e.clone()]),
            a.t.clone(),
            &[&a, &b],
        )),
        (DType::Decimal { .. }, DType::Decimal { .. }) => {
            let t = decimal(&common(&a.t, &b.t).ok_or_else(|| refused(call, &a.t, &b.t))?);
            let e = f("try_divide", [a.e.clone(), b.e.clone()]);
            Ok(Val::of(rescaled(e, &t)?, t, &[&a, &b]))
        }
        _ => {
            numbers(lw, call, &a, &b)?;
            quotient(lw, &a, &b)
        }
    }
}

fn floor_div(lw: &mut Lw<'_>, call: &BoundCall<'_>) -> Result<Val> {
    let (a, b) = operands(lw, call)?;
    let (a, b, t) = numbers(lw, call, &a, &b)?;
    if t.is_float() {
        let quotient = quotient(lw, &a, &b)?;
        return Ok(whole(lw, quotient, "floor"));
    }
    let (a, b) = (lw.share(a), lw.share(b));
    let divisor = f("nullif", [b.e.clone(), zero(&b)]);
    let rest = floored_rest(a.e.clone(), divisor.clone());
    let e = f("div", [f("-", [a.e.clone(), rest]), divisor]);
    let t = if matches!(t, DType::Decimal { .. }) {
        decimal(&t)
    } else {
        t
    };
    Ok(Val::of(cast(e, &t)?, t, &[&a, &b]))
}

fn zero(_: &Val) -> Ex {
    int(0)
}

/// The remainder with the sign of the divisor.
fn floored_rest(a: Ex, b: Ex) -> Ex {
    let rest = f("%", [a, b.clone()]);
    let other_sign = f(
        "!=",
        [f("<", [rest.clone(), int(0)]), f("<", [b.clone(), int(0)])],
    );
    iff(
        and(f("!=", [rest.clone(), int(0)]), other_sign),
        f("+", [rest.clone(), b]),
        rest,
    )
}

fn modulo(lw: &mut Lw<'_>, call: &BoundCall<'_>) -> Result<Val> {
    let (a, b) = operands(lw, call)?;
    let (a, b, t) = numbers(lw, call, &a, &b)?;
    let (a, b) = (lw.share(a), lw.share(b));
    let divisor = f("nullif", [b.e.clone(), zero(&b)]);
    let e = floored_rest(a.e.clone(), divisor);
    let e = if t.is_float() {
        // By zero, and of infinity: not a number.
        let undefined = and(
            and(not_null(a.e.clone()), not_null(b.e.clone())),
            f("==", [b.e.clone(), double(0.0)]),
        );
        iff(undefined, double(f64::NAN), e)
    } else {
        e
    };
    let t = if matches!(t, DType::Decimal { .. }) {
        decimal(&t)
    } else {
        t
    };
    Ok(Val::of(cast(e, &t)?, t, &[&a, &b]))
}

fn pow(lw: &mut Lw<'_>, call: &BoundCall<'_>) -> Result<Val> {
    let (a, b) = operands(lw, call)?;
    numbers(lw, call, &a, &b)?;
    let e = f(
        "power",
        [
            cast(a.e.clone(), &DType::Float64)?,
            cast(b.e.clone(), &DType::Float64)?,
        ],
    );
    let power = Val::of(e, DType::Float64, &[&a, &b]);
    if a.t.is_integer() && b.t.is_integer() {
        return lw.cast(&power, &a.t.clone(), true);
    }
    Ok(power)
}

/// Operands of a comparison in one type.
pub(super) fn comparable(
    lw: &mut Lw<'_>,
    call: &BoundCall<'_>,
    a: &Val,
    b: &Val,
) -> Result<(Val, Val)> {
    let texts = |t: &DType| *t == DType::String;
    let open = |t: &DType| matches!(t, DType::Null | DType::Unknown);
    if open(&a.t) || open(&b.t) {
        return Ok((a.clone(), b.clone()));
    }
    let fits = match (&a.t, &b.t) {
        (a, b) if texts(a) != texts(b) => false,
        (DType::Boolean, other) | (other, DType::Boolean) => *other == DType::Boolean,
        _ => true,
    };
    let t = if fits { common(&a.t, &b.t) } else { None };
    let t = t.ok_or_else(|| refused(call, &a.t, &b.t))?;
    Ok((lw.cast(a, &t, true)?, lw.cast(b, &t, true)?))
}

fn compare(lw: &mut Lw<'_>, call: &BoundCall<'_>, name: &str) -> Result<Val> {
    let (a, b) = operands(lw, call)?;
    let (a, b) = comparable(lw, call, &a, &b)?;
    Ok(Val::of(
        f(name, [a.e.clone(), b.e.clone()]),
        DType::Boolean,
        &[&a, &b],
    ))
}

fn logic(lw: &mut Lw<'_>, call: &BoundCall<'_>, word: &str, bitwise: &str) -> Result<Val> {
    let (a, b) = operands(lw, call)?;
    if a.t.is_integer() && b.t.is_integer() {
        return arithmetic(lw, call, &a, &b, bitwise);
    }
    let truth = |t: &DType| matches!(t, DType::Boolean | DType::Null | DType::Unknown);
    if !truth(&a.t) || !truth(&b.t) {
        return Err(refused(call, &a.t, &b.t));
    }
    let e = if word == "!=" {
        not(f("==", [a.e.clone(), b.e.clone()]))
    } else {
        f(word, [a.e.clone(), b.e.clone()])
    };
    Ok(Val::of(e, DType::Boolean, &[&a, &b]))
}

fn log(lw: &mut Lw<'_>, call: &BoundCall<'_>) -> Result<Val> {
    let this = this_of(lw, call, DType::is_numeric)?;
    let this = floating(lw, &this)?;
    let this = lw.share(this);
    let base = call.float("base")?;
    let x = this.e.clone();
    let natural = when(
        [
            (is_null(x.clone()), x.clone()),
            (is_nan(x.clone()), x.clone()),
            (f("==", [x.clone(), double(0.0)]), double(f64::NEG_INFINITY)),
            (f("<", [x.clone(), double(0.0)]), double(f64::NAN)),
        ],
        Some(f("ln", [x])),
    );
    #[allow(clippy::float_cmp, reason = "the default is exactly this number")]
    let e = if base == std::f64::consts::E {
        natural
    } else {
        f("/", [natural, double(base.ln())])
    };
    Ok(this.map(e, DType::Float64))
}

/// Rounded down or up; floats stay floats.
pub(super) fn whole(lw: &mut Lw<'_>, value: Val, name: &str) -> Val {
    if !value.is_float() {
        if let DType::Decimal { .. } = value.t {
            let t = value.t.clone();
            if let Ok(e) = cast(f(name, [value.e.clone()]), &t) {
                return value.map(e, t);
            }
        }
        return value;
    }
    let value = lw.share(value);
    // Greater numbers have no fraction; not-a-number is not less than anything.
    let small = f(
        "<",
        [f("abs", [value.e.clone()]), double(4_503_599_627_370_496.0)],
    );
    let rounded = f(name, [value.e.clone()]);
    let e = match cast(rounded, &value.t) {
        Ok(rounded) => iff(small, rounded, value.e.clone()),
        Err(_) => value.e.clone(),
    };
    value.map(e, value.t.clone())
}

/// Rounded half to even.
pub(super) fn rounded(lw: &mut Lw<'_>, value: Val, decimals: i64) -> Result<Val> {
    let decimals = i32::try_from(decimals).unwrap_or(i32::MAX);
    if value.t.is_integer() {
        return Ok(value);
    }
    if !value.is_float() {
        let t = value.t.clone();
        return Ok(value.map(cast(f("bround", [value.e.clone(), int(decimals)]), &t)?, t));
    }
    if decimals == 0 {
        let value = lw.share(value);
        return Ok(value.map(f("rint", [value.e.clone()]), DType::Float64));
    }
    let t = value.t.clone();
    Ok(value.map(f("bround", [value.e.clone(), int(decimals)]), t))
}

fn clip(lw: &mut Lw<'_>, call: &BoundCall<'_>) -> Result<Val> {
    let this = this_of(lw, call, |t| {
        !matches!(t, DType::List(_) | DType::Struct(_) | DType::Map(..))
    })?;
    let this = lw.share(this);
    let mut e = this.e.clone();
    let mut parts = vec![this.clone()];
    for (name, function) in [("lower_bound", "greatest"), ("upper_bound", "least")] {
        if let Some(bound) = call.opt_expr(name)? {
            let bound = lw.lower(&bound)?;
            if (bound.t == DType::String) != (this.t == DType::String) && bound.t != DType::Null {
                return Err(mismatch(call, &bound.t));
            }
            let bound = if matches!(bound.t, DType::Null) {
                bound
            } else {
                lw.cast(&bound, &this.t.clone(), true)?
            };
            e = f(function, [e, bound.e.clone()]);
            parts.push(bound);
        }
    }
    let stays = if this.is_float() {
        or(is_null(this.e.clone()), is_nan(this.e.clone()))
    } else {
        is_null(this.e.clone())
    };
    let e = iff(stays, this.e.clone(), e);
    Ok(Val::of(
        e,
        this.t.clone(),
        &parts.iter().collect::<Vec<_>>(),
    ))
}

fn fill_null(lw: &mut Lw<'_>, call: &BoundCall<'_>) -> Result<Val> {
    let this = lw.lower(&*call.this()?)?;
    let limit = call.opt_count("limit")?;
    match (call.opt_expr("value")?, call.opt_text("strategy")?) {
        (Some(_), Some(_)) => Err(call.invalid("give either `value` or `strategy`")),
        (None, None) => Err(call.invalid("`value` or `strategy` is needed")),
        (Some(_), None) if limit.is_some() => Err(call.invalid("`limit` needs a `strategy`")),
        (Some(value), None) => {
            let value = lw.lower(&value)?;
            let mut values = [this.clone(), value];
            // An integer column stays one where the value is a whole number.
            if (values[0].t == DType::String) != (values[1].t == DType::String)
                && values.iter().all(|value| value.t != DType::Null)
            {
                return Err(mismatch(call, &values[1].t));
            }
            let t = lw.unify(&mut values)?;
            let e = f("coalesce", [values[0].e.clone(), values[1].e.clone()]);
            Ok(Val::of(e, t, &[&values[0], &values[1]]))
        }
        (None, Some(strategy)) => {
            let order = lw.order(call)?;
            let this = lw.flat(this)?;
            let reach = limit.map(|limit| i64::try_from(limit).unwrap_or(i64::MAX));
            let (name, rows) = match strategy {
                "forward" => ("last", (reach.map(|reach| -reach), Some(0))),
                "backward" => ("first", (Some(0), reach)),
                _ => return Err(call.invalid("`strategy` is `forward` or `backward`")),
            };
            let e = f(name, [this.e.clone(), boolean(true)]);
            Ok(lw.within(e, this.t.clone(), &[&this], &[], &order, Some(rows)))
        }
    }
}

/// Refuses integers that are looked up among floats, which is rarely meant; and texts among numbers.
fn same_family(call: &BoundCall<'_>, column: &DType, values: &DType) -> Result<()> {
    let fits = match (column, values) {
        (DType::Null | DType::Unknown, _) | (_, DType::Null | DType::Unknown) => true,
        (column, values) if column.is_integer() && values.is_float() => false,
        (column, values) if column.is_numeric() => values.is_numeric(),
        (DType::Datetime { .. } | DType::Date, DType::Datetime { .. } | DType::Date) => true,
        (column, values) => std::mem::discriminant(column) == std::mem::discriminant(values),
    };
    if fits {
        Ok(())
    } else {
        Err(refused(call, column, values))
    }
}

fn is_in(lw: &mut Lw<'_>, call: &BoundCall<'_>) -> Result<Val> {
    let this = lw.lower(&*call.this()?)?;
    let this = lw.share(this);
    let null_in = |found: Ex| iff(is_null(this.e.clone()), null_bool(), found);
    let values: Vec<Scalar> = match call.arg("other") {
        Arg::Values(values) => values.clone(),
        _ => {
            let list = lw.lower(&*call.expr("other")?)?;
            let DType::List(item) = &list.t else {
                // A column as collection: whether the value occurs anywhere in it.
                return Err(mismatch(call, &list.t));
            };
            same_family(call, &this.t, item)?;
            let found = f(
                "coalesce",
                [
                    f("array_contains", [list.e.clone(), this.e.clone()]),
                    boolean(false),
                ],
            );
            let e = null_in(iff(is_null(list.e.clone()), null_bool(), found));
            return Ok(Val::of(e, DType::Boolean, &[&this, &list]));
        }
    };
    let mut arguments = vec![this.e.clone()];
    for value in values.iter().filter(|value| **value != Scalar::Null) {
        let value = constant(value)?;
        same_family(call, &this.t, &value.t)?;
        arguments.push(value.e);
    }
    let found = if arguments.len() == 1 {
        boolean(false)
    } else {
        f("in", arguments)
    };
    Ok(this.map(null_in(found), DType::Boolean))
}

fn is_between(lw: &mut Lw<'_>, call: &BoundCall<'_>) -> Result<Val> {
    let this = lw.lower(&*call.this()?)?;
    let this = lw.share(this);
    let (lower, upper) = match call.text("closed")? {
        "both" => (">=", "<="),
        "left" => (">=", "<"),
        "right" => (">", "<="),
        "none" => (">", "<"),
        _ => return Err(call.invalid("`closed` is `both`, `left`, `right` or `none`")),
    };
    let low = lw.lower(&*call.expr("lower_bound")?)?;
    let high = lw.lower(&*call.expr("upper_bound")?)?;
    let (a, low) = comparable(lw, call, &this, &low)?;
    let (b, high) = comparable(lw, call, &this, &high)?;
    let e = and(
        f(lower, [a.e.clone(), low.e.clone()]),
        f(upper, [b.e.clone(), high.e.clone()]),
    );
    Ok(Val::of(e, DType::Boolean, &[&a, &b, &low, &high]))
}

fn is_close(lw: &mut Lw<'_>, call: &BoundCall<'_>) -> Result<Val> {
    let (absolute, relative) = (call.float("abs_tol")?, call.float("rel_tol")?);
    if absolute < 0.0 {
        return Err(call.invalid("`abs_tol` cannot be negative"));
    }
    if !(0.0..1.0).contains(&relative) {
        return Err(call.invalid("`rel_tol` must be at least 0 and less than 1"));
    }
    let a = this_of(lw, call, DType::is_numeric)?;
    let b = lw.lower(&*call.expr("other")?)?;
    let (a, b) = (
        lw.cast(&a, &DType::Float64, true)?,
        lw.cast(&b, &DType::Float64, true)?,
    );
    let (a, b) = (lw.share(a), lw.share(b));
    let (x, y) = (a.e.clone(), b.e.clone());
    let abs = |e: Ex| f("abs", [e]);
    let infinite = |e: Ex| f("==", [abs(e), double(f64::INFINITY)]);
    let greatest = f("greatest", [abs(x.clone()), abs(y.clone())]);
    let tolerance = f(
        "greatest",
        [f("*", [double(relative), greatest]), double(absolute)],
    );
    let near = f("<=", [abs(f("-", [x.clone(), y.clone()])), tolerance]);
    let e = when(
        [
            (or(is_null(x.clone()), is_null(y.clone())), null_bool()),
            (
                and(is_nan(x.clone()), is_nan(y.clone())),
                boolean(call.flag("nans_equal")?),
            ),
            (or(is_nan(x.clone()), is_nan(y.clone())), boolean(false)),
            (
                or(infinite(x.clone()), infinite(y.clone())),
                f("==", [x.clone(), y.clone()]),
            ),
        ],
        Some(near),
    );
    Ok(Val::of(e, DType::Boolean, &[&a, &b]))
}

/// Fails on the server with an error of the contract.
pub(crate) fn raise(kind: ErrorKind, message: &str) -> Ex {
    f(
        "raise_error",
        [text(&format!("{MARK}{}:{message}", kind.name()))],
    )
}

fn replace_strict(lw: &mut Lw<'_>, call: &BoundCall<'_>) -> Result<Val> {
    let Arg::Mapping(pairs) = call.arg("mapping") else {
        return Err(Error::internal(
            "`replace_strict` was bound without mapping",
        ));
    };
    let this = lw.lower(&*call.this()?)?;
    let this = lw.share(this);
    let mut values = Vec::new();
    for (_, new) in pairs {
        values.push(constant(new)?);
    }
    let default = call.opt_expr("default")?;
    if let Some(default) = &default {
        values.push(lw.lower(default)?);
    }
    let mut t = lw.unify(&mut values)?;
    if let Some(wanted) = call.opt_dtype("return_dtype")? {
        t = wanted.clone();
        for value in &mut values {
            *value = lw.cast(value, &t, true)?;
        }
    }
    let mut branches = Vec::new();
    for ((old, _), value) in pairs.iter().zip(&values) {
        let old = constant(old)?;
        if old.t == DType::Null {
            branches.push((is_null(this.e.clone()), value.e.clone()));
            continue;
        }
        same_family(call, &this.t, &old.t)?;
        branches.push((f("==", [this.e.clone(), old.e]), value.e.clone()));
    }
    let otherwise = match &default {
        Some(_) => values[values.len() - 1].e.clone(),
        None => {
            branches.push((is_null(this.e.clone()), null()));
            raise(
                ErrorKind::ConversionFailed,
                "incomplete mapping: `replace_strict` met a value that it does not replace",
            )
        }
    };
    let mut parts: Vec<&Val> = values.iter().collect();
    parts.push(&this);
    Ok(Val::of(when(branches, Some(otherwise)), t, &parts))
}
