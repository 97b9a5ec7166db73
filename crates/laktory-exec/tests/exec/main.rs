//! The executor from outside: whole runs on two recorder backends, with what was asked of them and what is on disk
//! afterwards. No engine. Tests are named by the rules of the specification where there is one.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod check;
mod events;
mod expectations;
mod failures;
mod interrupts;
mod modes;
mod pass;
mod refresh;
mod schedule;
mod support;
mod transfer;
