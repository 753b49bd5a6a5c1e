//! A thin layer over the XML reader: local names, attributes, text.
//!
//! Broken XML ends the stream; what was read before it counts. The text is read as a stream of events, so depth costs
//! nothing. Only the five entities of XML and numbers of characters are resolved: a document type that declares others
//! is passed over, so nothing expands and nothing outside is read.

use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

/// No format has an element with more attributes. The rest is not looked at.
const MAX_ATTRIBUTES: usize = 256;

/// An element's name, without its prefix, and its attributes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    /// Local name.
    pub name: String,
    attributes: Vec<Attribute>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Attribute {
    has_prefix: bool,
    name: String,
    value: String,
}

impl Element {
    /// The value of an attribute, by local name.
    pub fn attribute(&self, name: &str) -> Option<String> {
        self.attributes.iter().find(|attribute| attribute.name == name).map(|attribute| attribute.value.clone())
    }

    /// The value of an attribute that has a prefix: `r:id` beside `id`.
    pub fn prefixed_attribute(&self, name: &str) -> Option<String> {
        let mut named = self.attributes.iter().filter(|attribute| attribute.name == name);
        named.find(|attribute| attribute.has_prefix).map(|attribute| attribute.value.clone())
    }

    /// The value of an attribute as a number.
    pub fn number<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.attribute(name)?.trim().parse().ok()
    }

    /// Whether an attribute says yes.
    pub fn has(&self, name: &str) -> bool {
        matches!(self.attribute(name).as_deref(), Some("1" | "true" | "on"))
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
        // Looking for attributes given twice costs the square of their number.
        let mut attributes = start.attributes();
        let attributes = attributes.with_checks(false).take(MAX_ATTRIBUTES).flatten();
        let attributes = attributes.map(|attribute| Attribute {
            has_prefix: attribute.key.prefix().is_some(),
            name: attribute.key.local_name().as_ref().to_owned(),
            value: attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .map(std::borrow::Cow::into_owned)
                .unwrap_or_default(),
        });
        Self { name: start.local_name().as_ref().to_owned(), attributes: attributes.collect() }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> String {
        let mut found = String::new();
        walk(text, |token| {
            if let Token::Text(text) = token {
                found.push_str(&text);
            }
        });
        found
    }

    /// D7: XML is read without entities of its own.
    #[test]
    fn entities_that_a_document_declares_are_not_expanded() {
        let bomb = "<!DOCTYPE x [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'><!ENTITY f SYSTEM 'file:///etc/passwd'>]>\
                    <x>1&b;2&f;3&amp;&#228;</x>";
        assert_eq!(texts(bomb), "123&ä");
    }

    /// With a look at all pairs of names this takes minutes.
    #[test]
    fn an_element_with_a_million_attributes_costs_no_more_than_its_text() {
        let attributes: Vec<String> = (0..1_000_000).map(|n| format!(" a{n}='x'")).collect();
        let attributes = attributes.concat();
        assert_eq!(texts(&format!("<x{attributes}>text</x>")), "text");
        assert_eq!(elements(&format!("<x{attributes}/>"), "x")[0].attributes.len(), MAX_ATTRIBUTES);
    }

    #[test]
    fn attributes_with_and_without_a_prefix() {
        let element = &elements("<p:sldId id=\"256\" r:id=\"rId2\" show=\"1\"/>", "sldId")[0];
        assert_eq!(element.number::<u32>("id"), Some(256));
        assert_eq!(element.prefixed_attribute("id").as_deref(), Some("rId2"));
        assert!(element.has("show") && !element.has("hidden"));
    }
}
