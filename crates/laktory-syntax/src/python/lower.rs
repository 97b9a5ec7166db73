//! The walk over a Python syntax tree. Only names of the API lead anywhere; attributes exist on API objects alone;
//! nothing is imported, looked up or run. The work is bounded, whatever the text.

use ruff_python_ast as ast;
use ruff_text_size::Ranged;

use super::bind::Call;
use super::fault::{At, Fault, Outcome, both, collect};
use super::literals::number;
use super::operators::ambiguous;
use super::parts::Parts;
use super::value::{Item, Lambda, Root, Value};
use super::{fold, functions, methods, parse, parts, window};
use crate::Api;
use crate::stack::with_room;

/// Nodes that one text may visit.
const BUDGET: u64 = 300_000;

/// Lowers the texts of one step.
#[derive(Debug)]
pub(crate) struct Lowerer {
    api: Api,
    pub(super) text: u32,
    budget: u64,
    pub(super) calls: usize,
    pub(super) scope: Vec<(String, Item)>,
    /// What was read so far, where somebody asks for it.
    pub(crate) parts: Option<Parts>,
}

impl Lowerer {
    pub(crate) fn new(api: Api) -> Self {
        Self {
            api,
            text: 0,
            budget: BUDGET,
            calls: 0,
            scope: Vec::new(),
            parts: None,
        }
    }

    /// Whether Polars and Spark spellings of methods are accepted.
    pub(crate) fn is_native(&self) -> bool {
        self.api.is_native()
    }

    /// The vocabulary of the texts.
    pub(crate) fn api(&self) -> Api {
        self.api
    }

    /// Lowers text number `text`.
    pub(crate) fn lower(&mut self, tree: &ast::Expr, text: u32) -> Outcome<Item> {
        self.text = text;
        with_room(|| self.eval(tree))
    }

    pub(super) fn at(&self, node: &impl Ranged) -> At {
        At::new(self.text, node.range())
    }

    /// Takes from the budget of the text.
    pub(super) fn charge(&mut self, cost: u64, at: At) -> Result<(), Fault> {
        match self.budget.checked_sub(cost) {
            Some(rest) => {
                self.budget = rest;
                Ok(())
            }
            None => {
                self.budget = 0;
                Err(Fault::new(
                    "too-large",
                    "the expression does too much work",
                    at,
                ))
            }
        }
    }

    pub(super) fn eval(&mut self, node: &ast::Expr) -> Outcome<Item> {
        let outcome = self.value_of(node);
        if let (Some(parts), Ok(item)) = (&mut self.parts, &outcome) {
            parts.node(node, item, self.text);
        }
        outcome
    }

    fn value_of(&mut self, node: &ast::Expr) -> Outcome<Item> {
        let at = self.at(node);
        self.charge(1, at)?;
        let value = match node {
            ast::Expr::NoneLiteral(_) => Value::None,
            ast::Expr::BooleanLiteral(literal) => Value::Bool(literal.value),
            ast::Expr::NumberLiteral(literal) => number(&literal.value, at)?,
            ast::Expr::StringLiteral(literal) => {
                let text = literal.value.to_str();
                self.charge(text.len() as u64 / 64, at)?;
                Value::Str(text.to_owned())
            }
            ast::Expr::BytesLiteral(literal) => Value::Bytes(literal.value.bytes().collect()),
            ast::Expr::FString(string) => Value::Str(self.f_string(string)?),
            ast::Expr::List(list) => Value::List(self.items(&list.elts)?),
            ast::Expr::Tuple(tuple) => Value::List(self.items(&tuple.elts)?),
            ast::Expr::Set(set) => Value::List(self.items(&set.elts)?),
            ast::Expr::Dict(dict) => self.dict(dict)?,
            ast::Expr::Name(name) => return self.name(name.id.as_str(), at),
            ast::Expr::Attribute(attribute) => return self.attribute(attribute),
            ast::Expr::Call(call) => return self.call(call),
            ast::Expr::Subscript(subscript) => return self.subscript(subscript, at),
            ast::Expr::BinOp(_) => return self.binary(node),
            ast::Expr::UnaryOp(unary) => self.unary(unary, at)?,
            ast::Expr::BoolOp(operation) => self.logic(operation, at)?,
            ast::Expr::Compare(compare) => self.compare(compare, at)?,
            ast::Expr::If(choice) => {
                let test = self.eval(&choice.test)?;
                return match fold::truth(&test.value) {
                    Some(true) => self.eval(&choice.body),
                    Some(false) => self.eval(&choice.orelse),
                    None => Err(ambiguous(test.at)
                        .hint("write `nw.when(condition).then(a).otherwise(b)`")
                        .into()),
                };
            }
            ast::Expr::ListComp(comprehension) => {
                self.comprehension(&comprehension.elt, &comprehension.generators, at)?
            }
            ast::Expr::Generator(comprehension) => {
                self.comprehension(&comprehension.elt, &comprehension.generators, at)?
            }
            ast::Expr::Lambda(lambda) => Value::Lambda(Box::new(Lambda {
                text: self.text,
                lambda: lambda.clone(),
                scope: self.scope.clone(),
            })),
            other => return Err(not_allowed(other, at).into()),
        };
        Ok(Item::new(value, at))
    }

