//! What a function of the user's own must be like to be callable. Checked once, at the start of the program.

use super::{Body, UserFunction, submitted};
use crate::error::{Error, ErrorKind, Result};
use crate::functions::{ParamDefault, ParamType};

/// Checks the functions of this program.
///
/// # Errors
/// `InvalidArgument` when two functions have one name (both crates are named), or one of them cannot be called as it is
/// declared. Names that the language has taken are the parser's business.
pub fn check() -> Result<()> {
    check_all(submitted())
}

fn check_all(functions: impl IntoIterator<Item = &'static UserFunction>) -> Result<()> {
    let mut known: Vec<&UserFunction> = Vec::new();
    for function in functions {
        if known.iter().any(|other| std::ptr::eq(*other, function)) {
            continue;
        }
        if let Some(other) = known.iter().find(|other| other.name == function.name) {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                format!(
                    "function `{}` is registered by both `{}` and `{}`",
                    function.name, other.provided_by, function.provided_by
                ),
            )
            .with_hint("link only one of them, or rename one"));
        }
        if let Some(why) = fault(function) {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                format!(
                    "function `{}` of crate `{}`: {why}",
                    function.name, function.provided_by
                ),
            ));
        }
        known.push(function);
    }
    Ok(())
}

/// Why a function cannot be called as it is declared.
fn fault(function: &UserFunction) -> Option<String> {
    let mut segments = function.name.split('.');
    if !function.name.contains('.') || !segments.all(is_identifier) {
        return Some("the name is a namespace and a name, such as `finance.spread`".into());
    }
    let mut optional = false;
    let mut variadic = false;
    for (index, param) in function.params.iter().enumerate() {
        let name = param.name;
        if !is_identifier(name) {
            return Some(format!("`{name}` is no name of a parameter"));
        }
        if function.params[..index]
            .iter()
            .any(|other| other.name == name)
        {
            return Some(format!("two parameters are called `{name}`"));
        }
        if param.ty == ParamType::Frame && !function.is_step() {
            return Some(format!("`{name}`: only steps take frames"));
        }
        if param.keyword_only {
            continue;
        }
        if variadic {
            return Some(format!(
                "`{name}` stands behind a parameter that takes all arguments: make it keyword-only"
            ));
        }
        let required = param.default == ParamDefault::Required;
        if required && optional {
            return Some(format!(
                "`{name}` is required, but stands behind an optional parameter"
            ));
        }
        optional |= !required;
        variadic |= param.ty == ParamType::Columns;
    }
    let computes = matches!(function.body, Body::Scalar(_) | Body::Aggregate(_));
    let column = function.params.first().is_some_and(|param| {
        let takes = [ParamType::Column, ParamType::Literal, ParamType::Columns];
        param.default == ParamDefault::Required && takes.contains(&param.ty)
    });
    if computes && !column {
        return Some(
            "its first parameter must be a required column, which says how many rows there are"
                .into(),
        );
    }
    None
}

fn is_identifier(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text
            .chars()
            .all(|char| char.is_ascii_alphanumeric() || char == '_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::user::Kernel;
    use crate::{DType, Error, Param};

    const NOTHING: Body = Body::Steps(|_| Ok(Vec::new()));

    const fn function(
        name: &'static str,
        provided_by: &'static str,
        params: &'static [Param],
        body: Body,
    ) -> UserFunction {
        UserFunction {
            name,
            provided_by,
            params,
            doc: "A test.",
            body,
        }
    }

    fn refusal(function: &'static UserFunction) -> String {
        check_all([function]).unwrap_err().message().to_owned()
    }

    #[test]
    fn a_name_registered_twice_names_both_crates() {
        static ONE: UserFunction = function("finance.clean", "crate-one", &[], NOTHING);
        static TWO: UserFunction = function("finance.clean", "crate-two", &[], NOTHING);
        let error = check_all([&ONE, &TWO]).unwrap_err();
        assert_eq!(
            error.message(),
            "function `finance.clean` is registered by both `crate-one` and `crate-two`"
        );
        check_all([&ONE, &ONE]).unwrap();
    }

    #[test]
    fn names_have_a_namespace() {
        static BARE: UserFunction = function("clean", "c", &[], NOTHING);
        static ODD: UserFunction = function("finance.a-b", "c", &[], NOTHING);
        static NESTED: UserFunction = function("a.b.c", "c", &[], NOTHING);
        for bad in [&BARE, &ODD] {
            assert!(refusal(bad).ends_with("such as `finance.spread`"));
        }
        check_all([&NESTED]).unwrap();
    }

    #[test]
    fn parameters_must_be_bindable() {
        const COLUMN: Param = Param::new("x", ParamType::Column);
        static TWICE: UserFunction = function("a.b", "c", &[COLUMN, COLUMN], NOTHING);
        static LATE: UserFunction = function(
            "a.b",
            "c",
            &[COLUMN.optional(), Param::new("y", ParamType::Int)],
            NOTHING,
        );
        static BEHIND: UserFunction = function(
            "a.b",
            "c",
            &[
                Param::new("xs", ParamType::Columns),
                Param::new("y", ParamType::Int),
            ],
            NOTHING,
        );
        static FRAME: UserFunction = function(
            "a.b",
            "c",
            &[COLUMN, Param::new("f", ParamType::Frame)],
            SCALAR,
        );
        static NO_COLUMN: UserFunction =
            function("a.b", "c", &[Param::new("n", ParamType::Int)], SCALAR);
        const SCALAR: Body = Body::Scalar(Kernel {
            output: |_| Ok(DType::Int64),
            run: |_| Err(Error::unsupported("a test")),
        });
        assert!(refusal(&TWICE).ends_with("two parameters are called `x`"));
        assert!(refusal(&LATE).contains("`y` is required, but"));
        assert!(refusal(&BEHIND).contains("make it keyword-only"));
        assert!(refusal(&FRAME).ends_with("only steps take frames"));
        assert!(refusal(&NO_COLUMN).contains("must be a required column"));
    }
}
