//! Files of formats that the engines do not write, or write each in its own way: rows are encoded here, so that engines write
//! the same.
//!
//! [`WRITES`] are the formats, with their options. What a format cannot hold is refused by
//! [`writable`] before a row is computed.

#[cfg(feature = "decoders")]
mod avro;
mod holds;
#[cfg(feature = "decoders")]
mod orc;
mod text;

use std::path::Path;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use laktory_core::{DType, Field, Format, FormatSupport, Result, Support, WriteSpec};

use crate::options::Given;
use crate::writable;
pub(crate) use holds::refused;

/// A file that is being written. All of its methods block.
pub trait Encoder: Send {
    /// Adds rows.
    ///
    /// # Errors
    /// `Io`; `ConversionFailed` and `RowsLost` for a value that the format has no form for.
    fn push(&mut self, batch: &RecordBatch) -> Result<()>;

    /// Completes the file.
    ///
    /// # Errors
    /// `Io`.
    fn finish(self: Box<Self>) -> Result<()>;
}

/// How a format writes a file, as options ask for it.
pub(crate) trait Encoding: Send {
    fn create(&self, path: &Path, schema: &SchemaRef) -> Result<Box<dyn Encoder>>;
}

type Make = fn(&WriteSpec, &Given<'_>) -> Result<Box<dyn Encoding>>;

const fn full(options: &'static [&'static str]) -> FormatSupport {
    FormatSupport::new(Support::Full).with_options(options)
}

#[cfg(not(feature = "decoders"))]
const fn left_out() -> FormatSupport {
    FormatSupport::new(Support::NotYet {
        reason: "this build leaves it out: build with the feature `formats`",
    })
}

/// The formats that are encoded here.
pub const WRITES: &[(Format, FormatSupport)] = &[
    #[cfg(feature = "decoders")]
    (Format::Avro, full(avro::OPTIONS)),
    #[cfg(feature = "decoders")]
    (Format::Orc, full(orc::OPTIONS)),
    #[cfg(not(feature = "decoders"))]
    (Format::Avro, left_out()),
    #[cfg(not(feature = "decoders"))]
    (Format::Orc, left_out()),
    (Format::Text, full(text::OPTIONS)),
];

/// Those of them to whose files rows are added here ([`WriteSpec::existing`]).
pub const APPENDS: &[Format] = &[Format::Text];

fn maker(format: &Format) -> Option<Make> {
    Some(match format {
        #[cfg(feature = "decoders")]
        Format::Avro => avro::encoding,
        #[cfg(feature = "decoders")]
        Format::Orc => orc::encoding,
        Format::Text => text::encoding,
        _ => return None,
    })
}

/// The error of a value that cannot be converted to what a format holds.
#[cfg(feature = "decoders")]
fn without_form(
    column: &str,
    format: &str,
    error: arrow_schema::ArrowError,
) -> laktory_core::Error {
    laktory_core::Error::new(
        laktory_core::ErrorKind::ConversionFailed,
        format!("column `{column}` holds a value that has no form in {format}: {error}"),
    )
    .with_source(error)
    .with_hint("convert the column to another type first, or write PARQUET")
}

/// A file to write, whose options and columns are checked.
pub struct Writing {
    encoding: Box<dyn Encoding>,
    schema: SchemaRef,
}

impl std::fmt::Debug for Writing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writing").finish_non_exhaustive()
    }
}

impl Writing {
    /// How rows of `schema` are written as `spec` asks; none for formats that are not encoded here.
    ///
    /// # Errors
    /// `Unsupported` for a type that the format cannot hold, `InvalidArgument` for an option.
    pub fn of(spec: &WriteSpec, schema: &SchemaRef) -> Result<Option<Self>> {
        let Some(make) = maker(&spec.format) else {
            return Ok(None);
        };
        let known = WRITES.iter().find(|(format, _)| *format == spec.format);
        let options = known.map_or(&[] as &[&str], |(_, support)| support.options);
        let what = format!("writer option of {}", spec.format);
        let given = Given::new(what, &spec.options, options)?;
        let columns: Vec<Field> = schema
            .fields()
            .iter()
            .map(|field| Field::new(field.name(), DType::from_arrow(field.data_type())))
            .collect();
        writable(&spec.format, &columns)?;
        Ok(Some(Self {
            encoding: make(spec, &given)?,
            schema: SchemaRef::clone(schema),
        }))
    }

    /// Creates the file. Blocks.
    ///
    /// # Errors
    /// `Io`.
    pub fn create(&self, path: &Path) -> Result<Box<dyn Encoder>> {
        self.encoding.create(path, &self.schema)
    }
}
