//! What a selection gives: names of columns without alias, `struct.*`, and the order of columns of joins by name.

use std::collections::BTreeMap;

use datafusion::arrow::datatypes::{DataType, Fields};
use datafusion::sql::sqlparser::ast::{
    Expr, Ident, JoinConstraint, JoinOperator, ObjectName, Select, SelectItem,
    SelectItemQualifiedWildcardKind, TableFactor, TableWithJoins, WildcardAdditionalOptions,
};

use super::catalog::relation;

/// The columns of the frames, by their private relations.
pub(super) struct Columns(BTreeMap<String, Fields>);

impl Columns {
    /// The columns of frames in their order.
    pub(super) fn new(frames: impl Iterator<Item = Fields>) -> Self {
        Self(
            frames
                .enumerate()
                .map(|(at, fields)| (relation(at), fields))
                .collect(),
        )
    }

    /// The columns of every frame.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Fields> {
        self.0.values()
    }

    fn of(&self, factor: &TableFactor) -> Option<(Ident, &Fields)> {
        let TableFactor::Table { name, alias, .. } = factor else {
            return None;
        };
        let [part] = name.0.as_slice() else {
            return None;
        };
        let table = part.as_ident()?;
        let fields = self.0.get(&table.value)?;
        let alias = alias.as_ref();
        if alias.is_some_and(|alias| !alias.columns.is_empty()) {
            return None;
        }
        Some((
            alias.map_or_else(|| table.clone(), |alias| alias.name.clone()),
            fields,
        ))
    }

    /// The fields of the only struct column of that name.
    fn of_struct(&self, name: &str) -> Option<&Fields> {
        let mut found = self.iter().flatten().filter_map(|column| {
            match (column.name() == name, column.data_type()) {
                (true, DataType::Struct(fields)) => Some(fields),
                _ => None,
            }
        });
        found.next()
    }
}

/// Names what has no name, and spells out the wildcards that the engine orders in its own way or does not know.
pub(super) fn spell_out(select: &mut Select, columns: &Columns) {
    let named = joined_by_name(select, columns);
    let items = std::mem::take(&mut select.projection);
    for item in items {
        match item {
            SelectItem::Wildcard(options)
                if named.is_some() && options == WildcardAdditionalOptions::default() =>
            {
                select.projection.extend(named.iter().flatten().cloned());
            }
            SelectItem::QualifiedWildcard(
                SelectItemQualifiedWildcardKind::ObjectName(name),
                options,
            ) => match fields_of(&name, select, columns) {
                Some(fields) => select.projection.extend(fields),
                None => select.projection.push(SelectItem::QualifiedWildcard(
                    SelectItemQualifiedWildcardKind::ObjectName(name),
                    options,
                )),
            },
            SelectItem::UnnamedExpr(expr) => select.projection.push(named_item(expr)),
            other => select.projection.push(other),
        }
    }
}

/// An expression under the name that it has without alias: its column or field, else its own text.
fn named_item(expr: Expr) -> SelectItem {
    let alias = match &expr {
        Expr::Identifier(_) => return SelectItem::UnnamedExpr(expr),
        Expr::CompoundIdentifier(names) => names.last().map(|name| name.value.clone()),
        Expr::CompoundFieldAccess { access_chain, .. } => {
            access_chain.last().and_then(super::rewrite::field_name)
        }
        Expr::Cast { expr, .. } => match &**expr {
            Expr::Identifier(name) => Some(name.value.clone()),
            Expr::CompoundIdentifier(names) => names.last().map(|name| name.value.clone()),
            _ => None,
        },
        _ => None,
    };
    let alias = alias.unwrap_or_else(|| expr.to_string());
    SelectItem::ExprWithAlias {
        expr,
        alias: Ident::with_quote('"', alias),
    }
}

/// The fields of `data.*`, where `data` is a column of structs and no relation.
fn fields_of(name: &ObjectName, select: &Select, columns: &Columns) -> Option<Vec<SelectItem>> {
    let parts: Vec<&Ident> = name
        .0
        .iter()
        .map(|part| part.as_ident())
        .collect::<Option<_>>()?;
    let column = parts.last()?;
    if parts.len() == 1 && relations(select).any(|relation| relation.value == column.value) {
        return None;
    }
    let fields = columns.of_struct(&column.value)?;
    let items = fields.iter().map(|field| {
        let mut path: Vec<Ident> = parts.iter().copied().cloned().collect();
        path.push(Ident::with_quote('"', field.name().as_str()));
        named_item(Expr::CompoundIdentifier(path))
    });
    Some(items.collect())
}

/// The names of the relations that a selection reads.
fn relations(select: &Select) -> impl Iterator<Item = &Ident> {
    select
        .from
        .iter()
        .flat_map(|table| {
            std::iter::once(&table.relation).chain(table.joins.iter().map(|join| &join.relation))
        })
        .filter_map(|factor| match factor {
            TableFactor::Table { alias, name, .. } => match alias {
                Some(alias) => Some(&alias.name),
                None => name.0.last().and_then(|part| part.as_ident()),
            },
            TableFactor::Derived { alias, .. } => alias.as_ref().map(|alias| &alias.name),
            _ => None,
        })
}

/// The columns of `SELECT *` over frames of which at least two are joined by name: those of each frame in turn, keys
/// once. `None` where the engine's order is right, or the columns are not known here.
fn joined_by_name(select: &Select, columns: &Columns) -> Option<Vec<SelectItem>> {
    let [TableWithJoins { relation, joins }] = select.from.as_slice() else {
        return None;
    };
    let mut by_name = false;
    let (name, fields) = columns.of(relation)?;
    let mut out: Vec<(Ident, &str)> = fields
        .iter()
        .map(|field| (name.clone(), field.name().as_str()))
        .collect();
    for join in joins {
        let (JoinOperator::Join(constraint)
        | JoinOperator::Inner(constraint)
        | JoinOperator::Left(constraint)
        | JoinOperator::LeftOuter(constraint)) = &join.join_operator
        else {
            return None;
        };
        let (name, fields) = columns.of(&join.relation)?;
        let keys: Vec<String> = match constraint {
            JoinConstraint::Natural => out.iter().map(|(_, column)| (*column).to_owned()).collect(),
            JoinConstraint::Using(keys) => keys
                .iter()
                .filter_map(|key| Some(key.0.last()?.as_ident()?.value.clone()))
                .collect(),
            _ => Vec::new(),
        };
        by_name |= !keys.is_empty();
        let new = fields
            .iter()
            .map(|field| field.name().as_str())
            .filter(|column| !keys.iter().any(|key| key == column));
        out.extend(new.map(|column| (name.clone(), column)));
    }
    by_name.then(|| {
        out.into_iter()
            .map(|(relation, column)| {
                SelectItem::UnnamedExpr(Expr::CompoundIdentifier(vec![
                    relation,
                    Ident::with_quote('"', column),
                ]))
            })
            .collect()
    })
}
