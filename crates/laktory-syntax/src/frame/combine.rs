//! Steps that read a second frame: joins and unions.

use laktory_core::{AsofStrategy, JoinHow, Op, UnionHow};

use super::args::frame;
use super::build::names;
use crate::python::bind::Bound;
use crate::python::convert;
use crate::python::fault::{Fault, Outcome, collect};
use crate::python::methods::list;
use crate::python::value::{Item, Value};

fn none(item: Option<Item>) -> Option<Item> {
    item.filter(|item| !matches!(item.value, Value::None))
}

/// `join(other, on, how, *, left_on, right_on, suffix)`.
pub(super) fn join(mut bound: Bound) -> Outcome<Vec<Op>> {
    let at = bound.at;
    let right = match bound.one(0) {
        Some(item) => frame(item)?,
        None => return Err(Fault::invalid("`join` needs the other frame", at).into()),
    };
    let on = none(bound.one(1));
    let how = match none(bound.one(2)) {
        None => JoinHow::Inner,
        Some(item) => {
            let at = item.at;
            match convert::string(item, "how")?.as_str() {
                "inner" => JoinHow::Inner,
                "left" => JoinHow::Left,
                "full" => JoinHow::Full,
                "cross" => JoinHow::Cross,
                "semi" => JoinHow::Semi,
                "anti" => JoinHow::Anti,
                other => {
                    let hint = match other {
                        "outer" | "full_outer" | "fullouter" | "outer_coalesce" => {
                            "write `full`".to_owned()
                        }
                        "left_outer" | "leftouter" => "write `left`".to_owned(),
                        "left_semi" | "leftsemi" => "write `semi`".to_owned(),
                        "left_anti" | "leftanti" => "write `anti`".to_owned(),
                        "right" | "right_outer" | "rightouter" => {
                            "swap the two frames and write `left`".to_owned()
                        }
                        _ => "one of `inner`, `left`, `full`, `cross`, `semi`, `anti`".to_owned(),
                    };
                    return Err(Fault::new(
                        "not-implemented",
                        format!("`how` cannot be `{other}`"),
                        at,
                    )
                    .hint(hint)
                    .into());
                }
            }
        }
    };
    let left_on = none(bound.one(3));
    let right_on = none(bound.one(4));
    let suffix = match none(bound.one(5)) {
        Some(item) => convert::string(item, "suffix")?,
        None => "_right".to_owned(),
    };
    let (left_on, right_on) = if how == JoinHow::Cross {
        if let Some(item) = on.or(left_on).or(right_on) {
            return Err(Fault::invalid("a cross join takes no keys", item.at).into());
        }
        (Vec::new(), Vec::new())
    } else {
        keys(on, left_on, right_on, "join", &bound)?
    };
    Ok(vec![Op::Join {
        right,
        how,
        left_on,
        right_on,
        suffix,
        nulls_equal: false,
    }])
}

fn keys(
    on: Option<Item>,
    left_on: Option<Item>,
    right_on: Option<Item>,
    what: &str,
    bound: &Bound,
) -> Outcome<(Vec<String>, Vec<String>)> {
    let (left, right) = match (on, left_on, right_on) {
        (Some(on), None, None) => {
            let keys = names(on, "on")?;
            (keys.clone(), keys)
        }
        (None, Some(left), Some(right)) => {
            let at = right.at;
            let (left, right) = (names(left, "left_on")?, names(right, "right_on")?);
            if left.len() != right.len() {
                let message = format!("{} left keys, but {} right keys", left.len(), right.len());
                return Err(Fault::invalid(message, at).into());
            }
            (left, right)
        }
        (Some(_), Some(extra), _) | (Some(_), None, Some(extra)) => {
            let message = "`on` excludes `left_on` and `right_on`";
            return Err(Fault::invalid(message, extra.at).into());
        }
        (None, _, _) => {
            let message = format!("`{what}` needs `on`, or `left_on` and `right_on`");
            return Err(Fault::invalid(message, bound.at).into());
        }
    };
    if left.is_empty() {
        let message = format!("`{what}` needs at least one key");
        return Err(Fault::invalid(message, bound.at).into());
    }
    Ok((left, right))
}

