//! A look at whole files before an engine reads them.

use std::io::{BufRead, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use laktory_core::{Cancel, Error, Result, RunCx};

use super::rows::Changes;
use super::scan::{Look, Shape};
use super::{MARK, Reading, is_compressed, named, text};
use crate::lines;

/// Bytes of a file that one worker looks at before it takes the next part.
const PART: u64 = 8 << 20;

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

/// A part of a file.
#[derive(Clone, Copy, Debug)]
struct Part {
    file: usize,
    /// The lines that begin in this range of bytes; all of the file without.
    range: Option<(u64, u64)>,
}

/// What a part turned out to be.
enum Found {
    /// A whole file.
    File(Seen),
    /// Lines, when all of them are clean on their own.
    Lines(Option<Look>),
}

/// Looks at all files of a reading, by as many workers as there are processors.
///
/// # Errors
/// Those of [`Reading::batches`], for the first file that has one; `Cancelled`.
pub async fn survey(cx: &RunCx, reading: &Arc<Reading>) -> Result<Survey> {
    let own = Arc::clone(reading);
    let parts: Arc<[Part]> = cx.blocking(move || own.parts()).await?.into();
    let next = Arc::new(AtomicUsize::new(0));
    // The first part with an error: those behind it need not be looked at.
    let faulty = Arc::new(AtomicUsize::new(usize::MAX));
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let workers = (0..processors.min(parts.len())).map(|_| {
        let (reading, parts, run) = (Arc::clone(reading), Arc::clone(&parts), cx.clone());
        let (next, faulty) = (Arc::clone(&next), Arc::clone(&faulty));
        cx.blocking(move || {
            let mut done = Vec::new();
            loop {
                let at = next.fetch_add(1, Ordering::SeqCst);
                let Some(part) = parts.get(at) else {
                    return Ok(done);
                };
                if at > faulty.load(Ordering::SeqCst) {
                    return Ok(done);
                }
                run.cancel().check()?;
                let found = reading.part(*part, run.cancel());
                if found.is_err() {
                    faulty.fetch_min(at, Ordering::SeqCst);
                }
                done.push((at, found));
            }
        })
    });
    let mut found = Vec::with_capacity(parts.len());
    for done in futures_util::future::join_all(workers).await {
        found.extend(done?);
    }
    found.sort_by_key(|(at, _)| *at);
    let found = found.into_iter().map(|(_, found)| found).collect();
    let (own, run) = (Arc::clone(reading), cx.clone());
    cx.blocking(move || own.put_together(&parts, found, run.cancel()))
        .await
}

impl Reading {
    /// Looks at all files. Blocks.
    ///
    /// # Errors
    /// As [`survey`].
    pub fn survey(self: &Arc<Self>) -> Result<Survey> {
        let cancel = Cancel::new();
        let all: Vec<Seen> = (0..self.files.len())
            .map(|file| self.look(file, &cancel))
            .collect::<Result<_>>()?;
        Ok(self.told(&all))
    }

    /// The files, and the parts of long ones.
    fn parts(&self) -> Result<Vec<Part>> {
        let mut parts = Vec::with_capacity(self.files.len());
        for (file, held) in self.files.iter().enumerate() {
            let length = held.stamp.size;
            if length <= 2 * PART || self.shape(file).is_none() || is_compressed(&held.path) {
                parts.push(Part { file, range: None });
                continue;
            }
            let ranges = lines::ranges(length, PART).map(Some);
            parts.extend(ranges.map(|range| Part { file, range }));
        }
        Ok(parts)
    }

    fn part(self: &Arc<Self>, part: Part, cancel: &Cancel) -> Result<Found> {
        let (Some(range), Some(shape)) = (part.range, self.shape(part.file)) else {
            return self.look(part.file, cancel).map(Found::File);
        };
        let mut look = Look::new(shape);
        let clean = self.look_on(&mut look, part.file, Some(range), cancel)?;
        Ok(Found::Lines(clean.then_some(look)))
    }

    /// What was found in the parts, of which those behind one with an error may be left out.
    fn put_together(
        self: &Arc<Self>,
        parts: &[Part],
        found: Vec<Result<Found>>,
        cancel: &Cancel,
    ) -> Result<Survey> {
        let mut all = Vec::with_capacity(self.files.len());
        let mut found = parts.iter().zip(found).peekable();
        while let Some((part, first)) = found.next() {
            let mut look = match first? {
                Found::File(seen) => {
                    all.push(seen);
                    continue;
                }
                Found::Lines(look) => look,
            };
            while let Some((next, more)) = found.next_if(|(next, _)| next.file == part.file) {
                if let Found::Lines(more) = more? {
                    look = self.joined(look, *next, more, cancel)?;
                }
            }
            all.push(self.seen(part.file, look.and_then(|look| look.records()), cancel)?);
        }
        Ok(self.told(&all))
    }

    /// A look at the beginning of a file, and one at its next part. That began within a record where a text in quotes goes
    /// on from line to line: it is looked at again then.
    fn joined(
        &self,
        before: Option<Look>,
        next: Part,
        more: Option<Look>,
        cancel: &Cancel,
    ) -> Result<Option<Look>> {
        let Some(mut look) = before else {
            return Ok(None);
        };
        if look.is_between_records() {
            return Ok(more.map(|more| {
                look.add(more);
                look
            }));
        }
        let clean = self.look_on(&mut look, next.file, next.range, cancel)?;
        Ok(clean.then_some(look))
    }

    fn look(self: &Arc<Self>, file: usize, cancel: &Cancel) -> Result<Seen> {
        let mut records = None;
        if let Some(shape) = self.shape(file) {
            let mut look = Look::new(shape);
            if self.look_on(&mut look, file, None, cancel)? {
                records = look.records();
            }
        }
        self.seen(file, records, cancel)
    }

    /// What a file holds: `records` when it is clean, its header included.
    fn seen(self: &Arc<Self>, file: usize, records: Option<u64>, cancel: &Cancel) -> Result<Seen> {
        if let Some(records) = records {
            return Ok(Seen {
                rows: records - u64::from(self.dialect.has_header).min(records),
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

    /// What the records of a file have to be for every reader to read them alike; `None` where options ask for more.
    fn shape(&self, file: usize) -> Option<Shape> {
        if !self.dialect.is_plain() || (self.is_lenient() && self.is_typed()) {
            return None;
        }
        Some(Shape {
            separator: self.dialect.separator,
            quote: self.dialect.quote,
            fields: self.files[file].width,
            blanks: self.is_typed(),
        })
    }

    /// Looks on, at a file or at some of its lines. Gives whether they are clean.
    fn look_on(
        &self,
        look: &mut Look,
        file: usize,
        range: Option<(u64, u64)>,
        cancel: &Cancel,
    ) -> Result<bool> {
        let path = &self.files[file].path;
        let text: super::Text = match range {
            None => text(&self.dialect, self.open, path)?,
            Some((from, to)) => {
                let lines = lines::within(path, from, to).and_then(|(lines, begin)| {
                    let mut lines = BufReader::with_capacity(64, lines);
                    if begin == 0 && lines.fill_buf()?.starts_with(MARK) {
                        lines.consume(MARK.len());
                    }
                    Ok(lines)
                });
                Box::new(lines.map_err(|error| named(error.into(), path))?)
            }
        };
        look.on(Watched { text, cancel })
            .map_err(|error| match cancel.check() {
                Err(cancelled) => cancelled,
                Ok(()) => named(Error::from(error), path),
            })
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use laktory_core::{Format, ReadSpec};
    use proptest::prelude::*;

    use super::*;

    fn opened(file: &Path) -> Result<Box<dyn BufRead + Send>> {
        Ok(Box::new(BufReader::new(std::fs::File::open(file)?)))
    }

    proptest! {
        #[test]
        fn files_in_parts_hold_what_whole_ones_hold(
            body in "\u{feff}?([ab]?,(\"x\n,\")?\n|[ab]{9},\n|\"\n,\n\n\",b\n){0,40}[ab,\"]{0,3}",
            step in 1_u64..40,
        ) {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("a.csv");
            std::fs::write(&file, &body).unwrap();
            let spec = ReadSpec::new(Format::Csv, "a.csv");
            let Ok(reading) = Reading::new(&spec, std::slice::from_ref(&file), &[], opened) else {
                return Ok(());
            };
            let reading = Arc::new(reading);
            let cancel = Cancel::new();
            let parts: Vec<Part> = lines::ranges(body.len() as u64, step)
                .map(|range| Part { file: 0, range: Some(range) })
                .collect();
            let found = parts.iter().map(|part| reading.part(*part, &cancel)).collect();
            match (reading.put_together(&parts, found, &cancel), reading.survey()) {
                (Ok(parts), Ok(whole)) => prop_assert_eq!(parts, whole),
                (Err(parts), Err(whole)) => prop_assert_eq!(parts.message(), whole.message()),
                (parts, whole) => panic!("{parts:?} {whole:?}"),
            }
        }
    }
}
