//! The parts of pages to blocks: paragraphs, list items, headings, rows of tables.

use std::ops::Range;

use crate::docs::format::blocks::{Blocks, Place};
use crate::docs::format::pdf::headings::{MAX_HEADING_CHARS, MAX_HEADING_LINES, Styles, has_leader};
use crate::docs::format::pdf::lines::Line;
use crate::docs::format::pdf::parts::Part;
use crate::docs::format::pdf::tables::Row;
use crate::docs::text::{LineHyphen, Vocabulary, join_lines, list_marker, reads_like_heading, vocabulary};
use crate::model::Block;

/// The blocks of all pages, in order. A paragraph that runs over a page break is two blocks, each with its page; a
/// word that does is whole, on the page where it begins.
pub fn blocks(pages: &[(u32, Vec<Part>)]) -> Vec<Block> {
    let words = vocabulary(pages.iter().flat_map(|(_, parts)| parts).flat_map(texts));
    let lines = pages.iter().flat_map(|(_, parts)| parts).filter_map(text_lines).flatten();
    let styles = Styles::of(lines);
    let mut drafts: Vec<Draft> = Vec::new();
    for (page, parts) in pages {
        let leading = typical_leading(parts);
        for part in parts {
            let mut made = match part {
                Part::Text(lines) => {
                    Setting { lines, styles: &styles, words: &words, leading }.drafts(*page, drafts.is_empty())
                }
                Part::Table(rows) => rows.iter().map(|row| table_row(row, *page, &words)).collect(),
            };
            if let (Some(last), Some(next)) = (drafts.last_mut(), made.first_mut()) {
                continue_across(last, next, &words);
            }
            drafts.extend(made.into_iter().filter(|draft| !draft.is_blank()));
        }
    }
    let mut blocks = Blocks::default();
    for draft in drafts {
        push(&mut blocks, draft);
    }
    blocks.finish()
}

/// A block in the making.
struct Draft {
    page: u32,
    size: f64,
    content: Content,
}

enum Content {
    Heading { level: u8, text: String },
    Text(String),
    Row { header: bool, cells: Vec<String> },
}

impl Draft {
    fn is_blank(&self) -> bool {
        matches!(&self.content, Content::Text(text) if text.is_empty())
    }
}

/// The lines of one part of a page, and what is known of the document they are set in.
struct Setting<'a> {
    lines: &'a [Line],
    styles: &'a Styles,
    words: &'a Vocabulary,
    leading: f64,
}

impl Setting<'_> {
    fn drafts(&self, page: u32, is_start: bool) -> Vec<Draft> {
        let mut drafts = Vec::new();
        let mut start = 0;
        while start < self.lines.len() {
            let mut stop = start + 1;
            while stop < self.lines.len() && self.goes_on(start..stop) {
                stop += 1;
            }
            let content = self.content(start..stop, is_start && drafts.is_empty());
            drafts.push(Draft { page, size: self.lines[start].size, content });
            start = stop;
        }
        drafts
    }

    fn content(&self, block: Range<usize>, is_first: bool) -> Content {
        let start = block.start;
        let lines = &self.lines[block];
        let text = join_lines(lines.iter().map(|line| line.text.as_str()), self.words, LineHyphen::Drop);
        if lines.len() > MAX_HEADING_LINES || text.chars().count() > MAX_HEADING_CHARS {
            return Content::Text(text);
        }
        let strong = self.styles.level(&lines[0]);
        let weak =
            || self.styles.weak_level(lines, &text).filter(|_| start + lines.len() < self.lines.len() || lines[0].bold);
        let guess = || (!self.styles.has_sizes() && lines.len() == 1 && self.stands_alone(start)).then_some(2);
        let level = strong.or_else(|| weak().or_else(guess).map(|level| if is_first { 1 } else { level }));
        match level {
            Some(level) => Content::Heading { level, text },
            None => Content::Text(text),
        }
    }

    /// Whether a line is set apart like a heading, in a document whose type has one size: short, with more than the
    /// usual space around it, and with a longer line or a list below.
    fn stands_alone(&self, at: usize) -> bool {
        let (line, Some(next)) = (&self.lines[at], self.lines.get(at + 1)) else {
            return false;
        };
        let apart = self.leading * 1.2;
        let above = at == 0 || (line.y - self.lines[at - 1].y).abs() > apart;
        let below = next.y - line.y > apart;
        let leads = starts_item(&next.text) || next.text.chars().count() > 60 || next.text.ends_with(['.', ':']);
        self.leading > 0.0 && above && below && leads && !line.columns && reads_like_heading(&line.text)
    }

    /// Whether the line after a block belongs to it.
    fn goes_on(&self, block: Range<usize>) -> bool {
        let next = &self.lines[block.end];
        let block = &self.lines[block];
        let (Some(first), Some(last)) = (block.first(), block.last()) else {
            return false;
        };
        if last.size == 0.0 || last.columns || next.columns || last.entry != next.entry || has_leader(&last.text) {
            return false;
        }
        if self.styles.level(first) != self.styles.level(next) || (last.size - next.size).abs() > 0.12 * last.size {
            return false;
        }
        if starts_item(&next.text) || (first.bold && !next.bold && self.is_weak_heading(block)) {
            return false;
        }
        let down = next.y - last.y;
        if down <= 0.0 {
            // The top of another column: only a sentence that was cut goes on there.
            return goes_on_in_sentence(&last.text, &next.text);
        }
        let usual = self.leading.max(last.size * 1.05);
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
        !self.is_short(last, next)
    }

    fn is_weak_heading(&self, block: &[Line]) -> bool {
        let text = join_lines(block.iter().map(|line| line.text.as_str()), self.words, LineHyphen::Drop);
        self.styles.weak_level(block, &text).is_some()
    }

    /// Whether the first word of the next line would have fitted onto this one: then the break was meant.
    fn is_short(&self, last: &Line, next: &Line) -> bool {
        let same_column = |line: &&Line| (line.x - last.x).abs() < 2.0 * last.size;
        let right = self.lines.iter().filter(same_column).map(|line| line.right).fold(next.right, f64::max);
        let characters = next.text.chars().count().max(1) as f64;
        let width = (next.right - next.x) / characters;
        let word = next.text.split_whitespace().next().map_or(0, |word| word.chars().count());
        let room = right - last.right;
        let needed = (word as f64 + 1.0) * width;
        room > needed * 1.5 + last.size * 2.0 && (ends_sentence(&last.text) || room > (right - last.x) * 0.4)
    }
}

