//! The columns that a step leaves, and the step to carry out once their types are known.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::dtype::{DType, Field};
use crate::error::{Error, ErrorKind, Result, Subject};
use crate::expand::{Output, expand, expand_aggregates, expand_predicate, no_column};
use crate::expr::{Arg, Expr, SortKey};
use crate::frame::FrameName;
use crate::functions::Func;
use crate::op::{JoinHow, Op, UnionHow};

use super::common::{is_text, is_time_and_number};
use super::settle::{keys as settle_keys, settle, truth};
use super::{Typed, cast, common_type, supertype};

/// What a step is over columns.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct After {
    /// The columns that it leaves; none where only the engine, or the rows, can tell.
    pub columns: Option<Vec<Field>>,
    /// The step to carry out, where the types ask for another than is written.
    pub op: Option<Op>,
}

impl After {
    fn leaves(columns: Vec<Field>) -> Self {
        Self {
            columns: Some(columns),
            op: None,
        }
    }

    fn carried_out_as(mut self, op: Option<Op>) -> Self {
        self.op = op;
        self
    }
}

/// What a step is over the columns before it, and those of the other frames that it names.
///
/// # Errors
/// `ColumnNotFound`, `DuplicateColumn`, `TypeMismatch`, `UnsupportedCast`, `FieldNotFound`, `SchemaMismatch`,
/// `UnknownFrame`.
pub fn after(
    op: &Op,
    input: &[Field],
    others: &BTreeMap<FrameName, Arc<[Field]>>,
) -> Result<After> {
    let other = |name: &FrameName| {
        others.get(name).ok_or_else(|| {
            Error::new(
                ErrorKind::UnknownFrame,
                format!("no frame is called `{name}`"),
            )
        })
    };
    Ok(match op {
        Op::Select { exprs } => {
            let selected = outputs(expand(exprs, input)?, input)?;
            let op = selected.exprs.map(|exprs| Op::Select { exprs });
            After::leaves(selected.fields).carried_out_as(op)
        }
        Op::WithColumns { exprs } => {
            let added = outputs(expand(exprs, input)?, input)?;
            let mut fields = input.to_vec();
            for field in added.fields {
                put(&mut fields, field);
            }
            let op = added.exprs.map(|exprs| Op::WithColumns { exprs });
            After::leaves(fields).carried_out_as(op)
        }
        Op::Filter { predicate } => {
            let predicate = expand_predicate(predicate, input)?;
            let settled = truth(&predicate, input)?.map_err(|dtype| {
                Error::new(
                    ErrorKind::TypeMismatch,
                    format!("a predicate is a boolean, not {dtype}"),
                )
            })?;
            bounded(settled.expr.as_ref())?;
            let op = settled.expr.map(|predicate| Op::Filter { predicate });
            After::leaves(input.to_vec()).carried_out_as(op)
        }
        Op::Sort { by } => {
            let op = sort_keys(by, input)?.map(|by| Op::Sort { by });
            After::leaves(input.to_vec()).carried_out_as(op)
        }
        Op::TopK { k, by } => {
            let op = sort_keys(by, input)?.map(|by| Op::TopK { k: *k, by });
            After::leaves(input.to_vec()).carried_out_as(op)
        }
        Op::Aggregate {
            keys,
            aggs,
            drop_null_keys,
        } => {
            let (grouped, summed) = aggregated(keys, aggs, input)?;
            let changed = grouped.exprs.is_some() || summed.exprs.is_some();
            let op = changed.then(|| Op::Aggregate {
                keys: grouped.exprs.unwrap_or_else(|| keys.clone()),
                aggs: summed.exprs.unwrap_or_else(|| aggs.clone()),
                drop_null_keys: *drop_null_keys,
            });
            let mut fields = grouped.fields;
            fields.extend(summed.fields);
            After::leaves(unique(fields)?).carried_out_as(op)
        }
        Op::WithRowIndex {
            name,
            order_by,
            partition_by,
        } => {
            let order = sort_keys(order_by, input)?;
            let parts = outputs(expand(partition_by, input)?, input)?.exprs;
            let changed = order.is_some() || parts.is_some();
            let op = changed.then(|| Op::WithRowIndex {
                name: name.clone(),
                order_by: order.unwrap_or_else(|| order_by.clone()),
                partition_by: parts.unwrap_or_else(|| partition_by.clone()),
            });
            let mut fields = vec![Field::new(name.as_str(), DType::Int64)];
            fields.extend_from_slice(input);
            After::leaves(unique(fields)?).carried_out_as(op)
        }
        Op::Unique {
            subset,
            keep,
            order_by,
        } => {
            known(subset.as_deref().unwrap_or_default(), input)?;
            let op = sort_keys(order_by, input)?.map(|order_by| Op::Unique {
                subset: subset.clone(),
                keep: *keep,
                order_by,
            });
            After::leaves(input.to_vec()).carried_out_as(op)
        }
        Op::Pivot {
            on, index, values, ..
        } => {
            known(on, input)?;
            known(index.as_deref().unwrap_or_default(), input)?;
            known(values.as_deref().unwrap_or_default(), input)?;
            After::default()
        }
        Op::Native { .. } | Op::GroupBy { .. } | Op::Agg { .. } => After::default(),
        other_op => After::leaves(plain(other_op, input, &other)?),
    })
}

