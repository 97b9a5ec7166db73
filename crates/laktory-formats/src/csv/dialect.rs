//! How files of CSV are written, and what may be done about lines that do not fit: the reader options, which mean the same
//! on each engine.

use std::collections::BTreeMap;

use encoding_rs::Encoding;
use laktory_core::{Error, ErrorKind, OptionValue, ReadSpec, Result};

use crate::folder::{Extra, Missing, Policy};
use crate::options::Given;

/// Reader options of CSV.
pub const OPTIONS: &[&str] = &[
    "by_position",
    "comment_prefix",
    "decimal_comma",
    "encoding",
    "eol_char",
    "extra_columns",
    "has_header",
    "hive_partitioning",
    "ignore_errors",
    "include_file_paths",
    "infer_schema",
    "infer_schema_length",
    "low_memory",
    "missing_columns",
    "missing_utf8_is_empty_string",
    "n_rows",
    "new_columns",
    "null_padding",
    "null_values",
    "quote_char",
    "recursiveFileLookup",
    "separator",
    "skip_lines",
    "skip_rows",
    "skip_rows_after_header",
    "truncate_ragged_lines",
    "try_parse_dates",
];

/// Records from which types are guessed when `infer_schema` is on.
const GUESSED_RECORDS: usize = 10_000;

/// How text is encoded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Coding {
    /// UTF-8, with a byte order mark or without.
    Utf8,
    /// The same; bytes that are none are replaced.
    Lossy,
    /// Any other.
    Other(&'static Encoding),
}

/// Texts that stand for null.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Nulls {
    #[default]
    None,
    All(Vec<String>),
    Named(BTreeMap<String, String>),
}

/// How types are guessed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Guess {
    /// Records that are looked at; all of them without.
    pub(super) records: Option<usize>,
    /// Whether texts may turn out to be dates.
    pub(super) dates: bool,
}

/// How files are written and read.
#[derive(Clone, Debug)]
pub struct Dialect {
    pub(super) separator: u8,
    pub(super) quote: Option<u8>,
    /// The byte that ends a record; else it is found out.
    pub(super) end: Option<u8>,
    pub(super) comment: Vec<u8>,
    pub(super) coding: Coding,
    pub(super) has_header: bool,
    pub(super) skip_lines: usize,
    pub(super) skip_rows: usize,
    pub(super) skip_after: usize,
    pub(super) limit: Option<u64>,
    pub(super) nulls: Nulls,
    pub(super) missing_is_null: bool,
    pub(super) decimal_comma: bool,
    /// Surplus fields of a line are left out.
    pub(super) truncate: bool,
    /// Missing fields of a line are null.
    pub(super) pad: bool,
    /// Values that are not of their type are null.
    pub(super) lenient: bool,
    pub(super) guess: Option<Guess>,
    pub(super) names: Vec<String>,
    pub(super) by_position: bool,
    pub(super) policy: Policy,
}

impl Dialect {
    /// The dialect that a read asks for.
    ///
    /// # Errors
    /// `InvalidArgument` for an option that does not exist, or of another value.
    pub fn new(spec: &ReadSpec) -> Result<Self> {
        let given = Given::new("reader option of CSV", &spec.options, OPTIONS)?;
        let flag = |name: &str| given.flag(name).map(|value| value.unwrap_or(false));
        let count = |name: &str| given.count(name).map(|value| value.unwrap_or(0));
        let separator = given.byte("separator")?.unwrap_or(b',');
        let quote = match given.text("quote_char")? {
            Some("") => None,
            None if given.has("quote_char") => None,
            _ => Some(given.byte("quote_char")?.unwrap_or(b'"')),
        };
        let end = match given.text("eol_char")? {
            Some("\\n") => Some(b'\n'),
            Some("\\r") => Some(b'\r'),
            _ => given.byte("eol_char")?,
        };
        for (name, byte) in [("quote_char", quote), ("eol_char", end)] {
            if byte == Some(separator) {
                return Err(Error::new(
                    ErrorKind::InvalidArgument,
                    format!("reader option of CSV `{name}` is the separator"),
                ));
            }
        }
        let guess = given.flag("infer_schema")?.unwrap_or(spec.infer_schema);
        let records = match given.count("infer_schema_length")? {
            None if given.has("infer_schema_length") => None,
            None => Some(GUESSED_RECORDS),
            given => given,
        };
        let dates = flag("try_parse_dates")?;
        flag("low_memory")?;
        given.text("include_file_paths")?;
        Ok(Self {
            separator,
            quote,
            end,
            comment: given
                .text("comment_prefix")?
                .unwrap_or_default()
                .as_bytes()
                .to_vec(),
            coding: coding(&given)?,
            has_header: given.flag("has_header")?.unwrap_or(spec.has_header),
            skip_lines: count("skip_lines")?,
            skip_rows: count("skip_rows")?,
            skip_after: count("skip_rows_after_header")?,
            limit: given.count("n_rows")?.map(|rows| rows as u64),
            nulls: nulls(&given)?,
            missing_is_null: !flag("missing_utf8_is_empty_string")?,
            decimal_comma: flag("decimal_comma")?,
            truncate: flag("truncate_ragged_lines")?,
            pad: flag("null_padding")?,
            lenient: flag("ignore_errors")?,
            guess: guess.then_some(Guess { records, dates }),
            names: given
                .texts("new_columns")?
                .unwrap_or_default()
                .into_iter()
                .map(str::to_owned)
                .collect(),
            by_position: flag("by_position")?,
            policy: policy(&given)?,
        })
    }

