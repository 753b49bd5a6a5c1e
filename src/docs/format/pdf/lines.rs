//! Characters to pieces of lines: words, spaces, ligatures, direction of writing.
//!
//! A wide gap ends a piece: what stands on one baseline may be two columns or two cells, which only the whole page
//! can tell. [`join`] puts pieces together again.

use crate::docs::format::pdf::glyphs::Glyph;
use crate::docs::text::{is_unspaced, list_marker};

/// What stands in a text for a character that the first engine does not know.
pub const HOLE: char = '\0';

/// A gap this wide, in sizes of the type, ends a piece.
const PIECE_GAP: f64 = 1.0;
/// And so does a smaller one, where the page's instructions go to the place behind it.
const PLACED_GAP: f64 = 0.45;
/// A gap this wide is no gap between words, even in a stretched line.
const COLUMN_GAP: f64 = 2.2;

/// A piece of a line with its place, in points. `y` grows downwards.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Line {
    /// Its text.
    pub text: String,
    /// Left edge.
    pub x: f64,
    /// Right edge.
    pub right: f64,
    /// Baseline.
    pub y: f64,
    /// Size of most of its type; 0 when its place is unknown.
    pub size: f64,
    /// Whether all of it is bold.
    pub bold: bool,
    /// Whether wide gaps divide it.
    pub columns: bool,
    /// The entry of the document's outline that names it.
    pub entry: Option<EntryMark>,
}

/// An entry of the outline: its depth, counted from 1, and its number.
pub type EntryMark = (u8, usize);

impl Line {
    /// A line whose place is unknown; `None` for blank text.
    pub fn unplaced(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty()).then(|| Self { text: text.to_owned(), ..Self::default() })
    }

    /// The size of its type in half points: what is drawn as 11.98 is 12.
    pub fn half_points(&self) -> i64 {
        #[expect(clippy::cast_possible_truncation, reason = "sizes of type are small and finite")]
        let half_points = (self.size.min(10_000.0) * 2.0).round() as i64;
        half_points
    }

    /// Whether another piece stands on the same baseline.
    pub fn is_level_with(&self, other: &Self) -> bool {
        (self.y - other.y).abs() < 0.3 * self.size.max(other.size)
    }
}

/// The pieces of a page, in the order of its instructions.
pub fn lines(glyphs: Vec<Glyph>) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut run: Vec<Glyph> = Vec::new();
    for glyph in glyphs {
        if run.last().is_some_and(|last| !same_line(&run[0], last, &glyph)) {
            lines.extend(pieces(std::mem::take(&mut run)));
        }
        run.push(glyph);
    }
    lines.extend(pieces(run));
    lines
}

/// Puts neighbouring pieces on the same baseline, left to right, together.
pub fn join(pieces: Vec<Line>) -> Vec<Line> {
    let mut joined: Vec<Line> = Vec::new();
    for piece in pieces {
        match joined.last_mut() {
            Some(last) if last.size > 0.0 && last.is_level_with(&piece) && piece.x >= last.right - 0.5 => {
                append(last, &piece);
            }
            _ => joined.push(piece),
        }
    }
    joined
}

fn append(line: &mut Line, piece: &Line) {
    let gap = piece.x - line.right;
    let is_marker = is_marker(&line.text);
    if gap > 0.16 * piece.size && !line.text.ends_with(' ') {
        line.text.push(' ');
    }
    line.columns |= piece.columns || (gap > COLUMN_GAP * piece.size && !is_marker);
    line.bold &= piece.bold;
    // The larger part says how large the type is.
    if piece.text.len() > line.text.len() {
        (line.size, line.y) = (piece.size, piece.y);
    }
    line.text.push_str(&piece.text);
    line.right = piece.right;
}

/// Whether a text is a bullet or a number that waits for its item.
pub fn is_marker(text: &str) -> bool {
    list_marker(&format!("{} x", text.trim())).is_some_and(|(_, rest)| rest == "x")
}

/// Whether a glyph follows another on the line that `first` begins. Raised and lowered marks do.
fn same_line(first: &Glyph, last: &Glyph, next: &Glyph) -> bool {
    let size = first.size.max(next.size);
    let level = (next.y - last.y).abs().min((next.y - first.y).abs()) < size * 0.45;
    let end = last.right();
    let onwards = next.x > last.x - size * 0.3 && next.x > end - size && next.x - end < size * 12.0;
    let backwards = is_right_to_left(&next.text)
        && next.right() < last.right() + size * 0.3
        && last.x - next.right() < size * 3.0
        && is_right_to_left(&last.text);
    level && (onwards || backwards)
}

