//! Tables and views of a catalog that an engine has: their names, and what a driver does with them.

use std::fmt;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::context::RunCx;
use crate::error::Result;
use crate::frame::{Frame, FrameName};
use crate::spec::Options;
use crate::sql::SqlTemplate;

/// The name of a table or view, by its parts: `table`, `schema.table` or `catalog.schema.table`. Parts are as they are, not
/// quoted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TableName(Vec<String>);

impl TableName {
    /// The name with dots between its parts.
    #[must_use]
    pub fn parse(dotted: &str) -> Self {
        Self(dotted.split('.').map(str::to_owned).collect())
    }

    /// The parts, the table last.
    #[must_use]
    pub fn parts(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("."))
    }
}

/// A table or view to read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TableSpec {
    /// Its name.
    pub name: TableName,
    /// `reader_kwargs`.
    pub options: Options,
}

impl TableSpec {
    /// A read without options.
    #[must_use]
    pub fn new(name: TableName) -> Self {
        Self {
            name,
            options: Options::new(),
        }
    }
}

/// A view to create, or to replace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ViewSpec {
    /// Its name.
    pub name: TableName,
    /// What it shows.
    pub query: SqlTemplate,
    /// The table behind each frame of the query.
    pub tables: Vec<(FrameName, TableName)>,
}

impl ViewSpec {
    /// A view of a query over tables.
    #[must_use]
    pub fn new(name: TableName, query: SqlTemplate, tables: Vec<(FrameName, TableName)>) -> Self {
        Self {
            name,
            query,
            tables,
        }
    }
}

/// What a name of a catalog stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Relation {
    /// Rows.
    Table,
    /// A query.
    View,
}

/// The catalog of a session. Tables are written by [`Target::Store`](crate::Target::Store).
#[async_trait]
pub trait Catalog: Send + Sync {
    /// A frame that reads a table or a view: all rows, in no order, with the columns in the order of the catalog.
    ///
    /// # Errors
    /// `NotFound`; `InvalidArgument` for options.
    async fn table(&self, cx: &RunCx, spec: &TableSpec) -> Result<Frame>;

    /// Creates a view, or replaces the one of that name. The query reads the tables as they are when the view is read.
    ///
    /// # Errors
    /// Those of the statement, with the byte range in the query's source; `InvalidArgument` where a table has the name.
    async fn create_view(&self, cx: &RunCx, view: &ViewSpec) -> Result<()>;

    /// Removes a table with its rows, or a view. Gives whether there was one.
    ///
    /// # Errors
    /// Those of the engine.
    async fn remove(&self, cx: &RunCx, name: &TableName, relation: Relation) -> Result<bool>;
}
