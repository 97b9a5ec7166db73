//! Where engines may answer differently, each with the reason. What is listed here is not drawn, or not compared;
//! nothing else is left out of the comparison.

use laktory_core::{Arg, Expr, Func, walk};

/// Functions that are never drawn.
const NEVER: &[(Func, &str)] = &[
    (
        Func::AnyValue,
        "which of several values it gives is not defined",
    ),
    (
        Func::CurrentTimestamp,
        "the start of the run, and each engine has a run of its own here",
    ),
    (
        Func::CatGetCategories,
        "a categorical travels between engines as text",
    ),
    (Func::MapGet, "maps are not a type of every engine"),
];

/// Why a function is never drawn.
pub(crate) fn never(func: Func) -> Option<&'static str> {
    NEVER
        .iter()
        .find_map(|(known, reason)| (*known == func).then_some(*reason))
}

/// A shape of expressions on which engines may differ.
struct Rule {
    reason: &'static str,
    holds: fn(&Expr) -> bool,
}

/// Shapes that are drawn again.
const RULES: &[Rule] = &[
    Rule {
        reason: "the order in which elements that are equal come out of a list is not defined",
        holds: |expr| matches!(expr, Expr::Call { func: Func::ListUnique, args } if args.get(1) == Some(&Arg::Bool(false))),
    },
    Rule {
        reason: "which of several most frequent values is kept is not defined",
        holds: |expr| matches!(expr, Expr::Call { func: Func::ModeAny, args } if args.get(1) == Some(&Arg::Str("any".to_owned()))),
    },
];

/// Why engines may differ on an expression or a part of it.
pub(crate) fn differs(expr: &Expr) -> Option<&'static str> {
    let here = RULES
        .iter()
        .find(|rule| (rule.holds)(expr))
        .map(|rule| rule.reason);
    here.or_else(|| {
        let mut found = None;
        walk::children(expr, &mut |child| found = found.or_else(|| differs(child)));
        found
    })
}

/// Errors that show in the data.
const OF_DATA: &[&str] = &[
    "conversion_failed",
    "compute",
    "out_of_bounds",
    "incomplete_mapping",
    "invalid_local_time",
    "invalid_argument",
];

/// Why one engine may refuse with an error of this kind what another computes.
pub(crate) fn may_refuse(expr: &Expr, kind: &str) -> Option<&'static str> {
    (OF_DATA.contains(&kind) && chooses(expr)).then_some(
        "whether a value that no branch takes is computed, and fails, is left to the engine",
    )
}

/// Whether an expression computes values that it may not need.
fn chooses(expr: &Expr) -> bool {
    let here = match expr {
        Expr::When { .. } => true,
        Expr::Call { func, .. } => {
            matches!(func, Func::Coalesce | Func::FillNull | Func::And | Func::Or)
        }
        _ => false,
    };
    let mut below = false;
    walk::children(expr, &mut |child| below = below || chooses(child));
    here || below
}
