//! SQL with named frames: text segments and placeholders, parsed once, never replaced textually.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::frame::FrameName;

/// A piece of a SQL text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SqlSegment {
    /// SQL as written.
    Text(String),
    /// A frame, written `{df}`, `{nodes.x}` or `{sources.x}`.
    Frame(FrameName),
}

/// One SQL statement whose relations may be placeholders.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SqlTemplate {
    /// Segments with the byte range that each takes in the user's text.
    segments: Vec<(SqlSegment, Range<usize>)>,
}

/// Functions of SQL dialects that give another value each time.
const RANDOM: [&str; 13] = [
    "rand",
    "random",
    "randn",
    "randint",
    "randstr",
    "uniform",
    "uuid",
    "gen_random_uuid",
    "generate_uuid",
    "newid",
    "uuidv4",
    "uuidv7",
    "shuffle",
];

/// Whether a piece of SQL calls a random function, or takes a random part of a table.
fn draws(sql: &str) -> bool {
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    let mut rest = sql;
    while let Some(start) = rest.find(is_word) {
        let from = &rest[start..];
        let end = from.find(|letter| !is_word(letter)).unwrap_or(from.len());
        let (word, behind) = from.split_at(end);
        let called = behind.trim_start().starts_with('(');
        if called && RANDOM.iter().any(|name| name.eq_ignore_ascii_case(word))
            || word.eq_ignore_ascii_case("tablesample")
        {
            return true;
        }
        rest = behind;
    }
    false
}

/// A template with names in the place of its frames, and the way back to the user's text.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RenderedSql {
    /// SQL for the engine.
    pub text: String,
    /// Byte range in `text`, and byte range in the user's text, of each segment.
    map: Vec<(Range<usize>, Range<usize>)>,
}

impl SqlTemplate {
    /// A template of segments, each with its byte range in the user's text; an empty one for what was added to it.
    #[must_use]
    pub fn new(segments: Vec<(SqlSegment, Range<usize>)>) -> Self {
        Self { segments }
    }

    /// The template behind a text that the user did not write; faults in it lead to the start of the user's text.
    #[must_use]
    pub fn behind(&self, prefix: impl Into<String>) -> Self {
        let prefix = (SqlSegment::Text(prefix.into()), 0..0);
        Self::new([&[prefix], self.segments.as_slice()].concat())
    }

    /// The segments, in order.
    pub fn segments(&self) -> impl Iterator<Item = &SqlSegment> {
        self.segments.iter().map(|(segment, _)| segment)
    }

    /// The frames that the statement reads, each once, in order of appearance.
    #[must_use]
    pub fn frames(&self) -> Vec<&FrameName> {
        let mut frames: Vec<&FrameName> = Vec::new();
        for segment in self.segments() {
            if let SqlSegment::Frame(name) = segment
                && !frames.contains(&name)
            {
                frames.push(name);
            }
        }
        frames
    }

    /// How often the statement reads a frame.
    #[must_use]
    pub fn references(&self, frame: &FrameName) -> usize {
        let reads =
            |segment: &&SqlSegment| matches!(segment, SqlSegment::Frame(name) if name == frame);
        self.segments().filter(reads).count()
    }

    /// Whether the statement gives the same rows each time it is computed from the same rows, as far as the words in it
    /// tell: a text or comment that reads like a call of a random function counts as one.
    #[must_use]
    pub fn is_deterministic(&self) -> bool {
        let texts = self.segments().filter_map(|segment| match segment {
            SqlSegment::Text(text) => Some(text.as_str()),
            SqlSegment::Frame(_) => None,
        });
        !texts.into_iter().any(draws)
    }

    /// The user's text, with placeholders as written. What stands at no place of it was not written.
    #[must_use]
    pub fn source(&self) -> String {
        let written = self.segments.iter().filter(|(_, range)| !range.is_empty());
        written
            .map(|(segment, _)| match segment {
                SqlSegment::Text(text) => text.clone(),
                SqlSegment::Frame(name) => name.to_string(),
            })
            .collect()
    }

    /// The statement with each frame replaced by what `relation` gives for it, quoted as the engine needs.
    #[must_use]
    pub fn render(&self, mut relation: impl FnMut(&FrameName) -> String) -> RenderedSql {
        let mut text = String::new();
        let mut map = Vec::with_capacity(self.segments.len());
        for (segment, source) in &self.segments {
            let start = text.len();
            match segment {
                SqlSegment::Text(segment) => text.push_str(segment),
                SqlSegment::Frame(name) => text.push_str(&relation(name)),
            }
            map.push((start..text.len(), source.clone()));
        }
        RenderedSql { text, map }
    }
}

impl RenderedSql {
    /// The byte offset in the user's text of a byte offset in the rendered text.
    #[must_use]
    pub fn source_offset(&self, offset: usize) -> usize {
        for (rendered, source) in &self.map {
            if offset < rendered.end || rendered.is_empty() && offset == rendered.start {
                let inside = offset.saturating_sub(rendered.start);
                return (source.start + inside).min(source.end);
            }
        }
        self.map.last().map_or(0, |(_, source)| source.end)
    }

    /// The byte offset in the user's text of a line and column (both from 1, the column in characters) of the
    /// rendered text, as SQL parsers report them.
    #[must_use]
    pub fn source_offset_of_position(&self, line: usize, column: usize) -> usize {
        let start: usize = self
            .text
            .split_inclusive('\n')
            .take(line.saturating_sub(1))
            .map(str::len)
            .sum();
        let within: usize = self.text[start..]
            .chars()
            .take(column.saturating_sub(1))
            .map(char::len_utf8)
            .sum();
        self.source_offset(start + within)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_functions_are_seen_and_their_names_as_columns_are_not() {
        let text = |sql: &str| SqlTemplate::new(vec![(SqlSegment::Text(sql.into()), 0..sql.len())]);
        for sql in [
            "SELECT UUID() AS u",
            "SELECT rand ( 3 )",
            "x TABLESAMPLE (10 PERCENT)",
        ] {
            assert!(!text(sql).is_deterministic(), "{sql}");
        }
        for sql in [
            "SELECT uuid, random",
            "SELECT brand(x)",
            "SELECT round(random)",
        ] {
            assert!(text(sql).is_deterministic(), "{sql}");
        }
    }

    #[test]
    fn rendered_offsets_lead_back_to_the_text() {
        let template = SqlTemplate::new(vec![
            (SqlSegment::Text("SELECT *\nFROM ".into()), 0..14),
            (SqlSegment::Frame(FrameName::Df), 14..18),
            (SqlSegment::Text(" WHERE y".into()), 18..26),
        ]);
        assert_eq!(template.source(), "SELECT *\nFROM {df} WHERE y");
        let rendered = template.render(|_| "a_long_relation".into());
        let at = rendered.text.find('y').unwrap();
        assert_eq!(rendered.source_offset(at), 25);
        let behind = template.behind("CREATE VIEW v AS ").render(|_| "t".into());
        assert_eq!(behind.source_offset(3), 0);
        assert_eq!(behind.source_offset(behind.text.find("WHERE").unwrap()), 19);
        assert_eq!(rendered.source_offset_of_position(2, 28), 25);
    }
}
