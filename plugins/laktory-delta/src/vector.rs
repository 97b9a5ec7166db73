//! Deletion vectors: which rows of a file are deleted, as a set of their numbers in the form of Roaring bitmaps.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use laktory_core::{Error, ErrorKind, Result};

use crate::actions::DeletionVector;
use crate::named::Named as _;
use crate::names;

/// Begins what is stored of a set.
const MAGIC: u32 = 1_681_511_377;
/// Begins a bitmap without runs of numbers.
const PLAIN: u32 = 12_346;
/// Begins one with runs, in its lower half.
const WITH_RUNS: u32 = 12_347;
/// Containers from which on places of containers are told.
const PLACES: usize = 4;
/// Numbers of a container from which on it is a map of bits.
const SPARSE: usize = 4096;
/// The version of files of vectors.
const VERSION: u8 = 1;
/// Characters of an encoded UUID.
const UUID: usize = 20;
const ALPHABET: &[u8] =
    b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

/// The numbers of the deleted rows of a file, in their order.
///
/// # Errors
/// `ConversionFailed` for a vector that is damaged; `Unsupported` for one that is stored elsewhere; `Io`.
pub(crate) fn deleted(table: &Path, vector: &DeletionVector) -> Result<Vec<u64>> {
    let bytes = match vector.storage_type.as_str() {
        "i" => unpacked(&vector.path_or_inline_dv).ok_or_else(|| damaged("its text"))?,
        "u" => stored(&beside(table, &vector.path_or_inline_dv)?, vector)?,
        "p" => stored(&names::file(table, &vector.path_or_inline_dv)?, vector)?,
        other => {
            return Err(Error::unsupported(format!(
                "feature `deletionVectors` of the table stores a vector as `{other}`, which is not known"
            )));
        }
    };
    let rows = numbers(&bytes).ok_or_else(|| damaged("its set of numbers"))?;
    match u64::try_from(vector.cardinality) == Ok(rows.len() as u64) {
        true => Ok(rows),
        false => Err(damaged("its number of rows")),
    }
}

fn damaged(what: &str) -> Error {
    Error::new(
        ErrorKind::ConversionFailed,
        format!("a deletion vector of the table is damaged: {what} is not what its log says"),
    )
}

/// The file of a vector, whose name is a UUID behind the name of a folder.
fn beside(table: &Path, text: &str) -> Result<PathBuf> {
    let at = text
        .len()
        .checked_sub(UUID)
        .filter(|at| text.is_char_boundary(*at));
    let (folder, packed) = text.split_at(at.ok_or_else(|| damaged("the name of its file"))?);
    let bytes = unpacked(packed).and_then(|bytes| <[u8; 16]>::try_from(bytes).ok());
    let uuid = uuid::Uuid::from_bytes(bytes.ok_or_else(|| damaged("the name of its file"))?);
    Ok(table
        .join(folder)
        .join(format!("deletion_vector_{uuid}.bin")))
}

/// What a file holds of a vector, whose sum must fit.
fn stored(path: &Path, vector: &DeletionVector) -> Result<Vec<u8>> {
    let failed = |error: std::io::Error| Error::from(error).at(path);
    let mut file = File::open(path).map_err(failed)?;
    let mut version = [0];
    file.read_exact(&mut version).map_err(failed)?;
    if version != [VERSION] {
        return Err(damaged("the version of its file").at(path));
    }
    let place = u64::try_from(vector.offset.unwrap_or(1)).unwrap_or(1);
    file.seek(SeekFrom::Start(place)).map_err(failed)?;
    let mut word = [0; 4];
    file.read_exact(&mut word).map_err(failed)?;
    let size = u32::from_be_bytes(word);
    if i64::from(size) != i64::from(vector.size_in_bytes) {
        return Err(damaged("its size").at(path));
    }
    let mut bytes = vec![0; size as usize];
    file.read_exact(&mut bytes).map_err(failed)?;
    file.read_exact(&mut word).map_err(failed)?;
    match crc32fast::hash(&bytes) == u32::from_be_bytes(word) {
        true => Ok(bytes),
        false => Err(damaged("its sum").at(path)),
    }
}

/// The bytes of a text of Z85.
fn unpacked(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(5) {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len() / 5 * 4);
    for letters in text.as_bytes().chunks(5) {
        let mut word = 0_u32;
        for letter in letters {
            let digit = ALPHABET.iter().position(|known| known == letter)?;
            word = word
                .checked_mul(85)?
                .checked_add(u32::try_from(digit).ok()?)?;
        }
        bytes.extend(word.to_be_bytes());
    }
    Some(bytes)
}

