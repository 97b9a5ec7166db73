//! Selectors of columns: `nw.selectors.numeric()`, and those of Polars that have the same meaning in terms of them.

use laktory_core::{DType, Expr, Selector, TimeUnit};

use super::bind::{Call, bind, optional, required, rest};
use super::convert;
use super::fault::{Fault, Outcome, collect};
use super::types;
use super::value::{Item, Value};

/// Calls the selector at `path`, when it is one.
pub(super) fn call(path: &str, call: Call) -> Outcome<Option<Value>> {
    let Some(name) = path.strip_prefix("selectors.") else {
        return Ok(None);
    };
    let selector = match name {
        "all" => Selector::All,
        "numeric" => Selector::Numeric,
        "string" => Selector::String,
        "boolean" => Selector::Boolean,
        "categorical" => Selector::Categorical,
        "enum" => Selector::Enum,
        "datetime" => return datetime_selector(call).map(Some),
        "by_dtype" => {
            let mut bound = bind(call, &[rest("dtypes", true)], false)?;
            return by_dtype(bound.many(0).unwrap_or_default()).map(Some);
        }
        "matches" => {
            let mut bound = bind(call, &[required("pattern")], false)?;
            return Ok(match bound.one(0) {
                Some(item) => Some(Value::Selector(Selector::Matches(convert::string(
                    item, "pattern",
                )?))),
                None => None,
            });
        }
        _ => return polars_selector(path, call),
    };
    bind(call, &[], false)?;
    Ok(Some(Value::Selector(selector)))
}

pub(super) fn strings(items: Vec<Item>, what: &str) -> Outcome<Vec<String>> {
    collect(items.into_iter().map(|item| convert::string(item, what)))
}

pub(super) fn columns(mut names: Vec<String>) -> Value {
    match names.len() {
        1 => Value::Expr(Expr::Column(names.swap_remove(0))),
        _ => Value::Expr(Expr::Columns(Selector::Names(names))),
    }
}

pub(super) fn by_dtype(items: Vec<Item>) -> Outcome<Value> {
    let mut plain = Vec::new();
    let mut others = Vec::new();
    for item in items {
        match item.value {
            Value::DTypeClass("Datetime") => others.push(Selector::Datetime {
                units: Vec::new(),
                zones: Vec::new(),
            }),
            Value::DTypeClass("Duration") => plain.extend(
                [
                    TimeUnit::Second,
                    TimeUnit::Millisecond,
                    TimeUnit::Microsecond,
                    TimeUnit::Nanosecond,
                ]
                .map(DType::Duration),
            ),
            Value::DTypeClass("Enum") => others.push(Selector::Enum),
            Value::DTypeClass("Struct") => plain.push(DType::Struct(Vec::new())),
            Value::DTypeClass("List") => plain.push(DType::List(Box::new(DType::Unknown))),
            _ => plain.push(types::dtype(item)?),
        }
    }
    let mut selectors = others.into_iter();
    let first = if plain.is_empty() {
        selectors.next().unwrap_or(Selector::DTypes(Vec::new()))
    } else {
        Selector::DTypes(plain)
    };
    Ok(Value::Selector(selectors.fold(first, |left, right| {
        Selector::Union(Box::new(left), Box::new(right))
    })))
}

/// A selector that Polars has beside those of the common API.
fn polars_selector(path: &str, call: Call) -> Outcome<Option<Value>> {
    let dtypes: &[DType] = match path {
        "selectors.date" => &[DType::Date],
        "selectors.float" => &[DType::Float32, DType::Float64],
        "selectors.integer" => &[
            DType::Int8,
            DType::Int16,
            DType::Int32,
            DType::Int64,
            DType::Int128,
            DType::UInt8,
            DType::UInt16,
            DType::UInt32,
            DType::UInt64,
        ],
        "selectors.first" | "selectors.last" => {
            bind(call, &[], false)?;
            let index = if path == "selectors.first" { 0 } else { -1 };
            let column = Expr::Columns(Selector::Nth(vec![index]));
            return Ok(Some(Value::Expr(column)));
        }
        "selectors.by_name"
        | "selectors.contains"
        | "selectors.starts_with"
        | "selectors.ends_with" => {
            let mut bound = bind(call, &[rest("names", true)], false)?;
            let names = strings(bound.many(0).unwrap_or_default(), "names")?;
            return Ok(Some(Value::Selector(match path {
                "selectors.by_name" => Selector::Names(names),
                _ => {
                    let parts: Vec<String> = names.iter().map(|name| escaped(name)).collect();
                    let any = format!("(?:{})", parts.join("|"));
                    Selector::Matches(match path {
                        "selectors.starts_with" => format!("^{any}"),
                        "selectors.ends_with" => format!("{any}$"),
                        _ => any,
                    })
                }
            })));
        }
        _ => return Ok(None),
    };
    bind(call, &[], false)?;
    Ok(Some(Value::Selector(Selector::DTypes(dtypes.to_vec()))))
}

/// A text as regular expression that matches just that text.
fn escaped(text: &str) -> String {
    let mut pattern = String::new();
    for char in text.chars() {
        // Not `<` and `>`: behind a backslash they are borders of words.
        if r".^$|*+?()[]{}\".contains(char) {
            pattern.push('\\');
        }
        pattern.push(char);
    }
    pattern
}

fn datetime_selector(call: Call) -> Outcome<Value> {
    let mut bound = bind(call, &[optional("time_unit"), optional("time_zone")], false)?;
    let list = |item: Option<Item>| match item.map(|item| (item.value, item.at)) {
        None => None,
        Some((Value::List(items), _)) => Some(items),
        Some((value, at)) => Some(vec![Item::new(value, at)]),
    };
    let mut units = Vec::new();
    for item in list(bound.one(0)).unwrap_or_default() {
        let at = item.at;
        if matches!(item.value, Value::None) {
            continue;
        }
        let text = convert::string(item, "time_unit")?;
        units.push(TimeUnit::parse(&text).ok_or_else(|| {
            Fault::invalid(format!("`{text}` is not a time unit"), at)
                .hint("one of `s`, `ms`, `us`, `ns`")
        })?);
    }
    let mut zones = Vec::new();
    for item in list(bound.one(1)).unwrap_or_default() {
        zones.push(match item.value {
            Value::None => None,
            _ => Some(convert::string(item, "time_zone")?),
        });
    }
    Ok(Value::Selector(Selector::Datetime { units, zones }))
}
