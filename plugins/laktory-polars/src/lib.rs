//! POLARS driver of laktory.
pub use polars;
