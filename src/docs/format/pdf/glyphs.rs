//! Collects the characters of a page with their places, and puts them together to words and lines.
//!
//! The order of the page's own instructions is kept: it is the reading order far more often than any sorting would
//! give, columns included.

use std::collections::HashMap;

use pdf_extract::{MediaBox, OutputDev, OutputError, Transform};

/// More characters on one page are an attack.
const MAX_GLYPHS: usize = 400_000;

/// A character with its place. `y` grows downwards.
#[derive(Debug, Clone)]
struct Glyph {
    x: f64,
    y: f64,
    width: f64,
    size: f64,
    text: String,
}

type GlyphKey = (String, i64, i64);

impl Glyph {
    /// The character in its size and told width: as good as the font, which the engine does not tell.
    fn key(&self) -> GlyphKey {
        #[expect(clippy::cast_possible_truncation, reason = "sizes of type are small and finite")]
        let hundredths = |value: f64| (value.clamp(-10_000.0, 10_000.0) * 100.0).round() as i64;
        (self.text.clone(), hundredths(self.size), hundredths(self.width / self.size))
    }
}

/// A line of text with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Its text.
    pub text: String,
    /// Left edge.
    pub x: f64,
    /// Right edge.
    pub right: f64,
    /// Baseline, growing downwards.
    pub y: f64,
    /// Size of most of its type.
    pub size: f64,
    /// Whether wide gaps divide it, as in a table.
    pub columns: bool,
}

impl Line {
    /// A line whose place is unknown; `None` for blank text.
    pub fn unplaced(text: &str) -> Option<Self> {
        let text = text.trim();
        let line = Self { text: text.to_owned(), x: 0.0, right: 0.0, y: 0.0, size: 0.0, columns: false };
        (!text.is_empty()).then_some(line)
    }
}

/// The characters of one page.
#[derive(Debug, Default)]
pub struct Glyphs {
    upright: Vec<Glyph>,
    turned: Vec<Glyph>,
    height: f64,
}

impl Glyphs {
    /// The lines of the page, in the order of its instructions.
    pub fn into_lines(self) -> Vec<Line> {
        // Text along the margin is decoration, unless the whole page is turned.
        let mut glyphs = if self.turned.len() > self.upright.len() { self.turned } else { self.upright };
        repair_widths(&mut glyphs);
        let mut lines = Vec::new();
        let mut run: Vec<Glyph> = Vec::new();
        for glyph in glyphs {
            if run.last().is_some_and(|last| !same_line(&run[0], last, &glyph)) {
                lines.extend(line(&std::mem::take(&mut run)));
            }
            run.push(glyph);
        }
        lines.extend(line(&run));
        merge_rows(lines)
    }
}

impl OutputDev for Glyphs {
    fn begin_page(
        &mut self,
        _number: u32,
        media_box: &MediaBox,
        _art_box: Option<(f64, f64, f64, f64)>,
    ) -> Result<(), OutputError> {
        self.height = media_box.ury;
        Ok(())
    }

    fn end_page(&mut self) -> Result<(), OutputError> {
        Ok(())
    }

    fn output_character(
        &mut self,
        place: &Transform,
        width: f64,
        _spacing: f64,
        font_size: f64,
        text: &str,
    ) -> Result<(), OutputError> {
        let scale = (place.m11 * place.m22 - place.m12 * place.m21).abs().sqrt();
        let size = (scale * font_size).abs();
        let finite = [place.m31, place.m32, size, width].iter().all(|value| value.is_finite());
        if !finite || size < 0.5 || self.upright.len() + self.turned.len() >= MAX_GLYPHS {
            return Ok(());
        }
        let glyph = |x: f64, y: f64| Glyph { x, y, width: width * size, size, text: text.to_owned() };
        if place.m12.abs() <= place.m11.abs() {
            self.upright.push(glyph(place.m31, self.height - place.m32));
        } else if place.m12 > 0.0 {
            self.turned.push(glyph(place.m32, place.m31));
        } else {
            self.turned.push(glyph(-place.m32, -place.m31));
        }
        Ok(())
    }

    fn begin_word(&mut self) -> Result<(), OutputError> {
        Ok(())
    }

    fn end_word(&mut self) -> Result<(), OutputError> {
        Ok(())
    }

    fn end_line(&mut self) -> Result<(), OutputError> {
        Ok(())
    }
}

