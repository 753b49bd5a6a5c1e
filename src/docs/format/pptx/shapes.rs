//! Walks a slide, or the notes of one, and collects its texts.

use crate::docs::format::FormatError;
use crate::docs::format::marker::Numbering;
use crate::docs::format::slide::{Slide, Text};
use crate::docs::format::table::Grid;
use crate::docs::format::xml::{self, Element, Token};
use crate::docs::text::list_marker;

/// Placeholders whose text stands on every slide, and the picture of the slide among the notes.
const FURNITURE: &[&str] = &["dt", "ftr", "sldNum", "hdr", "sldImg"];

/// Shapes: what may be a placeholder or hidden.
const SHAPES: &[&str] = &["sp", "graphicFrame", "grpSp", "pic", "cxnSp"];

/// Reads the part of a slide or of its notes; an empty text is an absent part.
pub fn parse(text: &str) -> Result<Slide, FormatError> {
    let mut walk = Walk::default();
    let whole = xml::walk(text, |token| walk.token(token));
    if whole { Ok(walk.slide) } else { Err(FormatError::Malformed("a slide is not well-formed".to_owned())) }
}

/// The paragraphs of a part that is a diagram.
pub fn paragraphs(text: &str) -> Vec<Text> {
    let mut walk = Walk::default();
    xml::walk(text, |token| walk.token(token));
    walk.slide.texts
}

#[derive(Default)]
struct Walk {
    slide: Slide,
    /// How deep we are in something that is left out.
    skip: usize,
    shapes: Vec<Shape>,
    paragraph: Paragraph,
    in_text: bool,
    table: Option<Table>,
    /// The speaker's notes are running text where the contents of a slide are bullets.
    is_notes: bool,
}

#[derive(Default)]
struct Shape {
    kind: ShapeKind,
    /// The number of the last item at each level of a list.
    numbers: Vec<u64>,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum ShapeKind {
    #[default]
    Other,
    Title,
    /// A placeholder for the contents: its paragraphs are bullets by default.
    Body,
    Furniture,
}

#[derive(Default)]
struct Paragraph {
    text: String,
    level: usize,
    bullet: Bullet,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Bullet {
    #[default]
    Unsaid,
    None,
    Sign,
    /// A number in this form, counted from this.
    Number(Numbering, u64),
}

#[derive(Default)]
struct Table {
    grid: Grid,
    has_header: bool,
    cell: String,
    joins_above: bool,
    joins_left: bool,
}

/// Deeper levels do not exist in the format.
const LEVELS: usize = 9;

impl Walk {
    fn token(&mut self, token: Token) {
        match token {
            Token::Start(element) if self.skip > 0 || is_skipped(&element) => self.skip += 1,
            Token::Start(element) => self.start(&element),
            Token::End(_) if self.skip > 0 => self.skip -= 1,
            Token::End(name) => self.end(&name),
            Token::Text(text) if self.in_text && self.skip == 0 => self.paragraph.text.push_str(&text),
            Token::Text(_) => {}
        }
    }

    fn start(&mut self, element: &Element) {
        match element.name.as_str() {
            "sld" => self.slide.is_hidden = matches!(element.attribute("show").as_deref(), Some("0" | "false")),
            "notes" => self.is_notes = true,
            name if SHAPES.contains(&name) => self.shapes.push(Shape::default()),
            "ph" => self.placeholder(&element.attribute("type").unwrap_or_default()),
            // The properties of a shape come before its text.
            "cNvPr" if element.has("hidden") => self.kind(ShapeKind::Furniture),
            "chart" => self.slide.parts.extend(element.attribute("id").map(|id| (self.slide.texts.len(), id))),
            "relIds" => self.slide.parts.extend(element.attribute("dm").map(|id| (self.slide.texts.len(), id))),
            "tbl" => self.table = Some(Table::default()),
            "tblPr" => self.table(|table| table.has_header = element.has("firstRow")),
            "tc" => self.table(|table| {
                table.joins_above = element.has("vMerge");
                table.joins_left = element.has("hMerge");
            }),
            "pPr" => self.paragraph.level = element.number("lvl").unwrap_or(0).min(LEVELS - 1),
            "buNone" => self.paragraph.bullet = Bullet::None,
            "buChar" | "buBlip" => self.paragraph.bullet = Bullet::Sign,
            "buAutoNum" => {
                let first = element.number("startAt").unwrap_or(1);
                self.paragraph.bullet =
                    Bullet::Number(numbering(&element.attribute("type").unwrap_or_default()), first);
            }
            "t" => self.in_text = true,
            "br" | "tab" => self.paragraph.text.push(' '),
            _ => {}
        }
    }

