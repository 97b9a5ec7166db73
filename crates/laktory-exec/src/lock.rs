//! One run at a time for each target: held from before the old rows are read until the new ones are published.
//!
//! A lock is an empty hidden file beside its target, `.laktory-lock-<name>`, locked for as long as its run holds it open:
//! the system frees it when the run dies. It is removed with the lock; the next run removes what a killed one left.
//! A run takes all locks of a node in the order of their paths, and waits for nothing else while it holds them, so that
//! runs cannot wait for each other in a circle.

use std::fs::{self, File, TryLockError};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use laktory_core::{Cancel, Error, ErrorKind, Result};

use crate::staging::Parents;
use crate::target::Target;

const PREFIX: &str = ".laktory-lock-";
/// Between two looks at a lock that another run holds.
const PAUSE: Duration = Duration::from_millis(20);
/// Names up to this many bytes are part of the lock's name.
const LONGEST: usize = 200;

/// A target that no other run writes, until this is dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    path: PathBuf,
    /// None once it is released.
    file: Option<File>,
    /// Folders that were made for it, removed again while they are empty.
    _parents: Parents,
}

/// Locks every target, in an order that all runs share. Blocks.
///
/// # Errors
/// `Io` when another run holds one of them for longer than `timeout`, or the folder cannot be written; `InvalidArgument`
/// when two of them are one; `Cancelled`.
pub(crate) fn lock_all(
    targets: &[Target],
    timeout: Duration,
    cancel: &Cancel,
) -> Result<Vec<Lock>> {
    let mut order: Vec<&Target> = targets.iter().collect();
    order.sort_by(|one, other| one.real.cmp(&other.real));
    if let Some([one, other]) = order
        .array_windows()
        .find(|[one, other]| one.real == other.real)
    {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            format!("`{}` and `{}` are one target", one.given, other.given),
        )
        .with_hint("give each sink a target of its own"));
    }
    let mut locks = Vec::with_capacity(order.len());
    for target in order {
        locks.push(lock(target, timeout, cancel)?);
    }
    Ok(locks)
}

fn lock(target: &Target, timeout: Duration, cancel: &Cancel) -> Result<Lock> {
    let began = Instant::now();
    loop {
        cancel.check()?;
        let parents = Parents::make(target.parent())?;
        let path = target.parent().join(name(target));
        match try_lock(&path) {
            Ok(Some(file)) => {
                return Ok(Lock {
                    path,
                    file: Some(file),
                    _parents: parents,
                });
            }
            Ok(None) => {}
            // Its holder removed the folder together with the lock; or a link to nothing stands there.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                let what = format!("cannot lock `{}`", target.given);
                return Err(Error::from(error).context(what).with_hint(
                    "a lock is a hidden file beside the target; the folder must be writable, on a file system that has locks",
                ));
            }
        }
        if began.elapsed() >= timeout {
            return Err(Error::new(
                ErrorKind::Io,
                format!(
                    "another run writes `{}`, and did not end within {}",
                    target.given,
                    shown(timeout)
                ),
            )
            .with_hint("wait for it, or allow more time with `--lock-timeout`")
            .retryable());
        }
        std::thread::sleep(PAUSE.min(timeout));
    }
}

/// The lock, if it is free.
fn try_lock(path: &Path) -> io::Result<Option<File>> {
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(error)) => return Err(error),
    }
    // Its holder may have removed the file since it was opened: a lock on that one keeps nobody out.
    Ok(is_at(&file, path).then_some(file))
}

