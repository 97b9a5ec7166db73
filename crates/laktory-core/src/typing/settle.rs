//! Expressions with their types settled: what a driver is handed, so that it need not coerce.
//!
//! `+`, `-` and `*` of integers and decimals become the exact functions of the table, with integers in 64 bits; sums of
//! integers cannot wrap. All else stays as it is written.

use crate::dtype::{DType, Field};
use crate::error::{Error, ErrorKind, Result, Subject};
use crate::expand::no_column;
use crate::expr::{Arg, Expr, Scalar, SortKey};
use crate::functions::{Func, ParamType, Receiver};
use crate::window::Window;

use super::common::is_temporal;
use super::{Constant, Typed, arithmetic, calls, cast, common_type, constants, instead, of_window};

/// What an expression is over columns: its type, and the expression to carry out where that is another.
#[derive(Debug)]
pub(super) struct Settled {
    pub(super) typed: Typed,
    pub(super) expr: Option<Expr>,
}

impl Settled {
    fn same(typed: Typed) -> Self {
        Self { typed, expr: None }
    }

    /// The expression, which was `written` so.
    fn or(self, written: &Expr) -> Expr {
        self.expr.unwrap_or_else(|| written.clone())
    }
}

/// Settles an expression whose selectors are resolved.
///
/// # Errors
/// Those of [`super::type_of`].
pub(super) fn settle(expr: &Expr, columns: &[Field]) -> Result<Settled> {
    Ok(match expr {
        Expr::Column(name) => {
            let known = columns.iter().find(|field| field.name == *name);
            let known = known.ok_or_else(|| no_column(name, columns))?;
            Settled::same(Typed::of(known.dtype.clone()))
        }
        Expr::Columns(_) => {
            return Err(Error::internal(
                "a set of columns was not resolved before its type was asked for",
            ));
        }
        Expr::Literal(value) => Settled::same(Typed::scalar(value)?),
        Expr::Cast {
            expr: inner,
            to: DType::Unknown,
            ..
        } if matches!(**inner, Expr::Literal(Scalar::Str(_))) => Settled {
            typed: Typed::text(),
            expr: Some((**inner).clone()),
        },
        Expr::Call { func, args } => call(*func, args, columns)?,
        Expr::User { .. } => Settled::same(Typed::of(DType::Unknown)),
        Expr::Cast {
            expr: inner,
            to,
            strict,
        } => {
            let written = inner;
            let inner = settle(inner, columns)?;
            cast::castable(&inner.typed.dtype, to)?;
            if let (true, Some(text)) = (*strict, constants::text(written)) {
                constants::read_as(text, to)?;
            }
            let typed = match to {
                DType::Unknown => inner.typed,
                to => Typed::of(to.clone()),
            };
            let expr = inner.expr.map(|expr| Expr::Cast {
                expr: Box::new(expr),
                to: to.clone(),
                strict: *strict,
            });
            Settled { typed, expr }
        }
        Expr::When {
            branches,
            otherwise,
        } => when(branches, otherwise.as_deref(), columns)?,
        Expr::Over {
            expr: inner,
            partition_by,
            order_by,
        } => {
            let settled = settle(inner, columns)?;
            let partition = all(partition_by, columns)?;
            let order = keys(order_by, columns)?;
            let changed = settled.expr.is_some() || partition.is_some() || order.is_some();
            let typed = Typed::of(settled.typed.dtype.clone());
            let expr = changed.then(|| Expr::Over {
                expr: Box::new(settled.or(inner)),
                partition_by: partition.unwrap_or_else(|| partition_by.clone()),
                order_by: order.unwrap_or_else(|| order_by.clone()),
            });
            Settled { typed, expr }
        }
        Expr::Window(window) => {
            let typed = Typed::of(of_window(window, columns)?);
            let args = all(&window.args, columns)?;
            let partition = all(&window.partition_by, columns)?;
            let order = keys(&window.order_by, columns)?;
            let changed = args.is_some() || partition.is_some() || order.is_some();
            let expr = changed.then(|| {
                let written = (**window).clone();
                Expr::Window(Box::new(Window {
                    args: args.unwrap_or(written.args),
                    partition_by: partition.unwrap_or(written.partition_by),
                    order_by: order.unwrap_or(written.order_by),
                    ..written
                }))
            });
            Settled { typed, expr }
        }
        Expr::Alias { expr: inner, name } => {
            let inner = settle(inner, columns)?;
            let expr = inner.expr.map(|expr| expr.alias(name.as_str()));
            Settled {
                typed: inner.typed,
                expr,
            }
        }
        Expr::Rename {
            expr: inner,
            change,
        } => {
            let inner = settle(inner, columns)?;
            let expr = inner.expr.map(|expr| Expr::Rename {
                expr: Box::new(expr),
                change: change.clone(),
            });
            Settled {
                typed: inner.typed,
                expr,
            }
        }
    })
}

