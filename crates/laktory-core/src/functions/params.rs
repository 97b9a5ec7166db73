//! Parameters that several functions have, and lists of texts that some take.

use super::ParamType::{Bool, Column, Columns, Int, Literal, OneOf, Str};
use super::{Param, ParamDefault as D, ParamType};

/// A required parameter.
pub(super) const fn param(name: &'static str, ty: ParamType) -> Param {
    Param::new(name, ty)
}

pub(super) const INTERPOLATIONS: ParamType =
    OneOf(&["nearest", "higher", "lower", "midpoint", "linear"]);
pub(super) const CLOSED: ParamType = OneOf(&["both", "left", "right", "none"]);
pub(super) const TIME_UNITS: ParamType = OneOf(&["ns", "us", "ms"]);

pub(super) const OTHER: Param = param("other", Literal).says("the other operand");
pub(super) const DECIMALS: Param = param("decimals", Int)
    .or(D::Int(0))
    .says("digits behind the point");
pub(super) const EXPRS: Param = param("exprs", Columns).says("names of columns, or expressions");
pub(super) const DDOF: Param = param("ddof", Int)
    .or(D::Int(1))
    .keyword()
    .says("1 for a sample, 0 for the whole population");
pub(super) const ORDER_BY: Param = param("order_by", Columns)
    .optional()
    .says("columns that say what is first; needed on engines whose rows have no order");
pub(super) const A: Param = param("a", Column).says("one column");
pub(super) const B: Param = param("b", Column).says("the other column");
pub(super) const REVERSE: Param = param("reverse", Bool)
    .or(D::Bool(false))
    .keyword()
    .says("from the last row to the first");
pub(super) const WINDOW_SIZE: Param =
    param("window_size", Int).says("rows of the window, the current one included");
pub(super) const MIN_SAMPLES: Param = param("min_samples", Int)
    .optional()
    .keyword()
    .says("values that are not null for a result; as many as the window by default");
pub(super) const CENTER: Param = param("center", Bool)
    .or(D::Bool(false))
    .keyword()
    .says("the current row in the middle of the window rather than at its end");
pub(super) const IGNORE_NULLS: Param = param("ignore_nulls", Bool)
    .keyword()
    .says("whether nulls are passed over; must be said");
pub(super) const LITERAL: Param = param("literal", Bool)
    .or(D::Bool(false))
    .keyword()
    .says("whether the pattern is plain text");
pub(super) const PATTERN: Param =
    param("pattern", Str).says("regular expression, or literal text with `literal=True`");
pub(super) const VALUE: Param =
    param("value", Literal).says("replacement; `$1` is the first group");
pub(super) const LENGTH: Param = param("length", Int)
    .optional()
    .says("how many characters; up to the end by default");
pub(super) const CHARACTERS: Param = param("characters", Str)
    .optional()
    .says("which characters go; white space by default");
pub(super) const LENGTH_2: Param =
    param("length", Int).says("width in characters; longer texts stay as they are");
pub(super) const FILL_CHAR: Param = param("fill_char", Str)
    .or(D::Str(" "))
    .says("one character");
pub(super) const X: Param = param("x", Column).says("the value");
