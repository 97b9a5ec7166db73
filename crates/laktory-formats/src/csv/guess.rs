//! Types guessed from texts: a column has the narrowest of truth values, whole numbers of 64 bits, other numbers, and,
//! where that is asked, dates and times, that each of its texts has; else it is of text. Numbers that would not come back as they
//! are written, since they begin with zeros or have more digits than 64 bits hold, are texts.

use laktory_core::DType;
use laktory_core::semantics::iso;

use super::values::{boolean, point};

/// What the texts of a column may be.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Candidates {
    seen: bool,
    not_boolean: bool,
    not_integer: bool,
    not_number: bool,
    not_date: bool,
    not_instant: bool,
}

impl Candidates {
    /// Looks at a text that is not null.
    pub(crate) fn look(&mut self, text: &str, comma: bool, dates: bool) {
        let text = text.trim_matches([' ', '\t']);
        if text.is_empty() {
            return;
        }
        self.seen = true;
        self.not_boolean = self.not_boolean || boolean(text).is_none();
        let shape = shape(&point(text, comma));
        self.not_integer = self.not_integer || shape != Shape::Integer;
        self.not_number = self.not_number || shape == Shape::Other;
        self.not_date = self.not_date || !dates || !is_date(text);
        self.not_instant = self.not_instant || !dates || !is_instant(text);
    }

    /// Whether nothing but text is left.
    pub(crate) fn is_text(&self) -> bool {
        self.not_boolean && self.not_number && self.not_date && self.not_instant
    }

    /// The type.
    pub(crate) fn dtype(&self) -> DType {
        if !self.seen {
            DType::String
        } else if !self.not_boolean {
            DType::Boolean
        } else if !self.not_integer {
            DType::Int64
        } else if !self.not_number {
            DType::Float64
        } else if !self.not_date {
            DType::Date
        } else if !self.not_instant {
            DType::datetime()
        } else {
            DType::String
        }
    }
}

#[derive(PartialEq)]
enum Shape {
    Integer,
    Number,
    Other,
}

fn shape(text: &str) -> Shape {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(digits, "inf" | "NaN") {
        return Shape::Number;
    }
    let whole = digits.bytes().take_while(u8::is_ascii_digit).count();
    if whole > 1 && digits.starts_with('0') {
        return Shape::Other;
    }
    if whole == digits.len() {
        return match text.parse::<i64>() {
            Ok(_) => Shape::Integer,
            Err(_) => Shape::Other,
        };
    }
    let begins = digits.starts_with(|first: char| first.is_ascii_digit() || first == '.');
    if begins && text.parse::<f64>().is_ok() {
        Shape::Number
    } else {
        Shape::Other
    }
}

fn is_date(text: &str) -> bool {
    text.len() == 10 && text.as_bytes()[4] == b'-' && iso::plain_date(text).is_some()
}

fn is_instant(text: &str) -> bool {
    text.len() > 10
        && text.as_bytes()[4] == b'-'
        && iso::timestamp(text).is_some_and(|at| !at.zoned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_hold_every_text_as_it_is_written() {
        let guessed = |texts: &[&str]| {
            let mut candidates = Candidates::default();
            for text in texts {
                candidates.look(text, false, true);
            }
            candidates.dtype()
        };
        for (texts, wanted) in [
            (&["1", "", "-2", " 3"] as &[&str], DType::Int64),
            (&["1", "2.5"], DType::Float64),
            (&["1e5", "NaN"], DType::Float64),
            (&["true", "FALSE"], DType::Boolean),
            (&["true", "1"], DType::String),
            (&["00501", "2134"], DType::String),
            (&["0", "0.5"], DType::Float64),
            (&["9223372036854775808"], DType::String),
            (&["9223372036854775808", "1.5"], DType::String),
            (&["2024-01-31"], DType::Date),
            (&["2024-01-31 10:00:00"], DType::datetime()),
            (&["2024-01-31", "2024-01-31 10:00:00"], DType::String),
            (&["infinity"], DType::String),
            (&["", ""], DType::String),
        ] {
            assert_eq!(guessed(texts), wanted, "{texts:?}");
        }
    }
}
