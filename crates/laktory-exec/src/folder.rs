//! A folder that is a target: which of its files are parts that runs of ours wrote, and which are others'.
//!
//! Parts are known by their names alone, which hold the run that wrote them. A file of ours in the folder would tell the
//! same, but programs that read whole folders take every file for data.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use laktory_core::{Error, ErrorKind, Result};

use crate::files;

/// What a folder holds.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    /// Parts that runs of ours wrote, with their bytes.
    pub(crate) parts: Vec<(PathBuf, u64)>,
    /// Files of others that a reader of the folder would take for data.
    pub(crate) foreign: Vec<PathBuf>,
    /// Whether there is anything else: hidden files, folders without files.
    pub(crate) others: bool,
}

impl Contents {
    /// Bytes of the parts.
    pub(crate) fn bytes(&self) -> u64 {
        self.parts.iter().map(|(_, bytes)| bytes).sum()
    }

    /// That all data in the folder is of our runs, so that it can be replaced.
    ///
    /// # Errors
    /// `InvalidArgument`, with the first of the files that are not.
    pub(crate) fn all_ours(&self, folder: &Path, given: &str) -> Result<()> {
        if self.foreign.is_empty() {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::InvalidArgument,
            format!(
                "folder `{given}` holds {} that no run of laktory wrote: {}",
                counted(self.foreign.len()),
                named(&self.foreign, folder)
            ),
        )
        .with_hint(
            "an output replaces only what a run wrote; choose an empty folder, move these files away, or use mode APPEND",
        ))
    }
}

/// `1 file`, `12 files`.
pub(crate) fn counted(files: usize) -> String {
    format!("{files} file{}", if files == 1 { "" } else { "s" })
}

/// The first few of the files, as names in the folder.
pub(crate) fn named(files: &[PathBuf], folder: &Path) -> String {
    const SHOWN: usize = 5;
    let mut names: Vec<String> = files
        .iter()
        .take(SHOWN)
        .map(|file| {
            let name = file.strip_prefix(folder).unwrap_or(file);
            format!("`{}`", name.display())
        })
        .collect();
    if files.len() > SHOWN {
        names.push(format!("and {} more", files.len() - SHOWN));
    }
    names.join(", ")
}

/// Looks at a folder.
///
/// # Errors
/// `Io` when it cannot be listed.
pub(crate) fn look(folder: &Path) -> Result<Contents> {
    let mut contents = Contents::default();
    let entries = walkdir::WalkDir::new(folder)
        .min_depth(1)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(|entry| !files::is_hidden(entry.path()));
    for entry in entries {
        let entry = entry.map_err(|error| {
            let error = io::Error::from(error);
            Error::from(error).context(format!("cannot list `{}`", files::shown(folder)))
        })?;
        if entry.file_type().is_dir() {
            contents.others = true;
        } else if entry.depth() == 1 && entry.file_type().is_file() && is_part(entry.path()) {
            let bytes = entry.metadata().map_or(0, |found| found.len());
            contents.parts.push((entry.into_path(), bytes));
        } else {
            contents.foreign.push(entry.into_path());
        }
    }
    let hidden = fs::read_dir(folder)?;
    contents.others |= hidden
        .flatten()
        .any(|entry| files::is_hidden(&entry.path()));
    Ok(contents)
}

/// The name of a part: `part-<run>-<node>-<sink>.<format>`, a run being `20260131T120000000Z-<process>-<number>`.
pub(crate) fn part_name(id: &str, extension: &str) -> String {
    format!("part-{id}.{extension}")
}

fn is_part(file: &Path) -> bool {
    let parse = || {
        let name = file.file_name()?.to_str()?.strip_prefix("part-")?;
        let (id, extension) = name.split_once('.')?;
        let mut packed = [".gz", ".zst", ".bz2"].iter();
        let plain = packed.find_map(|packed| extension.strip_suffix(packed));
        let extension = plain.unwrap_or(extension);
        let mut pieces = id.split('-');
        let (day, time) = pieces.next()?.strip_suffix('Z')?.split_once('T')?;
        let digits =
            |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let numbers: Vec<&str> = pieces.collect();
        let known = day.len() == 8
            && time.len() == 9
            && [day, time].into_iter().all(digits)
            && numbers.len() == 4
            && numbers.into_iter().all(digits)
            && !extension.is_empty()
            && extension.bytes().all(|byte| byte.is_ascii_alphanumeric());
        Some(known)
    };
    parse().unwrap_or(false)
}

/// Puts what is others' in `old` into `new` as well, before the two are exchanged: files by a second name, so that there is
/// no moment in which they are missing.
///
/// # Errors
/// `Io` when something cannot be carried along.
pub(crate) fn carry(old: &Path, new: &Path) -> io::Result<()> {
    carry_but(old, new, is_part)
}

