//! HTML. The main contents only: no scripts, navigation, headers, footers, forms, hidden parts.
//!
//! The tokens of the HTML standard are read in a few passes without building a tree, so neither depth nor size of the
//! nesting matters. What is left out is decided by names and roles; where that leaves next to nothing, less is left
//! out, so that no page loses its text to a name.

mod bounds;
mod content;
mod furniture;
mod table;
mod token;

use crate::docs::format::html::content::Content;
use crate::docs::format::html::furniture::{Furniture, Scope};
use crate::docs::format::html::token::{Piece, tokenize};
use crate::docs::format::{Format, FormatError, Input, Parsed, Sniff, TEXT_BYTES, encoding};
use crate::docs::text::clean_line;
use crate::model::Block;

/// The row of the table.
pub const FORMAT: Format = Format {
    name: "HTML",
    extensions: &["html", "htm", "xhtml"],
    media_type: "text/html; charset=utf-8",
    max_bytes: TEXT_BYTES,
    is_shown: true,
    sniff,
    read,
};

/// How much of a file is looked at for its first element.
const HEAD_BYTES: usize = 2048;

/// The main part of a page holds at least this share of its text: one in so many.
const MIN_SHARE: usize = 3;

/// When all that has a name of furniture holds so many times the rest, the names are wrong.
const MAX_LOSS: usize = 4;

fn sniff(bytes: &[u8]) -> Sniff {
    match encoding::sniff_text(bytes) {
        Sniff::No => Sniff::No,
        _ if is_page(bytes) => Sniff::Sure,
        text => text,
    }
}

/// Whether a file begins as a page does. Fragments of HTML are also in Markdown.
fn is_page(bytes: &[u8]) -> bool {
    let head = encoding::decode(&bytes[..bytes.len().min(HEAD_BYTES)], None).to_ascii_lowercase();
    let mut rest = head.trim_start_matches('\u{feff}').trim_start();
    for (open, close) in [("<?xml", "?>"), ("<!--", "-->"), ("<!--", "-->")] {
        if rest.starts_with(open) {
            rest = rest.split_once(close).map_or("", |(_, rest)| rest).trim_start();
        }
    }
    ["<!doctype html", "<html", "<head>", "<body"].iter().any(|start| rest.starts_with(start))
}

fn read(input: Input<'_>) -> Result<Parsed, FormatError> {
    let text = encoding::decode(input.bytes, encoding::declared(input.bytes));
    let content = main_content(&tokenize(&text)?);
    let title = content.blocks.title().or_else(|| page_title(content.title.as_deref()?, content.site.as_deref()));
    Ok(Parsed { title, language: content.language, blocks: content.blocks.finish(), ..Parsed::default() })
}

/// The blocks of a page inside another format: its main contents.
pub fn page(text: &str) -> Result<Vec<Block>, FormatError> {
    Ok(main_content(&tokenize(text)?).blocks.finish())
}

/// The blocks of a piece of HTML inside another format: all of it that is shown.
pub fn fragment(text: &str) -> Result<Vec<Block>, FormatError> {
    Ok(Content::read(&tokenize(text)?, Scope::Everything, Furniture::Keep).blocks.finish())
}

fn main_content(pieces: &[Piece]) -> Content {
    let whole = |furniture| Content::read(pieces, Scope::Everything, furniture);
    let loses = |less: &Content, more: &Content| less.text_length() * MAX_LOSS < more.text_length();
    let (mut furniture, mut best) = (Furniture::Drop, whole(Furniture::Drop));
    let with_forms = whole(Furniture::KeepForms);
    if loses(&best, &with_forms) {
        (furniture, best) = (Furniture::KeepForms, with_forms);
    }
    let all = best.text_length();
    let part = [Scope::Main, Scope::Article, Scope::Named]
        .into_iter()
        .map(|scope| Content::read(pieces, scope, furniture))
        .find(|part| part.text_length() * MIN_SHARE > all);
    best = part.unwrap_or(best);
    let cautious = whole(Furniture::DropMarked);
    if loses(&best, &cautious) {
        best = cautious;
    }
    // The author wrapped everything in what is usually furniture.
    if best.blocks.is_empty() { whole(Furniture::Keep) } else { best }
}

/// `<title>` without the name of the site behind it.
fn page_title(title: &str, site: Option<&str>) -> Option<String> {
    let title = clean_line(title);
    let cut = |separator: &str| {
        let (page, name) = title.rsplit_once(separator)?;
        // A dash is also in titles; bars and dots only stand before names of sites.
        let is_site = matches!(separator, " | " | " · ") || site.is_some_and(|site| clean_line(site) == name);
        (is_site && !page.trim().is_empty()).then(|| page.trim().to_owned())
    };
    let short = [" | ", " · ", " - ", " – ", " — ", " :: "].into_iter().find_map(cut);
    short.or(Some(title)).filter(|title| !title.is_empty())
}

#[cfg(test)]
mod tests;
