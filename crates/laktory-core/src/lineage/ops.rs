//! What the columns depend on that a step leaves. Every step has its rule here: a new one does not compile without.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::dtype::Field;
use crate::error::{Error, ErrorKind, Result};
use crate::expand::{Output, expand, expand_aggregates, expand_predicate};
use crate::expr::{Expr, SortKey};
use crate::frame::FrameName;
use crate::op::{JoinHow, Keep, Op};
use crate::shape::{Rows, shape};
use crate::typing;

use super::expr::value;
use super::{Decision, Lineage, Origin, Sources, merge};

/// What the columns depend on after a step. `known` are the columns that the step leaves, where only the engine or the rows
/// can tell ([`typing::After::columns`] is none).
///
/// # Errors
/// Those of [`typing::after`]; `Internal` when the columns are not known.
pub fn after(
    op: &Op,
    input: &Lineage,
    others: &BTreeMap<FrameName, Lineage>,
    known: Option<&[Field]>,
) -> Result<Lineage> {
    let columns = others.iter();
    let columns = columns.map(|(name, other)| (name.clone(), Arc::clone(&other.fields)));
    let typed = typing::after(op, &input.fields, &columns.collect())?.columns;
    let fields: Arc<[Field]> = match (typed, known) {
        (Some(fields), _) => fields.into(),
        (None, Some(known)) => known.into(),
        (None, None) => {
            let message = format!(
                "the columns after the step `{}` are not known",
                op.kind().name()
            );
            return Err(Error::internal(message));
        }
    };
    let step = Step {
        input,
        others,
        fields,
    };
    step.after(op)
}

struct Step<'a> {
    input: &'a Lineage,
    others: &'a BTreeMap<FrameName, Lineage>,
    fields: Arc<[Field]>,
}

