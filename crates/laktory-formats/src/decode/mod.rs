//! Files that the engines' own readers do not read, or read each in its own way: decoded here to Arrow, so that engines get
//! the same rows, types and faults.
//!
//! [`READS`] are the formats, with their options. A [`Reading`] says what the files of a read hold, by the rule of
//! [`folder`] for files of other columns, and gives their rows batch by batch. A file that ends early, or holds
//! other rows than it tells, is an error: nothing is left out without a word.

mod arrange;
#[cfg(feature = "decoders")]
mod avro;
#[cfg(feature = "decoders")]
mod excel;
#[cfg(feature = "decoders")]
mod orc;
mod text;
#[cfg(feature = "decoders")]
mod xml;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Field as ArrowField, Schema, SchemaRef};
use laktory_core::{
    DType, Error, ErrorKind, Field, Format, FormatSupport, ReadSpec, Result, Support,
};

use crate::damaged;
use crate::files::{Files, shown};
use crate::folder::{self, Columns, Policy};
use crate::options::Given;
use arrange::Arranged;
pub(crate) use arrange::converted;
pub(crate) use text::unescaped;

/// Rows of a file, decoded while they are asked for. Nothing follows an error.
pub type Batches = Box<dyn Iterator<Item = Result<RecordBatch>> + Send>;

/// What a file says of itself.
#[derive(Debug)]
pub(crate) struct Stored {
    /// Its columns, in the types in which they are decoded.
    pub(crate) schema: SchemaRef,
    /// Its rows, where it tells.
    pub(crate) rows: Option<u64>,
}

/// A format, with the options of a read.
pub(crate) trait Decoder: fmt::Debug + Send + Sync {
    /// Looks at a file. Blocks.
    fn look(&self, file: &Path) -> Result<Stored>;

    /// Begins to decode the columns at some places of a file, in their order. Blocks.
    fn open(&self, file: &Path, columns: &[usize], batch_size: usize) -> Result<Batches>;
}

/// Makes the decoder that options ask for.
type Make = fn(&ReadSpec, &Given<'_>) -> Result<Arc<dyn Decoder>>;

const fn full(options: &'static [&'static str]) -> FormatSupport {
    FormatSupport::new(Support::Full)
        .with_options(options)
        .with_schema(true)
}

#[cfg(not(feature = "decoders"))]
const fn left_out() -> FormatSupport {
    FormatSupport::new(Support::NotYet {
        reason: "this build leaves it out: build with the feature `formats`",
    })
}

/// The formats that are decoded here.
pub const READS: &[(Format, FormatSupport)] = &[
    #[cfg(feature = "decoders")]
    (Format::Avro, full(avro::OPTIONS)),
    #[cfg(feature = "decoders")]
    (Format::Excel, full(excel::OPTIONS)),
    #[cfg(feature = "decoders")]
    (Format::Orc, full(orc::OPTIONS)),
    #[cfg(feature = "decoders")]
    (Format::Xml, full(xml::OPTIONS)),
    #[cfg(not(feature = "decoders"))]
    (Format::Avro, left_out()),
    #[cfg(not(feature = "decoders"))]
    (Format::Excel, left_out()),
    #[cfg(not(feature = "decoders"))]
    (Format::Orc, left_out()),
    #[cfg(not(feature = "decoders"))]
    (Format::Xml, left_out()),
    (Format::Text, full(text::OPTIONS)),
];

fn maker(format: &Format) -> Option<Make> {
    Some(match format {
        #[cfg(feature = "decoders")]
        Format::Avro => avro::decoder,
        #[cfg(feature = "decoders")]
        Format::Excel => excel::decoder,
        #[cfg(feature = "decoders")]
        Format::Orc => orc::decoder,
        #[cfg(feature = "decoders")]
        Format::Xml => xml::decoder,
        Format::Text => text::decoder,
        _ => return None,
    })
}

/// The files of a read, looked at.
#[derive(Clone, Debug)]
pub struct Reading {
    format: Format,
    decoder: Arc<dyn Decoder>,
    files: Vec<File>,
    columns: Vec<Field>,
    schema: SchemaRef,
    rows: Option<u64>,
}

#[derive(Clone, Debug)]
struct File {
    path: PathBuf,
    stored: SchemaRef,
    rows: Option<u64>,
}

/// Whether files of a format are decoded here.
#[must_use]
pub fn is_decoded(format: &Format) -> bool {
    maker(format).is_some()
}

