//! What the server said about plans, so that it is not asked twice: the columns of a plan follow from its steps and the columns
//! of what it starts from, whatever the rows. The plan of a node is looked at before the run and again in it; the second
//! time the answer is known.

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::{Mutex, PoisonError};

use laktory_core::Field;
use sha2::{Digest as _, Sha256};

/// What the columns of a plan depend on.
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

/// The answers of a session.
#[derive(Debug, Default)]
pub(crate) struct Analysed(Mutex<HashMap<Signature, Vec<Field>>>);

impl Analysed {
    /// The columns of a plan that the server was asked about before.
    pub(crate) fn get(&self, plan: &Signature) -> Option<Vec<Field>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(plan).cloned()
    }

    /// Takes note of an answer.
    pub(crate) fn add(&self, plan: Signature, columns: &[Field]) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(plan, columns.to_vec());
    }

    /// Forgets everything: statements may name tables that have changed.
    pub(crate) fn clear(&self) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.clear();
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
        let known = Analysed::default();
        known.add(ints, &[Field::new("x", DType::Int64)]);
        assert!(known.get(&ints).is_some() && known.get(&texts).is_none());
        known.clear();
        assert!(known.get(&ints).is_none());
    }
}
