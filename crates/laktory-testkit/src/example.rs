//! Values of examples as those of cases: types are told from how values are written.

use laktory_syntax::reference::example_values;
use serde_json::{Value, json};

/// What is known of a type from values.
#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Null,
    Plain(String),
    List(Box<Kind>),
    Struct(Vec<(String, Kind)>),
    Map(Box<Kind>, Box<Kind>),
}

/// The type text of values, and the values; `dtype` is the type where it is written.
pub(crate) fn typed(dtype: Option<&str>, values: &[&str]) -> Result<(String, Vec<Value>), String> {
    let mut kind = Kind::Null;
    let mut read = Vec::with_capacity(values.len());
    for text in values {
        let (found, value) = value(text)?;
        kind = kind
            .with(found)
            .ok_or_else(|| format!("`{text}` is of another type"))?;
        read.push(value);
    }
    let text = match dtype {
        Some(dtype) => dtype.to_owned(),
        None => kind.text(),
    };
    Ok((text, read))
}

impl Kind {
    fn plain(name: &str) -> Self {
        Self::Plain(name.to_owned())
    }

    /// The type of both.
    fn with(self, other: Self) -> Option<Self> {
        Some(match (self, other) {
            (Self::Null, kind) | (kind, Self::Null) => kind,
            (Self::List(a), Self::List(b)) => Self::List(Box::new(a.with(*b)?)),
            (Self::Map(a, b), Self::Map(c, d)) => {
                Self::Map(Box::new(a.with(*c)?), Box::new(b.with(*d)?))
            }
            (Self::Struct(a), Self::Struct(b)) if a.len() == b.len() => {
                let members = a.into_iter().zip(b);
                let members = members.map(|((name, a), (_, b))| Some((name, a.with(b)?)));
                Self::Struct(members.collect::<Option<_>>()?)
            }
            (a, b) if a == b => a,
            (a, b) if [&a, &b].iter().all(|kind| kind.is_number()) => Self::plain("float64"),
            _ => return None,
        })
    }

    fn is_number(&self) -> bool {
        matches!(self, Self::Plain(name) if name == "int64" || name == "float64")
    }

    fn text(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Plain(name) => name.clone(),
            Self::List(item) => format!("list<{}>", item.text()),
            Self::Struct(members) => {
                let members: Vec<String> = members
                    .iter()
                    .map(|(name, kind)| format!("{name}:{}", kind.text()))
                    .collect();
                format!("struct<{}>", members.join(","))
            }
            Self::Map(key, value) => format!("map<{},{}>", key.text(), value.text()),
        }
    }
}

fn value(text: &str) -> Result<(Kind, Value), String> {
    let wrong = || format!("`{text}` is no value");
    if let Some(inner) = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        let (mut kind, mut items) = (Kind::Null, Vec::new());
        for item in example_values(inner, ',') {
            let (found, item) = value(item)?;
            kind = kind.with(found).ok_or_else(wrong)?;
            items.push(item);
        }
        return Ok((Kind::List(Box::new(kind)), items.into()));
    }
    if let Some(inner) = text
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
    {
        return members(inner).ok_or_else(wrong)?;
    }
    if let Some(inner) = text
        .strip_prefix('\'')
        .and_then(|rest| rest.strip_suffix('\''))
    {
        return Ok((Kind::plain("string"), inner.replace("''", "'").into()));
    }
    if let Some((instant, zone)) = text.strip_suffix(']').and_then(|text| text.split_once('[')) {
        return Ok((Kind::Plain(format!("datetime[us, {zone}]")), instant.into()));
    }
    Ok(match text {
        "null" => (Kind::Null, Value::Null),
        "true" | "false" => (Kind::plain("boolean"), (text == "true").into()),
        "nan" | "inf" | "-inf" => (Kind::plain("float64"), json!({ "f": text })),
        _ if text.starts_with("PT") => {
            let micros = duration(text).ok_or_else(wrong)?;
            (Kind::plain("duration[us]"), micros.into())
        }
        _ => match text.parse::<i64>() {
            Ok(number) => (Kind::plain("int64"), number.into()),
            Err(_) => match text.parse::<f64>() {
                Ok(number) => (Kind::plain("float64"), number.into()),
                Err(_) => (Kind::plain(temporal(text).ok_or_else(wrong)?), text.into()),
            },
        },
    })
}

