//! HTML. The main contents only: no scripts, navigation, headers, footers, forms, hidden parts.
//!
//! The tokens of the HTML standard are read in one pass without building a tree, so neither depth nor size of the
//! nesting matters.

use std::cell::RefCell;

use encoding_rs::Encoding;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts};

use crate::docs::format::html_content::Content;
use crate::docs::format::{Format, FormatError, Input, Parsed, Sniff, TEXT_BYTES, encoding};
use crate::model::Block;

/// The row of the table.
pub const FORMAT: Format = Format {
    name: "HTML",
    extensions: &["html", "htm", "xhtml"],
    media_type: "text/html; charset=utf-8",
    max_bytes: TEXT_BYTES,
    is_shown: true,
    sniff,
    read,
};

/// Where the standard looks for a declared encoding.
const DECLARATION_BYTES: usize = 4096;

fn sniff(bytes: &[u8]) -> Sniff {
    encoding::sniff_text(bytes)
}

/// A page with more tags is made to cost memory.
const MAX_PIECES: usize = 2_000_000;

fn read(input: Input<'_>) -> Result<Parsed, FormatError> {
    let text = encoding::decode(input.bytes, declared_encoding(input.bytes));
    let tokens = tokenize(&text);
    if tokens.len() > MAX_PIECES {
        return Err(FormatError::TooMuch(format!("it has more than {MAX_PIECES} tags")));
    }
    let scope = Scope::of(&tokens);
    let mut content = Content::read(&tokens, scope, Furniture::Drop);
    if content.blocks.is_empty() {
        // The author wrapped everything in what is usually furniture.
        content = Content::read(&tokens, Scope::Everything, Furniture::Keep);
    }
    let title = content.blocks.title().or(content.title);
    Ok(Parsed { title, language: content.language, blocks: content.blocks.finish(), ..Parsed::default() })
}

/// The blocks of a piece of HTML inside another format.
pub fn fragment(text: &str) -> Vec<Block> {
    Content::read(&tokenize(text), Scope::Everything, Furniture::Keep).blocks.finish()
}

/// Which part of the page counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// All of it.
    Everything,
    /// What is inside elements of this name.
    Inside(&'static str),
}

impl Scope {
    /// `<main>` when there is one, else `<article>`, when they hold a good part of the text.
    fn of(tokens: &[Piece]) -> Self {
        let all = Content::read(tokens, Self::Everything, Furniture::Drop).text_length();
        ["main", "article"]
            .into_iter()
            .map(Self::Inside)
            .find(|scope| Content::read(tokens, *scope, Furniture::Drop).text_length() * 3 > all)
            .unwrap_or(Self::Everything)
    }
}

/// What to do with navigation, headers, footers and the like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Furniture {
    /// Leave it out.
    Drop,
    /// Read it like everything else.
    Keep,
}

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

fn tokenize(text: &str) -> Vec<Piece> {
    let tokenizer = Tokenizer::new(Sink::default(), TokenizerOpts::default());
    let queue = BufferQueue::default();
    queue.push_back(StrTendril::from(text));
    // The tokenizer pauses after every script; nothing is ever run.
    while !queue.is_empty() {
        let _ = tokenizer.feed(&queue);
    }
    tokenizer.end();
    tokenizer.sink.pieces.into_inner()
}

#[derive(Default)]
struct Sink {
    pieces: RefCell<Vec<Piece>>,
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
        let raw = match name.as_str() {
            "script" => Some(RawKind::ScriptData),
            "style" | "xmp" | "iframe" | "noembed" | "noframes" => Some(RawKind::Rawtext),
            "title" | "textarea" => Some(RawKind::Rcdata),
            _ => None,
        };
        let attributes = tag
            .attrs
            .iter()
            .filter(|attribute| {
                matches!(
                    &*attribute.name.local,
                    "hidden" | "aria-hidden" | "style" | "role" | "lang" | "class" | "id" | "alt" | "start"
                )
            })
            .map(|attribute| (attribute.name.local.to_string(), attribute.value.to_string()))
            .collect();
        self.pieces.borrow_mut().push(Piece::Start { name, attributes });
        raw.map_or(TokenSinkResult::Continue, TokenSinkResult::RawData)
    }
}

