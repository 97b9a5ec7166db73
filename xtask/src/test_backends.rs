//! `test-all-backends`: every test there is, on every driver there is, and a table at the end.
//!
//! Linking engines dominates the cost, so all tests are built for the whole workspace, with one set of features: another
//! selection of packages would have engines built anew. `--only NAME` is the short loop, conformance on one backend.

use crate::results::Results;
use crate::spark::{Kind, Server};
use crate::{Options, cargo, matrix, protoc, tidy};

/// The facade and the command line have few unit tests, which would link every engine for nothing.
const WITHOUT_DRIVERS: &[&str] = &[
    "test",
    "-p",
    "laktory",
    "-p",
    "laktory-cli",
    "--no-default-features",
    "--lib",
];

/// Carries out the task.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    if let Some(protoc) = protoc::path()? {
        cargo::set_variable("PROTOC", &protoc.display().to_string());
    }
    let metadata = cargo::metadata()?;
    let drivers = cargo::drivers(&metadata);
    let only = options.get("only").map(str::to_lowercase);
    let chosen: Vec<_> = drivers
        .iter()
        .filter(|(feature, _)| only.as_ref().is_none_or(|only| only == feature))
        .collect();
    if chosen.is_empty() {
        let known: Vec<&str> = drivers
            .iter()
            .map(|(feature, _)| feature.as_str())
            .collect();
        return Err(match only {
            Some(only) => format!("there is no driver `{only}`; drivers: {}", known.join(", ")),
            None => "the facade has no driver".to_owned(),
        });
    }
    if kind(options) == "sail" && only.is_none() {
        return Err(
            "Sail runs the cases of PYSPARK, not the pipelines: use `--only spark --spark sail`"
                .to_owned(),
        );
    }
    // Lives until the last test has run.
    let (_server, remote) = server(options, &chosen)?;
    if let Some(remote) = &remote {
        cargo::set_variable("LAKTORY_SPARK_REMOTE", remote);
        // A server that does not answer is a failure then, no reason to ignore cases.
        cargo::set_variable("LAKTORY_CONFORMANCE_REQUIRE", backend_of("spark"));
    }
    let mut results = Results::default();
    results.check("tidy", tidy::run());
    match &only {
        None => {
            tests(
                &mut results,
                "tests",
                &["test", "--workspace", "--tests", "--no-fail-fast"],
            )?;
            tests(&mut results, "tests without a driver", WITHOUT_DRIVERS)?;
            tests(
                &mut results,
                "doc tests",
                &["test", "--workspace", "--doc", "--no-fail-fast"],
            )?;
            results.check("support matrix", matrix::check());
        }
        Some(only) => {
            let filter = format!("{}::", backend_of(only));
            let conformance = [
                "test",
                "--workspace",
                "--test",
                "conformance",
                "--",
                &filter,
            ];
            tests(&mut results, "conformance", &conformance)?;
        }
    }
    small_streams(&mut results, options, remote.as_deref())?;
    if only.is_none() {
        third_party(&mut results)?;
    }
    // Features of the facade may be named for the engine rather than the backend: spark provides PYSPARK.
    for (feature, _) in &chosen {
        if feature == "spark" && remote.is_none() {
            continue;
        }
        results.require(backend_of(feature));
    }
    check_alone(&mut results, None)?;
    for (feature, _) in &chosen {
        check_alone(&mut results, Some(feature))?;
    }
    println!("\n{}", results.table());
    match results.failed() {
        0 => Ok(()),
        failed => Err(format!("{failed} failed")),
    }
}

/// Properties of the server: results are sent in many short streams, so that a client that takes the end of a stream for
/// the end of the result does not pass.
/// It asks for a token, so that a wrong one can be tried.
const PROPERTIES: &[&str] = &[
    "spark.connect.execute.reattachable.senderMaxStreamSize=2m",
    "spark.connect.execute.reattachable.senderMaxStreamDuration=20s",
    "spark.connect.authenticate.token=letmein",
];
const TOKEN: &str = "letmein";

