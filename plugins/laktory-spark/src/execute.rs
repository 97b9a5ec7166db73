//! Several outputs of one node. What they share is computed once: it is checkpointed on the cluster for the time of the
//! node, and the steps behind it are lowered onto the checkpoint.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use laktory_core::{
    DType, Error, ErrorKind, Field, Job, Outcome, Place, Result, RunCx, StoreSpec, Target,
    WriteMode, WriteReport,
};
use proto::command::CommandType;
use proto::execute_plan_response::ResponseType;
use proto::relation::RelType;
use spark_connect_proto as proto;

use crate::dsl::{aggregate, alias, cast, col, f, int, project, relation};
use crate::frame::{Resolved, SparkFrame};
use crate::rows::collect;
use crate::session::Session;
use crate::write;

/// Carries out the jobs, one after the other; the cluster works on each with all it has.
pub(crate) async fn execute(session: &Session, cx: &RunCx, jobs: Vec<Job>) -> Result<Vec<Outcome>> {
    let frames = jobs
        .iter()
        .map(|job| SparkFrame::of(&job.frame).cloned())
        .collect::<Result<Vec<_>>>()?;
    for (job, frame) in jobs.iter().zip(&frames) {
        session.resolve(cx, frame).await?;
        if let Some((spec, _)) = stored(&job.target) {
            write::check(
                &spec.format,
                &spec.options,
                &session.columns(cx, frame).await?,
            )?;
        }
    }
    let mut kept = Vec::new();
    let outcome = run(session, cx, &jobs, &frames, &mut kept).await;
    for remote in kept {
        release(session, cx, remote).await;
    }
    outcome
}

async fn run(
    session: &Session,
    cx: &RunCx,
    jobs: &[Job],
    frames: &[SparkFrame],
    kept: &mut Vec<proto::CachedRemoteRelation>,
) -> Result<Vec<Outcome>> {
    let mut overlay: Vec<(SparkFrame, Arc<Resolved>)> = Vec::new();
    if let Some(shared) = shared(frames) {
        let resolved = session.resolve(cx, &shared).await?;
        match checkpoint(session, cx, &resolved).await {
            Ok(remote) => {
                overlay.push((shared, Arc::new(remote_frame(&remote, &resolved))));
                kept.push(remote);
            }
            // A server without checkpoints computes what is shared for each output.
            Err(error) if error.kind() == ErrorKind::Unsupported => {
                tracing::debug!(%error, "The server has no checkpoints");
            }
            Err(error) => return Err(error),
        }
    }
    let mut outcomes = Vec::with_capacity(jobs.len());
    for (job, frame) in jobs.iter().zip(frames) {
        let columns = session.columns(cx, frame).await?;
        let resolved = lowered_onto(session, cx, frame, &overlay).await?;
        let resolved = match job.target {
            Target::Collect | Target::Materialize => resolved,
            _ => writable(resolved, &columns)?,
        };
        let outcome = one(session, cx, job, &resolved, columns).await?;
        if let (Outcome::Materialized { .. }, Some(RelType::CachedRemoteRelation(handed))) =
            (&outcome, &resolved.relation.rel_type)
        {
            kept.retain(|remote| remote != handed);
        }
        outcomes.push(outcome);
    }
    Ok(outcomes)
}

async fn one(
    session: &Session,
    cx: &RunCx,
    job: &Job,
    resolved: &Resolved,
    columns: Vec<Field>,
) -> Result<Outcome> {
    if let Some((spec, mode)) = stored(&job.target) {
        let target = write::target(&spec.place)?;
        if matches!(spec.place, Place::Table(_)) {
            session.analysed.clear();
        }
        session.sources.clear();
        session.hive.clear();
        if mode != WriteMode::Overwrite || !session.paths.are_read(&resolved.relation, &target) {
            let written = written(session, cx, resolved, &spec, mode).await?;
            return Ok(Outcome::Written(written));
        }
        // Spark removes what is there before it computes what will be.
        let remote = checkpoint(session, cx, resolved).await?;
        let read = remote_frame(&remote, resolved);
        let written = written(session, cx, &read, &spec, mode).await;
        release(session, cx, remote).await;
        return Ok(Outcome::Written(written?));
    }
    Ok(match &job.target {
        Target::Collect => {
            Outcome::Collected(collect(session, cx, resolved.relation.clone(), &columns).await?)
        }
        Target::Materialize => {
            let frame = match resolved.relation.rel_type {
                // What the jobs share is kept already.
                Some(RelType::CachedRemoteRelation(_)) => resolved.clone(),
                _ => remote_frame(&checkpoint(session, cx, resolved).await?, resolved),
            };
            let rows = count(session, cx, &frame.relation).await?;
            Outcome::Materialized {
                frame: SparkFrame::of_relation(Resolved {
                    columns,
                    confirmed: true,
                    ..frame
                })
                .into_frame(),
                rows,
            }
        }
        _ => return Err(Error::unsupported("this kind of output")),
    })
}

