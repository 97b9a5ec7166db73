//! `laktory test --record NODE`: a test made of real rows, on standard output.

use laktory::Surroundings;
use laktory::core::Registry;
use laktory::core::secret::is_secret;
use laktory::syntax::Diagnostic;
use laktory::testing::{TestOptions, record as recorded};

use crate::args::{StackArgs, TestArgs};
use crate::commands::found;
use crate::cut_off;
use crate::exit::Failure;
use crate::log::NoLog;
use crate::out::print;

/// Parts of names of columns that tell of people.
const PEOPLE: [&str; 16] = [
    "email",
    "e_mail",
    "phone",
    "mobile",
    "address",
    "street",
    "birth",
    "ssn",
    "iban",
    "passport",
    "first_name",
    "last_name",
    "full_name",
    "surname",
    "user_name",
    "salary",
];

/// Prints the test.
pub(super) fn record(
    args: &TestArgs,
    node: &str,
    surroundings: &Surroundings,
    registry: &Registry,
) -> Result<(), Failure> {
    let file = match args.paths.as_slice() {
        [] => found::file(None, &StackArgs::default())?.path,
        [file] => file.clone(),
        _ => {
            let fault = Diagnostic::error("usage", "`--record` takes one pipeline");
            return Err(Failure::usage(vec![fault]));
        }
    };
    let options = TestOptions {
        surroundings: surroundings.clone(),
        backend: args.around.backend.clone(),
        run: args.around.run_options(registry)?,
    };
    let files = options.run.files.clone();
    let masks = |name: &str| masked(name, &args.mask);
    let work = recorded(&file, node, args.rows, masks, (registry, &options), &NoLog);
    let (text, _) = cut_off::block_on(laktory::runtime()?, &files, work)?;
    print(text?.trim_end())
}

/// Whether the values of a column are not for a file.
fn masked(name: &str, asked: &[String]) -> bool {
    let plain = name.to_ascii_lowercase().replace(['-', ' '], "_");
    is_secret(name)
        || PEOPLE.iter().any(|word| plain.contains(word))
        || asked.iter().any(|asked| asked.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn columns_of_people_are_masked() {
        for name in ["Email", "home-address", "api_key", "x"] {
            assert!(masked(name, &["X".to_owned()]), "{name}");
        }
        assert!(!masked("symbol", &[]));
    }
}