/// The columns of files that are all empty, where the format or the declared columns tell them.
///
/// # Errors
/// `Unsupported` for a declared type that Arrow does not have.
pub fn of_nothing(spec: &ReadSpec) -> Result<Option<Vec<Field>>> {
    if !is_decoded(&spec.format) {
        return Ok(None);
    }
    Ok(match (&spec.schema, &spec.format) {
        (Some(declared), _) => Some(declared.clone()),
        (None, Format::Text) => Some(vec![Field::new(text::VALUE, DType::String)]),
        _ => None,
    })
}

impl Reading {
    /// Looks at the files of a read, which are not empty; none for formats that are not decoded here. Blocks.
    ///
    /// # Errors
    /// `InvalidArgument` for an option; `SchemaMismatch` and `ColumnNotFound`, naming file and column; `ConversionFailed` for a
    /// file that is damaged; `NotFound`, `Io`.
    pub fn of(spec: &ReadSpec, files: &Files) -> Result<Option<Self>> {
        let Some(make) = maker(&spec.format) else {
            return Ok(None);
        };
        let known = READS.iter().find(|(format, _)| *format == spec.format);
        let options = known.map_or(&[] as &[&str], |(_, support)| support.options);
        let what = format!("reader option of {}", spec.format);
        let given = Given::new(what, &spec.options, options)?;
        let decoder = make(&files.own(spec), &given)?;
        let mut looked = Vec::with_capacity(files.paths.len());
        for path in &files.paths {
            // Readers of others take some damaged files for impossible.
            let stored = catch_unwind(AssertUnwindSafe(|| decoder.look(path)))
                .unwrap_or_else(|_| Err(damaged(&spec.format, path)))?;
            looked.push(File {
                path: path.clone(),
                stored: stored.schema,
                rows: stored.rows,
            });
        }
        let columns = columns(spec, files, &looked)?;
        if let Some(name) = given.text("include_file_paths")? {
            let own = columns.iter().map(|column| column.name.as_str());
            if own.chain(files.of_folders()).any(|known| known == name) {
                return Err(Error::new(
                    ErrorKind::DuplicateColumn,
                    format!(
                        "`include_file_paths` names the column `{name}`, which `{}` has",
                        shown(&files.paths)
                    ),
                )
                .with_hint("give the column of paths another name"));
            }
        }
        let schema = schema(&columns)?;
        let rows = looked.iter().map(|file| file.rows).sum();
        Ok(Some(Self {
            format: spec.format.clone(),
            decoder,
            files: looked,
            columns,
            schema,
            rows,
        }))
    }

    /// The columns of all files, those of folders not among them.
    #[must_use]
    pub fn columns(&self) -> &[Field] {
        &self.columns
    }

    /// The schema of decoded batches: the columns, in the encodings of the contract.
    #[must_use]
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The rows of all files, where they tell.
    #[must_use]
    pub fn rows(&self) -> Option<u64> {
        self.rows
    }

    /// Decodes the columns at some places of [`Reading::columns`], in their order, of one of the files. Blocks. An iterator that
    /// ends without an error has given every row.
    ///
    /// # Errors
    /// `NotFound`, `Io`, `ConversionFailed` with the name of the file, and the place where it is known.
    pub fn batches(&self, file: &Path, columns: &[usize], batch_size: usize) -> Result<Batches> {
        let Some(found) = self.files.iter().find(|known| known.path == file) else {
            return Err(Error::internal("a file that nobody looked at"));
        };
        let output = self
            .schema
            .project(columns)
            .map_err(|error| Error::internal(error.to_string()))?;
        Arranged::begin(
            Arc::clone(&self.decoder),
            self.format.clone(),
            found,
            Arc::new(output),
            batch_size.max(1),
        )
    }
}

