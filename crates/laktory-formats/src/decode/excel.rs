//! EXCEL: a sheet of a workbook (`.xlsx`, `.xlsb`, `.xls`, `.ods`). Cells have types of their own: a column has the one that holds
//! all of its cells, and is of text where there is none. Numbers without a fraction are whole ones.

mod cells;

use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_schema::{Field as ArrowField, Schema};
use calamine::{Data, Range, Reader as _, Sheets, open_workbook_auto_from_rs};
use laktory_core::{DType, Error, ErrorKind, Format, ReadSpec, Result};

use super::{Batches, Decoder, Stored};
use crate::damaged;
use crate::options::{Given, listed};

/// Options of reading.
pub(super) const OPTIONS: &[&str] = &[
    "allow_missing_columns",
    "drop_empty_rows",
    "errors_as_null",
    "extra_columns",
    "has_header",
    "hive_partitioning",
    "include_file_paths",
    "missing_columns",
    "n_rows",
    "range",
    "recursiveFileLookup",
    "sheet_id",
    "sheet_name",
];

/// Which sheet of a workbook.
#[derive(Clone, Debug)]
enum Which {
    /// The one at a place, the first one being 0.
    Place(usize),
    Name(String),
}

/// The first and the last cell of a part of a sheet, by row and column.
type Part = ((u32, u32), (u32, u32));

#[derive(Debug)]
struct Excel {
    sheet: Which,
    part: Option<Part>,
    has_header: bool,
    errors_as_null: bool,
    drops_empty: bool,
}

pub(super) fn decoder(spec: &ReadSpec, given: &Given<'_>) -> Result<Arc<dyn Decoder>> {
    let sheet = match (given.text("sheet_name")?, given.count("sheet_id")?) {
        (Some(_), Some(_)) => {
            return Err(given.refused("sheet_id", "does not go together with `sheet_name`"));
        }
        (Some(name), None) => Which::Name(name.to_owned()),
        (None, Some(0)) => {
            return Err(given.refused(
                "sheet_id",
                "takes a number above zero: the first sheet is 1",
            ));
        }
        (None, id) => Which::Place(id.map_or(0, |id| id - 1)),
    };
    let part = match given.text("range")? {
        None => None,
        Some(text) => Some(part(text).ok_or_else(|| {
            given
                .refused("range", format!("cannot be `{text}`"))
                .with_hint("it takes the first and the last cell, as `B2:E100`")
        })?),
    };
    Ok(Arc::new(Excel {
        sheet,
        part,
        has_header: given.flag("has_header")?.unwrap_or(spec.has_header),
        errors_as_null: given.flag("errors_as_null")?.unwrap_or(false),
        drops_empty: given.flag("drop_empty_rows")?.unwrap_or(false),
    }))
}

fn part(text: &str) -> Option<Part> {
    let (first, last) = text.split_once(':')?;
    let (first, last) = (cell(first)?, cell(last)?);
    (first.0 <= last.0 && first.1 <= last.1).then_some((first, last))
}

/// The row and column of a cell, from 0 on.
fn cell(text: &str) -> Option<(u32, u32)> {
    let text = text.trim().replace('$', "").to_ascii_uppercase();
    let digits = text.find(|letter: char| letter.is_ascii_digit())?;
    let (letters, digits) = text.split_at(digits);
    if letters.is_empty() || letters.len() > 3 {
        return None;
    }
    let mut column = 0_u32;
    for letter in letters.bytes() {
        if !letter.is_ascii_uppercase() {
            return None;
        }
        column = column * 26 + u32::from(letter - b'A') + 1;
    }
    let row: u32 = digits.parse().ok().filter(|row| *row > 0)?;
    Some((row - 1, column - 1))
}

/// The name of a cell, as a sheet shows it.
fn shown((row, column): (u32, u32)) -> String {
    let mut letters = Vec::new();
    let mut left = u64::from(column) + 1;
    while left > 0 {
        let letter = u8::try_from((left - 1) % 26).unwrap_or(0);
        letters.push(char::from(b'A' + letter));
        left = (left - 1) / 26;
    }
    let letters: String = letters.into_iter().rev().collect();
    format!("{letters}{}", u64::from(row) + 1)
}

/// What is read of a sheet.
struct Table {
    names: Vec<String>,
    types: Vec<DType>,
    /// The cells, without those of the header.
    cells: Range<Data>,
    /// The rows of `cells` that are read.
    rows: Vec<usize>,
}

impl Excel {
    fn range(&self, file: &Path) -> Result<Range<Data>> {
        let bytes: Arc<[u8]> = std::fs::read(file)
            .map_err(|error| Error::from(error).context(format!("`{}`", file.display())))?
            .into();
        let unreadable = |error: calamine::Error| {
            let error = std::io::Error::other(error.to_string());
            match is_encrypted(&bytes) {
                true => {
                    Error::unsupported(format!("`{}` is protected by a password", file.display()))
                        .with_hint("save it without one")
                }
                false => damaged(&Format::Excel, file),
            }
            .with_source(error)
        };
        let mut book: Sheets<_> =
            open_workbook_auto_from_rs(Cursor::new(Arc::clone(&bytes))).map_err(unreadable)?;
        let names = book.sheet_names();
        let name = match &self.sheet {
            Which::Name(name) if names.contains(name) => name.clone(),
            Which::Name(name) => return Err(no_sheet(file, &format!("`{name}`"), name, &names)),
            Which::Place(place) => match names.get(*place) {
                Some(name) => name.clone(),
                None => {
                    let what = format!("number {}", place + 1);
                    return Err(no_sheet(file, &what, "", &names));
                }
            },
        };
        let range = book.worksheet_range(&name).map_err(unreadable)?;
        Ok(match self.part {
            // Of the part no more than there is.
            Some((first, last)) => match range.end() {
                Some(end) if first.0 <= end.0 && first.1 <= end.1 => {
                    range.range(first, (last.0.min(end.0), last.1.min(end.1)))
                }
                _ => Range::empty(),
            },
            None => range,
        })
    }

