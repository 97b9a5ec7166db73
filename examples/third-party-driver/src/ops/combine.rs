//! Frames matched with, and stacked on, others.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, new_null_array};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, Schema};
use laktory_core::{Error, ErrorKind, JoinHow, Result, RunCx, UnionHow};

use super::{Applied, twice};
use crate::batch::{self, indices, keyed, keys};
use crate::cast::convert;
use crate::error::OrError;
use crate::expr::{Lower, Value};
use crate::frame::Plan;
use crate::types::{common, is_text, shown};

/// Which rows of a join match, and what becomes of those that do not.
#[derive(Clone, Copy)]
pub(super) struct Matching {
    pub(super) how: JoinHow,
    pub(super) nulls_equal: bool,
}

/// Rows matched with those of another frame: a table of the right side's keys is searched with those of the left.
pub(super) fn join(
    cx: &RunCx,
    inputs: &[Arc<Plan>],
    matching: Matching,
    (left_on, right_on): (&[String], &[String]),
    suffix: &str,
) -> Result<Applied> {
    let how = matching.how;
    let (left, right) = (&inputs[0].schema, &inputs[1].schema);
    let (mut left_keys, mut right_keys) = (Vec::new(), Vec::new());
    for (l, r) in left_on.iter().zip(right_on) {
        let key = |schema: &Schema, name: &str| Lower { cx, schema }.named(name);
        let (a, b) = comparable(key(left, l)?, key(right, r)?, (l, r))?;
        left_keys.push(a);
        right_keys.push(b);
    }
    // What comes of the right side: the place of each column and its name.
    let mut fields: Vec<Field> = left
        .fields()
        .iter()
        .map(|field| field.as_ref().clone())
        .collect();
    let mut seen: BTreeSet<String> = left.fields().iter().map(|f| f.name().clone()).collect();
    let mut added = Vec::new();
    if !matches!(how, JoinHow::Semi | JoinHow::Anti) {
        for (at, field) in right.fields().iter().enumerate() {
            let key = matches!(how, JoinHow::Inner | JoinHow::Left);
            if key && right_on.contains(field.name()) {
                continue;
            }
            let name = match left.column_with_name(field.name()) {
                Some(_) => format!("{}{suffix}", field.name()),
                None => field.name().clone(),
            };
            if !seen.insert(name.clone()) {
                return Err(twice(&name).with_hint("choose another `suffix`"));
            }
            fields.push(field.as_ref().clone().with_name(name));
            added.push(at);
        }
    }
    let schema = Arc::new(Schema::new(fields));
    let output = Arc::clone(&schema);
    let run = move |inputs: &[RecordBatch]| {
        let (left, right) = (&inputs[0], &inputs[1]);
        let pairs = if how == JoinHow::Cross {
            let right = 0..right.num_rows();
            (0..left.num_rows())
                .flat_map(|l| right.clone().map(move |r| (Some(l), Some(r))))
                .collect()
        } else {
            matched((left, &left_keys), (right, &right_keys), matching)?
        };
        let at_left = indices(pairs.iter().map(|(l, _)| *l));
        let at_right = indices(pairs.iter().map(|(_, r)| *r));
        let mut columns: Vec<ArrayRef> = Vec::new();
        for column in left.columns() {
            columns.push(take(column, &at_left, None).or_error()?);
        }
        for at in &added {
            columns.push(take(right.column(*at), &at_right, None).or_error()?);
        }
        batch::of(&output, columns, pairs.len())
    };
    Ok(Applied {
        schema,
        run: Box::new(run),
    })
}

/// Two keys in the type in which they meet.
fn comparable(left: Value, right: Value, names: (&str, &str)) -> Result<(Value, Value)> {
    let values = [left, right];
    match common(&values) {
        Ok(dtype) if is_text(&values[0].dtype) == is_text(&values[1].dtype) => {
            let [left, right] = values;
            Ok((
                keyed(convert(left, &dtype)?)?,
                keyed(convert(right, &dtype)?)?,
            ))
        }
        _ => {
            let message = format!(
                "the keys `{}` and `{}` cannot be compared: {} and {}",
                names.0,
                names.1,
                shown(&values[0].dtype),
                shown(&values[1].dtype)
            );
            Err(Error::new(ErrorKind::TypeMismatch, message)
                .with_hint("convert one of them with a `cast` step"))
        }
    }
}

type Side<'a> = (&'a RecordBatch, &'a [Value]);

