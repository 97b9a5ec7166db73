//! Calls of the API's functions: `nw.coalesce(...)`, `nw.selectors.numeric()`, and their Polars and Spark spellings.

use laktory_core::{
    Arg, DType, Expr, FrameName, Func, FuncDef, Op, ParamDefault, ParamType, Scalar, Selector,
    TimeUnit, UnionHow,
};

use super::arguments;
use super::bind::{Bound, Call, Slot, bind};
use super::convert::{self, Text};
use super::fault::{At, Fault, Outcome, collect};
use super::native_functions;
use super::types;
use super::value::{FrameValue, Item, Root, Value, When};
use crate::suggest::did_you_mean;
use crate::user;

/// Functions that the table does not carry because they are shapes of their own.
pub(crate) const SPECIAL: &[&str] = &[
    "col",
    "nth",
    "all",
    "exclude",
    "lit",
    "when",
    "max",
    "min",
    "sum",
    "mean",
    "median",
    "concat",
    "sql_expr",
    "laktory.sql_expr",
    "selectors.all",
    "selectors.numeric",
    "selectors.string",
    "selectors.boolean",
    "selectors.categorical",
    "selectors.enum",
    "selectors.datetime",
    "selectors.by_dtype",
    "selectors.matches",
];

/// Selectors of Polars beside those of the common API.
const POLARS_SELECTORS: &[&str] = &[
    "selectors.by_name",
    "selectors.contains",
    "selectors.date",
    "selectors.ends_with",
    "selectors.first",
    "selectors.float",
    "selectors.integer",
    "selectors.last",
    "selectors.starts_with",
];

/// Names that only lead to others.
pub(crate) const NAMESPACES: &[&str] = &["selectors", "dtypes", "laktory", "sql"];

/// Every function path, for hints.
pub(crate) fn names() -> impl Iterator<Item = &'static str> + Clone {
    static NAMES: std::sync::LazyLock<Vec<&'static str>> = std::sync::LazyLock::new(|| {
        let table = Func::all()
            .filter(|def| def.receiver == laktory_core::Receiver::Function)
            .map(|def| def.path)
            .filter(|path| !path.starts_with("sql."));
        let mut names: Vec<&str> = table.chain(SPECIAL.iter().copied()).collect();
        names.sort_unstable();
        names
    });
    NAMES.iter().copied()
}

pub(crate) const fn required(name: &str) -> Slot<'_> {
    Slot {
        name,
        required: true,
        keyword_only: false,
        variadic: false,
    }
}

pub(crate) const fn optional(name: &str) -> Slot<'_> {
    Slot {
        name,
        required: false,
        keyword_only: false,
        variadic: false,
    }
}

pub(crate) const fn keyword(name: &str) -> Slot<'_> {
    Slot {
        name,
        required: false,
        keyword_only: true,
        variadic: false,
    }
}

