//! Which files stand behind a path: a file, a folder (recursively) or a glob, for backends that read local files.
//!
//! Names that begin with `.` or `_` are skipped below folders and in globs, as Spark does: they are staging
//! places, checkpoints and markers. A glob sees a folder of such a name only where it spells it.

mod glob;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use laktory_core::{Error, ErrorKind, Format, Result};

/// The files behind `path`, sorted by name.
///
/// # Errors
/// `NotFound` when nothing is there, or a folder holds no file; `Unsupported` for URLs, and for folders in which a log says
/// which files count; `InvalidArgument` for a malformed glob; `Io` when a folder cannot be listed, or a link leads nowhere or
/// back to a folder that holds it: what may hold rows is never passed by.
pub(crate) fn resolve(path: &str, format: &Format) -> Result<Vec<PathBuf>> {
    let local = local_path(path)?;
    let kind = match local.metadata() {
        Ok(there) => Some(there.file_type()),
        Err(error) if is_absence(&error) => None,
        Err(error) => return Err(Error::from(error).context(format!("`{path}`"))),
    };
    if kind.is_some_and(|kind| kind.is_file()) {
        return Ok(vec![local]);
    }
    if kind.is_some_and(|kind| kind.is_dir()) {
        no_log(path, &local, format)?;
        let files = walk(&local)?;
        if files.is_empty() {
            return Err(Error::new(
                ErrorKind::NotFound,
                format!("folder `{path}` holds no files"),
            )
            .with_hint("names that begin with `.` or `_` are not read"));
        }
        in_no_table(&files, format)?;
        return Ok(files);
    }
    if path.contains(['*', '?', '[']) {
        let files = glob::expand(&local)?;
        if files.is_empty() {
            return Err(
                Error::new(ErrorKind::NotFound, format!("no file matches `{path}`"))
                    .with_hint(working_directory()),
            );
        }
        in_no_table(&files, format)?;
        return Ok(files);
    }
    Err(not_found(path))
}

/// Whether nothing is at a path, as far as an error tells.
fn is_absence(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{InvalidInput, NotADirectory, NotFound};
    // A name that no file can have.
    matches!(
        error.kind(),
        NotFound | NotADirectory | InvalidInput | std::io::ErrorKind::InvalidFilename
    )
}

/// The path on this machine that a path of the pipeline means: plain, or `file://`.
///
/// # Errors
/// `Unsupported` for other URLs.
pub(crate) fn local_path(path: &str) -> Result<PathBuf> {
    if let Some(rest) = path.strip_prefix("file://") {
        return Ok(PathBuf::from(rest));
    }
    match path.split_once("://") {
        Some((scheme, _)) if scheme.chars().all(|letter| letter.is_ascii_alphanumeric()) => {
            Err(Error::unsupported(format!(
                "`{path}` is on remote storage (`{scheme}`), which this version cannot reach"
            ))
            .with_hint("copy or mount the data and give a local path"))
        }
        _ => Ok(PathBuf::from(path)),
    }
}

/// Folders in which a log says which files count: the others hold rows that were replaced, removed, or never committed.
const LOGS: &[(&str, &str, &str)] = &[
    (
        "_delta_log",
        "a Delta table",
        "read it with `format: DELTA`",
    ),
    (
        "_spark_metadata",
        "the output of a stream of Spark",
        "have Spark write the rows to a folder once more, or give the files that count as separate sources",
    ),
];

/// That no folder around files, as far as their paths spell it, has a log.
fn in_no_table(files: &[PathBuf], format: &Format) -> Result<()> {
    let mut seen = HashSet::new();
    for folder in files.iter().flat_map(|file| file.ancestors().skip(1)) {
        if seen.insert(folder) {
            no_log(&folder.display().to_string(), folder, format)?;
        }
    }
    Ok(())
}

/// The log that says which files of a folder count, with what it makes of the folder, and what to do.
fn log_of(folder: &Path) -> Option<&'static (&'static str, &'static str, &'static str)> {
    LOGS.iter().find(|(log, ..)| folder.join(log).is_dir())
}

/// The first of some folders in which a log says which files count, and what it is.
pub(crate) fn logged<'a>(
    mut folders: impl Iterator<Item = &'a Path>,
) -> Option<(&'a Path, &'static str)> {
    folders.find_map(|folder| Some((folder, log_of(folder)?.1)))
}

