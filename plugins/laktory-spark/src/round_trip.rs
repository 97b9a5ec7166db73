//! What comes back of the text formats when this driver reads what it has written. Texts are not among it: Spark's writer
//! trims them, and its readers take an empty one for a null.

use laktory_core::{Format, Kind, ReadsAs, RoundTrip};

/// The formats that are read back with declared types.
pub(crate) const ROUND_TRIPS: &[(Format, RoundTrip)] = &[(
    Format::Csv,
    RoundTrip {
        kinds: &[Kind::Boolean, Kind::Integer, Kind::Date],
        options: &[
            ("compression", ReadsAs::Nothing),
            ("delimiter", ReadsAs::Option("delimiter")),
            ("header", ReadsAs::Option("header")),
            ("include_header", ReadsAs::Header),
            ("nullValue", ReadsAs::Null("nullValue")),
            ("quote", ReadsAs::Option("quote")),
            ("sep", ReadsAs::Option("sep")),
            ("separator", ReadsAs::Option("separator")),
        ],
    },
)];
