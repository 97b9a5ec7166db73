//! Where the server is and how to be let in: connection strings (`sc://host:port/;key=value`), and the environment and
//! profile file of Databricks. Nothing here touches the network.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use laktory_core::{BackendConfig, Error, ErrorKind, Result};

/// Setting of the backend that holds a connection string.
pub(crate) const SETTING: &str = "spark_remote";
/// Environment variable with a connection string, as for other Spark clients.
const VARIABLE: &str = "SPARK_REMOTE";
/// Port of a Spark Connect server when none is given.
const DEFAULT_PORT: u16 = 15002;

/// A server, and what it asks for.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Address {
    /// Host name or IP address, without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Whether the connection is encrypted.
    pub(crate) tls: bool,
    /// Bearer token.
    pub(crate) token: Option<String>,
    pub(crate) user_id: Option<String>,
    pub(crate) user_agent: Option<String>,
    pub(crate) session_id: Option<String>,
    /// Headers sent with every call, in lower case.
    pub(crate) headers: BTreeMap<String, String>,
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Tokens and headers may be credentials.
        f.debug_struct("Address")
            .field("server", &self.to_string())
            .field("tls", &self.tls)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl Address {
    /// The server that the settings of the backend name, else the environment; none when nothing names one.
    ///
    /// # Errors
    /// `InvalidArgument` when the connection string is malformed.
    pub(crate) fn find(config: &BackendConfig) -> Result<Option<Self>> {
        Self::find_in(config, &|name| {
            std::env::var(name)
                .ok()
                .filter(|value| !value.trim().is_empty())
        })
    }

    fn find_in(
        config: &BackendConfig,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>> {
        if let Some(text) = config.get(SETTING) {
            return Self::parse(text)
                .map(Some)
                .map_err(|error| error.context(format!("setting `{SETTING}`")));
        }
        if let Some(text) = environment(VARIABLE) {
            return Self::parse(&text)
                .map(Some)
                .map_err(|error| error.context(format!("`{VARIABLE}`")));
        }
        databricks(environment)
    }

    /// The error for a session that no server is named for, on a machine without Spark.
    pub(crate) fn missing() -> Error {
        Error::new(
            ErrorKind::InvalidArgument,
            "backend PYSPARK needs a Spark Connect server: nothing names one, and no Spark is installed here",
        )
        .with_hint(format!(
            "set `{VARIABLE}=sc://host:{DEFAULT_PORT}` (or DATABRICKS_HOST, DATABRICKS_TOKEN and DATABRICKS_CLUSTER_ID), or \
             install Spark 4: `SPARK_HOME`, or `pip install \"pyspark>=4\"`, with Java 17"
        ))
    }

    /// Reads a connection string.
    ///
    /// # Errors
    /// `InvalidArgument`, without repeating values, which may be credentials.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let invalid = |why: String| {
            Error::new(
                ErrorKind::InvalidArgument,
                format!("the connection string is malformed: {why}"),
            )
            .with_hint("it looks like `sc://host:15002/;use_ssl=true;token=...;user_id=...`")
        };
        let rest = text
            .trim()
            .strip_prefix("sc://")
            .ok_or_else(|| invalid("it does not begin with `sc://`".to_owned()))?;
        let (server, parameters) = match rest.split_once('/') {
            Some((server, parameters)) => (server, parameters),
            None => (rest, ""),
        };
        if server.contains(';') {
            return Err(invalid(
                "parameters begin with `/;` after the port".to_owned(),
            ));
        }
        let (host, port) = split_server(server).map_err(invalid)?;
        let mut address = Self::new(host, port);
        let mut tls = None;
        for parameter in parameters.split(';').filter(|part| !part.is_empty()) {
            let (name, value) = parameter
                .split_once('=')
                .ok_or_else(|| invalid("a parameter is not `name=value`".to_owned()))?;
            let value = decoded(value)
                .ok_or_else(|| invalid(format!("`{name}` is not percent-encoded text")))?;
            match name {
                "use_ssl" => match value.to_ascii_lowercase().as_str() {
                    "true" => tls = Some(true),
                    "false" => tls = Some(false),
                    _ => return Err(invalid("`use_ssl` is `true` or `false`".to_owned())),
                },
                "token" => address.token = Some(value),
                "user_id" => address.user_id = Some(value),
                "user_agent" => address.user_agent = Some(value),
                "session_id" => {
                    if uuid::Uuid::parse_str(&value).is_err() {
                        return Err(invalid("`session_id` is not a UUID".to_owned()));
                    }
                    address.session_id = Some(value);
                }
                // Sizes and deadlines of other clients; this one has its own.
                "grpc_max_message_size" => {}
                header => {
                    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
                    if header.is_empty() || !header.chars().all(plain) {
                        return Err(invalid(format!("`{header}` is not a name")));
                    }
                    address.headers.insert(header.to_ascii_lowercase(), value);
                }
            }
        }
        let loopback = matches!(address.host.as_str(), "localhost" | "::1")
            || address.host.starts_with("127.");
        address.tls = match tls {
            Some(false) if address.token.is_some() && !loopback => {
                return Err(invalid(
                    "a token is not sent without encryption; remove `use_ssl=false`".to_owned(),
                ));
            }
            Some(tls) => tls,
            None => address.token.is_some() && !loopback,
        };
        Ok(address)
    }

    fn new(host: String, port: u16) -> Self {
        Self {
            host,
            port,
            tls: false,
            token: None,
            user_id: None,
            user_agent: None,
            session_id: None,
            headers: BTreeMap::new(),
        }
    }
}

