//! Files: CSV, JSON Lines and Parquet, read and written whole. Folders, modes and publishing are the executor's.

mod read;
mod write;

use laktory_core::{Error, ErrorKind, OptionValue, Options, Result};

pub(crate) use read::{Scan, read, reads};
pub(crate) use write::{write, writes};

/// Refuses options that are not `known`.
///
/// # Errors
/// `InvalidArgument`.
fn check(options: &Options, known: &[&str]) -> Result<()> {
    match options.keys().find(|name| !known.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) => Err(Error::new(
            ErrorKind::InvalidArgument,
            format!("`{name}` is not an option of this format"),
        )
        .with_hint(match known {
            [] => "it has none".to_owned(),
            known => format!("known here: {}", known.join(", ")),
        })),
    }
}

/// The separator of CSV fields, one ASCII character.
///
/// # Errors
/// `InvalidArgument` for anything else.
fn separator(options: &Options) -> Result<u8> {
    match options.get("separator") {
        None | Some(OptionValue::Null) => Ok(b','),
        Some(OptionValue::Text(text)) if text.len() == 1 && text.is_ascii() => {
            Ok(text.as_bytes()[0])
        }
        Some(_) => Err(Error::new(
            ErrorKind::InvalidArgument,
            "`separator` is one ASCII character",
        )),
    }
}

/// A flag among options.
///
/// # Errors
/// `InvalidArgument` unless it is true or false.
fn flag(options: &Options, name: &str, default: bool) -> Result<bool> {
    match options.get(name) {
        None | Some(OptionValue::Null) => Ok(default),
        Some(OptionValue::Bool(flag)) => Ok(*flag),
        Some(_) => Err(Error::new(
            ErrorKind::InvalidArgument,
            format!("`{name}` is true or false"),
        )),
    }
}
