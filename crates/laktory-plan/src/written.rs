//! Steps and rules as they were written: the texts that faults of them lie in. A plan keeps these alone; what was read from
//! each part of them is found by reading them again when a place is asked for.

use laktory_model::{DataFrameMethod, Path};
use laktory_syntax::{
    Api, ArgPlace, ColumnExprKind, Part, Segment, column_expr_parts, method_texts, sql_words,
};

use crate::plan::{ExpectationPlan, Step};

/// How a step was written.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Written {
    /// As a statement. Its planner knows the places in it better.
    #[default]
    Statement,
    /// As a call of a method.
    Call(Box<DataFrameMethod>, Api),
    /// As expressions of SQL.
    Expressions(Vec<WrittenText>),
    /// As names of columns.
    Names(Vec<WrittenText>),
}

/// A text, and where it stands: as the key there, or as the value.
#[derive(Clone, Debug, PartialEq)]
pub struct WrittenText {
    /// The text.
    pub text: String,
    /// Its place in the document.
    pub place: Path,
    /// Whether it is the key there.
    pub at_key: bool,
}

/// A text of a step with its parts, inner ones first.
#[derive(Clone, Debug, PartialEq)]
pub struct Text {
    /// Its place in the document.
    pub place: Path,
    /// Whether it is the key there.
    pub at_key: bool,
    /// Its parts.
    pub parts: Vec<Part>,
}

impl Step {
    /// The texts that the step was written with.
    #[must_use]
    pub fn texts(&self) -> Vec<Text> {
        match &self.written {
            Written::Statement => vec![Text {
                place: self.place.clone(),
                at_key: false,
                parts: sql_words(&self.label),
            }],
            Written::Call(call, api) => {
                let texts = method_texts(&call.func_name, &call.func_args, &call.func_kwargs, *api);
                let placed = texts.into_iter().map(|text| Text {
                    place: argument(&self.place, text.place, text.inside),
                    at_key: text.at_key,
                    parts: text.parts,
                });
                placed.collect()
            }
            Written::Expressions(texts) => read(texts, |text| {
                column_expr_parts(text, Some(ColumnExprKind::Sql))
            }),
            Written::Names(names) => read(names, |name| vec![Part::name(name, 0..name.len())]),
        }
    }

    /// The place of the word that says what the step does.
    #[must_use]
    pub fn verb(&self) -> Path {
        match &self.written {
            Written::Call(..) => self.place.key("func_name"),
            _ => self.place.clone(),
        }
    }
}

impl ExpectationPlan {
    /// The text of the condition.
    #[must_use]
    pub fn read(&self) -> Text {
        Text {
            place: self.place.clone(),
            at_key: false,
            parts: column_expr_parts(&self.text, self.language),
        }
    }
}

fn read(texts: &[WrittenText], parts: impl Fn(&str) -> Vec<Part>) -> Vec<Text> {
    let texts = texts.iter().map(|written| Text {
        place: written.place.clone(),
        at_key: written.at_key,
        parts: parts(&written.text),
    });
    texts.collect()
}

/// The place of an argument of a method step, or of a part of it.
pub(crate) fn argument(step: &Path, place: ArgPlace, inside: Vec<Segment>) -> Path {
    let mut path = match place {
        ArgPlace::Name => step.key("func_name"),
        ArgPlace::Positional(number) => step.key("func_args").index(number),
        ArgPlace::Keyword(name) => step.key("func_kwargs").key(name),
    };
    for segment in inside {
        path = match segment {
            Segment::Index(number) => path.index(number),
            Segment::Key(key) => path.key(key),
        };
    }
    path
}
