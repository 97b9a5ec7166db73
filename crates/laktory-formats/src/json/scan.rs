//! Looking at all records of files, in parallel: their number, their columns, the first fault.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use futures_util::future::join_all;
use laktory_core::{Error, ErrorKind, Field, Result, RunCx};

use super::decode::{Decoding, decode};
use super::fault::{Fault, Flaw};
use super::infer::{Conflict, Fields};
use super::records::{Layout, Records, Source};

/// Bytes of lines that one worker looks at before it takes the next part.
const PART: u64 = 16 << 20;

/// What is asked about files of JSON.
#[derive(Clone, Debug)]
pub struct Question {
    /// The files, in order; all of one layout.
    pub sources: Vec<Source>,
    /// How records stand in them.
    pub layout: Layout,
    /// Declared columns; then others are passed over.
    pub declared: Option<Vec<Field>>,
    /// Records of each file that decide about columns, when not all of them do.
    pub first: Option<u64>,
    /// Whether the rows will be read: then all records are looked at.
    pub rows: bool,
}

/// What files of JSON hold.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The columns, as declared or as found.
    pub columns: Vec<Field>,
    /// The number of records, when all were looked at.
    pub records: Option<u64>,
    /// Whether all values have the plainest form for their column: no conversion is needed, no number is out of the
    /// ordinary, so that any reader of JSON lines reads them alike.
    pub is_plain: bool,
}

/// What is known about files that have been looked at, as long as they do not change.
#[derive(Debug, Default)]
pub struct Known(Mutex<HashMap<Key, Arc<Found>>>);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    path: PathBuf,
    /// Its place among the files that were asked about.
    file: usize,
    length: u64,
    modified: Option<SystemTime>,
    layout: Layout,
    first: Option<u64>,
}

#[derive(Clone, Debug, Default)]
struct Found {
    fields: Fields,
    records: u64,
}

/// A part of a file.
#[derive(Clone, Debug)]
struct Part {
    file: usize,
    range: Option<(u64, u64)>,
}

type Outcome = std::result::Result<Found, Box<Fault>>;

impl Question {
    /// Looks at the files.
    ///
    /// # Errors
    /// `ConversionFailed` with file and line for the first fault, and for values that have no type in common; `NotFound`,
    /// `Io`.
    pub async fn ask(&self, cx: &RunCx, known: &Arc<Known>) -> Result<Answer> {
        let sampled = match (&self.declared, self.first) {
            (None, Some(first)) => Some(self.look(cx, known, Some(first)).await?),
            _ => None,
        };
        let all = match (self.rows, &self.declared, &sampled) {
            (false, Some(_), _) | (false, None, Some(_)) => None,
            _ => Some(self.look(cx, known, None).await?),
        };
        let columns = match (&self.declared, sampled.as_ref().or(all.as_ref())) {
            (Some(declared), _) => declared.clone(),
            (None, Some(found)) => self.columns(found)?,
            (None, None) => Vec::new(),
        };
        if columns.is_empty() {
            let is_empty = all
                .as_ref()
                .or(sampled.as_ref())
                .is_none_or(|found| found.records == 0);
            return Err(self.unknown(is_empty));
        }
        if let (Some(_), Some(all)) = (&sampled, &all)
            && all.fields.columns().map_or(true, |all| all != columns)
        {
            let (question, columns) = (self.clone(), columns.clone());
            cx.blocking(move || question.misfit(&columns)).await?;
        }
        Ok(Answer {
            is_plain: all
                .as_ref()
                .is_some_and(|all| all.fields.is_plain(&columns, false)),
            records: all.map(|all| all.records),
            columns,
        })
    }

    fn unknown(&self, is_empty: bool) -> Error {
        let shown = match self.sources.as_slice() {
            [] => String::new(),
            [source] => source.path().display().to_string(),
            [first, rest @ ..] => {
                format!("{} and {} more files", first.path().display(), rest.len())
            }
        };
        Error::new(
            ErrorKind::ConversionFailed,
            match is_empty {
                true => format!("`{shown}` is empty, so its columns are not known"),
                false => {
                    format!("the objects of `{shown}` have no fields, so its columns are not known")
                }
            },
        )
        .with_hint("declare its columns with `schema`")
    }

    fn columns(&self, found: &Found) -> Result<Vec<Field>> {
        found.fields.columns().map_err(|conflict| {
            let Conflict { place, flaw, path } = *conflict;
            let fault = Fault {
                at: place.at,
                flaw,
                path,
            };
            match self.sources.get(place.file) {
                Some(source) => Box::new(fault).error(source),
                None => Error::internal("a value of no file"),
            }
        })
    }

    /// Fails at the first record that does not fit columns that a sample gave.
    fn misfit(&self, columns: &[Field]) -> Result<()> {
        for source in &self.sources {
            let decoding = Decoding {
                source: source.clone(),
                layout: self.layout,
                range: None,
                batch_size: 1 << 13,
                complete: true,
            };
            for batch in decode(decoding, columns)? {
                batch?;
            }
        }
        Ok(())
    }

