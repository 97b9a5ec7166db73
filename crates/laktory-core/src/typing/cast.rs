//! Which conversions exist, whatever the values.

use crate::dtype::DType;
use crate::error::{Error, ErrorKind, Result};

use super::common::is_temporal;

/// # Errors
/// `UnsupportedCast` when values of one type never become values of another; `InvalidArgument` for a decimal without digits.
pub(super) fn castable(from: &DType, to: &DType) -> Result<()> {
    if lacks_digits(to) {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            "a cast to a decimal needs its precision and scale",
        )
        .with_hint(
            "with two digits behind the point it is `nw.Decimal(38, 2)`, in SQL `DECIMAL(38, 2)`",
        ));
    }
    match exists(from, to) {
        true => Ok(()),
        false => Err(Error::new(
            ErrorKind::UnsupportedCast,
            format!("type {from} cannot be cast to {to}"),
        )),
    }
}

/// Whether a decimal without any digits is of the type, of which each engine makes another.
fn lacks_digits(dtype: &DType) -> bool {
    match dtype {
        DType::Decimal {
            precision: None,
            scale: 0,
        } => true,
        DType::List(inner) | DType::Array(inner, _) => lacks_digits(inner),
        DType::Struct(fields) => fields.iter().any(|field| lacks_digits(&field.dtype)),
        DType::Map(key, value) => lacks_digits(key) || lacks_digits(value),
        _ => false,
    }
}

fn exists(from: &DType, to: &DType) -> bool {
    use DType::{
        Array, Binary, Boolean, Categorical, Date, Datetime, Decimal, Duration, Enum, List, Map,
        Null, Object, String, Struct, Time, Unknown,
    };
    match (from, to) {
        (_, Object) => false,
        (Null | Unknown, _) | (_, Unknown) => true,
        (from, to) if from == to => true,
        (List(from), List(to)) => exists(from, to),
        (Struct(from), Struct(to)) => to.iter().all(|field| {
            let mut known = from.iter();
            known
                .find(|known| known.name == field.name)
                .is_none_or(|known| exists(&known.dtype, &field.dtype))
        }),
        // Of many values there is no one value.
        (List(_) | Array(..) | Struct(_) | Map(..), to) if to.is_numeric() || is_temporal(to) => {
            false
        }
        (List(_) | Array(..) | Struct(_) | Map(..), Boolean) => false,
        // Numbers that count are points and spans of time.
        (from, Categorical) if from.is_float() => false,
        (Boolean, Decimal { .. } | Categorical) => false,
        (Decimal { .. }, Binary | Categorical) => false,
        (Decimal { .. }, to) if is_temporal(to) => false,
        (Date, Boolean | Decimal { .. } | Time | Duration(_) | Binary | Categorical) => false,
        (Datetime { .. }, Boolean | Decimal { .. } | Duration(_) | Binary | Categorical) => false,
        (Time, Boolean | Decimal { .. } | Date | Datetime { .. } | Binary | Categorical) => false,
        (Duration(_), to) => to.is_integer() || to.is_float() || matches!(to, Duration(_)),
        (Binary, to) => matches!(to, String),
        (Categorical | Enum(_), to) => matches!(to, String | Categorical | Enum(_)),
        _ => true,
    }
}
