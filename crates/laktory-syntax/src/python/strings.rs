//! The few methods of Python texts and mappings that help in comprehensions: `name.upper()`, `mapping.items()`.

use super::bind::Call;
use super::fault::{Fault, Outcome};
use super::value::{Item, Value};

fn unknown(what: &str, path: &str, call: &Call) -> Fault {
    Fault::new(
        "unknown-name",
        format!("{what} has no method `{path}`"),
        call.at,
    )
}

/// A method of a text.
pub(crate) fn call(text: &str, path: &str, call: &Call) -> Outcome<Value> {
    if !call.kwargs.is_empty() {
        return Err(
            Fault::invalid(format!("`{path}()` takes no keyword argument"), call.at).into(),
        );
    }
    let values: Vec<&Value> = call.args.iter().map(|item| &item.value).collect();
    Ok(match (path, values.as_slice()) {
        ("upper", []) => Value::Str(text.to_uppercase()),
        ("lower", []) => Value::Str(text.to_lowercase()),
        ("strip", []) => Value::Str(text.trim().to_owned()),
        ("split", []) => list(text.split_whitespace(), call),
        ("split", [Value::Str(by)]) if !by.is_empty() => list(text.split(by.as_str()), call),
        ("startswith", [Value::Str(part)]) => Value::Bool(text.starts_with(part.as_str())),
        ("endswith", [Value::Str(part)]) => Value::Bool(text.ends_with(part.as_str())),
        _ => {
            let fault = unknown("a text", path, call);
            return Err(fault
                .hint("methods of columns follow `nw.col(...)`; a text in quotes is a constant")
                .into());
        }
    })
}

fn list<'a>(parts: impl Iterator<Item = &'a str>, call: &Call) -> Value {
    Value::List(
        parts
            .map(|part| Item::new(Value::Str(part.to_owned()), call.at))
            .collect(),
    )
}

/// A method of a mapping.
pub(crate) fn dict(entries: &[(Item, Item)], path: &str, call: &Call) -> Outcome<Value> {
    let items = entries.iter();
    Ok(Value::List(match path {
        "keys" => items.map(|(key, _)| key.clone()).collect(),
        "values" => items.map(|(_, value)| value.clone()).collect(),
        "items" => items
            .map(|(key, value)| Item::new(Value::List(vec![key.clone(), value.clone()]), call.at))
            .collect(),
        _ => return Err(unknown("a mapping", path, call).into()),
    }))
}
