//! `tidy`: rules that no compiler checks, each with a test of its own.
//!
//! - the graph of our crates (`graph`);
//! - layout and wording of files (`text`);
//! - names of rules, which one page tells (`rules`);
//! - no engine in a build that did not ask for it ([`engines`]);
//! - the public items of the contract are those that were accepted ([`public_api`]).

mod graph;
mod rules;
mod text;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::{cargo, public_api};

/// Packages that mean that an engine is part of a build, by the facade's feature that brings it.
const ENGINES: &[(&str, &str)] = &[
    ("polars", "polars"),
    ("datafusion", "datafusion"),
    ("spark", "apache-spark-connect"),
];

/// Carries out the task.
pub(crate) fn run() -> Result<(), String> {
    let root = cargo::root();
    let mut violations = graph::check(&graph::packages(&cargo::metadata()?, &root));
    let mut files = Vec::new();
    collect(&root, &root, &mut files).map_err(|error| error.to_string())?;
    files.sort();
    let mut rules = rules::Rules::default();
    for file in &files {
        // What is not text has no wording.
        if let Ok(text) = std::fs::read_to_string(root.join(file)) {
            violations.extend(text::check(file, &text));
            rules.see(file, &text);
        }
    }
    violations.extend(rules.check());
    violations.extend(engines(None).err());
    violations.extend(public_api::check().err());
    if violations.is_empty() {
        println!("tidy: {} files, nothing to say", files.len());
        Ok(())
    } else {
        let count = violations.len();
        Err(format!(
            "{}\ntidy: {count} violations",
            violations.join("\n")
        ))
    }
}

/// The number of packages in the facade with one driver, or none, which must hold no other engine.
///
/// # Errors
/// The engine that it holds; those of cargo.
pub(crate) fn engines(feature: Option<&str>) -> Result<usize, String> {
    let mut arguments = vec!["tree", "-p", "laktory", "--no-default-features"];
    arguments.extend(["--edges", "normal,build", "--prefix", "none"]);
    arguments.extend(feature.map(|_| "--features"));
    arguments.extend(feature);
    let tree = cargo::output(&arguments)?;
    match foreign_engine(&tree, feature) {
        Some(package) => Err(format!(
            "the facade with {} holds `{package}`",
            feature.unwrap_or("no driver")
        )),
        None => Ok(packages(&tree)),
    }
}

/// How many packages a `cargo tree` has, which names some of them more than once.
fn packages(tree: &str) -> usize {
    let packages = tree.lines().map(|line| {
        let mut words = line.split_whitespace();
        (words.next(), words.next())
    });
    packages.collect::<BTreeSet<_>>().len()
}

/// The first package of a `cargo tree` that belongs to an engine other than `feature`'s.
fn foreign_engine<'a>(tree: &'a str, feature: Option<&str>) -> Option<&'a str> {
    let packages = tree
        .lines()
        .filter_map(|line| line.split_whitespace().next());
    packages.into_iter().find(|package| {
        ENGINES.iter().any(|(name, engine)| {
            let belongs = *package == *engine
                || package
                    .strip_prefix(engine)
                    .is_some_and(|rest| rest.starts_with('-'));
            belongs && feature != Some(*name)
        })
    })
}

/// Files below `folder`, relative to `root`; build output, hidden folders and downloaded data are left out.
fn collect(root: &Path, folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let hidden = name.starts_with('.') && !matches!(&*name, ".ci" | ".cargo" | ".github");
        let output =
            name == "target" || (folder == root && (name == "data" || name.starts_with("target-")));
        if entry.file_type()?.is_dir() {
            if !hidden && !output {
                collect(root, &entry.path(), files)?;
            }
        } else if name == ".git" {
            // A linked work tree has a file of this name, with a path of the machine.
        } else if let Ok(path) = entry.path().strip_prefix(root) {
            files.push(path.to_path_buf());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn engines_of_other_drivers_are_found() {
        let tree = "laktory v0.1.0\nlaktory-polars v0.1.0\npolars-core v0.55.2\nserde v1.0.0";
        assert_eq!(packages(&format!("{tree}\nserde v1.0.0 (*)")), 4);
        assert_eq!(foreign_engine(tree, None), Some("polars-core"));
        assert_eq!(
            foreign_engine(tree, Some("datafusion")),
            Some("polars-core")
        );
        assert_eq!(foreign_engine(tree, Some("polars")), None);
        assert_eq!(
            foreign_engine("laktory v0.1.0\npolarsish v1.0.0", None),
            None
        );
    }
}
