//! Functions of texts. Lengths and positions count characters.

mod pattern;
mod slice;

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, BooleanArray, LargeListBuilder, StringViewArray, StringViewBuilder,
    UInt32Array,
};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use laktory_core::semantics::text::{Room, titlecase};
use laktory_core::{DType, Func, Result};

use super::cast::{cast, convert, printed};
use super::{Call, FULL, Row, arrays};
use crate::expr::Value;
use crate::kernel::kernel;
use crate::types::{is_text, list_of};

pub(crate) use pattern::{matching, regex};
pub(crate) use slice::sliced;

pub(super) const ROWS: &[Row] = &[
    (Func::StrLenChars, FULL, len_chars),
    (Func::StrContains, FULL, pattern::contains),
    (Func::StrStartsWith, FULL, |call| {
        compared(call, "prefix", |text, part| text.starts_with(part))
    }),
    (Func::StrEndsWith, FULL, |call| {
        compared(call, "suffix", |text, part| text.ends_with(part))
    }),
    (Func::StrReplace, FULL, |call| {
        pattern::replace(call, usize::try_from(call.int("n")?).ok())
    }),
    (Func::StrReplaceAll, FULL, |call| {
        pattern::replace(call, None)
    }),
    (Func::StrSlice, FULL, slice::slice),
    (Func::StrHead, FULL, slice::head),
    (Func::StrTail, FULL, slice::tail),
    (Func::StrSplit, FULL, split),
    (Func::StrStripChars, FULL, |call| {
        strip(call, char::is_whitespace, true, true)
    }),
    (Func::StrStripCharsStart, FULL, |call| {
        strip(call, is_ascii_space, true, false)
    }),
    (Func::StrStripCharsEnd, FULL, |call| {
        strip(call, is_ascii_space, false, true)
    }),
    (Func::StrToLowercase, FULL, |call| {
        mapped(call, call.receiver()?, "to_lowercase", str::to_lowercase)
    }),
    (Func::StrToUppercase, FULL, |call| {
        mapped(call, call.receiver()?, "to_uppercase", str::to_uppercase)
    }),
    (Func::StrToTitlecase, FULL, |call| {
        mapped(call, call.receiver()?, "to_titlecase", titlecase)
    }),
    (Func::StrZfill, FULL, zfill),
    (Func::StrPadStart, FULL, |call| pad(call, true)),
    (Func::StrPadEnd, FULL, |call| pad(call, false)),
    (Func::StringSplit, FULL, part),
    (Func::ConcatStr, FULL, |call| {
        let (separator, skip) = (call.text("separator")?, call.flag("ignore_nulls")?);
        joined(call.values("exprs")?, separator, skip)
    }),
    (Func::Format, FULL, format),
];

/// A value that must be a text; a null of no type becomes one.
///
/// # Errors
/// `TypeMismatch`.
pub(super) fn text(call: &Call<'_, '_>, value: Value) -> Result<Value> {
    match &value.dtype {
        DataType::Null => Value::null(&DataType::Utf8View),
        dtype if is_text(dtype) => Ok(value),
        other => Err(call.mismatch(other)),
    }
}

/// A text made of each text.
pub(super) fn mapped(
    call: &Call<'_, '_>,
    value: Value,
    name: impl Into<String>,
    function: impl Fn(&str) -> String + Send + Sync + 'static,
) -> Result<Value> {
    whole(call, value, name, move |texts| {
        texts.iter().map(|text| text.map(&function)).collect()
    })
}

/// A part of each text.
pub(super) fn cut(
    call: &Call<'_, '_>,
    value: Value,
    name: impl Into<String>,
    function: impl for<'t> Fn(&'t str) -> &'t str + Send + Sync + 'static,
) -> Result<Value> {
    whole(call, value, name, move |texts| {
        texts.iter().map(|text| text.map(&function)).collect()
    })
}

fn whole(
    call: &Call<'_, '_>,
    value: Value,
    name: impl Into<String>,
    function: impl Fn(&StringViewArray) -> StringViewArray + Send + Sync + 'static,
) -> Result<Value> {
    let value = text(call, value)?;
    Ok(kernel(
        name,
        vec![value],
        DataType::Utf8View,
        move |arrays| Ok(Arc::new(function(&arrays::texts(&arrays[0])?))),
    ))
}

