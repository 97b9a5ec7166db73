//! Units of measurement: refusals while an expression is read. The table is that of the contract.

pub(crate) use laktory_core::semantics::units::conversion;
use laktory_core::semantics::units::dimension;

/// Why two units do not convert: code, message and hint.
pub(crate) fn check(from: &str, to: &str) -> Result<(), (&'static str, String, Option<String>)> {
    let Err(error) = conversion(from, to) else {
        return Ok(());
    };
    let (from, to) = (dimension(from), dimension(to));
    let temperature = [from, to].contains(&Some("temperature"));
    let code = if temperature && from.is_some() && to.is_some() {
        "not-implemented"
    } else {
        "unknown-key"
    };
    let hint = error.hint().map(str::to_owned);
    Err((code, error.message().to_owned(), hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_have_their_codes() {
        assert!(check("m", "ft").is_ok());
        assert!(check("m", "nope").unwrap_err().2.is_some());
        assert_eq!(check("m", "nope").unwrap_err().0, "unknown-key");
        assert_eq!(check("m", "kg").unwrap_err().0, "unknown-key");
        assert_eq!(check("C", "m").unwrap_err().0, "not-implemented");
    }
}
