//! What to read and what to write, as plain values.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::catalog::TableName;
use crate::dtype::{DType, Field, TimeUnit};
use crate::secret::{MASK, is_secret};
use crate::table::LoggedFiles;

/// A file format. Names are those of the YAML; `NDJSON` and `JSONL` are one format.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[non_exhaustive]
#[allow(missing_docs, reason = "formats are named for what they are")]
pub enum Format {
    Avro,
    BinaryFile,
    Csv,
    Delta,
    Excel,
    Iceberg,
    Ipc,
    Json,
    JsonLines,
    Orc,
    Parquet,
    PyArrow,
    Text,
    Xml,
    /// A format that only some cluster knows.
    Other(String),
}

impl Format {
    /// Every format with a name of its own.
    pub const KNOWN: &'static [Self] = &[
        Self::Avro,
        Self::BinaryFile,
        Self::Csv,
        Self::Delta,
        Self::Excel,
        Self::Iceberg,
        Self::Ipc,
        Self::Json,
        Self::JsonLines,
        Self::Orc,
        Self::Parquet,
        Self::PyArrow,
        Self::Text,
        Self::Xml,
    ];

    /// The format called `name`, in any letter case.
    #[must_use]
    pub fn parse(name: &str) -> Self {
        match name.to_ascii_uppercase().as_str() {
            "AVRO" => Self::Avro,
            "BINARYFILE" => Self::BinaryFile,
            "CSV" => Self::Csv,
            "DELTA" => Self::Delta,
            "EXCEL" => Self::Excel,
            "ICEBERG" => Self::Iceberg,
            "IPC" | "ARROW" | "FEATHER" => Self::Ipc,
            "JSON" => Self::Json,
            "JSONL" | "NDJSON" => Self::JsonLines,
            "ORC" => Self::Orc,
            "PARQUET" => Self::Parquet,
            "PYARROW" => Self::PyArrow,
            "TEXT" => Self::Text,
            "XML" => Self::Xml,
            other => Self::Other(other.to_owned()),
        }
    }

    /// The canonical upper-case name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Avro => "AVRO",
            Self::BinaryFile => "BINARYFILE",
            Self::Csv => "CSV",
            Self::Delta => "DELTA",
            Self::Excel => "EXCEL",
            Self::Iceberg => "ICEBERG",
            Self::Ipc => "IPC",
            Self::Json => "JSON",
            Self::JsonLines => "JSONL",
            Self::Orc => "ORC",
            Self::Parquet => "PARQUET",
            Self::PyArrow => "PYARROW",
            Self::Text => "TEXT",
            Self::Xml => "XML",
            Self::Other(name) => name,
        }
    }

    /// Every name that is read as this format, the canonical one first.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        match self {
            Self::Ipc => vec!["IPC", "ARROW", "FEATHER"],
            Self::JsonLines => vec!["JSONL", "NDJSON"],
            other => vec![other.name()],
        }
    }

    /// Whether a log beside the files says which of them count, so that a [`TableFormat`](crate::table::TableFormat) is asked.
    #[must_use]
    pub fn has_log(&self) -> bool {
        matches!(self, Self::Delta)
    }

    /// Whether files hold the types of their columns, so that what comes back needs no declaration.
    #[must_use]
    pub fn holds_types(&self) -> bool {
        self.is_lossless() || matches!(self, Self::Avro | Self::Delta | Self::Iceberg | Self::Orc)
    }

    /// Whether files are texts, which may be compressed as a whole, and are read as what they hold.
    #[must_use]
    pub fn is_text(&self) -> bool {
        matches!(self, Self::Csv | Self::Json | Self::JsonLines | Self::Text)
    }

    /// The compression that the ending of a file's name stands for, as the value of the option `compression`; `None` for
    /// other endings, and for formats whose files are no texts.
    #[must_use]
    pub fn packed_by_name(&self, path: &str) -> Option<&'static str> {
        let (_, ending) = path.rsplit_once('.')?;
        match ending.to_ascii_lowercase().as_str() {
            "gz" if self.is_text() => Some("gzip"),
            "zst" if self.is_text() => Some("zstd"),
            "bz2" if self.is_text() => Some("bzip2"),
            _ => None,
        }
    }

    /// Whether what is written can be read back with the same columns, types and values, so that a consumer may
    /// read the file instead of the frame.
    #[must_use]
    pub fn is_lossless(&self) -> bool {
        matches!(self, Self::Parquet | Self::Ipc)
    }

    /// The type in which values of a type come back from a file whose types are its own: AVRO has whole numbers of 32 and 64
    /// bits with a sign, ORC none without one and points in time of one unit, both have them in UTC. Others come back as they
    /// are, or cannot be told.
    #[must_use]
    pub fn held(&self, dtype: &DType) -> DType {
        let decimal = |digits| DType::Decimal {
            precision: Some(digits),
            scale: 0,
        };
        let utc = |zone: &Option<String>| zone.as_ref().map(|_| "UTC".to_owned());
        match (self, dtype) {
            (Self::Avro, DType::Int8 | DType::Int16 | DType::UInt8 | DType::UInt16)
            | (Self::Orc, DType::UInt16) => DType::Int32,
            (Self::Orc, DType::UInt8) => DType::Int16,
            (Self::Avro | Self::Orc, DType::UInt32) => DType::Int64,
            (Self::Avro, DType::UInt64) => decimal(20),
            (Self::Avro, DType::Int128 | DType::UInt128) => decimal(38),
            (Self::Avro | Self::Orc, DType::Float16) => DType::Float32,
            (Self::Avro, DType::Datetime { unit, zone }) => DType::Datetime {
                unit: match unit {
                    TimeUnit::Second => TimeUnit::Millisecond,
                    other => *other,
                },
                zone: utc(zone),
            },
            // Finer ones are read as they are when they are asked for, and else refused.
            (Self::Orc, DType::Datetime { unit, zone }) => DType::Datetime {
                unit: match unit {
                    TimeUnit::Nanosecond => TimeUnit::Nanosecond,
                    _ => TimeUnit::Microsecond,
                },
                zone: utc(zone),
            },
            (Self::Avro, DType::List(item) | DType::Array(item, _)) => {
                DType::List(Box::new(self.held(item)))
            }
            (Self::Avro, DType::Map(key, value)) => {
                DType::Map(key.clone(), Box::new(self.held(value)))
            }
            (Self::Avro, DType::Struct(fields)) => {
                let fields = fields.iter();
                let fields =
                    fields.map(|field| Field::new(field.name.as_str(), self.held(&field.dtype)));
                DType::Struct(fields.collect())
            }
            (_, other) => other.clone(),
        }
    }

    /// Why values of a type do not come back from a file that is read with the schema of what was written; `None` where
    /// they do. Of text formats it is known for JSON: NaN and infinities are refused when they are written.
    #[must_use]
    pub fn loses(&self, dtype: &DType) -> Option<&'static str> {
        match (self, dtype) {
            (Self::Parquet, DType::Struct(fields)) if fields.is_empty() => {
                Some("objects without fields leave nothing to write")
            }
            (Self::Parquet | Self::Ipc, DType::Int128 | DType::UInt128) => {
                Some("integers have 64 bits there, decimals 38 digits")
            }
            (Self::Ipc, _) => None,
            (Self::Json | Self::JsonLines, DType::Binary) => Some("bytes are no text"),
            (Self::Json | Self::JsonLines, DType::Map(..)) => {
                Some("keys of objects are texts, each once")
            }
            (Self::Json | Self::JsonLines, DType::Object | DType::Unknown) => {
                Some("its values are not known")
            }
            (
                Self::Parquet | Self::Json | Self::JsonLines,
                DType::List(inner) | DType::Array(inner, _),
            ) => self.loses(inner),
            (Self::Parquet | Self::Json | Self::JsonLines, DType::Struct(fields)) => {
                fields.iter().find_map(|field| self.loses(&field.dtype))
            }
            (Self::Parquet | Self::Json | Self::JsonLines, _) => None,
            _ => Some("the format does not keep types"),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A reader or writer option as written in YAML (`reader_kwargs`, `writer_kwargs`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum OptionValue {
    /// Explicit null.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A float.
    Float(f64),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<OptionValue>),
    /// A mapping.
    Map(BTreeMap<String, OptionValue>),
}

/// Options by name. Their `Debug` and logs must go through [`redacted`](crate::redacted).
pub type Options = BTreeMap<String, OptionValue>;

/// What to read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ReadSpec {
    /// How the data is stored.
    pub format: Format,
    /// The path as the user wrote it: file, folder or glob.
    pub path: String,
    /// The files behind `path`, sorted, resolved by the executor when the backend reads local files
    /// ([`Capabilities::local_files`](crate::Capabilities)); empty for a backend that lists for itself.
    pub files: Vec<PathBuf>,
    /// Whether the first line of a CSV file holds the names; default true.
    pub has_header: bool,
    /// Whether types are guessed from the text (CSV); default false: every column is text (R-FSRC-8).
    pub infer_schema: bool,
    /// Declared columns, in order.
    pub schema: Option<Vec<Field>>,
    /// `reader_kwargs`; they win over the fields above (R-FSRC-5).
    pub options: Options,
    /// Whether the rows are to be computed, not only their names and types: a driver then looks whether its engine reads
    /// each file as the format has it, before it builds the plan, and says how many rows there are
    /// ([`Frame::source_rows`](crate::Frame::source_rows)). False while a pipeline is checked.
    #[serde(skip)]
    pub rows: bool,
    /// What the log of a table says of `files`, for a table that keeps one: columns whose values the log alone has, and come behind
    /// those of the files. The declared columns are then those of the table: a file that lacks one has nulls, and what else is in
    /// a file is not read.
    #[serde(skip)]
    pub logged: Option<LoggedFiles>,
}