/// `join_asof(other, *, left_on, right_on, on, by_left, by_right, by, strategy, suffix)`.
pub(super) fn join_asof(mut bound: Bound) -> Outcome<Vec<Op>> {
    let at = bound.at;
    let right = match bound.one(0) {
        Some(item) => frame(item)?,
        None => return Err(Fault::invalid("`join_asof` needs the other frame", at).into()),
    };
    let left_on = none(bound.one(1));
    let right_on = none(bound.one(2));
    let on = none(bound.one(3));
    let by_left = none(bound.one(4));
    let by_right = none(bound.one(5));
    let by = none(bound.one(6));
    let strategy = match none(bound.one(7)) {
        None => AsofStrategy::Backward,
        Some(item) => {
            let at = item.at;
            match convert::string(item, "strategy")?.as_str() {
                "backward" => AsofStrategy::Backward,
                "forward" => AsofStrategy::Forward,
                "nearest" => AsofStrategy::Nearest,
                other => {
                    return Err(Fault::new(
                        "not-implemented",
                        format!("`strategy` cannot be `{other}`"),
                        at,
                    )
                    .hint("one of `backward`, `forward`, `nearest`")
                    .into());
                }
            }
        }
    };
    let suffix = match none(bound.one(8)) {
        Some(item) => convert::string(item, "suffix")?,
        None => "_right".to_owned(),
    };
    let (mut left_on, mut right_on) = keys(on, left_on, right_on, "join_asof", &bound)?;
    let (by_left, by_right) = if by.is_none() && by_left.is_none() && by_right.is_none() {
        (Vec::new(), Vec::new())
    } else {
        match (by, by_left, by_right) {
            (None, Some(_), None) | (None, None, Some(_)) => {
                let message = "`by_left` and `by_right` belong together";
                return Err(Fault::invalid(message, at).into());
            }
            (by, left, right) => keys(by, left, right, "by", &bound)?,
        }
    };
    match (left_on.pop(), right_on.pop()) {
        (Some(left_key), Some(right_key)) if left_on.is_empty() && right_on.is_empty() => {
            Ok(vec![Op::JoinAsof {
                right,
                left_on: left_key,
                right_on: right_key,
                by_left,
                by_right,
                strategy,
                suffix,
            }])
        }
        _ => Err(Fault::invalid("`join_asof` takes one ordered key", at)
            .hint("keys that must be equal belong into `by`")
            .into()),
    }
}

/// `laktory.union(others)`.
pub(super) fn union(mut bound: Bound) -> Outcome<Vec<Op>> {
    stack(bound.one(0), UnionHow::Vertical, &bound)
}

fn stack(others: Option<Item>, how: UnionHow, bound: &Bound) -> Outcome<Vec<Op>> {
    let items = others.map(list).unwrap_or_default();
    if items.is_empty() {
        let message = format!("`{}` needs other frames", bound.name);
        return Err(Fault::invalid(message, bound.at).into());
    }
    let others = collect(items.into_iter().map(frame))?;
    Ok(vec![Op::Union { others, how }])
}

/// `unionByName(other, allowMissingColumns)`.
pub(super) fn union_by_name(mut bound: Bound) -> Outcome<Vec<Op>> {
    let other = bound.one(0);
    // Columns are matched by name in both forms; with missing ones filled, or refused.
    if let Some(item) = none(bound.one(1)) {
        convert::boolean(&item, "allowMissingColumns")?;
    }
    stack(other, UnionHow::Diagonal, &bound)
}

/// `concat(items, how)`: the flowing frame and others.
pub(super) fn concat(mut bound: Bound) -> Outcome<Vec<Op>> {
    let items = bound.one(0);
    let how = match none(bound.one(1)) {
        None => UnionHow::Vertical,
        Some(item) => match convert::one_of(item, "how", &["vertical", "diagonal"])?.as_str() {
            "diagonal" => UnionHow::Diagonal,
            _ => UnionHow::Vertical,
        },
    };
    stack(items, how, &bound)
}
