//! Texts of fields as values of a column's type.
//!
//! Numbers, truth values and times may have blanks around them. What is empty is null, and so is a field of blanks in a
//! column that is not of text. Types that Arrow alone does not spell (times with a zone, categories) leave as text, and
//! are converted by the engine.

use std::sync::Arc;

use arrow_array::builder::{BooleanBuilder, PrimitiveBuilder, StringViewBuilder};
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, Time64NanosecondType, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{ArrayRef, ArrowNativeTypeOp};
use arrow_schema::DataType;
use laktory_core::semantics::iso;
use laktory_core::{DType, TimeUnit};

/// A column while it is filled.
pub(super) enum Column {
    Text(StringViewBuilder),
    Boolean(BooleanBuilder),
    Int8(PrimitiveBuilder<Int8Type>),
    Int16(PrimitiveBuilder<Int16Type>),
    Int32(PrimitiveBuilder<Int32Type>),
    Int64(PrimitiveBuilder<Int64Type>),
    UInt8(PrimitiveBuilder<UInt8Type>),
    UInt16(PrimitiveBuilder<UInt16Type>),
    UInt32(PrimitiveBuilder<UInt32Type>),
    UInt64(PrimitiveBuilder<UInt64Type>),
    Float32(PrimitiveBuilder<Float32Type>),
    Float64(PrimitiveBuilder<Float64Type>),
    Decimal(PrimitiveBuilder<Decimal128Type>, u8, u8),
    Date(PrimitiveBuilder<Date32Type>),
    Time(PrimitiveBuilder<Time64NanosecondType>),
    Millisecond(PrimitiveBuilder<TimestampMillisecondType>),
    Microsecond(PrimitiveBuilder<TimestampMicrosecondType>),
    Nanosecond(PrimitiveBuilder<TimestampNanosecondType>),
}

/// The type in which a column of a declared type leaves the decoder.
pub(super) fn decoded(dtype: &DType) -> DType {
    match dtype {
        DType::Boolean
        | DType::Int8
        | DType::Int16
        | DType::Int32
        | DType::Int64
        | DType::UInt8
        | DType::UInt16
        | DType::UInt32
        | DType::UInt64
        | DType::Float32
        | DType::Float64
        | DType::Decimal { .. }
        | DType::Date
        | DType::Time => dtype.clone(),
        // Not every engine has seconds.
        DType::Datetime {
            unit: TimeUnit::Second,
            zone: None,
        } => DType::Datetime {
            unit: TimeUnit::Millisecond,
            zone: None,
        },
        DType::Datetime { zone: None, .. } => dtype.clone(),
        _ => DType::String,
    }
}

impl Column {
    /// An empty column of a type that [`decoded`] gives.
    pub(super) fn new(dtype: &DType, capacity: usize) -> Self {
        macro_rules! primitive {
            ($variant:ident) => {
                Self::$variant(PrimitiveBuilder::with_capacity(capacity))
            };
        }
        match dtype {
            DType::Boolean => Self::Boolean(BooleanBuilder::with_capacity(capacity)),
            DType::Int8 => primitive!(Int8),
            DType::Int16 => primitive!(Int16),
            DType::Int32 => primitive!(Int32),
            DType::Int64 => primitive!(Int64),
            DType::UInt8 => primitive!(UInt8),
            DType::UInt16 => primitive!(UInt16),
            DType::UInt32 => primitive!(UInt32),
            DType::UInt64 => primitive!(UInt64),
            DType::Float32 => primitive!(Float32),
            DType::Float64 => primitive!(Float64),
            DType::Decimal { precision, scale } => {
                let precision = precision.unwrap_or(38);
                let to = DataType::Decimal128(precision, i8::try_from(*scale).unwrap_or(0));
                let builder = PrimitiveBuilder::with_capacity(capacity).with_data_type(to);
                Self::Decimal(builder, precision, *scale)
            }
            DType::Date => primitive!(Date),
            DType::Time => primitive!(Time),
            DType::Datetime { unit, zone: None } => match unit {
                TimeUnit::Second | TimeUnit::Millisecond => primitive!(Millisecond),
                TimeUnit::Microsecond => primitive!(Microsecond),
                TimeUnit::Nanosecond => primitive!(Nanosecond),
            },
            _ => Self::Text(StringViewBuilder::with_capacity(capacity)),
        }
    }

