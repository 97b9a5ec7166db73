//! Lists, structs, maps and categoricals.

mod list;
mod order;

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, LargeListArray, MapArray, StructArray, UInt64Array,
};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::compute::kernels::cmp::not_distinct;
use datafusion::arrow::compute::{interleave, take};
use datafusion::arrow::datatypes::{DataType, Field, Fields};
use laktory_core::{Error, ErrorKind, Func, Result, expand};

use super::cast::{common_type, convert, masked};
use super::{Call, FULL, Row};
use crate::error::ResultExt;
use crate::expr::Value;
use crate::kernel::kernel;
use crate::kernel::reduced::Reduce;
use crate::types::{fields, is_text, list_of, shown};

pub(super) const ROWS: &[Row] = &[
    (Func::Struct, FULL, structure),
    (Func::List, FULL, of_columns),
    (Func::ListLen, FULL, list::len),
    (Func::ListGet, FULL, list::get),
    (Func::ListContains, FULL, list::contains),
    (Func::ListUnique, FULL, order::unique),
    (Func::ListSort, FULL, order::sort),
    (Func::ListMin, FULL, |call| order::extreme(call, false)),
    (Func::ListMax, FULL, |call| order::extreme(call, true)),
    (Func::ListSum, FULL, list::sum),
    (Func::ListMean, FULL, |call| {
        list::middle(call, list::Middle::Mean)
    }),
    (Func::ListMedian, FULL, |call| {
        list::middle(call, list::Middle::Median)
    }),
    (Func::StructField, FULL, field),
    (Func::CatGetCategories, FULL, categories),
    (Func::MapGet, FULL, map_get),
];

/// A struct of columns, under the names that they have.
fn structure(call: &Call<'_, '_>) -> Result<Value> {
    let exprs: Vec<_> = call
        .some_exprs("exprs")?
        .into_iter()
        .map(std::borrow::Cow::into_owned)
        .collect();
    let outputs = expand(&exprs, &fields(call.lower.schema))?;
    let mut members = Vec::with_capacity(outputs.len());
    let mut values = Vec::with_capacity(outputs.len());
    for output in outputs {
        let value = call.lower.lower(&output.expr)?;
        members.push(Field::new(output.name, value.dtype.clone(), true));
        values.push(value);
    }
    let members: Fields = members.into();
    let output = DataType::Struct(members.clone());
    Ok(kernel(
        format!("struct({output})"),
        values,
        output,
        move |arrays: &[ArrayRef]| {
            let out = StructArray::try_new(members.clone(), arrays.to_vec(), None).or_error()?;
            Ok(Arc::new(out))
        },
    ))
}

/// A list of the values of columns, in their common type.
fn of_columns(call: &Call<'_, '_>) -> Result<Value> {
    let values = call.values("exprs")?;
    let item = common_type(values.iter())?;
    let values = values
        .into_iter()
        .map(|value| convert(value, &item))
        .collect::<Result<Vec<_>>>()?;
    let output = list_of(item);
    let DataType::LargeList(member) = &output else {
        return Err(Error::internal("a list type that is no list"));
    };
    let member = member.clone();
    Ok(kernel(
        "list",
        values,
        output,
        move |arrays: &[ArrayRef]| {
            let rows = arrays.first().map_or(0, |array| array.len());
            let sources: Vec<&dyn Array> = arrays.iter().map(AsRef::as_ref).collect();
            let places: Vec<(usize, usize)> = (0..rows)
                .flat_map(|row| (0..sources.len()).map(move |source| (source, row)))
                .collect();
            let items = interleave(&sources, &places).or_error()?;
            let offsets = OffsetBuffer::from_lengths(std::iter::repeat_n(sources.len(), rows));
            let out = LargeListArray::try_new(member.clone(), offsets, items, None).or_error()?;
            Ok(Arc::new(out))
        },
    ))
}

/// A field of a struct; null where the struct is.
fn field(call: &Call<'_, '_>) -> Result<Value> {
    let this = call.receiver()?;
    let name = call.text("name")?;
    let DataType::Struct(members) = &this.dtype else {
        return Err(Error::new(
            ErrorKind::FieldNotFound,
            format!(
                "{} is no struct, it has no field `{name}`",
                shown(&this.dtype)
            ),
        ));
    };
    let Some(member) = members.iter().find(|member| member.name() == name) else {
        let known: Vec<String> = members
            .iter()
            .map(|member| format!("`{}`", member.name()))
            .collect();
        return Err(Error::new(
            ErrorKind::FieldNotFound,
            format!("the struct has no field `{name}`"),
        )
        .with_hint(format!("its fields are {}", known.join(", "))));
    };
    let output = member.data_type().clone();
    let name = name.to_owned();
    Ok(kernel(
        format!("field({name:?})"),
        vec![this],
        output,
        move |arrays| {
            let parent = arrays[0].as_struct();
            match parent.column_by_name(&name) {
                Some(column) => masked(column, parent),
                None => Err(Error::internal(format!(
                    "the struct lost its field `{name}`"
                ))),
            }
        },
    ))
}

/// The categories of a categorical. The engine keeps its texts only, so that they are those which occur; the aggregate
/// around them sees each once.
fn categories(call: &Call<'_, '_>) -> Result<Value> {
    let this = call.receiver()?;
    if !is_text(&this.dtype) {
        return Err(call.mismatch(&this.dtype));
    }
    call.lower.restrict(this.expr.clone().is_not_null());
    call.lower.reduce(Reduce::Distinct, this.expr.clone())?;
    Ok(this)
}

/// The value under a key of a map.
fn map_get(call: &Call<'_, '_>) -> Result<Value> {
    let this = call.receiver()?;
    let DataType::Map(entries, _) = &this.dtype else {
        return Err(call.mismatch(&this.dtype));
    };
    let DataType::Struct(members) = entries.data_type() else {
        return Err(call.mismatch(&this.dtype));
    };
    let (key_type, output) = (
        members[0].data_type().clone(),
        members[1].data_type().clone(),
    );
    let key = convert(call.value("key")?, &key_type)?;
    Ok(kernel("map_get", vec![this, key], output, |arrays| {
        let map: &MapArray = arrays[0].as_map();
        let offsets = map.value_offsets();
        let owners = owners(offsets.iter().map(|offset| i64::from(*offset)));
        let keys = take(&arrays[1], &owners, None).or_error()?;
        let first = usize::try_from(offsets[0]).unwrap_or(0);
        let known = map.keys().slice(first, owners.len());
        let same = not_distinct(&known, &keys).or_error()?;
        let found: UInt64Array = (0..map.len())
            .map(|row| {
                let start = usize::try_from(offsets[row]).ok()?;
                let end = usize::try_from(offsets[row + 1]).ok()?;
                let hit = (start..end).find(|at| same.value(at - first))?;
                map.is_valid(row).then_some(hit as u64)
            })
            .collect();
        take(map.values(), &found, None).or_error()
    }))
}

/// For each element between the first and the last offset, the row that it belongs to.
fn owners(offsets: impl Iterator<Item = i64>) -> UInt64Array {
    let offsets: Vec<i64> = offsets.collect();
    let mut owners = Vec::new();
    for (row, bounds) in offsets.windows(2).enumerate() {
        let length = usize::try_from(bounds[1] - bounds[0]).unwrap_or(0);
        owners.extend(std::iter::repeat_n(row as u64, length));
    }
    owners.into()
}