/// Moves what a column or a page break cut to where it begins: a paragraph within a page, a word over pages.
fn continue_across(last: &mut Draft, next: &mut Draft, words: &Vocabulary) {
    let is_alike = (last.size - next.size).abs() <= 0.12 * last.size;
    let (Content::Text(before), Content::Text(after)) = (&mut last.content, &mut next.content) else {
        return;
    };
    if !is_alike || !goes_on_in_sentence(before, after) {
        return;
    }
    if last.page == next.page {
        *before = join_lines([before.as_str(), after.as_str()], words, LineHyphen::Drop);
        after.clear();
    } else if before.ends_with(['-', '\u{2010}', '\u{ad}']) {
        let (tail, rest) = after.split_once(char::is_whitespace).unwrap_or((after, ""));
        *before = join_lines([before.as_str(), tail], words, LineHyphen::Drop);
        *after = rest.to_owned();
    }
}

fn goes_on_in_sentence(last: &str, next: &str) -> bool {
    !ends_sentence(last) && next.starts_with(char::is_lowercase) && !starts_item(next)
}

fn table_row(row: &Row, page: u32, words: &Vocabulary) -> Draft {
    let cell = |lines: &Vec<String>| join_lines(lines.iter().map(String::as_str), words, LineHyphen::Drop);
    let content = Content::Row { header: row.header, cells: row.cells.iter().map(cell).collect() };
    Draft { page, size: 0.0, content }
}

fn push(blocks: &mut Blocks, draft: Draft) {
    let place = Place { page: Some(draft.page), ..Place::default() };
    match draft.content {
        Content::Heading { level, text } => blocks.heading(level, &text, place),
        Content::Row { header, cells } => blocks.table_row(header, &cells, place),
        Content::Text(text) => match list_marker(&text) {
            Some((marker, rest)) => blocks.list_item(0, &marker, rest, place),
            None => blocks.paragraph(&text, place),
        },
    }
}

fn texts(part: &Part) -> Vec<&str> {
    match part {
        Part::Text(lines) => lines.iter().map(|line| line.text.as_str()).collect(),
        Part::Table(rows) => rows.iter().flat_map(|row| row.cells.iter().flatten()).map(String::as_str).collect(),
    }
}

fn text_lines(part: &Part) -> Option<&Vec<Line>> {
    match part {
        Part::Text(lines) => Some(lines),
        Part::Table(_) => None,
    }
}

fn starts_item(text: &str) -> bool {
    list_marker(text).is_some()
}

fn ends_sentence(text: &str) -> bool {
    text.trim_end_matches(['"', '”', '“', ')', '’']).ends_with(['.', '!', '?', ':', '。', '…'])
}

/// The usual step from line to line on a page.
fn typical_leading(parts: &[Part]) -> f64 {
    let pairs = parts.iter().filter_map(text_lines).flat_map(|lines| lines.windows(2));
    let mut steps: Vec<(f64, f64)> = pairs
        .filter(|pair| (pair[0].size - pair[1].size).abs() < 0.2)
        .map(|pair| (pair[1].y - pair[0].y, pair[1].size))
        .filter(|(step, _)| *step > 0.5)
        .collect();
    steps.sort_by(|a, b| a.0.total_cmp(&b.0));
    // The lower third: where paragraphs are set apart, most steps of a page of short ones are between them.
    let Some((third, _)) = steps.get(steps.len() / 3).copied() else { return 0.0 };
    // On a page of few lines even that is a step between paragraphs, when a fifth of the steps are much shorter.
    let shorter: Vec<f64> =
        steps.iter().filter(|(step, size)| step >= size && step * 1.5 < third).map(|(step, _)| *step).collect();
    match shorter.first() {
        Some(shortest) if shorter.len() * 5 >= steps.len() => *shortest,
        _ => third,
    }
}