fn pieces(mut glyphs: Vec<Glyph>) -> Vec<Line> {
    if glyphs.iter().any(|glyph| is_right_to_left(&glyph.text)) {
        glyphs = in_reading_order(glyphs);
        return piece(&glyphs).into_iter().collect();
    }
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut end: Option<f64> = None;
    for (at, glyph) in glyphs.iter().enumerate() {
        let is_blank = glyph.text.trim().is_empty();
        let apart = if glyph.is_placed { PLACED_GAP } else { PIECE_GAP };
        let is_apart = !is_blank && end.is_some_and(|end| glyph.x - end > apart * glyph.size);
        if is_apart
            && !is_marker(&glyphs[start..at].iter().map(|glyph| glyph.text.as_str()).take(8).collect::<String>())
        {
            pieces.extend(piece(&glyphs[start..at]));
            start = at;
        }
        if !is_blank {
            end = Some(glyph.right());
        }
    }
    pieces.extend(piece(&glyphs[start..]));
    pieces
}

fn piece(glyphs: &[Glyph]) -> Option<Line> {
    let is_seen = |glyph: &&Glyph| !glyph.text.trim().is_empty();
    let (first, last) = (glyphs.iter().find(is_seen)?, glyphs.iter().rfind(is_seen)?);
    let space = space_gap(glyphs);
    let mut text = String::new();
    let mut before: Option<&Glyph> = None;
    for glyph in glyphs {
        let gap = before.map_or(0.0, |before| gap(before, glyph));
        if gap > space * glyph.size && needs_space(&text, &glyph.text, gap / glyph.size) {
            text.push(' ');
        }
        push_glyph(&mut text, &glyph.text);
        before = Some(glyph);
    }
    let size = typical_size(glyphs);
    let text = text.trim().to_owned();
    let y = glyphs.iter().find(|glyph| (glyph.size - size).abs() < 0.1).unwrap_or(first).y;
    // Pictures have no bold type.
    let is_word = |glyph: &&Glyph| glyph.text.chars().any(char::is_alphanumeric);
    let has_words = glyphs.iter().any(|glyph| is_word(&glyph));
    let bold = glyphs.iter().filter(|glyph| is_seen(glyph) && (is_word(glyph) || !has_words)).all(|glyph| glyph.bold);
    let (x, right) = (first.x.min(last.x), last.right().max(first.right()));
    (!text.is_empty()).then_some(Line { text, x, right, y, size, bold, ..Line::default() })
}

/// The room between two glyphs, whichever way the line runs. Blank glyphs take their own width and no more.
fn gap(before: &Glyph, glyph: &Glyph) -> f64 {
    if glyph.x >= before.x { glyph.x - before.right() } else { before.x - glyph.right() }
}

fn needs_space(before: &str, after: &str, gap: f64) -> bool {
    let unspaced = before.ends_with(is_unspaced) && after.starts_with(is_unspaced);
    !before.is_empty() && !before.ends_with(' ') && !after.starts_with(' ') && (!unspaced || gap > PIECE_GAP)
}

/// How wide a gap is a space, in sizes of the type. Where spaces are written out, gaps are stretched letters.
fn space_gap(glyphs: &[Glyph]) -> f64 {
    let spaces = glyphs.iter().filter(|glyph| glyph.text == " " || glyph.text == "\u{a0}").count();
    if spaces > 0 && spaces * 14 >= glyphs.len() { 0.25 } else { 0.16 }
}

fn typical_size(glyphs: &[Glyph]) -> f64 {
    let mut sizes: Vec<f64> =
        glyphs.iter().filter(|glyph| !glyph.text.trim().is_empty()).map(|glyph| glyph.size).collect();
    sizes.sort_by(f64::total_cmp);
    sizes.get(sizes.len() / 2).copied().unwrap_or(0.0)
}

/// Ligatures are a matter of type, not of words. The control characters are where TeX's fonts keep theirs, the arrow
/// is what one system's printing makes of one of them, the private codes are where older fonts have two of them (and
/// others have icons: hence only inside words). A glyph of which nobody knows the character leaves a [`HOLE`].
fn push_glyph(text: &mut String, glyph: &str) {
    for c in glyph.chars() {
        match c {
            '\u{fb00}' | '\u{b}' | '\u{1b}' => text.push_str("ff"),
            '\u{fb01}' | '\u{1c}' => text.push_str("fi"),
            '\u{fb02}' | '\u{1d}' => text.push_str("fl"),
            '\u{fb03}' | '\u{e}' | '\u{1e}' => text.push_str("ffi"),
            '\u{fb04}' | '\u{f}' | '\u{1f}' => text.push_str("ffl"),
            '\u{fb05}' | '\u{fb06}' => text.push_str("st"),
            '\u{21b5}' if text.ends_with(char::is_alphabetic) => text.push_str("ff"),
            '\u{f001}' if text.ends_with(char::is_alphabetic) => text.push_str("fi"),
            '\u{f002}' if text.ends_with(char::is_alphabetic) => text.push_str("fl"),
            c => text.push(plain_letter(c)),
        }
    }
}

