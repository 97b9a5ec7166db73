//! Names of rules, such as `R-DQ-4`: each that a file uses is told on one page, and none is told for nothing.

use std::collections::BTreeMap;
use std::path::Path;

/// The page that tells them.
const PAGE: &str = "docs/rules.md";

/// The names that files use, and those that are told.
#[derive(Default)]
pub(super) struct Rules {
    /// With the first place of each.
    used: BTreeMap<String, String>,
    told: BTreeMap<String, usize>,
}

impl Rules {
    /// Looks at a file.
    pub(super) fn see(&mut self, path: &Path, text: &str) {
        let file = path.to_string_lossy().replace('\\', "/");
        // Examples of names stand here, and in the introduction of the page.
        if file == "xtask/src/tidy/rules.rs" {
            return;
        }
        for (number, line) in text.lines().enumerate() {
            for name in names(line) {
                if file != PAGE {
                    let place = format!("{file}:{}", number + 1);
                    self.used.entry(name.to_owned()).or_insert(place);
                } else if line.starts_with(&format!("| `{name}` |")) {
                    *self.told.entry(name.to_owned()).or_default() += 1;
                }
            }
        }
    }

    /// One sentence for each name that is not told once, or told for nothing.
    pub(super) fn check(&self) -> Vec<String> {
        let untold = self
            .used
            .iter()
            .filter(|(name, _)| !self.told.contains_key(*name))
            .map(|(name, place)| format!("{place}: `{name}` is not told in {PAGE}"));
        let unused = self
            .told
            .iter()
            .filter(|(name, _)| !self.used.contains_key(*name))
            .map(|(name, _)| format!("{PAGE}: `{name}` is told, and no file uses it"));
        let twice = self.told.iter().filter(|(_, count)| **count > 1);
        let twice = twice.map(|(name, _)| format!("{PAGE}: `{name}` is told twice"));
        untold.chain(unused).chain(twice).collect()
    }
}

/// The names of rules in a line: `R-`, capital letters, `-`, digits.
fn names(line: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for (at, _) in line.match_indices("R-") {
        let word = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
        if line[..at].chars().next_back().is_some_and(word) {
            continue;
        }
        let rest = &line[at + 2..];
        let letters = rest.len()
            - rest
                .trim_start_matches(|c: char| c.is_ascii_uppercase())
                .len();
        let Some(digits) = rest[letters..].strip_prefix('-').filter(|_| letters > 0) else {
            continue;
        };
        let digits = digits.len()
            - digits
                .trim_start_matches(|c: char| c.is_ascii_digit())
                .len();
        if digits > 0 {
            found.push(&line[at..at + 2 + letters + 1 + digits]);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_within_lines() {
        assert_eq!(names("a (R-DQ-10), `R-TYPE-03`;"), ["R-DQ-10", "R-TYPE-03"]);
        assert_eq!(names("OTHER-DQ-10 R-x-1 R-DQ R--1"), Vec::<&str>::new());
    }

    #[test]
    fn what_is_used_is_told_and_what_is_told_is_used() {
        let mut rules = Rules::default();
        rules.see(Path::new("a.rs"), "// R-A-1\n// R-B-2\n");
        rules.see(
            Path::new(PAGE),
            "| `R-A-1` | is so. |\n| `R-C-3` | is so. |\n",
        );
        assert_eq!(
            rules.check(),
            [
                "a.rs:2: `R-B-2` is not told in docs/rules.md",
                "docs/rules.md: `R-C-3` is told, and no file uses it"
            ]
        );
    }
}
