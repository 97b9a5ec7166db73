//! The type in which values of several types meet: one table for all engines. It is that of Polars 1.x, which Narwhals
//! has too: the narrowest type that holds both, and constants bend to the type beside them.

use crate::dtype::{DType, Field, TimeUnit};
use crate::error::{Error, ErrorKind, Result};

use super::{Constant, Typed};

/// The type in which values of several expressions meet; [`DType::Unknown`] where one is not known.
///
/// # Errors
/// `TypeMismatch` when there is none.
pub fn common_type<'a>(values: impl IntoIterator<Item = &'a Typed>) -> Result<DType> {
    let mut common = Typed::of(DType::Null);
    for value in values {
        common = meet(&common, value).ok_or_else(|| apart(&common.dtype, &value.dtype))?;
    }
    Ok(common.dtype)
}

/// The type that holds the values of two types; none when they have nothing in common.
#[must_use]
pub fn supertype(a: &DType, b: &DType) -> Option<DType> {
    if a == b {
        return Some(a.clone());
    }
    if *a == DType::Unknown || *b == DType::Unknown {
        return Some(DType::Unknown);
    }
    ordered(a, b).or_else(|| ordered(b, a))
}

fn apart(a: &DType, b: &DType) -> Error {
    Error::new(
        ErrorKind::TypeMismatch,
        format!("types {a} and {b} have no common type"),
    )
    .with_hint("convert one of them with `cast`")
}

fn meet(a: &Typed, b: &Typed) -> Option<Typed> {
    Some(match (a.constant, b.constant) {
        _ if a.dtype == DType::Null => b.clone(),
        _ if b.dtype == DType::Null => a.clone(),
        (Some(Constant::Text), _) if is_temporal(&b.dtype) => b.clone(),
        (_, Some(Constant::Text)) if is_temporal(&a.dtype) => a.clone(),
        (None, None) | (Some(Constant::Text), _) | (_, Some(Constant::Text)) => {
            Typed::of(supertype(&a.dtype, &b.dtype)?)
        }
        (Some(Constant::Int(x)), Some(Constant::Int(y))) => {
            // The one that needs more bits.
            Typed::int(if x.unsigned_abs() >= y.unsigned_abs() {
                x
            } else {
                y
            })
        }
        (Some(_), Some(_)) => Typed::float(),
        (None, Some(Constant::Int(value))) => Typed::of(with_integer(&a.dtype, value)?),
        (Some(Constant::Int(value)), None) => Typed::of(with_integer(&b.dtype, value)?),
        (None, Some(Constant::Float)) => Typed::of(with_float(&a.dtype)?),
        (Some(Constant::Float), None) => Typed::of(with_float(&b.dtype)?),
    })
}

fn with_float(known: &DType) -> Option<DType> {
    if known.is_float() {
        return Some(known.clone());
    }
    supertype(known, &DType::Float64)
}

/// The type for values of a type beside a constant integer: the constant takes as little room as it can.
fn with_integer(known: &DType, value: i128) -> Option<DType> {
    if known.is_float() || is_text(known) {
        return Some(known.clone());
    }
    if let DType::Decimal { scale, .. } = known {
        return Some(DType::Decimal {
            precision: Some(MOST_DIGITS),
            scale: *scale,
        });
    }
    if !known.is_integer() {
        let int = match i32::try_from(value) {
            Ok(_) => DType::Int32,
            Err(_) => DType::Int64,
        };
        return supertype(known, &int);
    }
    let unsigned = is_unsigned(known) && value >= 0;
    let smallest = if unsigned {
        if u8::try_from(value).is_ok() {
            DType::UInt8
        } else if u16::try_from(value).is_ok() {
            DType::UInt16
        } else if u32::try_from(value).is_ok() {
            DType::UInt32
        } else {
            DType::UInt64
        }
    } else if i8::try_from(value).is_ok() {
        DType::Int8
    } else if i16::try_from(value).is_ok() {
        DType::Int16
    } else if i32::try_from(value).is_ok() {
        DType::Int32
    } else if i64::try_from(value).is_ok() {
        DType::Int64
    } else {
        DType::UInt64
    };
    match known {
        DType::UInt64 if !is_unsigned(&smallest) => Some(DType::Int64),
        _ => supertype(known, &smallest),
    }
}

