//! Steps as relations. Each gives the columns of its result too, so that the next one can be lowered without the server.

mod combine;
mod group;
mod pivot;
mod reshape;

use std::time::SystemTime;

use laktory_core::{
    DType, Error, ErrorKind, Expr, Field, Op, OpKind, Output, Result, SortKey, Support, expand,
    expand_predicate, no_column, shape,
};
use spark_connect_proto as proto;

use crate::dsl::{
    self, Ex, aggregate, alias, col, f, filter, is_null, limit, not_null, project, sort,
};
use crate::expr::{HELPER, Lw, Scope, Val, is_length_changing};
use crate::frame::Resolved;

pub(crate) use combine::below;
use group::{grouped, unique};
pub(crate) use pivot::pivot;

/// The steps that the driver has.
pub(crate) const KINDS: &[(OpKind, Support)] = &[
    (OpKind::Select, Support::Full),
    (OpKind::WithColumns, Support::Full),
    (OpKind::Filter, Support::Full),
    (OpKind::Drop, Support::Full),
    (OpKind::Rename, Support::Full),
    (OpKind::Cast, Support::Full),
    (OpKind::Sort, Support::Full),
    (OpKind::Unique, Support::Full),
    (OpKind::DropNulls, Support::Full),
    (OpKind::Head, Support::Full),
    (
        OpKind::Tail,
        Support::Partial {
            note: "needs a sort of the whole frame by position",
        },
    ),
    (OpKind::TopK, Support::Full),
    (OpKind::GatherEvery, Support::Full),
    (
        OpKind::Sample,
        Support::Partial {
            note: "without replacement",
        },
    ),
    (OpKind::Aggregate, Support::Full),
    (OpKind::Join, Support::Full),
    (OpKind::JoinAsof, Support::Full),
    (OpKind::Union, Support::Full),
    (OpKind::WithRowIndex, Support::Full),
    (OpKind::Explode, Support::Full),
    (OpKind::Unpivot, Support::Full),
    (
        OpKind::Pivot,
        Support::Partial {
            note: "the distinct values of `on` are computed when the schema is resolved",
        },
    ),
    (OpKind::NullCount, Support::Full),
    (
        OpKind::Sql,
        Support::Partial {
            note: "the SQL of the cluster, in ANSI mode",
        },
    ),
];

/// Whether the driver has a step, before its columns are known.
///
/// # Errors
/// `Unsupported`, `InvalidArgument`.
pub(crate) fn check(op: &Op) -> Result<()> {
    let known = KINDS.iter().any(|(kind, _)| *kind == op.kind());
    match op {
        Op::GroupBy { .. } | Op::Agg { .. } => Err(Error::internal("half of an aggregation")),
        Op::Sample {
            with_replacement: true,
            ..
        } => Err(Error::unsupported(
            "`sample` with replacement is not available on backend PYSPARK",
        )),
        Op::TopK { by, .. } if by.is_empty() => Err(invalid(op, "`by` is needed")),
        Op::GatherEvery { n: 0, .. } => Err(invalid(op, "`n` is at least 1")),
        _ if known => Ok(()),
        _ => Err(Error::unsupported(format!(
            "`{}` is not available on backend PYSPARK",
            op.kind().name()
        ))),
    }
}

fn invalid(op: &Op, why: &str) -> Error {
    Error::new(
        ErrorKind::InvalidArgument,
        format!("`{}`: {why}", op.kind().name()),
    )
}

