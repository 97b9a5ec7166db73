//! What the text of a path alone tells: whether an engine that works on this machine's files can mean a file by it.
//!
//! Nothing here looks at the disk. What is there is looked at when the plan is checked.

use std::ops::Range;
use std::path::{Component, Path as FilePath};

use laktory_core::Capabilities;
use laktory_model::{Finding, Path};
use laktory_syntax::FragmentError;

/// Bytes that a name may have on the file systems that matter, and a path on the system.
const LONGEST_NAME: usize = 255;
const LONGEST_PATH: usize = 4095;

/// What a path is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    Source,
    Target,
}

/// What is wrong with a path, at its key: placeholders that stand for nothing, wherever it leads; the rest on an engine that
/// works on this machine's files. Engines with storage of their own know their own paths.
pub(crate) fn check(
    capabilities: &Capabilities,
    path: &str,
    used: Use,
    place: &Path,
) -> Option<Finding> {
    if let Some((range, message)) = placeholder(path) {
        let fault = FragmentError::new("path", message, range)
            .hint("write `${vars.name}` for a variable; `{df}` and the likes of `{nodes.x}` and `{env.x}` are refused here, and any other brace is part of the path");
        return Some(Finding::in_text(place.clone(), fault));
    }
    if !capabilities.local_files || path.is_empty() {
        return None;
    }
    let (code, message, hint) = fault(path, used)?;
    Some(Finding::error(code, place.clone(), message).hint(hint))
}

/// Whether a path is refused whatever is there. What it meets is then of no interest.
pub(crate) fn is_faulty(capabilities: &Capabilities, path: &str, used: Use) -> bool {
    placeholder(path).is_some() || capabilities.local_files && fault(path, used).is_some()
}

/// Namespaces that braces name somewhere in a pipeline file, and other programs' files.
const NAMESPACES: [&str; 10] = [
    "vars",
    "var",
    "params",
    "settings",
    "setting",
    "nodes",
    "sources",
    "resources",
    "env",
    "current_user",
];

/// What was meant to be a placeholder, is none, and would become a folder of that name: `${d}`, `${vars.d` and `{vars.d}`.
/// Every placeholder of ours has its value by now.
fn placeholder(path: &str) -> Option<(Range<usize>, String)> {
    let closed = |start: usize| path[start..].find('}').map(|length| start + length + 1);
    if let Some(start) = path.find("${") {
        return Some(match closed(start) {
            Some(end) => {
                let message = format!("`{}` stands for nothing", &path[start..end]);
                (start..end, message)
            }
            None => (start..path.len(), "`${` is not closed by `}`".to_owned()),
        });
    }
    let starts = path.match_indices('{').map(|(start, _)| start);
    let mut braces = starts.filter_map(|start| Some(start..closed(start)?));
    let meant = braces.find(|braces| {
        let name = path[braces.clone()].trim_matches(['{', '}', ' ']);
        let namespace = name.split_once('.').map(|(namespace, _)| namespace.trim());
        name == "df" || namespace.is_some_and(|namespace| NAMESPACES.contains(&namespace))
    })?;
    let message = format!("`{}` is no placeholder in a path", &path[meant.clone()]);
    Some((meant, message))
}

fn fault(path: &str, used: Use) -> Option<(&'static str, String, &'static str)> {
    let wrong = |message, hint| Some(("path", message, hint));
    let local = match scheme(path) {
        Some("file") => match path.strip_prefix("file://") {
            Some(rest) if rest.starts_with('/') => rest,
            _ => {
                return wrong(
                    format!("`{path}` names no file of this machine"),
                    "write a plain path, or `file://` with an absolute path: `file:///data/x`",
                );
            }
        },
        Some(scheme) => {
            let message = format!(
                "`{path}` is on remote storage (`{scheme}`), which this version cannot reach"
            );
            let hint = "copy or mount the data and give a local path";
            return Some(("unsupported", message, hint));
        }
        None => path,
    };
    if local.contains('\0') {
        return wrong(
            format!("`{}` holds a NUL character", path.escape_debug()),
            "remove it: no file can be named so",
        );
    }
    let first = local.split('/').next().unwrap_or_default();
    if let Some(user) = first.strip_prefix('~')
        && user.chars().all(char::is_alphanumeric)
    {
        return wrong(
            format!("`{path}`: `{first}` is not expanded, as no shell reads the file"),
            "write the folder out, or take it from a variable: `${vars.home}/...` with `--var home=\"$HOME\"`",
        );
    }
    let names_variable = |part: &str| {
        part.strip_prefix('$').is_some_and(|name| {
            name.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_')
        })
    };
    if local.split('/').any(names_variable) {
        return wrong(
            format!(
                "`{path}`: variables of the environment are not expanded, as no shell reads the file"
            ),
            "declare a variable and write `${vars.name}`",
        );
    }
    if let Some(name) = local.split('/').find(|name| name.len() > LONGEST_NAME) {
        return wrong(
            format!(
                "a name in the path has {} bytes, and {LONGEST_NAME} are possible: `{}...`",
                name.len(),
                name.chars().take(40).collect::<String>()
            ),
            "choose a shorter name",
        );
    }
    if local.len() > LONGEST_PATH {
        return wrong(
            format!(
                "the path has {} bytes, and {LONGEST_PATH} are possible",
                local.len()
            ),
            "choose a shorter path",
        );
    }
    if used == Use::Target
        && let Some(what) = no_target(local)
    {
        return wrong(
            format!("`{path}` is {what}, which is not a target of its own"),
            "name a file, or a folder for this output alone; a variable in the path may be empty",
        );
    }
    None
}

