//! What a conversion that succeeds may take from values without a word.

use crate::dtype::{DType, TimeUnit};

/// What values of type `from` may lose in type `to`, although each of them can be converted: `fractions`, `the time of day`, ...
/// None where a value keeps its meaning, or where one that does not is an error.
///
/// A strict cast follows Narwhals and cuts such values; for what is written under a declared schema that is not good enough.
#[must_use]
pub fn silent_loss(from: &DType, to: &DType) -> Option<&'static str> {
    let scale = |dtype: &DType| match dtype {
        DType::Decimal { scale, .. } => Some(*scale),
        _ => None,
    };
    match (from, to) {
        (DType::Float32 | DType::Float64, to) if is_integer(to) => Some("fractions"),
        (DType::Float32 | DType::Float64, DType::Decimal { .. }) => Some("digits"),
        (DType::Float64, DType::Float32) => Some("digits"),
        (DType::Decimal { scale, .. }, to) if is_integer(to) => (*scale > 0).then_some("fractions"),
        (DType::Decimal { .. }, DType::Decimal { .. }) => {
            (scale(to) < scale(from)).then_some("fractions")
        }
        (DType::Datetime { .. }, DType::Date) => Some("the time of day"),
        (DType::Datetime { .. }, DType::Time) => Some("the date"),
        (DType::Datetime { zone: Some(_), .. }, DType::Datetime { zone: None, .. }) => {
            Some("the zone")
        }
        (DType::Datetime { unit, .. }, DType::Datetime { unit: to, .. })
        | (DType::Duration(unit), DType::Duration(to)) => {
            (fineness(*to) < fineness(*unit)).then_some("fractions of seconds")
        }
        (from, DType::Boolean) if is_number(from) => Some("the number"),
        (DType::List(from), DType::List(to)) => silent_loss(from, to),
        (DType::Struct(from), DType::Struct(to)) => {
            from.iter().find_map(
                |field| match to.iter().find(|other| other.name == field.name) {
                    Some(other) => silent_loss(&field.dtype, &other.dtype),
                    None => Some("a field"),
                },
            )
        }
        _ => None,
    }
}

fn fineness(unit: TimeUnit) -> u8 {
    match unit {
        TimeUnit::Second => 0,
        TimeUnit::Millisecond => 1,
        TimeUnit::Microsecond => 2,
        TimeUnit::Nanosecond => 3,
    }
}

fn is_integer(dtype: &DType) -> bool {
    matches!(
        dtype,
        DType::Int8
            | DType::Int16
            | DType::Int32
            | DType::Int64
            | DType::Int128
            | DType::UInt8
            | DType::UInt16
            | DType::UInt32
            | DType::UInt64
    )
}

fn is_number(dtype: &DType) -> bool {
    is_integer(dtype)
        || matches!(
            dtype,
            DType::Float32 | DType::Float64 | DType::Decimal { .. }
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_cast_cuts_is_told() {
        let decimal = |scale| DType::Decimal {
            precision: Some(10),
            scale,
        };
        let list = |inner: DType| DType::List(Box::new(inner));
        assert_eq!(
            silent_loss(&DType::Float64, &DType::Int64),
            Some("fractions")
        );
        assert_eq!(
            silent_loss(&DType::datetime(), &DType::Date),
            Some("the time of day")
        );
        assert_eq!(silent_loss(&decimal(3), &decimal(2)), Some("fractions"));
        assert_eq!(
            silent_loss(&list(DType::Float64), &list(DType::Int8)),
            Some("fractions")
        );
        // Values that do not fit are errors of the run.
        for (from, to) in [
            (DType::Int64, DType::Int32),
            (DType::String, DType::Float64),
            (DType::Int64, DType::Float64),
            (decimal(2), decimal(3)),
        ] {
            assert_eq!(silent_loss(&from, &to), None);
        }
    }
}
