//! Layout and wording of files.

use std::path::Path;

/// Lines of a Rust file beyond which there is a seam to be found.
const LONGEST: usize = 600;

/// Beginnings of paths that exist on one machine only. Put together here, so that this file does not hold them.
const MACHINE_PATHS: &[&str] = &[
    concat!("/", "work"),
    concat!("/", "farm"),
    concat!("/", "root"),
    concat!("../", "shared"),
];

/// Engines by the names that only their drivers may know, as backends and as crates.
const ENGINE_NAMES: &[&str] = &[
    "POLARS",
    "DATAFUSION",
    "PYSPARK",
    "polars",
    "datafusion",
    "pyspark",
];

/// Who may name engines beside drivers and tests, and why.
const NAMES_ENGINES: &[(&str, &str)] = &[
    ("crates/laktory/", "the facade links drivers by feature"),
    (
        "crates/laktory-core/src/registry.rs",
        "the contract knows which backends exist elsewhere, to say how to get them",
    ),
    (
        "crates/laktory-syntax/src/python/native_",
        "expressions in the words of Polars and Spark are understood",
    ),
    ("xtask/", "tasks start servers, and measure engines"),
];

/// Macros that stand for work not done.
const UNDONE: &[&str] = &[
    concat!("todo", "!("),
    concat!("unimplemented", "!("),
    concat!("dbg", "!("),
];

/// One sentence for each line, or file, that breaks a rule. `path` is relative to the root.
pub(super) fn check(path: &Path, text: &str) -> Vec<String> {
    let name = path.to_string_lossy().replace('\\', "/");
    let mut violations = Vec::new();
    machine_paths(&name, text, &mut violations);
    if path.extension().is_some_and(|extension| extension == "rs") {
        let generated = text.lines().take(3).any(|line| line.contains("@generated"));
        if !generated {
            layout(&name, text, &mut violations);
        }
        undone(&name, text, &mut violations);
        engine_names(&name, text, &mut violations);
    }
    violations
}

fn machine_paths(name: &str, text: &str, violations: &mut Vec<String>) {
    for (number, line) in text.lines().enumerate() {
        for path in MACHINE_PATHS {
            if holds_path(line, path) {
                violations.push(format!(
                    "{name}:{}: `{path}` exists on one machine only",
                    number + 1
                ));
            }
        }
    }
}

/// Whether `line` holds `path` as the beginning of a path: `a/root` and `/rooted` are other names.
fn holds_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '}' | ')');
        let before = line[..at].chars().next_back();
        let after = line[at + path.len()..].chars().next();
        !before.is_some_and(word)
            && !after.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '-')
    })
}

fn layout(name: &str, text: &str, violations: &mut Vec<String>) {
    let lines = text.lines().count();
    if lines > LONGEST {
        violations.push(format!(
            "{name}: {lines} lines; past {LONGEST}, look for the seam"
        ));
    }
    let ours = ["crates/", "plugins/", "xtask/", "tests/"];
    // A driver's crate page lies in a file of its own.
    let documented = text.starts_with("//!") || text.starts_with("#![doc = include_str!");
    if ours.iter().any(|folder| name.starts_with(folder)) && !documented {
        violations.push(format!(
            "{name}: does not begin with `//!`: what is the file for?"
        ));
    }
}

fn undone(name: &str, text: &str, violations: &mut Vec<String>) {
    const MARK: &str = concat!("TO", "DO");
    for (number, line) in text.lines().enumerate() {
        let number = number + 1;
        let code = line.split("//").next().unwrap_or_default();
        for word in UNDONE {
            if code.contains(word) {
                violations.push(format!("{name}:{number}: `{word}..)` is left"));
            }
        }
        if let Some((_, comment)) = line.split_once("//")
            && comment.contains(MARK)
            && !has_issue(comment)
        {
            violations.push(format!(
                "{name}:{number}: a {MARK} without the number of an issue"
            ));
        }
    }
}

/// Whether a comment names an issue: `#12` or `issue 12`.
fn has_issue(comment: &str) -> bool {
    ["#", "issue "].iter().any(|mark| {
        comment.match_indices(mark).any(|(at, _)| {
            let next = comment[at + mark.len()..].chars().next();
            next.is_some_and(|c| c.is_ascii_digit())
        })
    })
}

