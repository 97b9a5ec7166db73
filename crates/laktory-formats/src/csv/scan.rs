//! A fast look at a file: whether every reader of CSV reads it alike, and how many records it has.
//!
//! Where quotes, separators and ends of lines are is told by masks of 64 bytes, of which pieces without quotes need two. What
//! it calls clean has quotes only around whole fields, the same number of fields in each record, no blank lines, ends of
//! lines LF or CR LF, and is UTF-8. Of any other file it says nothing: [`super::records`] reads those, and tells what is
//! wrong where.

use std::io::Read;

use memchr::memchr;

use crate::lanes::{self, BLOCK, Lanes, Work};

/// Bytes of a piece, which is looked at in one of several ways.
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

/// What has been looked at of a clean text: any number of whole characters from its beginning.
#[derive(Clone, Debug)]
pub(super) struct Look {
    state: State,
}

impl Look {
    /// Nothing, or a part of a text that begins with a record.
    pub(super) fn new(shape: Shape) -> Self {
        Self {
            state: State::new(shape),
        }
    }

    /// Goes on to the end of a text, or of a part that ends with a line. Gives whether all of it is clean so far.
    ///
    /// # Errors
    /// Those of reading.
    pub(super) fn on(&mut self, mut text: impl Read) -> std::io::Result<bool> {
        let mut buffer = vec![0; CARRY + CHUNK];
        // The beginning of a character at the end of the chunk before.
        let mut carried = 0;
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
            let Some(ascii) = self.state.chunk(&buffer[CARRY..filled]) else {
                return Ok(false);
            };
            let rest = match ascii && carried == 0 {
                true => 0,
                false => match beginning(&buffer[CARRY - carried..filled], last) {
                    Some(rest) => rest,
                    None => return Ok(false),
                },
            };
            if last {
                return Ok(true);
            }
            carried = rest;
            buffer.copy_within(filled - rest..filled, CARRY - rest);
        }
    }

    /// Whether what follows begins a record.
    pub(super) fn is_between_records(&self) -> bool {
        let state = &self.state;
        state.quoted == 0 && state.begins != 0 && state.separators == 0
    }

    /// Adds what follows, which was looked at as a text of its own; that this part ends between records is known.
    pub(super) fn add(&mut self, part: Self) {
        let records = self.state.records;
        self.state = part.state;
        self.state.records += records;
    }

    /// The records of the text, its header included, if it may end here.
    pub(super) fn records(&self) -> Option<u64> {
        self.state.finish()
    }
}

/// The length of the incomplete character at the end of a text; `None` when it is not UTF-8.
fn beginning(text: &[u8], last: bool) -> Option<usize> {
    match simdutf8::compat::from_utf8(text) {
        Ok(_) => Some(0),
        Err(error) if error.error_len().is_none() && !last => {
            Some(text.len() - error.valid_up_to())
        }
        Err(_) => None,
    }
}

/// What is known between blocks.
#[derive(Clone, Debug)]
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
    quote: u64,
    /// Whether the next piece is hoped to be a plain one.
    plain: bool,
    /// Separators of the record so far.
    separators: usize,
    records: u64,
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
            quote: 0,
            plain: true,
            separators: 0,
            records: 0,
        }
    }

    /// Looks on; gives whether all of it is known to be ASCII, if it is clean.
    fn chunk(&mut self, chunk: &[u8]) -> Option<bool> {
        let mut ascii = true;
        for piece in chunk.chunks(PIECE) {
            let within = self.quoted | self.closes | self.returns;
            if self.plain && within == 0 {
                let before = self.clone();
                let way = Way::Plain;
                let seen = lanes::run(Piece {
                    state: self,
                    piece,
                    way,
                });
                if !seen.odd {
                    if !seen.clean {
                        return None;
                    }
                    continue;
                }
                *self = before;
            }
            ascii = false;
            let quotes = self.quoted | self.closes != 0
                || self
                    .shape
                    .quote
                    .is_some_and(|quote| memchr(quote, piece).is_some());
            let returns = self.returns != 0 || memchr(b'\r', piece).is_some();
            let way = match (quotes, returns) {
                (true, _) => Way::Quotes,
                (false, true) => Way::Returns,
                (false, false) => Way::Lines,
            };
            if !lanes::run(Piece {
                state: self,
                piece,
                way,
            })
            .clean
            {
                return None;
            }
            self.plain = way == Way::Lines && piece.is_ascii();
        }
        Some(ascii)
    }

    fn finish(&self) -> Option<u64> {
        if self.quoted != 0 || self.returns != 0 || self.blank != 0 {
            return None;
        }
        if self.begins != 0 {
            return Some(self.records);
        }
        (self.separators + 1 == self.shape.fields).then_some(self.records + 1)
    }
}