pub(crate) const fn rest(name: &str, required: bool) -> Slot<'_> {
    Slot {
        name,
        required,
        keyword_only: false,
        variadic: true,
    }
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
        || SPECIAL.contains(&path)
        || POLARS_SELECTORS.contains(&path)
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
    Err(fault.hint_if(
        crate::suggest::nearest(path, candidates)
            .map(|name| format!("did you mean `{prefix}.{name}`?")),
    ))
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
    if let Some(special) = special(root, path, &call)? {
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
    path.starts_with("sql.").then(|| {
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
    let places: Vec<At> = call.args.iter().map(|item| item.at).collect();
    let mut bound = if def.func == Func::Struct {
        structure(call, &slots)?
    } else {
        bind(call, &slots, false)?
    };
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

fn strings(items: Vec<Item>, what: &str) -> Outcome<Vec<String>> {
    collect(items.into_iter().map(|item| convert::string(item, what)))
}

fn columns(mut names: Vec<String>) -> Value {
    match names.len() {
        1 => Value::Expr(Expr::Column(names.swap_remove(0))),
        _ => Value::Expr(Expr::Columns(Selector::Names(names))),
    }
}

#[allow(
    clippy::too_many_lines,
    reason = "one arm for each function that is a shape of its own"
)]
fn special(root: Root, path: &str, call: &Call) -> Outcome<Option<Value>> {
    let at = call.at;
    let call = || call.clone();
    Ok(Some(match path {
        "col" => {
            let mut bound = bind(call(), &[rest("names", true)], false)?;
            let items = bound.many(0).unwrap_or_default();
            if let [
                Item {
                    value: Value::DType(_) | Value::DTypeClass(_),
                    ..
                },
            ] = items.as_slice()
            {
                return Ok(Some(by_dtype(items)?));
            }
            columns(strings(items, "names")?)
        }
        "nth" => {
            let mut bound = bind(call(), &[rest("indices", true)], false)?;
            let items = bound.many(0).unwrap_or_default();
            let indices = collect(items.iter().map(|item| convert::integer(item, "indices")))?;
            Value::Expr(Expr::Columns(Selector::Nth(indices)))
        }
        "all" => {
            bind(call(), &[], false)?;
            Value::Expr(Expr::Columns(Selector::All))
        }
        "exclude" => {
            let mut bound = bind(call(), &[rest("names", true)], false)?;
            let names = strings(bound.many(0).unwrap_or_default(), "names")?;
            let names = Box::new(Selector::Names(names));
            Value::Expr(Expr::Columns(Selector::Difference(
                Box::new(Selector::All),
                names,
            )))
        }
        "lit" => {
            let mut bound = bind(call(), &[required("value"), optional("dtype")], false)?;
            let value = bound.one(0);
            let dtype = match bound.one(1) {
                Some(item) if !matches!(item.value, Value::None) => Some(types::dtype(item)?),
                _ => None,
            };
            match value {
                Some(item) => Value::Expr(convert::literal(item, dtype)?),
                None => return Ok(None),
            }
        }
        "when" => when(root, call())?,
        "max" | "min" | "sum" | "mean" | "median" => {
            let mut bound = bind(call(), &[rest("columns", true)], false)?;
            let receiver = match columns(strings(bound.many(0).unwrap_or_default(), "columns")?) {
                Value::Expr(expr) => expr,
                _ => return Ok(None),
            };
            let func = match path {
                "max" => Func::Max,
                "min" => Func::Min,
                "sum" => Func::Sum,
                "mean" => Func::Mean,
                _ => Func::Median,
            };
            Value::Expr(Expr::call(func, [receiver]))
        }
        "concat" => concat(call())?,
        "sql_expr" | "laktory.sql_expr" => {
            let mut bound = bind(call(), &[required("expr")], false)?;
            let Some(item) = bound.one(0) else {
                return Ok(None);
            };
            let at = item.at;
            let text = convert::string(item, "expr")?;
            Value::Expr(sql(&text, at)?)
        }
        "selectors.by_dtype" => {
            let mut bound = bind(call(), &[rest("dtypes", true)], false)?;
            by_dtype(bound.many(0).unwrap_or_default())?
        }
        "selectors.matches" => {
            let mut bound = bind(call(), &[required("pattern")], false)?;
            match bound.one(0) {
                Some(item) => Value::Selector(Selector::Matches(convert::string(item, "pattern")?)),
                None => return Ok(None),
            }
        }
        "selectors.datetime" => datetime_selector(call())?,
        _ if POLARS_SELECTORS.contains(&path) => polars_selector(path, call())?,
        _ => {
            let selector = match path.strip_prefix("selectors.") {
                Some("all") => Selector::All,
                Some("numeric") => Selector::Numeric,
                Some("string") => Selector::String,
                Some("boolean") => Selector::Boolean,
                Some("categorical") => Selector::Categorical,
                Some("enum") => Selector::Enum,
                Some(_) => {
                    known(root, path, at)?;
                    return Ok(None);
                }
                None => return Ok(None),
            };
            bind(call(), &[], false)?;
            Value::Selector(selector)
        }
    }))
}

/// A SQL text inside of a Python text. Its ranges cannot be mapped through escapes, so faults point at the literal.
pub(crate) fn sql(text: &str, at: At) -> Outcome<Expr> {
    crate::sql::expression(text).map_err(|errors| {
        super::fault::Faults(
            errors
                .into_iter()
                .map(|error| {
                    let near = text.get(error.range.clone()).unwrap_or("");
                    let message = if near.is_empty() || near == text {
                        error.message
                    } else {
                        format!("{} (at `{near}`)", error.message)
                    };
                    Fault::new(error.code, message, at).hint_if(error.hint)
                })
                .collect(),
        )
    })
}

/// `when(p1, p2, ...)`: predicates are and-ed. Spark's `F.when(condition, value)` is the branch at once.
fn when(root: Root, call: Call) -> Outcome<Value> {
    if root == Root::Spark {
        let mut bound = bind(call, &[required("condition"), required("value")], false)?;
        let at = bound.at;
        let condition = bound.one(0).unwrap_or(Item::new(Value::None, at));
        let value = bound.one(1).unwrap_or(Item::new(Value::None, at));
        let branch = (
            convert::expr(condition, Text::Column)?,
            convert::expr(value, Text::Literal)?,
        );
        return Ok(Value::When(When {
            branches: vec![branch],
            pending: None,
            texts: Text::Literal,
        }));
    }
    Ok(Value::When(When {
        branches: Vec::new(),
        pending: Some(conditions(call)?),
        texts: Text::Column,
    }))
}

/// All predicates of a call, and-ed.
pub(crate) fn conditions(call: Call) -> Outcome<Expr> {
    let at = call.at;
    let mut bound = bind(call, &[rest("predicates", true)], false)?;
    let predicates = collect(
        bound
            .many(0)
            .unwrap_or_default()
            .into_iter()
            .map(|item| convert::expr(item, Text::Column)),
    )?;
    predicates
        .into_iter()
        .reduce(Expr::and)
        .ok_or_else(|| Fault::invalid("`when()` needs a condition", at).into())
}

fn by_dtype(items: Vec<Item>) -> Outcome<Value> {
    let mut plain = Vec::new();
    let mut others = Vec::new();
    for item in items {
        match item.value {
            Value::DTypeClass("Datetime") => others.push(Selector::Datetime {
                units: Vec::new(),
                zones: Vec::new(),
            }),
            Value::DTypeClass("Duration") => plain.extend(
                [
                    TimeUnit::Second,
                    TimeUnit::Millisecond,
                    TimeUnit::Microsecond,
                    TimeUnit::Nanosecond,
                ]
                .map(DType::Duration),
            ),
            Value::DTypeClass("Enum") => others.push(Selector::Enum),
            Value::DTypeClass("List") => plain.push(DType::List(Box::new(DType::Unknown))),
            _ => plain.push(types::dtype(item)?),
        }
    }
    let mut selectors = others.into_iter();
    let first = if plain.is_empty() {
        selectors.next().unwrap_or(Selector::DTypes(Vec::new()))
    } else {
        Selector::DTypes(plain)
    };
    Ok(Value::Selector(selectors.fold(first, |left, right| {
        Selector::Union(Box::new(left), Box::new(right))
    })))
}

fn polars_selector(path: &str, call: Call) -> Outcome<Value> {
    let dtypes: &[DType] = match path {
        "selectors.date" => &[DType::Date],
        "selectors.float" => &[DType::Float32, DType::Float64],
        "selectors.integer" => &[
            DType::Int8,
            DType::Int16,
            DType::Int32,
            DType::Int64,
            DType::Int128,
            DType::UInt8,
            DType::UInt16,
            DType::UInt32,
            DType::UInt64,
            DType::UInt128,
        ],
        "selectors.first" | "selectors.last" => {
            bind(call, &[], false)?;
            let index = if path == "selectors.first" { 0 } else { -1 };
            return Ok(Value::Expr(Expr::Columns(Selector::Nth(vec![index]))));
        }
        _ => {
            let mut bound = bind(call, &[rest("names", true)], false)?;
            let names = strings(bound.many(0).unwrap_or_default(), "names")?;
            return Ok(Value::Selector(match path {
                "selectors.by_name" => Selector::Names(names),
                _ => {
                    let parts: Vec<String> = names.iter().map(|name| escaped(name)).collect();
                    let any = format!("(?:{})", parts.join("|"));
                    Selector::Matches(match path {
                        "selectors.starts_with" => format!("^{any}"),
                        "selectors.ends_with" => format!("{any}$"),
                        _ => any,
                    })
                }
            }));
        }
    };
    bind(call, &[], false)?;
    Ok(Value::Selector(Selector::DTypes(dtypes.to_vec())))
}

/// A text as regular expression that matches just that text.
fn escaped(text: &str) -> String {
    let mut pattern = String::new();
    for char in text.chars() {
        if char.is_ascii_punctuation() && char != '_' {
            pattern.push('\\');
        }
        pattern.push(char);
    }
    pattern
}

fn datetime_selector(call: Call) -> Outcome<Value> {
    let mut bound = bind(call, &[optional("time_unit"), optional("time_zone")], false)?;
    let list = |item: Option<Item>| match item.map(|item| (item.value, item.at)) {
        None => None,
        Some((Value::List(items), _)) => Some(items),
        Some((value, at)) => Some(vec![Item::new(value, at)]),
    };
    let mut units = Vec::new();
    for item in list(bound.one(0)).unwrap_or_default() {
        let at = item.at;
        if matches!(item.value, Value::None) {
            continue;
        }
        let text = convert::string(item, "time_unit")?;
        units.push(TimeUnit::parse(&text).ok_or_else(|| {
            Fault::invalid(format!("`{text}` is not a time unit"), at)
                .hint("one of `s`, `ms`, `us`, `ns`")
        })?);
    }
    let mut zones = Vec::new();
    for item in list(bound.one(1)).unwrap_or_default() {
        zones.push(match item.value {
            Value::None => None,
            _ => Some(convert::string(item, "time_zone")?),
        });
    }
    Ok(Value::Selector(Selector::Datetime { units, zones }))
}

/// `nw.concat([d, o], how=...)` inside a lambda of `pipe`.
fn concat(call: Call) -> Outcome<Value> {
    let at = call.at;
    let mut bound = bind(call, &[required("items"), keyword("how")], false)?;
    let items = match bound.one(0).map(|item| item.value) {
        Some(Value::List(items)) if !items.is_empty() => items,
        _ => return Err(Fault::invalid("`items` is a list of frames", at).into()),
    };
    let how = match bound.one(1) {
        None => UnionHow::Vertical,
        Some(item) => {
            let at = item.at;
            match convert::string(item, "how")?.as_str() {
                "vertical" => UnionHow::Vertical,
                "diagonal" => UnionHow::Diagonal,
                "horizontal" => {
                    return Err(Fault::new(
                        "invalid-operation",
                        "frames cannot be put side by side: their rows have no order",
                        at,
                    )
                    .hint("use `join`")
                    .into());
                }
                other => {
                    return Err(Fault::new(
                        "not-implemented",
                        format!("`how` cannot be `{other}`"),
                        at,
                    )
                    .hint("one of `vertical`, `diagonal`")
                    .into());
                }
            }
        }
    };
    let mut frames = collect(items.into_iter().map(|item| match item.value {
        Value::Frame(frame) => Ok((frame, item.at)),
        other => Err(Fault::invalid(format!("{} is not a frame", other.kind()), item.at).into()),
    }))?
    .into_iter();
    let Some((first, _)) = frames.next() else {
        return Err(Fault::invalid("`items` is a list of frames", at).into());
    };
    let others = collect(frames.map(|(frame, at)| {
        let moved = frame.name == FrameName::Df && !first.ops.is_empty();
        if !frame.ops.is_empty() || moved {
            return Err(Fault::new(
                "not-implemented",
                "frames behind the first one must be unchanged",
                at,
            )
            .hint("make it a node of its own")
            .into());
        }
        Ok(frame.name)
    }))?;
    let mut ops = first.ops;
    ops.push(Op::Union { others, how });
    Ok(Value::Frame(FrameValue {
        name: first.name,
        ops,
    }))
}

/// A text constant as `Scalar`, shared by conversions of dates.
pub(crate) fn text_of(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Literal(Scalar::Str(text)) => Some(text),
        _ => None,
    }
}
