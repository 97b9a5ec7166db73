//! Functions of lists and structs.

use laktory_core::Func;

use super::Shape::{Of, Own};
use super::Target::{Exprs, Variadic, With};
use super::{Fixed, SqlRow, sql};

pub(super) const ROWS: &[SqlRow] = sql! {
    ["ARRAY", "MAKE_ARRAY", "LIST_VALUE"] "a, b, ..", "any* > rule (list)", Of(1, 255, Variadic(Func::List)), Everywhere,
        "elements may be null", "A list of values; also `[a, b]`.", "a = 1, 2; b = 3, null" => "ARRAY(a, b)" => "[1, 3], [2, null]";
    ["ARRAY_LENGTH", "ARRAY_SIZE", "CARDINALITY", "SIZE"] "l", "list > int64", Of(1, 1, Exprs(Func::ListLen)), Everywhere,
        "null in, null out", "Number of elements.", "l = [1, 2], []" => "ARRAY_SIZE(l)" => "2, 0";
    ["ELEMENT_AT"] "l, n", "list > rule (element)", Own, Everywhere,
        "null where there is none", "Element n, from 1; n is a constant. `l[1]` does the same.", "l = [1, 2], [3], null" => "ELEMENT_AT(l, 2)" => "2, null, null";
    ["GET"] "l, n", "list > rule (element)", Own, Everywhere,
        "null where there is none", "Element n, from 0.", "l = [1, 2], [], null" => "GET(l, 0)" => "1, null, null";
    ["ARRAY_CONTAINS", "ARRAY_HAS", "LIST_CONTAINS"] "l, x", "list any > bool", Own, Everywhere,
        "null list, null out", "Whether a constant is among the elements.", "l = [1, 2], [], null" => "ARRAY_CONTAINS(l, 2)" => "true, false, null";
    ["ARRAY_MAX", "LIST_MAX"] "l", "list > rule (element)", Of(1, 1, Exprs(Func::ListMax)), Everywhere,
        "skips null", "Greatest element.", "l = [2, 1], null" => "ARRAY_MAX(l)" => "2, null";
    ["ARRAY_MIN", "LIST_MIN"] "l", "list > rule (element)", Of(1, 1, Exprs(Func::ListMin)), Everywhere,
        "skips null", "Smallest element.", "l = [2, 1], null" => "ARRAY_MIN(l)" => "1, null";
    ["ARRAY_DISTINCT"] "l", "list > first", Of(1, 1, With(Func::ListUnique, &[Fixed::Bool(true)])), Everywhere,
        "null in, null out", "Distinct elements in the order of their first occurrence.", "l = [2, 2, 1], null" => "ARRAY_DISTINCT(l)" => "[2, 1], null";
    ["ARRAY_SORT"] "l", "list > first", Of(1, 1, With(Func::ListSort, &[Fixed::Bool(false), Fixed::Bool(true)])), Everywhere,
        "nulls last", "Elements in ascending order.", "l = [2, null, 1], null" => "ARRAY_SORT(l)" => "[1, 2, null], null";
    ["SORT_ARRAY"] "l[, ascending]", "list > first", Own, Everywhere,
        "nulls are least", "Elements in an order, ascending by default.", "l = [2, 3, 1], null" => "SORT_ARRAY(l, FALSE)" => "[3, 2, 1], null";
    ["SPLIT", "STRING_SPLIT", "STRING_TO_ARRAY"] "s, separator", "text > texts", Own, Everywhere,
        "null in, null out", "The parts between separators; the separator is a literal text.", "s = 'a,b', 'c', null" => "SPLIT(s, ',')" => "['a', 'b'], ['c'], null";
    ["STRUCT"] "a, b AS name, ..", "any* > rule (struct)", Own, Everywhere,
        "fields may be null", "A struct of values; fields have the names of their columns, or those given.", "a = 1, 2; b = 'x', null" => "STRUCT(a, b AS c)" => "{a: 1, c: 'x'}, {a: 2, c: null}";
    ["NAMED_STRUCT"] "'name', a, ..", "any* > rule (struct)", Own, Everywhere,
        "fields may be null", "A struct of names and values.", "a = 1, 2" => "NAMED_STRUCT('n', a)" => "{n: 1}, {n: 2}";
};
