//! Bound arguments by the names of their parameters, as drivers read them while lowering a call, and as functions of the
//! user's own read theirs.

use std::borrow::Cow;
use std::ops::Deref;

use crate::dtype::DType;
use crate::error::{Error, ErrorKind, Result};
use crate::expr::{Arg, Expr, Scalar};
use crate::frame::FrameName;
use crate::functions::{Func, Param, Receiver};

/// A call of a function of the table. Its arguments are those of [`Arguments`], to which it derefs.
#[derive(Clone, Copy, Debug)]
pub struct BoundCall<'a> {
    func: Func,
    arguments: Arguments<'a>,
}

impl<'a> BoundCall<'a> {
    /// The call of `func` with the arguments of an [`Expr::Call`].
    #[must_use]
    pub fn new(func: Func, args: &'a [Arg]) -> Self {
        let def = func.def();
        Self {
            func,
            arguments: Arguments {
                name: def.path,
                params: def.params,
                receivers: usize::from(def.receiver != Receiver::Function),
                args,
            },
        }
    }

    /// Which function.
    #[must_use]
    pub fn func(&self) -> Func {
        self.func
    }
}

impl<'a> Deref for BoundCall<'a> {
    type Target = Arguments<'a>;

    fn deref(&self) -> &Arguments<'a> {
        &self.arguments
    }
}

/// Arguments found by the names of their parameters. A missing or ill-typed argument is `Internal`, since the parser has
/// bound them.
#[derive(Clone, Copy, Debug)]
pub struct Arguments<'a> {
    name: &'static str,
    params: &'static [Param],
    /// Arguments in front of those of the parameters.
    receivers: usize,
    args: &'a [Arg],
}

impl<'a> Arguments<'a> {
    /// One argument for each parameter of the function `name`.
    #[must_use]
    pub fn new(name: &'static str, params: &'static [Param], args: &'a [Arg]) -> Self {
        Self {
            name,
            params,
            receivers: 0,
            args,
        }
    }

    fn wrong<T>(&self, name: &str) -> Result<T> {
        Err(Error::internal(format!(
            "`{}` was bound without a fitting `{name}`",
            self.name
        )))
    }

