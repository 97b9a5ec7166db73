//! A scalar function on Arrow arrays: something that the language has no words for.

use std::sync::Arc;

use laktory::core::arrow::array::{BooleanArray, cast::AsArray as _};
use laktory::core::user::{Body, Kernel, UserFunction};
use laktory::core::{DType, Param, ParamType, register_function};

register_function! {
    /// `finance.is_isin(code)`
    pub static IS_ISIN = UserFunction {
        name: "finance.is_isin",
        provided_by: env!("CARGO_PKG_NAME"),
        params: &[Param::new("code", ParamType::Column)],
        doc: "Whether a text is an ISIN with the right check digit; null stays null.",
        body: Body::Scalar(Kernel {
            output: |types| match types.input("code")? {
                DType::String => Ok(DType::Boolean),
                _ => Err(types.mismatch("code")),
            },
            run: |arrays| {
                let codes = arrays.input("code")?.as_string_view();
                let valid: BooleanArray = codes.iter().map(|code| code.map(is_isin)).collect();
                Ok(Arc::new(valid))
            },
        }),
    };
}

/// Two letters, nine letters or digits, and the check digit of Luhn's algorithm over all of them, letters as numbers
/// from 10.
fn is_isin(code: &str) -> bool {
    let bytes = code.as_bytes();
    let shaped = bytes.len() == 12
        && bytes[..2].iter().all(u8::is_ascii_uppercase)
        && bytes[2..11]
            .iter()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        && bytes[11].is_ascii_digit();
    if !shaped {
        return false;
    }
    let digits: Vec<u32> = code
        .chars()
        .filter_map(|char| char.to_digit(36))
        .flat_map(|value| {
            (value >= 10)
                .then_some(value / 10)
                .into_iter()
                .chain([value % 10])
        })
        .collect();
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let value = if place % 2 == 1 { digit * 2 } else { *digit };
            value / 10 + value % 10
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    #[test]
    fn check_digits_are_computed() {
        assert!(super::is_isin("US0378331005"));
        assert!(super::is_isin("DE000BAY0017"));
        assert!(!super::is_isin("US0378331006"));
        assert!(!super::is_isin("us0378331005"));
        assert!(!super::is_isin("US03783310"));
    }
}
