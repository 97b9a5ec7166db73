//! Which files stand behind a path: a file, a folder (recursively) or a glob, for backends that read local files.
//!
//! Names that begin with `.` or `_` are skipped below folders and in globs, as Spark does: they are staging
//! places, checkpoints and markers. A glob sees a folder of such a name only where it spells it.

use std::path::{Component, Path, PathBuf};

use laktory_core::{Error, ErrorKind, Format, Result};

/// The files behind `path`, sorted by name.
///
/// # Errors
/// `NotFound` when nothing is there, or a folder holds no file; `Unsupported` for URLs, and for folders in which a log says
/// which files count; `InvalidArgument` for a malformed glob; `Io` when a folder cannot be listed.
pub(crate) fn resolve(path: &str, format: &Format) -> Result<Vec<PathBuf>> {
    let local = local_path(path)?;
    if local.is_file() {
        return Ok(vec![local]);
    }
    if local.is_dir() {
        no_log(path, &local, format)?;
        let files = walk(&local)?;
        if files.is_empty() {
            return Err(Error::new(
                ErrorKind::NotFound,
                format!("folder `{path}` holds no files"),
            )
            .with_hint("names that begin with `.` or `_` are not read"));
        }
        return Ok(files);
    }
    if path.contains(['*', '?', '[']) {
        return expand(path, &local);
    }
    Err(not_found(path))
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
        "read it with an engine that reads format DELTA",
    ),
    (
        "_spark_metadata",
        "the output of a stream of Spark",
        "have Spark write the rows to a folder once more, or give the files that count as separate sources",
    ),
];

fn no_log(path: &str, folder: &Path, format: &Format) -> Result<()> {
    if !matches!(
        format,
        Format::Parquet | Format::Csv | Format::Json | Format::JsonLines | Format::Ipc
    ) {
        return Ok(());
    }
    match LOGS.iter().find(|(log, ..)| folder.join(log).is_dir()) {
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
        let entry = entry.map_err(|error| {
            Error::new(ErrorKind::Io, format!("cannot list `{}`", folder.display()))
                .with_hint(error.to_string())
                .with_source(error)
        })?;
        if entry.file_type().is_file() {
            files.push(entry.into_path());
        }
    }
    Ok(files)
}

fn expand(path: &str, pattern: &Path) -> Result<Vec<PathBuf>> {
    let matches = glob::glob(&pattern.to_string_lossy()).map_err(|error| {
        Error::new(
            ErrorKind::InvalidArgument,
            format!("`{path}` is not a valid glob"),
        )
        .with_hint(error.to_string())
    })?;
    let spelled: Vec<Component<'_>> = pattern.components().collect();
    let is_passed_by = |found: &Path| {
        let mut folders = found.ancestors().skip(1);
        let unspelled = |folder: &Path| {
            let last = folder.components().next_back();
            is_hidden(folder) && last.is_some_and(|last| !spelled.contains(&last))
        };
        is_hidden(found) || folders.any(unspelled)
    };
    let mut files = Vec::new();
    for found in matches {
        let found = found.map_err(|error| {
            let path = error.path().display().to_string();
            Error::from(std::io::Error::from(error)).context(format!("cannot list `{path}`"))
        })?;
        if is_passed_by(&found) {
            continue;
        }
        if found.is_dir() {
            files.extend(walk(&found)?);
        } else if found.is_file() {
            files.push(found);
        }
    }
    if files.is_empty() {
        return Err(
            Error::new(ErrorKind::NotFound, format!("no file matches `{path}`"))
                .with_hint(working_directory()),
        );
    }
    files.sort();
    files.dedup();
    Ok(files)
}

/// Whether readers of a folder pass a file or folder by.
pub(crate) fn is_hidden(path: &Path) -> bool {
    path.file_name()
        .and_then(|name| name.to_str())
        .is_some_and(|name| name.starts_with(['.', '_']))
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
            (".laktory-staging-x/*.csv", vec![".laktory-staging-x/d.csv"]),
        ] {
            let path = format!("{}/{glob}", root.path().display());
            let found = resolve(&path).unwrap();
            assert_eq!(names(&found, root.path()), expected, "{glob}");
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
