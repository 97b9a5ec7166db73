//! The table of frame methods: names, parameters, documentation, and the function that builds the steps.

use super::{Build, FrameParam, MethodDef, aggregate, build, combine, reshape};

/// A parameter that must be given.
pub(super) const fn need(name: &'static str) -> FrameParam {
    FrameParam {
        name,
        required: true,
        keyword_only: false,
        variadic: false,
    }
}

/// A parameter that may be left out.
pub(super) const fn may(name: &'static str) -> FrameParam {
    FrameParam {
        required: false,
        ..need(name)
    }
}

/// A parameter that may be left out, given by name only.
pub(super) const fn key(name: &'static str) -> FrameParam {
    FrameParam {
        keyword_only: true,
        ..may(name)
    }
}

/// A parameter that must be given, by name.
const fn need_key(name: &'static str) -> FrameParam {
    FrameParam {
        keyword_only: true,
        ..need(name)
    }
}

/// The rest of the positional arguments.
pub(super) const fn rest(name: &'static str, required: bool) -> FrameParam {
    FrameParam {
        name,
        required,
        keyword_only: false,
        variadic: true,
    }
}

/// A method that gives no frame.
const fn inspection(name: &'static str, gives: &'static str) -> MethodDef {
    MethodDef {
        name,
        params: &[],
        open: true,
        native: false,
        doc: "An inspection, not a step.",
        build: Build::NoFrame(gives),
    }
}

macro_rules! methods {
    ($( $name:literal, $open:literal, [$($param:expr),* $(,)?], $build:path, $doc:literal; )+) => {
        &[ $( MethodDef {
            name: $name,
            params: &[$($param),*],
            open: $open,
            native: false,
            doc: $doc,
            build: Build::Steps($build),
        } ),+ ]
    };
}

