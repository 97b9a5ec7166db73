//! Steps over several frames. Columns of both sides get names of their own first, so that a frame can be joined with
//! itself and equal names never clash.

use std::sync::Arc;

use laktory_core::{AsofStrategy, DType, Error, ErrorKind, Field, JoinHow, Result, UnionHow};
use proto::join::JoinType;
use proto::relation::RelType;
use spark_connect_proto as proto;

use super::{known, unique_names};
use crate::dsl::{Ex, alias, and, cast, col, f, null_of, project, relation};
use crate::expr::{HELPER, common};
use crate::frame::Resolved;

/// One relation below another, columns by position.
pub(crate) fn below(left: proto::Relation, right: proto::Relation) -> proto::Relation {
    relation(RelType::SetOp(Box::new(proto::SetOperation {
        left_input: Some(Box::new(left)),
        right_input: Some(Box::new(right)),
        set_op_type: proto::set_operation::SetOpType::Union as i32,
        is_all: Some(true),
        by_name: Some(false),
        allow_missing_columns: Some(false),
    })))
}

fn helper(side: &str, index: usize) -> String {
    format!("{HELPER}{side}{index}")
}

fn side(frame: &Resolved, side: &str) -> proto::Relation {
    project(
        frame.relation.clone(),
        frame
            .columns
            .iter()
            .enumerate()
            .map(|(index, field)| alias(col(&field.name), &helper(side, index)))
            .collect(),
    )
}

fn position(frame: &Resolved, name: &str) -> usize {
    frame
        .columns
        .iter()
        .position(|field| field.name == name)
        .unwrap_or(usize::MAX)
}

/// Whether keys of two sides are equal. Null is equal to nothing; not-a-number is to itself.
fn equal(left: &Resolved, right: &Resolved, a: &str, b: &str, nulls_equal: bool) -> Result<Ex> {
    let (i, j) = (position(left, a), position(right, b));
    let (s, t) = (&left.columns[i].dtype, &right.columns[j].dtype);
    let text = |t: &DType| *t == DType::String;
    let fits = text(s) == text(t) && (*s == DType::Boolean) == (*t == DType::Boolean);
    match common(s, t) {
        Some(both) if fits || matches!(both, DType::Unknown) => {
            let (mut x, mut y) = (col(&helper("l", i)), col(&helper("r", j)));
            if both != DType::Unknown && both != DType::Null {
                if *s != both {
                    x = cast(x, &both)?;
                }
                if *t != both {
                    y = cast(y, &both)?;
                }
            }
            Ok(f(if nulls_equal { "<=>" } else { "==" }, [x, y]))
        }
        _ => Err(Error::new(
            ErrorKind::TypeMismatch,
            format!("keys `{a}` of type {s} and `{b}` of type {t} cannot be compared"),
        )),
    }
}

/// The columns of both sides under their final names.
fn finished(
    joined: proto::Relation,
    left: &Resolved,
    right: &Resolved,
    dropped: &[String],
    suffix: &str,
) -> Result<Resolved> {
    let mut columns = left.columns.clone();
    let mut exprs: Vec<Ex> = left
        .columns
        .iter()
        .enumerate()
        .map(|(index, field)| alias(col(&helper("l", index)), &field.name))
        .collect();
    for (index, field) in right.columns.iter().enumerate() {
        if dropped.contains(&field.name) {
            continue;
        }
        let clash = left.columns.iter().any(|known| known.name == field.name);
        let name = if clash {
            format!("{}{suffix}", field.name)
        } else {
            field.name.clone()
        };
        exprs.push(alias(col(&helper("r", index)), &name));
        columns.push(Field::new(name, field.dtype.clone()));
    }
    unique_names(&columns)?;
    Ok(Resolved {
        relation: project(joined, exprs),
        columns,
        confirmed: left.confirmed && right.confirmed,
    })
}

pub(super) fn join(
    left: &Resolved,
    right: &Resolved,
    how: JoinHow,
    (left_on, right_on): (&[String], &[String]),
    nulls_equal: bool,
    suffix: &str,
) -> Result<Resolved> {
    let invalid = |why: &str| Error::new(ErrorKind::InvalidArgument, format!("`join`: {why}"));
    known(left_on, &left.columns)?;
    known(right_on, &right.columns)?;
    if left_on.len() != right_on.len() {
        return Err(invalid("both sides need the same number of keys"));
    }
    let kind = match how {
        JoinHow::Cross if !left_on.is_empty() => return Err(invalid("a cross join has no keys")),
        JoinHow::Cross => JoinType::Cross,
        _ if left_on.is_empty() => return Err(invalid("keys are needed")),
        JoinHow::Inner => JoinType::Inner,
        JoinHow::Left => JoinType::LeftOuter,
        JoinHow::Full => JoinType::FullOuter,
        JoinHow::Semi => JoinType::LeftSemi,
        JoinHow::Anti => JoinType::LeftAnti,
        _ => return Err(Error::unsupported("this kind of join")),
    };
    let mut condition = None;
    for (a, b) in left_on.iter().zip(right_on) {
        let equal = equal(left, right, a, b, nulls_equal)?;
        condition = Some(match condition {
            Some(known) => and(known, equal),
            None => equal,
        });
    }
    let joined = relation(RelType::Join(Box::new(proto::Join {
        left: Some(Box::new(side(left, "l"))),
        right: Some(Box::new(side(right, "r"))),
        join_condition: condition,
        join_type: kind as i32,
        using_columns: Vec::new(),
        join_data_type: None,
    })));
    match how {
        JoinHow::Semi | JoinHow::Anti => {
            let all: Vec<String> = right
                .columns
                .iter()
                .map(|field| field.name.clone())
                .collect();
            finished(joined, left, right, &all, suffix)
        }
        JoinHow::Full | JoinHow::Cross => finished(joined, left, right, &[], suffix),
        _ => finished(joined, left, right, right_on, suffix),
    }
}