/// The columns of all files.
fn columns(spec: &ReadSpec, files: &Files, looked: &[File]) -> Result<Vec<Field>> {
    let of_folders = files.of_folders();
    let declared = files.own(spec).schema;
    let mut all = Vec::with_capacity(looked.len());
    for file in looked {
        let mut fields: Vec<Field> = Vec::with_capacity(file.stored.fields().len());
        for field in file.stored.fields() {
            if of_folders.contains(&field.name().as_str()) {
                continue;
            }
            if fields.iter().any(|known| known.name == *field.name()) {
                return Err(Error::new(
                    ErrorKind::DuplicateColumn,
                    format!(
                        "`{}` has two columns `{}`",
                        file.path.display(),
                        field.name()
                    ),
                ));
            }
            let is_wanted = declared
                .as_ref()
                .is_none_or(|wanted| wanted.iter().any(|known| known.name == *field.name()));
            let dtype = match is_wanted {
                true => readable(file, field)?,
                false => DType::Unknown,
            };
            fields.push(Field::new(field.name().as_str(), dtype));
        }
        all.push(fields);
    }
    let found: Vec<Columns<'_>> = looked
        .iter()
        .zip(&all)
        .map(|(file, fields)| Columns {
            file: &file.path,
            fields,
        })
        .collect();
    let policy = Policy::of_read(spec)?;
    let columns = match declared {
        Some(declared) => {
            folder::declared(&found, &declared, policy)?;
            declared
        }
        None => folder::unite(&found, policy)?,
    };
    if columns.is_empty() {
        return Err(Error::new(
            ErrorKind::SchemaMismatch,
            format!("`{}` has no columns", shown(&files.paths)),
        ));
    }
    Ok(columns)
}

/// The type of a column, if its values can be read.
fn readable(file: &File, field: &ArrowField) -> Result<DType> {
    match refused(field.data_type()) {
        None => Ok(plain(DType::from_arrow(field.data_type()))),
        Some(what) => Err(Error::unsupported(format!(
            "column `{}` of `{}` is {what}, which is not read",
            field.name(),
            file.path.display()
        ))
        .with_hint("leave it out: name the columns that are wanted in `schema`")),
    }
}

/// The type without what only encodes it: texts from a list of some come as texts.
fn plain(dtype: DType) -> DType {
    match dtype {
        DType::Categorical => DType::String,
        DType::List(inner) => DType::List(Box::new(plain(*inner))),
        DType::Array(inner, width) => DType::Array(Box::new(plain(*inner)), width),
        DType::Map(key, value) => DType::Map(Box::new(plain(*key)), Box::new(plain(*value))),
        DType::Struct(fields) => {
            let fields = fields.into_iter();
            DType::Struct(
                fields
                    .map(|field| Field::new(field.name, plain(field.dtype)))
                    .collect(),
            )
        }
        other => other,
    }
}

fn refused(dtype: &DataType) -> Option<String> {
    match dtype {
        DataType::Decimal128(digits, scale) | DataType::Decimal256(digits, scale)
            if *digits > 38 || *scale < 0 || i16::from(*scale) > i16::from(*digits) =>
        {
            Some(format!("a decimal of {digits} digits and scale {scale}"))
        }
        DataType::Interval(_) => Some("an interval of months and days".to_owned()),
        DataType::Union(..) => Some("a union of several types".to_owned()),
        DataType::Null => None,
        DataType::List(item) | DataType::LargeList(item) | DataType::Map(item, _) => {
            refused(item.data_type())
        }
        DataType::Struct(fields) if fields.is_empty() => {
            Some("an object without fields".to_owned())
        }
        DataType::Struct(fields) => fields.iter().find_map(|field| refused(field.data_type())),
        _ => None,
    }
}

/// The Arrow schema of columns, in the encodings of the contract.
fn schema(columns: &[Field]) -> Result<SchemaRef> {
    let fields = columns
        .iter()
        .map(|column| match column.dtype.to_arrow() {
            Some(dtype) => Ok(ArrowField::new(&column.name, dtype, true)),
            None => Err(Error::unsupported(format!(
                "column `{}` of type {} cannot be read",
                column.name, column.dtype
            ))),
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(Arc::new(Schema::new(fields)))
}

/// Batches of no columns.
#[cfg(feature = "decoders")]
pub(crate) fn counted(
    rows: u64,
    schema: SchemaRef,
    batch_size: usize,
) -> impl Iterator<Item = Result<RecordBatch>> {
    let mut left = usize::try_from(rows).unwrap_or(usize::MAX);
    std::iter::from_fn(move || {
        let now = left.min(batch_size);
        left -= now;
        let options = arrow_array::RecordBatchOptions::new().with_row_count(Some(now));
        (now > 0).then(|| {
            RecordBatch::try_new_with_options(Arc::clone(&schema), Vec::new(), &options)
                .map_err(|error| Error::internal(error.to_string()))
        })
    })
}

#[cfg(test)]
mod tests;
