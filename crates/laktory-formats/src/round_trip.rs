//! Kinds of columns whose every value comes back of a text format, when it is written and read as it is here.

use laktory_core::Kind;

/// Of CSV.
pub const CSV: &[Kind] = &[
    Kind::Boolean,
    Kind::Integer,
    Kind::Float,
    Kind::Decimal,
    Kind::String,
    Kind::Date,
    Kind::Time,
    Kind::Datetime,
    Kind::ZonedDatetime,
];

/// Of JSON and lines of JSON. NaN and infinities are refused when they are written.
pub const JSON: &[Kind] = &[
    Kind::Boolean,
    Kind::Integer,
    Kind::Float,
    Kind::Decimal,
    Kind::String,
    Kind::Date,
    Kind::Time,
    Kind::Datetime,
    Kind::ZonedDatetime,
    Kind::List,
    Kind::Array,
    Kind::Struct,
    Kind::Null,
];
