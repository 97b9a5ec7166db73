//! Operators, and what the grammar writes in words.

use super::Shape::Grammar;
use super::{SqlRow, sql};

pub(super) const ROWS: &[SqlRow] = sql! {
    ["+", "-", "*"] "a + b", "any any > rule (64-bit integer, float, decimal or time)", Grammar, Everywhere,
        "null in, null out", "Sum, difference, product. Integers have 64 bits; what has more is an error. Decimals keep their digits.", "x = 2, null" => "x * 10 + 1" => "21, null";
    ["/"] "a / b", "number number > float", Grammar, Everywhere,
        "null in, null out", "Quotient as a float, also of integers; `FLOOR(a / b)` is whole.", "x = 7.0, null" => "x / 2" => "3.5, null";
    ["%"] "a % b", "number number > rule (as the operands)", Grammar, Everywhere,
        "null in, null out", "Remainder with the sign of a.", "x = 7, -7, null" => "x % 3" => "1, -1, null";
    ["||"] "a || b", "any any > text", Grammar, Everywhere,
        "null if one is; CONCAT skips nulls", "Texts joined.", "a = 'x', null; b = 'y', 'z'" => "a || '-' || b" => "'x-y', null";
    ["=", "<>", "!=", "<", "<=", ">", ">="] "a = b", "any any > bool", Grammar, Everywhere,
        "null in, null out", "Comparisons. A text beside a date, time or number is read as one: `d >= '2024-01-01'`.", "d = 2024-01-31, null" => "d >= '2024-01-01'" => "true, null";
    ["AND", "OR", "NOT"] "a AND b", "bool bool > bool", Grammar, Everywhere,
        "false and null is false, true or null is true", "Logic.", "a = true, false, null" => "a OR NOT a" => "true, true, null";
    ["IS NULL"] "x IS [NOT] NULL", "any > bool", Grammar, Everywhere,
        "null is true", "Whether a value is null.", "x = 1, null" => "x IS NOT NULL" => "true, false";
    ["IS TRUE", "IS FALSE"] "x IS [NOT] TRUE", "bool > bool", Grammar, Everywhere,
        "null is false", "Whether a value is true, or false.", "b = true, false, null" => "b IS TRUE" => "true, false, false";
    ["IS DISTINCT FROM"] "a IS [NOT] DISTINCT FROM b", "any any > bool", Grammar, Everywhere,
        "null equals null", "Comparison that is never null; `a <=> b` is `IS NOT DISTINCT FROM`.", "a = 1, 1, null; b = 1, null, null" => "a IS DISTINCT FROM b" => "false, true, false";
    ["IN"] "x [NOT] IN (a, b, ..)", "any any* > bool", Grammar, Everywhere,
        "null in, null out; a null in the list makes what is not found null", "Whether a value is among others. In statements the list may be a query.", "s = 'a', 'b', null" => "s IN ('a', 'c')" => "true, false, null";
    ["BETWEEN"] "x [NOT] BETWEEN a AND b", "any any any > bool", Grammar, Everywhere,
        "null in, null out", "Whether a value lies in a range, ends included.", "x = 1, 5, 9, null" => "x BETWEEN 1 AND 5" => "true, true, false, null";
    ["LIKE", "ILIKE"] "s [NOT] LIKE pattern [ESCAPE c]", "text > bool", Grammar, Everywhere,
        "null in, null out", "Whether a text fits a pattern: `%` any characters, `_` one. ILIKE passes over the case of letters. `s LIKE ANY ('a%', 'b%')` and `LIKE ALL` take several. Patterns are constants.", "s = 'banana', 'cherry', null" => "s LIKE 'b_n%'" => "true, false, null";
    ["SIMILAR TO"] "s [NOT] SIMILAR TO pattern", "text > bool", Grammar, Everywhere,
        "null in, null out", "Whether all of a text fits a pattern with `%`, `_`, `|`, `*`, `+`, brackets and parentheses.", "s = 'banana', 'cherry', null" => "s SIMILAR TO '(ban|cit)%'" => "true, false, null";
    ["CASE"] "CASE WHEN condition THEN value .. [ELSE value] END", "bool* > common", Grammar, Everywhere,
        "a null condition does not hold; without ELSE, null", "The value of the first condition that holds. `CASE x WHEN 1 THEN ..` compares x.", "x = 5, 50, null" => "CASE WHEN x >= 10 THEN 'high' ELSE 'low' END" => "'low', 'high', 'low'";
    ["CAST", "::"] "CAST(x AS type)", "any > any", Grammar, Everywhere,
        "null in, null out; a value that does not fit is an error", "A value converted to another [type](#types); `x::BIGINT` is the same. What a decimal has no digits for is rounded half to even (`ROUND` rounds half away from zero), and for an integer cut off.", "s = '17', null" => "CAST(s AS BIGINT)" => "17, null";
    ["TRY_CAST"] "TRY_CAST(x AS type)", "any > any", Grammar, Everywhere,
        "null in, null out; a value that does not fit is null", "A value converted to another type, where it can be.", "s = '17', 'x', null" => "TRY_CAST(s AS BIGINT)" => "17, null, null";
    ["EXTRACT"] "EXTRACT(part FROM t)", "date > int64; datetime > int64", Grammar, Everywhere,
        "null in, null out", "A part of a date or time: YEAR, QUARTER, MONTH, WEEK, DAY, DOW (Sunday 0), ISODOW (Monday 1), DOY, HOUR, MINUTE, SECOND, EPOCH.", "t = 2024-05-17T13:45:30, null" => "EXTRACT(HOUR FROM t)" => "13, null";
    ["INTERVAL"] "t + INTERVAL '1 month'", "datetime > first; date > first", Grammar, Everywhere,
        "null in, null out", "A time moved by an interval of whole numbers and units, `INTERVAL '1' DAY` or `INTERVAL '1 hour 30 minutes'`; months end at their last day.", "t = 2024-01-31T10:00:00, null" => "t + INTERVAL '1' MONTH" => "2024-02-29T10:00:00, null";
    ["DATE '..'", "TIMESTAMP '..'"] "DATE '2024-01-31'", "> date", Grammar, Everywhere,
        "never null", "A date or datetime as a constant.", "d = 2024-01-31, null" => "d < DATE '2024-02-01'" => "true, null";
    ["[ ]"] "l[1]", "list > rule (element)", Grammar, Everywhere,
        "null where there is none", "Element of a list, from 1.", "l = [5, 6], null" => "l[2]" => "6, null";
    ["."] "p.a", "struct > rule (type of the field)", Grammar, Everywhere,
        "null struct, null out", "Field of a struct; also `p['a']`.", "p = {a: 1, b: 'x'}, null" => "p.a" => "1, null";
};
