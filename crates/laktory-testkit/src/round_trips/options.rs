//! What options of writing mean for what comes back.

use std::fmt::Write as _;

use laktory_core::{BackendDescriptor, Format, Options};
use libtest_mimic::Failed;
use serde_json::Value;

use super::carry::{Back, carry};
use super::values::GROUPS;
use super::{Told, judged, numbered};
use crate::frames::{Column, Table, column_of};
use crate::runner::Session;
use crate::types::parse_type;

/// Every option of writing a format, with everything that is told to come back of it.
pub(super) fn options(
    session: &Session,
    descriptor: &'static BackendDescriptor,
    format: &Format,
) -> Result<(), Failed> {
    let driver = Told::new(descriptor, format);
    let known = (descriptor.capabilities)().write(format).options;
    let tables = tables(&driver)?;
    let mut faults = String::new();
    for name in known {
        let told = driver.knows(name);
        let (mut tried, mut lost) = (false, false);
        for (example, options) in examples(name, known)? {
            for (table, rare) in &tables {
                let carried = carry(session, descriptor, table, format, &options)?;
                let Some((dtypes, back)) = carried else {
                    return Err("what is told to come back is not taken".into());
                };
                // The format has other values of the option.
                let is_unknown =
                    |how: &str| how.contains("` cannot be `") || how.contains("is not available");
                if matches!(&back, Back::Refused(how) if is_unknown(how)) {
                    continue;
                }
                tried = true;
                let how = match back {
                    Back::Refused(_) | Back::Unreadable(_) if *rare => None,
                    Back::Refused(how) | Back::Unreadable(how) => Some(how),
                    Back::Rows(columns) => {
                        let keeps = dtypes.iter().map(|dtype| driver.keeps(dtype, &options));
                        let mut columns = columns.into_iter().zip(keeps);
                        columns.find_map(|(how, keeps)| how.filter(|_| keeps || !told))
                    }
                };
                let Some(how) = how else { continue };
                lost = true;
                if told {
                    let _ = writeln!(faults, "{example} is told to change nothing, but {how}");
                }
            }
        }
        match (tried, told, lost) {
            (false, ..) => {
                let _ = writeln!(faults, "`{name}` has no values to try");
            }
            (true, false, false) => {
                let _ = writeln!(faults, "`{name}` changes nothing, and is not told");
            }
            _ => {}
        }
    }
    judged(&faults)
}

/// The mappings in which an option is tried, of options that the format has.
fn examples(name: &str, known: &[&str]) -> Result<Vec<(&'static str, Options)>, String> {
    let found = OPTIONS.iter().find(|(option, _)| *option == name);
    let mut examples = Vec::new();
    for example in found.map_or([].as_slice(), |(_, examples)| *examples) {
        let options: Options = serde_json::from_str(example).map_err(|error| error.to_string())?;
        if options.keys().all(|name| known.contains(&name.as_str())) {
            examples.push((*example, options));
        }
    }
    Ok(examples)
}

/// Everything that is told to come back, as one table; and a table for each set of values that may be refused.
fn tables(driver: &Told) -> Result<Vec<(Table, bool)>, String> {
    let mut columns = Vec::new();
    let mut tables = Vec::new();
    for values in GROUPS.iter().flat_map(|(_, sets)| *sets) {
        for text in values.types {
            if !driver.keeps(&parse_type(text)?, &Options::new()) {
                continue;
            }
            if values.rare {
                let column = column_of("x", text, &values.json()?)?;
                tables.push((numbered(vec![column])?, true));
            } else {
                columns.push((*text, values.json()?));
            }
        }
    }
    let longest = columns.iter().map(|(_, values)| values.len()).max();
    let columns: Result<Vec<Column>, String> = columns
        .into_iter()
        .enumerate()
        .map(|(number, (text, mut values))| {
            values.resize(longest.unwrap_or(0), Value::Null);
            column_of(&format!("c{number}"), text, &values)
        })
        .collect();
    tables.push((numbered(columns?)?, false));
    Ok(tables)
}