    fn end(&mut self, name: &str) {
        match name {
            "t" => self.in_text = false,
            "p" => self.end_paragraph(),
            "tc" => self.table(Table::end_cell),
            "tr" => self.end_row(),
            "tbl" => self.table = None,
            name if SHAPES.contains(&name) => {
                self.shapes.pop();
            }
            _ => {}
        }
    }

    fn table(&mut self, change: impl FnOnce(&mut Table)) {
        if let Some(table) = &mut self.table {
            change(table);
        }
    }

    fn placeholder(&mut self, kind: &str) {
        self.kind(match kind {
            "title" | "ctrTitle" => ShapeKind::Title,
            "subTitle" => ShapeKind::Other,
            kind if FURNITURE.contains(&kind) => ShapeKind::Furniture,
            _ if self.is_notes => ShapeKind::Other,
            _ => ShapeKind::Body,
        });
    }

    fn kind(&mut self, kind: ShapeKind) {
        if let Some(shape) = self.shapes.last_mut().filter(|shape| shape.kind != ShapeKind::Furniture) {
            shape.kind = kind;
        }
    }

    fn end_paragraph(&mut self) {
        let paragraph = std::mem::take(&mut self.paragraph);
        let is_furniture = self.shapes.iter().any(|shape| shape.kind == ShapeKind::Furniture);
        if is_furniture || paragraph.text.trim().is_empty() {
            return;
        }
        if let Some(table) = &mut self.table {
            table.cell.push(' ');
            table.cell.push_str(&paragraph.text);
            return;
        }
        let made = match self.shapes.last_mut() {
            Some(shape) => shape.text(paragraph),
            None => Text::Paragraph(paragraph.text),
        };
        self.slide.texts.push(made);
    }

    fn end_row(&mut self) {
        let Some(table) = &mut self.table else { return };
        let row = table.grid.end_row();
        let (header, cells) = (table.has_header && row.is_first, row.cells);
        self.slide.texts.push(Text::Row { header, cells });
    }
}

impl Table {
    fn end_cell(&mut self) {
        let text = std::mem::take(&mut self.cell);
        match (self.joins_above, self.joins_left) {
            (_, true) => self.grid.gap(1),
            (true, false) => self.grid.joined_cell(1),
            // The cells that this one covers are there, and say so.
            (false, false) => self.grid.cell(text, 1),
        }
    }
}

impl Shape {
    fn text(&mut self, Paragraph { text, level, bullet }: Paragraph) -> Text {
        if self.kind == ShapeKind::Title {
            return Text::Title(text);
        }
        let bullet = match bullet {
            Bullet::Unsaid if self.kind == ShapeKind::Body => Bullet::Sign,
            bullet => bullet,
        };
        self.numbers.truncate(level + usize::from(matches!(bullet, Bullet::Number(..))));
        match bullet {
            Bullet::Sign => Text::Item(level, "-".to_owned(), text),
            Bullet::Number(numbering, first) => {
                self.numbers.resize(level + 1, 0);
                let number = if self.numbers[level] == 0 { first } else { self.numbers[level].saturating_add(1) };
                self.numbers[level] = number;
                Text::Item(level, numbering.marker(number), text)
            }
            Bullet::None | Bullet::Unsaid => match list_marker(&text) {
                // A list that was typed.
                Some((marker, rest)) => Text::Item(level, marker, rest.to_owned()),
                None => Text::Paragraph(text),
            },
        }
    }
}

/// The form of numbers that a scheme such as `alphaLcParenR` has.
fn numbering(scheme: &str) -> Numbering {
    const FORMS: [(&str, Numbering); 4] = [
        ("alphaLc", Numbering::LowerLetters),
        ("alphaUc", Numbering::UpperLetters),
        ("romanLc", Numbering::LowerRoman),
        ("romanUc", Numbering::UpperRoman),
    ];
    FORMS.iter().find(|(prefix, _)| scheme.starts_with(prefix)).map_or(Numbering::Figures, |(_, form)| *form)
}

/// What is read already in another form, and the pieces of a diagram that only connect others.
fn is_skipped(element: &Element) -> bool {
    match element.name.as_str() {
        "Fallback" => true,
        // Fields that change by themselves: the number of the slide, the day it is shown.
        "fld" => element.attribute("type").is_some_and(|kind| kind == "slidenum" || kind.starts_with("datetime")),
        "pt" => matches!(element.attribute("type").as_deref(), Some("pres" | "parTrans" | "sibTrans")),
        _ => false,
    }
}
