//! Packs the blocks of one section into chunks.
//!
//! Blocks that say little alone stay together: a list and the line that leads to it, the rows of a table and its
//! header. What holds together is a *unit*; units are packed in order up to the target size.

use std::ops::Range;

use crate::docs::chunk::Sizes;
use crate::model::{Block, BlockKind};
use crate::text::sentence::sentences;

/// How many items of a long list stay with the line that leads to it.
const ITEMS_WITH_LEAD: usize = 2;

/// A longer line is no mere introduction.
const MAX_LEAD_BYTES: usize = 300;

/// Longer texts are cut before sentences are looked for, whose cost grows faster than the text.
const MAX_SENTENCES_BYTES: usize = 64 * 1024;

/// All or part of a block's text.
#[derive(Debug, Clone, Copy)]
pub struct Piece<'a> {
    /// The block.
    pub block: &'a Block,
    /// The part of its text.
    pub text: &'a str,
}

/// The chunks of a section, as pieces.
pub fn pack<'a>(body: &[&'a Block], sizes: Sizes) -> Vec<Vec<Piece<'a>>> {
    let mut packed: Vec<Vec<Piece<'a>>> = Vec::new();
    let mut open: Vec<Piece<'a>> = Vec::new();
    for unit in units(body, sizes) {
        let (have, more) = (size(&open), size(&unit));
        let (target, max) = (sizes.target, sizes.max);
        let fits = have + 1 + more <= target || (have < target / 3 && have + 1 + more <= max);
        if !open.is_empty() && !fits {
            packed.push(std::mem::take(&mut open));
        }
        open.extend(unit);
    }
    if !open.is_empty() {
        packed.push(open);
    }
    packed
}

type Unit<'a> = Vec<Piece<'a>>;

fn units<'a>(body: &[&'a Block], sizes: Sizes) -> Vec<Unit<'a>> {
    let mut units = Vec::new();
    let mut at = 0;
    while at < body.len() {
        let rows = run(body, at, |kind| matches!(kind, BlockKind::TableRow { .. }));
        let lead = usize::from(is_lead(body, at));
        let items = run(body, at + lead, |kind| kind == BlockKind::ListItem);
        if rows > 0 {
            table_units(&body[at..at + rows], sizes, &mut units);
            at += rows;
        } else if items > 0 {
            list_units(&body[at..at + lead + items], lead, sizes, &mut units);
            at += lead + items;
        } else {
            units.extend(cut(body[at], sizes).into_iter().map(|piece| vec![piece]));
            at += 1;
        }
    }
    units
}

fn run(body: &[&Block], start: usize, is: impl Fn(BlockKind) -> bool) -> usize {
    let rest = body.get(start..).unwrap_or_default();
    let ends = |at: usize| {
        let kind = rest[at].kind;
        // The header of another table ends this one.
        let next_table = at > 0 && kind == BlockKind::TableRow { header: true } && rest[at - 1].kind != kind;
        !is(kind) || next_table
    };
    (0..rest.len()).find(|at| ends(*at)).unwrap_or(rest.len())
}

/// Whether a block leads to the list after it.
fn is_lead(body: &[&Block], at: usize) -> bool {
    let block = body[at];
    block.kind == BlockKind::Paragraph && block.text.len() <= MAX_LEAD_BYTES && block.text.ends_with([':', '：'])
}

fn list_units<'a>(blocks: &[&'a Block], lead: usize, sizes: Sizes, units: &mut Vec<Unit<'a>>) {
    let pieces: Vec<Piece<'a>> = blocks.iter().flat_map(|block| cut(block, sizes)).collect();
    if size(&pieces) <= sizes.max {
        units.push(pieces);
        return;
    }
    let with_lead = if lead == 0 { 1 } else { (lead + ITEMS_WITH_LEAD).min(pieces.len()) };
    let head = &pieces[..with_lead];
    if size(head) <= sizes.max {
        units.push(head.to_vec());
    } else {
        units.extend(head.iter().map(|piece| vec![*piece]));
    }
    units.extend(pieces[with_lead..].iter().map(|piece| vec![*piece]));
}

