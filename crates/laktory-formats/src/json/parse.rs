//! The grammar of JSON, strictly, byte by byte over text that is known to be UTF-8.

use std::borrow::Cow;

use super::fault::{Fault, Flaw};

pub(super) type Parsed<T> = Result<T, Box<Fault>>;

/// Levels of objects and lists that a value may have.
const DEEPEST: u16 = 256;

/// A place in a text, moving forward.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    /// Whether a value ends with its line.
    lines: bool,
    depth: u16,
}

/// What a value begins with; of objects and lists the opening bracket alone has been taken.
#[derive(Debug)]
pub(super) enum Token<'a> {
    Null,
    Bool(bool),
    Number(Number<'a>),
    Text(Text<'a>),
    Object,
    List,
}

/// A number as it is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Number<'a> {
    pub(super) raw: &'a str,
    /// Whether it has neither fraction nor exponent.
    pub(super) is_integer: bool,
    has_exponent: bool,
    /// The value of an integer of at most 18 digits.
    pub(super) short: Option<i64>,
}

impl Number<'_> {
    /// The value of an integer, where 128 bits hold it.
    pub(super) fn integer(&self) -> Option<i128> {
        match self.short {
            Some(short) => Some(short.into()),
            None if self.is_integer => self.raw.parse().ok(),
            None => None,
        }
    }

    /// The nearest float, which is infinite beyond the largest.
    pub(super) fn float(&self) -> f64 {
        self.raw.parse().unwrap_or(f64::NAN)
    }

    /// Whether floats of 64 bits are too small for it.
    pub(super) fn is_beyond_floats(&self) -> bool {
        (self.has_exponent || self.raw.len() > 300) && self.float().is_infinite()
    }

    /// Whether a float holds an integer without loss.
    pub(super) fn is_exact_float(&self) -> bool {
        match self.short {
            Some(short) if short.unsigned_abs() <= 1 << 53 => true,
            _ => {
                let float = self.float();
                float.is_finite() && format!("{float:.0}") == self.raw
            }
        }
    }
}

/// A text as it is written, without its quotes; its escapes are valid.
#[derive(Clone, Copy, Debug)]
pub(super) struct Text<'a> {
    pub(super) raw: &'a str,
    is_escaped: bool,
}

impl<'a> Text<'a> {
    /// The text itself.
    pub(super) fn value(&self) -> Cow<'a, str> {
        if !self.is_escaped {
            return Cow::Borrowed(self.raw);
        }
        let mut out = String::with_capacity(self.raw.len());
        let mut rest = self.raw;
        while let Some(at) = rest.find('\\') {
            out.push_str(&rest[..at]);
            let escape = rest.as_bytes().get(at + 1).copied().unwrap_or(b'\\');
            let mut taken = 2;
            out.push(match escape {
                b'n' => '\n',
                b't' => '\t',
                b'r' => '\r',
                b'b' => '\u{8}',
                b'f' => '\u{c}',
                b'u' => {
                    let first = hex(rest, at + 2);
                    taken = 6;
                    let code = if (0xd800..0xdc00).contains(&first) {
                        taken = 12;
                        0x10000 + ((first - 0xd800) << 10) + (hex(rest, at + 8) - 0xdc00)
                    } else {
                        first
                    };
                    char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
                }
                other => other.into(),
            });
            rest = &rest[at + taken..];
        }
        out.push_str(rest);
        Cow::Owned(out)
    }
}

/// The number that four hexadecimal digits of a validated text stand for.
fn hex(text: &str, at: usize) -> u32 {
    text.get(at..at + 4)
        .and_then(|digits| u32::from_str_radix(digits, 16).ok())
        .unwrap_or_default()
}

impl<'a> Cursor<'a> {
    /// The start of a text; of values that end with their lines, or not.
    pub(super) fn new(text: &'a str, lines: bool) -> Self {
        Self {
            text,
            bytes: text.as_bytes(),
            at: 0,
            lines,
            depth: 0,
        }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// The text between an earlier place and this one.
    pub(super) fn since(&self, from: usize) -> &'a str {
        &self.text[from..self.at]
    }

