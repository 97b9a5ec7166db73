//! The contract between laktory and its engines.
//!
//! A pipeline is compiled to plain values ([`Op`], [`Expr`], [`ReadSpec`], [`WriteSpec`], [`SqlTemplate`]); a driver
//! lowers them onto its engine behind the small, object-safe [`Backend`] trait. This crate knows no engine, no YAML and
//! no file system. Rows cross its border as Arrow; the one Arrow major in use is re-exported as [`arrow`].

mod backend;
mod call;
mod capabilities;
mod catalog;
mod context;
mod contract;
mod dtype;
mod error;
mod expand;
mod expr;
mod frame;
mod functions;
pub mod inspect;
pub mod lineage;
pub mod lowering;
mod narrowing;
mod op;
mod registry;
mod round_trip;
pub mod secret;
pub mod semantics;
pub mod shape;
mod spec;
mod sql;
pub mod table;
pub mod typing;
pub mod user;
pub mod walk;
mod window;

pub use backend::{
    Backend, BackendConfig, BackendDescriptor, BoxFuture, Connect, Job, Outcome, Target, WriteMode,
};
pub use call::{Arguments, BoundCall};
pub use capabilities::{Capabilities, FormatSupport, Support};
pub use catalog::{Catalog, Relation, TableName, TableSpec, ViewSpec};
pub use context::{BlockingPool, Cancel, RunCx};
pub use contract::{CONTRACT, Contract};
pub use dtype::{DType, Field, TimeUnit};
pub use error::{Error, ErrorKind, Result, Subject, plain_message};
pub use expand::{Output, expand, expand_aggregates, expand_predicate, no_column, select};
pub use expr::{Arg, Expr, NameChange, Scalar, Selector, SortKey};
pub use frame::{BatchStream, Frame, FrameName, NamedFrames, NativeFrame};
pub use functions::{Example, Func, FuncDef, FuncKind, Param, ParamDefault, ParamType, Receiver};
pub use narrowing::silent_loss;
pub use op::{AsofStrategy, JoinHow, Keep, Op, OpKind, PivotAgg, UnionHow};
pub use registry::Registry;
pub use round_trip::{Kind, ReadsAs, RoundTrip};
pub use secret::Secrets;
pub use spec::{
    Format, Layout, OptionValue, Options, Place, ReadSpec, StoreSpec, WriteReport, WriteSpec,
    redacted,
};
pub use sql::{RenderedSql, SqlSegment, SqlTemplate};
pub use user::UserFunction;
pub use window::{
    RangeKeys, RangeValues, Window, WindowBound, WindowFrame, WindowFunc, WindowUnit,
};

/// The Arrow crates of this contract version (major 59, that of DataFusion 55).
pub mod arrow {
    pub use arrow_array as array;
    pub use arrow_schema as schema;
}

#[doc(hidden)]
pub use inventory;
