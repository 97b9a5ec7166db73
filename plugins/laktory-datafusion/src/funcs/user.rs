//! Functions of the user's own on Arrow arrays: scalar ones as kernels, aggregates as collecting aggregates.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, new_empty_array};
use datafusion::arrow::compute::{cast, concat};
use datafusion::arrow::datatypes::DataType;
use laktory_core::user::{self, Body, Kernel};
use laktory_core::{Arg, DType, Result, UserFunction, walk};

use super::aggregate::over;
use crate::NAME;
use crate::error::ResultExt;
use crate::expr::{Lower, Value};
use crate::kernel::kernel;
use crate::types::data_type;

/// Lowers a call.
///
/// # Errors
/// `UnknownFunction`; `Unsupported` for functions that are of other engines only; those of the function.
pub(crate) fn lower(lower: &Lower<'_>, name: &str, args: &[Arg]) -> Result<Value> {
    let function = user::resolve(name)?;
    let inputs = || {
        walk::arguments(args)
            .map(|input| lower.lower(input))
            .collect::<Result<Vec<_>>>()
    };
    // Calls of one name are taken for the same, so it tells every argument.
    let call_name = format!("{name}({args:?})");
    match function.body {
        Body::Scalar(own) => {
            let inputs = inputs()?;
            let call = Call::new(function, own, args, &inputs)?;
            let output = call.output.clone();
            Ok(kernel(call_name, inputs, output, move |arrays| {
                let rows = arrays.first().map_or(0, |array| array.len());
                call.run(arrays, rows)
            }))
        }
        Body::Aggregate(own) => {
            let (inputs, over) = over::within(lower, inputs)?;
            let call = Call::new(function, own, args, &inputs)?;
            let output = call.output.clone();
            Ok(over.collect(call_name, inputs, output, move |groups| {
                let count = call.types.len();
                let values = groups
                    .ranges()
                    .map(|range| {
                        let columns: Vec<ArrayRef> = groups.columns()[..count]
                            .iter()
                            .map(|column| column.slice(range.start, range.len()))
                            .collect();
                        call.run(&columns, 1)
                    })
                    .collect::<Result<Vec<_>>>()?;
                let values: Vec<&dyn Array> = values.iter().map(AsRef::as_ref).collect();
                if values.is_empty() {
                    return Ok(new_empty_array(&call.output));
                }
                concat(&values).or_error()
            }))
        }
        _ => Err(function.unsupported(NAME)),
    }
}

/// A call whose types are known.
struct Call {
    function: &'static UserFunction,
    kernel: Kernel,
    args: Vec<Arg>,
    /// The Arrow types in which the function takes its columns.
    types: Vec<DataType>,
    dtype: DType,
    output: DataType,
}

impl Call {
    fn new(
        function: &'static UserFunction,
        kernel: Kernel,
        args: &[Arg],
        inputs: &[Value],
    ) -> Result<Self> {
        let dtypes: Vec<DType> = inputs
            .iter()
            .map(|input| match DType::from_arrow(&input.dtype) {
                // Functions see texts, whatever the encoding.
                DType::Categorical => DType::String,
                dtype => dtype,
            })
            .collect();
        let dtype = kernel.dtype(function, args, &dtypes)?;
        Ok(Self {
            function,
            kernel,
            args: args.to_vec(),
            types: dtypes.iter().map(data_type).collect::<Result<_>>()?,
            output: data_type(&dtype)?,
            dtype,
        })
    }

    fn run(&self, arrays: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        let arrays = arrays
            .iter()
            .zip(&self.types)
            .map(|(array, dtype)| in_type(array, dtype))
            .collect::<Result<Vec<_>>>()?;
        let out = self
            .kernel
            .compute(self.function, &self.args, &arrays, &self.dtype, rows)?;
        in_type(&out, &self.output)
    }
}

fn in_type(array: &ArrayRef, dtype: &DataType) -> Result<ArrayRef> {
    if array.data_type() == dtype {
        return Ok(Arc::clone(array));
    }
    cast(array, dtype).or_error()
}