    /// Goes back to an earlier place; within a list, or not.
    pub(super) fn rewind(&mut self, at: usize, in_list: bool) {
        self.at = at;
        self.depth = in_list.into();
    }

    pub(super) fn fault<T>(&self, flaw: Flaw) -> Parsed<T> {
        Err(Fault::new(self.at, flaw))
    }

    #[inline]
    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    #[inline]
    pub(super) fn bump(&mut self) {
        self.at += 1;
    }

    /// Passes white space.
    #[inline]
    pub(super) fn space(&mut self) {
        while let Some(byte) = self.peek() {
            match byte {
                b' ' | b'\t' | b'\r' => self.at += 1,
                b'\n' if !self.lines => self.at += 1,
                _ => return,
            }
        }
    }

    /// What is wrong with the byte here, where something else was expected.
    fn unexpected<T>(&self, wanted: &'static str) -> Parsed<T> {
        match self.peek() {
            // Where the text ends, not the blank lines behind it.
            None => Err(Fault::new(
                self.text.trim_ascii_end().len(),
                Flaw::Cut("value"),
            )),
            Some(b'\n') if self.lines => self.fault(Flaw::Cut("value")),
            Some(_) => {
                let found = self.text[self.at..].chars().next().unwrap_or_default();
                self.fault(Flaw::Unexpected { found, wanted })
            }
        }
    }