impl ReadSpec {
    /// A read of `path` with defaults.
    #[must_use]
    pub fn new(format: Format, path: impl Into<String>) -> Self {
        Self {
            format,
            path: path.into(),
            files: Vec::new(),
            has_header: true,
            infer_schema: false,
            schema: None,
            options: Options::new(),
            rows: false,
            logged: None,
        }
    }
}

/// What to write: one file at a staging path. Modes, folders and publishing are the executor's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WriteSpec {
    /// How the data is stored.
    pub format: Format,
    /// The file to create. Its folder exists; the file does not.
    pub path: PathBuf,
    /// A file whose rows come first in the new one. It stays as it is. Given only for formats to which the driver adds
    /// rows ([`Capabilities::appends`](crate::Capabilities)); the rows that the driver reports are the added ones.
    pub existing: Option<PathBuf>,
    /// `writer_kwargs`.
    pub options: Options,
}

impl WriteSpec {
    /// A new file, without options.
    #[must_use]
    pub fn new(format: Format, path: impl Into<PathBuf>) -> Self {
        Self {
            format,
            path: path.into(),
            existing: None,
            options: Options::new(),
        }
    }
}

/// A place in an engine's own storage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Place {
    /// A path, as the user wrote it.
    Path(String),
    /// A table of the engine's catalog.
    Table(TableName),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => f.write_str(path),
            Self::Table(name) => name.fmt(f),
        }
    }
}

