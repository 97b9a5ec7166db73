//! One SELECT: from its rows to its output.

use laktory_core::{ErrorKind, Expr, Keep, SortKey, walk};
use sqlparser::ast::{
    self, Distinct, GroupByExpr, OrderByExpr, Select, SelectItem, SelectItemQualifiedWildcardKind,
    SelectModifiers, Spanned,
};
use sqlparser::tokenizer::Span;

use crate::fault::{Planned, beyond, wrong};
use crate::from::Relation;
use crate::named_windows::windows_in_place;
use crate::plan::Rel;
use crate::planner::{Output, Planner, ordinal, sort_key};
use crate::refused;
use crate::scope::{self, Column, Found};
use crate::star::starred;
use crate::tree;

/// A column of the output.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    /// Its name, when the statement tells it.
    pub(crate) name: Option<String>,
    pub(crate) expr: ast::Expr,
    /// Each element of the list that it is gives a row.
    pub(crate) unnest: bool,
}

impl Item {
    fn of(name: Option<String>, expr: &ast::Expr) -> Self {
        if let ast::Expr::Function(function) = expr
            && function.over.is_none()
            && matches!(tree::function_name(function).as_str(), "UNNEST" | "EXPLODE")
            && let ast::FunctionArguments::List(list) = &function.args
            && let [ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(list))] =
                list.args.as_slice()
        {
            return Self {
                name,
                expr: list.clone(),
                unnest: true,
            };
        }
        Self {
            name,
            expr: expr.clone(),
            unnest: false,
        }
    }
}

/// What a key of the order is.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    /// A column of the output.
    Item(usize),
    /// Something else of the rows.
    Expr(Box<ast::Expr>),
}

/// The expressions of a SELECT, which go through its stages together.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    pub(crate) items: Vec<Item>,
    pub(crate) having: Option<ast::Expr>,
    pub(crate) qualify: Option<ast::Expr>,
    pub(crate) keys: Vec<Target>,
    pub(crate) distinct_on: Vec<Target>,
}

impl Parts {
    /// Every expression.
    pub(crate) fn each(
        &mut self,
        visit: &mut dyn FnMut(&mut ast::Expr) -> Planned<()>,
    ) -> Planned<()> {
        for item in &mut self.items {
            visit(&mut item.expr)?;
        }
        for expr in self.having.iter_mut().chain(&mut self.qualify) {
            visit(expr)?;
        }
        for target in self.keys.iter_mut().chain(&mut self.distinct_on) {
            if let Target::Expr(expr) = target {
                visit(expr)?;
            }
        }
        Ok(())
    }
}

