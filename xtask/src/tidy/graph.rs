//! Which of our crates may depend on which.
//!
//! The chain is `laktory-cli`, `laktory` (the facade), `laktory-exec`, `laktory-plan`, `laktory-model`,
//! `laktory-syntax`, `laktory-core`: a crate may use those behind it. Drivers use the contract crate and the formats that engines share, the testkit
//! uses anything up to the executor, and only the facade and the test packages name drivers.

use std::path::Path;

use serde_json::Value;

/// From the command line down to the contract.
const CHAIN: &[&str] = &[
    "laktory-cli",
    "laktory",
    "laktory-exec",
    "laktory-plan",
    "laktory-model",
    "laktory-syntax",
    "laktory-core",
];
const CONTRACT: &str = "laktory-core";
/// Beside the chain: what engines share about file formats.
const FORMATS: &str = "laktory-formats";
/// Beside the chain: the SQL front end, for drivers without a planner of their own, for the executor, which asks it what the
/// columns of a statement depend on, and for the facade, whose reference tells what it has.
const SQL: &str = "laktory-sql";
const EXECUTOR: &str = "laktory-exec";
const FACADE: &str = "laktory";
const TESTKIT: &str = "laktory-testkit";

/// One of our packages.
#[derive(Clone, Debug)]
pub(super) struct Package {
    name: String,
    /// First folder below the root: `crates`, `plugins`, `tests`, `xtask`.
    place: String,
    dependencies: Vec<Dependency>,
}

#[derive(Clone, Debug)]
struct Dependency {
    name: String,
    development: bool,
    optional: bool,
}

/// Our packages, of `cargo metadata`.
pub(super) fn packages(metadata: &Value, root: &Path) -> Vec<Package> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    list(&metadata["packages"])
        .iter()
        .map(|package| {
            let manifest = text(&package["manifest_path"]);
            let place = Path::new(&manifest)
                .strip_prefix(root)
                .ok()
                .and_then(|path| path.components().next())
                .map(|folder| folder.as_os_str().to_string_lossy().into_owned());
            Package {
                name: text(&package["name"]),
                place: place.unwrap_or_default(),
                dependencies: list(&package["dependencies"])
                    .iter()
                    .map(|dependency| Dependency {
                        name: text(&dependency["name"]),
                        development: dependency["kind"] == "dev",
                        optional: dependency["optional"] == true,
                    })
                    .collect(),
            }
        })
        .collect()
}

/// One sentence for each edge that should not be.
pub(super) fn check(packages: &[Package]) -> Vec<String> {
    let mut violations = Vec::new();
    for package in packages {
        for dependency in &package.dependencies {
            let Some(other) = packages.iter().find(|other| other.name == dependency.name) else {
                continue;
            };
            if let Some(reason) = refused(package, dependency, other) {
                violations.push(format!(
                    "`{}` depends on `{}`: {reason}",
                    package.name, other.name
                ));
            }
        }
    }
    violations
}

fn refused(package: &Package, dependency: &Dependency, other: &Package) -> Option<&'static str> {
    if package.place == "tests" {
        return None;
    }
    if package.place == "xtask" {
        return Some("tasks use none of our crates, so that they build at once");
    }
    if dependency.development && other.name == TESTKIT {
        return None;
    }
    if package.place == "plugins" {
        let shared = [CONTRACT, FORMATS, SQL].contains(&other.name.as_str());
        return (!shared).then_some(
            "a driver uses the contract, the shared formats, the SQL front end and its engine only",
        );
    }
    if package.name == FORMATS {
        return (other.name != CONTRACT).then_some("the formats know the contract crate only");
    }
    if package.name == SQL {
        let known = [CONTRACT, "laktory-syntax"].contains(&other.name.as_str());
        return (!known).then_some("the SQL front end knows the contract and the syntax only");
    }
    if other.name == SQL {
        return (package.name != EXECUTOR && package.name != FACADE)
            .then_some("drivers, the executor and the facade use the SQL front end only");
    }
    if other.place == "plugins" {
        return match package.name.as_str() {
            "laktory" if dependency.optional => None,
            "laktory" => Some("the facade links drivers by feature"),
            _ => Some("only the facade names drivers"),
        };
    }
    if other.place != "crates" {
        return Some("crates use neither tests nor tasks");
    }
    let below = CHAIN.iter().position(|name| *name == other.name);
    let first = match package.name.as_str() {
        // As far up as the executor.
        TESTKIT => 2,
        name => match CHAIN.iter().position(|known| *known == name) {
            Some(position) => position + 1,
            None => return Some("the crate has no place in the chain yet: give it one in xtask"),
        },
    };
    match below {
        Some(below) if below >= first => None,
        _ => Some("dependencies point down the chain only"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(place: &str, name: &str, dependencies: &[(&str, bool, bool)]) -> Package {
        Package {
            name: name.to_owned(),
            place: place.to_owned(),
            dependencies: dependencies
                .iter()
                .map(|(name, development, optional)| Dependency {
                    name: (*name).to_owned(),
                    development: *development,
                    optional: *optional,
                })
                .collect(),
        }
    }

    fn violations(extra: Package) -> Vec<String> {
        let mut packages = vec![
            package("crates", "laktory-core", &[]),
            package("crates", "laktory-model", &[("laktory-core", false, false)]),
            package(
                "crates",
                "laktory-exec",
                &[("laktory-testkit", true, false)],
            ),
            package(
                "crates",
                "laktory-testkit",
                &[("laktory-model", false, false)],
            ),
            package(
                "plugins",
                "laktory-polars",
                &[("laktory-core", false, false)],
            ),
        ];
        packages.push(extra);
        check(&packages)
    }

    #[test]
    fn the_chain_is_allowed_downwards_only() {
        let down = package("crates", "laktory-plan", &[("laktory-model", false, false)]);
        assert!(violations(down).is_empty());
        let up = package(
            "crates",
            "laktory-syntax",
            &[("laktory-model", false, false)],
        );
        assert_eq!(
            violations(up),
            ["`laktory-syntax` depends on `laktory-model`: dependencies point down the chain only"]
        );
        let sideways = package(
            "crates",
            "laktory-plan",
            &[("laktory-testkit", false, false)],
        );
        assert_eq!(violations(sideways).len(), 1);
        let new = package("crates", "laktory-new", &[("laktory-core", false, false)]);
        assert!(violations(new)[0].contains("no place in the chain"));
    }

    #[test]
    fn drivers_use_the_contract_only() {
        let good = [
            ("laktory-core", false, false),
            ("laktory-formats", false, false),
            ("laktory-testkit", true, false),
            ("polars", false, false),
        ];
        assert!(violations(package("plugins", "laktory-other", &good)).is_empty());
        let driver = package(
            "plugins",
            "laktory-other",
            &[("laktory-polars", false, false)],
        );
        assert!(violations(driver)[0].contains("a driver uses the contract, the shared"));
    }

    #[test]
    fn only_the_facade_names_drivers_and_by_feature() {
        let names = |name: &str, optional: bool| {
            violations(package(
                "crates",
                name,
                &[("laktory-polars", false, optional)],
            ))
        };
        assert!(names("laktory", true).is_empty());
        assert!(names("laktory", false)[0].contains("by feature"));
        assert!(names("laktory-cli", true)[0].contains("only the facade"));
    }

    #[test]
    fn tests_use_anything_and_tasks_nothing() {
        let edges = [("laktory-polars", false, false)];
        assert!(violations(package("tests", "laktory-conformance", &edges)).is_empty());
        assert_eq!(violations(package("xtask", "xtask", &edges)).len(), 1);
    }
}
