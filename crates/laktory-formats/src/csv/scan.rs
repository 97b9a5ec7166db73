//! A fast look at a file: whether every reader of CSV reads it alike, and how many records it has.
//!
//! It counts the separators of each line, and where quotes or blanks are about works on masks of 64 bytes: where quotes,
//! separators and ends of lines are. What it calls clean has quotes only
//! around whole fields, the same number of fields in each record, no blank lines, ends of lines LF or CR LF, and is
//! UTF-8. Of any other file it says nothing: [`super::records`] reads those, and tells what is wrong where.

use std::io::Read;

use memchr::{memchr, memchr_iter, memchr2, memmem};

/// Bytes of a block.
const BLOCK: usize = 64;
/// Bytes of a piece, which is looked at in one of two ways.
const PIECE: usize = 1 << 13;
/// Bytes read at once.
const CHUNK: usize = 1 << 17;
/// Longest beginning of a character that the next chunk completes.
const CARRY: usize = 4;

/// What is looked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) separator: u8,
    pub(super) quote: Option<u8>,
    /// Fields of each record.
    pub(super) fields: usize,
    /// Whether blanks beside separators, quotes and ends of lines, and empty texts in quotes are looked for: values that are
    /// not text may have them, and engines disagree about them.
    pub(super) blanks: bool,
}