/// Digits of a decimal, at most.
pub(super) const MOST_DIGITS: u8 = 38;

pub(super) fn is_text(dtype: &DType) -> bool {
    matches!(dtype, DType::String | DType::Categorical | DType::Enum(_))
}

/// Points and spans of time.
pub(super) fn is_temporal(dtype: &DType) -> bool {
    matches!(
        dtype,
        DType::Date | DType::Time | DType::Datetime { .. } | DType::Duration(_)
    )
}

/// Whether one is a number and the other a point or span of time: a number counts no known thing.
pub(super) fn is_time_and_number(a: &DType, b: &DType) -> bool {
    is_temporal(a) && b.is_numeric() || a.is_numeric() && is_temporal(b)
}

fn is_unsigned(dtype: &DType) -> bool {
    matches!(
        dtype,
        DType::UInt8 | DType::UInt16 | DType::UInt32 | DType::UInt64 | DType::UInt128
    )
}

fn element(dtype: &DType) -> Option<&DType> {
    match dtype {
        DType::List(inner) | DType::Array(inner, _) => Some(inner),
        _ => None,
    }
}

fn ordered(a: &DType, b: &DType) -> Option<DType> {
    use DType::{
        Binary, Boolean, Date, Datetime, Decimal, Duration, Float64, Int32, Int64, List, Map, Null,
        Object, Struct, Time, UInt32, UInt64,
    };
    match (a, b) {
        (a, Null) => Some(a.clone()),
        (Object, _) => None,
        (a, b) if is_text(a) && is_text(b) => Some(DType::String),
        (a, Binary) if is_text(a) => Some(Binary),
        (a, b) if element(a).is_some() || element(b).is_some() => {
            Some(List(Box::new(supertype(element(a)?, element(b)?)?)))
        }
        (Struct(a), Struct(b)) => structs(a, b),
        (Struct(_) | Map(..), _) | (_, Struct(_) | Map(..)) => None,
        (a, b) if is_text(b) && *a != Binary => Some(DType::String),
        (Boolean, b) if b.is_integer() || b.is_float() => Some(b.clone()),
        (
            Decimal {
                precision: p,
                scale: s,
            },
            Decimal {
                precision: q,
                scale: t,
            },
        ) => {
            let digits = |precision: &Option<u8>| precision.unwrap_or(MOST_DIGITS);
            Some(Decimal {
                precision: Some(digits(p).max(digits(q))),
                scale: *s.max(t),
            })
        }
        (Decimal { .. }, b) if b.is_float() => Some(Float64),
        (Decimal { precision, scale }, b) if b.is_integer() => {
            let digits = precision.unwrap_or(MOST_DIGITS).saturating_sub(*scale);
            let fits = 10_i128
                .checked_pow(digits.into())
                .is_some_and(|limit| limit > greatest(b));
            Some(Decimal {
                precision: Some(match fits {
                    true => precision.unwrap_or(MOST_DIGITS),
                    false => MOST_DIGITS,
                }),
                scale: *scale,
            })
        }
        (a, Decimal { .. }) if a.is_numeric() => None,
        (a, b) if a.is_numeric() && b.is_numeric() => numbers(a, b),
        (Date, Datetime { .. }) => Some(b.clone()),
        (Date, Duration(_)) => Some(Date),
        (Date, Int32) => Some(Int32),
        (
            Datetime { unit, zone },
            Datetime {
                unit: other,
                zone: other_zone,
            },
        ) if zone == other_zone => Some(Datetime {
            unit: coarser(*unit, *other),
            zone: zone.clone(),
        }),
        (Datetime { unit, zone }, Duration(other)) => Some(Datetime {
            unit: coarser(*unit, *other),
            zone: zone.clone(),
        }),
        (Duration(unit), Duration(other)) => Some(Duration(coarser(*unit, *other))),
        (Date | Datetime { .. } | Duration(_) | Time, b) if b.is_float() => Some(Float64),
        (Date | Datetime { .. } | Duration(_) | Time, Int32 | Int64 | UInt32 | UInt64) => {
            Some(Int64)
        }
        _ => None,
    }
}

