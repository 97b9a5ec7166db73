//! Places in a SQL text: from the parser's lines and columns to bytes, and a bound on nesting before parsing.

use std::cell::OnceCell;
use std::ops::Range;
use std::rc::Rc;

use sqlparser::tokenizer::{Location, Span};

use super::template::lexed;
use super::width::{MANY_TERMS, MAX_ANDS, MAX_ORS, Token, most_terms};
use crate::diagnostic::FragmentError;

/// Longest expression, in bytes.
const MAX_BYTES: usize = 900_000;
/// Deepest nesting of brackets, `CASE`s and operators.
const MAX_DEPTH: usize = 200;

/// A text whose lines and words are known. Both are found once, when they are first asked for, also for its copies.
#[derive(Clone, Debug)]
pub(super) struct Source<'a> {
    pub(super) text: &'a str,
    lines: Rc<OnceCell<Vec<Line>>>,
    tokens: Rc<OnceCell<Vec<Token<'a>>>>,
}

/// Where a line begins, and characters of it that are more than a byte: their column, and how many bytes they and those
/// before them have too many.
#[derive(Debug)]
struct Line {
    start: usize,
    wide: Vec<(usize, usize)>,
}

impl<'a> Source<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text,
            lines: Rc::default(),
            tokens: Rc::default(),
        }
    }

    /// The words and signs of the text; none where a quote in it is not closed.
    pub(super) fn tokens(&self) -> &[Token<'a>] {
        self.tokens.get_or_init(|| lexed(self.text))
    }

    fn lines(&self) -> &[Line] {
        self.lines.get_or_init(|| {
            let mut start = 0;
            let lines = self.text.split_inclusive('\n').map(|text| {
                let mut surplus = 0;
                let wide = text
                    .chars()
                    .enumerate()
                    .filter(|(_, char)| !char.is_ascii());
                let wide = wide.map(|(column, char)| {
                    surplus += char.len_utf8() - 1;
                    (column, surplus)
                });
                let line = Line {
                    start,
                    wide: wide.collect(),
                };
                start += text.len();
                line
            });
            lines.collect()
        })
    }

    /// The byte at a line and column, both from 1, the column in characters.
    fn byte(&self, location: Location) -> Option<usize> {
        let number = usize::try_from(location.line).ok()?.checked_sub(1)?;
        let column = usize::try_from(location.column).ok()?.checked_sub(1)?;
        let Some(line) = self.lines().get(number) else {
            return Some(self.text.len());
        };
        let wide = line.wide.partition_point(|(before, _)| *before < column);
        let surplus = wide.checked_sub(1).map_or(0, |last| line.wide[last].1);
        Some(self.text.floor_char_boundary(line.start + column + surplus))
    }

    /// The bytes of a span; the whole text when the parser does not know them.
    pub(super) fn range(&self, span: Span) -> Range<usize> {
        match (self.byte(span.start), self.byte(span.end)) {
            (Some(start), Some(end)) if start < end => start..end,
            (Some(start), _) => start..self.text.len().min(start + 1).max(start),
            _ => 0..self.text.len(),
        }
    }

    /// The place that a parser's message names, as in `... at Line: 1, Column: 5`.
    pub(super) fn reported(&self, message: &str) -> (String, Range<usize>) {
        let Some((text, place)) = message.split_once(" at Line: ") else {
            return (message.to_owned(), self.text.len()..self.text.len());
        };
        let mut numbers = place
            .split(|char: char| !char.is_ascii_digit())
            .filter(|part| !part.is_empty())
            .filter_map(|part| part.parse().ok());
        let range = match (numbers.next(), numbers.next()) {
            (Some(line), Some(column)) => {
                let start = self
                    .byte(Location { line, column })
                    .unwrap_or(self.text.len());
                let rest = self.text.get(start..).unwrap_or("");
                let length = rest
                    .find(|char: char| !char.is_alphanumeric() && char != '_')
                    .unwrap_or(rest.len())
                    .max(usize::from(!rest.is_empty()));
                start..(start + length).min(self.text.len())
            }
            _ => 0..self.text.len(),
        };
        (text.to_owned(), range)
    }
}

/// Most branches of the CASEs of an expression: an engine holds the values of each of them at once.
const MAX_BRANCHES: usize = 1_000;

