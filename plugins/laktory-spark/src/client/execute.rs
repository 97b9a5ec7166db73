//! Execution of a plan as a stream of responses that is complete or an error.
//!
//! The server may end a stream at any time (it does after some minutes, or a gigabyte); the operation goes on. A stream
//! that ends without `ResultComplete` is therefore attached to again, behind the last response that arrived.

use laktory_core::{Cancel, Error, ErrorKind, Result};
use proto::execute_plan_response::ResponseType;
use spark_connect_proto as proto;
use tonic::{Status, Streaming};

use super::{BACKOFF, Client, TICK, cancellable, error};

/// Streams in a row that may end without a single response.
const EMPTY_STREAMS: usize = 10;

/// A running operation.
pub(crate) struct Execution {
    client: Client,
    cancel: Cancel,
    request: proto::ExecutePlanRequest,
    operation_id: String,
    stream: Option<Streaming<proto::ExecutePlanResponse>>,
    last_response: Option<String>,
    empty: usize,
    failed: usize,
    finished: bool,
}

impl Client {
    /// Starts an operation; nothing is sent before the first response is asked for.
    pub(crate) fn execute(&self, plan: proto::Plan, cancel: &Cancel) -> Execution {
        use proto::execute_plan_request::{RequestOption, request_option};
        let operation_id = uuid::Uuid::new_v4().to_string();
        let reattachable = RequestOption {
            request_option: Some(request_option::RequestOption::ReattachOptions(
                proto::ReattachOptions { reattachable: true },
            )),
        };
        Execution {
            request: proto::ExecutePlanRequest {
                session_id: self.0.session_id.clone(),
                user_context: Some(self.0.user.clone()),
                client_type: Some(self.0.agent.clone()),
                operation_id: Some(operation_id.clone()),
                plan: Some(crate::private::refreshed(plan)),
                request_options: vec![reattachable],
                ..Default::default()
            },
            client: self.clone(),
            cancel: cancel.clone(),
            operation_id,
            stream: None,
            last_response: None,
            empty: 0,
            failed: 0,
            finished: false,
        }
    }

    /// Carries out a plan and returns every response.
    pub(crate) async fn run(
        &self,
        plan: proto::Plan,
        cancel: &Cancel,
    ) -> Result<Vec<proto::ExecutePlanResponse>> {
        let mut execution = self.execute(plan, cancel);
        let mut responses = Vec::new();
        while let Some(response) = execution.next().await? {
            responses.push(response);
        }
        Ok(responses)
    }

    /// Carries out a command.
    pub(crate) async fn command(
        &self,
        command: proto::command::CommandType,
        cancel: &Cancel,
    ) -> Result<Vec<proto::ExecutePlanResponse>> {
        let command = proto::Command {
            command_type: Some(command),
        };
        let plan = proto::Plan {
            op_type: Some(proto::plan::OpType::Command(command)),
        };
        self.run(plan, cancel).await
    }
}

impl Execution {
    /// The next response; none after the last one.
    ///
    /// # Errors
    /// Those of the plan; `Io` when the server is lost; `Cancelled`, after which the server was asked to stop.
    pub(crate) async fn next(&mut self) -> Result<Option<proto::ExecutePlanResponse>> {
        if self.finished {
            return Ok(None);
        }
        let outcome = self.advance().await;
        match &outcome {
            Ok(Some(_)) => {}
            Ok(None) => {
                self.finished = true;
                self.stream = None;
                release(&self.client, &self.operation_id).await;
            }
            Err(error) => {
                self.finished = true;
                self.stream = None;
                if error.kind() == ErrorKind::Cancelled {
                    self.client.interrupt(&self.operation_id).await;
                }
                if !error.is_retryable() {
                    release(&self.client, &self.operation_id).await;
                }
            }
        }
        outcome
    }

