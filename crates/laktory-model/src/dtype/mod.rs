//! Texts and mappings of data types: Narwhals' names, the aliases of every dialect, and parametrised forms of SQL.
//!
//! `decimal(10,2)`, `array<string>`, `struct<a:int>`, `List(String)` and `Datetime('us', 'UTC')` are all read, and so is
//! everything that [`DType`] displays as.

mod names;
mod tree;

pub(crate) use tree::{decode, json_schema};

use laktory_core::{DType, Field, TimeUnit};
use laktory_syntax::{FragmentError, did_you_mean};

use self::names::{NAMES, PARAMETRISED, PLAIN};

/// Deepest nesting of types.
const MAX_DEPTH: usize = 32;

/// The type that `text` names. Names are read in any letter case. A timestamp without zone is UTC (R-DT-2);
/// `timestamp_ntz` and `time_zone=None` are local.
///
/// # Errors
/// A fault with its place in `text` when the name is unknown or its parameters are faulty.
pub fn parse_dtype(text: &str) -> Result<DType, FragmentError> {
    let mut parser = Parser {
        text,
        at: 0,
        depth: 0,
    };
    let dtype = parser.dtype()?;
    parser.blanks();
    if parser.at < text.len() {
        return Err(parser.fault("unexpected text after the type"));
    }
    Ok(dtype)
}

