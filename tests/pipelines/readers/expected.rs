//! What a reader must see of a value, by the format and the options that it was written with.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// A column of the rows: its name, its kind, and what readers of JSON are told of it.
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Integer,
    Float,
    Text,
    Boolean,
    Date,
    Datetime,
    Decimal,
    Integers,
    Pair,
}

pub(super) const COLUMNS: &[Column] = &[
    column("i", Kind::Integer),
    column("f", Kind::Float),
    column("s", Kind::Text),
    column("b", Kind::Boolean),
    column("d", Kind::Date),
    column("t", Kind::Datetime),
    column("m", Kind::Decimal),
    column("l", Kind::Integers),
    column("r", Kind::Pair),
];

const fn column(name: &'static str, kind: Kind) -> Column {
    Column { name, kind }
}

impl Kind {
    pub(super) fn is_nested(self) -> bool {
        matches!(self, Self::Integers | Self::Pair)
    }

    /// What readers of JSON are told: dates are texts there, decimals too where they are not numbers.
    fn told(self, decimals: &'static str) -> &'static str {
        match self {
            Self::Decimal => decimals,
            Self::Integer => "int",
            Self::Float => "float",
            Self::Boolean => "bool",
            Self::Integers => "ints",
            Self::Pair => "pair",
            Self::Text | Self::Date | Self::Datetime => "text",
        }
    }
}

/// How a file was written.
pub(super) struct Form {
    pub(super) format: &'static str,
    options: BTreeMap<String, Value>,
    /// What decimals are in JSON.
    decimals: &'static str,
}

impl Form {
    /// # Errors
    /// When the options are no mapping.
    pub(super) fn new(
        format: &'static str,
        options: &str,
        decimals: &'static str,
    ) -> Result<Self, String> {
        let options = serde_saphyr::from_str(&format!("{{{options}}}"));
        let options = options.map_err(|error| error.to_string())?;
        Ok(Self {
            format,
            options,
            decimals,
        })
    }

    fn text(&self, names: &[&str]) -> Option<&str> {
        let mut values = names.iter().filter_map(|name| self.options.get(*name));
        values.next()?.as_str()
    }

    fn flag(&self, names: &[&str]) -> Option<bool> {
        let mut values = names.iter().filter_map(|name| self.options.get(*name));
        values.next()?.as_bool()
    }

    pub(super) fn columns(&self) -> impl Iterator<Item = &'static Column> {
        let format = self.format;
        COLUMNS
            .iter()
            .filter(move |column| match (format, column.kind) {
                ("ORC", Kind::Decimal | Kind::Datetime) => false,
                ("CSV" | "ORC", kind) => !kind.is_nested(),
                _ => true,
            })
    }

    /// The request for what a reader sees in a file.
    pub(super) fn request(&self, reader: &str, path: &str) -> Value {
        let columns: serde_json::Map<String, Value> = self
            .columns()
            .map(|column| {
                (
                    column.name.to_owned(),
                    column.kind.told(self.decimals).into(),
                )
            })
            .collect();
        let compression = self.text(&["compression"]);
        let encoding = self.text(&["encoding"]).unwrap_or("utf8");
        json!({
            "reader": reader,
            "format": self.format,
            "path": path,
            "columns": columns,
            "separator": self.text(&["separator", "sep", "delimiter"]).unwrap_or(","),
            "quote": self.text(&["quote_char", "quote"]).unwrap_or("\""),
            "escape": self.text(&["escape"]),
            "newline": self.text(&["line_terminator", "lineSep"]).unwrap_or("\n"),
            "header": self.flag(&["include_header", "header"]).unwrap_or(true),
            "null": self.text(&["null_value", "nullValue"]).unwrap_or(""),
            "encoding": encoding,
            "compression": compression.filter(|name| !matches!(*name, "uncompressed" | "none")),
        })
    }

    /// Whether what a reader saw is what was written.
    pub(super) fn is_same(&self, kind: Kind, wanted: &Value, found: &Value) -> bool {
        match self.format {
            "CSV" => self.is_same_field(kind, wanted, found),
            "JSON" | "JSONL" => self.is_same_text(kind, wanted, found),
            _ => is_same_typed(kind, wanted, found),
        }
    }

    fn is_same_field(&self, kind: Kind, wanted: &Value, found: &Value) -> bool {
        let Some(text) = found.as_str() else {
            return wanted.is_null() && found.is_null();
        };
        match (kind, wanted) {
            // Where everything is quoted, nothing tells an empty text from a null.
            (_, Value::Null) => text.is_empty() && self.is_all_quoted(),
            (Kind::Integer | Kind::Boolean, wanted) => {
                let shown = wanted.to_string();
                shown == text
            }
            (Kind::Float, wanted) => {
                let comma = self.flag(&["decimal_comma"]).unwrap_or(false);
                let text = match comma {
                    true => text.replace(',', "."),
                    false => text.to_owned(),
                };
                let wanted = wanted.as_f64();
                match self.options.get("float_precision").and_then(Value::as_u64) {
                    Some(digits) => {
                        let digits = usize::try_from(digits).unwrap_or(0);
                        wanted.is_some_and(|wanted| format!("{wanted:.digits$}") == text)
                    }
                    None => text.parse().ok() == wanted,
                }
            }
            (Kind::Text, wanted) => {
                let mut wanted = wanted.as_str().unwrap_or_default();
                if self.flag(&["ignoreLeadingWhiteSpace"]) == Some(true) {
                    wanted = wanted.trim_start();
                }
                if self.flag(&["ignoreTrailingWhiteSpace"]) == Some(true) {
                    wanted = wanted.trim_end();
                }
                match (wanted, self.text(&["emptyValue"])) {
                    ("", Some(empty)) => text == empty,
                    _ => text == wanted,
                }
            }
            (Kind::Decimal, wanted) => {
                let comma = self.flag(&["decimal_comma"]).unwrap_or(false);
                let text = match comma {
                    true => text.replace(',', "."),
                    false => text.to_owned(),
                };
                wanted.as_str() == Some(text.as_str())
            }
            (_, wanted) => self.is_same_time(kind, wanted, text),
        }
    }

