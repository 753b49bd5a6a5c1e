//! Tables: rows of cells that share their edges.
//!
//! The rules are strict, because prose that is taken for a table is worse than a table that is read as lines: at least
//! three lines with several cells, strips of white that no line of the table crosses, and cells of each column that
//! share an edge or their middle. Below a head of bold type two lines are enough. Contents, indexes and programs are
//! set like tables, and are none.

mod head;

use std::ops::Range;

use crate::docs::format::pdf::lines::{Line, is_marker};
use crate::docs::format::pdf::parts::{Level, Piece, is_text};

/// So many lines have several cells.
const MIN_LINES: usize = 3;
/// White this wide, in sizes of the type, divides cells.
const MIN_WHITE: f64 = 0.4;
/// Lines further apart, in sizes of the type, are not of one table.
const MAX_STEP: f64 = 3.5;
/// Edges this near, in sizes of the type, are the same.
const SAME_EDGE: f64 = 0.6;
/// So much of a column shares an edge.
const MIN_ALIGNED: f64 = 0.6;
/// Lines this near, in sizes of the type, are of one row: cells that are centred to each other.
const HALF_STEP: f64 = 0.9;
/// A step this much longer than the shortest is one between rows.
const ROW_STEP: f64 = 1.15;

/// A row of a table: of each cell its lines.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Row {
    /// Whether it names the columns.
    pub header: bool,
    /// The cells, from left to right.
    pub cells: Vec<Vec<String>>,
}

/// What stands on one level, by column.
type Cells<'a> = Vec<Vec<&'a Line>>;

/// The table that begins with the first of the levels, and how many levels it takes.
pub fn table(levels: &[Level]) -> Option<(Vec<Row>, usize)> {
    if let Some(found) = headed(levels) {
        return Some(found);
    }
    let lead = usize::from(is_raised(levels));
    let end = lead + extent(&levels[lead..], MIN_LINES)?;
    let levels = &levels[..end];
    let several = levels.iter().filter(|level| level.len() > 1).count();
    if several < MIN_LINES || several * 4 < levels.len() {
        return None;
    }
    let columns = columns(levels, levels);
    let grid: Vec<Cells<'_>> = levels.iter().map(|level| cells(level, &columns)).collect();
    let is_index = is_index(&grid) || is_contents(&grid);
    (is_table(&grid, columns.len()) && !is_index).then(|| (rows(&grid), end))
}

/// The table below a head of bold type: its rows may be fewer, and its head needs no cell above each column.
fn headed(levels: &[Level]) -> Option<(Vec<Row>, usize)> {
    let lead = head::extent(levels)?;
    let end = lead + extent(&levels[lead..], MIN_LINES - 1)?;
    let (head, body) = levels[..end].split_at(lead);
    if body.iter().filter(|level| level.len() > 1).count() < MIN_LINES - 1 {
        return None;
    }
    let columns = columns(body, &levels[..end]);
    let grid: Vec<Cells<'_>> = body.iter().map(|level| cells(level, &columns)).collect();
    if !is_table(&grid, columns.len()) {
        return None;
    }
    let mut rows = rows(&grid);
    rows.first_mut()?.header = false;
    rows.insert(0, head::row(head, body, &columns)?);
    Some((rows, end))
}