const STEPS: &[MethodDef] = methods! {
    "select", true, [rest("exprs", false)], build::select, "These columns only.";
    "with_columns", true, [rest("exprs", false)], build::with_columns, "Columns added or replaced; every expression sees the input.";
    "filter", true, [rest("predicates", false)], build::filter, "Rows where every predicate is true; keyword arguments test equality.";
    "drop", false, [rest("columns", false), key("strict")], build::drop, "Without these columns.";
    "rename", false, [need("mapping")], build::rename, "Columns under other names.";
    "cast", false, [need("dtypes")], build::cast, "Columns converted: a mapping of types, or one type for all.";
    "sort", false, [rest("by", true), key("descending"), key("nulls_last")], build::sort, "Sorted rows.";
    "unique", false, [may("subset"), key("keep"), key("order_by")], build::unique, "One row for each distinct value of a subset.";
    "drop_duplicates", false, [may("subset"), key("keep"), key("order_by")], build::unique, "The same as `unique`.";
    "drop_nulls", false, [may("subset")], build::drop_nulls, "Rows without null in a subset.";
    "head", false, [may("n")], build::head, "The first rows.";
    "limit", false, [may("n")], build::head, "The first rows.";
    "tail", false, [may("n")], build::tail, "The last rows.";
    "top_k", false, [need("k"), need_key("by"), key("reverse")], build::top_k, "The greatest rows by some columns.";
    "bottom_k", false, [need("k"), need_key("by"), key("reverse")], build::bottom_k, "The smallest rows by some columns.";
    "gather_every", false, [need("n"), may("offset")], build::gather_every, "Every n-th row.";
    "sample", false, [may("n"), key("fraction"), key("with_replacement"), key("seed")], build::sample, "A random part of the rows.";
    "explode", false, [rest("columns", true), key("empty_as_null"), key("keep_nulls")], reshape::explode, "One row for each element of list columns.";
    "unpivot", false, [may("on"), key("index"), key("variable_name"), key("value_name")], reshape::unpivot, "Columns turned into rows.";
    "pivot", false, [need("on"), key("index"), key("values"), key("aggregate_function"), key("maintain_order"), key("sort_columns"), key("separator")], reshape::pivot, "Rows turned into columns.";
    "with_row_index", false, [may("name"), key("order_by")], reshape::with_row_index, "A first column with the row's position in an order.";
    "group_by", false, [rest("keys", false), key("drop_null_keys")], aggregate::group_by, "Rows grouped; a step `agg` must follow.";
    "agg", true, [rest("aggs", false)], aggregate::agg, "One row for each group of the step `group_by` before.";
    "group_by.agg", true, [rest("aggs", false), key("keys"), key("drop_null_keys")], aggregate::group_by_agg, "`group_by` and `agg` in one step, with the keys in `keys`.";
    "join", false, [need("other"), may("on"), may("how"), key("left_on"), key("right_on"), key("suffix")], combine::join, "Rows matched with those of another frame.";
    "join_asof", false, [need("other"), key("left_on"), key("right_on"), key("on"), key("by_left"), key("by_right"), key("by"), key("strategy"), key("suffix")], combine::join_asof, "Rows matched with the nearest key of another frame.";
    "concat", false, [need("items"), may("how")], combine::concat, "Rows of other frames below those of this one.";
    "fill_null", false, [need("value"), key("subset")], build::fill_null, "Nulls replaced in every column that can hold the value.";
    "fill_nan", false, [need("value")], build::fill_nan, "NaN replaced in every float column.";
    "null_count", false, [], build::null_count, "The number of nulls of each column, as one row.";
    "lazy", false, [may("backend")], build::nothing, "Nothing: every frame is lazy.";
    "collect", false, [may("backend")], build::nothing, "Nothing: every frame is lazy.";
    "to_native", false, [], build::nothing, "Nothing: the step goes on with the same frame.";
    "clone", false, [], build::nothing, "Nothing: the step goes on with the same frame.";
    "laktory.groupby_and_agg", false, [may("groupby_columns"), may("agg_expressions")], aggregate::groupby_and_agg, "Rows grouped and aggregated; without columns, all rows.";
    "laktory.union", false, [need("others")], combine::union, "Rows of other frames below those of this one.";
    "laktory.window_filter", false, [need("partition_by"), may("order_by"), may("drop_row_index"), may("row_index_name"), may("rows_to_keep")], reshape::window_filter, "The first rows of each partition, in an order.";
    "laktory.with_row_index", false, [may("name"), may("order_by"), may("partition_by")], reshape::laktory_row_index, "A last column with the row's position in each partition, in an order.";
};

const PIPE: MethodDef = MethodDef {
    name: "pipe",
    params: &[],
    open: true,
    native: false,
    doc: "The steps that a lambda takes: `lambda df: df.head(5)`.",
    build: Build::Pipe,
};

const OTHERS: &[MethodDef] = &[
    PIPE,
    inspection("columns", "a list of names"),
    inspection("schema", "a schema"),
    inspection("collect_schema", "a schema"),
    inspection("implementation", "a name"),
    inspection("shape", "two numbers"),
    inspection("is_empty", "a boolean"),
    inspection("item", "a value"),
    inspection("row", "a row"),
    inspection("rows", "a list of rows"),
    inspection("get_column", "a series"),
    inspection("laktory.display", "nothing"),
    inspection("laktory.has_column", "a boolean"),
    inspection("laktory.schema_flat", "a list of names"),
    inspection("laktory.signature", "a text"),
];

const fn joined() -> [MethodDef; STEPS.len() + OTHERS.len()] {
    let mut all = [PIPE; STEPS.len() + OTHERS.len()];
    let mut index = 0;
    while index < STEPS.len() {
        all[index] = STEPS[index];
        index += 1;
    }
    let mut other = 0;
    while other < OTHERS.len() {
        all[STEPS.len() + other] = OTHERS[other];
        other += 1;
    }
    all
}

/// Every method, with those that give no frame.
pub(crate) static METHODS: [MethodDef; STEPS.len() + OTHERS.len()] = joined();
