//! Declarative dataframe pipelines on the engine of your choice.
//!
//! ```no_run
//! use laktory::prelude::*;
//!
//! let brz = PipelineNode::new("brz_stock_prices")
//!     .source(FileDataSource::new("./data/stock_prices/", "JSONL"))
//!     .sink(FileDataSink::new("./data/brz_stock_prices.parquet", "PARQUET"));
//!
//! let slv = PipelineNode::new("slv_stock_prices")
//!     .source(PipelineNodeDataSource::new("brz_stock_prices"))
//!     .sql(
//!         "SELECT
//!            CAST(data.created_at AS TIMESTAMP) AS created_at,
//!            data.symbol AS symbol,
//!            data.open AS open,
//!            data.close AS close
//!          FROM {df}",
//!     )
//!     .method(
//!         DataFrameMethod::new("unique")
//!             .kwarg("subset", ["symbol", "created_at"])
//!             .kwarg("keep", "any"),
//!     )
//!     .sink(FileDataSink::new("./data/slv_stock_prices.parquet", "PARQUET"));
//!
//! let execution = Pipeline::new("pl-stock-prices")
//!     .dataframe_backend("POLARS")
//!     .node(brz)
//!     .node(slv)
//!     .execute()?;
//! println!("{}", execution.nodes["slv_stock_prices"].output()?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A pipeline file is opened with [`Project::open`], which has the same [`Execute::execute`]. Engines are linked by
//! feature; [`registry`] holds those of this build.

mod disk;
mod execute;
mod hints;
mod linked;
mod machine;
mod project;
pub mod reference;
pub mod table;
pub mod testing;

pub use execute::{
    Execute, ExecuteError, ExecutedNode, Execution, Nodes, Output, Runtime, runtime,
};
pub use linked::{DEFAULT_BACKEND, linked, linked_tables, registry};
pub use machine::enough_resources;
pub use project::{Planning, Project, Surroundings, diagnostic};

pub use laktory_core as core;
pub use laktory_exec as exec;
pub use laktory_model as model;
pub use laktory_plan as plan;
pub use laktory_syntax as syntax;

/// What a program that declares pipelines needs.
pub mod prelude {
    pub use crate::{Execute, Execution, Planning, Project, Surroundings};
    pub use laktory_exec::{Refresh, RunOptions};
    pub use laktory_model::*;
}
