use sha2::{Digest as _, Sha256};

use crate::domain::packet::Digest;
use crate::give_way::give_way;
use crate::ports::source::{PacketSource, SourceError};

/// Bytes per read of a source: enough to make a read cheap, few enough that memory stays flat.
pub(super) const CHUNK_BYTES: usize = 64 << 10;

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) digest: Digest,
    pub(super) bytes: u64,
}

/// Reads a file through for its digest.
pub(super) async fn read_digest(source: &dyn PacketSource, name: &str) -> Result<Content, SourceError> {
    let mut reader = source.open(name, 0).await?;
    let mut sha = Sha256::new();
    let mut bytes = 0;
    let mut chunk = Vec::with_capacity(CHUNK_BYTES);
    while reader.read(&mut chunk, CHUNK_BYTES).await? > 0 {
        bytes += chunk.len() as u64;
        sha.update(&chunk);
        chunk.clear();
        give_way().await;
    }
    Ok(Content { digest: Digest(sha.finalize().into()), bytes })
}
