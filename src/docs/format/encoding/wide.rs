//! Text in units of two and four bytes, with and without a byte order mark.

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE};

/// Text in UTF-32, when it is that.
pub fn decode_utf32(bytes: &[u8]) -> Option<String> {
    let (order, mark) = utf32_order(bytes)?;
    let units = bytes[mark..].chunks_exact(4);
    Some(units.map(|unit| char::from_u32(order.unit(unit)).unwrap_or(char::REPLACEMENT_CHARACTER)).collect())
}

/// Whether bytes are text in UTF-32.
pub fn is_utf32(bytes: &[u8]) -> bool {
    utf32_order(bytes).is_some()
}

#[derive(Debug, Clone, Copy)]
enum Order {
    Little,
    Big,
}

impl Order {
    fn unit(self, unit: &[u8]) -> u32 {
        let unit: [u8; 4] = unit.try_into().unwrap_or_default();
        match self {
            Self::Little => u32::from_le_bytes(unit),
            Self::Big => u32::from_be_bytes(unit),
        }
    }
}

/// The order of bytes, and how long the mark is. Without a mark, the first units must be ordinary characters: in any
/// other encoding half of them would be beyond the last character.
fn utf32_order(bytes: &[u8]) -> Option<(Order, usize)> {
    if bytes.len() < 4 || !bytes.len().is_multiple_of(4) {
        return None;
    }
    match bytes[..4] {
        [0xff, 0xfe, 0, 0] => return Some((Order::Little, 4)),
        [0, 0, 0xfe, 0xff] => return Some((Order::Big, 4)),
        _ => {}
    }
    let fits =
        |order: Order| bytes.chunks_exact(4).take(1024).all(|unit| is_ordinary(char::from_u32(order.unit(unit))));
    [Order::Little, Order::Big].into_iter().find(|order| fits(*order)).map(|order| (order, 0))
}

fn is_ordinary(character: Option<char>) -> bool {
    character.is_some_and(|c| !c.is_control() || matches!(c, '\t' | '\n' | '\r' | '\u{c}'))
}

/// The order of text in UTF-16 without a mark.
///
/// Such text has zeros (of its spaces and line breaks, at least), decodes without an error to letters, and the bytes
/// that name the script repeat more than the others.
pub fn unmarked_utf16(sample: &[u8]) -> Option<&'static Encoding> {
    let sample = &sample[..sample.len() / 2 * 2];
    if sample.len() < 4 || !sample.contains(&0) {
        return None;
    }
    let distinct = |offset: usize| {
        let mut seen = [false; 256];
        sample.iter().skip(offset).step_by(2).for_each(|byte| seen[usize::from(*byte)] = true);
        seen.iter().filter(|seen| **seen).count()
    };
    let order = if distinct(0) > distinct(1) { UTF_16LE } else { UTF_16BE };
    reads_as_text(order, sample).then_some(order)
}

fn reads_as_text(encoding: &'static Encoding, sample: &[u8]) -> bool {
    // A pair of surrogates may be cut by the end of the sample.
    let whole = encoding.decode_without_bom_handling_and_without_replacement(sample);
    let shorter = || encoding.decode_without_bom_handling_and_without_replacement(&sample[..sample.len() - 2]);
    let Some(text) = whole.or_else(shorter) else { return false };
    let (mut all, mut letters) = (0_usize, 0_usize);
    for c in text.chars() {
        if !is_ordinary(Some(c)) {
            return false;
        }
        all += 1;
        letters += usize::from(c.is_alphanumeric() || c.is_whitespace() || c.is_ascii_punctuation());
    }
    letters * 10 >= all * 8
}
