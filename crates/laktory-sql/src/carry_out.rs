//! A plan carried out by a driver, step by step. Nothing is computed: the outcome is a lazy frame.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::{BooleanArray, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use laktory_core::{Backend, BatchStream, Error, Frame, NamedFrames, Result, RunCx, typing};

use crate::places::Places;
use crate::plan::{ONE_ROW, Plan};

/// The frame that a plan gives over named frames. What the plan holds several times is made once.
///
/// # Errors
/// Those of the steps, at the places of their expressions.
pub async fn carry_out(
    backend: &dyn Backend,
    cx: &RunCx,
    plan: &Plan,
    places: &Places,
    named: &NamedFrames,
) -> Result<Frame> {
    let mut made: HashMap<usize, Frame> = HashMap::new();
    for part in plan.leaves_first() {
        let frame = match part {
            Plan::Frame(name) => named.get(name)?.clone(),
            Plan::OneRow => one_row(backend, cx).await?,
            Plan::Rows(rows) => imported(backend, cx, rows.batch()?).await?,
            Plan::Step { input, op, others } => {
                let of = |plan: &Arc<Plan>| {
                    made.get(&plan.address())
                        .ok_or_else(|| Error::internal("a step whose input was not made"))
                };
                let mut seen = NamedFrames::new();
                for (name, other) in others {
                    seen.insert(name.clone(), of(other)?.clone());
                }
                let input = of(input)?;
                match typing::apply(backend, cx, input, op, &seen).await {
                    Ok(frame) => frame,
                    Err(error) => {
                        let columns = typing::columns(backend, cx, input).await;
                        let other = match op.frames().first() {
                            Some(name) => typing::columns(backend, cx, seen.get(name)?).await,
                            None => Ok([].into()),
                        };
                        return Err(match (columns, other) {
                            (Ok(columns), Ok(other)) => places.of_step(error, op, &columns, &other),
                            (Ok(columns), Err(_)) => places.located(error, &columns),
                            _ => error,
                        });
                    }
                }
            }
        };
        made.insert(part.address(), frame);
    }
    made.remove(&plan.address())
        .ok_or_else(|| Error::internal("a plan that made no frame"))
}

async fn one_row(backend: &dyn Backend, cx: &RunCx) -> Result<Frame> {
    let schema = Arc::new(Schema::new(vec![Field::new(
        ONE_ROW,
        DataType::Boolean,
        true,
    )]));
    let column = Arc::new(BooleanArray::from(vec![true]));
    let batch = RecordBatch::try_new(schema, vec![column])
        .map_err(|error| Error::internal(error.to_string()))?;
    imported(backend, cx, batch).await
}

async fn imported(backend: &dyn Backend, cx: &RunCx, batch: RecordBatch) -> Result<Frame> {
    let schema = batch.schema();
    let stream = futures_util::stream::iter([Ok(batch)]);
    backend.import(cx, BatchStream::new(schema, stream)).await
}