impl Planner<'_> {
    /// Plans a SELECT with its order.
    pub(crate) fn select(&mut self, select: &Select, order: &[OrderByExpr]) -> Planned<Output> {
        let (mut output, by) = self.unsorted(select, order)?;
        if !by.is_empty() {
            output.rel = output.rel.sort(by);
        }
        Ok(output)
    }

    /// The same before it is sorted, with the keys of the order; the relation has them beside the output.
    pub(crate) fn unsorted(
        &mut self,
        select: &Select,
        order: &[OrderByExpr],
    ) -> Planned<(Output, Vec<SortKey>)> {
        plain(select)?;
        let unnamed;
        let select = if select.named_window.is_empty() {
            select
        } else {
            unnamed = windows_in_place(select)?;
            &unnamed
        };
        let mut relation = self.source_rows(select)?;
        let mut parts = self.parts_of(select, order, &relation.scope)?;
        let mut single = false;
        let grouped = self.is_grouped(select, &mut parts)?;
        if grouped {
            single = self.group(&mut relation, select, &mut parts)?;
        }
        if let Some(having) = parts.having.take() {
            self.keep(&mut relation, having)?;
        }
        let outer = self.outer_ids();
        parts.each(&mut |expr| {
            self.values(&mut relation, expr)?;
            tree::rewrite(expr, &mut |node| {
                window_of_each(node, &outer);
                self.spread(&mut relation, node)
            })
        })?;
        if let Some(qualify) = parts.qualify.take() {
            self.qualified(&mut relation, &qualify, &mut parts)?;
        }
        self.projected(select, &relation.rel, &parts, order, single)
    }

    /// The columns of the output, distinct if asked for, and the keys of the order.
    fn projected(
        &mut self,
        select: &Select,
        rel: &Rel,
        parts: &Parts,
        order: &[OrderByExpr],
        single: bool,
    ) -> Planned<(Output, Vec<SortKey>)> {
        let mut columns: Vec<(String, Expr)> = Vec::new();
        let mut outputs: Vec<(String, String)> = Vec::new();
        for item in &parts.items {
            let value = self.lower(&item.expr)?;
            let name = match &item.name {
                Some(name) => name.clone(),
                None => self.name_of(&value)?,
            };
            let known = match &value {
                Expr::Column(id) => columns.iter().any(|(known, _)| known == id),
                _ => true,
            };
            let id = match &value {
                Expr::Column(id) if !known => id.clone(),
                _ => self.names.claim(None, &name),
            };
            if id != name {
                self.shown.insert(id.clone(), name.clone());
            }
            columns.push((id.clone(), value));
            outputs.push((name, id));
        }
        let outer = self.outer_ids();
        let hidden =
            |columns: &[(String, Expr)], id: &String| !columns.iter().any(|(known, _)| known == id);
        for id in &outer {
            if hidden(&columns, id) {
                columns.push((id.clone(), Expr::column(id)));
            }
        }
        let mut key = |planner: &mut Self, target: &Target| -> Planned<Expr> {
            match target {
                Target::Item(at) => Ok(Expr::column(&columns[*at].0)),
                Target::Expr(expr) => {
                    let value = planner.lower(expr)?;
                    if let Some((id, _)) = columns.iter().find(|(_, known)| *known == value) {
                        return Ok(Expr::column(id));
                    }
                    let id = planner.names.fresh("order");
                    columns.push((id.clone(), value));
                    Ok(Expr::column(&id))
                }
            }
        };
        let mut by = Vec::with_capacity(order.len());
        for (target, written) in parts.keys.iter().zip(order) {
            by.push(sort_key(written, key(self, target)?)?);
        }
        let mut on = Vec::new();
        for target in &parts.distinct_on {
            on.push(key(self, target)?);
        }
        let width = outputs.len() + outer.len();
        let extra = columns.len() > width;
        let mut rel = rel.select(columns);
        let lists: Vec<String> = (parts.items.iter().zip(&outputs))
            .filter(|(item, _)| item.unnest)
            .map(|(_, (_, id))| id.clone())
            .collect();
        if !lists.is_empty() {
            rel = rel.explode(lists, false);
        }
        match &select.distinct {
            None | Some(Distinct::All) => {}
            Some(Distinct::Distinct) if extra => {
                let hidden = parts.keys.iter().find_map(|key| match key {
                    Target::Expr(expr) => Some(expr),
                    Target::Item(_) => None,
                });
                return wrong(
                    ErrorKind::SqlSyntax,
                    "SELECT DISTINCT is sorted by a column that is not selected",
                )
                .map_err(|stop| match hidden {
                    Some(key) => stop.at(&**key),
                    None => stop,
                });
            }
            Some(Distinct::Distinct) => rel = rel.distinct(),
            Some(Distinct::On(_)) => {
                let mut subset = outer;
                subset.extend(on.iter().filter_map(walk::output_name));
                let keep = if by.is_empty() {
                    Keep::Any
                } else {
                    Keep::First
                };
                let order = by.clone();
                rel = rel.unique(Some(subset), keep, order);
            }
        }
        let output = Output {
            rel,
            columns: outputs,
            single,
        };
        Ok((output, by))
    }

    /// What a value is called that has no alias: like the first column in it (Narwhals).
    fn name_of(&self, value: &Expr) -> Planned<String> {
        match walk::output_name(value) {
            Some(name) => Ok(self.shown.get(&name).cloned().unwrap_or(name)),
            None => beyond(refused::NAME),
        }
    }

    fn parts_of(
        &mut self,
        select: &Select,
        order: &[OrderByExpr],
        scope: &[Column],
    ) -> Planned<Parts> {
        let items = self.items(select, scope)?;
        let mut keys = Vec::with_capacity(order.len());
        for key in order {
            keys.push(target(&key.expr, &items, scope, "ORDER BY")?);
        }
        let mut distinct_on = Vec::new();
        if let Some(Distinct::On(exprs)) = &select.distinct {
            for expr in exprs {
                distinct_on.push(target(expr, &items, scope, "DISTINCT ON")?);
            }
        }
        let mut parts = Parts {
            items,
            having: select.having.clone(),
            qualify: select.qualify.clone(),
            keys,
            distinct_on,
        };
        // HAVING and QUALIFY may name a column of the output, where no column of the rows is called so.
        let aliases = parts.items.clone();
        for expr in parts.having.iter_mut().chain(&mut parts.qualify) {
            tree::rewrite(expr, &mut |node| {
                if let ast::Expr::Identifier(name) = node
                    && !tree::is_resolved(name)
                    && matches!(scope::find(scope, None, &name.value), Found::None)
                    && let Some(item) = aliased(&aliases, &name.value)
                {
                    *node = ast::Expr::Nested(Box::new(item.expr.clone()));
                }
                Ok(())
            })?;
        }
        parts.each(&mut |expr| self.resolve(scope, expr))?;
        Ok(parts)
    }

    fn items(&mut self, select: &Select, scope: &[Column]) -> Planned<Vec<Item>> {
        let mut items = Vec::new();
        for item in &select.projection {
            match item {
                SelectItem::UnnamedExpr(expr) => items.push(Item::of(written_name(expr), expr)),
                SelectItem::ExprWithAlias { expr, alias } => {
                    items.push(Item::of(Some(alias.value.clone()), expr));
                }
                SelectItem::Wildcard(options) => {
                    let columns = scope.iter().filter(|column| !column.merged);
                    starred(columns, options, &mut items)?;
                }
                SelectItem::QualifiedWildcard(
                    SelectItemQualifiedWildcardKind::ObjectName(name),
                    options,
                ) => {
                    let [part] = name.0.as_slice() else {
                        return beyond(refused::DOTTED_TABLE);
                    };
                    let Some(table) = part.as_ident() else {
                        return beyond(refused::STAR_KIND);
                    };
                    if !scope::has_table(scope, &table.value) {
                        self.struct_items(scope, table, &mut items)?;
                        continue;
                    }
                    let columns = scope.iter().filter(|column| {
                        let known = column.table.as_deref();
                        known.is_some_and(|known| known.eq_ignore_ascii_case(&table.value))
                    });
                    starred(columns, options, &mut items)?;
                }
                _ => return beyond(refused::ITEM),
            }
        }
        if items.is_empty() {
            return beyond(refused::EMPTY);
        }
        Ok(items)
    }

    /// The fields of a struct, each as a column.
    fn struct_items(
        &mut self,
        scope: &[Column],
        column: &ast::Ident,
        items: &mut Vec<Item>,
    ) -> Planned<()> {
        let id = self.column(scope, None, column)?;
        let Some(fields) = self.fields.get(&id) else {
            return beyond(refused::STAR_OF);
        };
        for field in fields {
            let mut whole = column.clone();
            tree::resolve(&mut whole, id.clone());
            let parts = vec![whole, ast::Ident::with_quote('"', field.as_str())];
            items.push(Item {
                name: Some(field.clone()),
                expr: ast::Expr::CompoundIdentifier(parts),
                unnest: false,
            });
        }
        Ok(())
    }

    /// Keeps the rows for which a condition holds, which may have sub-queries.
    pub(crate) fn keep(&mut self, relation: &mut Relation, condition: ast::Expr) -> Planned<()> {
        let mut conditions = Vec::new();
        tree::conjuncts(condition, &mut conditions);
        for mut condition in conditions {
            if self.keep_by_query(relation, &condition)? {
                continue;
            }
            let scope = relation.scope.clone();
            self.resolve(&scope, &mut condition)?;
            self.values(relation, &mut condition)?;
            let condition = self.lower_condition(&condition)?;
            relation.rel = relation.rel.filter(condition);
        }
        Ok(())
    }
}

