//! How a browser is told to take a file: type, inline or download, and what it may do.
//!
//! The type comes from the table of formats: from the row as which the document was read. Active types run nothing of their own.

use axum::http::HeaderValue;
use encoding_rs::{UTF_8, UTF_16BE, UTF_16LE};

use crate::docs::format::{self, Format, encoding};
use crate::model::attachment::{Attachment, AttachmentKind};
use crate::model::{DocumentRecord, file_name};
use crate::serve::file::opened::Look;

/// For documents that a browser shows: no script, no form, no origin of its own, nothing loaded but its own style.
const SANDBOX: HeaderValue = HeaderValue::from_static(
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'",
);
const PDF: &str = "application/pdf";
/// The browsers' PDF viewers do not start in a sandbox; a PDF runs no script of ours either way.
const PDF_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'",
);

/// How a browser is told to take a file.
pub struct Treatment {
    /// `Content-Type`.
    pub media_type: HeaderValue,
    /// `Content-Disposition`.
    pub disposition: HeaderValue,
    /// `Content-Security-Policy`.
    pub policy: HeaderValue,
}

/// As the row of its format says; what has none is a download of nobody's type. `look` is for text alone.
pub fn treatment(record: &DocumentRecord, look: &Look) -> Treatment {
    let is_shown = row(record).is_some_and(|format| format.is_shown);
    Treatment {
        media_type: labelled(media_type(record), look),
        disposition: disposition(if is_shown { "inline" } else { "attachment" }, file_name(&record.path)),
        policy: if is_pdf(record) { PDF_POLICY } else { SANDBOX },
    }
}

/// For what a visitor attached: pictures are shown, anything else is a download. `media_type` is the server's own.
pub fn of_attachment(attachment: &Attachment, media_type: Option<&'static str>, look: &Look) -> Treatment {
    let kind = match attachment.kind {
        AttachmentKind::Image if media_type.is_some() => "inline",
        _ => "attachment",
    };
    Treatment {
        media_type: labelled(media_type.unwrap_or("application/octet-stream"), look),
        disposition: disposition(kind, &attachment.name),
        policy: SANDBOX,
    }
}

/// Whether a document is a PDF: its viewers open at a page that the address names.
pub fn is_pdf(record: &DocumentRecord) -> bool {
    media_type(record) == PDF
}

/// Whether the type of a document promises an encoding, which its file must be looked at for.
pub fn is_text(record: &DocumentRecord) -> bool {
    media_type(record).contains(';')
}

/// What it was read as, whatever its name says.
fn row(record: &DocumentRecord) -> Option<&'static Format> {
    format::by_name(&record.format).or_else(|| format::by_extension(&record.path))
}

fn media_type(record: &DocumentRecord) -> &'static str {
    row(record).map_or("application/octet-stream", |format| format.media_type)
}

/// The type with the encoding that the text has, where its row promises one.
fn labelled(media_type: &'static str, look: &Look) -> HeaderValue {
    let Some((essence, _)) = media_type.split_once(';') else { return HeaderValue::from_static(media_type) };
    let label = encoding::label::label(&look.bytes, look.is_all);
    // A page in an old encoding says so itself, and browsers look: what it says is better than a guess.
    let is_page = essence == "text/html" || essence == "application/xhtml+xml";
    let label = label.filter(|label| !is_page || *label == UTF_8 || *label == UTF_16LE || *label == UTF_16BE);
    let labelled = label.map(|label| format!("{essence}; charset={}", label.name().to_ascii_lowercase()));
    labelled.and_then(|text| HeaderValue::try_from(text).ok()).unwrap_or(HeaderValue::from_static(essence))
}

/// `Content-Disposition` by RFC 6266; names beyond plain ASCII as RFC 8187 says, with a plain one beside.
fn disposition(kind: &str, filename: &str) -> HeaderValue {
    let name: String = filename.chars().map(|each| if is_deceitful(each) { '_' } else { each }).collect();
    let is_plain = |each: char| matches!(each, ' '..='~') && each != '%';
    let plain: String = name.chars().map(|each| if is_plain(each) { each } else { '_' }).collect();
    let mut text = format!("{kind}; filename=\"{plain}\"");
    if plain != name {
        text = format!("{text}; filename*=UTF-8''{}", percent(&name));
    }
    HeaderValue::try_from(text).expect("the name holds visible ASCII only")
}

