//! Expectations compiled to plans: flags on the stage frame, metrics over them, kept and quarantined rows; and judged
//! on the metrics of the pass that writes the sinks.
//!
//! A condition that is null fails (R-DQ-8 improved). Failing rules are OR-ed: a row that fails a QUARANTINE rule is
//! quarantined, else one that fails a DROP rule is dropped, so that every row of the stage is in one place (R-DQ-7).

use laktory_core::arrow::array::cast::AsArray;
use laktory_core::arrow::array::{Array, RecordBatch, types};
use laktory_core::arrow::schema::DataType;
use laktory_core::{Arg, Error, ErrorKind, Expr, Func, Op, Result};
use laktory_plan::{ExpectationAction, ExpectationKind, ExpectationPlan, ToleranceLimit};

use crate::report::{CheckStatus, ExpectationReport};

/// Prefix of the columns that carry flags; users' names cannot begin so by accident.
const FLAG: &str = "__laktory_expectation_";
const ROWS: &str = "rows";
const DROPPED: &str = "dropped";
const QUARANTINED: &str = "quarantined";

/// The steps that a node's expectations add to its stage frame.
#[derive(Clone, Debug)]
pub(crate) struct ExpectationSteps {
    /// The conditions of ROW expectations as they are, so that their types can be looked at.
    pub(crate) conditions: Op,
    /// Adds one flag for each ROW expectation: true where the condition holds.
    pub(crate) flag: Op,
    /// On the flagged frame: one row of metrics.
    pub(crate) metrics: Op,
    /// On the flagged frame: the rows that stay, without flags.
    pub(crate) keep: Vec<Op>,
    /// On the flagged frame: the rows to quarantine, without flags.
    pub(crate) quarantine: Vec<Op>,
}

/// What the metrics row says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Metrics {
    pub(crate) rows: u64,
    pub(crate) dropped: u64,
    pub(crate) quarantined: u64,
    /// For each expectation: failing rows, or (AGGREGATE) whether the condition held.
    results: Vec<Measured>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Measured {
    Fails(u64),
    Held(bool),
}

/// The steps for these expectations.
pub(crate) fn steps(expectations: &[ExpectationPlan]) -> ExpectationSteps {
    let rows = expectations
        .iter()
        .enumerate()
        .filter(|(_, expectation)| expectation.kind == ExpectationKind::Row);
    let flags: Vec<Expr> = rows
        .clone()
        .map(|(index, expectation)| holds(expectation.expr.clone()).alias(flag(index)))
        .collect();
    let conditions = rows
        .clone()
        .map(|(index, expectation)| expectation.expr.clone().alias(flag(index)))
        .collect();
    let failing = |action| any_fails(expectations, action);
    let quarantined = failing(ExpectationAction::Quarantine);
    let dropped = match (&quarantined, failing(ExpectationAction::Drop)) {
        (Some(quarantined), Some(dropped)) => Some(not(quarantined.clone()).and(dropped)),
        (_, dropped) => dropped,
    };
    let mut metrics = vec![
        Expr::Call {
            func: Func::Len,
            args: Vec::new(),
        }
        .alias(ROWS),
        count_true(dropped.clone()).alias(DROPPED),
        count_true(quarantined.clone()).alias(QUARANTINED),
    ];
    for (index, expectation) in expectations.iter().enumerate() {
        metrics.push(match expectation.kind {
            ExpectationKind::Row => {
                count_true(Some(not(Expr::column(flag(index))))).alias(flag(index))
            }
            ExpectationKind::Aggregate => expectation.expr.clone().alias(flag(index)),
        });
    }
    let unflag = Op::Drop {
        columns: rows.map(|(index, _)| flag(index)).collect(),
        strict: true,
    };
    let kept = match (quarantined.clone(), dropped) {
        (Some(quarantined), Some(dropped)) => Some(not(quarantined.or(dropped))),
        (Some(one), None) | (None, Some(one)) => Some(not(one)),
        (None, None) => None,
    };
    ExpectationSteps {
        conditions: Op::Select { exprs: conditions },
        flag: Op::WithColumns { exprs: flags },
        metrics: Op::Aggregate {
            keys: Vec::new(),
            aggs: metrics,
            drop_null_keys: false,
        },
        keep: filtered(kept, true, unflag.clone()),
        quarantine: filtered(quarantined, false, unflag),
    }
}

/// The frame's rows where `predicate` holds, without flags; all or none of them when there is no predicate.
fn filtered(predicate: Option<Expr>, all: bool, unflag: Op) -> Vec<Op> {
    let filter = match predicate {
        Some(predicate) => Some(Op::Filter { predicate }),
        None if all => None,
        None => Some(Op::Head { n: 0 }),
    };
    filter.into_iter().chain([unflag]).collect()
}

fn flag(index: usize) -> String {
    format!("{FLAG}{index}")
}

/// True where `condition` is true; false where it is false or null.
fn holds(condition: Expr) -> Expr {
    Expr::Call {
        func: Func::Coalesce,
        args: vec![Arg::Exprs(vec![condition, Expr::literal(false)])],
    }
}

fn not(expr: Expr) -> Expr {
    Expr::call(Func::Not, [expr])
}

/// Rows where `condition` is true; 0 without a condition.
fn count_true(condition: Option<Expr>) -> Expr {
    match condition {
        Some(condition) => Expr::call(Func::Sum, [condition]),
        None => Expr::literal(0_i64),
    }
}

fn any_fails(expectations: &[ExpectationPlan], action: ExpectationAction) -> Option<Expr> {
    expectations
        .iter()
        .enumerate()
        .filter(|(_, expectation)| expectation.action == action)
        .map(|(index, _)| not(Expr::column(flag(index))))
        .reduce(Expr::or)
}