impl Step<'_> {
    fn after(self, op: &Op) -> Result<Lineage> {
        let input = self.input;
        match op {
            Op::Select { exprs } => {
                let outputs = expand(exprs, &input.fields)?;
                let columns = made(&outputs, input)?;
                let rows = self.resized(&outputs, &columns);
                Ok(self.leaves(columns).with_rows(&rows, Decision::Distinct))
            }
            Op::WithColumns { exprs } => {
                let outputs = expand(exprs, &input.fields)?;
                let columns = made(&outputs, input)?;
                let rows = self.resized(&outputs, &columns);
                let mut all: BTreeMap<&str, Arc<Sources>> = named(input);
                for (output, column) in outputs.iter().zip(columns) {
                    all.insert(&output.name, column);
                }
                Ok(self.by_name(&all).with_rows(&rows, Decision::Distinct))
            }
            Op::Filter { predicate } => {
                let predicate = value(&expand_predicate(predicate, &input.fields)?, input)?;
                Ok(self.same().with_rows(&predicate, Decision::Filter))
            }
            Op::Drop { .. } => Ok(self.by_name(&named(input))),
            Op::Rename { .. } => Ok(self.leaves(input.columns.clone())),
            Op::Cast { columns } => {
                let mut kept = input.columns.clone();
                for (column, field) in kept.iter_mut().zip(&*input.fields) {
                    if columns.iter().any(|(name, _)| *name == field.name) {
                        Arc::make_mut(column).same = false;
                    }
                }
                Ok(self.leaves(kept))
            }
            Op::Sort { by } => {
                let keys = sort_keys(by, input)?;
                Ok(self.same().ordered_by(&keys))
            }
            Op::Unique {
                subset,
                keep,
                order_by,
            } => {
                let compared = self.subset(subset.as_deref())?;
                let mut left = self.same().with_rows(&compared, Decision::Distinct);
                // Which one of rows that are equal in a part of them stays.
                if *keep != Keep::None && subset.is_some() {
                    left = left.with_rows(&sort_keys(order_by, input)?, Decision::Sort);
                    left = left.with_rows(&input.in_order(), Decision::Sort);
                }
                Ok(left.ordered_by(&compared))
            }
            Op::DropNulls { subset } => {
                let looked_at = self.subset(subset.as_deref())?;
                Ok(self.same().with_rows(&looked_at, Decision::Filter))
            }
            Op::Head { .. } | Op::Tail { .. } | Op::GatherEvery { .. } | Op::Sample { .. } => {
                Ok(self.same().with_rows(&input.in_order(), Decision::Limit))
            }
            Op::TopK { by, .. } => {
                let keys = sort_keys(by, input)?;
                let left = self.same().with_rows(&keys, Decision::Limit);
                let left = left.with_rows(&input.in_order(), Decision::Limit);
                Ok(left.ordered_by(&keys))
            }
            Op::Aggregate { keys, aggs, .. } => self.grouped(keys, aggs),
            Op::Join {
                right,
                how,
                left_on,
                right_on,
                ..
            } => {
                let gone = match how {
                    JoinHow::Inner | JoinHow::Left => right_on.as_slice(),
                    JoinHow::Full | JoinHow::Cross | JoinHow::Semi | JoinHow::Anti => &[],
                };
                self.beside(right, (left_on, right_on), gone)
            }
            Op::JoinAsof {
                right,
                left_on,
                right_on,
                by_left,
                by_right,
                ..
            } => {
                let mut gone = by_right.clone();
                if left_on == right_on {
                    gone.push(right_on.clone());
                }
                let (mut left, mut keys) = (by_left.clone(), by_right.clone());
                left.push(left_on.clone());
                keys.push(right_on.clone());
                let other = self.other(right)?.in_order();
                let order = input.in_order();
                let joined = self.beside(right, (&left, &keys), &gone)?;
                // Which one of several rows with the nearest key is taken.
                let joined = joined.with_rows(&other, Decision::Join);
                Ok(joined.with_rows(&order, Decision::Join))
            }
            Op::Union { others, .. } => self.stacked(others),
            Op::WithRowIndex {
                name,
                order_by,
                partition_by,
            } => {
                let mut index = Sources::default();
                for output in expand(partition_by, &input.fields)? {
                    index.decide(&value(&output.expr, input)?, Decision::Window);
                }
                let keys = sort_keys(order_by, input)?;
                index.decide(&keys, Decision::Window);
                index.decide(&input.in_order(), Decision::Window);
                let order = Sources {
                    made_of: index.decided_by.keys().cloned().collect(),
                    ..Sources::default()
                };
                let mut all = named(input);
                all.insert(name, Arc::new(index));
                Ok(self.by_name(&all).ordered_by(&order))
            }
            Op::Explode { columns, .. } => {
                let lists = self.subset(Some(columns))?;
                let mut kept = input.columns.clone();
                for (column, field) in kept.iter_mut().zip(&*input.fields) {
                    if columns.contains(&field.name) {
                        Arc::make_mut(column).same = false;
                    }
                }
                Ok(self.leaves(kept).with_rows(&lists, Decision::Explode))
            }
            Op::Unpivot {
                on,
                index,
                variable_name,
                value_name,
            } => {
                let mut values = Sources::default();
                for (field, column) in input.fields.iter().zip(&input.columns) {
                    let turned = match on {
                        Some(on) => on.contains(&field.name),
                        None => !index.contains(&field.name),
                    };
                    if turned {
                        values.take(column);
                    }
                }
                let mut all = named(input);
                all.insert(variable_name, Arc::default());
                all.insert(value_name, Arc::new(values));
                Ok(self.by_name(&all))
            }
            Op::Pivot {
                on, index, values, ..
            } => self.pivoted(on, index.as_deref(), values.as_deref()),
            Op::NullCount => {
                let mut kept = input.columns.clone();
                for column in &mut kept {
                    Arc::make_mut(column).same = false;
                }
                Ok(self.leaves(kept))
            }
            // Halves of an aggregate are joined by the parser; what a function of the user's own does is not seen.
            Op::GroupBy { .. } | Op::Agg { .. } | Op::Native { .. } => {
                let mut seen = vec![input];
                for name in op.frames() {
                    seen.push(self.other(name)?);
                }
                Ok(Lineage::unknown(seen, Arc::clone(&self.fields)))
            }
        }
    }

    /// These columns, in the order of the fields, of the rows as they are.
    fn leaves(&self, columns: Vec<Arc<Sources>>) -> Lineage {
        Lineage {
            fields: Arc::clone(&self.fields),
            columns,
            rows: Arc::clone(&self.input.rows),
            order: Arc::clone(&self.input.order),
            unknown_rows: self.input.unknown_rows,
        }
    }

    /// All columns as they are.
    fn same(&self) -> Lineage {
        self.leaves(self.input.columns.clone())
    }

    /// The columns that are left, of those of some names.
    fn by_name(&self, columns: &BTreeMap<&str, Arc<Sources>>) -> Lineage {
        let of = |field: &Field| {
            columns
                .get(field.name.as_str())
                .cloned()
                .unwrap_or_default()
        };
        self.leaves(self.fields.iter().map(of).collect())
    }

    fn other(&self, name: &FrameName) -> Result<&Lineage> {
        self.others.get(name).ok_or_else(|| {
            Error::new(
                ErrorKind::UnknownFrame,
                format!("no frame is called `{name}`"),
            )
        })
    }

    /// Some columns, or all of them, together.
    fn subset(&self, names: Option<&[String]>) -> Result<Sources> {
        together(names, self.input)
    }

    /// What the number of rows depends on, where expressions give another one than there are.
    fn resized(&self, outputs: &[Output], columns: &[Arc<Sources>]) -> Sources {
        let mut rows = Sources::default();
        for (output, column) in outputs.iter().zip(columns) {
            if shape(&output.expr).rows == Rows::Other {
                rows.take(column);
            }
        }
        rows
    }

    fn grouped(&self, keys: &[Expr], aggs: &[Expr]) -> Result<Lineage> {
        let input = self.input;
        let keys = expand(keys, &input.fields)?;
        let names: Vec<String> = keys.iter().map(|key| key.name.clone()).collect();
        let mut columns = made(&keys, input)?;
        let mut grouped = Sources::default();
        for key in &columns {
            grouped.take(key);
        }
        let aggs = expand_aggregates(aggs, &input.fields, &names)?;
        columns.extend(made(&aggs, input)?);
        let left = self.leaves(columns).with_rows(&grouped, Decision::Group);
        Ok(left.ordered_by(&grouped))
    }

    /// The columns of this frame, and behind them those of another one without some.
    fn beside(
        &self,
        right: &FrameName,
        (left_on, right_on): (&[String], &[String]),
        gone: &[String],
    ) -> Result<Lineage> {
        let right = self.other(right)?;
        let mut columns = self.input.columns.clone();
        if self.fields.len() > columns.len() {
            let others = right.fields.iter().zip(&right.columns);
            let stay = others.filter(|(field, _)| !gone.contains(&field.name));
            columns.extend(stay.map(|(_, column)| Arc::clone(column)));
        }
        let mut keys = together(Some(left_on), self.input)?;
        keys.take(&together(Some(right_on), right)?);
        let mut joined = self.leaves(columns);
        merge(Arc::make_mut(&mut joined.rows), &right.rows);
        joined.unknown_rows |= right.unknown_rows;
        Arc::make_mut(&mut joined.order).extend(right.order.iter().cloned());
        Ok(joined.with_rows(&keys, Decision::Join).ordered_by(&keys))
    }

    fn stacked(&self, others: &[FrameName]) -> Result<Lineage> {
        let mut all: BTreeMap<&str, Sources> = BTreeMap::new();
        let mut stacked = self.same();
        let mut frames = vec![self.input];
        for name in others {
            let other = self.other(name)?;
            merge(Arc::make_mut(&mut stacked.rows), &other.rows);
            stacked.unknown_rows |= other.unknown_rows;
            Arc::make_mut(&mut stacked.order).extend(other.order.iter().cloned());
            frames.push(other);
        }
        for frame in frames {
            for (field, column) in frame.fields.iter().zip(&frame.columns) {
                match all.get_mut(field.name.as_str()) {
                    Some(known) if *known == **column => {}
                    Some(known) => known.take(column),
                    None => {
                        all.insert(&field.name, (**column).clone());
                    }
                }
            }
        }
        let of = |field: &Field| Arc::new(all.remove(field.name.as_str()).unwrap_or_default());
        stacked.columns = self.fields.iter().map(of).collect();
        stacked.fields = Arc::clone(&self.fields);
        Ok(stacked)
    }

    fn pivoted(
        &self,
        on: &[String],
        index: Option<&[String]>,
        values: Option<&[String]>,
    ) -> Result<Lineage> {
        let input = self.input;
        // One of both may be what the other leaves.
        let is_index = |name: &String| match (index, values) {
            (Some(index), _) => index.contains(name),
            (None, Some(values)) => !on.contains(name) && !values.contains(name),
            (None, None) => !on.contains(name),
        };
        let (mut keys, mut cells) = (Sources::default(), Sources::default());
        for (field, column) in input.fields.iter().zip(&input.columns) {
            let name = &field.name;
            if is_index(name) {
                keys.take(column);
            }
            let is_value = match values {
                Some(values) => values.contains(name),
                None => !on.contains(name) && (index.is_none() || !is_index(name)),
            };
            if is_value {
                cells.take(column);
            }
        }
        let named_by = together(Some(on), input)?;
        // Where several rows meet, the first or the last of them may be taken.
        cells.decide(&input.in_order(), Decision::Sort);
        cells.decide(&named_by, Decision::Pivot);
        let cells = Arc::new(cells);
        let columns = self.fields.iter().map(|field| {
            let kept = input.column(&field.name).filter(|_| is_index(&field.name));
            kept.map_or_else(|| Arc::clone(&cells), Arc::clone)
        });
        let left = self.leaves(columns.collect());
        let left = left.with_rows(&keys, Decision::Group).ordered_by(&keys);
        Ok(left.with_rows(&named_by, Decision::Pivot))
    }
}

