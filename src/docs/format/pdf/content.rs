//! Rewrites the instructions of a page to the few that show text, with all drawings inside drawings put in place.
//!
//! What the engine gets is bounded and complete: it follows no drawing by itself (it would not place it, and would
//! follow one that contains itself until its stack ends), and sees no colours, paths and pictures to stumble over.

use std::collections::HashMap;

use pdf_extract::content::{Content, Operation};
use pdf_extract::{Dictionary, Document, Object, ObjectId, Stream};

use crate::docs::format::pdf::page::Sheet;
use crate::docs::format::pdf::sieve::{Sieve, TooLong};
use crate::docs::format::pdf::{fonts, unpack};

/// What the text of one page may come to, with its instructions and the drawings in it.
const MAX_TEXT_BYTES: usize = 24 * 1024 * 1024;
/// What is looked through for it: maps and plans are large, and hold a few names.
const MAX_PAGE_BYTES: usize = 256 * 1024 * 1024;
/// What the engine gets of one page; a page of the smallest type has a tenth.
const MAX_INSTRUCTIONS: usize = 500_000;
/// Real pages nest a handful of drawings.
const MAX_DEPTH: usize = 48;
/// Drawings inside drawings that are used many times multiply.
const MAX_DRAWINGS: usize = 20_000;
/// Real pages keep a handful of states.
const MAX_STATES: usize = 512;

/// The text of one page, for the engine.
#[derive(Debug, Default)]
pub struct PageText {
    /// Instructions that show text and nothing else.
    pub content: Vec<u8>,
    /// The fonts they name.
    pub fonts: Dictionary,
    /// For each string shown, whether its font is bold.
    pub bold: Vec<bool>,
}

/// Why the text of a page cannot be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ContentError {
    /// A drawing contains itself.
    #[error("its drawings contain themselves")]
    Endless,
    /// Drawings lie in drawings, and so on.
    #[error("its drawings lie inside each other more than {MAX_DEPTH} deep")]
    TooDeep,
    /// Drawings multiply.
    #[error("it shows more than {MAX_DRAWINGS} drawings")]
    TooManyDrawings,
    /// Its content is more than any page has.
    #[error("it unpacks to more than {} MB", MAX_PAGE_BYTES / (1024 * 1024))]
    TooMuch,
    /// Its text is more than any page has.
    #[error("its text has more than {} MB or {MAX_INSTRUCTIONS} instructions", MAX_TEXT_BYTES / (1024 * 1024))]
    TooMuchText,
    /// They are no instructions.
    #[error("it cannot be read")]
    Damaged,
}

impl ContentError {
    /// Whether there is too much of it, rather than something wrong with it.
    pub fn is_too_much(self) -> bool {
        !matches!(self, Self::Endless | Self::Damaged)
    }
}

impl From<TooLong> for ContentError {
    fn from(_: TooLong) -> Self {
        Self::TooMuchText
    }
}

/// The text of a page, turned upright as the page's rotation asks.
pub fn page_text(document: &Document, page: ObjectId, sheet: &Sheet<'_>) -> Result<PageText, ContentError> {
    let mut walk = Walk::new(document);
    let contents = document.get_page_contents(page);
    let streams: Vec<&Stream> =
        contents.into_iter().filter_map(|id| document.get_object(id).and_then(Object::as_stream).ok()).collect();
    walk.emit("cm", sheet.upright.map(Object::Real).to_vec());
    walk.instructions(&streams, sheet.resources)?;
    let content = Content { operations: walk.out }.encode().map_err(|_| ContentError::Damaged)?;
    Ok(PageText { content, fonts: walk.fonts, bold: walk.bold })
}

/// A font in use.
#[derive(Debug, Clone)]
struct Font {
    name: String,
    is_bold: bool,
}

/// A saved state: the font, and where the instructions since then begin.
struct Saved {
    font: Option<Font>,
    instructions: usize,
    strings: usize,
}

