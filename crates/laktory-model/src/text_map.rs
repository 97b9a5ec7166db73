//! From a byte range of a decoded scalar to the bytes of the file it was written with.
//!
//! The scalar is decoded again, noting where each piece came from. When that does not give the text that the YAML
//! parser gave, the range cannot be trusted and the caller falls back to the whole scalar.

use std::ops::Range;

use crate::placeholders::find;
use crate::tree::{Place, Style};

/// The bytes of `file` behind `range` of the scalar `text` written at `at`.
pub(crate) fn locate(
    file: &str,
    at: Place,
    text: &str,
    range: Range<usize>,
) -> Option<Range<usize>> {
    let start = at.start as usize;
    let slice = file.get(start..at.end as usize)?;
    if at.style == Style::Plain && slice == text {
        return (range.end <= text.len()).then(|| start + range.start..start + range.end);
    }
    let leading = text.len() - text.trim_start_matches('\n').len();
    let map = decoded(file, at, leading)?;
    let block = matches!(at.style, Style::Literal | Style::Folded);
    let same = if block {
        map.text.trim_end_matches('\n') == text.trim_end_matches('\n')
    } else {
        map.text == text
    };
    same.then(|| map.range(range))
}

/// The same for a text that had placeholders: their values stand at `values` in it. What is of a value was written as its
/// placeholder.
pub(crate) fn locate_filled(
    file: &str,
    at: Place,
    text: &str,
    values: &[Range<usize>],
    range: Range<usize>,
) -> Option<Range<usize>> {
    let leading = match values.first() {
        Some(first) if first.start > 0 => text.len() - text.trim_start_matches('\n').len(),
        _ => 0,
    };
    // A file of SQL is a text of its own, whose lines are not folded.
    let verbatim = match at.style {
        Style::Plain => verbatim(file, at).and_then(|map| {
            let range = through_placeholders(&map, text, values, &range)?;
            Some(map.range(range))
        }),
        _ => None,
    };
    verbatim.or_else(|| {
        let map = decoded(file, at, leading)?;
        let range = through_placeholders(&map, text, values, &range)?;
        Some(map.range(range))
    })
}

/// The range in the text as written of one in the text whose placeholders were filled.
fn through_placeholders(
    map: &Map,
    text: &str,
    values: &[Range<usize>],
    range: &Range<usize>,
) -> Option<Range<usize>> {
    let placeholders = find(&map.text);
    if placeholders.len() != values.len() {
        return None;
    }
    // Where the text as written goes on behind each placeholder, and where the filled one does.
    let (mut written, mut filled) = (0, 0);
    let (mut start, mut end) = (None, None);
    for (placeholder, value) in placeholders.iter().zip(values) {
        let literal = text.get(filled..value.start)?;
        if map.text.get(written..placeholder.range.start)? != literal {
            return None;
        }
        if range.start < value.start {
            start = start.or(Some(written + (range.start.max(filled) - filled)));
        } else if range.start < value.end {
            start = start.or(Some(placeholder.range.start));
        }
        if range.end <= value.start {
            end = end.or(Some(written + (range.end.max(filled) - filled)));
        } else if range.end <= value.end {
            end = end.or(Some(placeholder.range.end));
        }
        (written, filled) = (placeholder.range.end, value.end);
    }
    let behind = |at: usize| written + (at.max(filled) - filled);
    let start = start.unwrap_or_else(|| behind(range.start));
    let end = end.unwrap_or_else(|| behind(range.end));
    let rest = |text: &str, from: usize| Some(text.get(from..)?.trim_end_matches('\n').to_owned());
    (rest(&map.text, written)? == rest(text, filled)?).then(|| start..end.max(start))
}

/// A text that stands in the file as it is.
fn verbatim(file: &str, at: Place) -> Option<Map> {
    let slice = file.get(at.start as usize..at.end as usize)?;
    let mut map = Map::new(at.start as usize);
    for (offset, char) in slice.char_indices() {
        map.push(char, offset);
    }
    Some(map)
}

/// A scalar decoded again. A block keeps `leading` empty lines before its first one.
fn decoded(file: &str, at: Place, leading: usize) -> Option<Map> {
    let start = at.start as usize;
    let slice = file.get(start..at.end as usize)?;
    let mut map = Map::new(start);
    match at.style {
        Style::Whole => return None,
        Style::Plain => map.flow(slice, 0, Quote::None),
        Style::SingleQuoted => map.flow(unquoted(slice, '\'')?, 1, Quote::Single),
        Style::DoubleQuoted => map.flow(unquoted(slice, '"')?, 1, Quote::Double),
        Style::Literal | Style::Folded => {
            let line = file[..start].rfind('\n').map_or(0, |at| at + 1);
            let indent = start - line;
            for _ in 0..leading {
                map.push('\n', 0);
            }
            map.block(slice, indent, at.style == Style::Folded);
        }
    }
    Some(map)
}

