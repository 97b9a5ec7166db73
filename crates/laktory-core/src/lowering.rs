//! Steps made of simpler ones, once for all drivers.
//!
//! A driver that has `select`, `filter`, `sort`, `head` and `union` has ten more steps for two lines: [`inherit`] at the end of
//! its capabilities, and [`apply`] in the last arm of its `match` on [`Op`]. What a step means is said here in other steps,
//! so an inherited step has nothing of its own to get wrong; a driver whose engine does one of them better has an arm for it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::backend::Backend;
use crate::capabilities::{Capabilities, Support};
use crate::context::RunCx;
use crate::dtype::{DType, Field};
use crate::error::{Error, ErrorKind, Result};
use crate::expand::expand;
use crate::expr::{Expr, SortKey};
use crate::frame::{Frame, FrameName, NamedFrames};
use crate::functions::Func;
use crate::op::{Op, OpKind, UnionHow};
use crate::typing;

/// A step that others can stand for, and what it takes.
struct Rule {
    kind: OpKind,
    ops: &'static [OpKind],
    funcs: &'static [Func],
    /// Whether it is about positions, which rows must have.
    ordered: bool,
}

const RULES: &[Rule] = &[
    rule(OpKind::Drop, &[OpKind::Select], &[], false),
    rule(OpKind::Rename, &[OpKind::Select], &[], false),
    rule(OpKind::Cast, &[OpKind::WithColumns], &[], false),
    rule(
        OpKind::DropNulls,
        &[OpKind::Filter],
        &[Func::IsNull, Func::Not, Func::And],
        false,
    ),
    rule(
        OpKind::NullCount,
        &[OpKind::Select],
        &[Func::NullCount],
        false,
    ),
    rule(OpKind::TopK, &[OpKind::Sort, OpKind::Head], &[], false),
    rule(
        OpKind::WithRowIndex,
        &[OpKind::Select],
        &[Func::RowIndex],
        true,
    ),
    rule(
        OpKind::Tail,
        &[OpKind::WithRowIndex, OpKind::Filter, OpKind::Drop],
        &[Func::Len, Func::Add, Func::Ge],
        true,
    ),
    rule(
        OpKind::GatherEvery,
        &[OpKind::WithRowIndex, OpKind::Filter, OpKind::Drop],
        &[Func::Ge, Func::And, Func::Sub, Func::Mod, Func::Eq],
        true,
    ),
    rule(
        OpKind::Unpivot,
        &[OpKind::Select, OpKind::Union, OpKind::Head],
        &[],
        false,
    ),
];

const fn rule(kind: OpKind, ops: &'static [OpKind], funcs: &'static [Func], ordered: bool) -> Rule {
    Rule {
        kind,
        ops,
        funcs,
        ordered,
    }
}

/// Declares the steps that [`apply`] makes of those which are declared. Steps with an entry of their own, also one that says
/// no, stay as they are; steps about positions need [`Capabilities::ordered_rows`].
pub fn inherit(capabilities: &mut Capabilities) {
    loop {
        let has = |rule: &&Rule| {
            let ops = rule.ops.iter().map(|kind| capabilities.op(*kind));
            let funcs = rule.funcs.iter().map(|func| capabilities.func(*func));
            !capabilities.ops.contains_key(&rule.kind)
                && (capabilities.ordered_rows || !rule.ordered)
                && ops.chain(funcs).all(Support::is_available)
        };
        let Some(rule) = RULES.iter().find(has) else {
            return;
        };
        capabilities.ops.insert(rule.kind, Support::Full);
    }
}