fn engine_names(name: &str, text: &str, violations: &mut Vec<String>) {
    let drivers = ["plugins/", "tests/", "examples/"];
    let test = name.contains("/tests/") || name.ends_with("/tests.rs");
    let mut may = drivers
        .iter()
        .chain(NAMES_ENGINES.iter().map(|(place, _)| place));
    if may.any(|place| name.starts_with(place)) || test {
        return;
    }
    for (number, line) in text.lines().enumerate() {
        if line.trim() == "#[cfg(test)]" {
            return;
        }
        let code = line.split("//").next().unwrap_or_default();
        for engine in ENGINE_NAMES {
            // Also inside of a longer text, as a word of its own.
            if holds_word(code, engine) {
                violations.push(format!(
                    "{name}:{}: names the engine \"{engine}\"; ask its capabilities instead",
                    number + 1
                ));
            }
        }
    }
}

/// Whether a line holds a word, with no letter, digit or `_` beside it.
fn holds_word(line: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        !before.is_some_and(part) && !after.is_some_and(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(name: &str, text: &str) -> Vec<String> {
        check(Path::new(name), text)
    }

    #[test]
    fn machine_paths_are_refused_in_every_file() {
        let path = format!("see {}/main/x", MACHINE_PATHS[0]);
        assert_eq!(found("README.md", &path).len(), 1);
        let shared = format!("`{}/design.md`", MACHINE_PATHS[3]);
        assert_eq!(found("docs/a.md", &shared).len(), 1);
        let other = format!(
            "a{}/b {}space .github{}flows",
            MACHINE_PATHS[2], MACHINE_PATHS[0], MACHINE_PATHS[0]
        );
        assert_eq!(found("README.md", &other), Vec::<String>::new());
    }

    #[test]
    fn long_files_are_refused_unless_generated() {
        let long = format!("//! Doc.\n{}", "fn f() {}\n".repeat(LONGEST));
        assert!(found("crates/a/src/b.rs", &long)[0].contains("look for the seam"));
        let generated = format!("// @generated\n{long}");
        assert_eq!(found("crates/a/src/b.rs", &generated), Vec::<String>::new());
    }

    #[test]
    fn every_file_says_what_it_is_for() {
        assert!(found("crates/a/src/main.rs", "fn main() {}\n")[0].contains("`//!`"));
        assert_eq!(
            found("crates/a/src/main.rs", "//! Doc.\n"),
            Vec::<String>::new()
        );
        assert_eq!(found("crates/a/a.toml", "x = 1\n"), Vec::<String>::new());
    }

    #[test]
    fn work_not_done_is_refused() {
        for word in UNDONE {
            let text = format!("//! Doc.\nfn f() {{ {word}) }}\n");
            assert_eq!(found("crates/a/src/b.rs", &text).len(), 1, "{word}");
        }
        let mark = concat!("TO", "DO");
        let bare = format!("//! Doc.\n// {mark}: later\n");
        assert!(found("crates/a/src/b.rs", &bare)[0].contains("number of an issue"));
        let numbered = format!("//! Doc.\n// {mark} (issue 12): later\n// {mark} #7: later\n");
        assert_eq!(found("crates/a/src/b.rs", &numbered), Vec::<String>::new());
    }

    #[test]
    fn engines_are_named_by_their_drivers_only() {
        let text = "//! Doc.\nconst X: &str = \"POLARS\";\n";
        assert!(found("crates/laktory-plan/src/a.rs", text)[0].contains("capabilities"));
        for name in [
            "plugins/laktory-polars/src/lib.rs",
            "crates/laktory/src/lib.rs",
            "tests/pipelines/main.rs",
            "crates/laktory-core/src/registry.rs",
        ] {
            assert_eq!(found(name, text), Vec::<String>::new(), "{name}");
        }
        let in_test = "//! Doc.\n#[cfg(test)]\nmod tests { const X: &str = \"POLARS\"; }\n";
        assert_eq!(
            found("crates/laktory-plan/src/a.rs", in_test),
            Vec::<String>::new()
        );
        let longer =
            "//! Doc.\nconst X: &str = \"set `dataframe_backend: PYSPARK` on the node\";\n";
        assert_eq!(found("crates/laktory-plan/src/a.rs", longer).len(), 1);
        let part = "//! Doc.\nconst X: &str = \"polarstern\";\n";
        assert_eq!(
            found("crates/laktory-plan/src/a.rs", part),
            Vec::<String>::new()
        );
        let in_comment = "//! Doc, such as \"POLARS\".\n";
        assert_eq!(
            found("crates/laktory-plan/src/a.rs", in_comment),
            Vec::<String>::new()
        );
    }
}
