//! Outputs that appear whole or not at all: written to a staging folder beside their target, published by rename.
//!
//! A staging folder is named `.laktory-staging-<run>-<n>` and holds a lock file that its run keeps locked. What a killed
//! run leaves is recognised by its free lock, and removed by the next run that writes beside it ([`sweep`]). The lock is
//! the last to go, so that a run that is killed while it cleans up leaves what the next one recognises.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use laktory_core::{Error, ErrorKind, Result};

use crate::files;
use crate::folder;

const PREFIX: &str = ".laktory-staging-";
const LOCK: &str = "lock";
/// Holds the name of the folder beside that is exchanged for the staged one.
const NOTE: &str = "target";
/// The folder that is exchanged.
pub(crate) const FOLDER: &str = "folder";
/// Holds the names of files on their way into the folder of a table beside, behind its name.
const PARTS: &str = "parts";
/// What it took the place of, where that took two renames.
const REPLACED: &str = "folder.replaced";

/// Folders made for something that may come to nothing: removed again, while they are empty, when dropped.
#[derive(Debug)]
pub(crate) struct Parents(Vec<PathBuf>);

impl Parents {
    /// Makes a folder and those around it, as far as they are missing.
    ///
    /// # Errors
    /// `Io` when one cannot be made.
    pub(crate) fn make(folder: &Path) -> Result<Self> {
        let mut missing: Vec<PathBuf> = folder
            .ancestors()
            .take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists())
            .map(Path::to_path_buf)
            .collect();
        missing.reverse();
        fs::create_dir_all(folder).map_err(|error| unwritable(folder, error))?;
        Ok(Self(missing))
    }
}

impl Drop for Parents {
    fn drop(&mut self) {
        for folder in self.0.iter().rev() {
            if fs::remove_dir(folder).is_err() {
                break;
            }
        }
    }
}

/// A staging folder, removed with all it holds when dropped.
#[derive(Debug)]
pub(crate) struct Staging {
    folder: PathBuf,
    /// Held for the life of the folder.
    _lock: File,
    /// Dropped after the folder is removed.
    _parents: Parents,
}

impl Staging {
    /// Makes a staging folder in `parent`, which is created when missing. `id` is unique among living runs.
    ///
    /// # Errors
    /// `Io` when the folder cannot be written.
    pub(crate) fn create(parent: &Path, id: &str) -> Result<Self> {
        let parents = Parents::make(parent)?;
        let folder = parent.join(format!("{PREFIX}{id}"));
        // A sweeping run may remove the folder before its lock is held: try again then.
        for _ in 0..100 {
            match lock_new(&folder) {
                Ok(Some(lock)) => {
                    return Ok(Self {
                        folder,
                        _lock: lock,
                        _parents: parents,
                    });
                }
                // Until the other one is done with it.
                Ok(None) => std::thread::sleep(Duration::from_millis(1)),
                Err(error) => return Err(unwritable(parent, error)),
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

    /// Notes which folder beside will be exchanged for [`FOLDER`], so that whoever cleans up knows whose it was.
    ///
    /// # Errors
    /// When the note cannot be written.
    pub(crate) fn exchanges(&self, target: &Path) -> io::Result<()> {
        let name = target.file_name().unwrap_or_default();
        fs::write(self.path(NOTE), name.as_encoded_bytes())
    }

    /// Notes which files come into the folder of a table beside, before its log names them.
    ///
    /// # Errors
    /// When the note cannot be written.
    pub(crate) fn adds(&self, table: &Path, names: &[String]) -> io::Result<()> {
        let table = table.file_name().unwrap_or_default().to_string_lossy();
        let lines: Vec<&str> = std::iter::once(&*table)
            .chain(names.iter().map(String::as_str))
            .collect();
        fs::write(self.path(PARTS), lines.join("\n"))
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // What cannot be removed now is removed by the next run's sweep.
        let _ = discard(&self.folder, &no_tables);
    }
}

/// Tells which files in the folder of a table, by their names there, its log has never named.
pub(crate) type Unnamed<'a> = &'a dyn Fn(&Path, &[String]) -> Vec<String>;

/// Where there are no tables.
pub(crate) fn no_tables(_: &Path, _: &[String]) -> Vec<String> {
    Vec::new()
}

/// Removes what killed runs left in `parent`. `unnamed` is asked about what they left in tables there.
pub(crate) fn sweep(parent: &Path, unnamed: Unnamed<'_>) {
    let Ok(entries) = fs::read_dir(parent) else {
        return;
    };
    for entry in entries.flatten() {
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if !is_folder || !entry.file_name().to_string_lossy().starts_with(PREFIX) {
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
                    let _ = discard(&folder, unnamed);
                }
            }
            // Killed between making the folder and its lock. Releases before removed the lock first: what they left is
            // told by the names in it. A lock that is made now is that of a living run, which keeps its folder.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if is_staged(&folder) {
                    let _ = empty(&folder, unnamed).and_then(|()| fs::remove_dir(&folder));
                }
            }
            Err(_) => {}
        }
    }
}

