//! Follows a body to its last byte, so that what comes after it is judged as the next head. Pure.
//!
//! Stricter than the engine behind it (RFC 9112, section 7.1, in its canonical form only): whatever passes here ends
//! at the same byte there.

use crate::serve::connections::head::Framing;

/// Hexadecimal digits of a chunk's size: no chunk is larger than 4 GiB.
const MAX_SIZE_DIGITS: u8 = 8;
/// Bytes of what may follow a chunk's size on its line.
const MAX_EXTENSION_BYTES: u16 = 256;
/// Bytes of the fields after the last chunk.
const MAX_TRAILER_BYTES: u16 = 8 * 1024;

/// How far a body has come.
#[derive(Debug)]
pub enum Body {
    /// So many bytes are to come.
    Length(u64),
    /// Chunks are to come.
    Chunks(Chunks),
    /// It is whole.
    Done,
}

/// The chunks are not framed as they must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the chunks of a body are malformed")]
pub struct Malformed;

/// Where in the chunks one is.
#[derive(Debug, Clone, Copy)]
pub enum Chunks {
    /// In the size; its value so far and its digits.
    Size(u64, u8),
    /// In what follows the size; bytes so far.
    Extension(u64, u16),
    /// Before the line feed after the size.
    SizeEnd(u64),
    /// In the data; bytes to come.
    Data(u64),
    /// Before the carriage return after the data.
    DataReturn,
    /// Before the line feed after the data.
    DataEnd,
    /// At the beginning of a line after the last chunk; bytes of such lines so far.
    TrailerLine(u16),
    /// Within such a line.
    Trailer(u16),
    /// Before its line feed.
    TrailerEnd(u16),
    /// Before the very last line feed.
    LastEnd,
}

impl Body {
    /// The body that follows a head.
    pub fn new(framing: Framing) -> Self {
        match framing {
            Framing::Length(0) => Self::Done,
            Framing::Length(bytes) => Self::Length(bytes),
            Framing::Chunked => Self::Chunks(Chunks::Size(0, 0)),
        }
    }

    /// Whether its last byte was seen.
    pub fn is_done(&self) -> bool {
        matches!(self, Self::Done)
    }

    /// How many of these bytes are the body's.
    pub fn take(&mut self, bytes: &[u8]) -> Result<usize, Malformed> {
        match self {
            Self::Done => Ok(0),
            Self::Length(left) => {
                let taken = bytes.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= taken as u64;
                if *left == 0 {
                    *self = Self::Done;
                }
                Ok(taken)
            }
            Self::Chunks(_) => self.take_chunks(bytes),
        }
    }

    fn take_chunks(&mut self, bytes: &[u8]) -> Result<usize, Malformed> {
        let mut place = 0;
        while place < bytes.len() {
            let Self::Chunks(at) = self else { break };
            if let Chunks::Data(left) = at {
                let taken = (bytes.len() - place).min(usize::try_from(*left).unwrap_or(usize::MAX));
                place += taken;
                *left -= taken as u64;
                if *left == 0 {
                    *at = Chunks::DataReturn;
                }
                continue;
            }
            match at.step(bytes[place])? {
                Some(next) => *at = next,
                None => *self = Self::Done,
            }
            place += 1;
        }
        Ok(place)
    }
}

