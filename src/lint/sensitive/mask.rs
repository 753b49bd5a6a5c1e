//! What of a value may be shown, and the fingerprint by which an allow file names it.
//!
//! A fingerprint has no key. A key that is shared like the allow file protects from few, and one that is not would
//! give other fingerprints on every machine. So what protects a value is how many others have the same fingerprint:
//! a value that can be found by trying all gets a short one, and no part of it is shown beside.

use sha2::{Digest as _, Sha256};

use crate::clock::hex;
use crate::lint::sensitive::token;
use crate::lint::sensitive::{Class, Kind};

/// The most characters of a value that are shown, and never more than a quarter of it.
pub const SHOWN_CHARS: usize = 4;

/// The numbers of hexadecimal digits that fingerprints have.
pub const FINGERPRINT_DIGITS: [usize; 3] = [FEW_DIGITS, SOME_DIGITS, MANY_DIGITS];

/// Sixteen fingerprints: a person's birthday is one of some 30,000 days, and a password may be one of the 10,000 that
/// people like. Hundreds remain at least.
const FEW_DIGITS: usize = 1;
/// 4,096 fingerprints: of the telephone numbers of a town thousands remain, of other numbers many more.
const SOME_DIGITS: usize = 3;
/// Nobody finds a random value of sixteen characters by trying, so this is only to tell values apart.
const MANY_DIGITS: usize = 8;

/// How easily a value is found by trying.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Guess {
    /// From a short list: a day, a word.
    Easy,
    /// With a computer: a number with a form, an address.
    Possible,
    /// Never: its characters are random.
    Hopeless,
}

impl Guess {
    /// A kind that nobody has thought of here counts as guessable.
    fn of(kind: &Kind) -> Self {
        let is_random = kind.id == "generic-secret" || token::PATTERNS.iter().any(|row| row.kind.id == kind.id);
        match kind.class {
            _ if is_random => Self::Hopeless,
            Class::Personal if kind.id != "date-of-birth" => Self::Possible,
            _ => Self::Easy,
        }
    }

    fn digits(self) -> usize {
        match self {
            Self::Easy => FEW_DIGITS,
            Self::Possible => SOME_DIGITS,
            Self::Hopeless => MANY_DIGITS,
        }
    }
}

/// What stands for a value in text: the beginning of a random one, nothing of any other.
pub fn mask(kind: &Kind, value: &str) -> String {
    let shown = if Guess::of(kind) == Guess::Hopeless { (value.chars().count() / 4).min(SHOWN_CHARS) } else { 0 };
    value.chars().take(shown).chain(['…']).collect()
}

/// What a finding shows of a value, enough to find it where one knows the place: the mask, and of a number or address
/// its length. The length of a password or a day would say too much.
pub fn excerpt(kind: &Kind, value: &str) -> String {
    let mask = mask(kind, value);
    match Guess::of(kind) {
        Guess::Possible => format!("{mask} ({} characters)", value.chars().count()),
        Guess::Easy | Guess::Hopeless => mask,
    }
}

/// What an allow file names instead of the value: the beginning of SHA-256 over kind and value. Spaces do not count.
pub fn fingerprint(kind: &Kind, value: &str) -> String {
    let value: String = value.split_whitespace().collect();
    let digest = hex(&Sha256::digest(format!("chatbotctl.docs-allow/1\0{}\0{value}", kind.id)));
    digest[..Guess::of(kind).digits()].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::sensitive::kinds;

    fn kind(id: &str) -> Kind {
        kinds().into_iter().find(|kind| kind.id == id).unwrap()
    }

    proptest::proptest! {
        #[test]
        fn little_of_a_value_is_shown(value in "\\PC{1,80}") {
            for kind in kinds() {
                let masked = mask(&kind, &value);
                let shown: Vec<char> = masked.strip_suffix('…').unwrap().chars().collect();
                proptest::prop_assert!(shown.len() <= SHOWN_CHARS);
                proptest::prop_assert!(shown.len() * 4 <= value.chars().count());
            }
        }
    }

    #[test]
    fn a_fingerprint_knows_kind_and_value_but_no_spaces() {
        let (iban, card) = (kind("iban"), kind("card"));
        assert_eq!(fingerprint(&iban, "DE00 1111"), fingerprint(&iban, "DE001111"));
        assert_ne!(fingerprint(&iban, "DE001111"), fingerprint(&card, "DE001111"));
    }

    #[test]
    fn only_random_values_have_a_beginning_and_a_long_fingerprint() {
        for kind in kinds() {
            let is_random = kind.class == Class::Secret && !kind.id.ends_with("password");
            let value = "abcdefghijklmnopqrst";
            assert_eq!(mask(&kind, value), if is_random { "abcd…" } else { "…" }, "{}", kind.id);
            assert_eq!(fingerprint(&kind, value).len() == MANY_DIGITS, is_random, "{}", kind.id);
        }
        assert_eq!(excerpt(&kind("us-ssn"), "512-68-4471"), "… (11 characters)");
        assert_eq!(excerpt(&kind("date-of-birth"), "03.03.1984"), "…");
        assert_eq!(excerpt(&kind("password"), "Tr0ub4dor&3"), "…");
    }

    /// Every value is tried, as somebody would who found a report.
    #[test]
    fn trying_all_values_leaves_hundreds_or_more() {
        let birthday = kind("date-of-birth");
        let days = (1930..2010).flat_map(|year| (1..=12).map(move |month| (year, month)));
        let days = days.flat_map(|(year, month)| (1..=28).map(move |day| format!("{day:02}.{month:02}.{year}")));
        let told = fingerprint(&birthday, "03.03.1984");
        assert!(days.filter(|day| fingerprint(&birthday, day) == told).count() > 1_000);

        // The first three digits tell where the number was given, which is easily guessed.
        let ssn = kind("us-ssn");
        let told = fingerprint(&ssn, "512-68-4471");
        let numbers = (1..100).flat_map(|group| (1..10_000).map(move |serial| format!("512-{group:02}-{serial:04}")));
        assert!(numbers.filter(|number| fingerprint(&ssn, number) == told).count() > 100);
    }
}