/// Refuses clauses that are not planned here.
fn plain(select: &Select) -> Planned<()> {
    let modified = select
        .select_modifiers
        .as_ref()
        .is_some_and(|modifiers| *modifiers != SelectModifiers::default());
    if select.top.is_some()
        || modified
        || select.exclude.is_some()
        || select.into.is_some()
        || !select.lateral_views.is_empty()
        || select.prewhere.is_some()
        || !select.connect_by.is_empty()
        || !select.cluster_by.is_empty()
        || !select.distribute_by.is_empty()
        || !select.sort_by.is_empty()
        || select.value_table_mode.is_some()
    {
        return beyond(refused::DIALECT);
    }
    if let GroupByExpr::Expressions(_, modifiers) | GroupByExpr::All(modifiers) = &select.group_by
        && !modifiers.is_empty()
    {
        return beyond(refused::GROUP_WITH);
    }
    Ok(())
}

/// Computes a window for each outer row by itself.
fn window_of_each(expr: &mut ast::Expr, outer: &[String]) {
    if let ast::Expr::Function(function) = expr
        && let Some(ast::WindowType::WindowSpec(spec)) = &mut function.over
    {
        let columns = outer.iter().map(|id| tree::column(id));
        spec.partition_by.extend(columns);
    }
}

pub(crate) fn is_window(expr: &ast::Expr) -> bool {
    matches!(expr, ast::Expr::Function(function) if function.over.is_some())
}

