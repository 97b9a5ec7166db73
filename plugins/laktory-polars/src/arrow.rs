//! Rows across the engine's border: polars chunks to Arrow record batches and back, through the Arrow C Data interface,
//! without copying. All `unsafe` of the driver is here.
//!
//! What does not survive unchanged: categoricals and enums become texts, 128-bit integers become `decimal(38, 0)`;
//! on the way in, dictionaries of texts become categoricals, maps become lists of structs, seconds become milliseconds.
#![allow(unsafe_code)]

use std::sync::Arc;

use laktory_core::arrow::array::{
    Array, ArrayRef, RecordBatch, RecordBatchOptions, ffi, make_array,
};
use laktory_core::arrow::schema::{
    DataType as ArrowType, Field as ArrowField, Schema as ArrowSchema, SchemaRef,
};
use laktory_core::{DType, Error, Field as Column, Result};
use polars::prelude::{
    ArrowField as PolarsArrowField, CompatLevel, DataFrame, DataType, Field, IntoColumn, Schema,
    Series,
};
use polars_arrow::ffi as polars_ffi;

use crate::error::{ResultExt, engine_error};

// Both crates declare the structs of the C Data interface; a difference in size would be a change of that standard.
const _: () = {
    assert!(size_of::<polars_ffi::ArrowArray>() == size_of::<ffi::FFI_ArrowArray>());
    assert!(size_of::<polars_ffi::ArrowSchema>() == size_of::<ffi::FFI_ArrowSchema>());
};

/// The type in which a column leaves the engine; `None` when it leaves as it is.
fn portable(dtype: &DataType) -> Option<DataType> {
    match dtype {
        DataType::Categorical(..) | DataType::Enum(..) => Some(DataType::String),
        DataType::Int128 => Some(DataType::Decimal(38, 0)),
        DataType::List(inner) => portable(inner).map(|inner| DataType::List(Box::new(inner))),
        DataType::Array(inner, width) => {
            portable(inner).map(|inner| DataType::Array(Box::new(inner), *width))
        }
        DataType::Struct(fields) => {
            let changed: Vec<Option<DataType>> =
                fields.iter().map(|field| portable(field.dtype())).collect();
            changed.iter().any(Option::is_some).then(|| {
                DataType::Struct(
                    fields
                        .iter()
                        .zip(changed)
                        .map(|(field, dtype)| {
                            Field::new(
                                field.name().clone(),
                                dtype.unwrap_or_else(|| field.dtype().clone()),
                            )
                        })
                        .collect(),
                )
            })
        }
        _ => None,
    }
}