    /// `value[index]`; apart from `eval`, whose frame must stay small.
    fn subscript(&mut self, subscript: &ast::ExprSubscript, at: At) -> Outcome<Item> {
        let (value, index) = both(self.eval(&subscript.value), self.eval(&subscript.slice))?;
        if self.is_native() && matches!(value.value, Value::Expr(_)) {
            // Spark's `F.col('a')['b']`.
            let name = "getItem".to_owned();
            let call = Call {
                name: name.clone(),
                at,
                args: vec![index],
                kwargs: Vec::new(),
            };
            return Ok(Item::new(methods::call(self, value, &name, call)?, at));
        }
        Ok(fold::subscript(&value.value, &index.value, at)?)
    }

    pub(super) fn items(&mut self, nodes: &[ast::Expr]) -> Outcome<Vec<Item>> {
        let mut outcomes = Vec::with_capacity(nodes.len());
        for node in nodes {
            if let ast::Expr::Starred(starred) = node {
                match self.eval(&starred.value) {
                    Ok(item) => outcomes.extend(methods::list(item).into_iter().map(Ok)),
                    Err(faults) => outcomes.push(Err(faults)),
                }
            } else {
                outcomes.push(self.eval(node));
            }
        }
        collect(outcomes)
    }

    fn dict(&mut self, dict: &ast::ExprDict) -> Outcome<Value> {
        let mut entries = Vec::new();
        for item in &dict.items {
            match &item.key {
                Some(key) => {
                    let key = self.eval(key);
                    let value = self.eval(&item.value);
                    entries.push(both(key, value));
                }
                None => match self.eval(&item.value)? {
                    Item {
                        value: Value::Dict(more),
                        ..
                    } => entries.extend(more.into_iter().map(Ok)),
                    other => return Err(Fault::invalid("`**` takes a mapping", other.at).into()),
                },
            }
        }
        Ok(Value::Dict(collect(entries)?))
    }

    fn name(&mut self, name: &str, at: At) -> Outcome<Item> {
        if let Some((_, item)) = self.scope.iter().rev().find(|(known, _)| known == name) {
            let item = item.clone();
            self.charge(weight(&item.value), at)?;
            return Ok(Item::new(item.value, at));
        }
        let value = if let Some(root) = Root::named(name) {
            Value::Api {
                root,
                path: String::new(),
            }
        } else if name == "cs" {
            Value::Api {
                root: Root::Narwhals,
                path: "selectors".into(),
            }
        } else if parse::BARE.contains(&name) {
            Value::Api {
                root: Root::Narwhals,
                path: if name == "expr" { "sql_expr" } else { name }.into(),
            }
        } else if let Some(builtin) = parse::BUILTINS.iter().find(|known| **known == name) {
            Value::Builtin(builtin)
        } else {
            let fault = Fault::new("unknown-name", format!("`{name}` is not defined"), at);
            let known = parse::BARE
                .iter()
                .chain(parse::BUILTINS)
                .copied()
                .chain(["nw", "pl"]);
            return Err(fault.hint_if(unknown_name_hint(name, known)).into());
        };
        Ok(Item::new(value, at))
    }

    fn attribute(&mut self, attribute: &ast::ExprAttribute) -> Outcome<Item> {
        let value = self.eval(&attribute.value)?;
        let at = self.at(attribute);
        let name_at = At::new(self.text, attribute.attr.range());
        let name = attribute.attr.as_str();
        self.member(value, name, at, name_at)
    }

