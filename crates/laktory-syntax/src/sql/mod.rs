//! SQL: statements with placeholders for frames, and scalar expressions lowered to the same values as Python ones.

mod aggregates;
mod asked;
mod calls;
mod choices;
mod copies;
mod dates;
mod extent;
mod hints;
mod lists;
mod literals;
mod lower;
mod operators;
mod parse;
mod parts;
mod position;
mod similar;
mod simpler;
pub(crate) mod table;
mod template;
mod texts;
mod types;
mod width;
mod window;

pub use calls::is_aggregate_name as sql_is_aggregate;
pub(crate) use calls::names as function_names;
pub(crate) use hints::FUNCTIONS as REFUSED;
pub use lower::{StatementParts, tree as sql_tree};
pub(crate) use parse::{expression, parts};
pub use parse::{sql_expression, sql_projection};
pub use simpler::sql_in_simpler_forms;
pub use template::{sql_statement, sql_words};
pub(crate) use types::parse as dtype;
pub(crate) use window::{moving, running};
