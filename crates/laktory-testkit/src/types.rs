//! The text form of data types in conformance cases: `int64`, `list<string>`, `datetime[us, Europe/Paris]`.
//!
//! It is its own little language, so that cases depend neither on the type syntax that users write in pipelines nor on
//! the display form of Arrow.

use laktory_core::{DType, Field, TimeUnit};

/// The type that `text` names.
///
/// # Errors
/// A sentence that says which part is not a type.
pub fn parse_type(text: &str) -> Result<DType, String> {
    let text = text.trim();
    if let Some((head, inner)) = brackets(text, '<', '>') {
        return match head {
            "list" => Ok(DType::List(Box::new(parse_type(inner)?))),
            "struct" => split(inner)
                .into_iter()
                .map(|member| {
                    let (name, dtype) = member
                        .split_once(':')
                        .ok_or_else(|| format!("`{member}` is not `name:type`"))?;
                    Ok(Field::new(name.trim(), parse_type(dtype)?))
                })
                .collect::<Result<_, String>>()
                .map(DType::Struct),
            "map" => match split(inner).as_slice() {
                [key, value] => Ok(DType::Map(
                    Box::new(parse_type(key)?),
                    Box::new(parse_type(value)?),
                )),
                _ => Err(format!("`{text}` is not `map<key,value>`")),
            },
            "array" => match split(inner).as_slice() {
                [item, width] => {
                    let width = width
                        .parse()
                        .map_err(|_| format!("`{width}` is not the width of an array"))?;
                    Ok(DType::Array(Box::new(parse_type(item)?), width))
                }
                _ => Err(format!("`{text}` is not `array<type,width>`")),
            },
            "enum" => Ok(DType::Enum(
                split(inner).into_iter().map(str::to_owned).collect(),
            )),
            _ => Err(format!("`{head}` takes no parameters in angle brackets")),
        };
    }
    if let Some((head, inner)) = brackets(text, '[', ']') {
        let (unit, zone) = match inner.split_once(',') {
            Some((unit, zone)) => (unit.trim(), Some(zone.trim().to_owned())),
            None => (inner.trim(), None),
        };
        let unit = TimeUnit::parse(unit).ok_or_else(|| format!("`{unit}` is not a time unit"))?;
        return match head {
            "datetime" => Ok(DType::Datetime { unit, zone }),
            "duration" => Ok(DType::Duration(unit)),
            _ => Err(format!("`{head}` takes no parameters in square brackets")),
        };
    }
    if let Some(("decimal", inner)) = brackets(text, '(', ')') {
        let (precision, scale) = inner
            .split_once(',')
            .and_then(|(p, s)| Some((p.trim().parse().ok()?, s.trim().parse().ok()?)))
            .ok_or_else(|| format!("`{text}` is not `decimal(precision,scale)`"))?;
        return Ok(DType::Decimal {
            precision: Some(precision),
            scale,
        });
    }
    Ok(match text {
        "int8" => DType::Int8,
        "int16" => DType::Int16,
        "int32" => DType::Int32,
        "int64" => DType::Int64,
        "int128" => DType::Int128,
        "uint8" => DType::UInt8,
        "uint16" => DType::UInt16,
        "uint32" => DType::UInt32,
        "uint64" => DType::UInt64,
        "float32" => DType::Float32,
        "float64" => DType::Float64,
        "boolean" => DType::Boolean,
        "string" => DType::String,
        "binary" => DType::Binary,
        "date" => DType::Date,
        "time" => DType::Time,
        "categorical" => DType::Categorical,
        "null" => DType::Null,
        _ => return Err(format!("`{text}` is not a type of conformance cases")),
    })
}

/// The text form of a type, as [`parse_type`] reads it.
#[must_use]
pub fn type_text(dtype: &DType) -> String {
    match dtype {
        DType::List(item) => format!("list<{}>", type_text(item)),
        DType::Array(item, width) => format!("array<{},{width}>", type_text(item)),
        DType::Struct(fields) => {
            let members: Vec<String> = fields
                .iter()
                .map(|field| format!("{}:{}", field.name, type_text(&field.dtype)))
                .collect();
            format!("struct<{}>", members.join(","))
        }
        DType::Map(key, value) => format!("map<{},{}>", type_text(key), type_text(value)),
        DType::Enum(names) => format!("enum<{}>", names.join(",")),
        DType::Datetime { unit, zone: None } => format!("datetime[{}]", unit.name()),
        DType::Datetime {
            unit,
            zone: Some(zone),
        } => format!("datetime[{}, {zone}]", unit.name()),
        DType::Duration(unit) => format!("duration[{}]", unit.name()),
        DType::Decimal { precision, scale } => {
            format!("decimal({},{scale})", precision.unwrap_or(38))
        }
        plain => format!("{plain:?}").to_lowercase(),
    }
}

/// `head<inner>` taken apart, when `text` ends with the closing bracket.
fn brackets(text: &str, open: char, close: char) -> Option<(&str, &str)> {
    let (head, rest) = text.split_once(open)?;
    let plain = head.chars().all(|c| c.is_ascii_alphanumeric());
    plain
        .then(|| rest.strip_suffix(close))
        .flatten()
        .map(|inner| (head, inner))
}

/// Parts of `text` between commas that stand in no bracket.
fn split(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0usize, 0usize);
    for (index, c) in text.char_indices() {
        match c {
            '<' | '[' | '(' => depth += 1,
            '>' | ']' | ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(text[start..index].trim());
                start = index + 1;
            }
            _ => {}
        }
    }
    if !text[start..].trim().is_empty() {
        parts.push(text[start..].trim());
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_text_reads_back_as_written() {
        for text in [
            "int64",
            "uint8",
            "float32",
            "decimal(10,2)",
            "datetime[us]",
            "datetime[ms, Europe/Paris]",
            "duration[ns]",
            "list<list<int64>>",
            "struct<a:int64,b:string,n:struct<x:float64>>",
            "list<struct<open:int64,close:struct<v:float64>>>",
            "map<string,list<datetime[us, UTC]>>",
            "enum<a,b>",
            "null",
        ] {
            assert_eq!(type_text(&parse_type(text).unwrap()), text);
        }
    }

    #[test]
    fn what_is_not_a_type_is_named() {
        assert_eq!(
            parse_type("list<int65>").unwrap_err(),
            "`int65` is not a type of conformance cases"
        );
        assert!(parse_type("datetime[year]").unwrap_err().contains("`year`"));
        assert!(parse_type("struct<a>").is_err());
        assert!(parse_type("map<int64>").is_err());
    }
}
