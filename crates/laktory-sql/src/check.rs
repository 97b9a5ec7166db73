//! What is wrong with a statement that an engine with SQL of its own has refused.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use laktory_core::{DType, Error, ErrorKind, Field, FrameName, SqlTemplate, typing};

use crate::plan::{ONE_ROW, Plan};
use crate::statement::Parsed;
use crate::{Outcome, plan_parsed};

/// What is wrong with a statement over frames whose columns are known, in the words of this front end and at its place,
/// where an engine with SQL of its own has `refused` it. None where nothing is found here, or another thing than the engine
/// found, and where the engine may know what this front end does not: other syntax, other functions, other casts.
#[must_use]
pub fn fault(
    query: &SqlTemplate,
    columns: &BTreeMap<FrameName, Vec<Field>>,
    refused: &Error,
) -> Option<Error> {
    let parsed = match Parsed::of(query) {
        Ok(parsed) => parsed,
        // Where a parser stumbles is its own affair.
        Err(error) => return (refused.kind() == ErrorKind::SqlSyntax).then_some(error),
    };
    let found = found(parsed, columns)?;
    let may_be_known = found.kind() == ErrorKind::UnknownFunction && refused.kind() != found.kind();
    let is_elsewhere = match (found.range(), refused.range()) {
        (Some(found), Some(refused)) => found.end <= refused.start || refused.end <= found.start,
        _ => false,
    };
    (!may_be_known && !is_elsewhere).then_some(found)
}

/// What is wrong with a statement, as far as this front end knows.
fn found(parsed: Parsed, columns: &BTreeMap<FrameName, Vec<Field>>) -> Option<Error> {
    let (plan, places) = match plan_parsed(parsed, columns) {
        Outcome::Plan(plan, places) => (plan, places),
        Outcome::Wrong(error) => return Some(error),
        Outcome::Beyond(_) => return None,
    };
    let mut known: HashMap<usize, Arc<[Field]>> = HashMap::new();
    for part in plan.leaves_first() {
        let left: Vec<Field> = match part {
            Plan::Frame(name) => columns.get(name)?.clone(),
            Plan::OneRow => vec![Field::new(ONE_ROW, DType::Boolean)],
            Plan::Rows(rows) => rows.fields.clone(),
            Plan::Step { input, op, others } => {
                let input = known.get(&input.address())?;
                let mut seen = BTreeMap::new();
                for (name, other) in others {
                    seen.insert(name.clone(), Arc::clone(known.get(&other.address())?));
                }
                match typing::after(op, input, &seen) {
                    Ok(after) => after.columns?,
                    Err(error) => {
                        let other = op.frames().first().and_then(|name| seen.get(name));
                        let other = other.map_or(&[][..], |other| other);
                        return Some(places.of_step(error, op, input, other));
                    }
                }
            }
        };
        known.insert(part.address(), left.into());
    }
    None
}
