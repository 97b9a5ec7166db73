//! The Python dialect of expressions: a text is parsed by a grammar and lowered to values, never run.

pub(crate) mod arguments;
pub(crate) mod bind;
pub(crate) mod clock;
pub(crate) mod convert;
pub(crate) mod fault;
pub(crate) mod fold;
pub(crate) mod functions;
mod lambda;
mod literals;
pub(crate) mod lower;
pub(crate) mod methods;
mod mistakes;
pub(crate) mod native;
pub(crate) mod native_functions;
mod native_methods;
mod native_table;
pub(crate) mod operators;
pub(crate) mod parse;
pub(crate) mod parts;
mod selectors;
pub(crate) mod shape_table;
pub(crate) mod shapes;
mod spark_arguments;
pub(crate) mod spark_dates;
mod spark_numbers;
mod spark_texts;
pub(crate) mod strings;
pub(crate) mod types;
pub(crate) mod value;
pub(crate) mod window;

pub(crate) use mistakes::METHODS as REFUSED_METHODS;
