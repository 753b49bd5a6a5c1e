//! A document as Markdown, for a service that cannot read its format: what our readers found, with marks of place.
//!
//! The same blocks give the same bytes. Page, sheet, slide and headings are repeated now and then ([`mark`]), since
//! the service cuts the text where it likes. A document cannot forge a mark, a heading or a fence.

pub mod mark;

use std::io::{self, Write};

use crate::docs::format::Parsed;
use crate::model::{Block, BlockKind, Locator};

/// Changes whenever the same blocks give other bytes: what was made before is made again.
pub const VERSION: u32 = 1;

/// A mark stands at least this often, in bytes, as far as blocks end there: about every fourth part of what a service
/// cuts by default (800 tokens).
pub const REPEAT_BYTES: usize = 800;

/// Writes a document as Markdown.
pub fn write(parsed: &Parsed, out: &mut dyn Write) -> io::Result<()> {
    let mut writer = Writer { out, path: Vec::new(), header: None, before: None, since: 0 };
    let opens = parsed.blocks.first().filter(|block| matches!(block.kind, BlockKind::Heading { .. }));
    let own = parsed.title.as_deref().map(crate::docs::text::clean_line);
    if let Some(title) = own.filter(|title| !title.is_empty() && opens.is_none_or(|block| block.text != *title)) {
        writer.line(&format!("# {title}\n"))?;
    }
    parsed.blocks.iter().try_for_each(|block| writer.block(block))
}

/// A document as Markdown, in memory.
pub fn to_bytes(parsed: &Parsed) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Writing to memory does not fail.
    let _ = write(parsed, &mut bytes);
    bytes
}

struct Writer<'a> {
    out: &'a mut dyn Write,
    /// Headings above, outermost first.
    path: Vec<(u8, &'a str)>,
    /// The header of the table that is being written.
    header: Option<&'a str>,
    before: Option<&'a Block>,
    /// Bytes since the last mark.
    since: usize,
}

impl<'a> Writer<'a> {
    fn line(&mut self, line: &str) -> io::Result<()> {
        self.since += line.len() + 1;
        self.out.write_all(line.as_bytes())?;
        self.out.write_all(b"\n")
    }

    fn block(&mut self, block: &'a Block) -> io::Result<()> {
        let is_elsewhere = self.before.is_none_or(|before| differs(&before.locator, &block.locator));
        let is_heading = matches!(block.kind, BlockKind::Heading { .. });
        if self.before.is_some_and(|before| is_elsewhere || !joins(before.kind, block.kind)) {
            self.line("")?;
        }
        if self.before.is_some_and(|before| is_apart(&before.locator, &block.locator)) {
            self.path.clear();
        }
        let is_row = matches!(block.kind, BlockKind::TableRow { header: false });
        if is_elsewhere || !is_row {
            self.header = None;
        }
        if is_elsewhere {
            self.mark(block, false)?;
        } else if self.since >= REPEAT_BYTES && !is_heading {
            self.mark(block, true)?;
            if let Some(header) = self.header {
                self.table_header(header)?;
            }
        }
        self.before = Some(block);
        self.text(block)
    }

    /// Where the block stands; `again` names the headings above it, too, and its row or line.
    fn mark(&mut self, block: &Block, again: bool) -> io::Result<()> {
        let headings: Vec<&str> = self.path.iter().map(|(_, text)| *text).collect();
        let made = if again {
            mark::mark(&block.locator, &headings)
        } else {
            let coarse = Locator { rows: None, lines: None, ..block.locator.clone() };
            mark::coarse(&coarse).and_then(|_| mark::mark(&coarse, &headings))
        };
        self.since = 0;
        let Some(made) = made else { return Ok(()) };
        if again && self.before.is_some_and(|before| joins(before.kind, block.kind)) {
            self.line("")?;
        }
        self.line(&made)?;
        self.line("")?;
        self.since = 0;
        Ok(())
    }

    fn text(&mut self, block: &'a Block) -> io::Result<()> {
        match block.kind {
            BlockKind::Heading { level } => {
                self.path.retain(|(outer, _)| *outer < level);
                self.path.push((level, &block.text));
                let marks = "#".repeat(usize::from(level.clamp(1, 6)));
                self.line(&format!("{marks} {}", block.text))
            }
            BlockKind::Paragraph => self.line(&escaped(&block.text)),
            BlockKind::ListItem => self.line(&block.text),
            BlockKind::TableRow { header: true } => {
                self.header = Some(&block.text);
                self.table_header(&block.text)
            }
            BlockKind::TableRow { header: false } => self.line(&block.text),
            BlockKind::Code => {
                let fence = fence(&block.text);
                self.line(&fence)?;
                self.line(&block.text)?;
                self.line(&fence)
            }
        }
    }

    fn table_header(&mut self, header: &str) -> io::Result<()> {
        let columns = header.matches(" | ").count() + 1;
        self.line(header)?;
        self.line(&format!("|{}", "---|".repeat(columns)))
    }
}

/// Whether a block stands on another page, slide or sheet.
fn differs(before: &Locator, locator: &Locator) -> bool {
    before.page != locator.page || is_apart(before, locator)
}

/// Whether headings before do not count any more: pages share them, slides and sheets do not.
fn is_apart(before: &Locator, locator: &Locator) -> bool {
    before.slide != locator.slide || before.sheet != locator.sheet
}

/// Whether no blank line parts two blocks.
fn joins(before: BlockKind, kind: BlockKind) -> bool {
    matches!(
        (before, kind),
        (BlockKind::ListItem, BlockKind::ListItem)
            | (BlockKind::TableRow { .. }, BlockKind::TableRow { header: false })
    )
}

/// A paragraph that would begin something else in Markdown, or read like a mark, gets a backslash.
fn escaped(text: &str) -> String {
    let begins = text.starts_with(['#', '>']) || text.starts_with("```") || text.starts_with("~~~");
    if begins || mark::is_mark(text) { format!("\\{text}") } else { text.to_owned() }
}

/// A fence longer than any in the text.
fn fence(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    "`".repeat(longest.max(2) + 1)
}

#[cfg(test)]
mod tests;
