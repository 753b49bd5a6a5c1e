//! Unpacks streams within a bound, because a few kilobytes may unpack to gigabytes.
//!
//! The engine unpacks without a bound of its own: nothing reaches it that has not passed here.

use std::io::{self, Read as _, Write};

use flate2::read::ZlibDecoder;
use pdf_extract::{Dictionary, Object, Stream};
use weezl::BitOrder;
use weezl::decode::Decoder;

use crate::docs::format::pdf::content::ContentError;

/// A byte of deflated data holds no more than this many (zlib's own figure).
const DEFLATE_RATIO: usize = 1_032;
/// A byte of base-85 text holds no more: `z` stands for four.
const BASE85_RATIO: usize = 4;

/// A stream of instructions that is larger is unpacked piece by piece, in bytes.
const MAX_WHOLE_BYTES: usize = 24 * 1024 * 1024;
const PIECE_BYTES: usize = 64 * 1024;

/// The contents of a stream; `None` when they are more than `max_bytes`. What nobody can unpack comes as it is.
pub fn unpack(stream: &Stream, max_bytes: usize) -> Option<Vec<u8>> {
    fits(stream, max_bytes).then(|| stream.decompressed_content().unwrap_or_else(|_| stream.content.clone()))
}

/// Gives the contents of a stream piece by piece. What nobody can unpack comes as it is, and ends in an error when it
/// is neither small nor packed in the usual way.
pub fn pieces(stream: &Stream, mut take: impl FnMut(&[u8]) -> Result<(), ContentError>) -> Result<(), ContentError> {
    if let Some(content) = unpack(stream, MAX_WHOLE_BYTES) {
        return content.chunks(PIECE_BYTES).try_for_each(take);
    }
    let filters = stream.filters().unwrap_or_default();
    if filters.is_empty() {
        return stream.content.chunks(PIECE_BYTES).try_for_each(take);
    }
    if filters != [b"FlateDecode"] || stream.dict.has(b"DecodeParms") {
        return Err(ContentError::TooMuch);
    }
    let mut decoder = ZlibDecoder::new(stream.content.as_slice());
    let mut piece = vec![0; PIECE_BYTES];
    // Damaged data ends early, as it does for the engine.
    while let Some(bytes) = decoder.read(&mut piece).ok().filter(|bytes| *bytes > 0) {
        take(&piece[..bytes])?;
    }
    Ok(())
}

/// Whether a stream unpacks to no more than `max_bytes`.
pub fn fits(stream: &Stream, max_bytes: usize) -> bool {
    let filters = stream.filters().unwrap_or_default();
    let packed = stream.content.len();
    if filters.is_empty() || (filters == [b"FlateDecode"] && packed.saturating_mul(DEFLATE_RATIO) <= max_bytes) {
        return packed <= max_bytes;
    }
    let mut unpacked: Option<Vec<u8>> = None;
    for filter in filters {
        let input = unpacked.as_deref().unwrap_or(&stream.content);
        let output = match filter {
            b"FlateDecode" => inflate(input, max_bytes),
            b"LZWDecode" => expand_lzw(input, max_bytes),
            b"ASCII85Decode" => decode_base85(input, max_bytes),
            // The engine does not know it either, and takes the bytes as they are.
            _ => return packed <= max_bytes,
        };
        let Some(output) = output else { return false };
        unpacked = Some(output);
    }
    true
}

fn inflate(input: &[u8], max_bytes: usize) -> Option<Vec<u8>> {
    let mut output = Vec::new();
    let bound = u64::try_from(max_bytes).unwrap_or(u64::MAX).saturating_add(1);
    // Damaged data ends early, as it does for the engine.
    let _ = ZlibDecoder::new(input).take(bound).read_to_end(&mut output);
    (output.len() <= max_bytes).then_some(output)
}

fn expand_lzw(input: &[u8], max_bytes: usize) -> Option<Vec<u8>> {
    let mut output = Bounded { bytes: Vec::new(), max_bytes, is_over: false };
    let mut decoder = Decoder::with_tiff_size_switch(BitOrder::Msb, 8);
    // Damaged data ends early, as it does for the engine; what matters is whether the bound was met.
    let _ = decoder.into_stream(&mut output).decode_all(input).status;
    (!output.is_over).then_some(output.bytes)
}

fn decode_base85(input: &[u8], max_bytes: usize) -> Option<Vec<u8>> {
    if input.len().saturating_mul(BASE85_RATIO) > max_bytes {
        return None;
    }
    let mut dict = Dictionary::new();
    dict.set("Filter", Object::Name(b"ASCII85Decode".to_vec()));
    let stream = Stream::new(dict, input.to_vec());
    Some(stream.decompressed_content().unwrap_or_default())
}

/// Takes bytes up to a bound, then refuses.
struct Bounded {
    bytes: Vec<u8>,
    max_bytes: usize,
    is_over: bool,
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > self.max_bytes {
            self.is_over = true;
            return Err(io::Error::other("more than the bound"));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(content: Vec<u8>) -> Stream {
        let mut stream = Stream::new(Dictionary::new(), content);
        stream.compress().unwrap();
        stream
    }

    #[test]
    fn a_bomb_is_refused_and_a_page_is_not() {
        let bomb = packed(vec![b' '; 8 * 1024 * 1024]);
        assert!(bomb.content.len() < 16 * 1024);
        assert_eq!(unpack(&bomb, 1024 * 1024), None);
        assert!(unpack(&bomb, 8 * 1024 * 1024).is_some());
        let page = packed(b"BT (Hello) Tj ET ".repeat(100));
        assert_eq!(unpack(&page, 1024 * 1024).unwrap(), b"BT (Hello) Tj ET ".repeat(100));
    }

    #[test]
    fn bombs_in_chains_and_in_lzw_are_refused() {
        let mut twice = packed(packed(vec![0; 32 * 1024 * 1024]).content);
        let name = || Object::Name(b"FlateDecode".to_vec());
        twice.dict.set("Filter", Object::Array(vec![name(), name()]));
        assert!(!fits(&twice, 1024 * 1024));
        let zeros = vec![0; 4 * 1024 * 1024];
        let lzw = weezl::encode::Encoder::with_tiff_size_switch(BitOrder::Msb, 8).encode(&zeros).unwrap();
        let mut dict = Dictionary::new();
        dict.set("Filter", Object::Name(b"LZWDecode".to_vec()));
        let lzw = Stream::new(dict, lzw);
        assert!(!fits(&lzw, 1024 * 1024));
        assert!(fits(&lzw, 4 * 1024 * 1024));
    }
}
