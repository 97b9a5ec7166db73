//! FROM and WHERE: the relations of a SELECT, joined.

use laktory_core::{DType, Error, ErrorKind, Expr, Func};
use sqlparser::ast::{
    self, Ident, JoinConstraint, JoinOperator, ObjectName, Select, Spanned, TableFactor,
    TableWithJoins,
};
use sqlparser::tokenizer::Span;

use crate::fault::{Planned, Stop, beyond};
use crate::join::How;
use crate::lateral::lateral;
use crate::outer::merged;
use crate::place;
use crate::plan::Rel;
use crate::planner::{Planner, renamed};
use crate::refused;
use crate::scope::{self, Column, Found};
use crate::tree;

/// A relation, and what names mean in it.
#[derive(Clone, Debug)]
pub(crate) struct Relation {
    pub(crate) rel: Rel,
    pub(crate) scope: Vec<Column>,
}

impl Planner<'_> {
    /// The rows that a SELECT works on.
    pub(crate) fn source_rows(&mut self, select: &Select) -> Planned<Relation> {
        let mut relations = Vec::new();
        for table in &select.from {
            if let TableFactor::UNNEST { .. } = &table.relation {
                // It sees the relations before it.
                let before = std::mem::take(&mut relations);
                let left = self.side_by_side(before)?;
                let first = self.unnested(left, &table.relation, false)?;
                relations.push(self.with_joins(first, &table.joins)?);
            } else if let Some(query) = lateral(&table.relation) {
                let before = std::mem::take(&mut relations);
                let left = self.side_by_side(before)?;
                let first = self.lateral(&left, query, None)?;
                relations.push(self.with_joins(first, &table.joins)?);
            } else {
                relations.push(self.joined_tables(table)?);
            }
        }
        let mut plain = self.outer_once(&mut relations);
        let scope: Vec<Column> = relations
            .iter()
            .flat_map(|relation| relation.scope.clone())
            .collect();
        let mut conditions = Vec::new();
        if let Some(selection) = &select.selection {
            tree::conjuncts(selection.clone(), &mut conditions);
        }
        let mut nested = Vec::new();
        for mut condition in conditions {
            if let Some(condition) = tree::first(&condition, crate::group::is_aggregate) {
                let message = "an aggregate cannot stand in WHERE, which looks at single rows";
                let error = Error::new(ErrorKind::SqlSyntax, message)
                    .with_hint("write HAVING, or aggregate in a common table expression");
                return Err(self.placed(error, &tree::named(&condition)));
            }
            if let Some(condition) = tree::first(&condition, crate::select::is_window) {
                let message = "a window function cannot stand in WHERE";
                let error = Error::new(ErrorKind::SqlSyntax, message)
                    .with_hint("write QUALIFY in the place of WHERE");
                return Err(self.placed(error, &tree::named(&condition)));
            }
            if tree::has_query(&condition) {
                nested.push(condition);
            } else {
                self.resolve(&scope, &mut condition)?;
                plain.push(condition);
            }
        }
        let rels = relations.into_iter().map(|relation| relation.rel);
        let rel = self.crossed(rels.collect(), plain)?;
        let mut relation = Relation { rel, scope };
        for condition in nested {
            self.keep(&mut relation, condition)?;
        }
        Ok(relation)
    }

    /// Relations beside one another, as one.
    fn side_by_side(&mut self, relations: Vec<Relation>) -> Planned<Relation> {
        if relations.is_empty() {
            return Ok(Relation {
                rel: Rel::one_row(),
                scope: Vec::new(),
            });
        }
        let (rels, scopes): (Vec<Rel>, Vec<Vec<Column>>) = relations
            .into_iter()
            .map(|relation| (relation.rel, relation.scope))
            .unzip();
        Ok(Relation {
            rel: self.crossed(rels, Vec::new())?,
            scope: scopes.concat(),
        })
    }

    /// A row for each element of a list of the rows on the left.
    fn unnested(
        &mut self,
        mut left: Relation,
        factor: &TableFactor,
        keep: bool,
    ) -> Planned<Relation> {
        let TableFactor::UNNEST {
            alias,
            array_exprs,
            with_offset: false,
            with_ordinality: false,
            ..
        } = factor
        else {
            return beyond(refused::UNNEST_POSITIONS);
        };
        let [list] = array_exprs.as_slice() else {
            return beyond(refused::UNNEST_SEVERAL);
        };
        let mut list = list.clone();
        self.resolve(&left.scope, &mut list)?;
        if tree::has_query(&list) {
            return beyond(refused::UNNEST_QUERY);
        }
        if !within(&list, &left.rel.ids) {
            left = self.beside_outer(left);
        }
        let value = self.lower(&list)?;
        let columns = vec![("unnest".to_owned(), String::new())];
        let (columns, table) = match alias {
            Some(alias) => {
                let name = alias.name.value.clone();
                let columns = match alias.columns.is_empty() {
                    // The one column is called like the relation.
                    true => vec![(name.clone(), String::new())],
                    false => renamed(columns, alias)?,
                };
                (columns, Some(name))
            }
            None => (columns, None),
        };
        let name = columns
            .into_iter()
            .next()
            .map_or_else(String::new, |(name, _)| name);
        let id = self.names.claim(table.as_deref(), &name);
        if id != name {
            self.shown.insert(id.clone(), name.clone());
        }
        left.rel = left
            .rel
            .with(vec![(id.clone(), value)])
            .explode(vec![id.clone()], keep);
        left.scope.push(Column {
            table,
            name,
            id,
            merged: false,
        });
        Ok(left)
    }

    /// Relations that stand beside one another, matched by conditions: one that has equal columns with those before it
    /// comes before one that has not.
    fn crossed(&mut self, mut rels: Vec<Rel>, mut conditions: Vec<ast::Expr>) -> Planned<Rel> {
        let mut current = rels.remove(0);
        loop {
            let (here, rest) = split(conditions, &current.ids);
            conditions = rest;
            if let Some(here) = self.lowered(&here)? {
                current = current.filter(here);
            }
            if rels.is_empty() {
                break;
            }
            let tied = rels.iter().position(|rel| {
                let mut both = current.ids.clone();
                both.extend(rel.ids.iter().cloned());
                conditions.iter().any(|condition| {
                    is_equality(condition)
                        && within(condition, &both)
                        && !within(condition, &rel.ids)
                })
            });
            let next = rels.remove(tied.unwrap_or(0));
            let mut both = current.ids.clone();
            both.extend(next.ids.iter().cloned());
            let (here, rest) = split(conditions, &both);
            conditions = rest;
            current = self.join(&current, &next, How::Inner, here)?;
        }
        if conditions.is_empty() {
            Ok(current)
        } else {
            beyond(refused::APART)
        }
    }

    /// All of the conditions, lowered.
    pub(crate) fn lowered(&self, conditions: &[ast::Expr]) -> Planned<Option<Expr>> {
        let lowered = conditions
            .iter()
            .map(|condition| self.lower_condition(condition));
        Ok(crate::plan::all(lowered.collect::<Planned<Vec<_>>>()?))
    }

    fn joined_tables(&mut self, table: &TableWithJoins) -> Planned<Relation> {
        let first = self.factor(&table.relation)?;
        self.with_joins(first, &table.joins)
    }

    fn with_joins(&mut self, mut left: Relation, joins: &[ast::Join]) -> Planned<Relation> {
        for join in joins {
            if join.global {
                return beyond(refused::GLOBAL_JOIN);
            }
            if let TableFactor::UNNEST { .. } = &join.relation {
                let keep = match &join.join_operator {
                    JoinOperator::CrossJoin(on)
                    | JoinOperator::Join(on)
                    | JoinOperator::Inner(on)
                        if always(on) =>
                    {
                        false
                    }
                    JoinOperator::Left(on) | JoinOperator::LeftOuter(on) if always(on) => true,
                    _ => {
                        return beyond(refused::UNNEST_ON);
                    }
                };
                left = self.unnested(left, &join.relation, keep)?;
                continue;
            }
            if let Some(query) = lateral(&join.relation) {
                left = self.lateral(&left, query, Some(&join.join_operator))?;
                continue;
            }
            let right = self.factor(&join.relation)?;
            left = self
                .joined(left, right, &join.join_operator)
                .map_err(|stop| stop.at(&join.relation))?;
        }
        Ok(left)
    }

    fn joined(
        &mut self,
        mut left: Relation,
        mut right: Relation,
        operator: &JoinOperator,
    ) -> Planned<Relation> {
        use JoinOperator as J;
        let (how, constraint, swapped) = match operator {
            J::Join(on) | J::Inner(on) | J::CrossJoin(on) => (How::Inner, on, false),
            J::Left(on) | J::LeftOuter(on) => (How::Left, on, false),
            J::Right(on) | J::RightOuter(on) => (How::Left, on, true),
            J::FullOuter(on) => (How::Full, on, false),
            J::Semi(on) | J::LeftSemi(on) => (How::Semi, on, false),
            J::Anti(on) | J::LeftAnti(on) => (How::Anti, on, false),
            J::RightSemi(on) => (How::Semi, on, true),
            J::RightAnti(on) => (How::Anti, on, true),
            _ => return beyond(refused::JOIN_KIND),
        };
        let needs = !matches!(operator, J::CrossJoin(_));
        let mut conditions = Vec::new();
        let mut pairs: Vec<(Column, Column, Span)> = Vec::new();
        match constraint {
            JoinConstraint::None if needs => {
                let error = Error::new(ErrorKind::SqlSyntax, "this kind of join needs ON or USING");
                let hint = "write `CROSS JOIN` for all pairs of rows";
                return Err(error.with_hint(hint).into());
            }
            JoinConstraint::None => {}
            JoinConstraint::On(condition) => tree::conjuncts(condition.clone(), &mut conditions),
            JoinConstraint::Using(names) => {
                for name in names {
                    let Some(name) = single(name) else {
                        return beyond(refused::USING_NAME);
                    };
                    let one = |scope: &[Column]| {
                        one(scope, &name.value).map_err(|stop| stop.within(name.span))
                    };
                    pairs.push((one(&left.scope)?, one(&right.scope)?, name.span));
                }
            }
            JoinConstraint::Natural => {
                for column in left.scope.iter().filter(|column| !column.merged) {
                    if let Found::One(_) = scope::find(&right.scope, None, &column.name) {
                        pairs.push((
                            one(&left.scope, &column.name)?,
                            one(&right.scope, &column.name)?,
                            Span::empty(),
                        ));
                    }
                }
            }
        }
        let mut scope = left.scope.clone();
        scope.extend(right.scope.iter().cloned());
        for condition in &mut conditions {
            self.resolve(&scope, condition)?;
        }
        for (a, b, span) in &pairs {
            conditions.push(equal(&a.id, &b.id, *span));
        }
        let (kept, other) = if swapped {
            (&mut right, &mut left)
        } else {
            (&mut left, &mut right)
        };
        let copies = self.sides_of_outer((&mut *kept, &mut *other), how, &mut conditions);
        let sides = (&*kept, &*other);
        let mut rel = if conditions.iter().any(tree::has_query) {
            self.join_by_queries(sides, how, &scope, conditions)?
        } else {
            self.join(&sides.0.rel, &sides.1.rel, how, conditions)?
        };
        if how == How::Full {
            rel = merged(&rel, &copies);
        }
        match how {
            How::Semi | How::Anti if swapped => {
                return Ok(Relation {
                    rel,
                    scope: right.scope,
                });
            }
            How::Semi | How::Anti => {
                return Ok(Relation {
                    rel,
                    scope: left.scope,
                });
            }
            _ => {}
        }
        // What USING makes one column stands where the left side has it.
        for (a, b, _) in pairs {
            let kept = match (how, swapped) {
                (How::Full, _) => {
                    let id = self.names.fresh(&a.name);
                    let value = Expr::Call {
                        func: Func::Coalesce,
                        args: vec![laktory_core::Arg::Exprs(vec![
                            Expr::column(&a.id),
                            Expr::column(&b.id),
                        ])],
                    };
                    rel = rel.with(vec![(id.clone(), value)]);
                    self.shown.insert(id.clone(), a.name.clone());
                    id
                }
                (_, true) => b.id.clone(),
                _ => a.id.clone(),
            };
            let at = scope
                .iter()
                .position(|column| column.id == a.id && !column.merged);
            for column in &mut scope {
                column.merged |= column.id == a.id || column.id == b.id;
            }
            scope.insert(
                at.unwrap_or(0),
                Column {
                    table: None,
                    name: a.name.clone(),
                    id: kept,
                    merged: false,
                },
            );
        }
        Ok(Relation { rel, scope })
    }

    fn factor(&mut self, factor: &TableFactor) -> Planned<Relation> {
        match factor {
            TableFactor::Table { name, args, .. } if args.is_some() => Err(self.no_function(name)),
            TableFactor::Function { name, .. } => Err(self.no_function(name)),
            TableFactor::Table { sample, .. } | TableFactor::Derived { sample, .. }
                if sample.is_some() =>
            {
                beyond(refused::SAMPLE)
            }
            TableFactor::Table {
                name,
                alias,
                with_hints,
                version: None,
                with_ordinality: false,
                partitions,
                json_path: None,
                index_hints,
                ..
            } if with_hints.is_empty() && partitions.is_empty() && index_hints.is_empty() => {
                self.table(name, alias.as_ref())
            }
            TableFactor::Table { .. } => beyond(refused::RELATION_WORDS),
            TableFactor::Derived {
                lateral: false,
                subquery,
                alias,
                ..
            } => {
                let output = match self.apart(subquery) {
                    Err(Stop::Wrong(error, _)) if self.may_be_outer(&error) => {
                        return self.derived(subquery, alias.as_ref());
                    }
                    output => output?,
                };
                self.instance(&output.rel, output.columns, None, alias.as_ref())
            }
            TableFactor::Derived { .. } => beyond(refused::LATERAL),
            TableFactor::NestedJoin {
                table_with_joins,
                alias: None,
            } => self.joined_tables(table_with_joins),
            TableFactor::NestedJoin { .. } => beyond(refused::JOIN_ALIAS),
            TableFactor::UNNEST { .. } => {
                let alone = Relation {
                    rel: Rel::one_row(),
                    scope: Vec::new(),
                };
                self.unnested(alone, factor, false)
            }
            TableFactor::Pivot { .. } => beyond(refused::PIVOT),
            TableFactor::Unpivot { .. } => beyond(refused::UNPIVOT),
            TableFactor::TableFunction { .. } => beyond(refused::TABLE_FUNCTION),
            TableFactor::MatchRecognize { .. } => beyond(refused::MATCH_RECOGNIZE),
            TableFactor::JsonTable { .. } => beyond(refused::JSON_TABLE),
            TableFactor::XmlTable { .. } => beyond(refused::XML_TABLE),
            _ => beyond(refused::RELATION),
        }
    }

    fn no_function(&self, name: &ObjectName) -> Stop {
        let message = format!("there is no table function `{name}`");
        let error = Error::unsupported(message)
            .with_hint("rows come from frames, such as `{df}` or `{nodes.name}`");
        self.placed(error, name)
    }

    /// A common table, or a frame.
    fn table(&mut self, name: &ObjectName, alias: Option<&ast::TableAlias>) -> Planned<Relation> {
        let missing = |planner: &Self| {
            let message = format!("there is no table `{name}`");
            let error = Error::new(ErrorKind::UnknownFrame, message)
                .with_hint("rows come from frames, such as `{df}` or `{nodes.name}`");
            planner.placed(error, name)
        };
        let Some(single) = single(name) else {
            return Err(missing(self));
        };
        if let Some(output) = self.common(&single.value) {
            let output = output.clone();
            let table = Some(single.value.clone());
            return self.instance(&output.rel, output.columns, table, alias);
        }
        let Some((frame, columns)) = (self.tables)(&single.value) else {
            return Err(missing(self));
        };
        let names = columns.iter().map(|field| field.name.clone());
        let rel = Rel {
            plan: std::sync::Arc::new(crate::plan::Plan::Frame(frame.clone())),
            ids: names.clone().collect(),
        };
        let pairs = names.map(|name| (name.clone(), name)).collect();
        let relation = self.instance(&rel, pairs, Some(called(&frame)), alias)?;
        for (column, field) in relation.scope.iter().zip(&columns) {
            if let DType::Struct(fields) = &field.dtype {
                let names = fields.iter().map(|field| field.name.clone());
                self.fields.insert(column.id.clone(), names.collect());
            }
        }
        Ok(relation)
    }

    /// An error at the place of a node.
    pub(crate) fn placed(&self, error: Error, node: &impl Spanned) -> Stop {
        match place::range(self.text, node.span()) {
            Some(range) => error.with_range(range).into(),
            None => error.into(),
        }
    }

    /// A relation under the name that it has in one FROM, and with columns that no other relation there has.
    fn instance(
        &mut self,
        rel: &Rel,
        columns: Vec<(String, String)>,
        table: Option<String>,
        alias: Option<&ast::TableAlias>,
    ) -> Planned<Relation> {
        let (columns, table) = match alias {
            Some(alias) => (renamed(columns, alias)?, Some(alias.name.value.clone())),
            None => (columns, table),
        };
        let mut scope = Vec::with_capacity(columns.len());
        let mut selected = Vec::with_capacity(columns.len());
        for (name, from) in columns {
            let id = self.names.claim(table.as_deref(), &name);
            selected.push((id.clone(), Expr::column(from)));
            if id != name {
                self.shown.insert(id.clone(), name.clone());
            }
            scope.push(Column {
                table: table.clone(),
                name,
                id,
                merged: false,
            });
        }
        Ok(Relation {
            rel: rel.select(selected),
            scope,
        })
    }
}

