//! What a table holds behind a stream of changes, worked out event by event. It shares nothing with the plans of merges.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// A change.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Event {
    pub(super) stream: usize,
    pub(super) key: Option<i64>,
    pub(super) time: usize,
    pub(super) value: Option<i64>,
    pub(super) word: Option<&'static str>,
    pub(super) op: Option<&'static str>,
}

/// How changes are merged.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    pub(super) history: bool,
    pub(super) nulls_equal: bool,
    pub(super) ignore_nulls: bool,
}

impl Event {
    /// The change as a row of a batch.
    pub(super) fn row(&self) -> Value {
        json!({"s": self.stream, "k": self.key, "t": self.time, "v": self.value, "w": self.word, "op": self.op})
    }

    /// The change without what means nothing: other values of a delete, and how a row is marked that is none.
    pub(super) fn bare(&self) -> Self {
        let op = self.op.filter(|op| *op == "D");
        let told = op.is_none();
        Self {
            value: self.value.filter(|_| told),
            word: self.word.filter(|_| told),
            op,
            ..self.clone()
        }
    }

    fn deletes(&self) -> bool {
        self.op == Some("D")
    }

    fn stored(&self, end: Option<Option<usize>>) -> Value {
        let mut row = json!({"s": self.stream, "k": self.key, "t": self.time, "v": self.value, "w": self.word});
        if let Some(end) = end {
            row["__start_at"] = json!(self.time);
            row["__end_at"] = json!(end);
        }
        row
    }
}

/// The rows of one stream.
pub(super) fn rows(events: &[Event], rules: Rules) -> Vec<Value> {
    let mut by_key: BTreeMap<Option<i64>, Vec<Event>> = BTreeMap::new();
    for event in events {
        by_key.entry(event.key).or_default().push(event.clone());
    }
    let of_key = |(key, mut events): (Option<i64>, Vec<Event>)| {
        // Of one time: deletes first, then by the values; the last one counts.
        events.sort_by_key(|event| (event.time, !event.deletes(), event.value, event.word));
        match (key, rules.history) {
            (None, history) if !rules.nulls_equal => {
                events.retain(|event| !event.deletes());
                events.iter_mut().for_each(|event| event.op = None);
                events.dedup();
                let end = history.then_some(None);
                events.iter().map(|event| event.stored(end)).collect()
            }
            (_, false) => current(&events, rules.ignore_nulls),
            (_, true) => versions(&events),
        }
    };
    by_key.into_iter().flat_map(of_key).collect()
}

fn current(events: &[Event], ignore_nulls: bool) -> Vec<Value> {
    let mut row: Option<Event> = None;
    // When the values of the row were given.
    let mut given = (0, 0);
    for event in events {
        let kept = row.take().filter(|_| ignore_nulls && !event.deletes());
        row = (!event.deletes()).then(|| event.clone());
        if let (Some(new), Some(old)) = (&mut row, kept) {
            // Of values of one time, the greater one counts.
            if new.value.is_none() || (given.0 == new.time && old.value > new.value) {
                new.value = old.value;
            }
            if new.word.is_none() || (given.1 == new.time && old.word > new.word) {
                new.word = old.word;
            }
        }
        given.0 = if event.value.is_some() {
            event.time
        } else {
            given.0
        };
        given.1 = if event.word.is_some() {
            event.time
        } else {
            given.1
        };
    }
    row.iter().map(|row| row.stored(None)).collect()
}

fn versions(events: &[Event]) -> Vec<Value> {
    let mut last: BTreeMap<usize, &Event> = BTreeMap::new();
    last.extend(events.iter().map(|event| (event.time, event)));
    let mut versions: Vec<(Event, Option<usize>)> = Vec::new();
    for event in last.into_values() {
        let open = versions.last_mut().filter(|(_, end)| end.is_none());
        match (open, event.deletes()) {
            (None, true) => {}
            (Some((_, end)), true) => *end = Some(event.time),
            (Some((old, _)), false) if (old.value, old.word) == (event.value, event.word) => {}
            (open, false) => {
                if let Some((_, end)) = open {
                    *end = Some(event.time);
                }
                versions.push((event.clone(), None));
            }
        }
    }
    versions
        .iter()
        .map(|(event, end)| event.stored(Some(*end)))
        .collect()
}
