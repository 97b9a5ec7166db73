//! Types of `+`, `-`, `*`, `/`, `//`, `%` and `**`.

use crate::dtype::{DType, TimeUnit};
use crate::error::{Error, ErrorKind, Result};
use crate::functions::Func;

use super::common::{MOST_DIGITS, coarser, is_text};
use super::{Constant, Typed, common_type, shown};

/// The type of a sum, difference, product, quotient, remainder or power of two values.
///
/// # Errors
/// `TypeMismatch`.
pub fn arithmetic(func: Func, left: &Typed, right: &Typed) -> Result<DType> {
    let (a, b) = (&left.dtype, &right.dtype);
    if *a == DType::Unknown || *b == DType::Unknown {
        return Ok(DType::Unknown);
    }
    if *a == DType::Null && *b == DType::Null {
        return Ok(DType::Null);
    }
    let number = |dtype: &DType| dtype.is_numeric() || *dtype == DType::Null;
    if number(a) && number(b) {
        return numbers(func, left, right);
    }
    let moved = match (func, a, b) {
        (Func::Add | Func::ExactAdd, a, b) if text(a) && text(b) => Some(DType::String),
        (Func::Add | Func::ExactAdd, a, b) => sum(a, b).or_else(|| sum(b, a)),
        (Func::Sub | Func::ExactSub, a, b) => difference(a, b),
        (Func::Mul | Func::ExactMul, DType::Duration(_), b) if number(b) => Some(a.clone()),
        (Func::Mul | Func::ExactMul, a, DType::Duration(_)) if number(a) => Some(b.clone()),
        (Func::TrueDiv, DType::Duration(_), DType::Duration(_)) => Some(DType::Float64),
        (Func::TrueDiv | Func::FloorDiv, DType::Duration(_), b) if number(b) => Some(a.clone()),
        (Func::FloorDiv, DType::Duration(_), DType::Duration(_)) => Some(DType::Int64),
        (Func::Mod, DType::Duration(_), DType::Duration(_)) => Some(a.clone()),
        _ => None,
    };
    // What booleans add up to is an accident of each engine.
    if moved.is_none() && (boolean(a) && (boolean(b) || number(b)) || boolean(b) && number(a)) {
        return Ok(DType::Unknown);
    }
    moved.ok_or_else(|| {
        Error::new(
            ErrorKind::TypeMismatch,
            format!("`{}` does not take {a} and {b}", shown(func)),
        )
    })
}

fn text(dtype: &DType) -> bool {
    is_text(dtype) || *dtype == DType::Null
}

fn boolean(dtype: &DType) -> bool {
    *dtype == DType::Boolean
}

/// Points in time moved by a duration, and sums of durations.
fn sum(a: &DType, b: &DType) -> Option<DType> {
    Some(match (a, b) {
        (DType::Date, DType::Duration(_)) => DType::Date,
        (DType::Time, DType::Duration(_)) => DType::Time,
        (DType::Datetime { unit, zone }, DType::Duration(other)) => DType::Datetime {
            unit: coarser(*unit, *other),
            zone: zone.clone(),
        },
        (DType::Duration(unit), DType::Duration(other)) => DType::Duration(coarser(*unit, *other)),
        (DType::Date | DType::Time | DType::Datetime { .. } | DType::Duration(_), DType::Null) => {
            a.clone()
        }
        _ => return None,
    })
}

/// Points in time moved back by a duration, and what lies between two of them.
fn difference(a: &DType, b: &DType) -> Option<DType> {
    Some(match (a, b) {
        (DType::Duration(_), DType::Date | DType::Datetime { .. } | DType::Time) => return None,
        (DType::Date, DType::Date) => DType::Duration(TimeUnit::Microsecond),
        (DType::Time, DType::Time) => DType::Duration(TimeUnit::Nanosecond),
        (DType::Date, DType::Datetime { unit, zone: None })
        | (DType::Datetime { unit, zone: None }, DType::Date) => DType::Duration(*unit),
        (
            DType::Datetime { unit, zone },
            DType::Datetime {
                unit: other,
                zone: other_zone,
            },
        ) if zone.is_some() == other_zone.is_some() => DType::Duration(coarser(*unit, *other)),
        (a, b) => return sum(a, b),
    })
}

