//! Compressed texts: what a file is compressed with is told by its first bytes, whatever its name says, and by all engines alike.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read as _, Seek as _, SeekFrom, Write};
use std::path::Path;

use laktory_core::{Error, ErrorKind, Result};

use crate::options::Given;

const BUFFER: usize = 1 << 18;

/// What UTF-8 may begin with.
const MARK: &[u8] = b"\xEF\xBB\xBF";

/// The option of writers of text that compresses their files.
pub const COMPRESSION: &str = "compression";

/// The option of how much is compressed.
pub const LEVEL: &str = "compression_level";

/// A way to compress a text, as a file shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Members of gzip (`.gz`).
    Gzip,
    /// A stream of zlib.
    Zlib,
    /// Frames of zstd (`.zst`).
    Zstd,
    /// Streams of bzip2 (`.bz2`).
    Bzip2,
    /// Streams of xz (`.xz`).
    Xz,
}

impl Compression {
    /// What the first bytes of a file, at least six of them where there are as many, tell.
    #[must_use]
    pub fn of(head: &[u8]) -> Option<Self> {
        Some(match head {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31 | 0x17, ..] => Self::Bzip2,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Self::Xz,
            // The fourth such head, `x^`, begins texts, too.
            [0x78, 0x01 | 0x9c | 0xda, ..] => Self::Zlib,
            _ => return None,
        })
    }

    /// How a file is compressed. Blocks.
    ///
    /// # Errors
    /// `NotFound`, `Io`, with the name of the file.
    pub fn of_file(file: &Path) -> Result<Option<Self>> {
        let mut head = Vec::with_capacity(6);
        opened(file)?
            .take(6)
            .read_to_end(&mut head)
            .map_err(|error| named(file, error))?;
        Ok(Self::of(&head))
    }
}

/// The text of a file: decompressed, without byte order mark. Blocks. A compressed file that ends early, or whose bytes are
/// damaged, gives an error of I/O where that shows, never an end.
///
/// # Errors
/// `NotFound`, `Io`, with the name of the file.
pub fn text(file: &Path) -> Result<Box<dyn BufRead + Send>> {
    let mut text = raw(file)?;
    let start = text.fill_buf().map_err(|error| named(file, error))?;
    if start.starts_with(MARK) {
        text.consume(MARK.len());
    }
    Ok(text)
}

/// As [`text`], with what it begins with.
///
/// # Errors
/// As [`text`].
pub fn raw(file: &Path) -> Result<Box<dyn BufRead + Send>> {
    let compression = Compression::of_file(file)?;
    let mut bytes = opened(file)?;
    bytes
        .seek(SeekFrom::Start(0))
        .map_err(|error| named(file, error))?;
    let bytes = BufReader::with_capacity(BUFFER, bytes);
    Ok(match compression {
        None => Box::new(bytes),
        Some(Compression::Gzip) => buffered(flate2::bufread::MultiGzDecoder::new(bytes)),
        Some(Compression::Zlib) => buffered(flate2::bufread::ZlibDecoder::new(bytes)),
        Some(Compression::Zstd) => {
            buffered(zstd::Decoder::with_buffer(bytes).map_err(|error| named(file, error))?)
        }
        Some(Compression::Bzip2) => buffered(bzip2::bufread::MultiBzDecoder::new(bytes)),
        Some(Compression::Xz) => buffered(liblzma::bufread::XzDecoder::new_multi_decoder(bytes)),
    })
}

fn buffered(text: impl io::Read + Send + 'static) -> Box<dyn BufRead + Send> {
    Box::new(BufReader::with_capacity(BUFFER, Unpacked(text)))
}

const TORN: &str = "the compressed text is damaged, or ends early";

/// What a decompressor gives; its errors say what they mean.
struct Unpacked<R>(R);

impl<R: io::Read> io::Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(|error| {
            let of_system = error.raw_os_error().is_some();
            match of_system || error.kind() == io::ErrorKind::Interrupted {
                true => error,
                false => io::Error::new(io::ErrorKind::InvalidData, TORN),
            }
        })
    }
}

