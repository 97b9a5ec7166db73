//! Arrow values as plain cells: what comparison and failure messages work on.
//!
//! Encodings disappear here (views, dictionaries, large offsets, units of time); nothing else does. Speed is no goal:
//! conformance frames are small.

use std::fmt;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowDictionaryKeyType, Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type,
    DurationMicrosecondType, DurationMillisecondType, DurationNanosecondType, DurationSecondType,
    Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    Time32MillisecondType, Time32SecondType, Time64MicrosecondType, Time64NanosecondType,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef};
use arrow_schema::{DataType, TimeUnit};

/// One value.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Cell {
    /// Null.
    Null,
    /// True or false.
    Bool(bool),
    /// An integer of any width.
    Int(i128),
    /// A float of any width.
    Float(f64),
    /// An exact number: digits and scale.
    Decimal(i128, i8),
    /// A text, also of a categorical or enum.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Days since 1970-01-01.
    Date(i64),
    /// Nanoseconds since midnight.
    Time(i64),
    /// Nanoseconds since 1970-01-01T00:00:00, local time.
    Naive(i128),
    /// Nanoseconds since 1970-01-01T00:00:00 UTC.
    Instant(i128),
    /// Nanoseconds.
    Duration(i128),
    /// A list of any layout.
    List(Vec<Cell>),
    /// Named members.
    Struct(Vec<(String, Cell)>),
    /// Keys and values, in order.
    Map(Vec<(Cell, Cell)>),
}

/// Nanoseconds in one unit.
fn nanoseconds(unit: TimeUnit) -> i128 {
    match unit {
        TimeUnit::Second => 1_000_000_000,
        TimeUnit::Millisecond => 1_000_000,
        TimeUnit::Microsecond => 1_000,
        TimeUnit::Nanosecond => 1,
    }
}

