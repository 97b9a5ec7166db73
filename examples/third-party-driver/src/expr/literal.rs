//! Constants, with the types that Narwhals on Polars gives them.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryViewArray, BooleanArray, Date32Array, Decimal128Array, Float64Array,
    Int32Array, Int64Array, NullArray, StringViewArray, Time64NanosecondArray, UInt64Array,
};
use arrow::datatypes::DataType;
use laktory_core::{DType, Result, Scalar};

use super::Value;
use crate::cast::{convert_array, from_counts};
use crate::types::common;
use crate::{batch, unsupported};

/// A constant as an array of one value.
///
/// # Errors
/// `Unsupported` for lists and integers beyond 64 bits.
pub(super) fn array(value: &Scalar) -> Result<ArrayRef> {
    let counted = |count: i64, dtype: DType| match dtype.to_arrow() {
        Some(dtype) => from_counts(&Int64Array::from(vec![count]), &dtype),
        None => Err(unsupported("this kind of constant")),
    };
    Ok(match value {
        Scalar::Null => Arc::new(NullArray::new(1)),
        Scalar::Bool(value) => Arc::new(BooleanArray::from(vec![*value])),
        Scalar::Int(value) => {
            if let Ok(value) = i32::try_from(*value) {
                Arc::new(Int32Array::from(vec![value]))
            } else if let Ok(value) = i64::try_from(*value) {
                Arc::new(Int64Array::from(vec![value]))
            } else if let Ok(value) = u64::try_from(*value) {
                Arc::new(UInt64Array::from(vec![value]))
            } else {
                Arc::new(
                    Decimal128Array::from(vec![*value]).with_data_type(DataType::Decimal128(38, 0)),
                )
            }
        }
        Scalar::Float(value) => Arc::new(Float64Array::from(vec![*value])),
        Scalar::Str(value) => Arc::new(StringViewArray::from(vec![value.as_str()])),
        Scalar::Bytes(value) => Arc::new(BinaryViewArray::from(vec![value.as_slice()])),
        Scalar::Date(days) => Arc::new(Date32Array::from(vec![*days])),
        Scalar::Time(count) => Arc::new(Time64NanosecondArray::from(vec![*count])),
        Scalar::Datetime { value, unit, zone } => counted(
            *value,
            DType::Datetime {
                unit: *unit,
                zone: zone.clone(),
            },
        )?,
        Scalar::Duration { value, unit } => counted(*value, DType::Duration(*unit))?,
        _ => return Err(unsupported("a constant list")),
    })
}

/// Constants as one array, in the type in which they meet.
///
/// # Errors
/// `TypeMismatch` when they have no common type.
pub(crate) fn array_of(values: &[Scalar]) -> Result<ArrayRef> {
    let constants = values
        .iter()
        .map(Value::constant)
        .collect::<Result<Vec<_>>>()?;
    let dtype = common(&constants)?;
    let parts = values
        .iter()
        .map(|value| convert_array(&array(value)?, &dtype, true))
        .collect::<Result<Vec<_>>>()?;
    batch::stacked(&parts, &dtype)
}
