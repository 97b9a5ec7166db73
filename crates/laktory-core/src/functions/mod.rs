//! The function table: every function of the expression language, with its Narwhals path, parameters, kind, signature, null
//! rule, documentation and example. The parser binds calls with it, typing reads the signatures, drivers lower it, and the
//! reference pages are printed from it.
//!
//! Meaning is that of Narwhals 2.29 on Polars; functions whose path begins with `sql.` have the meaning of SQL where
//! that differs. Adding a function is adding a row to `table.rs` and a row in each driver.

mod params;
mod table;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use table::TABLE;

pub use table::Func;

/// How a function relates rows to rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FuncKind {
    /// One output value for each row, from that row alone.
    Elementwise,
    /// One value for all rows; broadcast beside columns.
    Aggregate,
    /// One value for each row, from other rows too; needs an order on lazy frames (`over(order_by=...)`).
    Ordered,
    /// One value for each row, from other rows too, whatever their order.
    Window,
    /// Changes the number of rows; must be followed by an aggregation.
    LengthChanging,
}

/// How a function is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Receiver {
    /// As a method: `nw.col('x').abs()`. The receiver is the first argument of the call.
    Method,
    /// As a function: `nw.coalesce('a', 'b')`.
    Function,
    /// By an operator or a construct of the grammar only: `a + b`, `x IS NULL`.
    Operator,
}

/// What a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ParamType {
    /// An expression; a text means the column of that name.
    Column,
    /// An expression; a text means that text.
    Literal,
    /// Any number of expressions; texts mean columns.
    Columns,
    /// A flag.
    Bool,
    /// An integer.
    Int,
    /// A number.
    Float,
    /// A text.
    Str,
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// A type.
    DType,
    /// A list of constants, or an expression of lists.
    Values,
    /// A mapping of constants.
    Mapping,
    /// Another frame, `{nodes.name}`; of steps only.
    Frame,
}

/// What stands in for a parameter that was not given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ParamDefault {
    /// Must be given.
    Required,
    /// Stays absent.
    Absent,
    /// This flag.
    Bool(bool),
    /// This integer.
    Int(i64),
    /// This number.
    Float(f64),
    /// This text.
    Str(&'static str),
}

/// One parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Param {
    /// Name, as in a keyword argument.
    pub name: &'static str,
    /// What it takes.
    pub ty: ParamType,
    /// When not given.
    pub default: ParamDefault,
    /// May only be given by name.
    pub keyword_only: bool,
    /// What it means, for the reference pages.
    pub doc: &'static str,
}

impl Param {
    /// A required parameter, positional or by name.
    #[must_use]
    pub const fn new(name: &'static str, ty: ParamType) -> Self {
        Self {
            name,
            ty,
            default: ParamDefault::Required,
            keyword_only: false,
            doc: "",
        }
    }

    /// Makes the parameter optional.
    #[must_use]
    pub const fn or(mut self, default: ParamDefault) -> Self {
        self.default = default;
        self
    }

    /// Makes the parameter optional without a default.
    #[must_use]
    pub const fn optional(self) -> Self {
        self.or(ParamDefault::Absent)
    }

    /// Makes the parameter keyword-only.
    #[must_use]
    pub const fn keyword(mut self) -> Self {
        self.keyword_only = true;
        self
    }

    /// Says what the parameter means, in a few words without a period.
    #[must_use]
    pub const fn says(mut self, doc: &'static str) -> Self {
        self.doc = doc;
        self
    }
}

/// An example: the reference pages show it, and the conformance tests run it on every driver.
///
/// Columns are written `x = 1, 2, null; s = 'a', 'b', null`, with a type where the values do not tell it (`x:int32 = 1`);
/// values as in expressions, dates and times in ISO form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Example {
    /// Columns that it is applied to, or frames, one on each line; empty for one row without interest.
    pub given: &'static str,
    /// What a user writes.
    pub text: &'static str,
    /// The values, or columns, that come out.
    pub gives: &'static str,
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct FuncDef {
    /// Which function.
    pub func: Func,
    /// Path below `nw.` (functions) or below the expression (methods): `str.to_uppercase`.
    pub path: &'static str,
    /// How it is called.
    pub receiver: Receiver,
    /// How it relates rows to rows.
    pub kind: FuncKind,
    /// What it takes and gives, in the words of [`Signature`](crate::typing::Signature).
    pub signature: &'static str,
    /// Parameters after the receiver.
    pub params: &'static [Param],
    /// What it does with null and NaN.
    pub nulls: &'static str,
    /// What it does.
    pub doc: &'static str,
    /// How it is used, and what comes of it.
    pub example: Example,
}

static BY_PATH: LazyLock<BTreeMap<(&'static str, bool), &'static FuncDef>> = LazyLock::new(|| {
    TABLE
        .iter()
        .filter(|def| def.receiver != Receiver::Operator)
        .map(|def| ((def.path, def.receiver == Receiver::Method), def))
        .collect()
});

impl Func {
    /// Every function, in the order of the table.
    pub fn all() -> impl Iterator<Item = &'static FuncDef> {
        TABLE.iter()
    }

    /// The function's row.
    #[must_use]
    pub fn def(self) -> &'static FuncDef {
        // Variants and rows come from one macro, in one order.
        &TABLE[self as usize]
    }

    /// The method of an expression at `path`, such as `str.to_uppercase`.
    #[must_use]
    pub fn method(path: &str) -> Option<&'static FuncDef> {
        BY_PATH.get(&(path, true)).copied()
    }

    /// The top-level function at `path`, such as `coalesce`.
    #[must_use]
    pub fn function(path: &str) -> Option<&'static FuncDef> {
        BY_PATH.get(&(path, false)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_in_the_order_of_the_variants() {
        for (index, def) in Func::all().enumerate() {
            assert_eq!(def.func as usize, index);
            assert_eq!(def.func.def().path, def.path);
        }
    }

    #[test]
    fn every_row_is_documented() {
        for def in Func::all() {
            assert!(def.doc.ends_with('.'), "{}: {}", def.path, def.doc);
            assert!(!def.nulls.is_empty(), "{}: nulls", def.path);
            assert!(!def.example.text.is_empty(), "{}: example", def.path);
            assert!(!def.example.gives.is_empty(), "{}: example", def.path);
            for param in def.params {
                assert!(!param.doc.is_empty(), "{}: {}", def.path, param.name);
            }
        }
    }

    #[test]
    fn required_parameters_come_before_optional_ones() {
        for def in Func::all() {
            let positional: Vec<_> = def
                .params
                .iter()
                .filter(|param| !param.keyword_only)
                .collect();
            let first_optional = positional
                .iter()
                .position(|param| param.default != ParamDefault::Required)
                .unwrap_or(positional.len());
            for param in &positional[first_optional..] {
                assert_ne!(
                    param.default,
                    ParamDefault::Required,
                    "{}: {}",
                    def.path,
                    param.name
                );
            }
        }
    }

    #[test]
    fn paths_are_unique_within_methods_and_functions() {
        let callable = Func::all()
            .filter(|def| def.receiver != Receiver::Operator)
            .count();
        assert_eq!(BY_PATH.len(), callable);
    }
}