fn is_table(grid: &[Cells<'_>], columns: usize) -> bool {
    columns > 1 && !is_list(grid) && !is_prose(grid) && !is_code(grid) && are_aligned(grid, columns)
}

/// Whether most lines read like a program.
fn is_code(grid: &[Cells<'_>]) -> bool {
    let lines = || grid.iter().flatten().flatten();
    let code = lines().filter(|line| line.text.contains(['{', '}', ';', '=']) || line.text.contains("()")).count();
    code * 5 >= lines().count() * 2
}

/// Whether all columns are those of an index: words, and behind them pages.
fn is_index(grid: &[Cells<'_>]) -> bool {
    let ends_with_page = |line: &&Line| {
        let (words, page) = line.text.rsplit_once(", ").unwrap_or_default();
        words.starts_with(char::is_alphabetic) && page.starts_with(|c: char| c.is_ascii_digit())
    };
    let is_index = |at: usize| column(grid, at).filter(ends_with_page).count() * 5 >= column(grid, at).count() * 3;
    (0..grid.first().map_or(0, Vec::len)).all(is_index)
}

/// Whether a table of two columns has nothing but rising page numbers on its right: a list of contents.
fn is_contents(grid: &[Cells<'_>]) -> bool {
    let pages: Vec<Option<u32>> = column(grid, 1).map(|line| line.text.trim().parse().ok()).collect();
    grid.first().is_some_and(|level| level.len() == 2) && pages.iter().all(Option::is_some) && pages.is_sorted()
}

/// Whether the first level is the upper half of a cell of two lines, centred to the cells beside it.
fn is_raised(levels: &[Level]) -> bool {
    let [first, second, ..] = levels else { return false };
    let (above, line) = (&first[0].line, &second[0].line);
    first.len() == 1 && second.len() > 1 && line.y - above.y < HALF_STEP * line.size
}

/// How many levels share strips of white with the first.
fn extent(levels: &[Level], min_lines: usize) -> Option<usize> {
    let mut white = gaps(levels.first()?);
    let mut end = 1;
    for pair in levels.windows(2) {
        let (last, next) = (&pair[0][0].line, &pair[1][0].line);
        let kept: Vec<(f64, f64)> = white.iter().flat_map(|gap| left_free(*gap, &pair[1])).collect();
        // At the top a head may span columns; further down only a line that fits is of the table.
        let may_span = end < MIN_LINES && pair[1].len() > 1 && !kept.is_empty();
        let step = next.y - last.y;
        if white.is_empty() || step > MAX_STEP * last.size.max(next.size) || (kept.len() < white.len() && !may_span) {
            break;
        }
        white = kept;
        end += 1;
    }
    while end > 1 && levels[end - 1].len() == 1 && !is_continued(&levels[end - 2], &levels[end - 1]) {
        end -= 1;
    }
    if end > 1 && levels[end - 1].len() == 1 && is_below(&levels[..end]) {
        end -= 1;
    }
    (end >= min_lines).then_some(end)
}

/// Whether the last line stands below a table whose rows have one line each and the same step.
fn is_below(levels: &[Level]) -> bool {
    let (rows, last) = levels.split_at(levels.len() - 1);
    let step = |pair: &[Level]| pair[1][0].line.y - pair[0][0].line.y;
    let below = last[0][0].line.y - rows[rows.len() - 1][0].line.y;
    let left = rows.iter().map(|level| level[0].line.x).fold(f64::INFINITY, f64::min);
    let line = &last[0][0].line;
    rows.len() > 1
        && rows.iter().all(|level| level.len() > 1)
        && rows.windows(2).all(|pair| (step(pair) - below).abs() < 0.1 * line.size)
        && line.x < left + SAME_EDGE * line.size
}

fn is_continued(above: &Level, level: &Level) -> bool {
    let (above, line) = (&above[0].line, &level[0].line);
    line.y - above.y < 1.35 * line.size
}

/// The strips of white between the pieces of a level.
fn gaps(level: &Level) -> Vec<(f64, f64)> {
    level.windows(2).map(|pair| (pair[0].line.right, pair[1].line.x)).filter(|(from, to)| to > from).collect()
}

/// What a level leaves free of a strip of white.
fn left_free(gap: (f64, f64), level: &Level) -> Vec<(f64, f64)> {
    let mut free = vec![gap];
    for piece in level {
        free = free.into_iter().flat_map(|gap| without(gap, &piece.line)).collect();
    }
    free
}

fn without((from, to): (f64, f64), line: &Line) -> Vec<(f64, f64)> {
    if line.x >= to || line.right <= from {
        return vec![(from, to)];
    }
    let sides = [(from, line.x), (line.right, to)];
    sides.into_iter().filter(|(from, to)| to - from >= MIN_WHITE * line.size).collect()
}

/// The columns of a table: what lies between the strips that none of its levels touches, but for cells that plainly
/// stand over several columns of `all`.
fn columns(levels: &[Level], all: &[Level]) -> Vec<Range<f64>> {
    let single = levels.iter().flatten().filter(|piece| !spans(&piece.line, all));
    let mut taken: Vec<(f64, f64, f64)> =
        single.map(|piece| (piece.line.x, piece.line.right, piece.line.size)).collect();
    taken.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut columns: Vec<Range<f64>> = Vec::new();
    for (x, right, size) in taken {
        match columns.last_mut() {
            Some(column) if x - column.end < MIN_WHITE * size => column.end = column.end.max(right),
            _ => columns.push(x..right),
        }
    }
    columns
}

/// Whether a cell stands over several cells of other levels: of two at least, and of most that it touches.
fn spans(line: &Line, levels: &[Level]) -> bool {
    let is_over = |piece: &&Piece| piece.line.x < line.right && piece.line.right > line.x;
    let others = levels.iter().filter(|level| level.iter().all(|piece| piece.line != *line));
    let counts: Vec<usize> =
        others.map(|level| level.iter().filter(is_over).count()).filter(|count| *count > 0).collect();
    let several = counts.iter().filter(|count| **count > 1).count();
    several > 1 && several * 2 >= counts.len()
}

/// The pieces of a level by column.
fn cells<'a>(level: &'a Level, columns: &[Range<f64>]) -> Cells<'a> {
    let within = |line: &&Line, column: &Range<f64>| line.x < column.end && line.right > column.start;
    let lines = || level.iter().map(|piece| &piece.line);
    columns.iter().map(|column| lines().filter(|line| within(line, column)).collect()).collect()
}

/// Whether the first column holds nothing but bullets and numbers of items.
fn is_list(grid: &[Cells<'_>]) -> bool {
    column(grid, 0).all(|line| is_marker(&line.text))
}

/// Whether all columns read like running text.
fn is_prose(grid: &[Cells<'_>]) -> bool {
    let count = grid.first().map_or(0, Vec::len);
    (0..count).all(|at| is_text(&column(grid, at).collect::<Vec<&Line>>(), MIN_LINES))
}

fn column<'a>(grid: &'a [Cells<'a>], at: usize) -> impl Iterator<Item = &'a Line> {
    grid.iter().filter_map(move |level| level.get(at)).flatten().copied()
}

fn are_aligned(grid: &[Cells<'_>], count: usize) -> bool {
    (0..count).all(|at| {
        // A cell over several columns has the edges of none.
        let is_single =
            |level: &&Cells<'_>, line: &Line| level.iter().flatten().filter(|other| **other == line).count() == 1;
        let lines: Vec<&Line> = grid
            .iter()
            .flat_map(|level| level[at].iter().filter(move |line| is_single(&level, line)))
            .copied()
            .collect();
        let edges: [fn(&Line) -> f64; 3] = [|line| line.x, |line| line.right, |line| f64::midpoint(line.x, line.right)];
        lines.len() < MIN_LINES || edges.iter().any(|edge| is_shared(&lines, *edge))
    })
}

/// Whether most lines have the same edge.
fn is_shared(lines: &[&Line], edge: fn(&Line) -> f64) -> bool {
    let mut edges: Vec<f64> = lines.iter().map(|line| edge(line)).collect();
    edges.sort_by(f64::total_cmp);
    let near = lines[0].size * SAME_EDGE;
    let most = edges.iter().map(|at| edges.iter().filter(|other| (*other - at).abs() <= near).count()).max();
    most.unwrap_or(0) as f64 >= MIN_ALIGNED * lines.len() as f64
}

/// Joins the levels to rows.
fn rows(grid: &[Cells<'_>]) -> Vec<Row> {
    let row_step = row_step(grid);
    let mut rows: Vec<Vec<&Cells<'_>>> = Vec::new();
    for band in bands(grid) {
        match rows.last_mut() {
            Some(row) if !begins_row(row, &band, row_step) => row.extend(band),
            _ => rows.push(band),
        }
    }
    let all_bold = |row: &[&Cells<'_>]| row.iter().copied().flatten().flatten().all(|line| line.bold);
    let bold_head = rows.len() > 1 && all_bold(&rows[0]) && !all_bold(&rows[1]);
    let mut rows: Vec<Row> = rows.into_iter().map(|levels| merged(&levels)).collect();
    if let Some(first) = rows.first_mut() {
        first.header = bold_head || names_columns(first);
    }
    rows
}

/// Levels so near to each other that they are of one row.
fn bands<'g, 'a>(grid: &'g [Cells<'a>]) -> Vec<Vec<&'g Cells<'a>>> {
    let mut bands: Vec<Vec<&Cells<'_>>> = Vec::new();
    for level in grid {
        match bands.last_mut() {
            Some(band) if step(band, &[level]).is_some_and(|step| step < HALF_STEP) => band.push(level),
            _ => bands.push(vec![level]),
        }
    }
    bands
}

/// From the last line of some levels to the first of others, in sizes of the type.
fn step(above: &[&Cells<'_>], below: &[&Cells<'_>]) -> Option<f64> {
    let (above, line) = (any(above.last()?)?, any(below.first()?)?);
    Some((line.y - above.y) / line.size)
}

/// The shortest step between lines, where there are longer ones between rows; `None` where all are alike.
fn row_step(grid: &[Cells<'_>]) -> Option<f64> {
    let steps = grid.windows(2).filter_map(|pair| step(&[&pair[0]], &[&pair[1]]));
    let steps: Vec<f64> = steps.filter(|step| *step >= HALF_STEP).collect();
    let shortest = steps.iter().copied().fold(f64::INFINITY, f64::min);
    let longest = steps.iter().copied().fold(0.0, f64::max);
    (shortest < 1.4 && longest > shortest * ROW_STEP).then_some(shortest * ROW_STEP)
}

fn any<'a>(level: &Cells<'a>) -> Option<&'a Line> {
    level.iter().flatten().next().copied()
}

/// Whether levels begin another row: they fill as many cells as the row before, the first among them, or stand
/// further apart than lines of a cell.
fn begins_row(row: &[&Cells<'_>], band: &[&Cells<'_>], row_step: Option<f64>) -> bool {
    let Some(step) = step(row, band) else { return true };
    let fills = |levels: &[&Cells<'_>], at: usize| {
        levels.iter().any(|level| level.get(at).is_some_and(|cell| !cell.is_empty()))
    };
    let filled = |levels: &[&Cells<'_>]| (0..levels[0].len()).filter(|at| fills(levels, *at)).count();
    let leads = fills(band, 0) && filled(band) > 1;
    (leads && filled(band) >= filled(&row[..1])) || row_step.map_or(leads, |longer| step >= longer)
}

fn merged(levels: &[&Cells<'_>]) -> Row {
    let count = levels.iter().map(|level| level.len()).max().unwrap_or(0);
    let cell = |at: usize| {
        let pieces = levels.iter().filter_map(|level| level.get(at));
        let line = |cell: &Vec<&Line>| cell.iter().map(|line| line.text.as_str()).collect::<Vec<&str>>().join(" ");
        pieces.map(line).filter(|text| !text.is_empty()).collect()
    };
    Row { header: false, cells: (0..count).map(cell).collect() }
}

/// Whether the cells are all filled, and with words.
fn names_columns(row: &Row) -> bool {
    row.cells.iter().all(|cell| !cell.is_empty() && !cell.iter().any(|line| line.contains(|c: char| c.is_numeric())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docs::format::pdf::parts::levels;

    /// Pieces of ten points at (x, y): half a size for each character.
    fn page(pieces: &[(f64, f64, &str)]) -> Vec<Level> {
        let pieces = pieces.iter().enumerate().map(|(number, (x, y, text))| {
            let right = x + 5.0 * text.chars().count() as f64;
            let line = Line { text: (*text).to_owned(), x: *x, right, y: *y, size: 10.0, ..Line::default() };
            Piece { number, line }
        });
        levels(pieces.collect())
    }

    fn texts(levels: &[Level]) -> Option<Vec<(bool, Vec<String>)>> {
        let (rows, _) = table(levels)?;
        Some(
            rows.into_iter()
                .map(|row| (row.header, row.cells.into_iter().map(|cell| cell.join("/")).collect()))
                .collect(),
        )
    }

    fn row(header: bool, cells: &[&str]) -> (bool, Vec<String>) {
        (header, cells.iter().map(|cell| (*cell).to_owned()).collect())
    }

    #[test]
    fn rows_keep_their_cells_and_cells_their_lines() {
        let levels = page(&[
            (100.0, 20.0, "Part"),
            (200.0, 20.0, "Price"),
            (100.0, 38.0, "Drip tray"),
            (200.0, 38.0, "7.50"),
            (100.0, 56.0, "Bottomless"),
            (200.0, 56.0, "99.00"),
            (100.0, 68.0, "basket"),
            (100.0, 86.0, "Hose"),
            (200.0, 86.0, "3.00"),
        ]);
        let expected = vec![
            row(true, &["Part", "Price"]),
            row(false, &["Drip tray", "7.50"]),
            row(false, &["Bottomless/basket", "99.00"]),
            row(false, &["Hose", "3.00"]),
        ];
        assert_eq!(texts(&levels), Some(expected));
    }

    #[test]
    fn centred_cells_are_one_row() {
        let levels = page(&[
            (200.0, 14.0, "Extra"),
            (10.0, 20.0, "Kind"),
            (100.0, 20.0, "Delivery"),
            (200.0, 26.0, "cost"),
            (10.0, 44.0, "By post"),
            (100.0, 44.0, "two days"),
            (200.0, 44.0, "2.50"),
            (10.0, 62.0, "To print"),
            (100.0, 62.0, "at once"),
            (200.0, 62.0, "none"),
        ]);
        let expected = vec![
            row(true, &["Kind", "Delivery", "Extra/cost"]),
            row(false, &["By post", "two days", "2.50"]),
            row(false, &["To print", "at once", "none"]),
        ];
        assert_eq!(texts(&levels), Some(expected));
    }

    #[test]
    fn prose_lists_and_short_runs_are_no_tables() {
        let two_rows = page(&[(0.0, 0.0, "Name"), (90.0, 0.0, "Ada"), (0.0, 14.0, "Born"), (90.0, 14.0, "1815")]);
        assert_eq!(texts(&two_rows), None);
        let list: Vec<(f64, f64, &str)> =
            (0..5).flat_map(|at| [(0.0, 14.0 * f64::from(at), "•"), (30.0, 14.0 * f64::from(at), "an item")]).collect();
        assert_eq!(texts(&page(&list)), None);
        let ragged = page(&[
            (0.0, 0.0, "some words"),
            (80.0, 0.0, "and others"),
            (0.0, 12.0, "which have gaps here"),
            (120.0, 12.0, "and there"),
            (0.0, 24.0, "as chance"),
            (66.0, 24.0, "would have it"),
        ]);
        assert_eq!(texts(&ragged), None);
        let line = "and so the text goes on";
        let columns: Vec<(f64, f64, &str)> =
            (0..6).flat_map(|at| [(0.0, 12.0 * f64::from(at), line), (140.0, 12.0 * f64::from(at), line)]).collect();
        assert_eq!(texts(&page(&columns)), None);
    }

    #[test]
    fn contents_indexes_and_programs_are_no_tables() {
        let two = |left: &[&str], right: &[&str]| -> Option<Vec<(bool, Vec<String>)>> {
            let rows = left.iter().zip(right).zip(1_u8..);
            let pieces: Vec<(f64, f64, &str)> = rows
                .flat_map(|((left, right), at)| {
                    [(0.0, 14.0 * f64::from(at), *left), (140.0, 14.0 * f64::from(at), *right)]
                })
                .collect();
            texts(&page(&pieces))
        };
        assert_eq!(two(&["1 Foo", "2 Bar", "3 Baz", "4 Foo"], &["2", "2", "3", "4"]), None);
        assert_eq!(two(&["apple, 3", "bread, 12", "cake, 7"], &["Oats, 9", "pears, 3, 8", "rice, 44"]), None);
        assert_eq!(two(&["let a = 1;", "let b = 2;", "run(a);"], &["// first", "// second", "// both"]), None);
        assert!(two(&["Lamp", "Bulb", "Shade"], &["13", "2", "8"]).is_some());
    }
}