/// How a frame is called where no alias is given: by the name within its placeholder.
fn called(frame: &laktory_core::FrameName) -> String {
    use laktory_core::FrameName as F;
    match frame {
        F::Df => "df".to_owned(),
        F::Source(name) | F::Node(name) | F::Named(name) => name.clone(),
    }
}

/// Whether a join has no condition, or one that always holds.
fn always(constraint: &JoinConstraint) -> bool {
    match constraint {
        JoinConstraint::None => true,
        JoinConstraint::On(ast::Expr::Value(value)) => {
            matches!(value.value, ast::Value::Boolean(true))
        }
        _ => false,
    }
}

/// A name without dots.
fn single(name: &ObjectName) -> Option<&Ident> {
    match name.0.as_slice() {
        [part] => part.as_ident(),
        _ => None,
    }
}

fn one(scope: &[Column], name: &str) -> Planned<Column> {
    match scope::find(scope, None, name) {
        Found::One(id) => match scope
            .iter()
            .find(|column| column.id == id && !column.merged)
        {
            Some(column) => Ok(column.clone()),
            None => beyond(refused::USING_MERGED),
        },
        Found::Several(_) => beyond(refused::USING_SEVERAL),
        Found::None => Err(scope::unknown(scope, name).into()),
    }
}

/// `a = b` of two columns of the frame, which a name at a place stands for.
fn equal(a: &str, b: &str, span: Span) -> ast::Expr {
    ast::Expr::BinaryOp {
        left: Box::new(tree::column_at(a, span)),
        op: ast::BinaryOperator::Eq,
        right: Box::new(tree::column_at(b, span)),
    }
}

fn is_equality(expr: &ast::Expr) -> bool {
    matches!(
        tree::bare(expr),
        ast::Expr::BinaryOp {
            op: ast::BinaryOperator::Eq,
            ..
        }
    )
}

/// Whether an expression needs no other columns.
pub(crate) fn within(expr: &ast::Expr, ids: &[String]) -> bool {
    tree::columns(expr).iter().all(|id| ids.contains(id))
}

/// Conditions that need no other columns, and the rest.
fn split(conditions: Vec<ast::Expr>, ids: &[String]) -> (Vec<ast::Expr>, Vec<ast::Expr>) {
    conditions.into_iter().partition(|expr| within(expr, ids))
}
