//! The `LAKTORY_*` variables, as far as the command itself reads them. docs/command-line.md lists all of them.

use laktory::model::DataFrameApi;
use laktory::syntax::{Diagnostic, did_you_mean};

use crate::args::Args;
use crate::log::Detail;

const LOG_LEVEL: &str = "LAKTORY_LOG_LEVEL";
const DATAFRAME_API: &str = "LAKTORY_DATAFRAME_API";

/// Levels of the log, by name.
const LEVELS: [(&str, Detail); 5] = [
    ("ERROR", Detail::Quiet),
    ("WARNING", Detail::Warnings),
    ("WARN", Detail::Warnings),
    ("INFO", Detail::Normal),
    ("DEBUG", Detail::Verbose),
];

/// How much to tell: `-q` and `-v`, else `LAKTORY_LOG_LEVEL`.
///
/// # Errors
/// One for each variable whose value means nothing.
pub(crate) fn detail(args: &Args) -> Result<Detail, Vec<Diagnostic>> {
    let read = |name| std::env::var(name).ok();
    detail_of(args, read)
}

fn detail_of(
    args: &Args,
    read: impl Fn(&'static str) -> Option<String>,
) -> Result<Detail, Vec<Diagnostic>> {
    let given = |name| {
        read(name)
            .map(|value| value.trim().to_owned())
            .filter(|value| !value.is_empty())
    };
    let mut faults = Vec::new();
    let mut detail = Detail::Normal;
    if let Some(name) = given(LOG_LEVEL) {
        match LEVELS
            .iter()
            .find(|(level, _)| level.eq_ignore_ascii_case(&name))
        {
            Some((_, level)) => detail = *level,
            None => faults.push(unknown(
                LOG_LEVEL,
                &name,
                &["ERROR", "WARNING", "INFO", "DEBUG"],
            )),
        }
    }
    if let Some(name) = given(DATAFRAME_API)
        && DataFrameApi::parse(&name).is_none()
    {
        faults.push(unknown(DATAFRAME_API, &name, &["NARWHALS", "NATIVE"]));
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    Ok(match (args.quiet, args.verbose) {
        (true, _) => Detail::Quiet,
        (false, 0) => detail,
        _ => Detail::Verbose,
    })
}

fn unknown(variable: &str, value: &str, known: &[&str]) -> Diagnostic {
    let message = format!("the environment variable `{variable}` cannot be `{value}`");
    let fault = Diagnostic::error("invalid-environment", message);
    match did_you_mean(&value.to_ascii_uppercase(), known.iter().copied()) {
        Some(hint) => fault.hint(hint),
        None => fault,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser as _;

    fn detail_with(args: &[&str], variable: &str, value: &str) -> Result<Detail, Vec<Diagnostic>> {
        let args = Args::try_parse_from([&["laktory"], args, &["version"]].concat()).unwrap();
        detail_of(&args, |name| (name == variable).then(|| value.to_owned()))
    }

    #[test]
    fn options_win_over_the_environment() {
        assert_eq!(detail_with(&[], "", ""), Ok(Detail::Normal));
        assert_eq!(detail_with(&[], LOG_LEVEL, "warning"), Ok(Detail::Warnings));
        assert_eq!(detail_with(&[], LOG_LEVEL, "error"), Ok(Detail::Quiet));
        assert_eq!(
            detail_with(&["-v"], LOG_LEVEL, "error"),
            Ok(Detail::Verbose)
        );
        assert_eq!(detail_with(&["-q"], LOG_LEVEL, "DEBUG"), Ok(Detail::Quiet));
        assert_eq!(detail_with(&[], LOG_LEVEL, " "), Ok(Detail::Normal));
    }

    #[test]
    fn values_that_mean_nothing_are_errors() {
        let faults = detail_with(&["-q"], LOG_LEVEL, "banana").unwrap_err();
        assert!(
            faults[0]
                .message
                .contains("`LAKTORY_LOG_LEVEL` cannot be `banana`")
        );
        assert!(detail_with(&[], DATAFRAME_API, "foo").is_err());
        assert!(detail_with(&[], DATAFRAME_API, "native").is_ok());
    }
}