/// Ends the header, leads to another folder, or turns the name round for those who read it.
pub fn is_deceitful(each: char) -> bool {
    each.is_control()
        || matches!(each, '"' | '\'' | '/' | '\\')
        || matches!(each, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Percent-encodes all but the unreserved characters of RFC 3986.
pub fn percent(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{disposition, is_pdf, is_text, labelled, treatment};
    use crate::docs::format::FORMATS;
    use crate::model::DocumentRecord;
    use crate::serve::file::opened::Look;
    use crate::serve::tests::bot::record;

    fn look(bytes: &[u8]) -> Look {
        Look { bytes: bytes.to_vec(), is_all: true }
    }

    /// D4: names in headers are encoded by the standards, without what could end or turn them.
    #[test]
    fn names_cannot_break_out_of_the_header() {
        let cases = [
            ("refund_policy.md", "inline; filename=\"refund_policy.md\""),
            ("a\"b\\c.md", "inline; filename=\"a_b_c.md\""),
            ("a\r\nb.md", "inline; filename=\"a__b.md\""),
            ("Größe.md", "inline; filename=\"Gr__e.md\"; filename*=UTF-8''Gr%C3%B6%C3%9Fe.md"),
            ("50%.md", "inline; filename=\"50_.md\"; filename*=UTF-8''50%25.md"),
            ("a\u{202e}dm.exe", "inline; filename=\"a_dm.exe\""),
        ];
        for (name, expected) in cases {
            assert_eq!(disposition("inline", name), expected);
        }
    }

    #[test]
    fn only_tame_types_are_shown() {
        let treat = |name: &str| treatment(&record("a", name), &look(b"text"));
        for (name, shown) in [
            ("a.md", "inline"),
            ("a.PDF", "inline"),
            ("a.xhtml", "inline"),
            ("a.svg", "attachment"),
            ("a.xml", "attachment"),
            ("a", "attachment"),
            ("a.docx", "attachment"),
        ] {
            assert!(treat(name).disposition.to_str().unwrap().starts_with(shown), "{name}");
        }
        assert!(treat("a.html").policy.to_str().unwrap().starts_with("sandbox;"));
        for format in FORMATS {
            let name = format!("a.{}", format.extensions[0]);
            let treatment = treat(&name);
            assert_eq!(treatment.media_type, format.media_type);
            let policy = treatment.policy.to_str().unwrap();
            assert!(policy.starts_with("sandbox;") || policy.contains("object-src"), "{name}");
        }
        assert_eq!(treat("a.svg").media_type, "application/octet-stream");
    }

    #[test]
    fn a_document_is_what_it_was_read_as() {
        let read_as = |name: &str, format: &str| DocumentRecord { format: format.to_owned(), ..record("a", name) };
        let guide = read_as("guide.md", "PDF");
        assert!(is_pdf(&guide) && !is_text(&guide));
        assert_eq!(treatment(&guide, &Look::default()).media_type, "application/pdf");
        let letter = treatment(&read_as("letter.txt", "DOCX"), &Look::default());
        assert_eq!(letter.disposition, "attachment; filename=\"letter.txt\"");
        let page = treatment(&read_as("page.txt", "HTML"), &look(b"<p>text"));
        assert_eq!(page.media_type, "text/html; charset=utf-8");
        assert!(page.policy.to_str().unwrap().starts_with("sandbox;"));
        // Indexes of before know no format.
        assert!(is_pdf(&read_as("guide.pdf", "")) && !is_pdf(&read_as("guide.pdf", "Markdown")));
    }

    #[test]
    fn text_is_labelled_with_its_encoding() {
        let plain = "text/plain; charset=utf-8";
        let labelled = |media_type: &'static str, bytes: &[u8]| labelled(media_type, &look(bytes));
        assert_eq!(labelled(plain, "Größe".as_bytes()), plain);
        assert_eq!(labelled(plain, b"Gr\xf6\xdfe und Passform"), "text/plain; charset=windows-1252");
        assert_eq!(labelled(plain, b"\xff\xfeG\0"), "text/plain");
        assert_eq!(labelled(plain, b"\x1b$BJVIJ\x1b(B"), "text/plain; charset=iso-2022-jp");
        assert_eq!(labelled("text/html; charset=utf-8", b"Gr\xf6\xdfe"), "text/html");
        assert_eq!(labelled("text/html; charset=utf-8", b"\x1b$BJVIJ\x1b(B"), "text/html");
        assert_eq!(labelled("application/pdf", b"%PDF-\xff"), "application/pdf");
    }
}
