//! Where engines may answer differently, each with the reason. What is listed here is not drawn, or not compared;
//! nothing else is left out of the comparison.
//!
//! An engine whose types are not exactly those of the contract is held to values: its types may be wider, more of them may meet
//! (datetimes of two time zones), and it may lack parts, which its declared gaps name.

use laktory_core::shape::shape;
use laktory_core::{Arg, Expr, Func, walk};

use super::data::LARGE;

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
    (Func::ExactAdd, "what `+` of integers becomes"),
    (Func::ExactSub, "what `-` of integers becomes"),
    (Func::ExactMul, "what `*` of integers becomes"),
    (Func::ExactSum, "what `sum` of integers becomes"),
    (Func::DecimalSum, "what `sum` of decimals becomes"),
    (Func::SqlSingle, "it fails where there are several values"),
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
        reason: "how many rows constants alone are aggregated over, and in which type, is not defined",
        holds: |expr| matches!(expr, Expr::Call { func: Func::Corr | Func::Cov | Func::SqlSum, args } if constants(args)),
    },
    Rule {
        reason: "whether sums of large values overflow on the way is left to the engine",
        holds: |expr| calls(expr, SUMMING) && below(expr, &|child| calls(child, GROWING)),
    },
    Rule {
        reason: "a running sum keeps no digits of values that stand in a window with one that is a hundred digits larger",
        holds: |expr| {
            calls(expr, RUNNING)
                && below(
                    expr,
                    &|child| matches!(child, Expr::Column(name) if name == LARGE),
                )
        },
    },
    Rule {
        reason: "engines round sums differently, and these functions jump where a digit changes",
        holds: |expr| calls(expr, JUMPING) && below(expr, &|child| calls(child, SUMMING)),
    },
    Rule {
        reason: "not every engine has room for what is looked up below the ranks of a correlation",
        holds: |expr| {
            matches!(expr, Expr::Call { func: Func::Corr, args } if args.contains(&Arg::Str("spearman".to_owned())))
                && below(expr, &|child| calls(child, &[Func::ReplaceStrict]))
        },
    },
    Rule {
        reason: "which of several most frequent values is kept is not defined",
        holds: |expr| matches!(expr, Expr::Call { func: Func::ModeAny, args } if args.get(1) == Some(&Arg::Str("any".to_owned()))),
    },
];

/// Functions whose results are rounded.
const SUMMING: &[Func] = &[
    Func::Sum,
    Func::SqlSum,
    Func::Mean,
    Func::Std,
    Func::Var,
    Func::Skew,
    Func::Kurtosis,
    Func::Corr,
    Func::Cov,
    Func::Quantile,
    Func::CumSum,
    Func::CumProd,
    Func::RollingSum,
    Func::RollingMean,
    Func::RollingStd,
    Func::RollingVar,
    Func::EwmMean,
    Func::SumHorizontal,
    Func::MeanHorizontal,
    Func::ListSum,
    Func::ListMean,
];

/// Functions that some engines compute by adding what enters a window and taking away what leaves it.
const RUNNING: &[Func] = &[
    Func::RollingSum,
    Func::RollingMean,
    Func::RollingStd,
    Func::RollingVar,
];

/// Functions whose results are far larger than their operands.
const GROWING: &[Func] = &[Func::Exp, Func::Pow, Func::CumProd];

/// Functions whose results change all at once.
const JUMPING: &[Func] = &[
    Func::Mod,
    Func::SqlMod,
    Func::FloorDiv,
    Func::Floor,
    Func::Ceil,
    Func::Round,
    Func::SqlRound,
    Func::SqlRoundHalfUp,
    Func::RoundP,
    Func::SqlSign,
];

fn calls(expr: &Expr, functions: &[Func]) -> bool {
    matches!(expr, Expr::Call { func, .. } if functions.contains(func))
}

/// Whether something holds for a part of an expression.
fn below(expr: &Expr, holds: &dyn Fn(&Expr) -> bool) -> bool {
    let mut found = false;
    walk::children(expr, &mut |child| {
        found = found || holds(child) || below(child, holds)
    });
    found
}

/// Whether expressions among arguments are constants.
fn constants(args: &[Arg]) -> bool {
    args.iter()
        .all(|arg| !matches!(arg, Arg::Expr(expr) if !shape(expr).constant))
}

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

/// Whether errors of this kind may say that something is of the wrong type: engines find that at different times and
/// call it by different names.
pub(crate) fn about_types(kind: &str) -> bool {
    const KINDS: &[&str] = &[
        "compute",
        "conversion_failed",
        "invalid_argument",
        "schema_mismatch",
        "type_mismatch",
        "unsupported",
        "unsupported_cast",
    ];
    KINDS.contains(&kind)
}

/// Why one engine may refuse with an error of this kind what another computes.
pub(crate) fn may_refuse(expr: &Expr, no_rows: bool, kind: &str) -> Option<&'static str> {
    if no_rows && about_types(kind) {
        return Some("that types do not fit is found while planning, or with the first row");
    }
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
    here || below(expr, &chooses)
}
