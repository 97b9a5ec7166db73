//! Type 1: a table of current rows. The greatest event of a key decides what its row is; deletes that are the greatest are remembered
//! beside the table, so that what comes late is late.

use laktory_core::{DType, Expr, Field, Frame, Func, JoinHow, Result, SortKey, WindowFunc};

use super::columns::Columns;
use super::look::Inputs;
use super::outcome;
use super::steps::{
    DELETES, DISAGREES, ENTERS, Engine, FILE, HIDDEN, KNOWN, LEAVES, MOVES, OUTCOME, REPLACES,
    SEQUENCE, STORED, any, ascending, cast, choose, column, columns, compared, descending, not,
    null, nulls, select, window, with,
};

const PLACE: &str = "__laktory_cdc_place";
const WINS: &str = "__laktory_cdc_wins";
const HAD: &str = "__laktory_cdc_had";
/// Whether no row of the table stays that has the key.
const GOES: &str = "__laktory_cdc_goes";
/// Whether a delete of the key was remembered.
const BURIED: &str = "__laktory_cdc_buried";

/// What a batch makes of the rows and the remembered deletes of its keys.
///
/// # Errors
/// Those of the engine.
pub(super) async fn decide(engine: Engine<'_>, merged: &Columns, inputs: &Inputs) -> Result<Frame> {
    let keys = merged.key_names();
    let events = all(engine, merged, inputs, &keys).await?;
    let by_key = merged.key_columns();
    // The order among events of a key: a later one, then an upsert, then the greater values; what was known before comes first.
    let mut order = vec![descending(column(SEQUENCE)), ascending(column(DELETES))];
    order.extend(merged.ordered().into_iter().map(descending));
    order.push(known_first());
    let mut first = merged.previous(&by_key, &order);
    first.extend([
        window(WindowFunc::RowNumber, Vec::new(), &by_key, order).alias(PLACE),
        any(column(STORED), &by_key).alias(HAD),
    ]);
    // Columns that changes know nothing of stay as they are in the row.
    let stored_first = || vec![descending(column(STORED))];
    first.extend(merged.others.iter().map(|field| {
        let value = vec![column(&field.name)];
        window(WindowFunc::FirstValue, value, &by_key, stored_first()).alias(&field.name)
    }));
    let is_first = || compared(Func::Eq, column(PLACE), Expr::literal(1_i64));
    let wins = is_first().and(not(column(KNOWN)));
    let found = choose(
        vec![
            (merged.again(), outcome::REPEATED.into()),
            (not(column(WINS)), outcome::LATE.into()),
            (column(DELETES).and(column(HAD)), outcome::DELETED.into()),
            (column(DELETES), outcome::UNCHANGED.into()),
            (column(HAD), outcome::UPDATED.into()),
        ],
        outcome::INSERTED.into(),
    );
    let decided = with(vec![
        found.alias(OUTCOME),
        column(WINS).and(not(column(DELETES))).alias(ENTERS),
        column(STORED).and(column(GOES)).alias(LEAVES),
        is_first()
            .and(column(DELETES))
            .and(column(REPLACES))
            .alias(HIDDEN),
        is_first().and(column(REPLACES)).alias(MOVES),
        merged.disagrees().alias(DISAGREES),
    ]);
    let ops = [
        with(first),
        with(vec![wins.alias(WINS)]),
        with(vec![
            any(column(WINS), &by_key).alias(REPLACES),
            any(is_first().and(column(DELETES)), &by_key).alias(GOES),
            any(column(KNOWN).and(column(DELETES)), &by_key).alias(BURIED),
        ]),
        // Others may have brought back a row that was deleted: the greater of the row and its delete is what there is.
        with(vec![
            column(REPLACES).or(column(GOES)).alias(GOES),
            column(REPLACES)
                .or(column(HAD).and(column(BURIED)))
                .alias(REPLACES),
        ]),
        decided,
    ];
    engine.after(&events, &ops).await
}

fn known_first() -> SortKey {
    descending(column(KNOWN))
}

/// Every event that is known of the keys of a batch.
async fn all(
    engine: Engine<'_>,
    merged: &Columns,
    inputs: &Inputs,
    keys: &[String],
) -> Result<Frame> {
    let is = |value: bool| Expr::literal(value);
    let nowhere = || null(&DType::Int64).alias(FILE);
    let stored: Vec<Expr> = merged.key_columns();
    let batch = {
        let mut exprs = stored.clone();
        exprs.extend(columns(&merged.updates));
        exprs.extend(nulls(&merged.others));
        exprs.extend([column(SEQUENCE), column(DELETES)]);
        exprs.extend([is(false).alias(KNOWN), is(false).alias(STORED), nowhere()]);
        engine.after(&inputs.batch, &[select(exprs)]).await?
    };
    let mut more = Vec::new();
    if let Some(rows) = &inputs.rows {
        let mut exprs = stored.clone();
        exprs.extend(columns(&merged.updates));
        exprs.extend(columns(&merged.others));
        let order = match &merged.order_by {
            Some(name) => column(name),
            // Whatever the batch says is newer.
            None => cast(Expr::literal(-1_i64), &merged.sequence),
        };
        exprs.extend([order.alias(SEQUENCE), is(false).alias(DELETES)]);
        exprs.extend([is(true).alias(KNOWN), is(true).alias(STORED), column(FILE)]);
        let hit = engine
            .joined(rows, &inputs.batch, JoinHow::Semi, (keys, keys))
            .await?;
        more.push(engine.after(&hit, &[select(exprs)]).await?);
    }
    if let Some(remembered) = &inputs.remembered {
        let mut exprs = stored;
        exprs.extend(nulls(&merged.updates));
        exprs.extend(nulls(&merged.others));
        exprs.extend([column(SEQUENCE), is(true).alias(DELETES)]);
        exprs.extend([is(true).alias(KNOWN), is(false).alias(STORED), nowhere()]);
        let hit = engine
            .joined(remembered, &inputs.batch, JoinHow::Semi, (keys, keys))
            .await?;
        more.push(engine.after(&hit, &[select(exprs)]).await?);
    }
    engine.stacked(&batch, &more).await
}

/// What is remembered: a deleted key, and where its delete stands.
pub(super) fn remembered(merged: &Columns) -> Vec<Field> {
    let mut fields = merged.keys.clone();
    fields.push(Field::new(SEQUENCE, merged.sequence.clone()));
    fields
}
