//! That a run of ours wrote a file: what a reset needs to know before it removes one.
//!
//! The record is an extended attribute of the file itself, so that both appear and vanish in one rename, and no other file
//! has to lie beside the output, where programs that read whole folders would stumble over it. File systems without such
//! attributes get a hidden file beside the output. A record holds the place for which the file was written, its size and
//! its time: a file that was copied, or that somebody changed, is not one that a run of ours wrote there.
//!
//! Parts of a folder need no record: their names are ours.

use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

/// The version of the record's layout.
const VERSION: u32 = 1;
#[cfg(target_os = "linux")]
const ATTRIBUTE: &str = "user.laktory.output";

/// What is known of a file that a run wrote.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    version: u32,
    /// The file, as an absolute path without links.
    path: PathBuf,
    bytes: u64,
    /// When its content was written, in nanoseconds since 1970.
    modified: u128,
}

impl Record {
    fn of(found: &Metadata, target: &Path) -> io::Result<Self> {
        let modified = found.modified()?.duration_since(UNIX_EPOCH);
        Ok(Self {
            version: VERSION,
            path: target.to_path_buf(),
            bytes: found.len(),
            modified: modified.map_or(0, |modified| modified.as_nanos()),
        })
    }
}

/// Notes on a staged file that a run of ours wrote it for `target`. Where nothing can be noted, nothing is: a reset will
/// then leave the file alone.
pub(crate) fn note(staged: &Path, target: &Path) {
    let noted = || -> io::Result<()> {
        let text = serde_json::to_string(&Record::of(&fs::metadata(staged)?, target)?)?;
        match set(staged, &text) {
            Ok(()) => forget(target),
            Err(_) => fs::write(beside(target), text)?,
        }
        Ok(())
    };
    if let Err(error) = noted() {
        tracing::debug!("no record of `{}`: {error}", target.display());
    }
}

/// Whether a run of ours wrote the file, for this place, and nobody has changed it since.
pub(crate) fn is_ours(target: &Path) -> bool {
    let read = || -> io::Result<bool> {
        let text = match get(target) {
            Some(text) => text,
            None => fs::read(beside(target))?,
        };
        let record: Record = serde_json::from_slice(&text)?;
        Ok(record == Record::of(&fs::symlink_metadata(target)?, target)?)
    };
    read().unwrap_or(false)
}

/// Whether a run of ours wrote the file once, wherever, whatever happened to it since.
pub(crate) fn was_ours(target: &Path) -> bool {
    let text = get(target).or_else(|| fs::read(beside(target)).ok());
    text.is_some_and(|text| serde_json::from_slice::<Record>(&text).is_ok())
}

/// Removes what lies beside a file that is no more, or that no run wrote alone.
pub(crate) fn forget(target: &Path) {
    // There is none on most file systems.
    let _ = fs::remove_file(beside(target));
}

/// The hidden file for file systems without attributes.
fn beside(target: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".laktory-output-");
    name.push(target.file_name().unwrap_or_default());
    name.push(".json");
    target.with_file_name(name)
}

#[cfg(target_os = "linux")]
fn set(file: &Path, text: &str) -> io::Result<()> {
    use rustix::fs::{XattrFlags, setxattr};
    Ok(setxattr(
        file,
        ATTRIBUTE,
        text.as_bytes(),
        XattrFlags::empty(),
    )?)
}

#[cfg(target_os = "linux")]
fn get(file: &Path) -> Option<Vec<u8>> {
    let mut text = vec![0; 16 << 10];
    let length = rustix::fs::getxattr(file, ATTRIBUTE, &mut text[..]).ok()?;
    text.truncate(length);
    Some(text)
}

#[cfg(not(target_os = "linux"))]
fn set(_: &Path, _: &str) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(not(target_os = "linux"))]
fn get(_: &Path) -> Option<Vec<u8>> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_ours_where_it_was_written_and_as_it_was_written() {
        let root = tempfile::tempdir().unwrap();
        let (staged, target) = (root.path().join("staged"), root.path().join("a.csv"));
        fs::write(&staged, "x\n1\n").unwrap();
        note(&staged, &target);
        assert!(!is_ours(&staged), "not at the place it is meant for");
        fs::rename(&staged, &target).unwrap();
        assert!(is_ours(&target));
        fs::copy(&target, root.path().join("b.csv")).unwrap();
        assert!(!is_ours(&root.path().join("b.csv")));
        fs::write(&target, "x\n2\n").unwrap();
        assert!(!is_ours(&target), "somebody changed it");
        assert!(was_ours(&target));
        assert!(!was_ours(&root.path().join("missing")));
        assert!(!is_ours(&root.path().join("missing")));
    }

    #[test]
    fn a_broken_record_is_none() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("a.csv");
        fs::write(&target, "x\n").unwrap();
        for text in [
            "",
            "{}",
            "{\"version\":2,\"path\":\"/\",\"bytes\":2,\"modified\":0}",
        ] {
            fs::write(beside(&target), text).unwrap();
            assert!(!is_ours(&target), "{text}");
        }
    }
}
