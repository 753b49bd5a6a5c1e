//! Walks the tokens of a page and collects blocks.

use crate::docs::format::blocks::{Blocks, Place};
use crate::docs::format::html::furniture::{Furniture, Reason, Scope, left_out};
use crate::docs::format::html::table::Table;
use crate::docs::format::html::token::{Piece, VOID, attribute};

/// Elements inside a line of text.
const INLINE: &[&str] = &[
    "a", "abbr", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em", "font", "i", "ins", "kbd",
    "label", "mark", "q", "rb", "rp", "rt", "ruby", "s", "samp", "small", "span", "strike", "strong", "sub", "sup",
    "time", "tt", "u", "var", "img", "input", "wbr", "picture", "nobr", "acronym",
];

/// Elements whose end may be left out: what follows ends them.
const OPTIONAL_END: &[&str] = &["p", "li", "dt", "dd", "tr", "td", "th", "option", "thead", "tbody", "rt", "rp"];

/// Elements that hold others: the end of one that began before what is left out ends that too.
const HOLDERS: &[&str] = &[
    "ul",
    "ol",
    "dl",
    "table",
    "div",
    "section",
    "article",
    "main",
    "ruby",
    "blockquote",
    "details",
    "figure",
    "fieldset",
    "form",
    "body",
    "html",
];

/// What one pass over the tokens collects.
#[derive(Default)]
pub struct Content {
    /// The blocks.
    pub blocks: Blocks,
    /// `<title>`.
    pub title: Option<String>,
    /// The name that the site gives itself.
    pub site: Option<String>,
    /// The language of `<html>`.
    pub language: Option<String>,
    text: String,
    kind: Kind,
    in_pre: bool,
    lists: Vec<List>,
    tables: Vec<Table>,
    skipping: Option<Skipping>,
    root: Option<Open>,
    /// Open elements `<main>` and `<article>`.
    articles: usize,
    in_title: bool,
    in_link: bool,
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

/// An element, and how often its name is open, itself included.
struct Open {
    name: String,
    depth: usize,
}

impl Open {
    fn new(name: &str) -> Self {
        Self { name: name.to_owned(), depth: 1 }
    }

    fn start(&mut self, name: &str) {
        self.depth += usize::from(self.name == name);
    }

    /// Whether it ends.
    fn end(&mut self, name: &str) -> bool {
        self.depth -= usize::from(self.name == name);
        self.depth == 0
    }
}

/// An element whose contents are left out.
struct Skipping {
    element: Open,
    reason: Reason,
    has_optional_end: bool,
    /// Elements of [`HOLDERS`] that are open inside.
    holders: usize,
}

impl Content {
    /// Collects the blocks of the part of the page that counts.
    pub fn read(pieces: &[Piece], scope: Scope, furniture: Furniture) -> Self {
        let mut content = Self::default();
        for piece in pieces {
            match piece {
                Piece::Start { name, attributes } => {
                    if !content.skips_start(name, attributes) {
                        content.start(name, attributes, scope, furniture);
                    }
                }
                Piece::End(name) => {
                    if !content.skips_end(name) {
                        content.end(name);
                    }
                }
                Piece::Text(text) => content.add(text, scope),
            }
        }
        content.in_pre = false;
        content.close_tables();
        content.flush();
        content
    }

    /// How much text was collected that is no link: menus are links.
    pub fn text_length(&self) -> usize {
        self.length
    }

    /// Whether a start belongs to what is left out.
    fn skips_start(&mut self, name: &str, attributes: &[(String, String)]) -> bool {
        let Some(skipping) = &mut self.skipping else { return false };
        // Nobody puts the contents into a menu or a form: its end was forgotten, or it is around everything.
        let is_content = skipping.reason == Reason::Furniture && Scope::Main.begins_at(name, attributes);
        let follows = skipping.has_optional_end
            && skipping.holders == 0
            && (skipping.element.name == name || (skipping.element.name == "p" && !is_inline(name)));
        if is_content || follows {
            self.skipping = None;
            return false;
        }
        skipping.holders += usize::from(HOLDERS.contains(&name));
        skipping.element.start(name);
        true
    }

    /// Whether an end belongs to what is left out.
    fn skips_end(&mut self, name: &str) -> bool {
        let Some(skipping) = &mut self.skipping else { return false };
        if skipping.element.end(name) {
            self.skipping = None;
            return true;
        }
        let is_holder = HOLDERS.contains(&name);
        let is_outer =
            matches!(name, "body" | "html") || (skipping.has_optional_end && is_holder && skipping.holders == 0);
        if is_outer {
            self.skipping = None;
            return false;
        }
        skipping.holders = skipping.holders.saturating_sub(usize::from(is_holder));
        true
    }

    fn start(&mut self, name: &str, attributes: &[(String, String)], scope: Scope, furniture: Furniture) {
        match left_out(name, attributes, furniture, self.articles > 0) {
            Some(reason) if !VOID.contains(&name) && !matches!(name, "html" | "body") => {
                if !is_inline(name) {
                    self.flush();
                }
                let has_optional_end = OPTIONAL_END.contains(&name);
                self.skipping = Some(Skipping { element: Open::new(name), reason, has_optional_end, holders: 0 });
                return;
            }
            _ => {}
        }
        match &mut self.root {
            Some(root) => root.start(name),
            None if scope.begins_at(name, attributes) => {
                self.flush();
                self.root = Some(Open::new(name));
            }
            None => {}
        }
        self.articles += usize::from(matches!(name, "main" | "article"));
        self.open(name, attributes);
    }