/// The text of a type, for dumps: its display form, with names quoted so that any name reads back.
pub(crate) fn text(dtype: &DType) -> String {
    let quoted = |name: &str| format!("'{}'", name.replace('\\', "\\\\").replace('\'', "\\'"));
    match dtype {
        DType::List(inner) => format!("List({})", text(inner)),
        DType::Array(inner, width) => format!("Array({}, {width})", text(inner)),
        DType::Map(key, value) => format!("Map({}, {})", text(key), text(value)),
        DType::Enum(categories) => {
            let categories: Vec<String> = categories.iter().map(|name| quoted(name)).collect();
            format!("Enum([{}])", categories.join(", "))
        }
        DType::Struct(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|field| format!("{}: {}", quoted(&field.name), text(&field.dtype)))
                .collect();
            format!("Struct({{{}}})", fields.join(", "))
        }
        other => other.to_string(),
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

/// One parameter of a type.
enum Parameter {
    Type(DType),
    Number(u64),
    Text(String),
    Texts(Vec<String>),
    Numbers(Vec<u64>),
    Fields(Vec<Field>),
    None,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    fn eat(&mut self, c: char) -> bool {
        self.blanks();
        let found = self.rest().starts_with(c);
        if found {
            self.at += c.len_utf8();
        }
        found
    }

    fn expect(&mut self, c: char) -> Result<(), FragmentError> {
        if self.eat(c) {
            Ok(())
        } else {
            Err(self.fault(format!("expected `{c}`")))
        }
    }

    fn fault(&self, message: impl Into<String>) -> FragmentError {
        let end = self
            .rest()
            .chars()
            .next()
            .map_or(self.at, |c| self.at + c.len_utf8());
        FragmentError::new("dtype", message, self.at..end)
    }

    fn word(&mut self) -> &'a str {
        self.blanks();
        let rest = self.rest();
        let length = rest
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    fn dtype(&mut self) -> Result<DType, FragmentError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.fault("the type nests too deep"));
        }
        self.blanks();
        let start = self.at;
        let mut word = self.word();
        // `nw.Int64`, `pl.Int64`.
        while self.rest().starts_with('.') {
            self.at += 1;
            word = self.word();
        }
        let lower = word.to_ascii_lowercase();
        let dtype = if let Some((_, plain)) = PLAIN.iter().find(|(name, _)| *name == lower) {
            // `varchar(20)`, `Int64()`.
            if self.eat('(') {
                while !self.eat(')') {
                    if self.word().is_empty() {
                        return Err(self.fault("expected `)`"));
                    }
                }
            }
            plain.clone()
        } else if PARAMETRISED.contains(&lower.as_str()) {
            self.parametrised(&lower, start)?
        } else {
            let shown = if word.is_empty() { self.rest() } else { word };
            let end = (start + shown.len()).max(start);
            let mut fault = FragmentError::new(
                "dtype",
                format!("type `{shown}` is not supported"),
                start..end,
            );
            fault.hint = did_you_mean(shown, NAMES.iter().copied());
            return Err(fault);
        };
        self.depth -= 1;
        Ok(dtype)
    }

    fn parametrised(&mut self, name: &str, start: usize) -> Result<DType, FragmentError> {
        if name == "struct" && self.eat('<') {
            return self.fields('>').map(DType::Struct);
        }
        let close = if self.eat('<') {
            Some('>')
        } else if self.eat('(') {
            Some(')')
        } else {
            None
        };
        let mut given = Vec::new();
        if let Some(close) = close {
            while !self.eat(close) {
                given.push(self.parameter()?);
                if !self.eat(',') {
                    self.expect(close)?;
                    break;
                }
            }
        }
        let end = self.at;
        build(name, given).ok_or_else(|| {
            let (needs, example) = match name {
                "list" => ("an inner type", "List(Int64)"),
                "array" => (
                    "an inner type, and a width in Narwhals' form",
                    "Array(Int64, 3)",
                ),
                "struct" => ("fields", "Struct({'a': Int64})"),
                "map" => ("a key and a value type", "map<string, int>"),
                "enum" => ("a list of categories", "Enum(['a', 'b'])"),
                "decimal" | "numeric" => ("a precision of 1 to 38 and a scale", "decimal(38, 2)"),
                _ => (
                    "a time unit (`s`, `ms`, `us`, `ns`) and a zone",
                    "Datetime('us', 'UTC')",
                ),
            };
            FragmentError::new("dtype", format!("type `{name}` takes {needs}"), start..end)
                .hint(format!("for example `{example}`"))
        })
    }

    /// A type, a number, a quoted text, a list, a mapping of fields, or `name=` with one of these.
    fn parameter(&mut self) -> Result<Parameter, FragmentError> {
        self.blanks();
        let rest = self.rest();
        if rest.starts_with(['\'', '"']) {
            return self.quoted().map(Parameter::Text);
        }
        if rest.starts_with('{') {
            self.at += 1;
            return self.fields('}').map(Parameter::Fields);
        }
        if rest.starts_with(['[', '(']) {
            return self.list();
        }
        let start = self.at;
        let word = self.word();
        if !word.is_empty() && self.eat('=') {
            return self.parameter();
        }
        if let Ok(number) = word.parse() {
            return Ok(Parameter::Number(number));
        }
        if word == "None" {
            return Ok(Parameter::None);
        }
        if TimeUnit::parse(word).is_some() || self.rest().starts_with('/') {
            let zone = self.rest();
            let length = zone
                .find(|c: char| !(c.is_alphanumeric() || "/_+-".contains(c)))
                .unwrap_or(zone.len());
            self.at += length;
            return Ok(Parameter::Text(self.text[start..self.at].to_owned()));
        }
        if word == "UTC" {
            return Ok(Parameter::Text(word.to_owned()));
        }
        self.at = start;
        self.dtype().map(Parameter::Type)
    }

    fn list(&mut self) -> Result<Parameter, FragmentError> {
        let close = if self.eat('[') {
            ']'
        } else {
            self.expect('(')?;
            ')'
        };
        let (mut texts, mut numbers) = (Vec::new(), Vec::new());
        while !self.eat(close) {
            match self.parameter()? {
                Parameter::Text(text) => texts.push(text),
                Parameter::Number(number) => numbers.push(number),
                _ => return Err(self.fault("expected texts or numbers")),
            }
            if !self.eat(',') {
                self.expect(close)?;
                break;
            }
        }
        Ok(if numbers.is_empty() {
            Parameter::Texts(texts)
        } else {
            Parameter::Numbers(numbers)
        })
    }

    fn quoted(&mut self) -> Result<String, FragmentError> {
        let start = self.at;
        let quote = self.rest().chars().next().unwrap_or('\'');
        self.at += quote.len_utf8();
        let mut out = String::new();
        let mut escaped = false;
        for c in self.rest().chars() {
            self.at += c.len_utf8();
            match c {
                _ if escaped => {
                    out.push(c);
                    escaped = false;
                }
                '\\' => escaped = true,
                c if c == quote => return Ok(out),
                c => out.push(c),
            }
        }
        self.at = start;
        Err(self.fault("the quote is not closed"))
    }

    /// `a: int, b: string` up to `close`.
    fn fields(&mut self, close: char) -> Result<Vec<Field>, FragmentError> {
        let mut fields = Vec::new();
        while !self.eat(close) {
            self.blanks();
            let name = if self.rest().starts_with(['\'', '"', '`']) {
                self.quoted()?
            } else {
                let word = self.word();
                if word.is_empty() {
                    return Err(self.fault("expected the name of a field"));
                }
                word.to_owned()
            };
            self.expect(':')?;
            fields.push(Field::new(name, self.dtype()?));
            if !self.eat(',') {
                self.expect(close)?;
                break;
            }
        }
        Ok(fields)
    }
}

