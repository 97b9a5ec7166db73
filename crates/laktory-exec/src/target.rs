//! A sink's path, as it is on this machine's disk: what it leads to, what is there, and whether a run may put an output
//! in its place. Nothing is changed here.

use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use laktory_core::{Error, ErrorKind, Result};

use crate::files;

/// Where the system shows itself as files.
const SYSTEM: &[&str] = &["/proc", "/sys", "/dev"];
/// What lies there and is memory for everybody's files.
const SHARED_MEMORY: &str = "/dev/shm/";

/// How the names begin of the locks, staging folders and records that a run has beside its targets.
const OWN: &str = ".laktory-";

/// The place that a sink writes to.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// The path as the user wrote it.
    pub(crate) given: String,
    /// Where it leads: absolute, without links, so that two spellings of one place are equal.
    pub(crate) real: PathBuf,
    /// Whether the path itself is a link. What it leads to is written, and the link stays.
    pub(crate) is_link: bool,
    /// Whether the output is a folder of parts.
    pub(crate) is_folder: bool,
    /// What is there; none when nothing is.
    pub(crate) existing: Option<Metadata>,
}

impl Target {
    /// Looks at the place that `path` leads to. `own` are the files of the pipeline itself.
    ///
    /// # Errors
    /// `Unsupported` for remote storage; `InvalidArgument` for what can never be a target: a device, a folder of
    /// everybody's, a file of the pipeline; `Io` where a file stands in the place of a folder, or nothing can be written.
    pub(crate) fn find(path: &str, own: &[PathBuf]) -> Result<Self> {
        let plain = files::local_path(path)?;
        let wants_folder = path.ends_with('/');
        let unslashed = match plain.to_string_lossy().trim_end_matches('/') {
            "" => PathBuf::from("/"),
            path => PathBuf::from(path),
        };
        let is_link = fs::symlink_metadata(&unslashed).is_ok_and(|found| found.is_symlink());
        let real = real(&unslashed, is_link)
            .map_err(|error| Error::from(error).context(format!("cannot look at `{path}`")))?;
        let Some(real) = real else {
            return Err(
                refused(format!("`{path}` is a link to what does not exist"))
                    .with_hint("remove the link, or make what it should lead to"),
            );
        };
        let existing = match fs::symlink_metadata(&real) {
            Ok(found) => Some(found),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => None,
            Err(error) => {
                return Err(Error::from(error).context(format!("cannot look at `{path}`")));
            }
        };
        let target = Self {
            given: path.to_owned(),
            is_folder: wants_folder || existing.as_ref().is_some_and(Metadata::is_dir),
            real,
            is_link,
            existing,
        };
        target.possible(wants_folder, own)?;
        Ok(target)
    }

    fn possible(&self, wants_folder: bool, own: &[PathBuf]) -> Result<()> {
        let path = &self.given;
        let is_system = SYSTEM.iter().any(|folder| self.real.starts_with(folder));
        let is_device = self
            .existing
            .as_ref()
            .is_some_and(|found| !found.is_file() && !found.is_dir());
        if is_system && !is_device && !self.real.starts_with(SHARED_MEMORY) {
            return Err(
                refused(format!("`{path}` belongs to the system")).with_hint("choose another path")
            );
        }
        if let Some(found) = self.existing.as_ref().filter(|_| is_device) {
            return Err(refused(format!(
                "`{path}` is {}, and an output would take its place",
                kind(found)
            ))
            .with_hint("choose the path of a file or of a folder"));
        }
        if path.contains(char::is_control) {
            let message = format!(
                "`{path}` has a control character in it, and not every reader would find it"
            );
            return Err(refused(message).with_hint("choose a path of letters, digits and signs"));
        }
        let hidden = |name: &std::ffi::OsStr| name.as_encoded_bytes().starts_with(OWN.as_bytes());
        if self.real.iter().any(hidden) {
            let message = format!("`{path}` has a name that runs use for files of their own");
            let hint = format!("choose a path without names that begin with `{OWN}`");
            return Err(refused(message).with_hint(hint));
        }
        if wants_folder && self.existing.as_ref().is_some_and(Metadata::is_file) {
            return Err(in_the_way(&self.real, path));
        }
        match self.real.ancestors().skip(1).find(|parent| parent.exists()) {
            Some(parent) if !parent.is_dir() => return Err(in_the_way(parent, path)),
            Some(parent) => writable(parent)?,
            None => {}
        }
        if self.is_folder {
            self.own_folder()?;
        }
        if own.iter().any(|file| is_same(file, &self.real)) {
            return Err(
                refused(format!("`{path}` is a file of the pipeline itself"))
                    .with_hint("choose another path for the output"),
            );
        }
        Ok(())
    }

    /// A folder that is exchanged for another is nobody's but this output's.
    fn own_folder(&self) -> Result<()> {
        let path = &self.given;
        let around = |folder: Option<PathBuf>| {
            folder
                .and_then(|folder| folder.canonicalize().ok())
                .is_some_and(|folder| folder.starts_with(&self.real))
        };
        let what = if around(std::env::current_dir().ok()) {
            "the working directory or a folder around it"
        } else if around(std::env::home_dir()) {
            "the home folder or a folder around it"
        } else if self.is_mount() {
            "where a file system is mounted"
        } else {
            return Ok(());
        };
        Err(refused(format!(
            "`{path}` is {what}, which cannot be replaced as a whole"
        ))
        .with_hint("name a folder for this output alone, below it"))
    }

