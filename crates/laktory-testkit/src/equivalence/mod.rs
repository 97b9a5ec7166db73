//! Engines against one another: random expression trees over edge-case data must give equal tables, or errors of one
//! family, on every connected backend.
//!
//! Trees are drawn from a seed, so that the same number is the same tree on every machine. They are typed, so that most
//! of them compute something ([`forms`]); what engines may answer differently is listed with its reason and not drawn
//! ([`declared`]). A tree that tells engines apart is shrunk to its smallest part that still does ([`shrink`]).

mod data;
mod declared;
mod draw;
mod forms;
mod generate;
mod judge;
mod shrink;

use std::fmt::Write as _;
use std::sync::Arc;

use laktory_core::{BackendConfig, BackendDescriptor, Error, Func, Registry};
use libtest_mimic::{Failed, Trial};

use crate::gaps::Gaps;
use crate::runner::Session;
use generate::Generator;
use judge::{Judge, Verdict};

/// Environment variable with the number of trees; [`TREES`] when it is not set.
pub const TREES_VARIABLE: &str = "LAKTORY_EQUIVALENCE_TREES";

/// Environment variable with the seed, a number; zero when it is not set.
pub const SEED_VARIABLE: &str = "LAKTORY_EQUIVALENCE_SEED";

/// Trees of a run that asks for no number.
pub const TREES: u64 = 500;

/// Trees of one test.
const SLICE: u64 = 50;

/// A connected backend.
pub(crate) struct Engine {
    pub(crate) name: &'static str,
    pub(crate) session: Session,
    /// Whether its types are exactly those of the contract; see [`Gaps::exact_types`](crate::Gaps).
    pub(crate) exact_types: bool,
}

/// Tests that compare all backends of a registry which can be connected, called `equivalence::0000`, `0050` and so on
/// for the first of their trees. With fewer than two backends there is nothing to compare, and one ignored test says so.
#[must_use]
pub fn equivalence(
    registry: &Registry,
    configs: &std::collections::BTreeMap<String, BackendConfig>,
    gaps: &[Gaps],
) -> Vec<Trial> {
    let mut engines = Vec::new();
    for descriptor in registry.iter() {
        let none = BackendConfig::new();
        let config = configs.get(descriptor.name).unwrap_or(&none);
        // A backend that needs a server and has none is reported by the cases.
        if let Ok(session) = Session::connect(descriptor, config, false) {
            let own = gaps.iter().find(|gaps| gaps.is_of(descriptor.name));
            engines.push(Engine {
                name: descriptor.name,
                session,
                exact_types: own.is_some_and(|gaps| gaps.exact_types),
            });
        }
    }
    if engines.len() < 2 {
        let kind = "fewer than two backends";
        let trial = Trial::test("equivalence", || Ok(())).with_kind(kind);
        return vec![trial.with_ignored_flag(true)];
    }
    let trees = number(TREES_VARIABLE, TREES);
    let seed = number(SEED_VARIABLE, 0);
    let shared = available(registry, &engines);
    // The first is what the others are measured by.
    engines.sort_by_key(|engine| !engine.exact_types);
    let engines = Arc::new(engines);
    (0..trees)
        .step_by(usize::try_from(SLICE).unwrap_or(1))
        .map(|first| {
            let (engines, shared) = (Arc::clone(&engines), shared.clone());
            let last = (first + SLICE).min(trees);
            Trial::test(format!("equivalence::{first:05}"), move || {
                slice(&engines, &shared, seed, first..last)
            })
        })
        .collect()
}

fn number(variable: &str, default: u64) -> u64 {
    let text = std::env::var(variable).unwrap_or_default();
    text.replace('_', "").parse().unwrap_or(default)
}

/// The functions that every connected backend has.
fn available(registry: &Registry, engines: &[Engine]) -> Vec<Func> {
    let connected = |descriptor: &&&'static BackendDescriptor| {
        engines.iter().any(|engine| engine.name == descriptor.name)
    };
    let all: Vec<_> = registry.iter().collect();
    let capabilities: Vec<_> = all
        .iter()
        .filter(connected)
        .map(|descriptor| (descriptor.capabilities)())
        .collect();
    Func::all()
        .map(|def| def.func)
        .filter(|&func| {
            let mut known = capabilities.iter();
            known.all(|capabilities| capabilities.func(func).is_available())
        })
        .collect()
}

/// Differences that one test reports before it gives up.
const REPORTED: usize = 5;

fn slice(
    engines: &[Engine],
    functions: &[Func],
    seed: u64,
    trees: std::ops::Range<u64>,
) -> Result<(), Failed> {
    let broken = |error: Error| Failed::from(format!("the data cannot be imported: {error}"));
    let judge = Judge::new(engines).map_err(broken)?;
    let mut report = String::new();
    let mut found = 0;
    for number in trees {
        let tree = Generator::new(seed, number, functions).tree();
        if let Verdict::Differ(difference) = judge.judge(&tree) {
            let (smallest, difference) = shrink::smallest(&judge, tree, difference);
            let difference = difference.text;
            // Writing to a text cannot fail.
            let _ = writeln!(report, "tree {number}: {smallest}\n{difference}");
            found += 1;
            if found == REPORTED {
                break;
            }
        }
    }
    if found == 0 {
        Ok(())
    } else {
        Err(report.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_number_is_the_same_tree() {
        let functions: Vec<Func> = Func::all().map(|def| def.func).collect();
        for number in 0..2_000 {
            let once = Generator::new(7, number, &functions).tree();
            let again = Generator::new(7, number, &functions).tree();
            assert_eq!(once.to_string(), again.to_string());
        }
    }

    #[test]
    fn every_function_is_drawn_or_declared() {
        for def in Func::all() {
            let drawn = !forms::forms(def.func).is_empty();
            let left_out = declared::never(def.func).is_some();
            assert!(
                drawn != left_out,
                "`{}` is {}",
                def.path,
                if drawn {
                    "drawn and left out"
                } else {
                    "neither drawn nor left out"
                }
            );
        }
    }

    #[test]
    fn every_drawn_function_comes_up_within_a_slice_of_ci() {
        let functions: Vec<Func> = Func::all().map(|def| def.func).collect();
        let mut seen = std::collections::BTreeSet::new();
        for number in 0..TREES {
            let tree = Generator::new(0, number, &functions).tree();
            seen.extend(laktory_core::walk::functions(&tree.expr));
        }
        for func in functions {
            let drawn = declared::never(func).is_none();
            assert_eq!(drawn, seen.contains(&func), "{}", func.def().path);
        }
    }
}
