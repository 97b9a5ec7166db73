//! Texts of a pipeline file parsed to values: expressions, SQL templates, data types; and the spans and diagnostics
//! that point into them.
//!
//! Nothing here reads a file, names an engine, or evaluates anything.

mod diagnostic;
mod source;
mod suggest;

pub use diagnostic::{Diagnostic, FragmentError, Severity};
pub use source::{Position, SourceFile, Span};
pub use suggest::{did_you_mean, nearest};