/// The relation after a step.
///
/// # Errors
/// `ColumnNotFound`, `DuplicateColumn`, `TypeMismatch`, `SchemaMismatch`, `InvalidArgument`, `Unsupported`.
pub(crate) fn lower(
    op: &Op,
    input: &Resolved,
    others: &[std::sync::Arc<Resolved>],
    started: SystemTime,
) -> Result<Resolved> {
    let columns = input.columns.as_slice();
    let relation = || input.relation.clone();
    let row = || Lw::new(columns, Scope::Row, started);
    let same = |relation: proto::Relation| {
        Ok(Resolved {
            relation,
            columns: input.columns.clone(),
            confirmed: input.confirmed,
        })
    };
    match op {
        Op::Select { exprs } => select(input, &expand(exprs, columns)?, started),
        Op::WithColumns { exprs } => with_columns(input, expand(exprs, columns)?, started),
        Op::Filter { predicate } => {
            let predicate = expand_predicate(predicate, columns)?;
            if shape::shape(&predicate).is_scalar() {
                return Err(Error::new(
                    ErrorKind::InvalidExpression,
                    "a predicate gives one value for each row, not one for all of them",
                ));
            }
            let mut lw = row();
            let value = lw.lower(&predicate)?;
            if value.only.is_some() || value.distinct {
                return Err(length_changing("the predicate"));
            }
            if !matches!(value.t, DType::Boolean | DType::Null | DType::Unknown) {
                return Err(Error::new(
                    ErrorKind::TypeMismatch,
                    format!(
                        "filter predicate must be of type `Boolean`, got `{}`",
                        value.t
                    ),
                ));
            }
            let value = lw.flat(value)?;
            let value = lw.cast(&value, &DType::Boolean, true)?;
            let kept = filter(lw.staged(relation()), value.e);
            same(only_columns(kept, columns, value.depth > 0))
        }
        Op::Drop {
            columns: names,
            strict,
        } => {
            if *strict {
                known(names, columns)?;
            }
            let left: Vec<Field> = columns
                .iter()
                .filter(|field| !names.contains(&field.name))
                .cloned()
                .collect();
            Ok(Resolved {
                relation: cut(
                    project(
                        relation(),
                        left.iter().map(|field| col(&field.name)).collect(),
                    ),
                    left.is_empty(),
                ),
                columns: left,
                confirmed: input.confirmed,
            })
        }
        Op::Rename { mapping } => {
            let old: Vec<String> = mapping.iter().map(|(old, _)| old.clone()).collect();
            known(&old, columns)?;
            let renamed: Vec<Field> = columns
                .iter()
                .map(|field| {
                    let new = mapping.iter().find(|(old, _)| *old == field.name);
                    let name = new.map_or(&field.name, |(_, new)| new);
                    Field::new(name.clone(), field.dtype.clone())
                })
                .collect();
            unique_names(&renamed)?;
            let exprs = columns
                .iter()
                .zip(&renamed)
                .map(|(old, new)| alias(col(&old.name), &new.name))
                .collect();
            Ok(Resolved {
                relation: project(relation(), exprs),
                columns: renamed,
                confirmed: input.confirmed,
            })
        }
        Op::Cast { columns: casts } => {
            let exprs = casts
                .iter()
                .map(|(name, to)| {
                    let cast = Expr::Cast {
                        expr: Box::new(Expr::column(name)),
                        to: to.clone(),
                        strict: true,
                    };
                    Output::new(name.as_str(), cast)
                })
                .collect();
            with_columns(input, exprs, started)
        }
        Op::Sort { by } => {
            let (relation, orders, helped) = sort_keys(input, by, started, None)?;
            same(only_columns(sort(relation, orders), columns, helped))
        }
        Op::TopK { k, by } => {
            let (relation, orders, helped) = sort_keys(input, by, started, Some(true))?;
            let sorted = limit(sort(relation, orders), *k);
            same(only_columns(sorted, columns, helped))
        }
        Op::Unique {
            subset,
            keep,
            order_by,
        } => unique(input, subset.as_deref(), *keep, order_by, started),
        Op::DropNulls { subset } => {
            let names: Vec<String> = match subset {
                Some(subset) => subset.clone(),
                None => columns.iter().map(|field| field.name.clone()).collect(),
            };
            known(&names, columns)?;
            match names
                .iter()
                .map(|name| not_null(col(name)))
                .reduce(dsl::and)
            {
                Some(present) => same(filter(relation(), present)),
                None => same(relation()),
            }
        }
        Op::Head { n } => same(limit(relation(), *n)),
        Op::Tail { n } => {
            let position = format!("{HELPER}position");
            let numbered = reshape::numbered(relation(), &position);
            let last = limit(
                sort(numbered, vec![dsl::order(col(&position), true, true)]),
                *n,
            );
            let back = sort(last, vec![dsl::order(col(&position), false, true)]);
            same(only_columns(back, columns, true))
        }
        Op::GatherEvery { n, offset } => same(reshape::gather_every(input, *n, *offset)),
        Op::Sample {
            n, fraction, seed, ..
        } => same(reshape::sample(input, *n, *fraction, *seed)?),
        Op::Aggregate {
            keys,
            aggs,
            drop_null_keys,
        } => grouped(input, keys, aggs, *drop_null_keys, started),
        Op::Join {
            how,
            left_on,
            right_on,
            suffix,
            nulls_equal,
            ..
        } => {
            let keys = (left_on.as_slice(), right_on.as_slice());
            combine::join(input, other(others)?, *how, keys, *nulls_equal, suffix)
        }
        Op::JoinAsof {
            left_on,
            right_on,
            by_left,
            by_right,
            strategy,
            suffix,
            ..
        } => combine::join_asof(
            input,
            other(others)?,
            (left_on, right_on),
            (by_left, by_right),
            *strategy,
            suffix,
        ),
        Op::Union { how, .. } => combine::union(input, others, *how),
        Op::WithRowIndex {
            name,
            order_by,
            partition_by,
        } => reshape::row_index(input, name, order_by, partition_by, started),
        Op::Explode {
            columns: names,
            empty_as_null,
            keep_nulls,
        } => reshape::explode(input, names, *empty_as_null, *keep_nulls),
        Op::Unpivot {
            on,
            index,
            variable_name,
            value_name,
        } => reshape::unpivot(
            input,
            on.as_deref(),
            index,
            variable_name,
            value_name,
            started,
        ),
        Op::NullCount => {
            let counts = columns
                .iter()
                .map(|field| alias(f("count_if", [is_null(col(&field.name))]), &field.name))
                .collect();
            Ok(Resolved {
                relation: aggregate(relation(), Vec::new(), counts),
                columns: columns
                    .iter()
                    .map(|field| Field::new(field.name.as_str(), DType::Int64))
                    .collect(),
                confirmed: input.confirmed,
            })
        }
        other => Err(Error::unsupported(format!(
            "`{}` is not available on backend PYSPARK",
            other.kind().name()
        ))),
    }
}

