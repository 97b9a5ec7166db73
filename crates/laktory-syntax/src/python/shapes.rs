//! Functions that are shapes of their own rather than calls: columns, literals, `when`, `concat`, SQL inside of Python.

use laktory_core::{Expr, FrameName, Func, Op, Scalar, Selector, UnionHow};

use super::bind::{Call, bind, keyword, optional, required, rest};
use super::convert::{self, Text};
use super::fault::{At, Fault, Outcome, collect};
use super::parts::start_of_text;
use super::selectors::{self, by_dtype, columns, strings};
use super::types;
use super::value::{FrameValue, Item, Root, Value, When};
use crate::join::join;

/// Calls the function at `path`, when it is one of these.
#[allow(
    clippy::too_many_lines,
    reason = "one arm for each function that is a shape of its own"
)]
pub(super) fn call(root: Root, path: &str, call: &Call) -> Outcome<Option<Value>> {
    let at = call.at;
    let call = || call.clone();
    Ok(Some(match path {
        "col" => {
            let mut bound = bind(call(), &[rest("names", true)], false)?;
            let items = bound.many(0).unwrap_or_default();
            if let [
                Item {
                    value: Value::DType(_) | Value::DTypeClass(_),
                    ..
                },
            ] = items.as_slice()
            {
                return Ok(Some(by_dtype(items)?));
            }
            if items.iter().all(|item| matches!(item.value, Value::Int(_))) {
                return Err(Fault::invalid("`names` is an integer, not a text", at)
                    .hint("by position, a column is `nw.nth(0)`")
                    .into());
            }
            columns(strings(items, "names")?)
        }
        "nth" => {
            let mut bound = bind(call(), &[rest("indices", true)], false)?;
            let items = bound.many(0).unwrap_or_default();
            let indices = collect(items.iter().map(|item| convert::integer(item, "indices")))?;
            Value::Expr(Expr::Columns(Selector::Nth(indices)))
        }
        "all" => {
            bind(call(), &[], false)?;
            Value::Expr(Expr::Columns(Selector::All))
        }
        "exclude" => {
            let mut bound = bind(call(), &[rest("names", true)], false)?;
            let names = strings(bound.many(0).unwrap_or_default(), "names")?;
            let names = Box::new(Selector::Names(names));
            Value::Expr(Expr::Columns(Selector::Difference(
                Box::new(Selector::All),
                names,
            )))
        }
        "lit" => {
            let mut bound = bind(call(), &[required("value"), optional("dtype")], false)?;
            let value = bound.one(0);
            let dtype = match bound.one(1) {
                Some(item) if !matches!(item.value, Value::None) => Some(types::dtype(item)?),
                _ => None,
            };
            match value {
                Some(item) => Value::Expr(convert::literal(item, dtype)?),
                None => return Ok(None),
            }
        }
        "when" => when(root, call())?,
        "max" | "min" | "sum" | "mean" | "median" => {
            let mut bound = bind(call(), &[rest("columns", true)], false)?;
            let items = bound.many(0).unwrap_or_default();
            if let Some(item) = items.iter().find(|item| item.value.is_expression()) {
                return Err(Fault::invalid(
                    format!("`nw.{path}()` takes names of columns"),
                    item.at,
                )
                .hint(format!(
                    "write `.{path}()` behind the expression, or `nw.{path}_horizontal(...)` across columns"
                ))
                .into());
            }
            let receiver = match columns(strings(items, "columns")?) {
                Value::Expr(expr) => expr,
                _ => return Ok(None),
            };
            let func = match path {
                "max" => Func::Max,
                "min" => Func::Min,
                "sum" => Func::Sum,
                "mean" => Func::Mean,
                _ => Func::Median,
            };
            Value::Expr(Expr::call(func, [receiver]))
        }
        "concat" => concat(call())?,
        "sql_expr" | "laktory.sql_expr" => {
            let mut call = call();
            if let Some((name, _)) = call.kwargs.iter_mut().find(|(name, _)| name == "text") {
                "expr".clone_into(name);
            }
            let mut bound = bind(call, &[required("expr")], false)?;
            let Some(item) = bound.one(0) else {
                return Ok(None);
            };
            let at = item.at;
            let text = convert::string(item, "expr")?;
            Value::Expr(sql(&text, at)?)
        }
        _ => return selectors::call(path, call()),
    }))
}

