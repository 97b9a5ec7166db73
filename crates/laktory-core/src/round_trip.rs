//! What comes back when a backend reads what it has written in a format that holds no types of columns.

use crate::dtype::DType;
use crate::spec::{OptionValue, Options, ReadSpec};

/// What comes back of a format, told by its driver: of what is not listed, nothing is known, and nobody relies on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RoundTrip {
    /// Types of columns whose every value comes back as it was, when the type is declared on reading.
    pub kinds: &'static [Kind],
    /// What options of writing mean for reading. Any other option may change what comes back.
    pub options: &'static [(&'static str, ReadsAs)],
}

/// Types of columns that a format treats alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs, reason = "they are named for the types that they hold")]
pub enum Kind {
    Boolean,
    /// Up to 64 bits.
    Integer,
    Float,
    Decimal,
    String,
    Date,
    Time,
    /// Without a zone.
    Datetime,
    ZonedDatetime,
    Duration,
    Binary,
    /// Of any length, of kinds that come back.
    List,
    /// Of one length, of a kind that comes back.
    Array,
    /// Of kinds that come back.
    Struct,
    /// Of kinds that come back.
    Map,
    /// Of nothing but nulls.
    Null,
}

/// What an option of writing means for reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReadsAs {
    /// Reading finds out by itself, or does not see it.
    Nothing,
    /// Reading takes the same value under this name.
    Option(&'static str),
    /// As `Option`, for the text of nulls: texts that are equal to it come back as nulls.
    Null(&'static str),
    /// Whether there is a line of names: [`ReadSpec::has_header`].
    Header,
}

impl RoundTrip {
    /// Kinds of types that come back, and what options of writing mean for reading.
    #[must_use]
    pub const fn new(kinds: &'static [Kind], options: &'static [(&'static str, ReadsAs)]) -> Self {
        Self { kinds, options }
    }

    /// Tells `read` how to read what was written with `options`. Gives an option by which what comes back may be something else.
    pub fn read_back<'a>(&self, options: &'a Options, read: &mut ReadSpec) -> Option<&'a str> {
        let mut lost = None;
        for (name, value) in options {
            let known = self.options.iter().find(|(known, _)| known == name);
            match known.map(|(_, means)| *means) {
                Some(ReadsAs::Nothing) => {}
                Some(ReadsAs::Option(reader) | ReadsAs::Null(reader)) => {
                    read.options.insert(reader.to_owned(), value.clone());
                }
                Some(ReadsAs::Header) => {
                    read.has_header = match value {
                        OptionValue::Text(text) => !text.eq_ignore_ascii_case("false"),
                        value => *value != OptionValue::Bool(false),
                    };
                }
                None => lost = lost.or(Some(name.as_str())),
            }
        }
        lost
    }

    /// Whether every value of a column that is written with `options` comes back.
    #[must_use]
    pub fn keeps(&self, dtype: &DType, options: &Options) -> bool {
        let mut nulls = options.iter().filter(|(name, _)| {
            self.options
                .iter()
                .any(|(known, means)| known == name && matches!(means, ReadsAs::Null(_)))
        });
        let is_ambiguous = nulls.any(|(_, value)| match value {
            OptionValue::Text(null) => may_be_written_as(dtype, null),
            OptionValue::Null => false,
            _ => true,
        });
        self.holds(dtype) && !is_ambiguous
    }

    fn holds(&self, dtype: &DType) -> bool {
        let kind = match dtype {
            DType::Boolean => Kind::Boolean,
            DType::Int8
            | DType::Int16
            | DType::Int32
            | DType::Int64
            | DType::UInt8
            | DType::UInt16
            | DType::UInt32
            | DType::UInt64 => Kind::Integer,
            DType::Float32 | DType::Float64 => Kind::Float,
            // Integers of 128 bits are carried as these.
            DType::Decimal {
                precision: Some(38) | None,
                scale: 0,
            } => return false,
            DType::Decimal { .. } => Kind::Decimal,
            DType::String => Kind::String,
            DType::Date => Kind::Date,
            DType::Time => Kind::Time,
            DType::Datetime { zone: None, .. } => Kind::Datetime,
            DType::Datetime { zone: Some(_), .. } => Kind::ZonedDatetime,
            DType::Duration(_) => Kind::Duration,
            DType::Binary => Kind::Binary,
            DType::Null => Kind::Null,
            DType::List(inner) if self.holds(inner) => Kind::List,
            DType::Array(inner, _) if self.holds(inner) => Kind::Array,
            DType::Map(key, value) if self.holds(key) && self.holds(value) => Kind::Map,
            DType::Struct(fields) if fields.iter().all(|field| self.holds(&field.dtype)) => {
                Kind::Struct
            }
            _ => return false,
        };
        self.kinds.contains(&kind)
    }
}

/// Whether a value of a type may be written as `text`, in some way of writing it.
fn may_be_written_as(dtype: &DType, text: &str) -> bool {
    let text = text.trim();
    match dtype {
        DType::Boolean => ["true", "false"]
            .iter()
            .any(|word| word.eq_ignore_ascii_case(text)),
        DType::Null => false,
        dtype if dtype.is_numeric() => text.replace(',', ".").parse::<f64>().is_ok(),
        DType::Date | DType::Time | DType::Datetime { .. } | DType::Duration(_) => {
            text.contains(|character: char| character.is_ascii_digit())
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Format;

    const CSV: RoundTrip = RoundTrip {
        kinds: &[Kind::Integer, Kind::String, Kind::List],
        options: &[
            ("header", ReadsAs::Header),
            ("level", ReadsAs::Nothing),
            ("null", ReadsAs::Null("nulls")),
            ("separator", ReadsAs::Option("sep")),
        ],
    };

    fn text(text: &str) -> OptionValue {
        OptionValue::Text(text.to_owned())
    }

    #[test]
    fn options_of_writing_are_those_of_reading_by_the_table() {
        let options = Options::from([
            ("header".to_owned(), OptionValue::Bool(false)),
            ("level".to_owned(), OptionValue::Int(3)),
            ("null".to_owned(), text("NA")),
            ("separator".to_owned(), text(";")),
        ]);
        let mut read = ReadSpec::new(Format::Csv, "a.csv");
        assert_eq!(CSV.read_back(&options, &mut read), None);
        let expected = [("nulls", text("NA")), ("sep", text(";"))];
        let expected = expected.map(|(name, value)| (name.to_owned(), value));
        assert_eq!(read.options, Options::from(expected));
        assert!(!read.has_header);
        let other = Options::from([("precision".to_owned(), OptionValue::Int(2))]);
        assert_eq!(CSV.read_back(&other, &mut read), Some("precision"));
    }

    #[test]
    fn a_text_that_stands_for_nulls_is_no_text_any_more() {
        let none = Options::new();
        let nulls = Options::from([("null".to_owned(), text("NA"))]);
        assert!(CSV.keeps(&DType::String, &none) && !CSV.keeps(&DType::String, &nulls));
        assert!(CSV.keeps(&DType::Int8, &nulls) && !CSV.keeps(&DType::Int128, &none));
        assert!(CSV.keeps(&DType::List(Box::new(DType::Int8)), &none));
        assert!(!CSV.keeps(&DType::List(Box::new(DType::Date)), &none));
        for (null, dtype, keeps) in [
            ("0", DType::Int64, false),
            ("-1", DType::Float64, false),
            ("NaN", DType::Float32, false),
            ("NA", DType::Float32, true),
            ("TRUE", DType::Boolean, false),
            ("-", DType::Int16, true),
        ] {
            let nulls = Options::from([("null".to_owned(), text(null))]);
            let all = RoundTrip {
                kinds: &[Kind::Boolean, Kind::Integer, Kind::Float],
                ..CSV
            };
            assert_eq!(all.keeps(&dtype, &nulls), keeps, "{null} for {dtype}");
        }
        assert!(!RoundTrip::default().keeps(&DType::Int8, &none));
    }
}
