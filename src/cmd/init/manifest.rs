//! The list of documents that a template keeps in its source, read as data.
//!
//! Nothing is run. Groups in round or curly brackets whose fields are plain texts are entries; whatever else stands there
//! is passed over. What comes out is a `documents.yaml` that reads back.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::docs::catalogue::Catalogue;
use crate::model::file_name;

/// Longer files are no list of documents.
pub(super) const MAX_BYTES: u64 = 1024 * 1024;

/// One document, as the template tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) id: Option<String>,
    pub(super) filename: String,
    pub(super) title: Option<String>,
    pub(super) description: Option<String>,
}

#[derive(Serialize)]
struct Document<'a> {
    path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
}

#[derive(Serialize)]
struct Documents<'a> {
    documents: Vec<Document<'a>>,
}

/// A `documents.yaml` for those files that are there; none when the list says nothing of them. The second part names
/// what was left out, and why.
pub(super) fn render(entries: &[Entry], paths: &[&str]) -> (Option<String>, Vec<String>) {
    let mut notes = Vec::new();
    let mut ids = BTreeSet::new();
    let mut by_path: BTreeMap<&str, Document<'_>> = BTreeMap::new();
    for entry in entries {
        let Some(path) = path_of(&entry.filename, paths) else {
            notes.push(format!("{}: there is no such document", entry.filename));
            continue;
        };
        if path.contains(['*', '?', '[', '{']) {
            notes.push(format!("{path}: its name reads as a pattern; give it a title in documents.yaml by hand"));
            continue;
        }
        let id = entry.id.as_deref().filter(|id| is_free_id(id, &mut ids));
        if let (None, Some(id)) = (id, &entry.id) {
            notes.push(format!("{path}: the id `{id}` is taken or has other signs than letters, digits, _ and -"));
        }
        let (title, description) = (entry.title.as_deref(), entry.description.as_deref());
        by_path.insert(path, Document { path, id, title, description });
    }
    let documents = Documents { documents: by_path.into_values().collect() };
    if documents.documents.is_empty() {
        return (None, notes);
    }
    let text = serde_yaml::to_string(&documents).ok().filter(|text| Catalogue::parse(text).is_ok());
    if text.is_none() {
        notes.push("the list cannot be written as documents.yaml".to_owned());
    }
    (text, notes)
}

/// The file that an entry names: its path, or the one file of that name.
fn path_of<'a>(filename: &str, paths: &[&'a str]) -> Option<&'a str> {
    if let Some(path) = paths.iter().find(|path| **path == filename) {
        return Some(path);
    }
    let mut named = paths.iter().filter(|path| file_name(path) == filename);
    named.next().filter(|_| named.next().is_none()).copied()
}

fn is_free_id(id: &str, ids: &mut BTreeSet<String>) -> bool {
    let is_id = id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    is_id && (1..=128).contains(&id.len()) && ids.insert(id.to_owned())
}

/// The entries of a source text.
pub(super) fn parse(source: &str) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut groups: Vec<Group> = Vec::new();
    for token in Tokens(source) {
        match token {
            Token::Open => groups.push(Group::default()),
            Token::Close => entries.extend(groups.pop().and_then(Group::entry)),
            other => {
                if let Some(group) = groups.last_mut() {
                    group.take(other);
                }
            }
        }
    }
    entries
}

enum Token {
    Open,
    Close,
    /// `=` or `:`.
    Is,
    Comma,
    Word(String),
    Text(String),
    Other,
}

/// What stands in one pair of brackets.
#[derive(Default)]
struct Group {
    fields: BTreeMap<String, String>,
    name: Option<String>,
    /// The value so far; none once something else than plain texts stood there.
    value: Option<String>,
    is_value: bool,
}

impl Group {
    fn take(&mut self, token: Token) {
        match token {
            Token::Comma => self.finish(),
            Token::Is if !self.is_value => {
                self.is_value = true;
                self.value = Some(String::new());
            }
            // Texts that follow each other are one.
            Token::Text(text) if self.is_value => {
                if let Some(value) = &mut self.value {
                    value.push_str(&text);
                }
            }
            Token::Word(word) | Token::Text(word) if !self.is_value => self.name = Some(word),
            _ => self.value = None,
        }
    }

    fn finish(&mut self) {
        if let (Some(name), Some(value)) = (self.name.take(), self.value.take())
            && !value.trim().is_empty()
        {
            self.fields.insert(name, value.trim().to_owned());
        }
        self.is_value = false;
        self.value = None;
    }

    fn entry(mut self) -> Option<Entry> {
        self.finish();
        let mut field = |name: &str| self.fields.remove(name);
        let filename = field("filename")?;
        Some(Entry { id: field("id"), filename, title: field("title"), description: field("description") })
    }
}

