//! The list of a book's contents: its title, its language, its chapters in reading order.

use std::collections::HashMap;

use crate::docs::format::package;
use crate::docs::format::xml::{self, Element, Token};

/// A book has fewer chapters.
const MAX_CHAPTERS: usize = 20_000;

/// What the list says.
#[derive(Debug, Default)]
pub struct Opf {
    /// The first title.
    pub title: Option<String>,
    /// The first language, as written there.
    pub language: Option<String>,
    /// The parts that are read from beginning to end, in this order.
    pub chapters: Vec<String>,
}

struct Item {
    part: String,
    is_page: bool,
    is_contents: bool,
}

impl Opf {
    /// Reads the list, which is the part `root`.
    pub fn parse(root: &str, text: &str) -> Self {
        let mut items: HashMap<String, Item> = HashMap::new();
        let mut spine: Vec<String> = Vec::new();
        xml::walk(text, |token| match token {
            Token::Start(element) if element.name == "item" => {
                items.extend(element.attribute("id").zip(item(root, &element)));
            }
            // What is not linear is looked up, not read: footnotes, answers. It is contents all the same.
            Token::Start(element) if element.name == "itemref" && spine.len() < MAX_CHAPTERS => {
                spine.extend(element.attribute("idref"));
            }
            _ => {}
        });
        let mut chapters: Vec<String> = Vec::new();
        for id in spine {
            // Each is taken out, so a chapter that is listed a thousand times is read once.
            chapters.extend(items.remove(&id).filter(|item| item.is_page && !item.is_contents).map(|item| item.part));
        }
        Self { title: xml::text_of(text, "title"), language: xml::text_of(text, "language"), chapters }
    }
}

fn item(root: &str, element: &Element) -> Option<Item> {
    let href = element.attribute("href")?;
    let path = href.split(['#', '?']).next().unwrap_or_default();
    let kind = element.attribute("media-type").unwrap_or_default();
    let properties = element.attribute("properties").unwrap_or_default();
    Some(Item {
        part: package::resolve(root, &decode_path(path)),
        is_page: matches!(kind.as_str(), "application/xhtml+xml" | "text/html" | "text/x-oeb1-document"),
        is_contents: properties.split_whitespace().any(|property| property == "nav"),
    })
}

/// A path whose odd characters are written `%20`.
pub fn decode_path(path: &str) -> String {
    let bytes = path.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let code = path.get(at + 1..at + 3).filter(|_| *byte == b'%');
        let code = code.and_then(|code| u8::from_str_radix(code, 16).ok());
        decoded.push(code.unwrap_or(*byte));
        at += if code.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&decoded).into_owned()
}
