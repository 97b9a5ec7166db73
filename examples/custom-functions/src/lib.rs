//! Functions for pipelines about prices, one of each kind.

mod isin;
mod steps;
mod trimmed_mean;

use laktory::core::user::{Body, UserFunction};
use laktory::core::{Expr, Func, Param, ParamType, register_function};

register_function! {
    /// Made of expressions of the language, so that every engine has it.
    pub static SPREAD = UserFunction {
        name: "finance.spread",
        provided_by: env!("CARGO_PKG_NAME"),
        params: &[
            Param::new("high", ParamType::Column),
            Param::new("low", ParamType::Column),
        ],
        doc: "Difference between the highest and the lowest price.",
        body: Body::Expr(|args| {
            let (high, low) = (args.expr("high")?, args.expr("low")?);
            Ok(Expr::call(Func::Sub, [high.into_owned(), low.into_owned()]))
        }),
    };
}
