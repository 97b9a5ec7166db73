//! Which paths are one place: by how they are written, and by where they lead on this machine where that was looked up.
//!
//! A place has one key for each way in which it is known. Two paths are one place when they share a key; one lies in the
//! other when its key begins with the other's.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use glob::{MatchOptions, Pattern, PatternError};
use laktory_core::Format;
use laktory_model::plain_path;

/// Where the paths of a pipeline lead, looked up before planning, which does no I/O itself. Empty, paths are compared as they are written.
#[derive(Clone, Debug, Default)]
pub struct Survey {
    /// Where relative paths begin.
    pub folder: Option<PathBuf>,
    /// For paths as they are written: other keys of the place, such as the path behind links. Those of a glob are patterns.
    pub real: BTreeMap<String, Vec<PathBuf>>,
}

impl Survey {
    /// The keys of a path. `local` is whether it means this machine's files.
    pub(crate) fn keys(&self, path: &str, local: bool) -> Vec<PathBuf> {
        let plain = plain_path(path);
        let written = match &self.folder {
            Some(folder) if !is_remote(&plain) => {
                plain_path(&folder.join(&plain).to_string_lossy())
            }
            _ => plain,
        };
        let mut keys = vec![written];
        if local {
            let real = self.real.get(path).into_iter().flatten();
            for key in real {
                if !keys.contains(key) {
                    keys.push(key.clone());
                }
            }
        }
        keys
    }
}

/// Whether a path begins with a scheme: `s3://bucket/x`, `dbfs:/x`.
fn is_remote(plain: &Path) -> bool {
    let first = plain.components().next();
    first.is_some_and(|first| {
        let first = first.as_os_str().to_string_lossy();
        first.len() > 1 && first.ends_with(':')
    })
}

/// Whether a path may be a glob.
pub(crate) fn is_pattern(path: &str) -> bool {
    path.contains(['*', '?', '['])
}

/// How what is read lies to what is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Relation {
    /// They are one place.
    Same,
    /// What is read holds what is written: a folder, or a glob that matches it.
    Around,
    /// What is read lies in what is written.
    Within,
}

/// Something that is written, by the keys of its place.
#[derive(Debug)]
pub(crate) struct Target<T> {
    pub(crate) keys: Vec<PathBuf>,
    /// Format of its files.
    pub(crate) format: Format,
    /// What it is for the caller.
    pub(crate) of: T,
}

/// Everything that is written, by place.
#[derive(Debug)]
pub(crate) struct Targets<T> {
    targets: Vec<Target<T>>,
    by_key: BTreeMap<PathBuf, Vec<usize>>,
}

impl<T> Targets<T> {
    pub(crate) fn new(targets: Vec<Target<T>>) -> Self {
        let mut by_key: BTreeMap<PathBuf, Vec<usize>> = BTreeMap::new();
        for (number, target) in targets.iter().enumerate() {
            for key in &target.keys {
                by_key.entry(key.clone()).or_default().push(number);
            }
        }
        Self { targets, by_key }
    }

    pub(crate) fn get(&self, number: usize) -> &Target<T> {
        &self.targets[number]
    }

    pub(crate) fn len(&self) -> usize {
        self.targets.len()
    }

    /// The targets before `number` that are the same place, and the nearest other one that holds it.
    pub(crate) fn clashes(&self, number: usize) -> Vec<(usize, Relation)> {
        let mut found = BTreeMap::new();
        for key in &self.targets[number].keys {
            let same = self.by_key.get(key).into_iter().flatten();
            for &other in same.filter(|&&other| other < number) {
                found.insert(other, Relation::Same);
            }
            let around = key.ancestors().skip(1).find_map(|key| self.by_key.get(key));
            if let Some(&other) = around.and_then(|others| others.first()) {
                found.entry(other).or_insert(Relation::Within);
            }
        }
        found.into_iter().collect()
    }

    /// The targets that a read of `keys` touches.
    pub(crate) fn touched(&self, keys: &[PathBuf], pattern: bool) -> BTreeMap<usize, Relation> {
        let mut found = BTreeMap::new();
        for key in keys {
            if pattern {
                self.matched_by(key, &mut found);
                // A file may have the name of a glob.
                let same = self.by_key.get(key).into_iter().flatten();
                found.extend(same.map(|&number| (number, Relation::Same)));
            } else {
                self.touched_by(key, &mut found);
            }
        }
        found
    }

    fn touched_by(&self, key: &Path, found: &mut BTreeMap<usize, Relation>) {
        for (depth, around) in key.ancestors().enumerate() {
            for &number in self.by_key.get(around).into_iter().flatten() {
                let relation = match depth {
                    0 => Relation::Same,
                    _ => Relation::Within,
                };
                found.entry(number).or_insert(relation);
            }
        }
        for (number, _) in self.below(key) {
            found.entry(number).or_insert(Relation::Around);
        }
    }

