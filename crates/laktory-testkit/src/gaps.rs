//! What one driver cannot do yet, case by case, and how its results are compared: one YAML file for each driver.
//!
//! ```yaml
//! backend: POLARS
//! exact_types: true
//! gaps:
//! - { id: expr/cat/get_categories/01, reason: the build has no categoricals }
//! - { id: frame/pivot/*, reason: pivot is not lowered yet }
//! ```
//!
//! A backend that runs on servers of several kinds has a file for each further kind, which is added where that kind is
//! tested; `holds` names cases that pass there although the backend's own file declares them:
//!
//! ```yaml
//! backend: PYSPARK
//! server: sail
//! gaps:
//! - { id: frame/join_asof/*, reason: no as-of joins }
//! holds: [sql/date/09]
//! varies: [agg/median/nan/01]
//! ```
//!
//! `varies` names cases that pass in some runs only.
//!
//! Whole steps and functions belong into the driver's capability tables; this file holds what is finer than that. An
//! entry stays only as long as each case that it names fails.

use std::path::Path;

use laktory_core::Registry;
use serde_json::Value;

use crate::case::Case;

/// The file of one driver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gaps {
    /// The backend's name.
    pub backend: String,
    /// Whether types must be the expected ones rather than of their family.
    pub exact_types: bool,
    /// Cases that fail.
    pub entries: Vec<Gap>,
    /// The kind of server that the file is about; none for what all have in common.
    pub server: Option<String>,
    /// Cases that an entry names and that pass all the same, on this kind of server.
    pub holds: Vec<String>,
    /// Cases that pass in some runs and fail in others.
    pub varies: Vec<String>,
}

/// One declared gap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Id of a case, or the beginning of several followed by `*`.
    pub id: String,
    /// Why.
    pub reason: String,
}

impl Gap {
    fn covers(&self, id: &str) -> bool {
        match self.id.strip_suffix('*') {
            Some(prefix) => id.starts_with(prefix),
            None => id == self.id,
        }
    }
}

impl Gaps {
    /// Whether these are the gaps of a backend.
    pub(crate) fn is_of(&self, backend: &str) -> bool {
        self.backend.eq_ignore_ascii_case(backend)
    }

