//! The types that leave the engine: those of the contract, whatever encoding the engine chose.

use laktory_core::arrow::schema::{Schema, SchemaRef};

/// The schema that `export` gives for a plan's schema.
pub(crate) fn exported(schema: &Schema) -> SchemaRef {
    schema.clone().into()
}
