//! One page at a time for the engine: its text on a sheet of its own, in a document that has no other page.
//!
//! The engine looks for its page among all of them each time, and panics on some: with one page at a time the
//! first costs nothing and the second costs one page.

use pdf_extract::{Dictionary, Document, Object, ObjectId, Stream, output_doc};

use crate::docs::format::pdf::content::{ContentError, PageText, page_text};
use crate::docs::format::pdf::glyphs::Glyphs;
use crate::docs::format::pdf::guard;
use crate::docs::format::pdf::lines::{Line, lines};
use crate::docs::format::pdf::second;

/// Page trees are shallow.
const MAX_PARENTS: usize = 64;
/// Letter paper, for pages that do not say (most readers assume it).
const LETTER: [f32; 4] = [0.0, 0.0, 612.0, 792.0];

/// The paper of a page, and what its instructions refer to.
#[derive(Debug)]
pub struct Sheet<'a> {
    /// Fonts and drawings by name.
    pub resources: Option<&'a Dictionary>,
    /// The matrix that puts the lower left corner of the page, as it is seen, at zero.
    pub upright: [f32; 6],
    /// Width and height as seen, in points.
    pub size: [f32; 2],
}

impl Default for Sheet<'_> {
    fn default() -> Self {
        Self { resources: None, upright: [1.0, 0.0, 0.0, 1.0, 0.0, 0.0], size: [LETTER[2], LETTER[3]] }
    }
}

impl<'a> Sheet<'a> {
    fn of(document: &'a Document, page: ObjectId) -> Self {
        let resources = inherited(document, page, b"Resources").and_then(|object| object.as_dict().ok());
        let corners = inherited(document, page, b"MediaBox").and_then(|object| corners(document, object));
        let [left, low, right, high] = corners.unwrap_or(LETTER);
        let (width, height) = (right - left, high - low);
        let turn = inherited(document, page, b"Rotate").and_then(|object| object.as_i64().ok()).unwrap_or(0);
        let (upright, size) = match turn.rem_euclid(360) {
            90 => ([0.0, -1.0, 1.0, 0.0, -low, right], [height, width]),
            180 => ([-1.0, 0.0, 0.0, -1.0, right, high], [width, height]),
            270 => ([0.0, 1.0, -1.0, 0.0, high, -left], [height, width]),
            _ => ([1.0, 0.0, 0.0, 1.0, -left, -low], [width, height]),
        };
        Self { resources, upright, size }
    }
}

/// The one page of the document that the engine sees.
pub struct Stage {
    document: Document,
    page: ObjectId,
    content: ObjectId,
}

impl Stage {
    /// Takes a document over; its pages are known by their ids from now on. `None` when it has no catalogue.
    pub fn new(mut document: Document) -> Option<Self> {
        let content = document.new_object_id();
        let page = document.new_object_id();
        let mut tree = Dictionary::new();
        tree.set("Type", Object::Name(b"Pages".to_vec()));
        tree.set("Kids", Object::Array(vec![page.into()]));
        tree.set("Count", 1);
        let tree = document.add_object(tree);
        document.catalog_mut().ok()?.set("Pages", tree);
        Some(Self { document, page, content })
    }

    /// The lines of a page; `None` when no engine can read it.
    pub fn lines(&mut self, page: ObjectId) -> Result<Option<Vec<Line>>, ContentError> {
        let sheet = Sheet::of(&self.document, page);
        let size = sheet.size;
        let text = page_text(&self.document, page, &sheet)?;
        let bold = self.put(text, size);
        let document = &self.document;
        let first = guard(|| {
            let mut glyphs = Glyphs::new(bold);
            output_doc(document, &mut glyphs).is_ok().then(|| glyphs.finish())
        });
        let first = first.ok().flatten().map(lines);
        Ok(second::choose(first, || guard(|| document.extract_text(&[1]).ok()).ok().flatten()))
    }

    /// Puts a page's text on the stage, and gives back which of its strings are bold.
    fn put(&mut self, text: PageText, [width, height]: [f32; 2]) -> Vec<bool> {
        let mut resources = Dictionary::new();
        resources.set("Font", text.fonts);
        let mut page = Dictionary::new();
        page.set("Type", Object::Name(b"Page".to_vec()));
        page.set("MediaBox", Object::Array(vec![0.into(), 0.into(), width.into(), height.into()]));
        page.set("Resources", resources);
        page.set("Contents", self.content);
        self.document.objects.insert(self.page, page.into());
        self.document.objects.insert(self.content, Stream::new(Dictionary::new(), text.content).into());
        text.bold
    }
}

/// An attribute of a page, or of the nodes of the page tree above it.
fn inherited<'a>(document: &'a Document, page: ObjectId, key: &[u8]) -> Option<&'a Object> {
    let mut node = document.get_dictionary(page).ok()?;
    for _ in 0..MAX_PARENTS {
        if let Ok(object) = node.get_deref(key, document) {
            return Some(object);
        }
        node = node.get_deref(b"Parent", document).ok()?.as_dict().ok()?;
    }
    None
}

/// Left, low, right and high of a box; `None` for one that is none.
fn corners(document: &Document, object: &Object) -> Option<[f32; 4]> {
    let values: Vec<f32> = object
        .as_array()
        .ok()?
        .iter()
        .filter_map(|value| document.dereference(value).ok()?.1.as_float().ok())
        .filter(|value| value.is_finite())
        .collect();
    let [ax, ay, bx, by] = values.try_into().ok()?;
    let [left, low, right, high]: [f32; 4] = [f32::min(ax, bx), f32::min(ay, by), f32::max(ax, bx), f32::max(ay, by)];
    (right > left && high > low).then_some([left, low, right, high])
}