    /// Adds a null.
    pub(super) fn push_null(&mut self) {
        match self {
            Self::Text(column) => column.append_null(),
            Self::Boolean(column) => column.append_null(),
            Self::Int8(column) => column.append_null(),
            Self::Int16(column) => column.append_null(),
            Self::Int32(column) => column.append_null(),
            Self::Int64(column) => column.append_null(),
            Self::UInt8(column) => column.append_null(),
            Self::UInt16(column) => column.append_null(),
            Self::UInt32(column) => column.append_null(),
            Self::UInt64(column) => column.append_null(),
            Self::Float32(column) => column.append_null(),
            Self::Float64(column) => column.append_null(),
            Self::Decimal(column, ..) => column.append_null(),
            Self::Date(column) => column.append_null(),
            Self::Time(column) => column.append_null(),
            Self::Millisecond(column) => column.append_null(),
            Self::Microsecond(column) => column.append_null(),
            Self::Nanosecond(column) => column.append_null(),
        }
    }

    /// Whether values are kept as they are written.
    pub(super) fn is_text(&self) -> bool {
        matches!(self, Self::Text(_))
    }

    /// Adds a text as a value; false when it is none of the type, and nothing was added.
    #[must_use]
    pub(super) fn push(&mut self, text: &str, comma: bool) -> bool {
        if let Self::Text(column) = self {
            column.append_value(text);
            return true;
        }
        let text = text.trim_matches([' ', '\t']);
        if text.is_empty() {
            self.push_null();
            return true;
        }
        match self {
            Self::Text(_) => true,
            Self::Boolean(column) => match boolean(text) {
                Some(value) => {
                    column.append_value(value);
                    true
                }
                None => false,
            },
            Self::Int8(column) => add(column, text.parse().ok()),
            Self::Int16(column) => add(column, text.parse().ok()),
            Self::Int32(column) => add(column, text.parse().ok()),
            Self::Int64(column) => add(column, text.parse().ok()),
            Self::UInt8(column) => add(column, text.parse().ok()),
            Self::UInt16(column) => add(column, text.parse().ok()),
            Self::UInt32(column) => add(column, text.parse().ok()),
            Self::UInt64(column) => add(column, text.parse().ok()),
            Self::Float32(column) => add(column, point(text, comma).parse().ok()),
            Self::Float64(column) => add(column, point(text, comma).parse().ok()),
            Self::Decimal(column, precision, scale) => {
                let value = decimal(&point(text, comma), *precision, *scale);
                add(column, value)
            }
            Self::Date(column) => add(column, iso::timestamp(text).and_then(|at| at.days())),
            Self::Time(column) => add(column, iso::time(text)),
            Self::Millisecond(column) => add(column, instant(text, TimeUnit::Millisecond)),
            Self::Microsecond(column) => add(column, instant(text, TimeUnit::Microsecond)),
            Self::Nanosecond(column) => add(column, instant(text, TimeUnit::Nanosecond)),
        }
    }

