//! Texts: title case, positions and LIKE patterns, character by character.

use crate::error::{Error, ErrorKind, Result};

/// How many bytes the texts that are made of a batch of rows may still have: texts that are doubled a few dozen times, or replaced
/// by long ones, would end the process otherwise.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    left: usize,
}

impl Room {
    /// That of so many rows: 1 GiB, and 1 KiB for each row, so that the number of rows alone is never too much.
    #[must_use]
    pub fn of(rows: usize) -> Self {
        Self {
            left: (1_usize << 30).saturating_add(rows.saturating_mul(1 << 10)),
        }
    }

    /// Whether so many more bytes would not fit.
    #[must_use]
    pub fn is_exceeded_by(&self, bytes: usize) -> bool {
        bytes > self.left
    }

    /// Takes room for a text.
    ///
    /// # Errors
    /// `Compute` when there is not enough.
    pub fn take(&mut self, bytes: usize) -> Result<()> {
        let left = self.left.checked_sub(bytes).ok_or_else(|| {
            Error::new(
                ErrorKind::Compute,
                "the texts that come of this are larger than 1 GB; shorten what is joined or put in place of a match",
            )
        })?;
        self.left = left;
        Ok(())
    }
}

/// Upper case after every character that is not a letter, lower case elsewhere: `It'S Me`, `X1Y2`.
#[must_use]
pub fn titlecase(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    for character in text.chars() {
        if inside {
            out.extend(character.to_lowercase());
        } else {
            out.extend(character.to_uppercase());
        }
        inside = character.is_alphabetic();
    }
    out
}

/// Characters before the first occurrence of a part, plus one; zero without one.
#[must_use]
pub fn position(text: &str, part: &str) -> i64 {
    text.find(part).map_or(0, |at| {
        i64::try_from(text[..at].chars().count()).map_or(i64::MAX, |before| before + 1)
    })
}

/// A LIKE pattern as a regular expression over the whole text: `%` is any text, `_` one character, line ends included.
/// What follows `escape` stands for itself.
#[must_use]
pub fn like_regex(pattern: &str, escape: Option<char>, case_insensitive: bool) -> String {
    let mut out = String::from(if case_insensitive { "(?si)^" } else { "(?s)^" });
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        match character {
            escaping if Some(escaping) == escape => {
                if let Some(literal) = characters.next() {
                    quote(&mut out, literal);
                }
            }
            '%' => out.push_str(".*"),
            '_' => out.push('.'),
            literal => quote(&mut out, literal),
        }
    }
    out.push('$');
    out
}

fn quote(out: &mut String, literal: char) {
    if r"\.+*?()|[]{}^$#&-~".contains(literal) {
        out.push('\\');
    }
    out.push(literal);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_after_anything_else_are_upper_case() {
        assert_eq!(titlecase("it's ME x1y2 ab_cd"), "It'S Me X1Y2 Ab_Cd");
    }

    #[test]
    fn positions_count_characters() {
        assert_eq!(position("héllo", "l"), 3);
        assert_eq!(position("héllo", "x"), 0);
        assert_eq!(position("héllo", ""), 1);
    }

    #[test]
    fn patterns_match_the_whole_text() {
        assert_eq!(like_regex("a.%_", None, false), r"(?s)^a\..*.$");
        assert_eq!(like_regex("50!%", Some('!'), true), "(?si)^50%$");
    }
}