/// The values of an array.
///
/// # Errors
/// A sentence that names the Arrow type when it is none that conformance cases have.
pub fn cells(array: &ArrayRef) -> Result<Vec<Cell>, String> {
    macro_rules! primitive {
        ($type:ty, $value:ident => $cell:expr) => {
            array
                .as_primitive::<$type>()
                .iter()
                .map(|value| value.map_or(Cell::Null, |$value| $cell))
                .collect()
        };
    }
    macro_rules! offsets {
        ($list:expr) => {{
            let list = $list;
            (0..list.len())
                .map(|row| {
                    if list.is_null(row) {
                        Ok(Cell::Null)
                    } else {
                        cells(&list.value(row)).map(Cell::List)
                    }
                })
                .collect::<Result<_, String>>()?
        }};
    }
    macro_rules! plain {
        ($values:expr, $value:ident => $cell:expr) => {
            $values
                .iter()
                .map(|value| value.map_or(Cell::Null, |$value| $cell))
                .collect()
        };
    }
    Ok(match array.data_type() {
        DataType::Null => vec![Cell::Null; array.len()],
        DataType::Boolean => plain!(array.as_boolean(), v => Cell::Bool(v)),
        DataType::Int8 => primitive!(Int8Type, v => Cell::Int(v.into())),
        DataType::Int16 => primitive!(Int16Type, v => Cell::Int(v.into())),
        DataType::Int32 => primitive!(Int32Type, v => Cell::Int(v.into())),
        DataType::Int64 => primitive!(Int64Type, v => Cell::Int(v.into())),
        DataType::UInt8 => primitive!(UInt8Type, v => Cell::Int(v.into())),
        DataType::UInt16 => primitive!(UInt16Type, v => Cell::Int(v.into())),
        DataType::UInt32 => primitive!(UInt32Type, v => Cell::Int(v.into())),
        DataType::UInt64 => primitive!(UInt64Type, v => Cell::Int(v.into())),
        DataType::Float16 => primitive!(Float16Type, v => Cell::Float(v.to_f64())),
        DataType::Float32 => primitive!(Float32Type, v => Cell::Float(v.into())),
        DataType::Float64 => primitive!(Float64Type, v => Cell::Float(v)),
        DataType::Decimal32(_, scale) => {
            primitive!(Decimal32Type, v => Cell::Decimal(v.into(), *scale))
        }
        DataType::Decimal64(_, scale) => {
            primitive!(Decimal64Type, v => Cell::Decimal(v.into(), *scale))
        }
        DataType::Decimal128(_, scale) => {
            primitive!(Decimal128Type, v => Cell::Decimal(v, *scale))
        }
        DataType::Utf8 => plain!(array.as_string::<i32>(), v => Cell::Text(v.to_owned())),
        DataType::LargeUtf8 => plain!(array.as_string::<i64>(), v => Cell::Text(v.to_owned())),
        DataType::Utf8View => plain!(array.as_string_view(), v => Cell::Text(v.to_owned())),
        DataType::Binary => plain!(array.as_binary::<i32>(), v => Cell::Bytes(v.to_vec())),
        DataType::LargeBinary => plain!(array.as_binary::<i64>(), v => Cell::Bytes(v.to_vec())),
        DataType::BinaryView => plain!(array.as_binary_view(), v => Cell::Bytes(v.to_vec())),
        DataType::FixedSizeBinary(_) => {
            plain!(array.as_fixed_size_binary(), v => Cell::Bytes(v.to_vec()))
        }
        DataType::Date32 => primitive!(Date32Type, v => Cell::Date(v.into())),
        DataType::Date64 => primitive!(Date64Type, v => Cell::Date(v.div_euclid(86_400_000))),
        DataType::Time32(TimeUnit::Second) => {
            primitive!(Time32SecondType, v => Cell::Time(i64::from(v) * 1_000_000_000))
        }
        DataType::Time32(_) => {
            primitive!(Time32MillisecondType, v => Cell::Time(i64::from(v) * 1_000_000))
        }
        DataType::Time64(TimeUnit::Microsecond) => {
            primitive!(Time64MicrosecondType, v => Cell::Time(v * 1_000))
        }
        DataType::Time64(_) => primitive!(Time64NanosecondType, v => Cell::Time(v)),
        DataType::Timestamp(unit, zone) => {
            let scale = nanoseconds(*unit);
            let cell: fn(i128) -> Cell = if zone.is_some() {
                Cell::Instant
            } else {
                Cell::Naive
            };
            let cell = |value: i64| cell(i128::from(value) * scale);
            match unit {
                TimeUnit::Second => primitive!(TimestampSecondType, v => cell(v)),
                TimeUnit::Millisecond => primitive!(TimestampMillisecondType, v => cell(v)),
                TimeUnit::Microsecond => primitive!(TimestampMicrosecondType, v => cell(v)),
                TimeUnit::Nanosecond => primitive!(TimestampNanosecondType, v => cell(v)),
            }
        }
        DataType::Duration(unit) => {
            let scale = nanoseconds(*unit);
            let cell = |value: i64| Cell::Duration(i128::from(value) * scale);
            match unit {
                TimeUnit::Second => primitive!(DurationSecondType, v => cell(v)),
                TimeUnit::Millisecond => primitive!(DurationMillisecondType, v => cell(v)),
                TimeUnit::Microsecond => primitive!(DurationMicrosecondType, v => cell(v)),
                TimeUnit::Nanosecond => primitive!(DurationNanosecondType, v => cell(v)),
            }
        }
        DataType::List(_) => offsets!(array.as_list::<i32>()),
        DataType::LargeList(_) => offsets!(array.as_list::<i64>()),
        DataType::ListView(_) => offsets!(array.as_list_view::<i32>()),
        DataType::LargeListView(_) => offsets!(array.as_list_view::<i64>()),
        DataType::FixedSizeList(..) => offsets!(array.as_fixed_size_list()),
        DataType::Struct(fields) => {
            let values = array.as_struct();
            let columns = values
                .columns()
                .iter()
                .map(cells)
                .collect::<Result<Vec<_>, _>>()?;
            (0..values.len())
                .map(|row| {
                    if values.is_null(row) {
                        return Cell::Null;
                    }
                    let members = fields.iter().zip(&columns);
                    Cell::Struct(
                        members
                            .map(|(field, column)| (field.name().clone(), column[row].clone()))
                            .collect(),
                    )
                })
                .collect()
        }
        DataType::Map(..) => {
            let map = array.as_map();
            (0..map.len())
                .map(|row| {
                    if map.is_null(row) {
                        return Ok(Cell::Null);
                    }
                    let entries = map.value(row);
                    let keys = cells(entries.column(0))?;
                    let values = cells(entries.column(1))?;
                    Ok(Cell::Map(keys.into_iter().zip(values).collect()))
                })
                .collect::<Result<_, String>>()?
        }
        DataType::Dictionary(key, _) => match key.as_ref() {
            DataType::Int8 => dictionary::<Int8Type>(array)?,
            DataType::Int16 => dictionary::<Int16Type>(array)?,
            DataType::Int32 => dictionary::<Int32Type>(array)?,
            DataType::Int64 => dictionary::<Int64Type>(array)?,
            DataType::UInt8 => dictionary::<UInt8Type>(array)?,
            DataType::UInt16 => dictionary::<UInt16Type>(array)?,
            DataType::UInt32 => dictionary::<UInt32Type>(array)?,
            _ => dictionary::<UInt64Type>(array)?,
        },
        other => {
            return Err(format!(
                "the comparison does not know the Arrow type {other}"
            ));
        }
    })
}

