//! Mail messages (RFC 5322 with MIME): who wrote when to whom, the text, the names of what is attached.
//!
//! The subject is the heading. Of two versions of the text the plain one is read, unless it only points to the other.
//! Attachments are named and not opened; an attached message is read, to a bounded depth. Earlier messages quoted
//! below stay, without their marks, and so do signatures: they often hold the only address.

mod body;

use std::borrow::Cow;

use mail_parser::{Address, Message, MessageParser, MessagePart, MimeHeaders as _, PartType};

use crate::docs::format::blocks::{Blocks, Place};
use crate::docs::format::{Format, FormatError, Input, Parsed, Sniff, TEXT_BYTES, encoding};

/// The row of the table.
pub const FORMAT: Format = Format {
    name: "EML",
    extensions: &["eml"],
    media_type: "message/rfc822",
    max_bytes: TEXT_BYTES,
    is_shown: false,
    sniff,
    read,
};

/// Messages inside messages that are read; deeper ones are named like other attachments.
const MAX_NESTED: u8 = 4;

/// A message with more messages or parts inside is made to cost memory.
const MAX_PARTS: usize = 2_000;

/// How much of a file is looked at for a mail's header.
const HEADER_BYTES: usize = 64 * 1024;

/// Fields that machines write: with one of them and a sender, a header is one of a mail and not of a memo.
const MACHINE_FIELDS: &[&str] =
    &["message-id", "mime-version", "received", "return-path", "delivered-to", "dkim-signature", "x-mailer"];

fn sniff(bytes: &[u8]) -> Sniff {
    if is_mail_header(bytes) { Sniff::Sure } else { encoding::sniff_text(bytes) }
}

/// Whether bytes begin with the header of a mail.
fn is_mail_header(bytes: &[u8]) -> bool {
    let fields = fields(bytes);
    let has = |name: &str| fields.iter().any(|field| field == name);
    has("from") && MACHINE_FIELDS.iter().any(|name| has(name))
}

/// The names of the fields that a file begins with, lower case; none when it begins with anything else.
fn fields(bytes: &[u8]) -> Vec<String> {
    let head = &bytes[..bytes.len().min(HEADER_BYTES)];
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let mut fields = Vec::new();
    for line in head.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            break;
        }
        if matches!(line[0], b' ' | b'\t') && !fields.is_empty() {
            continue;
        }
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { break };
        let name = &line[..colon];
        if name.is_empty() || !name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-') {
            break;
        }
        fields.push(String::from_utf8_lossy(name).to_ascii_lowercase());
    }
    fields
}

fn read(input: Input<'_>) -> Result<Parsed, FormatError> {
    let bytes = without_envelope(input.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(input.bytes));
    let known = fields(bytes);
    if !["from", "to", "subject", "date", "received", "message-id"].iter().any(|name| known.iter().any(|f| f == name)) {
        return Err(FormatError::Malformed("it does not begin with the header of a mail".to_owned()));
    }
    // Boundaries open parts and `message/rfc822` opens messages: no more of them can be inside.
    if count(bytes, b"\n--") > 2 * MAX_PARTS || count(bytes, b"rfc822") > MAX_PARTS / 20 {
        return Err(FormatError::TooMuch("it has too many parts".to_owned()));
    }
    let bytes = header_as_utf8(bytes);
    let message =
        MessageParser::default().parse(&bytes[..]).ok_or_else(|| FormatError::Malformed("it is no mail".to_owned()))?;
    if is_encrypted(&message) {
        return Err(FormatError::Encrypted);
    }
    let mut blocks = Blocks::default();
    push(&message, 0, &mut blocks)?;
    let language = message.parts.first().and_then(|part| part.content_language().as_text()).map(str::to_owned);
    Ok(Parsed { title: message.subject().map(str::to_owned), language, blocks: blocks.finish(), ..Parsed::default() })
}

/// Without the line that a mail brings along from a file of many (mbox, RFC 4155).
fn without_envelope(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().position(|byte| *byte == b'\n').filter(|_| bytes.starts_with(b"From "));
    end.map_or(bytes, |end| &bytes[end + 1..])
}

fn count(bytes: &[u8], what: &[u8]) -> usize {
    bytes.windows(what.len()).filter(|window| *window == what).count()
}

/// Old programs write letters beyond ASCII into the header as they are.
fn header_as_utf8(bytes: &[u8]) -> Cow<'_, [u8]> {
    let blank = [&b"\r\n\r\n"[..], b"\n\n"].iter().filter_map(|end| find(bytes, end)).min().unwrap_or(bytes.len());
    let (header, body) = bytes.split_at(blank);
    if std::str::from_utf8(header).is_ok() {
        return Cow::Borrowed(bytes);
    }
    Cow::Owned([encoding::decode(header, None).as_bytes(), body].concat())
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

/// OpenPGP (RFC 3156) and S/MIME (RFC 8551): the text is not there to be read.
fn is_encrypted(message: &Message<'_>) -> bool {
    let Some(kind) = message.parts.first().and_then(MessagePart::content_type) else { return false };
    let is_enveloped = || {
        let smime = kind.attribute("smime-type");
        smime.is_none_or(|smime| smime.eq_ignore_ascii_case("enveloped-data"))
    };
    match kind.subtype().unwrap_or_default().to_ascii_lowercase().as_str() {
        "encrypted" => true,
        "pkcs7-mime" | "x-pkcs7-mime" => is_enveloped(),
        _ => false,
    }
}

fn push(message: &Message<'_>, depth: u8, blocks: &mut Blocks) -> Result<(), FormatError> {
    if let Some(subject) = message.subject() {
        blocks.heading(depth + 1, subject, Place::default());
    }
    for (name, address) in [("From", message.from()), ("To", message.to()), ("Cc", message.cc())] {
        if let Some(people) = address.map(people).filter(|people| !people.is_empty()) {
            blocks.paragraph(&format!("{name}: {people}"), Place::default());
        }
    }
    if let Some(date) = message.date().filter(|date| date.is_valid()) {
        // As the sender's clock showed it, with its distance from UTC.
        let date = date.to_rfc3339().replace('T', " ");
        blocks.paragraph(&format!("Date: {date}"), Place::default());
    }
    body::push(message, depth, blocks)?;
    attachments(message, depth, blocks)
}

/// Names and addresses, as they are written in a mail program.
fn people(address: &Address<'_>) -> String {
    let person = |person: &mail_parser::Addr<'_>| match (person.name(), person.address()) {
        (Some(name), Some(address)) => Some(format!("{name} <{address}>")),
        (name, address) => name.or(address).map(str::to_owned),
    };
    address.iter().filter_map(person).collect::<Vec<_>>().join(", ")
}

fn attachments(message: &Message<'_>, depth: u8, blocks: &mut Blocks) -> Result<(), FormatError> {
    let names: Vec<&str> = message.attachments().filter_map(MessagePart::attachment_name).collect();
    if !names.is_empty() {
        blocks.paragraph(&format!("Attached: {}", names.join(", ")), Place::default());
    }
    for part in message.attachments() {
        match &part.body {
            PartType::Message(inner) if depth < MAX_NESTED => push(inner, depth + 1, blocks)?,
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
