//! Under which encoding a text is handed on, when that is sure: a wrong label is worse than none.

use encoding_rs::{Encoding, ISO_2022_JP, UTF_8};

use crate::docs::format::encoding::guess::{guess, is_iso_2022_jp, is_mostly_utf8};
use crate::docs::format::encoding::{sample, wide};

/// The encoding in which a reader takes these bytes. `is_all` says whether the text ends with them.
pub fn label(bytes: &[u8], is_all: bool) -> Option<&'static Encoding> {
    if let Some((marked, _)) = Encoding::for_bom(bytes) {
        // The mark of wide text is stronger than any label, and beside a label it would be a character.
        return Some(marked).filter(|marked| *marked == UTF_8);
    }
    if bytes.contains(&0) {
        // Browsers know no units of four bytes.
        return wide::unmarked_utf16(sample(bytes)).filter(|_| !wide::is_utf32(bytes));
    }
    if bytes.is_ascii() {
        let ascii = if is_iso_2022_jp(bytes) { ISO_2022_JP } else { UTF_8 };
        // Whatever follows may be in any encoding.
        return Some(ascii).filter(|_| is_all);
    }
    if is_mostly_utf8(bytes) {
        return Some(UTF_8);
    }
    let guess = guess(bytes);
    let is_cut_or_fits = !is_all || !guess.decode_without_bom_handling(bytes).1;
    Some(guess).filter(|_| is_cut_or_fits)
}

#[cfg(test)]
mod tests {
    use encoding_rs::ISO_2022_JP;

    use super::label;

    fn name(bytes: &[u8], is_all: bool) -> &'static str {
        label(bytes, is_all).map_or("none", |encoding| encoding.name())
    }

    #[test]
    fn text_is_labelled_as_it_is_read() {
        let late = [&b"plain words ".repeat(1_000)[..], b"Gr\xf6\xdfe und Pa\xdfform f\xfcr alle"].concat();
        let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        let japanese = ISO_2022_JP.encode("返品は三十日以内です。").0.into_owned();
        for (bytes, expected) in [
            (b"plain words".to_vec(), "UTF-8"),
            ("Größe".as_bytes().to_vec(), "UTF-8"),
            ("\u{feff}Größe".as_bytes().to_vec(), "UTF-8"),
            (late, "windows-1252"),
            (japanese, "ISO-2022-JP"),
            (wide("Returns are free within thirty days."), "UTF-16LE"),
            (wide("\u{feff}Returns are free."), "none"),
            ("Returns".chars().flat_map(|each| u32::from(each).to_le_bytes()).collect(), "none"),
            (b"\0\x01\x02\xff\xfe\0\0".to_vec(), "none"),
        ] {
            assert_eq!(name(&bytes, true), expected, "{bytes:?}");
        }
    }

    #[test]
    fn what_is_not_seen_may_be_in_any_encoding() {
        assert_eq!(name(b"plain words", false), "none");
        assert_eq!(name(&"Größe".as_bytes()[..6], false), "UTF-8");
        // A character that the look cut in two.
        assert_eq!(name(&"Größe, größer, ö".repeat(9).as_bytes()[..160], false), "UTF-8");
    }
}
