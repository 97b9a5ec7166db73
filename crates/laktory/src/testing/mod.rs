//! Tests of nodes: a pipeline whose inputs are the rows that a test gives, and which writes nothing, run by the ordinary
//! planner and executor; then its rows beside those that are expected.

mod compare;
mod given;
mod matching;
mod record;
mod report;
mod run;
mod suite;
mod values;

pub use compare::{CellDifference, Difference, Mark, RowDifference, RowsDifference};
pub use record::record;
pub use report::render;
pub use run::{TestOptions, TestOutcome, TestStatus};
pub use suite::Suite;
