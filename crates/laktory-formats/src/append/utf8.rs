//! Rows are added as UTF-8: to a text of another encoding they would be no rows.

use std::path::Path;

use laktory_core::{Error, ErrorKind, Result};

use super::{pieces, text};

/// That a text, compressed or not, is UTF-8.
///
/// # Errors
/// `ConversionFailed` when it is not; `Io`.
pub(crate) fn check(file: &Path) -> Result<()> {
    let other = || {
        Error::new(
            ErrorKind::ConversionFailed,
            format!("cannot append to `{}`: it is not UTF-8", file.display()),
        )
        .with_hint("write it as UTF-8 once, or use mode OVERWRITE")
    };
    // A character that the last piece has begun.
    let mut open = Vec::new();
    pieces(text(file)?, |piece| {
        // UTF-16 without letters beyond ASCII is UTF-8 with zeros.
        if piece.contains(&0) {
            return Err(other());
        }
        let mut piece = piece;
        while !open.is_empty() {
            let Some((&byte, rest)) = piece.split_first() else {
                return Ok(());
            };
            open.push(byte);
            piece = rest;
            match std::str::from_utf8(&open) {
                Ok(_) => open.clear(),
                Err(error) if error.error_len().is_some() => return Err(other()),
                Err(_) => {}
            }
        }
        match simdutf8::compat::from_utf8(piece) {
            Ok(_) => Ok(()),
            Err(error) if error.error_len().is_some() => Err(other()),
            Err(error) => {
                open.extend_from_slice(&piece[error.valid_up_to()..]);
                Ok(())
            }
        }
    })?;
    match open.is_empty() {
        true => Ok(()),
        false => Err(other()),
    }
}
