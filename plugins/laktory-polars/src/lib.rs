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

use laktory_core::BackendDescriptor;

pub use frame::PolarsFrame;
pub use polars;
pub use user::{ExprFunction, StepFunction};

/// Name under which the backend is registered.
pub(crate) const NAME: &str = "POLARS";

laktory_core::register_backend! {
    /// The POLARS backend.
    pub static POLARS = BackendDescriptor {
        name: NAME,
        aliases: &[],
        provided_by: "laktory-polars",
        engine: "polars 0.55.2",
        capabilities: capabilities::capabilities,
        connect: session::connect,
    };
}
