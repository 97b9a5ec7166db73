//! The language from outside: what users write, and the values or errors it becomes. Named by the rules of the
//! specification of Laktory 0.13 where there is one.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cases;
mod expressions;
mod generate;
mod hostile;
mod print;
mod sql;
mod steps;
mod table;
mod user;

use std::time::{Duration, Instant};

use laktory_core::{
    Arg, DType, Expr, FrameName, Func, JoinHow, Keep, Op, Scalar, Selector, SortKey, UnionHow,
};
use laktory_syntax::{
    Api, ArgPlace, ColumnExprKind, FragmentError, MethodError, Segment, column_expr, columns,
    fuse_groups, is_aggregate, method, output_name, python_expression, reference, sql_expression,
    sql_projection, sql_statement,
};
use serde_json::{Map, Value as Json, json};

fn py(text: &str) -> Expr {
    let expr = python_expression(text, Api::Narwhals)
        .unwrap_or_else(|errors| panic!("{text}: {errors:?}"));
    print::check(&expr).unwrap_or_else(|why| panic!("{text}: {why}"));
    expr
}

fn py_error(text: &str) -> FragmentError {
    python_expression(text, Api::Narwhals)
        .map(|expr| panic!("{text}: {expr:?}"))
        .unwrap_err()
        .remove(0)
}

fn sql(text: &str) -> Expr {
    let expr = sql_expression(text).unwrap_or_else(|errors| panic!("{text}: {errors:?}"));
    print::check(&expr).unwrap_or_else(|why| panic!("{text}: {why}"));
    expr
}

fn sql_error(text: &str) -> FragmentError {
    sql_expression(text)
        .map(|expr| panic!("{text}: {expr:?}"))
        .unwrap_err()
        .remove(0)
}

fn step(name: &str, args: Json, kwargs: Json) -> Result<Vec<Op>, Vec<MethodError>> {
    let args = args.as_array().cloned().unwrap_or_default();
    let kwargs: Map<String, Json> = kwargs.as_object().cloned().unwrap_or_default();
    method(name, &args, &kwargs, Api::Narwhals)
}

fn ops(name: &str, args: Json, kwargs: Json) -> Vec<Op> {
    step(name, args, kwargs).unwrap_or_else(|errors| panic!("{name}: {errors:?}"))
}

fn native(name: &str, args: Json) -> Vec<Op> {
    let args = args.as_array().cloned().unwrap_or_default();
    method(name, &args, &Map::new(), Api::Native)
        .unwrap_or_else(|errors| panic!("{name}: {errors:?}"))
}

fn code(name: &str, args: Json, kwargs: Json) -> &'static str {
    step(name, args, kwargs).unwrap_err()[0].error.code
}

fn col(name: &str) -> Expr {
    Expr::column(name)
}

fn int(value: i64) -> Expr {
    Expr::literal(value)
}
