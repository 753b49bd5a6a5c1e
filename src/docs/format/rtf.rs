//! RTF, as word processors and old report generators write it (Rich Text Format 1.9.1).
//!
//! One pass over the tokens without recursion; what is deeper than any document is read at the depth of its limit.
//! Pictures, objects, headers and footers, comments, hidden and deleted text are left out. Broken ends do no harm:
//! what was read before them counts.

mod body;
mod charset;
mod lexer;
mod word;

use std::collections::HashMap;

use crate::docs::format::rtf::body::Body;
use crate::docs::format::rtf::charset::Charset;
use crate::docs::format::rtf::lexer::{Lexer, Token};
use crate::docs::format::rtf::word::Destination;
use crate::docs::format::{Format, FormatError, Input, MEDIA_BYTES, Parsed, Sniff};
use crate::docs::text::clean_line;

/// The row of the table.
pub const FORMAT: Format = Format {
    name: "RTF",
    extensions: &["rtf"],
    media_type: "application/rtf",
    max_bytes: MEDIA_BYTES,
    is_shown: false,
    sniff,
    read,
};

/// Groups inside groups that keep their own state.
const MAX_DEPTH: usize = 1_000;

fn sniff(bytes: &[u8]) -> Sniff {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.trim_ascii_start().starts_with(br"{\rtf") { Sniff::Sure } else { Sniff::No }
}

#[expect(clippy::unnecessary_wraps, reason = "the signature of every reader in the table")]
fn read(input: Input<'_>) -> Result<Parsed, FormatError> {
    let mut reader = Reader::default();
    for token in Lexer::new(input.bytes) {
        reader.token(token);
    }
    reader.flush();
    let blocks = reader.body.finish();
    let named = Some(clean_line(&reader.title)).filter(|title| !title.is_empty());
    let title = blocks.title().or(named);
    Ok(Parsed { title, blocks: blocks.finish(), ..Parsed::default() })
}

/// What holds until the end of a group.
#[derive(Debug, Clone, Copy)]
struct State {
    destination: Destination,
    charset: Charset,
    /// Characters after `\u` that stand in for it.
    substitutes: usize,
    is_hidden: bool,
    is_deleted: bool,
    is_bold: bool,
    paragraph: body::Format,
}

impl Default for State {
    fn default() -> Self {
        Self {
            destination: Destination::Body,
            charset: Charset::default(),
            substitutes: 1,
            is_hidden: false,
            is_deleted: false,
            is_bold: false,
            paragraph: body::Format::default(),
        }
    }
}

#[derive(Default)]
struct Reader {
    state: State,
    outer: Vec<State>,
    /// Groups that are open beyond the limit.
    deeper: usize,
    /// `\*` came: an unknown destination after it is left out.
    is_optional: bool,
    default_charset: Charset,
    fonts: HashMap<i32, Charset>,
    font: i32,
    /// Levels of headings by number of style.
    styles: HashMap<i32, u8>,
    style: i32,
    style_name: String,
    title: String,
    /// Bytes that wait for the rest of their character.
    bytes: Vec<u8>,
    surrogate: Option<u16>,
    /// Substitutes of a character that are still to come.
    to_skip: usize,
    body: Body,
}

impl Reader {
    fn token(&mut self, token: Token<'_>) {
        match token {
            Token::Text(bytes) => {
                let skipped = self.to_skip.min(bytes.len());
                self.to_skip -= skipped;
                self.add(&bytes[skipped..]);
            }
            Token::Open => self.open(),
            Token::Close => self.close(),
            Token::Optional => self.is_optional = true,
            // A stand-in for a character that was read as Unicode.
            _ if self.to_skip > 0 => self.to_skip -= 1,
            Token::Hex(byte) => self.add(&[byte]),
            Token::Symbol(symbol) => self.symbol(symbol),
            Token::Word(word, number) => {
                self.flush();
                let is_optional = std::mem::take(&mut self.is_optional);
                self.word(word, number, is_optional);
            }
        }
    }

    fn open(&mut self) {
        self.flush();
        self.to_skip = 0;
        if self.outer.len() < MAX_DEPTH {
            self.outer.push(self.state);
        } else {
            self.deeper += 1;
        }
    }

    fn close(&mut self) {
        self.flush();
        self.to_skip = 0;
        self.is_optional = false;
        if self.deeper > 0 {
            self.deeper -= 1;
            return;
        }
        let ended = self.state.destination;
        if let Some(state) = self.outer.pop() {
            self.state = state;
        }
        if ended == Destination::Note && self.state.destination != ended {
            self.body.end_note();
        }
    }

    fn add(&mut self, bytes: &[u8]) {
        if self.state.destination != Destination::Skipped {
            self.bytes.extend_from_slice(bytes);
        }
    }

    fn symbol(&mut self, symbol: u8) {
        match symbol {
            b'~' => self.text("\u{a0}"),
            b'_' => self.text("\u{2011}"),
            b'\n' | b'\r' => self.end_paragraph(),
            b'\\' | b'{' | b'}' => self.add(&[symbol]),
            _ => {}
        }
    }

    /// Decodes the bytes that wait.
    fn flush(&mut self) {
        if !self.bytes.is_empty() {
            let bytes = std::mem::take(&mut self.bytes);
            let text = self.state.charset.decode(&bytes);
            self.text(&text);
        }
    }

    fn text(&mut self, text: &str) {
        if !self.bytes.is_empty() {
            self.flush();
        }
        let State { destination, is_hidden, is_deleted, is_bold, paragraph, .. } = self.state;
        match destination {
            Destination::Body if !is_hidden && !is_deleted => self.body.text(text, is_bold, paragraph),
            Destination::Note if !is_hidden && !is_deleted => self.body.note(text),
            Destination::Marker => self.body.marker(text),
            Destination::Title => self.title.push_str(text),
            Destination::Styles => self.style_text(text),
            _ => {}
        }
    }

    /// A unit of UTF-16 (`\u`), as a signed number.
    fn unit(&mut self, number: i32) {
        let unit = u16::try_from(number & 0xffff).unwrap_or_default();
        let before = self.surrogate.take();
        let units: Vec<u16> = before.into_iter().chain([unit]).collect();
        if before.is_none() && (0xd800..0xdc00).contains(&unit) {
            self.surrogate = Some(unit);
        } else {
            self.text(&String::from_utf16_lossy(&units));
        }
        self.to_skip = self.state.substitutes;
    }

    /// Names of styles end in a semicolon.
    fn style_text(&mut self, text: &str) {
        for c in text.chars() {
            if c != ';' {
                self.style_name.push(c);
                continue;
            }
            if let Some(level) = word::heading_level(&std::mem::take(&mut self.style_name)) {
                self.styles.insert(self.style, level);
            }
        }
    }

    fn end_paragraph(&mut self) {
        match self.state.destination {
            Destination::Body => self.body.end_paragraph(self.state.paragraph),
            Destination::Note => self.body.note(" "),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
