//! A Spark server on this machine for sessions that name none: found by `SPARK_HOME` or as a `pyspark` wheel, started on
//! a free port of the loopback, and stopped with the session, also when this program is killed.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use laktory_core::{Cancel, Error, ErrorKind, Result};

/// How long a server may take until it accepts connections.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long a server may take to stop before it is left to its supervisor.
const GRACE: Duration = Duration::from_secs(10);

/// What runs the server, and stops it as soon as this program is gone.
const SUPERVISOR: &str = include_str!("supervisor.sh");

/// A running server, stopped when dropped.
#[derive(Debug)]
pub(crate) struct LocalServer {
    child: Child,
    /// Open for as long as the server shall run.
    life: Option<ChildStdin>,
    port: u16,
    folder: PathBuf,
}

impl LocalServer {
    /// Starts the Spark of this machine; none when there is none. Blocks until the server accepts connections.
    ///
    /// # Errors
    /// `Unsupported` for an installation without Connect server; `Io` when it does not start; `Cancelled`.
    pub(crate) fn start(scratch: &Path, cancel: &Cancel) -> Result<Option<Self>> {
        match home(&|name| std::env::var_os(name).map(PathBuf::from))? {
            Some(home) => Self::of(&home, scratch, cancel).map(Some),
            None => Ok(None),
        }
    }

