//! A look at whole files before an engine reads them.

use std::io::Read;
use std::sync::Arc;

use laktory_core::{Cancel, Error, Result, RunCx};

use super::rows::Changes;
use super::scan::{Shape, clean};
use super::{Reading, text};

/// Pieces of work that look at files at the same time.
const AT_ONCE: usize = 8;

/// Rows of a batch that is looked at and dropped.
const BATCH: usize = 8_192;

/// What files hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// Rows of all files.
    pub rows: u64,
    /// Rows of each file.
    pub files: Vec<u64>,
    /// Whether each file is as every reader of CSV reads it.
    pub clean: bool,
    /// What options change, for the warnings of a run.
    pub warnings: Vec<String>,
}

/// What one file holds: its rows, and what is not as it should be.
#[derive(Clone, Copy, Debug)]
struct Seen {
    rows: u64,
    clean: bool,
    changes: Changes,
}

/// Looks at all files of a reading, some at the same time.
///
/// # Errors
/// Those of [`Reading::batches`], for the first file that has one; `Cancelled`.
pub async fn survey(cx: &RunCx, reading: &Arc<Reading>) -> Result<Survey> {
    let count = reading.files.len();
    let share = count.div_ceil(AT_ONCE).max(1);
    let works = (0..count).step_by(share).map(|from| {
        let (reading, run) = (Arc::clone(reading), cx.clone());
        cx.blocking(move || {
            (from..count.min(from + share))
                .map(|file| {
                    run.cancel().check()?;
                    reading.look(file, run.cancel())
                })
                .collect::<Result<Vec<Seen>>>()
        })
    });
    let mut all = Vec::with_capacity(count);
    for seen in futures_util::future::join_all(works).await {
        all.extend(seen?);
    }
    Ok(reading.told(&all))
}

impl Reading {
    /// Looks at all files. Blocks.
    ///
    /// # Errors
    /// As [`survey`].
    pub fn survey(self: &Arc<Self>) -> Result<Survey> {
        let all: Vec<Seen> = (0..self.files.len())
            .map(|file| self.look(file, &Cancel::new()))
            .collect::<Result<_>>()?;
        Ok(self.told(&all))
    }

    fn look(self: &Arc<Self>, file: usize, cancel: &Cancel) -> Result<Seen> {
        if let Some(rows) = self.is_clean(file, cancel)? {
            return Ok(Seen {
                rows,
                clean: true,
                changes: Changes::default(),
            });
        }
        // Values matter where those that do not fit become null, which is counted.
        let wanted: Vec<usize> = if self.dialect.lenient {
            (0..self.columns.len()).collect()
        } else {
            Vec::new()
        };
        let mut batches = self.batches(file, &wanted, BATCH)?;
        for batch in &mut batches {
            cancel.check()?;
            batch?;
        }
        Ok(Seen {
            rows: batches.rows(),
            clean: false,
            changes: batches.changes(),
        })
    }

    /// The rows of a file that every reader reads alike; `None` for others, and where options ask for more.
    fn is_clean(&self, file: usize, cancel: &Cancel) -> Result<Option<u64>> {
        let file = &self.files[file];
        if !self.dialect.is_plain() || (self.is_lenient() && self.is_typed()) {
            return Ok(None);
        }
        let shape = Shape {
            separator: self.dialect.separator,
            quote: self.dialect.quote,
            fields: file.width,
            blanks: self.is_typed(),
        };
        let text = Watched {
            text: text(&self.dialect, self.open, &file.path)?,
            cancel,
        };
        let records = clean(text, shape).map_err(|error| match cancel.check() {
            Err(cancelled) => cancelled,
            Ok(()) => super::named(Error::from(error), &file.path),
        })?;
        Ok(records.map(|records| records - u64::from(self.dialect.has_header).min(records)))
    }

    fn told(&self, all: &[Seen]) -> Survey {
        let rows: u64 = all.iter().map(|seen| seen.rows).sum();
        let sum =
            |count: fn(&Changes) -> u64| all.iter().map(|seen| count(&seen.changes)).sum::<u64>();
        let shown = match self.files.as_slice() {
            [] => String::new(),
            [file] => format!("`{}`", file.path.display()),
            [first, rest @ ..] => {
                format!("`{}` and {} more files", first.path.display(), rest.len())
            }
        };
        let told = |count: u64, one: &str, many: &str| match count {
            0 => None,
            1 => Some(format!("{shown}: 1 {one}")),
            count => Some(format!("{shown}: {count} {many}")),
        };
        let warnings = [
            told(
                sum(|changes| changes.truncated),
                "line has too many fields; the surplus was left out (`truncate_ragged_lines`)",
                "lines have too many fields; the surplus was left out (`truncate_ragged_lines`)",
            ),
            told(
                sum(|changes| changes.padded),
                "line has too few fields; the missing ones are null (`null_padding`)",
                "lines have too few fields; the missing ones are null (`null_padding`)",
            ),
            told(
                sum(|changes| changes.nulled),
                "value is not of the type of its column and was read as null (`ignore_errors`)",
                "values are not of the types of their columns and were read as null (`ignore_errors`)",
            ),
            told(
                sum(|changes| changes.replaced),
                "line is not UTF-8; what is no text was replaced (`encoding`)",
                "lines are not UTF-8; what is no text was replaced (`encoding`)",
            ),
        ];
        Survey {
            rows: self.dialect.limit.map_or(rows, |limit| rows.min(limit)),
            files: all.iter().map(|seen| seen.rows).collect(),
            clean: all.iter().all(|seen| seen.clean),
            warnings: warnings.into_iter().flatten().collect(),
        }
    }
}

/// A text that ends with an error when the run is interrupted.
struct Watched<'a, R> {
    text: R,
    cancel: &'a Cancel,
}

impl<R: Read> Read for Watched<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.cancel.is_cancelled() {
            return Err(std::io::Error::other("interrupted"));
        }
        self.text.read(buffer)
    }
}