impl Chunks {
    /// The place after this byte; none after the last.
    fn step(self, byte: u8) -> Result<Option<Self>, Malformed> {
        Ok(Some(match (self, byte) {
            (Self::Size(size, digits), _) if byte.is_ascii_hexdigit() && digits < MAX_SIZE_DIGITS => {
                let digit = char::from(byte).to_digit(16).unwrap_or_default();
                Self::Size(size * 16 + u64::from(digit), digits + 1)
            }
            (Self::Size(size, 1..) | Self::Extension(size, _), b'\r') => Self::SizeEnd(size),
            (Self::Size(size, 1..), b';') => Self::Extension(size, 0),
            (Self::Extension(size, seen), b'\t' | b' '..=b'~') if seen < MAX_EXTENSION_BYTES => {
                Self::Extension(size, seen + 1)
            }
            (Self::SizeEnd(0), b'\n') => Self::TrailerLine(0),
            (Self::SizeEnd(size), b'\n') => Self::Data(size),
            (Self::DataReturn, b'\r') => Self::DataEnd,
            (Self::DataEnd, b'\n') => Self::Size(0, 0),
            (Self::TrailerLine(_), b'\r') => Self::LastEnd,
            (Self::LastEnd, b'\n') => return Ok(None),
            (Self::Trailer(seen), b'\r') => Self::TrailerEnd(seen),
            (Self::TrailerEnd(seen), b'\n') => Self::TrailerLine(seen),
            (Self::TrailerLine(seen), b'!'..=b'~') | (Self::Trailer(seen), b'\t' | b' '..=b'~' | 0x80..)
                if seen < MAX_TRAILER_BYTES =>
            {
                Self::Trailer(seen + 1)
            }
            _ => return Err(Malformed),
        }))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn follow(text: &[u8]) -> Result<(usize, bool), Malformed> {
        let mut body = Body::new(Framing::Chunked);
        let taken = body.take(text)?;
        Ok((taken, body.is_done()))
    }

    /// H9: a body ends at one byte, or is refused.
    #[test]
    fn h9_chunks_end_at_one_byte() {
        for (text, rest) in [
            ("0\r\n\r\n", ""),
            ("3\r\nabc\r\n0\r\n\r\n", "GET / "),
            ("A;a=\"b\"\r\n0123456789\r\n00\r\nX: y\r\n\r\n", "\r\n"),
            ("2\r\n\r\n\r\n0\r\n\r\n", "0\r\n\r\n"),
        ] {
            assert_eq!(follow(format!("{text}{rest}").as_bytes()), Ok((text.len(), true)), "{text:?}");
        }
        for text in [
            "\r\n",
            "3\nabc",
            "3\r\nabcd\r\n",
            "3\r\nabc\n",
            " 3\r\n",
            "3 \r\n",
            "+3\r\n",
            "0x3\r\n",
            "-1\r\n",
            "123456789\r\n",
            "3;\u{1}\r\n",
            "3;a\nb\r\n",
            "0\r\n X: folded\r\n",
            "0\r\nX: y\n\r\n",
            "0\r\n\n",
        ] {
            assert_eq!(follow(text.as_bytes()), Err(Malformed), "{text:?}");
        }
        assert_eq!(follow(format!("0\r\nX: {}", "y".repeat(9000)).as_bytes()), Err(Malformed));
        assert_eq!(follow(format!("0;{}", "y".repeat(300)).as_bytes()), Err(Malformed));
    }

    proptest! {
        /// B4: no bytes make it panic or take more than there is, and how they are cut does not matter.
        #[test]
        fn b4_cuts_do_not_matter(bytes in prop::collection::vec(chunk_byte(), 0..100), cut in 0..100_usize) {
            let whole = follow(&bytes);
            let cut = cut.min(bytes.len());
            let mut body = Body::new(Framing::Chunked);
            let first = body.take(&bytes[..cut]);
            let both = match first {
                Ok(taken) if taken == cut => body.take(&bytes[cut..]).map(|more| (taken + more, body.is_done())),
                other => other.map(|taken| (taken, body.is_done())),
            };
            prop_assert_eq!(both, whole);
        }

        /// Whatever is cut into chunks comes to the same end.
        #[test]
        fn well_framed_chunks_pass(sizes in prop::collection::vec(1..300_usize, 0..5), rest in "[a-z]{0,9}") {
            let chunk = |size: &usize| format!("{size:x}\r\n{}\r\n", "\n".repeat(*size));
            let text = [sizes.iter().map(chunk).collect::<Vec<_>>().concat(), "0\r\n\r\n".to_owned()].concat();
            prop_assert_eq!(follow(format!("{text}{rest}").as_bytes()), Ok((text.len(), true)));
        }
    }

    fn chunk_byte() -> impl Strategy<Value = u8> {
        prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'0'), Just(b'2'), Just(b';'), Just(b'a'), any::<u8>()]
    }
}
