//! Which conversions exist.

use datafusion::arrow::datatypes::DataType;

use crate::types::{element, is_decimal, is_float, is_integer, is_list, is_number, is_text};

/// Whether values of one type convert to another at all.
pub(super) fn is_supported(from: &DataType, to: &DataType) -> bool {
    use DataType::{Boolean, Date32, Duration, Null, Struct, Time64, Timestamp};
    if from == to || *from == Null {
        return true;
    }
    if let (Some(a), Some(b)) = (element(from), element(to)) {
        return is_supported(a, b);
    }
    if is_list(from) || is_list(to) {
        return false;
    }
    if let DataType::Dictionary(_, values) = from
        && is_text(values)
    {
        return is_text(to);
    }
    if matches!(to, DataType::Dictionary(..)) {
        return is_text(from);
    }
    let counted = |dtype: &DataType| {
        matches!(dtype, Date32 | Time64(_) | Timestamp(..) | Duration(_))
            || matches!(dtype, DataType::Date64 | DataType::Time32(_))
    };
    let plain = |dtype: &DataType| is_integer(dtype) || is_float(dtype) || *dtype == Boolean;
    match (from, to) {
        (Struct(a), Struct(b)) => b.iter().all(|field| {
            a.iter()
                .find(|known| known.name() == field.name())
                .is_none_or(|known| is_supported(known.data_type(), field.data_type()))
        }),
        (DataType::Map(a, _), DataType::Map(b, _)) => is_supported(a.data_type(), b.data_type()),
        (a, b) if is_text(a) => {
            is_text(b)
                || is_binary(b)
                || is_number(b)
                || *b == Boolean
                || matches!(b, Date32 | Time64(_) | Timestamp(..))
        }
        (a, b) if is_binary(a) => is_text(b) || is_binary(b),
        (a, b) if is_text(b) => {
            plain(a) || is_decimal(a) || counted(a) && !matches!(a, Duration(_))
        }
        (a, b) if is_binary(b) => plain(a),
        (Boolean, b) => is_integer(b) || is_float(b) || counted(b),
        (a, Boolean) => is_number(a),
        (a, b) if is_number(a) && is_number(b) => true,
        (a, b) if counted(a) && (is_integer(b) || is_float(b)) => true,
        (a, b) if (is_integer(a) || is_float(a)) && counted(b) => true,
        (Date32 | DataType::Date64, Timestamp(..) | Date32) => true,
        (Timestamp(..), Timestamp(..) | Date32 | Time64(_)) => true,
        (Time64(_) | DataType::Time32(_), Time64(_) | Duration(_)) => true,
        (Duration(_), Duration(_)) => true,
        _ => false,
    }
}

/// Whether the engine's own conversion keeps every value, so that it never fails.
pub(super) fn is_lossless(from: &DataType, to: &DataType) -> bool {
    use DataType::{
        Boolean, Float32, Float64, Int8, Int16, Int32, Int64, Null, UInt8, UInt16, UInt32, UInt64,
    };
    match (from, to) {
        (Null, _) => true,
        (Boolean, to) => is_integer(to) || matches!(to, Float32 | Float64),
        (from, Float64) => is_integer(from) || *from == Float32,
        (Int8 | UInt8 | Int16 | UInt16, Float32) => true,
        (Int8, Int16 | Int32 | Int64) | (Int16, Int32 | Int64) | (Int32, Int64) => true,
        (UInt8, UInt16 | UInt32 | UInt64 | Int16 | Int32 | Int64) => true,
        (UInt16, UInt32 | UInt64 | Int32 | Int64) => true,
        (UInt32, UInt64 | Int64) => true,
        // Encodings of texts and bytes.
        (from, to) if is_text(from) && is_text(to) => true,
        _ => false,
    }
}

/// Whether a type is bytes in any encoding.
pub(super) fn is_binary(dtype: &DataType) -> bool {
    matches!(
        dtype,
        DataType::Binary
            | DataType::LargeBinary
            | DataType::BinaryView
            | DataType::FixedSizeBinary(_)
    )
}