fn greatest(integer: &DType) -> i128 {
    match integer {
        DType::Int8 => i8::MAX.into(),
        DType::Int16 => i16::MAX.into(),
        DType::Int32 => i32::MAX.into(),
        DType::Int64 => i64::MAX.into(),
        DType::UInt8 => u8::MAX.into(),
        DType::UInt16 => u16::MAX.into(),
        DType::UInt32 => u32::MAX.into(),
        DType::UInt64 => u64::MAX.into(),
        _ => i128::MAX,
    }
}

/// Two different numbers, neither of them a decimal.
fn numbers(a: &DType, b: &DType) -> Option<DType> {
    if a.is_float() || b.is_float() {
        let small = |dtype: &DType| {
            matches!(
                dtype,
                DType::Float16
                    | DType::Float32
                    | DType::Int8
                    | DType::UInt8
                    | DType::Int16
                    | DType::UInt16
            )
        };
        return Some(if small(a) && small(b) {
            DType::Float32
        } else {
            DType::Float64
        });
    }
    let signed = |bits: u8| match bits {
        8 => DType::Int8,
        16 => DType::Int16,
        32 => DType::Int32,
        64 => DType::Int64,
        _ => DType::Int128,
    };
    let (x, y) = (bits(a), bits(b));
    Some(match (is_unsigned(a), is_unsigned(b)) {
        (true, true) | (false, false) => (if x >= y { a } else { b }).clone(),
        (false, true) => signed(x.max(y.saturating_mul(2))),
        (true, false) => signed(y.max(x.saturating_mul(2))),
    })
}

fn bits(integer: &DType) -> u8 {
    match integer {
        DType::Int8 | DType::UInt8 => 8,
        DType::Int16 | DType::UInt16 => 16,
        DType::Int32 | DType::UInt32 => 32,
        DType::Int64 | DType::UInt64 => 64,
        _ => 128,
    }
}

/// Structs by the names of their fields, in the order of the longer one.
fn structs(a: &[Field], b: &[Field]) -> Option<DType> {
    let (long, short) = if a.len() >= b.len() { (a, b) } else { (b, a) };
    let mut fields = long.to_vec();
    for field in short {
        match fields.iter_mut().find(|known| known.name == field.name) {
            Some(known) => known.dtype = supertype(&known.dtype, &field.dtype)?,
            None => fields.push(field.clone()),
        }
    }
    Some(DType::Struct(fields))
}

/// The coarser of two units: it holds every point in time of both.
pub(super) fn coarser(a: TimeUnit, b: TimeUnit) -> TimeUnit {
    let rank = |unit: TimeUnit| match unit {
        TimeUnit::Second => 0,
        TimeUnit::Millisecond => 1,
        TimeUnit::Microsecond => 2,
        TimeUnit::Nanosecond => 3,
    };
    if rank(a) <= rank(b) { a } else { b }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_meet_in_the_narrowest_type_that_holds_both() {
        use DType::*;
        let decimal = |precision, scale| Decimal {
            precision: Some(precision),
            scale,
        };
        for (a, b, expected) in [
            (Int8, Int16, Int16),
            (Int8, UInt8, Int16),
            (Int32, UInt32, Int64),
            (UInt64, Int64, Int128),
            (UInt8, UInt32, UInt32),
            (Int16, Float32, Float32),
            (Int32, Float32, Float64),
            (Boolean, Int8, Int8),
            (Int64, String, String),
            (decimal(10, 2), Int8, decimal(10, 2)),
            (decimal(4, 2), Int64, decimal(38, 2)),
        ] {
            assert_eq!(supertype(&a, &b), Some(expected.clone()), "{a} {b}");
            assert_eq!(supertype(&b, &a), Some(expected), "{b} {a}");
        }
        assert_eq!(supertype(&Binary, &Int64), None);
    }

    #[test]
    fn constants_bend_to_the_type_beside_them() {
        for (dtype, constant, expected) in [
            (DType::Int8, 1, DType::Int8),
            (DType::Int8, 300, DType::Int16),
            (DType::UInt8, -1, DType::Int16),
            (DType::UInt64, -1, DType::Int64),
            (DType::Float32, 7, DType::Float32),
        ] {
            let values = [Typed::of(dtype.clone()), Typed::int(constant)];
            assert_eq!(
                common_type(&values).unwrap(),
                expected,
                "{dtype} {constant}"
            );
        }
    }
}
