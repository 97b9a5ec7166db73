//! What a change makes of a table: its columns, its partitioning, and what has to be written.

use laktory_core::table::{Change, ChangeKind, PARTITION_OVERWRITE_MODE, Planned, REPLACE_WHERE};
use laktory_core::{DType, Error, ErrorKind, Field, OptionValue, Result};

use crate::actions::{FileFormat, Metadata, Protocol};
use crate::features;
use crate::parts::Condition;
use crate::schema::{self, Column};
use crate::snapshot::Known;

const MERGE: &str = "mergeSchema";
const REPLACE: &str = "overwriteSchema";
const TRUNCATE: &str = "truncate_ns";
const PARTITIONS: &str = "partitionBy";

/// The table behind a change, but for its files.
#[derive(Clone, Debug)]
pub(crate) struct Next {
    pub(crate) planned: Planned,
    /// Where it is another than before.
    pub(crate) protocol: Option<Protocol>,
    /// Where it is another than before.
    pub(crate) metadata: Option<Metadata>,
    pub(crate) columns: Vec<Column>,
    pub(crate) replaced: Replaced,
}

/// The files that a change takes out of a table.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Replaced {
    Nothing,
    All,
    /// Those of the partitions that get new rows.
    Same,
    /// Those whose rows are meant.
    Where(Condition),
    /// Those that the change names.
    Files,
}

/// The table behind a change by rows of such columns.
///
/// # Errors
/// `Unsupported`, `SchemaMismatch`, `InvalidArgument`.
pub(crate) fn next(known: Option<&Known>, change: &Change, rows: &[Field]) -> Result<Next> {
    let asked = Asked::of(change)?;
    let rows = held(rows, asked.truncates)?;
    let Some(known) = known else {
        let next = fresh(&asked, None, rows)?;
        return replaced(&asked, change, next);
    };
    let columns = known.columns()?;
    features::writable(&known.state, columns, change.kind)?;
    let is_whole = !asked.same && change.replaces.is_none();
    let next = match change.kind == ChangeKind::Overwrite && asked.replaces && is_whole {
        true => fresh(&asked, Some(known), rows),
        false => wider(&asked, known, columns, rows),
    };
    replaced(&asked, change, next?)
}

/// The change, with what it takes out of the table.
fn replaced(asked: &Asked, change: &Change, mut next: Next) -> Result<Next> {
    let partial = match (&change.replaces, asked.same) {
        (Some(_), true) => {
            let message = format!(
                "`replaceWhere` and `{PARTITION_OVERWRITE_MODE}` say both what is replaced"
            );
            return Err(
                Error::new(ErrorKind::InvalidArgument, message).with_hint("give one of them")
            );
        }
        (Some(_), false) => Some(REPLACE_WHERE),
        (None, true) => Some(PARTITION_OVERWRITE_MODE),
        (None, false) => None,
    };
    if let (Some(name), ChangeKind::Append | ChangeKind::Merge) = (partial, change.kind) {
        let how = match change.kind {
            ChangeKind::Merge => "merged",
            _ => "appended",
        };
        let message = format!("writer option `{name}` has no meaning for rows that are {how}");
        return Err(Error::new(ErrorKind::InvalidArgument, message)
            .with_hint("use mode OVERWRITE, or leave it out"));
    }
    let by = &next.planned.partition_by;
    next.replaced = match (change.kind, &change.replaces) {
        (ChangeKind::Append, _) => Replaced::Nothing,
        (ChangeKind::Merge, _) => Replaced::Files,
        (_, Some(condition)) => {
            Replaced::Where(Condition::new(condition.clone(), &next.columns, by)?)
        }
        // Without partitions, all rows are of one.
        (_, None) if asked.same && !by.is_empty() => Replaced::Same,
        (_, None) => Replaced::All,
    };
    Ok(next)
}

/// The options of a change.
struct Asked {
    merges: bool,
    replaces: bool,
    truncates: bool,
    partition_by: Vec<String>,
    /// Whether the partitions that get new rows are replaced, and others stay.
    same: bool,
}

