//! The records of a file, block by block: the lines of JSON lines, the elements of a document.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use laktory_core::{Error, Result};

use super::fault::{Fault, Flaw};
use super::parse::{Cursor, Parsed, Token};

/// Bytes that are read at once.
const BLOCK: usize = 1 << 18;

/// Text that is read in order.
pub type Text = Box<dyn Read + Send>;

/// Opens a file whose bytes are not its text.
pub type Open = fn(&Path) -> Result<Text>;

/// A file of JSON.
#[derive(Clone, Debug)]
pub struct Source {
    path: PathBuf,
    open: Option<Open>,
}

/// How records stand in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Layout {
    /// One object in each line.
    Lines,
    /// One list of objects, or one object.
    Document,
}

impl Source {
    /// A file; `open` gives its text where that is compressed.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, open: Option<Open>) -> Self {
        Self {
            path: path.into(),
            open,
        }
    }

    /// Where the file is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it can be read in parts.
    #[must_use]
    pub fn splits(&self) -> bool {
        self.open.is_none()
    }

    /// Its text from the beginning.
    pub(super) fn open(&self) -> Result<Text> {
        let named = |error: Error| error.context(format!("`{}`", self.path.display()));
        match self.open {
            Some(open) => open(&self.path).map_err(named),
            None => Ok(Box::new(
                File::open(&self.path).map_err(|error| named(error.into()))?,
            )),
        }
    }

    /// The lines that begin in a range of bytes, and where the first of them begins.
    fn lines(&self, from: u64, to: u64) -> Result<(Text, u64)> {
        let (lines, begin) = crate::lines::within(&self.path, from, to)
            .map_err(|error| Error::from(error).context(format!("`{}`", self.path.display())))?;
        Ok((Box::new(lines), begin))
    }
}

/// What a document has shown so far.
#[derive(Debug, PartialEq)]
enum State {
    Start,
    List { first: bool },
    End,
}

/// The records of a file, or of a part of it.
pub(super) struct Records {
    text: Text,
    layout: Layout,
    buffer: Vec<u8>,
    /// Bytes of the buffer that are done.
    done: usize,
    /// Bytes of the file before the buffer.
    base: u64,
    ended: bool,
    state: State,
}

impl Records {
    /// The records of a file; of JSON lines, those that begin in a range of bytes.
    pub(super) fn open(source: &Source, layout: Layout, range: Option<(u64, u64)>) -> Result<Self> {
        let (text, base) = match range {
            Some((from, to)) => source.lines(from, to)?,
            None => (source.open()?, 0),
        };
        Ok(Self {
            text,
            layout,
            buffer: Vec::new(),
            done: 0,
            base,
            ended: false,
            state: State::Start,
        })
    }

