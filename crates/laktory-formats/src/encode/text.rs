//! TEXT: each row of the one column is a line, as Spark has it; a null is an empty line.

use std::io::{BufRead as _, Write as _};
use std::path::{Path, PathBuf};

use arrow_array::{Array as _, RecordBatch, StringViewArray};
use arrow_schema::{DataType, SchemaRef};
use laktory_core::{Error, ErrorKind, Result, WriteSpec};

use super::{Encoder, Encoding};
use crate::append::utf8;
use crate::decode::{converted, unescaped};
use crate::options::Given;
use crate::packed::{self, Compression, Pack, Packed};

/// Options of writing.
pub(super) const OPTIONS: &[&str] = &["compression", "compression_level", "lineSep"];

struct Text {
    pack: Pack,
    /// What lines end with; none for line feeds.
    separator: Option<Vec<u8>>,
    existing: Option<PathBuf>,
}

pub(super) fn encoding(spec: &WriteSpec, given: &Given<'_>) -> Result<Box<dyn Encoding>> {
    let separator = match given.text("lineSep")? {
        Some("") => return Err(given.refused("lineSep", "cannot be empty")),
        Some(text) => Some(unescaped(text)),
        None => None,
    };
    Ok(Box::new(Text {
        pack: Pack::given(given)?,
        separator,
        existing: spec.existing.clone(),
    }))
}

impl Encoding for Text {
    fn create(&self, path: &Path, _: &SchemaRef) -> Result<Box<dyn Encoder>> {
        let mut lines = Lines {
            file: Packed::create(path, self.pack)?,
            separator: self.separator.clone().unwrap_or_else(|| b"\n".to_vec()),
            of_lines: self.separator.is_none(),
            is_packed: self.pack != Pack::None,
            is_empty: true,
            rows: 0,
        };
        if let Some(existing) = &self.existing {
            lines.begin_with(existing)?;
        }
        Ok(Box::new(lines))
    }
}

struct Lines {
    file: Packed,
    separator: Vec<u8>,
    /// Whether each of the usual ends would begin a new line.
    of_lines: bool,
    is_packed: bool,
    /// Whether nothing is in the file yet, by whose first bytes readers tell what it is.
    is_empty: bool,
    rows: u64,
}

impl Lines {
    /// Copies the lines that come first, of which the last one may lack its end.
    fn begin_with(&mut self, existing: &Path) -> Result<()> {
        utf8::check(existing)?;
        let mut text = packed::raw(existing)?;
        // What stands behind the last end; of long lines their end alone.
        let mut open: Vec<u8> = Vec::new();
        let width = self.separator.len();
        loop {
            let piece = text
                .fill_buf()
                .map_err(|error| packed::named(existing, error))?;
            if piece.is_empty() {
                break;
            }
            self.is_empty = false;
            self.file.write_all(piece)?;
            if self.of_lines || width == 1 {
                open.splice(.., piece.last().copied());
            } else {
                // Ends may overlap, so that the first of them is where a line ends.
                for byte in piece {
                    open.push(*byte);
                    if open.ends_with(&self.separator) {
                        open.clear();
                    }
                    if open.len() >= 2 * width {
                        open.drain(..=width);
                    }
                }
            }
            let length = piece.len();
            text.consume(length);
        }
        let ends = open.ends_with(&self.separator) || (self.of_lines && open.ends_with(b"\r"));
        if open.is_empty() || ends {
            return Ok(());
        }
        if self.splits(&open) {
            return Err(Error::new(
                ErrorKind::RowsLost,
                format!(
                    "the last row of `{}` has no end, and would become another with the end that new rows need",
                    existing.display()
                ),
            )
            .with_hint("set `lineSep` in `writer_kwargs` to what its lines end with, or use mode OVERWRITE"));
        }
        Ok(self.file.write_all(&self.separator)?)
    }

    /// Whether a line does not end where it should: it holds an end, or begins one that the end behind it completes.
    fn splits(&self, text: &[u8]) -> bool {
        if self.of_lines {
            return memchr::memchr2(b'\n', b'\r', text).is_some();
        }
        if memchr::memmem::find(text, &self.separator).is_some() {
            return true;
        }
        let width = self.separator.len();
        let beside = &text[text.len().saturating_sub(width - 1)..];
        let both = [beside, &self.separator].concat();
        memchr::memmem::find(&both, &self.separator) != Some(beside.len())
    }

    /// What readers take the first bytes of a file for, other than a text.
    fn taken_for(&self, text: &[u8]) -> Option<&'static str> {
        if !self.is_empty {
            return None;
        }
        let head = text.iter().chain(&self.separator).take(6);
        let head: Vec<u8> = head.copied().collect();
        if head.starts_with("\u{feff}".as_bytes()) {
            return Some("a byte order mark, which readers leave out");
        }
        let is_packed = !self.is_packed && Compression::of(&head).is_some();
        is_packed.then_some("the bytes of a compressed file")
    }
}

