//! Functions of texts.

use laktory_core::{Func, Result, Scalar};
use polars::prelude::{
    Column, DataType, Expr, Field, IntoColumn, NULL, PolarsResult, Schema, StringChunked, lit,
    map_multiple, polars_err,
};
use polars_utils::regex_cache::compile_regex;

use super::{Call, FULL, Row};

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
        let replaced: StringChunked = (0..rows)
            .map(|row| Some(regex.replacen(broadcast(texts, row)?, limit, broadcast(values, row)?)))
            .collect();
        Ok(replaced.with_name(texts.name().clone()).into_column())
    };
    let output =
        |_: &Schema, fields: &[Field]| Ok(Field::new(fields[0].name().clone(), DataType::String));
    Ok(map_multiple(replaced, [this, value], output))
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
