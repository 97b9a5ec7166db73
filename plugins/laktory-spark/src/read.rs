//! Reading on the cluster: `spark.read` with a format, options and a schema. Paths mean what the cluster means by them.

use std::collections::{BTreeSet, HashMap};

use laktory_core::{
    DType, Error, ErrorKind, Field, Format, FormatSupport, Frame, OptionValue, Options, ReadSpec,
    Result, RunCx, Support,
};
use proto::relation::RelType;
use spark_connect_proto as proto;

use crate::dsl::{quoted, relation};
use crate::frame::{Resolved, SparkFrame};
use crate::session::Session;
use crate::types;

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
    FormatSupport {
        support: Support::Full,
        options,
        schema,
    }
}

const fn partial(options: &'static [&'static str]) -> FormatSupport {
    FormatSupport {
        support: Support::Partial {
            note: "where the cluster has the package of the format",
        },
        options,
        schema: false,
    }
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
    "sep",
    "delimiter",
    "separator",
    "encoding",
    "charset",
    "quote",
    "escape",
    "comment",
    "header",
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

/// A frame that reads files of the cluster. The server looks at headers and footers to find the columns.
pub(crate) async fn read(session: &Session, cx: &RunCx, spec: &ReadSpec) -> Result<Frame> {
    let name = READERS
        .iter()
        .find(|(format, ..)| *format == spec.format)
        .map(|(_, _, name)| (*name).to_owned());
    let name = match (&spec.format, name) {
        (_, Some(name)) => name,
        (Format::Other(name), None) => name.to_ascii_lowercase(),
        (other, None) => {
            return Err(Error::unsupported(format!(
                "format `{other}` is not read on backend PYSPARK"
            )));
        }
    };
    let mut options = HashMap::new();
    match spec.format {
        Format::Csv => {
            options.insert("header".to_owned(), spec.has_header.to_string());
            options.insert("inferSchema".to_owned(), spec.infer_schema.to_string());
            // A quote in a value is doubled, as the other engines have it.
            options.insert("escape".to_owned(), "\"".to_owned());
            // A break of lines in quotes is part of its value, on every engine.
            options.insert("multiLine".to_owned(), "true".to_owned());
            if spec.schema.is_some() {
                // A value that does not fit its declared type is a fault, not a null.
                options.insert("mode".to_owned(), "FAILFAST".to_owned());
            } else {
                // Files whose columns are in another order are a fault, not rows with the values of other columns.
                options.insert("enforceSchema".to_owned(), "false".to_owned());
            }
        }
        Format::Json => {
            options.insert("multiLine".to_owned(), "true".to_owned());
        }
        _ => {}
    }
    if is_listed(&spec.format) {
        // A folder means all files below it, on every engine. Spark alone would leave out those of folders in it; set to
        // false, columns come from names of folders such as `day=1`.
        options.insert("recursiveFileLookup".to_owned(), "true".to_owned());
    }
    options.extend(spark_options(&spec.options)?);
    let schema = spec.schema.as_deref().map(ddl).transpose()?;
    let paths = if spec.files.is_empty() {
        vec![located(&spec.path)?]
    } else {
        let files = spec.files.iter();
        files
            .map(|file| located(&file.to_string_lossy()))
            .collect::<Result<_>>()?
    };
    session.paths.add(&paths);
    let mut source = proto::read::DataSource {
        format: Some(name),
        schema,
        options,
        paths,
        ..Default::default()
    };
    let schema = session
        .client
        .schema(&scan(source.clone()), cx.cancel())
        .await
        .map_err(|error| unread(error, &spec.path))?;
    let mut columns = types::columns(&schema);
    if source.schema.is_none() && takes_schema(&spec.format) {
        // What was found once is not looked for again with each request: that reads headers, footers, or all of the file.
        source.schema = found(&columns);
    }
    let mut relation = scan(source);
    let is_named = spec.has_header || spec.schema.is_some();
    if spec.format == Format::Csv && !is_named {
        // Spark counts from `_c0`.
        let names = (1..=columns.len()).map(|number| format!("column_{number}"));
        for (field, name) in columns.iter_mut().zip(names) {
            field.name = name;
        }
        relation = renamed(relation, &columns);
    }
    Ok(SparkFrame::of_relation(Resolved {
        relation,
        columns,
        confirmed: true,
    })
    .into_frame())
}

fn scan(source: proto::read::DataSource) -> proto::Relation {
    relation(RelType::Read(proto::Read {
        is_streaming: false,
        read_type: Some(proto::read::ReadType::DataSource(source)),
    }))
}

/// Whether a format is read with a schema as it is without.
fn takes_schema(format: &Format) -> bool {
    READERS
        .iter()
        .any(|(known, support, _)| known == format && support.schema)
}

/// The columns that were found, as a schema; none where one of them has no written form, or where names are not unique for
/// Spark, which does not tell the letter case apart.
fn found(columns: &[Field]) -> Option<String> {
    let names: BTreeSet<String> = columns
        .iter()
        .map(|field| field.name.to_lowercase())
        .collect();
    if names.len() < columns.len() || columns.is_empty() {
        return None;
    }
    ddl(columns).ok()
}

/// Whether a format's files are found by listing folders.
fn is_listed(format: &Format) -> bool {
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

/// The relation with other names, by position.
fn renamed(input: proto::Relation, columns: &[Field]) -> proto::Relation {
    relation(RelType::ToDf(Box::new(proto::ToDf {
        input: Some(Box::new(input)),
        column_names: columns.iter().map(|field| field.name.clone()).collect(),
    })))
}

/// The error for a path that cannot be read, in the words of the pipeline.
fn unread(error: Error, path: &str) -> Error {
    let message = error.message();
    let told = |kind, message: String, hint: &str| Error::new(kind, message).with_hint(hint);
    let told = if message.contains("path does not exist") {
        let hint = "the cluster looks for it in its own file system; relative paths start at this program's working directory";
        let is_glob = path.contains(['*', '?', '[', '{']);
        let message = match is_glob {
            true => format!("no file matches `{path}`"),
            false => format!("there is no file or folder `{path}`"),
        };
        told(ErrorKind::NotFound, message, hint)
    } else if message.starts_with("unable to infer schema") {
        let hint = "names that begin with `.` or `_` are not read";
        told(
            ErrorKind::NotFound,
            format!("folder `{path}` holds no files"),
            hint,
        )
    } else if let Some((_, scheme)) = message.split_once("no FileSystem for scheme ") {
        let scheme = scheme.trim_matches('"');
        let message =
            format!("`{path}` is on remote storage (`{scheme}`), which the cluster cannot reach");
        told(
            ErrorKind::Unsupported,
            message,
            "start the cluster with the package of that storage",
        )
    } else {
        return error;
    };
    told.with_source(error)
}

/// A path as the cluster gets it. A relative one starts at this program's working directory, not at the server's: that
/// is what a pipeline means by it when both are on one machine.
pub(crate) fn located(path: &str) -> Result<String> {
    if path.contains("://") || path.starts_with('/') || path.contains(":/") {
        return Ok(path.to_owned());
    }
    Ok(std::path::absolute(path)?.display().to_string())
}

/// Options as texts, as Spark takes them.
///
/// # Errors
/// `InvalidArgument` for lists and mappings.
pub(crate) fn spark_options(options: &Options) -> Result<HashMap<String, String>> {
    let mut out = HashMap::new();
    for (name, value) in options {
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

/// Columns in the form of CREATE TABLE.
fn ddl(columns: &[Field]) -> Result<String> {
    let columns = columns
        .iter()
        .map(|field| {
            Ok(format!(
                "{} {}",
                quoted(&field.name),
                type_name(&field.dtype)?
            ))
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(columns.join(", "))
}

/// A type in Spark's SQL.
fn type_name(dtype: &DType) -> Result<String> {
    Ok(match types::held(dtype) {
        DType::Boolean => "BOOLEAN".into(),
        DType::Int8 => "TINYINT".into(),
        DType::Int16 => "SMALLINT".into(),
        DType::Int32 => "INT".into(),
        DType::Int64 => "BIGINT".into(),
        DType::Float32 => "FLOAT".into(),
        DType::Float64 => "DOUBLE".into(),
        DType::Decimal { precision, scale } => {
            format!("DECIMAL({}, {scale})", precision.unwrap_or(38))
        }
        DType::String => "STRING".into(),
        DType::Binary => "BINARY".into(),
        DType::Date => "DATE".into(),
        DType::Time => "TIME(6)".into(),
        DType::Datetime { zone: None, .. } => "TIMESTAMP_NTZ".into(),
        DType::Datetime { .. } => "TIMESTAMP".into(),
        DType::Duration(_) => "INTERVAL DAY TO SECOND".into(),
        DType::List(item) => format!("ARRAY<{}>", type_name(&item)?),
        DType::Map(key, value) => format!("MAP<{}, {}>", type_name(&key)?, type_name(&value)?),
        DType::Struct(fields) => {
            let fields = fields
                .iter()
                .map(|field| {
                    Ok(format!(
                        "{}: {}",
                        quoted(&field.name),
                        type_name(&field.dtype)?
                    ))
                })
                .collect::<Result<Vec<_>>>()?;
            format!("STRUCT<{}>", fields.join(", "))
        }
        other => {
            return Err(Error::unsupported(format!(
                "Spark does not read values of type {other}"
            )));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_declared_schema_is_written_as_spark_reads_it() {
        let inner = vec![
            Field::new("a b", DType::UInt32),
            Field::new("t", DType::datetime()),
        ];
        let columns = [
            Field::new("x`", DType::List(Box::new(DType::Struct(inner)))),
            Field::new(
                "d",
                DType::Decimal {
                    precision: None,
                    scale: 2,
                },
            ),
        ];
        assert_eq!(
            ddl(&columns).unwrap(),
            "`x``` ARRAY<STRUCT<`a b`: BIGINT, `t`: TIMESTAMP_NTZ>>, `d` DECIMAL(38, 2)"
        );
    }
}
