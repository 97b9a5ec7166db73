//! Blobs that the server keeps for the session, found by their hash: rows that are too many for the plan itself.

use laktory_core::{Cancel, Error, ErrorKind, Result};
use sha2::{Digest, Sha256};
use spark_connect_proto as proto;

use super::Client;

/// Bytes of one message of an upload.
const CHUNK: usize = 32 << 10;

impl Client {
    /// Keeps `data` on the server and returns its hash.
    ///
    /// # Errors
    /// `Io`; `Compute` when the data does not arrive as sent.
    pub(crate) async fn upload(&self, data: Vec<u8>, cancel: &Cancel) -> Result<String> {
        use proto::add_artifacts_request::{ArtifactChunk, BeginChunkedArtifact, Payload};
        let digest = Sha256::digest(&data);
        let hash: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let name = format!("cache/{hash}");
        let chunks = data.chunks(CHUNK).map(|chunk| ArtifactChunk {
            data: chunk.to_vec().into(),
            crc: i64::from(crc32fast::hash(chunk)),
        });
        let count = data.len().div_ceil(CHUNK);
        let payloads = chunks.enumerate().map(|(index, chunk)| {
            if index == 0 {
                Payload::BeginChunk(BeginChunkedArtifact {
                    name: name.clone(),
                    total_bytes: data.len() as i64,
                    num_chunks: count as i64,
                    initial_chunk: Some(chunk),
                })
            } else {
                Payload::Chunk(chunk)
            }
        });
        let requests: Vec<proto::AddArtifactsRequest> = payloads
            .map(|payload| proto::AddArtifactsRequest {
                session_id: self.0.session_id.clone(),
                user_context: Some(self.0.user.clone()),
                client_type: Some(self.0.agent.clone()),
                payload: Some(payload),
                ..Default::default()
            })
            .collect();
        let response = self
            .unary(cancel, true, |mut stub| {
                let requests = futures_util::stream::iter(requests.clone());
                async move { stub.add_artifacts(requests).await }
            })
            .await?;
        if response
            .artifacts
            .iter()
            .any(|artifact| !artifact.is_crc_successful)
        {
            return Err(
                Error::new(ErrorKind::Io, "rows were damaged on the way to the server").retryable(),
            );
        }
        Ok(hash)
    }
}
