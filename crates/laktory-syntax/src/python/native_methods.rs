//! Native methods whose counterpart is an expression of several parts.

use laktory_core::{Arg, DType, Expr, Func};

use super::bind::{Call, bind};
use super::bind::{optional, required, rest};
use super::convert::{self, Text};
use super::fault::{Fault, Outcome, collect};
use super::types;
use super::value::{Item, Value};

pub(super) fn isin(receiver: Expr, call: Call) -> Outcome<Expr> {
    let mut bound = bind(call, &[rest("values", true)], false)?;
    let values = collect(
        bound
            .many(0)
            .unwrap_or_default()
            .into_iter()
            .map(convert::scalar),
    )?;
    Ok(Expr::Call {
        func: Func::IsIn,
        args: vec![Arg::Expr(receiver), Arg::Values(values)],
    })
}

pub(super) fn between(receiver: Expr, call: Call) -> Outcome<Expr> {
    let at = call.at;
    let mut bound = bind(call, &[required("lower"), required("upper")], false)?;
    let mut next = |index| {
        let item = bound.one(index).unwrap_or(Item::new(Value::None, at));
        convert::expr(item, Text::Literal)
    };
    let (lower, upper) = (next(0)?, next(1)?);
    Ok(Expr::Call {
        func: Func::IsBetween,
        args: vec![
            Arg::Expr(receiver),
            Arg::Expr(lower),
            Arg::Expr(upper),
            Arg::Str("both".into()),
        ],
    })
}

fn pattern(call: Call) -> Outcome<String> {
    let at = call.at;
    let mut bound = bind(call, &[required("other")], false)?;
    match bound.one(0) {
        Some(item) => convert::string(item, "other"),
        None => Err(Fault::invalid("a pattern is wanted", at).into()),
    }
}

fn sql_like(receiver: Expr, pattern: String, ignore_case: bool) -> Expr {
    Expr::Call {
        func: Func::SqlLike,
        args: vec![
            Arg::Expr(receiver),
            Arg::Str(pattern),
            Arg::Bool(ignore_case),
            Arg::Str("\\".into()),
        ],
    }
}

pub(super) fn like(receiver: Expr, call: Call) -> Outcome<Expr> {
    Ok(sql_like(receiver, pattern(call)?, false))
}

pub(super) fn ilike(receiver: Expr, call: Call) -> Outcome<Expr> {
    Ok(sql_like(receiver, pattern(call)?, true))
}

pub(super) fn contains(receiver: Expr, call: Call) -> Outcome<Expr> {
    let at = call.at;
    let mut bound = bind(call, &[required("other")], false)?;
    let other = bound.one(0).unwrap_or(Item::new(Value::None, at));
    Ok(Expr::Call {
        func: Func::StrContains,
        args: vec![
            Arg::Expr(receiver),
            Arg::Expr(convert::expr(other, Text::Literal)?),
            Arg::Bool(true),
        ],
    })
}

pub(super) fn get_item(receiver: Expr, call: Call) -> Outcome<Expr> {
    let at = call.at;
    let mut bound = bind(call, &[required("key")], false)?;
    let (func, arg) = match bound.one(0).map(|item| item.value) {
        Some(Value::Int(index)) => {
            let index = i64::try_from(index)
                .map_err(|_| Fault::invalid("the index is out of range", at))?;
            (Func::ListGet, Arg::Int(index))
        }
        Some(Value::Str(name)) => (Func::StructField, Arg::Str(name)),
        _ => return Err(Fault::invalid("`getItem()` takes an index or a name", at).into()),
    };
    Ok(Expr::Call {
        func,
        args: vec![Arg::Expr(receiver), arg],
    })
}

fn element(receiver: Expr, call: Call, index: i64) -> Outcome<Expr> {
    bind(call, &[], false)?;
    Ok(Expr::Call {
        func: Func::ListGet,
        args: vec![Arg::Expr(receiver), Arg::Int(index)],
    })
}

