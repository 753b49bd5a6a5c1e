//! Lines to blocks: paragraphs, list items, headings.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

use crate::docs::format::blocks::Blocks;
use crate::docs::format::pdf::glyphs::Line;
use crate::docs::format::pdf::{place, push_plain};
use crate::docs::text::{LineHyphen, join_lines, list_marker, reads_like_heading, vocabulary};
use crate::model::Block;

/// Type this much larger than the text's is a heading.
const HEADING_RATIO: f64 = 1.14;
const MAX_HEADING_CHARS: usize = 160;

/// The blocks of all pages, in order. A paragraph that runs over a page break is two blocks, each with its page.
pub fn blocks(pages: &[(u32, Vec<Line>)]) -> Vec<Block> {
    let all = || pages.iter().flat_map(|(_, lines)| lines);
    let words = vocabulary(all().map(|line| line.text.as_str()));
    let styles = Styles::of(all());
    let mut blocks = Blocks::default();
    for (page, lines) in pages {
        let leading = typical_leading(lines);
        let mut start = 0;
        while start < lines.len() {
            let level = styles.level(&lines[start]);
            let mut stop = start + 1;
            while stop < lines.len() && goes_on(lines, start..stop, &styles, leading) {
                stop += 1;
            }
            let guess = || styles.headings.is_empty() && stop - start == 1 && stands_alone(lines, start, leading);
            let level = level.or_else(|| guess().then_some(if blocks.is_empty() { 1 } else { 2 }));
            push(&mut blocks, &lines[start..stop], level, *page, &words);
            start = stop;
        }
    }
    blocks.finish()
}

fn push(blocks: &mut Blocks, lines: &[Line], level: Option<u8>, page: u32, words: &HashSet<String>) {
    let text = join_lines(lines.iter().map(|line| line.text.as_str()), words, LineHyphen::Drop);
    match level {
        Some(level) if text.chars().count() <= MAX_HEADING_CHARS && lines.len() <= 4 => {
            blocks.heading(level, &text, place(page));
        }
        _ => push_plain(blocks, &text, page),
    }
}

/// Whether a line is set apart like a heading, in a document whose type has one size: short, with more than the usual
/// space around it, and with a longer line or a list below.
fn stands_alone(lines: &[Line], at: usize, leading: f64) -> bool {
    let (line, Some(next)) = (&lines[at], lines.get(at + 1)) else {
        return false;
    };
    let apart = leading * 1.2;
    let above = at == 0 || (line.y - lines[at - 1].y).abs() > apart;
    let below = next.y - line.y > apart;
    let leads = starts_item(&next.text) || next.text.chars().count() > 60 || next.text.ends_with(['.', ':']);
    leading > 0.0 && above && below && leads && !line.columns && reads_like_heading(&line.text)
}

/// Whether a line belongs to the block of the lines before it.
fn goes_on(lines: &[Line], block: Range<usize>, styles: &Styles, leading: f64) -> bool {
    let next = &lines[block.end];
    let block = &lines[block];
    let (Some(first), Some(last)) = (block.first(), block.last()) else {
        return false;
    };
    if last.size == 0.0 || last.columns || next.columns {
        return false;
    }
    if styles.level(first) != styles.level(next) || (last.size - next.size).abs() > 0.12 * last.size {
        return false;
    }
    if starts_item(&next.text) {
        return false;
    }
    let down = next.y - last.y;
    if down <= 0.0 {
        // The top of another column: only a sentence that was cut goes on there.
        return !ends_sentence(&last.text) && next.text.starts_with(|c: char| c.is_lowercase());
    }
    let usual = leading.max(last.size * 1.05);
    if down > usual * 1.35 || down > last.size * 2.6 {
        return false;
    }
    let item = starts_item(&first.text);
    let indented = next.x > last.x + last.size * 0.8;
    if indented && !item {
        return !ends_sentence(&last.text) && block.len() == 1;
    }
    // Hanging indents end where the next line goes back to the left of the item's text.
    if item && block.len() > 1 && next.x < last.x - last.size * 0.8 {
        return false;
    }
    if item && block.len() == 1 && next.x <= first.x + 0.5 && ends_sentence(&last.text) {
        return false;
    }
    !is_short(lines, last, next)
}

/// Whether the first word of the next line would have fitted onto this one: then the break was meant.
fn is_short(lines: &[Line], last: &Line, next: &Line) -> bool {
    let same_column = |line: &&Line| (line.x - last.x).abs() < 2.0 * last.size;
    let right = lines.iter().filter(same_column).map(|line| line.right).fold(next.right, f64::max);
    let characters = next.text.chars().count().max(1) as f64;
    let width = (next.right - next.x) / characters;
    let word = next.text.split_whitespace().next().map_or(0, |word| word.chars().count());
    let room = right - last.right;
    let needed = (word as f64 + 1.0) * width;
    room > needed * 1.5 + last.size * 2.0 && (ends_sentence(&last.text) || room > (right - last.x) * 0.4)
}

fn starts_item(text: &str) -> bool {
    list_marker(text).is_some()
}

fn ends_sentence(text: &str) -> bool {
    text.trim_end_matches(['"', '”', '“', ')', '’']).ends_with(['.', '!', '?', ':', '。', '…'])
}

fn typical_leading(lines: &[Line]) -> f64 {
    let mut steps: Vec<f64> = lines
        .windows(2)
        .filter(|pair| (pair[0].size - pair[1].size).abs() < 0.2)
        .map(|pair| pair[1].y - pair[0].y)
        .filter(|step| *step > 0.5)
        .collect();
    steps.sort_by(f64::total_cmp);
    // The lower third: where paragraphs are set apart, most steps of a page of short ones are between them.
    steps.get(steps.len() / 3).copied().unwrap_or(0.0)
}

/// The sizes of type of a document: which is the text's, and which are headings'.
struct Styles {
    headings: Vec<i64>,
}

impl Styles {
    fn of<'a>(lines: impl Iterator<Item = &'a Line>) -> Self {
        let mut characters: BTreeMap<i64, usize> = BTreeMap::new();
        for line in lines {
            *characters.entry(rounded(line.size)).or_default() += line.text.chars().count();
        }
        let body = characters.iter().max_by_key(|(_, count)| **count).map_or(0, |(size, _)| *size);
        let total: usize = characters.values().sum();
        let large: Vec<(i64, usize)> = characters
            .into_iter()
            .rev()
            .filter(|(size, _)| *size as f64 >= body as f64 * HEADING_RATIO && *size > 0)
            .collect();
        // Where much of the text is large, size means something else.
        let share: usize = large.iter().map(|(_, count)| count).sum();
        if share * 3 > total {
            return Self { headings: Vec::new() };
        }
        Self { headings: large.into_iter().map(|(size, _)| size).collect() }
    }

    fn level(&self, line: &Line) -> Option<u8> {
        let size = rounded(line.size);
        let at = self.headings.iter().position(|heading| *heading == size)?;
        let words = line.text.chars().filter(|c| c.is_alphabetic()).count() >= 2;
        (words && !line.columns).then(|| u8::try_from(at + 1).unwrap_or(6).min(6))
    }
}

/// Sizes in half points: what is drawn as 11.98 is 12.
fn rounded(size: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "sizes of type are small and finite")]
    let half_points = (size.min(10_000.0) * 2.0).round() as i64;
    half_points
}
