//! Tests against sockets: what refuses to be a Spark server, and (where one is named) a real one.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::SystemTime;

use futures_util::StreamExt as _;
use laktory_core::{
    Backend, BackendConfig, BlockingPool, Cancel, Error, ErrorKind, NamedFrames, Result, RunCx,
    SqlSegment, SqlTemplate,
};

use crate::session::connect;

struct Here;

impl BlockingPool for Here {
    fn spawn(&self, work: Box<dyn FnOnce() + Send>) {
        work();
    }
}

fn cx() -> RunCx {
    let scratch = std::env::temp_dir();
    RunCx::new(
        Arc::new(Here),
        Cancel::new(),
        scratch,
        1 << 20,
        SystemTime::now(),
    )
}

fn on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(work)
}

async fn session(remote: &str) -> Result<Arc<dyn Backend>> {
    let config = BackendConfig::from([("spark_remote".to_owned(), remote.to_owned())]);
    connect(&cx(), &config).await
}

fn refused(remote: &str) -> Error {
    on(session(remote)).unwrap_err()
}

#[test]
fn a_port_where_nobody_listens_is_named() {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let error = refused(&format!("sc://127.0.0.1:{port}"));
    assert_eq!(error.kind(), ErrorKind::Io);
    assert_eq!(
        error.message(),
        format!("nothing listens at `127.0.0.1:{port}`")
    );
}

#[test]
fn something_else_at_the_port_is_told_apart_with_and_without_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    // Answers for as long as the tests run: how often a client connects again is its own affair.
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let mut start = [0; 16];
            let _ = connection.read(&mut start);
            let _ = connection.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
        }
    });
    let error = refused(&format!("sc://127.0.0.1:{port}"));
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(
        error
            .message()
            .contains("does not answer as a Spark Connect server"),
        "{error:?}"
    );
    let error = refused(&format!("sc://localhost:{port}/;use_ssl=true"));
    assert!(error.message().contains("does not speak TLS"), "{error:?}");
}

#[test]
fn a_host_that_does_not_exist_is_named() {
    let error = refused("sc://no-such-host.invalid:1");
    assert_eq!(
        error.message(),
        "the host `no-such-host.invalid` is not known"
    );
}

#[test]
fn settings_that_do_not_exist_are_refused() {
    let config = BackendConfig::from([("spark_remot".to_owned(), "sc://h".to_owned())]);
    let error = on(connect(&cx(), &config)).unwrap_err();
    assert!(error.hint().unwrap().contains("spark_remote"));
}

/// What tells a server that is ready from one that only listens.
#[test]
#[ignore = "needs `LAKTORY_SPARK_REMOTE`, a server; `cargo xtask test-all-backends` starts one"]
fn a_server_answers_a_query() {
    let remote = std::env::var("LAKTORY_SPARK_REMOTE").expect("the variable is set");
    assert_eq!(rows_of("SELECT 1 AS one", &remote), 1);
}

/// The server ends its streams after 2 MB or 20 seconds; a client that takes the end of a stream for the end of the
/// result would lose rows without a word.
#[test]
#[ignore = "needs `LAKTORY_SPARK_SMALL_STREAMS`: a server with `senderMaxStreamSize=2m`; `cargo xtask test-all-backends` starts one"]
fn every_row_arrives_however_often_the_server_ends_its_stream() {
    let remote = std::env::var("LAKTORY_SPARK_SMALL_STREAMS").expect("the variable is set");
    let text = "SELECT id, id * 2 AS twice, CAST(id AS STRING) AS text FROM range(2000000)";
    assert_eq!(rows_of(text, &remote), 2_000_000);
}

/// How many rows of a query arrive.
fn rows_of(query: &str, remote: &str) -> usize {
    let segment = SqlSegment::Text(query.to_owned());
    let query = SqlTemplate::new(vec![(segment, 0..query.len())]);
    on(async {
        let session = session(remote).await.unwrap();
        let cx = cx();
        let frame = session.sql(&cx, &query, &NamedFrames::new()).await.unwrap();
        let batches = session.export(&cx, &frame).await.unwrap();
        let counted = batches.map(|batch| batch.unwrap().num_rows());
        counted.fold(0, |sum, rows| async move { sum + rows }).await
    })
}
