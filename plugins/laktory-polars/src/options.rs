//! Reader and writer options: typed access to `reader_kwargs` and `writer_kwargs`, with clear refusals.

use laktory_core::{Error, ErrorKind, OptionValue, Options, Result};

use crate::error::names;

/// Options of one read or write.
pub(crate) struct Given<'a> {
    what: &'a str,
    options: &'a Options,
}

impl<'a> Given<'a> {
    /// The options of `what` (such as `reader option of CSV`), all of which must be `known`.
    ///
    /// # Errors
    /// `InvalidArgument` for an unknown option, with the known ones as hint.
    pub(crate) fn new(what: &'a str, options: &'a Options, known: &[&str]) -> Result<Self> {
        match options.keys().find(|name| !known.contains(&name.as_str())) {
            Some(name) => {
                let error = Error::new(
                    ErrorKind::InvalidArgument,
                    format!("`{name}` is not a {what}"),
                );
                Err(if known.is_empty() {
                    error.with_hint("it has no options")
                } else {
                    error.with_hint(format!("known here: {}", names(known)))
                })
            }
            None => Ok(Self { what, options }),
        }
    }

    /// The value of an option; an explicit null counts as not given.
    pub(crate) fn get(&self, name: &str) -> Option<&'a OptionValue> {
        self.options
            .get(name)
            .filter(|value| **value != OptionValue::Null)
    }

    /// Whether the option was given, be it as null.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.options.contains_key(name)
    }

    fn refuse<T>(&self, name: &str, wanted: &str) -> Result<T> {
        Err(Error::new(
            ErrorKind::InvalidArgument,
            format!("{} `{name}` takes {wanted}", self.what),
        ))
    }

    /// A flag.
    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>> {
        match self.get(name) {
            None => Ok(None),
            Some(OptionValue::Bool(value)) => Ok(Some(*value)),
            Some(_) => self.refuse(name, "true or false"),
        }
    }

    /// A number of things.
    pub(crate) fn count(&self, name: &str) -> Result<Option<usize>> {
        match self.get(name) {
            None => Ok(None),
            Some(OptionValue::Int(value)) => match usize::try_from(*value) {
                Ok(value) => Ok(Some(value)),
                Err(_) => self.refuse(name, "a number that is not negative"),
            },
            Some(_) => self.refuse(name, "a number"),
        }
    }

    /// A text.
    pub(crate) fn text(&self, name: &str) -> Result<Option<&'a str>> {
        match self.get(name) {
            None => Ok(None),
            Some(OptionValue::Text(value)) => Ok(Some(value)),
            Some(_) => self.refuse(name, "a text"),
        }
    }

    /// One character of ASCII.
    pub(crate) fn byte(&self, name: &str) -> Result<Option<u8>> {
        match self.text(name)? {
            None => Ok(None),
            Some("\\t") => Ok(Some(b'\t')),
            Some(text) => match text.as_bytes() {
                [byte] if byte.is_ascii() => Ok(Some(*byte)),
                _ => self.refuse(name, "one ASCII character"),
            },
        }
    }

    /// One of some texts.
    pub(crate) fn one_of<T: Copy>(&self, name: &str, choices: &[(&str, T)]) -> Result<Option<T>> {
        let Some(text) = self.text(name)? else {
            return Ok(None);
        };
        match choices
            .iter()
            .find(|(choice, _)| choice.eq_ignore_ascii_case(text))
        {
            Some((_, value)) => Ok(Some(*value)),
            None => {
                let choices: Vec<&str> = choices.iter().map(|(choice, _)| *choice).collect();
                Err(Error::new(
                    ErrorKind::InvalidArgument,
                    format!("{} `{name}` cannot be `{text}`", self.what),
                )
                .with_hint(format!("it takes one of {}", names(&choices))))
            }
        }
    }

    /// A text or a list of texts.
    pub(crate) fn texts(&self, name: &str) -> Result<Option<Vec<&'a str>>> {
        match self.get(name) {
            None => Ok(None),
            Some(OptionValue::Text(value)) => Ok(Some(vec![value])),
            Some(OptionValue::List(values)) => values
                .iter()
                .map(|value| match value {
                    OptionValue::Text(value) => Ok(value.as_str()),
                    _ => self.refuse(name, "texts"),
                })
                .collect::<Result<_>>()
                .map(Some),
            Some(_) => self.refuse(name, "a text or a list of texts"),
        }
    }
}
