//! Conversions: `cast` of the expression language, and values brought to the type in which they meet.
//!
//! Rules are those of Polars; ISO texts become dates, times and datetimes as well. Decimals, nested types and categoricals
//! are not converted, and times do not become texts.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, Int64Array, PrimitiveArray,
    StringViewArray, new_null_array,
};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{
    DataType, Date32Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimeUnit, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow::util::display::array_value_to_string;
use laktory_core::semantics::iso;
use laktory_core::{DType, Error, ErrorKind, Result};

use crate::error::OrError;
use crate::expr::{Value, kernel};
use crate::types::{is_number, is_text, shown};
use crate::unsupported;

/// The value converted to a type.
///
/// # Errors
/// `UnsupportedCast` when there is no such conversion, `Unsupported` when this engine does not have it. Values that do not
/// fit fail with `ConversionFailed` while computing, or become null unless `strict`.
pub(crate) fn cast(value: Value, to: &DType, strict: bool) -> Result<Value> {
    let dtype = match to {
        DType::Unknown => return Ok(value),
        // Text could stand for both, but has none of their meaning; other values never become one.
        DType::Categorical | DType::Enum(_) if is_text(&value.dtype) => None,
        DType::Categorical | DType::Enum(_) | DType::Object => {
            let message = format!("{} cannot be converted to {to}", shown(&value.dtype));
            return Err(Error::new(ErrorKind::UnsupportedCast, message));
        }
        DType::Int128 | DType::UInt128 => None,
        to => to.to_arrow(),
    };
    let Some(dtype) = dtype else {
        return Err(unsupported(format!("a cast to {to}")));
    };
    if value.dtype == dtype {
        return Ok(value);
    }
    if !exists(&value.dtype, &dtype) {
        return Err(refused(&value.dtype, &dtype));
    }
    let output = dtype.clone();
    Ok(kernel(vec![value], output, move |arrays| {
        convert_array(&arrays[0], &dtype, strict)
    }))
}

/// The value in a type that holds all of its values.
///
/// # Errors
/// `TypeMismatch` when it is not converted by itself.
pub(crate) fn convert(value: Value, to: &DataType) -> Result<Value> {
    if value.dtype == *to {
        return Ok(value);
    }
    if !exists(&value.dtype, to) {
        let message = format!(
            "{} does not become {} by itself",
            shown(&value.dtype),
            shown(to)
        );
        return Err(
            Error::new(ErrorKind::TypeMismatch, message).with_hint("convert it with `cast`")
        );
    }
    let (constant, to) = (value.constant.clone(), to.clone());
    let converted = kernel(vec![value], to.clone(), move |arrays| {
        convert_array(&arrays[0], &to, true)
    });
    Ok(converted.known_as(constant))
}

/// The refusal of a conversion: none exists, or this engine does not have it.
fn refused(from: &DataType, to: &DataType) -> Error {
    let foreign = |dtype: &DataType| dtype.is_nested() || dtype.is_decimal();
    let printed = is_text(to) && is_counted(from) && !matches!(from, DataType::Duration(_));
    let bytes = *to == DataType::BinaryView || *from == DataType::BinaryView && is_text(to);
    if foreign(from) || foreign(to) || printed || bytes {
        return unsupported(format!("a cast from {} to {}", shown(from), shown(to)));
    }
    let message = format!("{} cannot be converted to {}", shown(from), shown(to));
    Error::new(ErrorKind::UnsupportedCast, message)
}

/// Whether values are counts of days or of parts of a second.
fn is_counted(dtype: &DataType) -> bool {
    matches!(
        dtype,
        DataType::Date32 | DataType::Time64(_) | DataType::Timestamp(..) | DataType::Duration(_)
    )
}

/// Whether this engine converts values of one type to another.
fn exists(from: &DataType, to: &DataType) -> bool {
    use DataType::{Boolean, Date32, Null, Timestamp};
    match (from, to) {
        (from, to) if from == to || *from == Null => true,
        (from, to) if is_text(from) => {
            is_number(to)
                || matches!(
                    to,
                    Boolean | Date32 | DataType::Time64(_) | Timestamp(..) | DataType::BinaryView
                )
        }
        (from, to) if is_text(to) => is_number(from) || matches!(from, Boolean | Date32),
        (from, Boolean) => is_number(from),
        (Boolean, to) => is_number(to),
        (Date32, Timestamp(..)) | (Timestamp(..), Date32 | Timestamp(..)) => true,
        (from, to) if is_counted(from) => is_number(to),
        (from, to) if is_counted(to) => is_number(from),
        (from, to) => is_number(from) && is_number(to),
    }
}

/// The values as another type. What does not fit fails when `strict`, else becomes null.
pub(crate) fn convert_array(array: &ArrayRef, to: &DataType, strict: bool) -> Result<ArrayRef> {
    let from = array.data_type();
    let out = match (from, to) {
        (from, to) if from == to => return Ok(Arc::clone(array)),
        (DataType::Null, to) => return Ok(new_null_array(to, array.len())),
        (from, DataType::BinaryView) if is_text(from) => engine(array, to)?,
        (from, to) if is_text(from) => parsed(array.as_string_view(), to)?,
        (from, to) if is_text(to) => printed(array, from)?,
        (from, to) if is_counted(from) && is_number(to) => engine(&counted(array)?, to)?,
        (from, to) if is_number(from) && is_counted(to) => {
            let counts = engine(array, &DataType::Int64)?;
            let counts = counts.as_primitive::<Int64Type>();
            match to {
                // A time is less than a day.
                DataType::Time64(_) => {
                    let day = 86_400_000_000_000;
                    let within = |count: i64| (0..day).contains(&count).then_some(count);
                    from_counts(&counts.unary_opt::<_, Int64Type>(within), to)?
                }
                DataType::Date32 => engine(&engine(array, &DataType::Int32)?, to)?,
                to => from_counts(counts, to)?,
            }
        }
        (DataType::Date32, DataType::Timestamp(unit, _)) => {
            let day = 86_400 * per_second(*unit);
            let days = array.as_primitive::<Date32Type>();
            let counts: Int64Array = days.unary_opt(|days| i64::from(days).checked_mul(day));
            from_counts(&counts, to)?
        }
        (DataType::Timestamp(unit, _), DataType::Date32) => {
            let day = 86_400 * per_second(*unit);
            let counts = counts(array)?.unary::<_, Int64Type>(|count| count.div_euclid(day));
            engine(
                &engine(&(Arc::new(counts) as ArrayRef), &DataType::Int32)?,
                to,
            )?
        }
        (DataType::Timestamp(unit, _), DataType::Timestamp(other, _)) => {
            let (from, into) = (per_second(*unit), per_second(*other));
            let counts = counts(array)?.unary_opt::<_, Int64Type>(|count| {
                if from >= into {
                    Some(count.div_euclid(from / into))
                } else {
                    count.checked_mul(into / from)
                }
            });
            from_counts(&counts, to)?
        }
        _ => engine(array, to)?,
    };
    if strict && out.null_count() > array.null_count() {
        let bad = (0..array.len()).find(|row| array.is_valid(*row) && out.is_null(*row));
        let text = match bad {
            Some(row) => array_value_to_string(array, row).or_error()?,
            None => String::new(),
        };
        let shortened: String = text.chars().take(40).collect();
        return Err(Error::new(
            ErrorKind::ConversionFailed,
            format!("`{shortened}` is not a value of type {}", shown(to)),
        ));
    }
    Ok(out)
}

/// The engine's own conversion; what does not fit becomes null.
fn engine(array: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    cast_with_options(array, to, &CastOptions::default()).or_error()
}

/// The counts of dates, times, datetimes or durations.
fn counted(array: &ArrayRef) -> Result<ArrayRef> {
    if *array.data_type() == DataType::Date32 {
        return engine(&engine(array, &DataType::Int32)?, &DataType::Int64);
    }
    engine(array, &DataType::Int64)
}

/// The counts of datetimes.
fn counts(array: &ArrayRef) -> Result<Int64Array> {
    Ok(counted(array)?.as_primitive::<Int64Type>().clone())
}

/// Counts as datetimes or durations.
pub(crate) fn from_counts(counts: &Int64Array, to: &DataType) -> Result<ArrayRef> {
    engine(&(Arc::new(counts.clone()) as ArrayRef), to)
}

/// How many counts of a unit are a second.
pub(crate) fn per_second(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    }
}

