//! Values turned into what a parameter takes: expressions, constants, flags, types.

use laktory_core::{Arg, DType, Expr, FrameName, Func, Param, ParamDefault, ParamType, Scalar};

use super::fault::{At, Fault, Outcome, collect};
use super::types;
use super::value::{Item, Value};
use crate::suggest::nearest;

/// What a text means where an expression is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Text {
    /// The column of that name.
    Column,
    /// The text itself.
    Literal,
}

/// A value as expression.
pub(crate) fn expr(item: Item, text: Text) -> Outcome<Expr> {
    let (at, name_at) = (item.at, item.name_at);
    match item.value {
        Value::Expr(expr) => Ok(expr),
        Value::Selector(selector) => Ok(Expr::Columns(selector)),
        Value::When(when) if when.pending.is_some() => {
            Err(Fault::invalid("`when(...)` without `.then(...)`", at).into())
        }
        Value::When(when) => Ok(Expr::When {
            branches: when.branches,
            otherwise: None,
        }),
        Value::Str(name) if text == Text::Column => Ok(Expr::Column(name)),
        // `{value: X}` where an expression is wanted can only be the wrapped form of an argument (R-MTH-7).
        Value::Dict(mut entries)
            if entries.len() == 1
                && matches!(&entries[0].0.value, Value::Str(key) if key == "value") =>
        {
            match entries.pop() {
                Some((_, wrapped)) => expr(wrapped, text),
                None => Err(Fault::invalid("an expression is wanted", at).into()),
            }
        }
        Value::Dict(entries) => structure(entries),
        value => {
            let item = Item { value, at, name_at };
            Ok(Expr::Literal(scalar(item)?))
        }
    }
}

/// A mapping as struct of constants, named `literal`.
fn structure(entries: Vec<(Item, Item)>) -> Outcome<Expr> {
    let fields = collect(entries.into_iter().map(|(key, value)| {
        match key.value {
            Value::Str(name) => Ok(field(expr(value, Text::Literal)?).alias(name)),
            other => Err(Fault::invalid(
                format!("the name of a field is a text, not {}", other.kind()),
                key.at,
            )
            .into()),
        }
    }))?;
    let call = Expr::Call {
        func: Func::Struct,
        args: vec![Arg::Exprs(fields)],
    };
    Ok(call.alias("literal"))
}

/// A field of a struct constant, in which integers are 64 bits wide.
fn field(expr: Expr) -> Expr {
    match expr {
        Expr::Literal(Scalar::Int(value)) if i64::try_from(value).is_ok() => Expr::Cast {
            expr: Box::new(expr),
            to: DType::Int64,
            strict: true,
        },
        other => other,
    }
}

/// A value as constant.
pub(crate) fn scalar(item: Item) -> Outcome<Scalar> {
    Ok(match item.value {
        Value::None => Scalar::Null,
        Value::Bool(value) => Scalar::Bool(value),
        Value::Int(value) => Scalar::Int(value),
        Value::Float(value) => Scalar::Float(value),
        Value::Str(text) => Scalar::Str(text),
        Value::Bytes(bytes) => Scalar::Bytes(bytes),
        Value::Expr(Expr::Literal(scalar)) => scalar,
        Value::List(items) => Scalar::List(collect(items.into_iter().map(scalar))?),
        Value::Frame(frame) if matches!(frame.name, FrameName::Named(_)) => {
            return Err(Fault::new(
                "unknown-frame",
                format!(
                    "`{}` is taken for a frame, which cannot stand here",
                    frame.name
                ),
                item.at,
            )
            .hint("a text in braces names a frame; write `nw.lit('{...}')` for the text itself")
            .into());
        }
        other => {
            let at = match other {
                Value::Member { .. } | Value::Api { .. } => item.name_at.unwrap_or(item.at),
                _ => item.at,
            };
            let what = other.kind();
            let message = format!("{what} where a constant or an expression is wanted");
            let fault = Fault::invalid(message, at);
            return Err(match other {
                Value::Member { path, .. }
                    if super::methods::NAMESPACES.contains(&path.as_str()) =>
                {
                    fault.hint(format!(
                        "a method of `.{path}` follows, such as `.{path}.{}`",
                        super::methods::example(&path)
                    ))
                }
                Value::Member { path, .. } => {
                    fault.hint(format!("call the method: `.{path}(...)`"))
                }
                Value::Api { root, path } => fault.hint(format!(
                    "call the function: `{}.{path}(...)`",
                    root.prefix()
                )),
                Value::DType(_) | Value::DTypeClass(_) => {
                    fault.hint("types belong into `.cast(...)`")
                }
                _ => fault,
            }
            .into());
        }
    })
}

/// A value as a text.
pub(crate) fn string(item: Item, what: &str) -> Outcome<String> {
    match item.value {
        Value::Str(text) => Ok(text),
        other => Err(wrong(what, "a text", &other, item.at).into()),
    }
}

/// A value as a flag.
pub(crate) fn boolean(item: &Item, what: &str) -> Outcome<bool> {
    match item.value {
        Value::Bool(value) => Ok(value),
        ref other => Err(wrong(what, "True or False", other, item.at).into()),
    }
}

/// A flag for all keys, or one for each.
pub(crate) fn flags(item: Option<Item>, what: &str, keys: usize) -> Outcome<Vec<bool>> {
    let Some(item) = item.filter(|item| !matches!(item.value, Value::None)) else {
        return Ok(vec![false; keys]);
    };
    let at = item.at;
    match item.value {
        Value::List(items) => {
            let flags = collect(items.iter().map(|item| boolean(item, what)))?;
            if flags.len() != keys {
                let message = format!("`{what}` has {} flags for {keys} columns", flags.len());
                return Err(Fault::invalid(message, at).into());
            }
            Ok(flags)
        }
        _ => Ok(vec![boolean(&item, what)?; keys]),
    }
}

