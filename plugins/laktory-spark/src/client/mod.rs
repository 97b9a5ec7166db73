//! A thin client of the Spark Connect protocol: one channel, one session, calls that are retried only where that is
//! safe, and results that are never cut short. It knows nothing of frames and steps.

mod address;
mod error;
mod execute;
mod upload;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use laktory_core::{Cancel, Error, ErrorKind, Result};
use proto::spark_connect_service_client::SparkConnectServiceClient;
use spark_connect_proto as proto;
use tonic::metadata::{Ascii, MetadataKey, MetadataValue};
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, ClientTlsConfig, Endpoint};
use tonic::{Request, Status};

use crate::private;
pub(crate) use address::{Address, SETTING};
pub(crate) use error::MARK;
pub(crate) use execute::Execution;

/// Greatest message that is accepted, in bytes.
const MESSAGE_LIMIT: usize = 256 << 20;
/// How often running calls look whether the run was interrupted.
const TICK: Duration = Duration::from_millis(100);
/// Waits before a call is sent again.
const BACKOFF: &[Duration] = &[
    Duration::from_millis(50),
    Duration::from_millis(200),
    Duration::from_millis(800),
    Duration::from_secs(2),
    Duration::from_secs(4),
];
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);

/// Puts the token and other headers into each call.
#[derive(Clone)]
struct Headers(Arc<Vec<(MetadataKey<Ascii>, MetadataValue<Ascii>)>>);

impl tonic::service::Interceptor for Headers {
    fn call(&mut self, mut request: Request<()>) -> std::result::Result<Request<()>, Status> {
        for (key, value) in self.0.iter() {
            request.metadata_mut().insert(key.clone(), value.clone());
        }
        Ok(request)
    }
}

type Stub = SparkConnectServiceClient<InterceptedService<Channel, Headers>>;

/// A session on a server. Clones share it.
#[derive(Clone)]
pub(crate) struct Client(Arc<Inner>);

struct Inner {
    stub: Stub,
    address: Address,
    session_id: String,
    user: proto::UserContext,
    agent: String,
    runtime: tokio::runtime::Handle,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("server", &self.0.address.to_string())
            .field("session", &self.0.session_id)
            .finish_non_exhaustive()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // The server would keep the session, with what is checkpointed in it, for an hour.
        let (mut stub, request) = (
            self.stub.clone(),
            proto::ReleaseSessionRequest {
                session_id: self.session_id.clone(),
                user_context: Some(self.user.clone()),
                client_type: Some(self.agent.clone()),
                allow_reconnect: false,
            },
        );
        drop(self.runtime.spawn(async move {
            let _ = stub.release_session(request).await;
        }));
    }
}

impl Client {
    /// Connects to a server, and asks for its version.
    ///
    /// # Errors
    /// `InvalidArgument` for an address that cannot be sent; `Io`, each cause with its own message; `Unsupported` for a
    /// server that is too old.
    pub(crate) async fn connect(address: Address, cancel: &Cancel) -> Result<(Self, String)> {
        let client = Self::open(address, cancel).await?;
        let version = client.version(cancel).await?;
        is_recent(&client.0.address, &version)?;
        Ok((client, version))
    }

