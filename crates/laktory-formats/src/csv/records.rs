//! Texts of CSV as records: where each begins and ends, its fields, and what is wrong with it.
//!
//! The reading: a field that begins with a quote ends with one, and a quote inside of it is written twice; quotes in
//! other fields are plain characters. A record ends with LF or CR LF, or with CR in files that have no other end. What is
//! neither has no sensible reading, and is a [`Fault`].

use std::io::Read;

use laktory_core::Error;
use memchr::{memchr, memchr_iter};

use super::dialect::Dialect;
use super::fault::Fault;

/// Bytes that a record may have.
pub(super) const LONGEST: usize = 128 << 20;

const BUFFER: usize = 1 << 18;

/// A field of the current record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    /// Where its text is, without quotes.
    start: usize,
    end: usize,
    /// Whether it is quoted.
    pub(super) quoted: bool,
    /// Whether quotes are written twice in it.
    doubled: bool,
}

/// What ends a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Not known yet.
    Unknown,
    Line,
    Return,
    /// Named by the user: this byte alone, and CR LF where it is LF.
    Given(u8),
}

/// Why reading stops.
#[derive(Debug)]
pub(super) enum Stop {
    Fault(Fault),
    Io(Error),
}

/// What the bytes at hand begin with.
enum Found {
    /// A record of so many bytes, its end included.
    Record(usize),
    /// They do not suffice.
    More,
}

/// The records of a text.
pub(super) struct Records<R> {
    text: R,
    quote: Option<u8>,
    comment: Vec<u8>,
    end: End,
    /// Classes of bytes: 0 for those of which fields are made.
    class: [u8; 256],
    /// What quoted fields may hold behind their end, while lines are skipped.
    tolerant: bool,
    buffer: Vec<u8>,
    at: usize,
    filled: usize,
    /// Whether the text has ended.
    last: bool,
    spans: Vec<Span>,
    /// The current record.
    record: (usize, usize),
    line: u64,
    next: u64,
}

const SEPARATOR: u8 = 1;
const QUOTE: u8 = 2;
const LF: u8 = 3;
const CR: u8 = 4;

impl<R: Read> Records<R> {
    /// The records of a text, which begins behind its byte order mark.
    pub(super) fn new(text: R, dialect: &Dialect) -> Self {
        let mut class = [0; 256];
        match dialect.end {
            None => {
                class[usize::from(b'\n')] = LF;
                class[usize::from(b'\r')] = CR;
            }
            Some(end) => {
                class[usize::from(end)] = LF;
                if end == b'\n' {
                    class[usize::from(b'\r')] = CR;
                }
            }
        }
        if let Some(quote) = dialect.quote {
            class[usize::from(quote)] = QUOTE;
        }
        class[usize::from(dialect.separator)] = SEPARATOR;
        Self {
            text,
            quote: dialect.quote,
            comment: dialect.comment.clone(),
            end: dialect.end.map_or(End::Unknown, End::Given),
            class,
            tolerant: false,
            buffer: Vec::new(),
            at: 0,
            filled: 0,
            last: false,
            spans: Vec::new(),
            record: (0, 0),
            line: 0,
            next: 1,
        }
    }

    /// Whether quoted fields may have text behind their end: for lines that are skipped.
    pub(super) fn tolerate(&mut self, tolerant: bool) {
        self.tolerant = tolerant;
    }

    /// Goes to the next record; false at the end. Comments are no records, blank lines are.
    pub(super) fn advance(&mut self) -> Result<bool, Stop> {
        loop {
            if self.at == self.filled && !self.fill()? {
                return Ok(false);
            }
            if !self.comment.is_empty() {
                while self.filled - self.at < self.comment.len() && self.fill()? {}
                if self.buffer[self.at..self.filled].starts_with(&self.comment) {
                    self.skip_line()?;
                    continue;
                }
            }
            match self.find().map_err(Stop::Fault)? {
                Found::Record(length) => {
                    self.record = (self.at, self.at + length);
                    self.line = self.next;
                    self.next += self.lines_of(self.record);
                    self.at += length;
                    return Ok(true);
                }
                Found::More => {
                    if self.filled - self.at >= LONGEST {
                        return Err(Stop::Fault(Fault::Long { line: self.next }));
                    }
                    self.fill()?;
                }
            }
        }
    }

    /// Skips a line, whatever it holds; false at the end.
    pub(super) fn skip_line(&mut self) -> Result<bool, Stop> {
        let mut any = false;
        loop {
            if self.at == self.filled && !self.fill()? {
                return Ok(any);
            }
            any = true;
            let rest = &self.buffer[self.at..self.filled];
            let (ends, two) = match self.end {
                End::Given(end) => (memchr(end, rest), false),
                End::Line => (memchr(b'\n', rest), false),
                End::Return => (memchr(b'\r', rest), false),
                End::Unknown => {
                    let found = memchr::memchr2(b'\n', b'\r', rest);
                    (found, found.is_some_and(|at| rest[at] == b'\r'))
                }
            };
            match ends {
                None => self.at = self.filled,
                Some(end) => {
                    self.at += end + 1;
                    self.next += 1;
                    if two {
                        if self.at == self.filled {
                            self.fill()?;
                        }
                        if self.buffer[self.at..self.filled].first() == Some(&b'\n') {
                            self.at += 1;
                        }
                    }
                    return Ok(true);
                }
            }
        }
    }

