//! `test-all-backends`: every test there is, on every driver there is, and a table at the end.
//!
//! Linking engines dominates the cost, so all tests are built for the whole workspace, with one set of features: another
//! selection of packages would have engines built anew. `--only NAME` is the short loop, cases and pipelines on one backend.

use crate::results::Results;
use crate::spark::{Kind, Server};
use crate::{Options, cargo, generate, protoc, python, tidy};

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

/// The unit tests of everything else; `--lib` alone would link every engine into those two.
const LIBRARIES: &[&str] = &[
    "test",
    "--workspace",
    "--exclude",
    "laktory",
    "--exclude",
    "laktory-cli",
    "--lib",
];

/// Carries out the task.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    if let Some(protoc) = protoc::path()? {
        cargo::set_variable("PROTOC", &protoc.display().to_string());
    }
    let metadata = cargo::metadata()?;
    let plugins = cargo::plugins(&metadata);
    let only = options.get("only").map(str::to_lowercase);
    let chosen: Vec<_> = plugins
        .iter()
        .filter(|plugin| match &only {
            Some(only) => plugin.is_backend && *only == plugin.feature,
            None => true,
        })
        .collect();
    if chosen.is_empty() {
        let backends = plugins.iter().filter(|plugin| plugin.is_backend);
        let known: Vec<&str> = backends.map(|plugin| plugin.feature.as_str()).collect();
        return Err(match only {
            Some(only) => format!("there is no driver `{only}`; drivers: {}", known.join(", ")),
            None => "the facade has no driver".to_owned(),
        });
    }
    if kind(options) == "sail" && only.is_none() {
        return Err(
            "Sail runs the cases and pipelines of PYSPARK, not the random trees: use `--only spark --spark sail`"
                .to_owned(),
        );
    }
    let needs_server = chosen.iter().any(|plugin| plugin.feature == "spark");
    let own_server = started(options)?.filter(|_| needs_server);
    let with_delta = only.is_none() && own_server == Some(Kind::Spark);
    let tidy = tidy::run();
    // What is missing is said before anything is built.
    for kind in own_server
        .into_iter()
        .chain(with_delta.then_some(Kind::Sail))
    {
        kind.prepare()?;
    }
    match options.get("readers") {
        // Readers that do not answer are a failure then, no reason to ignore tests.
        None => cargo::set_variable(
            "LAKTORY_READERS_PYTHON",
            &python::readers()?.display().to_string(),
        ),
        Some("none") => {}
        Some(other) => return Err(format!("`--readers {other}` is not `--readers none`")),
    }
    if let Some(count) = options.get("statements") {
        if count.replace('_', "").parse::<u64>().is_err() {
            return Err(format!("`--statements {count}` is no number"));
        }
        cargo::set_variable("LAKTORY_STATEMENTS", count);
    }
    // The server starts behind the build, which takes long when it is cold, and all of the machine.
    let build = match &only {
        None => ["test", "--workspace", "--tests", "--no-run"].to_vec(),
        Some(_) => {
            let suites = ["--test", "conformance", "--test", "pipelines", "--no-run"];
            [LIBRARIES, &suites].concat()
        }
    };
    if !cargo::stream(&build, |_| {})? {
        return Err("the tests do not build".to_owned());
    }
    let (mut results, has_server) = on_engines(options, only.as_deref(), needs_server)?;
    results.check("tidy", tidy);
    if with_delta {
        delta(&mut results)?;
    }
    if only.is_none() {
        tests(&mut results, "tests without a driver", WITHOUT_DRIVERS)?;
        tests(
            &mut results,
            "doc tests",
            &["test", "--workspace", "--doc", "--no-fail-fast"],
        )?;
        results.check("generated pages", generate::check());
        third_party(&mut results)?;
    }
    // Features of the facade may be named for the engine rather than the backend: spark provides PYSPARK.
    for plugin in chosen.iter().filter(|plugin| plugin.is_backend) {
        if plugin.feature == "spark" && !has_server {
            continue;
        }
        results.require(backend_of(&plugin.feature));
    }
    check_alone(&mut results, None)?;
    for plugin in &chosen {
        check_alone(&mut results, Some(&plugin.feature))?;
    }
    println!("\n{}", results.table());
    match results.failed() {
        0 => Ok(()),
        failed => Err(format!("{failed} failed")),
    }
}

