//! Window functions with an order or a frame ([`laktory_core::Expr::Window`]), as functions of whole columns.

mod distances;
mod frames;
mod spec;

use laktory_core::Window;
use polars::prelude::{Column, Expr, Field, PolarsResult, Schema};
use polars_plan::dsl::BaseColumnUdf;
use polars_plan::dsl::udf::UserDefinedFunction;
use polars_plan::prelude::FunctionOptions;

use self::spec::Spec;

/// A window function over its arguments, partition keys and order keys.
pub(crate) fn window(window: &Window, columns: Vec<Expr>) -> Expr {
    let spec = Spec::of(window);
    let (name, output) = (spec.name(), spec.clone());
    let evaluate =
        move |columns: &mut [Column]| -> PolarsResult<Column> { frames::evaluate(&spec, columns) };
    let output = move |_: &Schema, fields: &[Field]| frames::output(&output, fields);
    let mut function = UserDefinedFunction::new(name.into(), BaseColumnUdf::new(evaluate, output));
    function.options = FunctionOptions::length_preserving();
    function.call(columns)
}
