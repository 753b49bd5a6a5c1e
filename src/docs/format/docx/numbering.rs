//! Numbered and bulleted lists: which marker the next item has.

use std::collections::HashMap;

use crate::docs::format::marker;
use crate::docs::format::xml::{self, Element, Token};

const LEVELS: usize = 9;

/// One level of a list.
#[derive(Debug, Clone, Copy)]
struct Level {
    numbering: marker::Numbering,
    start: u64,
}

impl Default for Level {
    fn default() -> Self {
        Self { numbering: marker::Numbering::Bullet, start: 1 }
    }
}

type Levels = [Level; LEVELS];

/// All lists of a document, and how far each has counted.
#[derive(Debug, Default)]
pub struct Numbering {
    shapes: HashMap<String, Levels>,
    lists: HashMap<String, Levels>,
    counts: HashMap<String, [Option<u64>; LEVELS]>,
}

/// Where in the part we are.
#[derive(Default)]
struct Place {
    shape: Option<String>,
    list: Option<String>,
    level: usize,
}

impl Numbering {
    /// Reads `numbering.xml`.
    pub fn parse(text: &str) -> Self {
        let mut numbering = Self::default();
        let mut place = Place::default();
        xml::walk(text, |token| match token {
            Token::Start(element) => numbering.start(&element, &mut place),
            Token::End(name) if name == "abstractNum" => place.shape = None,
            Token::End(name) if name == "num" => place.list = None,
            _ => {}
        });
        numbering
    }

    fn start(&mut self, element: &Element, place: &mut Place) {
        match element.name.as_str() {
            "abstractNum" => place.shape = element.attribute("abstractNumId"),
            "num" => place.list = element.attribute("numId"),
            "lvl" | "lvlOverride" => place.level = element.number("ilvl").unwrap_or(0),
            // The shapes stand before the lists that are made of them.
            "abstractNumId" => {
                let levels = element.value().and_then(|id| self.shapes.get(&id)).copied().unwrap_or_default();
                self.lists.extend(place.list.clone().map(|list| (list, levels)));
            }
            "numFmt" | "start" | "startOverride" => {
                let Some(level) = self.level(place) else { return };
                if element.name == "numFmt" {
                    level.numbering = numbering(&element.value().unwrap_or_default());
                } else {
                    level.start = element.number("val").unwrap_or(1);
                }
            }
            _ => {}
        }
    }

    /// The level that is being described: of a list when it differs from its shape, else of a shape.
    fn level(&mut self, place: &Place) -> Option<&mut Level> {
        let levels = match (&place.list, &place.shape) {
            (Some(list), _) => self.lists.entry(list.clone()).or_default(),
            (None, Some(shape)) => self.shapes.entry(shape.clone()).or_default(),
            (None, None) => return None,
        };
        levels.get_mut(place.level)
    }

    /// The marker of the next item of a list.
    pub fn next(&mut self, list: &str, level: usize) -> String {
        let level = level.min(LEVELS - 1);
        let shape = self.lists.get(list).map(|levels| levels[level]).unwrap_or_default();
        let counts = self.counts.entry(list.to_owned()).or_default();
        let count = counts[level].map_or(shape.start, |count| count.saturating_add(1));
        counts[level] = Some(count);
        for deeper in &mut counts[level + 1..] {
            *deeper = None;
        }
        shape.numbering.marker(count)
    }
}

fn numbering(format: &str) -> marker::Numbering {
    match format {
        "bullet" | "none" => marker::Numbering::Bullet,
        "lowerLetter" => marker::Numbering::LowerLetters,
        "upperLetter" => marker::Numbering::UpperLetters,
        "lowerRoman" => marker::Numbering::LowerRoman,
        "upperRoman" => marker::Numbering::UpperRoman,
        _ => marker::Numbering::Figures,
    }
}
