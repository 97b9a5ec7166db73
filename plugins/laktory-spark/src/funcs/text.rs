//! Functions of texts. Patterns are written for Rust's regular expressions; Java's are the same for what is common.

use laktory_core::{BoundCall, DType, Func, Result};

use super::{FULL, Row, mismatch, this_of};
use crate::dsl::{Ex, f, field, iff, int, lambda, text, var};
use crate::expr::{Lw, Val};

pub(super) const ROWS: &[Row] = &[
    (Func::StrLenChars, FULL, |lw, call| {
        let this = texts(lw, call)?;
        Ok(this.map(f("char_length", [this.e.clone()]), DType::Int32))
    }),
    (Func::StrContains, FULL, |lw, call| {
        let name = if call.flag("literal")? {
            "contains"
        } else {
            "rlike"
        };
        test(lw, call, "pattern", name)
    }),
    (Func::StrStartsWith, FULL, |lw, call| {
        test(lw, call, "prefix", "startswith")
    }),
    (Func::StrEndsWith, FULL, |lw, call| {
        test(lw, call, "suffix", "endswith")
    }),
    (Func::StrReplace, FULL, |lw, call| {
        let n = call.int("n")?;
        replace(lw, call, (n >= 0).then_some(n))
    }),
    (Func::StrReplaceAll, FULL, |lw, call| {
        replace(lw, call, None)
    }),
    (Func::StrSlice, FULL, |lw, call| {
        let this = texts(lw, call)?;
        let (offset, length) = (call.int("offset")?, call.opt_count("length")?);
        let start = if offset < 0 { offset } else { offset + 1 };
        Ok(slice(&this, start, length))
    }),
    (Func::StrHead, FULL, |lw, call| {
        let this = texts(lw, call)?;
        let n = call.int("n")?;
        Ok(match usize::try_from(n) {
            Ok(n) => slice(&this, 1, Some(n)),
            Err(_) => {
                let rest = f("+", [f("char_length", [this.e.clone()]), int(narrow(n))]);
                let rest = f("greatest", [rest, int(0)]);
                this.map(
                    f("substring", [this.e.clone(), int(1), rest]),
                    DType::String,
                )
            }
        })
    }),
    (Func::StrTail, FULL, |lw, call| {
        let this = texts(lw, call)?;
        Ok(match call.int("n")? {
            0 => this,
            n if n > 0 => slice(&this, -n, None),
            n => slice(&this, 1 - n, None),
        })
    }),
    (Func::StrSplit, FULL, |lw, call| {
        let this = texts(lw, call)?;
        let parts = split(&this, call.text("by")?);
        Ok(this.map(parts, DType::List(Box::new(DType::String))))
    }),
    (Func::StrStripChars, FULL, |lw, call| {
        strip(lw, call, true, true)
    }),
    (Func::StrStripCharsStart, FULL, |lw, call| {
        strip(lw, call, true, false)
    }),
    (Func::StrStripCharsEnd, FULL, |lw, call| {
        strip(lw, call, false, true)
    }),
    (Func::StrToLowercase, FULL, |lw, call| {
        let this = texts(lw, call)?;
        Ok(this.map(f("lower", [this.e.clone()]), DType::String))
    }),
    (Func::StrToUppercase, FULL, |lw, call| {
        let this = texts(lw, call)?;
        Ok(this.map(f("upper", [this.e.clone()]), DType::String))
    }),
    (Func::StrToTitlecase, FULL, |lw, call| {
        let this = texts(lw, call)?;
        // Runs of letters and runs of others, each with its first character in upper case.
        let runs = f(
            "regexp_extract_all",
            [
                this.e.clone(),
                text("\\p{IsAlphabetic}+|\\P{IsAlphabetic}+"),
                int(0),
            ],
        );
        let word = f(
            "concat",
            [
                f("upper", [f("substring", [var("w"), int(1), int(1)])]),
                f("lower", [f("substring", [var("w"), int(2)])]),
            ],
        );
        let e = f(
            "array_join",
            [f("transform", [runs, lambda(&["w"], word)]), text("")],
        );
        Ok(this.map(e, DType::String))
    }),
    (Func::StrZfill, FULL, |lw, call| {
        let this = texts(lw, call)?;
        let this = lw.share(this);
        let width = i32::try_from(call.count("width")?).unwrap_or(i32::MAX);
        let x = || this.e.clone();
        // The width counts bytes, as it does on the other engines.
        let missing = f("-", [int(width), f("octet_length", [x()])]);
        let zeros = f("repeat", [text("0"), missing]);
        let signed = f("rlike", [x(), text("^[+-]")]);
        let (sign, rest) = (
            f("substring", [x(), int(1), int(1)]),
            f("substring", [x(), int(2)]),
        );
        let e = iff(
            signed,
            f("concat", [sign, zeros.clone(), rest]),
            f("concat", [zeros, x()]),
        );
        Ok(this.map(e, DType::String))
    }),
    (Func::StrPadStart, FULL, |lw, call| pad(lw, call, "lpad")),
    (Func::StrPadEnd, FULL, |lw, call| pad(lw, call, "rpad")),
    (Func::StringSplit, FULL, |lw, call| {
        let this = texts(lw, call)?;
        let key = call.int("key")?;
        let parts = split(&this, call.text("pattern")?);
        let e = if key < 0 {
            f("try_element_at", [parts, int(narrow(key))])
        } else {
            f("get", [parts, int(narrow(key))])
        };
        Ok(this.map(e, DType::String))
    }),
];

