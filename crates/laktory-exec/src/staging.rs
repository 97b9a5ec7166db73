//! Outputs that appear whole or not at all: written to a staging folder beside their target, published by rename.
//!
//! A staging folder is named `.laktory-staging-<run>-<n>` and holds a lock file that its run keeps locked. What a killed
//! run leaves is recognised by its free lock, and removed by the next run that writes beside it ([`sweep`]).

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use laktory_core::{Error, ErrorKind, Result};

const PREFIX: &str = ".laktory-staging-";
const LOCK: &str = "lock";

/// A staging folder, removed with all it holds when dropped.
#[derive(Debug)]
pub(crate) struct Staging {
    folder: PathBuf,
    /// Parents that did not exist before, outermost first; removed again while they are empty.
    created: Vec<PathBuf>,
    /// Held for the life of the folder.
    _lock: File,
}

impl Staging {
    /// Makes a staging folder in `parent`, which is created when missing. `id` is unique among living runs.
    ///
    /// # Errors
    /// `Io` when the folder cannot be written.
    pub(crate) fn create(parent: &Path, id: &str) -> Result<Self> {
        let created = create_parents(parent).map_err(|error| unwritable(parent, error))?;
        let folder = parent.join(format!("{PREFIX}{id}"));
        // A sweeping run may remove the folder before its lock is held: try again then.
        for _ in 0..100 {
            match lock_new(&folder) {
                Ok(Some(lock)) => {
                    return Ok(Self {
                        folder,
                        created,
                        _lock: lock,
                    });
                }
                Ok(None) => {}
                Err(error) => {
                    remove_empty(&created);
                    return Err(unwritable(parent, error));
                }
            }
        }
        Err(Error::internal(format!(
            "the staging folder `{}` vanishes again and again",
            folder.display()
        )))
    }

    /// A path inside the staging folder.
    #[must_use]
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // What cannot be removed now is removed by the next run's sweep.
        let _ = fs::remove_dir_all(&self.folder);
        remove_empty(&self.created);
    }
}

/// Removes what killed runs left in `parent`.
pub(crate) fn sweep(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else {
        return;
    };
    for entry in entries.flatten() {
        if !entry.file_name().to_string_lossy().starts_with(PREFIX) {
            continue;
        }
        let folder = entry.path();
        match File::options()
            .read(true)
            .write(true)
            .open(folder.join(LOCK))
        {
            Ok(lock) => {
                if lock.try_lock().is_ok() {
                    let _ = fs::remove_dir_all(&folder);
                }
            }
            // Killed between making the folder and its lock: only an empty folder can be meant.
            Err(_) => {
                let _ = fs::remove_dir(&folder);
            }
        }
    }
}

/// Makes a staged file or folder durable and puts it in the place of `target`, in one step.
///
/// # Errors
/// `Io` when the target cannot be replaced; it is then as it was.
pub(crate) fn publish(staged: &Path, target: &Path) -> Result<()> {
    let failed = |error: io::Error| {
        Error::from(error).context(format!("cannot replace `{}`", target.display()))
    };
    sync(staged).map_err(failed)?;
    if staged.is_dir() && target.is_dir() {
        exchange(staged, target).map_err(failed)?;
    } else {
        fs::rename(staged, target).map_err(failed)?;
    }
    sync_parent(target).map_err(failed)
}

/// Removes an output: a file, or a folder with all it holds. A missing one is fine (R-PURGE-1).
///
/// # Errors
/// `Io` when it cannot be removed.
pub(crate) fn remove(target: &Path) -> Result<()> {
    let removed = if target.is_dir() {
        fs::remove_dir_all(target)
    } else {
        fs::remove_file(target)
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::from(error).context(format!("cannot remove `{}`", target.display())))
        }
        _ => Ok(()),
    }
}

/// Bytes of a file, or of all files below a folder.
#[must_use]
pub(crate) fn size(path: &Path) -> u64 {
    walkdir::WalkDir::new(path)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.metadata().ok())
        .filter(fs::Metadata::is_file)
        .map(|metadata| metadata.len())
        .sum()
}