/// Host and port of `host:port`, `[::1]:port`, or either alone.
fn split_server(server: &str) -> std::result::Result<(String, u16), String> {
    let (host, port) = if let Some(rest) = server.strip_prefix('[') {
        let (host, rest) = rest
            .split_once(']')
            .ok_or_else(|| "a bracket is not closed".to_owned())?;
        (host, rest.strip_prefix(':'))
    } else {
        match server.rsplit_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (server, None),
        }
    };
    if host.is_empty() {
        return Err("there is no host".to_owned());
    }
    let port = match port {
        Some(port) => port
            .parse()
            .ok()
            .filter(|port| *port > 0)
            .ok_or_else(|| format!("`{port}` is not a port"))?,
        None => DEFAULT_PORT,
    };
    Ok((host.to_owned(), port))
}

/// Percent-encoded text as it is meant.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || char::from(rest.next()?).to_digit(16);
        let value = digit()? * 16 + digit()?;
        bytes.push(u8::try_from(value).ok()?);
    }
    String::from_utf8(bytes).ok()
}

/// The workspace that the environment or the profile file of Databricks names.
fn databricks(environment: &dyn Fn(&str) -> Option<String>) -> Result<Option<Address>> {
    let profile = environment("DATABRICKS_CONFIG_PROFILE");
    let file = profile_file(environment);
    let settings = match file.as_deref().filter(|file| file.is_file()) {
        Some(file) => profile_settings(file, profile.as_deref())?,
        None => BTreeMap::new(),
    };
    let setting = |variable: &str, key: &str| {
        environment(variable).or_else(|| settings.get(key).map(ToOwned::to_owned))
    };
    let Some(host) = setting("DATABRICKS_HOST", "host") else {
        return Ok(None);
    };
    let host = host
        .trim()
        .trim_start_matches("https://")
        .trim_end_matches('/')
        .to_owned();
    let missing = |what: &str, variable: &str| {
        Error::new(
            ErrorKind::InvalidArgument,
            format!("the Databricks workspace `{host}` needs {what}"),
        )
        .with_hint(format!(
            "set `{variable}`, or the same in the profile of ~/.databrickscfg"
        ))
    };
    let mut address = Address::new(host.clone(), 443);
    address.tls = true;
    address.token = Some(
        setting("DATABRICKS_TOKEN", "token")
            .ok_or_else(|| missing("a token", "DATABRICKS_TOKEN"))?,
    );
    let serverless = setting("DATABRICKS_SERVERLESS_COMPUTE_ID", "serverless_compute_id");
    match setting("DATABRICKS_CLUSTER_ID", "cluster_id") {
        Some(cluster) => {
            address
                .headers
                .insert("x-databricks-cluster-id".to_owned(), cluster);
        }
        None if serverless.is_some() => {
            let session = uuid::Uuid::new_v4().to_string();
            address
                .headers
                .insert("x-databricks-session-id".to_owned(), session.clone());
            address.session_id = Some(session);
        }
        None => {
            return Err(missing(
                "a cluster, or serverless compute",
                "DATABRICKS_CLUSTER_ID",
            ));
        }
    }
    Ok(Some(address))
}

