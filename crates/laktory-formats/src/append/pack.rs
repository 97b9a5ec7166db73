//! Compression around a text: told from the first bytes when it is read, chosen when it is written.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read as _, Seek as _, SeekFrom, Write};
use std::path::Path;

use laktory_core::{Error, Result};

/// How a text is compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pack {
    /// Not.
    #[default]
    None,
    /// In one member of gzip, at a level from 0 to 9.
    Gzip(Option<u32>),
    /// In one frame of zstd, at a level from 1 to 22.
    Zstd(Option<u32>),
}

const GZIP: &[u8] = b"\x1f\x8b";
const ZSTD: &[u8] = b"\x28\xb5\x2f\xfd";

/// The text of a file, whatever it is compressed with.
pub(super) fn text(path: &Path) -> Result<Box<dyn BufRead>> {
    let named = |error: io::Error| Error::from(error).context(format!("`{}`", path.display()));
    let mut file = File::open(path).map_err(named)?;
    let mut head = Vec::with_capacity(4);
    (&mut file).take(4).read_to_end(&mut head).map_err(named)?;
    file.seek(SeekFrom::Start(0)).map_err(named)?;
    let file = BufReader::with_capacity(1 << 18, file);
    Ok(if head.starts_with(GZIP) {
        let text = flate2::bufread::MultiGzDecoder::new(file);
        Box::new(BufReader::with_capacity(1 << 18, text))
    } else if head.starts_with(ZSTD) {
        let text = zstd::Decoder::with_buffer(file).map_err(named)?;
        Box::new(BufReader::with_capacity(1 << 18, text))
    } else {
        Box::new(file)
    })
}

/// A text that is being written.
pub(super) enum Packed {
    Plain(BufWriter<File>),
    Gzip(Box<flate2::write::GzEncoder<BufWriter<File>>>),
    Zstd(zstd::Encoder<'static, BufWriter<File>>),
}

impl Packed {
    pub(super) fn create(path: &Path, pack: Pack) -> Result<Self> {
        let file = super::created(path)?;
        Ok(match pack {
            Pack::None => Self::Plain(file),
            Pack::Gzip(level) => {
                let level =
                    level.map_or_else(flate2::Compression::default, flate2::Compression::new);
                Self::Gzip(Box::new(flate2::write::GzEncoder::new(file, level)))
            }
            Pack::Zstd(level) => {
                let level = level.and_then(|level| i32::try_from(level).ok());
                Self::Zstd(zstd::Encoder::new(file, level.unwrap_or(0))?)
            }
        })
    }

    pub(super) fn finish(self) -> Result<()> {
        match self {
            Self::Plain(mut file) => file.flush()?,
            Self::Gzip(encoder) => encoder.finish()?.flush()?,
            Self::Zstd(encoder) => encoder.finish()?.flush()?,
        }
        Ok(())
    }
}

impl Write for Packed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(file) => file.write(bytes),
            Self::Gzip(encoder) => encoder.write(bytes),
            Self::Zstd(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(file) => file.flush(),
            Self::Gzip(encoder) => encoder.flush(),
            Self::Zstd(encoder) => encoder.flush(),
        }
    }
}
