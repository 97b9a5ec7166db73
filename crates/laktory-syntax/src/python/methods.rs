//! Methods of expressions: `nw.col('x').str.to_uppercase()`, `.over(...)`, `.cast(...)`, `.name.suffix(...)`.

use laktory_core::{Arg, Expr, Func, NameChange, Receiver, SortKey};

use super::bind::{Call, bind};
use super::bind::{keyword, required, rest};
use super::convert::{self, Text};
use super::fault::{At, Fault, Outcome, collect};
use super::functions;
use super::lower::Lowerer;
use super::mistakes;
use super::native;
use super::shape_table;
use super::shapes::conditions;
use super::value::{Item, Value, When};
use super::window;
use crate::suggest::nearest;
use crate::{check, units, user};

/// Whether the method at `path` is a shape of its own, or is known to be refused.
fn is_special(path: &str) -> bool {
    path == "map_batches" || shape_table::methods().any(|known| known == path)
}

/// Namespaces of an expression.
pub(crate) const NAMESPACES: &[&str] = &[
    "str", "dt", "list", "struct", "cat", "map", "name", "laktory",
];

/// A method of a namespace, for hints.
pub(crate) fn example(namespace: &str) -> &'static str {
    names()
        .find_map(|path| path.strip_prefix(namespace)?.strip_prefix('.'))
        .unwrap_or("...")
}

/// Every method path, for hints.
pub(crate) fn names() -> impl Iterator<Item = &'static str> + Clone {
    static NAMES: std::sync::LazyLock<Vec<&'static str>> = std::sync::LazyLock::new(|| {
        let table = Func::all()
            .filter(|def| def.receiver == Receiver::Method)
            .map(|def| def.path);
        let mut names: Vec<&str> = table.chain(shape_table::methods()).collect();
        names.sort_unstable();
        names.dedup();
        names
    });
    NAMES.iter().copied()
}

/// Whether `path` is a method or namespace of an expression; otherwise the fault that says what was meant.
pub(crate) fn known(lowerer: &Lowerer, path: &str, at: At) -> Result<(), Fault> {
    if NAMESPACES.contains(&path)
        || is_special(path)
        || Func::method(path).is_some()
        || lowerer.is_native()
            && (native::method(path).is_some() || native::NAMESPACES.contains(&path))
        || user::is_known(path)
    {
        return Ok(());
    }
    let fault = Fault::new(
        "unknown-name",
        format!("an expression has no method `{path}`"),
        at,
    );
    if path.starts_with('_') || path.contains("._") {
        return Err(fault.hint("names that begin with an underscore cannot be used"));
    }
    if matches!(path, "then" | "otherwise" | "when") {
        return Err(fault.hint("the order is `nw.when(...).then(...).otherwise(...)`"));
    }
    if let Some(hint) = native::refused(path).or_else(|| mistakes::method(path)) {
        return Err(fault.hint(hint));
    }
    if let Some(field) = path.strip_prefix("struct.") {
        return Err(fault.hint(format!("a field is `.struct.field('{field}')`")));
    }
    if let Some(alias) = native::method(path) {
        let spelling = alias.spelling;
        let method = spelling.starts_with(|char: char| char.is_ascii_lowercase())
            && !spelling.starts_with("sql_expr");
        let spelling = if spelling.contains('`') {
            spelling.to_owned()
        } else if method {
            format!("`.{spelling}`")
        } else {
            format!("`{spelling}`")
        };
        return Err(fault.hint(format!(
            "the common API spells it {spelling}; or set `dataframe_api: NATIVE`"
        )));
    }
    let last = path.rsplit('.').next().unwrap_or(path);
    let elsewhere = |known: &&str| {
        known.rsplit('.').next() == Some(last) && known.contains('.') != path.contains('.')
    };
    let found = names()
        .find(|known| elsewhere(known) && !known.starts_with("name."))
        .or_else(|| names().find(elsewhere));
    let candidate = found.or_else(|| nearest(path, names().chain(user::names(false))));
    Err(fault.hint_if(candidate.map(|name| format!("did you mean `.{name}(...)`?"))))
}

