#![doc = include_str!("docs.md")]

mod arrow;
mod capabilities;
mod error;
mod execute;
mod export;
mod expr;
mod frame;
mod funcs;
mod kernel;
mod ops;
mod optimizer;
mod options;
mod read;
mod round_trip;
mod session;
mod settings;
mod source;
mod spool;
mod stream;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod types;
mod write;

use laktory_core::{BackendDescriptor, CONTRACT};

pub use datafusion;
pub use frame::DataFusionFrame;

/// Name under which the backend is registered.
pub(crate) const NAME: &str = "DATAFUSION";

laktory_core::register_backend! {
    /// The DATAFUSION backend.
    pub static DATAFUSION = BackendDescriptor::new(
        NAME,
        CONTRACT,
        env!("CARGO_PKG_NAME"),
        capabilities::capabilities,
        session::connect,
    )
    .with_engine("datafusion 55.2.0");
}
