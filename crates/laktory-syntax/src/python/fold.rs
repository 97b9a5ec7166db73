//! Arithmetic on constants, subscripts, and the few Python builtins that work on constants. Sizes are bounded:
//! a result that would be large is refused instead of computed.

use ruff_python_ast::Operator;

use super::fault::{At, Fault};
use super::value::{Item, Value};

/// Longest list that a text may build.
const MAX_ITEMS: usize = 10_000;
/// Longest text that a text may build, in bytes.
const MAX_TEXT: usize = 64 * 1024;

fn too_large(what: &str, at: At) -> Fault {
    Fault::new("too-large", format!("{what} is too large"), at)
}

fn unsupported(op: &str, left: &Value, right: &Value, at: At) -> Fault {
    Fault::invalid(
        format!(
            "`{op}` does not work on {} and {}",
            left.kind(),
            right.kind()
        ),
        at,
    )
}

/// `left op right` on constants.
pub(crate) fn binary(op: Operator, left: &Value, right: &Value, at: At) -> Result<Value, Fault> {
    match (left, right) {
        (Value::Str(a), Value::Str(b)) if op == Operator::Add => {
            if a.len() + b.len() > MAX_TEXT {
                return Err(too_large("the text", at));
            }
            Ok(Value::Str(format!("{a}{b}")))
        }
        (Value::List(a), Value::List(b)) if op == Operator::Add => {
            if a.len() + b.len() > MAX_ITEMS {
                return Err(too_large("the list", at));
            }
            Ok(Value::List(a.iter().chain(b).cloned().collect()))
        }
        (Value::Str(text), Value::Int(times)) | (Value::Int(times), Value::Str(text))
            if op == Operator::Mult =>
        {
            let times = usize::try_from((*times).max(0)).unwrap_or(usize::MAX);
            if text.len().saturating_mul(times) > MAX_TEXT {
                return Err(too_large("the text", at));
            }
            Ok(Value::Str(text.repeat(times)))
        }
        (Value::List(items), Value::Int(times)) | (Value::Int(times), Value::List(items))
            if op == Operator::Mult =>
        {
            let times = usize::try_from((*times).max(0)).unwrap_or(usize::MAX);
            if items.len().saturating_mul(times) > MAX_ITEMS {
                return Err(too_large("the list", at));
            }
            let total = items.len() * times;
            Ok(Value::List(
                items.iter().cycle().take(total).cloned().collect(),
            ))
        }
        _ => numbers(op, left, right, at),
    }
}

fn integer(value: &Value) -> Option<i128> {
    match value {
        Value::Int(value) => Some(*value),
        Value::Bool(value) => Some(i128::from(*value)),
        _ => None,
    }
}

#[allow(
    clippy::cast_precision_loss,
    reason = "Python converts integers to floats in mixed arithmetic"
)]
pub(crate) fn float(value: &Value) -> Option<f64> {
    match value {
        Value::Float(value) => Some(*value),
        other => integer(other).map(|value| value as f64),
    }
}

fn numbers(op: Operator, left: &Value, right: &Value, at: At) -> Result<Value, Fault> {
    if let (Some(a), Some(b)) = (integer(left), integer(right)) {
        let zero = || Fault::invalid("division by zero", at);
        let overflow = || too_large("the number", at);
        let value = match op {
            Operator::Add => a.checked_add(b),
            Operator::Sub => a.checked_sub(b),
            Operator::Mult => a.checked_mul(b),
            Operator::FloorDiv if b == 0 => return Err(zero()),
            Operator::FloorDiv => a
                .checked_div_euclid(b)
                .map(|quotient| quotient - i128::from(b < 0 && a.rem_euclid(b) != 0)),
            Operator::Mod if b == 0 => return Err(zero()),
            Operator::Mod => a
                .checked_rem_euclid(b)
                .map(|rest| if b < 0 && rest != 0 { rest + b } else { rest }),
            Operator::Pow if b >= 0 => u32::try_from(b).ok().and_then(|b| a.checked_pow(b)),
            Operator::BitAnd => Some(a & b),
            Operator::BitOr => Some(a | b),
            Operator::BitXor => Some(a ^ b),
            Operator::LShift => u32::try_from(b)
                .ok()
                .and_then(|b| 2_i128.checked_pow(b))
                .and_then(|b| a.checked_mul(b)),
            Operator::RShift => u32::try_from(b).ok().map(|b| a >> b.min(127)),
            Operator::Div | Operator::Pow => return floats(op, left, right, at),
            Operator::MatMult => return Err(unsupported("@", left, right, at)),
        };
        return value.map(Value::Int).ok_or_else(overflow);
    }
    floats(op, left, right, at)
}

