//! What nodes outside of the run have written without types, read back with those that the nodes have.

use laktory_core::arrow::schema::SchemaRef;
use laktory_core::{Backend, DType, Error, ErrorKind, Field, Format, Options, Result, RunCx};
use laktory_plan::{InputSource, Plan, SinkPlan, Stored, way_out};

use crate::check::{self, NodeSchema, Surroundings};
use crate::fault::Fault;
use crate::sessions::Sessions;

/// Declares, at each input that reads what a node outside of the run has written without types, the columns of that node.
/// A column that does not come back as it was is a fault.
pub(crate) async fn declare(
    cx: &RunCx,
    sessions: &Sessions,
    plan: &mut Plan,
    around: &Surroundings<'_>,
) -> Vec<Fault> {
    let mut inputs = plan.nodes.iter().flat_map(|node| &node.inputs);
    if !inputs.any(|input| matches!(input.source, InputSource::Sink { .. })) {
        return Vec::new();
    }
    let outside = Plan {
        pipeline: plan.pipeline.clone(),
        writes: false,
        nodes: plan.outside.clone(),
        outside: Vec::new(),
        tasks: Vec::new(),
        settings: plan.settings.clone(),
        setting_places: plan.setting_places.clone(),
    };
    let (schemas, unknown) = check::check(cx, sessions, &outside, around, None).await;
    let mut faults = Vec::new();
    for node in &mut plan.nodes {
        for input in &mut node.inputs {
            let InputSource::Sink {
                name,
                backend,
                read,
            } = &mut input.source
            else {
                continue;
            };
            if !read.is_untyped() && read.inexact.is_none() {
                continue;
            }
            let declared = match schema_of(&schemas, name) {
                _ if read.inexact.is_some() => Err(inexact(read)),
                // Nothing is known of what is out of reach.
                None if !sessions.is_open(backend) => continue,
                Some(schema) => sessions
                    .get(backend)
                    .and_then(|backend| declared(&**backend, read, schema)),
                None => Err(not_known(name, read, &unknown)),
            };
            match declared {
                Ok(stored) => read.read = stored,
                Err(error) => {
                    let hint = way_out(name, &node.name);
                    let error = Error::new(
                        error.kind(),
                        format!(
                            "node `{name}` is not part of this run, and {}",
                            error.message()
                        ),
                    );
                    faults.push(Fault::new(&node.name, &input.place, error.with_hint(hint)));
                }
            }
        }
    }
    faults
}

fn schema_of<'a>(schemas: &'a [NodeSchema], node: &str) -> Option<&'a SchemaRef> {
    let found = schemas.iter().find(|schema| schema.node == node);
    found.and_then(|found| found.schema.as_ref())
}

fn inexact(sink: &SinkPlan) -> Error {
    let reason = sink.inexact.as_deref().unwrap_or_default();
    let message = format!("its sink `{}` {reason}", sink.target);
    Error::new(ErrorKind::InvalidArgument, message)
}

fn not_known(node: &str, sink: &SinkPlan, faults: &[Fault]) -> Error {
    let own = faults.iter().find(|fault| fault.node == node);
    let why = match own.or(faults.first()) {
        Some(fault) => format!(": {}", fault.error.message()),
        None => String::new(),
    };
    let message = format!(
        "its sink `{}` holds no types of columns, while those of the node cannot be told{why}",
        sink.target
    );
    Error::new(ErrorKind::SchemaMismatch, message)
}

/// How to read what a sink has written without types, from a node with these columns.
///
/// # Errors
/// `SchemaMismatch` when a column does not come back as it was.
pub(crate) fn declared(
    backend: &dyn Backend,
    sink: &SinkPlan,
    schema: &SchemaRef,
) -> Result<Stored> {
    let mut stored = sink.read.clone();
    let Stored::Files(spec) = &mut stored else {
        return Ok(stored);
    };
    let trip = (backend.descriptor().capabilities)().round_trip(&spec.format);
    let columns = schema.fields().iter();
    let columns: Vec<Field> = columns
        .map(|field| Field::new(field.name(), DType::from_arrow(field.data_type())))
        .collect();
    let mut lost = columns
        .iter()
        .filter(|column| !trip.keeps(&column.dtype, &sink.options));
    if let Some(column) = lost.next() {
        let options = match trip.keeps(&column.dtype, &Options::new()) {
            true => " with its options",
            false => "",
        };
        let message = format!(
            "its sink `{}` ({}{options}) does not hold every value of column `{}` of type {} as it was",
            sink.target, spec.format, column.name, column.dtype
        );
        return Err(Error::new(ErrorKind::SchemaMismatch, message));
    }
    // Nothing in the file tells the one from the other.
    if columns.len() == 1 && spec.format == Format::Csv {
        let message = format!(
            "its sink `{}` (CSV) has one column: a null is an empty line there",
            sink.target
        );
        return Err(Error::new(ErrorKind::SchemaMismatch, message));
    }
    spec.schema = Some(columns);
    Ok(stored)
}