/// What a piece may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// What is looked for alone, or so it is hoped: neither quotes, carriage returns, nor what is no ASCII.
    Plain,
    /// Neither quotes nor carriage returns.
    Lines,
    /// No quotes.
    Returns,
    /// Anything.
    Quotes,
}

/// What a piece turned out to be.
#[derive(Clone, Copy, Debug)]
struct Seen {
    clean: bool,
    /// Whether it holds something else than was hoped, so that nothing was found out.
    odd: bool,
}

/// Looks at a piece.
struct Piece<'a> {
    state: &'a mut State,
    piece: &'a [u8],
    way: Way,
}

impl Work for Piece<'_> {
    type Out = Seen;

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) -> Seen {
        let Self { state, piece, way } = self;
        match (way, state.shape.blanks) {
            (Way::Plain, false) => state.lines::<_, true, false, false>(lanes, piece),
            (Way::Plain, true) => state.lines::<_, true, true, false>(lanes, piece),
            (Way::Lines, false) => state.lines::<_, false, false, false>(lanes, piece),
            (Way::Returns, false) => state.lines::<_, false, false, true>(lanes, piece),
            (Way::Lines | Way::Returns, true) => state.lines::<_, false, true, true>(lanes, piece),
            (Way::Quotes, false) => state.blocks::<_, false>(lanes, piece),
            (Way::Quotes, true) => state.blocks::<_, true>(lanes, piece),
        }
    }
}

impl State {
    /// A piece without quotes; with `PLAIN` it is seen whether it is such a one.
    #[inline(always)]
    fn lines<L: Lanes, const PLAIN: bool, const BLANKS: bool, const RETURNS: bool>(
        &mut self,
        lanes: L,
        piece: &[u8],
    ) -> Seen {
        let (blocks, rest) = piece.as_chunks::<BLOCK>();
        let mut count = Count::of(self);
        let mut any = L::Any::default();
        let others = [self.shape.quote.unwrap_or(b'\r'), b'\r'];
        let mut bad = 0;
        for block in blocks {
            let block = lanes.load(block);
            if PLAIN {
                any = lanes.add(any, block, others);
            }
            bad |= self.line::<L, BLANKS, RETURNS>(lanes, block, u64::MAX, &mut count);
        }
        if !rest.is_empty() {
            let (block, valid) = padded(rest);
            let block = lanes.load(&block);
            if PLAIN {
                any = lanes.add(any, block, others);
            }
            bad |= self.line::<L, BLANKS, RETURNS>(lanes, block, valid, &mut count);
        }
        self.starts = self.begins | u64::from(piece.last() == Some(&self.shape.separator));
        self.delimits = self.starts | self.returns;
        self.quote = 0;
        Seen {
            clean: count.put(self) && bad == 0,
            odd: PLAIN && lanes.has(any),
        }
    }

    /// A block without quotes, of which the `valid` bytes count. Gives where it is not clean, but for the number of fields.
    #[inline(always)]
    fn line<L: Lanes, const BLANKS: bool, const RETURNS: bool>(
        &mut self,
        lanes: L,
        block: L::Block,
        valid: u64,
        count: &mut Count,
    ) -> u64 {
        let separators = lanes.find(block, self.shape.separator) & valid;
        let lines = lanes.find(block, b'\n') & valid;
        let last = valid.count_ones() - 1;
        let mut bad = (lines << 1 | self.begins) & lines;
        let mut returns = 0;
        if RETURNS {
            returns = lanes.find(block, b'\r') & valid;
            bad |= (returns << 1 | self.returns) & valid & !lines;
            bad |= (lines << 1 | self.begins) & returns;
            self.returns = returns >> last & 1;
        }
        if BLANKS {
            let blanks = self.blanks(lanes, block) & valid;
            let delimits = separators | lines | returns;
            bad |= blanks & (delimits << 1 | self.delimits);
            bad |= delimits & (blanks << 1 | self.blank);
            self.blank = blanks >> last & 1;
            self.delimits = delimits >> last & 1;
        }
        self.begins = lines >> last & 1;
        count.block(lanes, separators, lines);
        bad
    }

    #[inline(always)]
    fn blanks<L: Lanes>(&self, lanes: L, block: L::Block) -> u64 {
        let other = match self.shape.separator {
            b'\t' => b' ',
            _ => b'\t',
        };
        lanes.find(block, b' ') | lanes.find(block, other)
    }

