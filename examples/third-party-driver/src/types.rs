//! Types: the encodings of the contract, questions about them, and the type in which values meet.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use laktory_core::{DType, Error, ErrorKind, Field as LogicalField, Result, Scalar};

use crate::expr::Value;

/// The columns of a schema, as the contract names types.
pub(crate) fn fields(schema: &Schema) -> Vec<LogicalField> {
    let fields = schema.fields().iter();
    fields
        .map(|field| LogicalField::new(field.name(), DType::from_arrow(field.data_type())))
        .collect()
}

/// The encoding in which the contract carries a type; this engine holds no other. Types that it does not know stay.
pub(crate) fn encoding(dtype: &DataType) -> DataType {
    DType::from_arrow(dtype)
        .to_arrow()
        .unwrap_or_else(|| dtype.clone())
}

/// A schema in the encodings of the contract.
pub(crate) fn encoded_schema(schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter();
    let fields: Vec<Field> = fields
        .map(|field| Field::new(field.name(), encoding(field.data_type()), true))
        .collect();
    Arc::new(Schema::new(fields))
}

/// A type as messages name it.
pub(crate) fn shown(dtype: &DataType) -> String {
    DType::from_arrow(dtype).to_string()
}

/// Whether a type is a text. There is one encoding of them here.
pub(crate) fn is_text(dtype: &DataType) -> bool {
    *dtype == DataType::Utf8View
}

/// Whether a type is an integer or a float of 32 or 64 bits: what the kernels of numbers take.
pub(crate) fn is_number(dtype: &DataType) -> bool {
    dtype.is_integer() || is_float(dtype)
}

/// Whether a type is a float of 32 or 64 bits.
pub(crate) fn is_float(dtype: &DataType) -> bool {
    matches!(dtype, DataType::Float32 | DataType::Float64)
}

/// The type in which values meet. Constant numbers bend to the columns beside them, as in Polars.
///
/// # Errors
/// `TypeMismatch` when there is none.
pub(crate) fn common(values: &[Value]) -> Result<DataType> {
    let bends = |value: &&Value| matches!(value.constant, Some(Scalar::Int(_) | Scalar::Float(_)));
    let fixed = values.iter().filter(|value| !bends(value));
    let mut known = fixed
        .map(|value| value.dtype.clone())
        .try_fold(DataType::Null, meet)?;
    for value in values.iter().filter(bends) {
        known = match (&known, &value.constant) {
            (known, Some(Scalar::Int(constant))) if known.is_integer() => {
                beside(known, *constant, &value.dtype)?
            }
            (known, _) if is_float(known) => known.clone(),
            (known, _) => meet(known.clone(), value.dtype.clone())?,
        };
    }
    Ok(known)
}

/// The type for integers of a type beside a constant one, which takes as little room as it can.
fn beside(known: &DataType, constant: i128, dtype: &DataType) -> Result<DataType> {
    let fits = |dtype: &DataType| match dtype {
        DataType::Int8 => i8::try_from(constant).is_ok(),
        DataType::Int16 => i16::try_from(constant).is_ok(),
        DataType::Int32 => i32::try_from(constant).is_ok(),
        DataType::Int64 => i64::try_from(constant).is_ok(),
        DataType::UInt8 => u8::try_from(constant).is_ok(),
        DataType::UInt16 => u16::try_from(constant).is_ok(),
        DataType::UInt32 => u32::try_from(constant).is_ok(),
        _ => u64::try_from(constant).is_ok(),
    };
    if fits(known) {
        return Ok(known.clone());
    }
    if *known == DataType::UInt64 && constant < 0 {
        return Ok(DataType::Int64);
    }
    let narrowest = [DataType::Int8, DataType::Int16, DataType::Int32]
        .into_iter()
        .find(fits);
    meet(known.clone(), narrowest.unwrap_or_else(|| dtype.clone()))
}

/// The type that holds the values of two types.
fn meet(a: DataType, b: DataType) -> Result<DataType> {
    supertype(&a, &b)
        .or_else(|| supertype(&b, &a))
        .ok_or_else(|| {
            Error::new(
                ErrorKind::TypeMismatch,
                format!("{} and {} have no common type", shown(&a), shown(&b)),
            )
            .with_hint("convert one of them with `cast`")
        })
}

fn supertype(a: &DataType, b: &DataType) -> Option<DataType> {
    match (a, b) {
        (a, b) if a == b => Some(a.clone()),
        (a, DataType::Null) => Some(a.clone()),
        (DataType::Boolean, b) if is_number(b) => Some(b.clone()),
        (a, b) if is_float(a) && is_number(b) => {
            let small = |dtype: &DataType| dtype.primitive_width().is_some_and(|bytes| bytes <= 2);
            let single = *a == DataType::Float32 && (*b == DataType::Float32 || small(b));
            Some(if single {
                DataType::Float32
            } else {
                DataType::Float64
            })
        }
        (a, b) if a.is_integer() && b.is_integer() => integers(a, b),
        (DataType::Date32, DataType::Timestamp(..)) => Some(b.clone()),
        (DataType::Timestamp(unit, zone), DataType::Timestamp(other, other_zone))
            if zone == other_zone =>
        {
            Some(DataType::Timestamp(coarser(*unit, *other), zone.clone()))
        }
        (DataType::Duration(unit), DataType::Duration(other)) => {
            Some(DataType::Duration(coarser(*unit, *other)))
        }
        _ => None,
    }
}

fn integers(a: &DataType, b: &DataType) -> Option<DataType> {
    let bits = |dtype: &DataType| dtype.primitive_width().map(|bytes| bytes * 8);
    let (wide, narrow) = if bits(a) >= bits(b) { (a, b) } else { (b, a) };
    if wide.is_signed_integer() == narrow.is_signed_integer()
        || wide.is_signed_integer() && bits(wide) > bits(narrow)
    {
        return Some(wide.clone());
    }
    // The unsigned one is as wide: one bit more is needed.
    match bits(wide)? {
        8 => Some(DataType::Int16),
        16 => Some(DataType::Int32),
        32 => Some(DataType::Int64),
        _ => None,
    }
}

fn coarser(a: TimeUnit, b: TimeUnit) -> TimeUnit {
    let rank = |unit: TimeUnit| match unit {
        TimeUnit::Second => 0,
        TimeUnit::Millisecond => 1,
        TimeUnit::Microsecond => 2,
        TimeUnit::Nanosecond => 3,
    };
    if rank(a) <= rank(b) { a } else { b }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_meet_in_the_narrowest_type_that_holds_both() {
        use DataType::{Float32, Float64, Int8, Int16, Int32, Int64, UInt8, UInt32};
        for (a, b, expected) in [
            (Int8, Int16, Int16),
            (Int8, UInt8, Int16),
            (Int16, UInt8, Int16),
            (Int32, UInt32, Int64),
            (Int16, Float32, Float32),
            (Int32, Float32, Float64),
        ] {
            assert_eq!(meet(a.clone(), b.clone()).unwrap(), expected, "{a} {b}");
            assert_eq!(meet(b.clone(), a.clone()).unwrap(), expected, "{b} {a}");
        }
        assert!(meet(DataType::Utf8View, Int8).is_err());
    }

    #[test]
    fn constants_bend_to_the_column_beside_them() {
        let column = Value::null(DataType::Int8);
        for (constant, expected) in [(1_i64, DataType::Int8), (300, DataType::Int16)] {
            let values = [column.clone(), Value::constant(&constant.into()).unwrap()];
            assert_eq!(common(&values).unwrap(), expected);
        }
    }
}
