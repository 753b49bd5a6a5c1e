//! Cuts a document's blocks into chunks: what is indexed, found and cited.
//!
//! Chunks never cross a heading, a slide or a sheet, and hold whole blocks as far as they fit: a short section is a
//! chunk of its own, because its headings are indexed with it and a citation should name one place. Only what is longer
//! than a chunk is cut, at the ends of sentences. Every block's text is in some chunk, except that of headings: they are in
//! `heading_path`, and in the text only where a section has nothing else.

mod pack;

use std::collections::HashMap;

use sha2::{Digest as _, Sha256};

use crate::clock::hex;
use crate::docs::chunk::pack::{Piece, pack};
use crate::model::{Block, BlockKind, Chunk, Span};

/// The size that chunks aim at, in bytes of text in a script of one byte a letter.
pub const TARGET_BYTES: usize = 900;

/// The size that no such chunk exceeds.
pub const MAX_BYTES: usize = 1400;

/// A longer header of a table is not repeated in each of the table's chunks.
pub const MAX_HEADER_BYTES: usize = MAX_BYTES / 3;

/// How much of a text is looked at to tell its script, in letters.
const SCRIPT_LETTERS: usize = 2_000;

/// The sizes of a document's chunks, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// What they aim at.
    pub target: usize,
    /// What none exceeds.
    pub max: usize,
}

impl Sizes {
    /// A chunk holds about as many words in every script. Letters of Greek, Cyrillic, Arabic, Hebrew and the scripts
    /// of India take two bytes and more; of those that set no blanks one character says as much as three letters.
    fn of(blocks: &[Block]) -> Self {
        let letters = blocks.iter().flat_map(|block| block.text.chars()).filter(|each| each.is_alphabetic());
        let (mut wide, mut all) = (0, 0);
        for letter in letters.take(SCRIPT_LETTERS) {
            all += 1;
            wide += usize::from(matches!(letter, '\u{370}'..='\u{dff}'));
        }
        let times = if wide * 2 > all { 2 } else { 1 };
        Self { target: TARGET_BYTES * times, max: MAX_BYTES * times }
    }
}

/// Cuts a document into chunks.
pub fn chunks(document_id: &str, blocks: &[Block]) -> Vec<Chunk> {
    let mut made = Vec::new();
    let mut equal: HashMap<String, u32> = HashMap::new();
    let sizes = Sizes::of(blocks);
    for section in sections(blocks) {
        for pieces in pack(&section.body, sizes) {
            let ordinal = u32::try_from(made.len()).unwrap_or(u32::MAX);
            made.push(chunk(document_id, ordinal, &section.path, &pieces, &mut equal));
        }
    }
    made
}

/// A run of blocks under the same headings, on the same slide or sheet.
struct Section<'a> {
    path: Vec<String>,
    body: Vec<&'a Block>,
}

fn sections(blocks: &[Block]) -> Vec<Section<'_>> {
    let mut sections: Vec<Section<'_>> = Vec::new();
    let mut above: Vec<(u8, &Block)> = Vec::new();
    let mut body: Vec<&Block> = Vec::new();
    let mut before: Option<&Block> = None;
    for block in blocks {
        if before.is_some_and(|before| is_elsewhere(before, block)) {
            close(&above, &mut body, None, &mut sections);
            above.clear();
        }
        before = Some(block);
        let BlockKind::Heading { level } = block.kind else {
            body.push(block);
            continue;
        };
        close(&above, &mut body, Some(level), &mut sections);
        above.retain(|(outer, _)| *outer < level);
        above.push((level, block));
    }
    close(&above, &mut body, None, &mut sections);
    sections
}

/// Whether a block stands on another slide or sheet than the one before it.
fn is_elsewhere(before: &Block, block: &Block) -> bool {
    before.locator.slide != block.locator.slide || before.locator.sheet != block.locator.sheet
}

/// Ends a section before a heading of level `next`, or at the end.
fn close<'a>(above: &[(u8, &'a Block)], body: &mut Vec<&'a Block>, next: Option<u8>, sections: &mut Vec<Section<'a>>) {
    let mut body = std::mem::take(body);
    let mut headings: Vec<&Block> = above.iter().map(|(_, block)| *block).collect();
    if body.is_empty() {
        let Some((level, heading)) = above.last() else {
            return;
        };
        let has_children = next.is_some_and(|next| next > *level);
        if has_children {
            return;
        }
        headings.pop();
        body.push(heading);
    }
    // The name of a sheet says what its rows are about, as a heading would.
    let sheet = body.first().and_then(|block| block.locator.sheet.clone());
    let path = sheet.into_iter().chain(headings.into_iter().map(|block| block.text.clone())).collect();
    sections.push(Section { path, body });
}

fn chunk(
    document_id: &str,
    ordinal: u32,
    path: &[String],
    pieces: &[Piece<'_>],
    equal: &mut HashMap<String, u32>,
) -> Chunk {
    let mut text = String::new();
    let mut spans = Vec::with_capacity(pieces.len());
    for piece in pieces {
        if !text.is_empty() {
            text.push('\n');
        }
        let start = text.len();
        text.push_str(piece.text);
        let (kind, locator) = (piece.block.kind, piece.block.locator.clone());
        spans.push(Span { start, end: text.len(), kind, locator });
    }
    let same = equal.entry(text.clone()).or_default();
    let chunk_id = chunk_id(document_id, &text, *same);
    *same += 1;
    let locator = pieces.first().map(|piece| piece.block.locator.clone()).unwrap_or_default();
    let document_id = document_id.to_owned();
    Chunk { chunk_id, document_id, ordinal, text, heading_path: path.to_vec(), locator, spans }
}

fn chunk_id(document_id: &str, text: &str, same: u32) -> String {
    let digest = Sha256::digest(format!("{document_id}\0{text}\0{same}"));
    hex(&digest[..16])
}

#[cfg(test)]
mod tests;