    async fn advance(&mut self) -> Result<Option<proto::ExecutePlanResponse>> {
        loop {
            self.cancel.check()?;
            if self.stream.is_none() {
                match self.open().await? {
                    Ok(stream) => self.stream = Some(stream),
                    Err(status) => {
                        self.recover(status).await?;
                        continue;
                    }
                }
            }
            let Some(stream) = self.stream.as_mut() else {
                continue;
            };
            // Dropping the future of a message between two polls loses nothing: the decoder's state is the stream's.
            let message = match tokio::time::timeout(TICK, stream.message()).await {
                Err(_) => continue,
                Ok(message) => message,
            };
            match message {
                Ok(Some(response)) => {
                    self.empty = 0;
                    self.failed = 0;
                    self.last_response = Some(response.response_id.clone());
                    match response.response_type {
                        Some(ResponseType::ResultComplete(_)) => return Ok(None),
                        Some(ResponseType::ExecutionProgress(_)) => {}
                        _ => return Ok(Some(response)),
                    }
                }
                Ok(None) => {
                    self.stream = None;
                    self.empty += 1;
                    if self.empty > EMPTY_STREAMS {
                        return Err(Error::new(
                            ErrorKind::Io,
                            format!(
                                "the Spark server `{}` ends the result again and again before it is complete",
                                self.client.0.address
                            ),
                        )
                        .retryable());
                    }
                }
                Err(status) => {
                    self.stream = None;
                    self.recover(status).await?;
                }
            }
        }
    }

    /// The first stream of the operation, or one behind the last response.
    async fn open(
        &self,
    ) -> Result<std::result::Result<Streaming<proto::ExecutePlanResponse>, Status>> {
        let mut stub = self.client.0.stub.clone();
        let outcome = match (&self.last_response, self.empty) {
            (None, 0) => cancellable(&self.cancel, stub.execute_plan(self.request.clone())).await?,
            (last, _) => {
                let request = proto::ReattachExecuteRequest {
                    session_id: self.request.session_id.clone(),
                    user_context: self.request.user_context.clone(),
                    client_type: self.request.client_type.clone(),
                    operation_id: self.operation_id.clone(),
                    last_response_id: last.clone(),
                    ..Default::default()
                };
                cancellable(&self.cancel, stub.reattach_execute(request)).await?
            }
        };
        Ok(outcome.map(tonic::Response::into_inner))
    }

    /// Waits before another try, where one makes sense.
    async fn recover(&mut self, status: Status) -> Result<()> {
        if error::is_gone(&status) && self.last_response.is_none() && self.failed < BACKOFF.len() {
            // The operation never began: it is sent again.
            self.failed += 1;
            self.empty = 0;
            return Ok(());
        }
        if error::is_gone(&status) && self.last_response.is_some() {
            // The server has forgotten the session, since it was started anew.
            return Err(error::lost(&self.client.0.address, status));
        }
        if !error::is_transient(&status) {
            return Err(self.client.failure(status).await);
        }
        let Some(wait) = BACKOFF.get(self.failed) else {
            return Err(error::lost(&self.client.0.address, status));
        };
        tracing::debug!(
            operation = self.operation_id,
            "The connection broke, attaching again"
        );
        self.failed += 1;
        // The request may have arrived before the connection broke: attach rather than send twice.
        if self.empty == 0 && self.last_response.is_none() {
            self.empty = 1;
        }
        tokio::time::sleep(*wait).await;
        Ok(())
    }
}

/// Lets the server forget an operation.
async fn release(client: &Client, operation_id: &str) {
    use proto::release_execute_request::{Release, ReleaseAll};
    let request = proto::ReleaseExecuteRequest {
        session_id: client.0.session_id.clone(),
        user_context: Some(client.0.user.clone()),
        client_type: Some(client.0.agent.clone()),
        operation_id: operation_id.to_owned(),
        release: Some(Release::ReleaseAll(ReleaseAll {})),
        ..Default::default()
    };
    let mut stub = client.0.stub.clone();
    let _ = tokio::time::timeout(
        std::time::Duration::from_secs(5),
        stub.release_execute(request),
    )
    .await;
}

impl Drop for Execution {
    fn drop(&mut self) {
        if self.finished || (self.stream.is_none() && self.last_response.is_none()) {
            return;
        }
        // Somebody stopped reading: the server must not go on computing for nobody.
        let (client, operation_id) = (self.client.clone(), self.operation_id.clone());
        drop(self.client.0.runtime.spawn(async move {
            client.interrupt(&operation_id).await;
            release(&client, &operation_id).await;
        }));
    }
}
