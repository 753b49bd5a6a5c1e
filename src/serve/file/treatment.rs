//! How a browser is told to take a file: type, inline or download, and what it may do.
//!
//! The type comes from the table of formats, never from the file. Active types run nothing of their own.

use axum::http::HeaderValue;
use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};

use crate::docs::format;
use crate::model::DocumentRecord;
use crate::model::file_name;

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

/// As the row of its format says; what has none is a download of nobody's type. `start` is how the file begins.
pub fn treatment(record: &DocumentRecord, start: &[u8]) -> Treatment {
    let name = file_name(&record.path);
    let media_type = format::media_type(name);
    let is_shown = format::by_extension(name).is_some_and(|format| format.is_shown);
    Treatment {
        media_type: labelled(media_type, start),
        disposition: disposition(if is_shown { "inline" } else { "attachment" }, name),
        policy: if is_pdf(name) { PDF_POLICY } else { SANDBOX },
    }
}

/// Whether a file of this name is a PDF: its viewers open at a page that the address names.
pub fn is_pdf(name: &str) -> bool {
    format::media_type(name) == PDF
}

/// The type with the encoding that the text has, where its row promises one.
fn labelled(media_type: &'static str, start: &[u8]) -> HeaderValue {
    let Some((essence, _)) = media_type.split_once(';') else { return HeaderValue::from_static(media_type) };
    if is_utf8_so_far(start) {
        return HeaderValue::from_static(media_type);
    }
    // A page in another encoding says so itself, and browsers look; a byte order mark is stronger than any label.
    let is_marked = encoding_rs::Encoding::for_bom(start).is_some() || start.contains(&0);
    if essence == "text/html" || essence == "application/xhtml+xml" || is_marked {
        return HeaderValue::from_static(essence);
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(start, false);
    let encoding = detector.guess(None, Utf8Detection::Deny);
    HeaderValue::try_from(format!("{essence}; charset={}", encoding.name().to_ascii_lowercase()))
        .unwrap_or(HeaderValue::from_static(essence))
}

fn is_utf8_so_far(start: &[u8]) -> bool {
    match std::str::from_utf8(start) {
        Ok(_) => true,
        // A character that the probe cut in two is no error.
        Err(error) => error.error_len().is_none(),
    }
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
fn is_deceitful(each: char) -> bool {
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
    use super::{disposition, labelled, treatment};
    use crate::docs::format::FORMATS;
    use crate::serve::tests::bot::record;

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
        let treat = |name: &str| treatment(&record("a", name), b"text");
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
    fn text_is_labelled_with_its_encoding() {
        let plain = "text/plain; charset=utf-8";
        assert_eq!(labelled(plain, "Größe".as_bytes()), plain);
        assert_eq!(labelled(plain, b"Gr\xf6\xdfe und Passform"), "text/plain; charset=windows-1252");
        assert_eq!(labelled(plain, &"Größe".as_bytes()[..3]), plain);
        assert_eq!(labelled(plain, b"\xff\xfeG\0"), "text/plain");
        assert_eq!(labelled("text/html; charset=utf-8", b"Gr\xf6\xdfe"), "text/html");
        assert_eq!(labelled("application/pdf", b"%PDF-\xff"), "application/pdf");
    }
}