/// The frame after a step, by simpler steps. The columns of the frames must be known, as they are in [`Backend::apply`] when
/// it is called by [`typing::apply`].
///
/// # Errors
/// `Unsupported` for steps that are made of no others; those of the step, and of the simpler ones.
pub fn apply(
    backend: &dyn Backend,
    cx: &RunCx,
    input: &Frame,
    op: &Op,
    named: &NamedFrames,
) -> Result<Frame> {
    let Some(lowered) = lowered(op, &columns(input)?, named)? else {
        let (step, backend) = (op.kind().name(), backend.descriptor().name);
        return Err(Error::unsupported(format!(
            "`{step}` is not available on backend {backend}"
        )));
    };
    let mut seen = named.clone();
    for part in lowered.parts {
        let from = match &part.of {
            Some(name) => named.get(name)?,
            None => input,
        };
        let frame = in_turn(backend, cx, from, &part.ops, named)?;
        seen.insert(part.name, frame);
    }
    // What is known of the last frame is for the caller to say.
    match lowered.ops.split_last() {
        Some((last, before)) => {
            let frame = in_turn(backend, cx, input, before, &seen)?;
            Ok(step(backend, cx, &frame, last, &seen)?.0)
        }
        None => Ok(input.clone()),
    }
}

/// Steps one after the other.
fn in_turn(
    backend: &dyn Backend,
    cx: &RunCx,
    input: &Frame,
    ops: &[Op],
    named: &NamedFrames,
) -> Result<Frame> {
    let mut frame = input.clone();
    for op in ops {
        let (next, columns) = step(backend, cx, &frame, op, named)?;
        if let Some(columns) = columns {
            next.know(columns.into());
        }
        frame = next;
    }
    Ok(frame)
}

/// A step with its types settled, and the columns after it.
fn step(
    backend: &dyn Backend,
    cx: &RunCx,
    input: &Frame,
    op: &Op,
    named: &NamedFrames,
) -> Result<(Frame, Option<Vec<Field>>)> {
    let mut others = BTreeMap::new();
    for name in op.frames() {
        others.insert(name.clone(), columns(named.get(name)?)?);
    }
    let after = typing::after(op, &columns(input)?, &others)?;
    let frame = backend.apply(cx, input, after.op.as_ref().unwrap_or(op), named)?;
    Ok((frame, after.columns))
}

fn columns(frame: &Frame) -> Result<Arc<[Field]>> {
    frame
        .columns()
        .ok_or_else(|| Error::internal("a step on a frame whose columns are not known"))
}

/// What a step is made of.
#[derive(Default)]
struct Lowered {
    /// Frames that the steps name beside those of the step.
    parts: Vec<Part>,
    /// The steps.
    ops: Vec<Op>,
}

/// A frame under a name of its own.
struct Part {
    name: FrameName,
    /// What it is made of; none: the flowing frame.
    of: Option<FrameName>,
    ops: Vec<Op>,
}

impl From<Vec<Op>> for Lowered {
    fn from(ops: Vec<Op>) -> Self {
        Self {
            parts: Vec::new(),
            ops,
        }
    }
}

