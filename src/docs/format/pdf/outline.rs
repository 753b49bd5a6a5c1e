//! The outline of a document (its bookmarks) names the headings of its pages.
//!
//! An entry only marks lines that stand on its page: it never adds text.

use std::collections::{HashMap, HashSet};

use pdf_extract::{Dictionary, Document, Object, ObjectId};

use crate::docs::format::pdf::decode_string;
use crate::docs::format::pdf::lines::Line;
use crate::docs::format::pdf::parts::Part;

/// Longer outlines are cut.
const MAX_ENTRIES: usize = 10_000;
/// Deeper entries are left out.
const MAX_DEPTH: u8 = 8;
/// More nodes of a tree of names are not looked at.
const MAX_NAMES: usize = 50_000;
/// A heading takes no more lines.
const MAX_LINES: usize = 4;

/// An entry of the outline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What it says.
    pub title: String,
    /// The page it leads to, counted from 1.
    pub page: u32,
    /// How deep it stands, counted from 1.
    pub depth: u8,
}

/// The entries of a document's outline, in order.
pub fn entries(document: &Document, pages: &[(u32, ObjectId)]) -> Vec<Entry> {
    let mut reader = OutlineReader {
        document,
        pages: pages.iter().map(|(number, id)| (*id, *number)).collect(),
        names: names(document),
        seen: HashSet::new(),
        entries: Vec::new(),
    };
    let outlines = document.catalog().ok().and_then(|catalog| dict_at(document, catalog, b"Outlines"));
    if let Some(outlines) = outlines {
        reader.read(outlines, 1);
    }
    reader.entries
}

/// Marks the lines that entries name.
pub fn mark(entries: &[Entry], pages: &mut [(u32, Vec<Part>)]) {
    let places: HashMap<u32, usize> = pages.iter().enumerate().map(|(at, (number, _))| (*number, at)).collect();
    for (number, entry) in entries.iter().enumerate() {
        let title = key(&entry.title);
        // Some programs let an entry lead to the end of the page before.
        for page in [entry.page, entry.page + 1] {
            let parts = places.get(&page).and_then(|at| pages.get_mut(*at));
            if parts.is_some_and(|(_, parts)| mark_page(&title, (entry.depth, number), parts)) {
                break;
            }
        }
    }
}

struct OutlineReader<'a> {
    document: &'a Document,
    pages: HashMap<ObjectId, u32>,
    names: HashMap<Vec<u8>, &'a Object>,
    seen: HashSet<usize>,
    entries: Vec<Entry>,
}

impl<'a> OutlineReader<'a> {
    /// Reads the entries below a node. A node that comes again ends its list.
    fn read(&mut self, parent: &'a Dictionary, depth: u8) {
        let mut next = dict_at(self.document, parent, b"First");
        while let Some(node) = next {
            let is_new = self.seen.insert(std::ptr::from_ref(node).addr());
            if !is_new || depth > MAX_DEPTH || self.entries.len() >= MAX_ENTRIES {
                return;
            }
            self.entries.extend(self.entry(node, depth));
            self.read(node, depth + 1);
            next = dict_at(self.document, node, b"Next");
        }
    }

    fn entry(&self, node: &'a Dictionary, depth: u8) -> Option<Entry> {
        let title = decode_string(node.get_deref(b"Title", self.document).ok()?.as_str().ok()?);
        let action = || dict_at(self.document, node, b"A");
        let target = node.get_deref(b"Dest", self.document).ok();
        let target = target.or_else(|| action()?.get_deref(b"D", self.document).ok())?;
        let page = self.page(self.named(target)?)?;
        Some(Entry { title, page, depth })
    }