pub(super) fn list_first(receiver: Expr, call: Call) -> Outcome<Expr> {
    element(receiver, call, 0)
}

pub(super) fn list_last(receiver: Expr, call: Call) -> Outcome<Expr> {
    element(receiver, call, -1)
}

/// A logarithm to a base.
pub(crate) fn logarithm(receiver: Expr, base: f64) -> Expr {
    Expr::Call {
        func: Func::Log,
        args: vec![Arg::Expr(receiver), Arg::Float(base)],
    }
}

pub(super) fn log10(receiver: Expr, call: Call) -> Outcome<Expr> {
    bind(call, &[], false)?;
    Ok(logarithm(receiver, 10.0))
}

fn call(func: Func, args: Vec<Arg>) -> Expr {
    Expr::Call { func, args }
}

pub(super) fn is_infinite(receiver: Expr, arguments: Call) -> Outcome<Expr> {
    bind(arguments, &[], false)?;
    let not = |func, expr: Expr| Expr::call(Func::Not, [Expr::call(func, [expr])]);
    Ok(not(Func::IsFinite, receiver.clone()).and(not(Func::IsNan, receiver)))
}

pub(super) fn ne_missing(receiver: Expr, arguments: Call) -> Outcome<Expr> {
    let at = arguments.at;
    let mut bound = bind(arguments, &[required("other")], false)?;
    let other = bound.one(0).unwrap_or(Item::new(Value::None, at));
    let equal = Expr::call(
        Func::SqlEqNullSafe,
        [receiver, convert::expr(other, Text::Literal)?],
    );
    Ok(Expr::call(Func::Not, [equal]))
}

fn filled(receiver: Expr, arguments: Call, strategy: &str) -> Outcome<Expr> {
    let mut bound = bind(arguments, &[optional("limit")], false)?;
    let limit = match bound.one(0) {
        None
        | Some(Item {
            value: Value::None, ..
        }) => Arg::Absent,
        Some(item) => Arg::Int(convert::integer(&item, "limit")?),
    };
    Ok(call(
        Func::FillNull,
        vec![
            Arg::Expr(receiver),
            Arg::Absent,
            Arg::Str(strategy.into()),
            limit,
        ],
    ))
}

pub(super) fn forward_fill(receiver: Expr, arguments: Call) -> Outcome<Expr> {
    filled(receiver, arguments, "forward")
}

pub(super) fn backward_fill(receiver: Expr, arguments: Call) -> Outcome<Expr> {
    filled(receiver, arguments, "backward")
}

pub(super) fn log1p(receiver: Expr, arguments: Call) -> Outcome<Expr> {
    bind(arguments, &[], false)?;
    let more = Expr::call(Func::Add, [receiver, Expr::literal(1_i64)]);
    Ok(logarithm(more, std::f64::consts::E))
}

pub(super) fn cot(receiver: Expr, arguments: Call) -> Outcome<Expr> {
    bind(arguments, &[], false)?;
    // The quotient of the cosine keeps the name of the column.
    Ok(Expr::call(
        Func::TrueDiv,
        [
            Expr::call(Func::Cos, [receiver.clone()]),
            Expr::call(Func::Sin, [receiver]),
        ],
    ))
}

fn scaled(receiver: Expr, arguments: Call, factor: f64) -> Outcome<Expr> {
    bind(arguments, &[], false)?;
    Ok(Expr::call(Func::Mul, [receiver, Expr::literal(factor)]))
}

pub(super) fn degrees(receiver: Expr, arguments: Call) -> Outcome<Expr> {
    scaled(receiver, arguments, 180.0 / std::f64::consts::PI)
}

pub(super) fn radians(receiver: Expr, arguments: Call) -> Outcome<Expr> {
    scaled(receiver, arguments, std::f64::consts::PI / 180.0)
}