impl Asked {
    fn of(change: &Change) -> Result<Self> {
        let flag = |name: &str, default: bool| match change.options.get(name) {
            None | Some(OptionValue::Null) => Ok(default),
            Some(OptionValue::Bool(value)) => Ok(*value),
            Some(OptionValue::Text(text)) if text.eq_ignore_ascii_case("true") => Ok(true),
            Some(OptionValue::Text(text)) if text.eq_ignore_ascii_case("false") => Ok(false),
            Some(_) => Err(refused(name, "true or false")),
        };
        let mut partition_by = change.partition_by.clone();
        match change.options.get(PARTITIONS) {
            None | Some(OptionValue::Null) => {}
            Some(OptionValue::Text(name)) => partition_by = vec![name.clone()],
            Some(OptionValue::List(names)) => {
                let names = names.iter().map(|name| match name {
                    OptionValue::Text(name) => Ok(name.clone()),
                    _ => Err(refused(PARTITIONS, "names of columns")),
                });
                partition_by = names.collect::<Result<_>>()?;
            }
            Some(_) => return Err(refused(PARTITIONS, "names of columns")),
        }
        let same = match change.options.get(PARTITION_OVERWRITE_MODE) {
            None | Some(OptionValue::Null) => false,
            Some(OptionValue::Text(mode)) if mode.eq_ignore_ascii_case("dynamic") => true,
            Some(OptionValue::Text(mode)) if mode.eq_ignore_ascii_case("static") => false,
            Some(_) => return Err(refused(PARTITION_OVERWRITE_MODE, "`dynamic` or `static`")),
        };
        Ok(Self {
            same,
            merges: flag(MERGE, true)?,
            replaces: flag(REPLACE, true)?,
            truncates: flag(TRUNCATE, false)?,
            partition_by,
        })
    }
}

fn refused(name: &str, takes: &str) -> Error {
    Error::new(
        ErrorKind::InvalidArgument,
        format!("writer option `{name}` takes {takes}"),
    )
}

/// The columns in the types that a table holds.
fn held(rows: &[Field], truncates: bool) -> Result<Vec<Field>> {
    let mut columns: Vec<Field> = Vec::with_capacity(rows.len());
    for field in rows {
        let dtype = schema::held(&field.dtype, truncates).map_err(|(message, hint)| {
            Error::unsupported(format!("column `{}`: {message}", field.name)).with_hint(hint)
        })?;
        let lower = field.name.to_lowercase();
        if let Some(other) = columns
            .iter()
            .find(|other| other.name.to_lowercase() == lower)
        {
            return Err(Error::new(
                ErrorKind::DuplicateColumn,
                format!(
                    "columns `{}` and `{}` are one: names of columns of DELTA are told apart by more than the case of letters",
                    other.name, field.name
                ),
            )
            .with_hint("rename one of them"));
        }
        columns.push(Field::new(&field.name, dtype));
    }
    if columns.is_empty() {
        return Err(Error::new(
            ErrorKind::SchemaMismatch,
            "a frame without columns cannot be written",
        ));
    }
    Ok(columns)
}

/// A table of the rows' own columns, in the place of another one if there is one.
fn fresh(asked: &Asked, known: Option<&Known>, rows: Vec<Field>) -> Result<Next> {
    let old = known.map(|known| &known.state.metadata);
    let kept = old
        .map(|old| old.partition_columns.as_slice())
        .unwrap_or_default();
    let partition_by = match asked.partition_by.is_empty() {
        // Those of the table, as long as it still has them.
        true if kept.iter().all(|name| has(&rows, name)) => kept.to_vec(),
        true => Vec::new(),
        false => asked.partition_by.clone(),
    };
    partitions(&rows, &partition_by)?;
    let before = known.map(Known::columns).transpose()?.unwrap_or_default();
    let columns = rows
        .iter()
        .map(|field| {
            // What is known of a column that stays stays.
            let same = before.iter().find(|column| column.field == *field);
            same.cloned().map_or_else(|| schema::column(field), Ok)
        })
        .collect::<Result<Vec<_>>>()?;
    let metadata = Metadata {
        schema_string: schema::text(&columns),
        partition_columns: partition_by.clone(),
        ..old.cloned().unwrap_or_else(created)
    };
    let same = old.is_some_and(|old| {
        old.partition_columns == metadata.partition_columns && before == columns
    });
    settled(
        known,
        columns,
        (!same).then_some(metadata),
        rows,
        partition_by,
    )
}