struct Walk<'a> {
    document: &'a Document,
    out: Vec<Operation>,
    bold: Vec<bool>,
    fonts: Dictionary,
    names: HashMap<usize, Font>,
    font: Option<Font>,
    states: Vec<Saved>,
    /// How many states beyond the bound are open.
    unsaved: usize,
    /// For each open mark, whether it encloses a running head or foot.
    marks: Vec<bool>,
    left_bytes: usize,
    left_text_bytes: usize,
    drawings: usize,
    /// The drawings that are being put in place, outermost first.
    open: Vec<&'a Stream>,
}

impl<'a> Walk<'a> {
    fn new(document: &'a Document) -> Self {
        Self {
            document,
            out: Vec::new(),
            bold: Vec::new(),
            fonts: Dictionary::new(),
            names: HashMap::new(),
            font: None,
            states: Vec::new(),
            unsaved: 0,
            marks: Vec::new(),
            left_bytes: MAX_PAGE_BYTES,
            left_text_bytes: MAX_TEXT_BYTES,
            drawings: 0,
            open: Vec::new(),
        }
    }

    /// Carries out the instructions of streams, one after the other; an instruction may begin in one and end in the
    /// next.
    fn instructions(&mut self, streams: &[&Stream], resources: Option<&'a Dictionary>) -> Result<(), ContentError> {
        let floor = self.states.len();
        let mut sieve = Sieve::new(MAX_TEXT_BYTES);
        for stream in streams {
            unpack::pieces(stream, |piece| {
                self.left_bytes = self.left_bytes.checked_sub(piece.len()).ok_or(ContentError::TooMuch)?;
                self.carry_out(sieve.push(piece)?, resources, floor)
            })?;
            self.carry_out(sieve.finish()?, resources, floor)?;
        }
        while self.states.len() > floor {
            self.restore(floor);
        }
        Ok(())
    }

    fn carry_out(
        &mut self,
        operations: Vec<Operation>,
        resources: Option<&'a Dictionary>,
        floor: usize,
    ) -> Result<(), ContentError> {
        for operation in operations {
            let bytes = operation.operands.iter().map(text_bytes).sum();
            self.left_text_bytes = self.left_text_bytes.checked_sub(bytes).ok_or(ContentError::TooMuchText)?;
            self.instruction(operation, resources, floor)?;
            if self.out.len() > MAX_INSTRUCTIONS {
                return Err(ContentError::TooMuchText);
            }
        }
        Ok(())
    }

    fn instruction(
        &mut self,
        operation: Operation,
        resources: Option<&'a Dictionary>,
        floor: usize,
    ) -> Result<(), ContentError> {
        let Operation { operator, operands } = operation;
        match operator.as_str() {
            "q" => self.save(),
            "Q" => self.restore(floor),
            "cm" | "Tm" => self.emit_numbers(&operator, operands, 6),
            "Td" | "TD" => self.emit_numbers(&operator, operands, 2),
            "TL" | "Tc" | "Tw" | "Tz" | "Ts" => self.emit_numbers(&operator, operands, 1),
            "BT" | "ET" | "T*" => self.emit(&operator, Vec::new()),
            "Tf" => self.choose_font(&operands, resources),
            "Tj" => self.show(operands.first()),
            "TJ" => self.show_adjusted(operands.into_iter().next()),
            "'" => {
                self.emit("T*", Vec::new());
                self.show(operands.first());
            }
            "\"" => self.show_spaced(&operands),
            "BMC" | "BDC" => self.marks.push(is_running(operands.get(1))),
            "EMC" => drop(self.marks.pop()),
            "Do" => self.draw(operands.first(), resources)?,
            _ => {}
        }
        Ok(())
    }

    fn emit(&mut self, operator: &str, operands: Vec<Object>) {
        self.out.push(Operation::new(operator, operands));
    }