/// Calls the method at `path` of `receiver`, which is an expression, selector or `when`.
pub(crate) fn call(
    lowerer: &mut Lowerer,
    receiver: Item,
    path: &str,
    call: Call,
) -> Outcome<Value> {
    if let Value::When(when) = receiver.value {
        return after_when(lowerer, when, receiver.at, path, call);
    }
    if lowerer.is_native()
        && Func::method(path).is_none()
        && !is_special(path)
        && let Some(alias) = native::method(path)
    {
        let receiver = convert::expr(receiver, Text::Column)?;
        return native::call_method(lowerer, alias, receiver, call);
    }
    if path == "pipe" {
        return pipe(lowerer, receiver, call);
    }
    let at = call.at;
    let receiver = convert::expr(receiver, Text::Column)?;
    let receiver_at = at;
    Ok(Value::Expr(match path {
        "alias" => {
            let mut bound = bind(call, &[required("name")], false)?;
            let name = text(bound.one(0), "name", at)?;
            receiver.alias(name)
        }
        "cast" => {
            let mut bound = bind(call, &[required("dtype"), keyword("strict")], false)?;
            let to = match bound.one(0) {
                Some(item) => native::dtype(lowerer, item)?,
                None => return Err(Fault::invalid("`cast()` needs a type", at).into()),
            };
            let strict = match bound.one(1) {
                Some(item) => convert::boolean(&item, "strict")?,
                None => true,
            };
            Expr::Cast {
                expr: Box::new(receiver),
                to,
                strict,
            }
        }
        "over" => over(receiver, receiver_at, call)?,
        "map_batches" => {
            return Err(Fault::new(
                "not-implemented",
                "`map_batches()` calls Python, which no pipeline does",
                at,
            )
            .hint("write it with methods of the expression")
            .into());
        }
        "name.keep" => rename(receiver, NameChange::Keep, call, None)?,
        "name.to_lowercase" => rename(receiver, NameChange::Lowercase, call, None)?,
        "name.to_uppercase" => rename(receiver, NameChange::Uppercase, call, None)?,
        "name.prefix" => rename(
            receiver,
            NameChange::Prefix(String::new()),
            call,
            Some("prefix"),
        )?,
        "name.suffix" => rename(
            receiver,
            NameChange::Suffix(String::new()),
            call,
            Some("suffix"),
        )?,
        "name.map" => name_map(lowerer, receiver, call)?,
        _ => {
            if let Some(function) = user::expression(path) {
                return user::call(function, Some(receiver), call);
            }
            let Some(def) = Func::method(path) else {
                known(lowerer, path, at)?;
                return Err(Fault::invalid(format!("`{path}` is not a method"), at).into());
            };
            let call = if def.func == Func::ReplaceStrict {
                two_lists(lowerer, call)?
            } else {
                call
            };
            let expr = functions::table(def, Some(receiver), call)?;
            check::call(&expr).map_err(|error| Fault {
                text: at.text,
                error: crate::FragmentError {
                    range: at.range(),
                    ..error
                },
            })?;
            convert_units(expr)
        }
    }))
}

fn text(item: Option<Item>, what: &str, at: At) -> Outcome<String> {
    match item {
        Some(item) => convert::string(item, what),
        None => Err(Fault::invalid(format!("`{what}` is missing"), at).into()),
    }
}

fn rename(receiver: Expr, change: NameChange, call: Call, what: Option<&str>) -> Outcome<Expr> {
    let at = call.at;
    let change = match what {
        None => {
            bind(call, &[], false)?;
            change
        }
        Some(what) => {
            let mut bound = bind(call, &[required(what)], false)?;
            let text = text(bound.one(0), what, at)?;
            match change {
                NameChange::Prefix(_) => NameChange::Prefix(text),
                _ => NameChange::Suffix(text),
            }
        }
    };
    Ok(Expr::Rename {
        expr: Box::new(receiver),
        change,
    })
}

