//! Functions of texts. Lengths and positions count characters.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, StringViewArray, UInt32Array};
use arrow::datatypes::DataType;
use laktory_core::semantics::text::{like_regex, titlecase};
use laktory_core::{DType, Error, ErrorKind, Func, Result, Scalar};
use regex::Regex;

use super::{Call, FULL, Row};
use crate::cast::{cast, convert};
use crate::expr::{Value, kernel};
use crate::types::{is_text, shown};
use crate::unsupported;

pub(super) const ROWS: &[Row] = &[
    (Func::StrLenChars, FULL, |call| {
        let value = text(call, call.receiver()?)?;
        Ok(kernel(vec![value], DataType::UInt32, |arrays| {
            let texts = arrays[0].as_string_view().iter();
            let lengths = texts.map(|text| u32::try_from(text?.chars().count()).ok());
            Ok(Arc::new(lengths.collect::<UInt32Array>()))
        }))
    }),
    (Func::StrContains, FULL, contains),
    (Func::StrStartsWith, FULL, |call| {
        let args = [call.receiver()?, call.value("prefix")?];
        asked(call, args, |text, part| text.starts_with(part))
    }),
    (Func::StrEndsWith, FULL, |call| {
        let args = [call.receiver()?, call.value("suffix")?];
        asked(call, args, |text, part| text.ends_with(part))
    }),
    (Func::StrToLowercase, FULL, |call| {
        mapped(call, str::to_lowercase)
    }),
    (Func::StrToUppercase, FULL, |call| {
        mapped(call, str::to_uppercase)
    }),
    (Func::StrToTitlecase, FULL, |call| mapped(call, titlecase)),
    (Func::StrStripChars, FULL, |call| strip(call, true, true)),
    (Func::StrStripCharsStart, FULL, |call| {
        strip(call, true, false)
    }),
    (Func::StrStripCharsEnd, FULL, |call| {
        strip(call, false, true)
    }),
    (Func::StrSlice, FULL, |call| {
        sliced(call, call.int("offset")?, call.opt_count("length")?)
    }),
    (Func::StrHead, FULL, |call| match call.int("n")? {
        n if n >= 0 => sliced(call, 0, Some(call.count("n")?)),
        n => mapped(call, move |text| {
            let count = text.chars().count().saturating_sub(distance(n));
            text.chars().take(count).collect()
        }),
    }),
    (Func::StrTail, FULL, |call| match call.int("n")? {
        n if n >= 0 => sliced(call, -n, None),
        n => mapped(call, move |text| text.chars().skip(distance(n)).collect()),
    }),
    (Func::ConcatStr, FULL, |call| {
        let values = call.values("exprs")?;
        let values = values
            .into_iter()
            .map(|value| cast(value, &DType::String, true));
        let values = values.collect::<Result<Vec<_>>>()?;
        Ok(joined(
            values,
            call.text("separator")?,
            call.flag("ignore_nulls")?,
        ))
    }),
    (Func::SqlLike, FULL, |call| {
        let escape = call
            .opt_text("escape")?
            .and_then(|escape| escape.chars().next());
        let pattern = like_regex(
            call.text("pattern")?,
            escape,
            call.flag("case_insensitive")?,
        );
        matching(call, &pattern)
    }),
];

/// A value that must be a text; a null of no type becomes one.
///
/// # Errors
/// `TypeMismatch`.
pub(super) fn text(call: &Call<'_, '_>, value: Value) -> Result<Value> {
    match &value.dtype {
        DataType::Null => convert(value, &DataType::Utf8View),
        dtype if is_text(dtype) => Ok(value),
        dtype => Err(Error::new(
            ErrorKind::TypeMismatch,
            format!(
                "`{}` does not take values of type {}",
                call.func().def().path,
                shown(dtype)
            ),
        )),
    }
}

/// A text made of each text.
fn mapped(
    call: &Call<'_, '_>,
    function: impl Fn(&str) -> String + Send + Sync + 'static,
) -> Result<Value> {
    mapped_value(call, call.receiver()?, function)
}

/// A text made of each text of a value.
pub(super) fn mapped_value(
    call: &Call<'_, '_>,
    value: Value,
    function: impl Fn(&str) -> String + Send + Sync + 'static,
) -> Result<Value> {
    let value = text(call, value)?;
    Ok(kernel(vec![value], DataType::Utf8View, move |arrays| {
        let texts = arrays[0].as_string_view().iter();
        let texts = texts.map(|text| text.map(&function));
        Ok(Arc::new(texts.collect::<StringViewArray>()))
    }))
}