/// The simpler steps of a step, over columns that are known; none where it is one of the simplest.
fn lowered(op: &Op, input: &[Field], named: &NamedFrames) -> Result<Option<Lowered>> {
    let all = || input.iter().map(|field| Expr::column(&field.name));
    let ops = match op {
        Op::Drop { columns, .. } => {
            let kept = input.iter().filter(|field| !columns.contains(&field.name));
            let exprs = kept.map(|field| Expr::column(&field.name)).collect();
            vec![Op::Select { exprs }]
        }
        Op::Rename { mapping } => {
            let exprs = input.iter().map(|field| {
                let new = mapping.iter().find(|(old, _)| *old == field.name);
                match new {
                    Some((old, new)) => Expr::column(old).alias(new.as_str()),
                    None => Expr::column(&field.name),
                }
            });
            vec![Op::Select {
                exprs: exprs.collect(),
            }]
        }
        Op::Cast { columns } => {
            let exprs = columns.iter();
            let exprs = exprs.map(|(name, to)| cast(Expr::column(name), to.clone()).alias(name));
            vec![Op::WithColumns {
                exprs: exprs.collect(),
            }]
        }
        Op::DropNulls { subset } => {
            let looked_at: Vec<Expr> = match subset {
                Some(names) => names.iter().map(Expr::column).collect(),
                None => all().collect(),
            };
            let known = |expr| Expr::call(Func::Not, [Expr::call(Func::IsNull, [expr])]);
            let predicate = looked_at.into_iter().map(known).reduce(Expr::and);
            let filter = |predicate| Op::Filter { predicate };
            predicate.map(filter).into_iter().collect()
        }
        Op::NullCount => vec![Op::Select {
            exprs: all()
                .map(|expr| Expr::call(Func::NullCount, [expr]))
                .collect(),
        }],
        Op::TopK { k, by } => {
            if by.is_empty() {
                return Err(invalid(op, "`by` is needed"));
            }
            let by = by.iter().map(|key| SortKey {
                nulls_last: true,
                ..key.clone()
            });
            vec![Op::Sort { by: by.collect() }, Op::Head { n: *k }]
        }
        Op::WithRowIndex {
            name,
            order_by,
            partition_by,
        } => {
            let partition_by = expand(partition_by, input)?;
            let mut index = Expr::call(Func::RowIndex, []);
            if !order_by.is_empty() || !partition_by.is_empty() {
                index = Expr::Over {
                    expr: Box::new(index),
                    partition_by: partition_by.into_iter().map(|key| key.expr).collect(),
                    order_by: order_by.clone(),
                };
            }
            let exprs = std::iter::once(index.alias(name.as_str())).chain(all());
            vec![Op::Select {
                exprs: exprs.collect(),
            }]
        }
        Op::Tail { n } => {
            let place = unused(input);
            // Added on this side, so that fewer rows than `n` are no negative number.
            let predicate = Expr::call(
                Func::Ge,
                [
                    Expr::call(Func::Add, [Expr::column(&place), number(*n)]),
                    Expr::call(Func::Len, []),
                ],
            );
            by_place(place, predicate)
        }
        Op::GatherEvery { n, offset } => {
            if *n == 0 {
                return Err(invalid(op, "`n` is at least 1"));
            }
            let place = unused(input);
            let from = Expr::call(Func::Ge, [Expr::column(&place), number(*offset)]);
            let distance = Expr::call(Func::Sub, [Expr::column(&place), number(*offset)]);
            let left = Expr::call(Func::Mod, [distance, number(*n)]);
            let predicate = from.and(Expr::call(Func::Eq, [left, Expr::literal(0_i64)]));
            by_place(place, predicate)
        }
        Op::Union {
            others,
            how: UnionHow::Coerced,
        } => return coerced(others, input, named).map(Some),
        Op::Unpivot {
            on,
            index,
            variable_name,
            value_name,
        } => {
            return Ok(Some(unpivoted(
                on.as_deref(),
                index,
                (variable_name, value_name),
                input,
            )));
        }
        _ => return Ok(None),
    };
    Ok(Some(ops.into()))
}

fn invalid(op: &Op, why: &str) -> Error {
    let message = format!("`{}`: {why}", op.kind().name());
    Error::new(ErrorKind::InvalidArgument, message)
}

fn cast(expr: Expr, to: DType) -> Expr {
    Expr::Cast {
        expr: Box::new(expr),
        to,
        strict: true,
    }
}

/// A count as a constant; there are no more rows than 64 bits with a sign can count.
fn number(n: u64) -> Expr {
    Expr::literal(i64::try_from(n).unwrap_or(i64::MAX / 2).min(i64::MAX / 2))
}

/// A name that no column has.
fn unused(columns: &[Field]) -> String {
    let mut name = "__place".to_owned();
    while columns.iter().any(|field| field.name == name) {
        name.insert(0, '_');
    }
    name
}

/// Rows chosen by their positions, in a column that is gone afterwards.
fn by_place(place: String, predicate: Expr) -> Vec<Op> {
    vec![
        Op::WithRowIndex {
            name: place.clone(),
            order_by: Vec::new(),
            partition_by: Vec::new(),
        },
        Op::Filter { predicate },
        Op::Drop {
            columns: vec![place],
            strict: true,
        },
    ]
}

