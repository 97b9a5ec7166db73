//! What the operations of a case need, to be held against what a driver declares.

use std::collections::BTreeSet;

use laktory_core::{Capabilities, Func, Op, OpKind, Support, WindowFunc, user, walk};
use laktory_syntax::{op_functions, op_user_functions};

/// Steps and functions that something uses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Kinds of steps.
    pub ops: BTreeSet<OpKind>,
    /// Functions.
    pub funcs: BTreeSet<Func>,
    /// Functions of windows.
    pub windows: BTreeSet<WindowFunc>,
    /// Names of functions of the user's own on Arrow arrays.
    pub user: BTreeSet<String>,
}

impl Needs {
    /// Adds what a step needs.
    pub fn op(&mut self, op: &Op) {
        self.ops.insert(op.kind());
        self.funcs.extend(op_functions(op));
        self.windows.extend(walk::op_windows(op));
        self.user
            .extend(op_user_functions(op).into_iter().map(str::to_owned));
    }

    /// The first need that a driver does not have, described with the driver's own reason.
    #[must_use]
    pub fn missing(&self, capabilities: &Capabilities) -> Option<String> {
        let describe = |what: String, support: Support| match support {
            Support::NotYet { reason } => Some(format!("{what}: {reason}")),
            support if support.is_available() => None,
            _ => Some(what),
        };
        let op = self
            .ops
            .iter()
            .find_map(|kind| describe(kind.name().to_owned(), capabilities.op(*kind)));
        op.or_else(|| {
            self.funcs
                .iter()
                .find_map(|func| describe(func.def().path.to_owned(), capabilities.func(*func)))
        })
        .or_else(|| {
            self.windows.iter().find_map(|func| {
                let what = format!("the window function {}", func.name());
                describe(what, capabilities.window(*func))
            })
        })
        .or_else(|| {
            self.user.iter().find_map(|name| {
                // Functions of an engine's own are no matter of cases that run on every engine.
                let function = user::find(name)?;
                describe(name.clone(), function.support("", capabilities))
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use laktory_core::Expr;

    #[test]
    fn nested_functions_are_found_and_held_against_capabilities() {
        let inner = Expr::call(Func::Abs, [Expr::column("x")]);
        let op = Op::Filter {
            predicate: Expr::call(Func::Gt, [inner, Expr::literal(1i64)]),
        };
        let mut needs = Needs::default();
        needs.op(&op);
        assert_eq!(needs.funcs, BTreeSet::from([Func::Abs, Func::Gt]));
        let mut capabilities = Capabilities::default();
        assert_eq!(needs.missing(&capabilities), Some("filter".to_owned()));
        capabilities.ops.insert(OpKind::Filter, Support::Full);
        capabilities.funcs.insert(Func::Gt, Support::Full);
        capabilities
            .funcs
            .insert(Func::Abs, Support::NotYet { reason: "soon" });
        assert_eq!(needs.missing(&capabilities), Some("abs: soon".to_owned()));
        capabilities.funcs.insert(Func::Abs, Support::Full);
        assert_eq!(needs.missing(&capabilities), None);
    }
}
