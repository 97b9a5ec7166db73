//! What comes back of files when this driver reads what it has written. Spark has no times below microseconds, one zone for
//! all instants, and no columns of nothing but nulls; in CSV it takes an empty text for a null.

use laktory_core::{Format, Kind, ReadsAs, RoundTrip};

/// The formats of which less comes back than they could hold.
pub(crate) const ROUND_TRIPS: &[(Format, RoundTrip)] = &[
    (
        Format::Csv,
        RoundTrip::new(
            &[
                Kind::Boolean,
                Kind::Integer,
                Kind::Float,
                Kind::Decimal,
                Kind::Date,
                Kind::Datetime,
                Kind::Duration,
            ],
            &[
                ("compression", ReadsAs::Nothing),
                ("delimiter", ReadsAs::Option("delimiter")),
                ("emptyValue", ReadsAs::Nothing),
                ("escape", ReadsAs::Nothing),
                ("escapeQuotes", ReadsAs::Nothing),
                ("header", ReadsAs::Header),
                ("ignoreLeadingWhiteSpace", ReadsAs::Nothing),
                ("ignoreTrailingWhiteSpace", ReadsAs::Nothing),
                ("include_header", ReadsAs::Header),
                ("nullValue", ReadsAs::Null("nullValue")),
                ("quoteAll", ReadsAs::Nothing),
                ("sep", ReadsAs::Option("sep")),
                ("separator", ReadsAs::Option("separator")),
                ("timestampFormat", ReadsAs::Nothing),
            ],
        ),
    ),
    (Format::JsonLines, JSON),
    (
        Format::Json,
        RoundTrip::new(
            JSON.kinds,
            &[
                ("compression", ReadsAs::Nothing),
                ("encoding", ReadsAs::Nothing),
                ("ignoreNullFields", ReadsAs::Nothing),
                ("lineSep", ReadsAs::Nothing),
                ("timeZone", ReadsAs::Nothing),
                ("timestampFormat", ReadsAs::Nothing),
            ],
        ),
    ),
    (
        Format::Parquet,
        RoundTrip::new(JSON.kinds, &[("compression", ReadsAs::Nothing)]),
    ),
];

const JSON: RoundTrip = RoundTrip::new(
    &[
        Kind::Boolean,
        Kind::Integer,
        Kind::Float,
        Kind::Decimal,
        Kind::String,
        Kind::Date,
        Kind::Datetime,
        Kind::Duration,
        Kind::Binary,
        Kind::List,
        Kind::Array,
        Kind::Struct,
        Kind::Map,
    ],
    &[
        ("compression", ReadsAs::Nothing),
        ("ignoreNullFields", ReadsAs::Nothing),
        ("timeZone", ReadsAs::Nothing),
        ("timestampFormat", ReadsAs::Nothing),
    ],
);
