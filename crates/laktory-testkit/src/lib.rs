//! Tools to test drivers and what runs on them: conformance cases and their runner, comparison of frames, and a
//! recorder driver without an engine.
//!
//! A driver outside of this repository is tested like the ones in it: [`test_driver`] is the whole of its test binary. What
//! it does can be done by hand: load cases with [`load_cases`], put drivers into a
//! [`Registry`](laktory_core::Registry), and let a [`Suite`] multiply the two in a test binary with `harness = false`.
//! Nothing here is part of a pipeline run.

mod case;
mod cells;
mod compare;
mod driver;
mod equivalence;
mod example;
mod frames;
mod functions;
mod gaps;
mod inspector;
mod kinds;
mod load;
mod needs;
pub mod recorder;
mod reference;
mod round_trips;
mod runner;
mod statements;
mod suite;
mod types;

pub use case::{Case, Expect, Step};
pub use cells::{Cell, cells};
pub use compare::{Actual, Rules, compare, compare_frames, types_match};
pub use driver::{published_cases, test_driver};
pub use equivalence::{SEED_VARIABLE, TREES, TREES_VARIABLE, equivalence};
pub use frames::{Column, Table, array_of, column_of};
pub use gaps::{Gap, Gaps};
pub use inspector::inspected;
pub use kinds::{answers, is_defect};
pub use load::{load_cases, parse_lines, parse_yaml};
pub use needs::Needs;
pub use recorder::RECORDER;
pub use reference::{documented, reference_cases};
pub use round_trips::round_trips;
pub use runner::{Inspector, Session, Verdict};
pub use statements::{Counts, PYTHON_VARIABLE, STATEMENTS_VARIABLE, statements};
pub use suite::{REQUIRED, Suite, Tally};
pub use types::{parse_type, type_text};

/// The arguments of a test binary, for [`Suite::run`].
pub use libtest_mimic::Arguments;