    async fn open(address: Address, cancel: &Cancel) -> Result<Self> {
        let scheme = if address.tls { "https" } else { "http" };
        let agent = address
            .user_agent
            .clone()
            .unwrap_or_else(|| concat!("laktory/", env!("CARGO_PKG_VERSION")).to_owned());
        let invalid = |what: &str| {
            Error::new(
                ErrorKind::InvalidArgument,
                format!("the connection string holds {what} that cannot be sent"),
            )
        };
        let mut endpoint = Endpoint::from_shared(format!("{scheme}://{address}"))
            .and_then(|endpoint| endpoint.user_agent(agent.clone()))
            .map_err(|error| error::unreachable(&address, error))?
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_keepalive(Some(Duration::from_secs(60)))
            .http2_keep_alive_interval(Duration::from_secs(60))
            .initial_stream_window_size(Some(8 << 20))
            .initial_connection_window_size(Some(16 << 20));
        if address.tls {
            let tls = ClientTlsConfig::new()
                .with_native_roots()
                .domain_name(address.host.clone());
            endpoint = endpoint
                .tls_config(tls)
                .map_err(|error| error::unreachable(&address, error))?;
        }
        let channel = cancellable(cancel, endpoint.connect())
            .await?
            .map_err(|error| error::unreachable(&address, error))?;
        let mut headers = Vec::new();
        if let Some(token) = &address.token {
            let mut value: MetadataValue<Ascii> = format!("Bearer {token}")
                .parse()
                .map_err(|_| invalid("a token"))?;
            value.set_sensitive(true);
            headers.push((MetadataKey::from_static("authorization"), value));
        }
        for (name, value) in &address.headers {
            let key = name.parse().map_err(|_| invalid("a header"))?;
            headers.push((key, value.parse().map_err(|_| invalid("a header"))?));
        }
        let stub = SparkConnectServiceClient::with_interceptor(channel, Headers(Arc::new(headers)))
            .max_decoding_message_size(MESSAGE_LIMIT)
            .max_encoding_message_size(MESSAGE_LIMIT);
        let user = address
            .user_id
            .clone()
            .or_else(|| std::env::var("USER").ok())
            .unwrap_or_else(|| "laktory".to_owned());
        let session_id = address
            .session_id
            .clone()
            .unwrap_or_else(|| uuid::Uuid::new_v4().to_string());
        Ok(Self(Arc::new(Inner {
            stub,
            address,
            session_id,
            user: proto::UserContext {
                user_id: user.clone(),
                user_name: user,
                ..Default::default()
            },
            agent,
            runtime: tokio::runtime::Handle::current(),
        })))
    }

    async fn version(&self, cancel: &Cancel) -> Result<String> {
        let analyze = proto::analyze_plan_request::Analyze::SparkVersion(Default::default());
        match self.call_analyze(analyze.clone(), cancel, false).await? {
            Some(proto::analyze_plan_response::Result::SparkVersion(version)) => {
                Ok(version.version)
            }
            _ => Err(self.unexpected("a version")),
        }
    }

    fn unexpected(&self, what: &str) -> Error {
        Error::new(
            ErrorKind::Compute,
            format!(
                "the Spark server `{}` did not answer with {what}",
                self.0.address
            ),
        )
    }

    /// Names and types of a plan's columns.
    pub(crate) async fn schema(
        &self,
        relation: &proto::Relation,
        cancel: &Cancel,
    ) -> Result<proto::DataType> {
        let analyze =
            proto::analyze_plan_request::Analyze::Schema(proto::analyze_plan_request::Schema {
                plan: Some(private::refreshed(plan(relation.clone()))),
            });
        match self.call_analyze(analyze, cancel, true).await? {
            Some(proto::analyze_plan_response::Result::Schema(
                proto::analyze_plan_response::Schema {
                    schema: Some(schema),
                },
            )) => Ok(schema),
            _ => Err(self.unexpected("a schema")),
        }
    }

    async fn call_analyze(
        &self,
        analyze: proto::analyze_plan_request::Analyze,
        cancel: &Cancel,
        connected: bool,
    ) -> Result<Option<proto::analyze_plan_response::Result>> {
        let request = proto::AnalyzePlanRequest {
            session_id: self.0.session_id.clone(),
            user_context: Some(self.0.user.clone()),
            client_type: Some(self.0.agent.clone()),
            analyze: Some(analyze),
            ..Default::default()
        };
        let response = self
            .unary(cancel, connected, |mut stub| {
                let request = request.clone();
                async move { stub.analyze_plan(request).await }
            })
            .await?;
        Ok(response.result)
    }

    /// Sets properties of the session.
    pub(crate) async fn configure(&self, pairs: &[(&str, &str)], cancel: &Cancel) -> Result<()> {
        let set = proto::config_request::Set {
            pairs: pairs
                .iter()
                .map(|(key, value)| proto::KeyValue {
                    key: (*key).to_owned(),
                    value: Some((*value).to_owned()),
                })
                .collect(),
            silent: None,
        };
        let request = proto::ConfigRequest {
            session_id: self.0.session_id.clone(),
            user_context: Some(self.0.user.clone()),
            client_type: Some(self.0.agent.clone()),
            operation: Some(proto::config_request::Operation {
                op_type: Some(proto::config_request::operation::OpType::Set(set)),
            }),
            ..Default::default()
        };
        self.unary(cancel, true, |mut stub| {
            let request = request.clone();
            async move { stub.config(request).await }
        })
        .await
        .map(drop)
    }

