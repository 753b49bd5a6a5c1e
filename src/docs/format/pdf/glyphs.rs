//! Collects the characters of a page with their places, as the engine shows them.

use std::collections::{HashMap, HashSet};

use pdf_extract::{MediaBox, OutputDev, OutputError, Transform};

/// A single character told to be wider, in sizes of the type, is of a font whose own unit the engine does not know.
const MAX_WIDTH: f64 = 2.0;
/// Pictures of type are so wide, most often.
const PICTURE_WIDTH: f64 = 1.2;
/// More characters on one page are an attack.
const MAX_GLYPHS: usize = 400_000;

/// A character with its place, in points. `y` grows downwards.
#[derive(Debug, Clone)]
pub struct Glyph {
    /// Left edge.
    pub x: f64,
    /// Baseline.
    pub y: f64,
    /// Width.
    pub width: f64,
    /// Size of the type.
    pub size: f64,
    /// Whether its font is a bold one.
    pub bold: bool,
    /// Whether the page's instructions went to its place, rather than on from the character before.
    pub is_placed: bool,
    /// The character, or several for a ligature.
    pub text: String,
}

type GlyphKey = (String, i64, i64);

impl Glyph {
    /// The character in its size and told width: as good as the font, which the engine does not tell.
    fn key(&self) -> GlyphKey {
        (self.text.clone(), scaled(self.size, 100.0), scaled(self.width / self.size, 100.0))
    }

    /// Right edge.
    pub fn right(&self) -> f64 {
        self.x + self.width
    }
}

/// The characters of one page.
#[derive(Debug, Default)]
pub struct Glyphs {
    upright: Vec<Glyph>,
    turned: Vec<Glyph>,
    /// Where characters stand already: type that is drawn twice to look bold, or has a shadow, is read once.
    places: HashSet<(char, i64, [i64; 2])>,
    /// For each string, whether it is bold, and how many strings have begun.
    bold: Vec<bool>,
    strings: usize,
    is_placed: bool,
    height: f64,
}

impl Glyphs {
    /// Begins a page; `bold` says it of each of its strings.
    pub fn new(bold: Vec<bool>) -> Self {
        Self { bold, ..Self::default() }
    }

    /// The characters of the page, in the order of its instructions.
    pub fn finish(self) -> Vec<Glyph> {
        // Text along the margin is decoration, unless the whole page is turned.
        let mut glyphs = if self.turned.len() > self.upright.len() { self.turned } else { self.upright };
        repair_widths(&mut glyphs);
        glyphs
    }

    fn is_bold(&self) -> bool {
        let current = self.strings.checked_sub(1).and_then(|at| self.bold.get(at));
        current.copied().unwrap_or(false)
    }

    /// Whether the same character stands here already.
    fn is_repeated(&mut self, x: f64, y: f64, size: f64, text: &str) -> bool {
        let Some(letter) = text.chars().next().filter(|letter| !letter.is_whitespace()) else {
            return false;
        };
        let half_points = scaled(size, 2.0);
        let cells = 1.0 / (0.1 * size);
        let (column, row) = (scaled(x, cells), scaled(y, cells));
        let place = |dx: i64, dy: i64| (letter, half_points, [column + dx, row + dy]);
        let mut around = (-1..=1).flat_map(|dx| (-1..=1).map(move |dy| (dx, dy)));
        let repeated = around.any(|(dx, dy)| self.places.contains(&place(dx, dy)));
        self.places.insert(place(0, 0));
        repeated
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
        let (x, y, is_upright) = if place.m12.abs() <= place.m11.abs() {
            (place.m31, self.height - place.m32, true)
        } else if place.m12 > 0.0 {
            (place.m32, place.m31, false)
        } else {
            (-place.m32, -place.m31, false)
        };
        if self.is_repeated(x, y, size, text) {
            return Ok(());
        }
        let is_placed = std::mem::take(&mut self.is_placed);
        let glyph = Glyph { x, y, width: width * size, size, bold: self.is_bold(), is_placed, text: text.to_owned() };
        if is_upright {
            self.upright.push(glyph);
        } else {
            self.turned.push(glyph);
        }
        Ok(())
    }

    fn begin_word(&mut self) -> Result<(), OutputError> {
        self.strings += 1;
        Ok(())
    }

    fn end_word(&mut self) -> Result<(), OutputError> {
        Ok(())
    }

    /// The instructions go to another place.
    fn end_line(&mut self) -> Result<(), OutputError> {
        self.is_placed = true;
        Ok(())
    }
}

/// A number of points as a whole number of `1 / factor` points.
fn scaled(value: f64, factor: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "the value is clamped and finite")]
    let whole = (value * factor).clamp(-1e12, 1e12).round() as i64;
    whole
}

/// Whether a text is one character for private use, as flags and icons have.
fn is_picture(text: &str) -> bool {
    let mut characters = text.chars();
    let first = characters.next();
    let is_private = |c| matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}');
    first.is_some_and(is_private) && characters.next().is_none()
}

/// Fonts tell the widths of some characters as nothing or as too much. Where the next character stands tells the
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
        if glyph.width > MAX_WIDTH * glyph.size && is_picture(&glyph.text) {
            glyph.width = PICTURE_WIDTH * glyph.size;
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_no_wider_than_they_look() {
        let glyph = |text: &str| Glyph {
            x: 0.0,
            y: 0.0,
            width: 28.0,
            size: 10.0,
            bold: false,
            is_placed: true,
            text: text.to_owned(),
        };
        let mut glyphs = vec![glyph("\u{f03d9}"), glyph("\u{2014}")];
        repair_widths(&mut glyphs);
        assert!((glyphs[0].width - 12.0).abs() < 1e-9 && (glyphs[1].width - 28.0).abs() < 1e-9, "{glyphs:?}");
    }
}
