//! The files of a read: which there are, which hold something, their text, their names in errors.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use laktory_core::{Error, ReadSpec, Result};
use polars_io::utils::compression::SupportedCompression;

/// The files of a read.
pub(super) fn files(spec: &ReadSpec) -> Vec<PathBuf> {
    match spec.files.as_slice() {
        [] => vec![PathBuf::from(&spec.path)],
        files => files.to_vec(),
    }
}

/// Those of the files that hold something.
pub(super) fn filled(files: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut filled = Vec::with_capacity(files.len());
    for file in files {
        if super::size(file)? > 0 {
            filled.push(file.clone());
        }
    }
    Ok(filled)
}

/// The text of a file.
pub(super) fn open(file: &Path) -> Result<Box<dyn BufRead + Send>> {
    if SupportedCompression::check(&super::head(file, 16)?).is_some() {
        return super::json::lines(file);
    }
    let opened = File::open(file)
        .map_err(|error| Error::from(error).context(format!("`{}`", file.display())))?;
    Ok(Box::new(BufReader::with_capacity(1 << 16, opened)))
}

/// The error, which names a file.
pub(super) fn at_files(error: Error, files: &[PathBuf]) -> Error {
    let named = files
        .iter()
        .any(|file| error.message().contains(&*file.to_string_lossy()));
    if named {
        error
    } else {
        error.context(format!("`{}`", super::shown(files)))
    }
}
