//! The parts of a page in reading order: text of one column after another, and tables between them.
//!
//! Pages are cut only where it is plain: a table has three rows whose cells share their edges, and columns are divided
//! by a strip of white that no line crosses while both sides read like text. Everything else keeps the order of the
//! page's own instructions, which is the reading order far more often than any sorting would give.

use crate::docs::format::pdf::lines::{Line, is_right_to_left, join};
use crate::docs::format::pdf::tables::{self, Row};
use crate::docs::text::is_unspaced;

/// Columns within columns within columns are as far as anybody goes.
const MAX_DEPTH: usize = 5;
/// White this wide, in sizes of the type, divides columns.
const GUTTER: f64 = 0.8;
/// Lines further apart, in sizes of the type, are of different blocks.
const BLOCK_STEP: f64 = 1.8;
/// A column has at least so many lines.
const MIN_LINES: usize = 4;
/// The lines of a column of text are at least so long, in characters, half of them.
const MIN_LINE_CHARS: usize = 16;
/// And at least half of them are this wide, as a part of the widest.
const MIN_FILL: f64 = 0.55;

/// A part of a page.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// Lines of running text, one below the other.
    Text(Vec<Line>),
    /// Rows of a table.
    Table(Vec<Row>),
}

/// Cuts a page into its parts.
pub fn parts(pieces: Vec<Line>) -> Vec<Part> {
    if pieces.iter().any(|piece| piece.size <= 0.0) {
        return vec![Part::Text(pieces)];
    }
    let is_rightward = |piece: &&Line| piece.text.split_whitespace().any(is_right_to_left);
    let right_to_left = pieces.iter().filter(is_rightward).count() * 2 > pieces.len();
    let mut parts = Vec::new();
    cut(numbered(pieces), right_to_left, 0, &mut parts);
    parts
}

/// A piece, and its number in the order of the page's instructions.
#[derive(Debug, Clone)]
pub struct Piece {
    /// Its number.
    pub number: usize,
    /// The piece.
    pub line: Line,
}

/// The pieces of one baseline, from left to right.
pub type Level = Vec<Piece>;

/// Pieces by their baselines, from the top.
pub fn levels(mut pieces: Vec<Piece>) -> Vec<Level> {
    pieces.sort_by(|a, b| a.line.y.total_cmp(&b.line.y));
    let mut levels: Vec<Level> = Vec::new();
    for piece in pieces {
        match levels.last_mut() {
            Some(level) if level[0].line.is_level_with(&piece.line) => level.push(piece),
            _ => levels.push(vec![piece]),
        }
    }
    for level in &mut levels {
        level.sort_by(|a, b| a.line.x.total_cmp(&b.line.x));
    }
    levels
}

fn numbered(pieces: Vec<Line>) -> Vec<Piece> {
    pieces.into_iter().enumerate().map(|(number, line)| Piece { number, line }).collect()
}

fn cut(pieces: Vec<Piece>, right_to_left: bool, depth: usize, parts: &mut Vec<Part>) {
    let mut levels = levels(pieces);
    let found = if depth < MAX_DEPTH { columns(&levels) } else { None };
    let Some(Columns { first, end, at }) = found else {
        return with_tables(&levels, parts);
    };
    let below = levels.split_off(end);
    let (left, right) = levels.split_off(first).into_iter().flatten().partition(|piece| piece.line.x < at);
    cut(levels.into_iter().flatten().collect(), right_to_left, depth + 1, parts);
    let sides: [Vec<Piece>; 2] = if right_to_left { [right, left] } else { [left, right] };
    for side in sides {
        cut(side, right_to_left, depth + 1, parts);
    }
    cut(below.into_iter().flatten().collect(), right_to_left, depth + 1, parts);
}

/// Takes the tables out; what stands above, between and below them is text.
fn with_tables(levels: &[Level], parts: &mut Vec<Part>) {
    let mut text: Vec<Piece> = Vec::new();
    let mut rest = levels;
    while let [level, after @ ..] = rest {
        if let Some((rows, count)) = tables::table(rest) {
            push_text(std::mem::take(&mut text), parts);
            parts.push(Part::Table(rows));
            rest = &rest[count..];
        } else {
            text.extend(level.iter().cloned());
            rest = after;
        }
    }
    push_text(text, parts);
}

fn push_text(mut pieces: Vec<Piece>, parts: &mut Vec<Part>) {
    if pieces.is_empty() {
        return;
    }
    pieces.sort_by_key(|piece| piece.number);
    if goes_up(&pieces) {
        pieces = levels(pieces).into_iter().flatten().collect();
    }
    parts.push(Part::Text(join(pieces.into_iter().map(|piece| piece.line).collect())));
}

/// Whether the order of instructions goes back up within one column: then it is not the order of reading.
fn goes_up(pieces: &[Piece]) -> bool {
    pieces.windows(2).any(|pair| {
        let [last, next] = [&pair[0].line, &pair[1].line];
        let is_beside = next.x >= last.right || next.right <= last.x;
        next.y < last.y - last.size.max(next.size) && !is_beside
    })
}