fn floats(op: Operator, left: &Value, right: &Value, at: At) -> Result<Value, Fault> {
    let (Some(a), Some(b)) = (float(left), float(right)) else {
        return Err(unsupported(op.as_str(), left, right, at));
    };
    let divides = matches!(op, Operator::Div | Operator::FloorDiv | Operator::Mod);
    if divides && b == 0.0 {
        return Err(Fault::invalid("division by zero", at));
    }
    Ok(Value::Float(match op {
        Operator::Add => a + b,
        Operator::Sub => a - b,
        Operator::Mult => a * b,
        Operator::Div => a / b,
        Operator::FloorDiv => (a / b).floor(),
        Operator::Mod => a - b * (a / b).floor(),
        Operator::Pow => a.powf(b),
        _ => return Err(unsupported(op.as_str(), left, right, at)),
    }))
}

/// Whether two constants are equal; `None` when they cannot be compared here.
pub(crate) fn equal(left: &Value, right: &Value) -> Option<bool> {
    match (left, right) {
        (Value::Str(a), Value::Str(b)) => Some(a == b),
        (Value::None, Value::None) => Some(true),
        (Value::None, Value::Str(_) | Value::Int(_) | Value::Float(_) | Value::Bool(_))
        | (Value::Str(_) | Value::Int(_) | Value::Float(_) | Value::Bool(_), Value::None)
        | (Value::Str(_), Value::Int(_) | Value::Float(_) | Value::Bool(_))
        | (Value::Int(_) | Value::Float(_) | Value::Bool(_), Value::Str(_)) => Some(false),
        _ => match (integer(left), integer(right)) {
            (Some(a), Some(b)) => Some(a == b),
            _ => Some(float(left)? == float(right)?),
        },
    }
}

/// How two constants are ordered.
pub(crate) fn order(left: &Value, right: &Value) -> Option<std::cmp::Ordering> {
    match (left, right) {
        (Value::Str(a), Value::Str(b)) => Some(a.cmp(b)),
        _ => match (integer(left), integer(right)) {
            (Some(a), Some(b)) => Some(a.cmp(&b)),
            _ => float(left)?.partial_cmp(&float(right)?),
        },
    }
}

/// Whether Python takes the constant for true.
pub(crate) fn truth(value: &Value) -> Option<bool> {
    Some(match value {
        Value::None => false,
        Value::Bool(value) => *value,
        Value::Int(value) => *value != 0,
        Value::Float(value) => *value != 0.0,
        Value::Str(value) => !value.is_empty(),
        Value::Bytes(value) => !value.is_empty(),
        Value::List(items) => !items.is_empty(),
        Value::Dict(items) => !items.is_empty(),
        _ => return None,
    })
}

/// `value[index]` on constants.
pub(crate) fn subscript(value: &Value, index: &Value, at: At) -> Result<Item, Fault> {
    let outside = || Fault::invalid("index outside of the list", at);
    match (value, index) {
        (Value::List(items), Value::Int(index)) => {
            let length = i128::try_from(items.len()).unwrap_or(i128::MAX);
            let index = if *index < 0 { index + length } else { *index };
            usize::try_from(index)
                .ok()
                .and_then(|index| items.get(index))
                .cloned()
                .ok_or_else(outside)
        }
        (Value::Str(text), Value::Int(index)) => {
            let chars: Vec<char> = text.chars().collect();
            let length = i128::try_from(chars.len()).unwrap_or(i128::MAX);
            let index = if *index < 0 { index + length } else { *index };
            usize::try_from(index)
                .ok()
                .and_then(|index| chars.get(index))
                .map(|char| Item::new(Value::Str(char.to_string()), at))
                .ok_or_else(outside)
        }
        (Value::Dict(items), key) => items
            .iter()
            .find(|(known, _)| equal(&known.value, key) == Some(true))
            .map(|(_, value)| value.clone())
            .ok_or_else(|| Fault::invalid("the mapping has no such key", at)),
        (other, _) => Err(Fault::invalid(
            format!("{} cannot be indexed with {}", other.kind(), index.kind()),
            at,
        )
        .hint("elements of a list column: `.list.get(0)`; fields of a struct: `.struct.field('name')`")),
    }
}