    /// Asks the server to stop an operation.
    async fn interrupt(&self, operation_id: &str) {
        let request = proto::InterruptRequest {
            session_id: self.0.session_id.clone(),
            user_context: Some(self.0.user.clone()),
            client_type: Some(self.0.agent.clone()),
            interrupt_type: proto::interrupt_request::InterruptType::OperationId as i32,
            interrupt: Some(proto::interrupt_request::Interrupt::OperationId(
                operation_id.to_owned(),
            )),
            ..Default::default()
        };
        let mut stub = self.0.stub.clone();
        let _ = tokio::time::timeout(Duration::from_secs(5), stub.interrupt(request)).await;
    }

    /// One call, sent again while the server cannot be reached.
    async fn unary<T, F>(
        &self,
        cancel: &Cancel,
        connected: bool,
        call: impl Fn(Stub) -> F,
    ) -> Result<T>
    where
        F: Future<Output = std::result::Result<tonic::Response<T>, Status>>,
    {
        let mut waits = BACKOFF.iter();
        loop {
            match cancellable(cancel, call(self.0.stub.clone())).await? {
                Ok(response) => return Ok(response.into_inner()),
                Err(status) if connected && error::is_transient(&status) => match waits.next() {
                    Some(wait) => tokio::time::sleep(*wait).await,
                    None => return Err(error::lost(&self.0.address, status)),
                },
                // Before the first answer of a server nobody knows that it is one.
                Err(status)
                    if !connected
                        && error::ErrorInfo::of(&status).is_none()
                        && error::refused(&self.0.address, &status).is_none() =>
                {
                    return Err(error::unreachable(&self.0.address, status));
                }
                Err(status) => return Err(self.failure(status).await),
            }
        }
    }

    /// The error for a failed call, with what the server tells about it on request.
    async fn failure(&self, status: Status) -> Error {
        if error::is_session_lost(&status) {
            return error::lost(&self.0.address, status);
        }
        let info = error::ErrorInfo::of(&status);
        if info.is_none()
            && let Some(error) = error::refused(&self.0.address, &status)
        {
            return error.with_source(status);
        }
        let details = match info.as_ref().and_then(error::ErrorInfo::error_id) {
            Some(error_id) => {
                let request = proto::FetchErrorDetailsRequest {
                    session_id: self.0.session_id.clone(),
                    user_context: Some(self.0.user.clone()),
                    client_type: Some(self.0.agent.clone()),
                    error_id: error_id.to_owned(),
                    ..Default::default()
                };
                let mut stub = self.0.stub.clone();
                stub.fetch_error_details(request).await.ok()
            }
            None => None,
        };
        details
            .and_then(|details| error::Failure::of(details.into_inner()))
            .unwrap_or_else(|| error::Failure::of_status(&status, info.as_ref()))
            .into_error(status)
    }
}

/// Whether a server is recent enough.
fn is_recent(address: &Address, version: &str) -> Result<()> {
    let major = version
        .split('.')
        .next()
        .and_then(|major| major.parse().ok());
    match major {
        Some(4..) => Ok(()),
        None::<u32> | Some(_) => Err(Error::unsupported(format!(
            "the Spark server `{address}` is of version {version}, which is too old"
        ))
        .with_hint("Spark 4.0 or later is needed")),
    }
}

/// A plan that computes a relation.
pub(crate) fn plan(relation: proto::Relation) -> proto::Plan {
    proto::Plan {
        op_type: Some(proto::plan::OpType::Root(relation)),
    }
}

/// Waits for a future, and gives up when the run is interrupted.
async fn cancellable<T>(cancel: &Cancel, future: impl Future<Output = T>) -> Result<T> {
    let mut future = std::pin::pin!(future);
    loop {
        cancel.check()?;
        if let Ok(output) = tokio::time::timeout(TICK, future.as_mut()).await {
            return Ok(output);
        }
    }
}

#[cfg(test)]
mod tls_test;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_servers_are_refused() {
        let address = Address::parse("sc://h").unwrap();
        for version in ["4.0.0", "4.1.4", "5.0.0-SNAPSHOT", "10.1"] {
            assert!(is_recent(&address, version).is_ok(), "{version}");
        }
        for version in ["3.5.6", "", "unknown"] {
            let error = is_recent(&address, version).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            assert!(
                error.message().contains("`h:15002` is of version"),
                "{error}"
            );
        }
    }
}