    /// The beginning of a value.
    pub(super) fn token(&mut self) -> Parsed<Token<'a>> {
        self.space();
        match self.peek() {
            Some(b'"') => Ok(Token::Text(self.text()?)),
            Some(b'-' | b'0'..=b'9') => Ok(Token::Number(self.number()?)),
            Some(b'{') => self.enter(Token::Object),
            Some(b'[') => self.enter(Token::List),
            Some(b't') => self.word("true", Token::Bool(true)),
            Some(b'f') => self.word("false", Token::Bool(false)),
            Some(b'n') => self.word("null", Token::Null),
            Some(b'N' | b'I' | b'i') => self.word("NaN", Token::Null),
            _ => self.unexpected("a value"),
        }
    }

    fn enter(&mut self, token: Token<'a>) -> Parsed<Token<'a>> {
        if self.depth == DEEPEST {
            return self.fault(Flaw::Deep(DEEPEST));
        }
        self.depth += 1;
        self.at += 1;
        Ok(token)
    }

    fn word(&mut self, word: &'static str, token: Token<'a>) -> Parsed<Token<'a>> {
        let rest = &self.text[self.at..];
        let found = rest
            .find(|letter: char| !letter.is_ascii_alphanumeric())
            .map_or(rest, |end| &rest[..end]);
        if ["nan", "infinity", "inf"].contains(&&*found.to_ascii_lowercase()) {
            return self.fault(Flaw::NonFinite(found.to_owned()));
        }
        if found == word {
            self.at += word.len();
            return Ok(token);
        }
        if found.len() == rest.len() && word.starts_with(found) {
            return self.fault(Flaw::Cut("value"));
        }
        self.unexpected("a value")
    }

    fn digits(&mut self) -> usize {
        let from = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        self.at - from
    }

    fn number(&mut self) -> Parsed<Number<'a>> {
        let from = self.at;
        let negative = self.peek() == Some(b'-');
        if negative {
            self.at += 1;
            if let Some(b'I' | b'i' | b'N' | b'n') = self.peek() {
                self.word("", Token::Null)?;
            }
        }
        let leading = self.peek();
        let mut value = 0_i64;
        let start = self.at;
        while let Some(byte @ b'0'..=b'9') = self.peek() {
            value = value.wrapping_mul(10).wrapping_add(i64::from(byte - b'0'));
            self.at += 1;
        }
        let count = self.at - start;
        let mut is_valid = count == 1 || (count > 1 && leading != Some(b'0'));
        let mut is_integer = true;
        let mut has_exponent = false;
        if self.peek() == Some(b'.') {
            self.at += 1;
            is_integer = false;
            is_valid &= self.digits() > 0;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            is_integer = false;
            has_exponent = true;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            is_valid &= self.digits() > 0;
        }
        match self.peek() {
            None if !is_valid => return self.fault(Flaw::Cut("number")),
            None | Some(b',' | b'}' | b']' | b' ' | b'\t' | b'\r' | b'\n') => {}
            Some(_) => {
                is_valid = false;
                let rest = &self.text[self.at..];
                self.at += rest
                    .find(|letter: char| ",}] \t\r\n".contains(letter))
                    .unwrap_or(rest.len());
            }
        }
        let raw = &self.text[from..self.at];
        if !is_valid {
            self.at = from;
            return self.fault(Flaw::Number(raw.to_owned()));
        }
        let is_short = is_integer && count <= 18;
        let short = is_short.then(|| if negative { -value } else { value });
        Ok(Number {
            raw,
            is_integer,
            has_exponent,
            short,
        })
    }

    /// Moves to the next byte of a text that is not to be taken as it is.
    #[inline]
    fn plain(&mut self) {
        const LOW: u64 = u64::MAX / 255;
        const HIGH: u64 = LOW << 7;
        let zero = |word: u64| word.wrapping_sub(LOW) & !word & HIGH;
        while let Some(chunk) = self.bytes[self.at..].first_chunk::<8>() {
            let word = u64::from_le_bytes(*chunk);
            let control = word.wrapping_sub(LOW * 0x20) & !word & HIGH;
            let found = zero(word ^ (LOW * 0x22)) | zero(word ^ (LOW * 0x5c)) | control;
            if found != 0 {
                self.at += found.trailing_zeros() as usize / 8;
                return;
            }
            self.at += 8;
        }
        while let Some(byte) = self.peek() {
            if byte < 0x20 || byte == b'"' || byte == b'\\' {
                return;
            }
            self.at += 1;
        }
    }

    fn text(&mut self) -> Parsed<Text<'a>> {
        self.at += 1;
        let from = self.at;
        let mut is_escaped = false;
        loop {
            self.plain();
            match self.peek() {
                Some(b'"') => {
                    let raw = &self.text[from..self.at];
                    self.at += 1;
                    return Ok(Text { raw, is_escaped });
                }
                Some(b'\\') => {
                    is_escaped = true;
                    self.escape()?;
                }
                None => return self.fault(Flaw::Cut("text")),
                Some(b'\n') if self.lines => return self.fault(Flaw::Cut("text")),
                Some(control) => return self.fault(Flaw::Control(control)),
            }
        }
    }

    fn escape(&mut self) -> Parsed<()> {
        match self.bytes.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.at += 2;
                Ok(())
            }
            Some(b'u') => {
                let first = self.unit()?;
                match first {
                    0xdc00..0xe000 => self.fault(Flaw::Surrogate(first)),
                    0xd800..0xdc00 => {
                        let back = self.at;
                        self.at += 6;
                        if self.at + 2 > self.bytes.len() {
                            return self.fault(Flaw::Cut("text"));
                        }
                        let second = if self.bytes[self.at..].starts_with(b"\\u") {
                            self.unit()?
                        } else {
                            0
                        };
                        if !(0xdc00..0xe000).contains(&second) {
                            self.at = back;
                            return self.fault(Flaw::Surrogate(first));
                        }
                        self.at += 6;
                        Ok(())
                    }
                    _ => {
                        self.at += 6;
                        Ok(())
                    }
                }
            }
            None => self.fault(Flaw::Cut("text")),
            Some(_) => {
                let letter = self.text[self.at + 1..].chars().next().unwrap_or_default();
                self.fault(Flaw::Escape(letter))
            }
        }
    }

    /// The number of a `\u` escape that begins here.
    fn unit(&self) -> Parsed<u32> {
        let digits = &self.bytes[(self.at + 2).min(self.bytes.len())..];
        let digits = &digits[..digits.len().min(4)];
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return self.fault(Flaw::Escape('u'));
        }
        if digits.len() < 4 {
            return self.fault(Flaw::Cut("text"));
        }
        Ok(hex(self.text, self.at + 2))
    }

    /// The next key of an object, whose bracket or last value has been taken; `None` at its end.
    pub(super) fn key(&mut self, first: bool) -> Parsed<Option<Text<'a>>> {
        self.space();
        match self.peek() {
            Some(b'}') => {
                self.at += 1;
                self.depth -= 1;
                return Ok(None);
            }
            Some(b',') if !first => {
                self.at += 1;
                self.space();
                if self.peek() == Some(b'}') {
                    return self.fault(Flaw::TrailingComma);
                }
            }
            _ if !first => return self.unexpected("`,` or `}`"),
            _ => {}
        }
        if self.peek() != Some(b'"') {
            return self.unexpected("a name in double quotes");
        }
        let key = self.text()?;
        self.space();
        if self.peek() != Some(b':') {
            return self.unexpected("`:`");
        }
        self.at += 1;
        Ok(Some(key))
    }

    /// Takes a key if it is the expected one, written without escapes.
    #[inline]
    pub(super) fn try_key(&mut self, name: &str, first: bool) -> bool {
        let back = self.at;
        self.space();
        if !first {
            if self.peek() != Some(b',') {
                self.at = back;
                return false;
            }
            self.at += 1;
            self.space();
        }
        let rest = &self.bytes[self.at..];
        let length = name.len();
        if rest.len() < length + 2
            || rest[0] != b'"'
            || rest[length + 1] != b'"'
            || &rest[1..=length] != name.as_bytes()
        {
            self.at = back;
            return false;
        }
        self.at += length + 2;
        self.space();
        if self.peek() != Some(b':') {
            self.at = back;
            return false;
        }
        self.at += 1;
        true
    }

    /// Whether a further element of a list follows, whose bracket or last element has been taken.
    pub(super) fn item(&mut self, first: bool) -> Parsed<bool> {
        self.space();
        match self.peek() {
            Some(b']') => {
                self.at += 1;
                self.depth -= 1;
                Ok(false)
            }
            Some(b',') if !first => {
                self.at += 1;
                self.space();
                match self.peek() {
                    Some(b']') => self.fault(Flaw::TrailingComma),
                    _ => Ok(true),
                }
            }
            _ if !first => self.unexpected("`,` or `]`"),
            _ => Ok(true),
        }
    }

    /// Passes a value of any kind.
    pub(super) fn skip(&mut self) -> Parsed<()> {
        let token = self.token()?;
        self.skip_rest(&token)
    }

    /// Passes what follows the beginning of a value.
    pub(super) fn skip_rest(&mut self, token: &Token<'_>) -> Parsed<()> {
        let mut first = true;
        match token {
            Token::Object => {
                while self.key(first)?.is_some() {
                    first = false;
                    self.skip()?;
                }
            }
            Token::List => {
                while self.item(first)? {
                    first = false;
                    self.skip()?;
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// A value without the white space between its parts.
pub(super) fn compact(raw: &str) -> Cow<'_, str> {
    if !raw.bytes().any(|byte| byte.is_ascii_whitespace()) {
        return Cow::Borrowed(raw);
    }
    let mut out = String::with_capacity(raw.len());
    let (mut quoted, mut escaped) = (false, false);
    for letter in raw.chars() {
        if !quoted && letter.is_ascii_whitespace() {
            continue;
        }
        out.push(letter);
        if escaped {
            escaped = false;
        } else if letter == '\\' {
            escaped = quoted;
        } else if letter == '"' {
            quoted = !quoted;
        }
    }
    Cow::Owned(out)
}
