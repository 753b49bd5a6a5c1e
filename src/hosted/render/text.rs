//! Text in an encoding that the service reads: UTF-8, UTF-16 with a mark, ASCII. Any other is converted to UTF-8.

use std::io::{self, Read};

use sha2::{Digest as _, Sha256};

use crate::clock::hex;
use crate::docs::format::encoding;

/// The byte order mark, in UTF-8: HTML that is converted begins with it, since it counts more than what `<meta>` says.
const MARK: char = '\u{feff}';
/// Escape: only encodings that switch between sets of letters have it in a text.
const ESCAPE: u8 = 0x1b;

/// A text in UTF-8 that was in another encoding.
#[derive(Debug)]
pub struct Converted {
    /// The text.
    pub text: String,
    /// SHA-256 of the file that it was made of, hexadecimal.
    pub source_sha256: String,
}

/// The text of a file in UTF-8, where the service would not read it as it is. None where it would: nothing is kept.
pub fn readable(file: &mut (impl Read + io::Seek), extension: &str) -> io::Result<Option<Converted>> {
    if is_readable(file)? {
        return Ok(None);
    }
    file.rewind()?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let is_markdown = extension == "md";
    let text = encoding::decode(&bytes, encoding::declared(&bytes).filter(|_| !is_markdown));
    let text = if extension == "html" { format!("{MARK}{text}") } else { text };
    Ok(Some(Converted { text, source_sha256: hex(&Sha256::digest(&bytes)) }))
}

/// Whether a text is UTF-16 with a mark, or UTF-8 without anything that no text holds. Read in pieces.
fn is_readable(file: &mut impl Read) -> io::Result<bool> {
    let mut buffer = vec![0; 64 * 1024];
    let mut kept = 0;
    let mut is_first = true;
    loop {
        let read = file.read(&mut buffer[kept..])?;
        let filled = kept + read;
        let piece = &buffer[..filled];
        if is_first && read > 0 {
            is_first = false;
            // UTF-32 begins like UTF-16 and goes on with a zero.
            if matches!(piece, [0xff, 0xfe, rest @ ..] if !rest.starts_with(&[0, 0]))
                || piece.starts_with(&[0xfe, 0xff])
            {
                return Ok(true);
            }
        }
        if piece.iter().any(|byte| matches!(*byte, 0 | ESCAPE)) {
            return Ok(false);
        }
        let valid = match std::str::from_utf8(piece) {
            Ok(_) => filled,
            Err(error) if error.error_len().is_none() && read > 0 => error.valid_up_to(),
            Err(_) => return Ok(false),
        };
        if read == 0 {
            return Ok(true);
        }
        buffer.copy_within(valid..filled, 0);
        kept = filled - valid;
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn made(bytes: &[u8], extension: &str) -> Option<String> {
        readable(&mut Cursor::new(bytes), extension).unwrap().map(|converted| converted.text)
    }

    #[test]
    fn what_the_service_reads_stays_as_it_is() {
        let long = "é".repeat(100_000);
        for text in ["", "plain", "Größe", "\u{feff}marked", &long] {
            assert_eq!(made(text.as_bytes(), "txt"), None, "{}", text.len());
        }
        let utf16: Vec<u8> = "\u{feff}Größe".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(made(&utf16, "txt"), None);
    }

    #[test]
    fn other_encodings_become_utf_8() {
        let latin = b"Die Gr\xf6\xdfe der Lampe ist wichtig f\xfcr den Versand.";
        assert_eq!(made(latin, "txt").as_deref(), Some("Die Größe der Lampe ist wichtig für den Versand."));
        // Cut at the end of a piece, and at the end of the file.
        assert!(made(b"cut \xc3", "txt").is_some());
        let html = b"<meta charset=\"windows-1251\"><p>\xcf\xf0\xe8\xe2\xe5\xf2</p>";
        assert_eq!(made(html, "html").as_deref(), Some("\u{feff}<meta charset=\"windows-1251\"><p>Привет</p>"));
        let utf16: Vec<u8> = "Lamps go back. ".repeat(20).encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(made(&utf16, "txt"), Some("Lamps go back. ".repeat(20)));
        assert_eq!(made(b"\x1b$B$3$s\x1b(B", "txt").as_deref(), Some("こん"));
    }
}
