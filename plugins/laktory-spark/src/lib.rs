#![doc = include_str!("docs.md")]

mod analysed;
mod capabilities;
mod catalog;
mod client;
mod dsl;
mod execute;
mod expr;
mod frame;
mod funcs;
#[cfg(test)]
mod live;
mod local;
mod ops;
mod paths;
mod private;
mod read;
mod round_trip;
mod rows;
mod session;
mod sql;
mod types;
mod write;

use laktory_core::{BackendDescriptor, CONTRACT};

/// Name under which the backend is registered.
pub(crate) const NAME: &str = "PYSPARK";

laktory_core::register_backend! {
    /// The PYSPARK backend.
    pub static PYSPARK = BackendDescriptor::new(
        NAME,
        CONTRACT,
        env!("CARGO_PKG_NAME"),
        capabilities::capabilities,
        session::connect,
    )
    .with_aliases(&["SPARK"])
    .with_engine("Spark Connect (protocol 4.2)");
}
