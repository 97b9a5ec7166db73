//! Whose error it is. An engine computes a node as one plan, and of what went wrong it says only what, not where. After such
//! an error the parts of the node are computed alone, until the first is found that fails in the same way, and the place of
//! that is told: a source, a step, a rule, a sink. Only who has failed pays for this, within a bound of time; what went wrong
//! stays what it was.

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::{Either, select};
use futures_util::{FutureExt as _, StreamExt as _};
use laktory_core::{
    Backend, Cancel, Error, ErrorKind, Frame, Job, NamedFrames, Result, RunCx, typing,
};
use laktory_model::Path;
use laktory_plan::{ExpectationPlan, Handover, Input, InputSource, NodePlan, Step, StepKind};

use crate::build::{Builder, one_by_one};
use crate::check::{Silent, apply_all};
use crate::expectations;
use crate::fault::Fault;
use crate::node::Shared;
use crate::pass::conform;

/// The longest that is spent on it.
const MOST: Duration = Duration::from_secs(20);

/// How often somebody looks whether the time is over.
const TICK: Duration = Duration::from_millis(10);

/// The fault of an error that came of computing node `index`, whose sinks were to be written by `writes`.
pub(crate) async fn blame(
    shared: &Shared<'_>,
    index: usize,
    error: Error,
    writes: Vec<(Path, Job)>,
) -> Fault {
    let node = &shared.plan.nodes[index];
    let found = match shared.files.named_in(error.message()) {
        Some((reader, place)) => Some((reader, place)),
        None if comes_of_rows(error.kind()) => in_time(shared, index, &error, writes).await,
        None => None,
    };
    match found {
        Some((node, place)) => Fault::new(&shared.plan.nodes[node].name, &place, error),
        None => Fault::new(&node.name, &node.place, error),
    }
}

/// Whether an error may come again when parts are computed, and is not of the world around.
fn comes_of_rows(kind: ErrorKind) -> bool {
    !matches!(
        kind,
        ErrorKind::Cancelled
            | ErrorKind::ExpectationFailed
            | ErrorKind::Io
            | ErrorKind::NotFound
            | ErrorKind::RowsLost
    )
}

/// The culprit, unless the search takes too long or is interrupted.
async fn in_time(
    shared: &Shared<'_>,
    index: usize,
    error: &Error,
    writes: Vec<(Path, Job)>,
) -> Option<Culprit> {
    // Set when the search shall end, for whatever reason.
    let over = Cancel::new();
    let cx = shared.cx.with_cancel(over.clone());
    let search = Search {
        shared,
        cx: &cx,
        error,
    };
    let clock = {
        let (over, interrupt) = (over.clone(), shared.cx.cancel().clone());
        let began = Instant::now();
        shared.cx.blocking(move || {
            while !over.is_cancelled() && !interrupt.is_cancelled() && began.elapsed() < MOST {
                std::thread::sleep(TICK);
            }
            over.cancel();
            Ok(())
        })
    };
    let search = AssertUnwindSafe(search.culprit(index, writes)).catch_unwind();
    let found = match select(pin!(search), pin!(clock)).await {
        Either::Left((found, _)) if !over.is_cancelled() => found.ok().flatten(),
        _ => None,
    };
    over.cancel();
    found
}

/// Position of a node, and a place of it.
type Culprit = (usize, Path);

struct Search<'a> {
    shared: &'a Shared<'a>,
    cx: &'a RunCx,
    error: &'a Error,
}

