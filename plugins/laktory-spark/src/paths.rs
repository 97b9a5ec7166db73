//! Paths that frames read from, so that none of them is replaced while it is read.
//!
//! Spark removes what an overwriting sink replaces before it computes the new rows: a node that reads what it writes would
//! lose both.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use prost::Message as _;
use spark_connect_proto as proto;

/// The paths of a session.
#[derive(Debug, Default)]
pub(crate) struct Paths(Mutex<BTreeSet<String>>);

impl Paths {
    /// Takes note of paths that a frame reads.
    pub(crate) fn add(&self, paths: &[String]) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.extend(paths.iter().cloned());
    }

    /// Whether a relation reads what lies at, below or around a path.
    pub(crate) fn are_read(&self, relation: &proto::Relation, target: &str) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut near = known.iter().filter(|path| overlap(path, target)).peekable();
        if near.peek().is_none() {
            return false;
        }
        // A path stands in the message of a relation as it is, wherever in the plan it is read.
        let message = relation.encode_to_vec();
        near.any(|path| {
            let path = path.as_bytes();
            message.windows(path.len()).any(|part| part == path)
        })
    }
}

/// Whether one path is the other one, or lies below it.
fn overlap(read: &str, target: &str) -> bool {
    let (read, target) = (plain(read), plain(target));
    let read = Path::new(read);
    // The part of a glob that is a plain path.
    let is_glob = |path: &Path| path.to_string_lossy().contains(['*', '?', '[', '{']);
    let read = read.ancestors().find(|path| !is_glob(path)).unwrap_or(read);
    let target = Path::new(target);
    read.starts_with(target) || target.starts_with(read)
}

fn plain(path: &str) -> &str {
    let path = path.strip_prefix("file://").unwrap_or(path);
    path.strip_prefix("file:")
        .unwrap_or(path)
        .trim_end_matches('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(path: &str) -> proto::Relation {
        crate::dsl::relation(proto::relation::RelType::Read(proto::Read {
            is_streaming: false,
            read_type: Some(proto::read::ReadType::DataSource(proto::read::DataSource {
                paths: vec![path.to_owned()],
                ..Default::default()
            })),
        }))
    }

    #[test]
    fn what_is_read_is_known_by_its_place() {
        let paths = Paths::default();
        paths.add(&["/d/in/*.csv".to_owned(), "/d/other".to_owned()]);
        let relation = reading("/d/in/*.csv");
        for (target, read) in [
            ("/d/in", true),
            ("/d", true),
            ("file:/d/in/a.csv", true),
            ("/d/inner", false),
            // Another frame reads it.
            ("/d/other", false),
        ] {
            assert_eq!(paths.are_read(&relation, target), read, "{target}");
        }
    }
}
