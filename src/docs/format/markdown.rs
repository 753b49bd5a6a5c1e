//! Markdown (CommonMark with tables, footnotes, task lists and front matter). Locators have lines and headings.

use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, MetadataBlockKind, Options, Parser, Tag, TagEnd};

use crate::docs::format::blocks::{Blocks, Place};
use crate::docs::format::{Format, FormatError, Input, Parsed, TEXT_BYTES, encoding, html};
use crate::model::LineRange;

/// The row of the table.
pub const FORMAT: Format = Format {
    name: "Markdown",
    extensions: &["md", "markdown", "mdown"],
    media_type: "text/markdown; charset=utf-8",
    max_bytes: TEXT_BYTES,
    is_shown: true,
    sniff: encoding::sniff_text,
    read,
};

fn read(input: Input<'_>) -> Result<Parsed, FormatError> {
    let text = encoding::decode(input.bytes, None);
    let mut reader = Reader::new(&text);
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_HEADING_ATTRIBUTES
        | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS;
    for (event, range) in Parser::new_ext(&text, options).into_offset_iter() {
        reader.event(event, range);
    }
    reader.flush();
    if let Some(error) = reader.refused {
        return Err(error);
    }
    let title = reader.title.take().or_else(|| reader.blocks.title());
    Ok(Parsed { title, language: reader.language, blocks: reader.blocks.finish(), ..Parsed::default() })
}

/// What the text that comes now will be.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Open {
    Paragraph,
    Heading(u8),
    Item { level: usize, marker: String },
    Code,
    Html,
    FrontMatter,
}

struct Reader<'a> {
    source: &'a str,
    line_starts: Vec<usize>,
    blocks: Blocks,
    title: Option<String>,
    language: Option<String>,
    open: Option<Open>,
    /// Why a part of it cannot be read.
    refused: Option<FormatError>,
    text: String,
    range: Range<usize>,
    /// The next number of each open list; `None` for bullets.
    lists: Vec<Option<u64>>,
    cells: Vec<String>,
    in_table: bool,
}

impl<'a> Reader<'a> {
    fn new(source: &'a str) -> Self {
        let breaks = source.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Self {
            source,
            line_starts: std::iter::once(0).chain(breaks).collect(),
            blocks: Blocks::default(),
            title: None,
            language: None,
            open: None,
            refused: None,
            text: String::new(),
            range: 0..0,
            lists: Vec::new(),
            cells: Vec::new(),
            in_table: false,
        }
    }

    fn event(&mut self, event: Event<'_>, range: Range<usize>) {
        match event {
            Event::Start(tag) => self.start(&tag, range),
            Event::End(tag) => self.end(tag, range),
            Event::Text(text) | Event::Code(text) | Event::Html(text) => self.add(&text, &range),
            Event::InlineHtml(tag) if tag.to_ascii_lowercase().starts_with("<br") => {
                self.add(" ", &range);
            }
            Event::SoftBreak | Event::HardBreak => self.add(" ", &range),
            Event::TaskListMarker(done) => self.add(if done { "[x] " } else { "[ ] " }, &range),
            Event::Rule => self.flush(),
            Event::InlineHtml(_) | Event::FootnoteReference(_) | Event::InlineMath(_) | Event::DisplayMath(_) => {}
        }
    }

