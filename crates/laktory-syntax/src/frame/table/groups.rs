//! Steps that group and aggregate.

use crate::frame::Build::Steps;
use crate::frame::{MethodDef, aggregate, build};
use crate::parameter::{Parameter, key, may, rest};

use super::methods;

const AGGS: Parameter = rest("aggs", false)
    .of("expressions that aggregate")
    .says("the results, such as `nw.col('x').sum()`; a keyword argument names its column");
const DROP: Parameter = key("drop_null_keys")
    .of("true or false")
    .or("false")
    .says("whether groups with a null key are left out");

pub(super) const ROWS: &[MethodDef] = methods! {
    "group_by", false, [rest("keys", false).of("names or expressions").says("what makes rows belong together"), DROP], Steps(aggregate::group_by),
        "null is a group of its own, unless `drop_null_keys`", "Rows grouped. The step `agg` must follow.",
        "symbol = 'A', 'A', 'B'; price = 1.0, 3.0, 5.0"
        => "- {func_name: group_by, func_args: [symbol]}\n- {func_name: agg, func_kwargs: {mean: \"nw.col('price').mean()\"}}"
        => "symbol = 'A', 'B'; mean = 2.0, 5.0";
    "agg", true, [AGGS], Steps(aggregate::agg),
        "those of the aggregates", "One row for each group of the step `group_by` before.",
        "symbol = 'A', 'A', 'B'; price = 1.0, 3.0, 5.0"
        => "- {func_name: group_by, func_args: [symbol]}\n- func_name: agg\n  func_kwargs: {rows: nw.len(), highest: nw.col('price').max()}"
        => "symbol = 'A', 'B'; rows = 2, 1; highest = 3.0, 5.0";
    "group_by.agg", true, [AGGS, key("keys").of("names or expressions").or("one group of all rows").says("what makes rows belong together"), DROP], Steps(aggregate::group_by_agg),
        "null is a group of its own, unless `drop_null_keys`", "`group_by` and `agg` in one step, with the keys in `keys`.",
        "symbol = 'A', 'A', null; price = 1.0, 3.0, 5.0"
        => "- func_name: group_by.agg\n  func_args: [\"nw.col('price').sum()\"]\n  func_kwargs: {keys: [symbol]}"
        => "symbol = 'A', null; price = 4.0, 5.0";
    "laktory.groupby_and_agg", false, [
            may("groupby_columns").of("names or expressions").or("one group of all rows").says("what makes rows belong together"),
            may("agg_expressions").of("list of expressions, as texts or `{expr: .., type: SQL}`").says("the results; must be given"),
        ], Steps(aggregate::groupby_and_agg),
        "null is a group of its own", "Rows grouped and aggregated in one step, with expressions of methods or of SQL.",
        "symbol = 'A', 'A', 'B'; price = 1.0, 3.0, 5.0"
        => "- func_name: laktory.groupby_and_agg\n  func_kwargs:\n    groupby_columns: [symbol]\n    agg_expressions: [\"nw.col('price').mean().alias('mean')\", \"MAX(price) AS highest\"]"
        => "symbol = 'A', 'B'; mean = 2.0, 5.0; highest = 3.0, 5.0";
    "null_count", false, [], Steps(build::null_count),
        "counts nulls", "The number of nulls of each column, as one row.",
        "x = 1, null, null; s = 'a', 'b', null"
        => "- func_name: null_count"
        => "x = 2; s = 1";
};
