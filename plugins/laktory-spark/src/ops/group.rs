//! Steps that bring rows of one key together: `unique` and aggregations.

use std::time::SystemTime;

use laktory_core::{Error, ErrorKind, Expr, Field, Keep, Output, Result, SortKey, expand};
use spark_connect_proto as proto;

use super::{fields, known, length_changing, named, only_columns, select, sort_keys, unique_names};
use crate::dsl::{self, Ex, aggregate, alias, col, f, filter, int, not_null, project};
use crate::expr::{HELPER, Lw, Scope};
use crate::frame::Resolved;

pub(super) fn unique(
    input: &Resolved,
    subset: Option<&[String]>,
    keep: Keep,
    order_by: &[SortKey],
    started: SystemTime,
) -> Result<Resolved> {
    let names: Vec<String> = match subset {
        Some(subset) => subset.to_vec(),
        None => input
            .columns
            .iter()
            .map(|field| field.name.clone())
            .collect(),
    };
    known(&names, &input.columns)?;
    let keys: Vec<Ex> = names.iter().map(|name| col(name)).collect();
    let marker = format!("{HELPER}marker");
    let (relation, mark) = match keep {
        Keep::Any => {
            let relation = dsl::relation(proto::relation::RelType::Deduplicate(Box::new(
                proto::Deduplicate {
                    input: Some(Box::new(input.relation.clone())),
                    column_names: names,
                    all_columns_as_keys: None,
                    within_watermark: None,
                },
            )));
            return Ok(Resolved {
                relation,
                columns: input.columns.clone(),
                confirmed: input.confirmed,
            });
        }
        Keep::None => (
            input.relation.clone(),
            dsl::window(f("count", [int(1)]), &keys, &[], None),
        ),
        Keep::First | Keep::Last => {
            let mut by = order_by.to_vec();
            if keep == Keep::Last {
                for key in &mut by {
                    key.descending = !key.descending;
                    key.nulls_last = !key.nulls_last;
                }
            }
            let (relation, orders, _) = sort_keys(input, &by, started, None)?;
            (
                relation,
                dsl::window(f("row_number", []), &keys, &orders, None),
            )
        }
    };
    let marked = project(relation, vec![dsl::star(), alias(mark, &marker)]);
    let kept = filter(marked, f("==", [col(&marker), int(1)]));
    Ok(Resolved {
        relation: only_columns(kept, &input.columns, true),
        columns: input.columns.clone(),
        confirmed: input.confirmed,
    })
}

pub(super) fn grouped(
    input: &Resolved,
    keys: &[Expr],
    aggs: &[Expr],
    drop_null_keys: bool,
    started: SystemTime,
) -> Result<Resolved> {
    // A key that is given twice is one key.
    let mut once: Vec<Expr> = Vec::new();
    for key in keys {
        if !once.contains(key) {
            once.push(key.clone());
        }
    }
    let keys = expand(&once, &input.columns)?;
    // A selector does not choose the keys.
    let rest: Vec<Field> = input
        .columns
        .iter()
        .filter(|field| !keys.iter().any(|key| key.expr == Expr::column(&field.name)))
        .cloned()
        .collect();
    let mut chosen = Vec::new();
    for agg in aggs {
        let agg = std::slice::from_ref(agg);
        match expand(agg, &rest) {
            Err(error) if error.kind() == ErrorKind::ColumnNotFound => {
                chosen.extend(expand(agg, &input.columns)?);
            }
            outputs => chosen.extend(outputs?),
        }
    }
    let aggs = chosen;
    if keys.is_empty() {
        return select(input, &aggs, started);
    }
    let mut lw = Lw::new(&input.columns, Scope::Group, started);
    let mut values = Vec::new();
    for key in &keys {
        let value = lw.row(&key.expr)?;
        values.push(value);
    }
    lw.keys = values.iter().map(|value| value.e.clone()).collect();
    let key_count = values.len();
    for agg in &aggs {
        let value = lw.lower(&agg.expr)?;
        if value.only.is_some() || value.distinct {
            return Err(length_changing(&format!("`{}`", agg.name)));
        }
        if !value.agg && !value.constant {
            return Err(Error::new(
                ErrorKind::InvalidExpression,
                format!("`{}` is not aggregated", agg.name),
            )
            .with_hint("apply an aggregation such as `.sum()` or `.max()`"));
        }
        values.push(value);
    }
    let outputs: Vec<Output> = keys.into_iter().chain(aggs).collect();
    let columns = fields(&outputs, &values);
    unique_names(&columns)?;
    let mut relation = lw.staged(input.relation.clone());
    if drop_null_keys {
        let present = values[..key_count]
            .iter()
            .map(|value| not_null(value.e.clone()))
            .reduce(dsl::and);
        if let Some(present) = present {
            relation = filter(relation, present);
        }
    }
    let mut exprs = named(&outputs, &values);
    let results = exprs.split_off(key_count);
    Ok(Resolved {
        relation: aggregate(relation, exprs, results),
        columns,
        confirmed: false,
    })
}
