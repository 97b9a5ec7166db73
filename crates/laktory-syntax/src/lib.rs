//! Texts of a pipeline file parsed to values: expressions, SQL templates, method steps, data types; and the spans and
//! diagnostics that point into them.
//!
//! Nothing here reads a file, names an engine, or evaluates anything: a text of the user's is parsed by a grammar and
//! lowered to the values of `laktory-core`, within bounds on size, depth and work.
//!
//! ```
//! use laktory_syntax::{Api, python_expression, sql_expression};
//!
//! let python = python_expression("nw.col('x').abs() > 1", Api::Narwhals).unwrap();
//! let sql = sql_expression("ABS(x) > 1").unwrap();
//! assert_eq!(python, sql);
//! ```

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test fails by panicking"))]

mod check;
mod datetime;
mod diagnostic;
mod diagnostics;
mod expression;
mod frame;
mod interval;
mod join;
mod limits;
mod parameter;
mod placeholder;
mod print;
mod python;
pub mod reference;
mod source;
mod sql;
mod stack;
mod suggest;
mod units;
mod user;
mod visible;
mod written;

pub use laktory_core::shape::is_aggregate;
pub use laktory_core::walk::{
    columns, functions, op_columns, op_functions, op_user_functions, output_name, user_functions,
};

pub use diagnostic::{Diagnostic, FragmentError, Severity, shortened};
pub use diagnostics::Diagnostics;
pub use expression::{ColumnExprKind, column_expr, column_expr_parts, python_expression};
pub use frame::{
    Api, ArgPlace, GroupError, MethodError, MethodText, Segment, fuse_groups, method, method_names,
    method_texts,
};
pub use placeholder::placeholder;
pub use print::{print, print_dtype, print_op};
pub use source::{Position, SourceFile, Span};
pub use sql::{
    StatementParts, sql_expression, sql_in_simpler_forms, sql_is_aggregate, sql_projection,
    sql_statement, sql_tree, sql_words,
};
pub use suggest::{did_you_mean, nearest};
pub use user::{check_user_function, check_user_functions};
pub use visible::{is_hidden, visible, visible_json, visible_lines, visible_styled};
pub use written::{Part, What, at_word, named};
