//! Reader and writer options: typed access to `reader_kwargs` and `writer_kwargs`, with clear refusals.

use laktory_core::{Error, ErrorKind, OptionValue, Options, Result};

/// Options of writing files of PARQUET.
pub const PARQUET: &[&str] = &[
    "compression",
    "compression_level",
    "data_page_size",
    "row_group_size",
    "statistics",
];

/// Options of writing tables with a log: those of [`laktory_core::table::WRITE_OPTIONS`], and of their files of PARQUET.
pub const TABLES: &[&str] = &[
    "compression",
    "compression_level",
    "data_page_size",
    "mergeSchema",
    "overwriteSchema",
    "partitionBy",
    "partitionOverwriteMode",
    "replaceWhere",
    "row_group_size",
    "statistics",
    "truncate_ns",
];

/// Options of one read or write.
#[derive(Debug)]
pub struct Given<'a> {
    what: String,
    options: &'a Options,
}

impl<'a> Given<'a> {
    /// The options of `what` (such as `reader option of CSV`), all of which must be `known`.
    ///
    /// # Errors
    /// `InvalidArgument` for an unknown option, with the known ones as hint.
    pub fn new(what: impl Into<String>, options: &'a Options, known: &[&str]) -> Result<Self> {
        let what = what.into();
        if let Some(name) = options.keys().find(|name| !known.contains(&name.as_str())) {
            let hint = match known {
                [] => "it has no options".to_owned(),
                known => format!("known here: {}", listed(known)),
            };
            let message = format!("`{name}` is not a {what}");
            return Err(Error::new(ErrorKind::InvalidArgument, message).with_hint(hint));
        }
        Ok(Self { what, options })
    }

    /// The value of an option; an explicit null counts as not given.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'a OptionValue> {
        let value = self.options.get(name)?;
        (*value != OptionValue::Null).then_some(value)
    }

    /// Whether the option was given, be it as null.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.options.contains_key(name)
    }

    fn wrong(&self, name: &str, wanted: &str) -> Error {
        self.refused(name, format!("takes {wanted}"))
    }

    /// That an option cannot be as it is.
    pub(crate) fn refused(&self, name: &str, why: impl std::fmt::Display) -> Error {
        let message = format!("{} `{name}` {why}", self.what);
        Error::new(ErrorKind::InvalidArgument, message)
    }

    /// A flag.
    ///
    /// # Errors
    /// `InvalidArgument` for anything else.
    pub fn flag(&self, name: &str) -> Result<Option<bool>> {
        self.get(name)
            .map(|value| match value {
                OptionValue::Bool(value) => Ok(*value),
                _ => Err(self.wrong(name, "true or false")),
            })
            .transpose()
    }

    /// A number of things.
    ///
    /// # Errors
    /// `InvalidArgument` for anything else.
    pub fn count(&self, name: &str) -> Result<Option<usize>> {
        self.get(name)
            .map(|value| match value {
                OptionValue::Int(value) => usize::try_from(*value)
                    .map_err(|_| self.wrong(name, "a number that is not negative")),
                _ => Err(self.wrong(name, "a number")),
            })
            .transpose()
    }

    /// A text.
    ///
    /// # Errors
    /// `InvalidArgument` for anything else.
    pub fn text(&self, name: &str) -> Result<Option<&'a str>> {
        self.get(name)
            .map(|value| match value {
                OptionValue::Text(value) => Ok(value.as_str()),
                _ => Err(self.wrong(name, "a text")),
            })
            .transpose()
    }

    /// One character of ASCII.
    ///
    /// # Errors
    /// `InvalidArgument` for anything else.
    pub fn byte(&self, name: &str) -> Result<Option<u8>> {
        self.text(name)?
            .map(|text| match text.as_bytes() {
                b"\\t" => Ok(b'\t'),
                [byte] if byte.is_ascii() => Ok(*byte),
                _ => Err(self.wrong(name, "one ASCII character")),
            })
            .transpose()
    }

    /// A text or a list of texts.
    ///
    /// # Errors
    /// `InvalidArgument` for anything else.
    pub fn texts(&self, name: &str) -> Result<Option<Vec<&'a str>>> {
        let one = |value: &'a OptionValue| match value {
            OptionValue::Text(value) => Ok(value.as_str()),
            _ => Err(self.wrong(name, "a text or a list of texts")),
        };
        self.get(name)
            .map(|value| match value {
                OptionValue::List(values) => values.iter().map(one).collect(),
                value => Ok(vec![one(value)?]),
            })
            .transpose()
    }

    /// One of some texts, in any letter case.
    ///
    /// # Errors
    /// `InvalidArgument` for any other text.
    pub fn one_of<T: Clone>(&self, name: &str, choices: &[(&str, T)]) -> Result<Option<T>> {
        let Some(text) = self.text(name)? else {
            return Ok(None);
        };
        let chosen = choices
            .iter()
            .find(|(choice, _)| choice.eq_ignore_ascii_case(text));
        match chosen {
            Some((_, value)) => Ok(Some(value.clone())),
            None => {
                let names: Vec<&str> = choices.iter().map(|(choice, _)| *choice).collect();
                let message = format!("{} `{name}` cannot be `{text}`", self.what);
                Err(Error::new(ErrorKind::InvalidArgument, message)
                    .with_hint(format!("it takes one of {}", listed(&names))))
            }
        }
    }
}

/// Names in backticks, for messages; at most twenty of them.
#[must_use]
pub fn listed<T: AsRef<str>>(names: &[T]) -> String {
    const SHOWN: usize = 20;
    let mut quoted: Vec<String> = names
        .iter()
        .take(SHOWN)
        .map(|name| format!("`{}`", name.as_ref()))
        .collect();
    if names.len() > SHOWN {
        quoted.push(format!("and {} more", names.len() - SHOWN));
    }
    quoted.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_take_the_options_of_their_files_and_their_own() {
        let own = laktory_core::table::WRITE_OPTIONS;
        let mut both: Vec<&str> = PARQUET.iter().chain(own).copied().collect();
        both.sort_unstable();
        assert_eq!(TABLES, both);
    }
}
