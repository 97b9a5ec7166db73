//! Writing on the cluster: the writer's command, with a count of the rows that pass.

use std::collections::HashMap;

use laktory_core::{
    DType, Error, ErrorKind, Field, Format, FormatSupport, OptionValue, Options, Place, Result,
    StoreSpec, Support, WriteMode,
};
use proto::command::CommandType;
use proto::write_operation::save_table::TableSaveMethod;
use proto::write_operation::{BucketBy, SaveMode, SaveTable, SaveType};
use spark_connect_proto as proto;

use crate::dsl::{Ex, aggregate, alias, f, identifier, star, text};
use crate::read::{located, spark_options};

/// A format, how far it is written, and Spark's name for it.
pub(crate) const WRITERS: &[(Format, FormatSupport, &str)] = &[
    (Format::Csv, full(CSV), "csv"),
    (Format::Json, full(JSON), "json"),
    (Format::JsonLines, full(JSON), "json"),
    (Format::Parquet, full(&["compression"]), "parquet"),
    (Format::Orc, full(&["compression"]), "orc"),
    (Format::Text, full(&["compression", "lineSep"]), "text"),
    (
        Format::Xml,
        full(&["rowTag", "rootTag", "compression"]),
        "xml",
    ),
    (Format::Avro, partial(&["compression"]), "avro"),
    (
        Format::Delta,
        partial(&["mergeSchema", "overwriteSchema", "replaceWhere"]),
        "delta",
    ),
    (Format::Iceberg, partial(&["mergeSchema"]), "iceberg"),
];

const CSV: &[&str] = &[
    "sep",
    "separator",
    "delimiter",
    "encoding",
    "quote",
    "quoteAll",
    "escape",
    "escapeQuotes",
    "header",
    "include_header",
    "nullValue",
    "null_value",
    "dateFormat",
    "timestampFormat",
    "timestampNTZFormat",
    "ignoreLeadingWhiteSpace",
    "ignoreTrailingWhiteSpace",
    "emptyValue",
    "lineSep",
    "compression",
];
const JSON: &[&str] = &[
    "timeZone",
    "dateFormat",
    "timestampFormat",
    "timestampNTZFormat",
    "encoding",
    "lineSep",
    "ignoreNullFields",
    "compression",
];

const fn full(options: &'static [&'static str]) -> FormatSupport {
    FormatSupport::new(Support::Full).with_options(options)
}

const fn partial(options: &'static [&'static str]) -> FormatSupport {
    FormatSupport::new(Support::Partial {
        note: "where the cluster has the package of the format",
    })
    .with_options(options)
}

/// Whether columns have a form in a format, before anything is written.
///
/// # Errors
/// `Unsupported`.
pub(crate) fn check(format: &Format, options: &Options, columns: &[Field]) -> Result<()> {
    let nested = |field: &&Field| {
        matches!(
            field.dtype,
            DType::List(_) | DType::Array(..) | DType::Struct(_) | DType::Map(..) | DType::Binary
        )
    };
    let text = columns.iter().find(|field| field.dtype == DType::String);
    let ends = options.get("lineSep");
    if let (Format::Csv, Some(field), Some(OptionValue::Text(ends))) = (format, text, ends)
        && ends.contains('\r')
    {
        return Err(Error::unsupported(format!(
            "`lineSep` of CSV with a carriage return: Spark would write it for line feeds inside of column `{}` too",
            field.name
        ))
        .with_hint("leave `lineSep` out, or write CSV on another backend"));
    }
    match columns.iter().find(nested) {
        Some(field) if *format == Format::Csv => Err(Error::unsupported(format!(
            "column `{}` of type {} has no form in CSV",
            field.name, field.dtype
        ))
        .with_hint("select its fields, or write PARQUET or JSONL")),
        _ => Ok(()),
    }
}

/// The error for a target that cannot be written, in the words of the pipeline.
pub(crate) fn unwritten(error: Error, spec: &StoreSpec) -> Error {
    let path = &spec.place;
    let message = error.message();
    let told = if message.contains("arent path is not a directory") {
        Error::new(
            ErrorKind::Io,
            format!("`{path}` is a file, and Spark writes folders"),
        )
        .with_hint("remove the file, or write to another path")
    } else if error.kind() == ErrorKind::InvalidArgument && message.contains("already exists") {
        Error::new(
            ErrorKind::InvalidArgument,
            format!("`{path}` exists, and the sink's mode is ERROR"),
        )
        .with_hint("remove it, or choose mode OVERWRITE, APPEND or IGNORE")
    } else {
        return error;
    };
    told.with_source(error)
}

/// How instants and datetimes are written in texts: Spark alone would cut them to milliseconds.
const INSTANTS: &str = "yyyy-MM-dd'T'HH:mm:ss[.SSSSSS][XXX]";
const DATETIMES: &str = "yyyy-MM-dd'T'HH:mm:ss[.SSSSSS]";

