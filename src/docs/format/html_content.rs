//! Walks HTML tokens and collects blocks: the second half of the HTML reader.

use crate::docs::format::blocks::{Blocks, Place};
use crate::docs::format::html::{Furniture, Piece, Scope};

/// Elements that are never contents.
const NEVER: &[&str] = &[
    "script", "style", "noscript", "template", "svg", "math", "iframe", "object", "embed", "canvas", "audio", "video",
    "select", "textarea", "button", "datalist", "xmp", "noembed", "noframes",
];

/// Elements that are usually not contents.
const FURNITURE: &[&str] = &["nav", "header", "footer", "aside", "form", "dialog", "menu"];

/// Elements that may be anything, and what those are called (class or id) that are not contents.
const CONTAINERS: &[&str] = &["div", "section", "ul", "ol", "td", "table"];
const FURNITURE_NAMES: &[&str] = &[
    "menu",
    "nav",
    "navbar",
    "navigation",
    "breadcrumb",
    "breadcrumbs",
    "sidebar",
    "side-bar",
    "footer",
    "site-footer",
    "site-header",
    "topbar",
    "top-bar",
    "cookie-banner",
    "cookies",
    "pagination",
    "toolbar",
];

/// Elements without an end.
const VOID: &[&str] =
    &["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"];

/// Elements inside a line of text.
const INLINE: &[&str] = &[
    "a", "abbr", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em", "font", "i", "ins", "kbd",
    "label", "mark", "q", "rp", "rt", "ruby", "s", "samp", "small", "span", "strike", "strong", "sub", "sup", "time",
    "tt", "u", "var", "img", "input", "wbr", "picture", "nobr", "acronym",
];

/// What one pass over the tokens collects.
#[derive(Default)]
pub struct Content {
    /// The blocks.
    pub blocks: Blocks,
    /// `<title>`.
    pub title: Option<String>,
    /// The language of `<html>`.
    pub language: Option<String>,
    text: String,
    kind: Kind,
    lists: Vec<List>,
    tables: Vec<Table>,
    skipping: Option<Skipping>,
    inside: usize,
    in_title: bool,
    length: usize,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Kind {
    #[default]
    Paragraph,
    Heading(u8),
    Item,
    Code,
}

struct List {
    next: Option<u64>,
}

#[derive(Default)]
struct Table {
    cells: Vec<String>,
    in_cell: bool,
    header: bool,
    rows: usize,
    /// It arranges the page: its cells are parts of the page, not of a row.
    layout: bool,
}

/// An element whose contents are left out, and how often its name is open inside.
struct Skipping {
    name: String,
    depth: usize,
}

impl Content {
    /// Collects the blocks of the part of the page that counts.
    pub fn read(pieces: &[Piece], scope: Scope, furniture: Furniture) -> Self {
        let mut content = Self::default();
        for piece in pieces {
            match piece {
                Piece::Start { name, attributes } => {
                    content.start(name, attributes, scope, furniture);
                }
                Piece::End(name) => content.end(name, scope),
                Piece::Text(text) => content.add(text, scope),
            }
        }
        content.flush();
        content
    }

    /// How much text was collected.
    pub fn text_length(&self) -> usize {
        self.length
    }

    fn start(&mut self, name: &str, attributes: &[(String, String)], scope: Scope, furniture: Furniture) {
        if let Some(skipping) = &mut self.skipping {
            if skipping.name != name {
                return;
            }
            // These have optional end tags: the next one ends the one before.
            if !matches!(name, "p" | "li" | "dt" | "dd" | "tr" | "td" | "th" | "option") {
                skipping.depth += 1;
                return;
            }
            self.skipping = None;
        }
        if name == "html" {
            self.language = attribute(attributes, "lang").map(str::to_owned);
        }
        let drops = NEVER.contains(&name)
            || is_hidden(attributes)
            || (furniture == Furniture::Drop && is_furniture(name, attributes, self.inside));
        if drops && !VOID.contains(&name) {
            if !INLINE.contains(&name) {
                self.flush();
            }
            self.skipping = Some(Skipping { name: name.to_owned(), depth: 1 });
            return;
        }
        if scope == Scope::Inside(static_name(name)) {
            self.flush();
            self.inside += 1;
        }
        self.open(name, attributes);
    }

    fn open(&mut self, name: &str, attributes: &[(String, String)]) {
        match name {
            "title" => self.in_title = true,
            "br" => self.text.push(if self.kind == Kind::Code { '\n' } else { ' ' }),
            "img" | "input" | "wbr" => {}
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                self.unfold();
                self.flush();
                self.kind = Kind::Heading(name.as_bytes()[1] - b'0');
            }
            "pre" if !self.in_cell() => {
                self.flush();
                self.kind = Kind::Code;
            }
            "ul" | "ol" => {
                self.flush();
                let start = attribute(attributes, "start").and_then(|start| start.parse().ok()).unwrap_or(1);
                self.lists.push(List { next: (name == "ol").then_some(start) });
            }
            "li" => {
                self.flush();
                if !self.in_cell() {
                    self.kind = Kind::Item;
                }
            }
            "table" => {
                self.unfold();
                self.flush();
                self.tables.push(Table::default());
            }
            "tr" => self.end_row(),
            "td" | "th" => self.begin_cell(name),
            // A paragraph that opens an item is the item itself.
            "p" if self.kind == Kind::Item && self.text.trim().is_empty() => {}
            name if INLINE.contains(&name) => {}
            _ => self.flush(),
        }
    }

