//! Calls of functions of `pl` and `F` for what the common API has too.

use laktory_core::SortKey;

use super::bind::{Call, bind};
use super::fault::Outcome;
use super::functions;
use super::lower::Lowerer;
use super::methods;
use super::native_table::FunctionTarget::{Build, Key, Of, Rank, Same};
use super::native_table::{FUNCTIONS, FunctionAlias, REFUSED, SPELLINGS};
use super::spark_arguments::first;
use super::value::{Item, Root, Value};

/// The native function `path` of `root`.
pub(crate) fn function(root: Root, path: &str) -> Option<&'static FunctionAlias> {
    FUNCTIONS.iter().find(|alias| {
        alias.name == path
            && match root {
                Root::Spark => alias.spark,
                Root::Polars => alias.polars,
                Root::Narwhals | Root::SparkTypes | Root::Datetime | Root::Window => false,
            }
    })
}

/// How the common API spells what a native function does.
pub(crate) fn hint(path: &str) -> Option<String> {
    if let Some((_, hint)) = REFUSED.iter().find(|(name, _)| *name == path) {
        return Some((*hint).to_owned());
    }
    if let Some((_, spelling)) = SPELLINGS.iter().find(|(name, _)| *name == path) {
        return Some(format!("the common API spells it `{spelling}`"));
    }
    FUNCTIONS
        .iter()
        .find(|alias| alias.name == path)
        .map(|alias| match alias.target {
            Same(path) if !path.starts_with("sql.") => {
                format!("the common API spells it `nw.{path}(...)`")
            }
            Of(path) => format!("the common API spells it `nw.col('x').{path}()`"),
            _ if alias.spark => format!("Spark's `F.{}(...)` is understood", alias.name),
            _ => format!("Polars' `pl.{}(...)` is understood", alias.name),
        })
}

/// The native functions below `root`, for hints.
pub(crate) fn names(root: Root) -> impl Iterator<Item = &'static str> + Clone {
    FUNCTIONS
        .iter()
        .filter(move |alias| match root {
            Root::Spark => alias.spark,
            Root::Polars => alias.polars,
            _ => false,
        })
        .map(|alias| alias.name)
}

/// Calls a native function.
pub(crate) fn call(alias: &FunctionAlias, root: Root, call: Call) -> Outcome<Value> {
    let at = call.at;
    match alias.target {
        Same(path) => functions::call(
            if path == alias.name {
                root
            } else {
                Root::Narwhals
            },
            path,
            call,
        ),
        Of(path) => {
            let (receiver, call) = first(call)?;
            let mut lowerer = Lowerer::new(crate::Api::Narwhals);
            methods::call(
                &mut lowerer,
                Item::new(Value::Expr(receiver), at),
                path,
                call,
            )
        }
        Build(build) => Ok(Value::Expr(build(call)?)),
        Rank(ranking) => {
            bind(call, &[], false)?;
            Ok(Value::Ranking(ranking))
        }
        Key(descending, nulls_last) => {
            let (expr, call) = first(call)?;
            bind(call, &[], false)?;
            Ok(Value::Key(SortKey {
                expr,
                descending,
                nulls_last,
            }))
        }
    }
}
