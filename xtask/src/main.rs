//! Development tasks, run with `cargo xtask TASK`.
//!
//! Everything that contributors and CI need beyond plain cargo is here, in Rust, so that it runs wherever the project
//! builds. Tasks print to the terminal; nothing here is part of the product.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "tasks talk to the terminal"
)]

mod bench;
mod cargo;
mod gen_data;
mod generate;
mod new_backend;
mod protoc;
mod public_api;
mod python;
mod results;
mod spark;
mod spark_bench;
mod test_backends;
mod tidy;
mod tpch;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask <task>

tasks:
  test-all-backends [--only NAME] [--spark spark|sail|none] [--connect sc://HOST:PORT] [--readers none] [--statements N]
                                    every test, on every driver, and a table of what came of it; PYSPARK runs on a
                                    server that is started for it, or on the one named; Sail
                                    starts in a moment: --only spark --spark sail; what pipelines write is read back by
                                    polars, pyarrow and duckdb of Python, unless --readers is none; --statements draws more
                                    or fewer random statements
  protoc                            prints the path of a protobuf compiler, which building laktory-spark needs
  tidy                              the rules of the house: dependency directions, layout, wording
  generate [--check]                the pages of docs/ that are printed from what the command says: support matrix, steps,
                                    expressions, SQL, command line, JSON schema; --check says which are stale
  public-api [--check]              accepts what is public of the crates that drivers outside of the repository use, or
                                    compares it with the lists that are kept
  new-backend NAME                  the skeleton of a driver in plugins/laktory-NAME, and the lines that link it
  bench [--rows N] [--runs N]       time and memory beside the same work written by hand; start-up; validation
  bench --suite tpch [--scale SF] [--runs N] [--profile dev]
                                    queries of TPC-H as pipelines, beside the same SQL given to the engine
  bench --suite spark [--rows N] [--runs N] [--profile dev]
                                    what nodes add to Spark, beside the same steps sent by pyspark; transfers between engines
  gen-data [--rows N] [--out DIR] [--seed S] [--files N]
                                    stock prices as JSON Lines, the same for the same seed
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((task, rest)) = arguments.split_first() else {
        eprint!("{USAGE}");
        return ExitCode::from(2);
    };
    let outcome = match task.as_str() {
        "test-all-backends" => {
            Options::parse(rest, &["only", "spark", "connect", "readers", "statements"])
                .and_then(|options| test_backends::run(&options))
        }
        "new-backend" => new_backend::run(rest),
        "protoc" => Options::parse(rest, &[]).and_then(|_| protoc::run()),
        "tidy" => Options::parse(rest, &[]).and_then(|_| tidy::run()),
        "generate" => generate::run(rest),
        "public-api" => public_api::run(rest),
        "bench" => Options::parse(rest, &["rows", "runs", "suite", "scale", "profile"])
            .and_then(|options| bench::run(&options)),
        "gen-data" => Options::parse(rest, &["rows", "out", "seed", "files"])
            .and_then(|options| gen_data::run(&options)),
        "help" | "--help" | "-h" => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        other => Err(format!("there is no task `{other}`\n\n{USAGE}")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", error.trim_end());
            ExitCode::FAILURE
        }
    }
}

/// Options of a task: `--name value` or `--name=value`.
#[derive(Debug, Default)]
struct Options(Vec<(String, String)>);

impl Options {
    fn parse(arguments: &[String], known: &[&str]) -> Result<Self, String> {
        let mut options = Vec::new();
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let Some(option) = argument.strip_prefix("--") else {
                return Err(format!("`{argument}` is not an option of this task"));
            };
            let (name, value) = match option.split_once('=') {
                Some((name, value)) => (name, value.to_owned()),
                None => match arguments.next() {
                    Some(value) => (option, value.clone()),
                    None => return Err(format!("`{argument}` needs a value")),
                },
            };
            if !known.contains(&name) {
                return Err(format!("`--{name}` is not an option of this task"));
            }
            options.push((name.to_owned(), value));
        }
        Ok(Self(options))
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .rev()
            .find_map(|(known, value)| (known == name).then_some(value.as_str()))
    }

    fn number(&self, name: &str, default: u64) -> Result<u64, String> {
        match self.get(name) {
            None => Ok(default),
            Some(text) => text
                .replace('_', "")
                .parse()
                .map_err(|_| format!("`--{name} {text}` is not a number")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_in_both_forms() {
        let arguments = ["--rows", "2_000", "--out=a b"].map(str::to_owned);
        let options = Options::parse(&arguments, &["rows", "out"]).unwrap();
        assert_eq!(options.number("rows", 80), Ok(2000));
        assert_eq!(options.get("out"), Some("a b"));
        assert_eq!(options.number("seed", 7), Ok(7));
        assert!(
            Options::parse(&arguments, &["rows"])
                .unwrap_err()
                .contains("--out")
        );
        assert!(Options::parse(&arguments[..1], &["rows"]).is_err());
    }
}
