//! Texts made of texts: replaced, cut, padded and split.

use std::sync::Arc;

use arrow::array::{AsArray, Int64Array, LargeListBuilder, StringViewArray, StringViewBuilder};
use arrow::datatypes::DataType;
use laktory_core::semantics::text::position;
use laktory_core::{DType, Func, Result};
use regex::{NoExpand, Regex};

use super::text::{joined, mapped_value, text};
use super::{Call, FULL, Row};
use crate::cast::cast;
use crate::expr::{Value, kernel};
use crate::unsupported;

pub(super) const ROWS: &[Row] = &[
    (Func::StrReplace, FULL, |call| match call.int("n")? {
        ..0 => replaced(call, None),
        _ => replaced(call, Some(call.count("n")?)),
    }),
    (Func::StrReplaceAll, FULL, |call| replaced(call, None)),
    (Func::StrPadStart, FULL, |call| padded(call, true)),
    (Func::StrPadEnd, FULL, |call| padded(call, false)),
    (Func::StrZfill, FULL, |call| {
        let width = call.count("width")?;
        mapped_value(call, call.receiver()?, move |text| {
            let (sign, digits) = match text.strip_prefix(['+', '-']) {
                Some(digits) => text.split_at(text.len() - digits.len()),
                None => ("", text),
            };
            let missing = width.saturating_sub(text.chars().count());
            format!("{sign}{}{digits}", "0".repeat(missing))
        })
    }),
    (Func::StrSplit, FULL, split),
    (Func::StringSplit, FULL, |call| {
        let (by, key) = (call.text("pattern")?.to_owned(), call.count("key")?);
        optional(call, call.receiver()?, move |text| {
            text.split(by.as_str()).nth(key)
        })
    }),
    (Func::SqlSubstring, FULL, substring),
    (Func::SqlReverse, FULL, |call| {
        mapped_value(call, call.value("x")?, |text| text.chars().rev().collect())
    }),
    (Func::SqlPosition, FULL, |call| {
        let args = vec![
            text(call, call.value("x")?)?,
            text(call, call.value("text")?)?,
        ];
        Ok(kernel(args, DataType::Int64, |arrays| {
            let texts = arrays[0].as_string_view().iter();
            let positions = texts
                .zip(arrays[1].as_string_view())
                .map(|(text, part)| Some(position(text?, part?)));
            Ok(Arc::new(positions.collect::<Int64Array>()))
        }))
    }),
    (Func::SqlRegexpExtract, FULL, |call| {
        let pattern = regex(call, call.text("pattern")?)?;
        let group = call.count("group")?;
        optional(call, call.value("x")?, move |text| {
            Some(pattern.captures(text)?.get(group)?.as_str())
        })
    }),
    (Func::SqlConcat, FULL, |call| {
        let values = call.values("exprs")?.into_iter();
        let values = values.map(|value| cast(value, &DType::String, true));
        Ok(joined(values.collect::<Result<Vec<_>>>()?, "", true))
    }),
];

fn regex(call: &Call<'_, '_>, pattern: &str) -> Result<Regex> {
    Regex::new(pattern).map_err(|error| {
        call.invalid(&format!("`{pattern}` is no regular expression"))
            .with_source(error)
    })
}

/// A part of each text, where there is one.
fn optional(
    call: &Call<'_, '_>,
    value: Value,
    part: impl for<'t> Fn(&'t str) -> Option<&'t str> + Send + Sync + 'static,
) -> Result<Value> {
    let value = text(call, value)?;
    Ok(kernel(vec![value], DataType::Utf8View, move |arrays| {
        let texts = arrays[0].as_string_view().iter();
        let parts = texts.map(|text| part(text?));
        Ok(Arc::new(parts.collect::<StringViewArray>()))
    }))
}

/// The first matches of a pattern replaced, or all of them.
fn replaced(call: &Call<'_, '_>, limit: Option<usize>) -> Result<Value> {
    let args = vec![
        text(call, call.receiver()?)?,
        text(call, call.value("value")?)?,
    ];
    let literal = call.flag("literal")?;
    let pattern = match literal {
        true => regex(call, &regex::escape(call.text("pattern")?))?,
        false => regex(call, call.text("pattern")?)?,
    };
    if limit == Some(0) {
        return Ok(args[0].clone());
    }
    // The crate takes 0 for all.
    let limit = limit.unwrap_or(0);
    Ok(kernel(args, DataType::Utf8View, move |arrays| {
        let texts = arrays[0].as_string_view().iter();
        let out = texts
            .zip(arrays[1].as_string_view())
            .map(|(text, value)| match literal {
                true => Some(pattern.replacen(text?, limit, NoExpand(value?))),
                false => Some(pattern.replacen(text?, limit, value?)),
            });
        Ok(Arc::new(out.collect::<StringViewArray>()))
    }))
}

fn padded(call: &Call<'_, '_>, start: bool) -> Result<Value> {
    let (length, fill) = (call.count("length")?, call.character("fill_char")?);
    mapped_value(call, call.receiver()?, move |text| {
        let missing = length.saturating_sub(text.chars().count());
        let padding: String = std::iter::repeat_n(fill, missing).collect();
        match start {
            true => padding + text,
            false => text.to_owned() + &padding,
        }
    })
}

/// Characters from position 1 on. Positions before the text count, and are not in it.
fn substring(call: &Call<'_, '_>) -> Result<Value> {
    let (start, length) = (call.int("start")?, call.opt_int("length")?);
    if length.is_some_and(|length| length < 0) {
        return Err(call.invalid("the length cannot be negative"));
    }
    let first = start.max(1);
    let count = length.map(|length| start.saturating_add(length).saturating_sub(first).max(0));
    let places = |count: i64| usize::try_from(count).unwrap_or(usize::MAX);
    let (skipped, count) = (places(first - 1), count.map_or(usize::MAX, places));
    mapped_value(call, call.value("x")?, move |text| {
        text.chars().skip(skipped).take(count).collect()
    })
}

/// The parts between a separator. Without a separator every character is one.
fn split(call: &Call<'_, '_>) -> Result<Value> {
    let by = call.text("by")?.to_owned();
    let Some(dtype) = DType::List(Box::new(DType::String)).to_arrow() else {
        return Err(unsupported("a list of texts"));
    };
    let value = text(call, call.receiver()?)?;
    let DataType::LargeList(element) = dtype.clone() else {
        return Err(unsupported("this encoding of lists"));
    };
    Ok(kernel(vec![value], dtype, move |arrays| {
        let mut lists =
            LargeListBuilder::new(StringViewBuilder::new()).with_field(Arc::clone(&element));
        for text in arrays[0].as_string_view() {
            match text {
                Some(text) if by.is_empty() => {
                    for (at, character) in text.char_indices() {
                        let end = at + character.len_utf8();
                        lists.values().append_value(&text[at..end]);
                    }
                }
                Some(text) => text
                    .split(by.as_str())
                    .for_each(|part| lists.values().append_value(part)),
                None => {}
            }
            lists.append(text.is_some());
        }
        Ok(Arc::new(lists.finish()))
    }))
}
