//! Calls and expressions that several objects share.

use serde_json::Value;

use crate::decode::{object, shorthand};
use crate::model::{DataFrameApi, ExprType, Kwargs};

object! {
    /// A call on the reader or writer of an engine, after format and options are set.
    object ReaderMethod ["reader or writer method"] {
        /// Name of the method.
        name: String, required;
        /// Positional arguments.
        args: Vec<Value>;
        /// Keyword arguments.
        kwargs: Kwargs;
    }
}

object! {
    /// A function of a plug-in, by its dotted path. A bare text is the path.
    part CustomCall ["custom function"] {
        /// Dotted path.
        func_name: String, required;
        /// Positional arguments.
        func_args: Vec<Value>;
        /// Keyword arguments.
        func_kwargs: Kwargs;
        /// Engine; inherited when absent.
        dataframe_backend: Option<String>, upper;
        /// Dataframe API; inherited when absent.
        dataframe_api: Option<DataFrameApi>;
    }
}

shorthand!(CustomCall, func_name);

object! {
    /// An expression over columns. A bare text is the expression.
    part ColumnExpr ["column expression"] {
        /// The text.
        expr: String, required;
        /// Its language; guessed from the text when absent.
        r#type: Option<ExprType>;
        /// Engine; inherited when absent.
        dataframe_backend: Option<String>, upper;
        /// Dataframe API; inherited when absent.
        dataframe_api: Option<DataFrameApi>;
    }
}

shorthand!(ColumnExpr, expr);

impl From<&str> for ColumnExpr {
    fn from(expr: &str) -> Self {
        Self {
            expr: expr.to_owned(),
            ..Self::default()
        }
    }
}

impl From<String> for ColumnExpr {
    fn from(expr: String) -> Self {
        Self {
            expr,
            ..Self::default()
        }
    }
}