/// The server of PYSPARK: the one that `--connect` names, or a fresh one of the kind that `--spark` names, which is Spark
/// unless it says otherwise.
fn server(
    options: &Options,
    chosen: &[&(String, String)],
) -> Result<(Option<Server>, Option<String>), String> {
    if let Some(remote) = options.get("connect") {
        return Ok((None, Some(remote.to_owned())));
    }
    let kind = kind(options);
    if kind == "none" || !chosen.iter().any(|(feature, _)| feature == "spark") {
        return Ok((None, None));
    }
    let kind = Kind::parse(kind)?;
    if kind == Kind::Sail {
        let server = Server::start(kind, &[])?;
        let remote = server.remote();
        cargo::set_variable("LAKTORY_CONFORMANCE_SERVER", "sail");
        return Ok((Some(server), Some(remote)));
    }
    let server = Server::start(kind, PROPERTIES)?;
    let remote = format!("{}/;token={TOKEN}", server.remote());
    // Some tests start servers of their own.
    cargo::set_variable("LAKTORY_SPARK_HOME", &server.home().display().to_string());
    Ok((Some(server), Some(remote)))
}

fn kind(options: &Options) -> &str {
    options.get("spark").unwrap_or("spark")
}

/// A result that the server sends in many streams arrives whole. The server must be a Spark with settings of its own.
fn small_streams(
    results: &mut Results,
    options: &Options,
    remote: Option<&str>,
) -> Result<(), String> {
    let Some(remote) = remote else {
        return Ok(());
    };
    if kind(options) != "spark" || options.get("connect").is_some() {
        return Ok(());
    }
    cargo::set_variable("LAKTORY_SPARK_SMALL_STREAMS", remote);
    let arguments = [
        "test",
        "--workspace",
        "--lib",
        "--",
        "--ignored",
        "every_row_arrives",
    ];
    tests(results, "long results of Spark", &arguments)
}

/// The driver that uses the contract from outside: its cases, and a pipeline by a command of its own. It builds in a folder
/// of its own, since it is a workspace with other features.
fn third_party(results: &mut Results) -> Result<(), String> {
    let target = cargo::target()?.join("third-party-driver");
    let arguments = [
        "test",
        "--manifest-path",
        "examples/third-party-driver/Cargo.toml",
        "--workspace",
        "--locked",
        "--no-fail-fast",
        "--target-dir",
        &target.display().to_string(),
        // Built once and thrown away: what incremental builds keep is a third of the folder.
        "--config",
        "profile.dev.incremental=false",
    ];
    tests(results, "third-party driver", &arguments)?;
    results.require("ARROWLITE");
    Ok(())
}

/// The backend that a driver's feature links.
pub(crate) fn backend_of(feature: &str) -> &str {
    match feature {
        "spark" => "pyspark",
        other => other,
    }
}

fn tests(results: &mut Results, what: &str, arguments: &[&str]) -> Result<(), String> {
    let before = results.failed();
    let success = cargo::stream(arguments, |line| results.see(line))?;
    results.finished(what, success, before);
    Ok(())
}

/// The facade with one driver, or none, builds and holds no other engine.
fn check_alone(results: &mut Results, feature: Option<&str>) -> Result<(), String> {
    let what = match feature {
        Some(feature) => format!("facade with {feature} alone"),
        None => "facade without drivers".to_owned(),
    };
    let mut arguments = vec!["check", "-p", "laktory", "--no-default-features"];
    arguments.extend(feature.map(|_| "--features"));
    arguments.extend(feature);
    let built = cargo::stream(&arguments, |_| {})?;
    let outcome = if built {
        Ok(())
    } else {
        Err("does not build".to_owned())
    };
    results.check(&what, outcome);
    match tidy::engines(feature) {
        Ok(packages) => results.combination(&what, packages),
        Err(error) => results.check(&format!("engines in the {what}"), Err(error)),
    }
    Ok(())
}
