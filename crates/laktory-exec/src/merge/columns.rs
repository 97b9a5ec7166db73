//! The columns that a merge is about: what identifies a row, what is stored of it, what orders its changes.

use laktory_core::{
    DType, Error, ErrorKind, Expr, Field, Op, Result, Scalar, SortKey, Subject, WindowFunc,
};
use laktory_model::Path;
use laktory_plan::{HistoryColumns, MergePlan};
use laktory_syntax::did_you_mean;

use super::steps::{
    DELETES, PREFIX, SEQUENCE, all, ascending, cast, column, columns, holds, is_null, names, not,
    only, same, select, window, with,
};

/// An option of a merge that does not fit the rows, at its place.
#[derive(Debug)]
pub(crate) struct Misfit {
    /// Place in the document; none for that of the sink.
    pub(crate) place: Option<Path>,
    /// What is wrong.
    pub(crate) error: Error,
}

/// The columns of a merge, in the types that the table holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Columns {
    /// What identifies a row.
    pub(super) keys: Vec<Field>,
    /// What else is stored of a change.
    pub(super) updates: Vec<Field>,
    /// The column by which changes are ordered; none for the order of rows.
    pub(super) order_by: Option<String>,
    /// Its type.
    pub(super) sequence: DType,
    /// Columns for the bounds of a version.
    pub(super) history: Option<HistoryColumns>,
    /// Columns of the table that changes know nothing of.
    pub(super) others: Vec<Field>,
}

impl Columns {
    /// The columns for rows of a node, and those that the table has, if its rows count.
    ///
    /// # Errors
    /// `ColumnNotFound`, `DuplicateColumn`, `TypeMismatch`, `SchemaMismatch`, each at its option.
    pub(crate) fn of(
        plan: &MergePlan,
        rows: &[Field],
        table: Option<&[Field]>,
    ) -> Result<Self, Misfit> {
        if let Some(field) = rows.iter().find(|field| field.name.starts_with(PREFIX)) {
            let message = format!(
                "column `{}` has a name that merges use for themselves",
                field.name
            );
            let error = Error::new(ErrorKind::DuplicateColumn, message)
                .with_hint("rename it in a step of the transformer");
            return Err(at(&plan.place, error));
        }
        let rows = &typed(rows, table);
        let keys = listed(&plan.keys, rows, &plan.keys_place)?;
        for (number, key) in keys.iter().enumerate() {
            plain(key, "a key", &plan.keys_place.index(number))?;
            if keys[..number].contains(key) {
                let message = format!("key `{}` is named twice", key.name);
                let error = Error::new(ErrorKind::DuplicateColumn, message);
                return Err(at(&plan.keys_place.index(number), error));
            }
        }
        let is_key = |field: &Field| keys.iter().any(|key| key.name == field.name);
        let updates: Vec<Field> = match &plan.include {
            Some(names) => listed(names, rows, &plan.place.key("include_columns"))?,
            None => {
                let place = plan.place.key("exclude_columns");
                let excluded = listed(&plan.exclude, rows, &place)?;
                let kept = rows.iter().filter(|field| !excluded.contains(field));
                kept.cloned().collect()
            }
        };
        let updates: Vec<Field> = updates.into_iter().filter(|field| !is_key(field)).collect();
        if plan.ignore_nulls
            && let Some(field) = updates.iter().find(|field| !is_plain(&field.dtype))
        {
            let message = format!(
                "column `{}` is {}, of which no value is kept by `ignore_null_updates`",
                field.name, field.dtype
            );
            let error = Error::new(ErrorKind::TypeMismatch, message)
                .with_hint("exclude the column, or take its parts apart in a step");
            return Err(at(&plan.place.key("ignore_null_updates"), error));
        }
        let sequence = match &plan.order_by {
            None => DType::Int64,
            Some(name) => {
                let place = plan.place.key("order_by");
                let field = found(name, rows, &place)?;
                plain(field, "the order of changes", &place)?;
                field.dtype.clone()
            }
        };
        let merged = Self {
            keys,
            updates,
            order_by: plan.order_by.clone(),
            sequence,
            history: plan.history.clone(),
            others: Vec::new(),
        };
        merged.bounds_are_free(plan)?;
        match table {
            Some(table) => merged.beside(plan, table),
            None => Ok(merged),
        }
    }

    /// That no column of the rows has the name of a bound.
    fn bounds_are_free(&self, plan: &MergePlan) -> Result<(), Misfit> {
        let Some(HistoryColumns { start, end }) = &self.history else {
            return Ok(());
        };
        for (name, option) in [(start, "start_at_column_name"), (end, "end_at_column_name")] {
            let mut stored = self.keys.iter().chain(&self.updates);
            if stored.any(|field| field.name.eq_ignore_ascii_case(name)) {
                let message = format!(
                    "the rows have a column `{name}`, which is to hold the bound of a version"
                );
                let error = Error::new(ErrorKind::DuplicateColumn, message)
                    .with_hint(format!("exclude it, or give `{option}` another name"));
                return Err(at(&plan.place, error));
            }
        }
        Ok(())
    }

