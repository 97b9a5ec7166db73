//! Logical data types, shared by every engine. Names and defaults are those of Narwhals 2.29.

use std::fmt;
use std::sync::Arc;

use arrow_schema::{
    DataType, Field as ArrowField, Fields, IntervalUnit, TimeUnit as ArrowTimeUnit,
};
use serde::{Deserialize, Serialize};

/// Resolution of a datetime or duration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TimeUnit {
    /// Seconds.
    #[serde(rename = "s")]
    Second,
    /// Milliseconds.
    #[serde(rename = "ms")]
    Millisecond,
    /// Microseconds, the default.
    #[default]
    #[serde(rename = "us")]
    Microsecond,
    /// Nanoseconds.
    #[serde(rename = "ns")]
    Nanosecond,
}

impl TimeUnit {
    /// The unit named `s`, `ms`, `us` or `ns`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "s" => Self::Second,
            "ms" => Self::Millisecond,
            "us" | "μs" => Self::Microsecond,
            "ns" => Self::Nanosecond,
            _ => return None,
        })
    }

    /// `s`, `ms`, `us` or `ns`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Second => "s",
            Self::Millisecond => "ms",
            Self::Microsecond => "us",
            Self::Nanosecond => "ns",
        }
    }

    fn to_arrow(self) -> ArrowTimeUnit {
        match self {
            Self::Second => ArrowTimeUnit::Second,
            Self::Millisecond => ArrowTimeUnit::Millisecond,
            Self::Microsecond => ArrowTimeUnit::Microsecond,
            Self::Nanosecond => ArrowTimeUnit::Nanosecond,
        }
    }

    fn from_arrow(unit: ArrowTimeUnit) -> Self {
        match unit {
            ArrowTimeUnit::Second => Self::Second,
            ArrowTimeUnit::Millisecond => Self::Millisecond,
            ArrowTimeUnit::Microsecond => Self::Microsecond,
            ArrowTimeUnit::Nanosecond => Self::Nanosecond,
        }
    }
}

/// The key of an Arrow field's metadata that tells the type which travels as another.
const CARRIED: &str = "laktory.type";

/// A named member of a struct.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Field {
    /// Name.
    pub name: String,
    /// Type.
    pub dtype: DType,
}

impl Field {
    /// The column of an Arrow field.
    #[must_use]
    pub fn from_arrow(field: &ArrowField) -> Self {
        let dtype = match field.metadata().get(CARRIED).map(String::as_str) {
            Some("categorical") => DType::Categorical,
            Some("enum") => DType::Enum(Vec::new()),
            Some("int128") => DType::Int128,
            Some("uint128") => DType::UInt128,
            _ => DType::from_arrow(field.data_type()),
        };
        Self::new(field.name().as_str(), dtype)
    }

    /// The Arrow field of a column whose `dtype` has no Arrow type of its own, marked so that [`Field::from_arrow`] knows.
    #[must_use]
    pub fn carried(field: ArrowField, dtype: &DType) -> ArrowField {
        let mark = match dtype {
            DType::Categorical => "categorical",
            DType::Enum(_) => "enum",
            DType::Int128 => "int128",
            DType::UInt128 => "uint128",
            _ => return field,
        };
        field.with_metadata([(CARRIED.to_owned(), mark.to_owned())].into())
    }

    /// A field.
    #[must_use]
    pub fn new(name: impl Into<String>, dtype: DType) -> Self {
        Self {
            name: name.into(),
            dtype,
        }
    }
}

/// A logical data type.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
#[allow(
    missing_docs,
    reason = "the plain variants are named for what they are"
)]
pub enum DType {
    Boolean,
    Int8,
    Int16,
    Int32,
    Int64,
    Int128,
    UInt8,
    UInt16,
    UInt32,
    UInt64,
    UInt128,
    Float16,
    Float32,
    Float64,
    /// Precision (digits, at most 38) and scale; `None` is the engine's widest.
    Decimal {
        precision: Option<u8>,
        scale: u8,
    },
    String,
    Binary,
    Date,
    Time,
    /// A point in time; without a zone it is a local (naive) time.
    Datetime {
        unit: TimeUnit,
        zone: Option<String>,
    },
    Duration(TimeUnit),
    Categorical,
    Enum(Vec<String>),
    List(Box<DType>),
    /// A list of fixed length.
    Array(Box<DType>, usize),
    Struct(Vec<Field>),
    Map(Box<DType>, Box<DType>),
    /// The type of a column of nulls only.
    Null,
    /// Values that no engine can compute on.
    Object,
    /// Not known (yet).
    Unknown,
}

