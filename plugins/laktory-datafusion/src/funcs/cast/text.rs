//! Texts as values, and values as texts.

use std::collections::HashSet;
use std::fmt::Write;
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, Decimal128Array, Int64Array,
    PrimitiveArray, StringViewArray, StringViewBuilder,
};
use datafusion::arrow::datatypes::{
    DataType, Date32Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use laktory_core::semantics::iso;
use laktory_core::{Error, ErrorKind, Result};

use super::array::{engine, fits, from_counts, shortened};
use super::decimal;
use crate::error::ResultExt;
use crate::funcs::arrays;
use crate::funcs::time;
use crate::types::is_text;

/// Texts as another type; those that are no such value become null.
pub(super) fn parse(array: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    let texts = arrays::texts(array)?;
    Ok(match to {
        DataType::Int8 => Arc::new(values::<Int8Type>(&texts, |text| text.parse().ok())),
        DataType::Int16 => Arc::new(values::<Int16Type>(&texts, |text| text.parse().ok())),
        DataType::Int32 => Arc::new(values::<Int32Type>(&texts, |text| text.parse().ok())),
        DataType::Int64 => Arc::new(values::<Int64Type>(&texts, |text| text.parse().ok())),
        DataType::UInt8 => Arc::new(values::<UInt8Type>(&texts, |text| text.parse().ok())),
        DataType::UInt16 => Arc::new(values::<UInt16Type>(&texts, |text| text.parse().ok())),
        DataType::UInt32 => Arc::new(values::<UInt32Type>(&texts, |text| text.parse().ok())),
        DataType::UInt64 => Arc::new(values::<UInt64Type>(&texts, |text| text.parse().ok())),
        DataType::Float32 => Arc::new(values::<Float32Type>(&texts, |text| text.parse().ok())),
        DataType::Float64 => Arc::new(values::<Float64Type>(&texts, |text| text.parse().ok())),
        DataType::Decimal128(precision, scale) => {
            let values: Decimal128Array = texts
                .iter()
                .map(|text| decimal::parse(text?, *scale))
                .collect();
            let values = values
                .with_precision_and_scale(*precision, *scale)
                .or_error()?;
            decimal::within(&values, *precision)
        }
        DataType::Boolean => Arc::new(
            texts
                .iter()
                .map(|text| iso::boolean(text?))
                .collect::<BooleanArray>(),
        ),
        DataType::Date32 => Arc::new(values::<Date32Type>(&texts, |text| {
            iso::timestamp(text)?.days()
        })),
        DataType::Time64(_) => from_counts(counts(&texts, iso::time), to)?,
        DataType::Timestamp(unit, _) => {
            let unit = time::unit(*unit);
            from_counts(counts(&texts, |text| iso::timestamp(text)?.count(unit)), to)?
        }
        other => engine(array, other, false)?,
    })
}

fn values<T: ArrowPrimitiveType>(
    texts: &StringViewArray,
    parse: impl Fn(&str) -> Option<T::Native>,
) -> PrimitiveArray<T> {
    texts.iter().map(|text| parse(text?)).collect()
}

fn counts(texts: &StringViewArray, parse: impl Fn(&str) -> Option<i64>) -> Int64Array {
    values::<Int64Type>(texts, parse)
}

/// Values as texts, in the form that Polars gives them.
pub(super) fn print(array: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    let texts: ArrayRef = match array.data_type() {
        DataType::Float64 => {
            let floats = array.as_primitive::<Float64Type>();
            printed(floats.len(), |row, out| {
                floats
                    .is_valid(row)
                    .then(|| float(out, floats.value(row), &format!("{:?}", floats.value(row))))
            })
        }
        DataType::Float32 => {
            let floats = array.as_primitive::<Float32Type>();
            printed(floats.len(), |row, out| {
                floats.is_valid(row).then(|| {
                    let value = floats.value(row);
                    float(out, value.into(), &format!("{value:?}"));
                })
            })
        }
        dtype if dtype.is_temporal() && !matches!(dtype, DataType::Duration(_)) => {
            time::formatted(array, &time::pattern("iso", dtype))?
        }
        _ => engine(array, &DataType::Utf8View, false)?,
    };
    engine(&texts, to, false)
}

/// Texts that a function writes; null where it gives nothing.
pub(crate) fn printed(
    rows: usize,
    mut write: impl FnMut(usize, &mut String) -> Option<()>,
) -> ArrayRef {
    let mut out = StringViewBuilder::with_capacity(rows);
    let mut buffer = String::new();
    for row in 0..rows {
        buffer.clear();
        match write(row, &mut buffer) {
            Some(()) => out.append_value(&buffer),
            None => out.append_null(),
        }
    }
    Arc::new(out.finish())
}

/// A float: the shortest digits, with an exponent below 1e-5 and from 1e16 on.
fn float(out: &mut String, value: f64, shortest: &str) {
    let size = value.abs();
    if !value.is_finite() {
        out.push_str(match value {
            value if value.is_nan() => "NaN",
            value if value > 0.0 => "inf",
            _ => "-inf",
        });
    } else if let Some((digits, exponent)) = shortest.split_once('e') {
        if (1e-5..1e-4).contains(&size) {
            let (sign, digits) = match digits.strip_prefix('-') {
                Some(digits) => ("-", digits),
                None => ("", digits),
            };
            let digits: String = digits.chars().filter(|digit| *digit != '.').collect();
            let digits = digits
                .strip_suffix('0')
                .filter(|rest| rest.len() == 1)
                .unwrap_or(&digits);
            // Writing to a text cannot fail.
            let _ = write!(out, "{sign}0.0000{digits}");
            return;
        }
        let plus = if exponent.starts_with('-') { "" } else { "+" };
        let _ = write!(out, "{}e{plus}{exponent}", digits.trim_end_matches(".0"));
    } else {
        out.push_str(shortest);
    }
}

/// Texts that are categories.
pub(super) fn to_enum(array: &ArrayRef, categories: &[String], strict: bool) -> Result<ArrayRef> {
    if !is_text(array.data_type()) {
        return engine(array, &DataType::Utf8View, true);
    }
    let texts = arrays::texts(array)?;
    let known: HashSet<&str> = categories.iter().map(String::as_str).collect();
    let out: StringViewArray = texts
        .iter()
        .map(|text| text.filter(|text| known.contains(text)))
        .collect();
    if strict && out.null_count() > texts.null_count() {
        let bad = texts.iter().flatten().find(|text| !known.contains(text));
        return Err(Error::new(
            ErrorKind::ConversionFailed,
            format!("`{}` is not a category", shortened(bad.unwrap_or_default())),
        )
        .with_hint(format!("the categories are {}", categories.join(", "))));
    }
    Ok(Arc::new(out))
}

/// Fails unless every text became a value.
pub(crate) fn all_parsed(array: &ArrayRef, out: &ArrayRef) -> Result<()> {
    fits(array, out, out.data_type())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_have_the_shortest_digits() {
        for (value, expected) in [
            (1.0, "1.0"),
            (0.1, "0.1"),
            (1e-7, "1e-7"),
            (1.5e-7, "1.5e-7"),
            (1e16, "1e+16"),
            (1e15, "1000000000000000.0"),
            (2.5e-5, "0.000025"),
            (-1e-5, "-0.00001"),
            (-0.0, "-0.0"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            let mut out = String::new();
            float(&mut out, value, &format!("{value:?}"));
            assert_eq!(out, expected);
        }
    }
}
