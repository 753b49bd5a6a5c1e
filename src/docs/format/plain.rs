//! Plain text. Paragraphs, lists, tables set in columns and the headings that are beyond doubt are found; locators
//! have lines. A file of rows cut by one delimiter is a table, whatever its name says.

mod columns;

use std::collections::HashSet;

use crate::docs::format::blocks::{Blocks, MAX_BLOCKS, MAX_TEXT_BYTES, Place};
use crate::docs::format::{Format, FormatError, Input, Parsed, TEXT_BYTES, csv, encoding, too_much_text};
use crate::docs::text::{LineHyphen, join_lines, list_marker, reads_like_heading, vocabulary};
use crate::model::{Block, LineRange};

/// The row of the table.
pub const FORMAT: Format = Format {
    name: "plain text",
    extensions: &["txt", "text"],
    media_type: "text/plain; charset=utf-8",
    max_bytes: TEXT_BYTES,
    is_shown: true,
    sniff: encoding::sniff_text,
    read,
};

/// Nobody wraps text wider than this by hand: such lines are paragraphs.
const MAX_WRAP: usize = 130;

/// Nobody wraps prose narrower than this: such lines are an address, a poem, a table.
const MIN_WRAP: usize = 42;

fn read(input: Input<'_>) -> Result<Parsed, FormatError> {
    // Refused before the work: nearly all of such a file is text.
    if input.bytes.len() > 2 * MAX_TEXT_BYTES {
        return Err(too_much_text());
    }
    let text = encoding::decode(input.bytes, None);
    // The same, where it takes no count of bytes twice as wide.
    if text.split_ascii_whitespace().map(|word| word.len() + 1).sum::<usize>() > MAX_TEXT_BYTES + MAX_BLOCKS {
        return Err(too_much_text());
    }
    let blocks = if csv::is_clear_table(&text) { csv::blocks_of(&text)? } else { blocks_of(&text) };
    let title = blocks.title();
    Ok(Parsed { title, blocks: blocks.finish(), ..Parsed::default() })
}

/// The blocks of plain text inside another format.
pub fn fragment(text: &str) -> Vec<Block> {
    blocks_of(text).finish()
}

fn blocks_of(text: &str) -> Blocks {
    let text = text.replace("\r\n", "\n").replace(['\r', '\u{c}'], "\n");
    let lines: Vec<&str> = text.split('\n').map(str::trim_end).collect();
    let words = vocabulary(lines.iter().copied());
    let mut reader = Reader { lines: &lines, words: &words, blocks: Blocks::default() };
    let mut start = 0;
    while start < lines.len() {
        let length = lines[start..].iter().take_while(|line| !line.trim().is_empty()).count();
        if length > 0 {
            reader.group(start, start + length);
        }
        start += length.max(1);
    }
    reader.blocks
}

struct Reader<'a> {
    lines: &'a [&'a str],
    words: &'a HashSet<String>,
    blocks: Blocks,
}