/// Names of options, and mappings in which they stand, as JSON.
const OPTIONS: &[(&str, &[&str])] = &[
    ("batch_size", &[r#"{"batch_size": 1}"#]),
    ("compat_level", &[r#"{"compat_level": "oldest"}"#]),
    (
        "compression",
        &[
            r#"{"compression": "gzip"}"#,
            r#"{"compression": "zstd"}"#,
            r#"{"compression": "lz4"}"#,
        ],
    ),
    (
        "compression_level",
        &[r#"{"compression": "gzip", "compression_level": 1}"#],
    ),
    ("data_page_size", &[r#"{"data_page_size": 64}"#]),
    (
        "dateFormat",
        &[
            r#"{"dateFormat": "dd.MM.yy"}"#,
            r#"{"dateFormat": "yyyy-MM-dd"}"#,
        ],
    ),
    (
        "date_format",
        &[
            r#"{"date_format": "%d.%m.%y"}"#,
            r#"{"date_format": "%Y-%m-%d"}"#,
        ],
    ),
    (
        "datetime_format",
        &[
            r#"{"datetime_format": "%d.%m.%Y"}"#,
            r#"{"datetime_format": "%Y-%m-%d %H:%M:%S"}"#,
        ],
    ),
    ("decimal_comma", &[r#"{"decimal_comma": true}"#]),
    (
        "delimiter",
        &[r#"{"delimiter": ";"}"#, r#"{"delimiter": "\t"}"#],
    ),
    ("emptyValue", &[r#"{"emptyValue": "EMPTY"}"#]),
    ("encoding", &[r#"{"encoding": "UTF-16LE"}"#]),
    ("escape", &[r#"{"escape": "\\"}"#]),
    ("escapeQuotes", &[r#"{"escapeQuotes": false}"#]),
    ("float_precision", &[r#"{"float_precision": 2}"#]),
    (
        "float_scientific",
        &[
            r#"{"float_scientific": true}"#,
            r#"{"float_scientific": false}"#,
        ],
    ),
    ("header", &[r#"{"header": false}"#, r#"{"header": true}"#]),
    (
        "ignoreLeadingWhiteSpace",
        &[r#"{"ignoreLeadingWhiteSpace": true}"#],
    ),
    ("ignoreNullFields", &[r#"{"ignoreNullFields": true}"#]),
    (
        "ignoreTrailingWhiteSpace",
        &[r#"{"ignoreTrailingWhiteSpace": true}"#],
    ),
    ("include_bom", &[r#"{"include_bom": true}"#]),
    (
        "include_header",
        &[
            r#"{"include_header": false}"#,
            r#"{"include_header": true}"#,
        ],
    ),
    ("lineSep", &[r#"{"lineSep": "|"}"#]),
    (
        "line_terminator",
        &[
            r#"{"line_terminator": "|"}"#,
            r#"{"line_terminator": "\r\n"}"#,
        ],
    ),
    ("nan_as_null", &[r#"{"nan_as_null": true}"#]),
    ("nullValue", &[r#"{"nullValue": "NA"}"#]),
    (
        "null_value",
        &[r#"{"null_value": "NA"}"#, r#"{"null_value": "-"}"#],
    ),
    ("quote", &[r#"{"quote": "'"}"#]),
    ("quoteAll", &[r#"{"quoteAll": true}"#]),
    ("quote_char", &[r#"{"quote_char": "'"}"#]),
    (
        "quote_style",
        &[
            r#"{"quote_style": "always"}"#,
            r#"{"quote_style": "non_numeric"}"#,
            r#"{"quote_style": "never"}"#,
        ],
    ),
    ("record_batch_size", &[r#"{"record_batch_size": 1}"#]),
    ("row_group_size", &[r#"{"row_group_size": 1}"#]),
    ("sep", &[r#"{"sep": ";"}"#, r#"{"sep": "|"}"#]),
    (
        "separator",
        &[
            r#"{"separator": ";"}"#,
            r#"{"separator": "\t"}"#,
            r#"{"separator": "|"}"#,
        ],
    ),
    ("statistics", &[r#"{"statistics": false}"#]),
    ("timeZone", &[r#"{"timeZone": "Asia/Tokyo"}"#]),
    ("time_format", &[r#"{"time_format": "%H"}"#]),
    ("timestampFormat", &[r#"{"timestampFormat": "yyyy"}"#]),
    ("timestampNTZFormat", &[r#"{"timestampNTZFormat": "yyyy"}"#]),
];