    fn open(&mut self, name: &str, attributes: &[(String, String)]) {
        match name {
            "html" => {
                let language = attribute(attributes, "lang").or_else(|| attribute(attributes, "xml:lang"));
                self.language = language.filter(|language| !language.is_empty()).map(str::to_owned);
            }
            "meta" if attribute(attributes, "property") == Some("og:site_name") => {
                self.site = attribute(attributes, "content").map(str::to_owned);
            }
            "title" => self.in_title = true,
            "a" => self.in_link = true,
            "br" => self.text.push(if self.in_pre { '\n' } else { ' ' }),
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                self.unfold();
                self.in_pre = false;
                self.flush();
                self.kind = Kind::Heading(name.as_bytes()[1] - b'0');
            }
            "pre" if !self.in_cell() => {
                self.flush();
                self.kind = Kind::Code;
                self.in_pre = true;
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
                self.tables.push(Table::new(attributes));
            }
            "thead" | "tbody" | "tfoot" => self.set_head(name == "thead"),
            "tr" => self.end_row(),
            "td" | "th" => self.begin_cell(name, attributes),
            // A paragraph that opens an item is the item itself.
            "p" if self.kind == Kind::Item && self.text.trim().is_empty() => {}
            name if is_inline(name) || matches!(name, "meta" | "link") => {}
            _ => self.flush(),
        }
    }

    fn end(&mut self, name: &str) {
        match name {
            "title" => self.in_title = false,
            "a" => self.in_link = false,
            "pre" => {
                self.in_pre = false;
                self.flush();
            }
            "ul" | "ol" => {
                self.flush();
                self.lists.pop();
            }
            "thead" => self.set_head(false),
            "tr" => self.end_row(),
            "td" | "th" => self.end_cell(),
            "table" => {
                self.end_row();
                self.tables.pop();
            }
            name if is_inline(name) => {}
            _ => self.flush(),
        }
        self.articles = self.articles.saturating_sub(usize::from(matches!(name, "main" | "article")));
        if self.root.as_mut().is_some_and(|root| root.end(name)) {
            self.flush();
            self.root = None;
        }
    }

    fn add(&mut self, text: &str, scope: Scope) {
        if self.in_title {
            self.title.get_or_insert_default().push_str(text);
        } else if self.skipping.is_none() && (scope == Scope::Everything || self.root.is_some()) {
            self.length += if self.in_link { 0 } else { text.trim().len() };
            self.text.push_str(text);
        }
    }

    /// The end of the page ends every table that is still open, and its cell.
    fn close_tables(&mut self) {
        while !self.tables.is_empty() {
            self.end_row();
            self.tables.pop();
        }
    }

    fn in_cell(&self) -> bool {
        self.tables.last().is_some_and(|table| table.in_cell)
    }

    /// Ends the running block. Inside a table cell, blocks are words of the cell; in code, lines.
    fn flush(&mut self) {
        if self.in_cell() {
            self.text.push(' ');
            return;
        }
        if self.in_pre {
            if !self.text.is_empty() && !self.text.ends_with('\n') {
                self.text.push('\n');
            }
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
            // What is left of the anchors that documentation programs put behind headings.
            Kind::Heading(level) => {
                let text = text.trim_end().trim_end_matches(['¶', '§', '🔗']);
                self.blocks.heading(level, text, place);
            }
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

    fn set_head(&mut self, in_head: bool) {
        self.end_row();
        if let Some(table) = self.tables.last_mut() {
            table.set_head(in_head);
        }
    }

    fn begin_cell(&mut self, name: &str, attributes: &[(String, String)]) {
        self.end_cell();
        self.flush();
        if let Some(table) = self.tables.last_mut().filter(|table| !table.layout) {
            table.begin_cell(name, attributes);
            self.text.clear();
        }
    }

    /// A cell with a heading or a table in it arranges the page: what it and its row hold are ordinary blocks.
    fn unfold(&mut self) {
        let Some(table) = self.tables.last_mut().filter(|table| table.in_cell) else {
            return;
        };
        for cell in table.unfold() {
            self.blocks.paragraph(&cell, Place::default());
        }
    }

    fn end_cell(&mut self) {
        if let Some(table) = self.tables.last_mut().filter(|table| table.in_cell) {
            table.end_cell(std::mem::take(&mut self.text));
        }
    }

    fn end_row(&mut self) {
        self.end_cell();
        if self.tables.is_empty() || !self.text.trim().is_empty() {
            self.flush();
        }
        let Some(row) = self.tables.last_mut().and_then(Table::end_row) else {
            return;
        };
        let filled: Vec<&String> = row.cells.iter().filter(|cell| !cell.trim().is_empty()).collect();
        match filled.as_slice() {
            // One cell in a row is layout, or a title inside the table.
            [only] if !row.is_header => self.blocks.paragraph(only, Place::default()),
            _ => self.blocks.table_row(row.is_header, &row.cells, Place::default()),
        }
    }
}

/// Whether an element stands inside a line of text. Those of other vocabularies (`ix:nonNumeric`) mark words.
fn is_inline(name: &str) -> bool {
    INLINE.contains(&name) || name.contains(':')
}
