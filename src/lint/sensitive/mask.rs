//! What of a value may be shown: its first characters, and a fingerprint.

use sha2::{Digest as _, Sha256};

use crate::clock::hex;

/// The most characters of a value that are shown, and never more than a quarter of it.
pub const SHOWN_CHARS: usize = 4;

/// Hexadecimal digits of a fingerprint. Few on purpose: enough to tell the values of a folder apart, too few to find
/// a card number or a password again by trying all, since many fit.
const FINGERPRINT_DIGITS: usize = 8;

/// The beginning of a value, enough to find it where one knows the place.
pub fn mask(value: &str) -> String {
    let shown = (value.chars().count() / 4).min(SHOWN_CHARS);
    value.chars().take(shown).chain(['…']).collect()
}

/// What an allow file names instead of the value: the beginning of SHA-256 over kind and value. Spaces do not count.
pub fn fingerprint(kind: &str, value: &str) -> String {
    let value: String = value.split_whitespace().collect();
    let digest = hex(&Sha256::digest(format!("chatbotctl.docs-allow/1\0{kind}\0{value}")));
    digest[..FINGERPRINT_DIGITS].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn little_of_a_value_is_shown(value in "\\PC{1,80}") {
            let masked = mask(&value);
            let shown: Vec<char> = masked.strip_suffix('…').unwrap().chars().collect();
            proptest::prop_assert!(shown.len() <= SHOWN_CHARS);
            proptest::prop_assert!(shown.len() * 4 <= value.chars().count());
        }
    }

    #[test]
    fn a_fingerprint_knows_kind_and_value_but_no_spaces() {
        assert_eq!(fingerprint("iban", "DE00 1111"), fingerprint("iban", "DE001111"));
        assert_ne!(fingerprint("iban", "DE001111"), fingerprint("card", "DE001111"));
        assert_eq!(fingerprint("iban", "x").len(), FINGERPRINT_DIGITS);
    }
}
