//! A Spark Connect server for tests: installed below the target folder, started on a free port of the loopback, ready
//! when it answers, stopped by its process id whatever happens.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::cargo;

/// What is installed. Every release of the 4.1 line speaks the protocol that the driver was tested with.
const PACKAGES: &[&str] = &["pyspark==4.1.*", "pysail"];
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
}

/// A running server, stopped when dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    port: u16,
    folder: PathBuf,
}

impl Server {
    /// Installs what is missing and starts a server with additional properties (Spark only).
    pub(crate) fn start(kind: Kind, properties: &[&str]) -> Result<Self, String> {
        let target = cargo::target()?;
        let environment = install(&target)?;
        let port = free_port()?;
        let folder = target.join(format!("spark-server-{}-{port}", std::process::id()));
        let describe = |error: std::io::Error| format!("{}: {error}", folder.display());
        std::fs::create_dir_all(&folder).map_err(describe)?;
        let log = std::fs::File::create(folder.join("log")).map_err(describe)?;
        let mut command = match kind {
            Kind::Spark => spark(&environment, &folder, port, properties)?,
            Kind::Sail => sail(&environment, port),
        };
        command
            .current_dir(&folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone().map_err(describe)?)
            .stderr(log);
        println!("$ starting a server ({kind:?}) on port {port}");
        let child = command
            .spawn()
            .map_err(|error| format!("cannot start the server ({error})"))?;
        let mut server = Self {
            child,
            port,
            folder,
        };
        server.wait_until_ready()?;
        Ok(server)
    }

    /// The connection string.
    pub(crate) fn remote(&self) -> String {
        format!("sc://127.0.0.1:{}", self.port)
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
    fn log(&self) -> String {
        let text = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A server that is asked removes its temporary files.
        let asked = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status();
        let started = Instant::now();
        while asked.is_ok() && started.elapsed() < GRACE {
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

/// The virtual environment with the servers, made when it is missing.
fn install(target: &Path) -> Result<PathBuf, String> {
    let environment = target.join("spark-venv");
    let done = environment.join("installed");
    if std::fs::read_to_string(&done).is_ok_and(|known| known == PACKAGES.join("\n")) {
        return Ok(environment);
    }
    println!(
        "$ installing {} into {}",
        PACKAGES.join(", "),
        environment.display()
    );
    let python = std::env::var_os("PYTHON").unwrap_or_else(|| "python3".into());
    succeed(Command::new(python).args(["-m", "venv"]).arg(&environment))?;
    succeed(
        Command::new(environment.join("bin/pip"))
            .args(["install", "--quiet"])
            .args(PACKAGES),
    )?;
    std::fs::write(&done, PACKAGES.join("\n")).map_err(|error| error.to_string())?;
    Ok(environment)
}

fn succeed(command: &mut Command) -> Result<(), String> {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{command:?} failed ({status})")),
        Err(error) => Err(format!(
            "cannot run {command:?} ({error}); Python 3 is needed"
        )),
    }
}

fn spark(
    environment: &Path,
    folder: &Path,
    port: u16,
    properties: &[&str],
) -> Result<Command, String> {
    let java = Command::new("java").arg("-version").output();
    if !java.is_ok_and(|output| output.status.success()) {
        return Err("Spark needs Java 17: install it, or use `--spark sail`".to_owned());
    }
    let home = spark_home(environment)?;
    // The script ends in `exec`, so that the child's process id is that of the server.
    let mut command = Command::new(home.join("bin/spark-submit"));
    command
        .env("SPARK_HOME", &home)
        .env("SPARK_LOCAL_IP", "127.0.0.1")
        .args(["--master", "local[2]", "--driver-memory", "1g"])
        .args([
            "--driver-java-options",
            "-XX:+UseSerialGC -XX:TieredStopAtLevel=1",
        ])
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
    let more = properties.iter().map(|property| (*property).to_owned());
    for property in own.into_iter().chain(more) {
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

fn sail(environment: &Path, port: u16) -> Command {
    let mut command = Command::new(environment.join("bin/sail"));
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
}
