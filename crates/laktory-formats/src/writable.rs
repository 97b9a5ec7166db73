//! What a format has no form for.

use laktory_core::{DType, Error, ErrorKind, Field, Format, Result};

use crate::encode;
use crate::options::listed;

/// Refuses columns that a file of a format cannot hold, and rows without columns.
///
/// # Errors
/// `Unsupported`, with the name of the column; `SchemaMismatch` for no columns.
pub fn writable(format: &Format, columns: &[Field]) -> Result<()> {
    if columns.is_empty() {
        return Err(Error::new(
            ErrorKind::SchemaMismatch,
            "a frame without columns cannot be written",
        ));
    }
    if *format == Format::Text && columns.len() > 1 {
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        return Err(Error::unsupported(format!(
            "TEXT holds one column, the frame has {}",
            listed(&names)
        ))
        .with_hint("select one, or put them into one text (`concat_str`)"));
    }
    for column in columns {
        if *format == Format::Csv && is_nested(&column.dtype) {
            return Err(Error::unsupported(format!(
                "column `{}` of type {} has no form in CSV",
                column.name, column.dtype
            ))
            .with_hint("select its fields, or write PARQUET or JSONL"));
        }
        if let Some((reason, hint)) = encode::refused(format, column) {
            return Err(Error::unsupported(format!(
                "column `{}` of type {} has no form in {format}: {reason}",
                column.name, column.dtype
            ))
            .with_hint(hint));
        }
        let keeps_types = matches!(
            format,
            Format::Json | Format::JsonLines | Format::Parquet | Format::Ipc
        );
        if keeps_types && let Some(reason) = format.loses(&column.dtype) {
            return Err(Error::unsupported(format!(
                "column `{}` of type {} has no form in {format}: {reason}",
                column.name, column.dtype
            ))
            .with_hint("leave the column out, or convert it to a text first"));
        }
    }
    Ok(())
}

fn is_nested(dtype: &DType) -> bool {
    matches!(
        dtype,
        DType::List(_) | DType::Array(..) | DType::Struct(_) | DType::Map(..)
    )
}
