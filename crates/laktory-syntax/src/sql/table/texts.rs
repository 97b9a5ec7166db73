//! Functions of texts.

use laktory_core::Func;

use super::Shape::{Of, Own};
use super::Target::{Exprs, Variadic, With};
use super::{Fixed, SqlRow, sql};

pub(super) const ROWS: &[SqlRow] = sql! {
    ["LENGTH", "LEN", "CHAR_LENGTH", "CHARACTER_LENGTH"] "s", "text > int64", Of(1, 1, Exprs(Func::StrLenChars)), Everywhere,
        "null in, null out", "Number of characters.", "s = 'añb', '', null" => "LENGTH(s)" => "3, 0, null";
    ["UPPER", "UCASE"] "s", "text > text", Of(1, 1, Exprs(Func::StrToUppercase)), Everywhere,
        "null in, null out", "Upper case.", "s = 'abc', null" => "UPPER(s)" => "'ABC', null";
    ["LOWER", "LCASE"] "s", "text > text", Of(1, 1, Exprs(Func::StrToLowercase)), Everywhere,
        "null in, null out", "Lower case.", "s = 'ABC', null" => "LOWER(s)" => "'abc', null";
    ["INITCAP"] "s", "text > text", Of(1, 1, Exprs(Func::StrToTitlecase)), Everywhere,
        "null in, null out", "Each word with a capital.", "s = 'hello big world', null" => "INITCAP(s)" => "'Hello Big World', null";
    ["CONCAT"] "a, b, ..", "any* > text", Of(1, 255, Variadic(Func::SqlConcat)), Everywhere,
        "skips null; `a || b` is null if one is", "Values joined to a text.", "a = 'x', null; b = 'y', 'z'" => "CONCAT(a, '-', b)" => "'x-y', '-z'";
    ["CONCAT_WS"] "separator, a, b, ..", "any* > text", Own, Everywhere,
        "skips null", "Values joined to a text, with a separator between them.", "a = 'x', null; b = 'y', 'z'" => "CONCAT_WS('-', a, b)" => "'x-y', 'z'";
    ["SUBSTRING", "SUBSTR"] "s, start[, n]", "text > text", Own, Everywhere,
        "null in, null out", "Characters from a position, from 1; also `SUBSTRING(s FROM 2 FOR 3)`. Start and n are constants.", "s = 'banana', null" => "SUBSTRING(s, 2, 3)" => "'ana', null";
    ["LEFT"] "s, n", "text > text", Own, Everywhere,
        "null in, null out", "The first n characters; n is a constant.", "s = 'banana', null" => "LEFT(s, 3)" => "'ban', null";
    ["RIGHT"] "s, n", "text > text", Own, Everywhere,
        "null in, null out", "The last n characters; n is a constant.", "s = 'banana', null" => "RIGHT(s, 3)" => "'ana', null";
    ["TRIM", "BTRIM"] "s[, characters]", "text > text", Own, Everywhere,
        "null in, null out", "Without white space, or these characters, at both ends; also `TRIM(LEADING '0' FROM s)`.", "s = '  a b ', null" => "TRIM(s)" => "'a b', null";
    ["LTRIM"] "s[, characters]", "text > text", Own, Everywhere,
        "null in, null out", "Without white space, or these characters, at the start.", "s = '  a', null" => "LTRIM(s)" => "'a', null";
    ["RTRIM"] "s[, characters]", "text > text", Own, Everywhere,
        "null in, null out", "Without white space, or these characters, at the end.", "s = 'a  ', null" => "RTRIM(s)" => "'a', null";
    ["LPAD"] "s, n[, fill]", "text > text", Own, Everywhere,
        "null in, null out", "Filled at the start to n characters with one character, a blank by default; longer texts are cut.", "s = '7', '1234', null" => "LPAD(s, 3, '0')" => "'007', '123', null";
    ["RPAD"] "s, n[, fill]", "text > text", Own, Everywhere,
        "null in, null out", "Filled at the end to n characters with one character, a blank by default; longer texts are cut.", "s = '7', '1234', null" => "RPAD(s, 3, '.')" => "'7..', '123', null";
    ["REPLACE"] "s, text[, by]", "text > text", Own, Everywhere,
        "null in, null out", "Each occurrence of a text replaced; without `by` removed.", "s = 'a-b-c', null" => "REPLACE(s, '-', '+')" => "'a+b+c', null";
    ["REVERSE"] "s", "text > text", Of(1, 1, Exprs(Func::SqlReverse)), Everywhere,
        "null in, null out", "Backwards.", "s = 'abc', null" => "REVERSE(s)" => "'cba', null";
    ["CONTAINS"] "s, text", "text text > bool", Of(2, 2, With(Func::StrContains, &[Fixed::Bool(true)])), Everywhere,
        "null in, null out", "Whether a text occurs.", "s = 'banana', 'cherry', null" => "CONTAINS(s, 'nan')" => "true, false, null";
    ["STARTS_WITH", "STARTSWITH"] "s, text", "text text > bool", Of(2, 2, Exprs(Func::StrStartsWith)), Everywhere,
        "null in, null out", "Whether s begins with a text.", "s = 'banana', 'cherry', null" => "STARTS_WITH(s, 'ba')" => "true, false, null";
    ["ENDS_WITH", "ENDSWITH"] "s, text", "text text > bool", Of(2, 2, Exprs(Func::StrEndsWith)), Everywhere,
        "null in, null out", "Whether s ends with a text.", "s = 'banana', 'cherry', null" => "ENDS_WITH(s, 'na')" => "true, false, null";
    ["STRPOS", "INSTR"] "s, text", "text text > int64", Of(2, 2, Exprs(Func::SqlPosition)), Everywhere,
        "null in, null out", "Position of a text, from 1; 0 where it does not occur.", "s = 'banana', 'cherry', null" => "STRPOS(s, 'n')" => "3, 0, null";
    ["POSITION", "LOCATE", "CHARINDEX"] "text, s", "text text > int64", Own, Everywhere,
        "null in, null out", "The same with the text first; also `POSITION('n' IN s)`.", "s = 'banana', 'cherry', null" => "POSITION('n' IN s)" => "3, 0, null";
    ["SPLIT_PART"] "s, separator, n", "text > text", Own, Everywhere,
        "null in, null out", "The n-th part between separators, from 1; an empty text where there is none.", "s = 'a-b-c', 'x', null" => "SPLIT_PART(s, '-', 2)" => "'b', '', null";
    ["REGEXP_LIKE", "REGEXP_MATCHES"] "s, pattern[, flags]", "text text > bool", Own, Everywhere,
        "null in, null out", "Whether a regular expression occurs; the flag `i` passes over the case of letters.", "s = 'banana', 'cherry', null" => "REGEXP_LIKE(s, 'an+a')" => "true, false, null";
    ["REGEXP_CONTAINS", "REGEXP", "RLIKE"] "s, pattern", "text text > bool", Own, Everywhere,
        "null in, null out", "The same without flags; also `s RLIKE 'an+a'` and `s ~ 'an+a'`.", "s = 'banana', 'cherry', null" => "RLIKE(s, 'an+a')" => "true, false, null";
    ["REGEXP_EXTRACT"] "s, pattern[, group]", "text > text", Own, Everywhere,
        "null in, null out; without a match it is empty, or null, as the engine has it", "A group of the first match: the first one by default, 0 for all of it.", "s = 'id-42', null" => "REGEXP_EXTRACT(s, '([0-9]+)', 1)" => "'42', null";
    ["REGEXP_SUBSTR"] "s, pattern", "text > text", Own, Everywhere,
        "null in, null out; without a match as REGEXP_EXTRACT", "The first match.", "s = 'id-42', null" => "REGEXP_SUBSTR(s, '[0-9]+')" => "'42', null";
    ["REGEXP_REPLACE"] "s, pattern, by[, 'g']", "text > text", Own, Everywhere,
        "null in, null out", "Each match replaced; `$1` is the first group.", "s = 'a1b22', null" => "REGEXP_REPLACE(s, '[0-9]+', '#')" => "'a#b#', null";
};