fn aliased<'a>(items: &'a [Item], name: &str) -> Option<&'a Item> {
    let called = |item: &&Item, exactly: bool| match &item.name {
        Some(known) if exactly => known == name,
        Some(known) => known.to_lowercase() == name.to_lowercase(),
        None => false,
    };
    let exact = items.iter().find(|item| called(item, true));
    exact.or_else(|| items.iter().find(|item| called(item, false)))
}

/// What a key of an order means: a position or a name of the output, else an expression over the rows.
pub(crate) fn target(
    expr: &ast::Expr,
    items: &[Item],
    scope: &[Column],
    clause: &str,
) -> Planned<Target> {
    if let Some(position) = ordinal(expr) {
        return match position.checked_sub(1).filter(|at| *at < items.len()) {
            Some(at) => Ok(Target::Item(at)),
            None => Err(crate::planner::no_position(clause, position).at(expr)),
        };
    }
    if let ast::Expr::Identifier(name) = expr
        && let Some(at) = items
            .iter()
            .position(|item| aliased(std::slice::from_ref(item), &name.value).is_some())
    {
        return Ok(Target::Item(at));
    }
    let mut expr = expr.clone();
    tree::rewrite(&mut expr, &mut |node| {
        if let ast::Expr::Identifier(name) = node
            && !tree::is_resolved(name)
            && matches!(scope::find(scope, None, &name.value), Found::None)
            && let Some(item) = aliased(items, &name.value)
        {
            *node = ast::Expr::Nested(Box::new(item.expr.clone()));
        }
        Ok(())
    })?;
    Ok(Target::Expr(Box::new(expr)))
}

/// The name that an expression has by itself.
fn written_name(expr: &ast::Expr) -> Option<String> {
    match expr {
        ast::Expr::Identifier(name) => Some(name.value.clone()),
        ast::Expr::CompoundIdentifier(parts) => parts.last().map(|part| part.value.clone()),
        ast::Expr::Nested(inner) => written_name(inner),
        _ => None,
    }
}

/// Where the last column of a name is selected.
pub(crate) fn last_called(body: &ast::SetExpr, name: &str) -> Span {
    let select = match body {
        ast::SetExpr::Select(select) => select,
        ast::SetExpr::Query(query) => return last_called(&query.body, name),
        ast::SetExpr::SetOperation { left, .. } => return last_called(left, name),
        _ => return Span::empty(),
    };
    let of_name = select.projection.iter().rev().find_map(|item| match item {
        SelectItem::ExprWithAlias { alias, .. } => (alias.value == name).then_some(alias.span),
        SelectItem::UnnamedExpr(expr) => {
            (written_name(expr).as_deref() == Some(name)).then(|| expr.span())
        }
        _ => None,
    });
    let every = || select.projection.last().map(Spanned::span);
    of_name.or_else(every).unwrap_or_else(Span::empty)
}
