//! AVRO: object container files. The reader of Arrow decodes them; what it passes over in silence is looked at here: blocks
//! that are torn, or not where they should be.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_avro::codec::Tz;
use arrow_avro::reader::{Reader, ReaderBuilder};
use arrow_schema::Schema;
use laktory_core::{Error, ErrorKind, Format, ReadSpec, Result};

use super::{Batches, Decoder, Stored};
use crate::damaged;
use crate::options::Given;

/// Options of reading.
pub(super) const OPTIONS: &[&str] = &[
    "allow_missing_columns",
    "extra_columns",
    "hive_partitioning",
    "include_file_paths",
    "missing_columns",
    "n_rows",
    "recursiveFileLookup",
];

const MAGIC: &[u8] = b"Obj\x01";

/// Bytes that end the header and each block.
const SYNC: usize = 16;

#[derive(Debug)]
struct Avro;

#[allow(
    clippy::unnecessary_wraps,
    reason = "formats make their decoders alike"
)]
pub(super) fn decoder(_: &ReadSpec, _: &Given<'_>) -> Result<Arc<dyn Decoder>> {
    Ok(Arc::new(Avro))
}

fn opened(file: &Path) -> Result<BufReader<File>> {
    let opened = File::open(file)
        .map_err(|error| Error::from(error).context(format!("`{}`", file.display())))?;
    Ok(BufReader::with_capacity(1 << 18, opened))
}

fn builder() -> ReaderBuilder {
    // Its views of texts have empty ones in the place of nulls.
    ReaderBuilder::new().with_utf8_view(false).with_tz(Tz::Utc)
}

fn reader(file: &Path, builder: ReaderBuilder) -> Result<Reader<BufReader<File>>> {
    builder.build(opened(file)?).map_err(|error| {
        let text = error.to_string();
        match text.contains("codec") || text.contains("compression") {
            true => Error::unsupported(format!(
                "`{}` is compressed in a way that is not read",
                file.display()
            ))
            .with_hint("files of deflate, snappy, zstandard, bzip2 and xz are read"),
            false => Error::new(
                ErrorKind::ConversionFailed,
                format!("the schema of `{}` cannot be read", file.display()),
            )
            .with_hint("what is read are records, whose types may be nested, and not recursive"),
        }
        .with_source(error)
    })
}

impl Decoder for Avro {
    fn look(&self, file: &Path) -> Result<Stored> {
        let rows = rows(file)?;
        let reader = reader(file, builder())?;
        Ok(Stored {
            schema: reader.schema(),
            rows: Some(rows),
        })
    }

    fn open(&self, file: &Path, columns: &[usize], batch_size: usize) -> Result<Batches> {
        let builder = builder().with_batch_size(batch_size);
        if columns.is_empty() {
            // Nothing to decode.
            let (rows, schema) = (rows(file)?, Arc::new(Schema::empty()));
            return Ok(Box::new(super::counted(rows, schema, batch_size)));
        }
        let reader = reader(file, builder.with_projection(columns.to_vec()))?;
        Ok(Box::new(Rows {
            path: file.to_owned(),
            reader,
        }))
    }
}

struct Rows {
    path: PathBuf,
    reader: Reader<BufReader<File>>,
}

impl Iterator for Rows {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.reader.next()?;
        Some(batch.map_err(|error| damaged(&Format::Avro, &self.path).with_source(error)))
    }
}

/// The rows of a file, by the heads of its blocks. Each of them has to end with the mark of the file, and the last one with
/// the file.
fn rows(file: &Path) -> Result<u64> {
    let mut bytes = opened(file)?;
    let length = bytes.get_ref().metadata()?.len();
    let torn = |at: u64, what: &str| {
        Error::new(
            ErrorKind::ConversionFailed,
            format!(
                "`{}` is no whole AVRO file: {what}, at byte {at}",
                file.display()
            ),
        )
        .with_hint("it is damaged, cut off, or of another format: write it again")
    };
    let mut magic = Vec::with_capacity(MAGIC.len());
    (&mut bytes)
        .take(MAGIC.len() as u64)
        .read_to_end(&mut magic)?;
    if magic != MAGIC {
        return Err(torn(0, "it does not begin as one"));
    }
    let sync = header(&mut bytes).ok_or_else(|| torn(0, "its header ends early"))?;
    let mut rows = 0_u64;
    let mut number = 0_u64;
    loop {
        if bytes.fill_buf()?.is_empty() {
            return Ok(rows);
        }
        number += 1;
        let at = bytes.stream_position()?;
        let head = long(&mut bytes).zip(long(&mut bytes));
        let head = head.and_then(|(count, size)| {
            Some((u64::try_from(count).ok()?, u64::try_from(size).ok()?))
        });
        let Some((count, size)) = head else {
            return Err(torn(at, &format!("block {number} has no head")));
        };
        let start = bytes.stream_position()?;
        let end = start
            .checked_add(size)
            .and_then(|end| end.checked_add(SYNC as u64));
        if end.is_none_or(|end| end > length) {
            return Err(torn(
                at,
                &format!("block {number} of {count} rows ends early"),
            ));
        }
        let size = i64::try_from(size).map_err(|_| torn(at, "a block is too long"))?;
        bytes.seek_relative(size)?;
        let mut mark = [0; SYNC];
        bytes.read_exact(&mut mark)?;
        if mark != sync {
            return Err(torn(
                at,
                &format!("block {number} of {count} rows does not end where it says"),
            ));
        }
        rows = rows.saturating_add(count);
    }
}

/// Reads the header behind the first bytes, up to the mark that ends each block.
fn header(bytes: &mut (impl BufRead + Seek)) -> Option<[u8; SYNC]> {
    loop {
        let mut entries = long(bytes)?;
        if entries == 0 {
            break;
        }
        if entries < 0 {
            // The length of the entries in bytes.
            long(bytes)?;
            entries = entries.checked_neg()?;
        }
        for _ in 0..entries {
            for _ in 0..2 {
                let length = long(bytes)?;
                let length = u64::try_from(length).ok()?;
                skip(bytes, length)?;
            }
        }
    }
    let mut sync = [0; SYNC];
    bytes.read_exact(&mut sync).ok()?;
    Some(sync)
}

fn skip(bytes: &mut impl BufRead, length: u64) -> Option<()> {
    let skipped = std::io::copy(&mut bytes.take(length), &mut std::io::sink());
    (skipped.ok()? == length).then_some(())
}

/// A whole number of variable length, in zigzag.
fn long(bytes: &mut impl BufRead) -> Option<i64> {
    let mut value = 0_u64;
    for place in 0..10 {
        let byte = *bytes.fill_buf().ok()?.first()?;
        bytes.consume(1);
        value |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            #[allow(clippy::cast_possible_wrap, reason = "the bits of a number in zigzag")]
            return Some((value >> 1) as i64 ^ -((value & 1) as i64));
        }
    }
    None
}
