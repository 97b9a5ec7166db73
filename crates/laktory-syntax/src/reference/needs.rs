//! Which step and functions of the contract an entry needs: what capability tables are asked for.

use laktory_core::{Func, OpKind};

use super::entry::{Entry, EntryKind};
use crate::frame::Api;

/// What an entry needs of a driver.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EntryNeeds {
    /// A kind of step.
    pub op: Option<OpKind>,
    /// Functions.
    pub funcs: Vec<Func>,
}

impl Entry {
    /// What the entry needs of a driver.
    #[must_use]
    pub fn needs(&self) -> EntryNeeds {
        let text = self.example.text;
        let of_expr = |expr: &laktory_core::Expr| crate::functions(expr).into_iter().collect();
        let (op, funcs) = match self.kind {
            EntryKind::Step => (step(self.name), Vec::new()),
            EntryKind::Clause => (Some(OpKind::Sql), Vec::new()),
            EntryKind::Sql => match crate::sql_expression(text) {
                Ok(expr) => (None, of_expr(&expr)),
                Err(_) => (Some(OpKind::Sql), Vec::new()),
            },
            _ => match self.of_table() {
                Some(func) => (None, vec![func]),
                None => match crate::python_expression(text, Api::Narwhals) {
                    Ok(expr) => (None, of_expr(&expr)),
                    // A function of frames.
                    Err(_) => (Some(OpKind::Union), Vec::new()),
                },
            },
        };
        EntryNeeds { op, funcs }
    }

    /// The row of the function table that the entry is made from.
    fn of_table(&self) -> Option<Func> {
        let mut table = Func::all();
        let same = |def: &&laktory_core::FuncDef| def.path == self.name && def.doc == self.doc;
        table.find(same).map(|def| def.func)
    }
}

/// The kind of step that a method is.
fn step(name: &str) -> Option<OpKind> {
    Some(match name {
        "limit" => OpKind::Head,
        "drop_duplicates" => OpKind::Unique,
        "bottom_k" => OpKind::TopK,
        "concat" | "laktory.union" => OpKind::Union,
        "agg" | "group_by.agg" | "laktory.groupby_and_agg" => OpKind::Aggregate,
        "fill_null" | "fill_nan" | "laktory.with_row_index" => OpKind::WithColumns,
        "laktory.window_filter" => OpKind::Filter,
        name => *OpKind::ALL.iter().find(|kind| kind.name() == name)?,
    })
}