/// How rows are spread over the files of an output. Empty lists and zero buckets stand for nothing in particular.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Layout {
    /// Columns whose values name folders.
    pub partition_by: Vec<String>,
    /// Columns by which rows are clustered.
    pub cluster_by: Vec<String>,
    /// Number of buckets.
    pub buckets: u32,
    /// Columns whose values choose the bucket.
    pub bucket_by: Vec<String>,
    /// Columns by which each bucket is sorted.
    pub sort_by: Vec<String>,
}

/// What to write to an engine's own storage. The engine makes it visible as its format allows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StoreSpec {
    /// Where.
    pub place: Place,
    /// How the data is stored.
    pub format: Format,
    /// `writer_kwargs`.
    pub options: Options,
    /// How rows are spread.
    pub layout: Layout,
}

impl StoreSpec {
    /// An output in a format, without options and with the engine's own layout.
    #[must_use]
    pub fn new(place: Place, format: Format) -> Self {
        Self {
            place,
            format,
            options: Options::new(),
            layout: Layout::default(),
        }
    }
}

/// What a write did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WriteReport {
    /// Rows written.
    pub rows: u64,
}

impl WriteReport {
    /// So many rows were written.
    #[must_use]
    pub const fn new(rows: u64) -> Self {
        Self { rows }
    }
}

/// Options as text for logs, with the values of credentials replaced by `***`.
#[must_use]
pub fn redacted(options: &Options) -> String {
    let shown: Vec<String> = options
        .iter()
        .map(|(name, value)| {
            if is_secret(name) {
                format!("{name}: {MASK}")
            } else {
                format!("{name}: {}", redacted_value(value))
            }
        })
        .collect();
    format!("{{{}}}", shown.join(", "))
}

fn redacted_value(value: &OptionValue) -> String {
    match value {
        OptionValue::Null => "null".to_owned(),
        OptionValue::Bool(value) => value.to_string(),
        OptionValue::Int(value) => value.to_string(),
        OptionValue::Float(value) => value.to_string(),
        OptionValue::Text(value) => format!("'{value}'"),
        OptionValue::List(values) => {
            let shown: Vec<String> = values.iter().map(redacted_value).collect();
            format!("[{}]", shown.join(", "))
        }
        OptionValue::Map(values) => redacted(values),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_shown_without_credentials() {
        let inner = Options::from([(
            "aws_secret_access_key".to_owned(),
            OptionValue::Text("x".into()),
        )]);
        let options = Options::from([
            ("n".to_owned(), OptionValue::Int(1)),
            ("storage_options".to_owned(), OptionValue::Map(inner)),
        ]);
        assert_eq!(
            redacted(&options),
            "{n: 1, storage_options: {aws_secret_access_key: ***}}"
        );
    }

    #[test]
    fn every_known_format_parses_from_its_name() {
        for format in Format::KNOWN {
            assert_eq!(format.names()[0], format.name());
            for name in format.names() {
                assert_eq!(&Format::parse(&name.to_lowercase()), format);
            }
        }
        assert_eq!(Format::parse("ndjson"), Format::JsonLines);
    }
}
