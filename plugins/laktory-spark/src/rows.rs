//! Rows that leave and enter the server, as Arrow batches: the only door between Spark and other engines.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow_buffer::OffsetBuffer;
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use futures_util::{StreamExt as _, stream};
use laktory_core::arrow::array::{
    Array as _, ArrayRef, ListArray, RecordBatch, RecordBatchOptions, StructArray,
};
use laktory_core::arrow::schema::{ArrowError, DataType, Field as ArrowField, Schema, SchemaRef};
use laktory_core::{BatchStream, DType, Error, ErrorKind, Field, Frame, Result, RunCx};
use prost::Message as _;
use proto::execute_plan_response::ResponseType;
use proto::relation::RelType;
use spark_connect_proto as proto;

use crate::client::{Execution, plan};
use crate::dsl::{col, f, project, relation};
use crate::frame::{Resolved, SparkFrame};
use crate::session::{Session, arrow_schema};
use crate::types;

/// Bytes of rows that travel inside of a plan; more are uploaded beside it.
const INLINE_BYTES: usize = 512 << 10;
/// Bytes of rows that are uploaded as one blob.
const BLOB_BYTES: usize = 16 << 20;
/// Rows of a blob that are one value for the server, and the name of its column.
const ROWS_IN_A_LIST: usize = 4096;
const LISTS: &str = "rows";

/// The rows of a frame, batch by batch as the server computes them.
pub(crate) async fn export(
    session: &Session,
    cx: &RunCx,
    frame: &SparkFrame,
) -> Result<BatchStream> {
    let columns = session.columns(cx, frame).await?;
    let schema = arrow_schema(&columns)?;
    let resolved = session.resolve(cx, frame).await?;
    let execution = session
        .client
        .execute(plan(resolved.relation.clone()), cx.cancel());
    let reader = Reader {
        execution,
        schema: Arc::clone(&schema),
        ready: VecDeque::new(),
    };
    let batches = stream::unfold(Some(reader), |reader| async move {
        let mut reader = reader?;
        match reader.next().await {
            Ok(Some(batch)) => Some((Ok(batch), Some(reader))),
            Ok(None) => None,
            Err(error) => Some((Err(error), None)),
        }
    });
    Ok(BatchStream::new(schema, batches))
}

/// Every row of a relation at once: for one row of metrics, or the names of a pivot.
pub(crate) async fn collect(
    session: &Session,
    cx: &RunCx,
    relation: proto::Relation,
    columns: &[Field],
) -> Result<Vec<RecordBatch>> {
    let mut reader = Reader {
        execution: session.client.execute(plan(relation), cx.cancel()),
        schema: arrow_schema(columns)?,
        ready: VecDeque::new(),
    };
    let mut batches = Vec::new();
    while let Some(batch) = reader.next().await? {
        batches.push(batch);
    }
    Ok(batches)
}

/// Responses of an operation as batches.
struct Reader {
    execution: Execution,
    schema: SchemaRef,
    ready: VecDeque<RecordBatch>,
}

impl Reader {
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let Some(batch) = self.ready.pop_front() {
                return Ok(Some(batch));
            }
            let Some(response) = self.execution.next().await? else {
                return Ok(None);
            };
            if let Some(ResponseType::ArrowBatch(batch)) = response.response_type {
                let mut rows = 0;
                for decoded in decode(&batch.data)? {
                    rows += decoded.num_rows();
                    if decoded.num_rows() > 0 {
                        self.ready.push_back(conform(decoded, &self.schema)?);
                    }
                }
                if usize::try_from(batch.row_count) != Ok(rows) {
                    return Err(Error::new(
                        ErrorKind::Io,
                        format!(
                            "the server announced {} rows and sent {rows}",
                            batch.row_count
                        ),
                    ));
                }
            }
        }
    }
}

/// The batches of one Arrow stream.
pub(crate) fn decode(data: &[u8]) -> Result<Vec<RecordBatch>> {
    let broken = |error: ArrowError| {
        Error::new(
            ErrorKind::Io,
            format!("the server sent rows that cannot be read: {error}"),
        )
        .with_source(error)
    };
    StreamReader::try_new(std::io::Cursor::new(data), None)
        .map_err(broken)?
        .collect::<std::result::Result<Vec<_>, _>>()
        .map_err(broken)
}

