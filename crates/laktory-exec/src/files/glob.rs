//! Files that match a pattern. What cannot be looked into is an error: rows would be missing without a word.

use std::path::{Component, Path, PathBuf};

use glob::{MatchOptions, Pattern};
use laktory_core::{Error, ErrorKind, Result};
use laktory_plan::glob_pattern;

use super::{dangling, is_absence, is_hidden, looped, walk};

/// A part of a pattern, between two slashes.
enum Part {
    /// A name as it is written.
    Name(PathBuf),
    /// A name with `*`, `?` or `[..]` in it.
    Names(Pattern),
    /// `**`: folders below, any number of them, or none.
    Below,
}

/// The files that a pattern matches, and those below folders that it matches, sorted.
///
/// # Errors
/// `InvalidArgument` for a malformed pattern; `Io` when a folder cannot be listed, and for links that lead nowhere or back.
pub(super) fn expand(pattern: &Path) -> Result<Vec<PathBuf>> {
    let mut parts = pattern
        .components()
        .map(|part| self::part(part, pattern))
        .collect::<Result<Vec<Part>>>()?;
    parts.dedup_by(|next, last| matches!((next, last), (Part::Below, Part::Below)));
    let mut files = Vec::new();
    find(Path::new(""), &parts, &mut Vec::new(), &mut files)?;
    files.sort();
    files.dedup();
    Ok(files)
}

fn part(part: Component<'_>, pattern: &Path) -> Result<Part> {
    let Component::Normal(name) = part else {
        return Ok(Part::Name(PathBuf::from(part.as_os_str())));
    };
    let text = name.to_string_lossy();
    if text == "**" {
        return Ok(Part::Below);
    }
    if !text.contains(['*', '?', '[']) {
        return Ok(Part::Name(PathBuf::from(name)));
    }
    glob_pattern(&text).map(Part::Names).map_err(|error| {
        Error::new(
            ErrorKind::InvalidArgument,
            format!("`{}` is not a valid glob", pattern.display()),
        )
        .with_hint(error.msg)
    })
}

/// Adds what `parts` match below `folder`; `above` holds, each by its one path, the folders that `**` has come through.
fn find(
    folder: &Path,
    parts: &[Part],
    above: &mut Vec<PathBuf>,
    files: &mut Vec<PathBuf>,
) -> Result<()> {
    let Some((part, rest)) = parts.split_first() else {
        return take(folder, files);
    };
    match part {
        Part::Name(name) => {
            let next = folder.join(name);
            match next.symlink_metadata() {
                Ok(_) if rest.is_empty() && is_hidden(&next) => Ok(()),
                Ok(_) if !rest.is_empty() && !kind(&next)?.is_dir() => Ok(()),
                Ok(_) => find(&next, rest, above, files),
                Err(error) if is_absence(&error) => Ok(()),
                Err(error) => Err(Error::from(error).context(format!("`{}`", next.display()))),
            }
        }
        Part::Names(pattern) => {
            for name in names(folder)? {
                if !pattern.matches_with(&name.to_string_lossy(), MatchOptions::new()) {
                    continue;
                }
                let next = folder.join(name);
                if rest.is_empty() || kind(&next)?.is_dir() {
                    find(&next, rest, above, files)?;
                }
            }
            Ok(())
        }
        Part::Below => {
            let own = own_path(folder)?;
            if above.contains(&own) {
                return Err(looped(folder.display(), &own));
            }
            above.push(own);
            if rest.is_empty() {
                take(folder, files)?;
            } else {
                find(folder, rest, above, files)?;
                for name in names(folder)? {
                    let next = folder.join(name);
                    if kind(&next)?.is_dir() {
                        find(&next, parts, above, files)?;
                    }
                }
            }
            above.pop();
            Ok(())
        }
    }
}

/// Adds a file, or the files below a folder.
fn take(found: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let kind = kind(found)?;
    if kind.is_dir() {
        files.extend(walk(found)?);
    } else if kind.is_file() {
        files.push(found.to_path_buf());
    }
    Ok(())
}

/// A folder as the system takes it: before the first part of a relative pattern it is the working directory.
fn listed(folder: &Path) -> &Path {
    match folder.as_os_str().is_empty() {
        true => Path::new("."),
        false => folder,
    }
}

/// Names in a folder that readers see, nothing where it is none.
fn names(folder: &Path) -> Result<Vec<std::ffi::OsString>> {
    let folder = listed(folder);
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if is_absence(&error) => return Ok(Vec::new()),
        Err(error) => return Err(unlistable(folder, error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry
            .map_err(|error| unlistable(folder, error))?
            .file_name();
        if !is_hidden(Path::new(&name)) {
            names.push(name);
        }
    }
    Ok(names)
}

fn unlistable(folder: &Path, error: std::io::Error) -> Error {
    Error::from(error).context(format!("cannot list `{}`", folder.display()))
}

/// What is at a path that is there, behind links.
fn kind(path: &Path) -> Result<std::fs::FileType> {
    match path.metadata() {
        Ok(there) => Ok(there.file_type()),
        Err(error) if is_absence(&error) => Err(dangling(path.display())),
        Err(error) => Err(Error::from(error).context(format!("`{}`", path.display()))),
    }
}

fn own_path(folder: &Path) -> Result<PathBuf> {
    let folder = listed(folder);
    folder
        .canonicalize()
        .map_err(|error| unlistable(folder, error))
}
