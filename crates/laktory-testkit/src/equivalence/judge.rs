//! One tree on every engine, and whether the answers are one.

use arrow_array::RecordBatch;
use arrow_schema::DataType;
use laktory_core::{Error, ErrorKind, Expr, Frame, Result};

use crate::compare::{Actual, Rules, compare_frames, table_text};
use crate::kinds::{answers, is_defect};

use super::generate::{ROWS, Tree};
use super::{Engine, data, declared};

/// What rounding may leave of sums over this data where they cancel out.
const ROUNDING: f64 = 1e-9;

/// Whether engines agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// They do, or differ as is declared.
    Agree,
    /// They do not.
    Differ(Difference),
}

/// How engines differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    pub(crate) kind: DifferenceKind,
    /// What each engine answers.
    pub(crate) text: String,
}

/// What kind of difference: a smaller tree that differs in another way shows another fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DifferenceKind {
    /// An engine fails in a way that is never an answer.
    Defect,
    /// Two tables.
    Tables,
    /// Two errors.
    Errors,
    /// A table and an error.
    Refused,
}

/// The engines with the data in them.
pub(crate) struct Judge<'a> {
    engines: &'a [Engine],
    batch: RecordBatch,
    /// The whole data in each engine.
    frames: Vec<Frame>,
}

impl<'a> Judge<'a> {
    /// # Errors
    /// Those of imports.
    pub(crate) fn new(engines: &'a [Engine]) -> Result<Self> {
        let batch = data::table().batch().map_err(Error::internal)?;
        let frames = engines
            .iter()
            .map(|engine| engine.session.import_batch(&batch))
            .collect::<Result<_>>()?;
        Ok(Self {
            engines,
            batch,
            frames,
        })
    }

    /// The type of an expression over the data, where the first engine knows one.
    pub(crate) fn type_of(&self, expr: &Expr) -> Option<DataType> {
        let tree = Tree {
            expr: expr.clone(),
            grouped: false,
            rows: 0..0,
        };
        let answer = self.answer(0, &tree).ok()?;
        Some(
            answer
                .schema
                .field_with_name("out")
                .ok()?
                .data_type()
                .clone(),
        )
    }

    /// The answer of one engine.
    fn answer(&self, index: usize, tree: &Tree) -> Result<Actual> {
        let session = &self.engines[index].session;
        if tree.rows == (0..ROWS) {
            return session.compute(&self.frames[index], &tree.op());
        }
        let part = self.batch.slice(tree.rows.start, tree.rows.len());
        session.compute(&session.import_batch(&part)?, &tree.op())
    }

    /// Every engine beside the first.
    pub(crate) fn judge(&self, tree: &Tree) -> Verdict {
        let first = self.answer(0, tree);
        for index in 1..self.engines.len() {
            let other = self.answer(index, tree);
            let exact_types = self.engines[index].exact_types;
            if let Some(difference) = difference(tree, &first, &other, exact_types) {
                let (a, b) = (self.engines[0].name, self.engines[index].name);
                let (kind, what) = difference;
                let (first, other) = (described(&first), described(&other));
                let text = format!("{what}\n  {a}: {first}\n  {b}: {other}");
                return Verdict::Differ(Difference { kind, text });
            }
        }
        Verdict::Agree
    }
}

fn difference(
    tree: &Tree,
    first: &Result<Actual>,
    other: &Result<Actual>,
    exact_types: bool,
) -> Option<(DifferenceKind, String)> {
    let defect = [first, other]
        .into_iter()
        .filter_map(|answer| answer.as_ref().err())
        .find(|error| is_defect(error.kind().name()));
    if defect.is_some() {
        return Some((DifferenceKind::Defect, "a defect".to_owned()));
    }
    let rules = Rules {
        ordered: false,
        exact_types,
        rounding: ROUNDING,
    };
    match (first, other) {
        (Ok(first), Ok(other)) => {
            let difference = compare_frames(first, other, rules).err()?;
            Some((DifferenceKind::Tables, difference))
        }
        (Err(first), Err(other)) => {
            let (first, other) = (first.kind().name(), other.kind().name());
            let one = answers(first, other)
                || answers(other, first)
                || declared::about_types(first) && declared::about_types(other);
            (!one).then(|| {
                (
                    DifferenceKind::Errors,
                    format!("`{first}` is not `{other}`"),
                )
            })
        }
        (Ok(_), Err(error)) if !exact_types && error.kind() == ErrorKind::Unsupported => None,
        (Err(error), Ok(_)) if !exact_types && declared::about_types(error.kind().name()) => None,
        (Err(error), Ok(_)) | (Ok(_), Err(error)) => {
            match declared::may_refuse(&tree.expr, tree.rows.is_empty(), error.kind().name()) {
                Some(_) => None,
                None => Some((
                    DifferenceKind::Refused,
                    "one computes what the other refuses".to_owned(),
                )),
            }
        }
    }
}

fn described(answer: &Result<Actual>) -> String {
    match answer {
        Ok(actual) => format!("\n{}", table_text(actual).trim_end()),
        Err(error) => format!("{}: {}", error.kind().name(), error.message()),
    }
}
