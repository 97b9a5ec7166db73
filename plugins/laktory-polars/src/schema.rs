//! Laktory's logical types as polars types.

use laktory_core::{DType, Error, ErrorKind, Result, TimeUnit};
use polars::prelude::{
    Categories, DataType, Field, FrozenCategories, PlSmallStr, PolarsResult, Schema,
    TimeUnit as PolarsUnit, TimeZone,
};

use crate::error::ResultExt;

/// The polars unit of a time unit; seconds do not exist in polars and become milliseconds.
pub(crate) fn time_unit(unit: TimeUnit) -> PolarsUnit {
    match unit {
        TimeUnit::Second | TimeUnit::Millisecond => PolarsUnit::Milliseconds,
        TimeUnit::Microsecond => PolarsUnit::Microseconds,
        TimeUnit::Nanosecond => PolarsUnit::Nanoseconds,
    }
}

/// A time zone of the IANA data base.
///
/// # Errors
/// `InvalidArgument` when no zone has that name.
pub(crate) fn time_zone(zone: Option<&str>) -> Result<Option<TimeZone>> {
    TimeZone::opt_try_new(zone.map(PlSmallStr::from_str)).map_err(|_| {
        Error::new(
            ErrorKind::InvalidArgument,
            format!("there is no time zone `{}`", zone.unwrap_or_default()),
        )
        .with_hint("use a name of the IANA data base, such as `UTC` or `America/Toronto`")
    })
}

/// The field, with the type that a bare number takes: functions of ours must say which type they give.
pub(crate) fn known(field: &Field) -> PolarsResult<Field> {
    let dtype = field.dtype().clone().materialize_unknown(true)?;
    Ok(Field::new(field.name().clone(), dtype))
}

/// The polars type of a logical type.
///
/// # Errors
/// `Unsupported` for types that polars, or this build of it, does not have.
pub(crate) fn data_type(dtype: &DType) -> Result<DataType> {
    Ok(match dtype {
        DType::Boolean => DataType::Boolean,
        DType::Int8 => DataType::Int8,
        DType::Int16 => DataType::Int16,
        DType::Int32 => DataType::Int32,
        DType::Int64 => DataType::Int64,
        DType::Int128 => DataType::Int128,
        DType::UInt8 => DataType::UInt8,
        DType::UInt16 => DataType::UInt16,
        DType::UInt32 => DataType::UInt32,
        DType::UInt64 => DataType::UInt64,
        DType::Float32 => DataType::Float32,
        DType::Float64 => DataType::Float64,
        DType::Decimal { precision, scale } => decimal(*precision, *scale)?,
        DType::String => DataType::String,
        DType::Binary => DataType::Binary,
        DType::Date => DataType::Date,
        DType::Time => DataType::Time,
        DType::Datetime { unit, zone } => {
            DataType::Datetime(time_unit(*unit), time_zone(zone.as_deref())?)
        }
        DType::Duration(unit) => DataType::Duration(time_unit(*unit)),
        DType::Categorical => DataType::from_categories(Categories::global()),
        DType::Enum(categories) => {
            let categories =
                FrozenCategories::new(categories.iter().map(String::as_str)).or_error()?;
            DataType::from_frozen_categories(categories)
        }
        DType::List(inner) => DataType::List(Box::new(data_type(inner)?)),
        DType::Array(inner, width) => DataType::Array(Box::new(data_type(inner)?), *width),
        DType::Struct(fields) => DataType::Struct(fields.iter().map(field).collect::<Result<_>>()?),
        DType::Map(key, value) => {
            let entry = vec![
                Field::new("key".into(), data_type(key)?),
                Field::new("value".into(), data_type(value)?),
            ];
            DataType::List(Box::new(DataType::Struct(entry)))
        }
        DType::Null => DataType::Null,
        other => {
            return Err(Error::unsupported(format!("polars has no type {other}")));
        }
    })
}

fn decimal(precision: Option<u8>, scale: u8) -> Result<DataType> {
    let precision = precision.unwrap_or(38);
    if !(1..=38).contains(&precision) || scale > precision {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            format!("decimal({precision}, {scale}) does not exist"),
        )
        .with_hint("precision is 1 to 38, scale at most the precision"));
    }
    Ok(DataType::Decimal(precision.into(), scale.into()))
}

fn field(field: &laktory_core::Field) -> Result<Field> {
    Ok(Field::new(
        field.name.as_str().into(),
        data_type(&field.dtype)?,
    ))
}

/// A polars schema of declared columns.
///
/// # Errors
/// `Unsupported` for types that polars does not have; `DuplicateColumn`.
pub(crate) fn schema(fields: &[laktory_core::Field]) -> Result<Schema> {
    let mut schema = Schema::with_capacity(fields.len());
    for column in fields {
        let replaced = schema.insert(column.name.as_str().into(), data_type(&column.dtype)?);
        if replaced.is_some() {
            return Err(Error::new(
                ErrorKind::DuplicateColumn,
                format!("column `{}` is declared twice", column.name),
            ));
        }
    }
    Ok(schema)
}
