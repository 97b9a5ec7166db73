//! The type in which values meet, by the rules of Polars: the narrowest that holds both, and constants bend to the
//! type beside them.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, TimeUnit};
use datafusion::common::ScalarValue;
use laktory_core::{Error, ErrorKind, Result};

use crate::expr::Value;
use crate::types::{
    element, is_decimal, is_float, is_integer, is_list, is_number, is_text, list_of, shown,
};

use super::support::is_binary;

/// What is known of the common type after some values.
#[derive(Clone, Debug)]
enum Common {
    /// Nothing but nulls.
    Nothing,
    /// A type.
    Known(DataType),
    /// Constant integers, none beyond this one.
    Integer(i128),
    /// Constant numbers, at least one with a fraction.
    Float,
}

/// The type in which values of several expressions meet.
///
/// # Errors
/// `TypeMismatch` when there is none.
pub(crate) fn common_type<'a>(values: impl Iterator<Item = &'a Value>) -> Result<DataType> {
    let mut common = Common::Nothing;
    for value in values {
        let next = Common::of(value);
        common = common
            .clone()
            .meet(next)
            .ok_or_else(|| apart(&common.dtype(), &value.dtype))?;
    }
    Ok(common.dtype())
}

/// The type in which values of several types meet.
///
/// # Errors
/// `TypeMismatch` when there is none.
pub(crate) fn common_of(mut dtypes: impl Iterator<Item = DataType>) -> Result<DataType> {
    dtypes.try_fold(DataType::Null, |known, dtype| {
        supertype(&known, &dtype).ok_or_else(|| apart(&known, &dtype))
    })
}

fn apart(known: &DataType, dtype: &DataType) -> Error {
    Error::new(
        ErrorKind::TypeMismatch,
        format!("{} and {} have no common type", shown(known), shown(dtype)),
    )
    .with_hint("convert one of them with `cast`")
}

impl Common {
    fn of(value: &Value) -> Self {
        if value.dtype == DataType::Null {
            return Self::Nothing;
        }
        match value.as_constant() {
            Some(ScalarValue::Int32(Some(value))) => Self::Integer((*value).into()),
            Some(ScalarValue::Int64(Some(value))) => Self::Integer((*value).into()),
            Some(ScalarValue::UInt64(Some(value))) => Self::Integer((*value).into()),
            Some(ScalarValue::Float64(Some(_))) => Self::Float,
            _ => Self::Known(value.dtype.clone()),
        }
    }

    fn meet(self, other: Self) -> Option<Self> {
        Some(match (self, other) {
            (Self::Nothing, other) | (other, Self::Nothing) => other,
            (Self::Integer(a), Self::Integer(b)) => {
                // The one that needs more bits.
                Self::Integer(if a.unsigned_abs() >= b.unsigned_abs() {
                    a
                } else {
                    b
                })
            }
            (Self::Float, Self::Float | Self::Integer(_)) | (Self::Integer(_), Self::Float) => {
                Self::Float
            }
            (Self::Known(a), Self::Known(b)) => Self::Known(supertype(&a, &b)?),
            (Self::Known(known), Self::Integer(value))
            | (Self::Integer(value), Self::Known(known)) => {
                Self::Known(with_integer(&known, value)?)
            }
            (Self::Known(known), Self::Float) | (Self::Float, Self::Known(known)) => {
                Self::Known(if is_float(&known) {
                    known
                } else {
                    supertype(&known, &DataType::Float64)?
                })
            }
        })
    }

    fn dtype(&self) -> DataType {
        match self {
            Self::Nothing => DataType::Null,
            Self::Known(dtype) => dtype.clone(),
            Self::Float => DataType::Float64,
            Self::Integer(value) => {
                if i32::try_from(*value).is_ok() {
                    DataType::Int32
                } else if i64::try_from(*value).is_ok() {
                    DataType::Int64
                } else {
                    DataType::UInt64
                }
            }
        }
    }
}

