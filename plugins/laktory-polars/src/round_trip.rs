//! What comes back of the text formats when this driver reads what it has written.

use laktory_core::{Format, Kind, ReadsAs, RoundTrip};
use laktory_formats::round_trip::{JSON, PACKED};

/// The formats that are read back with declared types.
pub(crate) const ROUND_TRIPS: &[(Format, RoundTrip)] = &[
    (
        Format::Csv,
        RoundTrip::new(
            &[
                Kind::Boolean,
                Kind::Integer,
                Kind::Float,
                Kind::Decimal,
                Kind::String,
                Kind::Date,
                Kind::Time,
                Kind::Datetime,
                Kind::ZonedDatetime,
                Kind::Null,
            ],
            &[
                ("batch_size", ReadsAs::Nothing),
                ("compression", ReadsAs::Nothing),
                ("compression_level", ReadsAs::Nothing),
                ("float_scientific", ReadsAs::Nothing),
                ("include_bom", ReadsAs::Nothing),
                ("include_header", ReadsAs::Header),
                ("null_value", ReadsAs::Null("null_values")),
                ("quote_char", ReadsAs::Option("quote_char")),
                ("separator", ReadsAs::Option("separator")),
            ],
        ),
    ),
    (Format::JsonLines, RoundTrip::new(JSON, PACKED)),
    (Format::Json, RoundTrip::new(JSON, PACKED)),
    (Format::Text, laktory_formats::round_trip::TEXT),
];