/// A settled condition, or the type that is none. Nulls without any type are nulls of truth values.
///
/// # Errors
/// Those of [`settle`].
pub(super) fn truth(expr: &Expr, columns: &[Field]) -> Result<std::result::Result<Settled, DType>> {
    let settled = settle(expr, columns)?;
    Ok(match settled.typed.dtype {
        DType::Boolean | DType::Unknown => Ok(settled),
        DType::Null => Ok(Settled {
            expr: Some(cast_to(settled.or(expr), DType::Boolean)),
            typed: Typed::of(DType::Boolean),
        }),
        other => Err(other),
    })
}

fn when(branches: &[(Expr, Expr)], otherwise: Option<&Expr>, columns: &[Field]) -> Result<Settled> {
    let mut values = Vec::with_capacity(branches.len() + 1);
    let mut settled = Vec::with_capacity(branches.len());
    let mut changed = false;
    for (number, (condition, value)) in branches.iter().enumerate() {
        let condition = truth(condition, columns)?.map_err(|dtype| {
            Error::new(
                ErrorKind::TypeMismatch,
                format!("a condition is a boolean, not {dtype}"),
            )
            .with_subject(Subject::Argument(number * 2))
            .with_hint("compare it with something: `... > 0`")
        })?;
        let value = settle(value, columns)?;
        changed |= condition.expr.is_some() || value.expr.is_some();
        values.push(value.typed.clone());
        settled.push((condition, value));
    }
    let last = otherwise.map(|expr| settle(expr, columns)).transpose()?;
    if let Some(last) = &last {
        changed |= last.expr.is_some();
        values.push(last.typed.clone());
    }
    let among = branches.iter().map(|(_, value)| value).chain(otherwise);
    constants::beside(&values, among.filter_map(constants::text))?;
    let typed = Typed::of(common_type(&values)?);
    let expr = changed.then(|| Expr::When {
        branches: settled
            .into_iter()
            .zip(branches)
            .map(|((condition, value), written)| (condition.or(&written.0), value.or(&written.1)))
            .collect(),
        otherwise: last
            .zip(otherwise)
            .map(|(last, written)| Box::new(last.or(written))),
    });
    Ok(Settled { typed, expr })
}

/// Settled expressions; none where all of them stay.
fn all(exprs: &[Expr], columns: &[Field]) -> Result<Option<Vec<Expr>>> {
    let mut changed: Option<Vec<Expr>> = None;
    for (index, written) in exprs.iter().enumerate() {
        if let Some(expr) = settle(written, columns)?.expr {
            changed.get_or_insert_with(|| exprs.to_vec())[index] = expr;
        }
    }
    Ok(changed)
}

/// Settled keys; none where all of them stay.
pub(super) fn keys(keys: &[SortKey], columns: &[Field]) -> Result<Option<Vec<SortKey>>> {
    let mut changed: Option<Vec<SortKey>> = None;
    for (at, key) in keys.iter().enumerate() {
        let settled = settle(&key.expr, columns)?.expr;
        // A key that is there already decides nothing, and not every engine takes it twice.
        let repeats = keys[..at].iter().any(|known| known.expr == key.expr);
        if repeats || settled.is_some() {
            changed.get_or_insert_with(|| keys[..at].to_vec());
        }
        if let Some(left) = &mut changed
            && !repeats
        {
            left.push(SortKey {
                expr: settled.unwrap_or_else(|| key.expr.clone()),
                ..*key
            });
        }
    }
    Ok(changed)
}

