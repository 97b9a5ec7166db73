//! Functions of the user's own on Arrow arrays: scalar ones as kernels, aggregates on the rows of their group.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use laktory_core::user::{self, Body};
use laktory_core::{Arg, DType, Result, walk};

use crate::error::OrError;
use crate::expr::{Column, Lower, Value, aligned, kernel, repeated};
use crate::{NAME, unsupported};

/// Lowers a call.
///
/// # Errors
/// `UnknownFunction`; `Unsupported` for functions that are of other engines only; those of the function.
pub(crate) fn lower(lower: &Lower<'_>, name: &str, args: &[Arg]) -> Result<Value> {
    let function = user::resolve(name)?;
    let (own, scalar) = match function.body {
        Body::Scalar(own) => (own, true),
        Body::Aggregate(own) => (own, false),
        _ => return Err(function.unsupported(NAME)),
    };
    let inputs = walk::arguments(args)
        .map(|input| lower.lower(input))
        .collect::<Result<Vec<_>>>()?;
    let types: Vec<DType> = inputs
        .iter()
        .map(|input| DType::from_arrow(&input.dtype))
        .collect();
    let dtype = own.dtype(function, args, &types)?;
    let output = encoding_of(&dtype)?;
    let (args, promised) = (args.to_vec(), output.clone());
    let compute = move |arrays: &[ArrayRef], rows: usize| {
        let out = own.compute(function, &args, arrays, &dtype, rows)?;
        // It may come in another encoding of its type.
        arrow::compute::cast(&out, &promised).or_error()
    };
    if scalar {
        return Ok(kernel(inputs, output, move |arrays| {
            let rows = arrays.first().map_or(1, |array| array.len());
            compute(arrays, rows)
        }));
    }
    Ok(Value::new(output, move |rows| {
        let (mut arrays, each) = aligned(&inputs, rows)?;
        if !each {
            for array in &mut arrays {
                *array = repeated(array, rows.num_rows())?;
            }
        }
        Ok(Column::One(compute(&arrays, 1)?))
    }))
}

fn encoding_of(dtype: &DType) -> Result<DataType> {
    dtype
        .to_arrow()
        .ok_or_else(|| unsupported(format!("a result of type {dtype}")))
}
