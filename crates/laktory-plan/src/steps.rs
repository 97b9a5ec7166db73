//! Transformer steps: SQL statements and method calls parsed to values, and checked against what the engine can do.

use laktory_core::typing::shown;
use laktory_core::{Expr, Func, OpKind, Support, user};
use laktory_model::{DataFrameMethod, Finding, Path, Transformer, TransformerNode};
use laktory_syntax::{
    MethodError, functions, fuse_groups, method, op_functions, op_user_functions, sql_statement,
    user_functions,
};
use serde_json::Value;

use crate::compile::{Compiler, Engine};
use crate::node::api;
use crate::plan::{Step, StepKind};
use crate::written::{Written, argument};

/// The steps of a transformer; none when one of them is faulty.
pub(crate) fn compile(
    compiler: &mut Compiler<'_>,
    index: usize,
    transformer: &Transformer,
    place: &Path,
) -> Option<Vec<Step>> {
    let steps: Vec<Option<Step>> = transformer
        .nodes
        .iter()
        .enumerate()
        .map(|(number, step)| {
            let place = place.key("nodes").index(number);
            match step {
                TransformerNode::Sql(sql) => {
                    sql_step(compiler, index, &sql.expr, &place.key("expr"))
                }
                TransformerNode::Method(call) => {
                    method_step(compiler, index, transformer, call, &place)
                }
            }
        })
        .collect();
    let steps: Vec<Step> = steps.into_iter().collect::<Option<_>>()?;
    fused(compiler, steps, place)
}

/// Joins `group_by` steps with the `agg` steps behind them. A SQL step between them parts them.
fn fused(compiler: &mut Compiler<'_>, mut steps: Vec<Step>, place: &Path) -> Option<Vec<Step>> {
    let mut complete = true;
    let mut start = 0;
    while start < steps.len() {
        let methods = steps[start..]
            .iter()
            .take_while(|step| matches!(step.kind, StepKind::Ops(_)))
            .count();
        let run = &mut steps[start..start + methods];
        let ops = run.iter_mut().filter_map(|step| match &mut step.kind {
            StepKind::Ops(ops) => Some(std::mem::take(ops)),
            StepKind::Sql(_) => None,
        });
        match fuse_groups(ops.collect()) {
            Ok(fused) => {
                for (step, ops) in run.iter_mut().zip(fused) {
                    step.kind = StepKind::Ops(ops);
                }
            }
            Err(errors) => {
                complete = false;
                for error in errors {
                    let place = place
                        .key("nodes")
                        .index(start + error.step)
                        .key("func_name");
                    let mut finding = Finding::in_text(place, error.error);
                    finding.range = None;
                    compiler.report(finding);
                }
            }
        }
        start += methods + 1;
    }
    complete.then_some(steps)
}

fn sql_step(compiler: &mut Compiler<'_>, index: usize, text: &str, place: &Path) -> Option<Step> {
    if text.trim().is_empty() {
        // Told by the rules of the language, or as a missing key.
        return None;
    }
    let query = match sql_statement(text) {
        Ok(query) => query,
        Err(errors) => {
            for error in errors {
                compiler.report(Finding::in_text(place.clone(), error));
            }
            return None;
        }
    };
    check_op(compiler, index, OpKind::Sql, place)?;
    Some(Step {
        label: text.to_owned(),
        kind: StepKind::Sql(query),
        place: place.clone(),
        arguments: Vec::new(),
        written: Written::Statement,
    })
}

fn method_step(
    compiler: &mut Compiler<'_>,
    index: usize,
    transformer: &Transformer,
    call: &DataFrameMethod,
    place: &Path,
) -> Option<Step> {
    let api = api(
        compiler,
        index,
        [call.dataframe_api, transformer.dataframe_api],
    );
    let ops = match method(&call.func_name, &call.func_args, &call.func_kwargs, api) {
        Ok(ops) => ops,
        Err(errors) => {
            for error in errors {
                compiler.report(method_finding(error, place));
            }
            return None;
        }
    };
    for op in &ops {
        // Whether an engine has a step of the user's own depends on the very function.
        if op.kind() != OpKind::Native {
            check_op(compiler, index, op.kind(), &place.key("func_name"))?;
        }
        for func in op_functions(op) {
            check_func(compiler, index, func, place)?;
        }
        for name in op_user_functions(op) {
            check_user(compiler, index, name, place)?;
        }
    }
    Some(Step {
        label: call_text(call),
        kind: StepKind::Ops(ops),
        place: place.clone(),
        arguments: arguments(call, place),
        written: Written::Call(Box::new(call.clone()), api),
    })
}

/// Places of the arguments that may be expressions of the step's operation.
fn arguments(call: &DataFrameMethod, step: &Path) -> Vec<Path> {
    // What a grouping is told beside its aggregates.
    const OTHERS: &[&str] = &["keys", "drop_null_keys"];
    let positional = (0..call.func_args.len()).map(|number| step.key("func_args").index(number));
    let named = call.func_kwargs.keys();
    let named = named
        .filter(|name| !OTHERS.contains(&name.as_str()))
        .map(|name| step.key("func_kwargs").key(name));
    positional.chain(named).collect()
}