fn len_chars(call: &Call<'_, '_>) -> Result<Value> {
    let this = text(call, call.receiver()?)?;
    Ok(kernel(
        "len_chars",
        vec![this],
        DataType::UInt32,
        |arrays| {
            let texts = arrays::texts(&arrays[0])?;
            let lengths: UInt32Array = texts
                .iter()
                .map(|text| u32::try_from(text?.chars().count()).ok())
                .collect();
            Ok(Arc::new(lengths))
        },
    ))
}

/// A truth value of each text and a part, which may be a column.
fn compared(call: &Call<'_, '_>, name: &str, function: fn(&str, &str) -> bool) -> Result<Value> {
    let this = text(call, call.receiver()?)?;
    let part = text(call, call.value(name)?)?;
    let name = call.func().def().path;
    if let Some(constant) = constant_text(&part) {
        let constant = constant.to_owned();
        return Ok(kernel(
            format!("{name}({constant:?})"),
            vec![this],
            DataType::Boolean,
            move |arrays| {
                let texts = arrays::texts(&arrays[0])?;
                let out: BooleanArray = texts
                    .iter()
                    .map(|text| Some(function(text?, &constant)))
                    .collect();
                Ok(Arc::new(out))
            },
        ));
    }
    Ok(kernel(
        name,
        vec![this, part],
        DataType::Boolean,
        move |arrays| {
            let (texts, parts) = (arrays::texts(&arrays[0])?, arrays::texts(&arrays[1])?);
            let out: BooleanArray = texts
                .iter()
                .zip(parts.iter())
                .map(|(text, part)| Some(function(text?, part?)))
                .collect();
            Ok(Arc::new(out))
        },
    ))
}

/// The text of a constant.
pub(super) fn constant_text(value: &Value) -> Option<&str> {
    match value.as_constant()? {
        ScalarValue::Utf8View(Some(text))
        | ScalarValue::Utf8(Some(text))
        | ScalarValue::LargeUtf8(Some(text)) => Some(text),
        _ => None,
    }
}

/// The parts of a text between a separator; its characters when that is empty.
fn parts<'t>(text: &'t str, by: &'t str) -> Box<dyn Iterator<Item = &'t str> + 't> {
    if by.is_empty() {
        return Box::new(
            text.char_indices()
                .map(|(at, character)| &text[at..at + character.len_utf8()]),
        );
    }
    Box::new(text.split(by))
}

fn split(call: &Call<'_, '_>) -> Result<Value> {
    let this = text(call, call.receiver()?)?;
    let by = call.text("by")?.to_owned();
    Ok(kernel(
        format!("split({by:?})"),
        vec![this],
        list_of(DataType::Utf8View),
        move |arrays| {
            let texts = arrays::texts(&arrays[0])?;
            let mut out = LargeListBuilder::new(StringViewBuilder::new());
            for text in &texts {
                if let Some(text) = text {
                    for part in parts(text, &by) {
                        out.values().append_value(part);
                    }
                }
                out.append(text.is_some());
            }
            Ok(Arc::new(out.finish()))
        },
    ))
}

/// `laktory.string_split`: one part of a text; negative keys count from the end.
fn part(call: &Call<'_, '_>) -> Result<Value> {
    let this = text(call, call.receiver()?)?;
    let (by, key) = (call.text("pattern")?.to_owned(), call.int("key")?);
    Ok(kernel(
        format!("string_split({by:?}, {key})"),
        vec![this],
        DataType::Utf8View,
        move |arrays| {
            let texts = arrays::texts(&arrays[0])?;
            let from_end = usize::try_from(key.unsigned_abs()).unwrap_or(usize::MAX);
            let out: StringViewArray = texts
                .iter()
                .map(|text| {
                    let mut found = parts(text?, &by);
                    if let Ok(key) = usize::try_from(key) {
                        return found.nth(key);
                    }
                    let all: Vec<&str> = found.collect();
                    all.len().checked_sub(from_end).map(|at| all[at])
                })
                .collect();
            Ok(Arc::new(out))
        },
    ))
}

