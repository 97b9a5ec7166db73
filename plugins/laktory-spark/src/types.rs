//! Types of the contract, of Spark, and of Arrow. Spark has no unsigned integers, no zones in a column, and microseconds
//! only: what it lacks becomes the next wider type; zones are kept by the frame.

use std::sync::Arc;

use laktory_core::arrow::schema::{DataType, Field as ArrowField, TimeUnit as ArrowTimeUnit};
use laktory_core::{DType, Error, ErrorKind, Field, Result, TimeUnit};
use proto::data_type::{self as kinds, Kind};
use spark_connect_proto as proto;

/// The zone of Spark's instants where no other is known: the session's.
pub(crate) const UTC: &str = "UTC";

fn of(kind: Kind) -> proto::DataType {
    proto::DataType { kind: Some(kind) }
}

/// The type that Spark has for a type.
///
/// # Errors
/// `UnsupportedCast` for types that it does not have.
pub(crate) fn spark_type(dtype: &DType) -> Result<proto::DataType> {
    Ok(of(match dtype {
        DType::Boolean => Kind::Boolean(Default::default()),
        DType::Int8 => Kind::Byte(Default::default()),
        DType::Int16 | DType::UInt8 => Kind::Short(Default::default()),
        DType::Int32 | DType::UInt16 => Kind::Integer(Default::default()),
        DType::Int64 | DType::UInt32 => Kind::Long(Default::default()),
        DType::UInt64 => decimal(20, 0),
        DType::Int128 => decimal(38, 0),
        DType::Float16 | DType::Float32 => Kind::Float(Default::default()),
        DType::Float64 => Kind::Double(Default::default()),
        DType::Decimal { precision, scale } => {
            decimal(precision.unwrap_or(38).into(), (*scale).into())
        }
        DType::String | DType::Categorical | DType::Enum(_) => Kind::String(kinds::String {
            collation: "UTF8_BINARY".to_owned(),
            ..Default::default()
        }),
        DType::Binary => Kind::Binary(Default::default()),
        DType::Date => Kind::Date(Default::default()),
        DType::Time => Kind::Time(kinds::Time {
            precision: Some(6),
            ..Default::default()
        }),
        DType::Datetime { zone: None, .. } => Kind::TimestampNtz(Default::default()),
        DType::Datetime { zone: Some(_), .. } => Kind::Timestamp(Default::default()),
        DType::Duration(_) => Kind::DayTimeInterval(kinds::DayTimeInterval {
            start_field: Some(0),
            end_field: Some(3),
            ..Default::default()
        }),
        DType::List(item) | DType::Array(item, _) => Kind::Array(Box::new(kinds::Array {
            element_type: Some(Box::new(spark_type(item)?)),
            contains_null: true,
            ..Default::default()
        })),
        DType::Struct(fields) => Kind::Struct(kinds::Struct {
            fields: fields
                .iter()
                .map(|field| {
                    Ok(kinds::StructField {
                        name: field.name.clone(),
                        data_type: Some(spark_type(&field.dtype)?),
                        nullable: true,
                        metadata: None,
                    })
                })
                .collect::<Result<_>>()?,
            ..Default::default()
        }),
        DType::Map(key, value) => Kind::Map(Box::new(kinds::Map {
            key_type: Some(Box::new(spark_type(key)?)),
            value_type: Some(Box::new(spark_type(value)?)),
            value_contains_null: true,
            ..Default::default()
        })),
        DType::Null => Kind::Null(Default::default()),
        other => {
            return Err(Error::new(
                ErrorKind::UnsupportedCast,
                format!("Spark has no type `{other}`"),
            ));
        }
    }))
}

fn decimal(precision: i32, scale: i32) -> Kind {
    Kind::Decimal(kinds::Decimal {
        precision: Some(precision),
        scale: Some(scale),
        ..Default::default()
    })
}

/// The type of the contract for a type of Spark.
pub(crate) fn dtype(spark: Option<&proto::DataType>) -> DType {
    let Some(kind) = spark.and_then(|spark| spark.kind.as_ref()) else {
        return DType::Unknown;
    };
    match kind {
        Kind::Null(_) => DType::Null,
        Kind::Binary(_) => DType::Binary,
        Kind::Boolean(_) => DType::Boolean,
        Kind::Byte(_) => DType::Int8,
        Kind::Short(_) => DType::Int16,
        Kind::Integer(_) => DType::Int32,
        Kind::Long(_) => DType::Int64,
        Kind::Float(_) => DType::Float32,
        Kind::Double(_) => DType::Float64,
        Kind::Decimal(decimal) => DType::Decimal {
            precision: decimal.precision.and_then(|p| u8::try_from(p).ok()),
            scale: decimal
                .scale
                .and_then(|s| u8::try_from(s).ok())
                .unwrap_or(0),
        },
        Kind::String(_) | Kind::Char(_) | Kind::VarChar(_) => DType::String,
        Kind::Date(_) => DType::Date,
        Kind::Time(_) => DType::Time,
        Kind::Timestamp(_) => zoned(UTC),
        Kind::TimestampNtz(_) => DType::datetime(),
        Kind::DayTimeInterval(_) => DType::Duration(TimeUnit::Microsecond),
        Kind::Array(array) => DType::List(Box::new(dtype(array.element_type.as_deref()))),
        Kind::Struct(fields) => DType::Struct(struct_fields(fields)),
        Kind::Map(map) => DType::Map(
            Box::new(dtype(map.key_type.as_deref())),
            Box::new(dtype(map.value_type.as_deref())),
        ),
        Kind::Udt(udt) => dtype(udt.sql_type.as_deref()),
        _ => DType::Object,
    }
}

