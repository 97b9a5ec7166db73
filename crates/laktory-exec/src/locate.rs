//! The very word at fault, in the texts that a step or a rule was written with. It is looked up beside what was parsed.

use laktory_core::{Error, Field, Subject};
use laktory_plan::Text;
use laktory_syntax::{Part, What, at_word, named};

use crate::fault::Fault;

/// An error of a step that was written with `texts`, at its word; else as it is.
pub(crate) fn located(fault: Fault, texts: &[Text], columns: &[Field]) -> Fault {
    if fault.error.range().is_some() {
        return fault;
    }
    let mut fault = fault;
    for text in texts {
        match at_word(&text.parts, fault.error, columns) {
            Ok(error) => {
                return Fault {
                    place: text.place.clone(),
                    at_key: text.at_key,
                    error,
                    ..fault
                };
            }
            Err(error) => fault.error = error,
        }
    }
    let Some((text, word)) = of_name(&fault.error, texts).or_else(|| whole(texts)) else {
        return fault;
    };
    Fault {
        place: text.place.clone(),
        at_key: text.at_key,
        error: fault.error.with_range(word),
        ..fault
    }
}

/// Where the name stands that an error is about.
fn of_name<'t>(error: &Error, texts: &'t [Text]) -> Option<(&'t Text, std::ops::Range<usize>)> {
    let place = |name: &str, text: &'t Text| {
        let part = named(&text.parts, name)?;
        Some((text, part.word.clone()))
    };
    match error.subject()? {
        Subject::Name(name) => texts.iter().find_map(|text| place(name, text)),
        Subject::Other(name) => texts.iter().rev().find_map(|text| place(name, text)),
        _ => None,
    }
}

/// The whole expression, of a step or rule that has no other.
fn whole(texts: &[Text]) -> Option<(&Text, std::ops::Range<usize>)> {
    let is_expr = |part: &&Part| matches!(part.what, What::Expr(_));
    let mut exprs = texts.iter().filter_map(|text| {
        let last = text.parts.iter().rev().find(is_expr)?;
        Some((text, last.range.clone()))
    });
    match (exprs.next(), exprs.next()) {
        (Some(only), None) => Some(only),
        _ => None,
    }
}
