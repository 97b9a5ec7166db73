//! Errors of the engine as errors of the contract.

use laktory_core::arrow::schema::ArrowError;
use laktory_core::{Error, ErrorKind, Result};

/// Turns an engine's result into one of the contract.
pub(crate) trait OrError<T> {
    /// The value, or the engine's error as `Compute`, `Io` or `ConversionFailed`, with the original as source.
    fn or_error(self) -> Result<T>;
}

impl<T> OrError<T> for std::result::Result<T, ArrowError> {
    fn or_error(self) -> Result<T> {
        self.map_err(|error| {
            let kind = match &error {
                ArrowError::IoError(..) => ErrorKind::Io,
                ArrowError::CsvError(_)
                | ArrowError::JsonError(_)
                | ArrowError::ParseError(_)
                | ArrowError::CastError(_)
                | ArrowError::ArithmeticOverflow(_) => ErrorKind::ConversionFailed,
                _ => ErrorKind::Compute,
            };
            Error::new(kind, error.to_string()).with_source(error)
        })
    }
}

impl<T> OrError<T> for std::result::Result<T, parquet::errors::ParquetError> {
    fn or_error(self) -> Result<T> {
        self.map_err(|error| {
            Error::new(ErrorKind::ConversionFailed, error.to_string()).with_source(error)
        })
    }
}
