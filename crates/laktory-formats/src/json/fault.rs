//! What can be wrong with a file, and how it is told: file, line, what, and how to mend it.

use std::io::Read;

use laktory_core::{DType, Error, ErrorKind};

use super::{Layout, Source};

/// Something wrong at a place of a file.
#[derive(Debug)]
pub(super) struct Fault {
    /// Bytes before it.
    pub(super) at: u64,
    pub(super) flaw: Flaw,
    /// The fields around it, the innermost first.
    pub(super) path: Vec<String>,
}

/// What is wrong.
#[derive(Debug)]
pub(super) enum Flaw {
    Cut(&'static str),
    Unexpected {
        found: char,
        wanted: &'static str,
    },
    TrailingComma,
    Control(u8),
    Escape(char),
    Surrogate(u32),
    Number(String),
    NonFinite(String),
    Deep(u16),
    Fields(usize),
    Duplicate(String),
    Unknown(String),
    Utf8,
    Utf16,
    NotObject {
        found: &'static str,
        layout: Layout,
    },
    Array,
    Second(Layout),
    Misfit {
        value: String,
        dtype: DType,
    },
    /// A number that no type of a whole column holds.
    Beyond(String),
    /// An integer that is not a float, in a column that has fractions.
    Inexact(String),
    Io(std::io::Error),
    Stopped(Error),
}

impl Fault {
    pub(super) fn new(at: usize, flaw: Flaw) -> Box<Self> {
        Box::new(Self {
            at: at as u64,
            flaw,
            path: Vec::new(),
        })
    }

    pub(super) fn io(error: std::io::Error) -> Box<Self> {
        Self::new(0, Flaw::Io(error))
    }

    /// The fault, in a text that begins at `base`.
    pub(super) fn from(mut self: Box<Self>, base: u64) -> Box<Self> {
        self.at += base;
        self
    }

    /// The fault, within a field.
    pub(super) fn within(mut self: Box<Self>, field: &str) -> Box<Self> {
        self.path.push(field.to_owned());
        self
    }

    /// The fault as an error about a file.
    #[expect(
        clippy::boxed_local,
        reason = "a fault is boxed where it arises, to keep results small"
    )]
    pub(super) fn error(self: Box<Self>, source: &Source) -> Error {
        let file = source.path().display();
        let (message, hint) = match self.flaw {
            Flaw::Io(error) => return Error::from(error).context(format!("`{file}`")),
            Flaw::Stopped(error) => return error,
            ref flaw => flaw.told(),
        };
        let field = match self.path.is_empty() {
            true => String::new(),
            false => {
                let path: Vec<&str> = self.path.iter().rev().map(String::as_str).collect();
                format!("field `{}`: ", path.join("."))
            }
        };
        let line = line(source, self.at).map_or(String::new(), |line| format!(", line {line}"));
        let error = Error::new(
            ErrorKind::ConversionFailed,
            format!("`{file}`{line}: {field}{message}"),
        );
        match hint {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }
}

/// The number of the line that a place of a file is in.
fn line(source: &Source, at: u64) -> Option<u64> {
    let mut text = source.open().ok()?.take(at);
    let mut buffer = vec![0; 1 << 16];
    let mut lines = 1;
    loop {
        match text.read(&mut buffer) {
            Ok(0) => return Some(lines),
            Ok(length) => {
                let ends = buffer[..length].iter().filter(|byte| **byte == b'\n');
                lines += ends.count() as u64;
            }
            Err(_) => return None,
        }
    }
}

/// A value of the data in a message: not more of it than shows which one it is.
pub(super) fn shown(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut out: String = text
        .chars()
        .take(LONGEST)
        .flat_map(|letter| {
            match letter.is_control() {
                true => letter.escape_default().collect::<String>(),
                false => letter.to_string(),
            }
            .chars()
            .collect::<Vec<_>>()
        })
        .collect();
    if text.chars().nth(LONGEST).is_some() {
        out.push_str("...");
    }
    out
}

const DECLARE: &str =
    "declare the column with `schema`, as the type that holds all of its values, or as `String`";