pub(super) fn narrow(n: i64) -> i32 {
    i32::try_from(n).unwrap_or(if n < 0 { i32::MIN + 1 } else { i32::MAX })
}

pub(super) fn texts(lw: &mut Lw<'_>, call: &BoundCall<'_>) -> Result<Val> {
    this_of(lw, call, |t| *t == DType::String)
}

fn test(lw: &mut Lw<'_>, call: &BoundCall<'_>, parameter: &str, name: &str) -> Result<Val> {
    let this = texts(lw, call)?;
    let other = lw.lower(&*call.expr(parameter)?)?;
    if !matches!(other.t, DType::String | DType::Null | DType::Unknown) {
        return Err(mismatch(call, &other.t));
    }
    Ok(Val::of(
        f(name, [this.e.clone(), other.e.clone()]),
        DType::Boolean,
        &[&this, &other],
    ))
}

fn slice(this: &Val, start: i64, length: Option<usize>) -> Val {
    let mut arguments = vec![this.e.clone(), int(narrow(start))];
    if let Some(length) = length {
        arguments.push(int(i32::try_from(length).unwrap_or(i32::MAX)));
    }
    this.map(f("substring", arguments), DType::String)
}

/// A pattern that means its own characters.
pub(super) fn literal_pattern(text: &str) -> String {
    format!("\\Q{}\\E", text.replace("\\E", "\\E\\\\E\\Q"))
}

/// The parts between a literal separator; without one, characters.
fn split(this: &Val, by: &str) -> Ex {
    if by.is_empty() {
        return f(
            "regexp_extract_all",
            [this.e.clone(), text("(?s)."), int(0)],
        );
    }
    f(
        "split",
        [this.e.clone(), text(&literal_pattern(by)), int(-1)],
    )
}

fn strip(lw: &mut Lw<'_>, call: &BoundCall<'_>, start: bool, end: bool) -> Result<Val> {
    let this = texts(lw, call)?;
    let class = match call.opt_text("characters")? {
        None => "[\\p{IsWhite_Space}]".to_owned(),
        Some("") => return Ok(this),
        Some(characters) => {
            let mut class = String::from("[");
            for character in characters.chars() {
                if character.is_ascii()
                    && !character.is_ascii_alphanumeric()
                    && !character.is_ascii_control()
                    && character != ' '
                {
                    class.push('\\');
                }
                class.push(character);
            }
            class.push(']');
            class
        }
    };
    let mut patterns = Vec::new();
    if start {
        patterns.push(format!("\\A{class}+"));
    }
    if end {
        patterns.push(format!("{class}+\\z"));
    }
    let e = f(
        "regexp_replace",
        [this.e.clone(), text(&patterns.join("|")), text("")],
    );
    Ok(this.map(e, DType::String))
}

fn pad(lw: &mut Lw<'_>, call: &BoundCall<'_>, name: &str) -> Result<Val> {
    let this = texts(lw, call)?;
    let this = lw.share(this);
    let length = i32::try_from(call.count("length")?).unwrap_or(i32::MAX);
    let fill = call.character("fill_char")?.to_string();
    let short = f("<", [f("char_length", [this.e.clone()]), int(length)]);
    let padded = f(name, [this.e.clone(), int(length), text(&fill)]);
    Ok(this.map(iff(short, padded, this.e.clone()), DType::String))
}

