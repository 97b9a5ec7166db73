//! The bytes of text files: decompressed, without byte order mark.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use datafusion::common::parsers::CompressionTypeVariant;
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use laktory_core::{Error, Result};

use crate::error::ResultExt;

const MARK: &[u8] = b"\xEF\xBB\xBF";
const BUFFER: usize = 1 << 18;

/// Text that is read in order.
pub(super) type Text = Box<dyn BufRead + Send>;

/// How a file is compressed, told by its first bytes.
pub(super) fn compression(file: &Path) -> Result<CompressionTypeVariant> {
    let mut head = Vec::new();
    opened(file)?.take(6).read_to_end(&mut head)?;
    Ok(match head.as_slice() {
        [0x1f, 0x8b, ..] => CompressionTypeVariant::GZIP,
        [0x28, 0xb5, 0x2f, 0xfd, ..] => CompressionTypeVariant::ZSTD,
        [b'B', b'Z', b'h', ..] => CompressionTypeVariant::BZIP2,
        [0xfd, b'7', b'z', b'X', b'Z', 0] => CompressionTypeVariant::XZ,
        _ => CompressionTypeVariant::UNCOMPRESSED,
    })
}

/// The text of a file.
///
/// # Errors
/// `NotFound`, `Io`.
pub(super) fn text(file: &Path) -> Result<Text> {
    let variant = compression(file)?;
    let reader = FileCompressionType::from(variant)
        .convert_read(opened(file)?)
        .or_error()?;
    let mut text = BufReader::with_capacity(BUFFER, reader);
    let start = text
        .fill_buf()
        .map_err(|error| Error::from(error).context(format!("`{}`", file.display())))?;
    if start.starts_with(MARK) {
        text.consume(MARK.len());
    }
    Ok(Box::new(text))
}

fn opened(file: &Path) -> Result<File> {
    File::open(file).map_err(|error| Error::from(error).context(format!("`{}`", file.display())))
}
