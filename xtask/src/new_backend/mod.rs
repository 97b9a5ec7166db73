//! `new-backend NAME`: the skeleton of a driver below `plugins/`, and the lines elsewhere that link it.
//!
//! The skeleton refuses everything as unsupported, so that its conformance run is green from the first minute. The lines
//! are put behind those of the drivers that exist; if one of their places is not found, nothing is written at all.

use std::fmt::Write as _;
use std::path::Path;

use crate::cargo;

/// Files of the driver: path and text, in which `@name@` and `@NAME@` stand for its name.
const FILES: &[(&str, &str)] = &[
    (
        "plugins/laktory-@name@/Cargo.toml",
        include_str!("template/Cargo.toml.template"),
    ),
    (
        "plugins/laktory-@name@/src/lib.rs",
        include_str!("template/lib.rs.template"),
    ),
    (
        "plugins/laktory-@name@/src/docs.md",
        include_str!("template/docs.md.template"),
    ),
    (
        "plugins/laktory-@name@/src/frame.rs",
        include_str!("template/frame.rs.template"),
    ),
    (
        "plugins/laktory-@name@/src/ops.rs",
        include_str!("template/ops.rs.template"),
    ),
    (
        "plugins/laktory-@name@/src/session.rs",
        include_str!("template/session.rs.template"),
    ),
    (
        "tests/conformance/gaps/@name@.yaml",
        include_str!("template/gaps.yaml.template"),
    ),
];

/// Lines that go into a file which exists.
struct Edit {
    file: &'static str,
    /// Whether a line belongs to a driver that is there already; the new ones go behind the last of these.
    behind: fn(&str) -> bool,
    lines: &'static [&'static str],
}

const EDITS: &[Edit] = &[
    Edit {
        file: "Cargo.toml",
        behind: |line| line.starts_with("laktory-") && line.contains("\"plugins/"),
        lines: &["laktory-@name@ = { path = \"plugins/laktory-@name@\" }"],
    },
    Edit {
        file: "crates/laktory/Cargo.toml",
        behind: |line| line.starts_with("laktory-") && line.contains("optional = true"),
        lines: &["laktory-@name@ = { workspace = true, optional = true }"],
    },
    Edit {
        file: "crates/laktory/Cargo.toml",
        behind: |line| line.contains("[\"dep:laktory-"),
        lines: &["@name@ = [\"dep:laktory-@name@\"]"],
    },
    Edit {
        file: "crates/laktory/src/linked.rs",
        behind: |line| line.starts_with("        &laktory_"),
        lines: &[
            "        #[cfg(feature = \"@name@\")]",
            "        &laktory_@name@::@NAME@,",
        ],
    },
    Edit {
        file: "crates/laktory/src/linked.rs",
        behind: |line| line.trim_start().starts_with("(cfg!(feature = "),
        lines: &["            (cfg!(feature = \"@name@\"), \"@NAME@\"),"],
    },
    Edit {
        file: "crates/laktory-cli/Cargo.toml",
        behind: |line| line.contains("= [\"laktory/"),
        lines: &["@name@ = [\"laktory/@name@\"]"],
    },
    Edit {
        file: "tests/conformance/Cargo.toml",
        behind: |line| line.starts_with("laktory-") && line.ends_with(".workspace = true"),
        lines: &["laktory-@name@.workspace = true"],
    },
    Edit {
        file: "tests/conformance/main.rs",
        behind: |line| line.starts_with("        &laktory_"),
        lines: &["        &laktory_@name@::@NAME@,"],
    },
];

/// Carries out the task.
pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    let [name] = arguments else {
        return Err("usage: cargo xtask new-backend NAME, such as `duckdb`".to_owned());
    };
    print!("{}", generate(&cargo::root(), name)?);
    Ok(())
}

