//! Formats of strftime, which laktory uses, as expressions and as patterns of Java, which Spark uses.

use laktory_core::typing::shown;
use laktory_core::{BoundCall, DType, Error, ErrorKind, Result};

use crate::dsl::{Ex, cast, f, iff, int, text};

/// A pattern of Java that reads what a strftime format writes.
pub(super) struct Java {
    pub(super) pattern: String,
    /// Whether it reads an offset from UTC.
    pub(super) offset: bool,
}

/// Whether a format shows a time of day, which dates do not have.
pub(super) fn needs_clock(format: &str) -> bool {
    let mut characters = format.chars();
    while let Some(character) = characters.next() {
        if character == '%'
            && characters
                .next()
                .is_some_and(|c| "HIklMSpPfTRrXcsXzZ.369".contains(c))
        {
            return true;
        }
    }
    false
}

/// The pieces of a format.
enum Piece {
    Text(String),
    /// Flag (`-` drops padding) and directive.
    Directive(Option<char>, String),
}

fn pieces(call: &BoundCall<'_>, format: &str) -> Result<Vec<Piece>> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut characters = format.chars().peekable();
    while let Some(character) = characters.next() {
        if character != '%' {
            match pieces.last_mut() {
                Some(Piece::Text(text)) => text.push(character),
                _ => pieces.push(Piece::Text(character.into())),
            }
            continue;
        }
        let flag = characters.next_if(|c| "-_0".contains(*c));
        let mut name = String::new();
        while let Some(c) = characters.next_if(|c| *c == '.' || c.is_ascii_digit() || *c == ':') {
            name.push(c);
        }
        match characters.next() {
            Some(c) => name.push(c),
            None => return Err(call.invalid("the format ends within a directive")),
        }
        let longer = match name.as_str() {
            "c" => "%a %b %e %H:%M:%S %Y",
            "D" | "x" => "%m/%d/%y",
            "F" => "%Y-%m-%d",
            "T" | "X" => "%H:%M:%S",
            "R" => "%H:%M",
            "r" => "%I:%M:%S %p",
            "v" => "%e-%b-%Y",
            "%" => {
                pieces.push(Piece::Text("%".into()));
                continue;
            }
            "n" => {
                pieces.push(Piece::Text("\n".into()));
                continue;
            }
            "t" => {
                pieces.push(Piece::Text("\t".into()));
                continue;
            }
            _ => {
                pieces.push(Piece::Directive(flag, name));
                continue;
            }
        };
        pieces.extend(self::pieces(call, longer)?);
    }
    Ok(pieces)
}

/// The text of a local time in a format; `instant` and `zone` serve offsets.
pub(super) fn strftime(
    call: &BoundCall<'_>,
    format: &str,
    local: &Ex,
    instant: &Ex,
    zone: Option<&str>,
) -> Result<Ex> {
    let x = || local.clone();
    let pattern = |pattern: &str| f("date_format", [x(), text(pattern)]);
    let padded = |e: Ex, width: i32, fill: &str| -> Result<Ex> {
        Ok(f(
            "lpad",
            [cast(e, &DType::String)?, int(width), text(fill)],
        ))
    };
    let week = |shift: i32| {
        // Weeks that begin on Sunday (0) or Monday (1), counted from the first of them.
        let day = f("-", [f("dayofyear", [x()]), int(1)]);
        let weekday = f(
            "pmod",
            [f("-", [f("dayofweek", [x()]), int(1 + shift)]), int(7)],
        );
        f("div", [f("-", [f("+", [day, int(7)]), weekday]), int(7)])
    };
    let mut parts = Vec::new();
    for piece in pieces(call, format)? {
        let (flag, name) = match piece {
            Piece::Text(literal) => {
                parts.push(text(&literal));
                continue;
            }
            Piece::Directive(flag, name) => (flag, name),
        };
        let e = match name.as_str() {
            "Y" => padded(f("year", [x()]), 4, "0")?,
            "C" => padded(f("div", [f("year", [x()]), int(100)]), 2, "0")?,
            "y" => pattern("yy"),
            "m" => pattern("MM"),
            "d" => pattern("dd"),
            "e" => padded(f("day", [x()]), 2, " ")?,
            "H" => pattern("HH"),
            "k" => padded(f("hour", [x()]), 2, " ")?,
            "I" => pattern("hh"),
            "l" => f("lpad", [pattern("h"), int(2), text(" ")]),
            "M" => pattern("mm"),
            "S" => pattern("ss"),
            "p" => pattern("a"),
            "P" => f("lower", [pattern("a")]),
            "B" => pattern("MMMM"),
            "b" | "h" => pattern("MMM"),
            "A" => pattern("EEEE"),
            "a" => pattern("EEE"),
            "j" => pattern("DDD"),
            "f" | "9f" => pattern("SSSSSSSSS"),
            "6f" => pattern("SSSSSS"),
            "3f" => pattern("SSS"),
            ".3f" => pattern(".SSS"),
            ".6f" => pattern(".SSSSSS"),
            ".9f" => pattern(".SSSSSSSSS"),
            ".f" => {
                let digits = pattern("SSSSSS");
                let none = f("==", [digits.clone(), text("000000")]);
                let millis = f("endswith", [digits.clone(), text("000")]);
                let shown = iff(millis, pattern(".SSS"), pattern(".SSSSSS"));
                iff(none, text(""), shown)
            }
            "G" => padded(f("date_part", [text("YEAROFWEEK"), x()]), 4, "0")?,
            "V" => padded(f("weekofyear", [x()]), 2, "0")?,
            "U" => padded(week(0), 2, "0")?,
            "W" => padded(week(1), 2, "0")?,
            "u" => cast(f("+", [f("weekday", [x()]), int(1)]), &DType::String)?,
            "w" => cast(f("-", [f("dayofweek", [x()]), int(1)]), &DType::String)?,
            "q" => cast(f("quarter", [x()]), &DType::String)?,
            "s" => {
                let at = match zone {
                    Some(_) => instant.clone(),
                    None => cast(x(), &crate::types::zoned(crate::types::UTC))?,
                };
                cast(f("unix_seconds", [at]), &DType::String)?
            }
            "z" | ":z" | "Z" if zone.is_none() => {
                return Err(Error::new(
                    ErrorKind::TypeMismatch,
                    format!(
                        "`{}`: the column has no time zone that `%{name}` could show",
                        shown(call.func())
                    ),
                ));
            }
            "z" | ":z" => offset(&x(), instant, name == ":z")?,
            "Z" => text(zone.unwrap_or_default()),
            other => return Err(call.invalid(&format!("the format has no directive `%{other}`"))),
        };
        parts.push(match flag {
            None => e,
            Some('-') => f("regexp_replace", [e, text("^[0 ]+(?=.)"), text("")]),
            Some(flag) => {
                return Err(call.invalid(&format!("the format has no directive `%{flag}{name}`")));
            }
        });
    }
    Ok(if parts.is_empty() {
        f("substring", [cast(x(), &DType::String)?, int(1), int(0)])
    } else {
        // A format of plain text is still null for null.
        parts.push(f("substring", [cast(x(), &DType::String)?, int(1), int(0)]));
        f("concat", parts)
    })
}