fn lock_new(folder: &Path) -> io::Result<Option<File>> {
    match fs::create_dir(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let path = folder.join(LOCK);
    let lock = match File::options().create_new(true).write(true).open(&path) {
        Ok(lock) => lock,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    match lock.try_lock() {
        Ok(()) => Ok(path.exists().then_some(lock)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn create_parents(parent: &Path) -> io::Result<Vec<PathBuf>> {
    let mut missing: Vec<PathBuf> = parent
        .ancestors()
        .take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists())
        .map(Path::to_path_buf)
        .collect();
    missing.reverse();
    fs::create_dir_all(parent)?;
    Ok(missing)
}

fn remove_empty(folders: &[PathBuf]) {
    for folder in folders.iter().rev() {
        if fs::remove_dir(folder).is_err() {
            break;
        }
    }
}

fn unwritable(parent: &Path, error: io::Error) -> Error {
    Error::new(
        ErrorKind::Io,
        format!("cannot write to folder `{}`: {error}", shown(parent)),
    )
    .with_source(error)
    .with_hint(
        "outputs are staged in a hidden folder beside their target; the folder must be writable",
    )
}

fn shown(folder: &Path) -> String {
    if folder.as_os_str().is_empty() {
        ".".to_owned()
    } else {
        folder.display().to_string()
    }
}

fn sync(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            sync(&entry?.path())?;
        }
    }
    File::open(path)?.sync_all()
}

fn sync_parent(target: &Path) -> io::Result<()> {
    let parent = match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    if cfg!(unix) {
        File::open(parent)?.sync_all()?;
    }
    Ok(())
}

/// Swaps two folders in one step; the old one ends in the staging folder, and goes with it.
#[cfg(target_os = "linux")]
fn exchange(staged: &Path, target: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    match renameat_with(CWD, staged, CWD, target, RenameFlags::EXCHANGE) {
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => swap(staged, target),
        other => Ok(other?),
    }
}

#[cfg(not(target_os = "linux"))]
fn exchange(staged: &Path, target: &Path) -> io::Result<()> {
    swap(staged, target)
}

/// Where the file system cannot exchange folders: two renames, with the old folder put back when the second fails.
fn swap(staged: &Path, target: &Path) -> io::Result<()> {
    let old = staged.with_extension("replaced");
    fs::rename(target, &old)?;
    fs::rename(staged, target).inspect_err(|_| {
        // The first error is the one to report.
        let _ = fs::rename(&old, target);
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_staging_folder_leaves_nothing_behind() {
        let root = tempfile::tempdir().unwrap();
        let parent = root.path().join("a/b");
        let staging = Staging::create(&parent, "1").unwrap();
        fs::write(staging.path("x"), "half").unwrap();
        drop(staging);
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0);
    }

    #[test]
    fn published_outputs_survive_and_replace() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("new/x.txt");
        for text in ["one", "two"] {
            let staging = Staging::create(target.parent().unwrap(), "1").unwrap();
            fs::write(staging.path("x"), text).unwrap();
            publish(&staging.path("x"), &target).unwrap();
            drop(staging);
            assert_eq!(fs::read_to_string(&target).unwrap(), text);
            assert_eq!(fs::read_dir(target.parent().unwrap()).unwrap().count(), 1);
        }
    }

    #[test]
    fn folders_are_exchanged_whole() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("out");
        fs::create_dir(&target).unwrap();
        fs::write(target.join("old"), "old").unwrap();
        let staging = Staging::create(root.path(), "1").unwrap();
        fs::create_dir(staging.path("out")).unwrap();
        fs::write(staging.path("out/new"), "new").unwrap();
        publish(&staging.path("out"), &target).unwrap();
        drop(staging);
        assert!(target.join("new").exists() && !target.join("old").exists());
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
    }

    #[test]
    fn sweep_spares_the_living_and_removes_the_dead() {
        let root = tempfile::tempdir().unwrap();
        let living = Staging::create(root.path(), "living").unwrap();
        let dead = root.path().join(".laktory-staging-dead");
        fs::create_dir(&dead).unwrap();
        fs::write(dead.join(LOCK), "").unwrap();
        fs::write(dead.join("half"), "").unwrap();
        fs::create_dir(root.path().join(".laktory-staging-just-born")).unwrap();
        sweep(root.path());
        assert!(living.path(LOCK).exists());
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
    }

    #[test]
    fn an_unwritable_folder_is_a_clear_error() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("file"), "").unwrap();
        let error = Staging::create(&root.path().join("file/sub"), "1").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io);
        assert!(
            error.message().contains("cannot write to folder"),
            "{error}"
        );
    }
}