impl DType {
    /// A naive microsecond datetime.
    #[must_use]
    pub fn datetime() -> Self {
        Self::Datetime {
            unit: TimeUnit::Microsecond,
            zone: None,
        }
    }

    /// Whether it is a signed or unsigned integer.
    #[must_use]
    pub fn is_integer(&self) -> bool {
        matches!(
            self,
            Self::Int8
                | Self::Int16
                | Self::Int32
                | Self::Int64
                | Self::Int128
                | Self::UInt8
                | Self::UInt16
                | Self::UInt32
                | Self::UInt64
                | Self::UInt128
        )
    }

    /// Whether it is a float.
    #[must_use]
    pub fn is_float(&self) -> bool {
        matches!(self, Self::Float16 | Self::Float32 | Self::Float64)
    }

    /// The type of the values of a map; engines without maps hold one as a list of structs of `key` and `value`.
    #[must_use]
    pub fn map_value(&self) -> Option<&Self> {
        match self {
            Self::Map(_, value) => Some(value),
            Self::List(entry) => match entry.as_ref() {
                Self::Struct(fields) => match fields.as_slice() {
                    [key, value] if key.name == "key" && value.name == "value" => {
                        Some(&value.dtype)
                    }
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether it is an integer, a float or a decimal.
    #[must_use]
    pub fn is_numeric(&self) -> bool {
        self.is_integer() || self.is_float() || matches!(self, Self::Decimal { .. })
    }

    /// The Arrow type that carries this type between engines; `None` where Arrow has none.
    #[must_use]
    pub fn to_arrow(&self) -> Option<DataType> {
        Some(match self {
            Self::Boolean => DataType::Boolean,
            Self::Int8 => DataType::Int8,
            Self::Int16 => DataType::Int16,
            Self::Int32 => DataType::Int32,
            Self::Int64 => DataType::Int64,
            Self::UInt8 => DataType::UInt8,
            Self::UInt16 => DataType::UInt16,
            Self::UInt32 => DataType::UInt32,
            Self::UInt64 => DataType::UInt64,
            Self::Float16 => DataType::Float16,
            Self::Float32 => DataType::Float32,
            Self::Float64 => DataType::Float64,
            Self::Int128 | Self::UInt128 => DataType::Decimal128(38, 0),
            Self::Decimal { precision, scale } => {
                DataType::Decimal128(precision.unwrap_or(38), i8::try_from(*scale).ok()?)
            }
            Self::String | Self::Categorical | Self::Enum(_) => DataType::Utf8View,
            Self::Binary => DataType::BinaryView,
            Self::Date => DataType::Date32,
            Self::Time => DataType::Time64(ArrowTimeUnit::Nanosecond),
            Self::Datetime { unit, zone } => {
                DataType::Timestamp(unit.to_arrow(), zone.as_deref().map(Arc::from))
            }
            Self::Duration(unit) => DataType::Duration(unit.to_arrow()),
            Self::List(inner) => DataType::LargeList(Arc::new(item(inner.to_arrow()?))),
            Self::Array(inner, width) => DataType::FixedSizeList(
                Arc::new(item(inner.to_arrow()?)),
                i32::try_from(*width).ok()?,
            ),
            Self::Struct(fields) => DataType::Struct(
                fields
                    .iter()
                    .map(|field| {
                        Some(ArrowField::new(
                            field.name.as_str(),
                            field.dtype.to_arrow()?,
                            true,
                        ))
                    })
                    .collect::<Option<Fields>>()?,
            ),
            Self::Map(key, value) => {
                let entries = Fields::from(vec![
                    ArrowField::new("key", key.to_arrow()?, false),
                    ArrowField::new("value", value.to_arrow()?, true),
                ]);
                let entries = ArrowField::new("entries", DataType::Struct(entries), false);
                DataType::Map(Arc::new(entries), false)
            }
            Self::Null => DataType::Null,
            Self::Object | Self::Unknown => return None,
        })
    }

    /// The logical type of an Arrow type. Encodings (views, dictionaries, large offsets) are not part of it.
    #[must_use]
    pub fn from_arrow(data_type: &DataType) -> Self {
        match data_type {
            DataType::Null => Self::Null,
            DataType::Boolean => Self::Boolean,
            DataType::Int8 => Self::Int8,
            DataType::Int16 => Self::Int16,
            DataType::Int32 => Self::Int32,
            DataType::Int64 => Self::Int64,
            DataType::UInt8 => Self::UInt8,
            DataType::UInt16 => Self::UInt16,
            DataType::UInt32 => Self::UInt32,
            DataType::UInt64 => Self::UInt64,
            DataType::Float16 => Self::Float16,
            DataType::Float32 => Self::Float32,
            DataType::Float64 => Self::Float64,
            DataType::Decimal32(precision, scale)
            | DataType::Decimal64(precision, scale)
            | DataType::Decimal128(precision, scale)
            | DataType::Decimal256(precision, scale) => Self::Decimal {
                precision: Some(*precision),
                scale: u8::try_from(*scale).unwrap_or(0),
            },
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Self::String,
            DataType::Binary
            | DataType::LargeBinary
            | DataType::BinaryView
            | DataType::FixedSizeBinary(_) => Self::Binary,
            DataType::Date32 | DataType::Date64 => Self::Date,
            DataType::Time32(_) | DataType::Time64(_) => Self::Time,
            DataType::Timestamp(unit, zone) => Self::Datetime {
                unit: TimeUnit::from_arrow(*unit),
                zone: zone.as_deref().map(str::to_owned),
            },
            DataType::Duration(unit) => Self::Duration(TimeUnit::from_arrow(*unit)),
            DataType::Interval(IntervalUnit::DayTime) => Self::Duration(TimeUnit::Millisecond),
            DataType::List(field)
            | DataType::LargeList(field)
            | DataType::ListView(field)
            | DataType::LargeListView(field) => {
                Self::List(Box::new(Self::from_arrow(field.data_type())))
            }
            DataType::FixedSizeList(field, width) => Self::Array(
                Box::new(Self::from_arrow(field.data_type())),
                usize::try_from(*width).unwrap_or(0),
            ),
            DataType::Struct(fields) => Self::Struct(
                fields
                    .iter()
                    .map(|field| {
                        Field::new(field.name().as_str(), Self::from_arrow(field.data_type()))
                    })
                    .collect(),
            ),
            DataType::Dictionary(_, values) => match Self::from_arrow(values) {
                Self::String => Self::Categorical,
                other => other,
            },
            DataType::Map(entries, _) => match entries.data_type() {
                DataType::Struct(fields) if fields.len() == 2 => Self::Map(
                    Box::new(Self::from_arrow(fields[0].data_type())),
                    Box::new(Self::from_arrow(fields[1].data_type())),
                ),
                _ => Self::Unknown,
            },
            DataType::RunEndEncoded(_, values) => Self::from_arrow(values.data_type()),
            _ => Self::Unknown,
        }
    }
}

fn item(data_type: DataType) -> ArrowField {
    ArrowField::new("item", data_type, true)
}

impl fmt::Display for DType {
    /// Narwhals' text form: `List(String)`, `Datetime(time_unit='us', time_zone='UTC')` (R-DT-3).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Decimal { precision, scale } => match precision {
                Some(precision) => write!(f, "Decimal(precision={precision}, scale={scale})"),
                None => write!(f, "Decimal(precision=None, scale={scale})"),
            },
            Self::Datetime { unit, zone } => match zone {
                Some(zone) => {
                    write!(
                        f,
                        "Datetime(time_unit='{}', time_zone='{zone}')",
                        unit.name()
                    )
                }
                None => write!(f, "Datetime(time_unit='{}', time_zone=None)", unit.name()),
            },
            Self::Duration(unit) => write!(f, "Duration(time_unit='{}')", unit.name()),
            Self::Enum(categories) => write!(f, "Enum(categories={categories:?})"),
            Self::List(inner) => write!(f, "List({inner})"),
            Self::Array(inner, width) => write!(f, "Array({inner}, shape=({width},))"),
            Self::Struct(fields) => {
                f.write_str("Struct({")?;
                for (index, field) in fields.iter().enumerate() {
                    let separator = if index == 0 { "" } else { ", " };
                    write!(f, "{separator}'{}': {}", field.name, field.dtype)?;
                }
                f.write_str("})")
            }
            Self::Map(key, value) => write!(f, "Map({key}, {value})"),
            plain => write!(f, "{plain:?}"),
        }
    }
}
