//! Operators and mathematics.

use std::time::UNIX_EPOCH;

use laktory_core::typing::shown;
use laktory_core::typing::{self, Typed};
use laktory_core::{BoundCall, DType, Error, ErrorKind, Func, Result, TimeUnit};
use proto::expression::literal::LiteralType;
use spark_connect_proto as proto;

use super::{FULL, Row, this_of, time};
use crate::dsl::{
    Ex, and, boolean, cast, double, f, iff, int, is_null, literal, not, not_null, or, text, when,
};
use crate::expr::{Lw, Val, common};
use crate::types;

pub(super) const ROWS: &[Row] = &[
    (Func::Add, FULL, add),
    (Func::Sub, FULL, sub),
    (Func::Mul, FULL, mul),
    // Spark in ANSI mode fails on overflow, and has the digits of the standard in decimals.
    (Func::ExactAdd, FULL, |lw, call| exact(lw, call, "+")),
    (Func::ExactSub, FULL, |lw, call| exact(lw, call, "-")),
    (Func::ExactMul, FULL, |lw, call| exact(lw, call, "*")),
    (Func::TrueDiv, FULL, true_div),
    (Func::SqlDiv, FULL, true_div),
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

pub(super) fn null_bool() -> Ex {
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

pub(super) fn refused(call: &BoundCall<'_>, a: &DType, b: &DType) -> Error {
    Error::new(
        ErrorKind::TypeMismatch,
        format!("`{}` does not go with {a} and {b}", shown(call.func())),
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
pub(super) fn decimal(t: &DType) -> DType {
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

/// Integers in 64 bits, and decimals in the digits of the contract.
fn exact(lw: &mut Lw<'_>, call: &BoundCall<'_>, name: &str) -> Result<Val> {
    let (a, b) = operands(lw, call)?;
    let decimal = |t: &DType| matches!(t, DType::Decimal { .. });
    if !decimal(&a.t) && !decimal(&b.t) {
        return arithmetic(lw, call, &a, &b, name);
    }
    let t = typing::arithmetic(
        call.func(),
        &Typed::of(a.t.clone()),
        &Typed::of(b.t.clone()),
    )?;
    let e = f(name, [a.e.clone(), b.e.clone()]);
    Ok(Val::of(cast(e, &t)?, t, &[&a, &b]))
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
    // Only the text tells zeros of the two signs apart.
    let as_text = cast(b.e.clone(), &DType::String)?;
    let negative_zero = f("==", [as_text, text("-0.0")]);
    let negative_sides = f("!=", [f("<", [a.e.clone(), double(0.0)]), negative_zero]);
    let by_zero = when(
        [
            (is_null(a.e.clone()), a.e.clone()),
            (
                or(is_nan(a.e.clone()), f("==", [a.e.clone(), double(0.0)])),
                double(f64::NAN),
            ),
            (negative_sides, double(f64::NEG_INFINITY)),
        ],
        Some(double(f64::INFINITY)),
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
    if matches!(t, DType::Decimal { .. }) {
        // Cut, and one less where that is above: a difference of decimals would have fewer digits behind the point.
        let (rest, below) = rest_and_below(a.e.clone(), divisor.clone());
        let off = iff(and(f("!=", [rest, int(0)]), below), int(1), int(0));
        let e = f("-", [f("div", [a.e.clone(), divisor]), off]);
        let t = decimal(&t);
        return Ok(Val::of(cast(e, &t)?, t, &[&a, &b]));
    }
    let rest = floored_rest(a.e.clone(), divisor.clone());
    let e = f("div", [f("-", [a.e.clone(), rest]), divisor]);
    Ok(Val::of(cast(e, &t)?, t, &[&a, &b]))
}

fn zero(_: &Val) -> Ex {
    int(0)
}

/// The remainder with the sign of the dividend, and whether that is another one than the sign of the divisor.
fn rest_and_below(a: Ex, b: Ex) -> (Ex, Ex) {
    let rest = f("%", [a, b.clone()]);
    let other_sign = f("!=", [f("<", [rest.clone(), int(0)]), f("<", [b, int(0)])]);
    (rest, other_sign)
}

/// The remainder with the sign of the divisor.
fn floored_rest(a: Ex, b: Ex) -> Ex {
    let (rest, other_sign) = rest_and_below(a, b.clone());
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
        // By zero and by infinity: not a number.
        let magnitude = f("abs", [b.e.clone()]);
        let undefined = and(
            and(not_null(a.e.clone()), not_null(b.e.clone())),
            f("in", [magnitude, double(0.0), double(f64::INFINITY)]),
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
