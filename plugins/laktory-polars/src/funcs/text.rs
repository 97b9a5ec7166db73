//! Functions of texts.

use laktory_core::{Func, Result};
use polars::prelude::{Expr, NULL, lit};

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
        let pattern = lit(call.text("pattern")?);
        let (value, literal) = (call.expr("value")?, call.flag("literal")?);
        Ok(call
            .this()?
            .str()
            .replace_n(pattern, value, literal, call.int("n")?))
    }),
    (Func::StrReplaceAll, FULL, |call| {
        let pattern = lit(call.text("pattern")?);
        Ok(call
            .this()?
            .str()
            .replace_all(pattern, call.expr("value")?, call.flag("literal")?))
    }),
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
