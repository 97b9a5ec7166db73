//! What functions take and give, as the function table says it.
//!
//! A signature is a list of forms, `takes > gives`. Words of `takes` are classes of types, one for each expression that
//! the function is applied to; `*` behind a word takes any number of them, `?` one or none. Null fits everywhere. Where a
//! rule decides what comes out, words in parentheses tell readers: `any any > rule (bool)`.

use std::fmt;
use std::sync::LazyLock;

use crate::dtype::{DType, TimeUnit};
use crate::expr::Arg;
use crate::functions::Func;

use super::common::{is_temporal, is_text};

/// The forms of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    text: &'static str,
    forms: Vec<Form>,
}

impl Signature {
    /// The signature of a function.
    #[must_use]
    pub fn of(func: Func) -> &'static Self {
        &TABLE[func as usize]
    }

    /// Whether a call gives 64-bit integers whatever it is applied to: counts, positions, parts of dates. Many engines
    /// give others.
    #[must_use]
    pub fn counts(func: Func, args: &[Arg]) -> bool {
        if func == Func::Rank {
            return !matches!(args.get(1), Some(Arg::Str(method)) if method == "average");
        }
        let mut forms = Self::of(func).forms.iter();
        forms.all(|form| form.gives == Gives::Fixed(DType::Int64))
    }

    pub(super) fn forms(&self) -> &[Form] {
        &self.forms
    }
}

impl fmt::Display for Signature {
    /// As the table has it: `int > int64; number > float`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text)
    }
}

static TABLE: LazyLock<Vec<Signature>> = LazyLock::new(|| {
    Func::all()
        .map(|def| {
            let text = def.signature;
            Signature {
                text,
                forms: text.split(';').filter_map(Form::parse).collect(),
            }
        })
        .collect()
});

/// One way to call a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) takes: Vec<Taken>,
    pub(super) gives: Gives,
}

impl Form {
    fn parse(text: &'static str) -> Option<Self> {
        let (takes, gives) = text.split_once('>')?;
        let takes = takes.split_whitespace().map(Taken::parse);
        Some(Self {
            takes: takes.collect::<Option<_>>()?,
            gives: Gives::parse(gives.trim())?,
        })
    }
}

/// What stands at one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) class: Class,
    pub(super) several: bool,
}

impl Taken {
    fn parse(word: &str) -> Option<Self> {
        let class = word.trim_end_matches(['*', '?']);
        let (_, class) = CLASSES.iter().find(|(name, _)| *name == class)?;
        Some(Self {
            class: *class,
            several: word.ends_with('*'),
        })
    }
}

/// A class of types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Any,
    Number,
    Int,
    Float,
    Bool,
    Text,
    Date,
    Time,
    Datetime,
    Duration,
    /// A number, a boolean, or a point or span of time.
    Measure,
    List,
    Struct,
    Map,
}

const CLASSES: &[(&str, Class)] = &[
    ("any", Class::Any),
    ("number", Class::Number),
    ("int", Class::Int),
    ("float", Class::Float),
    ("bool", Class::Bool),
    ("text", Class::Text),
    ("date", Class::Date),
    ("time", Class::Time),
    ("datetime", Class::Datetime),
    ("duration", Class::Duration),
    ("measure", Class::Measure),
    ("list", Class::List),
    ("struct", Class::Struct),
    ("map", Class::Map),
];

impl Class {
    /// Whether a type is of the class. What is not known is of every class.
    pub(super) fn has(self, dtype: &DType) -> bool {
        if matches!(dtype, DType::Null | DType::Unknown) {
            return true;
        }
        match self {
            Self::Any => true,
            Self::Number => dtype.is_numeric(),
            Self::Int => dtype.is_integer(),
            Self::Float => dtype.is_float(),
            Self::Bool => *dtype == DType::Boolean,
            Self::Text => is_text(dtype),
            Self::Date => *dtype == DType::Date,
            Self::Time => *dtype == DType::Time,
            Self::Datetime => matches!(dtype, DType::Datetime { .. }),
            Self::Duration => matches!(dtype, DType::Duration(_)),
            Self::Measure => dtype.is_numeric() || *dtype == DType::Boolean || is_temporal(dtype),
            Self::List => matches!(dtype, DType::List(_) | DType::Array(..)),
            Self::Struct => matches!(dtype, DType::Struct(_)),
            Self::Map => dtype.map_value().is_some(),
        }
    }

    /// The type of the class that values without any type have: engines without a null of every type take no other.
    pub(super) fn of_nulls(self) -> Option<DType> {
        match self {
            Self::Bool => Some(DType::Boolean),
            Self::Text => Some(DType::String),
            Self::Date => Some(DType::Date),
            Self::Time => Some(DType::Time),
            Self::Datetime => Some(DType::datetime()),
            Self::Duration => Some(DType::Duration(TimeUnit::Microsecond)),
            _ => None,
        }
    }

    /// The word of the table.
    pub(super) fn name(self) -> &'static str {
        let mut known = CLASSES.iter();
        known
            .find(|(_, class)| *class == self)
            .map_or("", |(name, _)| name)
    }
}

/// What comes out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Gives {
    /// This type.
    Fixed(DType),
    /// The type of the first value.
    First,
    /// The type in which all values meet.
    Common,
    /// A 32-bit float of 32-bit floats, else a 64-bit one.
    Float,
    /// Decided by a rule of its own, which is told by the function.
    Rule,
}

impl Gives {
    fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "first" => Self::First,
            "common" => Self::Common,
            "float" => Self::Float,
            rule if rule.starts_with("rule") => Self::Rule,
            "bool" => Self::Fixed(DType::Boolean),
            "int64" => Self::Fixed(DType::Int64),
            "float64" => Self::Fixed(DType::Float64),
            "text" => Self::Fixed(DType::String),
            "texts" => Self::Fixed(DType::List(Box::new(DType::String))),
            "date" => Self::Fixed(DType::Date),
            "time" => Self::Fixed(DType::Time),
            "datetime" => Self::Fixed(DType::datetime()),
            "utc" => Self::Fixed(DType::Datetime {
                unit: TimeUnit::Microsecond,
                zone: Some("UTC".to_owned()),
            }),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_can_be_read() {
        for def in Func::all() {
            let written = def.signature.split(';').count();
            assert_eq!(Signature::of(def.func).forms.len(), written, "{}", def.path);
        }
    }
}