    fn start(&mut self, tag: &Tag<'_>, range: Range<usize>) {
        match tag {
            Tag::Heading { level, .. } => self.begin(Open::Heading(level_number(*level)), range),
            // The first paragraph of a loose item is the item itself.
            Tag::Paragraph if matches!(self.open, Some(Open::Item { .. })) && self.text.is_empty() => {}
            Tag::Paragraph => self.begin(Open::Paragraph, range),
            Tag::CodeBlock(CodeBlockKind::Indented | CodeBlockKind::Fenced(_)) => {
                self.begin(Open::Code, range);
            }
            Tag::HtmlBlock => self.begin(Open::Html, range),
            Tag::MetadataBlock(MetadataBlockKind::YamlStyle | MetadataBlockKind::PlusesStyle) => {
                self.begin(Open::FrontMatter, range);
            }
            Tag::List(first) => {
                self.flush();
                self.lists.push(*first);
            }
            Tag::Item => {
                let marker = self.next_marker();
                let level = self.lists.len().saturating_sub(1);
                self.begin(Open::Item { level, marker }, range);
            }
            Tag::Table(_) => {
                self.flush();
                self.in_table = true;
            }
            Tag::TableHead | Tag::TableRow => self.cells.clear(),
            Tag::TableCell => self.text.clear(),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd, range: Range<usize>) {
        match tag {
            TagEnd::Heading(_)
            | TagEnd::Paragraph
            | TagEnd::CodeBlock
            | TagEnd::HtmlBlock
            | TagEnd::MetadataBlock(_)
            | TagEnd::Item => self.flush(),
            TagEnd::List(_) => {
                self.flush();
                self.lists.pop();
            }
            TagEnd::TableCell => {
                let cell = std::mem::take(&mut self.text);
                self.cells.push(cell);
            }
            TagEnd::TableHead | TagEnd::TableRow => {
                let place = self.place(&range);
                let cells = std::mem::take(&mut self.cells);
                self.blocks.table_row(tag == TagEnd::TableHead, &cells, place);
            }
            TagEnd::Table => {
                self.in_table = false;
                self.text.clear();
            }
            _ => {}
        }
    }

    fn begin(&mut self, open: Open, range: Range<usize>) {
        self.flush();
        // An item's range reaches over its nested lists; its own text tells where it ends.
        self.range = if matches!(open, Open::Item { .. }) { range.start..range.start } else { range };
        self.open = Some(open);
    }

    fn add(&mut self, text: &str, range: &Range<usize>) {
        if self.open.is_none() && !self.in_table {
            self.begin(Open::Paragraph, range.clone());
        }
        self.range.end = self.range.end.max(range.end);
        self.text.push_str(text);
    }

    fn flush(&mut self) {
        let text = std::mem::take(&mut self.text);
        let Some(open) = self.open.take() else { return };
        let place = self.place(&self.range);
        match open {
            Open::Paragraph => self.blocks.paragraph(&text, place),
            Open::Heading(level) => self.blocks.heading(level, &text, place),
            Open::Item { level, marker } => self.blocks.list_item(level, &marker, &text, place),
            Open::Code => self.blocks.code(&text, place),
            Open::Html => match html::fragment(&text) {
                Ok(blocks) => self.blocks.extend(blocks, place),
                Err(error) => self.refused = Some(error),
            },
            Open::FrontMatter => self.front_matter(&text),
        }
    }

    fn next_marker(&mut self) -> String {
        match self.lists.last_mut() {
            Some(Some(number)) => {
                let marker = format!("{number}.");
                *number = number.saturating_add(1);
                marker
            }
            _ => "-".to_owned(),
        }
    }

    /// Reads the two values that matter, line by line: front matter is written for other programs, in any dialect.
    fn front_matter(&mut self, text: &str) {
        for line in text.lines() {
            let Some((key, value)) = line.split_once(':') else {
                continue;
            };
            let value = value.trim().trim_matches(['"', '\'']);
            match key {
                "title" if !value.is_empty() => self.title = Some(value.to_owned()),
                "lang" | "language" if !value.is_empty() => self.language = Some(value.to_owned()),
                _ => {}
            }
        }
    }

    fn place(&self, range: &Range<usize>) -> Place {
        let source = &self.source[range.clone()];
        let end = range.start + source.trim_end().len();
        let start = range.start + (source.len() - source.trim_start().len()).min(end - range.start);
        let lines = LineRange(self.line(start), self.line(end.saturating_sub(1).max(start)));
        Place { lines: Some(lines), ..Place::default() }
    }

    fn line(&self, offset: usize) -> u32 {
        let line = self.line_starts.partition_point(|start| *start <= offset);
        u32::try_from(line).unwrap_or(u32::MAX)
    }
}

fn level_number(level: HeadingLevel) -> u8 {
    level as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Block, BlockKind};

    fn blocks(text: &str) -> Vec<Block> {
        read(Input { path: "a.md", bytes: text.as_bytes() }).unwrap().blocks
    }

    #[test]
    fn blocks_have_lines_and_headings() {
        let blocks = blocks("# One\n\nSome *text*\nwrapped.\n\n## Two\n\n```\na\n b\n```\n");
        let texts: Vec<&str> = blocks.iter().map(|block| block.text.as_str()).collect();
        assert_eq!(texts, ["One", "Some text wrapped.", "Two", "a\n b"]);
        assert_eq!(blocks[1].locator.lines, Some(LineRange(3, 4)));
        assert_eq!(blocks[1].locator.heading.as_deref(), Some("One"));
        assert_eq!(blocks[2].kind, BlockKind::Heading { level: 2 });
        assert_eq!(blocks[3].locator.heading.as_deref(), Some("Two"));
    }

    #[test]
    fn lists_keep_markers_and_levels() {
        let blocks = blocks("Lead:\n\n3. three\n   - inner\n\n   more\n4. [x] four\n");
        let texts: Vec<&str> = blocks.iter().map(|block| block.text.as_str()).collect();
        assert_eq!(texts, ["Lead:", "3. three", "  - inner", "more", "4. [x] four"]);
        assert_eq!(blocks[1].locator.lines, Some(LineRange(3, 3)));
    }

    #[test]
    fn tables_front_matter_html_and_footnotes() {
        let text = "---\ntitle: \"The title\"\nlang: de\n---\n\n| a | b |\n|---|---|\n| 1 | `2` |\n\n\
                    <div><p>inside</p></div>\n\nX[^1].\n\n[^1]: A note.\n";
        let parsed = read(Input { path: "a.md", bytes: text.as_bytes() }).unwrap();
        let texts: Vec<&str> = parsed.blocks.iter().map(|block| block.text.as_str()).collect();
        assert_eq!(texts, ["| a | b |", "| 1 | 2 |", "inside", "X.", "A note."]);
        assert_eq!(parsed.title.as_deref(), Some("The title"));
        assert_eq!(parsed.language.as_deref(), Some("de"));
        assert_eq!(parsed.blocks[0].kind, BlockKind::TableRow { header: true });
        assert_eq!(parsed.blocks[1].locator.lines, Some(LineRange(8, 8)));
    }

    #[test]
    fn deep_nesting_is_no_problem() {
        let quotes = format!("{} deep", ">".repeat(20_000));
        assert!(!blocks(&quotes).is_empty());
    }
}