/// The type of a date or time in ISO form.
fn temporal(text: &str) -> Option<&'static str> {
    let digits = |text: &str| {
        !text.is_empty()
            && text
                .chars()
                .all(|c| c.is_ascii_digit() || "-:.".contains(c))
    };
    match text.split_once('T') {
        Some((day, time)) if digits(day) && digits(time) => Some("datetime[us]"),
        None if !digits(text) => None,
        None if text.contains(':') => Some("time"),
        None if text.len() == 10 => Some("date"),
        _ => None,
    }
}

/// Microseconds of `PT1H30M5.5S`.
fn duration(text: &str) -> Option<i64> {
    let mut rest = text.strip_prefix("PT")?;
    let mut micros = 0.0;
    while !rest.is_empty() {
        let at = rest.find(|char: char| char.is_ascii_alphabetic())?;
        let count: f64 = rest[..at].parse().ok()?;
        micros += count
            * match &rest[at..=at] {
                "H" => 3.6e9,
                "M" => 6e7,
                "S" => 1e6,
                _ => return None,
            };
        rest = &rest[at + 1..];
    }
    #[allow(clippy::cast_possible_truncation, reason = "examples are short")]
    Some(micros.round() as i64)
}

/// Members of a struct, or pairs of a map, whose keys are in quotes.
fn members(inner: &str) -> Option<Result<(Kind, Value), String>> {
    let mut fields: Vec<(String, Kind)> = Vec::new();
    let mut object = serde_json::Map::new();
    let mut pairs = Vec::new();
    let mut map = (Kind::Null, Kind::Null);
    for member in example_values(inner, ',') {
        let (name, text) = member.split_once(": ")?;
        let (kind, found) = match value(text) {
            Ok(found) => found,
            Err(error) => return Some(Err(error)),
        };
        if name.starts_with('\'') {
            let (key_kind, key) = value(name).ok()?;
            map = (map.0.with(key_kind)?, map.1.with(kind)?);
            pairs.push(json!([key, found]));
        } else {
            object.insert(name.to_owned(), found);
            fields.push((name.to_owned(), kind));
        }
    }
    Some(Ok(match fields.is_empty() {
        true => (Kind::Map(Box::new(map.0), Box::new(map.1)), pairs.into()),
        false => (Kind::Struct(fields), object.into()),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_told_from_values() {
        let told = |values: &[&str]| typed(None, values).unwrap().0;
        assert_eq!(told(&["1", "null"]), "int64");
        assert_eq!(told(&["1", "2.5"]), "float64");
        assert_eq!(told(&["'a'"]), "string");
        assert_eq!(told(&["2024-01-31"]), "date");
        assert_eq!(told(&["2024-01-31T10:00:00"]), "datetime[us]");
        assert_eq!(told(&["10:30:00"]), "time");
        assert_eq!(told(&["PT1H30M"]), "duration[us]");
        assert_eq!(told(&["[]", "[1]"]), "list<int64>");
        assert_eq!(
            told(&["{a: 1, b: null}", "{a: 1, b: 'x'}"]),
            "struct<a:int64,b:string>"
        );
        assert_eq!(told(&["{'k': 1}"]), "map<string,int64>");
        assert_eq!(
            told(&["2024-07-01T12:00:00+02:00[Europe/Paris]"]),
            "datetime[us, Europe/Paris]"
        );
        assert_eq!(duration("PT1M30.5S"), Some(90_500_000));
        assert!(typed(None, &["1", "'a'"]).is_err());
        assert!(typed(None, &["soon"]).is_err());
    }
}
