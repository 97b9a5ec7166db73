//! What a format has no form for.

use laktory_core::{Error, Field, Format, Result};

/// Refuses columns whose values would not come back from a file of a format.
///
/// # Errors
/// `Unsupported`, with the name of the column.
pub fn writable(format: &Format, columns: &[Field]) -> Result<()> {
    for column in columns {
        if let Some(reason) = format.loses(&column.dtype) {
            return Err(Error::unsupported(format!(
                "column `{}` of type {} has no form in {format}: {reason}",
                column.name, column.dtype
            ))
            .with_hint("leave the column out, or convert it to a text first"));
        }
    }
    Ok(())
}
