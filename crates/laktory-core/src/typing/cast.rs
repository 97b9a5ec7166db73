//! Which conversions exist, whatever the values.

use crate::dtype::DType;
use crate::error::{Error, ErrorKind, Result};

use super::common::is_temporal;

/// # Errors
/// `UnsupportedCast` when values of one type never become values of another.
pub(super) fn castable(from: &DType, to: &DType) -> Result<()> {
    match exists(from, to) {
        true => Ok(()),
        false => Err(Error::new(
            ErrorKind::UnsupportedCast,
            format!("{from} cannot be cast to {to}"),
        )),
    }
}

fn exists(from: &DType, to: &DType) -> bool {
    use DType::{
        Binary, Boolean, Categorical, Date, Datetime, Decimal, Duration, Enum, List, Null, Object,
        String, Struct, Time, Unknown,
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
