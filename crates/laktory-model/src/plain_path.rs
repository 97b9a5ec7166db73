//! Paths as short as they can be written: what two spellings of one place have in common without looking at it.

use std::path::PathBuf;

/// A path as short as it can be written: `file://./a//b/../c/` is `a/c`. Links are not followed, letter case counts. The
/// scheme of a URL is its first part.
#[must_use]
pub fn plain_path(path: &str) -> PathBuf {
    let path = path.strip_prefix("file://").unwrap_or(path);
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            // What is above the root is the root.
            ".." if rooted => {}
            part => parts.push(part),
        }
    }
    let root = if rooted { "/" } else { "" };
    PathBuf::from(format!("{root}{}", parts.join("/")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_place_are_one() {
        for spelling in [
            "a/c",
            "./a/c",
            "a//c/",
            "a/b/../c",
            "file://a/c",
            "./x/.././a/c",
        ] {
            assert_eq!(plain_path(spelling), PathBuf::from("a/c"), "{spelling}");
        }
        assert_eq!(plain_path("file:///a/c"), plain_path("/../a/./c/"));
        assert_eq!(plain_path("../a"), PathBuf::from("../a"));
        assert_eq!(plain_path("./"), PathBuf::new());
        assert_eq!(plain_path("s3://b/c/"), PathBuf::from("s3:/b/c"));
    }
}