/// A call of a builtin with constants.
pub(crate) fn builtin(
    name: &str,
    args: &[Item],
    kwargs: &[(String, Item)],
    at: At,
) -> Result<Value, Fault> {
    if name == "dict" {
        return dict(args, kwargs, at);
    }
    if let Some((keyword, _)) = kwargs.first() {
        return Err(Fault::invalid(
            format!("`{name}()` has no argument `{keyword}`"),
            at,
        ));
    }
    let values: Vec<&Value> = args.iter().map(|item| &item.value).collect();
    if values.iter().any(|value| value.is_expression()) {
        return Err(
            Fault::invalid(format!("`{name}()` works on constants, not on columns"), at)
                .hint(builtin_hint(name)),
        );
    }
    match (name, values.as_slice()) {
        ("range", _) => range(&values, at),
        ("list" | "tuple" | "set", []) => Ok(Value::List(Vec::new())),
        ("list" | "tuple" | "set" | "sorted", [Value::List(items)]) => {
            Ok(Value::List(items.clone()))
        }
        ("list" | "tuple" | "set", [Value::Dict(items)]) => Ok(Value::List(
            items.iter().map(|(key, _)| key.clone()).collect(),
        )),
        ("list" | "tuple" | "set", [Value::Str(text)]) => Ok(Value::List(
            text.chars()
                .take(MAX_ITEMS)
                .map(|char| Item::new(Value::Str(char.to_string()), at))
                .collect(),
        )),
        ("len", [Value::Str(text)]) => Ok(count(text.chars().count())),
        ("len", [Value::List(items)]) => Ok(count(items.len())),
        ("len", [Value::Dict(items)]) => Ok(count(items.len())),
        ("str", [value]) => display(value, at).map(Value::Str),
        ("int", [Value::Str(text)]) => text
            .trim()
            .replace('_', "")
            .parse()
            .map(Value::Int)
            .map_err(|_| Fault::invalid(format!("`{text}` is not an integer"), at)),
        ("int", [Value::Float(value)]) if value.is_finite() && value.abs() < 1e18 =>
        {
            #[allow(clippy::cast_possible_truncation, reason = "bounded by the guard")]
            Ok(Value::Int(value.trunc() as i128))
        }
        ("int", [value]) => integer(value)
            .map(Value::Int)
            .ok_or_else(|| bad_argument(name, value, at)),
        ("float", [Value::Str(text)]) => parse_float(text)
            .map(Value::Float)
            .ok_or_else(|| Fault::invalid(format!("`{text}` is not a number"), at)),
        ("float", [value]) => float(value)
            .map(Value::Float)
            .ok_or_else(|| bad_argument(name, value, at)),
        ("bool", [value]) => truth(value)
            .map(Value::Bool)
            .ok_or_else(|| bad_argument(name, value, at)),
        ("abs", [Value::Int(value)]) => Ok(Value::Int(value.saturating_abs())),
        ("abs", [Value::Float(value)]) => Ok(Value::Float(value.abs())),
        ("round", [Value::Int(value)]) => Ok(Value::Int(*value)),
        ("round", [Value::Float(value)]) if value.is_finite() && value.abs() < 1e18 =>
        {
            #[allow(clippy::cast_possible_truncation, reason = "bounded by the guard")]
            Ok(Value::Int(value.round_ties_even() as i128))
        }
        ("round", [Value::Float(value), Value::Int(decimals)])
            if value.is_finite() && (0..=15).contains(decimals) =>
        {
            let decimals = usize::try_from(*decimals).unwrap_or(0);
            let rounded = format!("{value:.decimals$}");
            Ok(Value::Float(rounded.parse().unwrap_or(*value)))
        }
        ("round", [Value::Int(value), Value::Int(decimals)]) if *decimals >= 0 => {
            Ok(Value::Int(*value))
        }
        ("min" | "max", [Value::List(items)]) => extreme(name, items, at),
        ("min" | "max", [_, _, ..]) => extreme(name, args, at),
        ("sum", [Value::List(items)]) => {
            let mut total = Value::Int(0);
            for item in items {
                total = binary(Operator::Add, &total, &item.value, at)?;
            }
            Ok(total)
        }
        (_, [value]) => Err(bad_argument(name, value, at)),
        _ => Err(Fault::invalid(
            format!("`{name}()` does not take {} arguments", values.len()),
            at,
        )),
    }
}

