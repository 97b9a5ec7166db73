//! Which of our crates may use which: a table of edges. An edge that is not in it is refused, and so is one in it that nobody has.
//!
//! A new edge is a decision: it is added here, with the reason in the commit, and in ARCHITECTURE.md.

use std::path::Path;

use serde_json::Value;

/// The crates that each of ours may use. Drivers are named by the facade alone, and only by feature.
const EDGES: &[(&str, &[&str])] = &[
    ("laktory-core", &[]),
    ("laktory-syntax", &["laktory-core"]),
    ("laktory-formats", &["laktory-core"]),
    ("laktory-sql", &["laktory-core", "laktory-syntax"]),
    ("laktory-model", &["laktory-core", "laktory-syntax"]),
    (
        "laktory-plan",
        &["laktory-core", "laktory-model", "laktory-syntax"],
    ),
    (
        "laktory-exec",
        &[
            "laktory-core",
            "laktory-model",
            "laktory-plan",
            "laktory-sql",
            "laktory-syntax",
        ],
    ),
    (
        "laktory-testkit",
        &["laktory-core", "laktory-sql", "laktory-syntax"],
    ),
    (
        "laktory",
        &[
            "laktory-core",
            "laktory-exec",
            "laktory-model",
            "laktory-plan",
            "laktory-sql",
            "laktory-syntax",
        ],
    ),
    ("laktory-cli", &["laktory"]),
];

/// What a driver may use, each of them.
const OF_DRIVERS: &[&str] = &["laktory-core", "laktory-formats", "laktory-sql"];

/// What tests of a crate may use beside that.
const OF_TESTS: &[&str] = &["laktory-testkit"];

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

/// One sentence for each edge that should not be, and for each that is allowed for nothing.
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
        for unused in unused(package) {
            violations.push(format!(
                "`{}` may depend on `{unused}`, and does not: take the edge out of the table",
                package.name
            ));
        }
    }
    violations
}

fn refused(package: &Package, dependency: &Dependency, other: &Package) -> Option<&'static str> {
    let other_name = other.name.as_str();
    match package.place.as_str() {
        "tests" => return None,
        "xtask" => return Some("tasks use none of our crates, so that they build at once"),
        _ if dependency.development && OF_TESTS.contains(&other_name) => return None,
        "plugins" => {
            return (!OF_DRIVERS.contains(&other_name)).then_some(
                "a driver uses the contract, the shared formats, the SQL front end and its engine only",
            );
        }
        _ => {}
    }
    if other.place == "plugins" {
        return match package.name.as_str() {
            "laktory" if dependency.optional => None,
            "laktory" => Some("the facade links drivers by feature"),
            _ => Some("only the facade names drivers"),
        };
    }
    let Some((_, allowed)) = EDGES.iter().find(|(name, _)| *name == package.name) else {
        return Some("the crate has no row in the table of edges yet");
    };
    (!allowed.contains(&other_name)).then_some("the edge is not in the table")
}

/// The edges of the table that a crate does not have.
fn unused(package: &Package) -> Vec<&'static str> {
    let row = EDGES.iter().find(|(name, _)| *name == package.name);
    let allowed = row.map_or(&[][..], |(_, allowed)| allowed).iter();
    let has = |name: &&&str| {
        let mut dependencies = package.dependencies.iter();
        dependencies.any(|dependency| !dependency.development && dependency.name == **name)
    };
    allowed.filter(|name| !has(name)).copied().collect()
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
            package(
                "crates",
                "laktory-syntax",
                &[("laktory-core", false, false)],
            ),
            package(
                "crates",
                "laktory-sql",
                &[
                    ("laktory-core", false, false),
                    ("laktory-syntax", false, false),
                ],
            ),
            package(
                "crates",
                "laktory-testkit",
                &[
                    ("laktory-core", false, false),
                    ("laktory-sql", false, false),
                    ("laktory-syntax", false, false),
                ],
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
    fn edges_are_those_of_the_table() {
        let formats = |name: &str, tests: bool| {
            let edges = [("laktory-core", false, false), (name, tests, false)];
            violations(package("crates", "laktory-formats", &edges))
        };
        assert_eq!(
            formats("laktory-syntax", false),
            ["`laktory-formats` depends on `laktory-syntax`: the edge is not in the table"]
        );
        assert!(formats("laktory-testkit", true).is_empty());
        assert_eq!(formats("laktory-testkit", false).len(), 1);
        let new = package("crates", "laktory-new", &[("laktory-core", false, false)]);
        assert!(violations(new)[0].contains("no row in the table"));
        let less = package("crates", "laktory-formats", &[]);
        assert_eq!(
            violations(less),
            [
                "`laktory-formats` may depend on `laktory-core`, and does not: take the edge out of the table"
            ]
        );
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
        let drivers = |found: Vec<String>| {
            let of_drivers = found.into_iter();
            of_drivers
                .filter(|told| told.contains("laktory-polars"))
                .collect::<Vec<_>>()
        };
        assert!(drivers(names("laktory", true)).is_empty());
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
