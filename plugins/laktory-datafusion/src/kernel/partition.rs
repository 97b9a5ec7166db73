//! Window functions of ours: a closure turns the arguments of a whole partition, in the order of the window, into one
//! value for each of its rows.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::error::{DataFusionError, Result as DataFusionResult};
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{
    PartitionEvaluator, Signature, Volatility, WindowUDF, WindowUDFImpl,
};
use laktory_core::Result;

use crate::error::carry;

type Run = Arc<dyn Fn(&[ArrayRef], usize) -> Result<ArrayRef> + Send + Sync>;

/// A window function made of a closure. Two are equal when name, which holds every parameter, and type are.
#[derive(Clone)]
struct Partition {
    name: String,
    output: DataType,
    signature: Signature,
    run: Run,
}

/// A window function of type `output`. `run` gets the arguments for all rows of a partition, in the order of the window,
/// and their number, and gives one value for each row. `name` must tell the function with all of its parameters.
pub(crate) fn partitioned(
    name: impl Into<String>,
    output: DataType,
    run: impl Fn(&[ArrayRef], usize) -> Result<ArrayRef> + Send + Sync + 'static,
) -> Arc<WindowUDF> {
    Arc::new(WindowUDF::new_from_impl(Partition {
        name: name.into(),
        output,
        signature: Signature::variadic_any(Volatility::Immutable),
        run: Arc::new(run),
    }))
}

impl PartialEq for Partition {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.output == other.output
    }
}

impl Eq for Partition {}

impl Hash for Partition {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
        self.output.hash(state);
    }
}

impl fmt::Debug for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Partition")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl WindowUDFImpl for Partition {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn partition_evaluator(
        &self,
        _: PartitionEvaluatorArgs<'_>,
    ) -> DataFusionResult<Box<dyn PartitionEvaluator>> {
        Ok(Box::new(Evaluator(self.clone())))
    }

    fn field(&self, args: WindowUDFFieldArgs<'_>) -> DataFusionResult<FieldRef> {
        Ok(Arc::new(Field::new(args.name(), self.output.clone(), true)))
    }
}

#[derive(Debug)]
struct Evaluator(Partition);

impl PartitionEvaluator for Evaluator {
    fn evaluate_all(&mut self, values: &[ArrayRef], rows: usize) -> DataFusionResult<ArrayRef> {
        let out = (self.0.run)(values, rows).map_err(carry)?;
        if out.len() == rows && out.data_type() == &self.0.output {
            return Ok(out);
        }
        Err(DataFusionError::Internal(format!(
            "window function {} promised {rows} values of {} and gave {} of {}",
            self.0.name,
            self.0.output,
            out.len(),
            out.data_type()
        )))
    }
}
