//! Constants that are none of what they are taken for, whatever the rows are: patterns, formats, days and times.

use crate::dtype::DType;
use crate::error::{Error, ErrorKind, Result, Subject};
use crate::expr::{Arg, Expr, Scalar};
use crate::functions::Func;
use crate::semantics::{iso, pattern::strftime};

use super::common::is_temporal;
use super::{Typed, calls};

/// Refuses patterns that are no regular expressions, formats without any specifier, and texts that are compared with a point
/// in time, or stand in for one, and are none.
///
/// # Errors
/// `InvalidArgument`, about the text.
pub(super) fn check(func: Func, args: &[Arg], values: &[Typed]) -> Result<()> {
    if let Some(pattern) = pattern(func, args)
        && !is_regex(pattern)
    {
        return none(pattern, "regular expression");
    }
    if func == Func::SqlRegexpExtract {
        has_group(args)?;
    }
    let is_span =
        matches!(values.first(), Some(value) if matches!(value.dtype, DType::Duration(_)));
    if let Some(format) = format(func, args)
        && !format.contains('%')
        && !is_span
    {
        let form = strftime(format).filter(|form| form.contains('%'));
        let error = Error::new(
            ErrorKind::InvalidArgument,
            format!(
                "the format `{format}` has no specifier, so that it is the same text for every value"
            ),
        );
        return Err(error
            .with_subject(Subject::Name(format.to_owned()))
            .with_hint(match form {
                Some(form) => format!("write `{form}`"),
                None => "a format is made of specifiers such as `%Y-%m-%d`".to_owned(),
            }));
    }
    if func == Func::StrToDatetime
        && let Some(format) = format(func, args)
        && let Some(at) = nanoseconds(format)
    {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            format!(
                "`%f` of the format `{format}` reads a count of nanoseconds, `.5` as 5 of them"
            ),
        )
        .with_subject(Subject::Name(format.to_owned()))
        .with_hint(format!(
            "write `{}%.f{}` for a fraction of the second, with its point",
            format[..at].trim_end_matches('.'),
            &format[at + 2..]
        )));
    }
    match func {
        Func::Coalesce | Func::FillNull => return beside(values, texts_of(args)),
        Func::StrToDate | Func::StrToDatetime if !matches!(args.get(1), Some(Arg::Str(_))) => {
            return match args.first() {
                Some(Arg::Expr(Expr::Literal(Scalar::Str(text)))) if !may_be_day(text) => {
                    none(text, "date")
                }
                _ => Ok(()),
            };
        }
        Func::IsIn => {
            let Some((this, Arg::Values(among))) = values.first().zip(args.get(1)) else {
                return Ok(());
            };
            return among.iter().try_for_each(|value| match value {
                Scalar::Str(text) => read_as(text, &this.dtype),
                _ => Ok(()),
            });
        }
        _ => {}
    }
    if !calls::compares(func) {
        return Ok(());
    }
    for (value, arg) in values.iter().zip(args) {
        let Some(text) = text_to_read(arg) else {
            continue;
        };
        let beside = values
            .iter()
            .find(|beside| calls::takes_type(value, beside));
        if let Some(beside) = beside {
            read_as(text, &beside.dtype)?;
        }
    }
    Ok(())
}

/// A text that is read as a point in time.
///
/// # Errors
/// `InvalidArgument`, when it is none.
pub(super) fn read_as(text: &str, dtype: &DType) -> Result<()> {
    match dtype {
        DType::Date if !may_be_day(text) => none(text, "date"),
        DType::Datetime { .. } if !may_be_day(text) => none(text, "timestamp"),
        DType::Time if !may_be_time(text) => none(text, "time"),
        _ => Ok(()),
    }
}

/// Values of which each may stand for another: texts beside points in time may be words, but no days that are none.
///
/// # Errors
/// `InvalidArgument`, about the text.
pub(super) fn beside<'a>(values: &[Typed], mut texts: impl Iterator<Item = &'a str>) -> Result<()> {
    if !values.iter().any(|value| is_temporal(&value.dtype)) {
        return Ok(());
    }
    match texts.find(|text| is_day_like(text) && !may_be_day(text)) {
        Some(text) => none(text, "date"),
        None => Ok(()),
    }
}

fn none(text: &str, what: &str) -> Result<()> {
    let message = format!("`{text}` is no {what}");
    Err(Error::new(ErrorKind::InvalidArgument, message)
        .with_subject(Subject::Name(text.to_owned())))
}

/// The constant texts among the arguments of a call.
fn texts_of(args: &[Arg]) -> impl Iterator<Item = &str> {
    args.iter().flat_map(|arg| {
        let (own, exprs) = match arg {
            Arg::Str(text) => (Some(text.as_str()), &[][..]),
            Arg::Expr(expr) => (text(expr), &[][..]),
            Arg::Exprs(exprs) => (None, exprs.as_slice()),
            _ => (None, &[][..]),
        };
        own.into_iter().chain(exprs.iter().filter_map(text))
    })
}

/// A constant text.
pub(super) fn text(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Literal(Scalar::Str(text)) => Some(text),
        _ => None,
    }
}