/// The words of a Python source, as far as they matter here.
struct Tokens<'a>(&'a str);

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        loop {
            self.0 = self.0.trim_start();
            if !self.0.starts_with('#') {
                break;
            }
            self.0 = self.0.find('\n').map_or("", |end| &self.0[end..]);
        }
        let first = self.0.chars().next()?;
        let word_len = self.0.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(self.0.len());
        if word_len > 0 {
            return Some(self.word(word_len));
        }
        if matches!(first, '"' | '\'') {
            return Some(self.text(first));
        }
        self.0 = &self.0[first.len_utf8()..];
        Some(match first {
            '(' | '{' => Token::Open,
            ')' | '}' => Token::Close,
            '=' | ':' => Token::Is,
            ',' => Token::Comma,
            _ => Token::Other,
        })
    }
}

impl Tokens<'_> {
    fn word(&mut self, len: usize) -> Token {
        let (word, rest) = self.0.split_at(len);
        self.0 = rest;
        // A prefix of a text (`f"…"`, `r"…"`): what it means is for Python to say.
        match rest.chars().next() {
            Some(quote @ ('"' | '\'')) => {
                self.text(quote);
                Token::Other
            }
            _ => Token::Word(word.to_owned()),
        }
    }

    /// A text from its opening quotes on. One that does not end, or has an escape that is not known, is no text.
    fn text(&mut self, quote: char) -> Token {
        let triple = quote.to_string().repeat(3);
        let end = if self.0.starts_with(&triple) { triple } else { quote.to_string() };
        let mut rest = &self.0[end.len()..];
        let mut text = Some(String::new());
        loop {
            if let Some(after) = rest.strip_prefix(end.as_str()) {
                self.0 = after;
                return text.map_or(Token::Other, Token::Text);
            }
            let mut chars = rest.chars();
            let c = match chars.next() {
                None => {
                    self.0 = "";
                    return Token::Other;
                }
                Some('\\') => chars.next().and_then(escaped),
                Some(c) => Some(c),
            };
            rest = chars.as_str();
            match (c, &mut text) {
                (Some(c), Some(text)) => text.push(c),
                _ => text = None,
            }
        }
    }
}

fn escaped(c: char) -> Option<char> {
    match c {
        'n' => Some('\n'),
        't' => Some('\t'),
        '\\' | '\'' | '"' => Some(c),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SOURCE: &str = r#"
# a list (of documents)
@dataclass(frozen=True)
class DocumentMetadata:
    id: str
    description: str | None = None

DOCUMENTS: tuple[DocumentMetadata, ...] = (
    DocumentMetadata(
        id="orders",
        filename="01_orders.html",
        title="Orders \u2014 how",
        description='It\'s about "orders".',  # a note (really)
    ),
    DocumentMetadata(id='two', filename="two.md", title="Part one, " "part two", description=None),
    {"id": "three", "filename": "three.pdf", "title": f"Part {3}"},
)
BY_ID = {doc.id: doc for doc in DOCUMENTS}
"#;

    #[test]
    fn plain_entries_are_read_and_the_rest_is_passed_over() {
        let entry = |id: &str, filename: &str, title: Option<&str>, description: Option<&str>| Entry {
            id: Some(id.to_owned()),
            filename: filename.to_owned(),
            title: title.map(str::to_owned),
            description: description.map(str::to_owned),
        };
        assert_eq!(
            parse(SOURCE),
            [
                entry("orders", "01_orders.html", None, Some(r#"It's about "orders"."#)),
                entry("two", "two.md", Some("Part one, part two"), None),
                entry("three", "three.pdf", None, None),
            ]
        );
    }

    #[test]
    fn the_list_becomes_a_catalogue_that_reads_back() {
        let mut entries = parse(SOURCE);
        entries.push(Entry { id: Some("two".to_owned()), filename: "four.md".to_owned(), ..Entry::default() });
        entries.push(Entry { filename: "faq [1].md".to_owned(), ..Entry::default() });
        let paths = ["01_orders.html", "sub/two.md", "four.md", "faq [1].md"];
        let (text, notes) = render(&entries, &paths);
        let bound = Catalogue::parse(&text.unwrap()).unwrap().bind(paths).unwrap();
        assert_eq!(bound.details("sub/two.md").title.as_deref(), Some("Part one, part two"));
        assert_eq!(bound.details("01_orders.html").id.as_deref(), Some("orders"));
        assert_eq!(bound.details("four.md").id, None);
        assert!(bound.problems.is_empty());
        assert_eq!(notes.len(), 3, "{notes:?}");
        assert_eq!(render(&[], &paths), (None, Vec::new()));
    }

    proptest! {
        #[test]
        fn any_source_is_read_without_a_panic(source in "[(){}=:,#\"'\\\\a \n\u{e9}]{0,60}") {
            parse(&source);
        }
    }
}
