//! CSV. A null is an empty field, an empty text a quoted one, so that what is read back is what was written.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write};

use datafusion::arrow::array::{Array, RecordBatch};
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use laktory_core::{Error, ErrorKind, Result};

use super::{DATETIME, Sink, ZONED, buffered};
use crate::error::ResultExt;
use crate::options::Given;

/// Options of CSV.
pub(super) const OPTIONS: &[&str] = &[
    "date_format",
    "datetime_format",
    "include_bom",
    "include_header",
    "null_value",
    "quote_char",
    "separator",
    "time_format",
];

/// A file of CSV that is being written.
pub(crate) struct Writer {
    file: BufWriter<File>,
    separator: u8,
    quote: u8,
    null: String,
    date_format: Option<String>,
    time_format: Option<String>,
    datetime_format: Option<String>,
    /// A line, and the text of a value.
    line: Vec<u8>,
    text: String,
}

/// Begins a file, with its header.
pub(super) fn open(given: &Given<'_>, mut file: File, schema: &SchemaRef) -> Result<Sink> {
    if given.flag("include_bom")?.unwrap_or(false) {
        file.write_all(b"\xEF\xBB\xBF")?;
    }
    let owned = |name: &str| given.text(name).map(|text| text.map(str::to_owned));
    let mut writer = Writer {
        file: buffered(file),
        separator: given.byte("separator")?.unwrap_or(b','),
        quote: given.byte("quote_char")?.unwrap_or(b'"'),
        null: given.text("null_value")?.unwrap_or_default().to_owned(),
        date_format: owned("date_format")?,
        time_format: owned("time_format")?,
        datetime_format: owned("datetime_format")?,
        line: Vec::new(),
        text: String::new(),
    };
    if given.flag("include_header")?.unwrap_or(true) {
        for (at, field) in schema.fields().iter().enumerate() {
            writer.begin(at);
            writer.text.clone_from(field.name());
            writer.field();
        }
        writer.end()?;
    }
    Ok(Sink::Csv(Box::new(writer)))
}

impl Writer {
    /// Adds the rows of a batch.
    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let (date, time, datetime) = (
            self.date_format.clone(),
            self.time_format.clone(),
            self.datetime_format.clone(),
        );
        let options = FormatOptions::default()
            .with_display_error(false)
            .with_date_format(date.as_deref())
            .with_time_format(time.as_deref())
            .with_datetime_format(datetime.as_deref())
            .with_timestamp_format(datetime.as_deref().or(Some(DATETIME)))
            .with_timestamp_tz_format(datetime.as_deref().or(Some(ZONED)));
        // Whether a separator or quote may be part of a number.
        let told = [self.separator, self.quote]
            .iter()
            .any(|byte| byte.is_ascii_alphanumeric() || *byte == b'-');
        let columns = batch
            .columns()
            .iter()
            .map(|column| {
                let plain = is_plain(column.data_type()) && !told;
                Ok((column, plain, ArrayFormatter::try_new(column, &options)?))
            })
            .collect::<Result<Vec<_>, datafusion::arrow::error::ArrowError>>()
            .or_error()?;
        for row in 0..batch.num_rows() {
            for (at, (column, plain, values)) in columns.iter().enumerate() {
                self.begin(at);
                self.text.clear();
                if column.is_null(row) {
                    self.line.extend_from_slice(self.null.as_bytes());
                    continue;
                }
                write!(self.text, "{}", values.value(row)).map_err(|_| {
                    let field = batch.schema_ref().field(at);
                    Error::new(
                        ErrorKind::Compute,
                        format!("a value of column `{}` has no form in CSV", field.name()),
                    )
                })?;
                if *plain {
                    self.line.extend_from_slice(self.text.as_bytes());
                } else {
                    self.field();
                }
            }
            self.end()?;
        }
        Ok(())
    }

    fn begin(&mut self, at: usize) {
        if at > 0 {
            self.line.push(self.separator);
        }
    }

    /// Adds the text as a field, in quotes where it would be read otherwise without.
    fn field(&mut self) {
        let special = |byte: &u8| {
            *byte == self.separator || *byte == self.quote || *byte == b'\n' || *byte == b'\r'
        };
        if !self.text.is_empty() && !self.text.as_bytes().iter().any(special) {
            self.line.extend_from_slice(self.text.as_bytes());
            return;
        }
        self.line.push(self.quote);
        for byte in self.text.as_bytes() {
            if *byte == self.quote {
                self.line.push(self.quote);
            }
            self.line.push(*byte);
        }
        self.line.push(self.quote);
    }

    fn end(&mut self) -> Result<()> {
        self.line.push(b'\n');
        self.file.write_all(&self.line)?;
        self.line.clear();
        Ok(())
    }

    /// Completes the file.
    pub(super) fn finish(mut self) -> Result<()> {
        self.file.flush()?;
        Ok(())
    }
}

/// Whether values of a type never need quotes: digits and signs, unless a separator is one.
fn is_plain(dtype: &DataType) -> bool {
    dtype.is_integer() || *dtype == DataType::Boolean
}