fn profile_file(environment: &dyn Fn(&str) -> Option<String>) -> Option<PathBuf> {
    if let Some(file) = environment("DATABRICKS_CONFIG_FILE") {
        return Some(PathBuf::from(file));
    }
    let home = environment("HOME").or_else(|| environment("USERPROFILE"))?;
    Some(Path::new(&home).join(".databrickscfg"))
}

/// The settings of one section; without a name that of `DEFAULT`.
fn profile_settings(file: &Path, profile: Option<&str>) -> Result<BTreeMap<String, String>> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Error::from(error).context(format!("`{}`", file.display())))?;
    let wanted = profile.unwrap_or("DEFAULT");
    let mut settings = BTreeMap::new();
    let mut found = false;
    let mut inside = false;
    for line in text.lines().map(str::trim) {
        if let Some(section) = line
            .strip_prefix('[')
            .and_then(|line| line.strip_suffix(']'))
        {
            inside = section.trim() == wanted;
            found |= inside;
        } else if inside
            && !line.starts_with(['#', ';'])
            && let Some((key, value)) = line.split_once('=')
        {
            settings.insert(key.trim().to_ascii_lowercase(), value.trim().to_owned());
        }
    }
    if !found && let Some(profile) = profile {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            format!("`{}` has no profile `{profile}`", file.display()),
        )
        .with_hint("`DATABRICKS_CONFIG_PROFILE` names it"));
    }
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connection_strings_are_read() {
        let address = Address::parse(
            "sc://h.example:443/;token=a%3Bb%20c;user_id=me;x-databricks-cluster-id=1-2",
        )
        .unwrap();
        assert_eq!(address.to_string(), "h.example:443");
        assert!(address.tls);
        assert_eq!(address.token.as_deref(), Some("a;b c"));
        assert_eq!(address.user_id.as_deref(), Some("me"));
        assert_eq!(address.headers["x-databricks-cluster-id"], "1-2");
        assert!(!format!("{address:?}").contains("a;b"));
        let local = Address::parse("sc://[::1]").unwrap();
        assert_eq!(
            (local.to_string().as_str(), local.tls),
            ("[::1]:15002", false)
        );
        assert!(Address::parse("sc://h/;use_ssl=true").unwrap().tls);
        assert!(!Address::parse("sc://127.0.0.1:1/;token=x").unwrap().tls);
    }

    #[test]
    fn malformed_strings_say_why_without_credentials() {
        for (text, why) in [
            ("http://h", "`sc://`"),
            ("sc://", "no host"),
            ("sc://h:x", "`x` is not a port"),
            ("sc://h;token=secret", "`/;`"),
            ("sc://h/;token", "`name=value`"),
            ("sc://h/;use_ssl=maybe", "`use_ssl`"),
            ("sc://h/;token=secret;use_ssl=false", "without encryption"),
        ] {
            let error = Address::parse(text).unwrap_err();
            assert!(error.message().contains(why), "{text}: {error}");
            assert!(!error.message().contains("secret"));
        }
    }

    #[test]
    fn databricks_is_found_in_the_environment_and_the_profile_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("cfg");
        std::fs::write(&file, "[DEFAULT]\nhost = https://w.example/\ntoken = t\n[p]\nhost=https://p.example\ntoken=u\ncluster_id=c\n").unwrap();
        let path = file.display().to_string();
        let find = |variables: &[(&str, &str)]| {
            let variables: BTreeMap<String, String> = variables
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect();
            Address::find_in(&BackendConfig::new(), &|name| variables.get(name).cloned())
        };
        let address = find(&[
            ("DATABRICKS_CONFIG_FILE", &path),
            ("DATABRICKS_CLUSTER_ID", "x"),
        ])
        .unwrap()
        .unwrap();
        assert_eq!(address.to_string(), "w.example:443");
        let address = find(&[
            ("DATABRICKS_CONFIG_FILE", &path),
            ("DATABRICKS_CONFIG_PROFILE", "p"),
        ])
        .unwrap()
        .unwrap();
        assert_eq!(address.headers["x-databricks-cluster-id"], "c");
        let error = find(&[("DATABRICKS_CONFIG_FILE", &path)]).unwrap_err();
        assert!(error.message().contains("a cluster"), "{error}");
        assert_eq!(find(&[]).unwrap(), None);
        assert!(Address::missing().hint().unwrap().contains("SPARK_REMOTE"));
    }
}
