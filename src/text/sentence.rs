//! Where sentences end.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

/// Words before a full stop that end no sentence, in lower case and without the stop.
const ABBREVIATIONS: &[&str] = &[
    "dr", "mr", "mrs", "ms", "prof", "st", "no", "nr", "nos", "vs", "etc", "e.g", "i.e", "eg", "ie", "approx", "dept",
    "fig", "vol", "inc", "ltd", "co", "corp", "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct",
    "nov", "dec", "z.b", "d.h", "u.a", "bzw", "ca", "tel", "str", "abs", "art", "usw", "p", "pp", "cf", "sec", "min",
    "max", "a.m", "p.m", "u.s", "u.k", "u.n",
];

/// The sentences of `text`, in order, as byte ranges without surrounding white space. Line breaks end sentences.
pub fn sentences(text: &str) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    let mut open: Option<Range<usize>> = None;
    for (start, piece) in text.split_sentence_bound_indices() {
        let range = match open.take() {
            Some(before) => before.start..start + piece.len(),
            None => start..start + piece.len(),
        };
        if ends_sentence(&text[range.clone()], &text[range.end..]) {
            ranges.push(range);
        } else {
            open = Some(range);
        }
    }
    ranges.extend(open);
    ranges.into_iter().filter_map(|range| trimmed(text, range)).collect()
}

/// Whether a sentence that the standard's rules end here really does.
fn ends_sentence(sentence: &str, rest: &str) -> bool {
    let words = sentence.trim_end_matches([' ', '\t', '\u{a0}']);
    if words.ends_with(['\n', '\r']) {
        return true;
    }
    let Some(before) = words.strip_suffix('.') else {
        return true;
    };
    let last = before.rsplit(|letter: char| letter.is_whitespace() || letter == '(').next().unwrap_or_default();
    let lower = last.to_lowercase();
    let next_is_lower = rest.chars().next().is_some_and(char::is_lowercase);
    if next_is_lower {
        return false;
    }
    let initial = last.chars().count() == 1 && last.chars().all(char::is_uppercase);
    let ordinal = !last.is_empty() && last.len() <= 2 && last.bytes().all(|byte| byte.is_ascii_digit());
    let starts = before.len() == last.len();
    let time_of_day = matches!(lower.as_str(), "a.m" | "p.m");
    let abbreviation = ABBREVIATIONS.contains(&lower.as_str()) && !(time_of_day && starts_upper(rest));
    !(initial || abbreviation || (ordinal && starts))
}

fn starts_upper(rest: &str) -> bool {
    rest.chars().next().is_some_and(char::is_uppercase)
}

fn trimmed(text: &str, range: Range<usize>) -> Option<Range<usize>> {
    let piece = &text[range.clone()];
    let start = range.start + (piece.len() - piece.trim_start().len());
    let end = range.end - (piece.len() - piece.trim_end().len());
    (start < end).then_some(start..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<&str> {
        sentences(text).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn abbreviations_and_numbers_end_nothing() {
        assert_eq!(
            split("See Dr. Meyer at 9.30 a.m. on Monday. It costs 3.50 euros, e.g. in May. Done!"),
            ["See Dr. Meyer at 9.30 a.m. on Monday.", "It costs 3.50 euros, e.g. in May.", "Done!"]
        );
        assert_eq!(split("1. Open the app. 2. Sign in."), ["1. Open the app.", "2. Sign in."]);
        assert_eq!(split("Is it open? Yes."), ["Is it open?", "Yes."]);
        assert_eq!(split("返品できます。30日以内です。"), ["返品できます。", "30日以内です。"]);
        assert_eq!(split("one\ntwo"), ["one", "two"]);
    }

    proptest::proptest! {
        #[test]
        fn ranges_are_in_order_and_hold_all_words(text in "(\\PC|[ .\n]){0,80}") {
            let ranges = sentences(&text);
            let mut end = 0;
            let mut kept = String::new();
            for range in ranges {
                proptest::prop_assert!(range.start >= end && range.end > range.start);
                kept.push_str(&text[range.clone()]);
                end = range.end;
            }
            let squeeze = |text: &str| text.chars().filter(|letter| !letter.is_whitespace()).collect::<String>();
            proptest::prop_assert_eq!(squeeze(&kept), squeeze(&text));
        }
    }
}