    #[cfg(unix)]
    fn is_mount(&self) -> bool {
        use std::os::unix::fs::MetadataExt as _;
        let parent = self
            .real
            .parent()
            .and_then(|parent| fs::metadata(parent).ok());
        match (&self.existing, parent) {
            (Some(found), Some(parent)) => found.dev() != parent.dev(),
            _ => false,
        }
    }

    #[cfg(not(unix))]
    fn is_mount(&self) -> bool {
        false
    }

    /// The folder in which the target lies.
    pub(crate) fn parent(&self) -> &Path {
        self.real.parent().unwrap_or(Path::new("/"))
    }

    /// The name of the target in that folder.
    pub(crate) fn name(&self) -> &std::ffi::OsStr {
        self.real.file_name().unwrap_or_default()
    }
}

/// Whether two paths lead to one file.
pub(crate) fn is_same(path: &Path, real: &Path) -> bool {
    path.canonicalize().is_ok_and(|path| path == real)
}

/// The absolute path without links; none for a link to nothing. What does not exist yet is taken as written.
fn real(path: &Path, is_link: bool) -> io::Result<Option<PathBuf>> {
    match path.canonicalize() {
        Ok(real) => return Ok(Some(real)),
        Err(_) if is_link => return Ok(None),
        Err(_) => {}
    }
    let absolute = std::path::absolute(path)?;
    let mut missing = Vec::new();
    let mut folder = absolute.as_path();
    while let Some(parent) = folder.parent() {
        // `..` of what does not exist cannot be told; the system refuses it too.
        missing.push(folder.file_name().unwrap_or(std::ffi::OsStr::new("..")));
        if let Ok(real) = parent.canonicalize() {
            return Ok(Some(plain(real, missing.iter().rev().copied())));
        }
        folder = parent;
    }
    Ok(Some(absolute))
}

/// A path with further names, `..` taken away with what is before it.
fn plain<'a>(mut path: PathBuf, names: impl Iterator<Item = &'a std::ffi::OsStr>) -> PathBuf {
    for name in names {
        if name == ".." {
            path.pop();
        } else {
            path.push(name);
        }
    }
    path
}

fn refused(message: String) -> Error {
    Error::new(ErrorKind::InvalidArgument, message)
}

fn in_the_way(file: &Path, path: &str) -> Error {
    Error::new(
        ErrorKind::Io,
        format!(
            "`{}` is a file, and `{path}` needs a folder there",
            files::shown(file)
        ),
    )
    .with_hint("choose another path, or remove the file")
}

#[cfg(unix)]
fn kind(found: &Metadata) -> &'static str {
    use std::os::unix::fs::FileTypeExt as _;
    let kind = found.file_type();
    if kind.is_fifo() {
        "a named pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

#[cfg(not(unix))]
fn kind(_: &Metadata) -> &'static str {
    "no file"
}

/// Whether files can be made in a folder, as far as the system tells beforehand.
#[cfg(target_os = "linux")]
fn writable(folder: &Path) -> Result<()> {
    use rustix::fs::{Access, access};
    access(folder, Access::WRITE_OK | Access::EXEC_OK).map_err(|error| {
        let error = io::Error::from(error);
        Error::new(
            ErrorKind::Io,
            format!("cannot write to folder `{}`: {error}", files::shown(folder)),
        )
        .with_source(error)
        .with_hint(
            "outputs are staged in a hidden folder beside their target; the folder must be writable",
        )
    })
}

#[cfg(not(target_os = "linux"))]
fn writable(_: &Path) -> Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(path: &Path) -> Result<Target> {
        Target::find(path.to_str().unwrap(), &[])
    }

    #[test]
    fn spellings_of_one_place_are_one() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        fs::create_dir(root.join("data")).unwrap();
        std::os::unix::fs::symlink("data", root.join("lnk")).unwrap();
        for path in [
            "data/o.csv",
            "./data//o.csv",
            "lnk/o.csv",
            "data/../data/o.csv",
            "lnk/../data/o.csv",
        ] {
            assert_eq!(
                find(&root.join(path)).unwrap().real,
                root.join("data/o.csv"),
                "{path}"
            );
        }
        assert_eq!(
            find(&root.join("new/x/../y")).unwrap().real,
            root.join("new/y")
        );
        let link = find(&root.join("lnk/")).unwrap();
        assert!(link.is_link && link.is_folder);
        assert_eq!(link.real, root.join("data"));
    }

    #[test]
    fn what_is_no_file_and_no_folder_of_its_own_is_refused() {
        let root = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("nothing", root.path().join("dangling")).unwrap();
        fs::write(root.path().join("p.yaml"), "").unwrap();
        let home = std::env::home_dir().unwrap();
        for (path, part) in [
            (PathBuf::from("/dev/null"), "is a device"),
            (PathBuf::from("/proc/self/x"), "belongs to the system"),
            (
                root.path().join("dangling"),
                "a link to what does not exist",
            ),
            (std::env::current_dir().unwrap(), "the working directory"),
            (home, "cannot be replaced as a whole"),
            (PathBuf::from("/"), "cannot be replaced as a whole"),
            (root.path().join("p.yaml/"), "needs a folder there"),
            (root.path().join("p.yaml/x"), "needs a folder there"),
            (
                root.path().join(".laktory-lock-a.csv"),
                "files of their own",
            ),
            (
                root.path().join(".laktory-staging-1/a/"),
                "files of their own",
            ),
        ] {
            let error = find(&path).unwrap_err();
            assert!(
                error.message().contains(part),
                "{}: {error}",
                path.display()
            );
        }
        let own = [root.path().join("p.yaml")];
        let error = Target::find(own[0].to_str().unwrap(), &own).unwrap_err();
        assert!(
            error.message().contains("of the pipeline itself"),
            "{error}"
        );
    }
}
