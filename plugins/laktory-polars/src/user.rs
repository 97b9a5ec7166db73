//! Functions of the user's own: those on Arrow arrays as functions of polars' plans, and those of polars' own.

use std::fmt;
use std::sync::Arc;

use laktory_core::arrow::array::ArrayRef;
use laktory_core::user::{self, Body, Inputs, Kernel};
use laktory_core::{Arg, DType, Error, Result, RunCx, UserFunction, walk};
use polars::prelude::{
    Column, DataType, Expr as PolarsExpr, Field, IntoColumn, LazyFrame, PolarsResult, Schema,
    apply_multiple, map_multiple,
};

use crate::NAME;
use crate::arrow::{arrow_schema, from_array, to_array};
use crate::error::{ResultExt, carry};
use crate::expr;
use crate::schema::{self, data_type};

/// An expression of polars' own, for [`Body::NativeExpr`]: it is given the expressions that it is called with.
pub struct ExprFunction(pub fn(&Inputs<'_, PolarsExpr>) -> Result<PolarsExpr>);

/// A step of polars' own, for [`Body::NativeStep`]: it is given the frame, other frames in the order of its parameters,
/// and the expressions that it is called with.
pub struct StepFunction(
    pub fn(LazyFrame, &[LazyFrame], &Inputs<'_, PolarsExpr>) -> Result<LazyFrame>,
);

impl fmt::Debug for ExprFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ExprFunction")
    }
}

impl fmt::Debug for StepFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StepFunction")
    }
}

/// Lowers a call.
///
/// # Errors
/// `UnknownFunction`; `Unsupported` for functions that are of other engines only; those of native functions.
pub(crate) fn lower(cx: &RunCx, name: &str, args: &[Arg]) -> Result<PolarsExpr> {
    let function = user::resolve(name)?;
    let inputs = inputs(cx, args)?;
    match function.body {
        Body::Scalar(kernel) => Ok(call(function, kernel, args, &inputs, false)),
        Body::Aggregate(kernel) => Ok(call(function, kernel, args, &inputs, true)),
        Body::NativeExpr { .. } => {
            let native = function.native::<ExprFunction>(NAME)?;
            (native.0)(&Inputs::new(function, args, &inputs))
        }
        _ => Err(function.unsupported(NAME)),
    }
}

/// The frame after a step of the user's own.
///
/// # Errors
/// `UnknownFunction`, `Unsupported`, those of the function.
pub(crate) fn step(
    cx: &RunCx,
    lazy: LazyFrame,
    others: &[LazyFrame],
    name: &str,
    args: &[Arg],
) -> Result<LazyFrame> {
    let function = user::resolve(name)?;
    let native = function.native::<StepFunction>(NAME)?;
    let inputs = inputs(cx, args)?;
    (native.0)(lazy, others, &Inputs::new(function, args, &inputs))
}

fn inputs(cx: &RunCx, args: &[Arg]) -> Result<Vec<PolarsExpr>> {
    walk::arguments(args)
        .map(|input| expr::lower(cx, input))
        .collect()
}

fn call(
    function: &'static UserFunction,
    kernel: Kernel,
    args: &[Arg],
    inputs: &[PolarsExpr],
    aggregates: bool,
) -> PolarsExpr {
    let args: Arc<[Arg]> = args.into();
    let known = Arc::clone(&args);
    let output = move |_: &Schema, fields: &[Field]| -> PolarsResult<Field> {
        let fields = fields
            .iter()
            .map(schema::known)
            .collect::<PolarsResult<Vec<_>>>()?;
        let types: Vec<&DataType> = fields.iter().map(Field::dtype).collect();
        let dtype = output(function, kernel, &known, &types).map_err(|error| carry(&error))?;
        let name = fields.first().map(Field::name).cloned().unwrap_or_default();
        Ok(Field::new(
            name,
            data_type(&dtype).map_err(|error| carry(&error))?,
        ))
    };
    let run = move |columns: &mut [Column]| -> PolarsResult<Column> {
        compute(function, kernel, &args, columns, aggregates).map_err(|error| carry(&error))
    };
    if aggregates {
        apply_multiple(run, inputs, output, true)
    } else {
        map_multiple(run, inputs, output)
    }
}

/// The type that a function gives for columns of these types.
fn output(
    function: &UserFunction,
    kernel: Kernel,
    args: &[Arg],
    types: &[&DataType],
) -> Result<DType> {
    let named = types
        .iter()
        .enumerate()
        .map(|(index, dtype)| Field::new(index.to_string().into(), (*dtype).clone()));
    let schema = arrow_schema(&Schema::from_iter(named))?;
    let types: Vec<DType> = schema
        .fields()
        .iter()
        .map(|field| DType::from_arrow(field.data_type()))
        .collect();
    kernel.dtype(function, args, &types)
}

fn compute(
    function: &UserFunction,
    kernel: Kernel,
    args: &[Arg],
    columns: &[Column],
    aggregates: bool,
) -> Result<Column> {
    let types: Vec<&DataType> = columns.iter().map(Column::dtype).collect();
    let dtype = output(function, kernel, args, &types)?;
    let length = length(columns)?;
    let arrays = columns
        .iter()
        .map(|column| {
            if column.len() == length {
                to_array(column.as_materialized_series())
            } else {
                to_array(column.new_from_index(0, length).as_materialized_series())
            }
        })
        .collect::<Result<Vec<ArrayRef>>>()?;
    let rows = if aggregates { 1 } else { length };
    let out = kernel.compute(function, args, &arrays, &dtype, rows)?;
    let name = columns.first().map(Column::name).cloned();
    let series = from_array(name.unwrap_or_default().as_str(), &out)?;
    let wanted = data_type(&dtype)?;
    let series = if series.dtype() == &wanted {
        series
    } else {
        series.strict_cast(&wanted).or_error()?
    };
    Ok(series.into_column())
}

/// The length that columns have in common, where single values stand beside any number of others.
fn length(columns: &[Column]) -> Result<usize> {
    let mut lengths = columns
        .iter()
        .map(Column::len)
        .filter(|length| *length != 1);
    let Some(first) = lengths.next() else {
        return Ok(1);
    };
    if lengths.all(|length| length == first) {
        Ok(first)
    } else {
        Err(Error::internal("columns of different lengths in one call"))
    }
}
