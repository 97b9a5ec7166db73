//! Values printed as the text that the parser reads them from: the inverse of the Python dialect, in one canonical
//! form. `python_expression(&print(e)) == e` holds for every expression that a text can give, as long as the printed
//! text stays within the parser's bounds on size and depth.
//!
//! Expressions come out in the spelling of Narwhals 2.29; what only SQL has is a function below `nw.sql`.

mod call;
mod dtype;
mod expr;
mod literal;
mod op;
mod selector;

use laktory_core::{DType, Expr, Op};

/// The canonical text of an expression, such as `nw.col('x').round(2) > 1`.
///
/// ```
/// use laktory_syntax::{print, sql_expression};
///
/// let expr = sql_expression("UPPER(s) || '!'").unwrap();
/// assert_eq!(
///     print(&expr),
///     "nw.concat_str(nw.col('s').str.to_uppercase(), nw.lit('!'))"
/// );
/// ```
#[must_use]
pub fn print(expr: &Expr) -> String {
    let mut out = String::new();
    expr::write(&mut out, expr, expr::Level::LOWEST);
    out
}

/// The canonical text of a data type, such as `nw.Datetime('us', 'UTC')`.
#[must_use]
pub fn print_dtype(dtype: &DType) -> String {
    let mut out = String::new();
    dtype::write(&mut out, dtype);
    out
}

/// A step as the call of a frame method, such as `select(nw.col('x'), y=nw.col('z') + 1)`. Other frames stand in
/// braces, as in a pipeline file.
#[must_use]
pub fn print_op(op: &Op) -> String {
    let mut out = String::new();
    op::write(&mut out, op);
    out
}

/// Writes items with commas between them.
fn separated<T>(
    out: &mut String,
    items: impl IntoIterator<Item = T>,
    mut write: impl FnMut(&mut String, T),
) {
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        write(out, item);
    }
}