impl Reader<'_> {
    /// Lines without a blank one between them.
    fn group(&mut self, start: usize, end: usize) {
        if let Some(table) = columns::table(&self.lines[start..end]) {
            for row in table {
                let line = start + row.line;
                self.blocks.table_row(row.is_header, &row.cells, place(line, line + 1));
            }
            return;
        }
        let mut start = start;
        if let Some(level) = self.underline(start, end) {
            self.blocks.heading(level, self.lines[start], place(start, start + 1));
            start += 2;
        } else if end - start == 1
            && let Some(level) = self.lone_heading(start)
        {
            self.blocks.heading(level, self.lines[start], place(start, end));
            return;
        }
        let width = self.lines[start..end].iter().map(|line| line.chars().count()).max().unwrap_or(0);
        while start < end {
            start = self.paragraph(start, end, width);
        }
    }

    /// One paragraph or list item; returns where the next one begins.
    fn paragraph(&mut self, start: usize, end: usize, width: usize) -> usize {
        let item = list_marker(self.lines[start]);
        let mut stop = start + 1;
        while stop < end && self.underline(stop, end).is_none() && self.goes_on(stop - 1, stop, width) {
            stop += 1;
        }
        let place = place(start, stop);
        match item {
            Some((marker, first)) => {
                let rest = self.lines[start + 1..stop].iter().copied();
                let text = join_lines(std::iter::once(first).chain(rest), self.words, LineHyphen::Keep);
                self.blocks.list_item(self.list_level(start), &marker, &text, place);
            }
            None if self.underline(start, end).is_some() => self.group(start, end.min(start + 2)),
            None => {
                let lines = self.lines[start..stop].iter().copied();
                self.blocks.paragraph(&join_lines(lines, self.words, LineHyphen::Keep), place);
            }
        }
        if item_is_heading(self.underline(start, end)) { start + 2 } else { stop }
    }

    /// Whether a line continues the one before: it would have been broken there by someone who wraps at `width`.
    fn goes_on(&self, before: usize, next: usize, width: usize) -> bool {
        let (before, next) = (self.lines[before], self.lines[next]);
        if !(MIN_WRAP..=MAX_WRAP).contains(&width)
            || list_marker(next).is_some()
            || is_columns(before)
            || is_columns(next)
        {
            return false;
        }
        let word = next.split_whitespace().next().map_or(0, |word| word.chars().count());
        before.chars().count() + 1 + word > width * 4 / 5
    }

    fn list_level(&self, line: usize) -> usize {
        let text = self.lines[line];
        let indent: usize = text.chars().take_while(|c| c.is_whitespace()).map(|c| if c == '\t' { 4 } else { 1 }).sum();
        (indent + 1) / 4
    }

    /// `===` or `---` under a line make it a heading.
    fn underline(&self, line: usize, end: usize) -> Option<u8> {
        let under = self.lines.get(line + 1).filter(|_| line + 1 < end)?.trim();
        let level = match under.chars().next()? {
            '=' => 1,
            '-' | '~' => 2,
            _ => return None,
        };
        let mark = under.chars().next()?;
        let text = self.lines[line].trim();
        let fits = under.chars().count() * 2 >= text.chars().count();
        let heading = under.len() >= 3 && fits && under.chars().all(|c| c == mark);
        (heading && text.contains(char::is_alphanumeric)).then_some(level)
    }

    /// A line between blank lines that is a heading beyond doubt: numbered, or in capitals.
    fn lone_heading(&self, line: usize) -> Option<u8> {
        let text = self.lines[line].trim();
        let next = self.lines[line + 1..].iter().map(|line| line.trim()).find(|line| !line.is_empty())?;
        if text.chars().count() > 70 || text.ends_with(['.', ',', ';', ':', '!']) {
            return None;
        }
        if let Some(level) = section_number(text) {
            // Bullets under it are its own list; another number makes it an item itself.
            let listed = section_number(next).is_some() || list_marker(next).is_some_and(|(marker, _)| marker != "-");
            return (!listed || level > 2).then_some(level);
        }
        let letters = text.chars().filter(|c| c.is_alphabetic()).count();
        let capitals = text.chars().filter(|c| c.is_uppercase()).count();
        if letters >= 4 && capitals == letters {
            return Some(2);
        }
        // A short line over something longer. Two of them in a row are lines of a text set that way.
        let leads = list_marker(next).is_some() || next.chars().count() > 70 || next.ends_with(['.', ':']);
        (reads_like_heading(text) && leads).then_some(if self.blocks.is_empty() { 1 } else { 2 })
    }
}

fn item_is_heading(underline: Option<u8>) -> bool {
    underline.is_some()
}

/// `2. Fees` has level 2, `2.1 Late fees` level 3.
fn section_number(text: &str) -> Option<u8> {
    let (number, title) = text.split_once(char::is_whitespace)?;
    let parts: Vec<&str> = number.trim_end_matches('.').split('.').collect();
    let numeric = parts.iter().all(|part| (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()));
    let counts = numeric && (number.ends_with('.') || parts.len() > 1);
    let level = u8::try_from(parts.len() + 1).unwrap_or(6).min(6);
    (counts && title.trim().starts_with(char::is_uppercase)).then_some(level)
}

/// Text set in columns loses its meaning when lines are joined.
fn is_columns(line: &str) -> bool {
    let line = line.trim();
    line.contains('\t') || line.contains("   ")
}

fn place(start: usize, end: usize) -> Place {
    let line = |index: usize| u32::try_from(index).unwrap_or(u32::MAX);
    Place { lines: Some(LineRange(line(start + 1), line(end))), ..Place::default() }
}

#[cfg(test)]
mod tests;