/// Whether a folder without a lock holds nothing but what runs stage.
fn is_staged(folder: &Path) -> bool {
    let known = |name: &str| {
        [FOLDER, "whole", "spill", NOTE, PARTS, REPLACED].contains(&name)
            || name.starts_with("part-")
    };
    fs::read_dir(folder).is_ok_and(|mut entries| {
        entries.all(|entry| entry.is_ok_and(|entry| entry.file_name().to_str().is_some_and(known)))
    })
}

/// Removes a staging folder whose lock is held, the lock last.
fn discard(staging: &Path, unnamed: Unnamed<'_>) -> io::Result<()> {
    empty(staging, unnamed)?;
    remove(&staging.join(LOCK))?;
    fs::remove_dir(staging)
}

/// Removes what is in a staging folder, but not its lock. A folder that was taken away and not yet replaced goes back to where
/// it was, and so does what is others' in one that was.
fn empty(staging: &Path, unnamed: Unnamed<'_>) -> io::Result<()> {
    if let Ok(note) = fs::read_to_string(staging.join(PARTS)) {
        let mut lines = note.lines();
        if let Some(table) = lines
            .next()
            .and_then(|name| noted(staging, name.as_bytes()))
        {
            let names: Vec<String> = lines.map(str::to_owned).collect();
            for name in unnamed(&table, &names) {
                remove(&table.join(name))?;
            }
        }
    }
    if let Ok(name) = fs::read(staging.join(NOTE))
        && let Some(target) = noted(staging, &name)
    {
        let is_missing = |path: &Path| {
            let found = fs::symlink_metadata(path);
            found.is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
        };
        let replaced = staging.join(REPLACED);
        if is_folder(&replaced) && is_missing(&target) {
            fs::rename(&replaced, &target)?;
        }
        for old in [staging.join(FOLDER), replaced] {
            if is_folder(&old) && is_folder(&target) {
                folder::give_back(&old, &target)?;
            }
        }
    }
    for entry in fs::read_dir(staging)? {
        let entry = entry?;
        if entry.file_name() == LOCK || entry.file_name() == NOTE {
            continue;
        }
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    remove(&staging.join(NOTE))
}

/// Removes a file, if it is there.
fn remove(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Whether there is a folder, which no link leads to.
fn is_folder(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.is_dir())
}

/// The path that a note names: one beside the staging folder.
fn noted(staging: &Path, name: &[u8]) -> Option<PathBuf> {
    let name = Path::new(std::str::from_utf8(name).ok()?);
    let mut components = name.components();
    let plain =
        matches!(components.next(), Some(Component::Normal(_))) && components.next().is_none();
    plain.then_some(staging.parent()?.join(name))
}

/// Makes a staged file or folder durable and puts it in the place of `target`, in one step.
///
/// # Errors
/// `Io` when the target cannot be replaced; it is then as it was.
pub(crate) fn publish(staged: &Path, target: &Path) -> Result<()> {
    let failed = |error: io::Error| {
        Error::from(error).context(format!("cannot replace `{}`", files::shown(target)))
    };
    sync(staged).map_err(failed)?;
    if staged.is_file() {
        // A folder, device or pipe that took the place meanwhile is not replaced.
        let is_file = |found: fs::Metadata| found.is_file();
        if !fs::symlink_metadata(target).map_or(true, is_file) {
            return Err(failed(io::Error::other("it is no file any more")));
        }
    }
    if staged.is_dir() && target.is_dir() {
        exchange(staged, target).map_err(failed)?;
    } else {
        fs::rename(staged, target).map_err(failed)?;
    }
    sync_parent(target).map_err(failed)
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
    match create_private(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let path = folder.join(LOCK);
    let lock = match File::options().create_new(true).write(true).open(&path) {
        Ok(lock) => lock,
        // A sweeping run has just removed the folder, or is about to.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::AlreadyExists
            ) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    match lock.try_lock() {
        Ok(()) => Ok(path.exists().then_some(lock)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// A folder that only its owner enters: what is staged may replace what others must not read.
fn create_private(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn unwritable(parent: &Path, error: io::Error) -> Error {
    Error::new(
        ErrorKind::Io,
        format!("cannot write to folder `{}`: {error}", files::shown(parent)),
    )
    .with_source(error)
    .with_hint(
        "outputs are staged in a hidden folder beside their target; the folder must be writable",
    )
}

/// Brings what is staged to the disk. Links, pipes and the like are others', and so is what has a second name.
fn sync(path: &Path) -> io::Result<()> {
    let found = fs::symlink_metadata(path)?;
    if found.is_dir() {
        for entry in fs::read_dir(path)? {
            sync(&entry?.path())?;
        }
    } else if !found.is_file() || is_carried(&found) {
        return Ok(());
    }
    File::open(path)?.sync_all()
}

#[cfg(unix)]
fn is_carried(found: &fs::Metadata) -> bool {
    std::os::unix::fs::MetadataExt::nlink(found) > 1
}

#[cfg(not(unix))]
fn is_carried(_: &fs::Metadata) -> bool {
    false
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

    /// Where folders cannot be exchanged in one step, a run may be killed when the old one is away and the new one not there.
    #[test]
    fn a_folder_that_was_taken_away_and_not_replaced_comes_back() {
        let root = tempfile::tempdir().unwrap();
        let dead = root.path().join(".laktory-staging-dead");
        let part = "part-20261129T233149190Z-1-0-0-0.csv";
        for (file, text) in [
            ("lock", ""),
            ("target", "out"),
            ("folder/new", "half"),
            ("folder.replaced/.notes", "of somebody"),
        ] {
            let file = dead.join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        fs::write(dead.join("folder.replaced").join(part), "old").unwrap();
        sweep(root.path(), &no_tables);
        assert!(!dead.exists());
        let out = root.path().join("out");
        assert!(out.join(part).exists() && out.join(".notes").exists());
    }

    /// What is others' in a folder may be anything, and lead anywhere.
    #[cfg(unix)]
    #[test]
    fn links_and_pipes_of_others_do_not_hold_up_a_folder() {
        use std::os::unix::fs::symlink;
        let root = tempfile::tempdir().unwrap();
        let staging = Staging::create(root.path(), "1").unwrap();
        let staged = staging.path(FOLDER);
        fs::create_dir(&staged).unwrap();
        fs::write(staged.join("new"), "new").unwrap();
        symlink("nowhere", staged.join(".dangling")).unwrap();
        symlink("/", staged.join(".everything")).unwrap();
        let pipe = staged.join(".pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        publish(&staged, &root.path().join("out")).unwrap();
        assert!(root.path().join("out/.dangling").is_symlink());
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
        sweep(root.path(), &no_tables);
        assert!(living.path(LOCK).exists());
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
    }

    /// Whatever the moment in which a run is killed while it cleans up, the next one finishes that.
    #[test]
    fn what_a_killed_cleaning_left_is_removed() {
        for (files, keeps) in [
            (&["lock", "part-x.csv"][..], false),
            (&["lock", "folder/part-x.csv", "target"], false),
            (&["lock", "target"], false),
            (&["lock"], false),
            (&[], false),
            // Releases before removed the lock first.
            (&["folder/part"], false),
            (&["spill/1/x"], false),
            (&["whole"], false),
            (&["letter.txt"], true),
        ] {
            let root = tempfile::tempdir().unwrap();
            let dead = root.path().join(".laktory-staging-dead");
            fs::create_dir(&dead).unwrap();
            for file in files {
                fs::create_dir_all(dead.join(file).parent().unwrap()).unwrap();
                fs::write(dead.join(file), "").unwrap();
            }
            sweep(root.path(), &no_tables);
            assert_eq!(dead.exists(), keeps, "{files:?}");
        }
    }

    #[test]
    fn parts_that_a_log_does_not_name_go_with_the_run_that_was_to_commit_them() {
        let root = tempfile::tempdir().unwrap();
        let staging = Staging::create(root.path(), "1").unwrap();
        let table = root.path().join("t");
        fs::create_dir_all(table.join("p=a")).unwrap();
        let names = ["p=a/named".to_owned(), "p=a/stray".to_owned()];
        for name in &names {
            fs::write(table.join(name), "x").unwrap();
        }
        staging.adds(&table, &names).unwrap();
        let unnamed = |folder: &Path, names: &[String]| {
            assert_eq!((folder, names.len()), (table.as_path(), 2));
            vec![names[1].clone()]
        };
        // As long as the run lives, nothing happens.
        sweep(root.path(), &unnamed);
        assert!(table.join("p=a/stray").exists());
        let dead = root.path().join(".laktory-staging-dead");
        fs::create_dir(&dead).unwrap();
        for file in [PARTS, LOCK] {
            fs::copy(staging.path(file), dead.join(file)).unwrap();
        }
        sweep(root.path(), &unnamed);
        assert!(!dead.exists() && table.join("p=a/named").exists());
        assert!(!table.join("p=a/stray").exists());
    }

    #[test]
    fn what_is_others_goes_back_when_a_killed_run_is_cleaned_up() {
        let root = tempfile::tempdir().unwrap();
        let (dead, target) = (
            root.path().join(".laktory-staging-dead"),
            root.path().join("out"),
        );
        fs::create_dir_all(dead.join("folder/.notes")).unwrap();
        fs::create_dir(&target).unwrap();
        for (file, text) in [
            ("lock", ""),
            ("target", "out"),
            ("folder/late.txt", "late"),
            ("folder/.notes/x", "x"),
        ] {
            fs::write(dead.join(file), text).unwrap();
        }
        let part = "part-20261129T233149190Z-1-0-0-0.csv";
        fs::write(dead.join("folder").join(part), "old").unwrap();
        sweep(root.path(), &no_tables);
        assert!(!dead.exists());
        assert!(target.join("late.txt").exists() && target.join(".notes/x").exists());
        assert!(!target.join(part).exists());
        // A note that leads elsewhere is followed nowhere.
        fs::create_dir_all(dead.join("folder")).unwrap();
        fs::write(dead.join("folder/x"), "").unwrap();
        fs::write(dead.join("target"), "../elsewhere").unwrap();
        fs::write(dead.join("lock"), "").unwrap();
        sweep(root.path(), &no_tables);
        assert!(!dead.exists());
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
