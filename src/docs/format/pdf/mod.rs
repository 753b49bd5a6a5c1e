//! PDF. Locators have pages, and headings where the size of the type leaves no doubt.
//!
//! The engine panics on some damaged files; a panic here is a damaged document, never the end of the program.

mod forms;
mod furniture;
mod glyphs;
mod layout;
pub mod quiet;

use std::panic::{AssertUnwindSafe, catch_unwind};

use pdf_extract::{Document, Object, output_doc_page};

use crate::docs::format::blocks::{Blocks, Place};
use crate::docs::format::pdf::glyphs::{Glyphs, Line};
use crate::docs::format::{Format, FormatError, Input, MEDIA_BYTES, Parsed, Sniff};

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

/// No manual has more pages; a damaged page tree may claim any number.
const MAX_PAGES: usize = 5_000;

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
    guard(|| open(input.bytes).and_then(|document| read_document(&document)))?
}

/// Runs the engine; a panic becomes an error.
fn guard<T>(work: impl FnOnce() -> T) -> Result<T, FormatError> {
    // Nothing outlives a panic here: the document and all its parts are dropped with the closure.
    quiet::without_report(|| catch_unwind(AssertUnwindSafe(work)))
        .map_err(|_| FormatError::Malformed("the PDF engine gave up on it".to_owned()))
}

fn open(bytes: &[u8]) -> Result<Document, FormatError> {
    let mut document = Document::load_mem(bytes).map_err(|error| {
        let text = error.to_string();
        let encrypted = matches!(error, pdf_extract::Error::Decryption(_)) || text.to_lowercase().contains("password");
        if encrypted { FormatError::Encrypted } else { FormatError::Malformed(text) }
    })?;
    if document.is_encrypted() && document.decrypt("").is_err() {
        return Err(FormatError::Encrypted);
    }
    Ok(document)
}

fn read_document(document: &Document) -> Result<Parsed, FormatError> {
    let mut pages: Vec<(u32, Vec<Line>)> = Vec::new();
    let mut bad = Vec::new();
    for (number, page) in document.get_pages().into_iter().take(MAX_PAGES) {
        let lines = forms::are_finite(document, page).then(|| page_lines(document, number)).flatten();
        match lines {
            Some(lines) => pages.push((number, lines)),
            None => bad.push(number),
        }
    }
    if !bad.is_empty() || pages.is_empty() {
        let first: Vec<String> = bad.iter().take(5).map(u32::to_string).collect();
        return Err(FormatError::Malformed(match first.as_slice() {
            [] => "it has no pages".to_owned(),
            first => format!("page {} cannot be read", first.join(", ")),
        }));
    }
    furniture::remove(&mut pages);
    let blocks = layout::blocks(&pages);
    let title = document_title(document);
    let count = u32::try_from(pages.len()).ok();
    Ok(Parsed { title, language: document_language(document), pages: count, blocks })
}

fn page_lines(document: &Document, number: u32) -> Option<Vec<Line>> {
    let mut glyphs = Glyphs::default();
    let read = guard(|| output_doc_page(document, &mut glyphs, number).is_ok()).unwrap_or(false);
    if read {
        return Some(glyphs.into_lines());
    }
    // The second engine knows fewer fonts, but survives more damage. It tells nothing of places.
    let text = guard(|| document.extract_text(&[number]).ok()).ok()??;
    Some(text.lines().filter_map(Line::unplaced).collect())
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

/// Puts a run of lines into blocks.
fn place(page: u32) -> Place {
    Place { page: Some(page), ..Place::default() }
}

/// Blocks of lines whose place is unknown.
fn push_plain(blocks: &mut Blocks, text: &str, page: u32) {
    match crate::docs::text::list_marker(text) {
        Some((marker, rest)) => blocks.list_item(0, &marker, rest, place(page)),
        None => blocks.paragraph(text, place(page)),
    }
}

#[cfg(test)]
mod tests;
