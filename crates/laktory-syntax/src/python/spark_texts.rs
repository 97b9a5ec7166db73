//! Spark's functions of texts, in terms of the common API.

use laktory_core::{Arg, Expr, Func};

use super::bind::{Call, bind, required, rest};
use super::convert::{self, Text};
use super::fault::{Fault, Outcome, collect};
use super::spark_arguments::{count_of, more, of, text};
use super::value::{Item, Value};

/// Spark trims blanks only.
pub(super) fn blanks(call: Call, func: Func) -> Outcome<Expr> {
    let (receiver, []) = more(call, [])?;
    Ok(of(func, vec![Arg::Expr(receiver), Arg::Str(" ".into())]))
}

/// Spark's padding also cuts texts that are longer.
pub(super) fn padded(call: Call, path: &str) -> Outcome<Expr> {
    let at = call.at;
    let (receiver, [length, fill]) = more(call, ["len", "pad"])?;
    let length = count_of(length, "len", at)?.max(0);
    let fill = text(fill, "pad", at)?;
    if fill.chars().count() != 1 {
        return Err(Fault::new("not-implemented", "the filling is one character", at).into());
    }
    let func = if path == "str.pad_start" {
        Func::StrPadStart
    } else {
        Func::StrPadEnd
    };
    let padded = of(
        func,
        vec![Arg::Expr(receiver), Arg::Int(length), Arg::Str(fill)],
    );
    Ok(of(Func::StrHead, vec![Arg::Expr(padded), Arg::Int(length)]))
}

/// Spark gives an empty text where nothing matches.
pub(super) fn regexp_extract(call: Call) -> Outcome<Expr> {
    let at = call.at;
    let (receiver, [pattern, group]) = more(call, ["pattern", "idx"])?;
    let args = vec![
        Arg::Expr(receiver.clone()),
        Arg::Str(text(pattern, "pattern", at)?),
        Arg::Int(count_of(group, "idx", at)?),
    ];
    let filled = of(
        Func::FillNull,
        vec![
            Arg::Expr(of(Func::SqlRegexpExtract, args)),
            Arg::Expr(Expr::literal("")),
            Arg::Absent,
            Arg::Absent,
        ],
    );
    let known = Expr::call(Func::Not, [Expr::call(Func::IsNull, [receiver])]);
    Ok(Expr::When {
        branches: vec![(known, filled)],
        otherwise: None,
    })
}

/// Spark splits at a regular expression; only patterns that are plain texts have a counterpart.
pub(super) fn split(call: Call) -> Outcome<Expr> {
    let at = call.at;
    let (receiver, [pattern]) = more(call, ["pattern"])?;
    let pattern = text(pattern, "pattern", at)?;
    if pattern.contains([
        '.', '*', '+', '?', '[', ']', '(', ')', '{', '}', '|', '^', '$', '\\',
    ]) {
        return Err(Fault::new(
            "not-implemented",
            "a split at a regular expression is not supported",
            at,
        )
        .hint("replace the pattern by one text before: `F.split(F.regexp_replace(...), ',')`")
        .into());
    }
    Ok(of(
        Func::StrSplit,
        vec![Arg::Expr(receiver), Arg::Str(pattern)],
    ))
}

pub(super) fn contains(call: Call) -> Outcome<Expr> {
    let at = call.at;
    let (receiver, [part]) = more(call, ["right"])?;
    let part = convert::expr(part.unwrap_or(Item::new(Value::None, at)), Text::Column)?;
    Ok(of(
        Func::StrContains,
        vec![Arg::Expr(receiver), Arg::Expr(part), Arg::Bool(true)],
    ))
}

pub(super) fn locate(call: Call) -> Outcome<Expr> {
    let mut bound = bind(call, &[required("substr"), required("str")], false)?;
    let at = bound.at;
    let part = text(bound.one(0), "substr", at)?;
    let whole = bound.one(1).unwrap_or(Item::new(Value::None, at));
    Ok(Expr::call(
        Func::SqlPosition,
        [
            convert::expr(whole, Text::Column)?,
            Expr::literal(part.as_str()),
        ],
    ))
}

pub(super) fn concat_ws(mut call: Call) -> Outcome<Expr> {
    if call.args.is_empty() {
        return Err(Fault::invalid("`concat_ws()` needs a separator", call.at).into());
    }
    let separator = convert::string(call.args.remove(0), "sep")?;
    let mut bound = bind(call, &[rest("cols", true)], false)?;
    let exprs = collect(
        bound
            .many(0)
            .unwrap_or_default()
            .into_iter()
            .map(|item| convert::expr(item, Text::Column)),
    )?;
    Ok(Expr::Call {
        func: Func::ConcatStr,
        args: vec![Arg::Exprs(exprs), Arg::Str(separator), Arg::Bool(true)],
    })
}
