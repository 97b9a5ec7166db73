//! Functions on Arrow arrays: what they are given, and the check of what they give.

use std::ops::Deref;

use arrow_array::{Array, ArrayRef};

use super::UserFunction;
use crate::call::Arguments;
use crate::dtype::DType;
use crate::error::{Error, ErrorKind, Result};
use crate::expr::Arg;

/// A function on Arrow arrays.
#[derive(Clone, Copy)]
pub struct Kernel {
    /// The type that it gives, from the types that it is given; the place to refuse types
    /// ([`Inputs::mismatch`]). Runs while the plan is made, before the first row is read.
    pub output: fn(&Types<'_>) -> Result<DType>,
    /// The values. Arrays of a scalar function have one length, and so has its result; constants are repeated. Arrays
    /// of an aggregate hold the values of one group, maybe none, and its result is one value.
    ///
    /// Arrays have the Arrow type of their type in the contract ([`DType::to_arrow`]): texts are `Utf8View`, lists
    /// `LargeList`. The result may be in any encoding of the type that `output` gave.
    pub run: fn(&Arrays<'_>) -> Result<ArrayRef>,
}

/// Types of the columns that a function is given.
pub type Types<'a> = Inputs<'a, DType>;

/// Values of the columns that a function is given.
pub type Arrays<'a> = Inputs<'a, ArrayRef>;

/// What a function is given: something for each column, and its other arguments through [`Arguments`], to which it
/// derefs.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a, T> {
    arguments: Arguments<'a>,
    items: &'a [T],
}

impl<'a, T> Inputs<'a, T> {
    /// A call of `function` with `args`, and an item for each expression among them ([`crate::walk::arguments`]).
    #[must_use]
    pub fn new(function: &UserFunction, args: &'a [Arg], items: &'a [T]) -> Self {
        Self {
            arguments: function.arguments(args),
            items,
        }
    }

    fn range(&self, name: &str) -> std::ops::Range<usize> {
        let width = |arg: &Arg| match arg {
            Arg::Expr(_) => 1,
            Arg::Exprs(exprs) => exprs.len(),
            _ => 0,
        };
        let args = self.arguments.all();
        let at = self.arguments.position(name).unwrap_or(args.len());
        let start = args.iter().take(at).map(width).sum();
        start..start + args.get(at).map_or(0, width)
    }

    /// What there is for a parameter that takes one expression.
    ///
    /// # Errors
    /// `Internal` when there is none.
    pub fn input(&self, name: &str) -> Result<&'a T> {
        self.opt_input(name).ok_or_else(|| {
            Error::internal(format!("no column was bound to the parameter `{name}`"))
        })
    }

    /// What there is for a parameter that takes one expression, and may be left out.
    #[must_use]
    pub fn opt_input(&self, name: &str) -> Option<&'a T> {
        self.inputs(name).first()
    }

    /// What there is for a parameter that takes several expressions.
    #[must_use]
    pub fn inputs(&self, name: &str) -> &'a [T] {
        self.items.get(self.range(name)).unwrap_or_default()
    }
}

impl Types<'_> {
    /// The error for a column of a type that the function does not take.
    #[must_use]
    pub fn mismatch(&self, name: &str) -> Error {
        let types: Vec<String> = self.inputs(name).iter().map(DType::to_string).collect();
        Error::new(
            ErrorKind::TypeMismatch,
            self.invalid(&format!(
                "`{name}` does not take values of type {}",
                types.join(", ")
            ))
            .message(),
        )
    }
}

impl<'a, T> Deref for Inputs<'a, T> {
    type Target = Arguments<'a>;

    fn deref(&self) -> &Arguments<'a> {
        &self.arguments
    }
}

impl Kernel {
    /// The type that a call gives, from the types of its columns.
    ///
    /// # Errors
    /// Those of the function.
    pub fn dtype(&self, function: &UserFunction, args: &[Arg], types: &[DType]) -> Result<DType> {
        (self.output)(&Inputs::new(function, args, types))
    }

    /// The values that a call gives: `rows` of them, of a logical type that `dtype` was found to be.
    ///
    /// # Errors
    /// Those of the function; `Compute` when it does not keep its promise.
    pub fn compute(
        &self,
        function: &UserFunction,
        args: &[Arg],
        arrays: &[ArrayRef],
        dtype: &DType,
        rows: usize,
    ) -> Result<ArrayRef> {
        let out = (self.run)(&Inputs::new(function, args, arrays))?;
        let fits = match dtype.to_arrow() {
            Some(wanted) => DType::from_arrow(out.data_type()) == DType::from_arrow(&wanted),
            None => false,
        };
        if fits && out.len() == rows {
            return Ok(out);
        }
        Err(Error::new(
            ErrorKind::Compute,
            format!(
                "`{}` promised {rows} values of type {dtype} and gave {} of type {}",
                function.name,
                out.len(),
                DType::from_arrow(out.data_type())
            ),
        )
        .with_hint(format!("this is a bug of crate `{}`", function.provided_by)))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{Float64Array, Int64Array};

    use super::*;
    use crate::user::Body;
    use crate::{Expr, Param, ParamDefault, ParamType};

    static WEIGHTED: UserFunction = UserFunction {
        name: "test.weighted",
        provided_by: "tests",
        params: &[
            Param::new("value", ParamType::Column),
            Param::new("weights", ParamType::Columns),
            Param::new("scale", ParamType::Int)
                .or(ParamDefault::Int(1))
                .keyword(),
        ],
        doc: "A test.",
        body: Body::Scalar(KERNEL),
    };

    const KERNEL: Kernel = Kernel {
        output: |types| match types.input("value")? {
            DType::Float64 => Ok(DType::Float64),
            _ => Err(types.mismatch("value")),
        },
        run: |arrays| {
            assert_eq!(arrays.inputs("weights").len(), 2);
            assert_eq!(arrays.int("scale")?, 3);
            Ok(Arc::clone(arrays.input("value")?))
        },
    };

    fn args() -> [Arg; 3] {
        let columns = vec![Expr::column("b"), Expr::column("c")];
        [
            Arg::Expr(Expr::column("a")),
            Arg::Exprs(columns),
            Arg::Int(3),
        ]
    }

    #[test]
    fn columns_and_constants_are_found_by_name() {
        let floats: ArrayRef = Arc::new(Float64Array::from(vec![1.0, 2.0]));
        let arrays = vec![floats; 3];
        let compute = |rows| KERNEL.compute(&WEIGHTED, &args(), &arrays, &DType::Float64, rows);
        assert_eq!(compute(2).unwrap().len(), 2);
        let error = compute(1).unwrap_err();
        assert_eq!(
            error.message(),
            "`test.weighted` promised 1 values of type Float64 and gave 2 of type Float64"
        );
        assert_eq!(error.hint(), Some("this is a bug of crate `tests`"));
    }

    #[test]
    fn a_result_of_another_type_is_refused() {
        let integers: ArrayRef = Arc::new(Int64Array::from(vec![1]));
        let arrays = vec![integers; 3];
        let error = KERNEL
            .compute(&WEIGHTED, &args(), &arrays, &DType::Float64, 1)
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Compute);
    }

    #[test]
    fn types_are_refused_by_name() {
        let types = [DType::String, DType::Float64, DType::Float64];
        let error = KERNEL.dtype(&WEIGHTED, &args(), &types).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TypeMismatch);
        assert_eq!(
            error.message(),
            "`test.weighted`: `value` does not take values of type String"
        );
    }
}