fn bad_argument(name: &str, value: &Value, at: At) -> Fault {
    Fault::invalid(format!("`{name}()` does not take {}", value.kind()), at)
}

fn builtin_hint(name: &str) -> String {
    match name {
        "abs" | "round" | "len" => format!("write `.{name}()` behind the expression"),
        "min" | "max" | "sum" => {
            format!("write `.{name}()` behind the expression, or `nw.{name}_horizontal(...)`")
        }
        "int" => "write `.cast(nw.Int64())`".into(),
        "float" => "write `.cast(nw.Float64())`".into(),
        "str" => "write `.cast(nw.String())`".into(),
        _ => "write it with methods of `nw.col(...)`".into(),
    }
}

fn count(length: usize) -> Value {
    Value::Int(i128::try_from(length).unwrap_or(i128::MAX))
}

fn parse_float(text: &str) -> Option<f64> {
    match text.trim().to_ascii_lowercase().as_str() {
        "inf" | "+inf" | "infinity" | "+infinity" => Some(f64::INFINITY),
        "-inf" | "-infinity" => Some(f64::NEG_INFINITY),
        "nan" | "+nan" | "-nan" => Some(f64::NAN),
        other => other.replace('_', "").parse().ok(),
    }
}

fn range(values: &[&Value], at: At) -> Result<Value, Fault> {
    let numbers: Option<Vec<i128>> = values.iter().map(|value| integer(value)).collect();
    let (start, stop, step) = match numbers.as_deref() {
        Some([stop]) => (0, *stop, 1),
        Some([start, stop]) => (*start, *stop, 1),
        Some([start, stop, step]) if *step != 0 => (*start, *stop, *step),
        _ => return Err(Fault::invalid("`range()` takes one to three integers", at)),
    };
    let mut items = Vec::new();
    let mut next = start;
    while if step > 0 { next < stop } else { next > stop } {
        if items.len() == MAX_ITEMS {
            return Err(too_large("the range", at));
        }
        items.push(Item::new(Value::Int(next), at));
        next = next.saturating_add(step);
    }
    Ok(Value::List(items))
}

fn dict(args: &[Item], kwargs: &[(String, Item)], at: At) -> Result<Value, Fault> {
    let mut entries: Vec<(Item, Item)> = Vec::new();
    for arg in args {
        match &arg.value {
            Value::Dict(more) => entries.extend(more.iter().cloned()),
            Value::List(pairs) => {
                for pair in pairs {
                    match &pair.value {
                        Value::List(pair) if pair.len() == 2 => {
                            entries.push((pair[0].clone(), pair[1].clone()));
                        }
                        _ => return Err(Fault::invalid("`dict()` takes pairs", pair.at)),
                    }
                }
            }
            other => return Err(bad_argument("dict", other, arg.at)),
        }
    }
    for (key, value) in kwargs {
        entries.push((Item::new(Value::Str(key.clone()), at), value.clone()));
    }
    Ok(Value::Dict(entries))
}

fn extreme(name: &str, items: &[Item], at: At) -> Result<Value, Fault> {
    let wanted = if name == "min" {
        std::cmp::Ordering::Less
    } else {
        std::cmp::Ordering::Greater
    };
    let mut best: Option<&Value> = None;
    for item in items {
        best = match best {
            None => Some(&item.value),
            Some(known) => match order(&item.value, known) {
                Some(found) if found == wanted => Some(&item.value),
                Some(_) => Some(known),
                None => return Err(bad_argument(name, &item.value, at)),
            },
        };
    }
    best.cloned()
        .ok_or_else(|| Fault::invalid(format!("`{name}()` of nothing"), at))
}

/// A constant as Python's `str()` shows it.
pub(crate) fn display(value: &Value, at: At) -> Result<String, Fault> {
    Ok(match value {
        Value::None => "None".into(),
        Value::Bool(true) => "True".into(),
        Value::Bool(false) => "False".into(),
        Value::Int(value) => value.to_string(),
        Value::Float(value) if value.is_nan() => "nan".into(),
        Value::Float(value) => format!("{value:?}"),
        Value::Str(text) => text.clone(),
        other => {
            return Err(Fault::invalid(
                format!("{} has no text form here", other.kind()),
                at,
            ));
        }
    })
}