/// Letters in the shape they take within a word, as the letters they are. (Ligatures of several stay.)
fn plain_letter(c: char) -> char {
    use unicode_normalization::UnicodeNormalization as _;
    if !matches!(c, '\u{fb50}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}') {
        return c;
    }
    let mut plain = std::iter::once(c).nfkc();
    match (plain.next(), plain.next()) {
        (Some(letter), None) => letter,
        _ => c,
    }
}

/// Whether a character belongs to a script that runs from right to left (Hebrew, Arabic and their forms).
pub fn is_right_to_left(text: &str) -> bool {
    text.starts_with(|c| matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}'))
}

/// The glyphs of a line that has letters from right to left, in the order in which they are read: from the right,
/// except for numbers and words of other scripts.
fn in_reading_order(glyphs: Vec<Glyph>) -> Vec<Glyph> {
    let mut glyphs: Vec<Glyph> = glyphs.into_iter().flat_map(by_direction).collect();
    // Marks above and below letters have no width, and follow their letter from the right.
    glyphs.sort_by(|a, b| b.right().total_cmp(&a.right()).then(b.x.total_cmp(&a.x)));
    let is_onward =
        |glyph: &Glyph| glyph.text.starts_with(|c: char| c.is_alphanumeric()) && !is_right_to_left(&glyph.text);
    let mut ordered: Vec<Glyph> = Vec::with_capacity(glyphs.len());
    let mut run: Vec<Glyph> = Vec::new();
    for glyph in glyphs {
        if is_onward(&glyph) {
            run.push(glyph);
            continue;
        }
        // Points and dashes inside a number or a phrase belong to it.
        if is_right_to_left(&glyph.text) {
            let inner = run.iter().rposition(is_onward).map_or(0, |at| at + 1);
            let outer = run.split_off(inner);
            ordered.extend(run.drain(..).rev());
            ordered.extend(outer);
            ordered.push(glyph);
        } else if run.is_empty() {
            ordered.push(glyph);
        } else {
            run.push(glyph);
        }
    }
    let inner = run.iter().rposition(is_onward).map_or(0, |at| at + 1);
    let outer = run.split_off(inner);
    ordered.extend(run.drain(..).rev());
    ordered.extend(outer);
    ordered
}

/// A glyph that stands for letters of both directions, as one for each: the letter at its end begins the word that
/// stands to its right.
fn by_direction(glyph: Glyph) -> Vec<Glyph> {
    let is_onward = |c: &char| c.is_alphanumeric() && !is_right_to_left(&c.to_string());
    let back: String = glyph.text.chars().rev().take_while(is_onward).collect();
    let first: String = back.chars().rev().collect();
    let Some(rest) = glyph.text.strip_suffix(&first).filter(|rest| !first.is_empty() && is_right_to_left(rest)) else {
        return vec![glyph];
    };
    let width = glyph.width * first.chars().count() as f64 / glyph.text.chars().count() as f64;
    let end = Glyph { x: glyph.right() - width, width, text: first.clone(), is_placed: false, ..glyph };
    vec![Glyph { width: glyph.width - width, text: rest.to_owned(), ..glyph }, end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn glyph(x: f64, width: f64, text: &str) -> Glyph {
        Glyph { x, y: 20.0, width, size: 10.0, bold: false, is_placed: false, text: text.to_owned() }
    }

    fn read(glyphs: Vec<Glyph>) -> Vec<String> {
        lines(glyphs).into_iter().map(|line| line.text).collect()
    }

    #[test]
    fn words_from_left_to_right_are_whole_in_lines_from_the_right() {
        let latin = ["a", "b", "i"].into_iter().zip([17.0, 22.0, 27.0]).map(|(text, x)| glyph(x, 5.0, text));
        let mut glyphs = vec![glyph(10.0, 7.0, "\u{62d}\u{628}\u{64a} h")];
        glyphs.extend(latin);
        glyphs.extend([glyph(32.0, 3.0, ""), glyph(37.0, 6.0, "\u{628}\u{64a}")]);
        assert_eq!(read(glyphs), ["\u{628}\u{64a} habi \u{62d}\u{628}\u{64a}"]);
    }
}
