//! Type 2: a table of versions. A row's history is made of its events in their order; those that do not show, since they change nothing,
//! are remembered beside the table, so that what comes between them finds its place.

use laktory_core::{DType, Expr, Field, Frame, Func, JoinHow, Op, Result, WindowFunc};
use laktory_plan::HistoryColumns;

use super::columns::Columns;
use super::look::Inputs;
use super::outcome;
use super::steps::{
    DELETES, DISAGREES, ENTERS, Engine, FILE, HIDDEN, KNOWN, LEAVES, MOVES, OUTCOME, PREFIX,
    SEQUENCE, STORED, all as all_hold, any, ascending, choose, column, columns, compared,
    descending, filter, is_null, names, not, null, nulls, same, select, window, with,
};

const PLACE: &str = "__laktory_cdc_place";
const WINS: &str = "__laktory_cdc_wins";
const SHOWS: &str = "__laktory_cdc_shows";
const NEXT: &str = "__laktory_cdc_next";
const TOOK: &str = "__laktory_cdc_took";
/// The least place of a batch in the order of a key.
const FIRST: &str = "__laktory_cdc_first";
/// From where on the events of a key are looked at.
const LOW: &str = "__laktory_cdc_low";

/// The bounds of a version.
fn bounds(merged: &Columns) -> (String, String) {
    let history = merged.history.clone();
    let HistoryColumns { start, end } = history.unwrap_or(HistoryColumns {
        start: String::new(),
        end: String::new(),
    });
    (start, end)
}

/// The least place of a batch for each of its keys.
pub(super) fn firsts(merged: &Columns) -> [Op; 1] {
    [Op::Aggregate {
        keys: merged.key_columns(),
        aggs: vec![Expr::call(Func::Min, [column(SEQUENCE)]).alias(FIRST)],
        drop_null_keys: false,
    }]
}

/// Those of the versions of a table that a batch can change: with a key of it, and not over before its first event.
///
/// # Errors
/// Those of the engine.
pub(super) async fn affected(
    engine: Engine<'_>,
    merged: &Columns,
    rows: &Frame,
    batch: &Frame,
) -> Result<Frame> {
    let (_, end) = bounds(merged);
    let keys = merged.key_names();
    let firsts = engine.after(batch, &firsts(merged)).await?;
    let hit = engine
        .joined(rows, &firsts, JoinHow::Inner, (&keys, &keys))
        .await?;
    let open = is_null(column(&end));
    let reaches = compared(Func::Ge, column(&end), column(FIRST));
    engine.after(&hit, &[filter(open.or(reaches))]).await
}

/// What a batch makes of the versions and the remembered events of its keys. `rows` of the inputs are those that are
/// [affected].
///
/// # Errors
/// Those of the engine.
pub(super) async fn decide(engine: Engine<'_>, merged: &Columns, inputs: &Inputs) -> Result<Frame> {
    let (start, end) = bounds(merged);
    let events = all(engine, merged, inputs).await?;
    let by_key = merged.key_columns();
    let mut by_place = by_key.clone();
    by_place.push(column(SEQUENCE));
    let known_first = || descending(column(KNOWN));
    let mut order = vec![ascending(column(DELETES))];
    order.extend(merged.ordered().into_iter().map(descending));
    order.push(known_first());
    let mut first = merged.previous(&by_place, &order);
    first.extend([
        window(WindowFunc::RowNumber, Vec::new(), &by_place, order).alias(PLACE),
        any(column(STORED), &by_place).alias(TOOK),
    ]);
    let wins = compared(Func::Eq, column(PLACE), Expr::literal(1_i64));
    let ops = [with(first), with(vec![wins.alias(WINS)])];
    let events = engine.after(&events, &ops).await?;
    let events = shown(engine, merged, &events).await?;
    let found = choose(
        vec![
            (merged.again(), outcome::REPEATED.into()),
            (not(column(WINS)), outcome::LATE.into()),
            (not(column(SHOWS)), outcome::UNCHANGED.into()),
            (column(DELETES), outcome::DELETED.into()),
            (column(TOOK), outcome::UPDATED.into()),
        ],
        outcome::INSERTED.into(),
    );
    let is_version = column(SHOWS).and(not(column(DELETES)));
    let keeps = column(STORED).and(same(column(&end), column(NEXT)));
    let stays = is_version.clone().and(keeps.clone());
    let ops = [
        with(vec![
            found.alias(OUTCOME),
            is_version.and(not(keeps)).alias(ENTERS),
            column(STORED).and(not(stays)).alias(LEAVES),
            column(WINS).and(not(column(SHOWS))).alias(HIDDEN),
            column(WINS).and(not(column(KNOWN))).alias(MOVES),
            merged.disagrees().alias(DISAGREES),
        ]),
        // A row that leaves is known by its start, one that enters has its new end.
        with(vec![
            column(SEQUENCE).alias(&start),
            column(NEXT).alias(&end),
        ]),
    ];
    engine.after(&events, &ops).await
}