/// The pairs of rows that a join gives. Null matches nothing, or null.
fn matched(
    left: Side<'_>,
    right: Side<'_>,
    Matching { how, nulls_equal }: Matching,
) -> Result<Vec<(Option<usize>, Option<usize>)>> {
    let columns = |(rows, values): Side<'_>| -> Result<Vec<ArrayRef>> {
        values.iter().map(|value| value.column(rows)).collect()
    };
    let (l, r) = (columns(left)?, columns(right)?);
    let (count, others) = (left.0.num_rows(), right.0.num_rows());
    // Keys of one conversion compare with each other.
    let both = l.iter().zip(&r);
    let both = both.map(|(l, r)| batch::stacked(&[Arc::clone(l), Arc::clone(r)], l.data_type()));
    let both = both.collect::<Result<Vec<_>>>()?;
    let rows = keys(&both)?;
    let nulls: Vec<_> = both.iter().filter_map(Array::logical_nulls).collect();
    let known = |at: usize| nulls_equal || nulls.iter().all(|nulls| nulls.is_valid(at));
    let mut table: HashMap<&[u8], Vec<usize>> = HashMap::new();
    for at in (0..others).filter(|at| known(count + at)) {
        table
            .entry(rows.row(count + at).data())
            .or_default()
            .push(at);
    }
    let mut used = vec![false; others];
    let mut pairs = Vec::new();
    for at in 0..count {
        let found = known(at).then(|| table.get(rows.row(at).data())).flatten();
        match (how, found) {
            (JoinHow::Semi, Some(_)) | (JoinHow::Anti, None) => pairs.push((Some(at), None)),
            (JoinHow::Semi | JoinHow::Anti, _) | (JoinHow::Inner, None) => {}
            (_, None) => pairs.push((Some(at), None)),
            (_, Some(found)) => {
                for other in found {
                    used[*other] = true;
                    pairs.push((Some(at), Some(*other)));
                }
            }
        }
    }
    if how == JoinHow::Full {
        let alone = (0..others).filter(|at| !used[*at]);
        pairs.extend(alone.map(|at| (None, Some(at))));
    }
    Ok(pairs)
}

/// Rows of several frames below one another.
pub(super) fn union(inputs: &[Arc<Plan>], how: UnionHow) -> Result<Applied> {
    let mut fields: Vec<Field> = Vec::new();
    for (at, input) in inputs.iter().enumerate() {
        if how == UnionHow::Vertical && at > 0 {
            same(&inputs[0].schema, &input.schema)?;
        }
        for field in input.schema.fields() {
            match fields.iter_mut().find(|known| known.name() == field.name()) {
                None => fields.push(field.as_ref().clone()),
                Some(known) if known.data_type() == field.data_type() => {}
                Some(known) if *known.data_type() == DataType::Null => {
                    *known = field.as_ref().clone();
                }
                Some(_) if *field.data_type() == DataType::Null => {}
                Some(known) => {
                    return Err(differ(known.name(), known.data_type(), field.data_type()));
                }
            }
        }
    }
    let schema = Arc::new(Schema::new(fields));
    let output = Arc::clone(&schema);
    let run = move |inputs: &[RecordBatch]| {
        let rows = inputs.iter().map(RecordBatch::num_rows).sum();
        let columns = output.fields().iter().map(|field| {
            let parts: Vec<ArrayRef> = inputs
                .iter()
                .map(|input| match input.column_by_name(field.name()) {
                    Some(column) if column.data_type() == field.data_type() => Arc::clone(column),
                    _ => new_null_array(field.data_type(), input.num_rows()),
                })
                .collect();
            batch::stacked(&parts, field.data_type())
        });
        batch::of(&output, columns.collect::<Result<_>>()?, rows)
    };
    Ok(Applied {
        schema,
        run: Box::new(run),
    })
}

/// Fails unless two frames have the same columns, in one order.
fn same(a: &Schema, b: &Schema) -> Result<()> {
    let names = |schema: &Schema| -> Vec<String> {
        let fields = schema.fields().iter();
        fields.map(|field| field.name().clone()).collect()
    };
    if names(a) != names(b) {
        let message = format!(
            "the frames have other columns: {} and {}",
            names(a).join(", "),
            names(b).join(", ")
        );
        return Err(Error::new(ErrorKind::SchemaMismatch, message)
            .with_hint("choose the same columns in one order with `select`"));
    }
    for (a, b) in a.fields().iter().zip(b.fields()) {
        if a.data_type() != b.data_type() {
            return Err(differ(a.name(), a.data_type(), b.data_type()));
        }
    }
    Ok(())
}

fn differ(name: &str, a: &DataType, b: &DataType) -> Error {
    let message = format!(
        "column `{name}` is of type {} and of type {}",
        shown(a),
        shown(b)
    );
    Error::new(ErrorKind::SchemaMismatch, message)
        .with_hint("convert one of them with a `cast` step")
}