    fn is_all_quoted(&self) -> bool {
        self.flag(&["quoteAll"]).unwrap_or(false)
            || matches!(self.text(&["quote_style"]), Some("always" | "non_numeric"))
    }

    /// Whether a text is a date or datetime, in the pattern of the options.
    fn is_same_time(&self, kind: Kind, wanted: &Value, text: &str) -> bool {
        let wanted = wanted.as_str().unwrap_or_default();
        let names: &[&str] = match kind {
            Kind::Date => &["date_format", "dateFormat"],
            _ => &["datetime_format", "timestampNTZFormat"],
        };
        match self.text(names) {
            Some(pattern) => written(pattern, wanted) == text,
            None => normal(wanted) == normal(text),
        }
    }

    fn is_same_text(&self, kind: Kind, wanted: &Value, found: &Value) -> bool {
        match (kind, wanted) {
            (_, Value::Null) => found.is_null(),
            (Kind::Date | Kind::Datetime, wanted) => found
                .as_str()
                .is_some_and(|text| self.is_same_time(kind, wanted, text)),
            // A number of JSON has no scale.
            (Kind::Decimal, wanted) => {
                let text = |value: &Value| value.as_str()?.parse::<f64>().ok();
                let found = text(found.get("number").unwrap_or(found));
                found.is_some() && found == text(wanted)
            }
            (kind, wanted) => is_same_typed(kind, wanted, found),
        }
    }
}

/// A value of a reader that knows types.
fn is_same_typed(kind: Kind, wanted: &Value, found: &Value) -> bool {
    let number = |found: &Value| Some(found.get("number")?.as_str()?.to_owned());
    match (kind, wanted) {
        (_, Value::Null) => found.is_null(),
        (Kind::Integer, wanted) => number(found) == Some(wanted.to_string()),
        (Kind::Float, wanted) => {
            let found = number(found).and_then(|text| text.parse::<f64>().ok());
            found.is_some() && found == wanted.as_f64()
        }
        (Kind::Decimal, wanted) => number(found).as_deref() == wanted.as_str(),
        (Kind::Text | Kind::Boolean | Kind::Date, wanted) => wanted == found,
        (Kind::Datetime, wanted) => match (wanted.as_str(), found.as_str()) {
            (Some(wanted), Some(found)) => normal(wanted) == normal(found),
            _ => false,
        },
        (Kind::Integers, Value::Array(wanted)) => found.as_array().is_some_and(|found| {
            let same = |(wanted, found)| is_same_typed(Kind::Integer, wanted, found);
            wanted.len() == found.len() && wanted.iter().zip(found).all(same)
        }),
        (Kind::Pair, wanted) => {
            let Some(fields) = found.get("fields").and_then(Value::as_array) else {
                return false;
            };
            let same = |(name, kind): (&str, Kind)| {
                let mut fields = fields.iter();
                let field = fields.find(|field| field[0] == name);
                field.is_some_and(|field| is_same_typed(kind, &wanted[name], &field[1]))
            };
            fields.len() == 2
                && [("u", Kind::Integer), ("v", Kind::Text)]
                    .into_iter()
                    .all(same)
        }
        (Kind::Integers, _) => false,
    }
}

/// A datetime without what can be written in several ways.
fn normal(text: &str) -> String {
    let text = text.replacen('T', " ", 1);
    match text.split_once('.') {
        Some((whole, part)) => {
            let part = part.trim_end_matches('0');
            let point = if part.is_empty() { "" } else { "." };
            format!("{whole}{point}{part}")
        }
        None => text,
    }
}

/// A date or datetime in a pattern, in the letters of strftime or of Java.
fn written(pattern: &str, iso: &str) -> String {
    let part = |from: usize, to: usize| iso.get(from..to).unwrap_or("00");
    [
        ("%Y", part(0, 4)),
        ("%m", part(5, 7)),
        ("%d", part(8, 10)),
        ("%H", part(11, 13)),
        ("%M", part(14, 16)),
        ("yyyy", part(0, 4)),
        ("MM", part(5, 7)),
        ("dd", part(8, 10)),
        ("HH", part(11, 13)),
        ("mm", part(14, 16)),
        ("'", ""),
    ]
    .iter()
    .fold(pattern.to_owned(), |text, (letters, digits)| {
        text.replace(letters, digits)
    })
}
