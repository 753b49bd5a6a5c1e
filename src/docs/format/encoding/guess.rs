//! Guesses how bytes are encoded that say nothing about it.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, ISO_2022_JP, MACINTOSH};

/// How much is looked at, from the first byte that is not ASCII: more changes no guess.
const GUESS_BYTES: usize = 1024 * 1024;

/// One wrong sequence among so many right ones is a slip, not another encoding.
const RIGHT_PER_WRONG: usize = 20;

/// The likeliest encoding of bytes that are not UTF-8.
pub fn guess(bytes: &[u8]) -> &'static Encoding {
    let first = bytes.iter().position(|byte| !byte.is_ascii()).unwrap_or(0);
    // Some text before it helps, for it is next to letters that a letter is seen to be one.
    let bytes = &bytes[first.saturating_sub(64)..];
    let whole = bytes.len() <= GUESS_BYTES;
    let bytes = &bytes[..bytes.len().min(GUESS_BYTES)];
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(bytes, whole);
    let guess = detector.guess(None, Utf8Detection::Deny);
    if reads_better_as_macintosh(guess, bytes) { MACINTOSH } else { guess }
}

/// Whether bytes are ASCII with the escape sequences of ISO-2022-JP.
pub fn is_iso_2022_jp(bytes: &[u8]) -> bool {
    if !bytes.windows(2).any(|pair| pair == b"\x1b$") || !bytes.is_ascii() {
        return false;
    }
    !ISO_2022_JP.decode_without_bom_handling(bytes).1
}

/// Whether bytes are UTF-8 but for a few slips: a cut at the end, a word pasted from elsewhere.
pub fn is_mostly_utf8(bytes: &[u8]) -> bool {
    let (mut right, mut wrong) = (0_usize, 0_usize);
    for chunk in bytes.utf8_chunks() {
        right += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        wrong += usize::from(!chunk.invalid().is_empty());
    }
    right >= wrong * RIGHT_PER_WRONG
}

/// Old Macs had an encoding of their own, which no detector knows: in another single-byte encoding its letters are
/// signs and capitals in the middle of words.
fn reads_better_as_macintosh(guess: &'static Encoding, bytes: &[u8]) -> bool {
    if !guess.is_single_byte() {
        return false;
    }
    let other = word_score(&guess.decode_without_bom_handling(bytes).0);
    other < 0 && word_score(&MACINTOSH.decode_without_bom_handling(bytes).0) > 0
}

/// Small letters beyond ASCII after letters count for, capitals after small letters and signs inside words against.
fn word_score(text: &str) -> i64 {
    let mut score = 0;
    let mut before = ' ';
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let after = chars.peek().copied().unwrap_or(' ');
        let inside = before.is_alphabetic() && after.is_alphabetic();
        if !c.is_ascii() {
            if c.is_lowercase() && (before.is_alphabetic() || after.is_lowercase()) {
                score += 1;
            } else if (c.is_uppercase() && before.is_lowercase()) || (inside && is_sign(c)) {
                score -= 1;
            }
        }
        before = c;
    }
    score
}

fn is_sign(c: char) -> bool {
    !c.is_alphanumeric() && !matches!(c, '’' | '‘' | '–' | '—' | '·' | '\u{ad}' | '\u{a0}')
}
