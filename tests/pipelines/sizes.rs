//! How much is tried: a little each time, and as much as an environment variable asks for in a long hunt.

use std::str::FromStr;

use libtest_mimic::Failed;

/// The number in a variable of the environment, else `default`.
pub(crate) fn number<T: FromStr>(variable: &str, default: T) -> Result<T, Failed> {
    match std::env::var(variable) {
        Ok(text) => {
            let number = text.replace('_', "").parse();
            number.map_err(|_| format!("{variable}: `{text}` is no number").into())
        }
        Err(_) => Ok(default),
    }
}