/// All in `old` but the files that `ours` knows, and all below it.
fn carry_but(old: &Path, new: &Path, ours: fn(&Path) -> bool) -> io::Result<()> {
    for entry in fs::read_dir(old)? {
        let entry = entry?;
        let (from, to, kind) = (
            entry.path(),
            new.join(entry.file_name()),
            entry.file_type()?,
        );
        if kind.is_dir() {
            fs::create_dir(&to)?;
            carry_but(&from, &to, |_| false)?;
            keep_mode(&from, &to)?;
        } else if !(kind.is_file() && ours(&from)) {
            carry_one(&from, &to, kind)?;
        }
    }
    Ok(())
}

fn carry_one(from: &Path, to: &Path, kind: fs::FileType) -> io::Result<()> {
    #[cfg(unix)]
    if kind.is_symlink() {
        return std::os::unix::fs::symlink(fs::read_link(from)?, to);
    }
    let _ = kind;
    fs::hard_link(from, to)
}

fn keep_mode(old: &Path, new: &Path) -> io::Result<()> {
    crate::owner::keep(&fs::metadata(old)?, new).map(|_| ())
}

/// Moves what is others' in `from` to `to`, unless it is there by another name of the same file: what somebody put into a
/// folder in the moment in which it was replaced.
///
/// # Errors
/// `Io` when something cannot be moved, or `to` has another file of that name: the first of them, when all others have
/// been moved. It stays in `from` then.
pub(crate) fn give_back(from: &Path, to: &Path) -> io::Result<()> {
    let mut outcome = Ok(());
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (here, there, kind) = (entry.path(), to.join(entry.file_name()), entry.file_type()?);
        if kind.is_file() && is_part(&here) {
            continue;
        }
        let moved = match fs::symlink_metadata(&there) {
            Ok(found) if found.is_dir() && kind.is_dir() => give_back(&here, &there),
            Ok(found) if is_one_file(&found, &entry.metadata()?) => Ok(()),
            Ok(found) if found.is_symlink() && kind.is_symlink() => Ok(()),
            Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => fs::rename(&here, &there),
            Err(error) => Err(error),
        };
        outcome = outcome.and(moved);
    }
    outcome
}

#[cfg(unix)]
fn is_one_file(one: &fs::Metadata, other: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(not(unix))]
fn is_one_file(one: &fs::Metadata, other: &fs::Metadata) -> bool {
    one.len() == other.len() && one.modified().ok() == other.modified().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PART: &str = "part-20261129T233149190Z-11541-0-0-0.parquet";

    #[test]
    fn only_names_of_runs_are_parts() {
        assert!(is_part(Path::new(PART)));
        let packed = PART.replace("parquet", "csv.gz");
        assert!(is_part(Path::new(&packed)));
        for name in [
            "part-0.parquet",
            "part-00000-1d2f5a3e-c000.snappy.parquet",
            "part-20261129T233149190Z-11541-0-0.parquet",
            "part-20261129T233149190Z-11541-0-0-0-0.parquet",
            "part-20261129T233149190-11541-0-0-0.parquet",
            "part-20261129T233149190Z-11541-0-0-x.parquet",
            "part-20261129T233149190Z-11541-0-0-0",
            "part-20261129T233149190Z-11541-0-0-0.parquet.bak",
            "xpart-20261129T233149190Z-11541-0-0-0.parquet",
        ] {
            assert!(!is_part(Path::new(name)), "{name}");
        }
    }

    #[test]
    fn a_folder_is_told_apart() {
        let root = tempfile::tempdir().unwrap();
        for file in [PART, "notes.txt", ".hidden", "_SUCCESS"] {
            fs::write(root.path().join(file), "12").unwrap();
        }
        fs::create_dir_all(root.path().join("sub/.deep")).unwrap();
        fs::write(root.path().join("sub").join(PART), "1").unwrap();
        let contents = look(root.path()).unwrap();
        assert_eq!((contents.parts.len(), contents.bytes()), (1, 2));
        assert_eq!(
            named(&contents.foreign, root.path()),
            format!("`notes.txt`, `sub/{PART}`")
        );
        assert!(contents.others);
        assert!(contents.all_ours(root.path(), "out/").is_err());
    }

    #[test]
    fn what_is_others_is_in_both_folders_and_comes_back() {
        let root = tempfile::tempdir().unwrap();
        let (old, new) = (root.path().join("old"), root.path().join("new"));
        fs::create_dir_all(old.join(".cache/deep")).unwrap();
        fs::create_dir(&new).unwrap();
        for file in [PART, "_SUCCESS", ".cache/deep/x"] {
            fs::write(old.join(file), file).unwrap();
        }
        carry(&old, &new).unwrap();
        assert!(new.join("_SUCCESS").exists() && new.join(".cache/deep/x").exists());
        assert!(!new.join(PART).exists());
        fs::write(old.join("late"), "put there meanwhile").unwrap();
        fs::write(old.join(".cache/late"), "here too").unwrap();
        give_back(&old, &new).unwrap();
        assert!(new.join("late").exists() && new.join(".cache/late").exists());
        for file in ["late", "later", "latest"] {
            fs::write(old.join(file), "another").unwrap();
        }
        assert!(give_back(&old, &new).is_err(), "nothing is lost for a name");
        assert!(old.join("late").exists());
        assert!(new.join("later").exists() && new.join("latest").exists());
    }
}
