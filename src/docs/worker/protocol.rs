//! What parent and worker say to each other.
//!
//! Everything is a frame: a length (four bytes, little-endian) and so many bytes. After its start a worker says
//! [`Hello`]. Then, again and again: the parent sends a [`Request`], the file in frames, and an empty frame; the worker
//! answers with one frame, a [`Reply`]. Structured frames are JSON. A frame longer than its reader expects ends the
//! conversation, and no buffer is made larger than what has really arrived.

use std::io::{self, Read};

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt as _};

use crate::docs::format::blocks::{MAX_BLOCKS, MAX_NOTE_BYTES, MAX_NOTES};
use crate::docs::format::{FormatError, Parsed};

/// The largest frame of [`Hello`] or [`Request`], in bytes. A path has a few thousand at the most.
pub const MAX_SMALL_FRAME: u32 = 64 * 1024;

/// The largest reply, in bytes: the most text that a document may have, with all its locators and JSON's escapes.
pub const MAX_REPLY_BYTES: u32 = 128 * 1024 * 1024;

/// What a worker says when it is ready.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The limits that could not be set, in words. Empty on a system that has all of them.
    pub unmet: Vec<String>,
}

/// What is to be read.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Path relative to the documents folder.
    pub path: String,
    /// Size in bytes as far as is known: a hint.
    pub bytes: u64,
    /// Processor time, in seconds.
    pub cpu_s: u64,
}

/// What came of it.
pub type Reply = Result<Parsed, FormatError>;

/// Why a frame did not come.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The other side is gone, or the pipe broke.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It is longer than anything expected here, in bytes.
    #[error("a frame of {0} bytes")]
    TooLong(u32),
    /// It is not what it should be.
    #[error("a frame that makes no sense")]
    Rubbish,
}

/// A frame of these bytes; they are a few at the most, or bounded by who made them.
pub fn frame(bytes: &[u8]) -> Vec<u8> {
    let mut framed = Vec::with_capacity(bytes.len() + 4);
    framed.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes());
    framed.extend_from_slice(bytes);
    framed
}

/// A frame of JSON.
pub fn json_frame(value: &impl Serialize) -> Result<Vec<u8>, FrameError> {
    let mut framed = vec![0; 4];
    serde_json::to_writer(&mut framed, value).map_err(|_| FrameError::Rubbish)?;
    let length = u32::try_from(framed.len() - 4).map_err(|_| FrameError::TooLong(u32::MAX))?;
    framed[..4].copy_from_slice(&length.to_le_bytes());
    Ok(framed)
}

/// Reads a frame; waits in place. At the end of the input there is none.
pub fn read_frame(input: &mut impl Read, max: u32) -> Result<Option<Vec<u8>>, FrameError> {
    let Some(length) = read_length(input, max)? else {
        return Ok(None);
    };
    let mut bytes = Vec::new();
    input.take(u64::from(length)).read_to_end(&mut bytes)?;
    if bytes.len() == length as usize { Ok(Some(bytes)) } else { Err(cut_short()) }
}

/// Reads a frame's length; waits in place. At the end of the input there is none.
pub fn read_length(input: &mut impl Read, max: u32) -> Result<Option<u32>, FrameError> {
    let mut length = Vec::with_capacity(4);
    input.take(4).read_to_end(&mut length)?;
    match <[u8; 4]>::try_from(length.as_slice()) {
        Ok(length) => within(u32::from_le_bytes(length), max).map(Some),
        Err(_) if length.is_empty() => Ok(None),
        Err(_) => Err(cut_short()),
    }
}

/// Receives a frame from a worker.
pub async fn receive_frame(input: &mut (impl AsyncRead + Unpin), max: u32) -> Result<Vec<u8>, FrameError> {
    let length = within(input.read_u32_le().await?, max)?;
    let mut bytes = Vec::new();
    input.take(u64::from(length)).read_to_end(&mut bytes).await?;
    if bytes.len() == length as usize { Ok(bytes) } else { Err(cut_short()) }
}

/// Reads a [`Hello`] or [`Request`].
pub fn parse_small<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, FrameError> {
    serde_json::from_slice(bytes).map_err(|_| FrameError::Rubbish)
}

