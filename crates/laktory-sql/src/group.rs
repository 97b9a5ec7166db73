//! Groups: keys, aggregates, and what stands above them.

use laktory_core::{Error, ErrorKind, Expr, Func, JoinHow, UnionHow, walk};
use sqlparser::ast::{self, FunctionArg, FunctionArgExpr, FunctionArguments, GroupByExpr, Select};

use crate::fault::{Planned, Stop, beyond, wrong};
use crate::from::Relation;
use crate::plan::Rel;
use crate::planner::Planner;
use crate::refused;
use crate::select::{Parts, Target, target};
use crate::tree;

/// Grouping sets of one SELECT: each is a grouping of all rows.
const MOST_SETS: usize = 256;

/// A key of the groups.
struct Key {
    expr: ast::Expr,
    id: String,
}

/// An aggregate.
struct Aggregate {
    call: ast::Expr,
    id: String,
    value: Expr,
}

/// A call of GROUPING: the keys that it asks about, by position.
struct Grouping {
    keys: Vec<usize>,
    id: String,
}

impl Grouping {
    /// Its value in a set of keys: a bit for each key that it asks about, set where the key is not in the set.
    fn of(&self, set: &[String], keys: &[String]) -> (String, Expr) {
        let bits = self.keys.iter().fold(0_i64, |bits, at| {
            bits * 2 + i64::from(!set.contains(&keys[*at]))
        });
        (self.id.clone(), Expr::literal(bits))
    }
}

/// What a call of GROUPING asks about.
fn asked_keys(expr: &ast::Expr) -> Option<Vec<&ast::Expr>> {
    let ast::Expr::Function(function) = expr else {
        return None;
    };
    let named = matches!(
        tree::function_name(function).as_str(),
        "GROUPING" | "GROUPING_ID"
    );
    let FunctionArguments::List(list) = &function.args else {
        return None;
    };
    let args = list.args.iter().map(|arg| match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
        _ => None,
    });
    named.then(|| args.collect()).flatten()
}

/// Whether an expression is a call of an aggregate, without a window.
pub(crate) fn is_aggregate(expr: &ast::Expr) -> bool {
    matches!(expr, ast::Expr::Function(function)
        if function.over.is_none()
            && laktory_syntax::sql_is_aggregate(&tree::function_name(function)))
}

/// Whether an aggregate counts, so that it is 0 where there are no rows.
pub(crate) fn counts(value: &Expr) -> bool {
    match value {
        Expr::Cast { expr, .. } => counts(expr),
        Expr::Call { func, .. } => matches!(
            func,
            Func::Len | Func::LenOf | Func::Count | Func::SqlCountDistinct | Func::NullCount
        ),
        _ => false,
    }
}