fn no_log(path: &str, folder: &Path, format: &Format) -> Result<()> {
    if matches!(format, Format::Delta | Format::Iceberg) {
        return Ok(());
    }
    match log_of(folder) {
        None => Ok(()),
        Some((log, what, hint)) => Err(Error::unsupported(format!(
            "folder `{path}` is {what}: its `{log}` says which files count, which format {format} does not know"
        ))
        .with_hint(*hint)),
    }
}

fn walk(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let entries = walkdir::WalkDir::new(folder)
        .follow_links(true)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(|entry| entry.depth() == 0 || !is_hidden(entry.path()));
    for entry in entries {
        let entry = entry.map_err(|error| unlistable(folder, error))?;
        if entry.file_type().is_file() {
            files.push(entry.into_path());
        }
    }
    Ok(files)
}

/// What keeps a folder from being listed: a folder that cannot be read, a link that leads nowhere or back to where it is.
fn unlistable(folder: &Path, error: walkdir::Error) -> Error {
    let at = error.path().unwrap_or(folder).display().to_string();
    if let Some(ancestor) = error.loop_ancestor() {
        return looped(&at, ancestor);
    }
    match error.into_io_error() {
        Some(error) if is_absence(&error) => dangling(&at),
        Some(error) => Error::from(error).context(format!("cannot list `{at}`")),
        None => Error::new(ErrorKind::Io, format!("cannot list `{at}`")),
    }
}

fn looped(link: impl std::fmt::Display, ancestor: &Path) -> Error {
    Error::new(
        ErrorKind::Io,
        format!(
            "link `{link}` leads back to `{}`, which holds it: its files would be read again and again",
            ancestor.display()
        ),
    )
    .with_hint("remove the link, or read the folders that are meant")
}

fn dangling(link: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Io, format!("link `{link}` leads nowhere"))
        .with_hint("remove the link, or bring back what it leads to: its rows would be missing")
}

/// Whether readers of a folder pass a file or folder by.
pub(crate) fn is_hidden(path: &Path) -> bool {
    path.file_name()
        .and_then(|name| name.as_encoded_bytes().first().copied())
        .is_some_and(|first| first == b'.' || first == b'_')
}

/// A path for messages: relative to the working directory where it lies in it, as users write it.
pub(crate) fn shown(path: &Path) -> String {
    let here = std::env::current_dir().and_then(|folder| folder.canonicalize());
    let short = here
        .ok()
        .and_then(|here| path.strip_prefix(here).ok().map(Path::to_path_buf));
    match short {
        Some(short) if short.as_os_str().is_empty() => ".".to_owned(),
        Some(short) => short.display().to_string(),
        None => path.display().to_string(),
    }
}

fn not_found(path: &str) -> Error {
    Error::new(
        ErrorKind::NotFound,
        format!("there is no file or folder `{path}`"),
    )
    .with_hint(working_directory())
}

