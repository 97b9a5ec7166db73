#![doc = include_str!("docs.md")]

mod arrow;
mod capabilities;
mod convert;
mod diagnose;
mod error;
mod execute;
mod export;
mod expr;
mod frame;
mod funcs;
mod heights;
mod ops;
mod options;
mod read;
mod round_trip;
mod schema;
mod session;
mod spool;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod user;
mod window;
mod write;

use laktory_core::{BackendDescriptor, CONTRACT};

pub use frame::PolarsFrame;
pub use polars;
pub use user::{ExprFunction, StepFunction};

/// Name under which the backend is registered.
pub(crate) const NAME: &str = "POLARS";

laktory_core::register_backend! {
    /// The POLARS backend.
    pub static POLARS = BackendDescriptor::new(
        NAME,
        CONTRACT,
        env!("CARGO_PKG_NAME"),
        capabilities::capabilities,
        session::connect,
    )
    .with_engine("polars 0.55.2");
}
