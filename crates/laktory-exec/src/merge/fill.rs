//! Type 1 where a null of a change keeps the value that is stored (`ignore_null_updates`): each value of a row has its own place in the
//! order. A delete empties the row; changes before it say nothing any more.

use laktory_core::{DType, Expr, Field, Frame, Func, JoinHow, Result, WindowFunc};

use super::columns::Columns;
use super::look::Inputs;
use super::outcome;
use super::steps::{
    DELETES, DISAGREES, ENTERS, Engine, FILE, HIDDEN, KNOWN, LEAVES, MOVES, OUTCOME, PREFIX,
    REPLACES, SEQUENCE, STORED, all, any, ascending, cast, choose, coalesced, column, columns,
    compared, descending, holds, is_null, not, null, nulls, only, over, same, select, window, with,
};

/// The place of the greatest delete of a key.
const FLOOR: &str = "__laktory_cdc_floor";
/// The same, behind the batch.
const EMPTIED: &str = "__laktory_cdc_emptied";
/// The place of the greatest change since.
const TOP: &str = "__laktory_cdc_top";
const PLACE: &str = "__laktory_cdc_place";
const HAD: &str = "__laktory_cdc_had";
const CHANGES: &str = "__laktory_cdc_changes";
/// The place of the greatest event that was known.
const PASSED: &str = "__laktory_cdc_passed";

/// Where a value of a change stands in the order.
fn at(field: &Field) -> String {
    format!("{PREFIX}at_{}", field.name)
}

/// Where the value stands that counts behind the batch.
fn last(field: &Field) -> String {
    format!("{PREFIX}last_{}", field.name)
}

/// The value that counts behind the batch.
fn value(field: &Field) -> String {
    format!("{PREFIX}value_{}", field.name)
}

/// What is remembered: the greatest delete of a key, and the places of values that are not those of their row.
pub(super) fn remembered(merged: &Columns) -> Vec<Field> {
    let mut fields = merged.keys.clone();
    fields.push(Field::new(FLOOR, merged.sequence.clone()));
    let places = merged.updates.iter();
    fields.extend(places.map(|field| Field::new(at(field), merged.sequence.clone())));
    fields
}

