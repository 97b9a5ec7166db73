//! Objects of JSON, on lines of their own or in one array.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;

use laktory_core::{Error, ErrorKind, Result};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{other_columns, pieces, text};

const MARK: &[u8] = b"\xEF\xBB\xBF";

/// The text of a file without its byte order mark, and whether it had one.
fn unmarked(file: &Path) -> Result<(Box<dyn BufRead>, bool)> {
    let mut text = text(file)?;
    let marked = text.fill_buf()?.starts_with(MARK);
    if marked {
        text.consume(MARK.len());
    }
    Ok((text, marked))
}

/// Follows lines: how many hold something, and whether the last one has no end.
#[derive(Default)]
struct Lines {
    filled: u64,
    /// Whether the line so far holds something.
    is_filled: bool,
    open: bool,
}

impl Lines {
    fn take(&mut self, piece: &[u8]) {
        for &byte in piece {
            if byte == b'\n' {
                self.filled += u64::from(self.is_filled);
                (self.is_filled, self.open) = (false, false);
            } else {
                self.open = true;
                self.is_filled |= !byte.is_ascii_whitespace();
            }
        }
    }

    fn all(&self) -> u64 {
        self.filled + u64::from(self.is_filled)
    }
}

pub(super) fn count_lines(file: &Path) -> Result<u64> {
    let mut lines = Lines::default();
    pieces(unmarked(file)?.0, |piece| {
        lines.take(piece);
        Ok(())
    })?;
    Ok(lines.all())
}

/// Writes both files as one. Gives the rows of the old one.
pub(super) fn append_lines((old, new): (&Path, &Path), out: &mut impl Write) -> Result<u64> {
    let (text, marked) = unmarked(old)?;
    if marked {
        out.write_all(MARK)?;
    }
    let mut lines = Lines::default();
    pieces(text, |piece| {
        lines.take(piece);
        Ok(out.write_all(piece)?)
    })?;
    if lines.open {
        out.write_all(b"\n")?;
    }
    pieces(unmarked(new)?.0, |piece| Ok(out.write_all(piece)?))?;
    Ok(lines.all())
}

/// Follows a document that is one array.
#[derive(Default)]
struct Elements {
    depth: usize,
    in_text: bool,
    escaped: bool,
    /// Whether an element of the outer array is open.
    inside: bool,
    count: u64,
    /// Bytes so far, and up to the begin of the first element and the end of the last one.
    seen: u64,
    start: Option<u64>,
    end: u64,
    closed: bool,
    is_other: bool,
}

impl Elements {
    fn take(&mut self, byte: u8) {
        self.seen += 1;
        if self.in_text {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_text = false,
                _ => {}
            }
            self.end = self.seen;
            return;
        }
        if byte.is_ascii_whitespace() {
            return;
        }
        match (self.depth, byte) {
            (0, b'[') if !self.closed => {
                self.depth = 1;
                return;
            }
            (0, _) => {
                self.is_other = true;
                return;
            }
            (1, b']') => {
                (self.depth, self.closed) = (0, true);
                return;
            }
            (1, b'}') => {
                self.is_other = true;
                return;
            }
            (1, b',') => {
                self.inside = false;
                return;
            }
            (_, b'[' | b'{') => self.depth += 1,
            (_, b']' | b'}') => self.depth -= 1,
            (_, b'"') => self.in_text = true,
            _ => {}
        }
        if !self.inside {
            (self.inside, self.count) = (true, self.count + 1);
            self.start.get_or_insert(self.seen - 1);
        }
        self.end = self.seen;
    }

    /// The elements of a file; none for one that holds nothing at all.
    fn of(file: &Path) -> Result<Option<Self>> {
        let mut elements = Self::default();
        pieces(unmarked(file)?.0, |piece| {
            for &byte in piece {
                elements.take(byte);
            }
            Ok(())
        })?;
        let is_empty =
            elements.depth == 0 && elements.count == 0 && !elements.closed && !elements.is_other;
        if is_empty {
            return Ok(None);
        }
        if elements.is_other || !elements.closed {
            return Err(Error::new(
                ErrorKind::ConversionFailed,
                format!(
                    "cannot append to `{}`: it is not one JSON array",
                    file.display()
                ),
            )
            .with_hint("write a file of its own, or use mode OVERWRITE"));
        }
        Ok(Some(elements))
    }
}

