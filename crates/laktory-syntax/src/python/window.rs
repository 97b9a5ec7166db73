//! Spark's windows: `F.row_number().over(Window.partitionBy('g').orderBy(F.desc('t')))`. A window is a value of its own
//! until `over` joins it with what it frames; frames without a counterpart are refused.

use laktory_core::shape::shape;
use laktory_core::{Arg, Expr, Func, SortKey};

use super::bind::{Call, bind};
use super::bind::{required, rest};
use super::convert::{self, Text};
use super::fault::{At, Fault, Outcome, collect};
use super::value::{Item, Root, Value};
use crate::sql::{moving, running};

/// Names below `Window`.
const NAMES: &[&str] = &[
    "partitionBy",
    "orderBy",
    "rowsBetween",
    "unboundedPreceding",
    "unboundedFollowing",
    "currentRow",
];

/// Spark's count of rows for "without bound".
const UNBOUNDED: i64 = i64::MAX;

/// A window under construction.
#[derive(Clone, Debug, Default)]
pub(crate) struct Window {
    pub(crate) partition_by: Vec<Expr>,
    pub(crate) order_by: Vec<SortKey>,
    /// First and last row, relative to the current one.
    pub(crate) rows: Option<(i64, i64)>,
}

/// A function that has a value in a window only.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ranking {
    RowNumber,
    Rank,
    DenseRank,
}

/// Whether `path` can stand below `Window`.
pub(crate) fn known(path: &str, at: At) -> Result<(), Fault> {
    if NAMES.contains(&path) {
        return Ok(());
    }
    let fault = Fault::new(
        "unknown-name",
        format!("`Window.{path}` does not exist here"),
        at,
    );
    Err(fault.hint_if(crate::suggest::did_you_mean(path, NAMES.iter().copied())))
}

/// A value as sort key, ascending with nulls first unless it says otherwise, as Spark has it.
pub(crate) fn sort_key(item: Item) -> Outcome<SortKey> {
    match item.value {
        Value::Key(key) => Ok(key),
        _ => Ok(SortKey::ascending(convert::expr(item, Text::Column)?)),
    }
}

/// A method of a window, which `Window` itself begins.
pub(crate) fn method(mut window: Window, name: &str, call: Call) -> Outcome<Value> {
    let at = call.at;
    match name {
        "partitionBy" => {
            let mut bound = bind(call, &[rest("cols", false)], false)?;
            let items = bound.many(0).unwrap_or_default();
            window.partition_by = collect(
                items
                    .into_iter()
                    .map(|item| convert::expr(item, Text::Column)),
            )?;
        }
        "orderBy" => {
            let mut bound = bind(call, &[rest("cols", true)], false)?;
            let items = bound.many(0).unwrap_or_default();
            window.order_by = collect(items.into_iter().map(sort_key))?;
        }
        "rowsBetween" => {
            let mut bound = bind(call, &[required("start"), required("end")], false)?;
            let mut next = |index| bound_of(bound.one(index), at);
            window.rows = Some((next(0)?, next(1)?));
        }
        "rangeBetween" => {
            return Err(Fault::new(
                "not-implemented",
                "a window by values (`rangeBetween`) is not supported",
                at,
            )
            .hint("write `rowsBetween(...)`")
            .into());
        }
        _ => {
            let fault = Fault::new(
                "unknown-name",
                format!("a window has no method `{name}`"),
                at,
            );
            let methods = NAMES[..3].iter().copied();
            return Err(fault
                .hint_if(crate::suggest::did_you_mean(name, methods))
                .into());
        }
    }
    Ok(Value::Window(Box::new(window)))
}

fn bound_of(item: Option<Item>, at: At) -> Outcome<i64> {
    match item {
        Some(Item {
            value:
                Value::Api {
                    root: Root::Window,
                    path,
                },
            at,
            ..
        }) => match path.as_str() {
            "unboundedPreceding" => Ok(-UNBOUNDED),
            "unboundedFollowing" => Ok(UNBOUNDED),
            "currentRow" => Ok(0),
            _ => Err(Fault::invalid("not a bound of a window", at).into()),
        },
        Some(item) => convert::integer(&item, "start and end"),
        None => Err(Fault::invalid("a window has two bounds", at).into()),
    }
}

fn framed(expr: Expr, partition_by: Vec<Expr>, order_by: Vec<SortKey>) -> Expr {
    if partition_by.is_empty() && order_by.is_empty() {
        return expr;
    }
    Expr::Over {
        expr: Box::new(expr),
        partition_by,
        order_by,
    }
}

/// `F.row_number().over(window)` and the like.
pub(crate) fn rank(ranking: Ranking, call: Call) -> Outcome<Expr> {
    let at = call.at;
    let mut bound = bind(call, &[required("window")], false)?;
    let window = match bound.one(0).map(|item| item.value) {
        Some(Value::Window(window)) => *window,
        _ => return Err(Fault::invalid("`over()` of a ranking takes a `Window`", at).into()),
    };
    if window.order_by.is_empty() {
        return Err(Fault::new("order-required", "a ranking needs an order", at)
            .hint("add `.orderBy(...)` to the window")
            .into());
    }
    let method = match ranking {
        Ranking::RowNumber => {
            let index = Expr::call(Func::RowIndex, []);
            let index = framed(index, window.partition_by, window.order_by);
            return Ok(Expr::call(Func::Add, [index, Expr::literal(1_i64)]));
        }
        Ranking::Rank => "min",
        Ranking::DenseRank => "dense",
    };
    let [key] = window.order_by.as_slice() else {
        return Err(Fault::new("not-implemented", "a rank takes one order key", at).into());
    };
    let rank = Expr::Call {
        func: Func::Rank,
        args: vec![
            Arg::Expr(key.expr.clone()),
            Arg::Str(method.into()),
            Arg::Bool(key.descending),
        ],
    };
    Ok(framed(rank, window.partition_by, Vec::new()))
}

/// `expr.over(window)`: the frame says whether it is a total, a running value or a moving one.
pub(crate) fn over(expr: Expr, window: Window, at: At) -> Outcome<Expr> {
    let refused = |what: &str| {
        Fault::new(
            "not-implemented",
            format!("{what} has no counterpart"),
            at,
        )
        .hint("windows are whole partitions, `rowsBetween(Window.unboundedPreceding, Window.currentRow)`, or some rows up to the current one")
    };
    let is_total = !shape(&expr).unordered;
    let framed_expr = match window.rows {
        Some((start, end)) if start == -UNBOUNDED && end == UNBOUNDED => {
            let order_by = if is_total {
                Vec::new()
            } else {
                window.order_by
            };
            return Ok(framed(expr, window.partition_by, order_by));
        }
        None if window.order_by.is_empty() || !is_total => expr,
        None => return Err(refused("an aggregate over a running window by values").into()),
        Some((start, 0)) if start == -UNBOUNDED => {
            running(&expr).ok_or_else(|| refused("this running aggregate"))?
        }
        Some((start, 0)) if (-1_000_000..=0).contains(&start) => {
            moving(&expr, 1 - start).ok_or_else(|| refused("this moving aggregate"))?
        }
        Some(_) => return Err(refused("this window").into()),
    };
    Ok(framed(framed_expr, window.partition_by, window.order_by))
}
