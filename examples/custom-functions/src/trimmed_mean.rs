//! An aggregate on Arrow arrays, with a parameter that is no column.

use std::sync::Arc;

use laktory::core::arrow::array::{Float64Array, cast::AsArray as _, types::Float64Type};
use laktory::core::user::{Body, Kernel, UserFunction};
use laktory::core::{DType, Param, ParamDefault, ParamType, register_function};

register_function! {
    /// `finance.trimmed_mean(value, share=0.1)`
    pub static TRIMMED_MEAN = UserFunction {
        name: "finance.trimmed_mean",
        provided_by: env!("CARGO_PKG_NAME"),
        params: &[
            Param::new("value", ParamType::Column),
            Param::new("share", ParamType::Float)
                .or(ParamDefault::Float(0.1))
                .keyword(),
        ],
        doc: "Mean without a share of the values at both ends; null when nothing is left.",
        body: Body::Aggregate(Kernel {
            output: |types| {
                if !(0.0..0.5).contains(&types.float("share")?) {
                    return Err(types.invalid("`share` is at least 0 and less than 0.5"));
                }
                match types.input("value")? {
                    DType::Float64 => Ok(DType::Float64),
                    _ => Err(types.mismatch("value")),
                }
            },
            run: |arrays| {
                let share = arrays.float("share")?;
                let values = arrays.input("value")?.as_primitive::<Float64Type>();
                let mean = trimmed_mean(values.iter().flatten().collect(), share);
                Ok(Arc::new(Float64Array::from(vec![mean])))
            },
        }),
    };
}

#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts of values"
)]
fn trimmed_mean(mut values: Vec<f64>, share: f64) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let cut = (values.len() as f64 * share).floor() as usize;
    let kept = values.get(cut..values.len().saturating_sub(cut))?;
    (!kept.is_empty()).then(|| kept.iter().sum::<f64>() / kept.len() as f64)
}
