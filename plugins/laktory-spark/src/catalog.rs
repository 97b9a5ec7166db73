//! Tables and views of the cluster's catalog, be it a Hive metastore, Unity Catalog or the catalog of the session.

use async_trait::async_trait;
use laktory_core::{
    Catalog, Error, ErrorKind, Frame, Relation, Result, RunCx, TableName, TableSpec, ViewSpec,
};
use proto::relation::RelType;
use spark_connect_proto as proto;

use crate::dsl::{identifier, relation};
use crate::frame::{Resolved, SparkFrame};
use crate::read::spark_options;
use crate::session::Session;
use crate::{sql, types};

/// Options of reading a table, of the formats that have any.
pub(crate) const OPTIONS: &[&str] = &[
    "versionAsOf",
    "timestampAsOf",
    "readChangeFeed",
    "readChangeData",
    "startingVersion",
    "endingVersion",
    "startingTimestamp",
    "endingTimestamp",
    "snapshot-id",
    "as-of-timestamp",
];

#[async_trait]
impl Catalog for Session {
    async fn table(&self, cx: &RunCx, spec: &TableSpec) -> Result<Frame> {
        let name = identifier(&spec.name);
        let relation = relation(RelType::Read(proto::Read {
            is_streaming: false,
            read_type: Some(proto::read::ReadType::NamedTable(proto::read::NamedTable {
                unparsed_identifier: name.clone(),
                options: spark_options(&spec.options)?,
            })),
        }));
        let schema = self
            .client
            .schema(&relation, cx.cancel())
            .await
            .map_err(|error| missing(error, &spec.name))?;
        self.paths.add(&[name]);
        Ok(SparkFrame::of_relation(Resolved {
            relation,
            columns: types::columns(&schema),
            confirmed: true,
        })
        .into_frame())
    }

    async fn create_view(&self, cx: &RunCx, view: &ViewSpec) -> Result<()> {
        sql::create_view(self, cx, view).await
    }

    async fn remove(&self, cx: &RunCx, name: &TableName, relation: Relation) -> Result<bool> {
        let what = match relation {
            Relation::Table => "TABLE",
            Relation::View => "VIEW",
            _ => return Err(Error::unsupported("this kind of name")),
        };
        self.analysed.clear();
        let statement = format!("DROP {what} {}", identifier(name));
        match sql::command(self, cx, &statement).await {
            Ok(()) => Ok(true),
            Err(error) if is_missing(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// Whether the server does not know a table or view.
fn is_missing(error: &Error) -> bool {
    error.message().contains("cannot be found")
}

fn missing(error: Error, name: &TableName) -> Error {
    if !is_missing(&error) {
        return error;
    }
    Error::new(
        ErrorKind::NotFound,
        format!("there is no table or view `{name}`"),
    )
    .with_hint(
        "check the names of its schema and catalog; the one who connects must be allowed to see it",
    )
    .with_source(error)
}
