//! Steps that turn lists, columns and rows into one another, and steps that number rows.

use laktory_core::{Expr, Func, Op, PivotAgg, SortKey};

use super::build::{flag, given, keys, name, optional_names, order, text};
use crate::python::bind::Bound;
use crate::python::convert;
use crate::python::fault::{At, Fault, Outcome, collect};

pub(super) fn explode(mut bound: Bound) -> Outcome<Vec<Op>> {
    let items = bound.many(0).unwrap_or_default();
    let columns = collect(items.into_iter().map(|item| name(item, "explode")))?;
    Ok(vec![Op::Explode {
        columns,
        empty_as_null: flag(bound.one(1), "empty_as_null", true)?,
        keep_nulls: flag(bound.one(2), "keep_nulls", true)?,
    }])
}

pub(super) fn unpivot(mut bound: Bound) -> Outcome<Vec<Op>> {
    let at = bound.at;
    let (of_variable, of_value) = (bound.place(2), bound.place(3));
    let on = optional_names(bound.one(0), "on")?;
    let index = optional_names(bound.one(1), "index")?.unwrap_or_default();
    let variable_name = text(bound.one(2), "variable_name", "variable")?;
    let value_name = text(bound.one(3), "value_name", "value")?;
    if variable_name == value_name || index.contains(&variable_name) || index.contains(&value_name)
    {
        let message = "`variable_name`, `value_name` and the columns of `index` share a name";
        let named = match index.contains(&variable_name) {
            true => of_variable,
            false => of_value.or(of_variable),
        };
        let at = named.unwrap_or(at);
        return Err(Fault::new("duplicate-column", message, at).into());
    }
    Ok(vec![Op::Unpivot {
        on,
        index,
        variable_name,
        value_name,
    }])
}

pub(super) fn pivot(mut bound: Bound) -> Outcome<Vec<Op>> {
    let at = bound.at;
    let on = optional_names(bound.one(0), "on")?.unwrap_or_default();
    if on.is_empty() {
        return Err(Fault::invalid("`pivot` needs `on`", at).into());
    }
    let index = optional_names(bound.one(1), "index")?;
    let values = optional_names(bound.one(2), "values")?;
    let known = [
        "min", "max", "first", "last", "sum", "mean", "median", "len",
    ];
    let aggregate = match given(bound.one(3)) {
        None => None,
        Some(item) => Some(
            match convert::one_of(item, "aggregate_function", &known)?.as_str() {
                "min" => PivotAgg::Min,
                "max" => PivotAgg::Max,
                "first" => PivotAgg::First,
                "last" => PivotAgg::Last,
                "sum" => PivotAgg::Sum,
                "mean" => PivotAgg::Mean,
                "median" => PivotAgg::Median,
                _ => PivotAgg::Len,
            },
        ),
    };
    if let Some(item) = given(bound.one(4)) {
        convert::boolean(&item, "maintain_order")?;
    }
    let sort_columns = flag(bound.one(5), "sort_columns", false)?;
    let separator = text(bound.one(6), "separator", "_")?;
    if index.is_none() && values.is_none() {
        let message = "`pivot` needs `index` or `values`";
        return Err(Fault::invalid(message, at).into());
    }
    Ok(vec![Op::Pivot {
        on,
        index,
        values,
        aggregate,
        sort_columns,
        separator,
    }])
}

pub(super) fn with_row_index(mut bound: Bound) -> Outcome<Vec<Op>> {
    let at = bound.at;
    let name = text(bound.one(0), "name", "index")?;
    let order_by = order(bound.one(1))?;
    if order_by.is_empty() && !bound.is_ordered {
        return Err(index_order(at).into());
    }
    let same = |key: &SortKey| matches!(&key.expr, Expr::Column(column) if *column == name);
    if order_by.iter().any(same) {
        let message = format!("the frame has a column `{name}` already");
        return Err(Fault::new("duplicate-column", message, at).into());
    }
    Ok(vec![Op::WithRowIndex {
        name,
        order_by,
        partition_by: Vec::new(),
    }])
}

fn index_order(at: At) -> Fault {
    Fault::new("order-required", "a row index needs `order_by`", at)
        .hint("rows have no order of their own; name the columns that order them")
}

/// The position of a row within its partition, from 0.
fn row_index(partition_by: Vec<Expr>, order_by: Vec<SortKey>) -> Expr {
    Expr::Over {
        expr: Box::new(Expr::call(Func::RowIndex, [])),
        partition_by,
        order_by,
    }
}

pub(super) fn laktory_row_index(mut bound: Bound) -> Outcome<Vec<Op>> {
    let at = bound.at;
    let name = text(bound.one(0), "name", "index")?;
    let order_by = order(bound.one(1))?;
    let partition_by = keys(given(bound.one(2)).into_iter().collect())?;
    if order_by.is_empty() {
        return Err(index_order(at).into());
    }
    Ok(vec![Op::WithColumns {
        exprs: vec![row_index(partition_by, order_by).alias(name)],
    }])
}

pub(super) fn window_filter(mut bound: Bound) -> Outcome<Vec<Op>> {
    let at = bound.at;
    let partition_by = keys(given(bound.one(0)).into_iter().collect())?;
    let order_by = order(bound.one(1))?;
    let drop_row_index = flag(bound.one(2), "drop_row_index", true)?;
    let name = text(bound.one(3), "row_index_name", "_row_index")?;
    let rows = match given(bound.one(4)) {
        None => 1,
        Some(item) => match convert::integer(&item, "rows_to_keep")? {
            rows if rows < 1 => {
                let message = format!("`rows_to_keep` is at least 1, not {rows}");
                return Err(Fault::invalid(message, item.at).into());
            }
            rows => rows,
        },
    };
    if order_by.is_empty() {
        return Err(Fault::new(
            "order-required",
            "`laktory.window_filter` needs `order_by`",
            at,
        )
        .hint("the rows to keep are the first ones in this order")
        .into());
    }
    let index = row_index(partition_by, order_by);
    let below = |index| Expr::call(Func::Lt, [index, Expr::literal(rows)]);
    if drop_row_index {
        return Ok(vec![Op::Filter {
            predicate: below(index),
        }]);
    }
    Ok(vec![
        Op::WithColumns {
            exprs: vec![index.alias(name.clone())],
        },
        Op::Filter {
            predicate: below(Expr::Column(name)),
        },
    ])
}
