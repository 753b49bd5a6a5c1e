//! The text of a mail: which version of it, its encoding, wrapped lines and quoted ones.

use encoding_rs::Encoding;
use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;
use mail_parser::{Encoding as Transfer, Message, MessagePart, MimeHeaders as _, PartType};

use crate::docs::format::blocks::{Blocks, Place};
use crate::docs::format::{FormatError, encoding, html, plain};
use crate::model::{Block, BlockKind};

/// A plain version so much shorter than the other one only says that there is another one.
const STUB_RATIO: usize = 4;

/// Adds the text of a message, its headings below the subject.
pub fn push(message: &Message<'_>, depth: u8, blocks: &mut Blocks) -> Result<(), FormatError> {
    let (plain, html) = (texts(message, message.text_bodies())?, texts(message, message.html_bodies())?);
    let body = if length(&plain) * STUB_RATIO < length(&html) { html } else { plain };
    for mut block in body {
        if let BlockKind::Heading { level } = &mut block.kind {
            *level = (*level + depth + 1).min(6);
        }
        blocks.extend(vec![block], Place::default());
    }
    Ok(())
}

fn length(blocks: &[Block]) -> usize {
    blocks.iter().map(|block| block.text.len()).sum()
}

fn texts<'m>(
    message: &Message<'_>,
    parts: impl Iterator<Item = &'m MessagePart<'m>>,
) -> Result<Vec<Block>, FormatError> {
    let mut blocks = Vec::new();
    for part in parts {
        match &part.body {
            PartType::Text(text) => blocks.extend(plain::fragment(&unwrapped(part, &whole(message, part, text)))),
            PartType::Html(text) => blocks.extend(html::page(&whole(message, part, text))?),
            _ => {}
        }
    }
    Ok(blocks)
}

/// The text of a part. Where its bytes do not fit what it declares, they are looked at anew.
fn whole(message: &Message<'_>, part: &MessagePart<'_>, text: &str) -> String {
    if !text.contains(char::REPLACEMENT_CHARACTER) {
        return text.to_owned();
    }
    let range = part.raw_body_offset() as usize..part.raw_end_offset() as usize;
    let raw = message.raw_message().get(range).unwrap_or_default();
    let bytes = match part.encoding {
        Transfer::None => Some(raw.to_vec()),
        Transfer::QuotedPrintable => quoted_printable_decode(raw),
        Transfer::Base64 => base64_decode(raw),
    };
    let label = part.content_type().and_then(|kind| kind.attribute("charset"));
    let declared = label.and_then(|label| Encoding::for_label(label.as_bytes()));
    bytes.map_or_else(|| text.to_owned(), |bytes| encoding::decode(&bytes, declared))
}

/// The lines of a text, without the marks of quotes, and paragraphs apart where the depth of quoting changes.
///
/// With `format=flowed` (RFC 3676) a line that ends in a space goes on in the next one of the same depth.
fn unwrapped(part: &MessagePart<'_>, text: &str) -> String {
    let format = part.content_type().and_then(|kind| kind.attribute("format"));
    let is_flowed = format.is_some_and(|format| format.eq_ignore_ascii_case("flowed"));
    let mut lines = String::with_capacity(text.len());
    let (mut depth, mut goes_on) = (0, false);
    for line in text.lines() {
        let (quoted, line) = unquoted(line);
        if quoted != depth {
            lines.push_str("\n\n");
            (depth, goes_on) = (quoted, false);
        }
        // The line before a signature is `-- `: neither flowed nor text.
        if line.trim_end() == "--" {
            lines.push_str("\n\n");
            goes_on = false;
            continue;
        }
        if !goes_on && !lines.is_empty() {
            lines.push('\n');
        }
        // A flowed line that begins with a space or a mark was given one more space.
        lines.push_str(if is_flowed { line.strip_prefix(' ').unwrap_or(line) } else { line });
        goes_on = is_flowed && line.ends_with(' ');
    }
    lines
}

/// How deep a line is quoted, and the line without the marks.
fn unquoted(line: &str) -> (usize, &str) {
    let mut depth = 0;
    let mut rest = line;
    while let Some(inner) = rest.strip_prefix('>').or_else(|| rest.strip_prefix(" >").filter(|_| depth > 0)) {
        depth += 1;
        rest = inner;
    }
    (depth, if depth > 0 { rest.strip_prefix(' ').unwrap_or(rest) } else { rest })
}
