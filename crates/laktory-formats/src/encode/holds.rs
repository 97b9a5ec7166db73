//! What the formats that are encoded here have no form for.

use laktory_core::{DType, Field, Format};

const CONVERT: &str = "leave the column out, or convert it to another type first";

/// Why a column cannot be written in a format, and what to do; `None` where it can, and for formats that are not encoded here.
pub(crate) fn refused(format: &Format, column: &Field) -> Option<(String, &'static str)> {
    match format {
        Format::Text => (column.dtype != DType::String
            && !matches!(column.dtype, DType::Categorical | DType::Enum(_)))
        .then(|| {
            (
                "its lines are texts".to_owned(),
                "convert the column to a text first",
            )
        }),
        Format::Avro => avro_name(&column.name)
            .map(|why| (why, RENAME))
            .or_else(|| avro(&column.dtype)),
        Format::Orc => orc(&column.dtype),
        _ => None,
    }
}

fn orc(dtype: &DType) -> Option<(String, &'static str)> {
    let why = match dtype {
        DType::List(_) | DType::Array(..) | DType::Struct(_) | DType::Map(..) => {
            "nested types are read, and not written yet"
        }
        DType::Decimal { .. } | DType::Int128 | DType::UInt128 => {
            "decimals are read, and not written yet"
        }
        DType::UInt64 => "its whole numbers end at 64 bits with a sign",
        DType::Time => "it has no times",
        DType::Duration(_) => "it has no durations",
        DType::Null => "a column of nothing but nulls has no type",
        DType::Object | DType::Unknown => "its values are not known",
        _ => return None,
    };
    Some((why.to_owned(), CONVERT))
}

const RENAME: &str = "rename the column: letters of ASCII, digits and `_`, no digit first";

fn avro_name(name: &str) -> Option<String> {
    let mut letters = name.bytes();
    let starts = letters
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == b'_');
    let rest = letters.all(|letter| letter.is_ascii_alphanumeric() || letter == b'_');
    (!(starts && rest)).then(|| format!("`{name}` is no name of Avro"))
}

fn avro(dtype: &DType) -> Option<(String, &'static str)> {
    let because = |why: &str| Some((why.to_owned(), CONVERT));
    match dtype {
        DType::Duration(_) => because("it has no durations"),
        DType::Null => because("a column of nothing but nulls has no type"),
        DType::Object | DType::Unknown => because("its values are not known"),
        DType::Struct(fields) if fields.is_empty() => {
            because("objects without fields leave nothing to write")
        }
        DType::List(inner) | DType::Array(inner, _) => nested(inner),
        DType::Map(key, value) => match key.as_ref() {
            DType::String | DType::Categorical | DType::Enum(_) => nested(value),
            _ => because("keys of maps are texts"),
        },
        DType::Struct(fields) => fields.iter().find_map(|field| {
            avro_name(&field.name)
                .map(|why| (why, RENAME))
                .or_else(|| nested(&field.dtype))
        }),
        _ => None,
    }
}

fn nested(dtype: &DType) -> Option<(String, &'static str)> {
    match dtype {
        // What is cut off of finer times is looked at in columns alone.
        DType::Time => Some((
            "times inside of other types are cut to microseconds".to_owned(),
            CONVERT,
        )),
        other => avro(other),
    }
}