impl Lineage {
    fn ordered_by(mut self, keys: &Sources) -> Self {
        let order: &mut BTreeSet<Origin> = Arc::make_mut(&mut self.order);
        order.extend(keys.all().cloned());
        self
    }
}

fn named(frame: &Lineage) -> BTreeMap<&str, Arc<Sources>> {
    let names = frame.fields.iter().map(|field| field.name.as_str());
    names.zip(frame.columns.iter().cloned()).collect()
}

fn made(outputs: &[Output], frame: &Lineage) -> Result<Vec<Arc<Sources>>> {
    let made = outputs.iter();
    made.map(|output| value(&output.expr, frame).map(Arc::new))
        .collect()
}

fn sort_keys(by: &[SortKey], frame: &Lineage) -> Result<Sources> {
    let mut keys = Sources::default();
    for key in by {
        for output in expand(std::slice::from_ref(&key.expr), &frame.fields)? {
            keys.take(&value(&output.expr, frame)?);
        }
    }
    Ok(keys)
}

fn together(names: Option<&[String]>, frame: &Lineage) -> Result<Sources> {
    let mut all = Sources::default();
    match names {
        Some(names) => {
            for name in names {
                all.take(&value(&Expr::column(name), frame)?);
            }
        }
        None => frame.columns.iter().for_each(|column| all.take(column)),
    }
    Ok(all)
}
