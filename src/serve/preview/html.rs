//! Pieces as HTML: headings, paragraphs, lists, tables and code, with places and the quoted words marked.
//!
//! Text of a document goes through [`escape`] and nowhere else; all markup is written here.

use std::collections::HashSet;
use std::fmt::{Arguments, Write as _};
use std::ops::Range;

use crate::model::{BlockKind, LineRange};
use crate::serve::preview::flow::{Flow, Label, Piece};
use crate::serve::preview::quote::Marks;
use crate::serve::preview::rows::cells;

/// What is jumped to: by the fragment of the address, or without one by the focus.
const FIRST: &str = " id=\"quote\" tabindex=\"-1\" autofocus";

/// What stands out.
pub struct Highlight {
    /// The quoted words.
    pub marks: Marks,
    /// What to say at the wanted place.
    pub notice: Option<String>,
    /// The piece that is wanted: the notice stands before it; without one, at the beginning.
    pub target: Option<usize>,
}

/// The pieces of a part. Its first heading level is 2: the title of the page is above.
pub fn render(flow: &Flow<'_>, part: Range<usize>, highlight: &Highlight) -> String {
    let mut page = Page::new(highlight);
    let first = part.start;
    if highlight.target.is_none() || flow.pieces.is_empty() {
        page.target();
    }
    for (offset, piece) in flow.pieces.get(part).unwrap_or_default().iter().enumerate() {
        let number = first + offset;
        page.place(piece);
        if highlight.target == Some(number) {
            page.target();
        }
        page.headings(piece);
        // At the beginning of a part the header of a table is shown, also when it is repeated.
        if !piece.is_repeated || page.begins_with_header(offset) {
            page.piece(number, piece);
        }
    }
    page.close();
    page.html
}

/// For text between tags and in quoted attributes.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for each in text.chars() {
        match each {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ if is_hidden(each) => {}
            _ => escaped.push(each),
        }
    }
    escaped
}

