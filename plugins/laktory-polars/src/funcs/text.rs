//! Functions of texts.

use laktory_core::semantics::text::Room;
use laktory_core::{Func, Result, Scalar};
use polars::prelude::{
    Column, DataType, Expr, Field, IntoColumn, NULL, PolarsResult, Schema, StringChunked,
    hor_str_concat, lit, map_multiple, polars_err,
};
use polars_utils::regex_cache::compile_regex;

use super::{Call, FULL, Row};
use crate::error::carry;

pub(super) const ROWS: &[Row] = &[
    (Func::StrLenChars, FULL, |call| {
        Ok(call.this()?.str().len_chars())
    }),
    (Func::StrContains, FULL, |call| {
        let (this, pattern) = (call.this()?.str(), call.expr("pattern")?);
        Ok(if call.flag("literal")? {
            this.contains_literal(pattern)
        } else {
            this.contains(pattern, true)
        })
    }),
    (Func::StrStartsWith, FULL, |call| {
        Ok(call.this()?.str().starts_with(call.expr("prefix")?))
    }),
    (Func::StrEndsWith, FULL, |call| {
        Ok(call.this()?.str().ends_with(call.expr("suffix")?))
    }),
    (Func::StrReplace, FULL, |call| {
        replace(call, Some(call.int("n")?))
    }),
    (Func::StrReplaceAll, FULL, |call| replace(call, None)),
    (Func::StrSlice, FULL, |call| {
        slice(call.this()?, call.int("offset")?, call.opt_int("length")?)
    }),
    (Func::StrHead, FULL, |call| {
        Ok(call.this()?.str().head(lit(call.int("n")?)))
    }),
    (Func::StrTail, FULL, |call| match call.int("n")? {
        0 => slice(call.this()?, 0, None),
        n => Ok(call.this()?.str().tail(lit(n))),
    }),
    (Func::StrSplit, FULL, |call| {
        Ok(call.this()?.str().split(lit(call.text("by")?)))
    }),
    (Func::StrStripChars, FULL, |call| {
        Ok(call.this()?.str().strip_chars(characters(call)?))
    }),
    (Func::StrStripCharsStart, FULL, |call| {
        Ok(call.this()?.str().strip_chars_start(characters(call)?))
    }),
    (Func::StrStripCharsEnd, FULL, |call| {
        // The reference strips ASCII white space here, and a no-break space stays.
        let characters = call.opt_text("characters")?;
        let characters = characters.unwrap_or(" \t\n\r\u{b}\u{c}");
        Ok(call.this()?.str().strip_chars_end(lit(characters)))
    }),
    (Func::StrToLowercase, FULL, |call| {
        Ok(call.this()?.str().to_lowercase())
    }),
    (Func::StrToUppercase, FULL, |call| {
        Ok(call.this()?.str().to_uppercase())
    }),
    (Func::StrToTitlecase, FULL, titlecase),
    (Func::StrZfill, FULL, |call| {
        Ok(call.this()?.str().zfill(lit(call.int("width")?)))
    }),
    (Func::StrPadStart, FULL, |call| {
        Ok(call
            .this()?
            .str()
            .pad_start(lit(call.int("length")?), fill_char(call)?))
    }),
    (Func::StrPadEnd, FULL, |call| {
        Ok(call
            .this()?
            .str()
            .pad_end(lit(call.int("length")?), fill_char(call)?))
    }),
    (Func::StringSplit, FULL, |call| {
        let parts = call.this()?.str().split(lit(call.text("pattern")?));
        Ok(parts.list().get(lit(call.int("key")?), true))
    }),
];

/// Values as texts, joined as the engine does it, unless they are too large. A null makes the whole null, unless nulls are skipped.
pub(super) fn joined(exprs: Vec<Expr>, separator: &str, skip_nulls: bool) -> Expr {
    let separator = separator.to_owned();
    let joined = move |columns: &mut [Column]| -> PolarsResult<Column> {
        let texts = columns.iter().map(|column| column.cast(&DataType::String));
        let texts = texts.collect::<PolarsResult<Vec<Column>>>()?;
        let texts = texts.iter().map(Column::str);
        let texts = texts.collect::<PolarsResult<Vec<&StringChunked>>>()?;
        let is_long = |texts: &&&StringChunked| texts.len() != 1;
        let rows = texts.iter().find(is_long).map_or(1, |texts| texts.len());
        let mut room = Room::of(rows);
        for texts in &texts {
            let bytes: usize = texts.lengths().sum();
            let repeated = if texts.len() == 1 { rows } else { 1 };
            let between = rows.saturating_mul(separator.len());
            let taken = bytes.saturating_mul(repeated).saturating_add(between);
            room.take(taken).map_err(|error| carry(&error))?;
        }
        let name = texts[0].name().clone();
        let joined = hor_str_concat(&texts, &separator, skip_nulls)?;
        Ok(joined.with_name(name).into_column())
    };
    let output =
        |_: &Schema, fields: &[Field]| Ok(Field::new(fields[0].name().clone(), DataType::String));
    map_multiple(joined, exprs, output)
}