/// Frames stacked after their columns are brought to the types in which they meet.
fn coerced(others: &[FrameName], input: &[Field], named: &NamedFrames) -> Result<Lowered> {
    let mut known = BTreeMap::new();
    for name in others {
        known.insert(name.clone(), columns(named.get(name)?)?);
    }
    let union = |how| Op::Union {
        others: others.to_vec(),
        how,
    };
    let target = typing::after(&union(UnionHow::Coerced), input, &known)?;
    let Some(target) = target.columns else {
        return Err(Error::internal("a union whose columns are not known"));
    };
    let casts = |columns: &[Field]| {
        let pairs = columns.iter().zip(&target);
        let differ: Vec<(String, DType)> = pairs
            .filter(|(field, target)| field.dtype != target.dtype)
            .map(|(field, target)| (field.name.clone(), target.dtype.clone()))
            .collect();
        (!differ.is_empty()).then_some(Op::Cast { columns: differ })
    };
    let parts = known.iter().map(|(name, columns)| Part {
        name: name.clone(),
        of: Some(name.clone()),
        ops: casts(columns).into_iter().collect(),
    });
    let first = casts(input).into_iter();
    Ok(Lowered {
        parts: parts.collect(),
        ops: first.chain([union(UnionHow::Vertical)]).collect(),
    })
}

/// One selection for each column that is turned, below one another.
fn unpivoted(
    on: Option<&[String]>,
    index: &[String],
    (variable, value): (&str, &str),
    input: &[Field],
) -> Lowered {
    let turned: Vec<&String> = match on {
        Some(on) => on.iter().collect(),
        None => {
            let names = input.iter().map(|field| &field.name);
            names.filter(|name| !index.contains(name)).collect()
        }
    };
    let select = |column: &str, expr: Expr| {
        let kept = index.iter().map(Expr::column);
        // A constant beside columns, and alone with none of them, has as many values as there are rows.
        let names = Expr::Literal(column.into()).alias(variable);
        Op::Select {
            exprs: kept.chain([names, expr.alias(value)]).collect(),
        }
    };
    let Some((first, rest)) = turned.split_first() else {
        let nothing = Expr::Literal(crate::expr::Scalar::Null);
        return vec![select("", nothing), Op::Head { n: 0 }].into();
    };
    let others: Vec<FrameName> = (1..turned.len())
        .map(|at| FrameName::Named(format!("__turned{at}")))
        .collect();
    let parts = others.iter().zip(rest).map(|(name, column)| Part {
        name: name.clone(),
        of: None,
        ops: vec![select(column, Expr::column(*column))],
    });
    let mut ops = vec![select(first, Expr::column(*first))];
    let parts = parts.collect();
    if !others.is_empty() {
        ops.push(Op::Union {
            others,
            how: UnionHow::Coerced,
        });
    }
    Lowered { parts, ops }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_inherited_from_those_that_are_declared() {
        let mut capabilities = Capabilities::default();
        inherit(&mut capabilities);
        assert!(capabilities.ops.is_empty());
        for kind in [OpKind::Select, OpKind::Sort, OpKind::Head] {
            capabilities.ops.insert(kind, Support::Full);
        }
        let refused = Support::NotYet { reason: "no names" };
        capabilities.ops.insert(OpKind::Rename, refused);
        inherit(&mut capabilities);
        for kind in [OpKind::Drop, OpKind::TopK] {
            assert_eq!(capabilities.op(kind), Support::Full, "{}", kind.name());
        }
        assert_eq!(capabilities.op(OpKind::Rename), refused);
        assert_eq!(capabilities.op(OpKind::Cast), Support::Never);
    }

    #[test]
    fn positions_need_an_order_of_rows() {
        let mut capabilities = Capabilities::default();
        for kind in [OpKind::Select, OpKind::Filter] {
            capabilities.ops.insert(kind, Support::Full);
        }
        let funcs = Func::all().map(|def| (def.func, Support::Full));
        capabilities.funcs = funcs.collect();
        inherit(&mut capabilities);
        assert_eq!(capabilities.op(OpKind::Tail), Support::Never);
        capabilities.ordered_rows = true;
        inherit(&mut capabilities);
        assert_eq!(capabilities.op(OpKind::Tail), Support::Full);
    }
}
