//! `public-api`: what crates outside of this repository may use, one line for each item, kept in `public-api.txt` of the crate and
//! compared, so that no change of it goes unseen.
//!
//! The list is read from the source, without a build: modules that are public, what they re-export, fields, variants, methods and
//! traits, with their attributes that matter (`#[non_exhaustive]`, derived traits). What a macro makes is read for the one table
//! of functions; other items that macros make are not public.

mod items;
mod source;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::{Options, cargo};

/// The crates that drivers outside of the repository use.
const CRATES: &[&str] = &["laktory-core", "laktory-sql", "laktory-testkit"];

const FILE: &str = "public-api.txt";

/// Carries out the task: accepts what is public now, or with `--check` compares it.
///
/// # Errors
/// What differs; files that cannot be read or written.
pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    if arguments == ["--check"] {
        check()?;
        println!("{FILE} of {} is up to date", CRATES.join(", "));
        return Ok(());
    }
    Options::parse(arguments, &[])?;
    accept()
}

/// Writes the lists.
///
/// # Errors
/// Files that cannot be read or written.
pub(crate) fn accept() -> Result<(), String> {
    for name in CRATES {
        let lines = lines(name)?;
        let path = folder(name).join(FILE);
        let mut text = lines.join("\n");
        text.push('\n');
        fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
        println!("{name}: {} public items", lines.len());
    }
    Ok(())
}

/// Whether the lists say what is public.
///
/// # Errors
/// The first lines that differ, by crate.
pub(crate) fn check() -> Result<(), String> {
    let mut differences = Vec::new();
    for name in CRATES {
        let kept = fs::read_to_string(folder(name).join(FILE)).unwrap_or_default();
        differences.extend(difference(name, &kept, &lines(name)?));
    }
    if differences.is_empty() {
        return Ok(());
    }
    Err(format!(
        "{}\nrun `cargo xtask public-api` to accept it; `docs/writing-a-driver.md` says which changes ask for another number of \
         the contract",
        differences.join("\n")
    ))
}

fn folder(name: &str) -> std::path::PathBuf {
    cargo::root().join("crates").join(name)
}

fn lines(name: &str) -> Result<Vec<String>, String> {
    let root = folder(name).join("src/lib.rs");
    items::public(&source::read(&root, &name.replace('-', "_"))?)
}

/// What left and what came, at most a few lines of each.
fn difference(name: &str, kept: &str, now: &[String]) -> Option<String> {
    const SHOWN: usize = 10;
    let kept: BTreeSet<&str> = kept.lines().collect();
    let now: BTreeSet<&str> = now.iter().map(String::as_str).collect();
    let gone = kept.difference(&now).map(|line| format!("  - {line}"));
    let new = now.difference(&kept).map(|line| format!("  + {line}"));
    let changes: Vec<String> = gone.chain(new).collect();
    if changes.is_empty() {
        return None;
    }
    let more = match changes.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!("\n  and {more} lines more"),
    };
    let shown = &changes[..changes.len().min(SHOWN)];
    let file = Path::new("crates").join(name).join(FILE);
    Some(format!(
        "{} is not what is public:\n{}{more}",
        file.display(),
        shown.join("\n")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_those_of_the_source() {
        check().unwrap();
    }

    #[test]
    fn a_difference_names_what_left_and_what_came() {
        let now = ["pub fn a::c()".to_owned()];
        let told = difference("x", "pub fn a::b()\n", &now).unwrap();
        assert!(
            told.ends_with("  - pub fn a::b()\n  + pub fn a::c()"),
            "{told}"
        );
        assert_eq!(difference("x", "pub fn a::c()\n", &now), None);
    }
}
