//! The SQL front end: one SELECT statement over named frames becomes a tree of steps, which any driver that has these
//! steps carries out.
//!
//! What a statement means is decided here, once for all engines: which column a name is, how rows are joined and grouped,
//! what a sub-query sees. Scalar expressions are those of `laktory-syntax`, so that a function has one meaning in a
//! statement and outside of it.
//!
//! Joins on any condition become joins on equal keys, sub-queries become joins; no driver needs more than the steps of the
//! contract. `docs/decisions/sql-front-end.md` says how, and what is left to the planners of engines.

mod carry_out;
mod clauses;
mod fault;
mod frame;
mod from;
mod group;
mod join;
mod lateral;
mod lineage;
mod order;
mod place;
mod places;
mod plan;
mod planner;
mod quantified;
mod refused;
mod resolve;
mod scope;
mod select;
mod statement;
mod subquery;
mod tree;

use std::collections::BTreeMap;

use laktory_core::{Error, ErrorKind, Expr, Field, FrameName, SqlTemplate};

pub use crate::carry_out::carry_out;
pub use crate::clauses::clauses;
pub use crate::fault::Beyond;
pub use crate::frame::frame;
pub use crate::lineage::lineage;
pub use crate::places::Places;
pub use crate::plan::Plan;
pub use crate::refused::{REFUSALS, Refusal};

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
    let parsed = match Parsed::of(template) {
        Ok(parsed) => parsed,
        Err(error) => return Outcome::Wrong(error),
    };
    match planned(&parsed, columns) {
        Ok((plan, exprs)) => Outcome::Plan(plan, Box::new(Places::new(parsed, exprs))),
        Err(Stop::Wrong(error)) => Outcome::Wrong(parsed.told(&error)),
        Err(Stop::Beyond(mut beyond)) => {
            beyond.map_range(|range| parsed.source(&range));
            Outcome::Beyond(*beyond)
        }
    }
}

fn planned(
    parsed: &Parsed,
    columns: &BTreeMap<FrameName, Vec<Field>>,
) -> Result<(Plan, Vec<sqlparser::ast::Expr>), Stop> {
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
        return Err(Error::new(ErrorKind::DuplicateColumn, message)
            .with_hint("give one of them another name: `... AS other`")
            .into());
    }
    let columns = output.columns.into_iter();
    let rel = output
        .rel
        .select(columns.map(|(name, id)| (name, Expr::column(id))).collect());
    let plan = std::sync::Arc::unwrap_or_clone(rel.plan);
    Ok((plan, planner.into_lowered()))
}