/// The type for values of a type beside a constant integer: the constant takes as little room as it can.
fn with_integer(known: &DataType, value: i128) -> Option<DataType> {
    if is_float(known) || is_text(known) {
        return Some(known.clone());
    }
    if let DataType::Decimal128(_, scale) = known {
        return Some(DataType::Decimal128(38, *scale));
    }
    if !is_integer(known) {
        let int = if i32::try_from(value).is_ok() {
            DataType::Int32
        } else {
            DataType::Int64
        };
        return supertype(known, &int);
    }
    let smallest = if known.is_unsigned_integer() && value >= 0 {
        if u8::try_from(value).is_ok() {
            DataType::UInt8
        } else if u16::try_from(value).is_ok() {
            DataType::UInt16
        } else if u32::try_from(value).is_ok() {
            DataType::UInt32
        } else {
            DataType::UInt64
        }
    } else if i8::try_from(value).is_ok() {
        DataType::Int8
    } else if i16::try_from(value).is_ok() {
        DataType::Int16
    } else if i32::try_from(value).is_ok() {
        DataType::Int32
    } else if i64::try_from(value).is_ok() {
        DataType::Int64
    } else {
        DataType::UInt64
    };
    match known {
        DataType::UInt64 if smallest.is_signed_integer() => Some(DataType::Int64),
        _ => supertype(known, &smallest),
    }
}

/// The type that holds the values of two types; `None` when they have nothing in common.
fn supertype(a: &DataType, b: &DataType) -> Option<DataType> {
    if a == b {
        return Some(a.clone());
    }
    ordered(a, b).or_else(|| ordered(b, a))
}

fn ordered(a: &DataType, b: &DataType) -> Option<DataType> {
    use DataType::{
        Boolean, Date32, Decimal128, Duration, Float64, Int32, Int64, Null, Struct, Timestamp,
    };
    match (a, b) {
        (a, Null) => Some(a.clone()),
        (a, b) if is_text(a) && is_text(b) => Some(DataType::Utf8View),
        (a, b) if (is_text(a) || is_binary(a)) && is_binary(b) => Some(DataType::BinaryView),
        (a, b) if is_list(a) || is_list(b) => Some(list_of(supertype(element(a)?, element(b)?)?)),
        (Struct(a), Struct(b)) => structs(a, b),
        (Struct(_) | DataType::Map(..), _) | (_, Struct(_) | DataType::Map(..)) => None,
        (a, b) if is_text(b) && !is_binary(a) => Some(DataType::Utf8View),
        (Boolean, b) if is_integer(b) || is_float(b) => Some(b.clone()),
        (Decimal128(p, s), Decimal128(q, t)) => Some(Decimal128(*p.max(q), *s.max(t))),
        (a, b) if is_decimal(a) && is_float(b) => Some(Float64),
        (Decimal128(precision, scale), b) if is_integer(b) => {
            let digits = u32::from(precision.saturating_sub(scale.unsigned_abs()));
            let fits = 10_i128
                .checked_pow(digits)
                .is_some_and(|limit| limit > greatest(b));
            Some(Decimal128(if fits { *precision } else { 38 }, *scale))
        }
        (a, b) if is_number(a) && is_number(b) => numbers(a, b),
        (Date32, Timestamp(..)) => Some(b.clone()),
        (Date32, Duration(_)) => Some(Date32),
        (Date32, Int32) => Some(Int32),
        (Timestamp(unit, zone), Timestamp(other, other_zone)) if zone == other_zone => {
            Some(Timestamp(coarser(*unit, *other), zone.clone()))
        }
        (Timestamp(unit, zone), Duration(other)) => {
            Some(Timestamp(coarser(*unit, *other), zone.clone()))
        }
        (Duration(unit), Duration(other)) => Some(Duration(coarser(*unit, *other))),
        (Date32 | Timestamp(..) | Duration(_) | DataType::Time64(_), b) if is_float(b) => {
            Some(Float64)
        }
        (
            Date32 | Timestamp(..) | Duration(_) | DataType::Time64(_),
            Int32 | Int64 | DataType::UInt32 | DataType::UInt64,
        ) => Some(Int64),
        _ => None,
    }
}

fn greatest(integer: &DataType) -> i128 {
    match integer {
        DataType::Int8 => i8::MAX.into(),
        DataType::Int16 => i16::MAX.into(),
        DataType::Int32 => i32::MAX.into(),
        DataType::Int64 => i64::MAX.into(),
        DataType::UInt8 => u8::MAX.into(),
        DataType::UInt16 => u16::MAX.into(),
        DataType::UInt32 => u32::MAX.into(),
        _ => u64::MAX.into(),
    }
}