/// A replacement text in Java's notation: `$1` and `${name}` are groups, `$$` is a dollar sign.
fn replacement(text: &str) -> String {
    let mut out = String::new();
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' => out.push_str("\\\\"),
            '$' if characters.next_if_eq(&'$').is_some() => out.push_str("\\$"),
            '$' if characters.next_if_eq(&'{').is_some() => {
                let name: String =
                    std::iter::from_fn(|| characters.next_if(|c| *c != '}')).collect();
                characters.next();
                if name.chars().all(|c| c.is_ascii_digit()) {
                    out.push_str(&format!("${name}"));
                } else {
                    out.push_str(&format!("${{{name}}}"));
                }
            }
            '$' if characters.peek().is_some_and(char::is_ascii_digit) => out.push('$'),
            '$' if characters.peek().is_some_and(|c| c.is_alphabetic()) => {
                let name: String =
                    std::iter::from_fn(|| characters.next_if(|c| c.is_alphanumeric() || *c == '_'))
                        .collect();
                out.push_str(&format!("${{{name}}}"));
            }
            '$' => out.push_str("\\$"),
            other => out.push(other),
        }
    }
    out
}

/// The first `n` matches, or all, replaced.
fn replace(lw: &mut Lw<'_>, call: &BoundCall<'_>, n: Option<i64>) -> Result<Val> {
    use laktory_core::{Expr, Scalar};
    let this = texts(lw, call)?;
    let literal = call.flag("literal")?;
    let pattern = match call.text("pattern")? {
        pattern if literal => literal_pattern(pattern),
        pattern => pattern.to_owned(),
    };
    let value = call.expr("value")?;
    let value = match &*value {
        Expr::Literal(Scalar::Str(value)) => {
            let value = if literal {
                value.replace('\\', "\\\\").replace('$', "\\$")
            } else {
                replacement(value)
            };
            crate::expr::constant(&Scalar::Str(value))?
        }
        other => {
            let value = lw.lower(other)?;
            if !matches!(value.t, DType::String | DType::Null | DType::Unknown) {
                return Err(mismatch(call, &value.t));
            }
            if literal {
                let slashes = f("replace", [value.e.clone(), text("\\"), text("\\\\")]);
                value.map(
                    f("replace", [slashes, text("$"), text("\\$")]),
                    DType::String,
                )
            } else {
                value
            }
        }
    };
    let Some(n) = n else {
        let e = f(
            "regexp_replace",
            [this.e.clone(), text(&pattern), value.e.clone()],
        );
        return Ok(Val::of(e, DType::String, &[&this, &value]));
    };
    // Match after match moves from the rest to what is done.
    let rest = || field(var("s"), "rest");
    let found = || f("regexp_substr", [rest(), text(&pattern)]);
    let at = || f("regexp_instr", [rest(), text(&pattern)]);
    let whole = text(&format!("^(?:{pattern})$"));
    let done = f(
        "concat",
        [
            field(var("s"), "done"),
            f("substring", [rest(), int(1), f("-", [at(), int(1)])]),
            f("regexp_replace", [found(), whole, value.e.clone()]),
        ],
    );
    let after = f(
        "substring",
        [rest(), f("+", [at(), f("char_length", [found()])])],
    );
    let state = |done: Ex, rest: Ex| f("named_struct", [text("done"), done, text("rest"), rest]);
    let step = iff(f(">", [at(), int(0)]), state(done, after), var("s"));
    let e = f(
        "aggregate",
        [
            f("sequence", [int(1), int(narrow(n.max(1)))]),
            state(text(""), this.e.clone()),
            lambda(&["s", "i"], step),
            lambda(
                &["r"],
                f("concat", [field(var("r"), "done"), field(var("r"), "rest")]),
            ),
        ],
    );
    let e = if n == 0 { this.e.clone() } else { e };
    Ok(Val::of(e, DType::String, &[&this, &value]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replacements_are_those_of_java() {
        for (rust, java) in [
            ("$1-${2}", "$1-$2"),
            ("${name}$$", "${name}\\$"),
            ("a\\b", "a\\\\b"),
            ("5$", "5\\$"),
        ] {
            assert_eq!(replacement(rust), java);
        }
        assert_eq!(literal_pattern("a|\\E"), "\\Qa|\\E\\\\E\\Q\\E");
    }
}
