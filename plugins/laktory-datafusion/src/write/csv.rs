//! CSV. A null is an empty field, an empty text a quoted one, so that what is read back is what was written.

use std::fmt::Write as _;
use std::io::Write as _;

use datafusion::arrow::array::{Array, RecordBatch};
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use laktory_core::{Error, ErrorKind, Field, Result};
use laktory_formats::append::CsvText;
use laktory_formats::packed::Packed;
use laktory_formats::times::TimeForms;

use super::{DATETIME, ZONED};
use crate::error::ResultExt;
use crate::options::Given;

/// Options of CSV.
pub(super) const OPTIONS: &[&str] = &[
    "compression",
    "compression_level",
    "date_format",
    "datetime_format",
    "include_bom",
    "include_header",
    "null_value",
    "quote_char",
    "separator",
    "time_format",
];

/// How rows become lines.
pub(crate) struct Form {
    marks: CsvText,
    bom: bool,
    null: String,
    times: TimeForms,
}

impl Form {
    /// What options ask for, for rows of these columns.
    pub(super) fn given(given: &Given<'_>, columns: &[Field]) -> Result<Self> {
        Ok(Self {
            marks: CsvText::given(given)?,
            bom: given.flag("include_bom")?.unwrap_or(false),
            null: given.text("null_value")?.unwrap_or_default().to_owned(),
            times: TimeForms::given(given, columns)?,
        })
    }
}

/// A file of CSV that is being written.
pub(crate) struct Writer {
    file: Packed,
    separator: u8,
    quote: u8,
    null: String,
    times: TimeForms,
    /// A line, and the text of a value.
    line: Vec<u8>,
    text: String,
}

impl Writer {
    /// Begins a file, with its header.
    pub(super) fn begin(form: Form, mut file: Packed, schema: &SchemaRef) -> Result<Self> {
        if form.bom {
            file.write_all(b"\xEF\xBB\xBF")?;
        }
        let mut writer = Self {
            file,
            separator: form.marks.separator,
            quote: form.marks.quote.unwrap_or(b'"'),
            null: form.null,
            times: form.times,
            line: Vec::new(),
            text: String::new(),
        };
        if form.marks.header {
            for (at, field) in schema.fields().iter().enumerate() {
                writer.begin_field(at);
                writer.text.clone_from(field.name());
                writer.field();
            }
            writer.end()?;
        }
        Ok(writer)
    }

    /// Adds the rows of a batch.
    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let forms = self.times.clone();
        let datetime = forms.datetime.as_deref();
        let options = FormatOptions::default()
            .with_display_error(false)
            .with_date_format(forms.date.as_deref())
            .with_time_format(forms.time.as_deref())
            .with_datetime_format(datetime)
            .with_timestamp_format(datetime.or(Some(DATETIME)))
            .with_timestamp_tz_format(datetime.or(Some(ZONED)));
        let columns = batch
            .columns()
            .iter()
            .map(|column| {
                let plain = is_plain(column.data_type());
                // Also of columns without any type, which have nothing but nulls.
                let nulls = column.logical_nulls();
                Ok((nulls, plain, ArrayFormatter::try_new(column, &options)?))
            })
            .collect::<Result<Vec<_>, datafusion::arrow::error::ArrowError>>()
            .or_error()?;
        for row in 0..batch.num_rows() {
            for (at, (nulls, plain, values)) in columns.iter().enumerate() {
                self.begin_field(at);
                self.text.clear();
                if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
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

    fn begin_field(&mut self, at: usize) {
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
    pub(super) fn finish(self) -> Result<()> {
        self.file.finish()
    }
}

/// Whether values of a type never need quotes: digits, signs and letters, which are no separators.
fn is_plain(dtype: &DataType) -> bool {
    dtype.is_integer() || *dtype == DataType::Boolean
}
