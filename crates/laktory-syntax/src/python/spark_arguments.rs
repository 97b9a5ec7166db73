//! Arguments of Spark's functions: the column comes first, the rest are constants.

use laktory_core::{Arg, Expr, Func};

use super::bind::{Call, bind, required};
use super::convert::{self, Text};
use super::fault::{At, Fault, Outcome};
use super::value::{Item, Value};

/// The first argument as expression (a text is a column), and the call without it.
pub(super) fn first(mut call: Call) -> Outcome<(Expr, Call)> {
    let item = if call.args.is_empty() {
        match call.kwargs.iter().position(|(name, _)| name == "col") {
            Some(index) => call.kwargs.remove(index).1,
            None => {
                let message = format!("`{}()` needs a column", call.name);
                return Err(Fault::invalid(message, call.at).into());
            }
        }
    } else {
        call.args.remove(0)
    };
    Ok((convert::expr(item, Text::Column)?, call))
}

/// Further arguments of a function of a column, as they are.
pub(super) fn more<const N: usize>(
    call: Call,
    names: [&str; N],
) -> Outcome<(Expr, [Option<Item>; N])> {
    let (receiver, call) = first(call)?;
    let slots = names.map(required);
    let mut bound = bind(call, &slots, false)?;
    Ok((receiver, std::array::from_fn(|index| bound.one(index))))
}

pub(super) fn text(item: Option<Item>, name: &str, at: At) -> Outcome<String> {
    convert::string(item.unwrap_or(Item::new(Value::None, at)), name)
}

pub(super) fn count_of(item: Option<Item>, name: &str, at: At) -> Outcome<i64> {
    convert::integer(&item.unwrap_or(Item::new(Value::None, at)), name)
}

pub(super) fn of(func: Func, args: Vec<Arg>) -> Expr {
    Expr::Call { func, args }
}
