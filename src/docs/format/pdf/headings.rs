//! Which lines are headings: those that the outline names, and those in larger, bolder or numbered type.

use std::collections::BTreeMap;

use crate::docs::format::pdf::lines::Line;
use crate::docs::text::{list_marker, reads_like_heading};

/// Type this much larger than the text's is a heading.
const HEADING_RATIO: f64 = 1.14;
/// Where more of the text is bold, bold means something else.
const MAX_BOLD: f64 = 0.3;
/// A heading is no longer, in characters.
pub const MAX_HEADING_CHARS: usize = 160;
/// A heading takes no more lines.
pub const MAX_HEADING_LINES: usize = 4;
/// A heading that only bold type tells is shorter, in characters.
const MAX_BOLD_CHARS: usize = 90;

/// The type of a document: which is the text's, and which are headings'.
#[derive(Debug, Default)]
pub struct Styles {
    /// Sizes of headings in half points, the largest first.
    sizes: Vec<i64>,
    /// Whether bold type stands out.
    bold: bool,
    /// How many levels stand above the outline's first.
    above_outline: u8,
}

impl Styles {
    /// The styles of a document with these lines.
    pub fn of<'a>(lines: impl Iterator<Item = &'a Line> + Clone) -> Self {
        let mut characters: BTreeMap<i64, usize> = BTreeMap::new();
        let mut bold = 0;
        for line in lines.clone() {
            let count = line.text.chars().count();
            *characters.entry(line.half_points()).or_default() += count;
            bold += if line.bold { count } else { 0 };
        }
        let total: usize = characters.values().sum();
        let mut styles =
            Self { sizes: larger(characters), bold: bold as f64 <= MAX_BOLD * total as f64, above_outline: 0 };
        styles.above_outline = u8::from(styles.has_title_above_outline(lines));
        styles
    }

    /// Whether sizes tell headings.
    pub fn has_sizes(&self) -> bool {
        !self.sizes.is_empty()
    }

    /// The level of a heading, by the outline or by its size.
    pub fn level(&self, line: &Line) -> Option<u8> {
        if let Some((depth, _)) = line.entry {
            return Some((depth + self.above_outline).min(6));
        }
        if has_leader(&line.text) {
            return None;
        }
        let size = line.half_points();
        let at = self.sizes.iter().position(|heading| *heading == size)?;
        let words = line.text.chars().filter(|c| c.is_alphabetic()).count() >= 2;
        (words && !line.columns).then(|| u8::try_from(at + 1).unwrap_or(6).min(6))
    }

    /// The level of a block of lines that is a heading by bold type or by its number alone.
    pub fn weak_level(&self, lines: &[Line], text: &str) -> Option<u8> {
        let base = u8::try_from(self.sizes.len()).unwrap_or(6).saturating_add(1).max(2);
        let number = numbering(text);
        let title = number.map_or(text, |(_, title)| title);
        let is_bold = self.bold
            && lines.iter().all(|line| line.bold && !line.columns)
            && text.chars().count() <= MAX_BOLD_CHARS
            && !has_leader(text)
            && begins_and_ends_like_heading(title);
        let is_numbered =
            number.is_some_and(|(depth, title)| depth > 1 && lines.len() == 1 && reads_like_heading(title));
        let deeper = number.map_or(0, |(depth, _)| depth.saturating_sub(if is_bold { 1 } else { 2 }));
        (is_bold || is_numbered).then(|| base.saturating_add(deeper).min(6))
    }

    /// Whether a heading that the outline does not name is larger than those it names: the document's title.
    fn has_title_above_outline<'a>(&self, lines: impl Iterator<Item = &'a Line> + Clone) -> bool {
        let named = lines.clone().filter(|line| line.entry.is_some_and(|(depth, _)| depth == 1));
        let Some(largest) = named.map(Line::half_points).max() else { return false };
        let mut before = lines.take_while(|line| line.entry.is_none());
        before.any(|line| self.level(line).is_some() && line.half_points() > largest)
    }
}

/// Whether dots lead from a text to its page number: an entry of a table of contents, and no heading.
pub fn has_leader(text: &str) -> bool {
    text.contains(". . . .") || text.contains(".....") || text.contains("……")
}

/// The sizes that are clearly larger than that of most characters.
fn larger(characters: BTreeMap<i64, usize>) -> Vec<i64> {
    let body = characters.iter().max_by_key(|(_, count)| **count).map_or(0, |(size, _)| *size);
    let total: usize = characters.values().sum();
    let large: Vec<(i64, usize)> = characters
        .into_iter()
        .rev()
        .filter(|(size, _)| *size as f64 >= body as f64 * HEADING_RATIO && *size > 0)
        .collect();
    // Where much of the text is large, size means something else.
    let share: usize = large.iter().map(|(_, count)| count).sum();
    if share * 3 > total { Vec::new() } else { large.into_iter().map(|(size, _)| size).collect() }
}

/// The depth of a heading's number and the heading behind it: `2.1 Orders` is at depth 2.
fn numbering(text: &str) -> Option<(u8, &str)> {
    let (number, title) = text.trim().split_once(char::is_whitespace)?;
    let parts: Vec<&str> = number.strip_suffix('.').unwrap_or(number).split('.').collect();
    let is_number = |part: &&str| (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    let depth = u8::try_from(parts.len()).ok()?;
    parts.iter().all(is_number).then_some((depth, title.trim()))
}

fn begins_and_ends_like_heading(title: &str) -> bool {
    let bullet = list_marker(title).is_some_and(|(marker, _)| marker == "-");
    !bullet
        && title.chars().filter(|c| c.is_alphabetic()).count() >= 3
        && !title.starts_with(char::is_lowercase)
        && title.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '?' | '!' | ')' | '”' | '"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str, size: f64, bold: bool) -> Line {
        Line { size, bold, ..Line::unplaced(text).unwrap() }
    }

    #[test]
    fn sizes_bold_type_and_numbers_make_levels() {
        let text = line(&"text ".repeat(60), 10.0, false);
        let lines = [line("Guide", 20.0, true), line("Cleaning", 14.0, true), text.clone()];
        let styles = Styles::of(lines.iter());
        assert_eq!(styles.level(&lines[0]), Some(1));
        assert_eq!(styles.level(&lines[1]), Some(2));
        assert_eq!(styles.level(&text), None);
        let weak = |text: &str, bold: bool| styles.weak_level(&[line(text, 10.0, bold)], text);
        assert_eq!(weak("Orders", true), Some(3));
        assert_eq!(weak("2.1 Orders", true), Some(4));
        assert_eq!(weak("2.1 Orders", false), Some(3));
        for text in ["2.5 litres are enough.", "1. Wipe the chain", "Orders", "Version 2.1 Orders"] {
            assert_eq!(weak(text, false), None, "{text}");
        }
        assert_eq!(weak("Never do this:", true), None);
    }

    #[test]
    fn a_title_stands_above_the_outline() {
        let named =
            |text: &str, depth: u8, number: usize| Line { entry: Some((depth, number)), ..line(text, 12.0, false) };
        let text = line(&"text ".repeat(60), 10.0, false);
        let lines = [line("Guide", 20.0, false), named("Cleaning", 1, 0), text.clone(), named("Tray", 2, 1), text];
        let styles = Styles::of(lines.iter());
        let levels: Vec<Option<u8>> = lines.iter().map(|line| styles.level(line)).collect();
        assert_eq!(levels, [Some(1), Some(2), None, Some(3), None]);
    }
}