/// `name.map(lambda n: ...)`: what the function does to a name it has never seen tells which change it is.
fn name_map(lowerer: &mut Lowerer, receiver: Expr, call: Call) -> Outcome<Expr> {
    let at = call.at;
    let mut bound = bind(call, &[required("function")], false)?;
    let function = bound.one(0);
    let probe = "\u{1}Aa\u{2}";
    let result = match function.as_ref().map(|item| &item.value) {
        Some(Value::Lambda(lambda)) => lowerer.apply(
            lambda,
            vec![Item::new(Value::Str(probe.into()), at)],
            Vec::new(),
            at,
        )?,
        _ => return Err(Fault::invalid("`function` is a lambda of a name", at).into()),
    };
    let change = match result.value {
        Value::Str(text) if text == probe => NameChange::Suffix(String::new()),
        Value::Str(text) if text == probe.to_uppercase() => NameChange::Uppercase,
        Value::Str(text) if text == probe.to_lowercase() => NameChange::Lowercase,
        Value::Str(text) => match (text.strip_suffix(probe), text.strip_prefix(probe)) {
            (Some(prefix), _) => NameChange::Prefix(prefix.to_owned()),
            (None, Some(suffix)) => NameChange::Suffix(suffix.to_owned()),
            (None, None) => return Err(name_map_fault(at).into()),
        },
        _ => return Err(name_map_fault(at).into()),
    };
    Ok(Expr::Rename {
        expr: Box::new(receiver),
        change,
    })
}

fn name_map_fault(at: At) -> Fault {
    Fault::new(
        "not-implemented",
        "`name.map()` knows prefixes, suffixes, `.lower()` and `.upper()` only",
        at,
    )
    .hint("use `.name.prefix(...)`, `.name.suffix(...)` or `.alias(...)`")
}

/// `replace_strict([old], [new], ...)` as `replace_strict({old: new}, ...)`.
fn two_lists(lowerer: &mut Lowerer, mut call: Call) -> Outcome<Call> {
    let mut take = |index: usize, name: &str| -> Option<Item> {
        if let Some(position) = call.kwargs.iter().position(|(known, _)| known == name) {
            return Some(call.kwargs.remove(position).1);
        }
        (call.args.len() > index).then(|| call.args.remove(index))
    };
    let old = take(0, "old");
    let new = take(0, "new");
    let (Some(old), new) = (old, new) else {
        return Ok(call);
    };
    let at = old.at;
    let mapping = match (old.value, new) {
        (mapping @ Value::Dict(_), None) => mapping,
        (
            mapping @ Value::Dict(_),
            Some(Item {
                value: Value::None, ..
            }),
        ) => mapping,
        (
            Value::List(old),
            Some(Item {
                value: Value::List(new),
                at,
                ..
            }),
        ) => {
            if old.len() != new.len() {
                let message = format!("{} old values, but {} new ones", old.len(), new.len());
                return Err(Fault::invalid(message, at).into());
            }
            Value::Dict(old.into_iter().zip(new).collect())
        }
        (Value::List(_), None) => {
            return Err(Fault::invalid("`replace_strict()` needs the new values", at).into());
        }
        (Value::List(old), Some(new)) => {
            let copies = super::lower::weight(&new.value).saturating_mul(old.len() as u64);
            lowerer.charge(copies, at)?;
            Value::Dict(old.into_iter().map(|old| (old, new.clone())).collect())
        }
        (other, _) => {
            let message = format!("`old` is {}, not a mapping or a list", other.kind());
            return Err(Fault::invalid(message, at).into());
        }
    };
    call.args.insert(0, Item::new(mapping, at));
    Ok(call)
}

/// Units are converted by arithmetic, so no engine needs a table of them.
fn convert_units(expr: Expr) -> Expr {
    if let Expr::Call {
        func: Func::ConvertUnits,
        args,
    } = &expr
        && let [Arg::Expr(value), Arg::Str(from), Arg::Str(to)] = args.as_slice()
        && let Ok(conversion) = units::conversion(from, to)
    {
        let scaled = Expr::call(Func::Mul, [value.clone(), Expr::literal(conversion.factor)]);
        if conversion.offset == 0.0 {
            return scaled;
        }
        return Expr::call(Func::Add, [scaled, Expr::literal(conversion.offset)]);
    }
    expr
}

