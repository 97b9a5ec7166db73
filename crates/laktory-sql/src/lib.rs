//! The SQL front end: one SELECT statement over named frames becomes a tree of steps, which any driver that has these
//! steps carries out.
//!
//! What a statement means is decided here, once for all engines: which column a name is, how rows are joined and grouped,
//! what a sub-query sees. Scalar expressions are those of `laktory-syntax`, so that a function has one meaning in a
//! statement and outside of it.
//!
//! Joins on any condition become joins on equal keys, sub-queries become joins; no driver needs more than the steps of the
//! contract. `docs/decisions/sql-front-end.md` says how.

mod carry_out;
mod check;
mod clauses;
mod fault;
mod frame;
mod from;
mod group;
mod join;
mod lateral;
mod lineage;
mod named_windows;
mod order;
mod outer;
mod place;
mod places;
mod plan;
mod planner;
mod quantified;
mod refused;
mod resolve;
mod scope;
mod select;
mod sets;
mod star;
mod statement;
mod subquery;
mod tree;
mod values;

use std::collections::BTreeMap;

use laktory_core::{Error, ErrorKind, Expr, Field, FrameName, SqlTemplate};

pub use crate::carry_out::carry_out;
pub use crate::check::fault;
pub use crate::clauses::clauses;
pub use crate::fault::Beyond;
pub use crate::frame::frame;
pub use crate::lineage::lineage;
pub use crate::places::Places;
pub use crate::plan::Plan;
pub use crate::refused::{REFUSALS, Refusal};
pub use crate::values::Rows;

use crate::fault::Stop;
use crate::planner::Planner;
use crate::statement::Parsed;

/// What became of planning a statement.
#[derive(Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// The steps, and where their expressions stand.
    Plan(Plan, Box<Places>),
    /// It is no valid statement.
    Wrong(Error),
    /// It uses what this front end does not have.
    Beyond(Beyond),
}

/// Plans a statement over frames whose columns are known, in their order.
#[must_use]
pub fn plan(template: &SqlTemplate, columns: &BTreeMap<FrameName, Vec<Field>>) -> Outcome {
    match Parsed::of(template) {
        Ok(parsed) => plan_parsed(parsed, columns),
        Err(error) => Outcome::Wrong(error),
    }
}

fn plan_parsed(parsed: Parsed, columns: &BTreeMap<FrameName, Vec<Field>>) -> Outcome {
    match planned(&parsed, columns) {
        Ok((plan, read)) => Outcome::Plan(plan, Box::new(Places::new(parsed, read))),
        Err(Stop::Wrong(error, span)) => {
            let range = error
                .range()
                .or_else(|| place::range(&parsed.rendered.text, span));
            Outcome::Wrong(parsed.told(match range {
                Some(range) => error.with_range(range),
                None => *error,
            }))
        }
        Err(Stop::Beyond(beyond, span)) => {
            let range = beyond
                .range()
                .or_else(|| place::range(&parsed.rendered.text, span));
            Outcome::Beyond(beyond.placed(range.map(|range| parsed.source(&range))))
        }
    }
}

fn planned(
    parsed: &Parsed,
    columns: &BTreeMap<FrameName, Vec<Field>>,
) -> Result<(Plan, places::Read), Stop> {
    let tables = |private: &str| {
        let frame = parsed.frame(private)?;
        Some((frame.clone(), columns.get(frame)?.clone()))
    };
    let mut planner = Planner::new(&parsed.rendered.text, &tables);
    let output = planner.query(&parsed.query)?;
    let mut names: Vec<&String> = output.columns.iter().map(|(name, _)| name).collect();
    names.sort_unstable();
    if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        let message = format!("two columns would be called `{}`", pair[0]);
        let error = Error::new(ErrorKind::DuplicateColumn, message)
            .with_hint("give one of them another name: `... AS other`");
        return Err(Stop::from(error).within(select::last_called(&parsed.query.body, pair[0])));
    }
    let columns = output.columns.into_iter();
    let rel = output
        .rel
        .select(columns.map(|(name, id)| (name, Expr::column(id))).collect());
    let plan = std::sync::Arc::unwrap_or_clone(rel.plan);
    Ok((plan, planner.into_read()))
}
