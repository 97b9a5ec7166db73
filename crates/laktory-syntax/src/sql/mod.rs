//! SQL: statements with placeholders for frames, and scalar expressions lowered to the same values as Python ones.

mod calls;
mod lower;
mod parts;
mod position;
mod table;
mod template;
mod types;
mod window;

pub(crate) use calls::names as function_names;
pub(crate) use lower::expression;
pub use lower::{sql_expression, sql_projection};
pub use template::sql_statement;
pub(crate) use types::parse as dtype;
pub(crate) use window::{moving, running};