/// The columns of the table, and those of the rows that it does not have yet.
fn wider(asked: &Asked, known: &Known, before: &[Column], rows: Vec<Field>) -> Result<Next> {
    let old = &known.state.metadata;
    let partition_by = old.partition_columns.clone();
    if !asked.partition_by.is_empty() && asked.partition_by != partition_by {
        let message = format!(
            "the table is partitioned by {}, and the sink asks for {}",
            listed(&partition_by),
            listed(&asked.partition_by)
        );
        return Err(Error::new(ErrorKind::SchemaMismatch, message)
            .with_hint("write by the partitions of the table, or replace it by mode OVERWRITE"));
    }
    let (mut columns, mut written, mut added) = (before.to_vec(), Vec::new(), Vec::new());
    for field in rows {
        let lower = field.name.to_lowercase();
        let known = before
            .iter()
            .find(|column| column.field.name.to_lowercase() == lower);
        match known {
            Some(column) if column.field.name != field.name => {
                let message = format!(
                    "column `{}` of the rows is `{}` in the table",
                    field.name, column.field.name
                );
                return Err(Error::new(ErrorKind::SchemaMismatch, message)
                    .with_hint("rename it: the case of letters is part of a name"));
            }
            Some(column) if schema::widens(&field.dtype, &column.field.dtype) => {
                written.push(column.field.clone());
            }
            Some(column) => {
                let message = format!(
                    "column `{}` is of type {} in the table, and {} in the rows",
                    field.name, column.field.dtype, field.dtype
                );
                return Err(Error::new(ErrorKind::SchemaMismatch, message)
                    .with_hint("cast it in a step, or replace the table by mode OVERWRITE"));
            }
            None => {
                columns.push(schema::column(&field)?);
                added.push(field.name.clone());
                written.push(field);
            }
        }
    }
    if !added.is_empty() && !asked.merges {
        let message = format!(
            "the table has no column {}, and `{MERGE}` is false",
            listed(&added)
        );
        return Err(Error::new(ErrorKind::SchemaMismatch, message)
            .with_hint("leave the option out, so that new columns are added"));
    }
    let missing = before.iter().find(|column| {
        let is_needed = !column.nullable || partition_by.contains(&column.field.name);
        is_needed && !has(&written, &column.field.name)
    });
    if let Some(column) = missing {
        let message = format!(
            "the rows have no column `{}`, which the table needs",
            column.field.name
        );
        return Err(Error::new(ErrorKind::SchemaMismatch, message)
            .with_hint("add it in a step of the transformer"));
    }
    let metadata = (!added.is_empty()).then(|| Metadata {
        schema_string: schema::text(&columns),
        ..old.clone()
    });
    settled(Some(known), columns, metadata, written, partition_by)
}

fn settled(
    known: Option<&Known>,
    columns: Vec<Column>,
    metadata: Option<Metadata>,
    written: Vec<Field>,
    partition_by: Vec<String>,
) -> Result<Next> {
    let local = columns
        .iter()
        .any(|column| schema::has_local_time(&column.field.dtype));
    let old = known.map(|known| &known.state.protocol);
    let protocol = features::asked(old, local);
    let files_have_rows = written
        .iter()
        .any(|field| !partition_by.contains(&field.name));
    if !files_have_rows {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            "a table cannot be partitioned by all of its columns",
        ));
    }
    Ok(Next {
        planned: Planned::new(written, partition_by),
        protocol: (old != Some(&protocol)).then_some(protocol),
        metadata,
        columns,
        replaced: Replaced::Nothing,
    })
}

fn created() -> Metadata {
    Metadata {
        id: uuid::Uuid::new_v4().to_string(),
        format: FileFormat {
            provider: "parquet".to_owned(),
            ..FileFormat::default()
        },
        created_time: Some(chrono::Utc::now().timestamp_millis()),
        ..Metadata::default()
    }
}

/// That rows can be told apart by columns.
fn partitions(rows: &[Field], partition_by: &[String]) -> Result<()> {
    let refused = |message: String, hint: &str| {
        Err(Error::new(ErrorKind::InvalidArgument, message).with_hint(hint))
    };
    for (at, name) in partition_by.iter().enumerate() {
        if partition_by[..at].contains(name) {
            return refused(
                format!("the table would be partitioned by `{name}` twice"),
                "name it once",
            );
        }
        let Some(field) = rows.iter().find(|field| field.name == *name) else {
            let names: Vec<String> = rows.iter().map(|field| field.name.clone()).collect();
            return refused(
                format!(
                    "the table would be partitioned by `{name}`, and the rows have no such column"
                ),
                &format!("columns here: {}", listed(&names)),
            );
        };
        let can = match field.dtype {
            DType::String | DType::Boolean | DType::Date => true,
            ref dtype => dtype.is_integer(),
        };
        if !can {
            return refused(
                format!(
                    "the table would be partitioned by `{name}`, which is {}",
                    field.dtype
                ),
                "texts, whole numbers, dates and truth values name folders; cast the column in a step",
            );
        }
    }
    Ok(())
}

fn has(fields: &[Field], name: &str) -> bool {
    fields.iter().any(|field| field.name == name)
}

fn listed(names: &[String]) -> String {
    if names.is_empty() {
        return "nothing".to_owned();
    }
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}