    /// The engine trusts the number of operands.
    fn emit_numbers(&mut self, operator: &str, operands: Vec<Object>, count: usize) {
        if operands.len() == count && operands.iter().all(is_number) {
            self.emit(operator, operands);
        }
    }

    fn save(&mut self) {
        if self.states.len() >= MAX_STATES {
            self.unsaved += 1;
            return;
        }
        let saved = Saved { font: self.font.clone(), instructions: self.out.len(), strings: self.bold.len() };
        self.states.push(saved);
        self.emit("q", Vec::new());
    }

    /// Goes back to the last saved state, but never below those that were saved before the drawing began.
    fn restore(&mut self, floor: usize) {
        if self.unsaved > 0 {
            self.unsaved -= 1;
            return;
        }
        if self.states.len() <= floor {
            return;
        }
        let Some(saved) = self.states.pop() else { return };
        self.font = saved.font;
        if saved.strings == self.bold.len() {
            // Nothing was shown since: a picture, most often.
            self.out.truncate(saved.instructions);
        } else {
            self.emit("Q", Vec::new());
        }
    }

    fn choose_font(&mut self, operands: &[Object], resources: Option<&'a Dictionary>) {
        let [Object::Name(name), size] = operands else { return };
        let found = resources.and_then(|resources| entry(self.document, resources, b"Font", name));
        let font = found.and_then(|(found, object)| Some((found, object.as_dict().ok()?)));
        self.font = font.map(|(found, dict)| self.named(found, dict));
        if let Some(font) = self.font.clone().filter(|_| is_number(size)) {
            self.emit("Tf", vec![Object::Name(font.name.into_bytes()), size.clone()]);
        }
    }

    /// Fonts of different drawings may have the same name; here each has its own.
    fn named(&mut self, found: &'a Object, dict: &'a Dictionary) -> Font {
        let key = std::ptr::from_ref(dict).addr();
        if let Some(font) = self.names.get(&key) {
            return font.clone();
        }
        let font = Font { name: format!("F{}", self.names.len()), is_bold: fonts::is_bold(self.document, dict) };
        self.fonts.set(font.name.as_bytes(), found.clone());
        self.names.insert(key, font.clone());
        font
    }

    /// The font of what is shown now; `None` when nothing should be.
    fn showing(&self) -> Option<bool> {
        let is_running = self.marks.iter().any(|mark| *mark);
        self.font.as_ref().filter(|_| !is_running).map(|font| font.is_bold)
    }

    fn show(&mut self, string: Option<&Object>) {
        if let (Some(is_bold), Some(string @ Object::String(..))) = (self.showing(), string) {
            self.emit("Tj", vec![string.clone()]);
            self.bold.push(is_bold);
        }
    }

    fn show_adjusted(&mut self, strings: Option<Object>) {
        let (Some(is_bold), Some(Object::Array(mut strings))) = (self.showing(), strings) else { return };
        strings.retain(|object| is_number(object) || matches!(object, Object::String(..)));
        let count = strings.iter().filter(|object| matches!(object, Object::String(..))).count();
        self.bold.extend(std::iter::repeat_n(is_bold, count));
        self.emit("TJ", vec![Object::Array(strings)]);
    }

    fn show_spaced(&mut self, operands: &[Object]) {
        if let [word, character, string] = operands {
            self.emit_numbers("Tw", vec![word.clone()], 1);
            self.emit_numbers("Tc", vec![character.clone()], 1);
            self.emit("T*", Vec::new());
            self.show(Some(string));
        }
    }