/// Writes the driver `name` into the repository at `root`, and says what was written.
fn generate(root: &Path, name: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    if !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.chars().all(fits) {
        return Err(format!(
            "`{name}` cannot be the name of a driver: it takes lower-case letters and digits, such as `duckdb`"
        ));
    }
    let folder = format!("plugins/laktory-{name}");
    if root.join(&folder).exists() {
        return Err(format!("{folder} exists already"));
    }
    let named = |text: &str| {
        text.replace("@name@", name)
            .replace("@NAME@", &name.to_uppercase())
    };
    // Everything is prepared before anything is written.
    let mut edited: Vec<(&str, String)> = Vec::new();
    let mut said = format!(
        "{folder}: the skeleton of a driver\ntests/conformance/gaps/{name}.yaml: what it is known not to do\n"
    );
    let mut count = 0;
    for edit in EDITS {
        let known = edited.iter().position(|(file, _)| *file == edit.file);
        let text = match known {
            Some(at) => edited.remove(at).1,
            None => std::fs::read_to_string(root.join(edit.file))
                .map_err(|error| format!("{}: {error}", edit.file))?,
        };
        let lines: Vec<String> = edit.lines.iter().map(|line| named(line)).collect();
        let (text, at) = inserted(&text, edit.behind, &lines).ok_or_else(|| {
            format!(
                "{}: there is no driver's line to put this behind: {}",
                edit.file,
                lines.join(" ").trim()
            )
        })?;
        edited.push((edit.file, text));
        for (offset, line) in lines.iter().enumerate() {
            count += 1;
            let _ = writeln!(said, "{}:{}: {}", edit.file, at + offset + 1, line.trim());
        }
    }
    let files = FILES
        .iter()
        .map(|(path, text)| (named(path), named(text)))
        .chain(
            edited
                .into_iter()
                .map(|(path, text)| (path.to_owned(), text)),
        );
    for (path, text) in files {
        let path = root.join(path);
        let describe = |error: std::io::Error| format!("{}: {error}", path.display());
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(describe)?;
        }
        std::fs::write(&path, text).map_err(describe)?;
    }
    let _ = write!(
        said,
        "{count} lines outside of its folder. See docs/writing-a-driver.md; the short loop is\n  \
         cargo check -p laktory-{name}\n  \
         cargo run -p laktory-cli --no-default-features --features {name} -- backends\n  \
         cargo test --workspace --test conformance -- {name}::\n"
    );
    Ok(said)
}

/// A text with lines behind the last one that `behind` accepts, and how many lines come before them.
fn inserted(text: &str, behind: fn(&str) -> bool, lines: &[String]) -> Option<(String, usize)> {
    let mut all: Vec<&str> = text.lines().collect();
    let at = all.iter().rposition(|line| behind(line))? + 1;
    all.splice(at..at, lines.iter().map(String::as_str));
    let mut text = all.join("\n");
    text.push('\n');
    Some((text, at))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::PathBuf;

    use super::*;

    /// A copy of the files that are edited, in a folder that is removed in the end.
    struct Copy(PathBuf);

    impl Copy {
        fn new(name: &str) -> Self {
            let folder = format!("laktory-new-backend-{name}-{}", std::process::id());
            let copy = Self(std::env::temp_dir().join(folder));
            let files: BTreeSet<&str> = EDITS.iter().map(|edit| edit.file).collect();
            for file in files {
                let target = copy.0.join(file);
                std::fs::create_dir_all(target.parent().unwrap()).unwrap();
                std::fs::copy(cargo::root().join(file), target).unwrap();
            }
            copy
        }

        fn text(&self, file: &str) -> String {
            std::fs::read_to_string(self.0.join(file)).unwrap()
        }
    }

    impl Drop for Copy {
        fn drop(&mut self) {
            // What is left in the folder of temporary files harms nobody.
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_driver_is_written_and_linked_by_few_lines() {
        let copy = Copy::new("written");
        let said = generate(&copy.0, "duckling").unwrap();
        for (path, _) in FILES {
            let text = copy.text(&path.replace("@name@", "duckling"));
            assert!(
                !text.contains("@name@") && !text.contains("@NAME@"),
                "{path}"
            );
        }
        let lib = copy.text("plugins/laktory-duckling/src/lib.rs");
        assert!(lib.contains("pub static DUCKLING = BackendDescriptor::new"));
        let mut added = 0;
        for file in EDITS.iter().map(|edit| edit.file).collect::<BTreeSet<_>>() {
            let before = std::fs::read_to_string(cargo::root().join(file)).unwrap();
            let after = copy.text(file);
            added += after.lines().count() - before.lines().count();
            let rest = after
                .lines()
                .filter(|line| !line.to_lowercase().contains("duckling"));
            assert!(rest.eq(before.lines()), "{file}: other lines have changed");
        }
        assert!(added > 0 && added < 10, "{added} lines");
        assert!(
            said.contains(&format!("{added} lines outside of its folder")),
            "{said}"
        );
        let linked = copy.text("crates/laktory/src/linked.rs");
        assert!(linked.contains(
            "        #[cfg(feature = \"duckling\")]\n        &laktory_duckling::DUCKLING,\n    ]"
        ));
        assert!(
            generate(&copy.0, "duckling")
                .unwrap_err()
                .contains("exists already")
        );
    }

    #[test]
    fn nothing_is_written_when_a_place_is_not_found() {
        let copy = Copy::new("refused");
        std::fs::write(copy.0.join("tests/conformance/main.rs"), "fn main() {}\n").unwrap();
        let before = copy.text("Cargo.toml");
        let error = generate(&copy.0, "duckling").unwrap_err();
        assert!(error.starts_with("tests/conformance/main.rs: "), "{error}");
        assert_eq!(copy.text("Cargo.toml"), before);
        assert!(!copy.0.join("plugins").exists());
    }

    #[test]
    fn names_are_checked() {
        for name in ["", "Duck", "duck-db", "1duck"] {
            assert!(
                generate(Path::new("."), name)
                    .unwrap_err()
                    .contains("lower-case")
            );
        }
    }
}
