//! The pipeline file as typed values.
//!
//! [`load`] takes the bytes of a YAML document to a [`Pipeline`], with every fault placed at file, line and column.
//! [`validate`] checks a pipeline by the rules of the language that need neither an engine nor the text of an
//! expression; it serves pipelines declared in code too. The types are plain: a field that is not set is inherited or
//! defaulted by whoever plans the run, with the helpers of this crate.
//!
//! Pure: no file system, no environment, no engine. Included files come through a [`FileLoader`], environment variables
//! through [`LoadOptions`]. SQL and expressions inside the document are texts here; they are parsed elsewhere.

mod budget;
mod builders;
mod decode;
mod dialect;
mod document;
mod dtype;
mod encoding;
mod finding;
mod include;
mod json_schema;
mod legacy;
mod load;
mod model;
mod names;
mod parameters;
mod path;
mod placeholders;
mod plain_path;
mod secrets;
mod settings;
mod sources;
mod stack;
mod syntax_fault;
mod text_map;
mod tree;
mod validate;
mod variables;
mod yaml;

pub use budget::MAX_FILE_BYTES;
pub use document::Document;
pub use dtype::parse_dtype;
pub use finding::Finding;
pub use include::{FileLoader, unreadable};
pub use json_schema::{SchemaWords, json_schema};
pub use load::{LoadOptions, Loaded, LoadedTests, load, load_tests};
pub use model::*;
pub use names::safe_name;
pub use path::{Path, Segment};
pub use plain_path::plain_path;
pub use settings::{DEFAULT_RUNTIME_ROOT, DEFAULT_WORKSPACE_ROOT, Settings};
pub use stack::{Stack, StackChoice};
pub use validate::{validate, validate_tests};
