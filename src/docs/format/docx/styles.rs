//! Styles of paragraphs: which are headings, which are list items, which is the title.

use std::collections::HashMap;

use crate::docs::format::xml::{self, Token};

/// Chains of styles are short; a circle must end.
const MAX_PARENTS: usize = 12;

/// What a paragraph style says.
#[derive(Debug, Default, Clone)]
struct Style {
    name: String,
    parent: Option<String>,
    outline: Option<u8>,
    numbering: Option<String>,
    level: Option<usize>,
}

/// All styles.
#[derive(Debug, Default)]
pub struct Styles {
    by_id: HashMap<String, Style>,
    /// The language of the document's text.
    pub language: Option<String>,
}

impl Styles {
    /// Reads `styles.xml`.
    pub fn parse(text: &str) -> Self {
        let mut styles = Self::default();
        let mut open: Option<(String, Style)> = None;
        xml::walk(text, |token| match token {
            Token::Start(element) if element.name == "style" => {
                open = Some((element.attribute("styleId").unwrap_or_default(), Style::default()));
            }
            Token::End(name) if name == "style" => styles.by_id.extend(open.take()),
            Token::Start(element) if element.name == "lang" && styles.language.is_none() => {
                styles.language = element.value();
            }
            Token::Start(element) => {
                let Some((_, style)) = &mut open else { return };
                match element.name.as_str() {
                    "name" => style.name = element.value().unwrap_or_default().to_lowercase(),
                    "basedOn" => style.parent = element.value(),
                    "outlineLvl" => {
                        style.outline = element.value().and_then(|value| value.parse().ok());
                    }
                    "numId" => style.numbering = element.value(),
                    "ilvl" => style.level = element.value().and_then(|value| value.parse().ok()),
                    _ => {}
                }
            }
            _ => {}
        });
        styles
    }

    /// The level of heading that a style stands for, 1 to 6.
    pub fn heading(&self, id: &str) -> Option<u8> {
        let chain = || self.chain(id);
        let by_name = chain().find_map(|style| {
            let number = style.name.strip_prefix("heading ")?;
            number.trim().parse::<u8>().ok()
        });
        let by_outline = chain().find_map(|style| style.outline).filter(|level| *level < 9).map(|level| level + 1);
        // Programs that translate the names keep the ids, or the other way round.
        let by_id = id.strip_prefix("Heading").and_then(|number| number.parse().ok());
        let level = by_name.or(by_outline).or(by_id);
        level.map(|level: u8| level.clamp(1, 6)).or_else(|| self.is_title(id).then_some(1))
    }

    /// Whether a style is the document's title.
    pub fn is_title(&self, id: &str) -> bool {
        self.chain(id).any(|style| style.name == "title") || id == "Title"
    }

    /// Whether a style is that of lines in a table of contents.
    pub fn is_contents(&self, id: &str) -> bool {
        self.chain(id).any(|style| {
            let level = style.name.strip_prefix("toc ").unwrap_or_default();
            style.name == "toc heading" || level.parse::<u8>().is_ok()
        })
    }

    /// The list that a style belongs to: its numbering and level.
    pub fn list(&self, id: &str) -> Option<(String, usize)> {
        let numbering = self.chain(id).find_map(|style| style.numbering.clone())?;
        let level = self.chain(id).find_map(|style| style.level).unwrap_or(0);
        Some((numbering, level))
    }

    /// Whether a style is called a list, although it has no numbering.
    pub fn is_list_by_name(&self, id: &str) -> bool {
        self.chain(id).any(|style| style.name.starts_with("list bullet") || style.name.starts_with("list number"))
    }

    fn chain<'a>(&'a self, id: &'a str) -> impl Iterator<Item = &'a Style> {
        std::iter::successors(self.by_id.get(id), |style| self.by_id.get(style.parent.as_deref()?)).take(MAX_PARENTS)
    }
}
