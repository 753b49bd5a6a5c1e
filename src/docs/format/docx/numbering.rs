//! Numbered and bulleted lists: which marker the next item has.

use std::collections::HashMap;

use crate::docs::format::xml::{self, Token};

const LEVELS: usize = 9;

/// One level of a list.
#[derive(Debug, Clone)]
struct Level {
    format: String,
    start: u64,
}

impl Default for Level {
    fn default() -> Self {
        Self { format: "bullet".to_owned(), start: 1 }
    }
}

/// All lists of a document, and how far each has counted.
#[derive(Debug, Default)]
pub struct Numbering {
    abstracts: HashMap<String, Vec<Level>>,
    lists: HashMap<String, String>,
    counts: HashMap<String, [Option<u64>; LEVELS]>,
}

impl Numbering {
    /// Reads `numbering.xml`.
    pub fn parse(text: &str) -> Self {
        let mut numbering = Self::default();
        let mut open = String::new();
        let mut list = String::new();
        let mut level = 0;
        xml::walk(text, |token| {
            let Token::Start(element) = token else { return };
            match element.name.as_str() {
                "abstractNum" => open = element.attribute("abstractNumId").unwrap_or_default(),
                "lvl" => {
                    level = element.attribute("ilvl").and_then(|level| level.parse().ok()).unwrap_or(0);
                }
                "numFmt" | "start" => {
                    let levels = numbering.abstracts.entry(open.clone()).or_default();
                    if level >= LEVELS {
                        return;
                    }
                    levels.resize(levels.len().max(level + 1), Level::default());
                    let value = element.value().unwrap_or_default();
                    if element.name == "start" {
                        levels[level].start = value.parse().unwrap_or(1);
                    } else {
                        levels[level].format = value;
                    }
                }
                "num" => list = element.attribute("numId").unwrap_or_default(),
                "abstractNumId" => {
                    numbering.lists.insert(list.clone(), element.value().unwrap_or_default());
                }
                _ => {}
            }
        });
        numbering
    }

    /// The marker of the next item of a list.
    pub fn next(&mut self, list: &str, level: usize) -> String {
        let level = level.min(LEVELS - 1);
        let shape = self.lists.get(list).and_then(|id| self.abstracts.get(id)).and_then(|levels| levels.get(level));
        let shape = shape.cloned().unwrap_or_default();
        let counts = self.counts.entry(list.to_owned()).or_default();
        let count = counts[level].map_or(shape.start, |count| count.saturating_add(1));
        counts[level] = Some(count);
        for deeper in &mut counts[level + 1..] {
            *deeper = None;
        }
        match shape.format.as_str() {
            "bullet" | "none" => "-".to_owned(),
            "lowerLetter" => format!("{}.", letters(count, b'a')),
            "upperLetter" => format!("{}.", letters(count, b'A')),
            "lowerRoman" => format!("{}.", roman(count).to_lowercase()),
            "upperRoman" => format!("{}.", roman(count)),
            _ => format!("{count}."),
        }
    }
}

fn letters(count: u64, first: u8) -> String {
    let index = u8::try_from(count.saturating_sub(1) % 26).unwrap_or(0);
    char::from(first + index).to_string()
}

fn roman(count: u64) -> String {
    const SIGNS: [(u64, &str); 13] = [
        (1000, "M"),
        (900, "CM"),
        (500, "D"),
        (400, "CD"),
        (100, "C"),
        (90, "XC"),
        (50, "L"),
        (40, "XL"),
        (10, "X"),
        (9, "IX"),
        (5, "V"),
        (4, "IV"),
        (1, "I"),
    ];
    if count == 0 || count > 3999 {
        return count.to_string();
    }
    let mut rest = count;
    let mut text = String::new();
    for (value, sign) in SIGNS {
        while rest >= value {
            text.push_str(sign);
            rest -= value;
        }
    }
    text
}
