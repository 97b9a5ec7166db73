//! Names of an expression turned into columns of the frame.

use laktory_core::{Error, ErrorKind};
use sqlparser::ast::{
    AccessExpr, Expr, Function, FunctionArguments, Ident, Subscript, Value, ValueWithSpan,
};

use crate::fault::{Planned, Stop, missing};
use crate::place;
use crate::planner::Planner;
use crate::scope::{self, Column, Found};
use crate::tree::{self, function_name, is_resolved};

/// Functions whose first argument may be a bare word that is a unit, and from how many arguments on.
const UNITS_OF: &[(&str, usize)] = &[
    ("DATEADD", 3),
    ("DATEDIFF", 3),
    ("DATEPART", 2),
    ("DATE_ADD", 3),
    ("DATE_DIFF", 3),
    ("DATE_PART", 2),
    ("DATE_SUB", 3),
    ("DATE_TRUNC", 2),
    ("TIMESTAMPADD", 3),
    ("TIMESTAMPDIFF", 3),
];

fn takes_unit(function: &Function) -> bool {
    let FunctionArguments::List(list) = &function.args else {
        return false;
    };
    let name = function_name(function);
    let unit = |(known, least): &(&str, usize)| *known == name && list.args.len() >= *least;
    UNITS_OF.iter().any(unit)
}

fn is_unit(name: &Ident) -> bool {
    let word = name.value.to_lowercase();
    matches!(
        word.trim_end_matches('s'),
        "year"
            | "quarter"
            | "month"
            | "week"
            | "day"
            | "dow"
            | "doy"
            | "hour"
            | "minute"
            | "second"
            | "millisecond"
            | "microsecond"
            | "nanosecond"
            | "epoch"
    )
}

impl Planner<'_> {
    /// Resolves the names in an expression; those that the scope does not have are of outer rows.
    pub(crate) fn resolve(&mut self, scope: &[Column], expr: &mut Expr) -> Planned<()> {
        let mut unit = false;
        tree::rewrite(expr, &mut |node| {
            let may_be_unit = std::mem::take(&mut unit);
            match node {
                Expr::Function(function) => unit = takes_unit(function),
                Expr::Value(value) if matches!(value.value, Value::Placeholder(_)) => {
                    return Err(missing(
                        format!("the parameter `{}`", value.value),
                        Some("write the value, or a variable: `${vars.x}`".to_owned()),
                        place::range(self.text, value.span),
                    ));
                }
                Expr::Identifier(name) if may_be_unit && is_unit(name) => {}
                Expr::Identifier(name) if !is_resolved(name) => {
                    let id = self.column(scope, None, name)?;
                    tree::resolve(name, id);
                }
                Expr::CompoundIdentifier(parts) if !parts.first().is_some_and(is_resolved) => {
                    self.compound(scope, parts)?;
                    if parts.len() == 1 {
                        *node = Expr::Identifier(parts.remove(0));
                    }
                }
                Expr::CompoundFieldAccess { root, access_chain } => {
                    if let Expr::Identifier(table) = &**root
                        && !is_resolved(table)
                        && let Some(AccessExpr::Dot(Expr::Identifier(name))) = access_chain.first()
                        && self.is_table(scope, table)
                    {
                        let mut parts = vec![table.clone(), name.clone()];
                        self.compound(scope, &mut parts)?;
                        **root = Expr::Identifier(parts.remove(0));
                        access_chain.remove(0);
                    }
                    for access in access_chain {
                        if let AccessExpr::Dot(Expr::Identifier(field)) = access {
                            let text = Value::SingleQuotedString(field.value.clone());
                            *access = AccessExpr::Subscript(Subscript::Index {
                                index: Expr::Value(ValueWithSpan {
                                    value: text,
                                    span: field.span,
                                }),
                            });
                        }
                    }
                }
                _ => {}
            }
            Ok(())
        })
    }

    /// `table.column`, `table.column.field` or `column.field`.
    fn compound(&mut self, scope: &[Column], parts: &mut Vec<Ident>) -> Planned<()> {
        let id = if parts.len() > 1 && self.is_table(scope, &parts[0]) {
            let table = parts.remove(0);
            let id = self.column(scope, Some(&table), &parts[0])?;
            parts[0].span = table.span.union(&parts[0].span);
            id
        } else {
            self.column(scope, None, &parts[0])?
        };
        tree::resolve(&mut parts[0], id);
        Ok(())
    }

    /// Whether a name is that of a relation in sight, rather than of a column.
    fn is_table(&self, scope: &[Column], name: &Ident) -> bool {
        let outer = self.outer.iter().map(|outer| outer.scope.as_slice());
        std::iter::once(scope)
            .chain(outer)
            .any(|columns| scope::has_table(columns, &name.value))
    }

    /// The column of the frame that a name means.
    pub(crate) fn column(
        &mut self,
        scope: &[Column],
        table: Option<&Ident>,
        name: &Ident,
    ) -> Planned<String> {
        let at = |error: Error| -> Stop {
            match place::range(self.text, name.span) {
                Some(range) => error.with_range(range).into(),
                None => error.into(),
            }
        };
        let of = table.map(|table| table.value.as_str());
        match scope::find(scope, of, &name.value) {
            Found::One(id) => return Ok(id),
            Found::Several(tables) => return Err(at(ambiguous(&name.value, &tables))),
            Found::None => {}
        }
        match self.outer_column(self.outer.len(), of, &name.value)? {
            Some(id) => Ok(id),
            None => Err(match table {
                Some(table) => {
                    let written = format!("{}.{}", table.value, name.value);
                    at(scope::unknown(scope, &written))
                }
                None => at(scope::unknown(scope, &name.value)),
            }),
        }
    }

    /// The same among the outer rows below `level`, nearest first: its name in the sub-query at that level.
    fn outer_column(
        &mut self,
        level: usize,
        table: Option<&str>,
        name: &str,
    ) -> Planned<Option<String>> {
        let Some(below) = level.checked_sub(1) else {
            return Ok(None);
        };
        let id = match scope::find(&self.outer[below].scope, table, name) {
            Found::One(id) => id,
            Found::Several(tables) => return Err(ambiguous(name, &tables).into()),
            Found::None => match self.outer_column(below, table, name)? {
                Some(id) => id,
                None => return Ok(None),
            },
        };
        self.touched.insert(id.clone());
        let outer = &mut self.outer[below];
        outer.touched = true;
        if outer.direct {
            return Ok(Some(id));
        }
        if let Some((_, local)) = outer.used.iter().find(|(known, _)| *known == id) {
            return Ok(Some(local.clone()));
        }
        if !outer.missing.contains(&id) {
            outer.missing.push(id.clone());
        }
        Ok(Some(id))
    }
}

fn ambiguous(name: &str, tables: &[String]) -> Error {
    let message = format!("`{name}` may be several columns");
    Error::new(ErrorKind::ColumnNotFound, message)
        .with_hint(format!("write {}", tables.join(" or ")))
}
