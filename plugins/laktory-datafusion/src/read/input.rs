//! The bytes of text files: decompressed, without byte order mark, cut at the ends of lines.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
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

/// The lines of a file that begin in a range of its bytes.
///
/// # Errors
/// As [`text`].
pub(super) fn lines(file: &Path, range: Option<(u64, u64)>) -> Result<Text> {
    let Some((from, to)) = range else {
        return text(file);
    };
    let begin = line_from(file, from)?;
    let end = line_from(file, to)?;
    if from == 0 {
        return Ok(Box::new(text(file)?.take(end.saturating_sub(mark(file)?))));
    }
    let mut reader = opened(file)?;
    reader.seek(SeekFrom::Start(begin))?;
    let reader = BufReader::with_capacity(BUFFER, reader);
    Ok(Box::new(reader.take(end.saturating_sub(begin))))
}

/// The length of the byte order mark.
fn mark(file: &Path) -> Result<u64> {
    let mut head = Vec::new();
    opened(file)?
        .take(MARK.len() as u64)
        .read_to_end(&mut head)?;
    Ok(if head == MARK { MARK.len() as u64 } else { 0 })
}

/// Where the first line begins that begins at or behind a byte.
fn line_from(file: &Path, at: u64) -> Result<u64> {
    if at == 0 {
        return Ok(0);
    }
    let mut reader = BufReader::new(opened(file)?);
    reader.seek(SeekFrom::Start(at - 1))?;
    let mut begin = at - 1;
    loop {
        let buffer = reader.fill_buf()?;
        if buffer.is_empty() {
            return Ok(begin);
        }
        if let Some(end) = buffer.iter().position(|byte| *byte == b'\n') {
            return Ok(begin + end as u64 + 1);
        }
        let length = buffer.len();
        begin += length as u64;
        reader.consume(length);
    }
}

fn opened(file: &Path) -> Result<File> {
    File::open(file).map_err(|error| Error::from(error).context(format!("`{}`", file.display())))
}

/// Text whose whole is one JSON array, with its elements as lines; other text is left as it is.
pub(super) struct Elements<R> {
    text: R,
    started: bool,
    array: bool,
    closed: bool,
    depth: usize,
    quoted: bool,
    escaped: bool,
}

impl<R: BufRead> Elements<R> {
    /// The elements of a text.
    pub(super) fn new(text: R) -> Self {
        Self {
            text,
            started: false,
            array: false,
            closed: false,
            depth: 0,
            quoted: false,
            escaped: false,
        }
    }

    /// The byte in the place of one byte of the array.
    fn element(&mut self, byte: u8) -> u8 {
        if self.quoted {
            if self.escaped {
                self.escaped = false;
            } else if byte == b'\\' {
                self.escaped = true;
            } else if byte == b'"' {
                self.quoted = false;
            }
            return byte;
        }
        match byte {
            b'"' => self.quoted = true,
            b'[' | b'{' => self.depth += 1,
            b']' if self.depth == 0 => {
                self.closed = true;
                return b'\n';
            }
            b']' | b'}' => self.depth = self.depth.saturating_sub(1),
            b',' if self.depth == 0 => return b'\n',
            // A line is one element.
            b'\n' | b'\r' => return b' ',
            _ => {}
        }
        byte
    }
}

impl<R: BufRead> Read for Elements<R> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let read = self.text.read(out)?;
        if read == 0 && self.array && !self.closed {
            return Err(std::io::Error::new(
                std::io::ErrorKind::UnexpectedEof,
                "the array does not end",
            ));
        }
        for byte in &mut out[..read] {
            if !self.started && !byte.is_ascii_whitespace() {
                self.started = true;
                self.array = *byte == b'[';
                if self.array {
                    *byte = b' ';
                    continue;
                }
            }
            if self.array && !self.closed {
                *byte = self.element(*byte);
            }
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elements(text: &str) -> std::io::Result<String> {
        let mut out = String::new();
        Elements::new(text.as_bytes()).read_to_string(&mut out)?;
        Ok(out)
    }

    #[test]
    fn elements_of_an_array_are_lines() {
        let out = elements("[{\"a\": \"],\\\"\", \"b\": [1,\n2]}, {\"a\": {}}]\n").unwrap();
        let lines: Vec<&str> = out
            .split('\n')
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect();
        assert_eq!(lines, ["{\"a\": \"],\\\"\", \"b\": [1, 2]}", "{\"a\": {}}"]);
        assert_eq!(elements("{\"a\": [1]}\n").unwrap(), "{\"a\": [1]}\n");
        assert!(elements("[{\"a\": 1}").is_err());
    }

    #[test]
    fn each_line_is_in_one_range() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x");
        let content = "\u{feff}one\ntwo\n\nthree\nfour";
        std::fs::write(&file, content).unwrap();
        let size = content.len() as u64;
        for cut in 1..size {
            let mut all = String::new();
            for range in [(0, cut), (cut, size)] {
                lines(&file, Some(range))
                    .unwrap()
                    .read_to_string(&mut all)
                    .unwrap();
            }
            assert_eq!(all, "one\ntwo\n\nthree\nfour", "{cut}");
        }
    }
}