    /// More bytes behind those that are left; false when there are none.
    fn fill(&mut self) -> Result<bool, Stop> {
        if self.last {
            return Ok(false);
        }
        self.buffer.copy_within(self.at..self.filled, 0);
        self.filled -= self.at;
        self.at = 0;
        let wanted = (self.filled * 2).max(BUFFER);
        if self.buffer.len() < wanted {
            self.buffer.resize(wanted, 0);
        }
        let start = self.filled;
        while self.filled < self.buffer.len() {
            match self.text.read(&mut self.buffer[self.filled..]) {
                Ok(0) => {
                    self.last = true;
                    break;
                }
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Stop::Io(error.into())),
            }
        }
        Ok(self.filled > start)
    }

    /// Lines that a record takes.
    fn lines_of(&self, (start, end): (usize, usize)) -> u64 {
        let end_of_line = match self.end {
            End::Return => b'\r',
            End::Given(end) => end,
            End::Line | End::Unknown => b'\n',
        };
        if !self.spans.iter().any(|span| span.quoted) {
            return 1;
        }
        let count = memchr_iter(end_of_line, &self.buffer[start..end]).count();
        (count as u64).max(1)
    }

    /// The line in which a byte of the rest is.
    fn line_at(&self, at: usize) -> u64 {
        self.next + memchr_iter(b'\n', &self.buffer[self.at..at]).count() as u64
    }

    /// The record that the rest begins with.
    fn find(&mut self) -> Result<Found, Fault> {
        self.spans.clear();
        let data = &self.buffer[..self.filled];
        let mut at = self.at;
        loop {
            let start = at;
            // A field that begins with a quote.
            let quoted = match data.get(at) {
                Some(byte) => self.class[usize::from(*byte)] == QUOTE,
                None if self.last => false,
                None => return Ok(Found::More),
            };
            let mut span = Span {
                start,
                end: start,
                quoted,
                doubled: false,
            };
            if quoted {
                let quote = data[at];
                span.start += 1;
                at += 1;
                loop {
                    let Some(closes) = memchr(quote, &data[at..]) else {
                        if self.last {
                            return Err(Fault::OpenQuote {
                                line: self.line_at(start),
                            });
                        }
                        return Ok(Found::More);
                    };
                    at += closes + 1;
                    match data.get(at) {
                        Some(next) if *next == quote => {
                            span.doubled = true;
                            at += 1;
                        }
                        None if !self.last => return Ok(Found::More),
                        _ => break,
                    }
                }
                span.end = at - 1;
            }
            // Up to what ends the field.
            let rest = at;
            let class = loop {
                while at < data.len() && self.class[usize::from(data[at])] == 0 {
                    at += 1;
                }
                let Some(byte) = data.get(at) else {
                    if self.last {
                        break LF;
                    }
                    return Ok(Found::More);
                };
                match self.class[usize::from(*byte)] {
                    QUOTE => at += 1,
                    CR => match (self.end, data.get(at + 1)) {
                        (_, None) if !self.last => return Ok(Found::More),
                        // The last line, or the first half of its end.
                        (_, None) => break CR,
                        (End::Return, _) => break CR,
                        (_, Some(b'\n')) => break CR,
                        (End::Given(_), _) => at += 1,
                        (End::Unknown, _) => break CR,
                        (End::Line, _) => {
                            return Err(Fault::LineEnd {
                                line: self.line_at(at),
                            });
                        }
                    },
                    class => break class,
                }
            };
            if quoted {
                if at > rest {
                    if !self.tolerant {
                        return Err(Fault::AfterQuote {
                            line: self.line_at(rest),
                        });
                    }
                    span.end = at;
                }
            } else {
                span.end = at;
            }
            self.spans.push(span);
            let ends = match class {
                SEPARATOR => {
                    at += 1;
                    continue;
                }
                _ if at == data.len() => at,
                CR if data.get(at + 1) == Some(&b'\n') => {
                    if self.end == End::Return {
                        return Err(Fault::LineEnd {
                            line: self.line_at(at),
                        });
                    }
                    self.end = known(self.end, End::Line);
                    at + 2
                }
                CR => {
                    self.end = known(self.end, End::Return);
                    at + 1
                }
                _ => {
                    if self.end == End::Return {
                        return Err(Fault::LineEnd { line: self.next });
                    }
                    self.end = known(self.end, End::Line);
                    at + 1
                }
            };
            return Ok(Found::Record(ends - self.at));
        }
    }

    /// The line in which the record begins.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// Fields of the record.
    pub(super) fn fields(&self) -> &[Span] {
        &self.spans
    }

    /// The bytes of the record.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer[self.record.0..self.record.1]
    }

    /// Whether the record is a line without anything but blanks.
    pub(super) fn is_blank(&self) -> bool {
        match self.spans.as_slice() {
            [span] => {
                !span.quoted
                    && self
                        .raw(*span)
                        .iter()
                        .all(|byte| *byte == b' ' || *byte == b'\t')
            }
            _ => false,
        }
    }

    /// A field as it is written, without the quotes around it.
    pub(super) fn raw(&self, span: Span) -> &[u8] {
        &self.buffer[span.start..span.end]
    }

    /// Where a field is within the record.
    pub(super) fn within(&self, span: Span) -> std::ops::Range<usize> {
        span.start - self.record.0..span.end - self.record.0
    }

    /// The text of a field in which quotes are written twice.
    pub(super) fn single<'a>(&self, span: Span, text: &'a str) -> std::borrow::Cow<'a, str> {
        match self.quote {
            Some(quote) if span.doubled => {
                let one = char::from(quote).to_string();
                text.replace(&one.repeat(2), &one).into()
            }
            _ => text.into(),
        }
    }
}

/// The end of records, once one was found.
fn known(end: End, found: End) -> End {
    if end == End::Unknown { found } else { end }
}
