//! The vocabulary, for hints and reference pages: every name that a text may use, from the tables that the parser
//! itself reads.

use crate::frame::METHODS;
use crate::python::{functions, methods, types};

/// Frame methods that a step can call, with what they do.
pub fn method_names() -> impl Iterator<Item = (&'static str, &'static str)> {
    crate::frame::names().map(|def| (def.name, def.doc))
}

/// Whether `name` is a frame method that gives something else than a frame, so that it cannot be a step.
#[must_use]
pub fn is_inspection(name: &str) -> bool {
    METHODS
        .iter()
        .any(|def| def.name == name && matches!(def.build, crate::frame::Build::NoFrame(_)))
}

/// Paths of the functions below `nw.`.
pub fn function_names() -> impl Iterator<Item = &'static str> {
    functions::names()
}

/// Paths of the methods of an expression.
pub fn expression_method_names() -> impl Iterator<Item = &'static str> {
    methods::names()
}

/// Names of the data types below `nw.`.
pub fn dtype_names() -> impl Iterator<Item = &'static str> {
    types::NAMES.iter().copied()
}

/// Names of the SQL functions that an expression may call.
pub fn sql_function_names() -> impl Iterator<Item = &'static str> {
    crate::sql::function_names()
}
