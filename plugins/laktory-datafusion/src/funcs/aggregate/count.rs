//! Aggregates that count.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::arrow::array::{Array, Int64Array};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::functions_aggregate::bool_and_or::bool_or_udaf;
use datafusion::functions_aggregate::count::count_udaf;
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::{Expr as PlanExpr, lit, when};
use laktory_core::{Error, ErrorKind, Result};

use super::extreme::float_key;
use super::over::{Over, this};
use crate::error::ResultExt;
use crate::expr::Value;
use crate::funcs::Call;
use crate::funcs::cast::convert;
use crate::kernel::collect::Groups;
use crate::kernel::rows;
use crate::types::is_float;

/// What counts are.
const COUNT: DataType = DataType::Int64;

fn as_count(value: Value) -> Result<Value> {
    convert(value, &COUNT)
}

fn one() -> Value {
    Value::constant(ScalarValue::Int64(Some(1)))
}

/// The number of rows.
pub(super) fn rows(over: &Over<'_>) -> Result<Value> {
    as_count(over.call(count_udaf(), vec![one()], DataType::Int64))
}

/// The number of values, nulls included.
pub(super) fn len(call: &Call<'_, '_>) -> Result<Value> {
    let (_, over) = this(call)?;
    rows(&over)
}

/// The number of values that are not null.
pub(super) fn values(call: &Call<'_, '_>) -> Result<Value> {
    let (value, over) = this(call)?;
    as_count(over.call(count_udaf(), vec![value], DataType::Int64))
}

/// The number of nulls.
pub(super) fn nulls(call: &Call<'_, '_>) -> Result<Value> {
    let (value, over) = this(call)?;
    let null = when(value.expr.is_null(), lit(1_i64)).end().or_error()?;
    let null = Value {
        expr: null,
        dtype: DataType::Int64,
    };
    as_count(over.call(count_udaf(), vec![null], DataType::Int64))
}

/// The number of distinct values, of which null is one.
pub(super) fn distinct(call: &Call<'_, '_>) -> Result<Value> {
    let (value, over) = this(call)?;
    if over.reduce().is_some() || !over.is_group() || value.dtype.is_nested() {
        return Ok(collected(&over, value, true));
    }
    let null = over.call(
        bool_or_udaf(),
        vec![Value::boolean(value.expr.clone().is_null())],
        DataType::Boolean,
    );
    let null = when(null.expr, lit(1_i64))
        .otherwise(lit(0_i64))
        .or_error()?;
    let known = engine_distinct(&over, value)?;
    as_count(Value {
        expr: known + null,
        dtype: DataType::Int64,
    })
}

/// The number of distinct values that are not null.
pub(super) fn sql_distinct(call: &Call<'_, '_>) -> Result<Value> {
    let (value, over) = super::over::of(call, || call.value("x"))?;
    if !over.is_group() || value.dtype.is_nested() {
        return Ok(collected(&over, value, false));
    }
    as_count(Value {
        expr: engine_distinct(&over, value)?,
        dtype: DataType::Int64,
    })
}

/// The engine's own count of distinct values of a group; floats by a key in which all NaN and both zeros are one.
fn engine_distinct(over: &Over<'_>, value: Value) -> Result<PlanExpr> {
    let key = if is_float(&value.dtype) {
        float_key(value, false)?
    } else {
        value
    };
    match over.call(count_udaf(), vec![key], DataType::Int64).expr {
        PlanExpr::AggregateFunction(AggregateFunction { func, mut params }) => {
            params.distinct = true;
            Ok(PlanExpr::AggregateFunction(AggregateFunction {
                func,
                params,
            }))
        }
        _ => Err(Error::new(
            ErrorKind::Internal,
            "a group without aggregate function",
        )),
    }
}

/// Distinct values of windows, and of types for which the engine would compare value by value.
fn collected(over: &Over<'_>, value: Value, count_null: bool) -> Value {
    let name = if count_null {
        "n_unique"
    } else {
        "count_distinct"
    };
    over.collect(name, vec![value], COUNT, move |groups: &Groups| {
        let column = groups.column(0);
        let keys = rows::keys(std::slice::from_ref(column), false)?;
        let counts: Int64Array = groups
            .ranges()
            .map(|range| {
                let seen: HashSet<_> = range
                    .filter(|row| count_null || !column.is_null(*row))
                    .map(|row| keys.row(row))
                    .collect();
                i64::try_from(seen.len()).ok()
            })
            .collect();
        Ok(Arc::new(counts))
    })
}