    /// The targets below a folder that a read of the folder sees.
    fn below<'a>(&'a self, folder: &'a Path) -> impl Iterator<Item = (usize, &'a Path)> {
        self.by_key
            .range(folder.to_path_buf()..)
            .take_while(move |(key, _)| key.starts_with(folder))
            .filter(move |(key, _)| {
                let rest = key.strip_prefix(folder).unwrap_or(key);
                rest.components().next().is_some() && !is_hidden(rest)
            })
            .flat_map(|(key, numbers)| numbers.iter().map(|&number| (number, key.as_path())))
    }

    fn matched_by(&self, key: &Path, found: &mut BTreeMap<usize, Relation>) {
        let fixed: PathBuf = key
            .components()
            .take_while(|part| !is_pattern(&part.as_os_str().to_string_lossy()))
            .collect();
        let rest = key.strip_prefix(&fixed).unwrap_or(key);
        let pattern = Path::new(&Pattern::escape(&fixed.to_string_lossy())).join(rest);
        // A malformed one is refused when it is read.
        let Ok(pattern) = glob_pattern(&pattern.to_string_lossy()) else {
            return;
        };
        let options = MatchOptions {
            require_literal_separator: true,
            ..MatchOptions::new()
        };
        let matches = |path: &Path| pattern.matches_path_with(path, options);
        let around = fixed.ancestors();
        let around = around.filter_map(|key| Some((self.by_key.get(key)?, key)));
        let around = around.flat_map(|(numbers, key)| numbers.iter().map(move |n| (*n, key)));
        for (number, target) in around.chain(self.below(&fixed)) {
            let extension = self.targets[number].format.name().to_ascii_lowercase();
            let part = format!("part-0.{extension}");
            let matched = matches(target)
                || matches(&target.join(&part))
                || matches(&target.join("column=value").join(&part))
                || target
                    .ancestors()
                    .skip(1)
                    .take_while(|folder| *folder != fixed)
                    .any(matches);
            if matched {
                found.entry(number).or_insert(Relation::Around);
            } else if fixed.starts_with(target) && fixed != target {
                found.entry(number).or_insert(Relation::Within);
            }
        }
    }

    /// Whether what lies at `keys`, within the target, may be a folder of a partition that the target has.
    pub(crate) fn is_partition(&self, number: usize, keys: &[PathBuf]) -> bool {
        let targets = &self.targets[number].keys;
        let mut rests = targets.iter().flat_map(|target| {
            keys.iter()
                .filter_map(move |key| key.strip_prefix(target).ok())
        });
        rests.any(|rest| {
            let first = rest.components().next();
            first.is_some_and(|first| first.as_os_str().to_string_lossy().contains('='))
        })
    }
}

/// Whether a read of the folder above leaves a path out: names that begin with `.` or `_` are not data.
fn is_hidden(path: &Path) -> bool {
    path.components().any(|part| {
        let name = part.as_os_str().to_string_lossy();
        name.starts_with(['.', '_']) && name != ".."
    })
}

/// The pattern of a glob. `[^a]` is `[!a]`, as in shells.
///
/// # Errors
/// For a malformed one.
pub fn glob_pattern(text: &str) -> Result<Pattern, PatternError> {
    Pattern::new(&text.replace("[^", "[!"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relation(target: &str, source: &str) -> Option<Relation> {
        let survey = Survey {
            folder: Some("/w".into()),
            real: BTreeMap::from([
                ("link/a.parquet".to_owned(), vec!["/w/o/a.parquet".into()]),
                ("link/*".to_owned(), vec!["/w/o/*".into()]),
            ]),
        };
        let target = Target {
            keys: survey.keys(target, true),
            format: Format::Parquet,
            of: (),
        };
        let targets = Targets::new(vec![target]);
        let touched = targets.touched(&survey.keys(source, true), is_pattern(source));
        touched.get(&0).copied()
    }

    #[test]
    fn relations() {
        use Relation::{Around, Same, Within};
        for (target, source, expected) in [
            ("o/a.parquet", "./o//a.parquet", Some(Same)),
            ("o/a.parquet", "/w/o/a.parquet", Some(Same)),
            ("o/a.parquet", "file:///w/x/../o/a.parquet", Some(Same)),
            ("o/a.parquet", "link/a.parquet", Some(Same)),
            ("link/a.parquet", "o/a.parquet", Some(Same)),
            ("o/a.parquet", "o", Some(Around)),
            ("o/a.parquet", ".", Some(Around)),
            ("o/a.parquet", "/", Some(Around)),
            ("o/a.parquet", "o/*.parquet", Some(Around)),
            ("o/a.parquet", "link/*", Some(Around)),
            ("o/a.parquet", "*/a.parquet", Some(Around)),
            ("o/a.parquet", "**/*.parquet", Some(Around)),
            ("o/a.parquet", "*", Some(Around)),
            ("o/a.parquet", "o/*.csv", None),
            ("o/a.parquet", "o/a", None),
            ("o/a.parquet", "oo", None),
            ("o/_a.parquet", "o", None),
            ("o/.a.parquet", "o", None),
            ("o/", "o/*.parquet", Some(Around)),
            ("o/", "o/*.csv", None),
            ("o/", "o/*/*.parquet", Some(Around)),
            ("o/", "o/x.parquet", Some(Within)),
            ("o/", "o/x/*.parquet", Some(Within)),
            ("o/", "o/", Some(Same)),
            ("s3://b/a", "s3://b/./a", Some(Same)),
            ("s3://b/a", "b/a", None),
            ("a", "s3://b/a", None),
        ] {
            assert_eq!(relation(target, source), expected, "{target} {source}");
        }
    }
}
