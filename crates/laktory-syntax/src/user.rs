//! Calls of functions of the user's own: bound and checked by the parameters that the functions declare, as calls of
//! the language are, and resolved where a function is made of expressions or steps.

use laktory_core::user::{self, Body, UserFunction};
use laktory_core::{
    Arg, Error, ErrorKind, Expr, Func, Op, ParamDefault, ParamType, Result, Scalar, walk,
};

use crate::check;
use crate::diagnostic::FragmentError;
use crate::python::bind::{Call, Slot, bind};
use crate::python::convert::{self, Text};
use crate::python::fault::{At, Fault, Outcome, collect};
use crate::python::value::{Item, Root, Value};
use crate::python::{functions, methods, native, types};

/// Refuses functions of the user's own whose namespaces are names of the language.
///
/// # Errors
/// `InvalidArgument`, naming the crate.
pub fn check_user_functions() -> Result<()> {
    user::functions().try_for_each(check_user_function)
}

/// Refuses a function whose namespace is a name of the language.
///
/// # Errors
/// `InvalidArgument`, naming the crate.
pub fn check_user_function(function: &UserFunction) -> Result<()> {
    let namespace = function.name.split('.').next().unwrap_or_default();
    if !is_taken(namespace) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::InvalidArgument,
        format!(
            "function `{}` of crate `{}`: `{namespace}` is a name of the language",
            function.name, function.provided_by
        ),
    )
    .with_hint("choose another namespace, such as the name of your project"))
}

/// Whether a name stands for something of the language, below `nw`, on an expression or on a frame.
fn is_taken(name: &str) -> bool {
    let first = |path: &'static str| path.split('.').next() == Some(name);
    let roots = [Root::Narwhals, Root::Polars, Root::Spark];
    functions::names().any(first)
        || functions::NAMESPACES.contains(&name)
        || methods::names().any(first)
        || methods::NAMESPACES.contains(&name)
        || native::NAMESPACES.contains(&name)
        || native::method(name).is_some()
        || crate::frame::is_known(name)
        || Func::all().any(|def| first(def.path))
        || roots.into_iter().any(|root| {
            types::class(root, name).is_some()
                || crate::python::native_functions::function(root, name).is_some()
        })
}

/// The function at `path` that is an expression.
pub(crate) fn expression(path: &str) -> Option<&'static UserFunction> {
    user::find(path).filter(|function| !function.is_step())
}

/// The function at `path` that is a step.
pub(crate) fn step(path: &str) -> Option<&'static UserFunction> {
    user::find(path).filter(|function| function.is_step())
}

/// The names of the functions that are expressions, or those that are steps.
pub(crate) fn names(steps: bool) -> impl Iterator<Item = &'static str> + Clone {
    user::functions()
        .filter(move |function| function.is_step() == steps)
        .map(|function| function.name)
}

/// Whether `path` is an expression, or leads to one.
pub(crate) fn is_known(path: &str) -> bool {
    expression(path).is_some() || user::is_namespace(path)
}

/// Calls a function that is an expression; as method, the receiver is its first argument.
pub(crate) fn call(
    function: &'static UserFunction,
    receiver: Option<Expr>,
    call: Call,
) -> Outcome<Value> {
    let at = call.at;
    let args = arguments(function, receiver, call)?;
    let expr = match function.body {
        Body::Expr(build) => {
            build(&function.arguments(&args)).map_err(|error| fault(function, &error, at))?
        }
        _ => Expr::User {
            name: function.name.to_owned(),
            args,
        },
    };
    calls(&expr).map_err(|error| Fault {
        text: at.text,
        error: FragmentError {
            range: at.range(),
            ..error
        },
    })?;
    Ok(Value::Expr(expr))
}

/// Checks every call in an expression, since nobody has parsed it.
fn calls(expr: &Expr) -> std::result::Result<(), FragmentError> {
    let mut outcome = check::call(expr);
    walk::children(expr, &mut |child| {
        if outcome.is_ok() {
            outcome = calls(child);
        }
    });
    outcome
}