pub(super) fn join_asof(
    left: &Resolved,
    right: &Resolved,
    (left_on, right_on): (&str, &str),
    (by_left, by_right): (&[String], &[String]),
    strategy: AsofStrategy,
    suffix: &str,
) -> Result<Resolved> {
    known(&[left_on.to_owned()], &left.columns)?;
    known(&[right_on.to_owned()], &right.columns)?;
    known(by_left, &left.columns)?;
    known(by_right, &right.columns)?;
    equal(left, right, left_on, right_on, false)?;
    let mut condition = None;
    for (a, b) in by_left.iter().zip(by_right) {
        let equal = equal(left, right, a, b, false)?;
        condition = Some(match condition {
            Some(known) => and(known, equal),
            None => equal,
        });
    }
    let joined = relation(RelType::AsOfJoin(Box::new(proto::AsOfJoin {
        left: Some(Box::new(side(left, "l"))),
        right: Some(Box::new(side(right, "r"))),
        left_as_of: Some(col(&helper("l", position(left, left_on)))),
        right_as_of: Some(col(&helper("r", position(right, right_on)))),
        join_expr: condition,
        using_columns: Vec::new(),
        join_type: "left".to_owned(),
        tolerance: None,
        allow_exact_matches: true,
        direction: match strategy {
            AsofStrategy::Backward => "backward",
            AsofStrategy::Forward => "forward",
            AsofStrategy::Nearest => "nearest",
        }
        .to_owned(),
    })));
    let mut dropped = by_right.to_vec();
    if left_on == right_on {
        dropped.push(right_on.to_owned());
    }
    finished(joined, left, right, &dropped, suffix)
}

pub(super) fn union(first: &Resolved, others: &[Arc<Resolved>], how: UnionHow) -> Result<Resolved> {
    let mut columns = first.columns.clone();
    let differ = |what: String| Error::new(ErrorKind::SchemaMismatch, what);
    for other in others {
        match how {
            UnionHow::Vertical => {
                let shown = |columns: &[Field]| {
                    let shown: Vec<String> = columns
                        .iter()
                        .map(|field| format!("`{}` {}", field.name, field.dtype))
                        .collect();
                    shown.join(", ")
                };
                let same = first.columns.len() == other.columns.len()
                    && first.columns.iter().zip(&other.columns).all(|(a, b)| {
                        a.name == b.name
                            && (a.dtype == b.dtype
                                || matches!(a.dtype, DType::Unknown)
                                || matches!(b.dtype, DType::Unknown))
                    });
                if !same {
                    return Err(differ(format!(
                        "frames with different columns cannot be stacked: {} and {}",
                        shown(&first.columns),
                        shown(&other.columns)
                    ))
                    .with_hint("select and cast the same columns in the same order, or use `how='diagonal'`"));
                }
            }
            UnionHow::Diagonal => {
                for field in &other.columns {
                    match columns.iter_mut().find(|known| known.name == field.name) {
                        None => columns.push(field.clone()),
                        Some(known) if known.dtype == DType::Null => {
                            known.dtype = field.dtype.clone()
                        }
                        Some(known) if known.dtype == field.dtype || field.dtype == DType::Null => {
                        }
                        Some(known) => {
                            return Err(differ(format!(
                                "column `{}` is of type {} in one frame and {} in another",
                                field.name, known.dtype, field.dtype
                            )));
                        }
                    }
                }
            }
            // Statements, which stack frames of different types, are Spark's own.
            _ => {
                return Err(Error::unsupported(
                    "this kind of union is not available on backend PYSPARK",
                ));
            }
        }
    }
    let shaped = |frame: &Resolved| -> Result<proto::Relation> {
        if frame.columns == columns {
            return Ok(frame.relation.clone());
        }
        let exprs = columns
            .iter()
            .map(|field| {
                let own = frame.columns.iter().find(|own| own.name == field.name);
                Ok(match own {
                    Some(own) if own.dtype == field.dtype => col(&field.name),
                    Some(_) => alias(cast(col(&field.name), &field.dtype)?, &field.name),
                    None => alias(null_of(&field.dtype)?, &field.name),
                })
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(project(frame.relation.clone(), exprs))
    };
    let mut stacked = shaped(first)?;
    for other in others {
        stacked = below(stacked, shaped(other)?);
    }
    Ok(Resolved {
        relation: stacked,
        columns,
        confirmed: first.confirmed && others.iter().all(|other| other.confirmed),
    })
}