/// Texts as values; those that are none become null.
fn parsed(texts: &StringViewArray, to: &DataType) -> Result<ArrayRef> {
    fn of<T: ArrowPrimitiveType>(
        texts: &StringViewArray,
        parse: impl Fn(&str) -> Option<T::Native>,
    ) -> ArrayRef {
        let out: PrimitiveArray<T> = texts.iter().map(|text| parse(text?)).collect();
        Arc::new(out)
    }
    macro_rules! number {
        ($type:ty) => {
            of::<$type>(texts, |text| text.parse().ok())
        };
    }
    let counted = |parse: &dyn Fn(&str) -> Option<i64>| -> Result<ArrayRef> {
        let counts: Int64Array = texts.iter().map(|text| parse(text?)).collect();
        from_counts(&counts, to)
    };
    Ok(match to {
        DataType::Int8 => number!(Int8Type),
        DataType::Int16 => number!(Int16Type),
        DataType::Int32 => number!(Int32Type),
        DataType::Int64 => number!(Int64Type),
        DataType::UInt8 => number!(UInt8Type),
        DataType::UInt16 => number!(UInt16Type),
        DataType::UInt32 => number!(UInt32Type),
        DataType::UInt64 => number!(UInt64Type),
        DataType::Float32 => number!(Float32Type),
        DataType::Float64 => number!(Float64Type),
        DataType::Boolean => {
            let out: BooleanArray = texts.iter().map(|text| iso::boolean(text?)).collect();
            Arc::new(out)
        }
        DataType::Date32 => of::<Date32Type>(texts, |text| iso::timestamp(text)?.days()),
        DataType::Time64(_) => counted(&iso::time)?,
        DataType::Timestamp(unit, _) => {
            let unit = match unit {
                TimeUnit::Second => laktory_core::TimeUnit::Second,
                TimeUnit::Millisecond => laktory_core::TimeUnit::Millisecond,
                TimeUnit::Microsecond => laktory_core::TimeUnit::Microsecond,
                TimeUnit::Nanosecond => laktory_core::TimeUnit::Nanosecond,
            };
            counted(&|text| iso::timestamp(text)?.count(unit))?
        }
        other => return Err(refused(&DataType::Utf8View, other)),
    })
}

/// Numbers, booleans and dates as texts. Floats have the shortest digits, and always a fraction.
fn printed(array: &ArrayRef, from: &DataType) -> Result<ArrayRef> {
    fn float(value: f64, shortest: &str) -> String {
        match shortest.split_once('e') {
            Some((digits, exponent)) if value.is_finite() => {
                let plus = if exponent.starts_with('-') { "" } else { "+" };
                format!("{}e{plus}{exponent}", digits.trim_end_matches(".0"))
            }
            _ => shortest.to_owned(),
        }
    }
    let texts: StringViewArray = match from {
        DataType::Float32 => {
            let floats = array.as_primitive::<Float32Type>().iter();
            let texts = floats.map(|value| value.map(|v| float(v.into(), &format!("{v:?}"))));
            texts.collect()
        }
        DataType::Float64 => {
            let floats = array.as_primitive::<Float64Type>().iter();
            let texts = floats.map(|value| value.map(|v| float(v, &format!("{v:?}"))));
            texts.collect()
        }
        _ => return engine(array, &DataType::Utf8View),
    };
    Ok(Arc::new(texts))
}
