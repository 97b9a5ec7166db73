//! Arrays at the entry of kernels: whatever encoding a batch has, a kernel sees one.

use datafusion::arrow::array::{
    ArrayRef, AsArray, Float64Array, Int64Array, LargeListArray, StringViewArray,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float64Type, Int64Type};
use laktory_core::Result;

use crate::error::ResultExt;
use crate::types::{element, list_of};

/// Texts of any encoding.
pub(super) fn texts(array: &ArrayRef) -> Result<StringViewArray> {
    Ok(cast(array, &DataType::Utf8View)
        .or_error()?
        .as_string_view()
        .clone())
}

/// Lists of any encoding. Elements keep their type; those of null lists do not count.
pub(super) fn lists(array: &ArrayRef) -> Result<LargeListArray> {
    let item = element(array.data_type())
        .cloned()
        .unwrap_or(DataType::Null);
    Ok(cast(array, &list_of(item)).or_error()?.as_list().clone())
}

/// Integers of any width that 64 bits hold; durations and points in time as their counts.
pub(super) fn integers(array: &ArrayRef) -> Result<Int64Array> {
    let whole = match array.data_type() {
        DataType::Date32 => cast(array, &DataType::Int32).or_error()?,
        _ => array.clone(),
    };
    Ok(cast(&whole, &DataType::Int64)
        .or_error()?
        .as_primitive::<Int64Type>()
        .clone())
}

/// Numbers as 64-bit floats.
pub(super) fn floats(array: &ArrayRef) -> Result<Float64Array> {
    Ok(cast(array, &DataType::Float64)
        .or_error()?
        .as_primitive::<Float64Type>()
        .clone())
}
