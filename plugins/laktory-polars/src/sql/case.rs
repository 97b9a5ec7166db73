//! `CASE` with many branches. The engine nests one branch in the other, as deep as there are branches; halves nest less
//! deep, and a half is entered when any of its conditions is true.

use sqlparser::ast::helpers::attached_token::AttachedToken;
use sqlparser::ast::{BinaryOperator, CaseWhen, Expr};

/// Branches that stay one `CASE`.
const SIDE_BY_SIDE: usize = 16;

/// The expression with halves in the place of a long `CASE`.
pub(super) fn halved(expr: &Expr) -> Option<Expr> {
    let Expr::Case {
        operand,
        conditions,
        else_result,
        ..
    } = expr
    else {
        return None;
    };
    if conditions.len() <= SIDE_BY_SIDE {
        return None;
    }
    let searched: Vec<CaseWhen> = conditions
        .iter()
        .map(|when| CaseWhen {
            condition: match operand {
                Some(operand) => nested(
                    (**operand).clone(),
                    BinaryOperator::Eq,
                    when.condition.clone(),
                ),
                None => when.condition.clone(),
            },
            result: when.result.clone(),
        })
        .collect();
    Some(half(&searched, else_result.clone()))
}

fn half(branches: &[CaseWhen], otherwise: Option<Box<Expr>>) -> Expr {
    if branches.len() <= SIDE_BY_SIDE {
        return case(branches.to_vec(), otherwise);
    }
    let (first, rest) = branches.split_at(branches.len() / 2);
    let entered = CaseWhen {
        condition: any(first),
        result: half(first, None),
    };
    case(vec![entered], Some(Box::new(half(rest, otherwise))))
}

fn case(conditions: Vec<CaseWhen>, else_result: Option<Box<Expr>>) -> Expr {
    Expr::Case {
        case_token: AttachedToken::empty(),
        end_token: AttachedToken::empty(),
        operand: None,
        conditions,
        else_result,
    }
}

/// Whether any condition is true.
fn any(branches: &[CaseWhen]) -> Expr {
    match branches {
        [one] => one.condition.clone(),
        _ => {
            let (first, rest) = branches.split_at(branches.len() / 2);
            nested(any(first), BinaryOperator::Or, any(rest))
        }
    }
}

fn nested(left: Expr, op: BinaryOperator, right: Expr) -> Expr {
    let bracketed = |expr: Expr| match expr {
        nested @ (Expr::Nested(_) | Expr::Identifier(_) | Expr::Value(_)) => Box::new(nested),
        other => Box::new(Expr::Nested(Box::new(other))),
    };
    Expr::Nested(Box::new(Expr::BinaryOp {
        left: bracketed(left),
        op,
        right: bracketed(right),
    }))
}
