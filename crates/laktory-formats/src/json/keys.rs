//! The names of the fields of objects, found fast where objects have the same names in the same order.

use std::collections::HashMap;

use super::fault::Flaw;
use super::parse::{Cursor, Parsed};

/// Different fields that the objects of one place may have.
const MOST: usize = 1 << 16;

/// Names, and which of them the object at hand has.
#[derive(Clone, Debug, Default)]
pub(super) struct Keys {
    names: Vec<Box<str>>,
    places: HashMap<Box<str>, usize>,
    /// Whether each is written as it is, without escapes.
    plain: Vec<bool>,
    /// The last object that had each.
    seen: Vec<u64>,
    object: u64,
}

/// A key of an object.
#[derive(Debug)]
pub(super) enum Key {
    Known(usize),
    Unknown(String),
}

impl Keys {
    pub(super) fn names(&self) -> &[Box<str>] {
        &self.names
    }

    /// Where a name is.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.places.get(name).copied()
    }

    /// Adds a name; gives its place.
    pub(super) fn add(&mut self, name: &str) -> Option<usize> {
        if self.names.len() >= MOST {
            return None;
        }
        self.places.insert(name.into(), self.names.len());
        self.names.push(name.into());
        self.plain.push(!name.contains(['\\', '"']));
        self.seen.push(0);
        Some(self.names.len() - 1)
    }

    /// Adds a name that the object at hand brings.
    pub(super) fn learn(&mut self, name: &str, cursor: &Cursor<'_>) -> Parsed<usize> {
        let Some(place) = self.add(name) else {
            return cursor.fault(Flaw::Fields(MOST));
        };
        self.seen[place] = self.object;
        Ok(place)
    }

    /// Begins an object.
    pub(super) fn begin(&mut self) {
        self.object += 1;
    }

    /// Whether the object at hand had the key of a place.
    pub(super) fn has(&self, place: usize) -> bool {
        self.seen[place] == self.object
    }

    /// The next key of the object, which is likely the one at `likely`; `None` at its end.
    #[inline]
    pub(super) fn next(
        &mut self,
        cursor: &mut Cursor<'_>,
        likely: usize,
        first: bool,
    ) -> Parsed<Option<Key>> {
        let place = match self.names.get(likely) {
            Some(name) if self.plain[likely] && cursor.try_key(name, first) => likely,
            _ => {
                let Some(key) = cursor.key(first)? else {
                    return Ok(None);
                };
                let name = key.value();
                match self.places.get(&*name) {
                    Some(place) => *place,
                    None => return Ok(Some(Key::Unknown(name.into_owned()))),
                }
            }
        };
        if self.has(place) {
            return cursor.fault(Flaw::Duplicate(self.names[place].to_string()));
        }
        self.seen[place] = self.object;
        Ok(Some(Key::Known(place)))
    }
}