/// What a batch makes of the rows of its keys.
///
/// # Errors
/// Those of the engine.
pub(super) async fn decide(engine: Engine<'_>, merged: &Columns, inputs: &Inputs) -> Result<Frame> {
    let events = everything(engine, merged, inputs).await?;
    let by_key = merged.key_columns();
    let most = |condition: Expr, value: Expr| {
        over(Expr::call(Func::Max, [only(condition, value)]), &by_key)
    };
    let first = |name: &str| {
        let stored = vec![descending(column(STORED))];
        window(WindowFunc::FirstValue, vec![column(name)], &by_key, stored)
    };
    let mut order = vec![
        ascending(column(KNOWN)),
        descending(column(SEQUENCE)),
        ascending(column(DELETES)),
    ];
    order.extend(merged.ordered().into_iter().map(descending));
    let mut begin = merged.previous(&by_key, &order);
    begin.extend([
        over(Expr::call(Func::Max, [column(FLOOR)]), &by_key).alias(EMPTIED),
        most(column(KNOWN), column(SEQUENCE)).alias(PASSED),
        any(column(STORED), &by_key).alias(HAD),
        window(WindowFunc::RowNumber, Vec::new(), &by_key, order).alias(PLACE),
    ]);
    // What stands at the place of a delete comes behind it.
    let counts = |place: Expr| {
        let since = compared(Func::Ge, place, column(EMPTIED));
        not(column(DELETES)).and(is_null(column(EMPTIED)).or(holds(since)))
    };
    let mut places = vec![most(counts(column(SEQUENCE)), column(SEQUENCE)).alias(TOP)];
    places.extend(merged.updates.iter().map(|field| {
        let place = column(at(field));
        let told = not(is_null(place.clone())).and(counts(place.clone()));
        most(told, place).alias(last(field))
    }));
    let mut values: Vec<Expr> = merged
        .updates
        .iter()
        .map(|field| {
            let newest = holds(compared(Func::Eq, column(at(field)), column(last(field))));
            most(newest.and(counts(column(at(field)))), column(&field.name)).alias(value(field))
        })
        .collect();
    values.extend(
        merged
            .others
            .iter()
            .map(|field| first(&field.name).alias(&field.name)),
    );
    let mut stored: Vec<Expr> = Vec::new();
    let mut alike: Vec<Expr> = Vec::new();
    for field in &merged.updates {
        let (value, last) = (value(field), last(field));
        let (old_value, old_last) = (format!("{value}_old"), format!("{last}_old"));
        stored.push(first(&field.name).alias(&old_value));
        stored.push(most(column(STORED), column(at(field))).alias(&old_last));
        let is_same = |now: &str, old: &str| same(column(now), column(old));
        alike.push(is_same(&value, &old_value).alias(format!("{value}_same")));
        alike.push(is_same(&last, &old_last).alias(format!("{last}_same")));
    }
    let visible = || not(is_null(column(TOP)));
    let differs = all(merged
        .updates
        .iter()
        .map(|field| column(format!("{}_same", value(field)))));
    let changes = choose(
        vec![(column(HAD).and(visible()), not(differs))],
        column(HAD).or(visible()),
    );
    let known_floor = same(column(EMPTIED), most(column(KNOWN), column(FLOOR)));
    let known_places = all(merged
        .updates
        .iter()
        .map(|field| column(format!("{}_same", last(field)))));
    let stays = known_floor.and(known_places);
    let is_first = || compared(Func::Eq, column(PLACE), Expr::literal(1_i64));
    let passed = holds(compared(Func::Lt, column(SEQUENCE), column(PASSED)));
    let found = choose(
        vec![
            (merged.again(), outcome::REPEATED.into()),
            (not(is_first()), outcome::LATE.into()),
            (not(column(REPLACES)).and(passed), outcome::LATE.into()),
            (not(column(REPLACES)), outcome::REPEATED.into()),
            (not(column(CHANGES)), outcome::UNCHANGED.into()),
            (not(visible()), outcome::DELETED.into()),
            (column(HAD), outcome::UPDATED.into()),
        ],
        outcome::INSERTED.into(),
    );
    let plain = all(merged.updates.iter().map(|field| {
        let place = column(last(field));
        is_null(place.clone()).or(holds(compared(Func::Eq, place, column(TOP))))
    }));
    let needed = not(is_null(column(EMPTIED))).or(not(plain));
    let decided = with(vec![
        found.alias(OUTCOME),
        is_first().and(column(CHANGES)).and(visible()).alias(ENTERS),
        column(STORED).and(column(CHANGES)).alias(LEAVES),
        is_first().and(column(REPLACES)).and(needed).alias(HIDDEN),
        is_first().and(column(REPLACES)).alias(MOVES),
        // All values have an order here.
        Expr::literal(false).alias(DISAGREES),
    ]);
    // The events become what there is behind them.
    let mut results = vec![column(EMPTIED).alias(FLOOR)];
    for field in &merged.updates {
        let place = column(last(field));
        let other = not(same(place.clone(), column(TOP)));
        results.push(only(other, place).alias(at(field)));
        results.push(column(value(field)).alias(&field.name));
    }
    // Each stage is computed before the next: the engines put the expressions of one into those of another, where conditions that are
    // used several times would make plans of exponential size.
    let stages = [
        vec![with(begin)],
        vec![with(places)],
        vec![with(values)],
        vec![with(stored), with(alike)],
        vec![with(vec![changes.alias(CHANGES), stays.alias(REPLACES)])],
        vec![with(vec![
            column(CHANGES).or(not(column(REPLACES))).alias(REPLACES),
        ])],
        vec![decided],
        vec![with(results)],
    ];
    let mut frame = events;
    for stage in stages {
        let next = engine.after(&frame, &stage).await?;
        (frame, _) = engine.kept(next).await?;
    }
    Ok(frame)
}

