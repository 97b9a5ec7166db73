//! The beginnings of files: names, widths, declared columns, guessed types.

use std::path::{Path, PathBuf};

use laktory_core::{DType, Error, ErrorKind, Field, ReadSpec, Result, Subject};

use super::dialect::{Dialect, Guess};
use super::fault::Fault;
use super::guess::Candidates;
use super::records::Records;
use super::{File, Open, Reading, Stamp, Text, records, stopped};
use crate::folder::{self, Columns};
use crate::options::listed;

/// The beginning of a file.
struct Header {
    names: Vec<String>,
    plain: bool,
    /// Types of its fields, where they are guessed.
    types: Vec<DType>,
}

impl Reading {
    /// How files that hold something are read as `spec` asks for. Looks at their first records only. Columns that come from
    /// `elsewhere` are not read from files with names.
    ///
    /// # Errors
    /// `InvalidArgument` for an option; `ConversionFailed` for a file without columns, or one that is no text;
    /// `DuplicateColumn`; `ColumnNotFound` and `SchemaMismatch` for files that do not have the declared columns, or do not
    /// fit each other.
    pub fn new(spec: &ReadSpec, files: &[PathBuf], elsewhere: &[&str], open: Open) -> Result<Self> {
        let dialect = Dialect::new(spec)?;
        let guess = dialect.guess.filter(|_| spec.schema.is_none());
        let mut stamps = Vec::with_capacity(files.len());
        let mut headers = Vec::with_capacity(files.len());
        let mut filled = Vec::with_capacity(files.len());
        for file in files {
            let stamp = Stamp::of(file)?;
            match header(&dialect, guess, open, file)? {
                Some(header) => {
                    stamps.push(stamp);
                    headers.push(header);
                    filled.push(file.as_path());
                }
                // A file without records has no rows, which takes declared columns.
                None if spec.schema.is_some() => {}
                None => return Err(no_header(file)),
            }
        }
        let by_name = dialect.has_header && !dialect.by_position;
        let each: Vec<Vec<Field>> = headers
            .iter()
            .map(|header| {
                let mut fields = fields(header);
                fields.retain(|field| !by_name || !elsewhere.contains(&field.name.as_str()));
                fields
            })
            .collect();
        let columns = match &spec.schema {
            Some(declared) => {
                distinct(declared.iter().map(|field| field.name.as_str())).map_err(|name| {
                    Error::new(
                        ErrorKind::DuplicateColumn,
                        format!("column `{name}` is declared twice"),
                    )
                })?;
                if by_name {
                    has_declared(&dialect, declared, &filled, &each)?;
                }
                declared.clone()
            }
            None => found(&dialect, by_name, &filled, &each)?,
        };
        let mut reading = Vec::with_capacity(files.len());
        for ((file, header), stamp) in filled.iter().zip(&headers).zip(stamps) {
            let places = if by_name {
                columns
                    .iter()
                    .map(|column| header.names.iter().position(|name| *name == column.name))
                    .collect()
            } else {
                same_width(
                    columns.len(),
                    filled[0],
                    spec.schema.is_some(),
                    header,
                    file,
                )?;
                (0..columns.len()).map(Some).collect()
            };
            reading.push(File {
                path: file.to_path_buf(),
                width: header.names.len(),
                fields: places,
                plain_header: header.plain,
                stamp,
            });
        }
        let mut columns = columns;
        if spec.schema.is_none() {
            for (column, name) in columns.iter_mut().zip(&dialect.names) {
                column.name.clone_from(name);
            }
            distinct(columns.iter().map(|field| field.name.as_str())).map_err(|name| {
                Error::new(
                    ErrorKind::DuplicateColumn,
                    format!("`new_columns` names column `{name}` twice"),
                )
            })?;
        }
        Ok(Self {
            dialect,
            open,
            files: reading,
            columns,
            guessed: guess.is_some(),
        })
    }
}

/// The first name that is there twice.
fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Result<(), String> {
    let mut seen = std::collections::HashSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(name.to_owned());
        }
    }
    Ok(())
}

fn no_header(file: &Path) -> Error {
    Error::new(
        ErrorKind::ConversionFailed,
        format!("`{}` has no header", file.display()),
    )
    .with_hint("declare its columns with `schema`, or write a header")
}