impl Encoder for Lines {
    fn push(&mut self, batch: &RecordBatch) -> Result<()> {
        let Some(column) = batch.columns().first() else {
            return Err(Error::internal("rows of TEXT without a column"));
        };
        let column = converted(column, &DataType::Utf8View)
            .map_err(|error| Error::internal(error.to_string()))?;
        let Some(texts) = column.as_any().downcast_ref::<StringViewArray>() else {
            return Err(Error::internal("a column of TEXT that is no text"));
        };
        for text in texts {
            self.rows += 1;
            let text = text.unwrap_or_default().as_bytes();
            if self.splits(text) {
                return Err(Error::new(
                    ErrorKind::RowsLost,
                    format!(
                        "the text of row {} holds the end of a line, or completes one too early, and would come back as other rows",
                        self.rows
                    ),
                )
                .with_hint("replace line ends in the column, set `lineSep` in `writer_kwargs` to a text that no row holds, or write PARQUET"));
            }
            if let Some(what) = self.taken_for(text) {
                return Err(Error::new(
                    ErrorKind::RowsLost,
                    format!("the text of row {} begins with {what}", self.rows),
                )
                .with_hint("put another row first, take it out of the text, or write PARQUET"));
            }
            self.is_empty = false;
            self.file.write_all(text)?;
            self.file.write_all(&self.separator)?;
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<()> {
        self.file.finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::ArrayRef;
    use laktory_core::{Format, OptionValue};
    use proptest::prelude::*;

    use super::*;
    use crate::decode::Reading;
    use crate::encode::Writing;
    use crate::files::Files;

    /// Writes rows behind those of a file, if there are any.
    fn write(path: &Path, ends: Option<&str>, old: Option<&[u8]>, rows: &[&str]) -> Result<()> {
        let mut spec = WriteSpec::new(Format::Text, path);
        if let Some(ends) = ends {
            let ends = OptionValue::Text(ends.to_owned());
            spec.options.insert("lineSep".to_owned(), ends);
        }
        if let Some(old) = old {
            let before = path.with_extension("old");
            std::fs::write(&before, old)?;
            spec.existing = Some(before);
        }
        let column: StringViewArray = rows.iter().copied().map(Some).collect();
        let batch = RecordBatch::try_from_iter([("x", Arc::new(column) as ArrayRef)]).unwrap();
        let _ = std::fs::remove_file(path);
        let mut encoder = Writing::of(&spec, &batch.schema())?.unwrap().create(path)?;
        encoder.push(&batch)?;
        encoder.finish()
    }

    fn read(path: &Path, ends: Option<&str>) -> Result<Vec<String>> {
        let mut spec = laktory_core::ReadSpec::new(Format::Text, path.display().to_string());
        spec.files = vec![path.to_owned()];
        if let Some(ends) = ends {
            let ends = OptionValue::Text(ends.to_owned());
            spec.options.insert("lineSep".to_owned(), ends);
        }
        let files = Files::of(&spec)?;
        let Some(reading) = Reading::of(&spec, &files)? else {
            return Err(Error::internal("TEXT is decoded"));
        };
        let mut all = Vec::new();
        for file in &files.paths {
            for batch in reading.batches(file, &[0], 10)? {
                let batch = batch?;
                let column = batch.column(0).as_any().downcast_ref::<StringViewArray>();
                all.extend(column.unwrap().iter().map(|text| text.unwrap().to_owned()));
            }
        }
        Ok(all)
    }

    #[test]
    fn rows_that_end_elsewhere_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        let error = write(&path, Some("||"), None, &["b", "a|"]).unwrap_err();
        assert!(error.message().contains("the text of row 2"), "{error}");
        write(&path, Some("||"), None, &["b", "|a", ""]).unwrap();
        assert_eq!(read(&path, Some("||")).unwrap(), ["b", "|a", ""]);
        let error = write(&path, Some("||"), Some(b"a||b|"), &["c"]).unwrap_err();
        assert!(error.message().contains("has no end"), "{error}");
        write(&path, Some("||"), Some(b"a|||"), &["c"]).unwrap_err();
        write(&path, Some("||"), Some(b"a||b"), &["c"]).unwrap();
        assert_eq!(read(&path, Some("||")).unwrap(), ["a", "b", "c"]);
    }

    #[test]
    fn what_a_file_begins_with_is_no_mark() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        for text in ["\u{feff}a", "\u{feff}", "BZh91 is text", "x\u{1}"] {
            let error = write(&path, None, None, &[text]).unwrap_err();
            assert!(error.message().contains("row 1 begins with"), "{error}");
            write(&path, None, None, &["a", text]).unwrap();
            assert_eq!(read(&path, None).unwrap(), ["a", text]);
        }
    }

    #[test]
    fn rows_are_added_to_utf_8_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        for old in [b"\xff\xfea\0\n\0" as &[u8], b"a\xe9\n"] {
            let error = write(&path, None, Some(old), &["b"]).unwrap_err();
            assert!(error.message().contains("it is not UTF-8"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_comes_back(
            ends in "[|;a]{1,3}",
            old in "[|;a]{0,5}",
            rows in prop::collection::vec("[|;a]{0,4}", 1..4),
        ) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("a.txt");
            std::fs::write(&path, &old).unwrap();
            let mut wanted = match old.is_empty() {
                true => Vec::new(),
                false => read(&path, Some(&ends)).unwrap(),
            };
            let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
            wanted.extend(rows.iter().map(|row| (*row).to_owned()));
            if write(&path, Some(&ends), Some(old.as_bytes()), &rows).is_ok() {
                prop_assert_eq!(read(&path, Some(&ends)).unwrap(), wanted);
            }
        }
    }
}
