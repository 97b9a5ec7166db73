//! Rows made ready for a format: types without a form in it are refused, points in time are texts where the format is text,
//! and for JSON NaN and infinities are refused, which the engine would write as null.

use std::sync::Arc;

use laktory_core::{DType, Field, Format, Result, WriteSpec};
use laktory_formats::json::{NAN_AS_NULL, finite, may_be_non_finite};
use laktory_formats::times::TimeForms;
use laktory_formats::writable;
use polars::prelude::{DataFrame, DataType, LazyFrame, PolarsResult, Schema, SchemaRef, col};
use polars_plan::dsl::DslPlan;
use polars_plan::plans::{DataFrameUdf, DslFunction, FunctionIR};

use super::times::{Forms, texts};
use crate::error::{ResultExt, carry};
use crate::options::Given;

/// The number of a row, while it is checked.
const ROW: &str = "__laktory_row";

/// The plan of what is written, made ready for its format.
///
/// # Errors
/// `Unsupported` for a type that JSON has no form for, `InvalidArgument` for an option.
pub(crate) fn ready(
    lazy: LazyFrame,
    spec: &WriteSpec,
    schema: SchemaRef,
) -> Result<(LazyFrame, SchemaRef)> {
    let what = format!("writer option of {}", spec.format);
    let names: Vec<&str> = spec.options.keys().map(String::as_str).collect();
    let given = Given::new(&what, &spec.options, &names)?;
    let arrow = crate::arrow::arrow_schema(&schema)?;
    let columns: Vec<Field> = arrow
        .fields()
        .iter()
        .map(|field| Field::new(field.name(), DType::from_arrow(field.data_type())))
        .collect();
    writable(&spec.format, &columns)?;
    match spec.format {
        Format::Json | Format::JsonLines => {}
        Format::Csv => {
            let forms = Forms::of_csv(TimeForms::given(&given, &columns)?);
            return Ok(texts(lazy, schema, &forms));
        }
        _ => return Ok((lazy, schema)),
    }
    let (lazy, schema) = texts(lazy, schema, &Forms::iso());
    let (lazy, schema) = long_integers(lazy, schema)?;
    let floats: Vec<String> = columns
        .into_iter()
        .filter(|column| may_be_non_finite(&column.dtype))
        .map(|column| column.name)
        .collect();
    let checks = !given.flag(NAN_AS_NULL)?.unwrap_or(false);
    if floats.is_empty() || !checks {
        return Ok((lazy, schema));
    }
    let pass = move |mut batch: DataFrame| -> PolarsResult<DataFrame> {
        let rows = batch.drop_in_place(ROW)?;
        if rows.is_empty() {
            return Ok(batch);
        }
        let mut before = rows.get(0)?.extract::<u64>().unwrap_or_default();
        let part = batch.select(&floats)?;
        let check = || {
            let schema = crate::arrow::arrow_schema(part.schema())?;
            for batch in crate::arrow::to_batches(part, &schema)? {
                finite(&batch, before)?;
                before += batch.num_rows() as u64;
            }
            Ok(())
        };
        check().map_err(|error: laktory_core::Error| carry(&error))?;
        Ok(batch)
    };
    let pass: Arc<dyn DataFrameUdf> = Arc::new(pass);
    let name = format!("finite {:p}", Arc::as_ptr(&pass).cast::<()>());
    let output = Arc::clone(&schema);
    let function = FunctionIR::Opaque {
        function: pass,
        schema: Some(Arc::new(move |_: &Schema| Ok(Arc::clone(&output)))),
        predicate_pd: false,
        projection_pd: false,
        streamable: true,
        fmt_str: name.into(),
    };
    let lazy = LazyFrame::from(DslPlan::MapFunction {
        input: Arc::new(lazy.with_row_index(ROW, None).logical_plan),
        function: DslFunction::FunctionIR(function),
    });
    Ok((lazy, schema))
}

/// Integers beyond 64 bits as texts: readers of JSON would round them.
fn long_integers(lazy: LazyFrame, schema: SchemaRef) -> Result<(LazyFrame, SchemaRef)> {
    let long: Vec<_> = schema
        .iter()
        .filter(|(_, dtype)| **dtype == DataType::Int128)
        .map(|(name, _)| col(name.clone()).cast(DataType::String))
        .collect();
    if long.is_empty() {
        return Ok((lazy, schema));
    }
    let mut lazy = lazy.with_columns(long);
    let schema = lazy.collect_schema().or_error()?;
    Ok((lazy, schema))
}
