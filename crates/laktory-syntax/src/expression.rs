//! Entry points for texts that hold one expression: Python, or SQL, or whichever it looks like.

use laktory_core::Expr;

use crate::Api;
use crate::diagnostic::FragmentError;
use crate::python::convert::{self, Text};
use crate::python::fault::Faults;
use crate::python::lower::Lowerer;
use crate::python::parse::{self, Reading};
use crate::python::parts::Parts;
use crate::written::Part;

/// The language of a column expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnExprKind {
    /// Scalar SQL.
    Sql,
    /// The DataFrame API.
    Df,
}

fn errors(faults: Faults) -> Vec<FragmentError> {
    faults.0.into_iter().map(|fault| fault.error).collect()
}

/// Parses an expression of the DataFrame API, such as `nw.col('x').round(2)`.
///
/// # Errors
/// Every fault found, each with its place in the text.
pub fn python_expression(text: &str, api: Api) -> Result<Expr, Vec<FragmentError>> {
    let tree = parse::parse(text, 0).map_err(|fault| vec![fault.error])?;
    lower(&tree, api)
}

fn lower(tree: &ruff_python_ast::Expr, api: Api) -> Result<Expr, Vec<FragmentError>> {
    let mut lowerer = Lowerer::new(api);
    let item = lowerer.lower(tree, 0).map_err(errors)?;
    convert::expr(item, Text::Column).map_err(errors)
}

/// Parses a column expression. Without `kind`, a text that parses as Python and is rooted in a name of the API
/// (`nw.col(...)`, `F.col(...)`, `col(...)`) is one of the DataFrame API; any other text is SQL (R-COL-1).
///
/// # Errors
/// Every fault found, each with its place in the text.
pub fn column_expr(text: &str, kind: Option<ColumnExprKind>) -> Result<Expr, Vec<FragmentError>> {
    either(text, kind, crate::sql::expression)
}

/// The parts of a text that [`column_expr`] reads, inner ones first; none where it is faulty.
#[must_use]
pub fn column_expr_parts(text: &str, kind: Option<ColumnExprKind>) -> Vec<Part> {
    let python = || match parse::parse(text, 0) {
        Ok(tree) => {
            let mut lowerer = Lowerer::new(Api::Native);
            lowerer.parts = Some(Parts::default());
            // The parts before a fault are parts all the same.
            let _ = lowerer.lower(&tree, 0);
            let parts = lowerer.parts.take().unwrap_or_default();
            parts.0.into_iter().map(|(_, part)| part).collect()
        }
        Err(_) => Vec::new(),
    };
    match kind {
        Some(ColumnExprKind::Sql) => crate::sql::parts(text),
        Some(ColumnExprKind::Df) => python(),
        None => match parse::read(text, 0) {
            Reading::Expression(_) if parse::looks_rooted(text) => python(),
            _ => crate::sql::parts(text),
        },
    }
}

/// A column expression that may be renamed: in SQL, `SUM(x) AS total`.
pub(crate) fn named_column_expr(
    text: &str,
    kind: Option<ColumnExprKind>,
) -> Result<Expr, Vec<FragmentError>> {
    either(text, kind, crate::sql_projection)
}

fn either(
    text: &str,
    kind: Option<ColumnExprKind>,
    sql: fn(&str) -> Result<Expr, Vec<FragmentError>>,
) -> Result<Expr, Vec<FragmentError>> {
    match kind {
        Some(ColumnExprKind::Sql) => sql(text),
        Some(ColumnExprKind::Df) => python_expression(text, Api::Native),
        None => match parse::read(text, 0) {
            Reading::Expression(tree) if parse::looks_rooted(text) => lower(&tree, Api::Native),
            Reading::Broken(fault) => match sql(text) {
                Ok(expr) => Ok(expr),
                Err(_) => Err(vec![fault.error]),
            },
            _ => sql(text),
        },
    }
}