    fn of(home: &Path, scratch: &Path, cancel: &Cancel) -> Result<Self> {
        if !cfg!(unix) {
            return Err(
                Error::unsupported("a Spark server is started on Unix systems only")
                    .with_hint("start one, and name it in `SPARK_REMOTE`"),
            );
        }
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
            .local_addr()?
            .port();
        // Warehouse, artifacts and logs land in its working directory.
        let folder = scratch.with_file_name(format!("laktory-spark-{}-{port}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        let log = std::fs::File::create(folder.join("log"))?;
        tracing::info!(home = %home.display(), port, "Starting a Spark server on this machine");
        let mut command = Command::new("sh");
        command
            .args(["-c", SUPERVISOR, "sh"])
            .arg(home.join("bin/spark-submit"))
            .args(arguments(port, &folder))
            .env("SPARK_HOME", home)
            .env("SPARK_LOCAL_IP", "127.0.0.1")
            .current_dir(&folder)
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log);
        let mut child = command
            .spawn()
            .map_err(|error| Error::from(error).context("cannot start a Spark server"))?;
        let life = child.stdin.take();
        let mut server = Self {
            child,
            life,
            port,
            folder,
        };
        server.wait_until_ready(home, cancel)?;
        Ok(server)
    }

    /// The connection string.
    pub(crate) fn remote(&self) -> String {
        format!("sc://127.0.0.1:{}", self.port)
    }

    fn wait_until_ready(&mut self, home: &Path, cancel: &Cancel) -> Result<()> {
        let started = Instant::now();
        let failed = |what: &str, log: &str| {
            Error::new(
                ErrorKind::Io,
                format!("the Spark of `{}` {what}: {log}", home.display()),
            )
            .with_hint("it needs Java 17; set `SPARK_REMOTE` to use a server that runs already")
        };
        while started.elapsed() < PATIENCE {
            cancel.check()?;
            if let Ok(Some(_)) = self.child.try_wait() {
                return Err(failed("does not start", &self.last_words()));
            }
            let address = (Ipv4Addr::LOCALHOST, self.port).into();
            if TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Err(failed("does not get ready", &self.last_words()))
    }

    /// The last line of what the server wrote.
    fn last_words(&self) -> String {
        let text = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        let line = text.lines().rev().find(|line| !line.trim().is_empty());
        line.unwrap_or("it wrote nothing").trim().to_owned()
    }
}

impl Drop for LocalServer {
    fn drop(&mut self) {
        drop(self.life.take());
        let started = Instant::now();
        while started.elapsed() < GRACE {
            if !matches!(self.child.try_wait(), Ok(None)) {
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn arguments(port: u16, folder: &Path) -> Vec<String> {
    let mut arguments: Vec<String> = [
        "--master",
        "local[*]",
        "--class",
        "org.apache.spark.sql.connect.service.SparkConnectServer",
    ]
    .map(str::to_owned)
    .into();
    for property in [
        "spark.connect.grpc.binding.address=127.0.0.1".to_owned(),
        format!("spark.connect.grpc.binding.port={port}"),
        "spark.ui.enabled=false".to_owned(),
        format!(
            "spark.sql.warehouse.dir={}",
            folder.join("warehouse").display()
        ),
    ] {
        arguments.extend(["--conf".to_owned(), property]);
    }
    arguments.push("spark-internal".to_owned());
    arguments
}

/// The installation of Spark on this machine.
///
/// # Errors
/// `Unsupported` when it holds no Connect server.
fn home(environment: &dyn Fn(&str) -> Option<PathBuf>) -> Result<Option<PathBuf>> {
    let Some((home, why)) = environment("SPARK_HOME")
        .map(|home| (home, "SPARK_HOME"))
        .or_else(|| wheel(environment).map(|home| (home, "the `pyspark` wheel")))
    else {
        return Ok(None);
    };
    let jars = home.join("jars");
    let has_server = std::fs::read_dir(&jars).is_ok_and(|entries| {
        entries.flatten().any(|entry| {
            let name = entry.file_name();
            name.to_string_lossy().starts_with("spark-connect_")
        })
    });
    if has_server {
        return Ok(Some(home));
    }
    Err(Error::unsupported(format!(
        "{why} is `{}`, which holds no Spark Connect server",
        home.display()
    ))
    .with_hint("Spark 4.0 or later is needed; or set `SPARK_REMOTE`"))
}

/// The folder of the `pyspark` package of the Python in use: that of a virtual environment, else the one of the path.
fn wheel(environment: &dyn Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    let python = match environment("VIRTUAL_ENV") {
        Some(folder) => folder.join("bin/python3"),
        None => environment("PYTHON").unwrap_or_else(|| "python3".into()),
    };
    let find = "import importlib.util as u; s = u.find_spec('pyspark'); print(s.submodule_search_locations[0] if s else '')";
    let output = Command::new(python)
        .args(["-c", find])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let folder = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
    // `pyspark-client` is a wheel of the same name without a server.
    (output.status.success() && folder.join("bin/spark-submit").is_file()).then_some(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_installation_without_connect_server_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().to_path_buf();
        let error = home(&|name| (name == "SPARK_HOME").then(|| at.clone())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.message().starts_with("SPARK_HOME is `"), "{error}");
        std::fs::create_dir(folder.path().join("jars")).unwrap();
        std::fs::write(folder.path().join("jars/spark-connect_2.13-4.1.0.jar"), "").unwrap();
        let found = home(&|name| (name == "SPARK_HOME").then(|| at.clone())).unwrap();
        assert_eq!(found.as_deref(), Some(folder.path()));
    }

    #[test]
    fn a_python_without_spark_is_none() {
        let none = home(&|name| (name == "PYTHON").then(|| "/nonexistent/python".into()));
        assert_eq!(none.unwrap(), None);
    }

    #[test]
    fn a_server_that_does_not_start_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let bin = folder.path().join("bin");
        std::fs::create_dir(&bin).unwrap();
        let submit = bin.join("spark-submit");
        std::fs::write(
            &submit,
            "#!/bin/sh\necho JAVA_HOME is not set >&2\nexit 1\n",
        )
        .unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            std::fs::set_permissions(&submit, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        let scratch = folder.path().join("scratch");
        let error = LocalServer::of(folder.path(), &scratch, &Cancel::new()).unwrap_err();
        assert!(
            error
                .message()
                .ends_with("does not start: JAVA_HOME is not set"),
            "{error}"
        );
        assert!(error.hint().unwrap().contains("Java 17"));
    }
}
