//! The check digits of identifiers. Each takes digits (or letters) without separators; all else is refused.

/// ISO/IEC 7812-1 annex B (Luhn): cards.
pub(super) fn luhn(digits: &[u32]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| match (at % 2, digit * 2) {
            (0, _) => *digit,
            (_, double) if double > 9 => double - 9,
            (_, double) => double,
        })
        .sum();
    !digits.is_empty() && sum.is_multiple_of(10)
}

/// ISO 13616 with ISO/IEC 7064 MOD 97-10: IBAN. `iban` has capital letters and digits only.
pub(super) fn iban(iban: &str) -> bool {
    let Some((head, tail)) = iban.split_at_checked(4) else { return false };
    let mut rest = 0;
    for c in tail.chars().chain(head.chars()) {
        let Some(value) = c.to_digit(36) else { return false };
        rest = if value < 10 { rest * 10 + value } else { rest * 100 + value } % 97;
    }
    rest == 1
}

/// ISO/IEC 7064 MOD 11,10, and one digit twice or three times among the first ten: the German tax number
/// (Identifikationsnummer, § 139b AO).
pub(super) fn german_tax(digits: &[u32]) -> bool {
    let [first @ .., check] = digits else { return false };
    if digits.len() != 11 || first[0] == 0 {
        return false;
    }
    let mut product = 10;
    for digit in first {
        let sum = (digit + product) % 10;
        product = (if sum == 0 { 10 } else { sum } * 2) % 11;
    }
    let count = |wanted: u32| first.iter().filter(|digit| **digit == wanted).count();
    let repeated: Vec<usize> = (0..10).map(count).filter(|count| *count > 1).collect();
    (11 - product) % 10 == *check && matches!(repeated.as_slice(), [2 | 3])
}

/// The letter of a Spanish DNI or NIE: the number modulo 23.
pub(super) fn spanish_id(id: &str) -> bool {
    const LETTERS: &[u8] = b"TRWAGMYFPDXBNJZSQVHLCKE";
    let Some((number, letter)) = id.split_at_checked(8) else { return false };
    let number = match number.chars().next() {
        Some('X') => number.replacen('X', "0", 1),
        Some('Y') => number.replacen('Y', "1", 1),
        Some('Z') => number.replacen('Z', "2", 1),
        _ => number.to_owned(),
    };
    let Ok(number) = number.parse::<usize>() else { return false };
    letter.as_bytes() == [LETTERS[number % 23]]
}

/// The key of a French NIR (social security number): 97 less the number modulo 97.
pub(super) fn french_nir(digits: &[u32]) -> bool {
    let number = digits.iter().take(13).fold(0_u64, |number, digit| number * 10 + u64::from(*digit));
    let key = digits.iter().skip(13).fold(0_u64, |number, digit| number * 10 + u64::from(*digit));
    digits.len() == 15 && 97 - number % 97 == key
}

/// The check digit of a British NHS number: modulo 11, with weights from 10 down to 2.
pub(super) fn british_nhs(digits: &[u32]) -> bool {
    let [first @ .., check] = digits else { return false };
    let sum: u32 = first.iter().zip((2..=10).rev()).map(|(digit, weight)| digit * weight).sum();
    digits.len() == 10 && (11 - sum % 11) % 11 == *check
}

/// The check digit of a German pension insurance number (VKVV § 4): the letter counts as two digits, and the digits
/// of each product are added. `number` has no blanks.
pub(super) fn german_pension(number: &str) -> bool {
    const WEIGHTS: [u32; 12] = [2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1];
    let mut digits: Vec<u32> = Vec::with_capacity(13);
    for c in number.chars() {
        match (c.to_digit(10), c.is_ascii_uppercase()) {
            (Some(digit), _) => digits.push(digit),
            // `A` is 10 in base 36, and 01 here.
            (None, true) => {
                let value = c.to_digit(36).unwrap_or_default().saturating_sub(9);
                digits.extend([value / 10, value % 10]);
            }
            (None, false) => return false,
        }
    }
    let [first @ .., check] = digits.as_slice() else { return false };
    let products = first.iter().zip(WEIGHTS).map(|(digit, weight)| digit * weight);
    let sum: u32 = products.map(|product| product / 10 + product % 10).sum();
    first.len() == WEIGHTS.len() && sum % 10 == *check
}

/// The test of eleven of a Dutch BSN.
pub(super) fn dutch_bsn(digits: &[u32]) -> bool {
    let weights = [9_i64, 8, 7, 6, 5, 4, 3, 2, -1];
    let sum: i64 = digits.iter().zip(weights).map(|(digit, weight)| i64::from(*digit) * weight).sum();
    digits.len() == 9 && sum != 0 && sum % 11 == 0
}

/// The digits of a text, separators left out.
pub(super) fn digits(text: &str) -> Vec<u32> {
    text.chars().filter_map(|c| c.to_digit(10)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn good_ones_pass_and_their_neighbours_do_not() {
        // Each number is made up for this test, its check digit worked out by hand.
        assert!(luhn(&digits("4539148803436467")) && !luhn(&digits("4539148803436468")));
        assert!(iban("DE02120300000000202051") && !iban("DE03120300000000202051"));
        assert!(german_tax(&digits("86095742719")) && !german_tax(&digits("86095742718")));
        assert!(!german_tax(&digits("12345678901")), "no digit is there twice");
        assert!(spanish_id("12345678Z") && !spanish_id("12345678A") && spanish_id("X1234567L"));
        assert!(french_nir(&digits("255081416802538")) && !french_nir(&digits("255081416802539")));
        assert!(british_nhs(&digits("9434765919")) && !british_nhs(&digits("9434765918")));
        assert!(german_pension("15070649C103") && german_pension("65170839J003") && !german_pension("65170839K003"));
        assert!(dutch_bsn(&digits("111222333")) && !dutch_bsn(&digits("111222334")));
    }

    proptest! {
        #[test]
        fn any_text_is_taken(text in "\\PC{0,40}") {
            let numbers = digits(&text);
            let _ = (luhn(&numbers), iban(&text), german_tax(&numbers), spanish_id(&text));
            let _ = (french_nir(&numbers), dutch_bsn(&numbers), british_nhs(&numbers), german_pension(&text));
        }

        #[test]
        fn one_wrong_digit_is_seen(mut card in prop::collection::vec(0_u32..10, 15), at in 0_usize..16, by in 1_u32..10) {
            let check = (0..10).find(|check| luhn(&[card.as_slice(), &[*check]].concat())).unwrap();
            card.push(check);
            card[at] = (card[at] + by) % 10;
            prop_assert!(!luhn(&card));
        }
    }
}
