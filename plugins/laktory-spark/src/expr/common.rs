//! The types of values that meet in one column.

use laktory_core::{DType, Field};

/// The type that holds values of two types; none when they do not go together.
pub(crate) fn common(a: &DType, b: &DType) -> Option<DType> {
    if a == b {
        return Some(a.clone());
    }
    Some(match (a, b) {
        (DType::Null, other) | (other, DType::Null) => other.clone(),
        (DType::Unknown, _) | (_, DType::Unknown) => DType::Unknown,
        (DType::Boolean, other) | (other, DType::Boolean) if other.is_numeric() => other.clone(),
        (a, b) if a.is_integer() && b.is_integer() => {
            if width(a) >= width(b) {
                a.clone()
            } else {
                b.clone()
            }
        }
        (DType::Decimal { .. }, other) | (other, DType::Decimal { .. }) if other.is_float() => {
            DType::Float64
        }
        (
            DType::Decimal {
                precision: p,
                scale: s,
            },
            DType::Decimal {
                precision: q,
                scale: r,
            },
        ) => {
            let scale = (*s).max(*r);
            let whole = (p.unwrap_or(38) - *s).max(q.unwrap_or(38) - *r);
            DType::Decimal {
                precision: Some((whole + scale).min(38)),
                scale,
            }
        }
        (DType::Decimal { precision, scale }, other)
        | (other, DType::Decimal { precision, scale })
            if other.is_integer() =>
        {
            let whole = (precision.unwrap_or(38) - *scale).max(digits(other));
            DType::Decimal {
                precision: Some((whole + *scale).min(38)),
                scale: *scale,
            }
        }
        (a, b) if a.is_numeric() && b.is_numeric() => DType::Float64,
        (DType::Date, DType::Datetime { .. }) => b.clone(),
        (DType::Datetime { .. }, DType::Date) => a.clone(),
        (DType::Datetime { zone: Some(_), .. }, DType::Datetime { zone: Some(_), .. }) => a.clone(),
        (DType::List(a), DType::List(b)) => DType::List(Box::new(common(a, b)?)),
        (DType::Struct(a), DType::Struct(b)) if a.len() == b.len() => DType::Struct(
            a.iter()
                .zip(b)
                .map(|(a, b)| {
                    (a.name == b.name)
                        .then(|| common(&a.dtype, &b.dtype).map(|t| Field::new(a.name.as_str(), t)))
                        .flatten()
                })
                .collect::<Option<_>>()?,
        ),
        (DType::String, other) | (other, DType::String)
            if other.is_numeric()
                || matches!(other, DType::Boolean | DType::Date | DType::Datetime { .. }) =>
        {
            DType::String
        }
        _ => return None,
    })
}

fn width(t: &DType) -> u8 {
    match t {
        DType::Int8 => 1,
        DType::Int16 => 2,
        DType::Int32 => 4,
        _ => 8,
    }
}

fn digits(t: &DType) -> u8 {
    match t {
        DType::Int8 => 3,
        DType::Int16 => 5,
        DType::Int32 => 10,
        _ => 19,
    }
}
