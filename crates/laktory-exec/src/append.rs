//! Rows added to what is there: that they are of the same columns, and the rows of a file before new ones.

use std::collections::BTreeSet;
use std::sync::Arc;

use laktory_core::arrow::schema::SchemaRef;
use laktory_core::{
    Backend, DType, Error, ErrorKind, Field, Format, Frame, FrameName, NamedFrames, Op, Result,
    RunCx, UnionHow, typing,
};
use laktory_plan::{SinkPlan, SinkTarget, Stored};

use crate::build::read_stored;

/// That rows of `new` may be added to what a sink holds: the same columns, of types that one file or folder can hold
/// together. What the engine cannot look at beforehand is left to the driver that adds the rows.
///
/// # Errors
/// `SchemaMismatch`; those of reading what is there.
pub(crate) async fn fits(
    cx: &RunCx,
    backend: &Arc<dyn Backend>,
    sink: &SinkPlan,
    new: &Frame,
) -> Result<()> {
    let Some(old) = existing(cx, backend, sink).await? else {
        return Ok(());
    };
    let new = as_held(cx, backend, sink, &old, new.clone()).await?;
    let (found, added) = (
        backend.schema(cx, &old).await?,
        backend.schema(cx, &new).await?,
    );
    let names = |schema: &SchemaRef| -> BTreeSet<String> {
        schema
            .fields()
            .iter()
            .map(|field| field.name().clone())
            .collect()
    };
    // Columns without names are told apart by their number alone.
    let is_named = !matches!(&sink.read, Stored::Files(read)
        if read.format == Format::Text || (read.format == Format::Csv && !read.has_header));
    let alike = match is_named {
        true => names(&found) == names(&added),
        false => found.fields().len() == added.fields().len(),
    };
    if !alike {
        return Err(refused(
            sink,
            &format!(
                "it has the columns {}, the new rows have {}",
                listed(&found),
                listed(&added)
            ),
        ));
    }
    if !keeps_types(sink) {
        return Ok(());
    }
    let both = match union(cx, backend, old, new).await {
        Ok(both) => backend.schema(cx, &both).await.map(|_| ()),
        Err(error) => Err(error),
    };
    both.map_err(|error| match other_type(&found, &added) {
        Some(what) => refused(sink, &what).with_source(error),
        None => error,
    })
}

fn refused(sink: &SinkPlan, what: &str) -> Error {
    Error::new(
        ErrorKind::SchemaMismatch,
        format!("cannot append to `{}`: {what}", sink.target),
    )
    .with_hint("give the new rows the same columns and types, or use mode OVERWRITE")
}

/// The first column that has another type in the new rows.
fn other_type(found: &SchemaRef, added: &SchemaRef) -> Option<String> {
    found.fields().iter().find_map(|old| {
        let new = added.field_with_name(old.name()).ok()?;
        let (here, there) = (
            DType::from_arrow(old.data_type()),
            DType::from_arrow(new.data_type()),
        );
        (here != there).then(|| {
            format!(
                "column `{}` is of type {here} there, and {there} in the new rows",
                old.name()
            )
        })
    })
}

fn listed(schema: &SchemaRef) -> String {
    let names: Vec<String> = schema
        .fields()
        .iter()
        .map(|field| format!("`{}`", field.name()))
        .collect();
    names.join(", ")
}

/// Whether files tell the types of their columns.
fn keeps_types(sink: &SinkPlan) -> bool {
    let format = sink.target.format();
    format.is_some_and(|format| format.holds_types() && !format.has_log())
}

/// What a sink holds; none where nothing can be said of it without its rows.
async fn existing(
    cx: &RunCx,
    backend: &Arc<dyn Backend>,
    sink: &SinkPlan,
) -> Result<Option<Frame>> {
    let (SinkTarget::File { .. }, Stored::Files(read)) = (&sink.target, &sink.read) else {
        return Ok(None);
    };
    // A text that was written with options of which the driver does not tell how they are read would be misread.
    let trip = (backend.descriptor().capabilities)().round_trip(&read.format);
    let lost = trip.read_back(&sink.options, &mut read.clone());
    if !keeps_types(sink) && lost.is_some() {
        return Ok(None);
    }
    match read_stored(cx, backend, &sink.read, false).await {
        Ok(frame) => Ok(Some(frame)),
        // An empty folder; a text without rows, of which the driver makes what it can.
        Err(error) if error.kind() == ErrorKind::NotFound || !keeps_types(sink) => Ok(None),
        Err(error) => Err(error),
    }
}

/// New rows in the types in which the format of a sink gives them back, so that they are of those of the rows before them.
async fn as_held(
    cx: &RunCx,
    backend: &Arc<dyn Backend>,
    sink: &SinkPlan,
    existing: &Frame,
    new: Frame,
) -> Result<Frame> {
    let Some(format) = sink.target.format().filter(|_| keeps_types(sink)) else {
        return Ok(new);
    };
    let found = backend.schema(cx, existing).await?;
    let added = backend.schema(cx, &new).await?;
    let columns = added.fields().iter().filter_map(|field| {
        let own = Field::from_arrow(field).dtype;
        let old = Field::from_arrow(found.field_with_name(field.name()).ok()?).dtype;
        let is_held = own != old && format.held(&own) == old;
        is_held.then(|| (field.name().clone(), old))
    });
    let columns: Vec<_> = columns.collect();
    if columns.is_empty() {
        return Ok(new);
    }
    let cast = Op::Cast { columns };
    typing::apply(&**backend, cx, &new, &cast, &NamedFrames::new()).await
}

/// The existing rows, then the new ones, as a sink holds them.
///
/// # Errors
/// When the engine cannot put them together.
pub(crate) async fn append(
    cx: &RunCx,
    backend: &Arc<dyn Backend>,
    sink: &SinkPlan,
    existing: Frame,
    new: Frame,
) -> Result<Frame> {
    let new = as_held(cx, backend, sink, &existing, new).await?;
    union(cx, backend, existing, new).await
}

async fn union(
    cx: &RunCx,
    backend: &Arc<dyn Backend>,
    existing: Frame,
    new: Frame,
) -> Result<Frame> {
    let name = FrameName::Named("appended rows".to_owned());
    let mut named = NamedFrames::new();
    named.insert(name.clone(), new);
    let union = Op::Union {
        others: vec![name],
        how: UnionHow::Diagonal,
    };
    typing::apply(&**backend, cx, &existing, &union, &named).await
}
