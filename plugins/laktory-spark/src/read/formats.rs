//! The formats that are read on the cluster, and their options.

use std::collections::HashMap;

use laktory_core::{
    Error, ErrorKind, Format, FormatSupport, OptionValue, Options, Result, Support,
};

use super::by_name::BY_POSITION;

/// A format, how far it is read, and Spark's name for it.
pub(crate) const READERS: &[(Format, FormatSupport, &str)] = &[
    (Format::Csv, full(CSV, true), "csv"),
    (Format::Json, full(JSON, true), "json"),
    (Format::JsonLines, full(JSON, true), "json"),
    (Format::Parquet, full(PARQUET, true), "parquet"),
    (Format::Orc, full(PARQUET, true), "orc"),
    (Format::Text, full(TEXT, false), "text"),
    (Format::Xml, full(XML, true), "xml"),
    (Format::BinaryFile, full(FILES, false), "binaryFile"),
    (Format::Avro, partial(AVRO), "avro"),
    (Format::Delta, partial(DELTA), "delta"),
    (Format::Iceberg, partial(DELTA), "iceberg"),
];

const fn full(options: &'static [&'static str], schema: bool) -> FormatSupport {
    FormatSupport::new(Support::Full)
        .with_options(options)
        .with_schema(schema)
}

const fn partial(options: &'static [&'static str]) -> FormatSupport {
    FormatSupport::new(Support::Partial {
        note: "where the cluster has the package of the format",
    })
    .with_options(options)
}

const FILES: &[&str] = &[
    "pathGlobFilter",
    "recursiveFileLookup",
    "modifiedBefore",
    "modifiedAfter",
    "ignoreCorruptFiles",
    "ignoreMissingFiles",
];
const TEXT: &[&str] = &[
    "wholetext",
    "lineSep",
    "pathGlobFilter",
    "recursiveFileLookup",
];
const AVRO: &[&str] = &[
    "avroSchema",
    "ignoreExtension",
    "mode",
    "pathGlobFilter",
    "recursiveFileLookup",
];
const DELTA: &[&str] = &[
    "versionAsOf",
    "timestampAsOf",
    "snapshot-id",
    "as-of-timestamp",
];
const PARQUET: &[&str] = &[
    "mergeSchema",
    "datetimeRebaseMode",
    "int96RebaseMode",
    "pathGlobFilter",
    "recursiveFileLookup",
    "modifiedBefore",
    "modifiedAfter",
];
const CSV: &[&str] = &[
    BY_POSITION,
    "sep",
    "delimiter",
    "separator",
    "encoding",
    "charset",
    "quote",
    "escape",
    "comment",
    "header",
    "columnPruning",
    "inferSchema",
    "preferDate",
    "enforceSchema",
    "ignoreLeadingWhiteSpace",
    "ignoreTrailingWhiteSpace",
    "nullValue",
    "null_value",
    "nanValue",
    "positiveInf",
    "negativeInf",
    "dateFormat",
    "timestampFormat",
    "timestampNTZFormat",
    "maxColumns",
    "maxCharsPerColumn",
    "mode",
    "columnNameOfCorruptRecord",
    "multiLine",
    "charToEscapeQuoteEscaping",
    "samplingRatio",
    "emptyValue",
    "locale",
    "lineSep",
    "unescapedQuoteHandling",
    "pathGlobFilter",
    "recursiveFileLookup",
    "modifiedBefore",
    "modifiedAfter",
];
const JSON: &[&str] = &[
    "primitivesAsString",
    "prefersDecimal",
    "allowComments",
    "allowUnquotedFieldNames",
    "allowSingleQuotes",
    "allowNumericLeadingZeros",
    "allowBackslashEscapingAnyCharacter",
    "mode",
    "columnNameOfCorruptRecord",
    "dateFormat",
    "timestampFormat",
    "timestampNTZFormat",
    "multiLine",
    "allowUnquotedControlChars",
    "encoding",
    "lineSep",
    "samplingRatio",
    "dropFieldIfAllNull",
    "locale",
    "allowNonNumericNumbers",
    "timeZone",
    "pathGlobFilter",
    "recursiveFileLookup",
    "modifiedBefore",
    "modifiedAfter",
];
const XML: &[&str] = &[
    "rowTag",
    "rootTag",
    "samplingRatio",
    "excludeAttribute",
    "mode",
    "inferSchema",
    "columnNameOfCorruptRecord",
    "attributePrefix",
    "valueTag",
    "encoding",
    "ignoreSurroundingSpaces",
    "nullValue",
    "dateFormat",
    "timestampFormat",
    "pathGlobFilter",
    "recursiveFileLookup",
];

/// Whether a format is read with a schema as it is without.
pub(super) fn takes_schema(format: &Format) -> bool {
    READERS
        .iter()
        .any(|(known, support, _)| known == format && support.schema)
}

/// Whether a format's files are found by listing folders.
pub(super) fn is_listed(format: &Format) -> bool {
    matches!(
        format,
        Format::Csv
            | Format::Json
            | Format::JsonLines
            | Format::Parquet
            | Format::Orc
            | Format::Text
            | Format::Xml
    )
}

/// Options as texts, as Spark takes them.
///
/// # Errors
/// `InvalidArgument` for lists and mappings.
pub(crate) fn spark_options(options: &Options) -> Result<HashMap<String, String>> {
    let mut out = HashMap::new();
    // One of ours, which Spark does not know.
    for (name, value) in options.iter().filter(|(name, _)| *name != BY_POSITION) {
        let value = match value {
            OptionValue::Null => continue,
            OptionValue::Bool(value) => value.to_string(),
            OptionValue::Int(value) => value.to_string(),
            OptionValue::Float(value) => value.to_string(),
            OptionValue::Text(value) => value.clone(),
            OptionValue::List(_) | OptionValue::Map(_) => {
                return Err(Error::new(
                    ErrorKind::InvalidArgument,
                    format!("option `{name}` is a list or a mapping; Spark takes one value"),
                ));
            }
        };
        // The other engines' names of options that mean the same.
        let name = match name.as_str() {
            "separator" => "sep",
            "include_header" => "header",
            "null_value" => "nullValue",
            name => name,
        };
        out.insert(name.to_owned(), value);
    }
    Ok(out)
}
