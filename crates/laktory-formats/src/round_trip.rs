//! Kinds of columns whose every value comes back of a text format, when it is written and read as it is here.

use laktory_core::{Kind, ReadsAs, RoundTrip};

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

/// What compression means for reading.
pub const PACKED: &[(&str, ReadsAs)] = &[
    ("compression", ReadsAs::Nothing),
    ("compression_level", ReadsAs::Nothing),
];

/// Of lines of text: nulls come back as empty texts, so that no column is read back in the place of what was written.
pub const TEXT: RoundTrip = RoundTrip::new(
    &[],
    &[
        ("compression", ReadsAs::Nothing),
        ("compression_level", ReadsAs::Nothing),
        ("lineSep", ReadsAs::Option("lineSep")),
    ],
);
