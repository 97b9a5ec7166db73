//! What the reference says about one step, function, method or clause.

use std::borrow::Cow;

use laktory_core::{Example, Param, ParamDefault, ParamType};

use crate::parameter::Parameter as Own;

/// What an entry is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum EntryKind {
    /// A step, called with `func_name`.
    Step,
    /// A function below `nw`, or a selector.
    Function,
    /// A method of an expression.
    Method,
    /// An operator between expressions.
    Operator,
    /// A function of SQL.
    Sql,
    /// A clause of a SQL statement.
    Clause,
}

impl EntryKind {
    /// In one word, for programs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Step => "step",
            Self::Function => "function",
            Self::Method => "method",
            Self::Operator => "operator",
            Self::Sql => "sql",
            Self::Clause => "clause",
        }
    }

    /// For people.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Step => "step",
            Self::Function => "function of expressions",
            Self::Method => "method of expressions",
            Self::Operator => "operator of expressions",
            Self::Sql => "function of SQL",
            Self::Clause => "SQL",
        }
    }
}

/// An entry of the reference.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Entry {
    /// What it is about.
    pub kind: EntryKind,
    /// Its name, as a path: `str.contains`, `join`, `LPAD`, `GROUP BY`.
    pub name: &'static str,
    /// Other names of the same.
    pub aliases: &'static [&'static str],
    /// The title of its group.
    pub group: &'static str,
    /// How it is written: `.str.contains(pattern, *, literal=False)`.
    pub call: String,
    /// What it takes and gives: `text → bool`; empty for steps and clauses.
    pub types: String,
    /// Its parameters.
    pub parameters: Vec<Parameter>,
    /// What it does with null and NaN.
    pub nulls: &'static str,
    /// What it does, as sentences of Markdown.
    pub doc: &'static str,
    /// How it is used, and what comes of it.
    pub example: Example,
    /// Where it may stand.
    pub place: SqlPlace,
}

impl Entry {
    /// A clause of SQL statements.
    #[must_use]
    pub fn clause(
        name: &'static str,
        call: &str,
        nulls: &'static str,
        doc: &'static str,
        example: Example,
    ) -> Self {
        Self {
            kind: EntryKind::Clause,
            name,
            aliases: &[],
            group: "Statements",
            call: call.to_owned(),
            types: String::new(),
            parameters: Vec::new(),
            nulls,
            doc,
            example,
            place: SqlPlace::Statements,
        }
    }
}

/// Where SQL may stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SqlPlace {
    /// In statements and in expressions.
    #[default]
    Everywhere,
    /// In statements only.
    Statements,
}

/// A parameter of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Parameter {
    /// Its name, as in a keyword argument.
    pub name: &'static str,
    /// What it takes, in words.
    pub takes: Cow<'static, str>,
    /// What stands in for it, as written.
    pub default: Option<Cow<'static, str>>,
    /// Whether it must be given.
    pub required: bool,
    /// Whether it is given by name only.
    pub keyword_only: bool,
    /// Whether it takes the rest of the arguments.
    pub variadic: bool,
    /// What it means.
    pub doc: &'static str,
}

impl From<&Own> for Parameter {
    fn from(own: &Own) -> Self {
        Self {
            name: own.name,
            takes: own.takes.into(),
            default: (!own.default.is_empty()).then(|| own.default.into()),
            required: own.required,
            keyword_only: own.keyword_only,
            variadic: own.variadic,
            doc: own.doc,
        }
    }
}

impl From<&Param> for Parameter {
    fn from(param: &Param) -> Self {
        let default = match param.default {
            ParamDefault::Bool(true) => Some("True".into()),
            ParamDefault::Bool(false) => Some("False".into()),
            ParamDefault::Int(value) => Some(value.to_string().into()),
            ParamDefault::Float(std::f64::consts::E) => Some("e".into()),
            ParamDefault::Float(value) => Some(format!("{value:?}").into()),
            ParamDefault::Str(value) => Some(format!("'{value}'").into()),
            ParamDefault::Required | ParamDefault::Absent => None,
        };
        Self {
            name: param.name,
            takes: takes(param.ty),
            default,
            required: param.default == ParamDefault::Required,
            keyword_only: param.keyword_only,
            variadic: param.ty == ParamType::Columns,
            doc: param.doc,
        }
    }
}

fn takes(ty: ParamType) -> Cow<'static, str> {
    match ty {
        ParamType::Column => "expression, or name".into(),
        ParamType::Literal => "constant, or expression".into(),
        ParamType::Columns => "names or expressions".into(),
        ParamType::Bool => "true or false".into(),
        ParamType::Int => "integer".into(),
        ParamType::Float => "number".into(),
        ParamType::Str => "text".into(),
        ParamType::OneOf(words) => {
            let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
            words.join(", ").into()
        }
        ParamType::DType => "type".into(),
        ParamType::Values => "list, or expression of lists".into(),
        ParamType::Mapping => "mapping".into(),
        ParamType::Frame => "frame".into(),
    }
}

impl Parameter {
    /// Parameters as they stand between the parentheses of a call.
    #[must_use]
    pub fn listed(parameters: &[Self]) -> String {
        let mut by_name = false;
        let mut parts: Vec<String> = Vec::new();
        for parameter in parameters {
            if parameter.keyword_only && !by_name {
                by_name = true;
                // What comes behind a variadic parameter is given by name anyway.
                if !parts.iter().any(|part| part.starts_with('*')) {
                    parts.push("*".to_owned());
                }
            }
            let name = parameter.name;
            parts.push(match &parameter.default {
                _ if parameter.variadic => format!("*{name}"),
                _ if parameter.required => name.to_owned(),
                Some(default) if !default.contains(' ') => format!("{name}={default}"),
                _ => format!("{name}=None"),
            });
        }
        parts.join(", ")
    }
}

/// A signature in words for people: `number → float; duration → the same`.
#[must_use]
pub(super) fn types(signature: &str) -> String {
    let forms = signature.split(';').filter_map(|form| {
        let (takes, gives) = form.split_once('>')?;
        let takes: Vec<String> = takes
            .split_whitespace()
            .map(|word| match word.strip_suffix('*') {
                Some(class) => format!("{class}.."),
                None => word.to_owned(),
            })
            .collect();
        let gives = match gives.trim() {
            "first" => "the same",
            "common" => "the type that holds all",
            "texts" => "list of texts",
            "utc" => "datetime in UTC",
            gives => match gives.strip_prefix("rule (") {
                Some(rule) => rule.trim_end_matches(')'),
                None => gives,
            },
        };
        Some(match takes.is_empty() {
            true => gives.to_owned(),
            false => format!("{} → {gives}", takes.join(", ")),
        })
    });
    forms.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_words() {
        assert_eq!(types("any any > rule (bool)"), "any, any → bool");
        assert_eq!(
            types("number > first; duration > first"),
            "number → the same; duration → the same"
        );
        assert_eq!(types("any* > common"), "any.. → the type that holds all");
        assert_eq!(types("> int64"), "int64");
    }

    #[test]
    fn parameters_are_listed_as_in_a_call() {
        let clip = &laktory_core::Func::method("clip").unwrap().params;
        let listed: Vec<Parameter> = clip.iter().map(Parameter::from).collect();
        assert_eq!(
            Parameter::listed(&listed),
            "lower_bound=None, upper_bound=None"
        );
        let contains = &laktory_core::Func::method("str.contains").unwrap().params;
        let listed: Vec<Parameter> = contains.iter().map(Parameter::from).collect();
        assert_eq!(Parameter::listed(&listed), "pattern, *, literal=False");
    }
}
