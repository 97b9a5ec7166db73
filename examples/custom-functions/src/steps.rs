//! Steps: one made of steps of the language, one of polars' own.

use laktory::core::user::{Body, Native, UserFunction};
use laktory::core::{Expr, Func, Keep, Op, Param, ParamDefault, ParamType, register_function};
use laktory_polars::StepFunction;

register_function! {
    /// `func_name: finance.clean`
    pub static CLEAN = UserFunction {
        name: "finance.clean",
        provided_by: env!("CARGO_PKG_NAME"),
        params: &[
            Param::new("price", ParamType::Str),
            Param::new("min_price", ParamType::Float)
                .or(ParamDefault::Float(0.0))
                .keyword(),
        ],
        doc: "Distinct rows whose price is known and above a minimum.",
        body: Body::Steps(|args| {
            let price = Expr::column(args.text("price")?);
            let least = Expr::literal(args.float("min_price")?);
            Ok(vec![
                Op::Filter {
                    predicate: Expr::call(Func::Gt, [price, least]),
                },
                Op::Unique {
                    subset: None,
                    keep: Keep::Any,
                    order_by: Vec::new(),
                },
            ])
        }),
    };
}

register_function! {
    /// `func_name: finance.newest_first`
    pub static NEWEST_FIRST = UserFunction {
        name: "finance.newest_first",
        provided_by: env!("CARGO_PKG_NAME"),
        params: &[],
        doc: "Rows in reverse order.",
        body: Body::NativeStep(&[Native {
            backend: "POLARS",
            function: &StepFunction(|frame, _, _| Ok(frame.reverse())),
        }]),
    };
}
