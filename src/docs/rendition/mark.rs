//! Marks of place in a rendition: a line such as `[page 3: Returns > Used items]`.
//!
//! Whoever cuts a rendition into pieces keeps lines together, so a piece mostly holds a mark, and a model that reads
//! it can say where it stands. A mark is a hint: nothing is cited because a mark says so.

use crate::model::Locator;

/// What a mark begins with, in the order in which places are named.
const WORDS: [&str; 6] = ["page ", "slide ", "sheet ", "row ", "line ", "section: "];
/// A longer line is text. Also the length at which headings in a mark are cut, in bytes.
const MAX_BYTES: usize = 300;
/// A heading longer than this is cut, in characters.
const MAX_HEADING_CHARS: usize = 60;

/// The mark of a place under these headings, outermost first. None where nothing is known.
pub fn mark(locator: &Locator, headings: &[&str]) -> Option<String> {
    let place = [coarse(locator), fine(locator)].into_iter().flatten().collect::<Vec<String>>().join(", ");
    let mut path = String::new();
    for heading in headings {
        let joined = if path.is_empty() { "" } else { " > " };
        let heading = plain(heading);
        if path.len() + joined.len() + heading.len() > MAX_BYTES / 2 {
            break;
        }
        path.push_str(joined);
        path.push_str(&heading);
    }
    match (place.is_empty(), path.is_empty()) {
        (true, true) => None,
        (true, false) => Some(format!("[section: {path}]")),
        (false, true) => Some(format!("[{place}]")),
        (false, false) => Some(format!("[{place}: {path}]")),
    }
}

/// The page, slide or sheet, as marks name it.
pub fn coarse(locator: &Locator) -> Option<String> {
    let page = locator.page.map(|page| format!("page {page}"));
    let slide = || locator.slide.map(|slide| format!("slide {slide}"));
    let sheet = || locator.sheet.as_deref().map(|sheet| format!("sheet {}", plain(sheet)));
    page.or_else(slide).or_else(sheet)
}

fn fine(locator: &Locator) -> Option<String> {
    let row = locator.rows.map(|rows| format!("row {}", rows.0));
    row.or_else(|| locator.lines.map(|lines| format!("line {}", lines.0)))
}

/// A name without what ends a part of a mark.
fn plain(name: &str) -> String {
    let simple = |c: char| match c {
        '[' => '(',
        ']' => ')',
        ':' | '>' => '-',
        '\n' | '\r' => ' ',
        c => c,
    };
    name.chars().take(MAX_HEADING_CHARS).map(simple).collect()
}

/// Whether a line reads like a mark, ours or one that a document forges.
pub fn is_mark(line: &str) -> bool {
    let inner = line.trim().strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    line.len() <= MAX_BYTES && inner.is_some_and(|inner| WORDS.iter().any(|word| inner.starts_with(word)))
}

/// The page, slide or sheet that a mark names, as [`coarse`] writes it.
pub fn named_place(line: &str) -> Option<&str> {
    let inner = line.trim().strip_prefix('[')?.strip_suffix(']')?;
    let place = inner.split(": ").next()?;
    let place = place.rsplit_once(", row ").or_else(|| place.rsplit_once(", line ")).map_or(place, |(place, _)| place);
    WORDS[..3].iter().any(|word| place.starts_with(word)).then_some(place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::LineRange;

    #[test]
    fn marks_name_places_and_are_told_from_text() {
        let page = Locator { page: Some(3), ..Locator::default() };
        let sheet =
            Locator { sheet: Some("Prices: [net]".into()), rows: Some(LineRange(40, 41)), ..Locator::default() };
        assert_eq!(mark(&Locator::default(), &[]), None);
        assert_eq!(mark(&page, &[]).as_deref(), Some("[page 3]"));
        let marks = [mark(&page, &["Returns", "Used: items"]).unwrap(), mark(&sheet, &[]).unwrap()];
        assert_eq!(marks, ["[page 3: Returns > Used- items]", "[sheet Prices- (net), row 40]"]);
        for (line, locator) in marks.iter().zip([&page, &sheet]) {
            assert!(is_mark(line));
            assert_eq!(named_place(line).map(str::to_owned), coarse(locator));
        }
        assert!(is_mark(&mark(&Locator::default(), &["Returns"]).unwrap()));
        for text in ["[1] a source", "page 3", "see [page 3] there", "[page", ""] {
            assert!(!is_mark(text), "{text}");
        }
    }

    #[test]
    fn long_headings_do_not_make_a_mark_text() {
        let page = Locator { page: Some(3), ..Locator::default() };
        let long = "ü".repeat(500);
        assert!(is_mark(&mark(&page, &[&long, &long, &long]).unwrap()));
        let sheet = Locator { sheet: Some("漢".repeat(500)), ..Locator::default() };
        assert!(is_mark(&mark(&sheet, &[&long]).unwrap()) || MAX_BYTES < 500);
    }
}