/// Signs that nobody sees and that change what others look like: control characters and overrides of direction.
fn is_hidden(each: char) -> bool {
    (each.is_control() && !matches!(each, '\n' | '\t'))
        || matches!(each, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// What is open and takes more of its kind.
enum Open {
    Nothing,
    /// The lists within one another, outermost first; an item is open in each.
    List(Vec<&'static str>),
    Table,
    Code,
}

struct Page<'h> {
    html: String,
    open: Open,
    highlight: &'h Highlight,
    marks_written: usize,
    label: Option<String>,
    anchors: HashSet<String>,
    headings: Vec<String>,
    rows_only_header: usize,
}

impl<'h> Page<'h> {
    fn new(highlight: &'h Highlight) -> Self {
        Self {
            html: String::new(),
            open: Open::Nothing,
            highlight,
            marks_written: 0,
            label: None,
            anchors: HashSet::new(),
            headings: Vec::new(),
            rows_only_header: 0,
        }
    }

    /// Whether all pieces of the part so far are repeated headers.
    fn begins_with_header(&mut self, offset: usize) -> bool {
        let is_so = self.rows_only_header == offset;
        self.rows_only_header += usize::from(is_so);
        is_so
    }

    /// The place to jump to when no words are marked, with what is to be said there.
    fn target(&mut self) {
        let is_jumped_to = self.highlight.marks.is_empty();
        let attributes = if is_jumped_to { FIRST } else { "" };
        match &self.highlight.notice {
            Some(notice) => {
                self.close();
                let notice = escape(notice);
                self.put(format_args!("<p{attributes} class=\"preview-notice\" role=\"note\">{notice}</p>\n"));
            }
            None if is_jumped_to && self.highlight.target.is_some() => {
                self.close();
                self.put(format_args!("<div{attributes}></div>\n"));
            }
            None => {}
        }
    }

    /// Another page, slide or sheet begins.
    fn place(&mut self, piece: &Piece<'_>) {
        let Some(label) = Label::of(piece.locator) else { return };
        let name = label.name();
        if self.label.as_ref() == Some(&name) {
            return;
        }
        self.close();
        let anchor = escape(&label.anchor());
        let is_new = self.anchors.insert(anchor.clone());
        let id = if is_new { format!(" id=\"{anchor}\"") } else { String::new() };
        self.put(format_args!("<p class=\"preview-place\"{id}>{}</p>\n", escape(&name)));
        self.label = Some(name);
    }

    /// The headings that have changed since the piece before.
    fn headings(&mut self, piece: &Piece<'_>) {
        let same = self.headings.iter().zip(piece.headings).take_while(|(old, new)| old == new).count();
        if same == self.headings.len() && same == piece.headings.len() {
            return;
        }
        self.close();
        for (depth, heading) in piece.headings.iter().enumerate().skip(same) {
            let level = level(depth);
            self.put(format_args!("<h{level} dir=\"auto\">{}</h{level}>\n", escape(heading)));
        }
        self.headings = piece.headings.to_vec();
    }

    fn piece(&mut self, number: usize, piece: &Piece<'_>) {
        let marked = self.marked(number);
        match piece.kind {
            BlockKind::Heading { .. } => {
                self.close();
                let level = level(piece.headings.len());
                self.block(&format!("h{level}"), piece.text, 0..piece.text.len(), &marked);
            }
            BlockKind::Paragraph => {
                self.close();
                self.block("p", piece.text, 0..piece.text.len(), &marked);
            }
            BlockKind::ListItem => self.item(piece.text, &marked),
            BlockKind::TableRow { header } => self.row(piece, header, &marked),
            BlockKind::Code => self.code(piece.text, &marked),
        }
    }

    /// What of a piece is quoted: an empty range when nothing is.
    fn marked(&mut self, number: usize) -> Range<usize> {
        let marks = &self.highlight.marks;
        marks.iter().find(|(piece, _)| *piece == number).map_or(0..0, |(_, range)| range.clone())
    }

    fn block(&mut self, tag: &str, text: &str, range: Range<usize>, marked: &Range<usize>) {
        self.put(format_args!("<{tag} dir=\"auto\">"));
        self.text(text, range, marked);
        self.put(format_args!("</{tag}>\n"));
    }

    fn item(&mut self, text: &str, marked: &Range<usize>) {
        let item = Item::parse(text);
        let mut lists = match std::mem::replace(&mut self.open, Open::Nothing) {
            Open::List(lists) => lists,
            other => {
                self.open = other;
                self.close();
                Vec::new()
            }
        };
        if item.is_rest && !lists.is_empty() {
            self.html.push_str("<br>");
        } else {
            // An item may be one level deeper than the one before, not more.
            let depth = item.depth.min(lists.len());
            self.close_lists(&mut lists, depth + 1);
            if lists.len() > depth && lists.last() == Some(&item.list) {
                self.html.push_str("</li>\n");
            } else {
                self.close_lists(&mut lists, depth);
                self.put(format_args!("<{}>\n", item.list));
                lists.push(item.list);
            }
            let value = item.value.map(|value| format!(" value=\"{value}\"")).unwrap_or_default();
            self.put(format_args!("<li{value} dir=\"auto\">"));
        }
        self.text(text, item.text, marked);
        self.open = Open::List(lists);
    }

    /// Closes lists until `left` are open.
    fn close_lists(&mut self, lists: &mut Vec<&'static str>, left: usize) {
        while lists.len() > left {
            if let Some(list) = lists.pop() {
                self.put(format_args!("</li>\n</{list}>\n"));
            }
        }
    }

    fn row(&mut self, piece: &Piece<'_>, header: bool, marked: &Range<usize>) {
        if !matches!(self.open, Open::Table) {
            self.close();
            self.html
                .push_str("<div class=\"preview-table\" tabindex=\"0\" role=\"group\" aria-label=\"Table\"><table>\n");
            self.open = Open::Table;
        }
        self.html.push_str("<tr>");
        if let Some(LineRange(row, _)) = piece.locator.rows {
            self.put(format_args!("<th scope=\"row\" class=\"preview-row\">{row}</th>"));
        }
        let (tag, scope) = if header { ("th", " scope=\"col\"") } else { ("td", "") };
        for cell in cells(piece.text) {
            self.put(format_args!("<{tag}{scope} dir=\"auto\">"));
            self.text(piece.text, cell, marked);
            self.put(format_args!("</{tag}>"));
        }
        self.html.push_str("</tr>\n");
    }

    fn code(&mut self, text: &str, marked: &Range<usize>) {
        if matches!(self.open, Open::Code) {
            self.html.push('\n');
        } else {
            self.close();
            self.html.push_str("<pre tabindex=\"0\"><code>");
            self.open = Open::Code;
        }
        self.text(text, 0..text.len(), marked);
    }

    /// Writes a range of a text, with what is quoted of it marked.
    fn text(&mut self, text: &str, range: Range<usize>, marked: &Range<usize>) {
        let start = marked.start.clamp(range.start, range.end);
        let end = marked.end.clamp(start, range.end);
        let part = |from: usize, to: usize| escape(text.get(from..to).unwrap_or_default());
        self.html.push_str(&part(range.start, start));
        if start < end {
            let first = if self.marks_written == 0 { FIRST } else { "" };
            self.marks_written += 1;
            self.put(format_args!("<mark{first}>{}</mark>", part(start, end)));
        }
        self.html.push_str(&part(end, range.end));
    }

    fn put(&mut self, markup: Arguments<'_>) {
        self.html.write_fmt(markup).expect("writing to a string does not fail");
    }

    fn close(&mut self) {
        match std::mem::replace(&mut self.open, Open::Nothing) {
            Open::Nothing => {}
            Open::List(mut lists) => self.close_lists(&mut lists, 0),
            Open::Table => self.html.push_str("</table></div>\n"),
            Open::Code => self.html.push_str("</code></pre>\n"),
        }
    }
}

/// The level of a heading with so many above it.
fn level(depth: usize) -> usize {
    (depth + 2).min(6)
}

/// An item of a list as it is indexed: two blanks a level, a marker, the text.
struct Item {
    depth: usize,
    list: &'static str,
    value: Option<u32>,
    text: Range<usize>,
    /// The rest of a long item has no marker.
    is_rest: bool,
}

impl Item {
    fn parse(text: &str) -> Self {
        let body = text.trim_start_matches(' ');
        let indent = text.len() - body.len();
        let depth = indent / 2;
        let (marker, after) = body.split_once(' ').unwrap_or((body, ""));
        let number = marker.strip_suffix('.').and_then(|digits| digits.parse().ok());
        let start = text.len() - after.len();
        match (marker, number) {
            ("-", _) => Self { depth, list: "ul", value: None, text: start..text.len(), is_rest: false },
            (_, Some(_)) => Self { depth, list: "ol", value: number, text: start..text.len(), is_rest: false },
            // A letter, say: the marker stays in the text.
            (marker, None) if marker.len() <= 3 && marker.ends_with('.') => {
                Self { depth, list: "ul", value: None, text: indent..text.len(), is_rest: false }
            }
            _ => Self { depth, list: "ul", value: None, text: indent..text.len(), is_rest: true },
        }
    }
}