/// The strftime format of a call.
fn format(func: Func, args: &[Arg]) -> Option<&str> {
    match (func, args.get(1)) {
        (Func::DtToString | Func::StrToDate | Func::StrToDatetime, Some(Arg::Str(format))) => {
            Some(format)
        }
        _ => None,
    }
}

/// Where a format has a bare `%f`.
fn nanoseconds(format: &str) -> Option<usize> {
    let mut chars = format.char_indices();
    while let Some((at, char)) = chars.next() {
        if char == '%' && chars.next().is_some_and(|(_, letter)| letter == 'f') {
            return Some(at);
        }
    }
    None
}

/// The regular expression of a call.
fn pattern(func: Func, args: &[Arg]) -> Option<&str> {
    let text = |at: usize| match args.get(at) {
        Some(Arg::Str(text) | Arg::Expr(Expr::Literal(Scalar::Str(text)))) => Some(text.as_str()),
        _ => None,
    };
    let is_literal = |at: usize| matches!(args.get(at), Some(Arg::Bool(true)));
    match func {
        Func::StrContains if !is_literal(2) => text(1),
        Func::StrReplace | Func::StrReplaceAll if !is_literal(3) => text(1),
        Func::SqlRegexpExtract => text(1),
        _ => None,
    }
}

/// Refuses to take a group out of a pattern that has fewer: every row would be null.
fn has_group(args: &[Arg]) -> Result<()> {
    let (Some(pattern), Some(Arg::Int(group))) =
        (pattern(Func::SqlRegexpExtract, args), args.get(2))
    else {
        return Ok(());
    };
    // The whole match is one more.
    let Ok(groups) = regex_lite::Regex::new(pattern).map(|regex| regex.captures_len() - 1) else {
        return Ok(());
    };
    if usize::try_from(*group).is_ok_and(|group| group <= groups) {
        return Ok(());
    }
    let message = format!("the pattern `{pattern}` has {groups} groups, and no group {group}");
    Err(Error::new(ErrorKind::InvalidArgument, message)
        .with_subject(Subject::Name(pattern.to_owned()))
        .with_hint(
            "put `(...)` around what is looked for, or take group 0, which is all that matches",
        ))
}

/// Whether a text may be a regular expression: there are dialects that have more than the one which is tried here.
fn is_regex(pattern: &str) -> bool {
    match regex_lite::Regex::new(pattern) {
        Ok(_) => true,
        Err(error) => {
            let reason = error.to_string();
            let broken = [
                "without closing",
                "without matching",
                "unclosed character class",
                "no closing bracket",
                "must be applied to",
            ];
            !broken.iter().any(|word| reason.contains(word))
        }
    }
}

/// A text of SQL that is read as what it is compared with.
fn text_to_read(arg: &Arg) -> Option<&str> {
    match arg {
        Arg::Expr(Expr::Cast {
            expr,
            to: DType::Unknown,
            ..
        }) => match &**expr {
            Expr::Literal(Scalar::Str(text)) => Some(text),
            _ => None,
        },
        _ => None,
    }
}

/// Whether a text may be a day, with or without a time: engines read more spellings than one.
fn may_be_day(text: &str) -> bool {
    let text = text.trim();
    match is_day_like(text) {
        true => iso::timestamp(text).is_some(),
        false => text.contains(|char: char| char.is_ascii_digit()),
    }
}

/// Whether a text may be a time of a day, in one spelling or another.
fn may_be_time(text: &str) -> bool {
    let text = text.trim();
    match text.bytes().all(|byte| b"0123456789:.".contains(&byte)) {
        true => iso::time(text).is_some(),
        false => text.contains(|char: char| char.is_ascii_digit()),
    }
}

/// Whether a text has the form of a day (`2024-01-31`), alone or with a time behind it (`2024-01-31 12:30`).
fn is_day_like(text: &str) -> bool {
    const FORM: &[u8] = b"0000-00-00";
    let bytes = text.trim().as_bytes();
    let day = bytes.len() >= FORM.len()
        && (bytes.iter().zip(FORM)).all(|(byte, form)| match form {
            b'-' => byte == form,
            _ => byte.is_ascii_digit(),
        });
    day && match &bytes[FORM.len()..] {
        [] => true,
        [b' ' | b'T', time @ ..] => {
            !time.is_empty() && time.iter().all(|byte| b"0123456789:.".contains(byte))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_told_from_what_may_be() {
        for (text, may) in [
            ("2024-01-31", true),
            ("2024-1-5", true),
            ("31/12/2024", true),
            ("2024-02-30", false),
            ("2024-31-12", false),
            ("2024-01-31 12:30", true),
            ("2024-01-31T12:30:00.5", true),
            ("2024-01-31 25:00", false),
            ("2024-13-01 10:00", false),
            ("yesterday", false),
        ] {
            assert_eq!(may_be_day(text), may, "{text}");
        }
        for (pattern, is) in [
            ("a+", true),
            (r"\p{L}+", true),
            ("(?<=a)b", true),
            ("[", false),
            ("(a", false),
            ("a)", false),
            ("*", false),
        ] {
            assert_eq!(is_regex(pattern), is, "{pattern}");
        }
    }
}
