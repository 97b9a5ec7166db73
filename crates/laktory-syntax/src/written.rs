//! What was read, beside the text that it was read from: the place of a fault is looked up here by what the fault is about.
//! Texts are read again for it, so that only who has failed pays.

use std::ops::Range;

use laktory_core::{Arg, Error, Expr, Field, Scalar, Subject, typing, walk};

/// A part of a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Its bytes.
    pub range: Range<usize>,
    /// Those of the word that says what it is, such as the name of a method.
    pub word: Range<usize>,
    /// What it was read as.
    pub what: What,
    /// How the text spells the function or operator that it was read as, where the language of the text has names of its own.
    pub spelled: Option<String>,
}

/// What a part was read as.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// An expression.
    Expr(Expr),
    /// A text or a word, which may be a name.
    Name(String),
}

impl Part {
    pub(crate) fn expr(expr: Expr, range: Range<usize>, word: Range<usize>) -> Self {
        Self {
            range,
            word,
            what: What::Expr(expr),
            spelled: None,
        }
    }

    /// A word that may be a name.
    #[must_use]
    pub fn name(name: impl Into<String>, range: Range<usize>) -> Self {
        Self {
            word: range.clone(),
            range,
            what: What::Name(name.into()),
            spelled: None,
        }
    }

    pub(crate) fn spelled(self, spelled: Option<String>) -> Self {
        Self { spelled, ..self }
    }

    /// The same, in a text that holds this one from a byte on.
    pub(crate) fn behind(mut self, start: usize) -> Self {
        let moved = |range: &Range<usize>| range.start + start..range.end + start;
        self.range = moved(&self.range);
        self.word = moved(&self.word);
        self
    }
}

/// An error of an expression at the word of its text where it lies, in the words of that text. Parts come as they were read,
/// inner ones first. The error as it is, where no part of the text fails so.
///
/// # Errors
/// The error itself, when it is not one of this text.
pub fn at_word(parts: &[Part], error: Error, columns: &[Field]) -> Result<Error, Error> {
    let at_fault = parts
        .iter()
        .enumerate()
        .find_map(|(at, part)| match &part.what {
            What::Expr(expr) => is_at_fault(expr, &error, columns).then_some((at, expr)),
            What::Name(_) => None,
        });
    let Some((at, expr)) = at_fault else {
        return Err(error);
    };
    let part = &parts[at];
    let inside = |other: &&Part| {
        part.range.start <= other.range.start
            && other.range.end <= part.range.end
            && other.range != part.range
    };
    let mut inner = parts[..at].iter().rev().filter(inside);
    let word = match error.subject() {
        Some(Subject::Name(name) | Subject::Other(name)) => inner
            .find(|part| part.what == What::Name(name.clone()))
            .map(|part| part.word.clone()),
        // What a function is applied to is all right by itself: the function is wrong for it.
        Some(Subject::Argument(0)) if matches!(expr, Expr::Call { .. }) => None,
        Some(Subject::Argument(number)) => argument(expr, *number)
            .and_then(|argument| inner.find(|part| part.what == argument))
            .map(|part| part.range.clone()),
        _ => None,
    };
    let word = word.unwrap_or_else(|| part.word.clone());
    let error = match (expr, &part.spelled) {
        (Expr::Call { func, .. }, Some(spelled)) => {
            let name = format!("`{}`", typing::shown(*func));
            error.reworded(|text| text.replacen(&name, &format!("`{spelled}`"), 1))
        }
        _ => error,
    };
    Ok(error.with_range(word))
}

/// The first part that is a name.
#[must_use]
pub fn named<'p>(parts: &'p [Part], name: &str) -> Option<&'p Part> {
    let is_name = |part: &&Part| matches!(&part.what, What::Name(known) if known == name);
    parts.iter().find(is_name)
}

/// Whether an expression fails by itself as the whole did.
fn is_at_fault(expr: &Expr, error: &Error, columns: &[Field]) -> bool {
    let alone = typing::fits(expr, columns).err();
    alone.is_some_and(|alone| alone.kind() == error.kind() && alone.message() == error.message())
}

/// What a call or a choice is made of at a position, as it would be written.
fn argument(expr: &Expr, number: usize) -> Option<What> {
    let mut parts = Vec::new();
    walk::children(expr, &mut |part| parts.push(part));
    if let Some(part) = parts.get(number) {
        return Some(match part {
            Expr::Literal(Scalar::Str(text)) => What::Name(text.clone()),
            part => What::Expr((*part).clone()),
        });
    }
    let Expr::Call { args, .. } = expr else {
        return None;
    };
    let mut texts = args.iter().filter_map(|arg| match arg {
        Arg::Str(text) => Some(What::Name(text.clone())),
        _ => None,
    });
    texts.next()
}