fn call(written: Func, args: &[Arg], columns: &[Field]) -> Result<Settled> {
    let def = written.def();
    let receivers = usize::from(def.receiver != Receiver::Function);
    let mut values = Vec::with_capacity(args.len());
    let mut changed: Option<Vec<Arg>> = None;
    for (index, arg) in args.iter().enumerate() {
        let takes = match index.checked_sub(receivers) {
            None => ParamType::Column,
            Some(at) => def
                .params
                .get(at)
                .map_or(ParamType::Column, |param| param.ty),
        };
        match (takes, arg) {
            (_, Arg::Expr(expr)) => {
                let settled = settle(expr, columns)?;
                values.push(settled.typed);
                if let Some(expr) = settled.expr {
                    changed.get_or_insert_with(|| args.to_vec())[index] = Arg::Expr(expr);
                }
            }
            (_, Arg::Exprs(exprs)) => {
                let mut parts: Option<Vec<Expr>> = None;
                for (at, expr) in exprs.iter().enumerate() {
                    let settled = settle(expr, columns)?;
                    values.push(settled.typed);
                    if let Some(expr) = settled.expr {
                        parts.get_or_insert_with(|| exprs.clone())[at] = expr;
                    }
                }
                if let Some(parts) = parts {
                    changed.get_or_insert_with(|| args.to_vec())[index] = Arg::Exprs(parts);
                }
            }
            (ParamType::Column | ParamType::Literal, arg) => {
                if let Some(value) = constant(arg) {
                    values.push(Typed::scalar(&value)?);
                }
            }
            _ => {}
        }
    }
    let mut func = written;
    if written == Func::SqlDiv {
        func = Func::TrueDiv;
        // The dividend gets the digits that the quotient is to have.
        if let [dividend, divisor] = values.as_mut_slice()
            && let Some(digits) = arithmetic::quotient(dividend, divisor)
        {
            widen(
                &mut changed.get_or_insert_with(|| args.to_vec())[0],
                digits.clone(),
            );
            *dividend = Typed::of(digits);
        }
    }
    let current = changed.as_deref().unwrap_or(args);
    let dtype = calls::call(func, current, &values)?;
    constants::check(func, args, &values)?;
    if let Some(expr) = instead::of(func, current, &values, &dtype) {
        return Ok(Settled {
            typed: Typed::of(dtype),
            expr: Some(expr),
        });
    }
    let chosen = chosen(func, &dtype, &values);
    for (index, to) in operands(func, chosen, &dtype, &values) {
        let args = changed.get_or_insert_with(|| args.to_vec());
        widen(&mut args[index], to);
    }
    if let (Some(Arg::Expr(_)), Some(to)) = (args.first(), calls::of_nulls(func, &values)) {
        widen(&mut changed.get_or_insert_with(|| args.to_vec())[0], to);
    }
    if func == Func::MeanHorizontal
        && let Some(Arg::Exprs(exprs)) = changed.get_or_insert_with(|| args.to_vec()).first_mut()
    {
        for (expr, value) in exprs.iter_mut().zip(&values) {
            if value.dtype.is_integer() || value.dtype == DType::Boolean {
                *expr = cast_to(expr.clone(), DType::Float64);
            }
        }
    }
    if func == Func::Neg && chosen == Func::ExactMul {
        let minus = cast_to(Expr::literal(-1), DType::Int64);
        changed
            .get_or_insert_with(|| args.to_vec())
            .push(Arg::Expr(minus));
    }
    let expr = (changed.is_some() || chosen != written).then(|| Expr::Call {
        func: chosen,
        args: changed.unwrap_or_else(|| args.to_vec()),
    });
    Ok(Settled {
        typed: Typed::of(dtype),
        expr,
    })
}

pub(super) fn cast_to(expr: Expr, to: DType) -> Expr {
    Expr::Cast {
        expr: Box::new(expr),
        to,
        strict: true,
    }
}

fn constant(arg: &Arg) -> Option<Scalar> {
    Some(match arg {
        Arg::Bool(value) => Scalar::Bool(*value),
        Arg::Int(value) => Scalar::Int((*value).into()),
        Arg::Float(value) => Scalar::Float(*value),
        Arg::Str(value) => Scalar::Str(value.clone()),
        _ => return None,
    })
}

/// The function that carries a call out, given the type of its result and those of its arguments.
fn chosen(func: Func, dtype: &DType, values: &[Typed]) -> Func {
    let exact = match dtype {
        DType::Int64 => values
            .iter()
            .all(|value| value.dtype.is_integer() || matches!(value.dtype, DType::Null)),
        DType::Decimal { .. } => true,
        _ => false,
    };
    match func {
        Func::Add if exact => Func::ExactAdd,
        Func::Sub if exact => Func::ExactSub,
        Func::Mul if exact => Func::ExactMul,
        // Times -1: the smallest number has no counterpart.
        Func::Neg if *dtype == DType::Int64 => Func::ExactMul,
        // No number of narrower ones needs more than 64 bits.
        Func::Sum
            if values
                .first()
                .is_some_and(|value| value.dtype == DType::Int64) =>
        {
            Func::ExactSum
        }
        // Only floats have a NaN.
        Func::SqlMax if !may_be_nan(dtype) => Func::Max,
        Func::SqlGreatest if !may_be_nan(dtype) => Func::MaxHorizontal,
        other => other,
    }
}