    /// The values, after which the column is empty.
    pub(super) fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Text(column) => Arc::new(column.finish()),
            Self::Boolean(column) => Arc::new(column.finish()),
            Self::Int8(column) => Arc::new(column.finish()),
            Self::Int16(column) => Arc::new(column.finish()),
            Self::Int32(column) => Arc::new(column.finish()),
            Self::Int64(column) => Arc::new(column.finish()),
            Self::UInt8(column) => Arc::new(column.finish()),
            Self::UInt16(column) => Arc::new(column.finish()),
            Self::UInt32(column) => Arc::new(column.finish()),
            Self::UInt64(column) => Arc::new(column.finish()),
            Self::Float32(column) => Arc::new(column.finish()),
            Self::Float64(column) => Arc::new(column.finish()),
            Self::Decimal(column, ..) => Arc::new(column.finish()),
            Self::Date(column) => Arc::new(column.finish()),
            Self::Time(column) => Arc::new(column.finish()),
            Self::Millisecond(column) => Arc::new(column.finish()),
            Self::Microsecond(column) => Arc::new(column.finish()),
            Self::Nanosecond(column) => Arc::new(column.finish()),
        }
    }
}

fn add<T: ArrowPrimitiveType>(column: &mut PrimitiveBuilder<T>, value: Option<T::Native>) -> bool
where
    T::Native: ArrowNativeTypeOp,
{
    match value {
        Some(value) => {
            column.append_value(value);
            true
        }
        None => false,
    }
}

/// A truth value, as engines spell it.
pub(super) fn boolean(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

fn instant(text: &str, unit: TimeUnit) -> Option<i64> {
    iso::timestamp(text)?.count(unit)
}

/// A number with a point for its comma. A point where a comma is asked for makes it no number.
pub(super) fn point(text: &str, comma: bool) -> std::borrow::Cow<'_, str> {
    if !comma {
        return text.into();
    }
    if text.contains('.') {
        return "no number".into();
    }
    text.replacen(',', ".", 1).into()
}

/// A decimal as the integer that carries it. Digits behind the scale round half away from zero.
fn decimal(text: &str, precision: u8, scale: u8) -> Option<i128> {
    let (negative, digits) = match text.as_bytes() {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        all => (false, all),
    };
    let mut value: i128 = 0;
    let mut behind = None::<u8>;
    let mut any = false;
    let mut up = false;
    for byte in digits {
        match byte {
            b'.' if behind.is_none() => behind = Some(0),
            b'0'..=b'9' => {
                any = true;
                match &mut behind {
                    Some(count) if *count >= scale => {
                        if *count == scale {
                            up = *byte >= b'5';
                            *count += 1;
                        }
                        continue;
                    }
                    Some(count) => *count += 1,
                    None => {}
                }
                value = value
                    .checked_mul(10)?
                    .checked_add(i128::from(byte - b'0'))?;
            }
            _ => return None,
        }
    }
    if !any {
        return None;
    }
    for _ in behind.unwrap_or(0).min(scale)..scale {
        value = value.checked_mul(10)?;
    }
    value += i128::from(up);
    let limit = 10_i128.checked_pow(u32::from(precision))?;
    (value < limit).then_some(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_round_and_have_limits() {
        for (text, wanted) in [
            ("1.5", Some(150)),
            ("-0.005", Some(-1)),
            ("0.0049", Some(0)),
            ("12", Some(1200)),
            (".5", Some(50)),
            ("1.", Some(100)),
            ("999.99", Some(99_999)),
            ("999.995", None),
            ("1000", None),
            ("", None),
            (".", None),
            ("1e2", None),
            ("1.2.3", None),
        ] {
            assert_eq!(decimal(text, 5, 2), wanted, "{text}");
        }
    }

    #[test]
    fn numbers_may_have_blanks_around_them() {
        let mut column = Column::new(&DType::Int64, 4);
        assert!(column.push(" 20\t", false));
        assert!(column.push("  ", false));
        assert!(column.push("+007", false));
        assert!(!column.push("2 0", false));
        assert!(!column.push("9223372036854775808", false));
        let array = column.finish();
        assert_eq!((array.len(), array.null_count()), (3, 1));
        let mut column = Column::new(&DType::Float64, 4);
        assert!(column.push("1,5", true));
        assert!(!column.push("1.5", true));
        assert!(!column.push("1.234,5", true));
    }
}