/// A question about each text and a part, which may be a column.
fn asked(
    call: &Call<'_, '_>,
    [value, part]: [Value; 2],
    ask: fn(&str, &str) -> bool,
) -> Result<Value> {
    let args = vec![text(call, value)?, text(call, part)?];
    Ok(kernel(args, DataType::Boolean, move |arrays| {
        let (texts, parts) = (arrays[0].as_string_view(), arrays[1].as_string_view());
        let answers = texts.iter().zip(parts.iter());
        let answers = answers.map(|(text, part)| Some(ask(text?, part?)));
        Ok(Arc::new(answers.collect::<BooleanArray>()))
    }))
}

fn contains(call: &Call<'_, '_>) -> Result<Value> {
    let args = [call.receiver()?, call.value("pattern")?];
    if call.flag("literal")? {
        return asked(call, args, |text, part| text.contains(part));
    }
    match &args[1].constant {
        Some(Scalar::Str(pattern)) => matching(call, pattern),
        _ => Err(unsupported(
            "`str.contains` with a pattern that is no constant",
        )),
    }
}

/// Whether each text matches a pattern somewhere.
fn matching(call: &Call<'_, '_>, pattern: &str) -> Result<Value> {
    let regex = Regex::new(pattern).map_err(|error| {
        call.invalid(&format!("`{pattern}` is no regular expression"))
            .with_source(error)
    })?;
    let value = text(call, call.receiver()?)?;
    Ok(kernel(vec![value], DataType::Boolean, move |arrays| {
        let texts = arrays[0].as_string_view().iter();
        let answers = texts.map(|text| text.map(|text| regex.is_match(text)));
        Ok(Arc::new(answers.collect::<BooleanArray>()))
    }))
}

fn strip(call: &Call<'_, '_>, start: bool, end: bool) -> Result<Value> {
    let characters = call.opt_text("characters")?.map(str::to_owned);
    mapped(call, move |text| {
        let off = |character: char| match &characters {
            Some(characters) => characters.contains(character),
            // One side only is stripped of the white space of ASCII, as in Polars.
            None if start && end => character.is_whitespace(),
            None => matches!(character, ' ' | '\t'..='\r'),
        };
        let text = if start {
            text.trim_start_matches(off)
        } else {
            text
        };
        let text = if end {
            text.trim_end_matches(off)
        } else {
            text
        };
        text.to_owned()
    })
}

fn distance(n: i64) -> usize {
    usize::try_from(n.unsigned_abs()).unwrap_or(usize::MAX)
}

/// Characters from an offset on, which counts from the end when it is negative. What lies before the text is cut.
fn sliced(call: &Call<'_, '_>, offset: i64, length: Option<usize>) -> Result<Value> {
    mapped(call, move |text| {
        let count = text.chars().count();
        let (start, before) = match usize::try_from(offset) {
            Ok(offset) => (offset, 0),
            Err(_) => {
                let back = distance(offset);
                (count.saturating_sub(back), back.saturating_sub(count))
            }
        };
        let length = length.map_or(count, |length| length.saturating_sub(before));
        text.chars().skip(start).take(length).collect()
    })
}

/// Texts joined. A null makes the whole null, unless nulls are skipped.
pub(super) fn joined(values: Vec<Value>, separator: &str, skip_nulls: bool) -> Value {
    let separator = separator.to_owned();
    kernel(values, DataType::Utf8View, move |arrays: &[ArrayRef]| {
        let columns: Vec<&StringViewArray> =
            arrays.iter().map(|array| array.as_string_view()).collect();
        let rows = columns.first().map_or(0, |column| column.len());
        let texts = (0..rows).map(|row| {
            let known = |column: &&&StringViewArray| !skip_nulls || column.is_valid(row);
            let parts = columns.iter().filter(known);
            let parts = parts.map(|column| column.is_valid(row).then(|| column.value(row)));
            parts
                .collect::<Option<Vec<&str>>>()
                .map(|parts| parts.join(&separator))
        });
        Ok(Arc::new(texts.collect::<StringViewArray>()))
    })
}
