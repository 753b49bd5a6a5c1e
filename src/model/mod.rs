//! Plain data that the layers share. Types here know no SQL, no HTTP and no command line.

pub mod attachment;
pub mod citation;
pub mod document;
pub mod item;
pub mod report;
pub mod thread;
pub mod usage;

pub use citation::{Answer, Citation};
pub use document::{
    Block, BlockKind, Chunk, Document, DocumentRecord, Found, Hit, LineRange, Locator, QueryTerm, Span, file_name,
};