    /// Hands the objects to `each`, their brackets taken, with the bytes of the file before their text, until it says to
    /// pause. Gives whether it did.
    pub(super) fn run(
        &mut self,
        mut each: impl FnMut(&mut Cursor<'_>, u64) -> Parsed<bool>,
    ) -> Parsed<bool> {
        loop {
            let base = self.base + self.done as u64;
            let text = whole_text(&self.buffer[self.done..], self.layout, self.ended)
                .map_err(|fault| fault.from(base))?;
            let mut cursor = Cursor::new(text, self.layout == Layout::Lines);
            let paused = match self.layout {
                Layout::Lines => lines(&mut cursor, base, &mut each),
                Layout::Document => {
                    document(&mut cursor, base, &mut self.state, self.ended, &mut each)
                }
            };
            let paused = paused.map_err(|fault| fault.from(base))?;
            self.done += cursor.at();
            if paused {
                return Ok(true);
            }
            if self.ended {
                return Ok(false);
            }
            self.fill()?;
        }
    }

    /// Reads on: a block, or as much again as a value at hand has.
    fn fill(&mut self) -> Parsed<()> {
        self.base += self.done as u64;
        self.buffer.drain(..self.done);
        self.done = 0;
        let wanted = BLOCK.max(self.buffer.len());
        let length = (&mut self.text)
            .take(wanted as u64)
            .read_to_end(&mut self.buffer)
            .map_err(Fault::io)?;
        self.ended = length < wanted;
        if self.base == 0 {
            match self.buffer.as_slice() {
                [0xef, 0xbb, 0xbf, ..] => self.done = 3,
                [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, ..] | [_, 0, ..] => {
                    return Err(Fault::new(0, Flaw::Utf16));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// The text at hand that is whole: lines, or characters.
fn whole_text(bytes: &[u8], layout: Layout, ended: bool) -> Parsed<&str> {
    let bytes = match layout {
        Layout::Lines if !ended => {
            let end = memchr::memrchr(b'\n', bytes);
            &bytes[..end.map_or(0, |end| end + 1)]
        }
        _ => bytes,
    };
    match simdutf8::compat::from_utf8(bytes) {
        Ok(text) => Ok(text),
        Err(error) if error.error_len().is_none() && !ended => {
            simdutf8::compat::from_utf8(&bytes[..error.valid_up_to()])
                .map_err(|error| Fault::new(error.valid_up_to(), Flaw::Utf8))
        }
        Err(error) => Err(Fault::new(error.valid_up_to(), Flaw::Utf8)),
    }
}

fn lines(
    cursor: &mut Cursor<'_>,
    base: u64,
    each: &mut impl FnMut(&mut Cursor<'_>, u64) -> Parsed<bool>,
) -> Parsed<bool> {
    loop {
        cursor.space();
        match cursor.peek() {
            None => return Ok(false),
            Some(b'\n') => {
                cursor.bump();
                continue;
            }
            Some(b'[') if base + cursor.at() as u64 <= 3 => return cursor.fault(Flaw::Array),
            Some(_) => {}
        }
        let go_on = object(cursor, base, Layout::Lines, each)?;
        cursor.space();
        match cursor.peek() {
            None => {}
            Some(b'\n') => cursor.bump(),
            Some(_) => return cursor.fault(Flaw::Second(Layout::Lines)),
        }
        if !go_on {
            return Ok(true);
        }
    }
}

/// Elements are passed first, so that `each` sees whole ones only.
fn document(
    cursor: &mut Cursor<'_>,
    base: u64,
    state: &mut State,
    ended: bool,
    each: &mut impl FnMut(&mut Cursor<'_>, u64) -> Parsed<bool>,
) -> Parsed<bool> {
    loop {
        let back = cursor.at();
        let is_list = matches!(state, State::List { .. });
        match whole(cursor, state) {
            Ok(None) => return Ok(false),
            Ok(Some(from)) => {
                let Some(from) = from else {
                    continue;
                };
                cursor.rewind(from, is_list);
                if !object(cursor, base, Layout::Document, each)? {
                    return Ok(true);
                }
            }
            Err(fault) if matches!(fault.flaw, Flaw::Cut(_)) && !ended => {
                cursor.rewind(back, is_list);
                return Ok(false);
            }
            Err(fault) => return Err(fault),
        }
    }
}

/// Passes the next part of a document: gives where an element begins, if it is one; `None` when the text is used up.
fn whole(cursor: &mut Cursor<'_>, state: &mut State) -> Parsed<Option<Option<usize>>> {
    cursor.space();
    match state {
        State::Start => match cursor.peek() {
            None => Ok(None),
            Some(b'[') => {
                cursor.bump();
                *state = State::List { first: true };
                Ok(Some(None))
            }
            Some(_) => {
                let from = cursor.at();
                cursor.skip()?;
                *state = State::End;
                Ok(Some(Some(from)))
            }
        },
        State::List { first } => {
            cursor.rewind(cursor.at(), true);
            if !cursor.item(*first)? {
                *state = State::End;
                return Ok(Some(None));
            }
            cursor.space();
            let from = cursor.at();
            cursor.skip()?;
            *first = false;
            Ok(Some(Some(from)))
        }
        State::End => match cursor.peek() {
            None => Ok(None),
            Some(_) => cursor.fault(Flaw::Second(Layout::Document)),
        },
    }
}

/// One record, which must be an object.
fn object(
    cursor: &mut Cursor<'_>,
    base: u64,
    layout: Layout,
    each: &mut impl FnMut(&mut Cursor<'_>, u64) -> Parsed<bool>,
) -> Parsed<bool> {
    let at = cursor.at();
    let found = match cursor.token()? {
        Token::Object => return each(cursor, base),
        Token::List => "a list",
        Token::Text(_) => "a text",
        Token::Number(_) => "a number",
        Token::Bool(_) => "a truth value",
        Token::Null => "null",
    };
    Err(Fault::new(at, Flaw::NotObject { found, layout }))
}
