//! Constants as values of the protocol.

use laktory_core::{DType, Error, ErrorKind, Result, Scalar};
use proto::expression::literal::LiteralType;
use spark_connect_proto as proto;

use super::{Val, common};
use crate::dsl::{self, Ex, cast, f, literal, null, text};
use crate::types;

/// A constant. Integers are 32 bits wide if that suffices.
pub(crate) fn constant(value: &Scalar) -> Result<Val> {
    let (e, t) = scalar(value)?;
    let mut value = Val::of(e, t, &[]);
    value.constant = true;
    Ok(value)
}

fn scalar(value: &Scalar) -> Result<(Ex, DType)> {
    let micros = |value: i64, unit: laktory_core::TimeUnit| -> Result<i64> {
        use laktory_core::TimeUnit::{Microsecond, Millisecond, Nanosecond, Second};
        match unit {
            Second => value.checked_mul(1_000_000),
            Millisecond => value.checked_mul(1_000),
            Microsecond => Some(value),
            Nanosecond => Some(value.div_euclid(1_000)),
        }
        .ok_or_else(|| {
            Error::new(
                ErrorKind::OutOfBounds,
                "a constant lies outside of the range of time",
            )
        })
    };
    Ok(match value {
        Scalar::Null => (null(), DType::Null),
        Scalar::Bool(value) => (dsl::boolean(*value), DType::Boolean),
        Scalar::Int(value) => match (i32::try_from(*value), i64::try_from(*value)) {
            (Ok(value), _) => (dsl::int(value), DType::Int32),
            (_, Ok(value)) => (dsl::long(value), DType::Int64),
            _ => {
                let t = DType::Decimal {
                    precision: Some(38),
                    scale: 0,
                };
                (cast(text(&value.to_string()), &t)?, t)
            }
        },
        Scalar::Float(value) => (dsl::double(*value), DType::Float64),
        Scalar::Str(value) => (text(value), DType::String),
        Scalar::Bytes(value) => (
            literal(LiteralType::Binary(value.clone().into())),
            DType::Binary,
        ),
        Scalar::Date(days) => (literal(LiteralType::Date(*days)), DType::Date),
        Scalar::Time(nanos) => {
            let (seconds, fraction) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
            let clock = format!(
                "{:02}:{:02}:{:02}.{:06}",
                seconds / 3600,
                seconds / 60 % 60,
                seconds % 60,
                fraction / 1000
            );
            (cast(text(&clock), &DType::Time)?, DType::Time)
        }
        Scalar::Datetime { value, unit, zone } => {
            let value = micros(*value, *unit)?;
            match zone {
                Some(zone) => (literal(LiteralType::Timestamp(value)), types::zoned(zone)),
                None => (literal(LiteralType::TimestampNtz(value)), DType::datetime()),
            }
        }
        Scalar::Duration { value, unit } => (
            literal(LiteralType::DayTimeInterval(micros(*value, *unit)?)),
            DType::Duration(laktory_core::TimeUnit::Microsecond),
        ),
        Scalar::List(values) => {
            let values = values.iter().map(scalar).collect::<Result<Vec<_>>>()?;
            let mut t = DType::Null;
            for (_, other) in &values {
                t = common(&t, other).ok_or_else(|| {
                    Error::new(
                        ErrorKind::TypeMismatch,
                        format!("{t} and {other} stand in one list"),
                    )
                })?;
            }
            let items = values
                .into_iter()
                .map(|(e, own)| if own == t { Ok(e) } else { cast(e, &t) })
                .collect::<Result<Vec<_>>>()?;
            (f("array", items), DType::List(Box::new(t)))
        }
        _ => return Err(Error::unsupported("this kind of constant")),
    })
}
