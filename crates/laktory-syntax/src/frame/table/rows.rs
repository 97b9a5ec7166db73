//! Steps that choose, order and number rows.

use crate::frame::Build::Steps;
use crate::frame::{MethodDef, build, reshape};
use crate::parameter::{Parameter, key, may, need, need_key, rest};

use super::methods;

const SUBSET: Parameter = may("subset").of("name or list of names").or("all columns");
const KEEP: Parameter = key("keep").of("`any`, `none`, `first`, `last`").or("any").says("which of the rows that are alike stays; `first` and `last` need `order_by`, `none` keeps only rows without a double");
const UNIQUE_ORDER: Parameter = key("order_by")
    .of("names or expressions")
    .says("the order that says what is first; nulls come first");
const ROWS_TAKEN: Parameter = may("n").of("whole number").or("5").says("how many rows");
const BY: Parameter = need_key("by")
    .of("names or expressions")
    .says("what is compared, most important first; nulls come last");
const K: Parameter = need("k").of("whole number").says("how many rows");
const REVERSE: Parameter = key("reverse")
    .of("true or false, or a list of them")
    .or("false")
    .says("the other end, for all keys or for each");

pub(super) const ROWS: &[MethodDef] = methods! {
    "filter", true, [rest("predicates", false).of("expressions").says("conditions, all of which must hold; a keyword argument `x: 1` tests equality")], Steps(build::filter),
        "a null condition drops the row", "Rows for which every condition is true.",
        "symbol = 'A', 'B', 'C'; price = 1.5, 0.0, null"
        => "- func_name: filter\n  func_args: [\"nw.col('price') > 0\"]"
        => "symbol = 'A'; price = 1.5";
    "drop_nulls", false, [SUBSET.says("columns that are looked at")], Steps(build::drop_nulls),
        "drops rows with null", "Rows without a null.",
        "id = 1, 2, null; x = 1.5, null, 2.5"
        => "- func_name: drop_nulls\n  func_kwargs: {subset: [id]}"
        => "id = 1, 2; x = 1.5, null";
    "unique", false, [SUBSET.says("columns that are compared"), KEEP, UNIQUE_ORDER], Steps(build::unique),
        "null equals null", "One row for each distinct value of some columns.",
        "symbol = 'A', 'A', 'B'; day = 2024-01-01, 2024-01-02, 2024-01-01"
        => "- func_name: unique\n  func_kwargs: {subset: [symbol], keep: last, order_by: [day]}"
        => "symbol = 'A', 'B'; day = 2024-01-02, 2024-01-01";
    "drop_duplicates", false, [SUBSET.says("columns that are compared"), KEEP, UNIQUE_ORDER], Steps(build::unique),
        "null equals null", "The same as `unique`.",
        "x = 1, 1, 2"
        => "- func_name: drop_duplicates"
        => "x = 1, 2";
    "sort", false, [
            rest("by", true).of("names or expressions").says("keys, most important first"),
            key("descending").of("true or false, or a list of them").or("false").says("greatest values first, for all keys or for each"),
            key("nulls_last").of("true or false, or a list of them").or("false").says("nulls at the end, for all keys or for each"),
        ], Steps(build::sort),
        "nulls first, unless `nulls_last`", "Rows in an order. Steps that come later may lose it: let `sort` be the last step, or follow it by `head`.",
        "x = 2, null, 3"
        => "- func_name: sort\n  func_args: [x]\n  func_kwargs: {descending: true, nulls_last: true}"
        => "x = 3, 2, null";
    "head", false, [ROWS_TAKEN], Steps(build::head),
        "no matter", "The first rows. Behind a `sort` these are the least or greatest; elsewhere any rows, as the engine has them.",
        "x = 3, 1, 2"
        => "- {func_name: sort, func_args: [x]}\n- {func_name: head, func_args: [2]}"
        => "x = 1, 2";
    "limit", false, [ROWS_TAKEN], Steps(build::head),
        "no matter", "The same as `head`.",
        "x = 3, 1, 2"
        => "- {func_name: sort, func_args: [x]}\n- {func_name: limit, func_args: [1]}"
        => "x = 1";
    "tail", false, [need("n").of("whole number").says("how many rows")], Steps(build::tail),
        "no matter", "The last rows. `top_k` is cheaper where an order is meant.",
        "x = 3, 1, 2"
        => "- {func_name: sort, func_args: [x]}\n- {func_name: tail, func_args: [2]}"
        => "x = 2, 3";
    "top_k", false, [K, BY, REVERSE], Steps(build::top_k),
        "nulls come last", "The rows with the greatest values, in no particular order.",
        "symbol = 'A', 'B', 'C'; price = 1.5, 9.0, null"
        => "- func_name: top_k\n  func_args: [1]\n  func_kwargs: {by: price}"
        => "symbol = 'B'; price = 9.0";
    "bottom_k", false, [K, BY, REVERSE], Steps(build::bottom_k),
        "nulls come last", "The rows with the least values, in no particular order.",
        "symbol = 'A', 'B', 'C'; price = 1.5, 9.0, null"
        => "- func_name: bottom_k\n  func_args: [1]\n  func_kwargs: {by: price}"
        => "symbol = 'A'; price = 1.5";
    "gather_every", false, [
            need("n").of("whole number, at least 1").says("the distance"),
            may("offset").of("whole number").or("0").says("the first row, from 0"),
        ], Steps(build::gather_every),
        "no matter", "Every n-th row.",
        "x = 1, 2, 3, 4, 5"
        => "- {func_name: sort, func_args: [x]}\n- {func_name: gather_every, func_args: [2]}"
        => "x = 1, 3, 5";
    "sample", false, [
            may("n").of("whole number").or("1").says("how many rows; or"),
            key("fraction").of("number from 0 to 1").says("which part of them"),
            key("with_replacement").of("true or false").or("false").says("whether a row may be taken twice"),
            key("seed").of("whole number").says("for the same rows each time"),
        ], Steps(build::sample),
        "no matter", "A random part of the rows. Without `seed` each run takes others, and all outputs of the run see the same.",
        "x = 1, 2, 3"
        => "- {func_name: sample, func_kwargs: {n: 2, seed: 7}}\n- {func_name: select, func_kwargs: {rows: nw.len()}}"
        => "rows = 2";
    "laktory.window_filter", false, [
            need("partition_by").of("names or expressions").says("what makes rows belong together"),
            may("order_by").of("names or expressions").says("the order within them; must be given"),
            may("drop_row_index").of("true or false").or("true").says("whether the position of the row is left out"),
            may("row_index_name").of("name").or("_row_index").says("the column with the position, from 0"),
            may("rows_to_keep").of("whole number").or("1").says("how many rows of each partition stay"),
        ], Steps(reshape::window_filter),
        "null is a partition of its own, and comes first in the order", "The first rows of each partition, in an order.",
        "symbol = 'A', 'A', 'B'; day = 2024-01-02, 2024-01-01, 2024-01-03"
        => "- func_name: laktory.window_filter\n  func_kwargs: {partition_by: [symbol], order_by: [day]}"
        => "symbol = 'A', 'B'; day = 2024-01-01, 2024-01-03";
};
