//! Spellings of the same word made one: compatibility forms, case, digits, Arabic letters, and, after stemming, marks.
//!
//! Two steps, because stemmers know only words with their marks: [`normalise`] comes before the stem, [`fold`] after
//! it. Both are applied alike to documents and to questions, so folding can join two words and never lose one.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use crate::text::Language;

/// Digits in a group of thousands.
const GROUP: usize = 3;

/// `text` in one spelling: NFKC, lower case as in `language`, digits as ASCII, Arabic letters without variants.
pub fn normalise(text: &str, language: Option<Language>) -> String {
    let is_turkish = language.is_some_and(Language::has_dotless_i);
    if text.is_ascii() && !is_turkish {
        return text.to_ascii_lowercase().replace('`', "'");
    }
    let mut normal = String::with_capacity(text.len());
    for letter in text.nfkc() {
        match letter {
            'I' if is_turkish => normal.push('ı'),
            // Its lower case is an i with a dot above, which no other word has.
            'İ' => normal.push('i'),
            _ if is_ignored(letter) => {}
            _ => match plain_letter(letter) {
                Some(plain) => normal.push(plain),
                None => normal.extend(letter.to_lowercase()),
            },
        }
    }
    normal
}

/// Marks that are written or left out as one likes: tatweel and vowels of Arabic, nukta, soft hyphens, joiners.
fn is_ignored(letter: char) -> bool {
    matches!(letter,
        '\u{00ad}' | '\u{0640}' | '\u{064b}'..='\u{065f}' | '\u{0670}' | '\u{06d6}'..='\u{06dc}' | '\u{093c}'
        | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}')
}

/// Letters and digits that stand for the same one.
fn plain_letter(letter: char) -> Option<char> {
    Some(match letter {
        'أ' | 'إ' | 'آ' | 'ٱ' => 'ا',
        'ى' | 'ی' => 'ي',
        'ک' => 'ك',
        'ہ' | 'ۀ' => 'ه',
        // Candrabindu and anusvara are used for each other.
        '\u{0901}' => '\u{0902}',
        // With the comma below; the stemmer of Romanian knows the cedilla alone.
        'ș' | 'Ș' => 'ş',
        'ț' | 'Ț' => 'ţ',
        '’' | '‘' | 'ʼ' | '＇' | '`' => '\'',
        _ => return digit(letter),
    })
}

/// The ASCII digit for one of Arabic, Persian, Devanagari, Bengali or Thai.
fn digit(letter: char) -> Option<char> {
    const ZEROS: [u32; 5] = [0x0660, 0x06f0, 0x0966, 0x09e6, 0x0e50];
    let code = u32::from(letter);
    let zero = ZEROS.into_iter().find(|zero| (*zero..zero + 10).contains(&code))?;
    char::from_digit(code - zero, 10)
}

/// A number without its separators of thousands, and with a point before its fraction; other words as they are.
pub fn plain_number(word: &str) -> String {
    let is_number = word.starts_with(|first: char| first.is_ascii_digit())
        && word.chars().all(|letter| letter.is_ascii_digit() || is_separator(letter));
    if !is_number || word.chars().all(|letter| letter.is_ascii_digit()) {
        return word.to_owned();
    }
    let (whole, fraction) = match word.rfind(is_separator) {
        Some(last) if !is_grouped(word) => (&word[..last], Some(&word[last + 1..])),
        _ => (word, None),
    };
    let is_whole = is_grouped(whole) || !whole.contains(is_separator);
    match fraction {
        None => whole.replace(is_separator, ""),
        Some(fraction) if is_whole => format!("{}.{fraction}", whole.replace(is_separator, "")),
        // A date, a version, an address.
        Some(_) => word.to_owned(),
    }
}

fn is_separator(letter: char) -> bool {
    matches!(letter, '.' | ',' | '\'' | '٬' | '٫')
}