/// The columns after a step without expressions.
fn plain<'f>(
    op: &Op,
    input: &[Field],
    other: &dyn Fn(&FrameName) -> Result<&'f Arc<[Field]>>,
) -> Result<Vec<Field>> {
    Ok(match op {
        Op::Drop { columns, strict } => {
            if *strict {
                known(columns, input)?;
            }
            let left = input.iter().filter(|field| !columns.contains(&field.name));
            left.cloned().collect()
        }
        Op::Rename { mapping } => {
            for (old, _) in mapping {
                find(old, input)?;
            }
            let renamed = input.iter().map(|field| {
                let mut names = mapping.iter();
                match names.find(|(old, _)| *old == field.name) {
                    Some((_, new)) => Field::new(new.as_str(), field.dtype.clone()),
                    None => field.clone(),
                }
            });
            unique(renamed.collect())?
        }
        Op::Cast { columns } => {
            let mut fields = input.to_vec();
            for (name, dtype) in columns {
                cast::castable(&find(name, input)?.dtype, dtype)
                    .map_err(|error| error.with_subject(Subject::Name(name.clone())))?;
                if *dtype != DType::Unknown {
                    put(&mut fields, Field::new(name.as_str(), dtype.clone()));
                }
            }
            fields
        }
        Op::DropNulls { subset } => {
            known(subset.as_deref().unwrap_or_default(), input)?;
            input.to_vec()
        }
        Op::Head { .. } | Op::Tail { .. } | Op::GatherEvery { .. } | Op::Sample { .. } => {
            input.to_vec()
        }
        Op::Join {
            right,
            how,
            left_on,
            right_on,
            suffix,
            ..
        } => {
            let right = other(right)?;
            equal_keys((left_on, input), (right_on, right))?;
            match how {
                JoinHow::Semi | JoinHow::Anti => input.to_vec(),
                JoinHow::Inner | JoinHow::Left => beside(input, right, right_on, suffix)?,
                JoinHow::Full | JoinHow::Cross => beside(input, right, &[], suffix)?,
            }
        }
        Op::JoinAsof {
            right,
            left_on,
            right_on,
            by_left,
            by_right,
            suffix,
            ..
        } => {
            let right = other(right)?;
            let (on_left, on_right) = ([left_on.clone()], [right_on.clone()]);
            equal_keys((&on_left, input), (&on_right, right))?;
            equal_keys((by_left, input), (by_right, right))?;
            let mut taken = by_right.clone();
            if left_on == right_on {
                taken.push(right_on.clone());
            }
            beside(input, right, &taken, suffix)?
        }
        Op::Union { others, how } => {
            let mut fields = input.to_vec();
            for name in others {
                fields = stacked(&fields, other(name)?, *how)?;
            }
            fields
        }
        Op::Explode { columns, .. } => {
            known(columns, input)?;
            let element = |field: &Field| -> Result<DType> {
                match &field.dtype {
                    DType::List(inner) | DType::Array(inner, _) => Ok((**inner).clone()),
                    DType::Unknown => Ok(DType::Unknown),
                    other => Err(Error::new(
                        ErrorKind::TypeMismatch,
                        format!("`explode` takes lists; column `{}` is {other}", field.name),
                    )
                    .with_subject(Subject::Name(field.name.clone()))),
                }
            };
            let mut fields = input.to_vec();
            for field in &mut fields {
                if columns.contains(&field.name) {
                    field.dtype = element(field)?;
                }
            }
            fields
        }
        Op::Unpivot {
            on,
            index,
            variable_name,
            value_name,
        } => unpivoted(on.as_deref(), index, variable_name, value_name, input)?,
        Op::NullCount => input
            .iter()
            .map(|field| Field::new(field.name.as_str(), DType::Int64))
            .collect(),
        other => {
            return Err(Error::internal(format!(
                "the step `{}` has no rule for its columns",
                other.kind().name()
            )));
        }
    })
}