/// Reads a reply, and refuses what no reader of ours makes.
pub fn parse_reply(bytes: &[u8]) -> Result<Reply, FrameError> {
    let reply: Reply = serde_json::from_slice(bytes).map_err(|_| FrameError::Rubbish)?;
    let is_sound = |parsed: &Parsed| {
        let blocks = &parsed.blocks;
        let notes_are_few =
            parsed.notes.len() <= MAX_NOTES && parsed.notes.iter().all(|note| note.len() <= MAX_NOTE_BYTES);
        notes_are_few
            && !blocks.is_empty()
            && blocks.len() <= MAX_BLOCKS
            && blocks.iter().all(|block| !block.text.trim().is_empty())
    };
    if reply.as_ref().is_ok_and(|parsed| !is_sound(parsed)) { Err(FrameError::Rubbish) } else { Ok(reply) }
}

fn within(length: u32, max: u32) -> Result<u32, FrameError> {
    if length > max { Err(FrameError::TooLong(length)) } else { Ok(length) }
}

fn cut_short() -> FrameError {
    FrameError::Io(io::ErrorKind::UnexpectedEof.into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::{Block, BlockKind, Locator};

    fn receive(bytes: &[u8], max: u32) -> Result<Vec<u8>, FrameError> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(receive_frame(&mut &*bytes, max))
    }

    fn parsed(text: &str) -> Parsed {
        let block = Block { kind: BlockKind::Paragraph, text: text.to_owned(), locator: Locator::default() };
        Parsed { blocks: vec![block], ..Parsed::default() }
    }

    #[test]
    fn replies_come_back_as_they_were() {
        for reply in [Ok(parsed("a „b“\n\u{0}")), Err(FormatError::TooLarge(7)), Err(FormatError::NoText)] {
            let framed = json_frame(&reply).unwrap();
            let bytes = receive(&framed, MAX_REPLY_BYTES).unwrap();
            assert_eq!(parse_reply(&bytes).unwrap(), reply);
            assert_eq!(read_frame(&mut framed.as_slice(), MAX_REPLY_BYTES).unwrap(), Some(bytes));
        }
    }

    #[test]
    fn what_no_reader_makes_is_refused() {
        let noted = |notes: Vec<String>| Ok(Parsed { notes, ..parsed("a") });
        let many = noted(vec![String::new(); MAX_NOTES + 1]);
        let long = noted(vec!["x".repeat(MAX_NOTE_BYTES + 1)]);
        for reply in [Ok(Parsed::default()), Ok(parsed(" \n")), many, long] {
            let bytes = serde_json::to_vec::<Reply>(&reply).unwrap();
            assert!(matches!(parse_reply(&bytes), Err(FrameError::Rubbish)), "{reply:?}");
        }
    }

    #[test]
    fn a_length_alone_reserves_nothing() {
        let huge = u32::MAX.to_le_bytes();
        assert!(matches!(receive(&huge, MAX_REPLY_BYTES), Err(FrameError::TooLong(u32::MAX))));
        assert!(matches!(receive(&MAX_REPLY_BYTES.to_le_bytes(), MAX_REPLY_BYTES), Err(FrameError::Io(_))));
        assert!(matches!(read_frame(&mut [1, 0].as_slice(), 9), Err(FrameError::Io(_))));
        assert!(matches!(read_frame(&mut [].as_slice(), 9), Ok(None)));
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_frame_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let asynchronous = receive(&bytes, 100).ok();
            let waiting = read_frame(&mut bytes.as_slice(), 100).ok().flatten();
            prop_assert_eq!(&asynchronous, &waiting);
            let length = bytes.first_chunk().map(|length| u32::from_le_bytes(*length) as usize);
            let whole = length.filter(|length| *length <= 100).and_then(|length| bytes.get(4..4 + length));
            prop_assert_eq!(asynchronous.as_deref(), whole);
            let _ = parse_reply(&bytes);
            let _ = parse_small::<Hello>(&bytes);
        }

        #[test]
        fn a_changed_reply_is_a_reply_or_an_error(text in "[a-z \"\\\\{}\\[\\]]{1,40}", at in 0_usize..200, byte: u8) {
            let mut bytes = serde_json::to_vec::<Reply>(&Ok(parsed(&format!("x{text}")))).unwrap();
            let at = at % bytes.len();
            bytes[at] = byte;
            if let Ok(Ok(parsed)) = parse_reply(&bytes) {
                prop_assert!(!parsed.blocks.is_empty());
            }
        }
    }
}
