//! Files of the log on this machine: put where none is, in one step, and durable.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::path::Path;

use laktory_core::{Error, ErrorKind, Result};

/// How the names begin of entries that are not in their place yet. Readers pass them by.
const UNFINISHED: &str = ".laktory-entry-";

const MOST_TRIES: u32 = 10;

/// Whether something was put in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Put {
    Done,
    /// Something is there.
    Taken,
}

/// Puts a file where none is: readers see all of it or nothing, and it stays after a loss of power.
///
/// # Errors
/// `Unsupported` where the file system has no second names for files; `Io`.
pub(crate) fn put_if_absent(file: &Path, bytes: &[u8], id: &str) -> Result<Put> {
    let failed =
        |error: io::Error| Error::from(error).context(format!("cannot write `{}`", file.display()));
    let folder = file.parent().unwrap_or(Path::new("."));
    let mut outcome = link(folder, file, bytes, id);
    for again in 0..MOST_TRIES {
        // Somebody who cleans up took the file for that of a killed writer, before it was locked.
        if !matches!(&outcome, Err(error) if error.kind() == io::ErrorKind::NotFound) {
            break;
        }
        outcome = link(folder, file, bytes, &format!("{id}-{again}"));
    }
    match outcome {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(Put::Taken),
        Err(error) if has_no_links(&error) => {
            let message = format!(
                "`{}` lies on a file system without hard links, on which two writers cannot be kept apart",
                folder.display()
            );
            return Err(Error::new(ErrorKind::Unsupported, message)
                .with_hint("keep the table on a local disk"));
        }
        Err(error) => return Err(failed(error)),
    }
    sync_folder(folder).map_err(failed)?;
    Ok(Put::Done)
}

/// Writes a file under another name, and gives it its own where that is free.
fn link(folder: &Path, file: &Path, bytes: &[u8], id: &str) -> io::Result<()> {
    let unfinished = folder.join(format!("{UNFINISHED}{id}"));
    let mut written = File::create_new(&unfinished)?;
    // Tells those who clean up that it is in use.
    let _ = written.try_lock();
    let linked = written
        .write_all(bytes)
        .and_then(|()| written.sync_all())
        .and_then(|()| fs::hard_link(&unfinished, file));
    // Once it has its own name, the other one is litter at worst.
    let _ = fs::remove_file(&unfinished);
    linked
}

fn has_no_links(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied
    )
}

/// Removes entries that killed writers left before they were in their place.
pub(crate) fn sweep(log: &Path) {
    let Ok(entries) = fs::read_dir(log) else {
        return;
    };
    for entry in entries.flatten() {
        if !entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
            continue;
        }
        let Ok(file) = File::open(entry.path()) else {
            continue;
        };
        match file.try_lock() {
            // What cannot be removed now is removed by the next commit.
            Ok(()) => drop(fs::remove_file(entry.path())),
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => {}
        }
    }
}

/// Puts a file in the place of another, whole.
///
/// # Errors
/// `Io`.
pub(crate) fn replace(file: &Path, id: &str, write: impl FnOnce(File) -> Result<()>) -> Result<()> {
    let failed =
        |error: io::Error| Error::from(error).context(format!("cannot write `{}`", file.display()));
    let folder = file.parent().unwrap_or(Path::new("."));
    let unfinished = folder.join(format!("{UNFINISHED}{id}"));
    let opened = File::create_new(&unfinished).map_err(failed)?;
    let _ = opened.try_lock();
    let kept = opened.try_clone().map_err(failed)?;
    let outcome = write(opened)
        .and_then(|()| kept.sync_all().map_err(failed))
        .and_then(|()| fs::rename(&unfinished, file).map_err(failed))
        .and_then(|()| sync_folder(folder).map_err(failed));
    if outcome.is_err() {
        // The first error is the one to report.
        let _ = fs::remove_file(&unfinished);
    }
    outcome
}

/// Brings the names in a folder to the disk.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    match cfg!(unix) {
        true => File::open(folder)?.sync_all(),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_writers_one_is_told_that_it_was_too_late() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("0.json");
        assert_eq!(put_if_absent(&file, b"a", "1").unwrap(), Put::Done);
        assert_eq!(put_if_absent(&file, b"b", "2").unwrap(), Put::Taken);
        assert_eq!(fs::read(&file).unwrap(), b"a");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_killed_writers_left_goes_and_what_is_in_use_stays() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(".laktory-entry-dead"), "").unwrap();
        let living = File::create_new(folder.path().join(".laktory-entry-living")).unwrap();
        living.try_lock().unwrap();
        fs::write(folder.path().join("0.json"), "").unwrap();
        sweep(folder.path());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