fn unquoted(slice: &str, quote: char) -> Option<&str> {
    slice.strip_prefix(quote)?.strip_suffix(quote)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Quote {
    None,
    Single,
    Double,
}

/// A decoded text with, for each of its bytes, the file bytes it came from.
struct Map {
    base: usize,
    text: String,
    from: Vec<Range<usize>>,
}

impl Map {
    fn new(base: usize) -> Self {
        Self {
            base,
            text: String::new(),
            from: Vec::new(),
        }
    }

    /// Adds `c`, which stands at byte `at` of the scalar as itself.
    fn push(&mut self, c: char, at: usize) {
        self.push_from(c, at..at + c.len_utf8());
    }

    fn push_from(&mut self, c: char, from: Range<usize>) {
        self.text.push(c);
        let own = c.len_utf8() == from.len();
        for byte in 0..c.len_utf8() {
            let start = if own { from.start + byte } else { from.start };
            let end = if own { start + 1 } else { from.end };
            self.from.push(self.base + start..self.base + end);
        }
    }

    fn range(&self, range: Range<usize>) -> Range<usize> {
        let end_of_text = self.from.last().map_or(self.base, |last| last.end);
        let start = self
            .from
            .get(range.start)
            .map_or(end_of_text, |at| at.start);
        let end = match range.end.checked_sub(1) {
            Some(last) if range.end > range.start => {
                self.from.get(last).map_or(end_of_text, |at| at.end)
            }
            _ => start,
        };
        start..end.max(start)
    }

    /// Plain and quoted scalars: escapes, and line breaks folded to spaces.
    fn flow(&mut self, slice: &str, offset: usize, quote: Quote) {
        let mut rest = slice.char_indices().peekable();
        // End of what may not be trimmed at a line break, such as an escaped blank.
        let mut kept = 0;
        while let Some((at, c)) = rest.next() {
            match c {
                '\n' | '\r' => {
                    while self.text.len() > kept && self.text.ends_with([' ', '\t']) {
                        self.text.pop();
                        self.from.pop();
                    }
                    let mut breaks = 1;
                    if c == '\r' && rest.peek().is_some_and(|(_, next)| *next == '\n') {
                        rest.next();
                    }
                    while let Some((_, next)) = rest.peek().copied() {
                        match next {
                            '\n' => breaks += 1,
                            ' ' | '\t' | '\r' => {}
                            _ => break,
                        }
                        rest.next();
                    }
                    if breaks == 1 {
                        self.push(' ', offset + at);
                    }
                    for _ in 1..breaks {
                        self.push('\n', offset + at);
                    }
                    kept = self.text.len();
                }
                '\'' if quote == Quote::Single => {
                    rest.next();
                    self.push_from('\'', offset + at..offset + at + 2);
                }
                '\\' if quote == Quote::Double => {
                    self.escape(&mut rest, offset + at);
                    kept = self.text.len();
                }
                c => self.push(c, offset + at),
            }
        }
    }

    fn escape(&mut self, rest: &mut std::iter::Peekable<std::str::CharIndices<'_>>, at: usize) {
        let Some((_, c)) = rest.next() else { return };
        let simple = match c {
            '0' => '\0',
            'a' => '\u{7}',
            'b' => '\u{8}',
            't' | '\t' => '\t',
            'n' => '\n',
            'v' => '\u{b}',
            'f' => '\u{c}',
            'r' => '\r',
            'e' => '\u{1b}',
            'N' => '\u{85}',
            '_' => '\u{a0}',
            'L' => '\u{2028}',
            'P' => '\u{2029}',
            'x' => return self.hex(rest, at, 2),
            'u' => return self.hex(rest, at, 4),
            'U' => return self.hex(rest, at, 8),
            '\n' | '\r' => {
                // An escaped line break joins the lines; blank lines after it stay.
                while let Some((next_at, next)) = rest.peek().copied() {
                    match next {
                        '\n' if c == '\n' => self.push('\n', next_at + 1),
                        ' ' | '\t' | '\n' | '\r' => {}
                        _ => break,
                    }
                    rest.next();
                }
                return;
            }
            other => other,
        };
        self.push_from(simple, at..at + 1 + c.len_utf8());
    }

    fn hex(
        &mut self,
        rest: &mut std::iter::Peekable<std::str::CharIndices<'_>>,
        at: usize,
        digits: usize,
    ) {
        let code: String = rest.by_ref().take(digits).map(|(_, c)| c).collect();
        let decoded = u32::from_str_radix(&code, 16).ok().and_then(char::from_u32);
        if let Some(c) = decoded {
            self.push_from(c, at..at + 2 + digits);
        }
    }

    /// Literal and folded block scalars, from their first line with content on.
    fn block(&mut self, slice: &str, indent: usize, folded: bool) {
        let mut at = 0;
        // Bytes of line breaks not written yet, and whether the last line with content was indented further.
        let mut breaks: Vec<usize> = Vec::new();
        let mut last_more: Option<bool> = None;
        for (number, line) in slice.split_inclusive('\n').enumerate() {
            let body = line.trim_end_matches('\n');
            let body = body.strip_suffix('\r').unwrap_or(body);
            let blanks = body.len() - body.trim_start_matches(' ').len();
            let skip = if number == 0 { 0 } else { blanks.min(indent) };
            let content = &body[skip..];
            if !content.is_empty() {
                let more = content.starts_with([' ', '\t']);
                self.breaks(&breaks, folded && !more && last_more == Some(false));
                breaks.clear();
                last_more = Some(more);
                for (offset, c) in content.char_indices() {
                    self.push(c, at + skip + offset);
                }
            }
            if line.ends_with('\n') {
                breaks.push(at + body.len());
            }
            at += line.len();
        }
    }

    fn breaks(&mut self, breaks: &[usize], fold: bool) {
        match (fold, breaks) {
            (true, [single]) => self.push_from(' ', *single..*single + 1),
            (true, [_, rest @ ..]) => {
                for at in rest {
                    self.push('\n', *at);
                }
            }
            (_, all) => {
                for at in all {
                    self.push('\n', *at);
                }
            }
        }
    }
}
