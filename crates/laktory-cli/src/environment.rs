//! How much the command tells: by its options, or `LAKTORY_LOG_LEVEL`. docs/command-line.md lists the variables that others read.

use laktory::syntax::{Diagnostic, did_you_mean};

use crate::args::Args;
use crate::log::Detail;

const LOG_LEVEL: &str = "LAKTORY_LOG_LEVEL";

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
/// A value of the variable that means nothing.
pub(crate) fn detail(args: &Args) -> Result<Detail, Vec<Diagnostic>> {
    detail_of(args, std::env::var(LOG_LEVEL).ok().as_deref())
}

fn detail_of(args: &Args, level: Option<&str>) -> Result<Detail, Vec<Diagnostic>> {
    let named = match level.map(str::trim) {
        None | Some("") => Detail::Normal,
        Some(name) => LEVELS
            .iter()
            .find(|(level, _)| level.eq_ignore_ascii_case(name))
            .map(|(_, level)| *level)
            .ok_or_else(|| vec![unknown(name)])?,
    };
    Ok(match (args.quiet, args.verbose) {
        (true, _) => Detail::Quiet,
        (false, 0) => named,
        _ => Detail::Verbose,
    })
}

fn unknown(level: &str) -> Diagnostic {
    let message = format!("the environment variable `{LOG_LEVEL}` cannot be `{level}`");
    let fault = Diagnostic::error("invalid-environment", message);
    let known = ["ERROR", "WARNING", "INFO", "DEBUG"];
    match did_you_mean(&level.to_ascii_uppercase(), known) {
        Some(hint) => fault.hint(hint),
        None => fault,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser as _;

    fn detail_with(args: &[&str], level: &str) -> Result<Detail, Vec<Diagnostic>> {
        let args = Args::try_parse_from([&["laktory"], args, &["version"]].concat()).unwrap();
        detail_of(&args, Some(level))
    }

    #[test]
    fn options_win_over_the_environment() {
        assert_eq!(detail_with(&[], ""), Ok(Detail::Normal));
        assert_eq!(detail_with(&[], "warning"), Ok(Detail::Warnings));
        assert_eq!(detail_with(&[], "error"), Ok(Detail::Quiet));
        assert_eq!(detail_with(&["-v"], "error"), Ok(Detail::Verbose));
        assert_eq!(detail_with(&["-q"], "DEBUG"), Ok(Detail::Quiet));
        assert_eq!(detail_with(&[], " "), Ok(Detail::Normal));
    }

    #[test]
    fn values_that_mean_nothing_are_errors() {
        let faults = detail_with(&["-q"], "banana").unwrap_err();
        assert!(
            faults[0]
                .message
                .contains("`LAKTORY_LOG_LEVEL` cannot be `banana`")
        );
    }
}
