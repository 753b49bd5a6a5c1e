//! Finds out how text is encoded: byte order mark, wide units without one, UTF-8, what the document declares, a guess.
//!
//! Decoding never fails: bytes that fit no encoding become replacement characters. Whether bytes are text at all is
//! asked first, with [`sniff_text`].

mod guess;
pub mod label;
mod wide;

use encoding_rs::{Encoding, ISO_2022_JP, UTF_8};

use crate::docs::format::Sniff;
use crate::docs::format::encoding::guess::{guess, is_iso_2022_jp, is_mostly_utf8};

/// How much of a file decides whether it is text.
const SAMPLE_BYTES: usize = 8 * 1024;

/// How far into a document its declaration of an encoding is looked for.
const DECLARATION_BYTES: usize = 4096;

/// Decodes text. Bytes that fit no encoding become replacement characters.
pub fn decode(bytes: &[u8], declared: Option<&'static Encoding>) -> String {
    if let Some(text) = wide::decode_utf32(bytes) {
        return text;
    }
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return encoding.decode_without_bom_handling(&bytes[mark..]).0.into_owned();
    }
    if let Some(encoding) = wide::unmarked_utf16(sample(bytes)) {
        return encoding.decode_without_bom_handling(bytes).0.into_owned();
    }
    // ISO-2022-JP is ASCII with escape sequences: to a decoder of UTF-8 it looks right.
    let declared = declared.filter(|declared| declared.is_ascii_compatible() || *declared == ISO_2022_JP);
    if is_iso_2022_jp(bytes) {
        return ISO_2022_JP.decode_without_bom_handling(bytes).0.into_owned();
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return text.to_owned();
    }
    if is_mostly_utf8(bytes) {
        return String::from_utf8_lossy(bytes).into_owned();
    }
    decode_legacy(bytes, declared.filter(|declared| *declared != UTF_8))
}

/// What is declared is believed unless it does not fit and something else does.
fn decode_legacy(bytes: &[u8], declared: Option<&'static Encoding>) -> String {
    if let Some(declared) = declared {
        let (text, had_errors) = declared.decode_without_bom_handling(bytes);
        if !had_errors {
            return text.into_owned();
        }
    }
    let (text, had_errors) = guess(bytes).decode_without_bom_handling(bytes);
    match declared {
        Some(declared) if had_errors => declared.decode_without_bom_handling(bytes).0.into_owned(),
        _ => text.into_owned(),
    }
}

/// The encoding named in `<meta charset>`, in `<meta http-equiv>` or in the XML declaration.
pub fn declared(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(DECLARATION_BYTES)]).to_ascii_lowercase();
    let xml = head.trim_start().strip_prefix("<?xml").and_then(|rest| label(rest.split('>').next()?, "encoding="));
    let meta = || head.split("<meta").skip(1).find_map(|rest| label(rest.split('>').next()?, "charset="));
    xml.or_else(meta)
}

fn label(tag: &str, key: &str) -> Option<&'static Encoding> {
    let value = tag.split_once(key)?.1.trim_start_matches(['"', '\'', ' ']);
    let end = value.find(|c: char| !c.is_ascii_alphanumeric() && !"-_:.".contains(c)).unwrap_or(value.len());
    Encoding::for_label(&value.as_bytes()[..end])
}

/// Whether bytes may be text at all.
pub fn sniff_text(bytes: &[u8]) -> Sniff {
    let head = sample(bytes);
    if wide::is_utf32(bytes) || Encoding::for_bom(head).is_some() || wide::unmarked_utf16(head).is_some() {
        return Sniff::Possible;
    }
    let odd = head.iter().filter(|b| matches!(b, 0x01..=0x08 | 0x0e..=0x1a | 0x1c..=0x1f)).count();
    let binary = head.contains(&0) || odd * 50 > head.len() || is_known_binary(head);
    if binary { Sniff::No } else { Sniff::Possible }
}

fn sample(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.len().min(SAMPLE_BYTES)]
}

fn is_known_binary(sample: &[u8]) -> bool {
    use infer::MatcherType::{Book, Text};
    infer::get(sample).is_some_and(|kind| !matches!(kind.matcher_type(), Text | Book))
}

#[cfg(test)]
mod tests;