pub(super) fn count_elements(file: &Path) -> Result<u64> {
    Ok(Elements::of(file)?.map_or(0, |elements| elements.count))
}

/// Writes both documents as one. Gives the rows of the old one.
pub(super) fn append_array((old, new): (&Path, &Path), out: &mut impl Write) -> Result<u64> {
    let before = Elements::of(old)?;
    let count = before.as_ref().map_or(0, |before| before.count);
    out.write_all(b"[")?;
    let mut first = true;
    for (file, elements) in [(old, before), (new, Elements::of(new)?)] {
        let Some(elements) = elements.filter(|elements| elements.count > 0) else {
            continue;
        };
        out.write_all(if std::mem::take(&mut first) {
            b"\n"
        } else {
            b",\n"
        })?;
        let start = elements.start.unwrap_or(0);
        let mut text = unmarked(file)?.0;
        std::io::copy(&mut (&mut text).take(start), &mut std::io::sink())?;
        let between = BufReader::with_capacity(1 << 18, text.take(elements.end - start));
        pieces(between, |piece| Ok(out.write_all(piece)?))?;
    }
    out.write_all(b"\n]\n")?;
    Ok(count)
}

/// That the objects of a file have the keys `columns`, all of them taken together. A file without objects has none.
pub(super) fn same_keys(old: &Path, array: bool, columns: &[String]) -> Result<()> {
    let mut keys = Keys {
        columns,
        found: Vec::new(),
    };
    let text = unmarked(old)?.0;
    if array {
        if Elements::of(old)?.is_none_or(|elements| elements.count == 0) {
            return Ok(());
        }
        // An error of ours ends it early; one of the text shows below, or is one of the reader's.
        let _ = serde_json::Deserializer::from_reader(text).deserialize_seq(&mut keys);
    } else {
        for line in text.split(b'\n') {
            let line = line?;
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let mut line = serde_json::Deserializer::from_slice(&line);
            (&mut keys).deserialize(&mut line).map_err(|error| {
                Error::new(
                    ErrorKind::ConversionFailed,
                    format!(
                        "cannot append to `{}`: a line is no JSON object",
                        old.display()
                    ),
                )
                .with_source(error)
            })?;
            if keys.is_settled() {
                break;
            }
        }
        if keys.found.is_empty() {
            return Ok(());
        }
    }
    let (mut found, mut wanted) = (keys.found.clone(), columns.to_vec());
    found.sort();
    wanted.sort();
    match found == wanted {
        true => Ok(()),
        false => Err(other_columns(old, &keys.found, columns)),
    }
}

/// Takes the keys of objects down.
struct Keys<'a> {
    columns: &'a [String],
    found: Vec<String>,
}

impl Keys<'_> {
    /// Whether further objects change nothing: all columns are there, or one is that should not be.
    fn is_settled(&self) -> bool {
        self.found.len() >= self.columns.len()
            || self.found.iter().any(|key| !self.columns.contains(key))
    }
}

impl<'de> DeserializeSeed<'de> for &mut Keys<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> std::result::Result<(), D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for &mut Keys<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("objects")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<(), A::Error> {
        while let Some((key, IgnoredAny)) = map.next_entry::<String, IgnoredAny>()? {
            if !self.found.contains(&key) {
                self.found.push(key);
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> std::result::Result<(), A::Error> {
        while seq.next_element_seed(&mut *self)?.is_some() {
            if self.is_settled() {
                return Err(serde::de::Error::custom("settled"));
            }
        }
        Ok(())
    }
}