/// The parametrised type `name`; none when the parameters do not fit.
fn build(name: &str, given: Vec<Parameter>) -> Option<DType> {
    use Parameter as P;
    let utc = || Some("UTC".to_owned());
    let mut given = given.into_iter();
    let dtype = match (name, given.next(), given.next()) {
        // 9.99 would be 10.
        ("decimal" | "numeric", None, None) => return None,
        ("decimal" | "numeric", precision, scale) => {
            let number = |parameter: Option<P>, otherwise| match parameter {
                None => Some(otherwise),
                Some(P::None) => Some(None),
                Some(P::Number(number)) => u8::try_from(number).ok().map(Some),
                Some(_) => None,
            };
            let precision = number(precision, None)?;
            let scale = number(scale, Some(0))?.unwrap_or(0);
            if precision
                .is_some_and(|precision| !(1..=38).contains(&precision) || scale > precision)
            {
                return None;
            }
            DType::Decimal { precision, scale }
        }
        ("datetime" | "timestamp" | "timestamp_ltz" | "timestamp_ntz", unit, zone) => {
            let (unit, zone) = match (unit, zone) {
                (None, _) => (TimeUnit::default(), utc()),
                (Some(P::Text(unit)), zone) => {
                    let zone = match zone {
                        None => utc(),
                        Some(P::None) => None,
                        Some(P::Text(zone)) => Some(zone),
                        Some(_) => return None,
                    };
                    (TimeUnit::parse(&unit)?, zone)
                }
                _ => return None,
            };
            let zone = if name == "timestamp_ntz" { None } else { zone };
            DType::Datetime { unit, zone }
        }
        ("duration" | "interval", unit, None) => match unit {
            None => DType::Duration(TimeUnit::default()),
            Some(P::Text(unit)) => DType::Duration(TimeUnit::parse(&unit)?),
            Some(_) => return None,
        },
        ("list", Some(P::Type(inner)), None) | ("array", Some(P::Type(inner)), None) => {
            DType::List(Box::new(inner))
        }
        ("array", Some(P::Type(inner)), Some(shape)) => match shape {
            P::Number(width) => array(inner, &[width])?,
            P::Numbers(widths) => array(inner, &widths)?,
            _ => return None,
        },
        ("struct", Some(P::Fields(fields)), None) => DType::Struct(fields),
        ("map", Some(P::Type(key)), Some(P::Type(value))) => {
            DType::Map(Box::new(key), Box::new(value))
        }
        ("enum", Some(P::Texts(categories)), None) => DType::Enum(categories),
        _ => return None,
    };
    given.next().is_none().then_some(dtype)
}