fn opened(file: &Path) -> Result<File> {
    File::open(file).map_err(|error| named(file, error))
}

/// The error of a file that cannot be read, torn ones among them.
pub(crate) fn named(file: &Path, error: io::Error) -> Error {
    let torn = matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput
    );
    let error = match torn {
        true => Error::new(ErrorKind::ConversionFailed, TORN)
            .with_source(error)
            .with_hint("bring the file here once more, or write it again"),
        false => Error::from(error),
    };
    error.context(format!("`{}`", file.display()))
}

/// How a text is compressed when it is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pack {
    /// Not.
    #[default]
    None,
    /// In one member of gzip, at a level from 0 to 9.
    Gzip(Option<u32>),
    /// In one frame of zstd, at a level from 1 to 22.
    Zstd(Option<u32>),
    /// In one stream of bzip2, at a level from 1 to 9.
    Bzip2(Option<u32>),
}

impl Pack {
    /// What the options `compression` and `compression_level` of a writer ask for.
    ///
    /// # Errors
    /// `InvalidArgument` for a compression or a level that is not there.
    pub fn given(given: &Given<'_>) -> Result<Self> {
        let level = match given.has(LEVEL) {
            true => given.count(LEVEL)?,
            false => None,
        };
        let level = level.map(|level| u32::try_from(level).unwrap_or(u32::MAX));
        let chosen = given.one_of(
            COMPRESSION,
            &[
                ("none", (Self::None, 0..=u32::MAX)),
                ("uncompressed", (Self::None, 0..=u32::MAX)),
                ("gzip", (Self::Gzip(level), 0..=9)),
                ("gz", (Self::Gzip(level), 0..=9)),
                ("zstd", (Self::Zstd(level), 1..=22)),
                ("zst", (Self::Zstd(level), 1..=22)),
                ("bzip2", (Self::Bzip2(level), 1..=9)),
                ("bz2", (Self::Bzip2(level), 1..=9)),
            ],
        )?;
        let (pack, levels) = chosen.unwrap_or((Self::None, 0..=u32::MAX));
        match level {
            Some(level) if !levels.contains(&level) => Err(given.refused(
                LEVEL,
                format!(
                    "is out of range: it goes from {} to {}",
                    levels.start(),
                    levels.end()
                ),
            )),
            _ => Ok(pack),
        }
    }
}

/// A text that is being written.
pub enum Packed {
    /// As it is.
    Plain(BufWriter<File>),
    /// In gzip.
    Gzip(Box<flate2::write::GzEncoder<BufWriter<File>>>),
    /// In zstd.
    Zstd(zstd::Encoder<'static, BufWriter<File>>),
    /// In bzip2.
    Bzip2(Box<bzip2::write::BzEncoder<BufWriter<File>>>),
}

impl std::fmt::Debug for Packed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Packed").finish_non_exhaustive()
    }
}

impl Packed {
    /// Creates a file that does not exist yet. Blocks.
    ///
    /// # Errors
    /// `Io`, with the name of the file.
    pub fn create(path: &Path, pack: Pack) -> Result<Self> {
        let file = File::create_new(path).map_err(|error| named(path, error))?;
        let file = BufWriter::with_capacity(BUFFER, file);
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
            Pack::Bzip2(level) => {
                let level = level.map_or_else(bzip2::Compression::default, bzip2::Compression::new);
                Self::Bzip2(Box::new(bzip2::write::BzEncoder::new(file, level)))
            }
        })
    }

    /// Ends the text, and the file. Blocks.
    ///
    /// # Errors
    /// `Io`.
    pub fn finish(self) -> Result<()> {
        match self {
            Self::Plain(mut file) => file.flush()?,
            Self::Gzip(encoder) => encoder.finish()?.flush()?,
            Self::Zstd(encoder) => encoder.finish()?.flush()?,
            Self::Bzip2(encoder) => encoder.finish()?.flush()?,
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
            Self::Bzip2(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(file) => file.flush(),
            Self::Gzip(encoder) => encoder.flush(),
            Self::Zstd(encoder) => encoder.flush(),
            Self::Bzip2(encoder) => encoder.flush(),
        }
    }
}
