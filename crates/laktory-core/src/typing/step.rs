//! Steps applied to frames whose columns are known: the door through which all steps go to a driver.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::backend::Backend;
use crate::context::RunCx;
use crate::dtype::{DType, Field};
use crate::error::Result;
use crate::frame::{Frame, NamedFrames};
use crate::op::Op;

use super::after;

/// The columns of a frame: those that it carries, else what the engine says, which is asked once.
///
/// # Errors
/// Those of [`Backend::schema`].
pub async fn columns(backend: &dyn Backend, cx: &RunCx, frame: &Frame) -> Result<Arc<[Field]>> {
    if let Some(known) = frame.columns() {
        return Ok(known);
    }
    let schema = backend.schema(cx, frame).await?;
    let fields = schema.fields().iter();
    let columns: Arc<[Field]> = fields.map(|field| Field::from_arrow(field)).collect();
    frame.know(Arc::clone(&columns));
    Ok(columns)
}

/// The frame after one step: its types are checked and settled before the driver has a word.
///
/// # Errors
/// Those of [`after`](super::after()), and of [`Backend::apply`].
pub async fn apply(
    backend: &dyn Backend,
    cx: &RunCx,
    input: &Frame,
    op: &Op,
    named: &NamedFrames,
) -> Result<Frame> {
    let before = columns(backend, cx, input).await?;
    let mut others = BTreeMap::new();
    for name in op.frames() {
        let other = columns(backend, cx, named.get(name)?).await?;
        others.insert(name.clone(), other);
    }
    let after = after(op, &before, &others)?;
    let frame = backend.apply(cx, input, after.op.as_ref().unwrap_or(op), named)?;
    // What only the engine knows is asked of it when the next step needs it.
    let known = after.columns.filter(|columns| columns.iter().all(is_known));
    if let Some(columns) = known {
        frame.know(columns.into());
    }
    Ok(frame)
}

fn is_known(field: &Field) -> bool {
    fn known(dtype: &DType) -> bool {
        match dtype {
            DType::Unknown => false,
            DType::List(inner) | DType::Array(inner, _) => known(inner),
            DType::Struct(fields) => fields.iter().all(is_known),
            DType::Map(key, value) => known(key) && known(value),
            _ => true,
        }
    }
    known(&field.dtype)
}