    /// Any piece.
    #[inline(always)]
    fn blocks<L: Lanes, const BLANKS: bool>(&mut self, lanes: L, piece: &[u8]) -> Seen {
        let (blocks, rest) = piece.as_chunks::<BLOCK>();
        let mut count = Count::of(self);
        let mut bad = 0;
        for block in blocks {
            bad |= self.block::<L, BLANKS>(lanes, block, u64::MAX, &mut count);
        }
        if !rest.is_empty() {
            let (block, valid) = padded(rest);
            bad |= self.block::<L, BLANKS>(lanes, &block, valid, &mut count);
        }
        Seen {
            clean: count.put(self) && bad == 0,
            odd: false,
        }
    }

    /// A block of which the `valid` bytes count. Gives where it is not clean, but for the number of fields.
    #[inline(always)]
    fn block<L: Lanes, const BLANKS: bool>(
        &mut self,
        lanes: L,
        block: &[u8; BLOCK],
        valid: u64,
        count: &mut Count,
    ) -> u64 {
        let block = lanes.load(block);
        let (quote, has_quote) = match self.shape.quote {
            Some(quote) => (quote, valid),
            None => (0, 0),
        };
        let quotes = lanes.find(block, quote) & has_quote;
        let within = lanes.parity(quotes) ^ self.quoted;
        let separators = lanes.find(block, self.shape.separator) & valid & !within;
        let lines = lanes.find(block, b'\n') & valid & !within;
        let returns = lanes.find(block, b'\r') & valid & !within;
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
        let last = valid.count_ones() - 1;
        if BLANKS {
            let blanks = self.blanks(lanes, block) & valid;
            let delimits = starts | returns | quotes;
            bad |= blanks & (delimits << 1 | self.delimits);
            bad |= delimits & (blanks << 1 | self.blank);
            // A quote beside another: an empty text, or one in a text.
            bad |= quotes & (quotes << 1 | self.quote);
            self.blank = blanks >> last & 1;
        }
        self.quoted = 0_u64.wrapping_sub(within >> last & 1);
        self.starts = starts >> last & 1;
        self.closes = closes >> last & 1;
        self.returns = returns >> last & 1;
        self.begins = lines >> last & 1;
        self.delimits = (starts | returns | quotes) >> last & 1;
        self.quote = quotes >> last & 1;
        count.block(lanes, separators, lines);
        bad
    }
}

/// Fields and records, as they are counted.
struct Count {
    separators: usize,
    records: u64,
    /// Separators of each record.
    wanted: usize,
    /// Of the separators and ends of lines of clean records, which are ends of lines: the first one, and so on.
    ends: u64,
    /// Not 0 once a record has other fields.
    bad: u64,
}

impl Count {
    #[inline(always)]
    fn of(state: &State) -> Self {
        let fields = state.shape.fields;
        let ends = (0..64).step_by(fields.max(1));
        Self {
            separators: state.separators,
            records: state.records,
            wanted: fields.wrapping_sub(1),
            ends: ends.fold(0, |ends, end| ends | 1 << end),
            bad: 0,
        }
    }

    /// Counts the fields and the records that end in a block. It has no branches: what is where is as good as random.
    #[inline(always)]
    fn block(&mut self, lanes: impl Lanes, separators: u64, lines: u64) {
        let marks = separators | lines;
        let count = marks.count_ones();
        let ends = lanes.gather(lines, marks);
        let first = u32::try_from(self.wanted.wrapping_sub(self.separators)).unwrap_or(u32::MAX);
        let wanted = self.ends.checked_shl(first).unwrap_or(0);
        let all = !u64::MAX.checked_shl(count).unwrap_or(0);
        self.bad |= ends ^ (wanted & all);
        self.records += u64::from(lines.count_ones());
        let behind = count - (u64::BITS - ends.leading_zeros());
        self.separators = behind as usize + if ends == 0 { self.separators } else { 0 };
    }

    /// Puts what was counted back; gives whether all of it is as it should be.
    #[inline(always)]
    fn put(self, state: &mut State) -> bool {
        (state.separators, state.records) = (self.separators, self.records);
        self.bad == 0
    }
}

/// A block that begins with the bytes, fewer than it has, and which of its bytes those are.
#[inline(always)]
fn padded(bytes: &[u8]) -> ([u8; BLOCK], u64) {
    let mut block = [0; BLOCK];
    block[..bytes.len()].copy_from_slice(bytes);
    (block, (1 << bytes.len()) - 1)
}

#[cfg(test)]
mod tests;
