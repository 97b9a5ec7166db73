//! Records of CSV, told apart by the characters that the writer's options name.

use std::io::Write;
use std::path::Path;

use laktory_core::{Error, ErrorKind, Result};

use super::{other_columns, pieces, text};
use crate::options::Given;

const MARK: &[u8] = b"\xEF\xBB\xBF";

/// The characters of a CSV text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsvText {
    /// Between fields.
    pub separator: u8,
    /// Around fields that hold the others; none when nothing is quoted.
    pub quote: Option<u8>,
    /// Behind each record, at least one byte.
    pub terminator: Vec<u8>,
    /// Whether the first record holds the names.
    pub header: bool,
}

impl CsvText {
    /// The characters that writer options name. Each must be one that no number, truth value or null is written with, since
    /// only texts and times are quoted.
    ///
    /// # Errors
    /// `InvalidArgument` for an option that is of another kind, or that stands for something else, too.
    pub fn given(given: &Given<'_>) -> Result<Self> {
        let separator = given.byte("separator")?.unwrap_or(b',');
        let quote = given.byte("quote_char")?.unwrap_or(b'"');
        let terminator = given.text("line_terminator")?.unwrap_or("\n").as_bytes();
        let never = given
            .text("quote_style")?
            .is_some_and(|style| style.eq_ignore_ascii_case("never"));
        for (name, byte) in [("separator", separator), ("quote_char", quote)] {
            if is_of_values(byte) {
                let character = char::from(byte).escape_default();
                return Err(given.refused(
                    name,
                    format!("cannot be `{character}`, with which values are written"),
                ));
            }
        }
        if separator == quote {
            return Err(given.refused("separator", "cannot be the quote, too"));
        }
        if quote == b',' && given.flag("decimal_comma")?.unwrap_or(false) {
            return Err(given.refused("quote_char", "cannot be the comma of numbers, too"));
        }
        if terminator.is_empty() || terminator.contains(&separator) || terminator.contains(&quote) {
            return Err(given.refused(
                "line_terminator",
                "takes a text that is not empty, without the separator and the quote",
            ));
        }
        if terminator != b"\n"
            && terminator != b"\r\n"
            && terminator.iter().any(|byte| is_of_values(*byte))
        {
            return Err(given.refused(
                "line_terminator",
                "takes line ends, or characters with which no value is written",
            ));
        }
        let null = given.text("null_value")?.unwrap_or_default().as_bytes();
        let is_mark = |byte: &u8| {
            [separator, quote, b'\n', b'\r'].contains(byte) || terminator.contains(byte)
        };
        if null.iter().any(is_mark) {
            return Err(given.refused(
                "null_value",
                "takes a text without the separator, the quote and line ends: nulls are not quoted",
            ));
        }
        Ok(Self {
            separator,
            quote: (!never).then_some(quote),
            terminator: terminator.to_vec(),
            header: given.flag("include_header")?.unwrap_or(true),
        })
    }

    /// Whether records end as no engine's own quoting expects: only fields with line ends are quoted for their sake.
    pub(super) fn ends_otherwise(&self) -> bool {
        self.terminator != b"\n" && self.terminator != b"\r\n"
    }

    /// The same text with a line on each record.
    pub(super) fn of_lines(&self) -> Self {
        Self {
            terminator: b"\n".to_vec(),
            ..self.clone()
        }
    }
}

/// Whether numbers, truth values and line ends may hold a byte.
fn is_of_values(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+-.\n\r".contains(&byte)
}

/// Where in a record the next byte is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Start,
    Plain,
    Quoted,
    /// Behind a quote inside of quotes: the field ends, unless another quote follows.
    Closing,
}

/// Follows a text, byte by byte.
struct Records<'a> {
    form: &'a CsvText,
    at: At,
    /// Bytes of the terminator that were just seen.
    matched: usize,
    /// Whether a record is open.
    open: bool,
    complete: u64,
    /// The first record, without its terminator.
    first: Vec<u8>,
    /// Separators of the open record, and of the first one.
    separators: (usize, usize),
    /// Whether a record has other separators than the first one.
    uneven: bool,
}

impl<'a> Records<'a> {
    fn new(form: &'a CsvText) -> Self {
        Self {
            form,
            at: At::Start,
            matched: 0,
            open: false,
            complete: 0,
            first: Vec::new(),
            separators: (0, 0),
            uneven: false,
        }
    }

    /// Takes the next byte, and tells whether it ends a record.
    fn take(&mut self, byte: u8) -> bool {
        self.open = true;
        if self.complete == 0 {
            self.first.push(byte);
        }
        let quote = Some(byte) == self.form.quote;
        self.at = match self.at {
            At::Quoted if quote => At::Closing,
            At::Quoted => return false,
            At::Closing if quote => At::Quoted,
            At::Start if quote => At::Quoted,
            _ if byte == self.form.separator => {
                self.separators.0 += 1;
                At::Start
            }
            _ => At::Plain,
        };
        let end = &self.form.terminator;
        self.matched = if end.get(self.matched) == Some(&byte) {
            self.matched + 1
        } else {
            usize::from(end.first() == Some(&byte))
        };
        if self.matched < end.len() {
            return false;
        }
        if self.complete == 0 {
            self.first.truncate(self.first.len() - end.len());
        }
        (self.at, self.matched, self.open) = (At::Start, 0, false);
        if self.complete == 0 {
            self.separators.1 = self.separators.0;
        }
        self.uneven |= self.separators.0 != self.separators.1;
        self.separators.0 = 0;
        self.complete += 1;
        true
    }

    /// Records so far, the last one without its end included.
    fn all(&self) -> u64 {
        self.complete + u64::from(self.open)
    }