    /// The columns, with those that the table has beside them.
    fn beside(mut self, plan: &MergePlan, table: &[Field]) -> Result<Self, Misfit> {
        let has = |name: &str| table.iter().any(|field| field.name == name);
        let bounds = self.history.iter();
        let bounds = bounds.flat_map(|history| [&history.start, &history.end]);
        let order = self.order_by.iter().filter(|_| self.history.is_none());
        let keys = self.keys.iter().map(|key| &key.name);
        if let Some(missing) = keys.chain(bounds).chain(order).find(|name| !has(name)) {
            let message = format!(
                "the table has no column `{missing}`, by which its rows would be compared with changes"
            );
            let error = Error::new(ErrorKind::SchemaMismatch, message).with_hint(
                "write to another table, or run with `--refresh full`, which builds this one anew",
            );
            return Err(at(&plan.place, error));
        }
        let known = names(&self.rows());
        let others = table.iter().filter(|field| !known.contains(&field.name));
        self.others = others.cloned().collect();
        // Rows of one place are compared column by column as the table stores them, whatever order a batch has; new ones come last.
        let stored = |field: &Field| {
            let place = table.iter().position(|known| known.name == field.name);
            place.unwrap_or(table.len())
        };
        self.updates.sort_by_key(stored);
        Ok(self)
    }

    /// All columns of the table behind the merge, in the order in which a new one gets them.
    pub(crate) fn rows(&self) -> Vec<Field> {
        let stored = self.keys.iter().chain(&self.updates).cloned();
        let bounds = self.history.iter().flat_map(|history| {
            [&history.start, &history.end].map(|name| Field::new(name, self.sequence.clone()))
        });
        stored.chain(bounds).chain(self.others.clone()).collect()
    }

    /// The columns in the types that the table holds, which are those of [`rows`](Columns::rows) in their order.
    pub(crate) fn held(mut self, planned: &[Field]) -> Self {
        let held = |field: &Field| {
            let found = planned.iter().find(|held| held.name == field.name);
            found.cloned().unwrap_or_else(|| field.clone())
        };
        for fields in [&mut self.keys, &mut self.updates, &mut self.others] {
            *fields = fields.iter().map(held).collect();
        }
        let sequence = match (&self.history, &self.order_by) {
            (Some(history), _) => Some(&history.start),
            (None, name) => name.as_ref(),
        };
        let sequence = planned.iter().find(|field| Some(&field.name) == sequence);
        if let Some(field) = sequence {
            self.sequence = field.dtype.clone();
        }
        self
    }

    /// The steps that make events of the rows of a node: what is stored of them, where they stand, whether they delete.
    pub(crate) fn events(&self, plan: &MergePlan) -> Vec<Op> {
        let mut ops = Vec::new();
        let order = match &self.order_by {
            Some(name) => column(name),
            None => {
                ops.push(Op::WithRowIndex {
                    name: SEQUENCE.to_owned(),
                    order_by: Vec::new(),
                    partition_by: Vec::new(),
                });
                column(SEQUENCE)
            }
        };
        let stored = self.keys.iter().chain(&self.updates);
        let mut exprs: Vec<Expr> = stored
            .map(|field| cast(column(&field.name), &field.dtype))
            .collect();
        exprs.push(cast(order, &self.sequence).alias(SEQUENCE));
        let deletes = match &plan.delete_where {
            Some(condition) => holds(condition.expr.clone()),
            None => Expr::Literal(Scalar::Bool(false)),
        };
        exprs.push(deletes.alias(DELETES));
        ops.push(select(exprs));
        // What a delete says beside its key has no meaning, and must not tell it from others.
        if plan.delete_where.is_some() && !self.updates.is_empty() {
            let updates = self
                .updates
                .iter()
                .map(|field| only(not(column(DELETES)), column(&field.name)).alias(&field.name));
            ops.push(with(updates.collect()));
        }
        ops
    }

    /// Names of the keys.
    pub(super) fn key_names(&self) -> Vec<String> {
        names(&self.keys)
    }

    /// The keys.
    pub(super) fn key_columns(&self) -> Vec<Expr> {
        columns(&self.keys)
    }

    /// Those columns of an event whose values have an order.
    pub(super) fn ordered(&self) -> Vec<Expr> {
        let ordered = self.updates.iter().filter(|field| is_plain(&field.dtype));
        ordered.map(|field| column(&field.name)).collect()
    }

