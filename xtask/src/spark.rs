//! A Spark Connect server for tests: installed below the target folder, started on a free port of the loopback, ready
//! when it answers, stopped whatever happens to this program.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use crate::{cargo, python};

/// How long a server may take until it accepts connections.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long a server may take to stop by itself.
const GRACE: Duration = Duration::from_secs(10);

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Apache Spark; needs Java 17.
    Spark,
    /// Sail, which starts in a moment.
    Sail,
}

impl Kind {
    /// The server called `name`.
    pub(crate) fn parse(name: &str) -> Result<Self, String> {
        match name {
            "spark" => Ok(Self::Spark),
            "sail" => Ok(Self::Sail),
            other => Err(format!(
                "there is no server `{other}`; servers: spark, sail"
            )),
        }
    }

    /// What is installed. Every release of the 4.1 line speaks the protocol that the driver was tested with.
    fn packages(self) -> &'static [&'static str] {
        match self {
            Self::Spark => &["pyspark==4.1.*"],
            Self::Sail => &["pyspark==4.1.*", "pysail"],
        }
    }

    /// Installs the server where it is missing, and returns its virtual environment.
    ///
    /// # Errors
    /// A sentence about what is missing and how to get it.
    pub(crate) fn prepare(self) -> Result<PathBuf, String> {
        if self == Self::Spark {
            has_java()?;
        }
        python::install(self.environment(), self.packages(), HINT)
    }

    /// The virtual environment's name.
    fn environment(self) -> &'static str {
        match self {
            Self::Spark => "spark-venv",
            Self::Sail => "sail-venv",
        }
    }
}

const HINT: &str = "the server of the PYSPARK tests is installed with Python 3 (Debian and Ubuntu: `apt install python3-venv`), from the \
                    Python package index; leave PYSPARK out with `--spark none`";

/// For a server that lives some minutes on a machine that has other things to do. Plans of deep expressions need deep stacks: a
/// task whose stack overflows ends the server.
const JAVA_OPTIONS: &str = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xss8m";
/// Pools that take a new thread for each query up to a thousand, and keep it for a minute: many short queries would fill
/// the machine with threads.
const THREAD_POOLS: [&str; 4] = [
    "broadcastExchange",
    "resultQueryStage",
    "shuffleExchange",
    "subquery",
];

/// What runs the server, and stops it as soon as this program is gone: as the driver has it.
const SUPERVISOR: &str = include_str!("../../plugins/laktory-spark/src/supervisor.sh");

/// A running server, stopped when dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    /// Open for as long as the server shall run.
    life: Option<ChildStdin>,
    port: u16,
    folder: PathBuf,
    /// The installation of Spark beside it.
    home: PathBuf,
}

impl Server {
    /// Installs what is missing and starts a server with additional properties (Spark only).
    pub(crate) fn start(kind: Kind, properties: &[&str]) -> Result<Self, String> {
        let environment = kind.prepare()?;
        let port = free_port()?;
        let folder = cargo::target()?.join(format!("spark-server-{}-{port}", std::process::id()));
        let describe = |error: std::io::Error| format!("{}: {error}", folder.display());
        std::fs::create_dir_all(&folder).map_err(describe)?;
        let log = std::fs::File::create(folder.join("log")).map_err(describe)?;
        let server = match kind {
            Kind::Spark => spark(&environment, &folder, port, properties)?,
            Kind::Sail => sail(&environment, &folder, port),
        };
        let mut command = supervised(&server);
        command
            .current_dir(&folder)
            .stdin(Stdio::piped())
            .stdout(log.try_clone().map_err(describe)?)
            .stderr(log);
        println!("$ starting a server ({kind:?}) on port {port}");
        let mut child = command
            .spawn()
            .map_err(|error| format!("cannot start the server ({error})"))?;
        let life = child.stdin.take();
        let mut server = Self {
            child,
            life,
            port,
            folder,
            home: spark_home(&environment)?,
        };
        let started = Instant::now();
        server.wait_until_ready()?;
        println!("ready after {:.0} s", started.elapsed().as_secs_f64());
        Ok(server)
    }

    /// The connection string.
    pub(crate) fn remote(&self) -> String {
        format!("sc://127.0.0.1:{}", self.port)
    }

    /// The installation of Spark that it runs.
    pub(crate) fn home(&self) -> &Path {
        &self.home
    }

    /// Whether the server is still there. One that ended by itself failed every test after it.
    ///
    /// # Errors
    /// A sentence with the last lines that it wrote, when it has ended.
    pub(crate) fn still_runs(&mut self) -> Result<(), String> {
        match self.child.try_wait() {
            Ok(None) => Ok(()),
            Ok(Some(status)) => Err(format!("ended by itself ({status})\n{}", self.log())),
            Err(error) => Err(error.to_string()),
        }
    }