    /// The file's text as gaps.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let options = serde_saphyr::options! { strict_booleans: true };
        let file: Value = serde_saphyr::from_str_with_options(text, options)
            .map_err(|error| error.to_string())?;
        let object = file.as_object().ok_or("the file is not a mapping")?;
        if let Some(key) = object.keys().find(|key| {
            ![
                "backend",
                "exact_types",
                "gaps",
                "server",
                "holds",
                "varies",
            ]
            .contains(&key.as_str())
        }) {
            return Err(format!("`{key}` is not a key of a gap file"));
        }
        let entries = match object.get("gaps") {
            None | Some(Value::Null) => Vec::new(),
            Some(entries) => entries
                .as_array()
                .ok_or("`gaps` is not a list")?
                .iter()
                .map(|entry| {
                    let text = |key: &str| {
                        entry
                            .get(key)
                            .and_then(Value::as_str)
                            .filter(|text| !text.trim().is_empty())
                            .map(str::to_owned)
                            .ok_or_else(|| format!("a gap has no `{key}`: {entry}"))
                    };
                    Ok(Gap {
                        id: text("id")?,
                        reason: text("reason")?,
                    })
                })
                .collect::<Result<_, String>>()?,
        };
        Ok(Self {
            backend: object
                .get("backend")
                .and_then(Value::as_str)
                .ok_or("`backend` is missing")?
                .to_owned(),
            exact_types: match object.get("exact_types") {
                None => false,
                Some(flag) => flag.as_bool().ok_or("`exact_types` is not true or false")?,
            },
            entries,
            server: match object.get("server") {
                None => None,
                Some(server) => Some(server.as_str().ok_or("`server` is not a text")?.to_owned()),
            },
            holds: ids(object.get("holds")).ok_or("`holds` is not a list of ids")?,
            varies: ids(object.get("varies")).ok_or("`varies` is not a list of ids")?,
        })
    }

    /// Every gap file of a folder; those about a kind of server only where it is `server`, as part of the backend's own.
    ///
    /// # Errors
    /// One sentence for each file that is wrong, and for each that names a backend which this program does not have:
    /// a driver that is no longer linked would otherwise look complete.
    pub fn load(
        folder: &Path,
        registry: &Registry,
        server: Option<&str>,
    ) -> Result<Vec<Self>, Vec<String>> {
        let entries = std::fs::read_dir(folder)
            .map_err(|error| vec![format!("{}: {error}", folder.display())])?;
        let (mut files, mut errors) = (Vec::new(), Vec::new());
        for path in entries.flatten().map(|entry| entry.path()) {
            if path.extension().is_none_or(|extension| extension != "yaml") {
                continue;
            }
            let parsed = std::fs::read_to_string(&path)
                .map_err(|error| error.to_string())
                .and_then(|text| Self::parse(&text))
                .and_then(|gaps| match registry.get(&gaps.backend) {
                    Ok(_) => Ok(gaps),
                    Err(error) => Err(error.to_string()),
                });
            match parsed {
                Ok(gaps) => files.push(gaps),
                Err(error) => errors.push(format!("{}: {error}", path.display())),
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let (of_servers, mut files): (Vec<Self>, Vec<Self>) =
            files.into_iter().partition(|gaps| gaps.server.is_some());
        for more in of_servers {
            if more.server.as_deref() != server {
                continue;
            }
            match files.iter_mut().find(|gaps| gaps.is_of(&more.backend)) {
                Some(gaps) => {
                    gaps.entries.extend(more.entries);
                    gaps.holds.extend(more.holds);
                    gaps.varies.extend(more.varies);
                }
                None => files.push(more),
            }
        }
        Ok(files)
    }

    /// The reason why a case is known to fail here.
    #[must_use]
    pub fn reason<'a>(&'a self, case: &'a Case) -> Option<&'a str> {
        if self.holds.contains(&case.id) {
            return None;
        }
        let here = case
            .not_yet
            .iter()
            .find(|(backend, _)| backend.eq_ignore_ascii_case(&self.backend))
            .map(|(_, reason)| reason.as_str());
        here.or_else(|| {
            let entry = self.entries.iter().find(|entry| entry.covers(&case.id));
            entry.map(|entry| entry.reason.as_str())
        })
    }

    /// Ids that name no case.
    pub fn stale<'a>(&'a self, cases: &'a [Case]) -> impl Iterator<Item = &'a str> {
        let unknown = |id: &&str| !cases.iter().any(|case| case.id == *id);
        let entries = self.entries.iter();
        let entries = entries.filter(|entry| !cases.iter().any(|case| entry.covers(&case.id)));
        let more = self.holds.iter().chain(&self.varies).map(String::as_str);
        let entries = entries.map(|entry| entry.id.as_str());
        entries.chain(more.filter(unknown))
    }
}

/// A list of ids; none is an empty one.
fn ids(value: Option<&Value>) -> Option<Vec<String>> {
    let Some(value) = value else {
        return Some(Vec::new());
    };
    let ids = value.as_array()?.iter();
    ids.map(|id| id.as_str().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recorder::RECORDER;

    const FILE: &str = "backend: recorder\nexact_types: true\ngaps:\n\
                        - { id: a/b/*, reason: not lowered }\n- { id: a/c/01, reason: rounding }\n";

    #[test]
    fn entries_cover_ids_and_prefixes() {
        let gaps = Gaps::parse(FILE).unwrap();
        assert!(gaps.exact_types);
        assert!(gaps.entries[0].covers("a/b/01") && !gaps.entries[0].covers("a/c/01"));
        assert!(gaps.entries[1].covers("a/c/01") && !gaps.entries[1].covers("a/c/011"));
        assert_eq!(gaps.stale(&[]).count(), 2);
    }

    #[test]
    fn reasons_and_known_keys_are_required() {
        assert!(
            Gaps::parse("backend: X\ngaps: [{ id: a }]")
                .unwrap_err()
                .contains("`reason`")
        );
        assert!(
            Gaps::parse("backend: X\nskip: []")
                .unwrap_err()
                .contains("`skip`")
        );
        assert!(Gaps::parse("gaps: []").unwrap_err().contains("`backend`"));
    }

    #[test]
    fn a_file_for_a_backend_that_is_not_linked_is_an_error() {
        let folder = std::env::temp_dir().join(format!("laktory-gaps-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("one.yaml"), FILE).unwrap();
        let own =
            "backend: recorder\nserver: small\ngaps: [{ id: a/d, reason: r }]\nholds: [a/c/01]\n";
        std::fs::write(folder.join("two.yaml"), own).unwrap();
        let linked = Registry::new([&RECORDER]).unwrap();
        for (server, entries, holds) in [(None, 2, 0), (Some("large"), 2, 0), (Some("small"), 3, 1)]
        {
            let gaps = Gaps::load(&folder, &linked, server).unwrap();
            assert_eq!(gaps.len(), 1);
            assert_eq!(gaps[0].entries.len(), entries);
            assert_eq!(gaps[0].holds.len(), holds);
            assert_eq!(gaps[0].stale(&[]).count(), entries + holds);
        }
        let errors = Gaps::load(&folder, &Registry::new([]).unwrap(), None).unwrap_err();
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(errors[0].contains("recorder"), "{errors:?}");
    }
}