/// The beginning of a file, and the types that its first records seem to have; `None` for a file without records.
fn header(
    dialect: &Dialect,
    guess: Option<Guess>,
    open: Open,
    file: &Path,
) -> Result<Option<Header>> {
    let mut records = records(dialect, open, file)?;
    if !first(&mut records, dialect, file)? {
        return Ok(None);
    }
    let text = std::str::from_utf8(records.bytes());
    let line = records.line();
    let encoding = || Fault::Encoding { line }.error(file, dialect.has_header);
    let names = match text {
        _ if !dialect.has_header => (1..=records.fields().len())
            .map(|at| format!("column_{at}"))
            .collect::<Vec<_>>(),
        Ok(text) => records
            .fields()
            .iter()
            .map(|span| {
                records
                    .single(*span, &text[records.within(*span)])
                    .into_owned()
            })
            .collect(),
        Err(_) => return Err(encoding()),
    };
    distinct(names.iter().map(String::as_str)).map_err(|name| {
        Error::new(
            ErrorKind::DuplicateColumn,
            format!("`{}`, line {line}: the header names column `{name}` twice", file.display()),
        )
        .with_hint("rename one of them in the file, or skip the header and name the columns: `has_header: false` with `reader_kwargs: {skip_rows: 1, new_columns: [..]}`")
    })?;
    let plain = line == 1
        && !records
            .bytes()
            .iter()
            .rev()
            .skip(2)
            .any(|byte| *byte == b'\n');
    let types = match guess {
        Some(guess) => guessed(&mut records, dialect, guess, &names, file)?,
        None => vec![DType::String; names.len()],
    };
    Ok(Some(Header {
        names,
        plain,
        types,
    }))
}

