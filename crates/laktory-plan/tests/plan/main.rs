//! The planner from outside: pipelines as users write them, and the plans or findings that they become. No engine;
//! two recorder backends declare what can be done. Tests are named by the rules of the specification where there is one.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod findings;
mod handover;
mod inheritance;
mod members;
mod sameness;
mod steps;
mod support;
mod tasks;
mod user;
