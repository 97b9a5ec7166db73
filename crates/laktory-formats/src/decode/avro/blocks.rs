//! The blocks of a file, decompressed and looked at before the reader of Arrow gets them, as blocks of a file without
//! compression: it goes round for ever in those that hold other bytes than their records.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::sync::{Arc, OnceLock};

use super::walk::Records;
use super::{MAGIC, SYNC, long};

/// How blocks are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Codec {
    Null,
    Deflate,
    Snappy,
    Zstandard,
    Bzip2,
    Xz,
}

impl Codec {
    pub(super) fn of(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"null" => Self::Null,
            b"deflate" => Self::Deflate,
            b"snappy" => Self::Snappy,
            b"zstandard" => Self::Zstandard,
            b"bzip2" => Self::Bzip2,
            b"xz" => Self::Xz,
            _ => return None,
        })
    }

    fn decompressed(self, block: Vec<u8>) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        let bytes = block.as_slice();
        match self {
            Self::Null => return Some(block),
            Self::Deflate => flate2::read::DeflateDecoder::new(bytes).read_to_end(&mut out),
            Self::Zstandard => zstd::Decoder::new(bytes).ok()?.read_to_end(&mut out),
            Self::Bzip2 => bzip2::read::BzDecoder::new(bytes).read_to_end(&mut out),
            Self::Xz => liblzma::read::XzDecoder::new(bytes).read_to_end(&mut out),
            Self::Snappy => {
                let (bytes, sum) = bytes.split_last_chunk::<4>()?;
                let out = snap::raw::Decoder::new().decompress_vec(bytes).ok()?;
                let mut found = flate2::Crc::new();
                found.update(&out);
                return (found.sum() == u32::from_be_bytes(*sum)).then_some(out);
            }
        }
        .ok()?;
        Some(out)
    }
}

/// What is wrong with a block, for who asks the reader.
pub(super) type Fault = Arc<OnceLock<String>>;

/// A file without compression, of blocks that are what they say.
pub(super) struct Blocks {
    /// Behind the header.
    file: BufReader<File>,
    codec: Codec,
    records: Records,
    sync: [u8; SYNC],
    /// Of the last block, the first one being 1.
    number: u64,
    /// What is read next, from a place on.
    ready: Vec<u8>,
    at: usize,
    /// Whether the header is read, behind which its reader looks for an end.
    begun: bool,
    fault: Fault,
}

impl Blocks {
    pub(super) fn new(
        file: BufReader<File>,
        (codec, schema): (Codec, &[u8]),
        records: Records,
        sync: [u8; SYNC],
    ) -> Self {
        let mut ready = MAGIC.to_vec();
        push_long(&mut ready, 1);
        for text in [b"avro.schema", schema] {
            push_long(&mut ready, text.len());
            ready.extend_from_slice(text);
        }
        ready.push(0);
        ready.extend_from_slice(&sync);
        Self {
            file,
            codec,
            records,
            sync,
            number: 0,
            ready,
            at: 0,
            begun: false,
            fault: Fault::default(),
        }
    }

    pub(super) fn fault(&self) -> Fault {
        Arc::clone(&self.fault)
    }

    fn refused(&self, what: &str) -> io::Error {
        let text = format!("block {} is damaged: {what}", self.number);
        let _ = self.fault.set(text.clone());
        io::Error::new(io::ErrorKind::InvalidData, text)
    }

    /// Makes the next block ready, if there is one.
    fn advance(&mut self) -> io::Result<()> {
        self.ready.clear();
        self.at = 0;
        while self.ready.is_empty() && !self.file.fill_buf()?.is_empty() {
            self.number += 1;
            let head = long(&mut self.file).zip(long(&mut self.file));
            let head = head.and_then(|(count, size)| {
                Some((u64::try_from(count).ok()?, u64::try_from(size).ok()?))
            });
            let Some((count, size)) = head else {
                return Err(self.refused("it has no head"));
            };
            let mut block = Vec::new();
            (&mut self.file).take(size).read_to_end(&mut block)?;
            let mut mark = [0; SYNC];
            if block.len() as u64 != size
                || self.file.read_exact(&mut mark).is_err()
                || mark != self.sync
            {
                return Err(self.refused("it does not end where it says"));
            }
            // Some compress even nothing.
            let block = match (count, size) {
                (0, 0) => block,
                _ => self
                    .codec
                    .decompressed(block)
                    .ok_or_else(|| self.refused("its bytes cannot be decompressed"))?,
            };
            self.records
                .check(&block, count)
                .map_err(|what| self.refused(&format!("of {count} rows, {what}")))?;
            if count == 0 {
                continue;
            }
            let count = usize::try_from(count).map_err(io::Error::other)?;
            push_long(&mut self.ready, count);
            push_long(&mut self.ready, block.len());
            self.ready.extend_from_slice(&block);
            self.ready.extend_from_slice(&self.sync);
        }
        Ok(())
    }
}

impl Read for Blocks {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

impl BufRead for Blocks {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at == self.ready.len() {
            match self.begun {
                true => self.advance()?,
                false => self.begun = true,
            }
        }
        Ok(&self.ready[self.at..])
    }

    fn consume(&mut self, amount: usize) {
        self.at += amount;
    }
}

/// Adds a whole number above zero, in zigzag.
fn push_long(out: &mut Vec<u8>, value: usize) {
    let mut value = (value as u64) << 1;
    while value > 0x7f {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