    async fn look(&self, cx: &RunCx, known: &Arc<Known>, first: Option<u64>) -> Result<Found> {
        let question = self.clone();
        let keys = cx.blocking(move || question.keys(first)).await?;
        let remembers = self.declared.is_none();
        let mut founds: Vec<Option<Arc<Found>>> = keys
            .iter()
            .map(|key| if remembers { known.get(key) } else { None })
            .collect();
        let mut parts = Vec::new();
        for (file, key) in keys
            .iter()
            .enumerate()
            .filter(|(file, _)| founds[*file].is_none())
        {
            let splits =
                self.layout == Layout::Lines && first.is_none() && self.sources[file].splits();
            if !splits || key.length <= PART {
                parts.push(Part { file, range: None });
                continue;
            }
            let ranges = crate::lines::ranges(key.length, PART);
            parts.extend(ranges.map(|range| Part {
                file,
                range: Some(range),
            }));
        }
        let outcomes = self.look_at(cx, &parts, first).await?;
        for (part, outcome) in parts.iter().zip(outcomes) {
            let source = &self.sources[part.file];
            let more = outcome.map_err(|fault| fault.error(source))?;
            let found = founds[part.file].get_or_insert_with(|| {
                Arc::new(Found {
                    fields: self.fields(),
                    records: 0,
                })
            });
            let found = Arc::make_mut(found);
            found.records += more.records;
            found.fields.merge(more.fields);
        }
        let mut all = Found {
            fields: self.fields(),
            records: 0,
        };
        for (key, found) in keys.into_iter().zip(founds) {
            let found = found.unwrap_or_default();
            all.records += found.records;
            all.fields.merge(found.fields.clone());
            if remembers {
                known.put(key, found);
            }
        }
        Ok(all)
    }

    /// The files as they are now.
    fn keys(&self, first: Option<u64>) -> Result<Vec<Key>> {
        let sources = self.sources.iter().enumerate();
        sources
            .map(|(file, source)| {
                let path = source.path();
                let metadata = std::fs::metadata(path)
                    .map_err(|error| Error::from(error).context(format!("`{}`", path.display())))?;
                Ok(Key {
                    path: path.to_owned(),
                    file,
                    length: metadata.len(),
                    modified: metadata.modified().ok(),
                    layout: self.layout,
                    first,
                })
            })
            .collect()
    }

    fn fields(&self) -> Fields {
        match &self.declared {
            Some(declared) => Fields::declared(declared),
            None => Fields::default(),
        }
    }

    /// Looks at parts of files, by as many workers as there are processors.
    async fn look_at(
        &self,
        cx: &RunCx,
        parts: &[Part],
        first: Option<u64>,
    ) -> Result<Vec<Outcome>> {
        let next = Arc::new(AtomicUsize::new(0));
        // The first part with a fault: those behind it need not be looked at.
        let faulty = Arc::new(AtomicUsize::new(usize::MAX));
        let parts: Arc<[Part]> = parts.into();
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let workers = (0..processors.min(parts.len())).map(|_| {
            let (next, faulty, parts) =
                (Arc::clone(&next), Arc::clone(&faulty), Arc::clone(&parts));
            let (question, cancel) = (self.clone(), cx.cancel().clone());
            cx.blocking(move || {
                let mut done = Vec::new();
                loop {
                    let index = next.fetch_add(1, Ordering::SeqCst);
                    let Some(part) = parts.get(index) else {
                        return Ok(done);
                    };
                    if index > faulty.load(Ordering::SeqCst) {
                        return Ok(done);
                    }
                    cancel.check()?;
                    let outcome = question.part(part, first);
                    if outcome.is_err() {
                        faulty.fetch_min(index, Ordering::SeqCst);
                    }
                    done.push((index, outcome));
                }
            })
        });
        let mut outcomes = Vec::with_capacity(parts.len());
        for done in join_all(workers).await {
            outcomes.extend(done?);
        }
        outcomes.sort_by_key(|(index, _)| *index);
        Ok(outcomes.into_iter().map(|(_, outcome)| outcome).collect())
    }

    fn part(&self, part: &Part, first: Option<u64>) -> Outcome {
        let mut found = Found {
            fields: self.fields(),
            records: 0,
        };
        let most = first.unwrap_or(u64::MAX);
        let records = Records::open(&self.sources[part.file], self.layout, part.range);
        let mut records = records.map_err(|error| Fault::new(0, Flaw::Stopped(error)))?;
        records.run(|cursor, base| {
            found.fields.object(cursor, part.file, base)?;
            found.records += 1;
            Ok(found.records < most)
        })?;
        Ok(found)
    }
}

impl Known {
    fn get(&self, key: &Key) -> Option<Arc<Found>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(key).map(Arc::clone)
    }

    fn put(&self, key: Key, found: Arc<Found>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(key, found);
    }
}