/// A SQL text inside of a Python text. Ranges cannot be mapped through escapes; faults in such a text point at the literal.
pub(crate) fn sql(text: &str, at: At) -> Outcome<Expr> {
    crate::sql::expression(text).map_err(|errors| {
        super::fault::Faults(
            errors
                .into_iter()
                .map(|error| {
                    if let Some(start) = start_of_text(text, at) {
                        let range = error.range.start + start..error.range.end + start;
                        let error = crate::FragmentError { range, ..error };
                        return Fault {
                            text: at.text,
                            error,
                        };
                    }
                    let near = text.get(error.range.clone()).unwrap_or("");
                    let message = if near.is_empty() || near == text {
                        error.message
                    } else {
                        format!("{} (at `{near}`)", error.message)
                    };
                    Fault::new(error.code, message, at).hint_if(error.hint)
                })
                .collect(),
        )
    })
}

/// `when(p1, p2, ...)`: predicates are and-ed. Spark's `F.when(condition, value)` is the branch at once.
fn when(root: Root, call: Call) -> Outcome<Value> {
    if root == Root::Spark {
        let mut bound = bind(call, &[required("condition"), required("value")], false)?;
        let at = bound.at;
        let condition = bound.one(0).unwrap_or(Item::new(Value::None, at));
        let value = bound.one(1).unwrap_or(Item::new(Value::None, at));
        let branch = (
            convert::expr(condition, Text::Column)?,
            convert::expr(value, Text::Literal)?,
        );
        return Ok(Value::When(When {
            branches: vec![branch],
            pending: None,
            texts: Text::Literal,
        }));
    }
    Ok(Value::When(When {
        branches: Vec::new(),
        pending: Some(conditions(call)?),
        texts: Text::Column,
    }))
}

/// All predicates of a call, and-ed.
pub(crate) fn conditions(call: Call) -> Outcome<Expr> {
    let at = call.at;
    let mut bound = bind(call, &[rest("predicates", true)], false)?;
    let predicates = collect(
        bound
            .many(0)
            .unwrap_or_default()
            .into_iter()
            .map(|item| convert::expr(item, Text::Column)),
    )?;
    join(predicates, Expr::and)
        .ok_or_else(|| Fault::invalid("`when()` needs a condition", at).into())
}

/// `nw.concat([d, o], how=...)` inside a lambda of `pipe`.
fn concat(call: Call) -> Outcome<Value> {
    let at = call.at;
    let mut bound = bind(call, &[required("items"), keyword("how")], false)?;
    let items = match bound.one(0).map(|item| item.value) {
        Some(Value::List(items)) if !items.is_empty() => items,
        _ => return Err(Fault::invalid("`items` is a list of frames", at).into()),
    };
    let how = match bound.one(1) {
        None => UnionHow::Vertical,
        Some(item) => {
            let at = item.at;
            match convert::string(item, "how")?.as_str() {
                "vertical" => UnionHow::Vertical,
                "diagonal" => UnionHow::Diagonal,
                "horizontal" => {
                    return Err(Fault::new(
                        "invalid-operation",
                        "frames cannot be put side by side: their rows have no order",
                        at,
                    )
                    .hint("use `join`")
                    .into());
                }
                other => {
                    return Err(Fault::new(
                        "not-implemented",
                        format!("`how` cannot be `{other}`"),
                        at,
                    )
                    .hint("one of `vertical`, `diagonal`")
                    .into());
                }
            }
        }
    };
    let mut frames = collect(items.into_iter().map(|item| match item.value {
        Value::Frame(frame) => Ok((frame, item.at)),
        other => Err(Fault::invalid(format!("{} is not a frame", other.kind()), item.at).into()),
    }))?
    .into_iter();
    let Some((first, _)) = frames.next() else {
        return Err(Fault::invalid("`items` is a list of frames", at).into());
    };
    let others = collect(frames.map(|(frame, at)| {
        let moved = frame.name == FrameName::Df && !first.ops.is_empty();
        if !frame.ops.is_empty() || moved {
            return Err(Fault::new(
                "not-implemented",
                "frames behind the first one must be unchanged",
                at,
            )
            .hint("make it a node of its own")
            .into());
        }
        Ok(frame.name)
    }))?;
    let mut ops = first.ops;
    ops.push(Op::Union { others, how });
    Ok(Value::Frame(FrameValue {
        name: first.name,
        ops,
    }))
}

/// A text constant as `Scalar`, shared by conversions of dates.
pub(crate) fn text_of(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Literal(Scalar::Str(text)) => Some(text),
        _ => None,
    }
}