    fn member(&mut self, value: Item, name: &str, at: At, name_at: At) -> Outcome<Item> {
        let value = match value.value {
            Value::Api { root, path } => {
                let path = if path.is_empty() {
                    name.to_owned()
                } else {
                    format!("{path}.{name}")
                };
                functions::known(root, &path, name_at)?;
                match super::types::class(root, &path) {
                    Some(class) => Value::DTypeClass(class),
                    None => Value::Api { root, path },
                }
            }
            Value::Member { receiver, path } => {
                let path = format!("{path}.{name}");
                if receiver.value.is_expression() {
                    methods::known(self, &path, name_at)?;
                }
                Value::Member { receiver, path }
            }
            Value::When(ref when) if when.pending.is_some() && name != "then" => {
                return Err(Fault::new(
                    "unknown-name",
                    format!("`when(...)` has no method `{name}`"),
                    name_at,
                )
                .hint("`.then(...)` comes next")
                .into());
            }
            Value::When(_) if matches!(name, "then" | "when" | "otherwise") => Value::Member {
                receiver: Box::new(value),
                path: name.to_owned(),
            },
            Value::Expr(_) | Value::Selector(_) | Value::When(_) => {
                methods::known(self, name, name_at)?;
                Value::Member {
                    receiver: Box::new(value),
                    path: name.to_owned(),
                }
            }
            Value::Frame(_)
            | Value::Str(_)
            | Value::Dict(_)
            | Value::Window(_)
            | Value::Ranking(_)
                if !name.starts_with('_') =>
            {
                Value::Member {
                    receiver: Box::new(value),
                    path: name.to_owned(),
                }
            }
            ref other => {
                let fault = Fault::new(
                    "unknown-name",
                    format!("{} has no attribute `{name}`", other.kind()),
                    name_at,
                );
                let fault = match other {
                    Value::DTypeClass(_) | Value::DType(_) => {
                        fault.hint("a type is an argument of `.cast(...)`")
                    }
                    _ => fault,
                };
                return Err(fault.into());
            }
        };
        Ok(Item::new(value, at).named_at(name_at))
    }

    fn call(&mut self, node: &ast::ExprCall) -> Outcome<Item> {
        let at = self.at(node);
        let function = self.eval(&node.func);
        let arguments = self.arguments(&node.arguments);
        let (function, (args, kwargs)) = both(function, arguments)?;
        if matches!(
            function.value,
            Value::Builtin(_)
                | Value::Api {
                    root: Root::Spark | Root::Polars,
                    ..
                }
        ) {
            // Native functions may need an argument in several places.
            let named = kwargs.iter().map(|(_, item)| item);
            let cost = args
                .iter()
                .chain(named)
                .map(|item| weight(&item.value))
                .sum();
            self.charge(cost, at)?;
        }
        let name = call_name(&function.value);
        if let Some(parts) = &mut self.parts {
            parts.call(&name, &args);
        }
        let call = Call {
            name,
            at: At::new(self.text, parts::name_of(&node.func)),
            args,
            kwargs,
        };
        let value = match function.value {
            Value::Api { root, path } => functions::call(root, &path, call)?,
            Value::DTypeClass(class) => super::types::construct(class, call)?,
            Value::Builtin(name) => fold::builtin(name, &call.args, &call.kwargs, at)?,
            Value::Member { receiver, path } => match receiver.value {
                Value::Frame(frame) => crate::frame::call(self, frame, &path, call)?,
                Value::Window(window) => window::method(*window, &path, call)?,
                Value::Ranking(ranking) if path == "over" => {
                    Value::Expr(window::rank(ranking, call)?)
                }
                Value::Str(ref text) => super::strings::call(text, &path, &call)?,
                Value::Dict(ref entries) => super::strings::dict(entries, &path, &call)?,
                _ => methods::call(self, *receiver, &path, call)?,
            },
            Value::Lambda(lambda) => self.apply(&lambda, call.args, call.kwargs, at)?.value,
            other => {
                return Err(
                    Fault::invalid(format!("{} cannot be called", other.kind()), at).into(),
                );
            }
        };
        Ok(Item::new(value, at))
    }

