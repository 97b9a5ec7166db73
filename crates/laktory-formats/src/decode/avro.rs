//! AVRO: object container files. The reader of Arrow decodes them; what it passes over in silence is looked at here: blocks
//! that are torn, or not where they should be, and values that are not what the schema says.

mod blocks;
mod walk;

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
use blocks::{Blocks, Codec, Fault};
use walk::Records;

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

fn reader(file: &Path, builder: ReaderBuilder) -> Result<(Reader<Blocks>, Fault)> {
    let mut bytes = opened(file)?;
    let header = header(file, &mut bytes)?;
    let schema = header.schema.as_deref().unwrap_or_default();
    let records = Records::of(schema).ok_or_else(|| no_schema(file))?;
    let blocks = Blocks::new(bytes, (header.codec, schema), records, header.sync);
    let fault = blocks.fault();
    let reader = builder
        .build(blocks)
        .map_err(|error| no_schema(file).with_source(error))?;
    Ok((reader, fault))
}

fn no_schema(file: &Path) -> Error {
    Error::new(
        ErrorKind::ConversionFailed,
        format!("the schema of `{}` cannot be read", file.display()),
    )
    .with_hint(
        "what is read are records, whose types may be nested, up to 64 deep, and not recursive",
    )
}

impl Decoder for Avro {
    fn look(&self, file: &Path) -> Result<Stored> {
        let rows = rows(file)?;
        let (reader, _) = reader(file, builder())?;
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
        let (reader, fault) = reader(file, builder.with_projection(columns.to_vec()))?;
        Ok(Box::new(Rows {
            path: file.to_owned(),
            reader,
            fault,
        }))
    }
}

struct Rows {
    path: PathBuf,
    reader: Reader<Blocks>,
    fault: Fault,
}

impl Iterator for Rows {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.reader.next()?;
        Some(batch.map_err(|error| {
            match self.fault.get() {
                None => damaged(&Format::Avro, &self.path).with_source(error),
                Some(what) => Error::new(
                    ErrorKind::ConversionFailed,
                    format!("`{}` is no readable AVRO file: {what}", self.path.display()),
                )
                .with_hint(
                    "it is damaged, or its writer has not kept to its schema: write it again",
                ),
            }
        }))
    }
}

/// The rows of a file, by the heads of its blocks. Each of them has to end with the mark of the file, and the last one with
/// the file.
fn rows(file: &Path) -> Result<u64> {
    let mut bytes = opened(file)?;
    let length = bytes.get_ref().metadata()?.len();
    let torn = |at, what: &str| torn(file, at, what);
    let Header { sync, codec, .. } = header(file, &mut bytes)?;
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
        if count == 0 && size > 0 && codec == Codec::Null {
            return Err(torn(
                at,
                &format!("block {number} of no rows holds {size} bytes"),
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

fn torn(file: &Path, at: u64, what: &str) -> Error {
    Error::new(
        ErrorKind::ConversionFailed,
        format!(
            "`{}` is no whole AVRO file: {what}, at byte {at}",
            file.display()
        ),
    )
    .with_hint("it is damaged, cut off, or of another format: write it again")
}

/// What a file begins with.
struct Header {
    codec: Codec,
    schema: Option<Vec<u8>>,
    /// What ends each block.
    sync: [u8; SYNC],
}

/// Reads the header of a file, up to its first block.
fn header(file: &Path, bytes: &mut (impl BufRead + Seek)) -> Result<Header> {
    let mut magic = Vec::with_capacity(MAGIC.len());
    bytes.take(MAGIC.len() as u64).read_to_end(&mut magic)?;
    if magic != MAGIC {
        return Err(torn(file, 0, "it does not begin as one"));
    }
    let (mut codec, mut schema) = (None, None);
    let sync = entries(bytes, |name, value| match name {
        b"avro.codec" => codec = Some(value),
        b"avro.schema" => schema = Some(value),
        _ => {}
    });
    let sync = sync.ok_or_else(|| torn(file, 0, "its header ends early"))?;
    let name = codec.unwrap_or_else(|| b"null".to_vec());
    let codec = Codec::of(&name).ok_or_else(|| {
        Error::unsupported(format!(
            "`{}` is compressed with `{}`, which is not read",
            file.display(),
            String::from_utf8_lossy(&name).escape_debug()
        ))
        .with_hint("files of deflate, snappy, zstandard, bzip2 and xz are read")
    })?;
    Ok(Header {
        codec,
        schema,
        sync,
    })
}

/// Hands each entry of a header to `each`, and gives the mark that ends blocks.
fn entries(
    bytes: &mut (impl BufRead + Seek),
    mut each: impl FnMut(&[u8], Vec<u8>),
) -> Option<[u8; SYNC]> {
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
            let name = text(bytes)?;
            each(&name, text(bytes)?);
        }
    }
    let mut sync = [0; SYNC];
    bytes.read_exact(&mut sync).ok()?;
    Some(sync)
}

fn text(bytes: &mut impl BufRead) -> Option<Vec<u8>> {
    let length = u64::try_from(long(bytes)?).ok()?;
    let mut text = Vec::new();
    bytes.take(length).read_to_end(&mut text).ok()?;
    (text.len() as u64 == length).then_some(text)
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

#[cfg(test)]
mod tests;