fn dictionary<K: ArrowDictionaryKeyType>(array: &ArrayRef) -> Result<Vec<Cell>, String> {
    let dictionary = array.as_dictionary::<K>();
    let values = cells(dictionary.values())?;
    Ok((0..array.len())
        .map(|row| {
            dictionary
                .key(row)
                .map_or(Cell::Null, |key| values[key].clone())
        })
        .collect())
}

/// How far floats may lie apart and still be the same.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tolerance {
    /// As a part of the greater one.
    pub relative: f64,
    /// As a number: what rounding leaves where values cancel each other out.
    pub absolute: f64,
}

impl Tolerance {
    /// A part of the greater one.
    #[must_use]
    pub fn relative(relative: f64) -> Self {
        Self {
            relative,
            absolute: 0.0,
        }
    }
}

impl Cell {
    /// Whether both are the same value; floats within `tolerance`, NaN equals NaN, -0 equals 0, and
    /// exact numbers compare by value whatever their scale.
    #[must_use]
    pub fn same(&self, other: &Self, tolerance: Tolerance) -> bool {
        match (self, other) {
            (Self::Float(a), Self::Float(b)) => same_float(*a, *b, tolerance),
            (Self::Decimal(a, scale), Self::Decimal(b, other)) => {
                normalized(*a, *scale) == normalized(*b, *other)
            }
            (Self::Int(a), Self::Decimal(b, scale)) | (Self::Decimal(b, scale), Self::Int(a)) => {
                normalized(*a, 0) == normalized(*b, *scale)
            }
            (Self::List(a), Self::List(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.same(b, tolerance))
            }
            (Self::Struct(a), Self::Struct(b)) => {
                a.len() == b.len()
                    && a.iter()
                        .zip(b)
                        .all(|((m, a), (n, b))| m == n && a.same(b, tolerance))
            }
            (Self::Map(a), Self::Map(b)) => {
                a.len() == b.len()
                    && a.iter()
                        .zip(b)
                        .all(|((k, a), (l, b))| k.same(l, tolerance) && a.same(b, tolerance))
            }
            (a, b) => a == b,
        }
    }
}

#[allow(
    clippy::float_cmp,
    reason = "infinities and zeros are compared exactly on purpose"
)]
fn same_float(a: f64, b: f64, tolerance: Tolerance) -> bool {
    if a.is_nan() || b.is_nan() {
        return a.is_nan() && b.is_nan();
    }
    let allowed = (tolerance.relative * a.abs().max(b.abs())).max(tolerance.absolute);
    a == b || (a.is_finite() && b.is_finite() && (a - b).abs() <= allowed)
}

