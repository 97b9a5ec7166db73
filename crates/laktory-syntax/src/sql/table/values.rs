//! Functions that choose between values, and deal with null.

use laktory_core::Func;

use super::Shape::{Of, Own};
use super::Target::{Exprs, Variadic};
use super::{SqlRow, sql};

pub(super) const ROWS: &[SqlRow] = sql! {
    ["COALESCE"] "a, b, ..", "any* > common", Of(1, 255, Variadic(Func::Coalesce)), Everywhere,
        "skips null", "The first value that is not null.", "a = 1, null, null; b = 5, 6, null" => "COALESCE(a, b, 0)" => "1, 6, 0";
    ["IFNULL", "NVL"] "a, b", "any any > common", Of(2, 2, Variadic(Func::Coalesce)), Everywhere,
        "skips null", "a, or b where a is null.", "a = 1, null" => "NVL(a, 0)" => "1, 0";
    ["NVL2"] "a, b, c", "any any any > common", Own, Everywhere,
        "a null a chooses c", "b where a is not null, else c.", "a = 1, null" => "NVL2(a, 'known', 'unknown')" => "'known', 'unknown'";
    ["NULLIF"] "a, b", "any any > first", Of(2, 2, Exprs(Func::SqlNullIf)), Everywhere,
        "null when equal", "a, or null where both are equal.", "a = 1, 0, null" => "NULLIF(a, 0)" => "1, null, null";
    ["NULLIFZERO"] "x", "number > first", Own, Everywhere,
        "null when 0", "x, or null where it is 0.", "x = 1, 0, null" => "NULLIFZERO(x)" => "1, null, null";
    ["ZEROIFNULL"] "x", "number > first", Own, Everywhere,
        "null is 0", "x, or 0 where it is null.", "x = 1, null" => "ZEROIFNULL(x)" => "1, 0";
    ["ISNULL"] "x", "any > bool", Of(1, 1, Exprs(Func::IsNull)), Everywhere,
        "null is true", "As `x IS NULL`.", "x = 1, null" => "ISNULL(x)" => "false, true";
    ["ISNOTNULL"] "x", "any > bool", Own, Everywhere,
        "null is false", "As `x IS NOT NULL`.", "x = 1, null" => "ISNOTNULL(x)" => "true, false";
    ["IF", "IFF", "IIF"] "condition, a[, b]", "bool any any? > common", Own, Everywhere,
        "a null condition chooses b", "a where the condition holds, else b. `IF` may leave b out, which is null.", "x = 5, 50, null" => "IF(x >= 10, 'high', 'low')" => "'low', 'high', 'low'";
    ["DECODE"] "x, value, result, ..[, other]", "any* > common", Own, Everywhere,
        "null finds null", "The result of the value that equals x; without one `other`, or null.", "s = 'a', 'b', null" => "DECODE(s, 'a', 'one', NULL, 'none', 'more')" => "'one', 'more', 'none'";
    ["GREATEST"] "a, b, ..", "any* > common", Of(1, 255, Variadic(Func::SqlGreatest)), Everywhere,
        "skips null; NaN is greatest", "The greatest value.", "a = 1, null; b = 2, 3" => "GREATEST(a, b)" => "2, 3";
    ["LEAST"] "a, b, ..", "any* > common", Of(1, 255, Variadic(Func::MinHorizontal)), Everywhere,
        "skips null", "The least value.", "a = 1, null; b = 2, 3" => "LEAST(a, b)" => "1, 3";
};