/// Every event that is known of the keys of a batch, a row of the table being one, with the places of its values.
async fn everything(engine: Engine<'_>, merged: &Columns, inputs: &Inputs) -> Result<Frame> {
    let keys = merged.key_names();
    let is = |value: bool| Expr::literal(value);
    let nowhere = || null(&DType::Int64).alias(FILE);
    let place = &merged.sequence;
    let told = |field: &Field, place: Expr| {
        only(not(is_null(column(&field.name))), place).alias(at(field))
    };
    let mut exprs = merged.key_columns();
    exprs.extend(columns(&merged.updates));
    exprs.extend(nulls(&merged.others));
    exprs.extend([column(SEQUENCE), column(DELETES)]);
    exprs.extend([is(false).alias(KNOWN), is(false).alias(STORED), nowhere()]);
    exprs.push(only(column(DELETES), column(SEQUENCE)).alias(FLOOR));
    exprs.extend(
        merged
            .updates
            .iter()
            .map(|field| told(field, column(SEQUENCE))),
    );
    let batch = engine.after(&inputs.batch, &[select(exprs)]).await?;
    let mut more = Vec::new();
    let semi = JoinHow::Semi;
    let hit = match &inputs.rows {
        Some(rows) => Some(
            engine
                .joined(rows, &inputs.batch, semi, (&keys, &keys))
                .await?,
        ),
        None => None,
    };
    if let Some(hit) = &hit {
        let order = match &merged.order_by {
            Some(name) => column(name),
            // Whatever the batch says is newer.
            None => cast(Expr::literal(-1_i64), place),
        };
        let rows = match &inputs.remembered {
            Some(remembered) => {
                engine
                    .joined(hit, remembered, JoinHow::Left, (&keys, &keys))
                    .await?
            }
            None => {
                let places = merged
                    .updates
                    .iter()
                    .map(|field| null(place).alias(at(field)));
                let nothing = places.chain([null(place).alias(FLOOR)]).collect();
                engine.after(hit, &[with(nothing)]).await?
            }
        };
        let mut exprs = merged.key_columns();
        exprs.extend(columns(&merged.updates));
        exprs.extend(columns(&merged.others));
        exprs.extend([order.clone().alias(SEQUENCE), is(false).alias(DELETES)]);
        exprs.extend([is(true).alias(KNOWN), is(true).alias(STORED), column(FILE)]);
        exprs.push(column(FLOOR));
        exprs.extend(
            merged
                .updates
                .iter()
                .map(|field| told(field, coalesced(vec![column(at(field)), order.clone()]))),
        );
        more.push(engine.after(&rows, &[select(exprs)]).await?);
    }
    if let Some(remembered) = &inputs.remembered {
        let mut gone = engine
            .joined(remembered, &inputs.batch, semi, (&keys, &keys))
            .await?;
        if let Some(hit) = &hit {
            gone = engine
                .joined(&gone, hit, JoinHow::Anti, (&keys, &keys))
                .await?;
        }
        let mut exprs = merged.key_columns();
        exprs.extend(nulls(&merged.updates));
        exprs.extend(nulls(&merged.others));
        exprs.extend([column(FLOOR).alias(SEQUENCE), is(true).alias(DELETES)]);
        exprs.extend([is(true).alias(KNOWN), is(false).alias(STORED), nowhere()]);
        exprs.push(column(FLOOR));
        exprs.extend(
            merged
                .updates
                .iter()
                .map(|field| null(place).alias(at(field))),
        );
        more.push(engine.after(&gone, &[select(exprs)]).await?);
    }
    engine.stacked(&batch, &more).await
}
