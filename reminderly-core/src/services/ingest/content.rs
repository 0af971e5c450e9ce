//! What a file holds: its digest, and reading on only what the digest was made of.

use std::hash::{DefaultHasher, Hasher as _};

use sha2::{Digest as _, Sha256};

use super::unusable;
use crate::domain::packet::Digest;
use crate::domain::table::{TableFault, TextEvidence};
use crate::give_way::give_way;
use crate::ports::source::{PacketSource, SourceReader};
use crate::services::ServiceError;

/// Bytes per block of a file: enough to make a read cheap, few enough that memory stays flat.
pub(super) const BLOCK_BYTES: usize = 64 << 10;

/// What was found in a file that was read through: 8 bytes for each 64 KiB of it.
#[derive(Debug)]
pub(super) struct Survey {
    pub(super) digest: Digest,
    pub(super) bytes: u64,
    pub(super) evidence: TextEvidence,
    /// A hash of each block, which tells a file that was changed from the one that was surveyed. No protection against people
    /// who mean it: they could have sent the other file.
    blocks: Vec<u64>,
}

/// Reads a file through for its digest.
pub(super) async fn read_digest(
    source: &dyn PacketSource,
    name: &str,
    max_bytes: u64,
) -> Result<Digest, ServiceError> {
    let mut sha = Sha256::new();
    read_through(source, name, max_bytes, |block| sha.update(block)).await?;
    Ok(Digest(sha.finalize().into()))
}

/// Reads a file through for all that must be known before its rows are read.
pub(super) async fn survey(
    source: &dyn PacketSource,
    name: &str,
    max_bytes: u64,
) -> Result<Survey, ServiceError> {
    let (mut sha, mut evidence, mut blocks) = (Sha256::new(), TextEvidence::default(), Vec::new());
    let bytes = read_through(source, name, max_bytes, |block| {
        sha.update(block);
        evidence.take(block);
        blocks.push(hash(block));
    });
    let bytes = bytes.await?;
    evidence.finish();
    Ok(Survey { digest: Digest(sha.finalize().into()), bytes, evidence, blocks })
}

async fn read_through(
    source: &dyn PacketSource,
    name: &str,
    max_bytes: u64,
    mut take: impl FnMut(&[u8]) + Send,
) -> Result<u64, ServiceError> {
    let mut reader = source.open(name, 0).await?;
    let mut bytes = 0;
    let mut block = Vec::with_capacity(BLOCK_BYTES);
    while fill(&mut *reader, &mut block).await? > 0 {
        bytes += block.len() as u64;
        if bytes > max_bytes {
            return Err(unusable(&TableFault::FileTooLarge { limit: max_bytes }));
        }
        take(&block);
        give_way().await;
    }
    Ok(bytes)
}

/// Replaces the block by the next bytes of the file: all of its size, but at the end.
async fn fill(reader: &mut dyn SourceReader, block: &mut Vec<u8>) -> Result<usize, ServiceError> {
    block.clear();
    while block.len() < BLOCK_BYTES {
        let room = BLOCK_BYTES - block.len();
        if reader.read(block, room).await? == 0 {
            break;
        }
    }
    Ok(block.len())
}

fn hash(block: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(block);
    hasher.finish()
}

/// Reads a file that was surveyed, block by block, and gives out nothing that was not there then.
#[derive(Debug)]
pub(super) struct SurveyedFile<'s> {
    reader: Box<dyn SourceReader>,
    /// The hashes of the blocks to come.
    blocks: std::slice::Iter<'s, u64>,
    /// Bytes of the next block that are not asked for.
    skip: usize,
}

impl<'s> SurveyedFile<'s> {
    /// The file from an offset.
    pub(super) async fn open(
        source: &dyn PacketSource,
        name: &str,
        survey: &'s Survey,
        offset: u64,
    ) -> Result<Self, ServiceError> {
        let block = offset / BLOCK_BYTES as u64;
        let reader = source.open(name, block * BLOCK_BYTES as u64).await?;
        let block = usize::try_from(block).unwrap_or(usize::MAX);
        let skip = usize::try_from(offset % BLOCK_BYTES as u64).unwrap_or_default();
        Ok(Self { reader, blocks: survey.blocks.get(block..).unwrap_or_default().iter(), skip })
    }

    /// Replaces `bytes` by the next ones; `false` at the end of the file.
    ///
    /// # Errors
    ///
    /// [`ServiceError::UnusableFile`] if they are not those that were surveyed, [`ServiceError::Source`].
    pub(super) async fn next(&mut self, bytes: &mut Vec<u8>) -> Result<bool, ServiceError> {
        let is_block = fill(&mut *self.reader, bytes).await? > 0;
        match (is_block, self.blocks.next()) {
            (true, Some(known)) if hash(bytes) == *known => {
                bytes.drain(..self.skip.min(bytes.len()));
                self.skip = 0;
                Ok(true)
            }
            (false, None) => Ok(false),
            _ => Err(changed()),
        }
    }
}

/// The file is not what it was.
pub(super) fn changed() -> ServiceError {
    let reason = "it is not the file that was prepared: put that back and resume the packet, \
                  or cancel the packet and prepare this file";
    ServiceError::UnusableFile { reason: reason.to_owned() }
}