fn numbers(func: Func, left: &Typed, right: &Typed) -> Result<DType> {
    let (a, b) = (&left.dtype, &right.dtype);
    let decimal = |dtype: &DType| matches!(dtype, DType::Decimal { .. });
    let wide = |dtype: &DType| matches!(dtype, DType::Int128 | DType::UInt128);
    if (decimal(a) || decimal(b)) && !a.is_float() && !b.is_float() {
        return Ok(decimals(func, left, right));
    }
    let integers = !a.is_float() && !b.is_float();
    match func {
        Func::TrueDiv if integers => Ok(DType::Float64),
        Func::Pow if integers && is_negative(right) => Ok(DType::Float64),
        _ if integers && (wide(a) || wide(b)) => Ok(DType::Int128),
        _ if integers => Ok(DType::Int64),
        _ => common_type([left, right]),
    }
}

/// Whether a power is a constant below zero, to which whole numbers are fractions.
fn is_negative(power: &Typed) -> bool {
    matches!(power.constant, Some(Constant::Int(power)) if power < 0)
}

/// Sums and products of decimals by the rule of the SQL standard, as Spark and DataFusion have it, with at most 38
/// digits. Quotients and remainders have all digits and the greater scale; powers are floats.
fn decimals(func: Func, left: &Typed, right: &Typed) -> DType {
    let ((p, s), (q, t)) = (digits(left), digits(right));
    let (precision, scale) = match func {
        Func::Mul | Func::ExactMul => (p + q + 1, s + t),
        Func::Add | Func::Sub | Func::ExactAdd | Func::ExactSub => {
            ((p - s).max(q - t) + s.max(t) + 1, s.max(t))
        }
        Func::Pow => return DType::Float64,
        _ => (MOST_DIGITS.into(), s.max(t)),
    };
    DType::Decimal {
        precision: Some(narrow(precision)),
        scale: narrow(scale),
    }
}

fn narrow(digits: i32) -> u8 {
    let digits = digits.clamp(0, MOST_DIGITS.into());
    u8::try_from(digits).unwrap_or(MOST_DIGITS)
}

/// The decimal that the dividend of a quotient of SQL is calculated in, where one of both values is a decimal: by the rule of
/// the SQL standard, as Spark has it (`max(6, s1 + p2 + 1)` digits behind the point, fewer where 38 do not hold the rest). None
/// where it has as many already.
pub(super) fn quotient(left: &Typed, right: &Typed) -> Option<DType> {
    const LEAST: i32 = 6;
    let decimal = |value: &Typed| matches!(value.dtype, DType::Decimal { .. });
    let exact = |value: &Typed| decimal(value) || value.dtype.is_integer();
    if !(exact(left) && exact(right) && (decimal(left) || decimal(right))) {
        return None;
    }
    let most = i32::from(MOST_DIGITS);
    let ((p, s), (q, t)) = (digits(left), digits(right));
    let wanted = LEAST.max(s + q + 1);
    let whole = p - s + t;
    let scale = wanted.min((most - whole).max(LEAST));
    (scale > s).then(|| DType::Decimal {
        precision: Some(narrow(p - s + scale)),
        scale: narrow(scale),
    })
}

/// The decimal that a decimal, an integer or a null is.
pub(super) fn as_decimal(value: &Typed) -> DType {
    let (precision, scale) = digits(value);
    DType::Decimal {
        precision: Some(narrow(precision)),
        scale: narrow(scale),
    }
}

/// Digits in all, and behind the point.
fn digits(value: &Typed) -> (i32, i32) {
    if let Some(Constant::Int(value)) = value.constant {
        let digits = value.unsigned_abs().checked_ilog10().unwrap_or(0) + 1;
        return (i32::try_from(digits).unwrap_or(i32::from(MOST_DIGITS)), 0);
    }
    match &value.dtype {
        DType::Decimal { precision, scale } => {
            (precision.unwrap_or(MOST_DIGITS).into(), (*scale).into())
        }
        DType::Int8 | DType::UInt8 => (3, 0),
        DType::Int16 | DType::UInt16 => (5, 0),
        DType::Int32 | DType::UInt32 => (10, 0),
        DType::Int64 | DType::UInt64 => (20, 0),
        DType::Null => (1, 0),
        _ => (MOST_DIGITS.into(), 0),
    }
}
