//! Searching and replacing by regular expressions and literal texts.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, BooleanArray, StringViewArray};
use datafusion::arrow::datatypes::DataType;
use laktory_core::semantics::text::Room;
use laktory_core::{Error, ErrorKind, Result};
use regex::{NoExpand, Regex};

use super::{constant_text, text};
use crate::expr::Value;
use crate::funcs::{Call, arrays};
use crate::kernel::kernel;

/// A regular expression.
///
/// # Errors
/// `InvalidArgument`.
pub(crate) fn regex(pattern: &str) -> Result<Regex> {
    Regex::new(pattern).map_err(|error| {
        Error::new(
            ErrorKind::InvalidArgument,
            format!("`{pattern}` is not a regular expression"),
        )
        .with_hint("to search for the text as it is, pass `literal=True`")
        .with_source(error)
    })
}

/// `str.contains`.
pub(super) fn contains(call: &Call<'_, '_>) -> Result<Value> {
    let this = text(call, call.receiver()?)?;
    let pattern = text(call, call.value("pattern")?)?;
    let literal = call.flag("literal")?;
    if let Some(pattern) = constant_text(&pattern) {
        let name = format!("contains({pattern:?}, {literal})");
        if literal {
            let pattern = pattern.to_owned();
            return Ok(matching(name, this, move |text| text.contains(&pattern)));
        }
        let pattern = regex(pattern)?;
        return Ok(matching(name, this, move |text| pattern.is_match(text)));
    }
    Ok(kernel(
        format!("contains({literal})"),
        vec![this, pattern],
        DataType::Boolean,
        move |arrays| {
            let (texts, patterns) = (arrays::texts(&arrays[0])?, arrays::texts(&arrays[1])?);
            let mut known: HashMap<&str, Regex> = HashMap::new();
            let mut out = Vec::with_capacity(texts.len());
            for (text, pattern) in texts.iter().zip(patterns.iter()) {
                out.push(match (text, pattern) {
                    (Some(text), Some(pattern)) if literal => Some(text.contains(pattern)),
                    (Some(text), Some(pattern)) => Some(match known.get(pattern) {
                        Some(known) => known.is_match(text),
                        None => {
                            let new = regex(pattern)?;
                            let found = new.is_match(text);
                            known.insert(pattern, new);
                            found
                        }
                    }),
                    _ => None,
                });
            }
            Ok(Arc::new(BooleanArray::from(out)))
        },
    ))
}

/// A truth value of each text.
pub(crate) fn matching(
    name: String,
    this: Value,
    matches: impl Fn(&str) -> bool + Send + Sync + 'static,
) -> Value {
    kernel(name, vec![this], DataType::Boolean, move |arrays| {
        let texts = arrays::texts(&arrays[0])?;
        let out: BooleanArray = texts.iter().map(|text| Some(matches(text?))).collect();
        Ok(Arc::new(out))
    })
}

/// `str.replace` and `str.replace_all`: the first `limit` matches, or all.
pub(super) fn replace(call: &Call<'_, '_>, limit: Option<usize>) -> Result<Value> {
    let this = text(call, call.receiver()?)?;
    let value = text(call, call.value("value")?)?;
    let (pattern, literal) = (call.text("pattern")?, call.flag("literal")?);
    let name = format!("replace({pattern:?}, {literal}, {limit:?})");
    let pattern = if literal {
        regex(&regex::escape(pattern))?
    } else {
        regex(pattern)?
    };
    Ok(kernel(
        name,
        vec![this, value],
        DataType::Utf8View,
        move |arrays: &[ArrayRef]| {
            let (texts, values) = (arrays::texts(&arrays[0])?, arrays::texts(&arrays[1])?);
            let mut room = Room::of(texts.len());
            let made = texts.iter().zip(values.iter()).map(|pair| match pair {
                (Some(text), Some(value)) => {
                    // Where nothing can be found more often than there are bytes, few texts have to be searched twice.
                    if room.is_exceeded_by((text.len() + 1).saturating_mul(value.len() + 1)) {
                        let found = match limit {
                            None => pattern.find_iter(text).count(),
                            Some(limit) => pattern.find_iter(text).take(limit).count(),
                        };
                        let mut needed = room;
                        needed.take(found.saturating_mul(value.len()))?;
                    }
                    let text = replaced(text, &pattern, value, literal, limit);
                    room.take(text.len())?;
                    Ok(Some(text))
                }
                _ => Ok(None),
            });
            let out = made.collect::<Result<StringViewArray>>()?;
            Ok(Arc::new(out))
        },
    ))
}

fn replaced<'t>(
    text: &'t str,
    pattern: &Regex,
    value: &str,
    literal: bool,
    limit: Option<usize>,
) -> Cow<'t, str> {
    // Zero means all for the library.
    let limit = match limit {
        Some(0) => return Cow::Borrowed(text),
        Some(limit) => limit,
        None => 0,
    };
    if literal {
        pattern.replacen(text, limit, NoExpand(value))
    } else {
        pattern.replacen(text, limit, value)
    }
}