/// Levels from `first` up to `end` that are divided at `at`.
struct Columns {
    first: usize,
    end: usize,
    at: f64,
}

/// The longest run of levels that a strip of white divides into columns of text.
fn columns(levels: &[Level]) -> Option<Columns> {
    let mut best: Option<Columns> = None;
    for at in gutters(levels) {
        for (first, end) in runs(levels, at).into_iter().flat_map(|run| with_blocks(levels, run)) {
            let longer = best.as_ref().is_none_or(|best| end - first > best.end - best.first);
            if longer && are_columns(&levels[first..end], at) {
                best = Some(Columns { first, end, at });
            }
        }
    }
    best
}

/// Where columns may be divided: just left of where several pieces begin.
fn gutters(levels: &[Level]) -> Vec<f64> {
    let pieces = || levels.iter().flatten().map(|piece| &piece.line);
    let left = pieces().map(|line| line.x).fold(f64::INFINITY, f64::min);
    let mut edges: Vec<(f64, f64)> =
        pieces().map(|line| (line.x, line.size)).filter(|(x, size)| *x > left + 4.0 * size).collect();
    edges.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut gutters: Vec<f64> = Vec::new();
    for group in edges.chunk_by(|a, b| b.0 - a.0 < 0.3 * b.1) {
        if let ([(x, size), ..], true) = (group, group.len() >= MIN_LINES) {
            gutters.push(x - GUTTER / 2.0 * size);
        }
    }
    gutters
}

/// Runs of levels that have no piece within half a gutter of `at`.
fn runs(levels: &[Level], at: f64) -> Vec<(usize, usize)> {
    let is_crossed = |level: &Level| {
        level.iter().any(|Piece { line, .. }| {
            let half = GUTTER / 2.0 * line.size - 0.01;
            line.x < at + half && line.right > at - half
        })
    };
    let mut runs = Vec::new();
    let mut first = 0;
    for (end, level) in levels.iter().enumerate() {
        if is_crossed(level) {
            runs.push((first, end));
            first = end + 1;
        }
    }
    runs.push((first, levels.len()));
    // The last line of a paragraph above may be short: it belongs to the lines that cross.
    let trimmed = runs
        .into_iter()
        .map(|(first, end)| if ends_paragraph(levels, first, at) { (first + 1, end) } else { (first, end) });
    trimmed.filter(|(first, end)| end - first.min(end) >= MIN_LINES).collect()
}

/// A run, and the blocks in it that stand apart: below columns there may be a table that leaves the same strip free.
fn with_blocks(levels: &[Level], (first, end): (usize, usize)) -> Vec<(usize, usize)> {
    let mut runs = vec![(first, end)];
    let mut start = first;
    for at in first + 1..end {
        let (above, line) = (&levels[at - 1][0].line, &levels[at][0].line);
        if line.y - above.y > BLOCK_STEP * line.size {
            runs.push((start, at));
            start = at;
        }
    }
    runs.push((start, end));
    runs.retain(|(first, end)| end - first >= MIN_LINES);
    runs
}

fn ends_paragraph(levels: &[Level], first: usize, at: f64) -> bool {
    let (Some(above), Some(level)) = (first.checked_sub(1).and_then(|above| levels.get(above)), levels.get(first))
    else {
        return false;
    };
    let (above, line) = (&above[0].line, &level[0].line);
    let is_same_size = (above.size - line.size).abs() < 0.1 * line.size;
    level.len() == 1 && line.x < at && is_same_size && line.y - above.y < 1.6 * line.size
}

/// Whether both sides read like text.
fn are_columns(levels: &[Level], at: f64) -> bool {
    let (left, right): (Vec<&Line>, Vec<&Line>) =
        levels.iter().flatten().map(|piece| &piece.line).partition(|line| line.x < at);
    is_text(&left, MIN_LINES) && is_text(&right, MIN_LINES)
}

/// Whether lines read like running text, in one column or several: long, and often in the middle of a sentence.
pub fn is_text(lines: &[&Line], min_lines: usize) -> bool {
    let widest = lines.iter().map(|line| line.right - line.x).fold(0.0, f64::max);
    let is_full = |line: &&&Line| line.right - line.x >= MIN_FILL * widest;
    let is_long =
        |line: &&&Line| line.text.chars().map(|c| if is_unspaced(c) { 2 } else { 1 }).sum::<usize>() >= MIN_LINE_CHARS;
    let full = lines.iter().filter(is_full).filter(is_long).count();
    let inner = lines.iter().filter(|line| !begins_anew(&line.text)).count();
    lines.len() >= min_lines && full * 2 >= lines.len() && inner * 5 >= lines.len() * 2
}

/// Whether a line begins like a sentence, a cell or a number.
fn begins_anew(text: &str) -> bool {
    text.starts_with(|c: char| c.is_uppercase() || c.is_numeric())
}
