//! The head of a table in bold type: which cells stand over which columns.
//!
//! A head may be centred above numbers that stand at the right, have two levels, and stand over several columns: its
//! cells need not share an edge with anything below.

use std::ops::Range;

use crate::docs::format::pdf::lines::Line;
use crate::docs::format::pdf::parts::Level;
use crate::docs::format::pdf::tables::{Row, SAME_EDGE};

/// A head has no more levels.
const MAX_LEVELS: usize = 4;
/// Lines further apart, in sizes of the type, are not of a head and its table.
const MAX_STEP: f64 = 2.5;

/// How many of the first levels are a head; `None` when they begin no table of several cells.
pub fn extent(levels: &[Level]) -> Option<usize> {
    let count = levels.iter().take_while(|level| level.iter().all(|piece| piece.line.bold)).count();
    let body = levels.get(count).filter(|level| level.len() > 1)?;
    let is_near = levels[..=count].windows(2).all(|pair| {
        let (above, line) = (&pair[0][0].line, &pair[1][0].line);
        line.y - above.y < MAX_STEP * line.size
    });
    // A single line at the left is a heading, whatever stands below.
    let first = levels[0].first()?;
    let leads = levels[0].len() > 1 || first.line.x > body[0].line.x + 2.0 * first.line.size;
    let has_cells = levels[..count].iter().any(|level| level.len() > 1);
    ((1..=MAX_LEVELS).contains(&count) && is_near && leads && has_cells).then_some(count)
}

/// The head as one row; `None` when most columns have no name. The name over several columns is that of each.
pub fn row(head: &[Level], body: &[Level], columns: &[Range<f64>]) -> Option<Row> {
    let bounds: Vec<f64> = (1..columns.len()).map(|at| bound(body, &columns[at - 1], &columns[at])).collect();
    let mut cells = vec![Vec::new(); columns.len()];
    for (at, level) in head.iter().enumerate() {
        for piece in level {
            let below = head[at + 1..].iter().find(|below| below.len() > 1);
            let named = below.and_then(|below| parted(&piece.line, level, below));
            let lines = named.unwrap_or_else(|| vec![&piece.line]);
            let named: Vec<usize> = lines.into_iter().flat_map(|line| columns_below(line, columns, &bounds)).collect();
            for at in named {
                cells[at].push(piece.line.text.clone());
            }
        }
    }
    let empty = cells.iter().filter(|cell| cell.is_empty()).count();
    (empty <= 1).then_some(Row { header: true, cells })
}

/// The cells of the level below that a cell stands over the middle of, where it has these for itself.
fn parted<'a>(line: &Line, level: &Level, below: &'a Level) -> Option<Vec<&'a Line>> {
    let is_middle = |from: &Line, to: &Line| {
        (f64::midpoint(from.x, to.right) - middle(line)).abs() < SAME_EDGE * line.size
            && level.iter().all(|other| other.line == *line || other.line.right < from.x || other.line.x > to.right)
    };
    let lines: Vec<&Line> = below.iter().map(|piece| &piece.line).collect();
    let mut ranges = (0..lines.len()).flat_map(|from| (from + 2..=lines.len()).map(move |to| from..to));
    let range = ranges.find(|range| is_middle(lines[range.start], lines[range.end - 1]))?;
    Some(lines[range].to_vec())
}

fn middle(line: &Line) -> f64 {
    f64::midpoint(line.x, line.right)
}

/// The columns that a cell of the head touches, or else the one in whose room it stands.
fn columns_below(line: &Line, columns: &[Range<f64>], bounds: &[f64]) -> Vec<usize> {
    let touches = |at: &usize| line.x < columns[*at].end && line.right > columns[*at].start;
    let touched: Vec<usize> = (0..columns.len()).filter(touches).collect();
    if touched.is_empty() { vec![bounds.iter().filter(|bound| middle(line) > **bound).count()] } else { touched }
}

/// Where the room of a column ends and that of the next begins: cells at the right of theirs leave free what is on
/// their left.
fn bound(body: &[Level], column: &Range<f64>, next: &Range<f64>) -> f64 {
    match (is_at_right(body, column), is_at_right(body, next)) {
        (true, true) => column.end,
        (false, false) => next.start,
        _ => f64::midpoint(column.end, next.start),
    }
}

/// Whether the cells of a column share their right edge, and not their left one.
fn is_at_right(body: &[Level], column: &Range<f64>) -> bool {
    let lines = body.iter().flatten().map(|piece| &piece.line);
    let within: Vec<&Line> =
        lines.filter(|line| line.x >= column.start - 0.1 && line.right <= column.end + 0.1).collect();
    let spread = |edge: fn(&Line) -> f64| {
        let edges = || within.iter().map(|line| edge(line));
        edges().fold(f64::NEG_INFINITY, f64::max) - edges().fold(f64::INFINITY, f64::min)
    };
    spread(|line| line.right) < spread(|line| line.x)
}