fn over(receiver: Expr, at: At, mut call: Call) -> Outcome<Expr> {
    if let [
        Item {
            value: Value::Window(_),
            ..
        },
    ] = call.args.as_slice()
        && call.kwargs.is_empty()
        && let Some(Value::Window(window)) = call.args.pop().map(|item| item.value)
    {
        return window::over(receiver, *window, at);
    }
    let slots = [
        rest("partition_by", false),
        keyword("order_by"),
        keyword("descending"),
        keyword("nulls_last"),
    ];
    let mut bound = bind(call, &slots, false)?;
    let partition_by = collect(
        bound
            .many(0)
            .unwrap_or_default()
            .into_iter()
            .filter(|item| !matches!(item.value, Value::None))
            .map(|item| convert::expr(item, Text::Column)),
    )?;
    let keys = match bound.one(1) {
        None
        | Some(Item {
            value: Value::None, ..
        }) => Vec::new(),
        Some(item) => list(item),
    };
    let descending = convert::flags(bound.one(2), "descending", keys.len())?.into_iter();
    let nulls_last = convert::flags(bound.one(3), "nulls_last", keys.len())?;
    let flags = descending.zip(nulls_last);
    let order_by = collect(
        keys.into_iter()
            .zip(flags)
            .map(|(item, (descending, nulls_last))| {
                Ok(SortKey {
                    expr: convert::expr(item, Text::Column)?,
                    descending,
                    nulls_last,
                })
            }),
    )?;
    if partition_by.is_empty() && order_by.is_empty() {
        return Err(Fault::invalid("`over()` needs columns or `order_by`", at).into());
    }
    let expr = Expr::Over {
        expr: Box::new(receiver),
        partition_by,
        order_by,
    };
    check::over(&expr).map_err(|error| Fault {
        text: at.text,
        error: crate::FragmentError {
            range: at.range(),
            ..error
        },
    })?;
    Ok(expr)
}

/// A list's items, or the value alone.
pub(crate) fn list(item: Item) -> Vec<Item> {
    match item.value {
        Value::List(items) => items,
        value => vec![Item::new(value, item.at)],
    }
}

fn pipe(lowerer: &mut Lowerer, receiver: Item, mut call: Call) -> Outcome<Value> {
    let at = call.at;
    let Some(function) = call.take_function() else {
        return Err(Fault::invalid("`pipe()` needs a function", at).into());
    };
    match function.value {
        Value::Lambda(lambda) => {
            call.args.insert(0, receiver);
            Ok(lowerer.apply(&lambda, call.args, call.kwargs, at)?.value)
        }
        other => Err(Fault::invalid(
            format!("`pipe()` takes a lambda, not {}", other.kind()),
            function.at,
        )
        .into()),
    }
}

/// The last branch of a `when`; null is what a `when` without one gives.
pub(crate) fn otherwise(value: Expr) -> Option<Box<Expr>> {
    (value != Expr::Literal(laktory_core::Scalar::Null)).then(|| Box::new(value))
}

fn after_when(
    lowerer: &mut Lowerer,
    mut when: When,
    at: At,
    path: &str,
    call: Call,
) -> Outcome<Value> {
    let call_at = call.at;
    match (path, when.pending.take()) {
        ("then", Some(condition)) => {
            let mut bound = bind(call, &[required("value")], false)?;
            let value = bound.one(0).unwrap_or(Item::new(Value::None, call_at));
            when.branches
                .push((condition, convert::expr(value, Text::Column)?));
            Ok(Value::When(when))
        }
        (_, Some(_)) => Err(Fault::new(
            "unknown-name",
            format!("`when(...)` has no method `{path}`"),
            call_at,
        )
        .hint("`.then(...)` comes next")
        .into()),
        ("when", None) if lowerer.is_native() && call.args.len() == 2 => {
            let mut bound = bind(call, &[required("condition"), required("value")], false)?;
            let condition = bound.one(0).unwrap_or(Item::new(Value::None, call_at));
            let value = bound.one(1).unwrap_or(Item::new(Value::None, call_at));
            when.branches.push((
                convert::expr(condition, Text::Column)?,
                convert::expr(value, Text::Literal)?,
            ));
            Ok(Value::When(when))
        }
        ("when", None) => {
            when.pending = Some(conditions(call)?);
            Ok(Value::When(when))
        }
        ("otherwise", None) => {
            let mut bound = bind(call, &[required("value")], false)?;
            let value = bound.one(0).unwrap_or(Item::new(Value::None, call_at));
            Ok(Value::Expr(Expr::When {
                branches: when.branches,
                otherwise: otherwise(convert::expr(value, when.texts)?),
            }))
        }
        (_, None) => {
            let expr = Expr::When {
                branches: when.branches,
                otherwise: None,
            };
            self::call(lowerer, Item::new(Value::Expr(expr), at), path, call)
        }
    }
}