/// The encoding in `<meta charset>`, in `<meta http-equiv>` or in the XML declaration.
fn declared_encoding(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(DECLARATION_BYTES)]).to_ascii_lowercase();
    ["charset=", "encoding="].into_iter().find_map(|key| {
        let value = head.split_once(key)?.1.trim_start_matches(['"', '\'', ' ']);
        let end = value.find(|c: char| !c.is_ascii_alphanumeric() && !"-_:.".contains(c)).unwrap_or(value.len());
        let label = &value[..end];
        Encoding::for_label(label.as_bytes())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::BlockKind;

    fn parse(text: &str) -> Parsed {
        read(Input { path: "a.html", bytes: text.as_bytes() }).unwrap()
    }

    fn texts(parsed: &Parsed) -> Vec<&str> {
        parsed.blocks.iter().map(|block| block.text.as_str()).collect()
    }

    #[test]
    fn the_main_contents_only() {
        let parsed = parse(
            "<!doctype html><html lang=de><head><title>T | S</title><style>p{}</style></head><body><nav>Menu</nav>\
             <header>Logo</header><main><h1>One</h1><p>Some <b>bold</b><br>text &amp; more.<script>x<p></script>\
             <div hidden>no</div><p style='display: none'>no<p>yes<aside>ad</aside></main><footer>Foot</footer>",
        );
        assert_eq!(texts(&parsed), ["One", "Some bold text & more.", "yes"]);
        assert_eq!(parsed.title.as_deref(), Some("One"));
        assert_eq!(parsed.language.as_deref(), Some("de"));
        assert_eq!(parsed.blocks[1].locator.heading.as_deref(), Some("One"));
    }

    #[test]
    fn lists_tables_definitions_and_code() {
        let parsed = parse(
            "<ol start=3><li>a<ul><li><p>b</p></li></ul><li>c</ol><table><tr><th>x<th>y<tr><td>1<td><p>2</p></table>\
             <dl><dt>Term<dd>Meaning</dl><pre>l1\n  l2</pre>",
        );
        assert_eq!(texts(&parsed), ["3. a", "  - b", "4. c", "| x | y |", "| 1 | 2 |", "Term", "Meaning", "l1\n  l2"]);
        assert_eq!(parsed.blocks[3].kind, BlockKind::TableRow { header: true });
        assert_eq!(parsed.blocks[4].kind, BlockKind::TableRow { header: false });
        assert_eq!(parsed.blocks[7].kind, BlockKind::Code);
    }

    #[test]
    fn a_table_that_arranges_the_page_is_no_table() {
        let parsed = parse(
            "<table><tr><td class='menu'>Home<td><h1>T</h1><p>Text.</p><table><tr><th>a<th>b<tr><td>1<td>2</table>\
             <p>After.</p><td>Side</table>",
        );
        assert_eq!(texts(&parsed), ["T", "Text.", "| a | b |", "| 1 | 2 |", "After.", "Side"]);
    }

    #[test]
    fn what_is_called_a_menu_is_one() {
        let parsed = parse("<body><ul class='menu x'><li>Home</ul><div id=footer>Imprint</div><p>Our menu today.</p>");
        assert_eq!(texts(&parsed), ["Our menu today."]);
    }

    #[test]
    fn declared_encodings() {
        let bytes = encoding_rs::WINDOWS_1252.encode("<meta charset='windows-1252'><p>café 3 €").0.into_owned();
        let parsed = read(Input { path: "a.html", bytes: &bytes }).unwrap();
        assert_eq!(texts(&parsed), ["café 3 €"]);
    }

    #[test]
    fn everything_in_a_form_is_still_read() {
        assert_eq!(texts(&parse("<body><form><p>All here.</p></form>")), ["All here."]);
    }

    #[test]
    fn sixty_thousand_nested_elements() {
        for open in ["<div>", "<ul><li>", "<table><tr><td>", "<p><span>", "<section>", "<nav>"] {
            let text = format!("<p>before</p>{}deep", open.repeat(60_000));
            assert_eq!(texts(&parse(&text))[0], "before", "{open}");
        }
    }
}