/// Digits without trailing zeros, and their scale.
fn normalized(mut digits: i128, mut scale: i8) -> (i128, i8) {
    while digits % 10 == 0 && digits != 0 {
        digits /= 10;
        scale -= 1;
    }
    if digits == 0 { (0, 0) } else { (digits, scale) }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(value) => write!(f, "{value}"),
            Self::Float(value) => write!(f, "{value:?}"),
            Self::Decimal(digits, scale) => match u32::try_from(*scale) {
                Ok(0) => write!(f, "{digits}"),
                Ok(scale) => {
                    let one = 10i128.checked_pow(scale).unwrap_or(i128::MAX);
                    let sign = if *digits < 0 { "-" } else { "" };
                    let width = usize::try_from(scale).unwrap_or(0);
                    let (whole, part) = ((digits / one).abs(), (digits % one).abs());
                    write!(f, "{sign}{whole}.{part:0width$}")
                }
                Err(_) => write!(f, "{digits}e{}", -i32::from(*scale)),
            },
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Bytes(bytes) => write!(
                f,
                "0x{}",
                bytes.iter().map(|b| format!("{b:02x}")).collect::<String>()
            ),
            Self::Date(days) => match chrono::DateTime::from_timestamp(days * 86_400, 0) {
                Some(time) => write!(f, "{}", time.format("%Y-%m-%d")),
                None => write!(f, "day {days}"),
            },
            Self::Time(nanoseconds) => {
                let (seconds, rest) = (nanoseconds / 1_000_000_000, nanoseconds % 1_000_000_000);
                let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
                write!(f, "{hours:02}:{minutes:02}:{:02}.{rest:09}", seconds % 60)
            }
            Self::Naive(nanoseconds) => write!(f, "{}", moment(*nanoseconds)),
            Self::Instant(nanoseconds) => write!(f, "{}Z", moment(*nanoseconds)),
            Self::Duration(nanoseconds) => write!(f, "{nanoseconds} ns"),
            Self::List(items) => {
                let items: Vec<String> = items.iter().map(Self::to_string).collect();
                write!(f, "[{}]", items.join(", "))
            }
            Self::Struct(members) => {
                let members: Vec<String> = members
                    .iter()
                    .map(|(name, value)| format!("{name}: {value}"))
                    .collect();
                write!(f, "{{{}}}", members.join(", "))
            }
            Self::Map(entries) => {
                let entries: Vec<String> = entries
                    .iter()
                    .map(|(key, value)| format!("{key} => {value}"))
                    .collect();
                write!(f, "{{{}}}", entries.join(", "))
            }
        }
    }
}

fn moment(nanoseconds: i128) -> String {
    let seconds = i64::try_from(nanoseconds.div_euclid(1_000_000_000)).ok();
    let rest = u32::try_from(nanoseconds.rem_euclid(1_000_000_000)).ok();
    seconds
        .zip(rest)
        .and_then(|(seconds, rest)| chrono::DateTime::from_timestamp(seconds, rest))
        .map_or_else(
            || format!("{nanoseconds} ns"),
            |time| time.format("%Y-%m-%dT%H:%M:%S%.f").to_string(),
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_compare_with_tolerance_and_nan_is_itself() {
        let same = |a: f64, b: f64| Cell::Float(a).same(&Cell::Float(b), Tolerance::relative(1e-9));
        assert!(same(1.0, 1.0 + 1e-10));
        assert!(!same(1.0, 1.0 + 1e-8));
        assert!(same(f64::NAN, f64::NAN));
        assert!(same(0.0, -0.0));
        assert!(same(f64::INFINITY, f64::INFINITY));
        assert!(!same(f64::INFINITY, f64::NEG_INFINITY));
        assert!(!Cell::Float(f64::NAN).same(&Cell::Null, Tolerance::relative(1e-9)));
    }

    #[test]
    fn exact_numbers_compare_by_value() {
        assert!(Cell::Decimal(150, 2).same(&Cell::Decimal(15, 1), Tolerance::default()));
        assert!(Cell::Decimal(300, 2).same(&Cell::Int(3), Tolerance::default()));
        assert!(!Cell::Decimal(301, 2).same(&Cell::Int(3), Tolerance::default()));
        assert_eq!(Cell::Decimal(-105, 2).to_string(), "-1.05");
    }

    #[test]
    fn an_instant_is_not_a_local_time() {
        assert!(!Cell::Instant(0).same(&Cell::Naive(0), Tolerance::default()));
        assert_eq!(
            Cell::Naive(1_500_000_000).to_string(),
            "1970-01-01T00:00:01.500"
        );
    }
}