/// The numbers of a set.
fn numbers(bytes: &[u8]) -> Option<Vec<u64>> {
    let mut rest = Bytes(bytes);
    if rest.u32()? != MAGIC {
        return None;
    }
    let count = rest.u64()?;
    let mut all = Vec::new();
    for _ in 0..count {
        let high = u64::from(rest.u32()?) << 32;
        bitmap(&mut rest, high, &mut all)?;
    }
    all.is_sorted().then_some(all)
}

/// Adds the numbers of a bitmap of 32 bits.
fn bitmap(rest: &mut Bytes<'_>, high: u64, all: &mut Vec<u64>) -> Option<()> {
    let cookie = rest.u32()?;
    let (count, runs) = if cookie & 0xFFFF == WITH_RUNS {
        let count = (cookie >> 16) as usize + 1;
        (count, rest.take(count.div_ceil(8))?)
    } else if cookie == PLAIN {
        (rest.u32()? as usize, &[][..])
    } else {
        return None;
    };
    let mut containers = Vec::new();
    for _ in 0..count {
        containers.push((rest.u16()?, usize::from(rest.u16()?) + 1));
    }
    if runs.is_empty() || count >= PLACES {
        rest.take(count.checked_mul(4)?)?;
    }
    for (number, (key, size)) in containers.into_iter().enumerate() {
        let base = high | u64::from(key) << 16;
        let is_runs = runs
            .get(number / 8)
            .is_some_and(|byte| byte >> (number % 8) & 1 == 1);
        if is_runs {
            for _ in 0..rest.u16()? {
                let (first, more) = (u64::from(rest.u16()?), u64::from(rest.u16()?));
                all.extend(base + first..=base + first + more);
            }
        } else if size <= SPARSE {
            for _ in 0..size {
                all.push(base + u64::from(rest.u16()?));
            }
        } else {
            let bits = rest.take(8192)?;
            let set = (0..65_536).filter(|at: &u64| {
                let byte = bits[usize::try_from(at / 8).unwrap_or_default()];
                byte >> (at % 8) & 1 == 1
            });
            all.extend(set.map(|at| base + at));
        }
    }
    Some(())
}

/// Bytes that are read one after the other.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn u16(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes(self.take(2)?.try_into().ok()?))
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the protocol.
    #[test]
    fn a_vector_in_the_log_is_read() {
        let vector = DeletionVector {
            storage_type: "i".to_owned(),
            path_or_inline_dv: "^Bg9^0rr910000000000iXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L".to_owned(),
            offset: None,
            size_in_bytes: 44,
            cardinality: 6,
        };
        assert_eq!(
            deleted(Path::new("/t"), &vector).unwrap(),
            [3, 4, 7, 11, 18, 29]
        );
        let less = DeletionVector {
            cardinality: 5,
            ..vector
        };
        assert_eq!(
            deleted(Path::new("/t"), &less).unwrap_err().kind(),
            ErrorKind::ConversionFailed
        );
    }

    #[test]
    fn a_name_is_a_folder_and_a_uuid() {
        let path = beside(Path::new("/t"), "ab^-aqEH.-t@S}K{vb[*k^").unwrap();
        let expected = "/t/ab/deletion_vector_d2c639aa-8816-431a-aaf6-d3fe2512ff61.bin";
        assert_eq!(path, Path::new(expected));
    }

    #[test]
    fn every_kind_of_container_is_read() {
        let mut bytes = Vec::new();
        bytes.extend(MAGIC.to_le_bytes());
        bytes.extend(1_u64.to_le_bytes());
        bytes.extend(1_u32.to_le_bytes());
        // Two containers, of which the first holds runs.
        bytes.extend((WITH_RUNS | 1 << 16).to_le_bytes());
        bytes.push(0b01);
        for (key, less) in [(0_u16, 4_u16), (2, 4999)] {
            bytes.extend(key.to_le_bytes());
            bytes.extend(less.to_le_bytes());
        }
        for word in [1_u16, 10, 4] {
            bytes.extend(word.to_le_bytes());
        }
        let mut bits = vec![0_u8; 8192];
        bits[..625].fill(0xFF);
        bytes.extend(bits);
        let found = numbers(&bytes).unwrap();
        let base = 1_u64 << 32;
        let expected: Vec<u64> = (base + 10..=base + 14)
            .chain(base + 131_072..base + 136_072)
            .collect();
        assert_eq!(found, expected);
        for cut in 0..bytes.len() {
            assert_eq!(numbers(&bytes[..cut]), None, "{cut}");
        }
    }
}
