//! The text of a file.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use laktory_core::{Error, Result};
use polars_io::utils::compression::SupportedCompression;

/// The text of a file.
pub(super) fn open(file: &Path) -> Result<Box<dyn BufRead + Send>> {
    if SupportedCompression::check(&super::head(file, 16)?).is_some() {
        return super::json::lines(file);
    }
    let opened = File::open(file)
        .map_err(|error| Error::from(error).context(format!("`{}`", file.display())))?;
    Ok(Box::new(BufReader::with_capacity(1 << 16, opened)))
}