    fn table(&self, file: &Path) -> Result<Table> {
        let range = self.range(file)?;
        let (Some(start), Some(end)) = (range.start(), range.end()) else {
            return Err(Error::new(
                ErrorKind::ConversionFailed,
                format!("`{}` has no cells to read", file.display()),
            )
            .with_hint(
                "choose another sheet or part: `sheet_name` and `range` in `reader_kwargs`",
            ));
        };
        let width = range.width();
        let numbered = |at: usize| format!("column_{}", at + 1);
        let names: Vec<String> = match self.has_header {
            false => (0..width).map(numbered).collect(),
            true => (0..width)
                .map(|at| match range.get((0, at)) {
                    None | Some(Data::Empty) => numbered(at),
                    Some(cell) => match cells::text(cell) {
                        Some(text) if !text.trim().is_empty() => text.trim().to_owned(),
                        _ => numbered(at),
                    },
                })
                .collect(),
        };
        let cells = match self.has_header {
            false => range,
            true if start.0 == end.0 => Range::empty(),
            true => range.range((start.0 + 1, start.1), end),
        };
        let rows = cells
            .rows()
            .enumerate()
            .filter(|(_, row)| !self.drops_empty || row.iter().any(|cell| *cell != Data::Empty))
            .map(|(at, _)| at);
        let rows = rows.collect();
        let mut kinds = vec![cells::Kinds::default(); width];
        let first = cells.start().unwrap_or_default();
        for (down, row) in cells.rows().enumerate() {
            for (across, cell) in row.iter().enumerate() {
                if let Data::Error(error) = cell
                    && !self.errors_as_null
                {
                    let at = (
                        first.0 + u32::try_from(down).unwrap_or(0),
                        first.1 + u32::try_from(across).unwrap_or(0),
                    );
                    return Err(Error::new(
                        ErrorKind::ConversionFailed,
                        format!(
                            "`{}`: cell {} holds the error {error}",
                            file.display(),
                            shown(at)
                        ),
                    )
                    .with_hint("mend it, or set `errors_as_null: true` in `reader_kwargs`"));
                }
                kinds[across].look(cell);
            }
        }
        Ok(Table {
            names,
            types: kinds.iter().map(cells::Kinds::dtype).collect(),
            cells,
            rows,
        })
    }
}

/// Whether a file holds an encrypted package in place of a workbook.
fn is_encrypted(bytes: &[u8]) -> bool {
    let name: Vec<u8> = "EncryptedPackage"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    bytes.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) && memchr::memmem::find(bytes, &name).is_some()
}

fn no_sheet(file: &Path, what: &str, name: &str, names: &[String]) -> Error {
    let near = |known: &&String| {
        strsim::damerau_levenshtein(&known.to_lowercase(), &name.to_lowercase()) <= 2
    };
    let hint = match names.iter().find(near) {
        Some(near) if !name.is_empty() => {
            format!("did you mean `{near}`? sheets there: {}", listed(names))
        }
        _ => format!("sheets there: {}", listed(names)),
    };
    Error::new(
        ErrorKind::NotFound,
        format!("`{}` has no sheet {what}", file.display()),
    )
    .with_hint(hint)
}

impl Decoder for Excel {
    fn look(&self, file: &Path) -> Result<Stored> {
        let table = self.table(file)?;
        let columns = table.names.iter().zip(&table.types);
        let fields = columns
            .map(|(name, dtype)| match dtype.to_arrow() {
                Some(dtype) => Ok(ArrowField::new(name, dtype, true)),
                None => Err(Error::internal("a type of cells that Arrow does not have")),
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(Stored {
            schema: Arc::new(Schema::new(fields)),
            rows: Some(table.rows.len() as u64),
        })
    }

    fn open(&self, file: &Path, columns: &[usize], batch_size: usize) -> Result<Batches> {
        let table = self.table(file)?;
        let fields = columns
            .iter()
            .filter_map(|at| {
                let dtype = table.types.get(*at)?.to_arrow()?;
                Some(ArrowField::new(table.names.get(*at)?, dtype, true))
            })
            .collect::<Vec<_>>();
        let schema = Arc::new(Schema::new(fields));
        let (columns, mut next) = (columns.to_vec(), 0);
        Ok(Box::new(std::iter::from_fn(move || {
            let end = table.rows.len().min(next + batch_size);
            let rows = &table.rows[next..end];
            next = end;
            if rows.is_empty() {
                return None;
            }
            let arrays = columns
                .iter()
                .map(|column| {
                    let cells = rows.iter().map(|row| table.cells.get((*row, *column)));
                    cells::array(&table.types[*column], cells)
                })
                .collect();
            let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
            Some(
                RecordBatch::try_new_with_options(Arc::clone(&schema), arrays, &options)
                    .map_err(|error| Error::internal(error.to_string())),
            )
        })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_have_names() {
        for (name, at) in [
            ("A1", (0, 0)),
            ("Z9", (8, 25)),
            ("AA10", (9, 26)),
            ("XFD1", (0, 16383)),
        ] {
            assert_eq!(cell(name), Some(at), "{name}");
            assert_eq!(shown(at), name);
        }
        assert_eq!(cell("$B$2"), Some((1, 1)));
        for bad in ["", "A", "1", "A0", "1A", "ABCD1", "Ä1"] {
            assert_eq!(cell(bad), None, "{bad}");
        }
        assert_eq!(part("b2:c3"), Some(((1, 1), (2, 2))));
        assert_eq!(part("C3:B2"), None);
    }
}