/// Columns that expressions give, and the expressions to carry out where they are others.
struct Outputs {
    fields: Vec<Field>,
    exprs: Option<Vec<Expr>>,
}

fn outputs(written: Vec<Output>, input: &[Field]) -> Result<Outputs> {
    let mut fields = Vec::with_capacity(written.len());
    let mut exprs = Vec::with_capacity(written.len());
    let mut changed = false;
    for output in written {
        let settled = settle(&output.expr, input)?;
        bounded(settled.expr.as_ref())?;
        fields.push(Field::new(output.name, settled.typed.dtype));
        changed |= settled.expr.is_some();
        exprs.push(settled.expr.unwrap_or(output.expr));
    }
    Ok(Outputs {
        fields,
        exprs: changed.then_some(exprs),
    })
}

/// Refuses calculations so deep inside of one another that the stack of an engine may not hold them.
fn bounded(expr: Option<&Expr>) -> Result<()> {
    const MOST: usize = 250;
    let mut depth = 0;
    let mut next = expr;
    while let Some(expr) = next {
        next = match expr {
            Expr::Alias { expr, .. } | Expr::Cast { expr, .. } => Some(expr),
            Expr::Call {
                func: Func::ExactAdd | Func::ExactSub | Func::ExactMul,
                args,
            } => {
                depth += 1;
                match args.first() {
                    Some(Arg::Expr(expr)) => Some(expr),
                    _ => None,
                }
            }
            _ => None,
        };
    }
    match depth > MOST {
        true => Err(Error::new(
            ErrorKind::InvalidExpression,
            format!("more than {MOST} integers are calculated in one expression"),
        )
        .with_hint("split it into several steps, or cast the first to `Float64`")),
        false => Ok(()),
    }
}

/// Settled keys; none where all of them stay.
fn sort_keys(by: &[SortKey], input: &[Field]) -> Result<Option<Vec<SortKey>>> {
    let mut expanded = Vec::with_capacity(by.len());
    for key in by {
        for output in expand(std::slice::from_ref(&key.expr), input)? {
            expanded.push(SortKey {
                expr: output.expr,
                ..key.clone()
            });
        }
    }
    settle_keys(&expanded, input)
}

fn aggregated(keys: &[Expr], aggs: &[Expr], input: &[Field]) -> Result<(Outputs, Outputs)> {
    let grouped = outputs(expand(keys, input)?, input)?;
    let names: Vec<String> = (grouped.fields.iter())
        .map(|field| field.name.clone())
        .collect();
    let summed = outputs(expand_aggregates(aggs, input, &names)?, input)?;
    Ok((grouped, summed))
}

fn find<'f>(name: &str, fields: &'f [Field]) -> Result<&'f Field> {
    let mut known = fields.iter();
    known
        .find(|field| field.name == name)
        .ok_or_else(|| no_column(name, fields))
}

fn known(names: &[String], fields: &[Field]) -> Result<()> {
    for name in names {
        find(name, fields)?;
    }
    Ok(())
}

fn put(fields: &mut Vec<Field>, field: Field) {
    match fields.iter_mut().find(|known| known.name == field.name) {
        Some(known) => *known = field,
        None => fields.push(field),
    }
}

fn unique(fields: Vec<Field>) -> Result<Vec<Field>> {
    let mut seen = BTreeSet::new();
    match fields
        .iter()
        .find(|field| !seen.insert(field.name.as_str()))
    {
        Some(twice) => Err(Error::new(
            ErrorKind::DuplicateColumn,
            format!("two columns would be called `{}`", twice.name),
        )
        .with_subject(Subject::Name(twice.name.clone()))
        .with_hint("rename one of them")),
        None => Ok(fields),
    }
}