/// The steps of a call of a function that is a step.
pub(crate) fn steps(function: &'static UserFunction, call: Call) -> Outcome<Vec<Op>> {
    let at = call.at;
    let args = arguments(function, None, call)?;
    match function.body {
        Body::Steps(build) => {
            build(&function.arguments(&args)).map_err(|error| fault(function, &error, at).into())
        }
        _ => Ok(vec![Op::Native {
            func: function.name.to_owned(),
            args,
        }]),
    }
}

/// Calls a function from SQL, where arguments have no names and constants are expressions.
pub(crate) fn sql_call(
    function: &'static UserFunction,
    args: Vec<Expr>,
) -> std::result::Result<Expr, Vec<FragmentError>> {
    let takes_expr = |index: usize| {
        let param = function.params.get(index).or(function.params.last());
        param.is_none_or(|param| {
            matches!(
                param.ty,
                ParamType::Column | ParamType::Literal | ParamType::Columns | ParamType::Values
            )
        })
    };
    let at = At::default();
    let args = args.into_iter().enumerate().map(|(index, expr)| {
        let value = match expr {
            Expr::Literal(scalar) if !takes_expr(index) => constant(scalar),
            expr => Value::Expr(expr),
        };
        Item::new(value, at)
    });
    let call = Call {
        name: function.name.to_owned(),
        at,
        args: args.collect(),
        kwargs: Vec::new(),
    };
    let value = self::call(function, None, call);
    value
        .and_then(|value| convert::expr(Item::new(value, at), Text::Column))
        .map_err(|faults| faults.0.into_iter().map(|fault| fault.error).collect())
}

fn constant(scalar: Scalar) -> Value {
    match scalar {
        Scalar::Null => Value::None,
        Scalar::Bool(value) => Value::Bool(value),
        Scalar::Int(value) => Value::Int(value),
        Scalar::Float(value) => Value::Float(value),
        Scalar::Str(value) => Value::Str(value),
        other => Value::Expr(Expr::Literal(other)),
    }
}

/// One argument for each parameter.
fn arguments(
    function: &'static UserFunction,
    receiver: Option<Expr>,
    mut call: Call,
) -> Outcome<Vec<Arg>> {
    let mut params = function.params;
    let mut args = Vec::with_capacity(params.len());
    if let Some(receiver) = receiver {
        match params.first().map(|param| param.ty) {
            Some(ParamType::Columns) => {
                let at = call.at;
                call.args.insert(0, Item::new(Value::Expr(receiver), at));
            }
            Some(ParamType::Column | ParamType::Literal | ParamType::Values) => {
                args.push(Arg::Expr(receiver));
                params = &params[1..];
            }
            _ => {
                let message = format!("`{}` takes no expression first", function.name);
                return Err(Fault::invalid(message, call.at)
                    .hint(format!("write `nw.{}(...)`", function.name))
                    .into());
            }
        }
    }
    let slots: Vec<Slot<'_>> = params
        .iter()
        .map(|param| Slot {
            name: param.name,
            required: param.default == ParamDefault::Required,
            keyword_only: param.keyword_only,
            variadic: param.ty == ParamType::Columns,
        })
        .collect();
    let mut bound = bind(call, &slots, false)?;
    args.extend(collect(params.iter().enumerate().map(
        |(index, param)| match param.ty {
            ParamType::Columns => match bound.many(index) {
                Some(items) if !items.is_empty() => {
                    let exprs = items
                        .into_iter()
                        .map(|item| convert::expr(item, Text::Column));
                    Ok(Arg::Exprs(collect(exprs)?))
                }
                _ => Ok(convert::default(param)),
            },
            _ => convert::arg(param, bound.one(index)),
        },
    ))?);
    Ok(args)
}

/// The fault for what a function says of its arguments.
fn fault(function: &UserFunction, error: &Error, at: At) -> Fault {
    let code = match error.kind() {
        ErrorKind::Unsupported => "not-implemented",
        ErrorKind::InvalidExpression => "invalid-expression",
        ErrorKind::UnknownName => "unknown-name",
        _ => "invalid-argument",
    };
    let own = format!("`{}`: ", function.name);
    let message = match error.message().strip_prefix(&own) {
        Some(_) => error.message().to_owned(),
        None => format!("{own}{}", error.message()),
    };
    Fault::new(code, message, at).hint_if(error.hint().map(str::to_owned))
}