#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    match (file.metadata(), fs::symlink_metadata(path)) {
        (Ok(opened), Ok(there)) => (opened.dev(), opened.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_at(_: &File, path: &Path) -> bool {
    path.exists()
}

impl Drop for Lock {
    fn drop(&mut self) {
        // While it is locked, so that nobody holds a lock on the file that is removed.
        let _ = fs::remove_file(&self.path);
        self.file = None;
    }
}

/// Removes the locks that killed runs left in `folder`.
pub(crate) fn sweep(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let is_lock = entry.file_name().to_string_lossy().starts_with(PREFIX)
            && entry
                .metadata()
                .is_ok_and(|found| found.is_file() && found.len() == 0);
        if is_lock && let Ok(Some(file)) = try_lock(&entry.path()) {
            let _ = fs::remove_file(entry.path());
            drop(file);
        }
    }
}

fn name(target: &Target) -> std::ffi::OsString {
    let mut name = std::ffi::OsString::from(PREFIX);
    if target.name().len() <= LONGEST {
        name.push(target.name());
    } else {
        let mut hasher = DefaultHasher::new();
        target.name().hash(&mut hasher);
        name.push(format!("{:016x}", hasher.finish()));
    }
    name
}

fn shown(time: Duration) -> String {
    if time.subsec_millis() == 0 {
        format!("{} s", time.as_secs())
    } else {
        format!("{} ms", time.as_millis())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    fn target(root: &Path, name: &str) -> Target {
        Target::find(root.join(name).to_str().unwrap(), &[]).unwrap()
    }

    fn take(targets: &[Target], timeout: u64) -> Result<Vec<Lock>> {
        lock_all(targets, Duration::from_millis(timeout), &Cancel::new())
    }

    #[test]
    fn one_holder_at_a_time_and_nothing_is_left() {
        let root = tempfile::tempdir().unwrap();
        let targets = [target(root.path(), "b/x.csv"), target(root.path(), "a.csv")];
        let (inside, seen) = (AtomicU32::new(0), AtomicU32::new(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..20 {
                        let locks = take(&targets, 60_000).unwrap();
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                        seen.fetch_add(1, Ordering::SeqCst);
                        inside.fetch_sub(1, Ordering::SeqCst);
                        drop(locks);
                    }
                });
            }
        });
        assert_eq!(seen.into_inner(), 160);
        // A folder that two made at once may stay, without anything in it.
        assert_eq!(files(root.path()), 0);
    }

    fn files(folder: &Path) -> usize {
        let entries = fs::read_dir(folder).unwrap().flatten();
        entries
            .map(|entry| match entry.path().is_dir() {
                true => files(&entry.path()),
                false => 1,
            })
            .sum()
    }

    #[test]
    fn who_waits_too_long_is_told() {
        let root = tempfile::tempdir().unwrap();
        let targets = [target(root.path(), "a.csv")];
        let held = take(&targets, 0).unwrap();
        let error = take(&targets, 30).unwrap_err();
        assert_eq!(
            error.message(),
            format!(
                "another run writes `{}`, and did not end within 30 ms",
                targets[0].given
            )
        );
        drop(held);
        take(&targets, 0).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn what_can_never_be_locked_is_not_waited_for_without_end() {
        let root = tempfile::tempdir().unwrap();
        let lock = root.path().join(".laktory-lock-a");
        std::os::unix::fs::symlink(root.path().join("no/where"), lock).unwrap();
        assert!(take(&[target(root.path(), "a")], 30).is_err());
    }

    #[test]
    fn one_place_is_not_locked_twice() {
        let root = tempfile::tempdir().unwrap();
        let error = take(&[target(root.path(), "a"), target(root.path(), "./a")], 0).unwrap_err();
        assert!(error.message().ends_with("are one target"), "{error}");
    }

    #[test]
    fn sweep_removes_the_locks_of_the_dead_only() {
        let root = tempfile::tempdir().unwrap();
        let held = take(&[target(root.path(), "a")], 0).unwrap();
        fs::write(root.path().join(".laktory-lock-dead"), "").unwrap();
        fs::write(root.path().join(".laktory-lock-mine"), "of somebody").unwrap();
        sweep(root.path());
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 2);
        drop(held);
        let long = "n".repeat(255);
        take(&[target(root.path(), &long)], 0).unwrap();
    }
}
