//! A document as safe HTML, made from what is indexed: the text that is shown is the text that was cited.
//!
//! Every character of a document is escaped, no script is on the page, and a page is bounded however long the
//! document is. Nothing is read but the index.

mod flow;
mod html;
mod notice;
mod quote;
mod rows;
mod template;
#[cfg(test)]
mod tests;

use std::ops::Range;

use crate::model::{Chunk, DocumentRecord, Locator, file_name};
use crate::serve::file::treatment::is_pdf;
use crate::serve::preview::flow::{Flow, Label};
use crate::serve::preview::html::{Highlight, escape};
use crate::serve::preview::template::fill;

/// The page around the text.
const TEMPLATE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/templates/web/preview.html"));

/// What somebody wants to see.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// The place of the words. Of its parts, page, slide, sheet and heading are looked at.
    pub place: Locator,
    /// Words of the document.
    pub quote: Option<String>,
    /// A part of a long document, counted from 1, when neither words nor a place are wanted.
    pub part: Option<usize>,
}

/// The page for a document. `assistant_name` is who refers to it.
pub fn render(record: &DocumentRecord, chunks: &[Chunk], wanted: &Wanted, assistant_name: &str) -> String {
    let flow = Flow::new(chunks, &record.title);
    let found = wanted.quote.as_deref().and_then(|quote| quote::find(&flow.pieces, quote, &wanted.place));
    let target = match &found {
        Some(marks) => marks.first().map(|(piece, _)| *piece),
        None => flow.first_of(&wanted.place),
    };
    let part = match target {
        Some(piece) => flow.part_of(piece),
        None => wanted.part.unwrap_or(1).saturating_sub(1).min(flow.parts.len().saturating_sub(1)),
    };
    let notice = notice::text(wanted, &flow, found.as_ref(), target);
    let highlight = Highlight { marks: found.unwrap_or_default(), notice, target };
    let text = html::render(&flow, flow.parts.get(part).cloned().unwrap_or_default(), &highlight);
    let shown_page = target.and_then(|piece| flow.pieces.get(piece)).and_then(|piece| piece.locator.page);
    let name = file_name(&record.path);
    fill(
        TEMPLATE,
        &[
            ("title", &escape(&record.title)),
            ("filename", &escape(name)),
            ("assistant", &escape(assistant_name)),
            ("description", &record.description.as_deref().map(description).unwrap_or_default()),
            ("file", &file_link(record, shown_page)),
            ("parts", &parts(&flow, part)),
            ("text", &text),
        ],
    )
}

fn description(text: &str) -> String {
    format!("<p class=\"preview-description\" dir=\"auto\">{}</p>", escape(text))
}

/// Addresses are relative: the bot may lie behind a proxy under another path.
fn file_link(record: &DocumentRecord, page: Option<u32>) -> String {
    match page.filter(|_| is_pdf(record)) {
        Some(page) => format!("<a class=\"button\" href=\"file#page={page}\">Open the PDF at page {page}</a>"),
        None => "<a class=\"button\" href=\"file\">Open the file</a>".to_owned(),
    }
}

/// Links to what comes before and after, when the document has several parts.
fn parts(flow: &Flow<'_>, part: usize) -> String {
    let count = flow.parts.len();
    if count < 2 {
        return String::new();
    }
    let link = |target: Option<usize>, rel: &str, text: &str| match target.and_then(|at| flow.parts.get(at)) {
        Some(range) => {
            let number = target.unwrap_or_default() + 1;
            format!("<a class=\"button\" rel=\"{rel}\" href=\"?part={number}\">{text}{}</a>", extent(flow, range))
        }
        None => String::new(),
    };
    format!(
        "<nav class=\"preview-parts\" aria-label=\"Parts of the document\">{}<span>Part {} of {count}{}</span>{}</nav>",
        link(part.checked_sub(1), "prev", "Earlier"),
        part + 1,
        flow.parts.get(part).map(|range| extent(flow, range)).unwrap_or_default(),
        link(Some(part + 1), "next", "Later"),
    )
}

/// The first and last page, slide or sheet of a part: `: Page 3 – Page 9`.
fn extent(flow: &Flow<'_>, range: &Range<usize>) -> String {
    let pieces = flow.pieces.get(range.clone()).unwrap_or_default();
    let mut labels = pieces.iter().filter_map(|piece| Label::of(piece.locator));
    let Some(first) = labels.next() else { return String::new() };
    match labels.next_back().filter(|last| *last != first) {
        Some(last) => format!(": {} – {}", escape(&first.name()), escape(&last.name())),
        None => format!(": {}", escape(&first.name())),
    }
}
