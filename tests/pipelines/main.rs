//! Whole pipelines, run by the command line as users run it: each case is one YAML file with input files, a pipeline,
//! the exit code, and every error or output that must come of it. Plus tests that need a program: kills, races.

mod case;
mod kill;

use libtest_mimic::{Arguments, Trial};

fn main() -> std::process::ExitCode {
    let arguments = Arguments::from_args();
    let mut trials: Vec<Trial> = case::all()
        .into_iter()
        .map(|case| Trial::test(case.name.clone(), move || case.run().map_err(Into::into)))
        .collect();
    assert!(trials.len() > 1, "no cases were found");
    trials.extend(kill::trials());
    libtest_mimic::run(&arguments, trials).exit_code()
}