/// Whether this is `1,234,567`: equal separators, with three digits after each.
fn is_grouped(word: &str) -> bool {
    let mut separators = word.chars().filter(|letter| is_separator(*letter));
    let Some(first) = separators.next() else { return false };
    let mut groups = word.split(first);
    let head = groups.next().map_or(0, str::len);
    separators.all(|other| other == first) && (1..=GROUP).contains(&head) && groups.all(|group| group.len() == GROUP)
}

/// A stem without the marks that people leave out: é and e, ß and ss, ё and е, ı and i are one.
pub fn fold(stem: String) -> String {
    if stem.is_ascii() {
        return stem;
    }
    let mut folded = String::with_capacity(stem.len());
    for letter in stem.chars() {
        match letter {
            'ё' => folded.push('е'),
            'ؤ' => folded.push('و'),
            'ئ' => folded.push('ي'),
            'ة' => folded.push('ه'),
            // A mark may sit on a letter that folds itself, as in ǽ.
            _ if has_marks_to_fold(letter) => {
                let parts = std::iter::once(letter).nfd().filter(|part| !is_combining_mark(*part));
                parts.for_each(|part| push_plain(part, &mut folded));
            }
            _ => folded.push(letter),
        }
    }
    // A word of marks alone stays.
    if folded.is_empty() { stem } else { folded }
}

/// A letter without marks, written as people without it on their keyboard do.
fn push_plain(letter: char, folded: &mut String) {
    match letter {
        'ß' => folded.push_str("ss"),
        'æ' => folded.push_str("ae"),
        'œ' => folded.push_str("oe"),
        'ø' => folded.push('o'),
        'ł' => folded.push('l'),
        'đ' => folded.push('d'),
        'ı' => folded.push('i'),
        'ς' => folded.push('σ'),
        _ => folded.push(letter),
    }
}

/// Latin and Greek letters; in other scripts a mark makes another letter.
fn has_marks_to_fold(letter: char) -> bool {
    matches!(letter, '\u{00c0}'..='\u{024f}' | '\u{0370}'..='\u{03ff}' | '\u{1e00}'..='\u{1fff}' | '\u{0300}'..='\u{036f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> String {
        normalise(text, None)
    }

    #[test]
    fn variants_become_one() {
        assert_eq!(plain("Ｆｕｌｌ ﬁt"), "full fit");
        assert_eq!(plain("İstanbul"), "istanbul");
        assert_eq!(normalise("ILIK", Language::from_code("tur")), "ılık");
        assert_eq!(plain("إِسْلَام"), plain("اسلام"));
        assert_eq!(plain("كـــتاب ١٤"), "كتاب 14");
        assert_eq!(plain("co\u{ad}operate"), "cooperate");
    }

    #[test]
    fn numbers_lose_their_separators() {
        for (written, number) in [
            ("1,234,567", "1234567"),
            ("1.234", "1234"),
            ("1'000", "1000"),
            ("3,50", "3.50"),
            ("1.234,50", "1234.50"),
            ("2024", "2024"),
            ("1.2.3", "1.2.3"),
            ("10.0.0.1", "10.0.0.1"),
            ("word", "word"),
        ] {
            assert_eq!(plain_number(written), number, "{written}");
        }
    }

    #[test]
    fn marks_are_folded_in_latin_and_greek_alone() {
        assert_eq!(fold("canción".into()), "cancion");
        assert_eq!(fold("straße".into()), "strasse");
        assert_eq!(fold("ελλάς".into()), "ελλασ");
        assert_eq!(fold("ǣǽǿ".into()), "aeaeo");
        assert_eq!(fold("йод".into()), "йод");
        assert_eq!(fold("ёлк".into()), "елк");
        assert_eq!(fold("हिन्दी".into()), "हिन्दी");
    }

    proptest::proptest! {
        #[test]
        fn folding_twice_changes_nothing(text in "\\PC{0,40}") {
            let once = fold(normalise(&text, None));
            proptest::prop_assert_eq!(fold(once.clone()), once);
        }
    }
}
