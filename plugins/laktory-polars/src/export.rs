//! Frames leave the engine as a stream of record batches, with back pressure: the engine waits when nobody reads, and
//! stops when the stream is dropped.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use futures_core::Stream;
use laktory_core::arrow::array::RecordBatch;
use laktory_core::arrow::schema::SchemaRef;
use laktory_core::{BatchStream, Error, Frame, Result, RunCx};
use polars::prelude::{DataFrame, Engine, LazyFrame, PlanCallback, PolarsResult};

use crate::PolarsFrame;
use crate::diagnose::unless_damaged;
use crate::error::{ResultExt, carry, engine_error};

/// Batches that wait between the engine and the reader of the stream.
const WAITING: usize = 8;

/// A bounded queue whose producer blocks a thread and whose consumer is asynchronous.
#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    room: Condvar,
}

#[derive(Default)]
struct State {
    batches: VecDeque<RecordBatch>,
    closed: bool,
    waker: Option<Waker>,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a batch, waiting for room; false when nobody reads any more.
    fn push(&self, batch: RecordBatch) -> bool {
        let mut state = self.lock();
        while state.batches.len() >= WAITING && !state.closed {
            state = self
                .room
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        if state.closed {
            return false;
        }
        state.batches.push_back(batch);
        if let Some(waker) = state.waker.take() {
            waker.wake();
        }
        true
    }

    fn pop(&self, waker: &Waker) -> Option<RecordBatch> {
        let mut state = self.lock();
        let batch = state.batches.pop_front();
        if batch.is_some() {
            self.room.notify_one();
        } else {
            state.waker = Some(waker.clone());
        }
        batch
    }

    fn close(&self) {
        self.lock().closed = true;
        self.room.notify_all();
    }
}

/// The rows of a query that runs while they are read.
struct Rows {
    queue: Arc<Queue>,
    query: Option<Pin<Box<dyn Future<Output = Result<()>> + Send>>>,
}

impl Stream for Rows {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let ended = match &mut self.query {
            None => true,
            Some(query) => match query.as_mut().poll(cx) {
                Poll::Pending => false,
                Poll::Ready(outcome) => {
                    self.query = None;
                    if let Err(error) = outcome {
                        self.queue.close();
                        return Poll::Ready(Some(Err(error)));
                    }
                    true
                }
            },
        };
        match self.queue.pop(cx.waker()) {
            Some(batch) => Poll::Ready(Some(Ok(batch))),
            None if ended => Poll::Ready(None),
            None => Poll::Pending,
        }
    }
}

impl Drop for Rows {
    fn drop(&mut self) {
        self.queue.close();
    }
}

/// The rows of `frame`, whose Arrow schema is `schema`.
///
/// # Errors
/// `ForeignFrame`; errors of the plan come out of the stream.
pub(crate) fn export(cx: &RunCx, frame: &Frame, schema: SchemaRef) -> Result<BatchStream> {
    let native = PolarsFrame::of(frame)?;
    let (lazy, sources) = (native.plan(), native.sources());
    let queue = Arc::new(Queue::default());
    let query = {
        let (cx, queue, schema) = (cx.clone(), Arc::clone(&queue), Arc::clone(&schema));
        async move {
            let cancel = cx.cancel().clone();
            cx.blocking(move || {
                let begun = Arc::new(AtomicBool::new(false));
                let gives = Arc::clone(&begun);
                let push = move |batch: DataFrame| -> PolarsResult<bool> {
                    cancel.check().map_err(|error| carry(&error))?;
                    gives.fetch_or(batch.height() > 0, Ordering::Relaxed);
                    let batches =
                        crate::arrow::to_batches(batch, &schema).map_err(|error| carry(&error))?;
                    Ok(!batches.into_iter().all(|batch| queue.push(batch)))
                };
                let push: Arc<Push> = Arc::new(push);
                let otherwise = || {
                    // Who reads would get the first rows twice.
                    if begun.load(Ordering::Relaxed) {
                        return Err(Error::internal("the engine stopped after its first rows"));
                    }
                    match crate::execute::in_memory(vec![lazy.clone()])?.pop() {
                        Some(lazy) => run(lazy, Arc::clone(&push)),
                        None => Ok(()),
                    }
                };
                unless_damaged(&sources, || {
                    crate::execute::streamed(|| run(lazy.clone(), Arc::clone(&push)), otherwise)
                })
            })
            .await
        }
    };
    let rows = Rows {
        queue,
        query: Some(Box::pin(query)),
    };
    Ok(BatchStream::new(schema, rows))
}

type Push = dyn Fn(DataFrame) -> PolarsResult<bool> + Send + Sync;

fn run(lazy: LazyFrame, push: Arc<Push>) -> Result<()> {
    let sunk = lazy
        // The check takes sinks of ours for ones that do not see the order of rows.
        .with_check_order(false)
        .sink_batches(PlanCallback::new(move |batch| push(batch)), true, None)
        .or_error()?;
    sunk.collect_with_engine(Engine::Streaming)
        .map_err(engine_error)?;
    Ok(())
}