    /// The fields of the first record.
    fn fields(&self) -> Vec<String> {
        let mut fields = vec![Vec::new()];
        let mut at = At::Start;
        let first = match self.form.terminator.as_slice() {
            b"\n" => self.first.strip_suffix(b"\r").unwrap_or(&self.first),
            _ => &self.first,
        };
        for &byte in first {
            let quote = Some(byte) == self.form.quote;
            let last = fields.len() - 1;
            at = match at {
                At::Quoted if quote => At::Closing,
                At::Start if quote => At::Quoted,
                At::Closing if quote => {
                    fields[last].push(byte);
                    At::Quoted
                }
                At::Quoted => {
                    fields[last].push(byte);
                    At::Quoted
                }
                _ if byte == self.form.separator => {
                    fields.push(Vec::new());
                    At::Start
                }
                _ => {
                    fields[last].push(byte);
                    At::Plain
                }
            };
        }
        let text = |field: Vec<u8>| String::from_utf8_lossy(&field).into_owned();
        fields.into_iter().map(text).collect()
    }
}

/// Follows a file without its byte order mark, and hands its pieces on.
fn follow<'a>(
    form: &'a CsvText,
    file: &Path,
    mut each: impl FnMut(&[u8]) -> Result<()>,
) -> Result<(Records<'a>, bool)> {
    let mut text = text(file)?;
    let marked = text.fill_buf()?.starts_with(MARK);
    if marked {
        text.consume(MARK.len());
    }
    let mut records = Records::new(form);
    pieces(text, |piece| {
        for &byte in piece {
            records.take(byte);
        }
        each(piece)
    })?;
    Ok((records, marked))
}

/// Rows of a file, and whether each has as many fields as there are columns, as far as separators are all there is to tell.
pub(super) fn count(form: &CsvText, file: &Path, columns: usize) -> Result<(u64, bool)> {
    let (records, _) = follow(form, file, |_| Ok(()))?;
    let is_even = !records.uneven && records.separators.1 + 1 == columns;
    Ok((
        records.all().saturating_sub(u64::from(form.header)),
        is_even || records.complete == 0 || form.quote.is_some(),
    ))
}

/// Writes a file of lines with the record ends of `form`, and quotes around fields that hold a part of these.
pub(super) fn terminate(form: &CsvText, lines: &Path, out: &mut impl Write) -> Result<()> {
    let mut text = text(lines)?;
    if text.fill_buf()?.starts_with(MARK) {
        out.write_all(MARK)?;
        text.consume(MARK.len());
    }
    let of_lines = form.of_lines();
    let mut records = Records::new(&of_lines);
    let mut field = Vec::new();
    pieces(text, |piece| {
        for &byte in piece {
            let ends = records.take(byte);
            if records.at != At::Start {
                field.push(byte);
                continue;
            }
            write_field(form, &field, out)?;
            field.clear();
            match ends {
                true => out.write_all(&form.terminator)?,
                false => out.write_all(&[byte])?,
            }
        }
        Ok(())
    })?;
    write_field(form, &field, out)
}

/// A field as it stands, which is in quotes if it begins with one.
fn write_field(form: &CsvText, field: &[u8], out: &mut impl Write) -> Result<()> {
    let holds_end = field.iter().any(|byte| form.terminator.contains(byte));
    match form.quote {
        Some(quote) if holds_end && field.first() != Some(&quote) => {
            out.write_all(&[quote])?;
            out.write_all(field)?;
            out.write_all(&[quote])?;
        }
        _ => out.write_all(field)?,
    }
    Ok(())
}

/// Writes both files as one. Gives the rows of the old one.
pub(super) fn append(
    form: &CsvText,
    (old, new): (&Path, &Path),
    columns: &[String],
    out: &mut impl Write,
) -> Result<u64> {
    if text(old)?.fill_buf()?.starts_with(MARK) {
        out.write_all(MARK)?;
    }
    let (before, marked) = follow(form, old, |piece| Ok(out.write_all(piece)?))?;
    if before.at == At::Quoted {
        return Err(Error::new(
            ErrorKind::ConversionFailed,
            format!(
                "cannot append to `{}`: it ends inside of quotes",
                old.display()
            ),
        )
        .with_hint("mend the file, or use mode OVERWRITE"));
    }
    let is_empty = before.all() == 0;
    if !is_empty {
        let fields = before.fields();
        let same = match form.header {
            true => fields == columns,
            false => fields.len() == columns.len(),
        };
        if !same {
            return Err(match form.header {
                true => other_columns(old, &fields, columns),
                false => Error::new(
                    ErrorKind::SchemaMismatch,
                    format!(
                        "cannot append to `{}`: its first line has {} fields, the new rows have {} columns",
                        old.display(),
                        fields.len(),
                        columns.len()
                    ),
                )
                .with_hint("select the same columns in the same order, or use mode OVERWRITE"),
            });
        }
        if before.open {
            out.write_all(&form.terminator)?;
        }
    }
    // The header, and a byte order mark, stand there already.
    let mut skipping = !is_empty && form.header;
    let mut added = Records::new(form);
    let mut text = text(new)?;
    if text.fill_buf()?.starts_with(MARK) {
        if is_empty && !marked {
            out.write_all(MARK)?;
        }
        text.consume(MARK.len());
    }
    pieces(text, |piece| {
        let mut rest = piece;
        while skipping && let Some((&byte, behind)) = rest.split_first() {
            skipping = !added.take(byte);
            rest = behind;
        }
        Ok(out.write_all(rest)?)
    })?;
    Ok(before
        .all()
        .saturating_sub(u64::from(form.header && !is_empty)))
}
