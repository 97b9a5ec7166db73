//! Folders whose names are values: `day=1`.

use std::collections::HashMap;

use laktory_core::arrow::array::{Array, Int64Array};
use laktory_core::{DType, ErrorKind, Field, ReadSpec, Result, RunCx};
use spark_connect_proto as proto;

use super::{RECURSIVE, scan};
use crate::dsl::{aggregate, alias, attribute, f, int, project, sql, text};
use crate::rows::collect;
use crate::session::Session;

/// Whether each file below a folder lies in folders of this kind. Their names are looked at on the cluster, no file is opened.
///
/// # Errors
/// `Cancelled`. A path that is not there is told by the reader.
pub(super) async fn are_hive(
    session: &Session,
    cx: &RunCx,
    spec: &ReadSpec,
    paths: &[String],
) -> Result<bool> {
    let [path] = paths else { return Ok(false) };
    let told = spec.options.contains_key(RECURSIVE);
    // A glob names the files themselves, and a name with an ending is that of a file.
    let name = path
        .trim_end_matches('/')
        .rsplit('/')
        .next()
        .unwrap_or_default();
    if told || path.contains(['*', '?', '[', '{']) || (!path.ends_with('/') && name.contains('.')) {
        return Ok(false);
    }
    let listed = scan(proto::read::DataSource {
        format: Some("binaryFile".to_owned()),
        options: HashMap::from([(RECURSIVE.to_owned(), "true".to_owned())]),
        paths: paths.to_vec(),
        ..Default::default()
    });
    let root = path.trim_end_matches('/');
    let start = f("locate", [text(root), attribute("path")]);
    let length = i32::try_from(root.chars().count()).unwrap_or(i32::MAX);
    let below = f(
        "substring",
        [attribute("path"), f("+", [start, int(length)])],
    );
    let below = project(listed, vec![alias(below, "below")]);
    let hive = sql("count_if(regexp_like(below, '^(/[^/=]+=[^/]*)+/[^/]+$'))");
    let counts = vec![alias(hive, "hive"), alias(sql("count(*)"), "files")];
    let columns = [
        Field::new("hive", DType::Int64),
        Field::new("files", DType::Int64),
    ];
    let batches = match collect(session, cx, aggregate(below, Vec::new(), counts), &columns).await {
        Err(error) if error.kind() == ErrorKind::Cancelled => return Err(error),
        Err(error) => {
            tracing::debug!(%error, "The server does not list files");
            return Ok(false);
        }
        Ok(batches) => batches,
    };
    let count = |column: usize| {
        let batch = batches.first().filter(|batch| batch.num_rows() == 1)?;
        let counts = batch.column(column).as_any().downcast_ref::<Int64Array>()?;
        Some(counts.value(0))
    };
    Ok(matches!((count(0), count(1)), (Some(hive), Some(files)) if files > 0 && hive == files))
}
