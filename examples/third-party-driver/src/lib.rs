#![doc = include_str!("docs.md")]

mod batch;
mod cast;
mod error;
mod execute;
mod expr;
mod files;
mod frame;
mod funcs;
mod ops;
mod session;
mod types;

use laktory_core::{BackendDescriptor, Capabilities, Contract, Error, Support, lowering};

pub use frame::LiteFrame;

/// Name under which the backend is registered.
pub(crate) const NAME: &str = "ARROWLITE";

laktory_core::register_backend! {
    /// The ARROWLITE backend.
    pub static ARROWLITE = BackendDescriptor::new(
        NAME,
        // The version whose rules the driver was written by: another major number is refused when the program starts.
        Contract::new(1, 0),
        env!("CARGO_PKG_NAME"),
        capabilities,
        session::connect,
    )
    .with_engine("arrow 59");
}

/// The abilities of the backend, computed from the tables that do the work.
fn capabilities() -> Capabilities {
    let mut capabilities = Capabilities::default();
    capabilities.ops.extend(ops::KINDS.iter().copied());
    capabilities
        .funcs
        .extend(funcs::rows().map(|(func, support, _)| (*func, *support)));
    capabilities.windows.extend(expr::WINDOWS.iter().copied());
    // Statements have no other words than the tables above.
    capabilities.sql_by_steps = true;
    capabilities.reads.extend(files::reads());
    capabilities.writes.extend(files::writes());
    capabilities.user_scalars = Support::Full;
    capabilities.user_aggregates = Support::Full;
    capabilities.local_files = true;
    capabilities.ordered_rows = true;
    lowering::inherit(&mut capabilities);
    capabilities
}

/// The refusal of something that the backend does not have.
pub(crate) fn unsupported(what: impl std::fmt::Display) -> Error {
    Error::unsupported(format!("{what} is not available on backend {NAME}"))
}