    /// The position of a parameter's argument.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        let at = self.params.iter().position(|param| param.name == name)?;
        Some(self.receivers + at)
    }

    /// Every argument, in the order of the parameters.
    #[must_use]
    pub fn all(&self) -> &'a [Arg] {
        self.args
    }

    /// The argument of a parameter; [`Arg::Absent`] when it was not given.
    #[must_use]
    pub fn arg(&self, name: &str) -> &'a Arg {
        self.position(name)
            .and_then(|at| self.args.get(at))
            .unwrap_or(&Arg::Absent)
    }

    /// What the method or operator is applied to.
    ///
    /// # Errors
    /// `Internal` when there is none.
    pub fn this(&self) -> Result<Cow<'a, Expr>> {
        match self.args.first() {
            Some(arg) => self.as_expr(arg, "receiver"),
            None => self.wrong("receiver"),
        }
    }

    fn as_expr(&self, arg: &'a Arg, name: &str) -> Result<Cow<'a, Expr>> {
        let scalar = match arg {
            Arg::Expr(expr) => return Ok(Cow::Borrowed(expr)),
            Arg::Bool(value) => Scalar::Bool(*value),
            Arg::Int(value) => Scalar::Int((*value).into()),
            Arg::Float(value) => Scalar::Float(*value),
            Arg::Str(value) => Scalar::Str(value.clone()),
            _ => return self.wrong(name),
        };
        Ok(Cow::Owned(Expr::Literal(scalar)))
    }

    /// An expression; plain arguments are constants.
    ///
    /// # Errors
    /// `Internal`, as for all others.
    pub fn expr(&self, name: &str) -> Result<Cow<'a, Expr>> {
        self.as_expr(self.arg(name), name)
    }

    /// An expression that may be missing.
    ///
    /// # Errors
    /// `Internal`.
    pub fn opt_expr(&self, name: &str) -> Result<Option<Cow<'a, Expr>>> {
        match self.arg(name) {
            Arg::Absent => Ok(None),
            arg => self.as_expr(arg, name).map(Some),
        }
    }

    /// Several expressions.
    ///
    /// # Errors
    /// `Internal`.
    pub fn exprs(&self, name: &str) -> Result<Vec<Cow<'a, Expr>>> {
        match self.arg(name) {
            Arg::Absent => Ok(Vec::new()),
            Arg::Exprs(exprs) => Ok(exprs.iter().map(Cow::Borrowed).collect()),
            arg => Ok(vec![self.as_expr(arg, name)?]),
        }
    }

    /// Several expressions, at least one.
    ///
    /// # Errors
    /// `InvalidArgument` when there is none.
    pub fn some_exprs(&self, name: &str) -> Result<Vec<Cow<'a, Expr>>> {
        let exprs = self.exprs(name)?;
        if exprs.is_empty() {
            return Err(self.invalid("at least one expression is needed"));
        }
        Ok(exprs)
    }

    /// A flag; false when it was not given.
    ///
    /// # Errors
    /// `Internal`.
    pub fn flag(&self, name: &str) -> Result<bool> {
        match self.arg(name) {
            Arg::Bool(value) | Arg::Expr(Expr::Literal(Scalar::Bool(value))) => Ok(*value),
            Arg::Absent => Ok(false),
            _ => self.wrong(name),
        }
    }

    /// An integer that may be missing.
    ///
    /// # Errors
    /// `Internal`.
    pub fn opt_int(&self, name: &str) -> Result<Option<i64>> {
        match self.arg(name) {
            Arg::Absent => Ok(None),
            Arg::Int(value) => Ok(Some(*value)),
            Arg::Expr(Expr::Literal(Scalar::Int(value))) => match i64::try_from(*value) {
                Ok(value) => Ok(Some(value)),
                Err(_) => self.wrong(name),
            },
            _ => self.wrong(name),
        }
    }

    /// An integer.
    ///
    /// # Errors
    /// `Internal`.
    pub fn int(&self, name: &str) -> Result<i64> {
        match self.opt_int(name)? {
            Some(value) => Ok(value),
            None => self.wrong(name),
        }
    }

    /// A number of things that may be missing.
    ///
    /// # Errors
    /// `InvalidArgument` when it is negative.
    pub fn opt_count(&self, name: &str) -> Result<Option<usize>> {
        self.opt_int(name)?
            .map(|value| {
                usize::try_from(value)
                    .map_err(|_| self.invalid(&format!("`{name}` cannot be negative")))
            })
            .transpose()
    }

    /// A number of things.
    ///
    /// # Errors
    /// `InvalidArgument` when it is negative.
    pub fn count(&self, name: &str) -> Result<usize> {
        match self.opt_count(name)? {
            Some(value) => Ok(value),
            None => self.wrong(name),
        }
    }

    /// Degrees of freedom, the parameter `ddof`.
    ///
    /// # Errors
    /// `InvalidArgument` unless it lies between 0 and 255.
    pub fn ddof(&self) -> Result<u8> {
        u8::try_from(self.count("ddof")?).map_err(|_| self.invalid("`ddof` is at most 255"))
    }

    /// A number that may be missing.
    ///
    /// # Errors
    /// `Internal`.
    pub fn opt_float(&self, name: &str) -> Result<Option<f64>> {
        match self.arg(name) {
            Arg::Absent => Ok(None),
            Arg::Float(value) => Ok(Some(*value)),
            #[allow(
                clippy::cast_precision_loss,
                reason = "a float is what the function works with"
            )]
            Arg::Int(value) => Ok(Some(*value as f64)),
            _ => self.wrong(name),
        }
    }

    /// A number.
    ///
    /// # Errors
    /// `Internal`.
    pub fn float(&self, name: &str) -> Result<f64> {
        match self.opt_float(name)? {
            Some(value) => Ok(value),
            None => self.wrong(name),
        }
    }

    /// A text that may be missing.
    ///
    /// # Errors
    /// `Internal`.
    pub fn opt_text(&self, name: &str) -> Result<Option<&'a str>> {
        match self.arg(name) {
            Arg::Absent => Ok(None),
            Arg::Str(value) | Arg::Expr(Expr::Literal(Scalar::Str(value))) => Ok(Some(value)),
            _ => self.wrong(name),
        }
    }

    /// A text.
    ///
    /// # Errors
    /// `Internal`.
    pub fn text(&self, name: &str) -> Result<&'a str> {
        match self.opt_text(name)? {
            Some(value) => Ok(value),
            None => self.wrong(name),
        }
    }

    /// A text of exactly one character.
    ///
    /// # Errors
    /// `InvalidArgument` for any other.
    pub fn character(&self, name: &str) -> Result<char> {
        let mut characters = self.text(name)?.chars();
        match (characters.next(), characters.next()) {
            (Some(character), None) => Ok(character),
            _ => Err(self.invalid(&format!("`{name}` is one character"))),
        }
    }

    /// A type that may be missing.
    ///
    /// # Errors
    /// `Internal`.
    pub fn opt_dtype(&self, name: &str) -> Result<Option<&'a DType>> {
        match self.arg(name) {
            Arg::Absent => Ok(None),
            Arg::DType(value) => Ok(Some(value)),
            _ => self.wrong(name),
        }
    }

    /// Another frame.
    ///
    /// # Errors
    /// `Internal`.
    pub fn frame(&self, name: &str) -> Result<&'a FrameName> {
        match self.arg(name) {
            Arg::Frame(frame) => Ok(frame),
            _ => self.wrong(name),
        }
    }

    /// An error about an argument.
    #[must_use]
    pub fn invalid(&self, why: &str) -> Error {
        Error::new(
            ErrorKind::InvalidArgument,
            format!("`{}`: {why}", self.name),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_found_by_name() {
        let args = [
            Arg::Expr(Expr::column("s")),
            Arg::Int(3),
            Arg::Str("ab".into()),
        ];
        let call = BoundCall::new(Func::StrPadStart, &args);
        assert_eq!(*call.this().unwrap(), Expr::column("s"));
        assert_eq!(call.count("length").unwrap(), 3);
        let error = call.character("fill_char").unwrap_err();
        assert_eq!(
            error.message(),
            "`str.pad_start`: `fill_char` is one character"
        );
        assert_eq!(call.text("nope").unwrap_err().kind(), ErrorKind::Internal);
    }
}
