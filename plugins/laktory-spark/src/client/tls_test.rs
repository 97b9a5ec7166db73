//! A server whose certificate nobody vouches for is told from one that does not speak TLS, and from one that is not there.

use std::sync::Arc;

use laktory_core::{Cancel, ErrorKind};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::{Address, Client};

/// How a connection to a server fails that does this with those who come.
async fn failure(acceptor: Option<TlsAcceptor>) -> laktory_core::Error {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            match &acceptor {
                // The handshake fails: the other side does not like the certificate.
                Some(acceptor) => drop(acceptor.accept(stream).await),
                None => drop(stream),
            }
        }
    });
    let address = Address::parse(&format!("sc://127.0.0.1:{port}/;use_ssl=true;token=t")).unwrap();
    let error = Client::connect(address, &Cancel::default())
        .await
        .unwrap_err();
    server.abort();
    error
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_told() {
    let own = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(own.signing_key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![own.cert.der().clone()], key)
        .unwrap();
    let error = failure(Some(TlsAcceptor::from(Arc::new(config)))).await;
    assert_eq!(error.kind(), ErrorKind::Io, "{error}");
    assert!(
        error
            .message()
            .contains("the TLS certificate of the Spark server `127.0.0.1:"),
        "{error}"
    );
    assert!(
        error.hint().unwrap_or_default().contains("SSL_CERT_FILE"),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_server_without_tls_is_told() {
    let error = failure(None).await;
    assert!(!error.message().contains("certificate"), "{error}");
    assert!(error.message().contains("127.0.0.1:"), "{error}");
}