    /// Those columns of an event whose values have no order.
    pub(super) fn unordered(&self) -> impl Iterator<Item = &Field> {
        let updates = self.updates.iter();
        updates.filter(|field| !is_plain(&field.dtype))
    }

    /// What the event before says, where those of a key that are the same stand side by side. All events are one partition: one for
    /// each key would cost memory for each of them and each column.
    pub(super) fn previous(&self, among: &[Expr], order: &[SortKey]) -> Vec<Expr> {
        let mut by: Vec<SortKey> = among.iter().cloned().map(ascending).collect();
        by.extend(order.iter().cloned());
        let lag = |name: &str| {
            let value = vec![column(name)];
            window(WindowFunc::Lag, value, &[], by.clone()).alias(before(name))
        };
        let stored = self.keys.iter().chain(&self.updates);
        let stored = stored.map(|field| field.name.as_str());
        let names = [SEQUENCE, DELETES].into_iter().chain(stored);
        names.map(lag).collect()
    }

    /// Whether an event is the same as that before, in all that has an order.
    pub(super) fn again(&self) -> Expr {
        let stored = self.keys.iter().chain(&self.updates);
        let plain = stored.filter(|field| is_plain(&field.dtype));
        let plain = plain.map(|field| field.name.as_str());
        let alike = [SEQUENCE, DELETES].into_iter().chain(plain);
        let alike = all(alike.map(|name| same(column(name), column(before(name)))));
        // There is one before.
        not(is_null(column(before(DELETES)))).and(alike)
    }

    /// Whether an event differs from that before in values alone that have no order.
    pub(super) fn disagrees(&self) -> Expr {
        let differs = |field: &Field| {
            let name = &field.name;
            not(same(column(name), column(before(name))))
        };
        match self.unordered().map(differs).reduce(Expr::or) {
            Some(differs) => self.again().and(differs),
            None => Expr::literal(false),
        }
    }

    /// Columns of the bounds of a version.
    pub(super) fn bounds(&self) -> Vec<Field> {
        let history = self.history.iter();
        let bounds = history.flat_map(|history| [&history.start, &history.end]);
        bounds
            .map(|name| Field::new(name, self.sequence.clone()))
            .collect()
    }

    /// Whether any key is null.
    pub(super) fn null_key(&self) -> Expr {
        let nulls = self.keys.iter().map(|key| is_null(column(&key.name)));
        let any = nulls.reduce(Expr::or);
        any.unwrap_or_else(|| Expr::literal(false))
    }
}

/// The name of what the event before says in a column.
fn before(name: &str) -> String {
    format!("{PREFIX}before_{name}")
}

/// Whether values of a type can be compared.
pub(super) fn is_plain(dtype: &DType) -> bool {
    !matches!(
        dtype,
        DType::List(_)
            | DType::Array(..)
            | DType::Struct(_)
            | DType::Map(..)
            | DType::Binary
            | DType::Null
            | DType::Unknown
    )
}

fn at(place: &Path, error: Error) -> Misfit {
    Misfit {
        place: Some(place.clone()),
        error,
    }
}

/// The columns of rows, those of nothing but nulls in the types that the table has for them.
fn typed(rows: &[Field], table: Option<&[Field]>) -> Vec<Field> {
    let typed = |field: &Field| {
        let mut known = table.unwrap_or_default().iter();
        let known = known.find(|known| known.name == field.name);
        match known.filter(|_| field.dtype == DType::Null) {
            Some(known) => known.clone(),
            None => field.clone(),
        }
    };
    rows.iter().map(typed).collect()
}

fn plain(field: &Field, what: &str, place: &Path) -> Result<(), Misfit> {
    if is_plain(&field.dtype) {
        return Ok(());
    }
    let message = format!(
        "column `{}` is {}, which cannot be {what}",
        field.name, field.dtype
    );
    let error = Error::new(ErrorKind::TypeMismatch, message)
        .with_hint("use a column of plain values, such as numbers, texts or points in time");
    Err(at(place, error))
}

fn listed(names: &[String], rows: &[Field], place: &Path) -> Result<Vec<Field>, Misfit> {
    let named = names.iter().enumerate();
    named
        .map(|(number, name)| found(name, rows, &place.index(number)).cloned())
        .collect()
}

fn found<'f>(name: &str, rows: &'f [Field], place: &Path) -> Result<&'f Field, Misfit> {
    if let Some(field) = rows.iter().find(|field| field.name == name) {
        return Ok(field);
    }
    let known: Vec<&str> = rows.iter().map(|field| field.name.as_str()).collect();
    let error = Error::new(
        ErrorKind::ColumnNotFound,
        format!("column `{name}` not found"),
    )
    .with_subject(Subject::Name(name.to_owned()));
    let error = match did_you_mean(name, known.iter().copied()) {
        Some(hint) => error.with_hint(hint),
        None => error,
    };
    Err(at(place, error))
}
