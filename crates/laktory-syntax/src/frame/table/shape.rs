//! Steps that turn lists, columns and rows into one another, and number rows.

use crate::frame::Build::Steps;
use crate::frame::{MethodDef, reshape};
use crate::parameter::{Parameter, key, may, need, rest};

use super::methods;

const NAME: Parameter = may("name").of("name").or("index").says("the new column");

pub(super) const ROWS: &[MethodDef] = methods! {
    "explode", false, [
            rest("columns", true).of("names").says("columns of lists; several go together, and their lists have equal lengths"),
            key("empty_as_null").of("true or false").or("true").says("whether an empty list gives a row with null, or none"),
            key("keep_nulls").of("true or false").or("true").says("whether a null gives a row with null, or none"),
        ], Steps(reshape::explode),
        "a null gives a row with null, unless `keep_nulls: false`", "One row for each element of a list; the other columns are repeated.",
        "id = 1, 2; tags = ['a', 'b'], []"
        => "- func_name: explode\n  func_args: [tags]"
        => "id = 1, 1, 2; tags = 'a', 'b', null";
    "unpivot", false, [
            may("on").of("name or list of names").or("all but `index`").says("columns that become rows; their types meet in one"),
            key("index").of("name or list of names").or("none").says("columns that are repeated"),
            key("variable_name").of("name").or("variable").says("the column with their names"),
            key("value_name").of("name").or("value").says("the column with their values"),
        ], Steps(reshape::unpivot),
        "null stays a value", "Columns turned into rows.",
        "id = 1, 2; open = 1.0, 2.0; close = 1.5, null"
        => "- func_name: unpivot\n  func_kwargs: {on: [open, close], index: [id], variable_name: kind, value_name: price}"
        => "id = 1, 2, 1, 2; kind = 'open', 'open', 'close', 'close'; price = 1.0, 2.0, 1.5, null";
    "pivot", false, [
            need("on").of("name or list of names").says("columns whose values become names of columns"),
            key("index").of("name or list of names").or("all others").says("columns that stay, one row for each of their values"),
            key("values").of("name or list of names").or("all others").says("columns whose values fill the new ones"),
            key("aggregate_function").of("`min`, `max`, `first`, `last`, `sum`, `mean`, `median`, `len`").says("what becomes of several values; without it they are an error"),
            key("maintain_order").of("true or false").or("true").says("passed over: the new columns come in the order in which their values are found"),
            key("sort_columns").of("true or false").or("false").says("the new columns in the order of their names"),
            key("separator").of("text").or("_").says("between the parts of a name, where there are several"),
        ], Steps(reshape::pivot),
        "null where there is no value", "Rows turned into columns. Which columns come out depends on the data, so that the step is checked in the run.",
        "day = 1, 1, 2; symbol = 'A', 'B', 'A'; price = 1.0, 5.0, 2.0"
        => "- func_name: pivot\n  func_args: [symbol]\n  func_kwargs: {index: day, values: price, sort_columns: true}"
        => "day = 1, 2; A = 1.0, 2.0; B = 5.0, null";
    "with_row_index", false, [NAME, key("order_by").of("names or expressions").says("the order; must be given where rows have none")], Steps(reshape::with_row_index),
        "nulls come first in the order", "A first column with the position of each row in an order, from 0.",
        "x = 30, 10, 20"
        => "- func_name: with_row_index\n  func_kwargs: {name: n, order_by: [x]}"
        => "n = 2, 0, 1; x = 30, 10, 20";
    "laktory.with_row_index", false, [
            NAME,
            may("order_by").of("names or expressions").says("the order; must be given"),
            may("partition_by").of("names or expressions").or("none").says("where counting begins anew"),
        ], Steps(reshape::laktory_row_index),
        "nulls come first in the order", "A last column with the position of each row within its partition, in an order, from 0.",
        "symbol = 'A', 'A', 'B'; x = 30, 10, 20"
        => "- func_name: laktory.with_row_index\n  func_kwargs: {name: n, order_by: [x], partition_by: [symbol]}"
        => "symbol = 'A', 'A', 'B'; x = 30, 10, 20; n = 1, 0, 0";
};