/// A batch with the promised types; only encodings and zones differ from what Spark sends.
fn conform(batch: RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    if batch.num_columns() != schema.fields().len() {
        return Err(Error::internal(format!(
            "the server sent {} columns where {} were announced",
            batch.num_columns(),
            schema.fields().len()
        )));
    }
    let columns = batch
        .columns()
        .iter()
        .zip(schema.fields())
        .map(|(column, field)| converted(column, field))
        .collect::<Result<Vec<_>>>()?;
    assembled(Arc::clone(schema), columns, batch.num_rows())
}

fn converted(column: &ArrayRef, field: &ArrowField) -> Result<ArrayRef> {
    if column.data_type() == field.data_type() {
        return Ok(Arc::clone(column));
    }
    arrow_cast::cast(column, field.data_type()).map_err(|error| {
        Error::unsupported(format!(
            "column `{}` of type {} cannot become {}",
            field.name(),
            column.data_type(),
            field.data_type()
        ))
        .with_source(error)
    })
}

fn assembled(schema: SchemaRef, columns: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(schema, columns, &options)
        .map_err(|error| Error::internal("columns that do not fit their schema").with_source(error))
}

/// A frame of rows from outside. Few rows become part of the plan; many are uploaded in blobs as they arrive, so that
/// neither side holds all of them.
pub(crate) async fn import(
    session: &Session,
    cx: &RunCx,
    mut batches: BatchStream,
) -> Result<Frame> {
    let outer = batches.schema();
    let columns: Vec<Field> = outer
        .fields()
        .iter()
        .map(|field| {
            let dtype = types::held(&DType::from_arrow(field.data_type()));
            if dtype == DType::Unknown {
                return Err(Error::unsupported(format!(
                    "column `{}` of type {} cannot be handed to Spark",
                    field.name(),
                    field.data_type()
                )));
            }
            Ok(Field::new(field.name().as_str(), dtype))
        })
        .collect::<Result<_>>()?;
    let wire: Vec<ArrowField> = outer
        .fields()
        .iter()
        .map(|field| ArrowField::new(field.name(), types::wire(field.data_type()), true))
        .collect();
    let wire: SchemaRef = Arc::new(Schema::new(wire));
    let mut blobs: Vec<proto::Relation> = Vec::new();
    let mut pending: Vec<RecordBatch> = Vec::new();
    let mut bytes = 0;
    while let Some(batch) = batches.next().await {
        for batch in slices(conform(batch?, &wire)?)? {
            bytes += bytes_of(&batch)?;
            pending.push(batch);
            if bytes >= BLOB_BYTES {
                blobs.push(blob(session, cx, &pending).await?);
                pending.clear();
                bytes = 0;
            }
        }
    }
    if bytes > INLINE_BYTES {
        blobs.push(blob(session, cx, &pending).await?);
    } else if !pending.is_empty() || blobs.is_empty() {
        blobs.push(relation(RelType::LocalRelation(local(&wire, &pending)?)));
    }
    let relation = union(blobs)?;
    Ok(SparkFrame::of_relation(Resolved {
        relation,
        columns,
        confirmed: true,
    })
    .into_frame())
}

/// A large batch in pieces of the size of a blob.
fn slices(batch: RecordBatch) -> Result<Vec<RecordBatch>> {
    let pieces = bytes_of(&batch)?.div_ceil(BLOB_BYTES).max(1);
    let rows = batch.num_rows().div_ceil(pieces).max(1);
    if pieces == 1 {
        return Ok(vec![batch]);
    }
    let starts = (0..batch.num_rows()).step_by(rows);
    Ok(starts
        .map(|start| batch.slice(start, rows.min(batch.num_rows() - start)))
        .collect())
}

/// Bytes of a batch's own rows. Engines hand out parts of large buffers, which count for each part if taken whole.
fn bytes_of(batch: &RecordBatch) -> Result<usize> {
    let sizes = batch
        .columns()
        .iter()
        .map(|column| column.to_data().get_slice_memory_size());
    sizes
        .sum::<std::result::Result<usize, _>>()
        .map_err(unsendable)
}

fn unsendable(error: ArrowError) -> Error {
    Error::unsupported(format!("rows cannot be sent to Spark: {error}")).with_source(error)
}

