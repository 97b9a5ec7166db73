//! Functions of the user's own: crates register them by name, and pipelines call them like those of the language, with
//! arguments checked by the parameters that they declare.
//!
//! A function is a value that is known when the program is linked, like the function table itself; that is why the
//! parser looks it up here, and not in something that it is handed. Nothing is registered while a program runs.

mod check;
mod kernel;

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

pub use check::check;
pub use kernel::{Arrays, Inputs, Kernel, Types};

use crate::call::Arguments;
use crate::capabilities::{Capabilities, Support};
use crate::error::{Error, Result};
use crate::expr::{Arg, Expr};
use crate::functions::{FuncKind, Param};
use crate::op::{Op, OpKind};

inventory::collect!(&'static UserFunction);

/// A function of the user's own. Const-constructible; submitted by [`crate::register_function`].
pub struct UserFunction {
    /// Namespace and name, such as `finance.spread`; namespaces may be nested.
    pub name: &'static str,
    /// Crate that provides it, for messages: `env!("CARGO_PKG_NAME")`.
    pub provided_by: &'static str,
    /// What it takes. Called as a method of an expression, the receiver is the first argument.
    pub params: &'static [Param],
    /// What it does, in one sentence.
    pub doc: &'static str,
    /// How it does it.
    pub body: Body,
}

/// What a function of the user's own is made of.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Body {
    /// An expression of the language, for every engine.
    Expr(fn(&Arguments<'_>) -> Result<Expr>),
    /// Steps of the language, for every engine; the function is a step itself.
    Steps(fn(&Arguments<'_>) -> Result<Vec<Op>>),
    /// One value for each row, computed on Arrow arrays, for the engines that run in this process.
    Scalar(Kernel),
    /// One value for all rows of a group, computed on Arrow arrays, for the engines that run in this process.
    Aggregate(Kernel),
    /// An expression of an engine's own.
    NativeExpr {
        /// How it relates rows to rows.
        kind: FuncKind,
        /// One for each engine that has it.
        engines: &'static [Native],
    },
    /// A step of an engine's own, one for each engine that has it.
    NativeStep(&'static [Native]),
}

/// A function of one engine's own.
#[derive(Clone, Copy)]
pub struct Native {
    /// Name of the backend, such as `POLARS`.
    pub backend: &'static str,
    /// The function, of the type that the driver documents.
    pub function: &'static (dyn Any + Send + Sync),
}

impl UserFunction {
    /// Whether it is a step, rather than an expression.
    #[must_use]
    pub fn is_step(&self) -> bool {
        matches!(self.body, Body::Steps(_) | Body::NativeStep(_))
    }

    /// How it relates rows to rows, where it is an expression that runs in the engine.
    #[must_use]
    pub fn kind(&self) -> Option<FuncKind> {
        match self.body {
            Body::Scalar(_) => Some(FuncKind::Elementwise),
            Body::Aggregate(_) => Some(FuncKind::Aggregate),
            Body::NativeExpr { kind, .. } => Some(kind),
            Body::Expr(_) | Body::Steps(_) | Body::NativeStep(_) => None,
        }
    }

    /// Its bound arguments by name.
    #[must_use]
    pub fn arguments<'a>(&self, args: &'a [Arg]) -> Arguments<'a> {
        Arguments::new(self.name, self.params, args)
    }

    /// How far a backend can run it.
    #[must_use]
    pub fn support(&self, backend: &str, capabilities: &Capabilities) -> Support {
        let native = |engines: &[Native]| {
            if engines.iter().any(|native| native.backend == backend) {
                capabilities.op(OpKind::Native)
            } else {
                Support::Never
            }
        };
        match self.body {
            Body::Expr(_) | Body::Steps(_) => Support::Full,
            Body::Scalar(_) => capabilities.user_scalars,
            Body::Aggregate(_) => capabilities.user_aggregates,
            Body::NativeExpr { engines, .. } | Body::NativeStep(engines) => native(engines),
        }
    }

    /// The function that an engine has for it, of the type `T` of the engine's driver.
    ///
    /// # Errors
    /// `Unsupported` when there is none for this engine, or it is of another type.
    pub fn native<T: Any>(&self, backend: &str) -> Result<&'static T> {
        let (Body::NativeExpr { engines, .. } | Body::NativeStep(engines)) = self.body else {
            return Err(self.unsupported(backend));
        };
        let native = engines.iter().find(|native| native.backend == backend);
        let native = native.ok_or_else(|| self.unsupported(backend))?;
        native.function.downcast_ref().ok_or_else(|| {
            Error::unsupported(format!(
                "`{}` of crate `{}` is not of the type of functions of backend {backend}",
                self.name, self.provided_by
            ))
            .with_hint(format!(
                "it must be a `{}`, of the very version of the driver in this program",
                std::any::type_name::<T>()
            ))
        })
    }

    /// The error for a backend that cannot run it.
    #[must_use]
    pub fn unsupported(&self, backend: &str) -> Error {
        Error::unsupported(format!(
            "`{}` is not available on backend {backend}",
            self.name
        ))
    }
}

impl fmt::Debug for UserFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserFunction")
            .field("name", &self.name)
            .field("provided_by", &self.provided_by)
            .finish_non_exhaustive()
    }
}

