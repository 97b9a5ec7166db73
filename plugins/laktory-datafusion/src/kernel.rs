//! Kernels: functions of ours on whole Arrow arrays, as scalar functions of the engine's plans.

pub(crate) mod collect;
pub(crate) mod frames;
pub(crate) mod partition;
pub(crate) mod reduced;
pub(crate) mod rows;
pub(crate) mod totals;

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::DataType;
use datafusion::error::{DataFusionError, Result as DataFusionResult};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use laktory_core::Result;
use laktory_core::semantics::text::Room;

use crate::error::carry;
use crate::expr::Value;

type Run = Arc<dyn Fn(&[ArrayRef]) -> Result<ArrayRef> + Send + Sync>;

/// A function of the engine made of a kernel. Two are equal when name, which holds every parameter, and type are.
struct Kernel {
    name: String,
    output: DataType,
    signature: Signature,
    run: Run,
}

/// A call of `run`, which gets its arguments as arrays of the same length (constants are repeated) and gives an array
/// of that length and of type `output`. `name` must tell the function with all of its parameters, since plans take
/// functions of one name for the same.
pub(crate) fn kernel(
    name: impl Into<String>,
    args: Vec<Value>,
    output: DataType,
    run: impl Fn(&[ArrayRef]) -> Result<ArrayRef> + Send + Sync + 'static,
) -> Value {
    let function = Kernel {
        name: name.into(),
        output: output.clone(),
        signature: Signature::variadic_any(Volatility::Immutable),
        run: Arc::new(run),
    };
    let args = args.into_iter().map(|value| value.expr).collect();
    Value {
        expr: ScalarUDF::new_from_impl(function).call(args),
        dtype: output,
    }
}

impl PartialEq for Kernel {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.output == other.output
    }
}

impl Eq for Kernel {}

impl Hash for Kernel {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
        self.output.hash(state);
    }
}

impl fmt::Debug for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kernel")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl ScalarUDFImpl for Kernel {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> DataFusionResult<DataType> {
        Ok(self.output.clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        // Of constants alone one row is enough.
        let constant = !args.args.is_empty()
            && args
                .args
                .iter()
                .all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let rows = if constant { 1 } else { args.number_rows };
        // A constant is written out for each row.
        for arg in &args.args {
            if let ColumnarValue::Scalar(value) = arg
                && let Some(Some(text)) = value.try_as_str()
            {
                let bytes = text.len().saturating_mul(rows);
                Room::of(rows).take(bytes).map_err(carry)?;
            }
        }
        let arrays = args
            .args
            .iter()
            .map(|arg| arg.to_array(rows))
            .collect::<DataFusionResult<Vec<_>>>()?;
        let out = (self.run)(&arrays).map_err(carry)?;
        if out.data_type() != &self.output {
            return Err(DataFusionError::Internal(format!(
                "kernel {} promised {} and gave {}",
                self.name,
                self.output,
                out.data_type()
            )));
        }
        if constant {
            return Ok(ColumnarValue::Scalar(
                datafusion::common::ScalarValue::try_from_array(&out, 0)?,
            ));
        }
        Ok(ColumnarValue::Array(out))
    }
}
