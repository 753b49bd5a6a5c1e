//! Finds out how text is encoded: byte order mark, then UTF-8, then what the document declares, then a guess.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

use crate::docs::format::Sniff;

/// How much of a file decides whether it is text.
const SAMPLE_BYTES: usize = 8 * 1024;

/// Decodes text. Bytes that fit no encoding become replacement characters.
pub fn decode(bytes: &[u8], declared: Option<&'static Encoding>) -> String {
    if let Some(text) = decode_utf32(bytes) {
        return text;
    }
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return encoding.decode_without_bom_handling(&bytes[mark..]).0.into_owned();
    }
    if let Some(encoding) = unmarked_utf16(bytes) {
        return encoding.decode_without_bom_handling(bytes).0.into_owned();
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return text.to_owned();
    }
    let encoding = declared.filter(|declared| *declared != UTF_8).unwrap_or_else(|| guess(bytes));
    encoding.decode_without_bom_handling(bytes).0.into_owned()
}

/// Whether bytes may be text at all.
pub fn sniff_text(bytes: &[u8]) -> Sniff {
    let sample = &bytes[..bytes.len().min(SAMPLE_BYTES)];
    if has_utf32_mark(sample) || Encoding::for_bom(sample).is_some() || unmarked_utf16(sample).is_some() {
        return Sniff::Possible;
    }
    let odd = sample.iter().filter(|b| matches!(b, 0x01..=0x08 | 0x0e..=0x1a | 0x1c..=0x1f)).count();
    let binary = sample.contains(&0) || odd * 50 > sample.len() || is_known_binary(sample);
    if binary { Sniff::No } else { Sniff::Possible }
}

fn is_known_binary(sample: &[u8]) -> bool {
    use infer::MatcherType::{Book, Text};
    infer::get(sample).is_some_and(|kind| !matches!(kind.matcher_type(), Text | Book))
}

fn guess(bytes: &[u8]) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(bytes, true);
    detector.guess(None, Utf8Detection::Deny)
}

fn has_utf32_mark(bytes: &[u8]) -> bool {
    bytes.len().is_multiple_of(4) && (bytes.starts_with(&[0xff, 0xfe, 0, 0]) || bytes.starts_with(&[0, 0, 0xfe, 0xff]))
}

fn decode_utf32(bytes: &[u8]) -> Option<String> {
    if !has_utf32_mark(bytes) {
        return None;
    }
    let little = bytes.starts_with(&[0xff, 0xfe]);
    let text = bytes[4..].chunks_exact(4).map(|unit| {
        let unit: [u8; 4] = unit.try_into().unwrap_or_default();
        let code = if little { u32::from_le_bytes(unit) } else { u32::from_be_bytes(unit) };
        char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
    });
    Some(text.collect())
}

/// Western text in UTF-16 without a mark has a zero in nearly every second byte.
fn unmarked_utf16(bytes: &[u8]) -> Option<&'static Encoding> {
    let sample = &bytes[..bytes.len().min(SAMPLE_BYTES)];
    if sample.len() < 4 || !bytes.len().is_multiple_of(2) {
        return None;
    }
    let zeros = |offset: usize| sample.iter().skip(offset).step_by(2).filter(|b| **b == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    let many = sample.len() * 2 / 5;
    if odd >= many && even == 0 {
        Some(UTF_16LE)
    } else if even >= many && odd == 0 {
        Some(UTF_16BE)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_encodings() {
        let text = "Größe: 3,50 €. Für Äpfel und Öl gilt: außer Haus, café à la carte.";
        let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let marked = |mark: &[u8], rest: &[u8]| [mark, rest].concat();
        let utf32: Vec<u8> = text.chars().flat_map(|c| (c as u32).to_le_bytes()).collect();
        let cp1252 = encoding_rs::WINDOWS_1252.encode(text).0.into_owned();
        for bytes in [
            text.as_bytes().to_vec(),
            marked(&[0xef, 0xbb, 0xbf], text.as_bytes()),
            marked(&[0xfe, 0xff], &utf16),
            marked(&[0xff, 0xfe, 0, 0], &utf32),
            cp1252,
        ] {
            assert_eq!(decode(&bytes, None), text);
            assert_eq!(sniff_text(&bytes), Sniff::Possible);
        }
        let ascii: Vec<u8> = "plain words".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(decode(&ascii, None), "plain words");
    }

    #[test]
    fn binary_is_no_text() {
        assert_eq!(sniff_text(&[0, 1, 2, 3, 4, 5, 6, 7, 8]), Sniff::No);
        assert_eq!(sniff_text(b"GIF89a\x01\x02"), Sniff::No);
    }
}
