//! Spark's functions of numbers, arrays and rows, in terms of the common API.

use laktory_core::{Arg, Expr, Func};

use super::bind::{Call, bind, optional, required};
use super::convert::{self, Text};
use super::fault::{Fault, Outcome};
use super::native_methods::{self, logarithm};
use super::spark_arguments::{count_of, first, more, of};
use super::value::{Item, Value};

pub(super) fn log1p(call: Call) -> Outcome<Expr> {
    let (receiver, call) = first(call)?;
    native_methods::log1p(receiver, call)
}

pub(super) fn degrees(call: Call) -> Outcome<Expr> {
    let (receiver, call) = first(call)?;
    native_methods::degrees(receiver, call)
}

pub(super) fn radians(call: Call) -> Outcome<Expr> {
    let (receiver, call) = first(call)?;
    native_methods::radians(receiver, call)
}

pub(super) fn is_not_null(call: Call) -> Outcome<Expr> {
    let (receiver, []) = more(call, [])?;
    Ok(Expr::call(
        Func::Not,
        [Expr::call(Func::IsNull, [receiver])],
    ))
}

/// Elements are counted from 1; negative positions count from the end.
pub(super) fn element_at(call: Call) -> Outcome<Expr> {
    let at = call.at;
    let (receiver, [index]) = more(call, ["extraction"])?;
    let index = match count_of(index, "extraction", at)? {
        0 => return Err(Fault::invalid("elements are counted from 1", at).into()),
        index if index > 0 => index - 1,
        index => index,
    };
    Ok(of(
        Func::ListGet,
        vec![Arg::Expr(receiver), Arg::Int(index)],
    ))
}

pub(super) fn sum_distinct(call: Call) -> Outcome<Expr> {
    let (receiver, []) = more(call, [])?;
    Ok(Expr::call(
        Func::SqlSum,
        [Expr::call(Func::Unique, [receiver])],
    ))
}

/// The spread of a whole population.
pub(super) fn spread(call: Call, func: Func) -> Outcome<Expr> {
    let (receiver, []) = more(call, [])?;
    Ok(of(func, vec![Arg::Expr(receiver), Arg::Int(0)]))
}

pub(super) fn shifted(call: Call, sign: i64) -> Outcome<Expr> {
    let (receiver, call) = first(call)?;
    let mut bound = bind(call, &[optional("offset"), optional("default")], false)?;
    let offset = match bound.one(0) {
        Some(item) => convert::integer(&item, "offset")?,
        None => 1,
    };
    if let Some(item) = bound
        .one(1)
        .filter(|item| !matches!(item.value, Value::None))
    {
        return Err(
            Fault::new("not-implemented", "`default` is not supported", item.at)
                .hint("write `F.coalesce(...)` around it")
                .into(),
        );
    }
    let n = Arg::Int(offset.saturating_mul(sign));
    Ok(of(Func::Shift, vec![Arg::Expr(receiver), n]))
}

pub(super) fn log(call: Call) -> Outcome<Expr> {
    if call.args.len() < 2 {
        let (receiver, call) = first(call)?;
        bind(call, &[], false)?;
        return Ok(logarithm(receiver, std::f64::consts::E));
    }
    let mut bound = bind(call, &[required("base"), required("col")], false)?;
    let at = bound.at;
    let base = match bound.one(0) {
        Some(item) => convert::number(&item, "base")?,
        None => return Err(Fault::invalid("`log()` needs a base", at).into()),
    };
    let item = bound.one(1).unwrap_or(Item::new(Value::None, at));
    Ok(logarithm(convert::expr(item, Text::Column)?, base))
}

pub(super) fn decimal_log(call: Call) -> Outcome<Expr> {
    let (receiver, call) = first(call)?;
    bind(call, &[], false)?;
    Ok(logarithm(receiver, 10.0))
}

pub(super) fn binary_log(call: Call) -> Outcome<Expr> {
    let (receiver, call) = first(call)?;
    bind(call, &[], false)?;
    Ok(logarithm(receiver, 2.0))
}

pub(super) fn pow(call: Call) -> Outcome<Expr> {
    let at = call.at;
    let mut bound = bind(call, &[required("col1"), required("col2")], false)?;
    let mut next = |index| {
        let item = bound.one(index).unwrap_or(Item::new(Value::None, at));
        convert::expr(item, Text::Column)
    };
    Ok(Expr::call(Func::Pow, [next(0)?, next(1)?]))
}

/// Spark's `count('*')` and `count(lit(1))` count rows.
pub(super) fn count(call: Call) -> Outcome<Expr> {
    let (receiver, call) = first(call)?;
    bind(call, &[], false)?;
    let rows = matches!(&receiver, Expr::Literal(_))
        || matches!(&receiver, Expr::Column(name) if name == "*");
    Ok(if rows {
        Expr::call(Func::Len, [])
    } else {
        Expr::call(Func::Count, [receiver])
    })
}
