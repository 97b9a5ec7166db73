//! What the server said about plans and sources, so that it is not asked twice: the plan of a node is looked at before the run
//! and again in it; the second time the answer is known.
//!
//! The columns of a plan follow from its steps and the columns of what it starts from, whatever the rows. Those of a source
//! follow from files that others may change: that answer holds for the run that asked, and for a while.

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use laktory_core::Field;
use sha2::{Digest as _, Sha256};

/// How long it is taken for granted what the files of a source hold.
pub(crate) const OF_FILES: Duration = Duration::from_secs(300);

/// What an answer depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Signature([u8; 32]);

impl Signature {
    /// That of a plan of which only the columns are known.
    pub(crate) fn of_columns(columns: &[Field]) -> Self {
        Self::of(&columns, &[])
    }

    /// That of a step or statement over other plans.
    pub(crate) fn of(step: &dyn Debug, inputs: &[Self]) -> Self {
        let mut digest = Sha256::new();
        for input in inputs {
            digest.update(input.0);
        }
        digest.update(format!("{step:?}"));
        Self(digest.finalize().into())
    }

    /// That of a plan whose columns depend on rows: no other one has it.
    pub(crate) fn unique() -> Self {
        Self::of(&uuid::Uuid::new_v4(), &[])
    }
}

/// Answers to one kind of question.
#[derive(Debug)]
pub(crate) struct Answers<T> {
    known: Mutex<HashMap<Signature, (Instant, T)>>,
    /// How long they hold.
    lasting: Duration,
}

impl<T: Clone> Answers<T> {
    /// None yet.
    pub(crate) fn new(lasting: Duration) -> Self {
        Self {
            known: Mutex::default(),
            lasting,
        }
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Signature, (Instant, T)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the server said when it was asked before.
    pub(crate) fn get(&self, asked: &Signature) -> Option<T> {
        let known = self.known();
        let (when, answer) = known.get(asked)?;
        (when.elapsed() < self.lasting).then(|| answer.clone())
    }

    /// Takes note of an answer.
    pub(crate) fn add(&self, asked: Signature, answer: T) {
        self.known().insert(asked, (Instant::now(), answer));
    }

    /// Forgets everything: what was asked about may have changed.
    pub(crate) fn clear(&self) {
        self.known().clear();
    }
}

#[cfg(test)]
mod tests {
    use laktory_core::DType;

    use super::*;

    #[test]
    fn plans_are_known_by_their_steps_and_what_they_start_from() {
        let ints = Signature::of_columns(&[Field::new("x", DType::Int64)]);
        let texts = Signature::of_columns(&[Field::new("x", DType::String)]);
        let step = |name: &str, input| Signature::of(&name, &[input]);
        assert_eq!(step("head", ints), step("head", ints));
        assert_ne!(step("head", ints), step("head", texts));
        assert_ne!(step("head", ints), step("tail", ints));
        assert_ne!(Signature::unique(), Signature::unique());
        let known = Answers::new(OF_FILES);
        known.add(ints, 1);
        assert_eq!((known.get(&ints), known.get(&texts)), (Some(1), None));
        known.clear();
        assert_eq!(known.get(&ints), None);
        let forgotten = Answers::new(Duration::ZERO);
        forgotten.add(ints, 1);
        assert_eq!(forgotten.get(&ints), None);
    }
}