/// Two different numbers, neither of them a decimal.
fn numbers(a: &DataType, b: &DataType) -> Option<DataType> {
    use DataType::{Float16, Float32, Float64};
    if is_decimal(a) || is_decimal(b) {
        return None;
    }
    if is_float(a) || is_float(b) {
        let small = |dtype: &DataType| {
            matches!(dtype, Float16 | Float32)
                || matches!(
                    dtype,
                    DataType::Int8 | DataType::UInt8 | DataType::Int16 | DataType::UInt16
                )
        };
        return Some(if small(a) && small(b) {
            Float32
        } else {
            Float64
        });
    }
    let bits = |dtype: &DataType| dtype.primitive_width().unwrap_or(8) * 8;
    let signed = |bits: usize| match bits {
        8 => DataType::Int8,
        16 => DataType::Int16,
        32 => DataType::Int32,
        64 => DataType::Int64,
        _ => DataType::Decimal128(38, 0),
    };
    Some(match (a.is_signed_integer(), b.is_signed_integer()) {
        (true, true) | (false, false) => {
            if bits(a) >= bits(b) {
                a.clone()
            } else {
                b.clone()
            }
        }
        (true, false) => signed(bits(a).max(2 * bits(b))),
        (false, true) => signed(bits(b).max(2 * bits(a))),
    })
}

/// Structs by the names of their fields, in the order of the longer one.
fn structs(
    a: &datafusion::arrow::datatypes::Fields,
    b: &datafusion::arrow::datatypes::Fields,
) -> Option<DataType> {
    let (long, short) = if a.len() >= b.len() { (a, b) } else { (b, a) };
    let mut fields: Vec<Field> = long.iter().map(|field| field.as_ref().clone()).collect();
    for field in short {
        match fields.iter_mut().find(|known| known.name() == field.name()) {
            Some(known) => {
                let dtype = supertype(known.data_type(), field.data_type())?;
                *known = Field::new(known.name(), dtype, true);
            }
            None => fields.push(field.as_ref().clone()),
        }
    }
    Some(DataType::Struct(fields.into_iter().map(Arc::new).collect()))
}

/// The coarser of two units: it holds every point in time of both.
pub(crate) fn coarser(a: TimeUnit, b: TimeUnit) -> TimeUnit {
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
        use DataType::*;
        for (a, b, expected) in [
            (Int8, Int16, Int16),
            (Int8, UInt8, Int16),
            (Int32, UInt32, Int64),
            (UInt64, Int64, Decimal128(38, 0)),
            (UInt8, UInt32, UInt32),
            (Int16, Float32, Float32),
            (Int32, Float32, Float64),
            (Boolean, Int8, Int8),
            (Int64, Utf8View, Utf8View),
            (Decimal128(10, 2), Int8, Decimal128(10, 2)),
            (Decimal128(4, 2), Int64, Decimal128(38, 2)),
            (
                Date32,
                Timestamp(TimeUnit::Millisecond, None),
                Timestamp(TimeUnit::Millisecond, None),
            ),
        ] {
            assert_eq!(supertype(&a, &b), Some(expected.clone()), "{a} {b}");
            assert_eq!(supertype(&b, &a), Some(expected), "{b} {a}");
        }
        assert_eq!(supertype(&Binary, &Int64), None);
    }

    #[test]
    fn constants_bend_to_the_type_beside_them() {
        let column = |dtype: &DataType| Value {
            expr: datafusion::prelude::col("x"),
            dtype: dtype.clone(),
        };
        for (dtype, constant, expected) in [
            (DataType::Int8, 1, DataType::Int8),
            (DataType::Int8, 300, DataType::Int16),
            (DataType::UInt8, -1, DataType::Int16),
            (DataType::UInt64, -1, DataType::Int64),
            (DataType::Float32, 7, DataType::Float32),
        ] {
            let values = [
                column(&dtype),
                Value::constant(ScalarValue::Int32(Some(constant))),
            ];
            assert_eq!(
                common_type(values.iter()).unwrap(),
                expected,
                "{dtype} {constant}"
            );
        }
    }
}