impl Search<'_> {
    async fn culprit(&self, index: usize, writes: Vec<(Path, Job)>) -> Option<Culprit> {
        if let Some(found) = self.node(index).await {
            return Some(found);
        }
        // All that is computed went well; some of it cannot be written.
        let node = &self.shared.plan.nodes[index];
        let backend = self.shared.sessions.get(&node.backend).ok()?;
        for (place, job) in writes {
            let written = backend.execute(self.cx, vec![job]).await;
            if self.is_same(written.err()) {
                return Some((index, place));
            }
        }
        None
    }

    async fn node(&self, index: usize) -> Option<Culprit> {
        let node = &self.shared.plan.nodes[index];
        let backend = self.shared.sessions.get(&node.backend).ok()?;
        let builder = Builder {
            cx: self.cx,
            backend,
            observer: &Silent,
            node,
            rows: true,
            looks_at_rows: false,
            files: None,
        };
        let (named, ..) = builder.inputs(self.shared).await.ok()?;
        let primary = builder.primary(&named);
        let mut known = named.clone();
        let stage = builder.steps(primary.clone(), &node.steps, &mut known, false);
        let stage = stage.await.ok()??;
        if self.fails(backend, Ok(stage.clone())).await {
            return self.stage(index, &builder, primary, &named).await;
        }
        let place = match self.rule(backend, node, &stage).await {
            Some(place) => Some(place),
            None => self.schema(backend, node, stage).await,
        };
        place.map(|place| (index, place))
    }

    /// The culprit among the inputs and steps, which fail when computed together.
    async fn stage(
        &self,
        index: usize,
        builder: &Builder<'_>,
        primary: Option<Frame>,
        named: &NamedFrames,
    ) -> Option<Culprit> {
        let node = builder.node;
        let (before, step) = self.first(builder, primary, &node.steps, named).await?;
        let is_first = node.steps.is_empty() || step == 0;
        for input in &node.inputs {
            let is_read = is_first && node.primary.as_ref() == Some(&input.name)
                || (node.steps.get(step)).is_some_and(|step| step.references(&input.name) > 0);
            let frame = named.get(&input.name).cloned();
            if is_read && self.fails(builder.backend, frame).await {
                return self.input(index, builder, input).await;
            }
        }
        let step = node.steps.get(step)?;
        let place = self.argument(builder.backend, before, step, named).await;
        Some((index, place.unwrap_or_else(|| step.place.clone())))
    }

    /// The culprit of an input that fails.
    async fn input(&self, index: usize, builder: &Builder<'_>, input: &Input) -> Option<Culprit> {
        let source = builder.source(input, self.shared).await.ok()?;
        if input.steps.is_empty() || self.fails(builder.backend, Ok(source.clone())).await {
            if let InputSource::Node { node: above, .. } = input.source
                && self.shared.plan.nodes[above].handover == Handover::Inline
            {
                // It became part of this plan.
                return Box::pin(self.node(above)).await;
            }
            return Some((index, input.place.clone()));
        }
        let named = NamedFrames::new();
        let steps = self.first(builder, Some(source), &input.steps, &named);
        let (_, step) = steps.await?;
        Some((index, input.steps.get(step)?.place.clone()))
    }

    /// Of steps that fail together, the first with which they do; and the frame before it.
    async fn first(
        &self,
        builder: &Builder<'_>,
        primary: Option<Frame>,
        steps: &[Step],
        named: &NamedFrames,
    ) -> Option<(Option<Frame>, usize)> {
        let (mut before, mut sound, mut faulty) = (primary.clone(), 0, steps.len());
        while faulty > sound + 1 {
            let middle = usize::midpoint(sound, faulty);
            let frame = builder
                .steps(primary.clone(), &steps[..middle], &mut named.clone(), false)
                .await
                .ok()??;
            if self.fails(builder.backend, Ok(frame.clone())).await {
                faulty = middle;
            } else {
                (before, sound) = (Some(frame), middle);
            }
        }
        Some((before, sound))
    }

    /// The place of the argument of a step that fails by itself.
    async fn argument(
        &self,
        backend: &Arc<dyn Backend>,
        before: Option<Frame>,
        step: &Step,
        named: &NamedFrames,
    ) -> Option<Path> {
        let StepKind::Ops(ops) = &step.kind else {
            return None;
        };
        let [op] = ops.as_slice() else {
            return None;
        };
        let (alone, before) = (one_by_one(op), before?);
        if alone.len() != step.arguments.len() {
            return None;
        }
        if let [place] = step.arguments.as_slice() {
            return Some(place.clone());
        }
        for (op, place) in alone.iter().zip(&step.arguments) {
            let frame = typing::apply(&**backend, self.cx, &before, op, named).await;
            if self.fails(backend, frame).await {
                return Some(place.clone());
            }
        }
        None
    }

    /// The place of the expectation that fails to be judged.
    async fn rule(
        &self,
        backend: &Arc<dyn Backend>,
        node: &NodePlan,
        stage: &Frame,
    ) -> Option<Path> {
        let fail = async |rules: &[ExpectationPlan]| {
            let steps = expectations::steps(rules);
            let judged = [&steps.flag, &steps.metrics];
            let judged = apply_all(self.cx, backend, stage.clone(), judged).await;
            self.fails(backend, judged).await
        };
        let mut suspects = node.expectations.as_slice();
        if suspects.is_empty() || !fail(suspects).await {
            return None;
        }
        while suspects.len() > 1 {
            let (left, right) = suspects.split_at(suspects.len() / 2);
            suspects = if fail(left).await { left } else { right };
        }
        Some(suspects.first()?.place.clone())
    }

    /// The place of the sink's schema that the rows do not take.
    async fn schema(
        &self,
        backend: &Arc<dyn Backend>,
        node: &NodePlan,
        stage: Frame,
    ) -> Option<Path> {
        let kept = match node.expectations.is_empty() {
            true => stage,
            false => {
                let steps = expectations::steps(&node.expectations);
                let steps = std::iter::once(&steps.flag).chain(&steps.keep);
                apply_all(self.cx, backend, stage, steps).await.ok()?
            }
        };
        for sink in &node.sinks {
            let Some(schema) = &sink.schema else {
                continue;
            };
            let conformed = apply_all(self.cx, backend, kept.clone(), [&conform(schema)]).await;
            if self.fails(backend, conformed).await {
                return Some(sink.place.key("schema_definition"));
            }
        }
        None
    }

    /// Whether computing a frame fails as the node did.
    async fn fails(&self, backend: &Arc<dyn Backend>, frame: Result<Frame>) -> bool {
        let computed = async {
            let mut rows = backend.export(self.cx, &frame?).await?;
            while let Some(batch) = rows.next().await {
                batch?;
            }
            Ok(())
        };
        let computed: Result<()> = computed.await;
        self.is_same(computed.err())
    }

    fn is_same(&self, error: Option<Error>) -> bool {
        error.is_some_and(|error| is_same(&error, self.error))
    }
}

/// Whether two errors say the same, of whatever rows.
fn is_same(one: &Error, other: &Error) -> bool {
    one.kind() == other.kind() && words(one.message()).eq(words(other.message()))
}

/// A message without the values in it: what stands in quotes or brackets, and numbers.
fn words(message: &str) -> impl Iterator<Item = char> {
    let mut closing = None;
    message.chars().filter(move |&char| match closing {
        Some(end) => {
            if char == end {
                closing = None;
            }
            false
        }
        None => {
            closing = match char {
                '\'' | '"' | '`' => Some(char),
                '[' => Some(']'),
                _ => None,
            };
            closing.is_none() && char.is_alphabetic()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_other_rows_are_the_same() {
        let error = |text: &str| Error::new(ErrorKind::ConversionFailed, text);
        let one = error("conversion from `str` to `f64` failed for 1 out of 3 values: [\"n/a\"]");
        let other = error("conversion from `str` to `f64` failed for 2 out of 9 values: [\"x\"]");
        assert!(is_same(&one, &other));
        assert!(!is_same(&one, &error("`a.csv:3`: `x` is no number")));
        let kind = Error::new(ErrorKind::Compute, one.message());
        assert!(!is_same(&one, &kind));
    }
}
