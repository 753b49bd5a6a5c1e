//! Lists that are open around a paragraph, and how far each has counted.

use std::collections::HashMap;

use crate::docs::format::odt::styles::Styles;
use crate::docs::format::xml::Element;

/// Deeper lists count like the deepest of these.
const MAX_DEPTH: usize = 64;

/// The lists around the place where we are, outermost first.
#[derive(Debug, Default)]
pub struct Lists {
    open: Vec<List>,
    /// How far the outermost lists that have ended had counted, by style: another may go on.
    ended: HashMap<String, u64>,
    /// Lists that are open beyond those.
    deeper: usize,
}

#[derive(Debug, Default)]
struct List {
    style: String,
    count: Option<u64>,
    /// The next paragraph opens an item; the others of the item go on with it.
    at_item: bool,
}

impl Lists {
    /// A list begins.
    pub fn begin(&mut self, element: &Element) {
        if self.open.len() == MAX_DEPTH {
            self.deeper += 1;
            return;
        }
        let outer = || self.open.last().map(|list| list.style.clone());
        let style = element.attribute("style-name").or_else(outer).unwrap_or_default();
        let goes_on = element.has("continue-numbering") || element.attribute("continue-list").is_some();
        let count = if goes_on && self.open.is_empty() { self.ended.get(&style).copied() } else { None };
        self.open.push(List { style, count, at_item: false });
    }

    /// An item begins.
    pub fn item(&mut self, element: &Element) {
        if let Some(list) = self.open.last_mut().filter(|_| self.deeper == 0) {
            list.at_item = true;
            if let Some(start) = element.number::<u64>("start-value") {
                list.count = start.checked_sub(1);
            }
        }
    }

    /// A list ends.
    pub fn end(&mut self) {
        if self.deeper > 0 {
            self.deeper -= 1;
            return;
        }
        let Some(list) = self.open.pop() else { return };
        if let Some(count) = list.count.filter(|_| self.open.is_empty()) {
            self.ended.insert(list.style, count);
        }
    }

    /// The level and marker of the paragraph that ends here, when it opens an item.
    pub fn marker(&mut self, styles: &Styles) -> Option<(usize, String)> {
        let depth = self.open.len();
        let list = self.open.last_mut().filter(|list| list.at_item)?;
        list.at_item = false;
        let level = styles.list_level(&list.style, depth - 1);
        let count = list.count.map_or(level.start, |count| count.saturating_add(1));
        list.count = Some(count);
        Some((depth - 1, level.numbering.marker(count)))
    }
}