    fn end(&mut self, name: &str, scope: Scope) {
        if let Some(skipping) = &mut self.skipping {
            if skipping.name == name {
                skipping.depth -= 1;
            }
            let closes = skipping.depth == 0 || matches!(name, "body" | "html");
            if closes {
                self.skipping = None;
            }
            return;
        }
        match name {
            "title" => self.in_title = false,
            "ul" | "ol" => {
                self.flush();
                self.lists.pop();
            }
            "tr" => self.end_row(),
            "td" | "th" => self.end_cell(),
            "table" => {
                self.end_row();
                self.tables.pop();
            }
            name if INLINE.contains(&name) => {}
            _ => self.flush(),
        }
        if scope == Scope::Inside(static_name(name)) {
            self.flush();
            self.inside = self.inside.saturating_sub(1);
        }
    }

    fn add(&mut self, text: &str, scope: Scope) {
        if self.in_title {
            self.title.get_or_insert_default().push_str(text);
        } else if self.skipping.is_none() && (scope == Scope::Everything || self.inside > 0) {
            self.length += text.trim().len();
            self.text.push_str(text);
        }
    }

    fn in_cell(&self) -> bool {
        self.tables.last().is_some_and(|table| table.in_cell)
    }

    /// Ends the running block. Inside a table cell, blocks are words of the cell.
    fn flush(&mut self) {
        if self.in_cell() {
            self.text.push(' ');
            return;
        }
        let text = std::mem::take(&mut self.text);
        let kind = std::mem::take(&mut self.kind);
        if text.trim().is_empty() {
            return;
        }
        let place = Place::default();
        match kind {
            Kind::Paragraph => self.blocks.paragraph(&text, place),
            Kind::Heading(level) => self.blocks.heading(level, &text, place),
            Kind::Code => self.blocks.code(&text, place),
            Kind::Item => {
                let marker = self.marker();
                self.blocks.list_item(self.lists.len().saturating_sub(1), &marker, &text, place);
            }
        }
    }

    fn marker(&mut self) -> String {
        match self.lists.last_mut() {
            Some(List { next: Some(number) }) => {
                let marker = format!("{number}.");
                *number = number.saturating_add(1);
                marker
            }
            _ => "-".to_owned(),
        }
    }

    fn begin_cell(&mut self, name: &str) {
        self.end_cell();
        if self.tables.is_empty() {
            self.flush();
            return;
        }
        if !self.in_cell() {
            self.flush();
        }
        if let Some(table) = self.tables.last_mut().filter(|table| !table.layout) {
            table.header = if table.cells.is_empty() { name == "th" } else { table.header && name == "th" };
            table.in_cell = true;
            self.text.clear();
        }
    }

    /// A cell with a heading or a table in it arranges the page: what it and its row hold are ordinary blocks.
    fn unfold(&mut self) {
        let Some(table) = self.tables.last_mut().filter(|table| table.in_cell) else {
            return;
        };
        table.in_cell = false;
        table.layout = true;
        for cell in std::mem::take(&mut table.cells) {
            if !cell.trim().is_empty() {
                self.blocks.paragraph(&cell, Place::default());
            }
        }
    }

    fn end_cell(&mut self) {
        let Some(table) = self.tables.last_mut().filter(|table| table.in_cell) else {
            return;
        };
        table.in_cell = false;
        table.cells.push(std::mem::take(&mut self.text));
    }

    fn end_row(&mut self) {
        self.end_cell();
        if self.tables.is_empty() || !self.text.trim().is_empty() {
            self.flush();
        }
        let Some(table) = self.tables.last_mut() else {
            return;
        };
        let cells = std::mem::take(&mut table.cells);
        let filled: Vec<&String> = cells.iter().filter(|cell| !cell.trim().is_empty()).collect();
        if filled.is_empty() {
            return;
        }
        let header = table.header && table.rows == 0 && cells.len() > 1;
        table.rows += 1;
        match filled.as_slice() {
            // One cell in a row is layout, or a title inside the table.
            [only] if !header => self.blocks.paragraph(only, Place::default()),
            _ => self.blocks.table_row(header, &cells, Place::default()),
        }
    }
}

fn static_name(name: &str) -> &'static str {
    match name {
        "main" => "main",
        "article" => "article",
        _ => "",
    }
}

fn attribute<'a>(attributes: &'a [(String, String)], name: &str) -> Option<&'a str> {
    attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

fn is_hidden(attributes: &[(String, String)]) -> bool {
    attributes.iter().any(|(key, value)| match key.as_str() {
        "hidden" => true,
        "aria-hidden" => value == "true",
        // The numbers and arrows of footnotes point; they say nothing.
        "role" => matches!(value.as_str(), "doc-noteref" | "doc-backlink"),
        "style" => {
            let style: String = value.to_ascii_lowercase().split_whitespace().collect();
            style.contains("display:none") || style.contains("visibility:hidden")
        }
        _ => false,
    })
}

fn is_furniture(name: &str, attributes: &[(String, String)], inside: usize) -> bool {
    let role = attribute(attributes, "role").unwrap_or_default();
    let class = attribute(attributes, "class").unwrap_or_default();
    let id = attribute(attributes, "id").unwrap_or_default();
    let named =
        class.split_whitespace().chain([id]).any(|name| FURNITURE_NAMES.contains(&name.to_lowercase().as_str()));
    // Inside the main contents a header holds the title of the article.
    (FURNITURE.contains(&name) && !(name == "header" && inside > 0))
        || matches!(role, "navigation" | "banner" | "contentinfo" | "search" | "complementary")
        || (named && CONTAINERS.contains(&name))
        || class.split_whitespace().any(|class| class.to_ascii_lowercase().starts_with("skip"))
}
