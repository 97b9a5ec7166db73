//! A model compiled to a plan: which nodes run, in which order, on which engine, with which steps; everything that can
//! be refused without an engine is refused here, all faults at once, each with its place.
//!
//! No I/O, no engine: capabilities are read from the registry as data.

mod compile;
mod crossings;
mod dag;
mod formats;
mod graph;
mod handover;
pub mod lineage;
mod merge;
mod methods;
mod node;
mod options;
mod paths;
mod places;
mod plan;
mod select;
mod sinks;
mod sources;
mod steps;
mod tasks;
mod uses;
mod views;
mod written;

pub use compile::{PlanOptions, compile};
pub use graph::Graph;
pub use handover::way_out;
pub use merge::{HistoryColumns, MergeCondition, MergePlan};
pub use places::{Survey, glob_pattern};
pub use plan::{
    ExpectationAction, ExpectationKind, ExpectationPlan, Handover, Input, InputSource, NodePlan,
    Plan, SettingPlaces, SinkMode, SinkPlan, SinkTarget, Step, StepKind, Stored, TaskPlan,
    ToleranceLimit, Writer,
};
pub use written::{Text, Written, WrittenText};