fn working_directory() -> String {
    match std::env::current_dir() {
        Ok(folder) => format!(
            "relative paths start at the working directory, `{}`",
            folder.display()
        ),
        Err(_) => "relative paths start at the working directory".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(path: &str) -> Result<Vec<PathBuf>> {
        super::resolve(path, &Format::Csv)
    }

    fn names(files: &[PathBuf], root: &Path) -> Vec<String> {
        files
            .iter()
            .map(|file| file.strip_prefix(root).unwrap().display().to_string())
            .collect()
    }

    #[test]
    fn r_fsrc_6_folders_are_read_recursively_in_order_without_hidden_names() {
        let root = tempfile::tempdir().unwrap();
        let sub = root.path().join("sub");
        std::fs::create_dir(&sub).unwrap();
        std::fs::create_dir(root.path().join(".laktory-staging-x")).unwrap();
        for file in [
            "b.csv",
            "a.csv",
            ".hidden",
            "_SUCCESS",
            "sub/c.csv",
            ".laktory-staging-x/d.csv",
        ] {
            std::fs::write(root.path().join(file), "x").unwrap();
        }
        let files = resolve(root.path().to_str().unwrap()).unwrap();
        assert_eq!(names(&files, root.path()), ["a.csv", "b.csv", "sub/c.csv"]);
        let glob = format!("{}/*.csv", root.path().display());
        assert_eq!(
            names(&resolve(&glob).unwrap(), root.path()),
            ["a.csv", "b.csv"]
        );
        for (glob, expected) in [
            ("**/*.csv", vec!["a.csv", "b.csv", "sub/c.csv"]),
            ("*/*.csv", vec!["sub/c.csv"]),
            ("[!a].csv", vec!["b.csv"]),
            ("[^a].csv", vec!["b.csv"]),
            ("[^b-z].csv", vec!["a.csv"]),
            (".laktory-staging-x/*.csv", vec![".laktory-staging-x/d.csv"]),
        ] {
            let path = format!("{}/{glob}", root.path().display());
            let found = resolve(&path).unwrap();
            assert_eq!(names(&found, root.path()), expected, "{glob}");
        }
    }

    #[test]
    fn globs_pass_nothing_by_that_may_hold_rows() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        std::fs::create_dir_all(at("d/e")).unwrap();
        for file in ["a.csv", "d/b.csv", "d/e/c.csv"] {
            std::fs::write(at(file), "x").unwrap();
        }
        let find = |glob: &str| resolve(at(glob).to_str().unwrap());
        for (glob, expected) in [
            ("**", vec!["a.csv", "d/b.csv", "d/e/c.csv"]),
            ("*", vec!["a.csv", "d/b.csv", "d/e/c.csv"]),
            ("d/**/*.csv", vec!["d/b.csv", "d/e/c.csv"]),
            ("**/e/*", vec!["d/e/c.csv"]),
            ("[a-d]/b.?sv", vec!["d/b.csv"]),
            ("**/**/b.csv", vec!["d/b.csv"]),
        ] {
            assert_eq!(names(&find(glob).unwrap(), root.path()), expected, "{glob}");
        }
        for glob in ["missing/**/*.csv", "a.csv/*", "*/*/*/*", "A*.csv", "D/*"] {
            assert_eq!(
                find(glob).unwrap_err().kind(),
                ErrorKind::NotFound,
                "{glob}"
            );
        }
    }

    #[cfg(unix)]
    #[test]
    fn globs_say_what_they_cannot_look_into() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt as _;
        use std::os::unix::fs::symlink;

        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        let find = |glob: &str| resolve(at(glob).to_str().unwrap());
        std::fs::create_dir(at("d")).unwrap();
        std::fs::write(at("d/a.csv"), "x").unwrap();
        let latin = root
            .path()
            .join("d")
            .join(OsStr::from_bytes(b"caf\xe9.csv"));
        std::fs::write(&latin, "x").unwrap();
        assert_eq!(find("d/*.csv").unwrap(), [at("d/a.csv"), latin]);
        symlink("nowhere", at("d/b.csv")).unwrap();
        for glob in ["d/*.csv", "d", "*", "**/*.csv"] {
            let error = find(glob).unwrap_err();
            assert!(error.message().contains("leads nowhere"), "{glob}: {error}");
        }
        std::fs::remove_file(at("d/b.csv")).unwrap();
        symlink("..", at("d/up")).unwrap();
        for glob in ["d", "*", "**", "**/*.csv"] {
            let error = find(glob).unwrap_err();
            assert!(error.message().contains("leads back to"), "{glob}: {error}");
        }
    }

    #[test]
    fn folders_with_a_log_are_not_read_as_plain_files() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("a.parquet"), "x").unwrap();
        let path = root.path().to_str().unwrap();
        assert!(super::resolve(path, &Format::Parquet).is_ok());
        for log in ["_spark_metadata", "_delta_log"] {
            let folder = root.path().join(log);
            std::fs::create_dir(&folder).unwrap();
            let error = super::resolve(path, &Format::Parquet).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            assert!(error.message().contains(log), "{error}");
            for around in [".", "*", "**/*.parquet"] {
                let path = root
                    .path()
                    .parent()
                    .unwrap()
                    .join(root.path().file_name().unwrap());
                let glob = path.join(around).display().to_string();
                assert!(super::resolve(&glob, &Format::Parquet).is_err(), "{glob}");
            }
            std::fs::remove_dir(&folder).unwrap();
        }
    }

    #[test]
    fn missing_empty_and_remote_paths_are_told_apart() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().to_str().unwrap();
        assert!(
            resolve(path)
                .unwrap_err()
                .message()
                .contains("holds no files")
        );
        let missing = resolve(&format!("{path}/x.csv")).unwrap_err();
        assert_eq!(missing.kind(), ErrorKind::NotFound);
        assert!(
            resolve(&format!("{path}/*.csv"))
                .unwrap_err()
                .message()
                .contains("no file matches")
        );
        assert_eq!(
            resolve("s3://bucket/x").unwrap_err().kind(),
            ErrorKind::Unsupported
        );
    }
}
