//! Numbers that identify a person or an account, where a checksum tells them from other numbers.
//!
//! Where the checksum alone lets too many other numbers through (one in ten or eleven), the number's name must stand
//! before it.

use crate::lint::sensitive::checksum::{
    british_nhs, digits, dutch_bsn, french_nir, german_pension, german_tax, iban, luhn, spanish_id,
};
use crate::lint::sensitive::{Candidate, Class, Kind, Level, Pattern};

/// How far before a number its name may stand, in bytes.
const LABEL_BYTES: usize = 60;

const fn personal(
    id: &'static str,
    title: &'static str,
    regex: &'static str,
    judge: fn(&Candidate<'_>) -> Option<Level>,
) -> Pattern {
    Pattern { kind: Kind { id, title, class: Class::Personal }, regex, judge }
}

/// Every form.
pub(super) static PATTERNS: &[Pattern] = &[
    personal(
        "iban",
        "IBAN",
        r"\b[A-Z]{2}[0-9]{2}(?:[ \u{a0}]?[A-Z0-9]{4}){2,7}(?:[ \u{a0}]?[A-Z0-9]{1,3})?\b",
        bank_account,
    ),
    personal("card", "card number", r"\b[2-6][0-9](?:[ \u{a0}-]?[0-9]){10,17}\b", card),
    personal("us-ssn", "US social security number", r"\b[0-9]{3}[- ][0-9]{2}[- ][0-9]{4}\b", us_ssn),
    personal("de-tax-id", "German tax number", r"\b[1-9][0-9](?: ?[0-9]{3}){3}\b", de_tax),
    personal("es-id", "Spanish identity number", r"\b[0-9XYZ][0-9]{7}-?[A-Z]\b", es_id),
    personal("fr-nir", "French social security number", r"\b[12](?: ?[0-9]){14}\b", fr_nir),
    personal("uk-nhs", "British NHS number", r"\b[0-9]{3}[ \u{a0}-]?[0-9]{3}[ \u{a0}-]?[0-9]{4}\b", uk_nhs),
    personal(
        "de-pension-id",
        "German pension insurance number",
        r"\b[0-9]{2}[ \u{a0}]?[0-9]{6}[ \u{a0}]?[A-Z][ \u{a0}]?[0-9]{2}[ \u{a0}]?[0-9]\b",
        de_pension,
    ),
    personal("nl-bsn", "Dutch citizen number", r"\b[0-9]{4}\.?[0-9]{2}\.?[0-9]{3}\b", nl_bsn),
];

/// Lengths of ISO 13616 registered IBANs, by country.
const IBAN_LENGTHS: [(&str, usize); 48] = [
    ("AD", 24),
    ("AE", 23),
    ("AL", 28),
    ("AT", 20),
    ("AZ", 28),
    ("BA", 20),
    ("BE", 16),
    ("BG", 22),
    ("BR", 29),
    ("CH", 21),
    ("CY", 28),
    ("CZ", 24),
    ("DE", 22),
    ("DK", 18),
    ("EE", 20),
    ("EG", 29),
    ("ES", 24),
    ("FI", 18),
    ("FR", 27),
    ("GB", 22),
    ("GE", 22),
    ("GR", 27),
    ("HR", 21),
    ("HU", 28),
    ("IE", 22),
    ("IL", 23),
    ("IS", 26),
    ("IT", 27),
    ("KW", 30),
    ("LI", 21),
    ("LT", 20),
    ("LU", 20),
    ("LV", 21),
    ("MC", 27),
    ("MT", 31),
    ("NL", 18),
    ("NO", 15),
    ("PL", 28),
    ("PT", 25),
    ("QA", 29),
    ("RO", 24),
    ("RS", 22),
    ("SA", 24),
    ("SE", 24),
    ("SI", 19),
    ("SK", 24),
    ("TR", 26),
    ("UA", 29),
];

fn bank_account(candidate: &Candidate<'_>) -> Option<Level> {
    let number: String = candidate.value().chars().filter(|c| !c.is_whitespace()).collect();
    let length = IBAN_LENGTHS.iter().find(|(country, _)| number.starts_with(country))?.1;
    (number.len() == length && iban(&number)).then_some(Level::High)
}

/// ISO/IEC 7812: the ranges of the issuers, their lengths, and the check digit. Groups are of four digits, or of
/// 4, 6 and 4 or 5 (American Express, Diners Club); other groupings are other numbers.
fn card(candidate: &Candidate<'_>) -> Option<Level> {
    let value = candidate.value();
    let groups: Vec<usize> = value.split([' ', '\u{a0}', '-']).map(str::len).collect();
    let is_grouped = match groups.as_slice() {
        [_] | [4, 6, 4 | 5] => true,
        [first @ .., last] => first.iter().all(|group| *group == 4) && *last <= 4,
        [] => false,
    };
    let number = digits(value);
    let prefix = |count: usize| number.iter().take(count).fold(0, |prefix, digit| prefix * 10 + digit);
    let is_issued = match number.len() {
        13 | 19 => prefix(1) == 4,
        14 => matches!(prefix(2), 36 | 38 | 39) || matches!(prefix(3), 300..=305),
        15 => matches!(prefix(2), 34 | 37),
        16 => {
            prefix(1) == 4
                || matches!(prefix(2), 51..=55 | 62 | 65)
                || matches!(prefix(3), 644..=649)
                || matches!(prefix(4), 2221..=2720 | 3528..=3589 | 6011)
        }
        _ => false,
    };
    let is_number = candidate.char_before().is_none_or(|c| !matches!(c, '.' | '-' | '+' | '/' | '_'));
    // Thirteen and nineteen digits in a row are more often a time or an article number than a card.
    let is_named = || has_label(candidate, &["card", "karte", "visa", "tarjeta", "carte", "pan"]);
    let is_usual = matches!(number.len(), 14..=16) || is_named();
    let repeats = number.iter().all(|digit| Some(digit) == number.first());
    (is_grouped && is_issued && is_number && is_usual && !repeats && luhn(&number)).then_some(Level::High)
}

/// The Social Security Administration never gives area 000, 666 or 900 to 999, group 00, serial 0000, and two
/// numbers became known through advertisements.
fn us_ssn(candidate: &Candidate<'_>) -> Option<Level> {
    let value = candidate.value();
    let number = digits(value);
    let part = |range: std::ops::Range<usize>| number[range].iter().fold(0, |part, digit| part * 10 + digit);
    let (area, group, serial) = (part(0..3), part(3..5), part(5..9));
    let is_given = area != 0 && area != 666 && area < 900 && group != 0 && serial != 0;
    let is_known = [(78, 5, 1120), (219, 9, 9999)].contains(&(area, group, serial));
    let is_alone = candidate.char_before().is_none_or(|c| !matches!(c, '-' | '.' | '/' | '+'))
        && candidate.char_after().is_none_or(|c| c != '-');
    let is_sure = !value.contains(' ') || has_label(candidate, &["ssn", "social security"]);
    (is_given && !is_known && is_alone && is_sure).then_some(Level::High)
}

fn de_tax(candidate: &Candidate<'_>) -> Option<Level> {
    let named = has_label(candidate, &["steuer", "idnr", "id-nr", "identifikationsnummer", "tax", "tin"]);
    (named && german_tax(&digits(candidate.value()))).then_some(Level::High)
}

fn es_id(candidate: &Candidate<'_>) -> Option<Level> {
    let named = has_label(candidate, &["dni", "nie", "nif", "identidad", "identity"]);
    (named && spanish_id(&candidate.value().replace('-', ""))).then_some(Level::High)
}

/// The month is 01 to 12, or 20 and more where it is not known; the key lets one number in 97 through.
fn fr_nir(candidate: &Candidate<'_>) -> Option<Level> {
    let number = digits(candidate.value());
    let month = number.get(3..5).map_or(0, |month| month[0] * 10 + month[1]);
    let named = has_label(candidate, &["nir", "sécurité sociale", "securite sociale", "sécu", "insee"]);
    (named && matches!(month, 1..=12 | 20..=99) && french_nir(&number)).then_some(Level::High)
}

fn nl_bsn(candidate: &Candidate<'_>) -> Option<Level> {
    let named = has_label(candidate, &["bsn", "burgerservicenummer", "sofinummer"]);
    (named && dutch_bsn(&digits(candidate.value()))).then_some(Level::High)
}

/// A telephone number after the name of the service has ten digits, too: the number itself must be named.
fn uk_nhs(candidate: &Candidate<'_>) -> Option<Level> {
    let number = digits(candidate.value());
    let is_next = candidate.before(LABEL_BYTES).trim_end_matches([' ', ':', '|', '#', '\u{a0}']).ends_with("nhs");
    let named = is_next || has_label(candidate, &["nhs number", "nhs no", "nhs nr", "nhs id", "nhs-number"]);
    let repeats = number.iter().all(|digit| Some(digit) == number.first());
    (named && !repeats && british_nhs(&number)).then_some(Level::High)
}

/// Area, day of birth (50 more where two persons would have the same number), letter, serial number. Lots have dates
/// and letters, too: its name must be there.
fn de_pension(candidate: &Candidate<'_>) -> Option<Level> {
    const LABELS: [&str; 10] = [
        "rentenversicherung",
        "sozialversicherung",
        "versicherungsnummer",
        "versicherungsnr",
        "versicherungs-nr",
        "sv-nummer",
        "sv-nr",
        "rv-nr",
        "rvnr",
        "insurance number",
    ];
    let number: String = candidate.value().chars().filter(char::is_ascii_alphanumeric).collect();
    let (day, month) = (number[2..4].parse().unwrap_or(0), number[4..6].parse().unwrap_or(0));
    let is_day = matches!((day, month), (1..=31 | 51..=81, 1..=12));
    (has_label(candidate, &LABELS) && is_day && german_pension(&number)).then_some(Level::High)
}

/// Whether one of these words begins shortly before the number.
fn has_label(candidate: &Candidate<'_>, labels: &[&str]) -> bool {
    let before = candidate.before(LABEL_BYTES);
    labels.iter().any(|label| {
        before.match_indices(label).any(|(at, _)| !before[..at].ends_with(char::is_alphanumeric) || label.len() > 4)
    })
}