fn local(schema: &SchemaRef, batches: &[RecordBatch]) -> Result<proto::LocalRelation> {
    let mut writer = StreamWriter::try_new(Vec::new(), schema).map_err(unsendable)?;
    for batch in batches {
        writer.write(batch).map_err(unsendable)?;
    }
    if batches.is_empty() {
        // Sail finds no schema in a stream without a batch.
        let none = RecordBatch::new_empty(Arc::clone(schema));
        writer.write(&none).map_err(unsendable)?;
    }
    let data = writer.into_inner().map_err(unsendable)?;
    Ok(proto::LocalRelation {
        data: Some(data.into()),
        schema: None,
    })
}

/// Rows that are uploaded. The server's planner walks the rows of local data in each of its rules, a hundred times and more;
/// thousands of rows that are one list are one row for it, and are taken apart where the work is done.
async fn blob(session: &Session, cx: &RunCx, batches: &[RecordBatch]) -> Result<proto::Relation> {
    let lists = batches
        .iter()
        .map(in_lists)
        .collect::<Result<Vec<RecordBatch>>>()?;
    let schema = lists
        .first()
        .map(RecordBatch::schema)
        .ok_or_else(|| Error::internal("a blob without rows"))?;
    let rows = local(&schema, &lists)?;
    let uploaded = session
        .client
        .upload(rows.encode_to_vec(), cx.cancel())
        .await;
    let kept = match uploaded {
        Ok(hash) => RelType::CachedLocalRelation(proto::CachedLocalRelation { hash }),
        // Sail keeps nothing: the rows travel with each plan.
        Err(error) if error.message().contains("add artifacts") => RelType::LocalRelation(rows),
        Err(error) => return Err(error),
    };
    Ok(project(relation(kept), vec![f("inline", vec![col(LISTS)])]))
}

/// The rows of a batch as lists of structs.
fn in_lists(batch: &RecordBatch) -> Result<RecordBatch> {
    let failed =
        |error: ArrowError| Error::internal("rows that do not fit a list").with_source(error);
    let rows = batch.num_rows();
    let fields = batch.schema().fields().clone();
    let structs = StructArray::try_new(fields, batch.columns().to_vec(), None).map_err(failed)?;
    let element = ArrowField::new("element", structs.data_type().clone(), false);
    let lengths = (0..rows)
        .step_by(ROWS_IN_A_LIST)
        .map(|start| ROWS_IN_A_LIST.min(rows - start));
    let lists = ListArray::try_new(
        Arc::new(element.clone()),
        OffsetBuffer::from_lengths(lengths),
        Arc::new(structs),
        None,
    )
    .map_err(failed)?;
    let field = ArrowField::new(LISTS, DataType::List(Arc::new(element)), false);
    RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![Arc::new(lists)]).map_err(failed)
}

/// Relations below one another, as a balanced tree: plans must not be deep.
fn union(mut relations: Vec<proto::Relation>) -> Result<proto::Relation> {
    while relations.len() > 1 {
        let mut halved = Vec::with_capacity(relations.len().div_ceil(2));
        let mut rest = relations.into_iter();
        while let Some(left) = rest.next() {
            halved.push(match rest.next() {
                Some(right) => crate::ops::below(left, right),
                None => left,
            });
        }
        relations = halved;
    }
    relations
        .pop()
        .ok_or_else(|| Error::internal("no rows and no schema"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use laktory_core::arrow::array::{Int64Array, StringArray};

    #[test]
    fn parts_of_a_large_batch_count_for_themselves() {
        let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..1_000_000));
        let texts = (0..1_000_000).map(|number| format!("the number {number}"));
        let texts: ArrayRef = Arc::new(StringArray::from_iter_values(texts));
        let batch = RecordBatch::try_from_iter([("n", numbers), ("t", texts)]).unwrap();
        let whole = bytes_of(&batch).unwrap();
        assert!(whole > 25_000_000, "{whole}");
        let part = bytes_of(&batch.slice(500_000, 1_000)).unwrap();
        assert!((25_000..50_000).contains(&part), "{part}");
        let pieces = slices(batch).unwrap();
        assert_eq!(pieces.len(), whole.div_ceil(BLOB_BYTES));
        let rows: usize = pieces.iter().map(RecordBatch::num_rows).sum();
        assert_eq!(rows, 1_000_000);
    }
}
