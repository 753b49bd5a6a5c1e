//! The tokens of a page, as far as they matter: elements with a few attributes, and text.

use std::cell::{Cell, RefCell};

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts};

use crate::docs::format::FormatError;
use crate::docs::format::html::bounds;

/// A page with more tags is made to cost memory.
const MAX_PIECES: usize = 2_000_000;

/// Attributes that are looked at.
const ATTRIBUTES: &[&str] = &[
    "hidden",
    "aria-hidden",
    "aria-modal",
    "style",
    "role",
    "lang",
    "xml:lang",
    "class",
    "id",
    "start",
    "colspan",
    "rowspan",
    "property",
    "content",
];

/// Elements without an end.
pub const VOID: &[&str] =
    &["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"];

/// A token, as far as it matters.
#[derive(Debug)]
pub enum Piece {
    /// An element begins.
    Start {
        /// Its name, lower case.
        name: String,
        /// Attributes that matter: name and value.
        attributes: Vec<(String, String)>,
    },
    /// An element ends.
    End(String),
    /// Text, character references resolved.
    Text(String),
}

/// The value of an attribute.
pub fn attribute<'a>(attributes: &'a [(String, String)], name: &str) -> Option<&'a str> {
    attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

/// Cuts a page into pieces.
pub fn tokenize(text: &str) -> Result<Vec<Piece>, FormatError> {
    bounds::check(text)?;
    let sink = Sink::default();
    sink.is_xml.set(text.trim_start().starts_with("<?xml"));
    let tokenizer = Tokenizer::new(sink, TokenizerOpts::default());
    let queue = BufferQueue::default();
    queue.push_back(StrTendril::from(text));
    // The tokenizer pauses after every script; nothing is ever run.
    while !queue.is_empty() {
        let _ = tokenizer.feed(&queue);
    }
    tokenizer.end();
    let pieces = tokenizer.sink.pieces.into_inner();
    if pieces.len() > MAX_PIECES {
        return Err(FormatError::TooMuch(format!("it has more than {MAX_PIECES} tags")));
    }
    Ok(pieces)
}

#[derive(Default)]
struct Sink {
    pieces: RefCell<Vec<Piece>>,
    /// Any element may end where it begins: `<script/>`.
    is_xml: Cell<bool>,
}

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        if self.pieces.borrow().len() > MAX_PIECES {
            return TokenSinkResult::Continue;
        }
        match token {
            Token::TagToken(tag) => self.tag(&tag),
            Token::CharacterTokens(text) => {
                let mut pieces = self.pieces.borrow_mut();
                match pieces.last_mut() {
                    Some(Piece::Text(before)) => before.push_str(&text),
                    _ => pieces.push(Piece::Text(text.to_string())),
                }
                TokenSinkResult::Continue
            }
            _ => TokenSinkResult::Continue,
        }
    }
}

impl Sink {
    fn tag(&self, tag: &Tag) -> TokenSinkResult<()> {
        let name = tag.name.to_string();
        if tag.kind == TagKind::EndTag {
            self.pieces.borrow_mut().push(Piece::End(name));
            return TokenSinkResult::Continue;
        }
        let attributes: Vec<(String, String)> = tag
            .attrs
            .iter()
            .filter(|attribute| ATTRIBUTES.contains(&&*attribute.name.local))
            .map(|attribute| (attribute.name.local.to_string(), attribute.value.to_string()))
            .collect();
        if name == "html" && tag.attrs.iter().any(|attribute| &*attribute.name.local == "xmlns") {
            self.is_xml.set(true);
        }
        let ends = tag.self_closing && (self.is_xml.get() || matches!(name.as_str(), "svg" | "math"));
        let raw = raw_kind(&name).filter(|_| !ends);
        let mut pieces = self.pieces.borrow_mut();
        pieces.push(Piece::Start { name: name.clone(), attributes });
        if ends && !VOID.contains(&name.as_str()) {
            pieces.push(Piece::End(name));
        }
        raw.map_or(TokenSinkResult::Continue, TokenSinkResult::RawData)
    }
}

/// Whether a tag begins with what follows a `<`.
pub fn starts_tag(rest: &str) -> bool {
    rest.strip_prefix('/').unwrap_or(rest).starts_with(|c: char| c.is_ascii_alphabetic())
}

/// Elements whose contents are no tags.
pub fn raw_kind(name: &str) -> Option<RawKind> {
    match name {
        "script" => Some(RawKind::ScriptData),
        "style" | "xmp" | "iframe" | "noembed" | "noframes" => Some(RawKind::Rawtext),
        "title" | "textarea" => Some(RawKind::Rcdata),
        _ => None,
    }
}
