//! Functions of a row and its neighbours. Each works on whole partitions ([`crate::kernel::partition`]), in the order
//! that `over` gives.

mod cumulative;
mod distinct;
mod ewm;
mod framed;
mod neighbours;
mod rank;
mod rolling;

use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::DataType;
use datafusion::functions_window::row_number::row_number_udwf;
use datafusion::logical_expr::expr::{Sort, WindowFunction};
use datafusion::logical_expr::{Expr as PlanExpr, WindowFunctionDefinition, WindowUDF, lit};
use laktory_core::typing::shown;
use laktory_core::{Error, Func, Result};

use super::aggregate::over::whole_partition;
use super::cast::convert;
use super::{Call, FULL, Row};
use crate::expr::{Scope, Value};
use crate::kernel::partition::partitioned;

pub(super) const ROWS: &[Row] = &[
    (Func::CumSum, FULL, cumulative::sum),
    (Func::CumProd, FULL, cumulative::product),
    (Func::CumMin, FULL, |call| cumulative::extreme(call, false)),
    (Func::CumMax, FULL, |call| cumulative::extreme(call, true)),
    (Func::CumCount, FULL, cumulative::count),
    (Func::Shift, FULL, neighbours::shift),
    (Func::Diff, FULL, neighbours::diff),
    (Func::Rank, FULL, rank::rank),
    (Func::RollingSum, FULL, rolling::sum),
    (Func::RollingMean, FULL, rolling::mean),
    (Func::RollingStd, FULL, |call| rolling::spread(call, true)),
    (Func::RollingVar, FULL, |call| rolling::spread(call, false)),
    (Func::EwmMean, FULL, ewm::mean),
    (Func::IsDuplicated, FULL, |call| {
        distinct::is_unique(call, false)
    }),
    (Func::IsUnique, FULL, |call| distinct::is_unique(call, true)),
    (Func::IsFirstDistinct, FULL, |call| {
        distinct::is_end(call, false)
    }),
    (Func::IsLastDistinct, FULL, |call| {
        distinct::is_end(call, true)
    }),
    (Func::RowIndex, FULL, row_index),
];

pub(crate) use framed::window;
pub(crate) use neighbours::fill_null_strategy;

/// The receiver of a window function.
fn this(call: &Call<'_, '_>) -> Result<Value> {
    let (value, restriction) = call.lower.restricted(|| call.receiver())?;
    if restriction.filter.is_none() && restriction.reduce.is_none() {
        return Ok(value);
    }
    Err(Error::unsupported(format!(
        "`{}` after a function that changes the number of values is not available on backend DATAFUSION",
        shown(call.func())
    ))
    .with_hint("filter the rows in a step before"))
}

/// A window function of ours over a value. `run` gets the values of a partition in the order of the window, and gives one
/// for each.
fn along(
    call: &Call<'_, '_>,
    name: impl Into<String>,
    value: Value,
    output: DataType,
    run: impl Fn(&ArrayRef) -> Result<ArrayRef> + Send + Sync + 'static,
) -> Result<Value> {
    let function = partitioned(name, output.clone(), move |args, _| run(&args[0]));
    Ok(Value {
        expr: place(call, function, vec![value.expr])?,
        dtype: output,
    })
}

/// A window function of the engine over the rows of the scope.
fn place(call: &Call<'_, '_>, function: Arc<WindowUDF>, args: Vec<PlanExpr>) -> Result<PlanExpr> {
    let (partition_by, order_by) = match &call.lower.scope {
        Scope::Group => {
            return Err(Error::unsupported(format!(
                "`{}` within a group is not available on backend DATAFUSION",
                shown(call.func())
            ))
            .with_hint("compute it with `over(...)` in a step before"));
        }
        Scope::Rows => (Vec::new(), Vec::new()),
        Scope::Window {
            partition_by,
            order_by,
        } => (partition_by.clone(), order_by.clone()),
    };
    Ok(over_partitions(function, args, partition_by, order_by))
}

/// A window function of the engine that sees the whole of each partition.
fn over_partitions(
    function: Arc<WindowUDF>,
    args: Vec<PlanExpr>,
    partition_by: Vec<PlanExpr>,
    order_by: Vec<Sort>,
) -> PlanExpr {
    let mut window = WindowFunction::new(WindowFunctionDefinition::WindowUDF(function), args);
    window.params.partition_by = partition_by;
    window.params.order_by = order_by;
    window.params.window_frame = whole_partition();
    PlanExpr::WindowFunction(Box::new(window))
}

fn row_index(call: &Call<'_, '_>) -> Result<Value> {
    let number = Value {
        expr: place(call, row_number_udwf(), Vec::new())?,
        dtype: DataType::UInt64,
    };
    convert(number.map(|expr| expr - lit(1_u64)), &DataType::UInt32)
}
