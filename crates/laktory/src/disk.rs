//! Files of configuration on disk. Only regular ones are opened, and only up to a length: a pipeline is text that
//! somebody wrote, not a device, a pipe or what a kernel makes up while it is read.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read as _};
use std::path::Path;

/// The bytes of a file, at most `most`.
///
/// # Errors
/// `InvalidInput` for what is no regular file, `FileTooLarge`, or what the file system says.
pub(crate) fn read(path: &Path, most: usize) -> io::Result<Vec<u8>> {
    // Opening a device may do something already.
    regular(&std::fs::metadata(path)?)?;
    let mut file = open(path)?;
    let metadata = file.metadata()?;
    // What was looked at by name may have been replaced since.
    regular(&metadata)?;
    let length = usize::try_from(metadata.len()).unwrap_or(usize::MAX);
    if length > most {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    let mut bytes = Vec::with_capacity(length + 1);
    (&mut file).take(most as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > most {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    if length == 0 && !bytes.is_empty() {
        return Err(irregular("a file that is not on a disk"));
    }
    Ok(bytes)
}

/// Opens without waiting for the other end of what has become a pipe.
fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
        options.custom_flags(flags.bits().cast_signed());
    }
    options.open(path)
}

fn regular(metadata: &Metadata) -> io::Result<()> {
    let kind = metadata.file_type();
    if kind.is_file() {
        Ok(())
    } else if kind.is_dir() {
        Err(irregular("a folder"))
    } else {
        Err(irregular("a device, a pipe or a socket"))
    }
}

fn irregular(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, what)
}
