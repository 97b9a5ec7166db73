//! Frame methods: one step of a transformer, turned into relational steps. A table says which methods exist, what
//! they take and which function builds their steps.

mod aggregate;
mod args;
mod build;
mod combine;
mod group;
mod native;
mod reshape;
mod table;

use laktory_core::{Example, FrameName, Op, UserFunction};
use serde_json::{Map, Value as Json};

pub(crate) use args::frame as argument;
pub use group::{GroupError, fuse_groups};
pub(crate) use table::{GROUPS, METHODS};

use crate::diagnostic::FragmentError;
use crate::parameter::Parameter;
use crate::python::bind::{Call, Slot, bind};
use crate::python::fault::{At, Fault, Faults, Outcome};
use crate::python::lower::Lowerer;
use crate::python::parts::Parts;
use crate::python::value::{FrameValue, Value};
use crate::suggest::nearest;
use crate::user;
use crate::written::Part;

/// Which vocabulary the names of methods and functions are looked up in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Api {
    /// The common API, as Narwhals has it.
    #[default]
    Narwhals,
    /// Polars and PySpark spellings too, where they mean the same.
    Native,
    /// The same, on an engine whose frames have an order of rows that steps keep: what depends on the order may leave it
    /// out.
    NativeOrdered,
}

impl Api {
    /// Whether Polars and PySpark spellings are read.
    #[must_use]
    pub fn is_native(self) -> bool {
        self != Self::Narwhals
    }
}

/// Where in a method step a fault lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArgPlace {
    /// In the name of the method, or in the step as a whole.
    Name,
    /// In a positional argument, from 0.
    Positional(usize),
    /// In a keyword argument.
    Keyword(String),
}

/// One step of the way into a nested argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// An item of a list, from 0.
    Index(usize),
    /// A value of a mapping.
    Key(String),
}

/// One fault of a method step.
#[derive(Clone, Debug, PartialEq)]
pub struct MethodError {
    /// Which argument.
    pub place: ArgPlace,
    /// Which part of it, through lists and mappings.
    pub inside: Vec<Segment>,
    /// Whether it lies in the key there, not in the value.
    pub at_key: bool,
    /// What is wrong; its range is in the text of that very part, empty where the part is no text.
    pub error: FragmentError,
}

/// A text of a method step, and the parts that it was read as.
#[derive(Clone, Debug, PartialEq)]
pub struct MethodText {
    /// Which argument.
    pub place: ArgPlace,
    /// The way into it, through lists and mappings.
    pub inside: Vec<Segment>,
    /// Whether it is the key there, not the value.
    pub at_key: bool,
    /// Its parts, inner ones first.
    pub parts: Vec<Part>,
}

/// The texts of a method step in their order, with their parts.
#[must_use]
pub fn method_texts(
    name: &str,
    args: &[Json],
    kwargs: &Map<String, Json>,
    api: Api,
) -> Vec<MethodText> {
    let mut lowerer = Lowerer::new(api);
    lowerer.parts = Some(Parts::default());
    let mut texts = args::Texts::default();
    // The parts before a fault are parts all the same.
    let _ = steps(&mut lowerer, &mut texts, name, args, kwargs);
    let mut found: Vec<(u32, MethodText)> = Vec::new();
    for (number, part) in lowerer.parts.take().unwrap_or_default().0 {
        match found.iter_mut().find(|(known, _)| *known == number) {
            Some((_, text)) => text.parts.push(part),
            None => {
                let (place, inside, at_key) = texts.place(number);
                let parts = vec![part];
                let text = MethodText {
                    place,
                    inside,
                    at_key,
                    parts,
                };
                found.push((number, text));
            }
        }
    }
    found.into_iter().map(|(_, text)| text).collect()
}

/// Turns one method step into relational steps.
///
/// `group_by` and `agg` are two steps that make one: pass the steps of a transformer through [`fuse_groups`].
/// `group_by.agg` does both in one step, with the keys in its keyword argument `keys`.
///
/// # Errors
/// Every fault of the step.
pub fn method(
    name: &str,
    args: &[Json],
    kwargs: &Map<String, Json>,
    api: Api,
) -> Result<Vec<Op>, Vec<MethodError>> {
    let mut texts = args::Texts::default();
    let mut lowerer = Lowerer::new(api);
    let outcome = steps(&mut lowerer, &mut texts, name, args, kwargs);
    outcome.map_err(|faults| texts.errors(faults))
}