static BY_NAME: LazyLock<BTreeMap<&'static str, &'static UserFunction>> = LazyLock::new(|| {
    submitted()
        .map(|function| (function.name, function))
        .collect()
});

fn submitted() -> impl Iterator<Item = &'static UserFunction> {
    inventory::iter::<&'static UserFunction>
        .into_iter()
        .copied()
}

/// The functions of this program, by name.
pub fn functions() -> impl Iterator<Item = &'static UserFunction> + Clone {
    BY_NAME.values().copied()
}

/// The function of this program called `name`.
#[must_use]
pub fn find(name: &str) -> Option<&'static UserFunction> {
    BY_NAME.get(name).copied()
}

/// The function that an expression or step names.
///
/// # Errors
/// `UnknownFunction` when this program does not have it: the plan was made by another.
pub fn resolve(name: &str) -> Result<&'static UserFunction> {
    find(name).ok_or_else(|| {
        Error::new(
            crate::ErrorKind::UnknownFunction,
            format!("this program has no function `{name}`"),
        )
        .with_hint("link the crate that registers it, with `use the_crate as _;`")
    })
}

/// Whether functions of this program have names below `namespace`.
#[must_use]
pub fn is_namespace(namespace: &str) -> bool {
    functions().any(|function| {
        function
            .name
            .strip_prefix(namespace)
            .is_some_and(|rest| rest.starts_with('.'))
    })
}

/// Registers a function of the user's own: makes the static and submits it, as one item.
///
/// ```
/// use laktory_core::user::{Body, UserFunction};
/// use laktory_core::{Expr, Func, Param, ParamType};
///
/// laktory_core::register_function! {
///     /// `finance.spread(high, low)`
///     pub static SPREAD = UserFunction {
///         name: "finance.spread",
///         provided_by: env!("CARGO_PKG_NAME"),
///         params: &[Param::new("high", ParamType::Column), Param::new("low", ParamType::Column)],
///         doc: "Difference of two prices.",
///         body: Body::Expr(|args| {
///             let (high, low) = (args.expr("high")?, args.expr("low")?);
///             Ok(Expr::call(Func::Sub, [high.into_owned(), low.into_owned()]))
///         }),
///     };
/// }
///
/// assert!(laktory_core::user::find("finance.spread").is_some());
/// ```
#[macro_export]
macro_rules! register_function {
    ($(#[$meta:meta])* $vis:vis static $name:ident = $function:expr;) => {
        $(#[$meta])*
        $vis static $name: $crate::UserFunction = $function;
        $crate::inventory::submit! { &$name }
    };
}