    fn wait_until_ready(&mut self) -> Result<(), String> {
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(format!("the server stopped ({status})\n{}", self.log()));
            }
            let address = (Ipv4Addr::LOCALHOST, self.port).into();
            if TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        Err(format!("the server does not get ready\n{}", self.log()))
    }

    /// The end of what the server wrote.
    pub(crate) fn log(&self) -> String {
        let bytes = std::fs::read(self.folder.join("log")).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A server that is asked removes its temporary files.
        drop(self.life.take());
        let started = Instant::now();
        while started.elapsed() < GRACE {
            if let Ok(Some(_)) = self.child.try_wait() {
                break;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A port that nobody listens at. Spark cannot choose one for itself.
fn free_port() -> Result<u16, String> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|error| format!("there is no free port: {error}"))
}

/// The command below the supervisor.
fn supervised(server: &Command) -> Command {
    let mut command = Command::new("sh");
    command
        .args(["-c", SUPERVISOR, "sh"])
        .arg(server.get_program())
        .args(server.get_args());
    for (name, value) in server.get_envs() {
        if let Some(value) = value {
            command.env(name, value);
        }
    }
    command
}

/// Spark is a Java program.
fn has_java() -> Result<(), String> {
    let java = match std::env::var_os("JAVA_HOME") {
        Some(home) => Path::new(&home).join("bin/java"),
        None => PathBuf::from("java"),
    };
    let version = Command::new(&java).arg("-version").output();
    let needed = |what: String| {
        Err(format!(
            "{what}, and the Spark server of the PYSPARK tests needs Java 17 or later: install it (Debian and Ubuntu: \
             `apt install openjdk-17-jre-headless`), or leave PYSPARK out with `--spark none`"
        ))
    };
    match version {
        Ok(output) if output.status.success() => {
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            match java_version(&text) {
                Some(version) if version < 17 => {
                    needed(format!("Java here is of version {version}"))
                }
                _ => Ok(()),
            }
        }
        Ok(output) => needed(format!(
            "`{} -version` failed ({})",
            java.display(),
            output.status
        )),
        Err(error) => needed(format!("there is no `{}` ({error})", java.display())),
    }
}

/// The first number of `openjdk version "17.0.15" 2025-04-15`; that of old releases is the second, `1.8.0`.
fn java_version(text: &str) -> Option<u32> {
    let mut numbers = text.split_once('"')?.1.split(['.', '"', '-']);
    let first: u32 = numbers.next()?.parse().ok()?;
    match first {
        1 => numbers.next()?.parse().ok(),
        first => Some(first),
    }
}

fn spark(
    environment: &Path,
    folder: &Path,
    port: u16,
    properties: &[&str],
) -> Result<Command, String> {
    let home = spark_home(environment)?;
    // The script ends in `exec`, so that its process id is that of the server.
    let mut command = Command::new(home.join("bin/spark-submit"));
    command
        .env("SPARK_HOME", &home)
        .env("SPARK_LOCAL_IP", "127.0.0.1")
        .args(["--master", "local[2]", "--driver-memory", "1g"])
        .args(["--driver-java-options", JAVA_OPTIONS])
        .args([
            "--class",
            "org.apache.spark.sql.connect.service.SparkConnectServer",
        ]);
    let own = [
        "spark.connect.grpc.binding.address=127.0.0.1".to_owned(),
        format!("spark.connect.grpc.binding.port={port}"),
        "spark.ui.enabled=false".to_owned(),
        "spark.sql.shuffle.partitions=2".to_owned(),
        format!(
            "spark.sql.warehouse.dir={}",
            folder.join("warehouse").display()
        ),
    ];
    let pools = THREAD_POOLS.map(|pool| format!("spark.sql.{pool}.maxThreadThreshold=16"));
    let more = properties.iter().map(|property| (*property).to_owned());
    for property in own.into_iter().chain(pools).chain(more) {
        command.arg("--conf").arg(property);
    }
    command.arg("spark-internal");
    Ok(command)
}

/// The folder of Spark in the virtual environment.
fn spark_home(environment: &Path) -> Result<PathBuf, String> {
    let lib = environment.join("lib");
    let entries = std::fs::read_dir(&lib).map_err(|error| format!("{}: {error}", lib.display()))?;
    entries
        .flatten()
        .map(|entry| entry.path().join("site-packages/pyspark"))
        .find(|home| home.is_dir())
        .ok_or_else(|| format!("there is no Spark below {}", lib.display()))
}

fn sail(environment: &Path, folder: &Path, port: u16) -> Command {
    let mut command = Command::new(environment.join("bin/sail"));
    let checkpoints = format!("file://{}/checkpoints", folder.display());
    command.env("SAIL_EXECUTION__CHECKPOINT__PATH", checkpoints);
    command.env("VIRTUAL_ENV", environment).args([
        "spark",
        "server",
        "--ip",
        "127.0.0.1",
        "--port",
        &port.to_string(),
    ]);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_have_names() {
        assert_eq!(Kind::parse("sail"), Ok(Kind::Sail));
        assert!(Kind::parse("flink").unwrap_err().contains("spark, sail"));
    }

    #[test]
    fn versions_of_java_are_read() {
        assert_eq!(
            java_version("openjdk version \"17.0.15\" 2025-04-15"),
            Some(17)
        );
        assert_eq!(java_version("java version \"1.8.0_391\""), Some(8));
        assert_eq!(
            java_version("openjdk version \"21-ea\" 2023-09-19"),
            Some(21)
        );
        assert_eq!(java_version("nothing of the kind"), None);
    }

    #[test]
    fn a_server_ends_with_the_one_who_started_it() {
        let folder =
            std::env::temp_dir().join(format!("laktory-supervised-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let stopped = folder.join("stopped");
        let mut server = Command::new("sh");
        let script = "trap 'echo > \"$0\"; exit' TERM; while :; do sleep 0.05; done";
        server.args(["-c", script]).arg(&stopped);
        let mut child = supervised(&server).stdin(Stdio::piped()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(300));
        assert!(child.try_wait().unwrap().is_none());
        drop(child.stdin.take());
        child.wait().unwrap();
        assert!(stopped.exists());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
