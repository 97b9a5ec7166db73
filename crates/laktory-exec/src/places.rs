//! Where the paths of a pipeline lead on this machine: behind links, and to files that have several names.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use laktory_model::{Pipeline, SinkKind, SourceKind};
use laktory_plan::Survey;

use crate::files::local_path;

/// Links that are followed one by one where what they lead to does not exist yet.
const MOST_LINKS: usize = 40;

/// Looks up where the paths of a pipeline's sources and sinks lead. What cannot be looked at is left out: it is then known
/// by its spelling alone.
#[must_use]
pub fn survey(pipeline: &Pipeline) -> Survey {
    let mut survey = Survey {
        folder: std::env::current_dir().ok(),
        real: BTreeMap::new(),
    };
    for node in &pipeline.nodes {
        let sources = node.sources.iter().filter_map(|source| match &source.kind {
            SourceKind::File(file) => Some(file.path.as_str()),
            _ => None,
        });
        let sinks = node.sinks.iter().filter_map(|sink| match &sink.kind {
            SinkKind::File(file) => Some(file.path.as_str()),
            _ => None,
        });
        for path in sources.chain(sinks) {
            if !survey.real.contains_key(path) {
                survey.real.insert(path.to_owned(), keys(path));
            }
        }
    }
    survey
}

fn keys(path: &str) -> Vec<PathBuf> {
    let Ok(local) = local_path(path) else {
        return Vec::new();
    };
    // The part of a glob that is a plain path may lead elsewhere; a file may have the name of a glob.
    let is_pattern = |part: &std::ffi::OsStr| part.to_string_lossy().contains(['*', '?', '[']);
    let mut keys: Vec<PathBuf> = real(&local).into_iter().collect();
    if !local.exists() && local.iter().any(is_pattern) {
        let fixed: PathBuf = local.iter().take_while(|part| !is_pattern(part)).collect();
        let rest: PathBuf = local.iter().skip_while(|part| !is_pattern(part)).collect();
        keys = real(&fixed)
            .map(|fixed| fixed.join(rest))
            .into_iter()
            .collect();
    }
    keys.extend(file_id(&local));
    keys
}

/// The absolute path without links. What does not exist yet lies where its nearest folder that exists leads.
fn real(path: &Path) -> Option<PathBuf> {
    let mut at = match path.as_os_str().is_empty() {
        true => PathBuf::from("."),
        false => path.to_path_buf(),
    };
    let mut missing = Vec::new();
    let mut links = 0;
    loop {
        if let Ok(real) = at.canonicalize() {
            return Some(missing.iter().rev().fold(real, |at, name| at.join(name)));
        }
        if links < MOST_LINKS
            && let Ok(leads_to) = at.read_link()
        {
            links += 1;
            at = at.parent().unwrap_or(Path::new(".")).join(leads_to);
            continue;
        }
        missing.push(at.file_name()?.to_owned());
        at = match at.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
            _ => PathBuf::from("."),
        };
    }
}

/// A key for a file that has several names.
#[cfg(unix)]
fn file_id(path: &Path) -> Option<PathBuf> {
    use std::os::unix::fs::MetadataExt as _;
    let found = path.metadata().ok()?;
    let id = || format!("file {} {}", found.dev(), found.ino()).into();
    (found.is_file() && found.nlink() > 1).then(id)
}

#[cfg(not(unix))]
fn file_id(_: &Path) -> Option<PathBuf> {
    None
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_one_place_also_before_it_exists() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        std::fs::create_dir(root.join("data")).unwrap();
        std::fs::write(root.join("data/a.csv"), "x").unwrap();
        std::os::unix::fs::symlink("data", root.join("link")).unwrap();
        std::os::unix::fs::symlink("data/new.csv", root.join("dangling.csv")).unwrap();
        std::fs::hard_link(root.join("data/a.csv"), root.join("other.csv")).unwrap();
        let keys = |name: &str| keys(root.join(name).to_str().unwrap());
        assert_eq!(keys("link/a.csv"), keys("data/a.csv"));
        assert_eq!(keys("link/x/y.csv"), keys("data/x/y.csv"));
        assert_eq!(keys("link/*.csv"), keys("data/*.csv"));
        assert_eq!(keys("dangling.csv"), [root.join("data/new.csv")]);
        assert_eq!(keys("data/a.csv")[1], keys("other.csv")[1]);
    }
}
