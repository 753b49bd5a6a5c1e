//! PDF. Locators have pages, and headings where the size of the type leaves no doubt.
//!
//! The engine panics on some damaged files; a panic here is a damaged document, never the end of the program.

mod content;
mod fonts;
mod furniture;
mod glyphs;
mod headings;
mod layout;
mod lines;
mod load;
mod outline;
mod page;
mod parts;
mod repair;
mod second;
mod sieve;
mod tables;
mod unpack;

use std::panic::{AssertUnwindSafe, catch_unwind};

use pdf_extract::{Document, Object, ObjectId};

use crate::docs::format::blocks::MAX_TEXT_BYTES;
use crate::docs::format::pdf::lines::Line;
use crate::docs::format::pdf::page::Stage;
use crate::docs::format::pdf::parts::Part;
use crate::docs::format::{Format, FormatError, Input, MEDIA_BYTES, Parsed, Sniff, quiet, too_much_text};

/// The row of the table.
pub const FORMAT: Format = Format {
    name: "PDF",
    extensions: &["pdf"],
    media_type: "application/pdf",
    max_bytes: MEDIA_BYTES,
    is_shown: true,
    sniff,
    read,
};

/// Real files have a few bytes of rubbish before the header.
const HEADER_WITHIN: usize = 1024;

/// No manual has more pages (the longest standards have 5,000); a damaged page tree may claim any number.
const MAX_PAGES: usize = 5_000;

/// So many of the pages that could not be read are named.
const MAX_NAMED: usize = 5;

fn sniff(bytes: &[u8]) -> Sniff {
    let head = &bytes[..bytes.len().min(HEADER_WITHIN)];
    let marked = head.windows(5).any(|window| window == b"%PDF-");
    // A text about PDF may quote the mark; only a file that begins with it is one for sure.
    match (head.starts_with(b"%PDF-"), marked) {
        (true, _) => Sniff::Sure,
        (false, true) => Sniff::Possible,
        (false, false) => Sniff::No,
    }
}

fn read(input: Input<'_>) -> Result<Parsed, FormatError> {
    guard(|| load::open(input.bytes).and_then(read_document))?
}

/// Runs the engine; a panic becomes an error.
fn guard<T>(work: impl FnOnce() -> T) -> Result<T, FormatError> {
    // Nothing outlives a panic here: the document and all its parts are dropped with the closure.
    quiet::without_report(|| catch_unwind(AssertUnwindSafe(work)))
        .map_err(|_| FormatError::Malformed("the PDF engine gave up on it".to_owned()))
}

fn read_document(mut document: Document) -> Result<Parsed, FormatError> {
    let ids = page_ids(&document)?;
    let title = document_title(&document);
    let language = document_language(&document);
    let entries = outline::entries(&document, &ids);
    fonts::prepare(&mut document);
    let stage = Stage::new(document).ok_or_else(|| FormatError::Malformed("it has no catalogue".to_owned()))?;
    let read = page_lines(stage, &ids)?;
    let notes = read.note().into_iter().collect();
    let mut pages = read.lines;
    furniture::remove(&mut pages);
    let mut pages: Vec<(u32, Vec<Part>)> =
        pages.into_iter().map(|(number, lines)| (number, parts::parts(lines))).collect();
    outline::mark(&entries, &mut pages);
    let count = u32::try_from(ids.len()).ok();
    Ok(Parsed { title, language, pages: count, notes, blocks: layout::blocks(&pages), ..Parsed::default() })
}

fn page_ids(document: &Document) -> Result<Vec<(u32, ObjectId)>, FormatError> {
    let ids: Vec<(u32, ObjectId)> = document.get_pages().into_iter().collect();
    match ids.len() {
        0 => Err(FormatError::Malformed("it has no pages".to_owned())),
        count if count > MAX_PAGES => Err(FormatError::TooMuch(format!("it has more than {MAX_PAGES} pages"))),
        _ => Ok(ids),
    }
}

/// The pages that could be read, and what is said of the others.
#[derive(Default)]
struct Pages {
    lines: Vec<(u32, Vec<Line>)>,
    bad: Vec<String>,
    is_too_much: bool,
}

/// The lines of all pages. Where most of them can be read, the others are named in a note, and the document is what
/// remains; where most cannot, it is a damaged one.
fn page_lines(mut stage: Stage, ids: &[(u32, ObjectId)]) -> Result<Pages, FormatError> {
    let mut pages = Pages::default();
    let mut left_bytes = MAX_TEXT_BYTES;
    for (number, id) in ids {
        match stage.lines(*id) {
            Ok(Some(lines)) => {
                let bytes: usize = lines.iter().map(|line| line.text.len()).sum();
                left_bytes = left_bytes.checked_sub(bytes).ok_or_else(too_much_text)?;
                pages.lines.push((*number, lines));
            }
            Ok(None) => pages.bad.push(format!("page {number}: no engine can read it")),
            Err(error) => {
                pages.is_too_much |= error.is_too_much();
                pages.bad.push(format!("page {number}: {error}"));
            }
        }
    }
    let has_text = pages.lines.iter().any(|(_, lines)| !lines.is_empty());
    if pages.bad.len() > pages.lines.len() || (!pages.bad.is_empty() && !has_text) {
        return Err(pages.error());
    }
    Ok(pages)
}

impl Pages {
    fn error(&self) -> FormatError {
        if self.is_too_much { FormatError::TooMuch(self.named()) } else { FormatError::Malformed(self.named()) }
    }

    /// What to tell whoever looks after the document: the rest of it is found, these pages are not.
    fn note(&self) -> Option<String> {
        (!self.bad.is_empty()).then(|| format!("some pages could not be read and are left out: {}", self.named()))
    }

    fn named(&self) -> String {
        let named = self.bad[..self.bad.len().min(MAX_NAMED)].join(", ");
        match self.bad.len().saturating_sub(MAX_NAMED) {
            0 => named,
            more => format!("{named}, and {more} more"),
        }
    }
}

fn document_title(document: &Document) -> Option<String> {
    let info = resolve(document, document.trailer.get(b"Info").ok()?)?.as_dict().ok()?;
    let title = resolve(document, info.get(b"Title").ok()?)?.as_str().ok()?;
    Some(decode_string(title)).filter(|title| !title.trim().is_empty())
}

fn document_language(document: &Document) -> Option<String> {
    let language = resolve(document, document.catalog().ok()?.get(b"Lang").ok()?)?.as_str().ok()?;
    Some(decode_string(language))
}

fn resolve<'a>(document: &'a Document, object: &'a Object) -> Option<&'a Object> {
    document.dereference(object).ok().map(|(_, object)| object)
}

/// Strings are UTF-16 with a mark, UTF-8 with a mark, or nearly Latin-1.
fn decode_string(bytes: &[u8]) -> String {
    match encoding_rs::Encoding::for_bom(bytes) {
        Some((encoding, mark)) => encoding.decode_without_bom_handling(&bytes[mark..]).0.into_owned(),
        None => encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned(),
    }
}

#[cfg(test)]
mod tests;
