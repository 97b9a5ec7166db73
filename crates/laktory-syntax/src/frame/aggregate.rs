//! Steps that group and aggregate.

use laktory_core::{Expr, Op};

use super::build::{Checked, at_argument, distinct, exprs, flag, given, keys};
use crate::check;
use crate::python::bind::Bound;
use crate::python::convert::{self, Text};
use crate::python::fault::{At, Fault, Faults, Outcome, collect};
use crate::python::methods::list;
use crate::python::value::{Item, Value};

pub(super) fn group_by(mut bound: Bound) -> Outcome<Vec<Op>> {
    let keys = keys(bound.many(0).unwrap_or_default())?;
    let drop_null_keys = flag(bound.one(1), "drop_null_keys", false)?;
    Ok(vec![Op::GroupBy {
        keys,
        drop_null_keys,
    }])
}

/// Aggregates, one value for each group, whether or not rows have an order.
fn aggregates(items: Vec<Item>, bound: Bound) -> Outcome<Vec<Checked>> {
    let aggs = exprs(items, bound.extra, bound.is_ordered, check::aggregate)?;
    for (expr, at) in &aggs {
        check::one_value(expr).map_err(|error| at_argument(error, *at))?;
    }
    Ok(aggs)
}

pub(super) fn agg(mut bound: Bound) -> Outcome<Vec<Op>> {
    let items = bound.many(0).unwrap_or_default();
    let aggs = distinct(aggregates(items, bound)?)?;
    Ok(vec![Op::Agg { aggs }])
}

pub(super) fn group_by_agg(mut bound: Bound) -> Outcome<Vec<Op>> {
    let items = bound.many(0).unwrap_or_default();
    let keys = keys(given(bound.one(1)).into_iter().collect())?;
    let drop_null_keys = flag(bound.one(2), "drop_null_keys", false)?;
    let aggs = aggregates(items, bound)?;
    aggregate(keys, aggs, drop_null_keys)
}

fn aggregate(keys: Vec<Expr>, aggs: Vec<Checked>, drop_null_keys: bool) -> Outcome<Vec<Op>> {
    let all = keys.iter().chain(aggs.iter().map(|(expr, _)| expr));
    if let Err((index, error)) = check::unique_names(all) {
        let at = index
            .checked_sub(keys.len())
            .and_then(|index| aggs.get(index))
            .map(|(_, at)| *at)
            .unwrap_or_default();
        return Err(at_argument(error, at));
    }
    Ok(vec![Op::Aggregate {
        keys,
        aggs: aggs.into_iter().map(|(expr, _)| expr).collect(),
        drop_null_keys,
    }])
}

pub(super) fn groupby_and_agg(mut bound: Bound) -> Outcome<Vec<Op>> {
    let at = bound.at;
    let keys = keys(given(bound.one(0)).into_iter().collect())?;
    let Some(item) = given(bound.one(1)) else {
        let message = "`laktory.groupby_and_agg` needs `agg_expressions`";
        return Err(Fault::invalid(message, at).into());
    };
    let aggs = collect(list(item).into_iter().map(|item| {
        let at = item.at;
        let expr = column_expression(item)?;
        check::aggregate(&expr).map_err(|error| at_argument(error, at))?;
        Ok((expr, at))
    }))?;
    aggregate(keys, aggs, false)
}

/// A column expression: a text, or `{expr: ..., type: SQL | DF}`.
fn column_expression(item: Item) -> Outcome<Expr> {
    let at = item.at;
    let parse = |text: &str, kind: Option<crate::ColumnExprKind>, at: At| {
        crate::expression::named_column_expr(text, kind).map_err(|errors| {
            Faults(
                errors
                    .into_iter()
                    .map(|error| Fault {
                        text: at.text,
                        error,
                    })
                    .collect(),
            )
        })
    };
    match item.value {
        Value::Str(text) => parse(&text, None, at),
        Value::Dict(entries) => {
            let mut text = None;
            let mut kind = None;
            for (key, value) in entries {
                match (key.value, value.value) {
                    (Value::Str(key), Value::Str(expr)) if key == "expr" => {
                        text = Some((expr, value.at));
                    }
                    (Value::Str(key), Value::Str(name)) if key == "type" => {
                        kind = Some(match name.as_str() {
                            "SQL" => crate::ColumnExprKind::Sql,
                            "DF" => crate::ColumnExprKind::Df,
                            _ => {
                                let message = format!("`type` cannot be `{name}`");
                                return Err(Fault::invalid(message, value.at)
                                    .hint("one of `SQL`, `DF`")
                                    .into());
                            }
                        });
                    }
                    (Value::Str(key), Value::None) if key == "type" => {}
                    // Keys of a dumped column expression that change nothing here.
                    (Value::Str(key), _)
                        if matches!(
                            key.as_str(),
                            "dataframe_backend" | "dataframe_api" | "variables"
                        ) => {}
                    (key, _) => {
                        let key = match key {
                            Value::Str(key) => format!("`{key}`"),
                            other => other.kind().to_owned(),
                        };
                        let message = format!("a column expression has no key {key}");
                        return Err(Fault::invalid(message, value.at)
                            .hint("known here: `expr`, `type`")
                            .into());
                    }
                }
            }
            match text {
                Some((text, at)) => parse(&text, kind, at),
                None => Err(Fault::invalid("a column expression needs `expr`", at).into()),
            }
        }
        value => convert::expr(Item::new(value, at), Text::Column),
    }
}