/// What a target that is written stands for. A file of this program's own must not exist yet.
fn stored(target: &Target) -> Option<(Cow<'_, StoreSpec>, WriteMode)> {
    match target {
        Target::Store { spec, mode } => Some((Cow::Borrowed(spec), *mode)),
        Target::Write(spec) => {
            let place = Place::Path(spec.path.to_string_lossy().into_owned());
            let mut store = StoreSpec::new(place, spec.format.clone());
            store.options = spec.options.clone();
            Some((Cow::Owned(store), WriteMode::Error))
        }
        _ => None,
    }
}

/// The relation with columns that files can hold: those without type, which are null in every row, become texts.
fn writable(resolved: Arc<Resolved>, columns: &[Field]) -> Result<Arc<Resolved>> {
    if columns.iter().all(|field| field.dtype != DType::Null) {
        return Ok(resolved);
    }
    let exprs = columns
        .iter()
        .map(|field| match field.dtype {
            DType::Null => Ok(alias(cast(col(&field.name), &DType::String)?, &field.name)),
            _ => Ok(col(&field.name)),
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(Arc::new(Resolved {
        relation: project(resolved.relation.clone(), exprs),
        columns: columns.to_vec(),
        confirmed: false,
    }))
}

/// Writes the rows of a relation, and counts them on the way.
async fn written(
    session: &Session,
    cx: &RunCx,
    resolved: &Resolved,
    spec: &StoreSpec,
    mode: WriteMode,
) -> Result<WriteReport> {
    let observes = session.observes.load(Ordering::Relaxed);
    let (relation, name) = match observes {
        true => observed(resolved.relation.clone()),
        false => (resolved.relation.clone(), String::new()),
    };
    let command = write::command(relation, spec, mode)?;
    let responses = match session.client.command(command, cx.cancel()).await {
        Ok(responses) => responses,
        // A server that cannot count on the way has written nothing; it counts beside.
        Err(error) if observes && error.message().contains("collect metrics") => {
            session.observes.store(false, Ordering::Relaxed);
            let command = write::command(resolved.relation.clone(), spec, mode)?;
            let responses = session.client.command(command, cx.cancel()).await;
            responses.map_err(|error| write::unwritten(error, spec))?
        }
        Err(error) => return Err(write::unwritten(error, spec)),
    };
    let rows = match counted(&responses, &name) {
        Some(rows) => rows,
        None if mode == WriteMode::Ignore => 0,
        None => count(session, cx, &resolved.relation).await?,
    };
    Ok(WriteReport::new(rows))
}

/// The last frame that all outputs come from, when it is more than a source.
fn shared(frames: &[SparkFrame]) -> Option<SparkFrame> {
    let (first, rest) = frames.split_first()?;
    if rest.is_empty() {
        return None;
    }
    let chain = |frame: &SparkFrame| {
        let mut chain = vec![frame.clone()];
        let mut at = frame.clone();
        while let Some(step) = &at.0.step {
            let next = step.input.clone();
            chain.push(next.clone());
            at = next;
        }
        chain
    };
    let chains: Vec<Vec<SparkFrame>> = rest.iter().map(chain).collect();
    chain(first).into_iter().find(|frame| {
        chains
            .iter()
            .all(|chain| chain.iter().any(|other| Arc::ptr_eq(&other.0, &frame.0)))
    })
}

/// A frame's relation on top of the replacements.
async fn lowered_onto(
    session: &Session,
    cx: &RunCx,
    frame: &SparkFrame,
    replaced: &[(SparkFrame, Arc<Resolved>)],
) -> Result<Arc<Resolved>> {
    if replaced.is_empty() {
        return session.resolve(cx, frame).await;
    }
    let mut above = Vec::new();
    let mut at = frame.clone();
    let base = loop {
        if let Some((_, resolved)) = replaced
            .iter()
            .find(|(known, _)| Arc::ptr_eq(&known.0, &at.0))
        {
            break Arc::clone(resolved);
        }
        let Some(step) = &at.0.step else {
            return session.resolve(cx, frame).await;
        };
        let next = step.input.clone();
        above.push(at.clone());
        at = next;
    };
    let mut resolved = base;
    for frame in above.iter().rev() {
        if let Some(step) = &frame.0.step {
            resolved = Arc::new(session.step_onto(cx, step, &resolved).await?);
        }
    }
    Ok(resolved)
}

/// The relation with a count of its rows, reported beside the result.
fn observed(input: proto::Relation) -> (proto::Relation, String) {
    let name = format!("laktory-{}", uuid::Uuid::new_v4());
    let metrics = vec![alias(f("count", [int(1)]), "rows")];
    let observed = relation(RelType::CollectMetrics(Box::new(proto::CollectMetrics {
        input: Some(Box::new(input)),
        name: name.clone(),
        metrics,
    })));
    (observed, name)
}

fn counted(responses: &[proto::ExecutePlanResponse], name: &str) -> Option<u64> {
    use proto::expression::literal::LiteralType;
    responses
        .iter()
        .flat_map(|response| &response.observed_metrics)
        .filter(|metrics| metrics.name == name)
        .find_map(
            |metrics| match metrics.values.first()?.literal_type.as_ref()? {
                LiteralType::Long(rows) => u64::try_from(*rows).ok(),
                _ => None,
            },
        )
}

async fn count(session: &Session, cx: &RunCx, input: &proto::Relation) -> Result<u64> {
    use laktory_core::arrow::array::{Array, Int64Array};
    let counting = aggregate(
        input.clone(),
        Vec::new(),
        vec![alias(f("count", [int(1)]), "rows")],
    );
    let batches = collect(session, cx, counting, &[Field::new("rows", DType::Int64)]).await?;
    batches
        .first()
        .and_then(|batch| batch.column(0).as_any().downcast_ref::<Int64Array>())
        .filter(|rows| rows.len() == 1)
        .and_then(|rows| u64::try_from(rows.value(0)).ok())
        .ok_or_else(|| Error::internal("the server did not count"))
}

/// Computes a relation and keeps its rows on the cluster, for the life of the session.
async fn checkpoint(
    session: &Session,
    cx: &RunCx,
    resolved: &Resolved,
) -> Result<proto::CachedRemoteRelation> {
    let command = CommandType::CheckpointCommand(proto::CheckpointCommand {
        relation: Some(resolved.relation.clone()),
        local: true,
        eager: true,
        storage_level: None,
    });
    let responses = session.client.command(command, cx.cancel()).await?;
    responses
        .into_iter()
        .find_map(|response| match response.response_type {
            Some(ResponseType::CheckpointCommandResult(result)) => result.relation,
            _ => None,
        })
        .ok_or_else(|| Error::unsupported("the server keeps no checkpoints"))
}

fn remote_frame(remote: &proto::CachedRemoteRelation, resolved: &Resolved) -> Resolved {
    Resolved {
        relation: relation(RelType::CachedRemoteRelation(remote.clone())),
        columns: resolved.columns.clone(),
        confirmed: resolved.confirmed,
    }
}

/// Lets the cluster forget a checkpoint. What fails is forgotten with the session.
async fn release(session: &Session, cx: &RunCx, remote: proto::CachedRemoteRelation) {
    let command =
        CommandType::RemoveCachedRemoteRelationCommand(proto::RemoveCachedRemoteRelationCommand {
            relation: Some(remote),
        });
    if let Err(error) = session.client.command(command, cx.cancel()).await {
        tracing::debug!(%error, "A checkpoint stays until the session ends");
    }
}