/// The command that writes a relation.
///
/// # Errors
/// `Unsupported` for formats, `InvalidArgument` for options.
pub(crate) fn command(
    relation: proto::Relation,
    spec: &StoreSpec,
    mode: WriteMode,
) -> Result<CommandType> {
    let name = match WRITERS.iter().find(|(format, ..)| *format == spec.format) {
        Some((_, _, name)) => (*name).to_owned(),
        None => match &spec.format {
            Format::Other(name) => name.to_ascii_lowercase(),
            other => {
                return Err(Error::unsupported(format!(
                    "format `{other}` is not written on backend PYSPARK"
                )));
            }
        },
    };
    let mut options = spark_options(&spec.options)?;
    match spec.format {
        Format::Csv => {
            options
                .entry("header".to_owned())
                .or_insert_with(|| "true".to_owned());
            // Values are written as they are, with quotes doubled: Spark alone would trim them, and put a backslash
            // before quotes, which other readers take for a part of the value.
            let quote = options.get("quote").map_or("\"", String::as_str).to_owned();
            for (name, value) in [
                ("ignoreLeadingWhiteSpace", "false"),
                ("ignoreTrailingWhiteSpace", "false"),
                ("escape", quote.as_str()),
                // Spark alone would write `""`, whatever the quote is.
                ("emptyValue", quote.repeat(2).as_str()),
                ("timestampFormat", INSTANTS),
                ("timestampNTZFormat", DATETIMES),
            ] {
                options
                    .entry(name.to_owned())
                    .or_insert_with(|| value.to_owned());
            }
        }
        Format::Delta if !options.contains_key("replaceWhere") => {
            // New columns are added by an append; an overwrite replaces them with the rows (R-FSNK-3).
            let schema = match mode {
                WriteMode::Overwrite => "overwriteSchema",
                _ => "mergeSchema",
            };
            options
                .entry(schema.to_owned())
                .or_insert_with(|| "true".to_owned());
        }
        Format::Json | Format::JsonLines => {
            // A key that is absent in every row would be a column that is lost.
            for (name, value) in [
                ("ignoreNullFields", "false"),
                ("timestampFormat", INSTANTS),
                ("timestampNTZFormat", DATETIMES),
            ] {
                options
                    .entry(name.to_owned())
                    .or_insert_with(|| value.to_owned());
            }
        }
        _ => {}
    }
    let (relation, name, options) = match spec.format {
        Format::Json => document(relation, options),
        _ => (relation, name, options),
    };
    let place = match &spec.place {
        Place::Path(path) => SaveType::Path(located(path)?),
        Place::Table(table) => SaveType::Table(SaveTable {
            table_name: identifier(table),
            save_method: TableSaveMethod::SaveAsTable as i32,
        }),
        _ => return Err(Error::unsupported("this kind of place")),
    };
    let mode = match mode {
        WriteMode::Overwrite => SaveMode::Overwrite,
        WriteMode::Append => SaveMode::Append,
        WriteMode::Ignore => SaveMode::Ignore,
        _ => SaveMode::ErrorIfExists,
    };
    Ok(CommandType::WriteOperation(proto::WriteOperation {
        input: Some(relation),
        source: Some(name),
        mode: mode as i32,
        options,
        save_type: Some(place),
        partitioning_columns: spec.layout.partition_by.clone(),
        clustering_columns: spec.layout.cluster_by.clone(),
        sort_column_names: spec.layout.sort_by.clone(),
        bucket_by: (spec.layout.buckets > 0).then(|| BucketBy {
            bucket_column_names: spec.layout.bucket_by.clone(),
            num_buckets: i32::try_from(spec.layout.buckets).unwrap_or(i32::MAX),
        }),
        ..Default::default()
    }))
}

/// A place as the server knows it, for telling whether a plan reads it.
pub(crate) fn target(place: &Place) -> Result<String> {
    match place {
        Place::Path(path) => located(path),
        Place::Table(table) => Ok(identifier(table)),
        _ => Err(Error::unsupported("this kind of place")),
    }
}

/// The rows as one JSON document in one row. Spark's own writer knows lines only, of which a reader of documents takes the
/// first.
fn document(
    relation: proto::Relation,
    options: HashMap<String, String>,
) -> (proto::Relation, String, HashMap<String, String>) {
    let (of_file, of_rows): (HashMap<_, _>, HashMap<_, _>) = options
        .into_iter()
        .partition(|(name, _)| name == "compression" || name == "lineSep");
    let mut pairs: Vec<_> = of_rows.into_iter().collect();
    pairs.sort();
    let pairs: Vec<Ex> = pairs
        .iter()
        .flat_map(|(name, value)| [text(name), text(value)])
        .collect();
    let rows = f("collect_list", [f("struct", [star()])]);
    let whole = alias(f("to_json", [rows, f("map", pairs)]), "value");
    (
        aggregate(relation, Vec::new(), vec![whole]),
        "text".to_owned(),
        of_file,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use laktory_core::Options;

    fn csv(options: &[(&str, &str)]) -> StoreSpec {
        let text = |text: &str| OptionValue::Text(text.to_owned());
        let options = options
            .iter()
            .map(|(name, value)| ((*name).to_owned(), text(value)));
        let mut spec = StoreSpec::new(Place::Path("/tmp/x".to_owned()), Format::Csv);
        spec.options = options.collect::<Options>();
        spec
    }

    #[test]
    fn quotes_are_doubled_and_datetimes_whole() {
        for (quote, escape) in [(None, "\""), (Some("'"), "'")] {
            let given: Vec<_> = quote.map(|quote| ("quote", quote)).into_iter().collect();
            let relation = proto::Relation::default();
            let command = command(relation, &csv(&given), WriteMode::Overwrite).unwrap();
            let CommandType::WriteOperation(write) = command else {
                panic!("a command that writes");
            };
            assert_eq!(write.options["escape"], escape);
            assert_eq!(write.options["emptyValue"], escape.repeat(2));
            assert_eq!(write.options["timestampNTZFormat"], DATETIMES);
        }
    }

    #[test]
    fn line_ends_that_would_change_texts_are_refused() {
        let spec = csv(&[("lineSep", "\r\n")]);
        let columns = |dtype| [Field::new("x", dtype)];
        let check =
            |spec: &StoreSpec, columns: &[Field]| check(&spec.format, &spec.options, columns);
        assert!(check(&spec, &columns(DType::Int64)).is_ok());
        let error = check(&spec, &columns(DType::String)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(check(&csv(&[("lineSep", "|")]), &columns(DType::String)).is_ok());
    }
}