    /// Puts a drawing in the place of the instruction that draws it.
    fn draw(&mut self, name: Option<&Object>, resources: Option<&'a Dictionary>) -> Result<(), ContentError> {
        let (Some(Object::Name(name)), Some(around)) = (name, resources) else { return Ok(()) };
        let Some((_, Object::Stream(drawing))) = entry(self.document, around, b"XObject", name) else {
            return Ok(());
        };
        if drawing.dict.get(b"Subtype").and_then(Object::as_name).ok() != Some(b"Form") {
            return Ok(());
        }
        self.enter(drawing)?;
        let own = drawing.dict.get_deref(b"Resources", self.document).and_then(Object::as_dict).ok();
        let matrix = drawing.dict.get_deref(b"Matrix", self.document).and_then(Object::as_array);
        let open = self.unsaved + self.states.len();
        self.save();
        self.emit_numbers("cm", matrix.cloned().unwrap_or_default(), 6);
        // Without resources of its own, a drawing uses those around it.
        self.instructions(&[drawing], own.or(Some(around)))?;
        if self.unsaved + self.states.len() > open {
            self.restore(0);
        }
        self.open.pop();
        Ok(())
    }

    fn enter(&mut self, drawing: &'a Stream) -> Result<(), ContentError> {
        self.drawings += 1;
        if self.open.iter().any(|open| std::ptr::eq(*open, drawing)) {
            return Err(ContentError::Endless);
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(ContentError::TooDeep);
        }
        if self.drawings > MAX_DRAWINGS {
            return Err(ContentError::TooManyDrawings);
        }
        self.open.push(drawing);
        Ok(())
    }
}

/// An entry of a category of resources, as it is named there and as it is.
fn entry<'a>(
    document: &'a Document,
    resources: &'a Dictionary,
    category: &[u8],
    name: &[u8],
) -> Option<(&'a Object, &'a Object)> {
    let category = resources.get_deref(category, document).and_then(Object::as_dict).ok()?;
    let found = category.get(name).ok()?;
    document.dereference(found).ok().map(|(_, object)| (found, object))
}

/// What an operand has of text, in bytes.
fn text_bytes(operand: &Object) -> usize {
    match operand {
        Object::String(bytes, _) => bytes.len(),
        Object::Array(items) => items.iter().map(text_bytes).sum::<usize>() + items.len(),
        _ => 0,
    }
}

fn is_number(object: &Object) -> bool {
    matches!(object, Object::Integer(_)) || matches!(object, Object::Real(value) if value.is_finite())
}

/// Whether a mark says that what it encloses was put there by paging: running heads, feet, page numbers
/// (ISO 32000-1, 14.8.2.2.2).
fn is_running(properties: Option<&Object>) -> bool {
    let kind = properties.and_then(|properties| properties.as_dict().ok()?.get(b"Type").ok()?.as_name().ok());
    kind == Some(b"Pagination")
}

#[cfg(test)]
mod tests {
    use super::*;
    use pdf_extract::dictionary;

    fn text_of(content: &str, drawing: &str) -> Result<String, ContentError> {
        let mut document = Document::new();
        let font = document.add_object(dictionary! { "Type" => "Font", "BaseFont" => "Helvetica-Bold" });
        let form = document.new_object_id();
        let resources = dictionary! {
            "Font" => dictionary! { "A" => font },
            "XObject" => dictionary! { "D" => form },
        };
        let dict = dictionary! {
            "Subtype" => "Form",
            "Matrix" => vec![1.into(), 0.into(), 0.into(), 1.into(), 50.into(), 60.into()],
        };
        document.objects.insert(form, Object::Stream(Stream::new(dict, drawing.into())));
        let contents = document.add_object(Stream::new(Dictionary::new(), content.into()));
        let page = document.add_object(dictionary! { "Type" => "Page", "Contents" => contents });
        let sheet = Sheet { resources: Some(&resources), ..Sheet::default() };
        let text = page_text(&document, page, &sheet)?;
        Ok(String::from_utf8(text.content).unwrap().replace('\n', " "))
    }