/// The white space of ASCII, which is what the two one-sided functions take off.
fn is_ascii_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c')
}

fn strip(call: &Call<'_, '_>, space: fn(char) -> bool, start: bool, end: bool) -> Result<Value> {
    let characters = call.opt_text("characters")?.map(str::to_owned);
    let name = format!("{}({characters:?})", call.func().def().path);
    cut(call, call.receiver()?, name, move |text| {
        let off = |character: char| match &characters {
            Some(characters) => characters.contains(character),
            None => space(character),
        };
        let text = if start {
            text.trim_start_matches(off)
        } else {
            text
        };
        if end {
            text.trim_end_matches(off)
        } else {
            text
        }
    })
}

/// Zeros after the sign. The width counts bytes, as in Polars.
fn zfill(call: &Call<'_, '_>) -> Result<Value> {
    let width = call.count("width")?;
    mapped(
        call,
        call.receiver()?,
        format!("zfill({width})"),
        move |text| {
            let zeros = "0".repeat(width.saturating_sub(text.len()));
            let digits = text.trim_start_matches(['-', '+']);
            match text.len() - digits.len() {
                0 => format!("{zeros}{text}"),
                _ => format!("{}{zeros}{}", &text[..1], &text[1..]),
            }
        },
    )
}

fn pad(call: &Call<'_, '_>, start: bool) -> Result<Value> {
    let (length, fill) = (call.count("length")?, call.character("fill_char")?);
    let name = format!("{}({length}, {fill:?})", call.func().def().path);
    mapped(call, call.receiver()?, name, move |text| {
        let missing = length.saturating_sub(text.chars().count());
        let padding = std::iter::repeat_n(fill, missing).collect::<String>();
        if start {
            padding + text
        } else {
            format!("{text}{padding}")
        }
    })
}

/// Values as texts, joined. A null makes the whole null, unless nulls are skipped.
pub(super) fn joined(values: Vec<Value>, separator: &str, skip_nulls: bool) -> Result<Value> {
    let values = values
        .into_iter()
        .map(|value| convert(cast(value, &DType::String, true)?, &DataType::Utf8View))
        .collect::<Result<Vec<_>>>()?;
    let separator = separator.to_owned();
    Ok(kernel(
        format!("concat_str({separator:?}, {skip_nulls})"),
        values,
        DataType::Utf8View,
        move |arrays: &[ArrayRef]| {
            let texts = arrays
                .iter()
                .map(arrays::texts)
                .collect::<Result<Vec<_>>>()?;
            let rows = texts.first().map_or(0, Array::len);
            let mut room = Room::of(rows);
            for row in 0..rows {
                let parts = texts.iter().filter(|texts| !texts.is_null(row));
                room.take(
                    parts
                        .map(|texts| texts.value(row).len() + separator.len())
                        .sum(),
                )?;
            }
            Ok(printed(rows, |row, out| {
                let mut first = true;
                for texts in &texts {
                    if texts.is_null(row) {
                        if skip_nulls {
                            continue;
                        }
                        return None;
                    }
                    if !first {
                        out.push_str(&separator);
                    }
                    first = false;
                    out.push_str(texts.value(row));
                }
                Some(())
            }))
        },
    ))
}

/// Each `{}` is a place, whatever stands around it.
fn format(call: &Call<'_, '_>) -> Result<Value> {
    let format = call.text("f_string")?;
    let args = call.exprs("args")?;
    if format.matches("{}").count() != args.len() {
        return Err(call.invalid("the number of `{}` differs from the number of arguments"));
    }
    let mut args = args.into_iter();
    let mut parts = Vec::new();
    for text in format.split("{}") {
        parts.push(Value::constant(ScalarValue::Utf8View(Some(
            text.to_owned(),
        ))));
        if let Some(arg) = args.next() {
            parts.push(call.lower.lower(&arg)?);
        }
    }
    if parts.len() == 1 {
        return Ok(parts.remove(0));
    }
    joined(parts, "", false)
}