/// The columns of the left frame, and those of the right one without the keys that are gone, under names of their own.
fn beside(left: &[Field], right: &[Field], gone: &[String], suffix: &str) -> Result<Vec<Field>> {
    let mut fields = left.to_vec();
    for field in right {
        if gone.contains(&field.name) {
            continue;
        }
        let taken = left.iter().any(|known| known.name == field.name);
        let name = match taken {
            true => format!("{}{suffix}", field.name),
            false => field.name.clone(),
        };
        fields.push(Field::new(name, field.dtype.clone()));
    }
    unique(fields)
}

/// An error about a name of the other frame.
fn of_other(error: Error) -> Error {
    match error.subject() {
        Some(Subject::Name(name)) => {
            let subject = Subject::Other(name.clone());
            error.with_subject(subject)
        }
        _ => error,
    }
}

fn equal_keys(left: (&[String], &[Field]), right: (&[String], &[Field])) -> Result<()> {
    for (a, b) in left.0.iter().zip(right.0) {
        let (a, b) = (find(a, left.1)?, find(b, right.1).map_err(of_other)?);
        let same_kind = match (&a.dtype, &b.dtype) {
            (a, b) if a.is_numeric() && b.is_numeric() => true,
            (DType::Datetime { zone, .. }, DType::Datetime { zone: other, .. }) => {
                zone.is_some() == other.is_some()
            }
            (DType::Duration(_), DType::Duration(_)) => true,
            (a, b) if is_text(a) && is_text(b) => true,
            (DType::Null | DType::Unknown, _) | (_, DType::Null | DType::Unknown) => true,
            (a, b) => a == b,
        };
        if !same_kind {
            return Err(Error::new(
                ErrorKind::TypeMismatch,
                format!(
                    "`join`: column `{}` is {}, column `{}` is {}",
                    a.name, a.dtype, b.name, b.dtype
                ),
            )
            .with_subject(Subject::Name(a.name.clone()))
            .with_hint("convert one of them with `cast`"));
        }
    }
    Ok(())
}

/// The columns of two frames whose rows stand below one another.
fn stacked(above: &[Field], below: &[Field], how: UnionHow) -> Result<Vec<Field>> {
    let met = |a: &Field, b: &Field| -> Result<Field> {
        if a.dtype == b.dtype {
            return Ok(a.clone());
        }
        let dtype = match how {
            UnionHow::Coerced if is_time_and_number(&a.dtype, &b.dtype) => None,
            UnionHow::Coerced => supertype(&a.dtype, &b.dtype),
            _ => [&a.dtype, &b.dtype]
                .contains(&&DType::Unknown)
                .then_some(DType::Unknown),
        };
        dtype
            .map(|dtype| Field::new(a.name.as_str(), dtype))
            .ok_or_else(|| {
                Error::new(
                    ErrorKind::SchemaMismatch,
                    format!(
                        "column `{}` is {} in one frame and {} in another",
                        a.name, a.dtype, b.dtype
                    ),
                )
            })
    };
    if how == UnionHow::Diagonal {
        let mut fields = above.to_vec();
        for field in below {
            match fields.iter_mut().find(|known| known.name == field.name) {
                Some(known) => *known = met(known, field)?,
                None => fields.push(field.clone()),
            }
        }
        return Ok(fields);
    }
    let alike =
        above.len() == below.len() && above.iter().zip(below).all(|(a, b)| a.name == b.name);
    if !alike {
        let list = |fields: &[Field]| {
            let names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
            names.join(", ")
        };
        return Err(Error::new(
            ErrorKind::SchemaMismatch,
            format!(
                "the frames have other columns: {} and {}",
                list(above),
                list(below)
            ),
        ));
    }
    above.iter().zip(below).map(|(a, b)| met(a, b)).collect()
}

fn unpivoted(
    on: Option<&[String]>,
    index: &[String],
    variable_name: &str,
    value_name: &str,
    input: &[Field],
) -> Result<Vec<Field>> {
    known(index, input)?;
    known(on.unwrap_or_default(), input)?;
    let turned = input.iter().filter(|field| match on {
        Some(on) => on.contains(&field.name),
        None => !index.contains(&field.name),
    });
    let values: Vec<Typed> = turned.map(|field| Typed::of(field.dtype.clone())).collect();
    let mut fields = Vec::with_capacity(index.len() + 2);
    for name in index {
        fields.push(find(name, input)?.clone());
    }
    fields.push(Field::new(variable_name, DType::String));
    fields.push(Field::new(value_name, common_type(&values)?));
    unique(fields)
}
