//! Answers to methods that look at the columns of a frame and return a value.

use laktory_core::{Error, Field, Result, inspect};
use serde_json::Value;

/// The value of a method that looks at the columns of a frame, for [`Suite::inspector`](crate::Suite).
///
/// # Errors
/// Those of the method; `Unsupported` for others.
pub fn inspected(name: &str, args: &[Value], columns: &[Field]) -> Result<Value> {
    match (name, args) {
        ("laktory.has_column", [Value::String(path)]) => {
            inspect::has_column(path, columns).map(Value::from)
        }
        ("laktory.signature", []) => Ok(inspect::signature(columns).into()),
        ("laktory.schema_flat", []) => inspect::schema_flat(columns).map(Value::from),
        _ => Err(Error::unsupported(format!("nothing here answers `{name}`"))),
    }
}
