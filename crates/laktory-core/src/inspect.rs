//! What can be asked of a frame's columns without computing it: the inspections of the `laktory` namespace. They need a
//! schema only, so every engine answers alike.

use std::fmt::Write as _;

use crate::dtype::{DType, Field};
use crate::error::{Error, ErrorKind, Result};

/// Levels below which nested columns are not followed.
const DEEPEST: usize = 30;

/// The columns and their types in one line: `DataFrame[x: Int64, label: String]`.
#[must_use]
pub fn signature(columns: &[Field]) -> String {
    let mut text = String::from("DataFrame[");
    for (index, field) in columns.iter().enumerate() {
        let separator = if index == 0 { "" } else { ", " };
        let _ = write!(text, "{separator}{}: {}", field.name, field.dtype);
    }
    text.push(']');
    text
}

/// Names of all columns and of the fields inside of them: a field of a struct is `a.b`, one of a list of structs
/// `u[*].b`.
///
/// # Errors
/// `InvalidArgument` for columns with more than 30 levels.
pub fn schema_flat(columns: &[Field]) -> Result<Vec<String>> {
    let mut names = Vec::new();
    flatten(columns, "", 0, &mut names)?;
    Ok(names)
}

fn flatten(fields: &[Field], parent: &str, level: usize, names: &mut Vec<String>) -> Result<()> {
    if level > DEEPEST {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            format!("column `{parent}` has more than {DEEPEST} levels"),
        ));
    }
    for field in fields {
        let name = if parent.is_empty() {
            field.name.clone()
        } else {
            format!("{parent}.{}", field.name)
        };
        names.push(name.clone());
        match &field.dtype {
            DType::Struct(inner) => flatten(inner, &name, level + 1, names)?,
            DType::List(element) => {
                if let DType::Struct(inner) = &**element {
                    flatten(inner, &format!("{name}[*]"), level + 1, names)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether a column or a nested field exists. Back-quotes do not count, and any index stands for all elements:
/// `` `prices[2]`.`close` `` asks for `prices[*].close`.
///
/// # Errors
/// As [`schema_flat`].
pub fn has_column(path: &str, columns: &[Field]) -> Result<bool> {
    let mut wanted = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(at) = rest.find(['`', '[']) {
        wanted.push_str(&rest[..at]);
        let tail = &rest[at + 1..];
        rest = match (rest.as_bytes()[at], tail.find(']')) {
            (b'[', Some(end)) if end > 0 && tail[..end].bytes().all(|b| b.is_ascii_digit()) => {
                wanted.push_str("[*]");
                &tail[end + 1..]
            }
            (b'[', _) => {
                wanted.push('[');
                tail
            }
            _ => tail,
        };
    }
    wanted.push_str(rest);
    Ok(schema_flat(columns)?.contains(&wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_fields_have_names() {
        let close = Field::new(
            "close",
            DType::Struct(vec![Field::new("v", DType::Float64)]),
        );
        let columns = [
            Field::new("i", DType::Int64),
            Field::new("prices", DType::List(Box::new(DType::Struct(vec![close])))),
            Field::new("tags", DType::List(Box::new(DType::String))),
        ];
        assert_eq!(
            schema_flat(&columns).unwrap(),
            [
                "i",
                "prices",
                "prices[*].close",
                "prices[*].close.v",
                "tags"
            ]
        );
        for (path, known) in [
            ("i", true),
            ("`prices[2]`.`close`", true),
            ("prices[*].close.v", true),
            ("prices.close", false),
            ("tags[0]", false),
            ("I", false),
        ] {
            assert_eq!(has_column(path, &columns).unwrap(), known, "{path}");
        }
        assert_eq!(signature(&columns[..1]), "DataFrame[i: Int64]");
    }
}
