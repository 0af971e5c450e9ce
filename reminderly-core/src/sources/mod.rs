//! Sources that need no service: a directory of the host, and files that it holds in memory.

mod directory;
mod memory;

pub use directory::DirectorySource;
pub use memory::MemorySource;