fn other(others: &[std::sync::Arc<Resolved>]) -> Result<&Resolved> {
    others
        .first()
        .map(std::sync::Arc::as_ref)
        .ok_or_else(|| Error::internal("a join without other frame"))
}

fn length_changing(what: &str) -> Error {
    Error::new(
        ErrorKind::LengthChanging,
        format!("{what} changes the number of rows"),
    )
    .with_hint("aggregate it")
}

/// Checks that all names are columns.
pub(crate) fn known(names: &[String], columns: &[Field]) -> Result<()> {
    match names
        .iter()
        .find(|name| !columns.iter().any(|field| field.name == **name))
    {
        Some(name) => Err(no_column(name, columns)),
        None => Ok(()),
    }
}

/// Checks that no name occurs twice.
pub(crate) fn unique_names(columns: &[Field]) -> Result<()> {
    let mut seen = std::collections::BTreeSet::new();
    match columns
        .iter()
        .find(|field| !seen.insert(field.name.as_str()))
    {
        Some(field) => Err(Error::new(
            ErrorKind::DuplicateColumn,
            format!("two columns would be called `{}`", field.name),
        )),
        None => Ok(()),
    }
}

/// The relation without helper columns.
pub(crate) fn only_columns(
    relation: proto::Relation,
    columns: &[Field],
    helped: bool,
) -> proto::Relation {
    if helped {
        project(
            relation,
            columns.iter().map(|field| col(&field.name)).collect(),
        )
    } else {
        relation
    }
}

