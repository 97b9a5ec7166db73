//! Files that are read as one: their columns, found **by name**, as one list of columns.
//!
//! The rule, for every format: the order of columns in a file means nothing. The first file, by name, says which columns
//! there are, or the declared columns do. A column that a file does not have is null in its rows. A column that only a
//! later file has is refused, since its values would be lost. Types become the narrowest type that holds every value of
//! each file, whatever file comes first; where there is none, the files are refused. Each refusal names file and column.

use std::path::{Path, PathBuf};

use laktory_core::{
    DType, Error, ErrorKind, Field, OptionValue, Options, ReadSpec, Result, TimeUnit,
};

/// What happens to a column that a file does not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Missing {
    /// Its rows have nulls.
    #[default]
    Insert,
    /// Its rows have nulls, even if no file has it.
    Anywhere,
    /// The file is refused.
    Raise,
}

/// What happens to a column that a file has beside those that are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Extra {
    /// The file is refused.
    #[default]
    Raise,
    /// The column is not read.
    Ignore,
    /// The column is read too, behind those of the files before.
    Insert,
}

/// How files of other columns are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// For columns that a file does not have.
    pub missing: Missing,
    /// For columns that a file has beside them.
    pub extra: Extra,
}

impl Policy {
    /// How the files of a read are read: those of a table with a log have its columns, others have what options ask for.
    ///
    /// # Errors
    /// As [`Policy::of`].
    pub fn of_read(spec: &ReadSpec) -> Result<Self> {
        match spec.logged {
            Some(_) => Ok(Self {
                missing: Missing::Anywhere,
                extra: Extra::Ignore,
            }),
            None => Self::of(&spec.options),
        }
    }

    /// What reader options ask for: `missing_columns` (`insert`, `raise`), `extra_columns` (`raise`, `ignore`, `insert`), and
    /// `allow_missing_columns`, an older name.
    ///
    /// # Errors
    /// `InvalidArgument` for other values.
    pub fn of(options: &Options) -> Result<Self> {
        let missing = match chosen(options, "missing_columns", &["insert", "raise"])? {
            Some("raise") => Missing::Raise,
            Some(_) => Missing::Insert,
            None => match options.get("allow_missing_columns") {
                None | Some(OptionValue::Null | OptionValue::Bool(true)) => Missing::Insert,
                Some(OptionValue::Bool(false)) => Missing::Raise,
                Some(_) => return Err(refused("allow_missing_columns", "true or false")),
            },
        };
        let extra = match chosen(options, "extra_columns", &["raise", "ignore", "insert"])? {
            Some("ignore") => Extra::Ignore,
            Some("insert") => Extra::Insert,
            _ => Extra::Raise,
        };
        Ok(Self { missing, extra })
    }
}

fn chosen<'a>(options: &Options, name: &str, choices: &[&'a str]) -> Result<Option<&'a str>> {
    match options.get(name) {
        None | Some(OptionValue::Null) => Ok(None),
        Some(OptionValue::Text(text)) => choices
            .iter()
            .find(|choice| choice.eq_ignore_ascii_case(text))
            .copied()
            .map(Some)
            .ok_or_else(|| refused(name, &format!("one of {}", listed(choices)))),
        Some(_) => Err(refused(name, &format!("one of {}", listed(choices)))),
    }
}

fn refused(name: &str, takes: &str) -> Error {
    Error::new(
        ErrorKind::InvalidArgument,
        format!("reader option `{name}` takes {takes}"),
    )
}

/// The columns of a file.
#[derive(Clone, Debug)]
pub struct Columns<'a> {
    /// The file.
    pub file: &'a Path,
    /// Its columns, in their order.
    pub fields: &'a [Field],
}

