//! Whole pipelines, run by the command line as users run it: each case is one YAML file with input files, a pipeline,
//! the exit code, and every error or output that must come of it. Plus tests that need a program: kills, races, full
//! disks, thousands of nodes.

mod attack;
mod case;
mod cdc;
mod damaged;
mod delta;
mod engines;
mod example;
mod kill;
mod large;
mod lineage;
mod memory;
mod mistakes;
mod options;
mod pairs;
mod parts;
mod random;
mod readers;
mod schema;
mod secrets;
mod sizes;
mod start;
mod strict;
mod tables;
mod tpch;
mod world;

use libtest_mimic::{Arguments, Trial};

fn main() -> std::process::ExitCode {
    let arguments = Arguments::from_args();
    let mut trials: Vec<Trial> = case::all().into_iter().map(case::Case::trial).collect();
    assert!(trials.len() > 1, "no cases were found");
    trials.extend(attack::trials());
    trials.extend(cdc::trials());
    trials.extend(damaged::trials());
    trials.extend(delta::trials());
    trials.extend(engines::trials());
    trials.extend(example::trials());
    trials.extend(kill::trials());
    trials.extend(large::trials());
    trials.extend(lineage::trials());
    trials.extend(memory::trials());
    trials.extend(mistakes::trials());
    trials.extend(options::trials());
    trials.extend(pairs::trials());
    trials.extend(parts::trials());
    trials.extend(readers::trials());
    trials.extend(schema::trials());
    trials.extend(secrets::trials());
    trials.extend(strict::trials());
    trials.extend(tables::trials());
    trials.extend(tpch::trials());
    trials.extend(world::trials());
    for engine in case::engines() {
        for path in engine.gaps.keys() {
            let name = engine.test_name(path);
            let known = trials.iter().any(|trial| trial.name() == name);
            assert!(known, "gaps of {}: no test is called `{path}`", engine.name);
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}