/// Values under their names; a column under its own name needs no alias.
fn named(outputs: &[Output], values: &[Val]) -> Vec<Ex> {
    outputs
        .iter()
        .zip(values)
        .map(|(output, value)| alias(value.e.clone(), &output.name))
        .collect()
}

fn fields(outputs: &[Output], values: &[Val]) -> Vec<Field> {
    outputs
        .iter()
        .zip(values)
        .map(|(output, value)| Field::new(output.name.as_str(), value.t.clone()))
        .collect()
}

/// A frame without columns has no rows.
fn cut(relation: proto::Relation, empty: bool) -> proto::Relation {
    if empty { limit(relation, 0) } else { relation }
}

fn check_lengths(outputs: &[Output], values: &[Val]) -> Result<()> {
    for (output, value) in outputs.iter().zip(values) {
        if value.only.is_some() || value.distinct {
            return Err(length_changing(&format!("`{}`", output.name)));
        }
    }
    Ok(())
}

fn select(input: &Resolved, outputs: &[Output], started: SystemTime) -> Result<Resolved> {
    let scalar = !outputs.is_empty()
        && outputs
            .iter()
            .all(|output| shape::shape(&output.expr).is_scalar());
    let scope = if scalar { Scope::Group } else { Scope::Row };
    if let Some(output) = outputs
        .iter()
        .find(|output| is_length_changing(&output.expr))
    {
        return Err(length_changing(&format!("`{}`", output.name)));
    }
    let mut lw = Lw::new(&input.columns, scope, started);
    let values = lw.lower_all(outputs.iter().map(|output| &output.expr))?;
    check_lengths(outputs, &values)?;
    let relation = lw.staged(input.relation.clone());
    Ok(Resolved {
        relation: if scalar {
            aggregate(relation, Vec::new(), named(outputs, &values))
        } else {
            cut(
                project(relation, named(outputs, &values)),
                outputs.is_empty(),
            )
        },
        columns: fields(outputs, &values),
        confirmed: false,
    })
}

fn with_columns(input: &Resolved, outputs: Vec<Output>, started: SystemTime) -> Result<Resolved> {
    for output in &outputs {
        if is_length_changing(&output.expr) {
            return Err(length_changing(&format!("`{}`", output.name)));
        }
    }
    let mut lw = Lw::new(&input.columns, Scope::Row, started);
    let values = lw.lower_all(outputs.iter().map(|output| &output.expr))?;
    check_lengths(&outputs, &values)?;
    let mut columns = input.columns.clone();
    let mut exprs: Vec<Ex> = columns.iter().map(|field| col(&field.name)).collect();
    for (output, value) in outputs.iter().zip(&values) {
        let field = Field::new(output.name.as_str(), value.t.clone());
        let e = alias(value.e.clone(), &output.name);
        match columns.iter().position(|known| known.name == output.name) {
            Some(at) => {
                columns[at] = field;
                exprs[at] = e;
            }
            None => {
                columns.push(field);
                exprs.push(e);
            }
        }
    }
    Ok(Resolved {
        relation: project(lw.staged(input.relation.clone()), exprs),
        columns,
        confirmed: false,
    })
}

/// The input with what its sort keys need, the keys, and whether there are helper columns.
pub(crate) fn sort_keys(
    input: &Resolved,
    by: &[SortKey],
    started: SystemTime,
    nulls_last: Option<bool>,
) -> Result<(proto::Relation, Vec<proto::expression::SortOrder>, bool)> {
    let mut lw = Lw::new(&input.columns, Scope::Row, started);
    let mut orders = Vec::new();
    for key in by {
        for output in expand(std::slice::from_ref(&key.expr), &input.columns)? {
            let value = lw.row(&output.expr)?;
            orders.push(dsl::order(
                value.e,
                key.descending,
                nulls_last.unwrap_or(key.nulls_last),
            ));
        }
    }
    let staged = lw.staged(input.relation.clone());
    let helped = staged != input.relation;
    Ok((staged, orders, helped))
}