fn method_finding(error: MethodError, step: &Path) -> Finding {
    let place = argument(step, error.place, error.inside);
    let range = error.error.range.clone();
    let mut finding = Finding::in_text(place, error.error);
    finding.at_key = error.at_key;
    if range == (0..0) || error.at_key {
        finding.range = None;
    }
    finding
}

/// The call as the reference logs it: `unique(subset=['symbol'],keep=any)`.
fn call_text(call: &DataFrameMethod) -> String {
    let positional = call.func_args.iter().map(value_text);
    let keywords = call
        .func_kwargs
        .iter()
        .map(|(name, value)| format!("{name}={}", value_text(value)));
    let arguments: Vec<String> = positional.chain(keywords).collect();
    format!("{}({})", call.func_name, arguments.join(","))
}

fn value_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => {
            let values: Vec<String> = values.iter().map(quoted).collect();
            format!("[{}]", values.join(", "))
        }
        other => other.to_string(),
    }
}

fn quoted(value: &Value) -> String {
    match value {
        Value::String(text) => format!("'{text}'"),
        other => value_text(other),
    }
}

/// Reports an expression that uses a function which the node's engine does not have.
pub(crate) fn check_expr(
    compiler: &mut Compiler<'_>,
    index: usize,
    expr: &Expr,
    place: &Path,
) -> Option<()> {
    for func in functions(expr) {
        check_func(compiler, index, func, place)?;
    }
    for name in user_functions(expr) {
        check_user(compiler, index, name, place)?;
    }
    Some(())
}

/// Reports a function of the user's own that the node's engine cannot run.
fn check_user(compiler: &mut Compiler<'_>, index: usize, name: &str, place: &Path) -> Option<()> {
    // The parser has just found it.
    let function = user::find(name)?;
    let engine = compiler.engine(index)?;
    let support = function.support(engine.descriptor.name, &engine.capabilities);
    if support.is_available() {
        return Some(());
    }
    let backend = engine.descriptor.name;
    let others = supporters(compiler, |engine| {
        function.support(engine.descriptor.name, &engine.capabilities)
    });
    let message = format!("function `{name}` is not available on backend {backend}");
    let finding = Finding::error("unsupported", place.clone(), message);
    compiler.report(match (support, others.as_slice()) {
        (Support::NotYet { reason }, _) => finding.hint(reason),
        (_, []) => finding.hint(format!(
            "crate `{}` has it for no backend of this program",
            function.provided_by
        )),
        (_, others) => finding.hint(format!(
            "supported by: {}; set `dataframe_backend` on the node",
            others.join(", ")
        )),
    });
    None
}

fn check_func(compiler: &mut Compiler<'_>, index: usize, func: Func, place: &Path) -> Option<()> {
    let engine = compiler.engine(index)?;
    let support = engine.capabilities.func(func);
    if support.is_available() {
        return Some(());
    }
    let what = format!("function `{}`", shown(func));
    let others = supporters(compiler, |engine| engine.capabilities.func(func));
    let finding = unsupported(compiler, index, &what, support, &others, place)?;
    compiler.report(finding);
    None
}

/// Reports a step which the node's engine does not have.
pub(crate) fn check_op(
    compiler: &mut Compiler<'_>,
    index: usize,
    kind: OpKind,
    place: &Path,
) -> Option<()> {
    let engine = compiler.engine(index)?;
    let support = engine.capabilities.op(kind);
    if support.is_available() {
        return Some(());
    }
    let what = format!("step `{}`", kind.name());
    let others = supporters(compiler, |engine| engine.capabilities.op(kind));
    let finding = unsupported(compiler, index, &what, support, &others, place)?;
    compiler.report(finding);
    None
}

/// The linked backends that have something.
pub(crate) fn supporters(
    compiler: &Compiler<'_>,
    support: impl Fn(&Engine) -> Support,
) -> Vec<&'static str> {
    compiler
        .known
        .iter()
        .filter(|engine| support(engine).is_available())
        .map(|engine| engine.descriptor.name)
        .collect()
}

fn unsupported(
    compiler: &Compiler<'_>,
    index: usize,
    what: &str,
    support: Support,
    others: &[&str],
    place: &Path,
) -> Option<Finding> {
    let engine = compiler.engine(index)?;
    let message = format!(
        "{what} is not available on backend {}",
        engine.descriptor.name
    );
    let finding = Finding::error("unsupported", place.clone(), message);
    let names = others.join(", ");
    // SQL is no way out of a backend without SQL, nor of one whose statements are made of the same steps.
    let capabilities = &engine.capabilities;
    let sql = capabilities.op(OpKind::Sql).is_available() && !capabilities.sql_by_steps;
    Some(match (support, others, sql) {
        (Support::NotYet { reason }, ..) => finding.hint(reason),
        (_, [], true) => finding.hint("write this step as SQL"),
        (_, [], false) => finding.hint("no backend of this program has it"),
        (_, _, true) => finding.hint(format!(
            "supported by: {names}; write this step as SQL, or set `dataframe_backend` on the node"
        )),
        (_, _, false) => finding.hint(format!(
            "supported by: {names}; set `dataframe_backend` on the node"
        )),
    })
}
