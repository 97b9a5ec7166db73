//! SQL type names as data types.

use laktory_core::{DType, Field, TimeUnit};
use sqlparser::ast::{ArrayElemTypeDef, DataType, ExactNumberInfo, StructField, TimezoneInfo};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::Parser;

/// The type that a text names; `None` when it names none.
pub(crate) fn parse(text: &str) -> Option<DType> {
    if text.len() > 4096 || text.matches(['<', '(', '[']).count() > 32 {
        return None;
    }
    let dialect = GenericDialect {};
    let mut parser = Parser::new(&dialect).try_with_sql(text).ok()?;
    let parsed = parser.parse_data_type().ok()?;
    dtype(&parsed)
}

fn decimal(info: &ExactNumberInfo) -> Option<DType> {
    let (precision, scale) = match info {
        ExactNumberInfo::None => {
            return Some(DType::Decimal {
                precision: None,
                scale: 0,
            });
        }
        ExactNumberInfo::Precision(precision) => (*precision, 0),
        ExactNumberInfo::PrecisionAndScale(precision, scale) => (*precision, *scale),
    };
    let precision = u8::try_from(precision).ok().filter(|p| *p <= 38)?;
    Some(DType::Decimal {
        precision: Some(precision),
        scale: u8::try_from(scale).ok().filter(|s| *s <= precision)?,
    })
}

fn timestamp(precision: Option<u64>, zone: TimezoneInfo) -> DType {
    let unit = match precision {
        Some(0) => TimeUnit::Second,
        Some(1..=3) => TimeUnit::Millisecond,
        Some(7..) => TimeUnit::Nanosecond,
        _ => TimeUnit::Microsecond,
    };
    let zone = match zone {
        TimezoneInfo::WithTimeZone | TimezoneInfo::Tz => Some("UTC".to_owned()),
        TimezoneInfo::None | TimezoneInfo::WithoutTimeZone => None,
    };
    DType::Datetime { unit, zone }
}

fn fields(list: &[StructField]) -> Option<Vec<Field>> {
    list.iter()
        .map(|field| {
            let name = field.field_name.as_ref()?;
            Some(Field::new(name.value.as_str(), dtype(&field.field_type)?))
        })
        .collect()
}

/// A parsed SQL type.
pub(super) fn dtype(data_type: &DataType) -> Option<DType> {
    Some(match data_type {
        DataType::Boolean | DataType::Bool => DType::Boolean,
        DataType::TinyInt(_) | DataType::Int8(_) => {
            // `INT8` has eight bytes in some dialects; a name with bits would be `Int8` in none.
            if matches!(data_type, DataType::TinyInt(_)) {
                DType::Int8
            } else {
                DType::Int64
            }
        }
        DataType::SmallInt(_) | DataType::Int2(_) | DataType::Int16 => DType::Int16,
        DataType::Int(_)
        | DataType::Integer(_)
        | DataType::Int4(_)
        | DataType::Int32
        | DataType::MediumInt(_) => DType::Int32,
        DataType::BigInt(_) | DataType::Int64 | DataType::Signed => DType::Int64,
        DataType::HugeInt | DataType::Int128 => DType::Int128,
        DataType::TinyIntUnsigned(_) | DataType::UTinyInt | DataType::UInt8 => DType::UInt8,
        DataType::SmallIntUnsigned(_) | DataType::USmallInt | DataType::UInt16 => DType::UInt16,
        DataType::IntUnsigned(_) | DataType::IntegerUnsigned(_) | DataType::UInt32 => DType::UInt32,
        DataType::BigIntUnsigned(_) | DataType::UBigInt | DataType::UInt64 | DataType::Unsigned => {
            DType::UInt64
        }
        DataType::Real | DataType::Float4 | DataType::Float32 => DType::Float32,
        DataType::Float(info) => match info {
            ExactNumberInfo::Precision(bits) if *bits > 24 => DType::Float64,
            _ => DType::Float32,
        },
        DataType::Double(_) | DataType::DoublePrecision | DataType::Float8 | DataType::Float64 => {
            DType::Float64
        }
        DataType::Decimal(info) | DataType::Numeric(info) | DataType::Dec(info) => decimal(info)?,
        DataType::Varchar(_)
        | DataType::CharVarying(_)
        | DataType::CharacterVarying(_)
        | DataType::Nvarchar(_)
        | DataType::Char(_)
        | DataType::Character(_)
        | DataType::Text
        | DataType::String(_) => DType::String,
        DataType::Binary(_)
        | DataType::Varbinary(_)
        | DataType::Blob(_)
        | DataType::Bytea
        | DataType::Bytes(_) => DType::Binary,
        DataType::Date | DataType::Date32 => DType::Date,
        DataType::Time(_, _) => DType::Time,
        DataType::Timestamp(precision, zone) => timestamp(*precision, *zone),
        DataType::TimestampNtz(precision) => timestamp(*precision, TimezoneInfo::None),
        DataType::Datetime(precision) => timestamp(*precision, TimezoneInfo::None),
        DataType::Array(
            ArrayElemTypeDef::AngleBracket(inner)
            | ArrayElemTypeDef::Parenthesis(inner)
            | ArrayElemTypeDef::SquareBracket(inner, None),
        ) => DType::List(Box::new(dtype(inner)?)),
        DataType::Array(ArrayElemTypeDef::SquareBracket(inner, Some(width))) => {
            DType::Array(Box::new(dtype(inner)?), usize::try_from(*width).ok()?)
        }
        DataType::Map(key, value, ..) => DType::Map(Box::new(dtype(key)?), Box::new(dtype(value)?)),
        DataType::Struct(list, _) => DType::Struct(fields(list)?),
        DataType::Custom(name, arguments) if arguments.is_empty() => {
            match name.to_string().to_ascii_uppercase().as_str() {
                "BYTE" => DType::Int8,
                "SHORT" => DType::Int16,
                "LONG" => DType::Int64,
                "STRING" | "UTF8" => DType::String,
                "TIMESTAMP_LTZ" | "TIMESTAMPTZ" => timestamp(None, TimezoneInfo::Tz),
                "TIMESTAMP_NTZ" => timestamp(None, TimezoneInfo::None),
                "TIMESTAMP_S" => timestamp(Some(0), TimezoneInfo::None),
                "TIMESTAMP_MS" => timestamp(Some(3), TimezoneInfo::None),
                "TIMESTAMP_NS" => timestamp(Some(9), TimezoneInfo::None),
                "UINTEGER" => DType::UInt32,
                _ => return None,
            }
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_several_dialects() {
        for (text, expected) in [
            ("DOUBLE", DType::Float64),
            ("double", DType::Float64),
            ("BIGINT", DType::Int64),
            ("long", DType::Int64),
            ("VARCHAR(10)", DType::String),
            ("string", DType::String),
            (
                "DECIMAL(10, 2)",
                DType::Decimal {
                    precision: Some(10),
                    scale: 2,
                },
            ),
            ("TIMESTAMP", DType::datetime()),
            ("array<int>", DType::List(Box::new(DType::Int32))),
            (
                "STRUCT<a INT, b STRING>",
                DType::Struct(vec![
                    Field::new("a", DType::Int32),
                    Field::new("b", DType::String),
                ]),
            ),
        ] {
            assert_eq!(parse(text), Some(expected), "{text}");
        }
        assert_eq!(parse("nope"), None);
    }
}