    #[test]
    fn only_text_stays_and_drawings_are_put_in_place() {
        let text =
            text_of("q 1 0 0 rg 0 0 9 9 re f Q BT /A 9 Tf (one) ' ET /D Do", "BT /A 8 Tf (two) Tj ET Q Q").unwrap();
        let expected = "1 0 0 1 0 0 cm BT /F0 9 Tf T* (one) Tj ET \
                        q 1 0 0 1 50 60 cm BT /F0 8 Tf (two) Tj ET Q";
        assert_eq!(text, expected);
    }

    #[test]
    fn running_heads_that_say_so_go() {
        let text = text_of("/Artifact <</Type /Pagination>> BDC /A 9 Tf (head) Tj EMC (text) Tj", "").unwrap();
        assert_eq!(text, "1 0 0 1 0 0 cm /F0 9 Tf (text) Tj");
    }

    #[test]
    fn drawings_that_contain_themselves_are_an_error() {
        assert_eq!(text_of("/D Do", "/D Do"), Err(ContentError::Endless));
    }

    /// The text of a page with a chain of drawings, each of which shows the next a few times, and the last a word.
    fn chain(length: usize, times: usize) -> Result<String, ContentError> {
        let mut document = Document::new();
        let font = document.add_object(dictionary! { "Type" => "Font" });
        let mut resources = dictionary! { "Font" => dictionary! { "A" => font } };
        let mut content = "BT /A 9 Tf (end) Tj ET".to_owned();
        for _ in 0..length {
            let dict = dictionary! { "Subtype" => "Form", "Resources" => resources };
            let drawing = document.add_object(Stream::new(dict, content.into()));
            resources = dictionary! { "XObject" => dictionary! { "D" => drawing } };
            content = "/D Do ".repeat(times);
        }
        let contents = document.add_object(Stream::new(Dictionary::new(), content.into()));
        let page = document.add_object(dictionary! { "Type" => "Page", "Contents" => contents });
        let sheet = Sheet { resources: Some(&resources), ..Sheet::default() };
        let text = page_text(&document, page, &sheet)?;
        Ok(String::from_utf8(text.content).unwrap())
    }

    #[test]
    fn drawings_without_a_circle_are_not_said_to_have_one() {
        assert!(chain(40, 1).unwrap().contains("(end)"));
        assert_eq!(chain(60, 1), Err(ContentError::TooDeep));
        assert_eq!(chain(12, 10), Err(ContentError::TooManyDrawings));
        assert!(ContentError::TooDeep.is_too_much() && !ContentError::Endless.is_too_much());
    }

    #[test]
    fn a_large_drawing_does_not_hide_the_text_beside_it() {
        let lines = "1 0 0 RG 10 10 m 20 20 l S ".repeat(940_000);
        let mut document = Document::new();
        let font = document.add_object(dictionary! { "Type" => "Font" });
        let resources = dictionary! { "Font" => dictionary! { "A" => font } };
        let content = format!("{lines} BT /A 9 Tf (legend) Tj ET").into_bytes();
        assert!(content.len() > MAX_TEXT_BYTES);
        let mut packed = Stream::new(Dictionary::new(), content);
        packed.compress().unwrap();
        let contents = document.add_object(packed);
        let page = document.add_object(dictionary! { "Type" => "Page", "Contents" => contents });
        let sheet = Sheet { resources: Some(&resources), ..Sheet::default() };
        let text = String::from_utf8(page_text(&document, page, &sheet).unwrap().content).unwrap();
        assert!(text.len() < 100 && text.contains("(legend)"), "{text}");
    }

    #[test]
    fn states_are_bounded_and_stay_paired() {
        let deep = "q ".repeat(2_000) + "BT /A 9 Tf (in) Tj ET " + &"Q ".repeat(2_000) + "BT (out) Tj ET";
        let text = text_of(&deep, "").unwrap();
        assert_eq!(text.matches("q ").count(), MAX_STATES);
        // The font was chosen inside: outside there is none, and nothing to show with.
        assert!(text.contains("(in)") && !text.contains("(out)"), "{text}");
    }
}