/// The name of what the event before says in a column.
fn prior(name: &str) -> String {
    format!("{PREFIX}prior_{name}")
}

/// Which of the events that win show, and where the next one stands that does.
async fn shown(engine: Engine<'_>, merged: &Columns, events: &Frame) -> Result<Frame> {
    let mut among = names(&merged.keys);
    among.push(WINS.to_owned());
    let in_order = || vec![ascending(column(SEQUENCE))];
    // All events are one partition, in which those of a key stand together.
    let mut together: Vec<_> = among.iter().map(|name| ascending(column(name))).collect();
    together.extend(in_order());
    let before = |name: &str| {
        window(WindowFunc::Lag, vec![column(name)], &[], together.clone()).alias(prior(name))
    };
    let is_tracked = |field: &&Field| Some(&field.name) != merged.order_by.as_ref();
    let tracked = merged.updates.iter().filter(is_tracked);
    let tracked: Vec<&str> = tracked.map(|field| field.name.as_str()).collect();
    let named = among.iter().map(String::as_str).chain([DELETES]);
    let befores: Vec<Expr> = named.chain(tracked.iter().copied()).map(before).collect();
    let is_same = |name: &str| same(column(name), column(prior(name)));
    // The first event of all has none before.
    let follows = not(is_null(column(prior(DELETES))));
    let follows = follows.and(all_hold(among.iter().map(|name| is_same(name))));
    // No event before is as good as a delete.
    let none_before = choose(
        vec![(not(follows), Expr::literal(true))],
        column(prior(DELETES)),
    );
    let differs = tracked.iter().map(|name| not(is_same(name)));
    let opens = differs.fold(none_before.clone(), Expr::or);
    let shows = choose(vec![(column(DELETES), not(none_before))], opens);
    let mut after = merged.key_columns();
    after.push(column(SHOWS));
    let next = window(WindowFunc::Lead, vec![column(SEQUENCE)], &after, in_order());
    let ops = [
        with(befores),
        with(vec![column(WINS).and(shows).alias(SHOWS)]),
        with(vec![next.alias(NEXT)]),
    ];
    engine.after(events, &ops).await
}