/// Refuses texts that get too large by what is put in the place of matches of a pattern.
fn measured(this: Expr, value: Expr, pattern: String, literal: bool, n: Option<i64>) -> Expr {
    let measured = move |columns: &mut [Column]| -> PolarsResult<Column> {
        let [column, values] = columns else {
            return Err(polars_err!(ComputeError: "a text and its replacement are needed"));
        };
        let (texts, values) = (column.str()?, values.str()?);
        let longest = values.lengths().max().unwrap_or(0);
        let bytes: usize = texts.lengths().sum();
        let mut room = Room::of(texts.len());
        // Most matches are longer than nothing, and most texts far from the limit.
        if room.is_exceeded_by((bytes + texts.len()).saturating_mul(longest + 1)) {
            let regex = (!literal).then(|| compile_regex(&pattern)).transpose();
            let regex = regex.map_err(|error| polars_err!(ComputeError: "{error}"))?;
            let most = n.map_or(usize::MAX, |n| usize::try_from(n).unwrap_or(0));
            for (row, text) in texts.iter().enumerate() {
                let (Some(text), Some(value)) = (text, broadcast(values, row)) else {
                    continue;
                };
                let found = match &regex {
                    Some(regex) => regex.find_iter(text).take(most).count(),
                    None => text.matches(pattern.as_str()).take(most).count(),
                };
                let taken = found.saturating_mul(value.len()).saturating_add(text.len());
                room.take(taken).map_err(|error| carry(&error))?;
            }
        }
        Ok(column.clone())
    };
    let output = |_: &Schema, fields: &[Field]| Ok(fields[0].clone());
    map_multiple(measured, [this, value], output)
}

/// The first `n` matches, replaced; `None` for all of them.
fn replace(call: &Call<'_>, n: Option<i64>) -> Result<Expr> {
    let (pattern, value) = (call.text("pattern")?.to_owned(), call.expr("value")?);
    let (this, literal) = (call.this()?, call.flag("literal")?);
    // The engine replaces several matches only where they are literal, and takes patterns without special characters
    // for literal ones, in which groups are not expanded.
    let plain = matches!(
        &*call.bound.expr("value")?,
        laktory_core::Expr::Literal(Scalar::Str(text)) if !text.contains('$')
    );
    let limit = match n {
        _ if literal || plain && n.is_none_or(|n| n == 1) => None,
        // No limit for the library.
        None => Some(0),
        Some(n) => usize::try_from(n).ok().filter(|n| *n > 0),
    };
    let Some(limit) = limit else {
        let this = measured(this, value.clone(), pattern.clone(), literal, n);
        return Ok(match n {
            Some(n) => this.str().replace_n(lit(pattern), value, literal, n),
            None => this.str().replace_all(lit(pattern), value, literal),
        });
    };
    let regex = compile_regex(&pattern)
        .map_err(|error| call.invalid(&format!("`{pattern}` is no regular expression: {error}")))?;
    let replaced = move |columns: &mut [Column]| -> PolarsResult<Column> {
        let [texts, values] = columns else {
            return Err(polars_err!(ComputeError: "a text and its replacement are needed"));
        };
        let (texts, values) = (texts.str()?, values.str()?);
        let rows = match (texts.len(), values.len()) {
            (1, rows) | (rows, 1) => rows,
            (rows, others) => rows.min(others),
        };
        let mut room = Room::of(rows);
        let replaced = (0..rows).map(|row| {
            let (Some(text), Some(value)) = (broadcast(texts, row), broadcast(values, row)) else {
                return Ok(None);
            };
            let text = regex.replacen(text, limit, value);
            room.take(text.len()).map_err(|error| carry(&error))?;
            Ok(Some(text))
        });
        let replaced = replaced.collect::<PolarsResult<StringChunked>>()?;
        Ok(replaced.with_name(texts.name().clone()).into_column())
    };
    let output =
        |_: &Schema, fields: &[Field]| Ok(Field::new(fields[0].name().clone(), DataType::String));
    Ok(map_multiple(replaced, [this, value], output))
}

/// Bytes of each text.
trait Lengths {
    fn lengths(&self) -> impl Iterator<Item = usize>;
}

impl Lengths for StringChunked {
    fn lengths(&self) -> impl Iterator<Item = usize> {
        self.iter().flatten().map(str::len)
    }
}

/// The text of a row, where a single one stands for all rows.
fn broadcast(texts: &StringChunked, row: usize) -> Option<&str> {
    texts.get(if texts.len() == 1 { 0 } else { row })
}

fn slice(this: Expr, offset: i64, length: Option<i64>) -> Result<Expr> {
    let length = match length {
        Some(length) => lit(length),
        None => lit(u64::MAX),
    };
    Ok(this.str().slice(lit(offset), length))
}

/// The characters to strip; null strips white space.
fn characters(call: &Call<'_>) -> Result<Expr> {
    Ok(match call.opt_text("characters")? {
        Some(characters) => lit(characters),
        None => lit(NULL),
    })
}

fn fill_char(call: &Call<'_>) -> Result<char> {
    let mut characters = call.text("fill_char")?.chars();
    match (characters.next(), characters.next()) {
        (Some(fill), None) => Ok(fill),
        _ => Err(call.invalid("`fill_char` is one character")),
    }
}

/// Upper case after every character that is not a letter, else lower case.
fn titlecase(call: &Call<'_>) -> Result<Expr> {
    super::sql::map_text(
        call.this()?,
        "to_titlecase",
        laktory_core::semantics::text::titlecase,
    )
}
