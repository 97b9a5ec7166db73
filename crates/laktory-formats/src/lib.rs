//! File formats as the embedded engines have to understand them, whatever their own readers make of them.
//!
//! A reader never drops or changes a row or a field without a word. Engines do: they guess where records end, fill lines
//! that are too short, or read the fields that a sample of the lines showed. What a file holds is therefore told here,
//! once for all engines, before an engine reads it: how many records, and the first place that is not as the format has it.
//! Files that an engine's reader would misread are decoded here, to Arrow, and so are whole formats that engines do not have or
//! read each in its own way ([`decode`]); [`encode`] writes these.
//!
//! Files that are read as one have one list of columns, by the rule of [`folder`]; the names of their folders may give
//! further ones, by that of [`hive`].
//!
//! Nothing here knows an engine or a pipeline: callers give files and options.

pub mod append;
pub mod csv;
pub mod decode;
pub mod encode;
pub mod files;
pub mod folder;
pub mod hive;
pub mod ipc;
pub mod json;
mod lanes;
mod lines;
pub mod options;
pub mod packed;
pub mod round_trip;
pub mod times;
mod writable;

use std::path::Path;

use laktory_core::{Error, ErrorKind, Format};
pub use writable::writable;

/// The error of a file that is damaged, cut off, or of another format.
#[must_use]
pub fn damaged(format: &Format, path: &Path) -> Error {
    Error::new(
        ErrorKind::ConversionFailed,
        format!("`{}` is no readable {format} file", path.display()),
    )
    .with_hint("it is damaged, cut off, or of another format: write it again")
}

/// Whether an error of an engine may come from a damaged file, so that it is worth while to look at the files again.
#[must_use]
pub fn may_be_damage(error: &Error) -> bool {
    const WORDS: &[&str] = &[
        "arrow",
        "buffer",
        "codec",
        "compress",
        "corrupt",
        "decod",
        "descriptor",
        "element type",
        "eof",
        "footer",
        "index out of",
        "interval",
        "ipc",
        "lz4",
        "metadata",
        "number of rows",
        "offset",
        "out of bounds",
        "out of range",
        "out of spec",
        "page",
        "panicked",
        "padding",
        "parquet",
        "prefix",
        "range",
        "required field",
        "slice",
        "snappy",
        "struct field",
        "thrift",
        "truncated",
        "unexpected",
        "utf-8",
        "utf8",
        "zstd",
    ];
    let kind = matches!(
        error.kind(),
        ErrorKind::Compute
            | ErrorKind::ConversionFailed
            | ErrorKind::Internal
            | ErrorKind::Io
            | ErrorKind::OutOfBounds
            | ErrorKind::SchemaMismatch
            | ErrorKind::Unsupported
            | ErrorKind::InvalidArgument
    );
    let text = error.message().to_lowercase();
    kind && WORDS.iter().any(|word| text.contains(word))
}

/// How to mend a file whose values are not of the types in which they are read.
pub const OTHER_TYPE: &str = "the file has this column in another type than the one in which it is read: declare that of the file in `schema`, and convert it in a step, where `TRY_CAST` in SQL gives null for such values";

/// The error of a column whose type an engine does not read.
#[must_use]
pub fn type_not_read(path: &Path, column: &str, what: &str, engine: &str) -> Error {
    Error::unsupported(format!(
        "column `{column}` of `{}` is {what}, which {engine} does not read",
        path.display()
    ))
    .with_hint("write it as a type that is read: floats of 32 bits, decimals of up to 38 digits")
}