/// Goes to the first record that is no blank line.
pub(super) fn first(records: &mut Records<Text>, dialect: &Dialect, file: &Path) -> Result<bool> {
    while records
        .advance()
        .map_err(|stop| stopped(stop, dialect, file))?
    {
        if !records.is_blank() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Types that the first records of a file seem to have. The current record is the first one.
fn guessed(
    records: &mut Records<Text>,
    dialect: &Dialect,
    guess: Guess,
    names: &[String],
    file: &Path,
) -> Result<Vec<DType>> {
    let mut candidates = vec![Candidates::default(); names.len()];
    let mut left = guess.records.unwrap_or(usize::MAX);
    if left == 0 {
        return Ok(vec![DType::String; names.len()]);
    }
    let stop = |stop| stopped(stop, dialect, file);
    let mut there = true;
    if dialect.has_header {
        for _ in 0..dialect.skip_after {
            if !records.advance().map_err(stop)? {
                break;
            }
        }
        there = records.advance().map_err(stop)?;
    }
    while there && left > 0 {
        if let Ok(text) = std::str::from_utf8(records.bytes()) {
            for ((span, candidates), name) in
                records.fields().iter().zip(&mut candidates).zip(names)
            {
                if candidates.is_text() {
                    continue;
                }
                let field = records.single(*span, &text[records.within(*span)]);
                if !dialect.is_null(name, &field) {
                    candidates.look(&field, dialect.decimal_comma, guess.dates);
                }
            }
        }
        left -= 1;
        there = records.advance().map_err(stop)?;
    }
    Ok(candidates.iter().map(Candidates::dtype).collect())
}

fn fields(header: &Header) -> Vec<Field> {
    header
        .names
        .iter()
        .zip(&header.types)
        .map(|(name, dtype)| Field::new(name.as_str(), dtype.clone()))
        .collect()
}

/// The columns of files without declared ones.
fn found(
    dialect: &Dialect,
    by_name: bool,
    files: &[&Path],
    each: &[Vec<Field>],
) -> Result<Vec<Field>> {
    if !by_name {
        let mut columns = each.first().cloned().unwrap_or_default();
        for other in each {
            for (column, other) in columns.iter_mut().zip(other) {
                column.dtype = both(&column.dtype, &other.dtype);
            }
        }
        return Ok(columns);
    }
    // Texts tell types by what they say, so that the types of several files always have one that holds both.
    let names: Vec<Vec<Field>> = each
        .iter()
        .map(|fields| {
            let text = |field: &Field| Field::new(field.name.as_str(), DType::String);
            fields.iter().map(text).collect()
        })
        .collect();
    let files: Vec<Columns<'_>> = files
        .iter()
        .zip(&names)
        .map(|(file, fields)| Columns { file, fields })
        .collect();
    let mut columns = folder::unite(&files, dialect.policy)?;
    for column in &mut columns {
        let mut types = each
            .iter()
            .flatten()
            .filter(|field| field.name == column.name)
            .map(|field| &field.dtype);
        if let Some(first) = types.next() {
            column.dtype = types.fold(first.clone(), |known, other| both(&known, other));
        }
    }
    Ok(columns)
}

/// The type of texts of which some seem to be of one type, some of another.
fn both(left: &DType, right: &DType) -> DType {
    match (left, right) {
        (left, right) if left == right => left.clone(),
        (DType::Int64, DType::Float64) | (DType::Float64, DType::Int64) => DType::Float64,
        _ => DType::String,
    }
}

/// Files whose columns stand in the order of the declared ones.
fn same_width(
    wanted: usize,
    first: &Path,
    declared: bool,
    header: &Header,
    file: &Path,
) -> Result<()> {
    let found = header.names.len();
    if found == wanted {
        return Ok(());
    }
    let message = if declared {
        format!(
            "{wanted} columns are declared, the file `{}` has {found}",
            file.display()
        )
    } else {
        format!(
            "`{}` has {found} columns, but `{}` has {wanted}",
            file.display(),
            first.display()
        )
    };
    Err(Error::new(ErrorKind::SchemaMismatch, message))
}

/// Whether files have the declared columns and no others, found by the names of their headers.
fn has_declared(
    dialect: &Dialect,
    declared: &[Field],
    files: &[&Path],
    each: &[Vec<Field>],
) -> Result<()> {
    const BY_POSITION: &str = "`reader_kwargs: {by_position: true}` takes the columns of the schema in the order of the file";
    for field in declared {
        let mut there = each.iter().flatten();
        if each.is_empty() || there.any(|other| other.name == field.name) {
            continue;
        }
        let there: Vec<&str> = each[0].iter().map(|field| field.name.as_str()).collect();
        let near = nearest(&field.name, &there)
            .map_or_else(String::new, |near| format!("did you mean `{near}`? "));
        return Err(Error::new(
            ErrorKind::ColumnNotFound,
            format!(
                "the schema has column `{}`, which the header of `{}` does not name",
                field.name,
                files[0].display()
            ),
        )
        .with_subject(Subject::Name(field.name.clone()))
        .with_hint(format!(
            "{near}columns there: {}; {BY_POSITION}",
            listed(&there)
        )));
    }
    let columns: Vec<Columns<'_>> = files
        .iter()
        .zip(each)
        .map(|(file, fields)| Columns { file, fields })
        .collect();
    folder::declared(&columns, declared, dialect.policy)?;
    if dialect.policy.extra == folder::Extra::Ignore {
        return Ok(());
    }
    for (file, fields) in files.iter().zip(each) {
        let other = fields
            .iter()
            .map(|field| &field.name)
            .find(|name| !declared.iter().any(|field| field.name == **name));
        if let Some(name) = other {
            let known: Vec<&str> = declared.iter().map(|field| field.name.as_str()).collect();
            let near = nearest(name, &known)
                .map_or_else(String::new, |near| format!("did you mean `{near}` there? "));
            return Err(Error::new(
                ErrorKind::SchemaMismatch,
                format!(
                    "`{}` has column `{name}`, which the schema does not name",
                    file.display()
                ),
            )
            .with_hint(format!(
                "{near}add it to the schema, or leave it out with `reader_kwargs: {{extra_columns: ignore}}`; {BY_POSITION}"
            )));
        }
    }
    Ok(())
}

/// The name that another one was probably meant to be.
fn nearest<'a, T: AsRef<str>>(name: &str, names: &'a [T]) -> Option<&'a str> {
    let length = name.chars().count();
    let limit = (length / 3).max(1);
    names
        .iter()
        .map(|other| {
            (
                strsim::osa_distance(&name.to_lowercase(), &other.as_ref().to_lowercase()),
                other.as_ref(),
            )
        })
        .filter(|(distance, _)| *distance <= limit && *distance < length)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}