/// A table that is too long is cut between rows, and every part begins with the header.
fn table_units<'a>(rows: &[&'a Block], sizes: Sizes, units: &mut Vec<Unit<'a>>) {
    let whole: Vec<Piece<'a>> = rows.iter().map(|block| Piece { block, text: &block.text }).collect();
    if size(&whole) <= sizes.max {
        units.push(whole);
        return;
    }
    let headers = whole.iter().take_while(|piece| piece.block.kind == BlockKind::TableRow { header: true }).count();
    let header = &whole[..headers];
    // A header as long as a chunk is not worth repeating.
    let header = if size(header) > sizes.max / 3 { &[] } else { header };
    let mut part: Unit<'a> = header.to_vec();
    let beside = Sizes { max: sizes.max - size(header) - 1, ..sizes };
    for piece in rows[header.len()..].iter().flat_map(|block| cut(block, beside)) {
        if part.len() > header.len() && size(&part) + 1 + piece.text.len() > sizes.target {
            units.push(std::mem::replace(&mut part, header.to_vec()));
        }
        part.push(piece);
    }
    units.push(part);
}

/// The whole block, or parts that end where sentences, lines or cells end.
fn cut(block: &Block, sizes: Sizes) -> Vec<Piece<'_>> {
    let limit = sizes.max;
    let text = block.text.as_str();
    if text.len() <= limit {
        return vec![Piece { block, text }];
    }
    let ends: Vec<Range<usize>> = match block.kind {
        BlockKind::Code => lines(text),
        BlockKind::TableRow { .. } => cells(text),
        _ => {
            hard_cut(text, 0..text.len(), MAX_SENTENCES_BYTES).into_iter().flat_map(|part| within(text, part)).collect()
        }
    };
    let target = sizes.target.min(limit);
    let mut parts: Vec<Range<usize>> = Vec::new();
    for range in ends.into_iter().flat_map(|range| hard_cut(text, range, limit)) {
        match parts.last_mut() {
            Some(part) if range.end - part.start <= target => part.end = range.end,
            _ => parts.push(range),
        }
    }
    parts.into_iter().map(|range| Piece { block, text: &text[range] }).collect()
}

/// The sentences of a part of a text.
fn within(text: &str, part: Range<usize>) -> impl Iterator<Item = Range<usize>> + use<> {
    let start = part.start;
    sentences(&text[part]).into_iter().map(move |range| range.start + start..range.end + start)
}

fn lines(text: &str) -> Vec<Range<usize>> {
    let mut start = 0;
    text.split('\n')
        .map(|line| {
            let range = start..start + line.len();
            start = range.end + 1;
            range
        })
        .filter(|range| !range.is_empty())
        .collect()
}

/// The cells of a row, each with the bar before it.
fn cells(text: &str) -> Vec<Range<usize>> {
    let bars: Vec<usize> = text.match_indices(" | ").map(|(at, _)| at + 1).collect();
    let starts = std::iter::once(0).chain(bars.iter().copied());
    starts.zip(bars.iter().map(|bar| bar - 1).chain([text.len()])).map(|(start, end)| start..end).collect()
}

/// Cuts a sentence that is too long at spaces, or anywhere between characters.
fn hard_cut(text: &str, range: Range<usize>, limit: usize) -> Vec<Range<usize>> {
    let mut cuts = Vec::new();
    let mut rest = range;
    while rest.len() > limit {
        let end = text.floor_char_boundary(rest.start + limit);
        let space = text[rest.start..end].rfind(char::is_whitespace).filter(|at| *at > limit / 2);
        let end = space.map_or(end, |at| rest.start + at);
        cuts.push(rest.start..end);
        let skipped = text[end..rest.end].len() - text[end..rest.end].trim_start().len();
        rest = end + skipped..rest.end;
    }
    cuts.push(rest);
    cuts
}

fn size(pieces: &[Piece<'_>]) -> usize {
    pieces.iter().map(|piece| piece.text.len() + 1).sum::<usize>().saturating_sub(1)
}
