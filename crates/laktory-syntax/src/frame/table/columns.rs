//! Steps that choose, compute and convert columns.

use crate::frame::Build::Steps;
use crate::frame::{MethodDef, build};
use crate::parameter::{key, need, rest};

use super::methods;

pub(super) const ROWS: &[MethodDef] = methods! {
    "select", true, [rest("exprs", false).of("names or expressions").says("the columns; a keyword argument names its column")], Steps(build::select),
        "no matter", "These columns only, in this order. With aggregates alone, one row.",
        "symbol = 'A', 'B'; open = 1.0, 2.0; close = 1.5, 1.5"
        => "- func_name: select\n  func_args: [symbol]\n  func_kwargs:\n    change: nw.col('close') - nw.col('open')"
        => "symbol = 'A', 'B'; change = 0.5, -0.5";
    "with_columns", true, [rest("exprs", false).of("expressions").says("the columns; a keyword argument names its column")], Steps(build::with_columns),
        "no matter", "Columns added, or replaced where the name is there. Every expression sees the input of the step, not its other results.",
        "x = 1, 2; y = 10, 20"
        => "- func_name: with_columns\n  func_kwargs:\n    x: nw.col('x') * 2\n    total: nw.col('x') + nw.col('y')"
        => "x = 2, 4; y = 10, 20; total = 11, 22";
    "drop", false, [
            rest("columns", false).of("names").says("columns to leave out"),
            key("strict").of("true or false").or("true").says("whether a name that is not there is an error"),
        ], Steps(build::drop),
        "no matter", "Without these columns.",
        "x = 1, 2; y = 10, 20; z = 5, 6"
        => "- func_name: drop\n  func_args: [y, z]"
        => "x = 1, 2";
    "rename", false, [need("mapping").of("mapping of names to names").says("old names and new ones; an old name that is not there is an error")], Steps(build::rename),
        "no matter", "Columns under other names, in their old places.",
        "x = 1, 2; y = 10, 20"
        => "- func_name: rename\n  func_args: [{x: id}]"
        => "id = 1, 2; y = 10, 20";
    "cast", false, [need("dtypes").of("mapping of names to types, or one type").says("types such as `nw.Float64()`; one type converts every column")], Steps(build::cast),
        "null stays null; a value that does not fit is an error", "Columns converted to other types.",
        "id = '1', '2'; x = 1, 2"
        => "- func_name: cast\n  func_args: [{id: nw.Int64(), x: nw.Float64()}]"
        => "id = 1, 2; x = 1.0, 2.0";
    "fill_null", false, [
            need("value").of("constant or expression").says("what stands in for null"),
            key("subset").of("name or list of names").or("every column that can hold the value").says("columns that are filled"),
        ], Steps(build::fill_null),
        "replaces null", "Nulls replaced: by a number in the columns of numbers, by a text in those of texts, by a truth value in those of truth values. To fill from the row before, use the method `fill_null` of expressions.",
        "x = 1, null; s = 'a', null"
        => "- func_name: fill_null\n  func_args: [0]"
        => "x = 1, 0; s = 'a', null";
    "fill_nan", false, [need("value").of("number, or null").says("what stands in for NaN")], Steps(build::fill_nan),
        "null stays null", "NaN replaced in every column of floats.",
        "x = 1.5, nan, null"
        => "- func_name: fill_nan\n  func_args: [0.0]"
        => "x = 1.5, 0.0, null";
};