/// The arguments that are cast before a call is carried out, by position.
fn operands(func: Func, chosen: Func, dtype: &DType, values: &[Typed]) -> Vec<(usize, DType)> {
    if calls::compares(func) {
        let typed = values.iter().find(|value| is_temporal(&value.dtype));
        let texts = values.iter().enumerate();
        return typed.map_or_else(Vec::new, |typed| {
            texts
                .filter(|(_, value)| calls::takes_type(value, typed))
                .map(|(index, _)| (index, typed.dtype.clone()))
                .collect()
        });
    }
    // What is joined is known to be texts, which an engine may have to measure.
    if func == Func::Add && *dtype == DType::String {
        return vec![(0, DType::String)];
    }
    if func == Func::DtOffsetBy {
        let moves_a_day = values
            .first()
            .is_some_and(|value| value.dtype == DType::Date);
        return match moves_a_day && *dtype != DType::Date {
            true => vec![(0, dtype.clone())],
            false => Vec::new(),
        };
    }
    let decimal = |dtype: &DType| matches!(dtype, DType::Decimal { .. });
    if decimal(dtype) {
        match func {
            // Decimals with the digits that they have: more of them would leave no room for what is divided.
            Func::TrueDiv | Func::FloorDiv | Func::Mod | Func::SqlMod => {
                let own = values.iter().map(arithmetic::as_decimal);
                return own.take(2).enumerate().collect();
            }
            // Running totals have as many digits as totals, and rounded numbers those that they need.
            Func::CumSum
            | Func::Floor
            | Func::Ceil
            | Func::Round
            | Func::SqlRound
            | Func::SqlRoundHalfUp
            | Func::SqlSign => return vec![(0, dtype.clone())],
            _ => {}
        }
    }
    // These are computed of floats.
    let of_floats = match func {
        Func::Pow => 2,
        Func::Sin | Func::Cos | Func::SqlTan | Func::IsNan | Func::IsFinite | Func::FillNan => 1,
        _ => 0,
    };
    let among = &values[..of_floats.min(values.len())];
    let powers = func == Func::Pow && *dtype == DType::Float64;
    let integers = among.iter().all(|value| value.dtype.is_integer());
    if among.iter().any(|value| decimal(&value.dtype)) || powers && integers {
        return (0..among.len()).map(|at| (at, DType::Float64)).collect();
    }
    let narrow = |value: &Typed| {
        matches!(value.dtype, DType::Null | DType::Boolean)
            || value.dtype.is_integer() && !is_wide(&value.dtype)
    };
    let widened = |value: &Typed, dtype: &DType| match dtype {
        DType::Int64 => (narrow(value) && value.dtype != DType::Int64).then_some(DType::Int64),
        // A constant beside a decimal has the digits that are written.
        DType::Decimal { .. } => match value.constant {
            Some(Constant::Int(value)) => Some(DType::Decimal {
                precision: Some(digits(value)),
                scale: 0,
            }),
            _ => None,
        },
        _ => None,
    };
    let both = matches!(chosen, Func::ExactAdd | Func::ExactSub | Func::ExactMul)
        || matches!(func, Func::FloorDiv | Func::Mod | Func::SqlMod | Func::Pow)
            && *dtype == DType::Int64;
    let first = matches!(
        func,
        Func::Sum | Func::SqlSum | Func::CumSum | Func::RollingSum | Func::Diff | Func::Neg
    );
    let count = match (both, first) {
        (true, _) => 2,
        (_, true) => 1,
        _ => 0,
    };
    (values.iter().take(count).enumerate())
        .filter_map(|(index, value)| Some((index, widened(value, dtype)?)))
        .collect()
}

fn may_be_nan(dtype: &DType) -> bool {
    dtype.is_float() || *dtype == DType::Unknown
}

fn is_wide(dtype: &DType) -> bool {
    matches!(dtype, DType::UInt64 | DType::Int128 | DType::UInt128)
}

fn digits(value: i128) -> u8 {
    let digits = value.unsigned_abs().checked_ilog10().unwrap_or(0) + 1;
    u8::try_from(digits).unwrap_or(u8::MAX)
}

fn widen(arg: &mut Arg, to: DType) {
    let expr = match std::mem::replace(arg, Arg::Absent) {
        Arg::Expr(expr) => expr,
        other => match constant(&other) {
            Some(value) => Expr::Literal(value),
            None => {
                *arg = other;
                return;
            }
        },
    };
    *arg = Arg::Expr(cast_to(expr, to));
}
