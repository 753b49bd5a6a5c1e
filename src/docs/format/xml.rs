//! A thin layer over the XML reader: local names, attributes, text.
//!
//! Broken XML ends the stream; what was read before it counts.

use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

/// An element's name, without its prefix, and its attributes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    /// Local name.
    pub name: String,
    attributes: Vec<(String, String)>,
}

impl Element {
    /// The value of an attribute, by local name.
    pub fn attribute(&self, name: &str) -> Option<String> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
    }

    /// The attribute `val`, in which this format keeps nearly every value.
    pub fn value(&self) -> Option<String> {
        self.attribute("val")
    }

    /// Whether a switch is on: present without a value, or with one that means yes.
    pub fn is_on(&self) -> bool {
        !matches!(self.value().as_deref(), Some("0" | "false" | "off" | "none"))
    }

    fn of(start: &BytesStart<'_>) -> Self {
        let attributes = start
            .attributes()
            .flatten()
            .map(|attribute| {
                let key = attribute.key.local_name().as_ref().to_owned();
                let value = attribute
                    .normalized_value(XmlVersion::Implicit1_0)
                    .map(std::borrow::Cow::into_owned)
                    .unwrap_or_default();
                (key, value)
            })
            .collect();
        Self { name: start.local_name().as_ref().to_owned(), attributes }
    }
}

/// What happens in a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token {
    /// An element begins.
    Start(Element),
    /// An element ends.
    End(String),
    /// Text.
    Text(String),
}

/// Walks a part. An empty element begins and ends. `false` when the XML is broken.
pub fn walk(text: &str, mut visit: impl FnMut(Token)) -> bool {
    let mut reader = Reader::from_str(text);
    loop {
        match reader.read_event() {
            Ok(Event::Start(start)) => visit(Token::Start(Element::of(&start))),
            Ok(Event::Empty(start)) => {
                let element = Element::of(&start);
                let name = element.name.clone();
                visit(Token::Start(element));
                visit(Token::End(name));
            }
            Ok(Event::End(end)) => visit(Token::End(end.local_name().as_ref().to_owned())),
            Ok(Event::Text(text)) => visit(Token::Text(text.xml10_content().into_owned())),
            Ok(Event::CData(text)) => visit(Token::Text(text.xml10_content().into_owned())),
            Ok(Event::GeneralRef(reference)) => {
                let character = reference.resolve_char_ref().ok().flatten().map(String::from);
                let entity = || resolve_predefined_entity(&reference.xml10_content()).map(str::to_owned);
                if let Some(text) = character.or_else(entity) {
                    visit(Token::Text(text));
                }
            }
            Ok(Event::Eof) => return true,
            Ok(_) => {}
            Err(_) => return false,
        }
    }
}

/// All elements of a name.
pub fn elements(text: &str, name: &str) -> Vec<Element> {
    let mut found = Vec::new();
    walk(text, |token| match token {
        Token::Start(element) if element.name == name => found.push(element),
        _ => {}
    });
    found
}

/// The text of the first element of a name.
pub fn text_of(text: &str, name: &str) -> Option<String> {
    let mut inside = false;
    let mut found = String::new();
    walk(text, |token| match token {
        Token::Start(element) => inside |= element.name == name,
        Token::End(end) => inside &= end != name,
        Token::Text(text) if inside => found.push_str(&text),
        Token::Text(_) => {}
    });
    let found = found.trim();
    (!found.is_empty()).then(|| found.to_owned())
}
