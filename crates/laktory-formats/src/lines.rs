//! Parts of files of lines, for workers that share a file.

use std::fs::File;
use std::io::{Read, Result, Seek, SeekFrom, Take};
use std::path::Path;

/// The lines that begin in a range of bytes, and where the first of them begins.
pub(crate) fn within(path: &Path, from: u64, to: u64) -> Result<(Take<File>, u64)> {
    let mut file = File::open(path)?;
    let begin = line_from(&mut file, from)?;
    let end = line_from(&mut file, to)?.max(begin);
    file.seek(SeekFrom::Start(begin))?;
    Ok((file.take(end - begin), begin))
}

/// Ranges of about `part` bytes that a file of `length` bytes has.
pub(crate) fn ranges(length: u64, part: u64) -> impl Iterator<Item = (u64, u64)> {
    let count = length.div_ceil(part).max(1);
    let step = length.div_ceil(count);
    let cut = move |at: u64| length.min(step * at);
    (0..count).map(move |at| (cut(at), cut(at + 1)))
}

/// Where the first line begins that begins at or behind a byte.
fn line_from(file: &mut File, at: u64) -> Result<u64> {
    if at == 0 {
        return Ok(0);
    }
    let mut begin = at - 1;
    file.seek(SeekFrom::Start(begin))?;
    let mut buffer = vec![0; 1 << 14];
    loop {
        let length = file.read(&mut buffer)?;
        if length == 0 {
            return Ok(begin);
        }
        if let Some(end) = memchr::memchr(b'\n', &buffer[..length]) {
            return Ok(begin + end as u64 + 1);
        }
        begin += length as u64;
    }
}