/// Arrays of arrays, outermost width first.
fn array(inner: DType, widths: &[u64]) -> Option<DType> {
    widths.iter().rev().try_fold(inner, |inner, width| {
        Some(DType::Array(Box::new(inner), usize::try_from(*width).ok()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn section_14_2_aliases_and_parametrised_texts() {
        let list = |inner| DType::List(Box::new(inner));
        let utc = DType::Datetime {
            unit: TimeUnit::Microsecond,
            zone: Some("UTC".to_owned()),
        };
        for (text, dtype) in [
            ("bigint", DType::Int64),
            ("INTEGER", DType::Int32),
            ("varchar(20)", DType::String),
            ("nw.Int64", DType::Int64),
            (
                "decimal(10,2)",
                DType::Decimal {
                    precision: Some(10),
                    scale: 2,
                },
            ),
            ("array<string>", list(DType::String)),
            ("array<array<int>>", list(list(DType::Int32))),
            ("List(String)", list(DType::String)),
            ("Array(Int64, 3)", DType::Array(Box::new(DType::Int64), 3)),
            (
                "struct<a:int,b:array<string>>",
                DType::Struct(vec![
                    Field::new("a", DType::Int32),
                    Field::new("b", list(DType::String)),
                ]),
            ),
            (
                "map<string,int>",
                DType::Map(Box::new(DType::String), Box::new(DType::Int32)),
            ),
            ("timestamp", utc.clone()),
            ("Datetime('us', 'UTC')", utc),
            (
                "Datetime(time_unit='ms', time_zone=None)",
                DType::Datetime {
                    unit: TimeUnit::Millisecond,
                    zone: None,
                },
            ),
            (
                "Datetime(us, Europe/Paris)",
                DType::Datetime {
                    unit: TimeUnit::Microsecond,
                    zone: Some("Europe/Paris".to_owned()),
                },
            ),
            ("timestamp_ntz", DType::datetime()),
            (
                "Enum(['a', 'b'])",
                DType::Enum(vec!["a".to_owned(), "b".to_owned()]),
            ),
            ("time", DType::Time),
        ] {
            assert_eq!(parse_dtype(text), Ok(dtype), "{text}");
        }
    }

    #[test]
    fn r_dt_3_display_parses_back() {
        let mut all: Vec<DType> = PLAIN.iter().map(|(_, dtype)| dtype.clone()).collect();
        all.extend([
            DType::datetime(),
            DType::Struct(vec![
                Field::new("a b", DType::Duration(TimeUnit::Nanosecond)),
                Field::new(
                    "b",
                    DType::Array(Box::new(DType::Array(Box::new(DType::Int8), 2)), 3),
                ),
            ]),
            DType::Decimal {
                precision: None,
                scale: 3,
            },
            DType::Enum(vec!["x\"y".to_owned()]),
            DType::Map(Box::new(DType::String), Box::new(DType::Binary)),
        ]);
        for dtype in all {
            assert_eq!(parse_dtype(&dtype.to_string()), Ok(dtype.clone()));
            assert_eq!(parse_dtype(&text(&dtype)), Ok(dtype));
        }
        let odd = DType::Struct(vec![
            Field::new(
                "it's \\ \n",
                DType::Enum(vec!["'".to_owned(), String::new()]),
            ),
            Field::new("", DType::List(Box::new(DType::String))),
        ]);
        assert_eq!(parse_dtype(&text(&odd)), Ok(odd));
    }

    #[test]
    fn e21_unknown_types_suggest_a_name() {
        let fault = parse_dtype("array<strng>").expect_err("unknown");
        assert_eq!(fault.message, "type `strng` is not supported");
        assert_eq!(fault.range, 6..11);
        assert_eq!(fault.hint.as_deref(), Some("did you mean `String`?"));
        for text in [
            "",
            "list",
            "list<",
            "decimal(99,1)",
            "decimal",
            "array<Decimal>",
            "struct<a>",
            "List(Int64",
            "int64 x",
            "Datetime('xx')",
        ] {
            assert!(parse_dtype(text).is_err(), "{text}");
        }
        assert!(parse_dtype(&"list<".repeat(5000)).is_err());
    }
}
