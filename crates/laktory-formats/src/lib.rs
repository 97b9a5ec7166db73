//! File formats as the embedded engines have to understand them, whatever their own readers make of them.
//!
//! A reader never drops or changes a row or a field without a word. Engines do: they guess where records end, fill lines
//! that are too short, or read the fields that a sample of the lines showed. What a file holds is therefore told here,
//! once for all engines, before an engine reads it: how many records, and the first place that is not as the format has it.
//! Files that an engine's reader would misread are decoded here, to Arrow.
//!
//! Files that are read as one have one list of columns, by the rule of [`folder`]; the names of their folders may give
//! further ones, by that of [`hive`].
//!
//! Nothing here knows an engine or a pipeline: callers give files and options.

pub mod append;
pub mod csv;
pub mod folder;
pub mod hive;
pub mod json;
pub mod options;
mod writable;

pub use writable::writable;
