//! Numbers in a statement that ask for more than a machine has: lengths of texts, and intervals.

use super::width::Token;
use crate::diagnostic::FragmentError;
use crate::limits::{MAX_WIDTH, MAX_YEARS, is_endless};

/// Functions that make texts of a length, and which argument is the length.
const LENGTHS: &[(&str, usize)] = &[
    ("LPAD", 1),
    ("RPAD", 1),
    ("REPEAT", 1),
    ("REPLICATE", 1),
    ("SPACE", 0),
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
        let function = LENGTHS
            .iter()
            .find(|(name, _)| token.text.eq_ignore_ascii_case(name));
        if let Some((_, argument)) = function
            && tokens.get(at + 1).is_some_and(|next| next.text == "(")
            && let Some(length) = argument_of(&tokens[at + 2..], *argument)
            && constant(length.text).is_some_and(|count| count > MAX_WIDTH.unsigned_abs())
        {
            let message = format!(
                "`{}` makes texts of at most {MAX_WIDTH} characters",
                token.text
            );
            let range = length.start..length.start + length.text.len();
            return Err(FragmentError::new("too-large", message, range)
                .hint("each row takes that much memory"));
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
            "SELECT interval FROM {df}",
        ] {
            assert!(sql_statement(text).is_ok(), "{text}");
        }
    }
}