/// The records of a clean text, its header included; `None` for any other text.
///
/// # Errors
/// Those of reading.
pub(super) fn clean(mut text: impl Read, shape: Shape) -> std::io::Result<Option<u64>> {
    let mut state = State::new(shape);
    let mut buffer = vec![0; CARRY + CHUNK];
    // The beginning of a character at the end of the chunk before.
    let mut carried = 0;
    let mut first = true;
    loop {
        let mut filled = CARRY;
        while filled < buffer.len() {
            match text.read(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        let last = filled < buffer.len();
        let Some(rest) = beginning(&buffer[CARRY - carried..filled], last) else {
            return Ok(None);
        };
        let mut chunk = &buffer[CARRY..filled];
        if first {
            chunk = chunk.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(chunk);
            first = false;
        }
        if !state.chunk(chunk) {
            return Ok(None);
        }
        if last {
            return Ok(state.finish());
        }
        carried = rest;
        buffer.copy_within(filled - rest..filled, CARRY - rest);
    }
}

/// The length of the incomplete character at the end of a text; `None` when it is not UTF-8.
fn beginning(text: &[u8], last: bool) -> Option<usize> {
    if text.is_ascii() {
        return Some(0);
    }
    match std::str::from_utf8(text) {
        Ok(_) => Some(0),
        Err(error) if error.error_len().is_none() && !last => {
            Some(text.len() - error.valid_up_to())
        }
        Err(_) => None,
    }
}

/// What is known between blocks.
struct State {
    shape: Shape,
    /// All bits set within quotes.
    quoted: u64,
    /// The lowest bit says what the byte before the block is.
    starts: u64,
    closes: u64,
    returns: u64,
    begins: u64,
    delimits: u64,
    blank: u64,
    ends_with_quote: bool,
    /// Separators of the record so far.
    separators: usize,
    records: u64,
    /// Whether the last byte ended a record.
    complete: bool,
}

impl State {
    fn new(shape: Shape) -> Self {
        Self {
            shape,
            quoted: 0,
            starts: 1,
            closes: 0,
            returns: 0,
            begins: 1,
            delimits: 1,
            blank: 0,
            ends_with_quote: false,
            separators: 0,
            records: 0,
            complete: true,
        }
    }

    fn chunk(&mut self, chunk: &[u8]) -> bool {
        chunk.chunks(PIECE).all(|piece| self.piece(piece))
    }

    fn piece(&mut self, piece: &[u8]) -> bool {
        if self.shape.blanks
            && let Some(quote) = self.shape.quote
        {
            let across = self.ends_with_quote && piece.first() == Some(&quote);
            if across || memmem::find(piece, &[quote, quote]).is_some() {
                return false;
            }
            self.ends_with_quote = piece.last() == Some(&quote);
        }
        let quotes = match self.shape.quote {
            Some(quote) => self.quoted != 0 || self.closes != 0 || memchr(quote, piece).is_some(),
            None => false,
        };
        let blanks =
            self.shape.blanks && (self.blank != 0 || memchr2(b' ', b'\t', piece).is_some());
        if !quotes && !blanks {
            return self.lines(piece);
        }
        let (blocks, rest) = piece.as_chunks::<BLOCK>();
        if !blocks.iter().all(|block| self.block(block, BLOCK)) {
            return false;
        }
        if rest.is_empty() {
            return true;
        }
        let mut padded = [0; BLOCK];
        padded[..rest.len()].copy_from_slice(rest);
        self.block(&padded, rest.len())
    }

    /// A piece without quotes, line by line.
    fn lines(&mut self, piece: &[u8]) -> bool {
        if self.returns != 0 && piece.first() != Some(&b'\n') {
            return false;
        }
        let Some(last) = piece.last() else {
            return true;
        };
        let mut returns = 0;
        let mut rest = piece;
        while let Some(end) = memchr(b'\n', rest) {
            let line = match &rest[..end] {
                [line @ .., b'\r'] => {
                    returns += 1;
                    line
                }
                line => line,
            };
            let blank = line.is_empty() && self.begins != 0;
            self.separators += memchr_iter(self.shape.separator, line).count();
            if blank || self.separators + 1 != self.shape.fields {
                return false;
            }
            self.records += 1;
            self.separators = 0;
            self.begins = 1;
            rest = &rest[end + 1..];
        }
        self.separators += memchr_iter(self.shape.separator, rest).count();
        self.returns = u64::from(*last == b'\r');
        if memchr_iter(b'\r', piece).count() as u64 != returns + self.returns
            || rest == b"\r" && self.begins != 0
        {
            return false;
        }
        self.begins = u64::from(*last == b'\n');
        self.starts = u64::from(*last == b'\n' || *last == self.shape.separator);
        self.delimits = self.starts | self.returns;
        self.blank = 0;
        self.complete = self.begins != 0;
        true
    }

    /// Any block, of which the first `length` bytes count.
    fn block(&mut self, block: &[u8; BLOCK], length: usize) -> bool {
        let valid = if length == BLOCK {
            u64::MAX
        } else {
            (1 << length) - 1
        };
        let quotes = match self.shape.quote {
            Some(quote) => mask(block, quote) & valid,
            None => 0,
        };
        let within = inclusive_parity(quotes) ^ self.quoted;
        let separators = mask(block, self.shape.separator) & valid & !within;
        let lines = mask(block, b'\n') & valid & !within;
        let returns = mask(block, b'\r') & valid & !within;
        let opens = quotes & within;
        let closes = quotes & !within;
        let starts = separators | lines;
        let behind_close = (closes << 1 | self.closes) & valid;
        let behind_return = (returns << 1 | self.returns) & valid;
        let begins = (lines << 1 | self.begins) & valid;
        let mut bad = opens & !(starts << 1 | self.starts | behind_close);
        bad |= behind_close & !(starts | returns | opens);
        bad |= behind_return & !lines;
        bad |= begins & (lines | returns);
        if self.shape.blanks {
            let mut blanks = mask(block, b' ') & valid;
            if self.shape.separator != b'\t' {
                blanks |= mask(block, b'\t') & valid;
            }
            let delimits = starts | returns | quotes;
            bad |= blanks & (delimits << 1 | self.delimits);
            bad |= delimits & (blanks << 1 | self.blank);
            self.delimits = delimits >> 63;
            self.blank = blanks >> 63;
        }
        if bad != 0 {
            return false;
        }
        self.quoted = if within >> (length - 1) & 1 == 1 {
            u64::MAX
        } else {
            0
        };
        let last = length - 1;
        self.starts = starts >> last & 1;
        self.closes = closes >> last & 1;
        self.returns = returns >> last & 1;
        self.begins = lines >> last & 1;
        self.delimits = (starts | returns | quotes) >> last & 1;
        self.complete = self.begins != 0;
        self.count(separators, lines)
    }

    /// Counts the fields of the records that end in a block.
    #[inline]
    fn count(&mut self, mut separators: u64, mut lines: u64) -> bool {
        while lines != 0 {
            let before = (lines & lines.wrapping_neg()) - 1;
            let found = self.separators + (separators & before).count_ones() as usize;
            if found + 1 != self.shape.fields {
                return false;
            }
            self.records += 1;
            self.separators = 0;
            separators &= !before;
            lines &= lines - 1;
        }
        self.separators += separators.count_ones() as usize;
        true
    }

    fn finish(&self) -> Option<u64> {
        if self.quoted != 0 || self.returns != 0 || self.blank != 0 {
            return None;
        }
        if self.complete {
            return Some(self.records);
        }
        (self.separators + 1 == self.shape.fields).then_some(self.records + 1)
    }
}

/// Where a byte is in a block. Written so that the comparison is one of vectors, whose bytes a product gathers.
#[inline]
fn mask(block: &[u8; BLOCK], byte: u8) -> u64 {
    let mut equal = [0_u8; BLOCK];
    for (equal, found) in equal.iter_mut().zip(block) {
        *equal = u8::from(*found == byte);
    }
    let mut mask = 0;
    for (at, eight) in equal.as_chunks::<8>().0.iter().enumerate() {
        let bits = u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        mask |= bits << (8 * at);
    }
    mask
}

/// For each bit, whether an odd number of bits is set up to it.
fn inclusive_parity(mut bits: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << shift;
    }
    bits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(text: &[u8], fields: usize) -> Option<u64> {
        let shape = Shape {
            separator: b',',
            quote: Some(b'"'),
            fields,
            blanks: false,
        };
        clean(text, shape).unwrap()
    }

    #[test]
    fn clean_texts_are_counted() {
        for (text, records) in [
            (b"a,b\n1,2\n" as &[u8], 2),
            (b"a,b\r\n1,2", 2),
            (b"\xEF\xBB\xBFa,\"b\"\n\"x,\n\",\"\"\n,\n", 3),
            (b"a,b\n1,\"say \"\"no\"\"\"\n", 2),
            ("a,b\n\u{e4},\u{20ac}\n".as_bytes(), 2),
        ] {
            assert_eq!(scan(text, 2), Some(records), "{text:?}");
        }
        let long = "a,\"b\nb\"\n".repeat(100_000);
        assert_eq!(scan(long.as_bytes(), 2), Some(100_000));
        let euro = format!("a,{}\n", "\u{20ac}".repeat(7)).repeat(50_000);
        assert_eq!(scan(euro.as_bytes(), 2), Some(50_000));
    }

    #[test]
    fn borders_of_pieces_fall_anywhere() {
        for end in ["\n", "\r\n"] {
            for field in ["", "\"\"", "\"c\n,\"", "\"\"\"\""] {
                let mut text = String::new();
                for row in 0..2_000 {
                    let long = "b".repeat(row % 211);
                    let other = if row % 7 == 3 { field } else { "d" };
                    text += &format!("{long},{other}{end}");
                }
                assert_eq!(scan(text.as_bytes(), 2), Some(2_000), "{end:?} {field}");
                // One byte too many, somewhere.
                for at in (text.len() / 3..text.len() / 2).step_by(1_009) {
                    for wrong in [",", "\r"] {
                        let mut text = text.clone();
                        text.insert_str(at, wrong);
                        let quoted = text[..at].matches('"').count() % 2 == 1;
                        let ends = wrong == "\r" && text[at + 1..].starts_with('\n');
                        if !quoted && !ends {
                            assert_eq!(scan(text.as_bytes(), 2), None, "{end:?} {field} {at}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn others_are_left_alone() {
        for text in [
            b"a,b\n1,5\" pipe\n" as &[u8],
            b"a,b\n1,\"x\"y\n",
            b"a,b\n1,\"x",
            b"a,b\n1\n2,3,4\n",
            b"a,b\n1,2,3\n4\n",
            b"a,b\n1,2,3",
            b"a,b\n\n1,2\n",
            b"a,b\r\n\r\n1,2\r\n",
            b"a,b\r1,2\r",
            b"a,b\n1,\xe9\n",
            b"a,b\n1,\xe9",
            b"\na,b\n",
        ] {
            assert_eq!(scan(text, 2), None, "{text:?}");
        }
    }

    #[test]
    fn blanks_are_seen_where_values_are_no_texts() {
        let shape = Shape {
            separator: b',',
            quote: Some(b'"'),
            fields: 2,
            blanks: true,
        };
        let mut text = b"a,b\n".repeat(40);
        assert_eq!(clean(text.as_slice(), shape).unwrap(), Some(40));
        let at = text.len();
        for line in [b"1, 2\n", b"1 ,2\n", b" 1,2\n", b"1,2 \n", b"\"1\", "] {
            text.truncate(at);
            text.extend_from_slice(line);
            assert_eq!(clean(text.as_slice(), shape).unwrap(), None, "{line:?}");
        }
        text.truncate(at);
        text.extend_from_slice(b"x y,2\n");
        assert_eq!(clean(text.as_slice(), shape).unwrap(), Some(41));
    }
}
