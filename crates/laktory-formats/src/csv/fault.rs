//! What may be wrong with a record.

use std::path::Path;

use laktory_core::{Error, ErrorKind};

/// Why a record has no sensible reading, or none that was asked for. Lines count from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// A quote that was opened in this line does not end.
    OpenQuote { line: u64 },
    /// Text stands between a closing quote and the next separator.
    AfterQuote { line: u64 },
    /// A carriage return in a file whose lines end otherwise, or the other way round.
    LineEnd { line: u64 },
    /// More fields than columns, or fewer.
    Width {
        line: u64,
        found: usize,
        wanted: usize,
    },
    /// Bytes that are no text.
    Encoding { line: u64 },
    /// A value that is not of the column's type.
    Value {
        line: u64,
        column: String,
        value: String,
        dtype: String,
        guessed: bool,
    },
    /// A record too long to be held.
    Long { line: u64 },
    /// The file was changed while it was read.
    Changed,
}

/// Longest part of a value that messages show, in characters.
const SHOWN: usize = 60;

impl Fault {
    /// The error, with the file and how to mend it.
    pub(super) fn error(&self, file: &Path, has_header: bool) -> Error {
        let file = file.display();
        let (what, hint) = match self {
            Self::OpenQuote { line } => (
                format!(
                    "`{file}`, line {line}: a quote is opened and never closed, so the rest of the file would be one value"
                ),
                "the file may be cut off; close the quote, or set `quote_char: ''` in `reader_kwargs` if quotes are plain characters here",
            ),
            Self::AfterQuote { line } => (
                format!(
                    "`{file}`, line {line}: text stands between a closing quote and the next separator"
                ),
                "write a quote inside of a quoted value twice, or set `quote_char: ''` in `reader_kwargs` if quotes are plain characters here",
            ),
            Self::LineEnd { line } => (
                format!(
                    "`{file}`, line {line}: a carriage return that ends no line as the others of the file end"
                ),
                "use one kind of line ends and quote values that hold others, or name the one of this file with `eol_char` in `reader_kwargs`: other ones then belong to values",
            ),
            Self::Width {
                line,
                found,
                wanted,
            } => (
                format!(
                    "`{file}`, line {line}: {}, but the {} has {wanted}",
                    fields(*found),
                    first(has_header)
                ),
                if found > wanted {
                    "quote fields that hold the separator, or set `truncate_ragged_lines: true`"
                } else {
                    "complete the line, or set `null_padding: true` to read nulls"
                },
            ),
            Self::Encoding { line } => (
                format!("`{file}`, line {line}: it is not UTF-8"),
                "name the encoding with `encoding` in `reader_kwargs`, such as `latin1` or `windows-1252`, or convert the file to UTF-8",
            ),
            Self::Value {
                line,
                column,
                value,
                dtype,
                guessed,
            } => {
                let value: String = value.chars().take(SHOWN).collect();
                (
                    format!(
                        "`{file}`, line {line}: `{value}` is not of type {dtype}, as column `{column}` is"
                    ),
                    if *guessed {
                        "the type was guessed from the first lines: set `infer_schema_length: null` in `reader_kwargs` to look at all of them, declare the column with `schema`, or name texts for null with `null_values`"
                    } else {
                        "mend the value, name it in `null_values` in `reader_kwargs`, or set `ignore_errors: true` there to read null"
                    },
                )
            }
            Self::Long { line } => (
                format!(
                    "`{file}`, line {line}: the record that begins here is longer than {} MB",
                    super::records::LONGEST >> 20
                ),
                "a quote may be open: close it, or set `quote_char: ''` in `reader_kwargs` if quotes are plain characters here",
            ),
            Self::Changed => (
                format!("`{file}` was changed while it was read"),
                "run again when nobody writes to it",
            ),
        };
        Error::new(ErrorKind::ConversionFailed, what).with_hint(hint)
    }
}

fn fields(count: usize) -> String {
    match count {
        1 => "1 field".to_owned(),
        count => format!("{count} fields"),
    }
}

fn first(has_header: bool) -> &'static str {
    if has_header { "header" } else { "first line" }
}