/// `+0100`, or `+01:00`.
fn offset(local: &Ex, instant: &Ex, colon: bool) -> Result<Ex> {
    let zoned = crate::types::zoned(crate::types::UTC);
    let seconds = f(
        "-",
        [
            f("unix_seconds", [cast(local.clone(), &zoned)?]),
            f("unix_seconds", [instant.clone()]),
        ],
    );
    let minutes = f("div", [f("abs", [seconds.clone()]), int(60)]);
    let two =
        |e: Ex| -> Result<Ex> { Ok(f("lpad", [cast(e, &DType::String)?, int(2), text("0")])) };
    Ok(f(
        "concat",
        [
            iff(f("<", [seconds, int(0)]), text("-"), text("+")),
            two(f("div", [minutes.clone(), int(60)]))?,
            text(if colon { ":" } else { "" }),
            two(f("%", [minutes, int(60)]))?,
        ],
    ))
}

/// A pattern that reads what the format writes. Numbers may lack their leading zero, except where they touch another.
pub(super) fn java(call: &BoundCall<'_>, format: &str) -> Result<Java> {
    let pieces = pieces(call, format)?;
    let mut java = Java {
        pattern: String::new(),
        offset: false,
    };
    let is_number = |piece: Option<&Piece>| matches!(piece, Some(Piece::Directive(_, name)) if "YymdHIMSjf".contains(name.as_str()));
    for (index, piece) in pieces.iter().enumerate() {
        let alone =
            !(is_number(pieces.get(index + 1)) || index > 0 && is_number(pieces.get(index - 1)));
        let pick = |short: &'static str, long: &'static str| if alone { short } else { long };
        match piece {
            Piece::Text(text) => {
                for c in text.chars() {
                    match c {
                        '\'' => java.pattern.push_str("''"),
                        c if c.is_ascii_alphabetic() || "[]{}#".contains(c) => {
                            java.pattern.push('\'');
                            java.pattern.push(c);
                            java.pattern.push('\'');
                        }
                        c => java.pattern.push(c),
                    }
                }
            }
            Piece::Directive(_, name) => java.pattern.push_str(match name.as_str() {
                "Y" => "yyyy",
                "y" => "yy",
                "m" => pick("M", "MM"),
                "d" | "e" => pick("d", "dd"),
                "H" | "k" => pick("H", "HH"),
                "I" | "l" => pick("h", "hh"),
                "M" => pick("m", "mm"),
                "S" => pick("s", "ss"),
                "p" | "P" => "a",
                "B" => "MMMM",
                "b" | "h" => "MMM",
                "j" => "DDD",
                "f" | "6f" => "SSSSSS",
                "3f" => "SSS",
                "9f" => "SSSSSSSSS",
                ".f" => "[.SSSSSSSSS][.SSSSSSSS][.SSSSSSS][.SSSSSS][.SSSSS][.SSSS][.SSS][.SS][.S]",
                ".3f" => ".SSS",
                ".6f" => ".SSSSSS",
                ".9f" => ".SSSSSSSSS",
                "z" => {
                    java.offset = true;
                    "[XXX][XX][X]"
                }
                ":z" => {
                    java.offset = true;
                    "XXX"
                }
                other => {
                    return Err(
                        call.invalid(&format!("Spark cannot read the directive `%{other}`"))
                    );
                }
            }),
        }
    }
    Ok(java)
}
