//! The vocabulary, for hints and reference pages: every name that a text may use, from the tables that the parser
//! itself reads, with what the tables say about it.

mod entry;
mod expressions;
mod find;
mod needs;
mod refused;
mod sql;
mod steps;
mod types;
mod values;

use crate::frame::METHODS;
use crate::python::{functions, methods, types as dtypes};

pub use entry::{Entry, EntryKind, Parameter, SqlPlace};
pub use find::{find, near};
pub use needs::EntryNeeds;
pub use refused::{Refused, refused};
pub use types::{TYPES, TypeRow};
pub use values::{
    ExampleColumn, ExampleFrame, columns as example_columns, frames as example_frames,
    split as example_values,
};

/// Every step, then every function, method and operator of expressions, then those of SQL, group by group. Clauses of SQL
/// statements are those of `laktory-sql`.
#[must_use]
pub fn entries() -> Vec<Entry> {
    let mut entries: Vec<Entry> = expressions::entries().collect();
    let place = |entry: &Entry| {
        let mut groups = expressions::GROUPS.iter();
        groups.position(|group| *group == entry.group)
    };
    entries.sort_by_key(place);
    steps::entries()
        .chain(entries)
        .chain(sql::entries())
        .collect()
}

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
    dtypes::NAMES.iter().copied()
}

/// Names of the SQL functions that an expression may call.
pub fn sql_function_names() -> impl Iterator<Item = &'static str> {
    crate::sql::function_names()
}