/// The engine misreads the widths of some fonts as nothing or as too much. Where the next character stands tells the
/// true width; the narrow cases count, because a wide one may hold a space.
fn repair_widths(glyphs: &mut [Glyph]) {
    let mut advances: HashMap<GlyphKey, Vec<f64>> = HashMap::new();
    for pair in glyphs.windows(2) {
        let [glyph, next] = pair else { continue };
        let advance = (next.x - glyph.x) / glyph.size;
        if (next.y - glyph.y).abs() < 0.1 * glyph.size && (0.0..1.6).contains(&advance) {
            advances.entry(glyph.key()).or_default().push(advance);
        }
    }
    let narrow: HashMap<GlyphKey, f64> = advances
        .into_iter()
        .filter_map(|(key, mut advances)| {
            advances.sort_by(f64::total_cmp);
            Some((key, *advances.get(advances.len() / 5)?))
        })
        .collect();
    for glyph in glyphs {
        let Some(advance) = narrow.get(&glyph.key()) else {
            continue;
        };
        let told = glyph.width / glyph.size;
        if told <= 0.01 || *advance < told - 0.1 {
            // After these a space comes so often that no narrow case may be seen.
            let widest = if matches!(glyph.text.as_str(), "," | "." | ";" | ":") { 0.3 } else { 1.0 };
            glyph.width = advance.min(widest) * glyph.size;
        }
    }
}

/// Whether a glyph follows another on the line that `first` begins. Raised and lowered marks do.
fn same_line(first: &Glyph, last: &Glyph, next: &Glyph) -> bool {
    let size = first.size.max(next.size);
    let level = (next.y - last.y).abs().min((next.y - first.y).abs()) < size * 0.45;
    let end = last.x + last.width;
    level && next.x > last.x - size * 0.3 && next.x > end - size && next.x - end < size * 12.0
}

fn line(glyphs: &[Glyph]) -> Option<Line> {
    let (first, last) = (glyphs.first()?, glyphs.last()?);
    let gap_for_space = space_gap(glyphs);
    let mut text = String::new();
    let mut columns = false;
    let mut end: Option<f64> = None;
    for glyph in glyphs {
        let gap = end.map_or(0.0, |end| glyph.x - end);
        if gap > gap_for_space * glyph.size && !text.ends_with(' ') && !glyph.text.starts_with(' ') {
            text.push(' ');
        }
        let marker = crate::docs::text::list_marker(&format!("{} x", text.trim())).is_some();
        columns |= gap > 2.2 * glyph.size && !marker && !text.trim().is_empty();
        push_glyph(&mut text, &glyph.text);
        if !glyph.text.trim().is_empty() {
            end = Some(glyph.x + glyph.width);
        } else if let Some(end) = &mut end {
            // Explicit spaces take their own width and no more.
            *end = end.max(glyph.x + glyph.width);
        }
    }
    let size = typical_size(glyphs);
    let text = text.trim().to_owned();
    let y = glyphs.iter().find(|glyph| (glyph.size - size).abs() < 0.1).unwrap_or(first).y;
    (!text.is_empty()).then_some(Line { text, x: first.x, right: last.x + last.width, y, size, columns })
}

/// How wide a gap is a space, in sizes of the type. Where spaces are written out, gaps are the engine's wrong idea
/// of the font's widths.
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

/// Ligatures are a matter of type, not of words.
fn push_glyph(text: &mut String, glyph: &str) {
    for c in glyph.chars() {
        match c {
            '\u{fb00}' => text.push_str("ff"),
            '\u{fb01}' => text.push_str("fi"),
            '\u{fb02}' => text.push_str("fl"),
            '\u{fb03}' => text.push_str("ffi"),
            '\u{fb04}' => text.push_str("ffl"),
            '\u{fb05}' | '\u{fb06}' => text.push_str("st"),
            '\0' => {}
            c => text.push(c),
        }
    }
}

/// Pieces one after another on the same baseline, left to right, are one row of a table or one line with a wide gap.
fn merge_rows(lines: Vec<Line>) -> Vec<Line> {
    let mut merged: Vec<Line> = Vec::new();
    for line in lines {
        match merged.last_mut() {
            Some(last) if (last.y - line.y).abs() < 0.3 * line.size.max(last.size) && line.x >= last.right - 0.5 => {
                let gap = line.x - last.right;
                let marker = crate::docs::text::list_marker(&format!("{} x", last.text)).is_some();
                if gap > 0.16 * line.size && !last.text.ends_with(' ') {
                    last.text.push(' ');
                }
                last.columns |= gap > 2.2 * line.size && !marker;
                last.text.push_str(&line.text);
                last.right = line.right;
            }
            _ => merged.push(line),
        }
    }
    merged
}