/// A value as an integer.
pub(crate) fn integer(item: &Item, what: &str) -> Outcome<i64> {
    match item.value {
        Value::Int(value) => i64::try_from(value)
            .map_err(|_| Fault::invalid(format!("`{what}` is out of range"), item.at).into()),
        ref other => Err(wrong(what, "an integer", other, item.at).into()),
    }
}

/// A value as a count of rows and the like.
pub(crate) fn unsigned(item: &Item, what: &str) -> Outcome<u64> {
    let value = integer(item, what)?;
    u64::try_from(value)
        .map_err(|_| Fault::invalid(format!("`{what}` is negative: {value}"), item.at).into())
}

/// A value as a number.
pub(crate) fn number(item: &Item, what: &str) -> Outcome<f64> {
    match super::fold::float(&item.value) {
        Some(value) if !matches!(item.value, Value::Bool(_)) => Ok(value),
        _ => Err(wrong(what, "a number", &item.value, item.at).into()),
    }
}

/// A value as one of some texts.
pub(crate) fn one_of(item: Item, what: &str, known: &[&str]) -> Outcome<String> {
    let at = item.at;
    let text = string(item, what)?;
    if known.contains(&text.as_str()) {
        return Ok(text);
    }
    let list: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
    let hint = match nearest(&text, known.iter().copied()) {
        Some(name) => format!("did you mean `{name}`? one of {}", list.join(", ")),
        None => format!("one of {}", list.join(", ")),
    };
    Err(Fault::invalid(format!("`{what}` cannot be `{text}`"), at)
        .hint(hint)
        .into())
}

fn wrong(what: &str, wanted: &str, found: &Value, at: At) -> Fault {
    Fault::invalid(format!("`{what}` is {}, not {wanted}", found.kind()), at)
}

/// An argument as the parameter takes it.
pub(crate) fn arg(param: &Param, item: Option<Item>) -> Outcome<Arg> {
    let Some(item) = item else {
        return Ok(default(param));
    };
    let takes_null = matches!(
        param.ty,
        ParamType::Column | ParamType::Columns | ParamType::Values | ParamType::Mapping
    );
    let optional = param.default == ParamDefault::Absent;
    if matches!(item.value, Value::None) && optional && !takes_null {
        return Ok(Arg::Absent);
    }
    Ok(match param.ty {
        ParamType::Column => Arg::Expr(expr(item, Text::Column)?),
        ParamType::Literal => Arg::Expr(expr(item, Text::Literal)?),
        ParamType::Columns => Arg::Exprs(vec![expr(item, Text::Column)?]),
        ParamType::Bool => Arg::Bool(boolean(&item, param.name)?),
        ParamType::Int => Arg::Int(integer(&item, param.name)?),
        ParamType::Float => Arg::Float(number(&item, param.name)?),
        ParamType::Str => Arg::Str(string(item, param.name)?),
        ParamType::OneOf(known) => Arg::Str(one_of(item, param.name, known)?),
        ParamType::DType => Arg::DType(types::dtype(item)?),
        ParamType::Values => match item.value {
            Value::List(items) => Arg::Values(collect(items.into_iter().map(scalar))?),
            value if value.is_expression() => {
                Arg::Expr(expr(Item::new(value, item.at), Text::Column)?)
            }
            other => {
                let message = format!("`{}` is {}, not a list", param.name, other.kind());
                return Err(Fault::new("not-implemented", message, item.at)
                    .hint("write a list: `[1, 2]`")
                    .into());
            }
        },
        ParamType::Mapping => match item.value {
            Value::Dict(entries) => Arg::Mapping(mapping(entries)?),
            other => return Err(wrong(param.name, "a mapping", &other, item.at).into()),
        },
        ParamType::Frame => Arg::Frame(crate::frame::argument(item)?),
    })
}

/// A mapping of constants; of equal keys the last one counts, as in Python.
fn mapping(entries: Vec<(Item, Item)>) -> Outcome<Vec<(Scalar, Scalar)>> {
    let pairs = entries
        .into_iter()
        .map(|(old, new)| Ok((scalar(old)?, scalar(new)?)));
    let mut distinct: Vec<(Scalar, Scalar)> = Vec::new();
    for (old, new) in collect(pairs)? {
        match distinct.iter_mut().find(|(known, _)| *known == old) {
            Some(known) => known.1 = new,
            None => distinct.push((old, new)),
        }
    }
    Ok(distinct)
}

/// What stands in for an argument that was not given.
pub(crate) fn default(param: &Param) -> Arg {
    match param.default {
        ParamDefault::Required | ParamDefault::Absent => match param.ty {
            ParamType::Columns if param.default == ParamDefault::Required => Arg::Exprs(Vec::new()),
            _ => Arg::Absent,
        },
        ParamDefault::Bool(value) => Arg::Bool(value),
        ParamDefault::Int(value) => Arg::Int(value),
        ParamDefault::Float(value) if matches!(param.ty, ParamType::Float) => Arg::Float(value),
        ParamDefault::Float(value) => Arg::Expr(Expr::literal(value)),
        ParamDefault::Str(value) => Arg::Str(value.to_owned()),
    }
}

/// A literal, converted when a type is given.
pub(crate) fn literal(item: Item, dtype: Option<DType>) -> Outcome<Expr> {
    let literal = expr(item, Text::Literal)?;
    Ok(match dtype {
        Some(to) => Expr::Cast {
            expr: Box::new(literal),
            to,
            strict: true,
        },
        None => literal,
    })
}
