//! Rows with a null in their key, where null equals nothing: no change finds them again, so each distinct one is stored once.

use laktory_core::{Expr, Frame, Func, JoinHow, Keep, Op, Result};

use super::columns::Columns;
use super::old::Old;
use super::outcome::Counted;
use super::steps::{
    DELETES, Engine, SEQUENCE, column, columns, filter, names, not, null, nulls, select,
};
use crate::expectations;

/// The rows of a batch that come into the table, and are counted here; none where the batch has no null in a key.
///
/// # Errors
/// Those of the engine.
pub(super) async fn inserts(
    engine: Engine<'_>,
    merged: &Columns,
    batch: &Frame,
    old: Option<&Old>,
    counted: &mut Counted,
) -> Result<Option<Frame>> {
    let stores = || merged.null_key().and(not(column(DELETES)));
    let sum = |condition: Expr, name: &str| Expr::call(Func::Sum, [condition]).alias(name);
    let count = Op::Aggregate {
        keys: Vec::new(),
        aggs: vec![
            sum(stores(), "stores"),
            sum(merged.null_key().and(column(DELETES)), "deletes"),
        ],
        drop_null_keys: false,
    };
    let batches = engine
        .collected(engine.after(batch, &[count]).await?)
        .await?;
    let events = expectations::count(&batches, "stores")?;
    counted.report.unchanged += expectations::count(&batches, "deletes")?;
    if events == 0 {
        return Ok(None);
    }
    let bounds = merged.bounds();
    let mut exprs = merged.key_columns();
    exprs.extend(columns(&merged.updates));
    exprs.extend(bounds.iter().enumerate().map(|(at, field)| match at {
        0 => column(SEQUENCE).alias(&field.name),
        _ => null(&field.dtype).alias(&field.name),
    }));
    exprs.extend(nulls(&merged.others));
    let told = merged
        .keys
        .iter()
        .chain(&merged.updates)
        .chain(bounds.first());
    let told: Vec<_> = told.cloned().collect();
    let identity = names(&told);
    let distinct = Op::Unique {
        subset: Some(identity.clone()),
        keep: Keep::Any,
        order_by: Vec::new(),
    };
    let mut rows = engine
        .after(batch, &[filter(stores()), select(exprs), distinct])
        .await?;
    if let Some(old) = old.filter(|old| !old.scan.files.is_empty()) {
        let there = old.frame(engine, &old.all()).await?;
        let ops = [filter(merged.null_key()), select(old.read(&told))];
        let there = engine.after(&there, &ops).await?;
        rows = engine
            .joined(&rows, &there, JoinHow::Anti, (&identity, &identity))
            .await?;
    }
    let (rows, new) = engine.kept(rows).await?;
    counted.report.inserted += new;
    counted.report.repeated += events.saturating_sub(new);
    counted.enters += new;
    Ok(Some(rows))
}