/// The Arrow schema of what leaves the engine with `schema`.
///
/// # Errors
/// `Unsupported` for types that Arrow does not have.
pub(crate) fn arrow_schema(schema: &Schema) -> Result<SchemaRef> {
    let fields = schema
        .iter()
        .map(|(name, dtype)| {
            check_names(name, dtype)?;
            let carried = match dtype {
                DataType::Categorical(..) => DType::Categorical,
                DataType::Enum(..) => DType::Enum(Vec::new()),
                DataType::Int128 => DType::Int128,
                DataType::UInt128 => DType::UInt128,
                _ => DType::Unknown,
            };
            let dtype = portable(dtype).unwrap_or_else(|| dtype.clone());
            let dtype = dtype.materialize_unknown(true).or_error()?;
            let field = PolarsArrowField::new(
                name.clone(),
                dtype.try_to_arrow(CompatLevel::newest()).or_error()?,
                true,
            );
            Ok(Column::carried(import_field(&field)?, &carried))
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(Arc::new(ArrowSchema::new(fields)))
}

/// Names cross as texts of C, which end at the first NUL.
fn check_name(name: &str) -> Result<()> {
    if !name.contains('\0') {
        return Ok(());
    }
    let shown = name.replace('\0', "\\0");
    Err(Error::unsupported(format!(
        "the name of column `{shown}` holds a NUL character"
    )))
}

fn check_names(name: &str, dtype: &DataType) -> Result<()> {
    check_name(name)?;
    match dtype {
        DataType::Struct(fields) => fields
            .iter()
            .try_for_each(|field| check_names(field.name(), field.dtype())),
        DataType::List(inner) => check_names(name, inner),
        _ => Ok(()),
    }
}

fn import_field(field: &PolarsArrowField) -> Result<ArrowField> {
    let exported = polars_ffi::export_field_to_c(field);
    // SAFETY: both types are the `ArrowSchema` struct of the C Data interface, checked above to be of one size;
    // ownership moves with the value, so its release callback runs once.
    let imported: ffi::FFI_ArrowSchema = unsafe { std::mem::transmute(exported) };
    ArrowField::try_from(&imported).map_err(|error| {
        Error::unsupported(format!(
            "column `{}` has a type that Arrow cannot carry",
            field.name
        ))
        .with_source(error)
    })
}

/// The rows of `frame` as record batches of `schema`, one for each chunk.
///
/// # Errors
/// `Internal` when the frame does not have that schema.
pub(crate) fn to_batches(mut frame: DataFrame, schema: &SchemaRef) -> Result<Vec<RecordBatch>> {
    let height = frame.height();
    if frame.width() == 0 {
        let options = RecordBatchOptions::new().with_row_count(Some(height));
        let batch = RecordBatch::try_new_with_options(Arc::clone(schema), Vec::new(), &options);
        return Ok(vec![batch.map_err(mismatch)?]);
    }
    if height == 0 {
        return Ok(Vec::new());
    }
    frame.align_chunks();
    let columns: Vec<Series> = frame
        .columns()
        .iter()
        .map(|column| {
            let series = column.as_materialized_series();
            match portable(series.dtype()) {
                Some(dtype) => series.strict_cast(&dtype),
                None => Ok(series.clone()),
            }
        })
        .collect::<Result<_, _>>()
        .or_error()?;
    let chunks = columns.first().map_or(0, |column| column.n_chunks());
    let columns: Vec<Series> = if columns.iter().all(|column| column.n_chunks() == chunks) {
        columns
    } else {
        columns.iter().map(|column| column.rechunk()).collect()
    };
    let chunks = columns.first().map_or(0, |column| column.n_chunks());
    let mut batches = Vec::with_capacity(chunks);
    for chunk in 0..chunks {
        let arrays = columns
            .iter()
            .map(|series| export_array(series.to_arrow(chunk, CompatLevel::newest())))
            .collect::<Result<Vec<_>>>()?;
        if arrays.first().is_some_and(|array| array.is_empty()) {
            continue;
        }
        batches.push(RecordBatch::try_new(Arc::clone(schema), arrays).map_err(mismatch)?);
    }
    Ok(batches)
}

/// The values of a column as one array.
///
/// # Errors
/// Those of the engine, for values that Arrow cannot carry.
pub(crate) fn to_array(series: &Series) -> Result<ArrayRef> {
    let series = match portable(series.dtype()) {
        Some(dtype) => series.strict_cast(&dtype).or_error()?,
        None => series.clone(),
    };
    export_array(series.rechunk().to_arrow(0, CompatLevel::newest()))
}

/// An array as a column.
///
/// # Errors
/// `Unsupported` for types that polars does not have.
pub(crate) fn from_array(name: &str, array: &ArrayRef) -> Result<Series> {
    check_importable(name, array.data_type())?;
    Series::from_arrow(name.into(), import_array(array.as_ref())?).or_error()
}

fn mismatch(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::internal("rows do not have the schema of their frame").with_source(error)
}

fn export_array(array: Box<dyn polars_arrow::array::Array>) -> Result<Arc<dyn Array>> {
    let field = PolarsArrowField::new("".into(), array.dtype().clone(), true);
    let schema = polars_ffi::export_field_to_c(&field);
    let array = polars_ffi::export_array_to_c(array);
    // SAFETY: the types on both sides are the structs of the C Data interface, checked above to be of one size;
    // ownership moves with the values, so each release callback runs once.
    let (array, schema): (ffi::FFI_ArrowArray, ffi::FFI_ArrowSchema) = unsafe {
        (
            std::mem::transmute::<polars_ffi::ArrowArray, ffi::FFI_ArrowArray>(array),
            std::mem::transmute::<polars_ffi::ArrowSchema, ffi::FFI_ArrowSchema>(schema),
        )
    };
    let mut array = array;
    // SAFETY: the array was just exported together with this schema, so their trees have one shape.
    unsafe { strip_null_buffers((&raw mut array).cast(), &raw const schema) };
    // SAFETY: polars exported a valid array together with its own type.
    let data = unsafe { ffi::from_ffi(array, &schema) }.map_err(mismatch)?;
    Ok(make_array(data))
}

/// The array struct of the C Data interface, whose fields the crates keep to themselves.
#[repr(C)]
struct CArray {
    length: i64,
    null_count: i64,
    offset: i64,
    n_buffers: i64,
    n_children: i64,
    buffers: *mut *const std::ffi::c_void,
    children: *mut *mut CArray,
    dictionary: *mut CArray,
    release: Option<unsafe extern "C" fn(*mut CArray)>,
    private_data: *mut std::ffi::c_void,
}

/// Arrays of nulls have no buffers in Arrow; polars exports them with one, which arrow-rs refuses.
///
/// # Safety
/// `array` and `schema` are valid, exported together.
unsafe fn strip_null_buffers(array: *mut CArray, schema: *const ffi::FFI_ArrowSchema) {
    // SAFETY: both pointers are valid by the contract of this function; the format is a text that ends with zero.
    // Lowering the number of buffers hides one; the producer frees them through its private data.
    unsafe {
        if std::ffi::CStr::from_ptr((*schema).format).to_bytes() == b"n" {
            (*array).n_buffers = 0;
        }
        let children = usize::try_from((*array).n_children).unwrap_or(0);
        for child in 0..children {
            strip_null_buffers(
                *(*array).children.add(child),
                *(*schema).children.add(child),
            );
        }
    }
}

/// Whether polars has a type for these values.
fn check_importable(name: &str, data_type: &ArrowType) -> Result<()> {
    check_name(name)?;
    if let ArrowType::Struct(fields) = data_type {
        fields
            .iter()
            .try_for_each(|field| check_name(field.name()))?;
    }
    let children: Vec<&ArrowType> = match data_type {
        ArrowType::Interval(_)
        | ArrowType::Union(..)
        | ArrowType::RunEndEncoded(..)
        | ArrowType::ListView(_)
        | ArrowType::LargeListView(_)
        | ArrowType::Decimal256(..)
        | ArrowType::Float16 => {
            return Err(Error::unsupported(format!(
                "column `{name}` has type {data_type}, which polars does not have"
            )));
        }
        ArrowType::List(field)
        | ArrowType::LargeList(field)
        | ArrowType::FixedSizeList(field, _)
        | ArrowType::Map(field, _) => vec![field.data_type()],
        ArrowType::Struct(fields) => fields.iter().map(|field| field.data_type()).collect(),
        ArrowType::Dictionary(_, values) => vec![values],
        _ => Vec::new(),
    };
    children
        .into_iter()
        .try_for_each(|child| check_importable(name, child))
}

/// The rows of a record batch as a polars frame.
///
/// # Errors
/// `Unsupported` for types that polars does not have.
pub(crate) fn from_batch(batch: &RecordBatch) -> Result<DataFrame> {
    let schema = batch.schema();
    let columns = batch
        .columns()
        .iter()
        .zip(schema.fields())
        .map(|(array, field)| {
            check_importable(field.name(), field.data_type())?;
            let array = import_array(array.as_ref())?;
            let series = Series::from_arrow(field.name().as_str().into(), array).or_error()?;
            Ok(series.into_column())
        })
        .collect::<Result<Vec<_>>>()?;
    DataFrame::new(batch.num_rows(), columns).or_error()
}

/// An empty polars frame with the columns of an Arrow schema.
///
/// # Errors
/// `Unsupported` for types that polars does not have.
pub(crate) fn empty_frame(schema: &SchemaRef) -> Result<DataFrame> {
    from_batch(&RecordBatch::new_empty(Arc::clone(schema)))
}

fn import_array(array: &dyn Array) -> Result<Box<dyn polars_arrow::array::Array>> {
    let (array, schema) = ffi::to_ffi(&array.to_data()).map_err(mismatch)?;
    // SAFETY: the types on both sides are the structs of the C Data interface, checked above to be of one size;
    // ownership moves with the values, so each release callback runs once.
    let (array, schema): (polars_ffi::ArrowArray, polars_ffi::ArrowSchema) = unsafe {
        (
            std::mem::transmute::<ffi::FFI_ArrowArray, polars_ffi::ArrowArray>(array),
            std::mem::transmute::<ffi::FFI_ArrowSchema, polars_ffi::ArrowSchema>(schema),
        )
    };
    // SAFETY: arrow-rs exported a valid schema.
    let field = unsafe { polars_ffi::import_field_from_c(&schema) }.map_err(engine_error)?;
    // SAFETY: arrow-rs exported a valid array of exactly that type.
    unsafe { polars_ffi::import_array_from_c(array, field.dtype) }.map_err(engine_error)
}

#[cfg(test)]
mod tests {
    use laktory_core::DType;
    use polars::prelude::{AnyValue, IntoLazy, NamedFrom, TimeUnit, TimeZone, df, lit};

    use super::*;

    /// Every type, with nulls, and their contract types after the round trip.
    fn check(series: Series, expected: &DType) {
        let frame = DataFrame::new_infer_height(vec![series.clone().into_column()]).unwrap();
        let schema = arrow_schema(frame.schema()).unwrap();
        assert_eq!(
            &DType::from_arrow(schema.field(0).data_type()),
            expected,
            "{}",
            series.dtype()
        );
        // The whole, a slice from the middle, and nothing.
        for (offset, length) in [(0, series.len()), (1, series.len() - 1), (1, 1), (0, 0)] {
            let part = frame.slice(offset, length);
            let batches = to_batches(part.clone(), &schema).unwrap();
            assert_eq!(
                batches.iter().map(RecordBatch::num_rows).sum::<usize>(),
                length
            );
            let mut back = empty_frame(&schema).unwrap();
            for batch in &batches {
                assert_eq!(batch.schema(), schema);
                // Slices of batches have offsets of their own.
                let middle = batch.num_rows() / 2;
                back.vstack_mut(&from_batch(&batch.slice(0, middle)).unwrap())
                    .unwrap();
                back.vstack_mut(
                    &from_batch(&batch.slice(middle, batch.num_rows() - middle)).unwrap(),
                )
                .unwrap();
            }
            let cast = match portable(series.dtype()) {
                Some(dtype) => part.columns()[0].cast(&dtype).unwrap(),
                None => part.columns()[0].clone(),
            };
            assert!(
                back.columns()[0].equals_missing(&cast),
                "{}: {back} instead of {cast:?}",
                series.dtype()
            );
        }
    }

    fn typed(dtype: DataType) -> Series {
        Series::new("x".into(), [Some(1_i32), None, Some(3), Some(4)])
            .cast(&dtype)
            .unwrap()
    }

    #[test]
    fn every_type_crosses_the_border_and_comes_back() {
        let utc = || Some("UTC".to_owned());
        let datetime = |unit, zone| DType::Datetime { unit, zone };
        let numbers = [
            (DataType::Int8, DType::Int8),
            (DataType::Int16, DType::Int16),
            (DataType::Int32, DType::Int32),
            (DataType::Int64, DType::Int64),
            (DataType::UInt8, DType::UInt8),
            (DataType::UInt16, DType::UInt16),
            (DataType::UInt32, DType::UInt32),
            (DataType::UInt64, DType::UInt64),
            (DataType::Float32, DType::Float32),
            (DataType::Float64, DType::Float64),
            (DataType::Boolean, DType::Boolean),
            (DataType::String, DType::String),
            (DataType::Date, DType::Date),
            (DataType::Time, DType::Time),
            (
                DataType::Datetime(TimeUnit::Milliseconds, None),
                datetime(laktory_core::TimeUnit::Millisecond, None),
            ),
            (
                DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)),
                datetime(laktory_core::TimeUnit::Microsecond, utc()),
            ),
            (
                DataType::Datetime(TimeUnit::Nanoseconds, None),
                datetime(laktory_core::TimeUnit::Nanosecond, None),
            ),
            (
                DataType::Duration(TimeUnit::Microseconds),
                DType::Duration(laktory_core::TimeUnit::Microsecond),
            ),
            (
                DataType::Decimal(10, 2),
                DType::Decimal {
                    precision: Some(10),
                    scale: 2,
                },
            ),
            (
                DataType::Int128,
                DType::Decimal {
                    precision: Some(38),
                    scale: 0,
                },
            ),
        ];
        for (dtype, expected) in numbers {
            check(typed(dtype), &expected);
        }
        let texts = Series::new(
            "x".into(),
            [
                Some("a"),
                None,
                Some(""),
                Some("a text that is longer than a view"),
            ],
        );
        check(texts.clone(), &DType::String);
        check(texts.cast(&DataType::Binary).unwrap(), &DType::Binary);
        let categories = DataType::from_categories(polars::prelude::Categories::global());
        check(texts.cast(&categories).unwrap(), &DType::String);
        check(
            Series::full_null("x".into(), 4, &DataType::Null),
            &DType::Null,
        );
    }

    #[test]
    fn nested_types_cross_the_border_and_come_back() {
        let frame =
            df!("a" => [Some(1_i64), None, Some(3), Some(4)], "b" => ["x", "y", "z", "w"]).unwrap();
        let nested = |expr| {
            let out = frame.clone().lazy().select([expr]).collect().unwrap();
            out.columns()[0]
                .as_materialized_series()
                .clone()
                .with_name("x".into())
        };
        let row = nested(polars::prelude::as_struct(vec![
            crate::expr::column("a"),
            crate::expr::column("b"),
        ]));
        let fields = vec![
            laktory_core::Field::new("a", DType::Int64),
            laktory_core::Field::new("b", DType::String),
        ];
        check(row, &DType::Struct(fields));
        let pair = [crate::expr::column("a"), lit(5_i64)];
        check(
            nested(polars::prelude::concat_list(pair).unwrap()),
            &DType::List(Box::new(DType::Int64)),
        );
        let nulls = Series::new("".into(), [AnyValue::Null, AnyValue::Null]);
        let lists = Series::new("x".into(), [nulls.clone(), nulls.clone(), nulls]);
        assert_eq!(lists.dtype(), &DataType::List(Box::new(DataType::Null)));
        check(lists, &DType::List(Box::new(DType::Null)));
    }

    #[test]
    fn a_frame_without_columns_keeps_its_rows() {
        let frame = DataFrame::new(3, Vec::new()).unwrap();
        let schema = arrow_schema(frame.schema()).unwrap();
        let batches = to_batches(frame, &schema).unwrap();
        assert_eq!(batches[0].num_rows(), 3);
        assert_eq!(from_batch(&batches[0]).unwrap().height(), 3);
    }
}
