//! Numbers in a statement that ask for more than a machine has: lengths of texts, and intervals.

use super::width::Token;
use crate::diagnostic::FragmentError;
use crate::limits::{self, MAX_LIST, MAX_YEARS, is_endless};

/// Longest text that a function makes.
const MAX_WIDTH: u64 = limits::MAX_WIDTH.unsigned_abs();

/// Functions that make a text or list of a length: the argument that is the length, the most, and what there are so many of.
const LENGTHS: &[(&str, usize, u64, &str)] = &[
    ("LPAD", 1, MAX_WIDTH, "characters"),
    ("RPAD", 1, MAX_WIDTH, "characters"),
    ("REPEAT", 1, MAX_WIDTH, "characters"),
    ("REPLICATE", 1, MAX_WIDTH, "characters"),
    ("SPACE", 0, MAX_WIDTH, "characters"),
    ("RANGE", 0, MAX_LIST, "elements"),
    ("RANGE", 1, MAX_LIST, "elements"),
    ("GENERATE_SERIES", 1, MAX_LIST, "elements"),
    ("SEQUENCE", 1, MAX_LIST, "elements"),
    ("ARRAY_REPEAT", 1, MAX_LIST, "elements"),
];

/// Refuses lengths and intervals beyond the limits, as far as they are written as constants.
///
/// # Errors
/// The first of them.
pub(super) fn check(tokens: &[Token<'_>]) -> Result<(), FragmentError> {
    for (at, token) in tokens.iter().enumerate() {
        if token.opaque {
            continue;
        }
        if token.text.eq_ignore_ascii_case("INTERVAL") {
            interval(&tokens[at + 1..])?;
        }
        let functions = LENGTHS
            .iter()
            .filter(|function| token.text.eq_ignore_ascii_case(function.0));
        for (_, argument, most, noun) in functions {
            if tokens.get(at + 1).is_some_and(|next| next.text == "(")
                && let Some(length) = argument_of(&tokens[at + 2..], *argument)
                && constant(length.text).is_some_and(|count| count > *most)
            {
                let message = format!("`{}` makes at most {most} {noun}", token.text);
                let range = length.start..length.start + length.text.len();
                return Err(FragmentError::new("too-large", message, range)
                    .hint("each row takes that much memory"));
            }
        }
    }
    Ok(())
}

/// The constant that is the argument at a position of a call, behind its bracket.
fn argument_of<'t, 'a>(tokens: &'t [Token<'a>], position: usize) -> Option<&'t Token<'a>> {
    let (mut depth, mut commas) = (0_usize, 0);
    for (at, token) in tokens.iter().enumerate() {
        match token.text {
            "(" | "[" if !token.opaque => depth += 1,
            ")" | "]" if !token.opaque => depth = depth.checked_sub(1)?,
            "," if !token.opaque && depth == 0 => commas += 1,
            _ if depth == 0 && commas == position => {
                let next = tokens.get(at + 1)?;
                return matches!(next.text, ")" | ",").then_some(token);
            }
            _ => {}
        }
        if commas > position {
            return None;
        }
    }
    None
}

fn constant(text: &str) -> Option<u64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

/// `INTERVAL '300000 years'`, `INTERVAL '5' YEAR`, `INTERVAL 5 YEAR`.
fn interval(tokens: &[Token<'_>]) -> Result<(), FragmentError> {
    let Some(value) = tokens.first() else {
        return Ok(());
    };
    let unit = tokens.get(1).map_or("", |token| token.text);
    let text = format!("{} {unit}", value.text.trim_matches('\''));
    let mut count = None;
    for word in text.split_whitespace() {
        // `2days` and `2 days`.
        let digits = word
            .find(|char: char| !(char.is_ascii_digit() || matches!(char, '.' | '+' | '-')))
            .unwrap_or(word.len());
        let (number, unit) = word.split_at(digits);
        if !number.is_empty() {
            count = number.trim_matches(['+', '-']).parse::<f64>().ok();
        }
        if let Some(count) = count.filter(|count| is_endless(*count, unit)) {
            let message = format!("an interval of {count} {unit} is longer than {MAX_YEARS} years");
            let range = value.start..value.start + value.text.len();
            return Err(FragmentError::new("too-large", message, range)
                .hint("dates and times do not reach that far"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::sql_statement;

    #[test]
    fn what_no_machine_has_is_refused() {
        for text in [
            "SELECT LPAD(s, 2147483647) FROM {df}",
            "SELECT rpad(TRIM(s, 'x'), 100000, 'x') FROM {df}",
            "SELECT REPEAT('(', 99999999999999999999999) FROM {df}",
            "SELECT SPACE(1000000000)",
            "SELECT RANGE(2147483647), RANGE(1, 2147483647)",
            "SELECT generate_series(1, 9223372036854775807)",
            "SELECT t + INTERVAL '300000 years' FROM {df}",
            "SELECT t + INTERVAL '9000000000000000000' DAY FROM {df}",
            "SELECT t - interval 300000 year FROM {df}",
            "SELECT t + INTERVAL '1 day 99999999999 hours' FROM {df}",
        ] {
            let error = sql_statement(text).unwrap_err().remove(0);
            assert_eq!(error.code, "too-large", "{text}");
        }
        for text in [
            "SELECT LPAD(s, 10), REPEAT('ab', n), 'LPAD(s, 99999999)' FROM {df}",
            "SELECT lpad, repeat FROM {df} WHERE LPAD(s, n + 100000) = 'x'",
            "SELECT t + INTERVAL '1 day 2 hours', INTERVAL '5' MINUTE, INTERVAL 1000 YEAR FROM {df}",
            "SELECT interval, SUM(x) OVER (ORDER BY y RANGE BETWEEN 9999999 PRECEDING AND 1 FOLLOWING) FROM {df}",
        ] {
            assert!(sql_statement(text).is_ok(), "{text}");
        }
    }
}