fn steps(
    lowerer: &mut Lowerer,
    texts: &mut args::Texts,
    name: &str,
    args: &[Json],
    kwargs: &Map<String, Json>,
) -> Outcome<Vec<Op>> {
    let name_text = texts.add(ArgPlace::Name, Vec::new());
    let at = At::text(name_text);
    lookup(name, lowerer.api(), at)
        .map_err(Faults::from)
        .and_then(|def| {
            let params = match def {
                Method::Own(def) => def.params,
                Method::Users(_) => &[],
            };
            let call = args::call(lowerer, texts, params, name, args, kwargs)?;
            let frame = FrameValue {
                name: FrameName::Df,
                ops: Vec::new(),
            };
            build_frame(lowerer, def, frame, call)
        })
        .and_then(|frame| finished(frame, at))
}

/// The steps of a lambda's or method's result, which must be a frame made from the flowing one.
fn finished(frame: FrameValue, at: At) -> Outcome<Vec<Op>> {
    if frame.name != FrameName::Df {
        return Err(Fault::new(
            "not-implemented",
            "the result is not made from the frame of the step",
            at,
        )
        .into());
    }
    Ok(frame.ops)
}

/// Calls a frame method inside a lambda of `pipe`.
pub(crate) fn call(
    lowerer: &mut Lowerer,
    frame: FrameValue,
    path: &str,
    call: Call,
) -> Outcome<Value> {
    let def = lookup(path, lowerer.api(), call.at)?;
    let mut frame = build_frame(lowerer, def, frame, call)?;
    group::fuse_last(&mut frame.ops);
    Ok(Value::Frame(frame))
}