/// Every event that can decide about what a batch is about, each with the end of its version, if it has one in the table.
async fn all(engine: Engine<'_>, merged: &Columns, inputs: &Inputs) -> Result<Frame> {
    let (start, end) = bounds(merged);
    let (end, keys) = (end.as_str(), merged.key_names());
    let is = |value: bool| Expr::literal(value);
    let nowhere = || null(&DType::Int64).alias(FILE);
    let open = || null(&merged.sequence).alias(end);
    let event = |values: Vec<Expr>, rest: Vec<Expr>| {
        let mut exprs = merged.key_columns();
        exprs.extend(values);
        exprs.extend(rest);
        select(exprs)
    };
    let batch = {
        let mut rest = nulls(&merged.others);
        rest.extend([open(), column(SEQUENCE), column(DELETES)]);
        rest.extend([is(false).alias(KNOWN), is(false).alias(STORED), nowhere()]);
        let op = event(columns(&merged.updates), rest);
        engine.after(&inputs.batch, &[op]).await?
    };
    let mut more = Vec::new();
    if let Some(rows) = &inputs.rows {
        let mut rest = columns(&merged.others);
        rest.extend([column(end), column(&start).alias(SEQUENCE)]);
        rest.extend([is(false).alias(DELETES), is(true).alias(KNOWN)]);
        rest.extend([is(true).alias(STORED), column(FILE)]);
        let op = event(columns(&merged.updates), rest);
        more.push(engine.after(rows, &[op]).await?);
        // Where a version ends and none starts, there was a delete.
        let (mut ends, mut starts) = (keys.clone(), keys.clone());
        ends.push(end.to_owned());
        starts.push(start.clone());
        let over = [filter(not(is_null(column(end))))];
        let over = engine.after(rows, &over).await?;
        let over = engine
            .joined(&over, rows, JoinHow::Anti, (&ends, &starts))
            .await?;
        let mut rest = nulls(&merged.others);
        rest.extend([open(), column(end).alias(SEQUENCE)]);
        rest.extend([is(true).alias(DELETES), is(true).alias(KNOWN)]);
        rest.extend([is(false).alias(STORED), nowhere()]);
        let op = event(nulls(&merged.updates), rest);
        more.push(engine.after(&over, &[op]).await?);
    }
    if let Some(remembered) = &inputs.remembered {
        let hit = lows(engine, merged, inputs, remembered, JoinHow::Inner).await?;
        let reaches = compared(Func::Ge, column(SEQUENCE), column(LOW));
        let mut rest = nulls(&merged.others);
        rest.extend([open(), column(SEQUENCE), column(DELETES)]);
        rest.extend([is(true).alias(KNOWN), is(false).alias(STORED), nowhere()]);
        let op = event(columns(&merged.updates), rest);
        more.push(engine.after(&hit, &[filter(reaches), op]).await?);
    }
    engine.stacked(&batch, &more).await
}

/// Remembered events, each with the place from which on those of its key are looked at.
async fn lows(
    engine: Engine<'_>,
    merged: &Columns,
    inputs: &Inputs,
    remembered: &Frame,
    how: JoinHow,
) -> Result<Frame> {
    let keys = merged.key_names();
    let least = |name: &str| {
        let mut exprs = merged.key_columns();
        exprs.push(column(name).alias(LOW));
        select(exprs)
    };
    let (start, _) = bounds(merged);
    let mut lows = engine.after(&inputs.batch, &[least(SEQUENCE)]).await?;
    if let Some(rows) = &inputs.rows {
        let starts = engine.after(rows, &[least(&start)]).await?;
        lows = engine.stacked(&lows, &[starts]).await?;
    }
    let least = Op::Aggregate {
        keys: merged.key_columns(),
        aggs: vec![Expr::call(Func::Min, [column(LOW)]).alias(LOW)],
        drop_null_keys: false,
    };
    let lows = engine.after(&lows, &[least]).await?;
    engine.joined(remembered, &lows, how, (&keys, &keys)).await
}

/// What is remembered and was not looked at.
///
/// # Errors
/// Those of the engine.
pub(super) async fn stays(
    engine: Engine<'_>,
    merged: &Columns,
    inputs: &Inputs,
) -> Result<Option<Frame>> {
    let Some(before) = &inputs.remembered else {
        return Ok(None);
    };
    let hit = lows(engine, merged, inputs, before, JoinHow::Left).await?;
    let passed = compared(Func::Lt, column(SEQUENCE), column(LOW));
    let apart = is_null(column(LOW)).or(passed);
    let ops = [filter(apart), select(columns(&remembered(merged)))];
    Ok(Some(engine.after(&hit, &ops).await?))
}

/// What is remembered: events.
pub(super) fn remembered(merged: &Columns) -> Vec<Field> {
    let stored = merged.keys.iter().chain(&merged.updates);
    let mut fields: Vec<Field> = stored.cloned().collect();
    fields.push(Field::new(SEQUENCE, merged.sequence.clone()));
    fields.push(Field::new(DELETES, DType::Boolean));
    fields
}