fn struct_fields(fields: &kinds::Struct) -> Vec<Field> {
    fields
        .fields
        .iter()
        .map(|field| Field::new(field.name.as_str(), dtype(field.data_type.as_ref())))
        .collect()
}

/// The columns of a schema.
pub(crate) fn columns(schema: &proto::DataType) -> Vec<Field> {
    match &schema.kind {
        Some(Kind::Struct(fields)) => struct_fields(fields),
        _ => Vec::new(),
    }
}

/// A point in time in microseconds.
pub(crate) fn zoned(zone: &str) -> DType {
    DType::Datetime {
        unit: TimeUnit::Microsecond,
        zone: Some(zone.to_owned()),
    }
}

/// The type as Spark holds it: a value keeps its zone, and nothing else that Spark does not know.
pub(crate) fn held(dtype: &DType) -> DType {
    match dtype {
        DType::UInt8 => DType::Int16,
        DType::UInt16 => DType::Int32,
        DType::UInt32 => DType::Int64,
        DType::UInt64 => DType::Decimal {
            precision: Some(20),
            scale: 0,
        },
        DType::Int128 => DType::Decimal {
            precision: Some(38),
            scale: 0,
        },
        DType::Decimal {
            precision: None,
            scale,
        } => DType::Decimal {
            precision: Some(38),
            scale: *scale,
        },
        DType::Float16 => DType::Float32,
        DType::Categorical | DType::Enum(_) => DType::String,
        DType::Datetime { zone, .. } => DType::Datetime {
            unit: TimeUnit::Microsecond,
            zone: zone.clone(),
        },
        DType::Duration(_) => DType::Duration(TimeUnit::Microsecond),
        DType::List(item) | DType::Array(item, _) => DType::List(Box::new(held(item))),
        DType::Struct(fields) => DType::Struct(
            fields
                .iter()
                .map(|field| Field::new(field.name.as_str(), held(&field.dtype)))
                .collect(),
        ),
        DType::Map(key, value) => DType::Map(Box::new(held(key)), Box::new(held(value))),
        other => other.clone(),
    }
}

/// The Arrow type in which the server takes rows of a type.
pub(crate) fn wire(data_type: &DataType) -> DataType {
    let list = |field: &ArrowField| {
        DataType::List(Arc::new(ArrowField::new(
            "element",
            wire(field.data_type()),
            true,
        )))
    };
    match data_type {
        DataType::UInt8 => DataType::Int16,
        DataType::UInt16 => DataType::Int32,
        DataType::UInt32 => DataType::Int64,
        DataType::UInt64 => DataType::Decimal128(20, 0),
        DataType::Float16 => DataType::Float32,
        DataType::LargeUtf8 | DataType::Utf8View => DataType::Utf8,
        DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            DataType::Binary
        }
        DataType::Date64 => DataType::Date32,
        DataType::Time32(_) | DataType::Time64(_) => DataType::Time64(ArrowTimeUnit::Nanosecond),
        DataType::Timestamp(_, zone) => DataType::Timestamp(
            ArrowTimeUnit::Microsecond,
            zone.as_ref().map(|_| Arc::from(UTC)),
        ),
        DataType::Duration(_) => DataType::Duration(ArrowTimeUnit::Microsecond),
        DataType::Decimal32(precision, scale) | DataType::Decimal64(precision, scale) => {
            DataType::Decimal128(*precision, *scale)
        }
        DataType::Dictionary(_, values) => wire(values),
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::ListView(field)
        | DataType::LargeListView(field)
        | DataType::FixedSizeList(field, _) => list(field),
        DataType::Struct(fields) => DataType::Struct(
            fields
                .iter()
                .map(|field| ArrowField::new(field.name(), wire(field.data_type()), true))
                .collect(),
        ),
        DataType::Map(entries, sorted) => match entries.data_type() {
            DataType::Struct(fields) if fields.len() == 2 => {
                let fields: Vec<ArrowField> = vec![
                    ArrowField::new("key", wire(fields[0].data_type()), false),
                    ArrowField::new("value", wire(fields[1].data_type()), true),
                ];
                let entries = ArrowField::new("entries", DataType::Struct(fields.into()), false);
                DataType::Map(Arc::new(entries), *sorted)
            }
            other => other.clone(),
        },
        other => other.clone(),
    }
}

/// Zones of `known` for columns that Spark describes as instants.
pub(crate) fn with_zones(columns: Vec<Field>, known: &[Field]) -> Vec<Field> {
    columns
        .into_iter()
        .enumerate()
        .map(|(index, field)| match known.get(index) {
            Some(inferred) if inferred.name == field.name => {
                Field::new(field.name, zones_of(field.dtype, &inferred.dtype))
            }
            _ => field,
        })
        .collect()
}

fn zones_of(dtype: DType, known: &DType) -> DType {
    match (dtype, known) {
        (
            DType::Datetime {
                unit,
                zone: Some(_),
            },
            DType::Datetime {
                zone: Some(zone), ..
            },
        ) => DType::Datetime {
            unit,
            zone: Some(zone.clone()),
        },
        (DType::List(item), DType::List(known)) => DType::List(Box::new(zones_of(*item, known))),
        (DType::Struct(fields), DType::Struct(known)) => DType::Struct(with_zones(fields, known)),
        (dtype, _) => dtype,
    }
}