/// The tests of engines, and whether PYSPARK had a server. They run once more on another server when theirs ended by itself,
/// for which no test is to blame; a server that ends twice is a failure.
fn on_engines(
    options: &Options,
    only: Option<&str>,
    needs_server: bool,
) -> Result<(Results, bool), String> {
    let mut again = true;
    loop {
        let mut results = Results::default();
        // Lives until the last of these tests has run.
        let (server, remote) = match needs_server {
            true => server(options)?,
            false => (None, None),
        };
        if let Some(remote) = &remote {
            cargo::set_variable("LAKTORY_SPARK_REMOTE", remote);
            // A server that does not answer is a failure then, no reason to ignore cases.
            cargo::set_variable("LAKTORY_CONFORMANCE_REQUIRE", backend_of("spark"));
            if !answers()? {
                let log = server.as_ref().map(Server::log).unwrap_or_default();
                return Err(format!(
                    "the server at `{remote}` does not answer a query\n{log}"
                ));
            }
        }
        suites(&mut results, only)?;
        small_streams(&mut results, options, remote.as_deref())?;
        let ended = server.map_or(Ok(()), |mut server| server.still_runs());
        match ended {
            Err(error) if again => {
                println!("the server of PYSPARK {error}\nonce more, on another one");
                again = false;
            }
            outcome => {
                results.check("the server of PYSPARK", outcome);
                return Ok((results, remote.is_some()));
            }
        }
    }
}

/// All suites, or cases and pipelines of one backend.
fn suites(results: &mut Results, only: Option<&str>) -> Result<(), String> {
    let Some(only) = only else {
        let all = ["test", "--workspace", "--tests", "--no-fail-fast"];
        return tests(results, "tests", &all);
    };
    let filter = format!("{}::", backend_of(only));
    let of_backend = [
        "test",
        "--workspace",
        "--no-fail-fast",
        "--test",
        "conformance",
        "--test",
        "pipelines",
        "--",
        &filter,
    ];
    tests(results, "cases and pipelines", &of_backend)
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
fn server(options: &Options) -> Result<(Option<Server>, Option<String>), String> {
    let Some(kind) = started(options)? else {
        return Ok((None, options.get("connect").map(str::to_owned)));
    };
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

/// What kind of server is started, if any.
fn started(options: &Options) -> Result<Option<Kind>, String> {
    match kind(options) {
        _ if options.get("connect").is_some() => Ok(None),
        "none" => Ok(None),
        kind => Kind::parse(kind).map(Some),
    }
}

fn kind(options: &Options) -> &str {
    options.get("spark").unwrap_or("spark")
}

/// A server is ready when it answers a query. A port may be open long before that.
fn answers() -> Result<bool, String> {
    let query = ["--", "--ignored", "a_server_answers_a_query"];
    cargo::stream(&[LIBRARIES, &query].concat(), |_| {})
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
    let long = ["--", "--ignored", "every_row_arrives"];
    tests(
        results,
        "long results of Spark",
        &[LIBRARIES, &long].concat(),
    )
}

/// Delta tables, on Sail: no registry has what Spark needs for them.
fn delta(results: &mut Results) -> Result<(), String> {
    let server = Server::start(Kind::Sail, &[])?;
    cargo::set_variable("LAKTORY_SPARK_REMOTE", &server.remote());
    cargo::set_variable("LAKTORY_CONFORMANCE_SERVER", "sail");
    let arguments = [
        "test",
        "--workspace",
        "--test",
        "pipelines",
        "--",
        "pyspark::delta/",
    ];
    tests(results, "Delta tables", &arguments)
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