pub(super) fn pct_change(receiver: Expr, arguments: Call) -> Outcome<Expr> {
    let mut bound = bind(arguments, &[optional("n")], false)?;
    let n = match bound.one(0) {
        Some(item) => convert::integer(&item, "n")?,
        None => 1,
    };
    let before = call(Func::Shift, vec![Arg::Expr(receiver.clone()), Arg::Int(n)]);
    let ratio = Expr::call(Func::TrueDiv, [receiver, before]);
    Ok(Expr::call(Func::Sub, [ratio, Expr::literal(1_i64)]))
}

/// `replace({old: new})`: values that are not named stay.
pub(super) fn replace(receiver: Expr, arguments: Call) -> Outcome<Expr> {
    let at = arguments.at;
    let mut bound = bind(arguments, &[required("old"), optional("new")], false)?;
    let mapping = match (bound.one(0).map(|item| item.value), bound.one(1)) {
        (Some(Value::Dict(entries)), None) if !entries.is_empty() => entries,
        (Some(old), Some(new)) if !matches!(old, Value::List(_) | Value::Dict(_)) => {
            vec![(Item::new(old, at), new)]
        }
        _ => {
            return Err(Fault::new(
                "not-implemented",
                "`replace()` takes a mapping, or an old and a new value",
                at,
            )
            .into());
        }
    };
    let mapping = collect(
        mapping
            .into_iter()
            .map(|(old, new)| Ok((convert::scalar(old)?, convert::scalar(new)?))),
    )?;
    Ok(call(
        Func::ReplaceStrict,
        vec![
            Arg::Expr(receiver.clone()),
            Arg::Mapping(mapping),
            Arg::Expr(receiver),
            Arg::Absent,
        ],
    ))
}

/// Whole units of a duration toward zero, from its minutes.
fn total(receiver: Expr, arguments: Call, minutes: i64) -> Outcome<Expr> {
    bind(arguments, &[], false)?;
    let total = Expr::call(Func::DtTotalMinutes, [receiver]);
    let rest = Expr::call(Func::SqlMod, [total.clone(), Expr::literal(minutes)]);
    let whole = Expr::call(Func::Sub, [total, rest]);
    Ok(Expr::call(Func::FloorDiv, [whole, Expr::literal(minutes)]))
}

pub(super) fn total_hours(receiver: Expr, arguments: Call) -> Outcome<Expr> {
    total(receiver, arguments, 60)
}

pub(super) fn total_days(receiver: Expr, arguments: Call) -> Outcome<Expr> {
    total(receiver, arguments, 24 * 60)
}

/// `str.strptime(type, format)`.
pub(super) fn strptime(receiver: Expr, arguments: Call) -> Outcome<Expr> {
    let at = arguments.at;
    let mut bound = bind(arguments, &[required("dtype"), optional("format")], false)?;
    let func = match bound.one(0).map(types::dtype).transpose()? {
        Some(DType::Date) => Func::StrToDate,
        Some(DType::Time) => Func::StrToTime,
        Some(dtype) if dtype == DType::datetime() => Func::StrToDatetime,
        _ => {
            let message = "`strptime()` gives a date, a time or a datetime";
            return Err(Fault::new("not-implemented", message, at).into());
        }
    };
    let format = match bound.one(1) {
        None
        | Some(Item {
            value: Value::None, ..
        }) => Arg::Absent,
        Some(item) => Arg::Str(convert::string(item, "format")?),
    };
    Ok(call(func, vec![Arg::Expr(receiver), format]))
}

pub(super) fn to_integer(receiver: Expr, arguments: Call) -> Outcome<Expr> {
    bind(arguments, &[], false)?;
    Ok(Expr::Cast {
        expr: Box::new(receiver),
        to: DType::Int64,
        strict: true,
    })
}

pub(super) fn list_n_unique(receiver: Expr, arguments: Call) -> Outcome<Expr> {
    bind(arguments, &[], false)?;
    let unique = call(
        Func::ListUnique,
        vec![Arg::Expr(receiver), Arg::Bool(false)],
    );
    Ok(Expr::call(Func::ListLen, [unique]))
}