impl Flaw {
    fn told(&self) -> (String, Option<String>) {
        let hint = |text: &str| Some(text.to_owned());
        match self {
            Self::Cut(what) => (
                format!("the {what} is cut off: its end is missing"),
                hint(
                    "the file may have been written in part, or be one JSON document (format JSON)",
                ),
            ),
            Self::Unexpected { found, wanted } => (
                format!(
                    "`{}` stands where {wanted} was expected",
                    if *found == '"' {
                        "\"".to_owned()
                    } else {
                        found.escape_debug().to_string()
                    }
                ),
                None,
            ),
            Self::TrailingComma => (
                "a comma without anything behind it".to_owned(),
                hint("remove the comma"),
            ),
            Self::Control(byte) => (
                format!("a raw control character (U+{byte:04X}) in a text"),
                hint("write it as an escape, such as `\\n` or `\\u0001`"),
            ),
            Self::Escape(letter) => (
                format!("`\\{}` begins no escape of JSON", letter.escape_debug()),
                hint("write a backslash as `\\\\`"),
            ),
            Self::Surrogate(unit) => (
                format!(
                    "`\\u{unit:04x}` is one half of a surrogate pair without the other, which is no character"
                ),
                hint(
                    "the text was cut within a character, or is not UTF-16 escaped to JSON; mend it where it is written",
                ),
            ),
            Self::Number(raw) => (format!("`{}` is not a number of JSON", shown(raw)), None),
            Self::NonFinite(word) => (
                format!("`{word}` is not a value of JSON"),
                hint("write null, or a text"),
            ),
            Self::Deep(levels) => (
                format!("the value is nested deeper than {levels} levels"),
                None,
            ),
            Self::Fields(most) => (
                format!("objects have more than {most} different fields"),
                hint(
                    "declare the columns that are wanted with `schema`; a field declared as `String` is read as JSON text",
                ),
            ),
            Self::Duplicate(name) => (
                format!("the name `{}` stands twice in one object", shown(name)),
                None,
            ),
            Self::Unknown(name) => (
                format!(
                    "the field `{}` is not among the columns found in the lines that were looked at",
                    shown(name)
                ),
                hint(
                    "declare the columns with `schema`, or set `infer_schema_length: 0` to look at every line",
                ),
            ),
            Self::Utf8 => (
                "the text is not UTF-8".to_owned(),
                hint("convert the file to UTF-8"),
            ),
            Self::Utf16 => (
                "the text is UTF-16 or UTF-32, not UTF-8".to_owned(),
                hint("convert the file to UTF-8"),
            ),
            Self::NotObject { found, layout } => (
                match layout {
                    Layout::Lines => format!("not a JSON object, but {found}"),
                    Layout::Document => format!("{found} stands where a JSON object was expected"),
                },
                hint("each row is one JSON object"),
            ),
            Self::Array => (
                "the file is not JSON lines, but begins with a list (a JSON array)".to_owned(),
                hint("read it with `format: JSON`"),
            ),
            Self::Second(Layout::Lines) => (
                "something follows the object in its line".to_owned(),
                hint("each line holds one JSON object, and ends with LF or CRLF"),
            ),
            Self::Second(Layout::Document) => (
                "something follows the end of the JSON document".to_owned(),
                hint("a file of one object in each line is read with `format: JSONL`"),
            ),
            Self::Misfit { value, dtype } => (
                format!("`{}` is not of type {dtype}", shown(value)),
                hint(DECLARE),
            ),
            Self::Beyond(raw) => (
                format!("`{}` is too big a number", shown(raw)),
                hint(
                    "declare the column with `schema`: as `String` its digits are kept, as `Float64` they are rounded",
                ),
            ),
            Self::Inexact(raw) => (
                format!(
                    "the integer `{}` would lose digits among the fractions of other rows, which are Float64",
                    shown(raw)
                ),
                hint(
                    "declare the column with `schema`: as `Decimal(38, 9)` or `String` digits are kept, as `Float64` they are rounded",
                ),
            ),
            Self::Io(error) => (error.to_string(), None),
            Self::Stopped(error) => (error.message().to_owned(), None),
        }
    }
}
