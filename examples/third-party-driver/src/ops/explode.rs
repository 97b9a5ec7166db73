//! `explode`: a row for each element of lists.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, LargeListArray, RecordBatch};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, Schema};
use laktory_core::{Error, ErrorKind, Result};

use super::Applied;
use crate::batch::{self, indices};
use crate::error::OrError;
use crate::types::shown;

/// A row for each element of the lists of some columns, which have as many elements as each other. An empty list, or a null
/// one, gives no row or one with null.
pub(super) fn explode(
    schema: &Schema,
    columns: &[String],
    empty_as_null: bool,
    keep_nulls: bool,
) -> Result<Applied> {
    let mut fields: Vec<Field> = Vec::new();
    for field in schema.fields() {
        let field = field.as_ref().clone();
        fields.push(match field.data_type() {
            _ if !columns.contains(field.name()) => field,
            DataType::LargeList(element) => {
                Field::new(field.name(), element.data_type().clone(), true)
            }
            other => {
                let message = format!(
                    "`explode` takes lists; column `{}` is {}",
                    field.name(),
                    shown(other)
                );
                return Err(Error::new(ErrorKind::TypeMismatch, message));
            }
        });
    }
    let at: Vec<usize> = columns
        .iter()
        .filter_map(|name| Some(schema.column_with_name(name)?.0))
        .collect();
    let schema = Arc::new(Schema::new(fields));
    let output = Arc::clone(&schema);
    let run = move |inputs: &[RecordBatch]| {
        let rows = &inputs[0];
        let lists: Vec<&LargeListArray> = at.iter().map(|at| rows.column(*at).as_list()).collect();
        // For each new row the old one, and for each list the place of the element among all of its elements.
        let mut kept = Vec::new();
        let mut places: Vec<Vec<Option<usize>>> = vec![Vec::new(); lists.len()];
        for row in 0..rows.num_rows() {
            let elements: Vec<_> = lists.iter().map(|list| elements(list, row)).collect();
            let lengths = elements.iter().map(|range| match range {
                Some(range) if range.is_empty() => usize::from(empty_as_null),
                Some(range) => range.len(),
                None => usize::from(keep_nulls),
            });
            let mut lengths = lengths.collect::<Vec<_>>();
            lengths.dedup();
            let length = match lengths.as_slice() {
                [] => 1,
                [length] => *length,
                _ => {
                    let message = "the lists of a row have different numbers of elements";
                    return Err(Error::new(ErrorKind::Compute, message));
                }
            };
            for (places, range) in places.iter_mut().zip(&elements) {
                let start = range.as_ref().filter(|range| !range.is_empty());
                places.extend((0..length).map(|index| start.map(|range| range.start + index)));
            }
            kept.extend(std::iter::repeat_n(Some(row), length));
        }
        let count = kept.len();
        let kept = indices(kept.into_iter());
        let columns = rows.columns().iter().enumerate().map(|(index, column)| {
            match at.iter().position(|at| *at == index) {
                Some(list) => {
                    let places = indices(places[list].iter().copied());
                    take(lists[list].values(), &places, None).or_error()
                }
                None => take(column, &kept, None).or_error(),
            }
        });
        batch::of(&output, columns.collect::<Result<Vec<ArrayRef>>>()?, count)
    };
    Ok(Applied {
        schema,
        run: Box::new(run),
    })
}

/// Where the elements of a list lie; none for null.
fn elements(lists: &LargeListArray, row: usize) -> Option<std::ops::Range<usize>> {
    let place = |at: i64| usize::try_from(at).unwrap_or(0);
    let offsets = lists.value_offsets();
    lists
        .is_valid(row)
        .then(|| place(offsets[row])..place(offsets[row + 1]))
}
