//! Types of the contract and of Arrow, and questions about them.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::DFSchema;
use laktory_core::{DType, Error, ErrorKind, Field, Result};

/// The Arrow type that carries a type of the contract in this engine.
///
/// # Errors
/// `UnsupportedCast` for types that Arrow does not have.
pub(crate) fn data_type(dtype: &DType) -> Result<DataType> {
    match dtype {
        DType::Categorical => Ok(DataType::Dictionary(
            Box::new(DataType::UInt32),
            Box::new(DataType::Utf8),
        )),
        other => other.to_arrow().ok_or_else(|| {
            Error::new(
                ErrorKind::UnsupportedCast,
                format!("nothing can be converted to {other}"),
            )
        }),
    }
}

/// The columns of a plan's schema, as the contract names types.
pub(crate) fn fields(schema: &DFSchema) -> Vec<Field> {
    schema
        .fields()
        .iter()
        .map(|field| Field::new(field.name().as_str(), DType::from_arrow(field.data_type())))
        .collect()
}

/// Whether a type is a signed or unsigned integer.
pub(crate) fn is_integer(dtype: &DataType) -> bool {
    dtype.is_integer()
}

/// Whether a type is a float.
pub(crate) fn is_float(dtype: &DataType) -> bool {
    dtype.is_floating()
}

/// Whether a type is a decimal.
pub(crate) fn is_decimal(dtype: &DataType) -> bool {
    matches!(
        dtype,
        DataType::Decimal32(..)
            | DataType::Decimal64(..)
            | DataType::Decimal128(..)
            | DataType::Decimal256(..)
    )
}

/// Whether a type is an integer, float or decimal.
pub(crate) fn is_number(dtype: &DataType) -> bool {
    is_integer(dtype) || is_float(dtype) || is_decimal(dtype)
}

/// Whether a type is a text in any encoding, categoricals included.
pub(crate) fn is_text(dtype: &DataType) -> bool {
    match dtype {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, values) => is_text(values),
        _ => false,
    }
}

/// Whether a type is a list in any encoding.
pub(crate) fn is_list(dtype: &DataType) -> bool {
    element(dtype).is_some()
}

/// The type of a list's elements.
pub(crate) fn element(dtype: &DataType) -> Option<&DataType> {
    match dtype {
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::ListView(field)
        | DataType::LargeListView(field)
        | DataType::FixedSizeList(field, _) => Some(field.data_type()),
        _ => None,
    }
}

/// The list type with elements of a type, in the encoding of the contract.
pub(crate) fn list_of(element: DataType) -> DataType {
    DataType::LargeList(Arc::new(datafusion::arrow::datatypes::Field::new(
        "item", element, true,
    )))
}

/// A type as messages name it.
pub(crate) fn shown(dtype: &DataType) -> String {
    DType::from_arrow(dtype).to_string()
}
