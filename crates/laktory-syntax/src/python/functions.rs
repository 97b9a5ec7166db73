//! The API's functions by path: what is known below `nw`, `pl` and `F`, and the calls of those that the table carries.

use laktory_core::{Arg, Expr, Func, FuncDef, ParamDefault, ParamType};

use super::arguments;
use super::bind::{Bound, Call, Slot, bind};
use super::convert::{self, Text};
use super::fault::{At, Fault, Outcome, collect};
use super::mistakes;
use super::native_functions;
use super::shape_table;
use super::shapes;
use super::types;
use super::value::{Item, Root, Value};
use crate::suggest::did_you_mean;
use crate::user;

/// Names that only lead to others.
pub(crate) const NAMESPACES: &[&str] = &["selectors", "dtypes", "laktory", "sql", "exact"];

/// Every function path, for hints.
pub(crate) fn names() -> impl Iterator<Item = &'static str> + Clone {
    static NAMES: std::sync::LazyLock<Vec<&'static str>> = std::sync::LazyLock::new(|| {
        let table = Func::all()
            .filter(|def| def.receiver == laktory_core::Receiver::Function)
            .map(|def| def.path)
            .filter(|path| !path.starts_with("sql."));
        let mut names: Vec<&str> = table.chain(shape_table::functions()).collect();
        names.sort_unstable();
        names
    });
    NAMES.iter().copied()
}

/// Whether `path` can stand below `root`; otherwise the fault that says what was meant.
pub(crate) fn known(root: Root, path: &str, at: At) -> Result<(), Fault> {
    if root == Root::Datetime {
        return super::clock::known(path, at);
    }
    if root == Root::Window {
        return super::window::known(path, at);
    }
    if NAMESPACES.contains(&path)
        || shape_table::functions().any(|known| known == path)
        || types::class(root, path).is_some()
        || root != Root::SparkTypes && Func::function(path).is_some()
        || operator(path).is_some()
        || native_functions::function(root, path).is_some()
        || root != Root::SparkTypes && user::is_known(path)
    {
        return Ok(());
    }
    let prefix = root.prefix();
    let fault = Fault::new(
        "unknown-name",
        format!("`{prefix}.{path}` does not exist"),
        at,
    );
    if path.starts_with('_') {
        return Err(fault.hint("names that begin with an underscore cannot be used"));
    }
    if root == Root::SparkTypes {
        return Err(fault.hint_if(did_you_mean(path, types::spark_names())));
    }
    if root != Root::Spark
        && root != Root::Polars
        && let Some(hint) = mistakes::function(path)
    {
        return Err(fault.hint(hint));
    }
    if let Some(spelling) = native_functions::hint(path) {
        return Err(fault.hint(spelling));
    }
    if user::step(path).is_some() {
        return Err(fault.hint(format!("it is a step: `func_name: {path}`")));
    }
    let candidates = names()
        .chain(user::names(false))
        .chain(types::NAMES.iter().copied())
        .chain(native_functions::names(root));
    let near = crate::suggest::nearest(path, candidates)
        .map(|name| format!("did you mean `{prefix}.{name}`?"));
    Err(fault.hint_if(near.or_else(|| {
        let column = path.strip_prefix("col.").unwrap_or(path);
        (root == Root::Narwhals && !column.contains('.'))
            .then(|| format!("a column is `nw.col('{column}')`"))
    })))
}

/// Calls the function at `path` below `root`.
pub(crate) fn call(root: Root, path: &str, call: Call) -> Outcome<Value> {
    if root == Root::Datetime {
        return super::clock::call(path, call);
    }
    if root == Root::Window {
        return super::window::method(super::window::Window::default(), path, call);
    }
    if let Some(class) = types::class(root, path) {
        return types::construct(class, call);
    }
    if let Some(alias) = native_functions::function(root, path) {
        return native_functions::call(alias, root, call);
    }
    if let Some(special) = shapes::call(root, path, &call)? {
        return Ok(special);
    }
    match Func::function(path) {
        Some(def) => Ok(Value::Expr(table(def, None, call)?)),
        None if operator(path).is_some() => sql_operator(path, call),
        None => {
            if let Some(function) = user::expression(path) {
                return user::call(function, None, call);
            }
            known(root, path, call.at)?;
            Err(Fault::invalid(
                format!("`{}.{path}` is not a function", root.prefix()),
                call.at,
            )
            .into())
        }
    }
}

/// An operator of SQL that Python has not, as function of its operands: `nw.sql.like(nw.col('s'), 'a%', False)`.
fn operator(path: &str) -> Option<&'static FuncDef> {
    (path.starts_with("sql.") || path.starts_with("exact.")).then(|| {
        Func::all().find(|def| def.receiver == laktory_core::Receiver::Operator && def.path == path)
    })?
}

fn sql_operator(path: &str, mut call: Call) -> Outcome<Value> {
    let Some(def) = operator(path).filter(|_| !call.args.is_empty()) else {
        let message = format!("`{}()` needs an operand", call.name);
        return Err(Fault::invalid(message, call.at).into());
    };
    let receiver = convert::expr(call.args.remove(0), Text::Column)?;
    Ok(Value::Expr(table(def, Some(receiver), call)?))
}

/// Calls a function or method of the table.
pub(crate) fn table(def: &'static FuncDef, receiver: Option<Expr>, call: Call) -> Outcome<Expr> {
    let slots: Vec<Slot<'_>> = def
        .params
        .iter()
        .map(|param| Slot {
            name: param.name,
            required: param.default == ParamDefault::Required && def.func != Func::Format
                || param.name == "f_string",
            keyword_only: param.keyword_only,
            variadic: param.ty == ParamType::Columns,
        })
        .collect();
    let call_at = call.at;
    let mut bound = if def.func == Func::Struct {
        structure(call, &slots)?
    } else {
        bind(call, &slots, false)?
    };
    let places: Vec<At> = (0..def.params.len())
        .map(|index| bound.place(index).unwrap_or(call_at))
        .collect();
    let mut args: Vec<Arg> = receiver.map(Arg::Expr).into_iter().collect();
    args.extend(collect(def.params.iter().enumerate().map(
        |(index, param)| {
            if param.ty == ParamType::Columns {
                return match bound.many(index) {
                    // No keys at all are keys that were not given.
                    Some(items) if items.is_empty() => Ok(convert::default(param)),
                    Some(items) => Ok(Arg::Exprs(collect(
                        items
                            .into_iter()
                            .map(|item| convert::expr(item, Text::Column)),
                    )?)),
                    None => Ok(convert::default(param)),
                };
            }
            if def.func == Func::ReplaceStrict && param.name == "default" {
                // A default of None is a default.
                return match bound.one(index) {
                    Some(item) => Ok(Arg::Expr(convert::expr(item, Text::Literal)?)),
                    None => Ok(Arg::Absent),
                };
            }
            convert::arg(param, bound.one(index))
        },
    ))?);
    arguments::check(def, &args, call_at, &places)?;
    Ok(Expr::Call {
        func: def.func,
        args,
    })
}

/// `nw.struct(*exprs, **named)`: named ones become aliases.
fn structure(mut call: Call, slots: &[Slot<'_>]) -> Outcome<Bound> {
    let named = std::mem::take(&mut call.kwargs);
    let named = collect(named.into_iter().map(|(name, item)| {
        let at = item.at;
        let expr = convert::expr(item, Text::Column)?.alias(name);
        Ok(Item::new(Value::Expr(expr), at))
    }))?;
    call.args.extend(named);
    bind(call, slots, false)
}
