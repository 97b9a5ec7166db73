//! A version of a table, told by its log: files, columns, how far applications have come.

use std::collections::{BTreeMap, HashMap};

use laktory_core::{Error, ErrorKind, Result};

use crate::actions::{Add, DeletionVector, Line, Metadata, Protocol, Remove, Txn};
use crate::checkpoint;
use crate::log::{self, Segment};

/// A file, and which of its rows are deleted.
type Key = (String, Option<String>);

fn key(path: &str, vector: Option<&DeletionVector>) -> Key {
    (path.to_owned(), vector.map(DeletionVector::id))
}

/// Everything that a version of a table holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    pub(crate) protocol: Protocol,
    pub(crate) metadata: Metadata,
    /// The files that count, by the order in which they came.
    files: BTreeMap<u64, Add>,
    /// Where they are in that order.
    places: HashMap<Key, u64>,
    came: u64,
    /// Files that counted once, which readers of older versions may still need.
    removed: BTreeMap<Key, Remove>,
    txns: BTreeMap<String, Txn>,
    /// Whether there are entries of domains, which are not kept here.
    pub(crate) has_domains: bool,
}

impl State {
    /// What a segment of the log tells.
    ///
    /// # Errors
    /// `ConversionFailed` for a log that is torn; `Io`.
    pub(crate) fn of(segment: &Segment) -> Result<Self> {
        let mut state = Self::default();
        let (mut protocol, mut metadata) = (None, None);
        let mut take = |line: Line| {
            protocol = line.protocol.clone().or(protocol.take());
            metadata = line.meta_data.clone().or(metadata.take());
            state.take(line);
        };
        if let Some((_, files)) = &segment.checkpoint {
            checkpoint::read(files, &mut take)?;
        }
        for (_, entry) in &segment.entries {
            log::lines(entry, &mut take)?;
        }
        let missing = |what: &str| {
            let message = format!("the log tells no {what} of version {}", segment.version);
            Error::new(ErrorKind::ConversionFailed, message)
                .with_hint("the log is not whole: its first entries, or its checkpoint, are lost")
        };
        state.protocol = protocol.ok_or_else(|| missing("protocol"))?;
        state.metadata = metadata.ok_or_else(|| missing("columns"))?;
        Ok(state)
    }

    fn take(&mut self, line: Line) {
        self.has_domains |= line.domain_metadata.is_some();
        if let Some(add) = line.add {
            let key = key(&add.path, add.deletion_vector.as_ref());
            self.removed.remove(&key);
            self.came += 1;
            self.files.insert(self.came, add);
            if let Some(before) = self.places.insert(key, self.came) {
                self.files.remove(&before);
            }
        }
        if let Some(remove) = line.remove {
            let key = key(&remove.path, remove.deletion_vector.as_ref());
            if let Some(place) = self.places.remove(&key) {
                self.files.remove(&place);
            }
            self.removed.insert(key, remove);
        }
        if let Some(txn) = line.txn {
            self.txns.insert(txn.app_id.clone(), txn);
        }
    }

    /// How far an application has come.
    pub(crate) fn last(&self, app: &str) -> Option<i64> {
        self.txns.get(app).map(|txn| txn.version)
    }

    /// The files that count.
    pub(crate) fn files(&self) -> impl Iterator<Item = &Add> {
        self.files.values()
    }

    /// The entries that make up this version, for a checkpoint.
    pub(crate) fn lines(&self) -> Vec<Line> {
        let mut lines = vec![
            Line {
                protocol: Some(self.protocol.clone()),
                ..Line::default()
            },
            Line {
                meta_data: Some(self.metadata.clone()),
                ..Line::default()
            },
        ];
        lines.extend(self.txns.values().map(|txn| Line {
            txn: Some(txn.clone()),
            ..Line::default()
        }));
        lines.extend(self.files.values().map(|add| Line {
            add: Some(Add {
                data_change: false,
                ..add.clone()
            }),
            ..Line::default()
        }));
        lines.extend(self.removed.values().map(|remove| Line {
            remove: Some(Remove {
                data_change: false,
                ..remove.clone()
            }),
            ..Line::default()
        }));
        lines
    }
}