/// The columns of all files, which are in the order of their names.
///
/// # Errors
/// `SchemaMismatch` naming file and column.
pub fn unite(files: &[Columns<'_>], policy: Policy) -> Result<Vec<Field>> {
    let Some((first, rest)) = files.split_first() else {
        return Ok(Vec::new());
    };
    // Where each type came from, so that a clash names both files.
    let mut all: Vec<(Field, &Path)> = first
        .fields
        .iter()
        .map(|field| (field.clone(), first.file))
        .collect();
    for other in rest {
        if same(&all, other.fields) {
            continue;
        }
        if policy.missing == Missing::Raise
            && let Some((field, from)) = all.iter().find(|(field, _)| !has(other.fields, field))
        {
            return Err(missing(&field.name, from, other.file));
        }
        let mut extra = Vec::new();
        for field in other.fields {
            match all.iter_mut().find(|(known, _)| known.name == field.name) {
                Some((known, from)) => {
                    let both = widened(&known.dtype, &field.dtype)
                        .ok_or_else(|| clash(known, from, field, other.file))?;
                    if both != known.dtype {
                        known.dtype = both;
                        *from = other.file;
                    }
                }
                None => extra.push(field),
            }
        }
        match policy.extra {
            Extra::Raise if !extra.is_empty() => {
                return Err(surplus(&extra, first.file, other.file));
            }
            Extra::Raise | Extra::Ignore => {}
            Extra::Insert => {
                all.extend(extra.into_iter().map(|field| (field.clone(), other.file)));
            }
        }
    }
    Ok(all.into_iter().map(|(field, _)| field).collect())
}

/// Whether files have the declared columns: each is in some file, and in all of them where that is asked.
///
/// # Errors
/// `ColumnNotFound` for a column that no file has; `SchemaMismatch` for one that a file lacks where that is refused.
pub fn declared(files: &[Columns<'_>], declared: &[Field], policy: Policy) -> Result<()> {
    let Some(first) = files.first() else {
        return Ok(());
    };
    for field in declared {
        let with = files.iter().find(|file| has(file.fields, field));
        let Some(with) = with else {
            if policy.missing == Missing::Anywhere {
                continue;
            }
            let known: Vec<&str> = first
                .fields
                .iter()
                .map(|field| field.name.as_str())
                .collect();
            return Err(Error::new(
                ErrorKind::ColumnNotFound,
                format!("`{}` has no column `{}`", first.file.display(), field.name),
            )
            .with_hint(format!("columns there: {}", listed(&known))));
        };
        if policy.missing == Missing::Raise
            && let Some(without) = files.iter().find(|file| !has(file.fields, field))
        {
            return Err(missing(&field.name, with.file, without.file));
        }
    }
    Ok(())
}

fn same(all: &[(Field, &Path)], other: &[Field]) -> bool {
    all.len() == other.len()
        && all
            .iter()
            .zip(other)
            .all(|((known, _), field)| known == field)
}

fn has(fields: &[Field], wanted: &Field) -> bool {
    fields.iter().any(|field| field.name == wanted.name)
}

fn missing(column: &str, with: &Path, without: &Path) -> Error {
    Error::new(
        ErrorKind::SchemaMismatch,
        format!(
            "`{}` has no column `{column}`, which `{}` has",
            without.display(),
            with.display()
        ),
    )
    .with_hint("set `missing_columns: insert` in `reader_kwargs` to read nulls")
}

fn surplus(extra: &[&Field], first: &Path, file: &Path) -> Error {
    let names: Vec<&str> = extra.iter().map(|field| field.name.as_str()).collect();
    let what = if names.len() == 1 {
        "column"
    } else {
        "columns"
    };
    Error::new(
        ErrorKind::SchemaMismatch,
        format!(
            "`{}` has the {what} {}, which `{}` does not have",
            file.display(),
            listed(&names),
            first.display()
        ),
    )
    .with_hint(
        "set `extra_columns` in `reader_kwargs`: `insert` reads the columns of all files, `ignore` leaves them out",
    )
}

fn clash(known: &Field, from: &Path, found: &Field, file: &Path) -> Error {
    Error::new(
        ErrorKind::SchemaMismatch,
        format!(
            "column `{}` is of type {} in `{}`, but of type {} in `{}`",
            known.name,
            known.dtype,
            from.display(),
            found.dtype,
            file.display()
        ),
    )
    .with_hint("no type holds the values of both: declare the column with `schema`, or read the files as separate sources, convert and unite them")
}

fn listed(names: &[&str]) -> String {
    names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

/// The narrowest type that holds every value of both, none where values would change.
fn widened(left: &DType, right: &DType) -> Option<DType> {
    if left == right {
        return Some(left.clone());
    }
    Some(match (left, right) {
        (DType::Null, other) | (other, DType::Null) => other.clone(),
        (left, right) if left.is_integer() && right.is_integer() => {
            integer(integer_bits(left)?, integer_bits(right)?)?
        }
        (left, right) if left.is_float() && right.is_float() => {
            float(float_digits(left)?.max(float_digits(right)?))?
        }
        (float, integer) | (integer, float) if float.is_float() && integer.is_integer() => {
            // A float holds each whole number of so many bits.
            let (signed, bits) = integer_bits(integer)?;
            self::float(float_digits(float)?.max(bits - u32::from(signed)))?
        }
        (
            DType::Decimal {
                precision: left_digits,
                scale: left,
            },
            DType::Decimal {
                precision: right_digits,
                scale: right,
            },
        ) => {
            let scale = *left.max(right);
            let whole = (left_digits.unwrap_or(38).checked_sub(*left)?)
                .max(right_digits.unwrap_or(38).checked_sub(*right)?);
            let precision = whole.checked_add(scale).filter(|digits| *digits <= 38)?;
            DType::Decimal {
                precision: Some(precision),
                scale,
            }
        }
        (
            DType::Datetime {
                unit: left,
                zone: left_zone,
            },
            DType::Datetime {
                unit: right,
                zone: right_zone,
            },
        ) if left_zone == right_zone => DType::Datetime {
            unit: finer(*left, *right)?,
            zone: left_zone.clone(),
        },
        (DType::Duration(left), DType::Duration(right)) => DType::Duration(finer(*left, *right)?),
        (
            DType::String | DType::Categorical | DType::Enum(_),
            DType::String | DType::Categorical | DType::Enum(_),
        ) => DType::String,
        (DType::List(left), DType::List(right)) => DType::List(Box::new(widened(left, right)?)),
        (DType::Array(left, width), DType::Array(right, other)) if width == other => {
            DType::Array(Box::new(widened(left, right)?), *width)
        }
        (DType::Map(left_key, left), DType::Map(right_key, right)) => DType::Map(
            Box::new(widened(left_key, right_key)?),
            Box::new(widened(left, right)?),
        ),
        (DType::Struct(left), DType::Struct(right)) => {
            // Fields of structs differ in their types alone; those that one side lacks are no matter of widening.
            if left.len() != right.len() {
                return None;
            }
            let fields = left.iter().map(|field| {
                let other = right.iter().find(|other| other.name == field.name)?;
                let dtype = widened(&field.dtype, &other.dtype)?;
                Some(Field::new(field.name.as_str(), dtype))
            });
            DType::Struct(fields.collect::<Option<Vec<_>>>()?)
        }
        _ => return None,
    })
}

/// Whether a type of whole numbers has a sign, and its bits.
fn integer_bits(dtype: &DType) -> Option<(bool, u32)> {
    Some(match dtype {
        DType::Int8 => (true, 8),
        DType::Int16 => (true, 16),
        DType::Int32 => (true, 32),
        DType::Int64 => (true, 64),
        DType::UInt8 => (false, 8),
        DType::UInt16 => (false, 16),
        DType::UInt32 => (false, 32),
        DType::UInt64 => (false, 64),
        _ => return None,
    })
}

fn integer(left: (bool, u32), right: (bool, u32)) -> Option<DType> {
    let signed = left.0 || right.0;
    // A number without sign needs one bit more beside one with a sign.
    let needed = |(own, bits): (bool, u32)| if signed && !own { bits * 2 } else { bits };
    Some(match (signed, needed(left).max(needed(right))) {
        (true, 8) => DType::Int8,
        (true, 16) => DType::Int16,
        (true, 32) => DType::Int32,
        (true, 64) => DType::Int64,
        (false, 8) => DType::UInt8,
        (false, 16) => DType::UInt16,
        (false, 32) => DType::UInt32,
        (false, 64) => DType::UInt64,
        _ => return None,
    })
}

/// Bits of whole numbers that a float holds without loss.
fn float_digits(dtype: &DType) -> Option<u32> {
    Some(match dtype {
        DType::Float16 => 11,
        DType::Float32 => 24,
        DType::Float64 => 53,
        _ => return None,
    })
}

fn float(digits: u32) -> Option<DType> {
    Some(match digits {
        0..=11 => DType::Float16,
        12..=24 => DType::Float32,
        25..=53 => DType::Float64,
        _ => return None,
    })
}

/// The finer of two units. Nanoseconds do not reach the years that coarser units do.
fn finer(left: TimeUnit, right: TimeUnit) -> Option<TimeUnit> {
    let rank = |unit| match unit {
        TimeUnit::Second => 0,
        TimeUnit::Millisecond => 1,
        TimeUnit::Microsecond => 2,
        TimeUnit::Nanosecond => 3,
    };
    let (left, right) = if rank(left) < rank(right) {
        (left, right)
    } else {
        (right, left)
    };
    (left == right || right != TimeUnit::Nanosecond).then_some(right)
}

/// Runs of files, in their order, of which each has the same columns: what a reader can take at once.
#[must_use]
pub fn runs<K: PartialEq>(
    files: &[PathBuf],
    key: impl Fn(usize) -> K,
) -> Vec<std::ops::Range<usize>> {
    let mut runs: Vec<std::ops::Range<usize>> = Vec::new();
    let mut last = None;
    for at in 0..files.len() {
        let this = Some(key(at));
        match runs.last_mut() {
            Some(run) if this == last => run.end = at + 1,
            _ => runs.push(at..at + 1),
        }
        last = this;
    }
    runs
}

#[cfg(test)]
mod tests;