/// A method of a frame.
#[derive(Clone, Copy, Debug)]
enum Method {
    /// One of the language.
    Own(&'static MethodDef),
    /// One of the user's own.
    Users(&'static UserFunction),
}

fn build_frame(
    lowerer: &mut Lowerer,
    method: Method,
    mut frame: FrameValue,
    call: Call,
) -> Outcome<FrameValue> {
    let def = match method {
        Method::Own(def) => def,
        Method::Users(function) => {
            frame.ops.extend(user::steps(function, call)?);
            return Ok(frame);
        }
    };
    if let Build::Pipe = def.build {
        return args::pipe(lowerer, frame, call);
    }
    let slots: Vec<Slot<'_>> = def
        .params
        .iter()
        .map(|param| Slot {
            name: param.name,
            required: param.required,
            keyword_only: param.keyword_only,
            variadic: param.variadic,
        })
        .collect();
    let mut bound = bind(call, &slots, def.open)?;
    bound.is_ordered = lowerer.api() == Api::NativeOrdered;
    if let Build::Steps(build) = def.build {
        frame.ops.extend(build(bound)?);
    }
    Ok(frame)
}

/// How a method's steps are made.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Build {
    /// By a function of the bound arguments.
    Steps(fn(crate::python::bind::Bound) -> Outcome<Vec<Op>>),
    /// By applying a lambda to the frame.
    Pipe,
    /// It gives no frame, so it is no step; the text says what it gives.
    NoFrame(&'static str),
}

/// A row of the method table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MethodDef {
    pub(crate) name: &'static str,
    pub(crate) params: &'static [Parameter],
    /// Takes keyword arguments of any name.
    pub(crate) open: bool,
    /// A name of Polars or PySpark only.
    pub(crate) native: bool,
    pub(crate) doc: &'static str,
    /// What it does with null.
    pub(crate) nulls: &'static str,
    /// How it is used; native names and what gives no frame have none.
    pub(crate) example: Option<Example>,
    pub(crate) build: Build,
}

/// Methods of Polars, PySpark and pandas without a counterpart, and what to do instead.
pub(crate) const REFUSED: &[(&str, &str)] = &[
    ("apply", "Python is never called; write it with expressions"),
    (
        "map_rows",
        "Python is never called; write it with expressions",
    ),
    (
        "map_batches",
        "Python is never called; write it with expressions",
    ),
    (
        "mapInPandas",
        "Python is never called; write it with expressions",
    ),
    (
        "foreach",
        "Python is never called; write it with expressions",
    ),
    ("transform", "write `pipe` with a lambda"),
    ("assign", "write `with_columns`"),
    ("query", "write `filter`, or a SQL step"),
    ("merge", "write `join`"),
    ("append", "write `laktory.union`"),
    ("extend", "write `laktory.union`"),
    ("astype", "write `cast`"),
    ("sort_values", "write `sort`"),
    ("reset_index", "leave it out: frames have no index"),
    ("set_index", "leave it out: frames have no index"),
    ("count", "write `select` with `nw.len()`"),
    ("describe", "write the statistics you need with `select`"),
    ("summary", "write the statistics you need with `select`"),
    ("show", "leave it out: a step gives a frame"),
    ("to_pandas", "leave it out: a step gives a frame"),
    ("toPandas", "leave it out: a step gives a frame"),
    ("to_dict", "leave it out: a step gives a frame"),
    ("write", "declare a sink"),
    ("write_csv", "declare a sink"),
    ("write_parquet", "declare a sink"),
    ("sink_parquet", "declare a sink"),
    (
        "createOrReplaceTempView",
        "leave it out; other nodes read `{nodes.name}`",
    ),
    ("alias", "leave it out; frames are named by their nodes"),
    ("toDF", "write `rename`"),
    (
        "reverse",
        "rows have no order of their own; write `sort` with `descending: true`",
    ),
    (
        "unnest",
        "select the fields: `nw.col('s').struct.field('a')`",
    ),
    ("withWatermark", "leave it out: streams are read in batches"),
    ("crosstab", "write `pivot`"),
    ("cube", "write a SQL step with `GROUP BY CUBE`"),
    ("rollup", "write a SQL step with `GROUP BY ROLLUP`"),
    ("subtract", "write `join` with `how: anti`"),
    ("exceptAll", "write a SQL step with `EXCEPT ALL`"),
    ("intersect", "write `join` with `how: semi`, and `unique`"),
];

/// Whether a name is a method of the language, or leads to one.
pub(crate) fn is_known(name: &str) -> bool {
    METHODS
        .iter()
        .chain(native::METHODS)
        .any(|def| def.name.split('.').next() == Some(name))
}

fn lookup(name: &str, api: Api, at: At) -> Result<Method, Fault> {
    // In native code, a native row of the same name goes first.
    let first: &[MethodDef] = if api.is_native() {
        native::METHODS
    } else {
        &[]
    };
    let mut hint = None;
    for def in first.iter().chain(&METHODS).chain(native::METHODS) {
        if def.name != name {
            continue;
        }
        if let Build::NoFrame(what) = def.build {
            let code = if matches!(
                name,
                "laktory.has_column"
                    | "laktory.display"
                    | "laktory.signature"
                    | "laktory.schema_flat"
            ) {
                "not-a-frame"
            } else {
                "invalid-argument"
            };
            let message = format!("`{name}` gives {what}, not a frame, so it cannot be a step");
            return Err(Fault::new(code, message, at));
        }
        if !def.native || api.is_native() {
            return Ok(Method::Own(def));
        }
        hint = Some(format!(
            "{}; or set `dataframe_api: NATIVE`",
            def.doc.trim_end_matches('.')
        ));
    }
    if let Some(function) = user::step(name) {
        return Ok(Method::Users(function));
    }
    let fault = Fault::new(
        if name.starts_with('_') {
            "invalid-argument"
        } else {
            "unknown-method"
        },
        format!("a frame has no method `{name}`"),
        at,
    );
    if let Some(hint) = hint {
        return Err(fault.hint(hint));
    }
    if let Some((_, hint)) = REFUSED.iter().find(|(known, _)| *known == name) {
        return Err(fault.hint(*hint));
    }
    let candidates = METHODS
        .iter()
        .filter(|def| !matches!(def.build, Build::NoFrame(_)))
        .map(|def| def.name)
        .chain(user::names(true));
    let suffix = candidates
        .clone()
        .find(|known| known.rsplit('.').next() == Some(name));
    let expression = crate::python::methods::names()
        .chain(user::names(false))
        .any(|known| known == name);
    // The very name goes before one that is near.
    let near = suffix.or_else(|| nearest(name, candidates).filter(|_| !user::is_known(name)));
    Err(match near {
        Some(known) => fault.hint(format!("did you mean `{known}`?")),
        None if expression => fault.hint(format!(
            "it is a method of expressions: `nw.col('x').{name}(...)` inside `with_columns`"
        )),
        None => fault,
    })
}

/// The names of the methods that a step can take, those of the user's own included, in alphabetical order.
#[must_use]
pub fn method_names() -> Vec<String> {
    let own = user::names(true).map(str::to_owned);
    let mut found: Vec<String> = names().map(|def| def.name.to_owned()).chain(own).collect();
    found.sort();
    found.dedup();
    found
}

/// The names of the methods that a step can take, for hints and reference pages.
pub(crate) fn names() -> impl Iterator<Item = &'static MethodDef> {
    METHODS
        .iter()
        .filter(|def| !matches!(def.build, Build::NoFrame(_)))
}