impl Planner<'_> {
    /// Whether a SELECT gives groups.
    pub(crate) fn is_grouped(&self, select: &Select, parts: &mut Parts) -> Planned<bool> {
        let by = match &select.group_by {
            GroupByExpr::All(_) => true,
            GroupByExpr::Expressions(keys, _) => !keys.is_empty(),
        };
        let mut grouped = by || parts.having.is_some();
        parts.each(&mut |expr| {
            grouped |= tree::any(expr, is_aggregate);
            Ok(())
        })?;
        Ok(grouped)
    }

    /// Groups the rows; the expressions then name keys and aggregates. Gives whether there is one group in all.
    pub(crate) fn group(
        &mut self,
        relation: &mut Relation,
        select: &Select,
        parts: &mut Parts,
    ) -> Planned<bool> {
        let scope = relation.scope.clone();
        let (exprs, sets) = self.grouping(select, parts, &scope)?;
        let outer = self.outer_ids();
        let mut keys: Vec<Key> = Vec::new();
        let mut computed = Vec::new();
        for mut expr in exprs {
            if let Some(aggregate) = tree::first(&expr, is_aggregate) {
                let message = "an aggregate cannot stand in GROUP BY, which makes the groups";
                return Err(self.placed(
                    Error::new(ErrorKind::SqlSyntax, message),
                    &tree::named(&aggregate),
                ));
            }
            self.values(relation, &mut expr)?;
            let value = self.lower(&expr)?;
            let id = match value {
                Expr::Column(id) => id,
                value => {
                    let id = self.names.fresh("group");
                    if let Some(name) = walk::output_name(&value) {
                        let name = self.shown.get(&name).cloned().unwrap_or(name);
                        self.shown.insert(id.clone(), name);
                    }
                    computed.push((id.clone(), value));
                    id
                }
            };
            keys.push(Key { expr, id });
        }
        let mut aggregates: Vec<Aggregate> = Vec::new();
        let mut groupings: Vec<Grouping> = Vec::new();
        parts.each(&mut |expr| {
            tree::rewrite(expr, &mut |node| {
                if let Some(asked) = asked_keys(node) {
                    let positions = asked.iter().map(|asked| {
                        let is = |key: &Key| tree::bare(&key.expr) == tree::bare(asked);
                        keys.iter().position(is)
                    });
                    let Some(keys) = positions.collect::<Option<Vec<usize>>>() else {
                        let asked = asked_keys(node).unwrap_or_default();
                        let odd = asked.into_iter().find(|asked| {
                            !keys
                                .iter()
                                .any(|key| tree::bare(&key.expr) == tree::bare(asked))
                        });
                        return wrong(ErrorKind::SqlSyntax, "GROUPING takes keys of GROUP BY")
                            .map_err(|stop| stop.at(odd.unwrap_or(node)));
                    };
                    let id = self.names.fresh("grouping");
                    self.shown.insert(id.clone(), "grouping".to_owned());
                    *node = tree::resolved(&id, node);
                    groupings.push(Grouping { keys, id });
                    return Ok(());
                }
                if let Some(key) = keys.iter().find(|key| {
                    tree::bare(&key.expr) == tree::bare(node)
                        || tree::column_of(node).is_some_and(|id| id == key.id)
                }) {
                    *node = tree::resolved(&key.id, node);
                    return Ok(());
                }
                if !is_aggregate(node) {
                    return Ok(());
                }
                let known = aggregates.iter().find(|known| known.call == *node);
                let id = match known {
                    Some(known) => known.id.clone(),
                    None => {
                        let call = node.clone();
                        self.values(relation, node)?;
                        self.spread(relation, node)?;
                        let value = self.lower(node)?;
                        let id = self.names.fresh("aggregate");
                        if let Some(name) = walk::output_name(&value) {
                            let name = self.shown.get(&name).cloned().unwrap_or(name);
                            self.shown.insert(id.clone(), name);
                        }
                        aggregates.push(Aggregate {
                            call,
                            id: id.clone(),
                            value,
                        });
                        id
                    }
                };
                *node = tree::resolved(&id, node);
                Ok(())
            })
        })?;
        // What is left is of single rows, and has no one value in a group.
        let known: Vec<&String> = keys
            .iter()
            .map(|key| &key.id)
            .chain(aggregates.iter().map(|aggregate| &aggregate.id))
            .chain(groupings.iter().map(|grouping| &grouping.id))
            .chain(&outer)
            .collect();
        let mut loose = None;
        parts.each(&mut |expr| {
            let is_loose = |id: &str| !known.iter().any(|known| *known == id);
            loose = loose.take().or_else(|| tree::column_name(expr, is_loose));
            Ok(())
        })?;
        if let Some(column) = loose {
            // A call of what is no function is no aggregate either.
            parts.each(&mut |expr| self.lower(expr).map(|_| ()))?;
            let id = &column.value;
            let name = self.shown.get(id).unwrap_or(id);
            let message = format!("column `{name}` is neither in GROUP BY nor in an aggregate");
            return Err(Error::new(ErrorKind::SqlSyntax, message)
                .with_hint(format!("add it to GROUP BY, or write `ANY_VALUE({name})`"))
                .into())
            .map_err(|stop: Stop| stop.within(column.span));
        }
        let rows = relation.rel.with(computed);
        let values: Vec<(String, Expr)> = aggregates
            .iter()
            .map(|aggregate| (aggregate.id.clone(), aggregate.value.clone()))
            .collect();
        let all: Vec<String> = keys.iter().map(|key| key.id.clone()).collect();
        // A group of all rows is one row, also where nothing is computed of them.
        let rows_of_all = self.names.fresh("rows");
        let mut grouped = |set: &[String]| {
            let mut by = outer.clone();
            by.extend(set.iter().filter(|id| !outer.contains(id)).cloned());
            let told = groupings.iter().map(|grouping| grouping.of(set, &all));
            let mut values = values.clone();
            if by.is_empty() && values.is_empty() {
                values.push((rows_of_all.clone(), Expr::call(Func::Len, [])));
            }
            let told: Vec<(String, Expr)> = told.collect();
            let groups = rows.aggregate(&by, values);
            if set.is_empty() && !outer.is_empty() {
                return self.each_outer(&groups, &outer, &aggregates).with(told);
            }
            groups.with(told)
        };
        let single = all.is_empty();
        relation.rel = match sets {
            None => grouped(&all),
            Some(sets) => {
                let sets: Vec<Vec<String>> = sets
                    .iter()
                    .map(|set| set.iter().map(|at| all[*at].clone()).collect())
                    .collect();
                let mut wanted = outer.clone();
                wanted.extend(all.iter().cloned());
                wanted.extend(values.iter().map(|(id, _)| id.clone()));
                wanted.extend(groupings.iter().map(|grouping| grouping.id.clone()));
                // The widest set comes first: it tells the types of all keys.
                let mut rels: Vec<Rel> = sets.iter().map(|set| grouped(set)).collect();
                rels.sort_by_key(|rel| std::cmp::Reverse(rel.ids.len()));
                let rest = rels.split_off(1);
                rels[0].union(&rest, UnionHow::Diagonal).only(&wanted)
            }
        };
        relation.scope.retain(|column| all.contains(&column.id));
        Ok(single)
    }

    /// Gives an aggregate of a constant a column that holds it: as many values as there are rows.
    pub(crate) fn spread(&mut self, relation: &mut Relation, expr: &mut ast::Expr) -> Planned<()> {
        let ast::Expr::Function(function) = expr else {
            return Ok(());
        };
        let name = tree::function_name(function);
        if let Some(ast::WindowType::WindowSpec(spec)) = &mut function.over {
            let keys = spec.order_by.iter_mut().map(|key| &mut key.expr);
            for key in spec.partition_by.iter_mut().chain(keys) {
                self.spread_constant(relation, key)?;
            }
        }
        let counts_buckets = name == "NTILE";
        let spreads = laktory_syntax::sql_is_aggregate(&name) || function.over.is_some();
        // The constant of a quantile says which one.
        if !spreads || counts_buckets || name.starts_with("PERCENTILE") {
            return Ok(());
        }
        let FunctionArguments::List(list) = &mut function.args else {
            return Ok(());
        };
        match list.args.first_mut() {
            Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(first))) => {
                self.spread_constant(relation, first)
            }
            _ => Ok(()),
        }
    }

    fn spread_constant(&mut self, relation: &mut Relation, expr: &mut ast::Expr) -> Planned<()> {
        if !tree::columns(expr).is_empty() {
            return Ok(());
        }
        let value = self.lower(expr)?;
        let id = self.names.fresh("constant");
        if let Some(name) = walk::output_name(&value) {
            self.shown.insert(id.clone(), name);
        }
        relation.rel = relation.rel.with(vec![(id.clone(), value)]);
        *expr = tree::resolved(&id, expr);
        Ok(())
    }

    /// One group for each outer row, also for those without rows: there counts are 0, and other aggregates null.
    fn each_outer(&mut self, grouped: &Rel, outer: &[String], aggregates: &[Aggregate]) -> Rel {
        let Some(domain) = self.outer.last().and_then(|outer| outer.domain.clone()) else {
            return grouped.clone();
        };
        let keys: Vec<(String, String)> = outer
            .iter()
            .map(|id| (id.clone(), self.names.fresh("key")))
            .collect();
        let mut columns: Vec<(String, Expr)> = keys
            .iter()
            .map(|(id, key)| (key.clone(), Expr::column(id)))
            .collect();
        columns.extend(
            aggregates
                .iter()
                .map(|known| (known.id.clone(), Expr::column(&known.id))),
        );
        let joined = domain.join(&grouped.select(columns), JoinHow::Left, &keys, true);
        let values = joined.ids.iter().map(|id| {
            let counted = aggregates.iter().find(|known| known.id == *id);
            let column = Expr::column(id);
            let value = match counted {
                Some(known) if counts(&known.value) => or_zero(column),
                _ => column,
            };
            (id.clone(), value)
        });
        joined.select(values.collect())
    }

    /// The keys, and which of them make the groups of each set.
    #[allow(clippy::type_complexity, reason = "keys, and positions of keys")]
    fn grouping(
        &mut self,
        select: &Select,
        parts: &Parts,
        scope: &[crate::scope::Column],
    ) -> Planned<(Vec<ast::Expr>, Option<Vec<Vec<usize>>>)> {
        let mut keys: Vec<ast::Expr> = Vec::new();
        let mut sets: Vec<Vec<usize>> = vec![Vec::new()];
        let mut several = false;
        let exprs = match &select.group_by {
            GroupByExpr::All(_) => {
                for item in &parts.items {
                    if !tree::any(&item.expr, is_aggregate) {
                        keys.push(item.expr.clone());
                    }
                }
                return Ok((keys, None));
            }
            GroupByExpr::Expressions(exprs, _) => exprs,
        };
        let mut add = |planner: &mut Self, expr: &ast::Expr| -> Planned<usize> {
            let expr = match target_of_group(expr, parts, scope)? {
                Target::Item(at) => parts.items[at].expr.clone(),
                Target::Expr(mut expr) => {
                    planner.resolve(scope, &mut expr)?;
                    *expr
                }
            };
            if let Some(at) = keys.iter().position(|known| *known == expr) {
                return Ok(at);
            }
            keys.push(expr);
            Ok(keys.len() - 1)
        };
        for expr in exprs {
            let mut lists = |planner: &mut Self, lists: &[Vec<ast::Expr>]| {
                lists
                    .iter()
                    .map(|list| list.iter().map(|expr| add(planner, expr)).collect())
                    .collect::<Planned<Vec<Vec<usize>>>>()
            };
            let own: Vec<Vec<usize>> = match expr {
                ast::Expr::Rollup(parts) => {
                    several = true;
                    let parts = lists(self, parts)?;
                    (0..=parts.len())
                        .rev()
                        .map(|count| parts[..count].concat())
                        .collect()
                }
                ast::Expr::Cube(parts) => {
                    several = true;
                    let parts = lists(self, parts)?;
                    if parts.len() > 8 {
                        return beyond(refused::CUBE);
                    }
                    (0..1_usize << parts.len())
                        .map(|bits| {
                            let chosen = parts.iter().enumerate();
                            chosen
                                .filter(|(at, _)| bits & (1 << at) == 0)
                                .flat_map(|(_, part)| part.iter().copied())
                                .collect()
                        })
                        .collect()
                }
                ast::Expr::GroupingSets(parts) => {
                    several = true;
                    lists(self, parts)?
                }
                ast::Expr::Tuple(parts) if parts.is_empty() => {
                    several = true;
                    vec![Vec::new()]
                }
                other => lists(self, &[vec![other.clone()]])?,
            };
            if sets.len().saturating_mul(own.len()) > MOST_SETS {
                return beyond(refused::SETS);
            }
            sets = sets
                .iter()
                .flat_map(|set| own.iter().map(move |more| [set.as_slice(), more].concat()))
                .collect();
        }
        for set in &mut sets {
            let mut seen = Vec::new();
            set.retain(|at| {
                !seen.contains(at) && {
                    seen.push(*at);
                    true
                }
            });
        }
        Ok((keys, several.then_some(sets)))
    }
}

/// A key of groups is a position, a column of the rows, or else a column of the output.
fn target_of_group(
    expr: &ast::Expr,
    parts: &Parts,
    scope: &[crate::scope::Column],
) -> Planned<Target> {
    if let ast::Expr::Identifier(name) = expr
        && !matches!(
            crate::scope::find(scope, None, &name.value),
            crate::scope::Found::None
        )
    {
        return Ok(Target::Expr(Box::new(expr.clone())));
    }
    target(expr, &parts.items, scope, "GROUP BY")
}

/// The value, or 0 where it is null.
pub(crate) fn or_zero(value: Expr) -> Expr {
    Expr::Call {
        func: Func::Coalesce,
        args: vec![laktory_core::Arg::Exprs(vec![value, Expr::literal(0_i64)])],
    }
}