/// Reads the metrics row.
///
/// # Errors
/// `TypeMismatch` when an AGGREGATE condition is neither boolean nor a number; `Internal` when the engine returned
/// something else than one row of numbers.
pub(crate) fn measure(
    expectations: &[ExpectationPlan],
    batches: &[RecordBatch],
) -> Result<Metrics> {
    let row = only_row(batches)?;
    let results = expectations
        .iter()
        .enumerate()
        .map(|(index, expectation)| match expectation.kind {
            ExpectationKind::Row => number(row, &flag(index)).map(Measured::Fails),
            ExpectationKind::Aggregate => held(row, &flag(index), expectation).map(Measured::Held),
        })
        .collect::<Result<_>>()?;
    Ok(Metrics {
        rows: number(row, ROWS)?,
        dropped: number(row, DROPPED)?,
        quarantined: number(row, QUARANTINED)?,
        results,
    })
}

/// The count in column `name` of a one-row result.
///
/// # Errors
/// `Internal` when the engine returned something else.
pub(crate) fn count(batches: &[RecordBatch], name: &str) -> Result<u64> {
    number(only_row(batches)?, name)
}

fn only_row(batches: &[RecordBatch]) -> Result<&RecordBatch> {
    batches
        .iter()
        .find(|batch| batch.num_rows() > 0)
        .ok_or_else(|| Error::internal("the engine returned no metrics"))
}

fn number(row: &RecordBatch, name: &str) -> Result<u64> {
    let column = row
        .column_by_name(name)
        .ok_or_else(|| Error::internal(format!("the engine returned no metric `{name}`")))?;
    if column.is_null(0) {
        return Ok(0);
    }
    let value = as_number(column.as_ref())
        .ok_or_else(|| Error::internal(format!("metric `{name}` is not a number")))?;
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a count of rows"
    )]
    Ok(value as u64)
}

/// The value of an AGGREGATE condition; null and zero are false (R-DQ-3).
fn held(row: &RecordBatch, name: &str, expectation: &ExpectationPlan) -> Result<bool> {
    let column = row
        .column_by_name(name)
        .ok_or_else(|| Error::internal(format!("the engine returned no metric `{name}`")))?;
    if column.is_null(0) {
        return Ok(false);
    }
    match column.data_type() {
        DataType::Null => Ok(false),
        DataType::Boolean => Ok(column.as_boolean().value(0)),
        other => as_number(column.as_ref())
            .map(|value| value != 0.0)
            .ok_or_else(|| {
                Error::new(
                    ErrorKind::TypeMismatch,
                    format!(
                        "expectation `{}` gives a value of type {other}, not a condition",
                        expectation.name
                    ),
                )
                .with_hint("compare it with something, such as `COUNT(*) > 50`")
            }),
    }
}

/// The first value of a numeric column; counts above 2^53 lose digits, which no table reaches.
#[allow(clippy::cast_precision_loss, reason = "see above")]
fn as_number(column: &dyn Array) -> Option<f64> {
    if column.is_null(0) {
        return None;
    }
    Some(match column.data_type() {
        DataType::Int8 => f64::from(column.as_primitive::<types::Int8Type>().value(0)),
        DataType::Int16 => f64::from(column.as_primitive::<types::Int16Type>().value(0)),
        DataType::Int32 => f64::from(column.as_primitive::<types::Int32Type>().value(0)),
        DataType::Int64 => column.as_primitive::<types::Int64Type>().value(0) as f64,
        DataType::UInt8 => f64::from(column.as_primitive::<types::UInt8Type>().value(0)),
        DataType::UInt16 => f64::from(column.as_primitive::<types::UInt16Type>().value(0)),
        DataType::UInt32 => f64::from(column.as_primitive::<types::UInt32Type>().value(0)),
        DataType::UInt64 => column.as_primitive::<types::UInt64Type>().value(0) as f64,
        DataType::Float32 => f64::from(column.as_primitive::<types::Float32Type>().value(0)),
        DataType::Float64 => column.as_primitive::<types::Float64Type>().value(0),
        DataType::Decimal128(..) => column.as_primitive::<types::Decimal128Type>().value(0) as f64,
        _ => return None,
    })
}

/// Judges every expectation, in order of declaration. An empty frame passes (R-DQ-4).
pub(crate) fn judge(expectations: &[ExpectationPlan], metrics: &Metrics) -> Vec<ExpectationReport> {
    expectations
        .iter()
        .zip(&metrics.results)
        .map(|(expectation, measured)| {
            let (failed, fails_count) = match *measured {
                Measured::Fails(fails) => (
                    exceeds(fails, metrics.rows, expectation.tolerance),
                    Some(fails),
                ),
                Measured::Held(held) => (!held, None),
            };
            ExpectationReport {
                name: expectation.name.clone(),
                expr: expectation.text.trim().to_owned(),
                kind: expectation.kind.name(),
                action: expectation.action.name(),
                status: if failed && metrics.rows > 0 {
                    CheckStatus::Fail
                } else {
                    CheckStatus::Pass
                },
                rows_count: metrics.rows,
                fails_count,
            }
        })
        .collect()
}

#[allow(
    clippy::cast_precision_loss,
    reason = "a rate against a tolerance given as a rate"
)]
fn exceeds(fails: u64, rows: u64, tolerance: ToleranceLimit) -> bool {
    match tolerance {
        ToleranceLimit::Rows(limit) => fails > limit,
        ToleranceLimit::Share(limit) => rows > 0 && fails as f64 / rows as f64 > limit,
    }
}