    /// The target behind a name.
    fn named(&self, target: &'a Object) -> Option<&'a Object> {
        let target = match target {
            Object::Name(name) | Object::String(name, _) => self.names.get(name)?,
            target => target,
        };
        match target {
            Object::Dictionary(dict) => dict.get_deref(b"D", self.document).ok(),
            target => Some(target),
        }
    }

    fn page(&self, target: &Object) -> Option<u32> {
        match target.as_array().ok()?.first()? {
            Object::Reference(id) => self.pages.get(id).copied(),
            Object::Integer(index) => u32::try_from(index.saturating_add(1)).ok(),
            _ => None,
        }
    }
}

/// The named targets of a document, of the old form (a dictionary) and the new one (a tree).
fn names(document: &Document) -> HashMap<Vec<u8>, &Object> {
    let mut names = HashMap::new();
    let Ok(catalog) = document.catalog() else { return names };
    for (name, target) in dict_at(document, catalog, b"Dests").into_iter().flat_map(Dictionary::iter) {
        if let Ok((_, target)) = document.dereference(target) {
            names.insert(name.clone(), target);
        }
    }
    let tree = dict_at(document, catalog, b"Names").and_then(|names| dict_at(document, names, b"Dests"));
    let mut pending: Vec<&Dictionary> = tree.into_iter().collect();
    let mut left = MAX_NAMES;
    while let Some(node) = pending.pop() {
        let Some(fewer) = left.checked_sub(1) else { break };
        left = fewer;
        for pair in array(document, node, b"Names").chunks_exact(2) {
            if let (Ok((_, Object::String(name, _))), Ok((_, target))) =
                (document.dereference(&pair[0]), document.dereference(&pair[1]))
            {
                names.insert(name.clone(), target);
            }
        }
        let kids = array(document, node, b"Kids").iter().take(left);
        pending.extend(kids.filter_map(|kid| document.dereference(kid).ok()?.1.as_dict().ok()));
        pending.truncate(MAX_NAMES);
    }
    names
}

fn array<'a>(document: &'a Document, holder: &'a Dictionary, key: &[u8]) -> &'a [Object] {
    holder.get_deref(key, document).and_then(Object::as_array).map_or(&[], Vec::as_slice)
}

fn dict_at<'a>(document: &'a Document, holder: &'a Dictionary, key: &[u8]) -> Option<&'a Dictionary> {
    holder.get_deref(key, document).ok()?.as_dict().ok()
}

/// Marks the largest lines of a page that read like the title. Says whether there are some.
fn mark_page(title: &str, mark: (u8, usize), parts: &mut [Part]) -> bool {
    let mut best: Option<(&mut [Line], f64)> = None;
    let texts = parts.iter_mut().filter_map(|part| match part {
        Part::Text(lines) => Some(lines),
        Part::Table(_) => None,
    });
    for lines in texts {
        let Some((at, count)) = find(title, lines) else { continue };
        let size = lines[at].size;
        if best.as_ref().is_none_or(|(_, largest)| size > *largest) {
            best = Some((&mut lines[at..at + count], size));
        }
    }
    let Some((lines, _)) = best else { return false };
    for line in lines {
        line.entry = Some(mark);
    }
    true
}

/// Where lines that no entry names yet read like a title, and how many.
fn find(title: &str, lines: &[Line]) -> Option<(usize, usize)> {
    let found = (0..lines.len()).filter_map(|at| {
        let mut text = String::new();
        for (count, line) in lines[at..].iter().take(MAX_LINES).enumerate() {
            if line.entry.is_some() || text.len() > title.len() + 16 {
                break;
            }
            text.push_str(&key(&line.text));
            let bare = key(without_number(&lines[at].text));
            let is_numbered = text.len() > bare.len()
                && text.ends_with(title)
                && text.len() - title.len() <= key(&lines[at].text).len() - bare.len();
            if text == title || is_numbered {
                return Some((at, count + 1));
            }
        }
        None
    });
    // A list of contents above the heading may have the same words in smaller type.
    found.max_by(|a, b| lines[a.0].size.total_cmp(&lines[b.0].size).then(b.0.cmp(&a.0)))
}

/// A heading without its number, which outlines often leave out.
fn without_number(text: &str) -> &str {
    let text = text.trim();
    match text.split_once(char::is_whitespace) {
        Some((number, rest)) if number.chars().all(|c| c.is_ascii_digit() || c == '.') => rest,
        _ => text,
    }
}

fn key(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use pdf_extract::dictionary;

    /// A document of two pages whose outline is a circle.
    fn document() -> (Document, Vec<(u32, ObjectId)>) {
        let mut document = Document::new();
        let pages: Vec<(u32, ObjectId)> =
            (1..=2).map(|number| (number, document.add_object(dictionary! { "Type" => "Page" }))).collect();
        let (first, second, inner) = (document.new_object_id(), document.new_object_id(), document.new_object_id());
        let title = |text: &str| Object::string_literal(text);
        let to = |id: ObjectId| Object::Array(vec![id.into(), Object::Name(b"Fit".to_vec())]);
        let names = dictionary! { "Names" => vec![title("second"), to(pages[1].1)] };
        document.set_object(
            first,
            dictionary! { "Title" => title("Cleaning"), "Dest" => to(pages[0].1), "First" => inner, "Next" => second },
        );
        document
            .set_object(inner, dictionary! { "Title" => title("Tray"), "Dest" => vec![1.into()], "First" => first });
        document.set_object(
            second,
            dictionary! { "Title" => title("Care"), "A" => dictionary! { "S" => "GoTo", "D" => title("second") }, "Next" => first },
        );
        let catalog = document.add_object(dictionary! {
            "Type" => "Catalog",
            "Outlines" => dictionary! { "First" => first },
            "Names" => dictionary! { "Dests" => names },
        });
        document.trailer.set("Root", catalog);
        (document, pages)
    }

    #[test]
    fn entries_have_pages_and_depths_and_circles_end() {
        let (document, pages) = document();
        let found: Vec<(String, u32, u8)> =
            entries(&document, &pages).into_iter().map(|entry| (entry.title, entry.page, entry.depth)).collect();
        let expected = [("Cleaning".to_owned(), 1, 1), ("Tray".to_owned(), 2, 2), ("Care".to_owned(), 2, 1)];
        assert_eq!(found, expected);
    }

    #[test]
    fn entries_mark_the_lines_that_stand_there() {
        let line = |text: &str, size: f64| Line { size, ..Line::unplaced(text).unwrap() };
        let lines = vec![
            line("2 How to care for", 10.0),
            line("2 How to care for", 14.0),
            line("the machine", 14.0),
            line("Some text.", 10.0),
        ];
        let mut pages = vec![(3, vec![Part::Text(lines)])];
        let entry = |title: &str| Entry { title: title.to_owned(), page: 3, depth: 2 };
        mark(&[entry("How to care for the machine"), entry("Not there"), entry("text")], &mut pages);
        let Part::Text(lines) = &pages[0].1[0] else { panic!("text stays text") };
        let marks: Vec<Option<(u8, usize)>> = lines.iter().map(|line| line.entry).collect();
        assert_eq!(marks, [None, Some((2, 0)), Some((2, 0)), None]);
    }
}