    /// Whether an engine's own reader takes files that are all well formed: nothing is skipped, changed or recoded.
    #[must_use]
    pub(super) fn is_plain(&self) -> bool {
        self.end.is_none_or(|end| end == b'\n')
            && self.comment.is_empty()
            && self.coding == Coding::Utf8
            && self.skip_lines == 0
            && self.skip_rows == 0
            && self.skip_after == 0
            && self.limit.is_none()
            && !self.decimal_comma
            && self.separator != b'\n'
            && self.separator != b'\r'
    }

    /// Whether a text of a column stands for null.
    pub(super) fn is_null(&self, column: &str, text: &str) -> bool {
        match &self.nulls {
            Nulls::None => false,
            Nulls::All(nulls) => nulls.iter().any(|null| null == text),
            Nulls::Named(nulls) => nulls.get(column).is_some_and(|null| null == text),
        }
    }
}

fn policy(given: &Given<'_>) -> Result<Policy> {
    let missing = given.one_of(
        "missing_columns",
        &[("insert", Missing::Insert), ("raise", Missing::Raise)],
    )?;
    let extra = given.one_of(
        "extra_columns",
        &[
            ("raise", Extra::Raise),
            ("ignore", Extra::Ignore),
            ("insert", Extra::Insert),
        ],
    )?;
    Ok(Policy {
        missing: missing.unwrap_or_default(),
        extra: extra.unwrap_or_default(),
    })
}

fn coding(given: &Given<'_>) -> Result<Coding> {
    let Some(name) = given.text("encoding")? else {
        return Ok(Coding::Utf8);
    };
    let lower = name.to_ascii_lowercase();
    match lower.as_str() {
        "utf8" | "utf-8" => return Ok(Coding::Utf8),
        "utf8-lossy" | "utf-8-lossy" => return Ok(Coding::Lossy),
        _ => {}
    }
    // Names of the standard have a hyphen where people leave it out.
    let hyphened = lower.replace("utf16", "utf-16");
    match Encoding::for_label(hyphened.as_bytes()) {
        Some(found) if found == encoding_rs::UTF_8 => Ok(Coding::Utf8),
        Some(found) => Ok(Coding::Other(found)),
        None => Err(Error::new(
            ErrorKind::InvalidArgument,
            format!("reader option of CSV `encoding` cannot be `{name}`"),
        )
        .with_hint("it takes `utf8`, `utf8-lossy`, `utf-16`, `latin1`, `windows-1252` and other names of encodings")),
    }
}

fn nulls(given: &Given<'_>) -> Result<Nulls> {
    if let Some(OptionValue::Map(columns)) = given.get("null_values") {
        return columns
            .iter()
            .map(|(column, value)| match value {
                OptionValue::Text(value) => Ok((column.clone(), value.clone())),
                _ => Err(Error::new(
                    ErrorKind::InvalidArgument,
                    "reader option of CSV `null_values` maps columns to texts",
                )),
            })
            .collect::<Result<_>>()
            .map(Nulls::Named);
    }
    Ok(match given.texts("null_values")? {
        Some(nulls) => Nulls::All(nulls.into_iter().map(str::to_owned).collect()),
        None => Nulls::None,
    })
}
