//! Styles of OpenDocument: what a paragraph's style makes of it, how lists count, what is hidden.

use std::collections::HashMap;

use crate::docs::format::marker::Numbering;
use crate::docs::format::xml::{self, Element, Token};

/// Chains of styles are short; a circle must end.
const MAX_PARENTS: usize = 12;

/// The format has ten levels of lists.
const LEVELS: usize = 10;

/// One level of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level {
    /// How its items are marked.
    pub numbering: Numbering,
    /// The number of the first one.
    pub start: u64,
}

impl Default for Level {
    fn default() -> Self {
        Self { numbering: Numbering::Bullet, start: 1 }
    }
}

#[derive(Debug, Default)]
struct Style {
    parent: Option<String>,
    outline: Option<u8>,
    is_bold: bool,
    is_hidden: bool,
}

/// All styles of a document.
#[derive(Debug, Default)]
pub struct Styles {
    by_name: HashMap<String, Style>,
    lists: HashMap<String, [Level; LEVELS]>,
    /// The language of the document's text.
    pub language: Option<String>,
    open: Option<(String, Style)>,
    open_list: Option<String>,
    in_default: bool,
}

impl Styles {
    /// Adds the styles of a part.
    pub fn parse(&mut self, text: &str) {
        xml::walk(text, |token| match token {
            Token::Start(element) => self.start(&element),
            Token::End(name) => self.end(&name),
            Token::Text(_) => {}
        });
    }

    fn start(&mut self, element: &Element) {
        match element.name.as_str() {
            "style" => {
                let outline = element.number("default-outline-level");
                let style = Style { parent: element.attribute("parent-style-name"), outline, ..Style::default() };
                self.open = Some((element.attribute("name").unwrap_or_default(), style));
            }
            "default-style" => self.in_default = element.attribute("family").as_deref() == Some("paragraph"),
            "text-properties" => self.text_properties(element),
            "table-properties" => self.hide(element.attribute("display").as_deref() == Some("false")),
            "drawing-page-properties" => self.hide(element.attribute("visibility").as_deref() == Some("hidden")),
            "list-style" => self.open_list = element.attribute("name"),
            "list-level-style-number" | "list-level-style-bullet" | "list-level-style-image" => self.level(element),
            _ => {}
        }
    }

    fn end(&mut self, name: &str) {
        match name {
            "style" => self.by_name.extend(self.open.take()),
            "default-style" => self.in_default = false,
            "list-style" => self.open_list = None,
            _ => {}
        }
    }

    fn hide(&mut self, is_hidden: bool) {
        if let Some((_, style)) = &mut self.open {
            style.is_hidden |= is_hidden;
        }
    }

    fn text_properties(&mut self, element: &Element) {
        if let Some((_, style)) = &mut self.open {
            style.is_bold |= element.attribute("font-weight").as_deref() == Some("bold");
            style.is_hidden |= element.attribute("display").as_deref() == Some("none");
        } else if self.in_default {
            self.language = element.attribute("language").filter(|language| language != "none");
        }
    }

    fn level(&mut self, element: &Element) {
        let Some(list) = self.open_list.clone() else { return };
        let level = element.number::<usize>("level").unwrap_or(1);
        let numbering = match element.attribute("num-format").as_deref() {
            _ if element.name != "list-level-style-number" => Numbering::Bullet,
            Some("a") => Numbering::LowerLetters,
            Some("A") => Numbering::UpperLetters,
            Some("i") => Numbering::LowerRoman,
            Some("I") => Numbering::UpperRoman,
            Some("") | None => Numbering::Bullet,
            Some(_) => Numbering::Figures,
        };
        let start = element.number("start-value").unwrap_or(1);
        if let Some(slot) = self.lists.entry(list).or_default().get_mut(level.saturating_sub(1)) {
            *slot = Level { numbering, start };
        }
    }

    /// A level of a list, counted from 0.
    pub fn list_level(&self, list: &str, level: usize) -> Level {
        self.lists.get(list).and_then(|levels| levels.get(level)).copied().unwrap_or_default()
    }

    /// Whether a style is that of the document's title.
    pub fn is_title(&self, name: &str) -> bool {
        name == "Title" || self.chain(name).any(|style| style.parent.as_deref() == Some("Title"))
    }

    /// The level of heading that a style of paragraphs stands for, 1 to 10.
    pub fn heading(&self, name: &str) -> Option<u8> {
        self.chain(name).find_map(|style| style.outline).filter(|level| *level > 0)
    }

    /// Whether a style sets text in bold.
    pub fn is_bold(&self, name: &str) -> bool {
        self.chain(name).any(|style| style.is_bold)
    }

    /// Whether a style hides a sheet, a slide or text.
    pub fn is_hidden(&self, name: &str) -> bool {
        self.by_name.get(name).is_some_and(|style| style.is_hidden)
    }

    fn chain<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a Style> {
        std::iter::successors(self.by_name.get(name), |style| self.by_name.get(style.parent.as_deref()?))
            .take(MAX_PARENTS)
    }
}