    #[allow(clippy::type_complexity, reason = "positional and keyword arguments")]
    fn arguments(
        &mut self,
        arguments: &ast::Arguments,
    ) -> Outcome<(Vec<Item>, Vec<(String, Item)>)> {
        let args = self.items(&arguments.args);
        let mut kwargs = Vec::new();
        for keyword in &arguments.keywords {
            let value = self.eval(&keyword.value);
            match (&keyword.arg, value) {
                (_, Err(faults)) => kwargs.push(Err(faults)),
                (Some(name), Ok(item)) => {
                    let name_at = self.at(name);
                    kwargs.push(Ok((name.to_string(), item.named_at(name_at))));
                }
                (None, Ok(item)) => match item.value {
                    Value::Dict(entries) => {
                        for (key, value) in entries {
                            kwargs.push(match key.value {
                                Value::Str(name) => Ok((name, value)),
                                _ => {
                                    Err(Fault::invalid("the name of an argument is a text", key.at)
                                        .into())
                                }
                            });
                        }
                    }
                    _ => kwargs.push(Err(Fault::invalid("`**` takes a mapping", item.at).into())),
                },
            }
        }
        both(args, collect(kwargs))
    }
}

fn call_name(function: &Value) -> String {
    match function {
        Value::Api { root, path } => format!("{}.{path}", root.prefix()),
        Value::Member { path, .. } => path.clone(),
        Value::Builtin(name) => (*name).to_owned(),
        Value::DTypeClass(class) => format!("nw.{class}"),
        _ => "lambda".into(),
    }
}

fn unknown_name_hint<'a>(
    name: &str,
    known: impl Iterator<Item = &'a str> + Clone,
) -> Option<String> {
    match name {
        "np" | "numpy" | "pd" | "math" | "re" | "os" | "sys" => {
            Some("modules cannot be used; write it with methods of `nw.col(...)`".into())
        }
        "column" | "c" => Some("write `nw.col(...)`".into()),
        "true" => Some("write `True`".into()),
        "false" => Some("write `False`".into()),
        "null" | "none" | "NULL" => Some("write `None`".into()),
        _ if super::mistakes::name(name).is_some() => {
            super::mistakes::name(name).map(str::to_owned)
        }
        _ => {
            let dtype = super::types::NAMES
                .iter()
                .find(|known| known.eq_ignore_ascii_case(name));
            Some(match (dtype, crate::suggest::nearest(name, known)) {
                (Some(dtype), _) => format!("write `nw.{dtype}()`"),
                (None, Some(name)) => format!("did you mean `{name}`?"),
                (None, None) => format!("a column is `nw.col('{name}')`, a text stands in quotes"),
            })
        }
    }
}

/// How much work copying a value is.
pub(super) fn weight(value: &Value) -> u64 {
    match value {
        Value::Expr(expr) => laktory_core::walk::size(expr),
        Value::Str(text) => text.len() as u64 / 64,
        Value::List(items) => items.iter().map(|item| 1 + weight(&item.value)).sum(),
        Value::Dict(items) => items
            .iter()
            .map(|(key, value)| 2 + weight(&key.value) + weight(&value.value))
            .sum(),
        Value::Frame(frame) => frame.ops.len() as u64 * 16,
        Value::Window(window) => 16 * (window.partition_by.len() + window.order_by.len()) as u64,
        Value::When(when) => when
            .branches
            .iter()
            .map(|(condition, value)| {
                laktory_core::walk::size(condition) + laktory_core::walk::size(value)
            })
            .sum(),
        Value::Lambda(lambda) => 64 + lambda.scope.len() as u64 * 16,
        _ => 1,
    }
}

/// Syntax that has no place in an expression.
pub(super) fn not_allowed(node: &ast::Expr, at: At) -> Fault {
    let what = match node {
        ast::Expr::Named(_) => "an assignment",
        ast::Expr::Await(_) | ast::Expr::Yield(_) | ast::Expr::YieldFrom(_) => "a coroutine",
        ast::Expr::SetComp(_) | ast::Expr::DictComp(_) => "a set or mapping comprehension",
        ast::Expr::Slice(_) => "a slice",
        ast::Expr::Starred(_) => "a starred expression",
        ast::Expr::TString(_) => "a template string",
        _ => "this",
    };
    let fault = Fault::new("syntax-error", format!("{what} cannot be used here"), at);
    match node {
        ast::Expr::Slice(_) => fault.hint("characters of a text: `.str.slice(start, length)`"),
        _ => fault,
    }
}