/// Refuses expressions that are too long, or whose tree could become too deep.
pub(super) fn within_bounds(text: &str) -> Result<(), FragmentError> {
    if text.len() > MAX_BYTES {
        let message = format!(
            "expression of {} bytes; at most {MAX_BYTES} are read",
            text.len()
        );
        return Err(FragmentError::new("too-large", message, 0..0));
    }
    let bytes = text.as_bytes();
    let mut open: Vec<usize> = vec![0];
    let mut depth = 0_usize;
    let (mut ands, mut ors, mut branches) = (0_usize, 0_usize, 0_usize);
    let mut index = 0;
    while index < bytes.len() {
        let start = index;
        match bytes[index] {
            quote @ (b'\'' | b'"' | b'`') => {
                index += 1;
                while index < bytes.len() && bytes[index] != quote {
                    index += 1;
                }
            }
            b'(' | b'[' | b'{' => push(&mut open, &mut depth),
            b')' | b']' | b'}' => pop(&mut open, &mut depth),
            b',' => reset(&mut open, &mut depth),
            b'+' | b'-' | b'*' | b'/' | b'%' | b'&' | b'|' | b'^' | b'~' | b'<' | b'>' | b'='
            | b'!' | b':' | b'.' | b'@' | b'#' | b'?' => step(&mut open, &mut depth),
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
                while index + 1 < bytes.len()
                    && (bytes[index + 1].is_ascii_alphanumeric() || bytes[index + 1] == b'_')
                {
                    index += 1;
                }
                match text[start..=index].to_ascii_uppercase().as_str() {
                    "CASE" => push(&mut open, &mut depth),
                    "END" => pop(&mut open, &mut depth),
                    "THEN" | "ELSE" => reset(&mut open, &mut depth),
                    "WHEN" => {
                        branches += 1;
                        reset(&mut open, &mut depth);
                    }
                    // Chains of these are lowered to balanced trees.
                    "AND" => {
                        ands += 1;
                        reset(&mut open, &mut depth);
                    }
                    "OR" => {
                        ors += 1;
                        reset(&mut open, &mut depth);
                    }
                    "NOT" | "IS" | "IN" | "LIKE" | "ILIKE" | "RLIKE" | "BETWEEN" | "COLLATE"
                    | "INTERVAL" | "PRIOR" | "XOR" | "DIV" | "AT" | "OVERLAPS" | "ARRAY"
                    | "STRUCT" | "MAP" | "UNION" | "SELECT" | "EXISTS" => {
                        step(&mut open, &mut depth);
                    }
                    _ => {}
                }
            }
            _ => {}
        }
        if ands >= MAX_ANDS || ors >= MAX_ORS {
            let (most, word) = most_terms(ands >= MAX_ANDS);
            let message = format!("a condition has at most {most} terms of {word}");
            let range = start..bytes.len().min(index + 1);
            return Err(FragmentError::new("too-large", message, range).hint(MANY_TERMS));
        }
        if branches > MAX_BRANCHES {
            let message =
                format!("the CASEs of an expression have at most {MAX_BRANCHES} branches");
            let range = start..bytes.len().min(index + 1);
            return Err(FragmentError::new("too-large", message, range)
                .hint("put keys and values into a table of their own and join it"));
        }
        if depth > MAX_DEPTH {
            let message = format!("expression nested or chained more than {MAX_DEPTH} deep");
            return Err(FragmentError::new(
                "too-large",
                message,
                start..bytes.len().min(start + 1),
            )
            .hint("split it into several steps"));
        }
        index += 1;
    }
    Ok(())
}

fn step(open: &mut [usize], depth: &mut usize) {
    if let Some(last) = open.last_mut() {
        *last += 1;
        *depth += 1;
    }
}

fn push(open: &mut Vec<usize>, depth: &mut usize) {
    step(open, depth);
    open.push(0);
}

fn pop(open: &mut Vec<usize>, depth: &mut usize) {
    if open.len() > 1 {
        *depth = depth.saturating_sub(open.pop().unwrap_or(0));
    }
}

fn reset(open: &mut [usize], depth: &mut usize) {
    if let Some(last) = open.last_mut() {
        *depth = depth.saturating_sub(*last);
        *last = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_counted_in_characters() {
        for text in ["a bc\nd", "é a\n日本 b\n\nñ", "\n\n", "", "ab🦀c\r\nd🦀🦀e"] {
            let source = Source::new(text);
            for (at, _) in text.char_indices() {
                let before = &text[..at];
                let line = before.matches('\n').count() + 1;
                let column = before
                    .chars()
                    .rev()
                    .take_while(|char| *char != '\n')
                    .count()
                    + 1;
                let location = Location {
                    line: line as u64,
                    column: column as u64,
                };
                assert_eq!(source.byte(location), Some(at), "{text:?} {line}:{column}");
            }
        }
        let behind = Location { line: 9, column: 1 };
        assert_eq!(Source::new("a").byte(behind), Some(1));
    }
}