/// The scheme of a URL: two letters or more before `:/`; one letter is a drive.
fn scheme(path: &str) -> Option<&str> {
    let (scheme, rest) = path.split_once(':')?;
    let is_scheme = scheme.len() > 1
        && scheme.starts_with(|letter: char| letter.is_ascii_alphabetic())
        && scheme
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '+' | '-' | '.'));
    (is_scheme && rest.starts_with('/')).then_some(scheme)
}

/// What a path is that leads nowhere of its own: the root, the working directory, or a folder around it.
fn no_target(path: &str) -> Option<&'static str> {
    let mut depth = 0_i64;
    let mut lowest = 0;
    let mut rooted = false;
    for component in FilePath::new(path).components() {
        match component {
            Component::RootDir | Component::Prefix(_) => rooted = true,
            Component::CurDir => {}
            // Nothing lies above the root.
            Component::ParentDir if rooted => depth = (depth - 1).max(0),
            Component::ParentDir => depth -= 1,
            Component::Normal(_) => depth += 1,
        }
        lowest = lowest.min(depth);
    }
    match (rooted, depth - lowest) {
        (true, _) if depth == 0 => Some("the root of the file system"),
        (false, 0) if lowest == 0 => Some("the working directory"),
        (false, 0) => Some("a folder around the working directory"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(path: &str) -> Option<String> {
        fault(path, Use::Target).map(|(_, message, _)| message)
    }

    #[test]
    fn folders_that_are_nobodys_own_are_no_targets() {
        for path in [
            ".",
            "./",
            "..",
            "../",
            "/",
            "//",
            "/.",
            "/..",
            "/etc/..",
            "data/../",
            "a/b/../..",
            "../x/..",
            "../../",
            "file:///",
            "./.",
        ] {
            assert!(told(path).is_some(), "{path}");
        }
        for path in [
            "x",
            "./x",
            "../x",
            "/x/",
            "a/../b",
            "file:///x",
            "../x/../y",
            "..x",
            "...",
        ] {
            assert_eq!(told(path), None, "{path}");
        }
    }

    #[test]
    fn schemes_are_told_from_names() {
        for path in [
            "s3://b/x",
            "dbfs:/x",
            "abfss://c@a/x",
            "gs://b",
            "https://x/y",
            "file:/x",
            "file://x/y",
        ] {
            assert!(told(path).is_some(), "{path}");
            assert!(fault(path, Use::Source).is_some(), "{path}");
        }
        for path in ["a:b.csv", "C:/x", "2024:01/x.csv", "x y:/z"] {
            assert_eq!(told(path), None, "{path}");
        }
    }

    #[test]
    fn what_a_shell_would_expand_and_what_no_disk_takes() {
        for path in [
            "~/x",
            "~",
            "~ann/x",
            "$HOME/x",
            "/a/$USER/x",
            "a\0b",
            &"n".repeat(256),
            &"d/".repeat(2100),
        ] {
            assert!(told(path).is_some(), "{path}");
        }
        for path in ["a{b}", "{a,b}.csv", "{a.b}/x", "{vars.d/x", "}{", "a{"] {
            assert_eq!(placeholder(path), None, "{path}");
        }
        for path in ["~$x.csv", "a$b", "x~/y", "$1/x", &"n".repeat(255)] {
            assert_eq!(told(path), None, "{path}");
        }
    }
}
