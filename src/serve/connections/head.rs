//! Judges the head of a request before the HTTP engine sees it. Pure: bytes in, verdict out.
//!
//! The engine forgives what two parties may read in two ways (RFC 9112, sections 2.2, 5.1 and 6.3; OWASP ASVS 4.2.1):
//! a bare line feed, a folded line, a length given twice, a length beside chunks. Here that is refused, so a proxy in
//! front and the server behind never disagree about where a request ends. What passes, the engine accepts.

use axum::http::{HeaderName, HeaderValue, Method, Uri};

/// Bytes of a head at the most, its empty line included.
pub const MAX_BYTES: usize = 32 * 1024;
/// Header fields at the most.
pub const MAX_FIELDS: usize = 100;
/// Bytes of a request's target at the most.
pub const MAX_TARGET_BYTES: usize = 8 * 1024;
/// Bytes of a method, a version and what parts them from the target.
const MAX_LINE_SURPLUS: usize = 64;

/// Why a request is answered without being looked at further. The connection closes after the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is no HTTP/1.1 request, or one that can be read in two ways.
    #[error("the request is malformed: {0}")]
    Malformed(&'static str),
    /// Its target is too long.
    #[error("the target is longer than {MAX_TARGET_BYTES} bytes")]
    TargetTooLong,
    /// Its head is too long, or has too many fields.
    #[error("the headers take more than {MAX_BYTES} bytes or {MAX_FIELDS} fields")]
    HeadTooLarge,
    /// It expects what is not known.
    #[error("the expectation is not supported")]
    Expectation,
    /// It speaks another version of HTTP.
    #[error("the version of HTTP is not supported")]
    Version,
    /// Its head did not come in time.
    #[error("the request took too long")]
    TooSlow,
}

/// What follows a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// So many bytes.
    Length(u64),
    /// Chunks.
    Chunked,
}

/// Looks for the end of a head from `from` on, where the last look ended; how many bytes the head has.
pub fn find_end(bytes: &[u8], from: &mut usize) -> Result<Option<usize>, Refusal> {
    if !bytes.first().is_none_or(|&byte| is_token(byte)) {
        return Err(Refusal::Malformed("it does not begin with a method"));
    }
    while let Some(&byte) = bytes.get(*from) {
        match byte {
            b'\n' => return Err(Refusal::Malformed("a line feed stands alone")),
            b'\r' => match bytes.get(*from + 1) {
                None => break,
                Some(b'\n') if bytes[..*from].ends_with(b"\r\n") => return bounded_end(bytes, *from + 2).map(Some),
                Some(b'\n') => *from += 2,
                Some(_) => return Err(Refusal::Malformed("a carriage return stands alone")),
            },
            _ => *from += 1,
        }
    }
    bounded_end(bytes, bytes.len()).map(|_| None)
}

/// The end, unless it is too far away already.
fn bounded_end(bytes: &[u8], end: usize) -> Result<usize, Refusal> {
    let seen = &bytes[..end.min(MAX_TARGET_BYTES + MAX_LINE_SURPLUS)];
    if seen.len() == MAX_TARGET_BYTES + MAX_LINE_SURPLUS && !seen.contains(&b'\r') {
        return Err(Refusal::TargetTooLong);
    }
    if end > MAX_BYTES { Err(Refusal::HeadTooLarge) } else { Ok(end) }
}

/// Judges a whole head, its empty line included.
pub fn check(head: &[u8]) -> Result<Framing, Refusal> {
    let mut lines = head.split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let line = check_request_line(lines.next().unwrap_or_default())?;
    let mut fields = Fields::default();
    for field in lines.take_while(|line| !line.is_empty()) {
        fields.take(field)?;
    }
    if let Some(authority) = line.authority
        && fields.host.is_none_or(|host| !host.eq_ignore_ascii_case(authority.as_bytes()))
    {
        return Err(Refusal::Malformed("the target and the `Host` header name different hosts"));
    }
    fields.framing(line.is_http_11)
}

/// What is kept of a request line.
struct RequestLine {
    is_http_11: bool,
    /// That of an absolute target.
    authority: Option<String>,
}

fn check_request_line(line: &[u8]) -> Result<RequestLine, Refusal> {
    let mut words = line.split(|&byte| byte == b' ');
    let (Some(method), Some(target), Some(version), None) = (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(Refusal::Malformed("the request line is not method, target and version"));
    };
    let is_http_11 = match version {
        b"HTTP/1.1" => true,
        b"HTTP/1.0" => false,
        [b'H', b'T', b'T', b'P', b'/', ..] => return Err(Refusal::Version),
        _ => return Err(Refusal::Malformed("the request line has no version")),
    };
    if target.len() > MAX_TARGET_BYTES {
        return Err(Refusal::TargetTooLong);
    }
    let method = Method::from_bytes(method).map_err(|_| Refusal::Malformed("the method is not a word"))?;
    let uri = Some(target)
        .filter(|target| target.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'#'))
        .and_then(|target| Uri::try_from(target).ok())
        .ok_or(Refusal::Malformed("the target is not valid"))?;
    let is_of_its_form = match target.first() {
        Some(b'/') => true,
        Some(b'*') => target.len() == 1 && method == Method::OPTIONS,
        _ if method == Method::CONNECT => uri.scheme().is_none(),
        _ => matches!(uri.scheme_str(), Some("http" | "https")),
    };
    if !is_of_its_form {
        return Err(Refusal::Malformed("the target is not a path"));
    }
    let authority = uri.authority().filter(|_| uri.scheme().is_some()).map(ToString::to_string);
    Ok(RequestLine { is_http_11, authority })
}

/// What decides where a request ends, and what is asked before.
#[derive(Default)]
struct Fields<'a> {
    count: usize,
    host: Option<&'a [u8]>,
    length: Option<u64>,
    is_chunked: bool,
}

impl<'a> Fields<'a> {
    fn take(&mut self, line: &'a [u8]) -> Result<(), Refusal> {
        self.count += 1;
        if self.count > MAX_FIELDS {
            return Err(Refusal::HeadTooLarge);
        }
        if matches!(line.first(), Some(b' ' | b'\t')) {
            return Err(Refusal::Malformed("a header is folded"));
        }
        let colon = line.iter().position(|&byte| byte == b':').ok_or(Refusal::Malformed("a header has no colon"))?;
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if !name.iter().all(|&byte| is_token(byte)) || HeaderName::from_bytes(name).is_err() {
            return Err(Refusal::Malformed("the name of a header is not a word"));
        }
        HeaderValue::from_bytes(value).map_err(|_| Refusal::Malformed("a header holds control characters"))?;
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        if is("host") {
            self.host = Some(value);
        } else if is("content-length") {
            self.take_length(value)?;
        } else if is("transfer-encoding") {
            self.take_coding(value)?;
        } else if is("expect") && !value.eq_ignore_ascii_case(b"100-continue") {
            return Err(Refusal::Expectation);
        }
        Ok(())
    }

    fn take_length(&mut self, value: &[u8]) -> Result<(), Refusal> {
        // Digits only: the standard library would also take a sign.
        let digits = std::str::from_utf8(value).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
        let length = digits.and_then(|digits| digits.parse().ok()).filter(|_| self.length.is_none());
        self.length = Some(length.ok_or(Refusal::Malformed("there is no one valid `Content-Length`"))?);
        Ok(())
    }

    fn take_coding(&mut self, value: &[u8]) -> Result<(), Refusal> {
        if self.is_chunked || !value.eq_ignore_ascii_case(b"chunked") {
            return Err(Refusal::Malformed("the only known transfer coding is `chunked`"));
        }
        self.is_chunked = true;
        Ok(())
    }

    fn framing(&self, is_http_11: bool) -> Result<Framing, Refusal> {
        match (self.is_chunked, self.length) {
            (false, length) => Ok(Framing::Length(length.unwrap_or(0))),
            (true, None) if is_http_11 => Ok(Framing::Chunked),
            (true, None) => Err(Refusal::Malformed("HTTP/1.0 knows no chunks")),
            (true, Some(_)) => Err(Refusal::Malformed("it has both a length and chunks")),
        }
    }
}

/// RFC 9110, section 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn judge(text: &str) -> Result<Framing, Refusal> {
        let end = find_end(text.as_bytes(), &mut 0)?.expect("a whole head");
        check(&text.as_bytes()[..end])
    }

    #[test]
    fn what_is_well_formed_passes() {
        for (head, framing) in [
            ("GET / HTTP/1.1\r\nHost: x\r\n\r\n", Framing::Length(0)),
            ("GET / HTTP/1.0\r\n\r\nrest", Framing::Length(0)),
            ("POST /a?b=c HTTP/1.1\r\nhost:x\r\nContent-Length:\t7 \r\n\r\n", Framing::Length(7)),
            ("POST / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\nExpect: 100-Continue\r\n\r\n", Framing::Chunked),
            ("OPTIONS * HTTP/1.1\r\nX-\u{fc}: \u{fc}\r\n\r\n".replace("X-\u{fc}", "X").as_str(), Framing::Length(0)),
            ("GET http://x:1/a HTTP/1.1\r\nHost: X:1\r\n\r\n", Framing::Length(0)),
            ("CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n", Framing::Length(0)),
        ] {
            assert_eq!(judge(head), Ok(framing), "{head:?}");
        }
    }

    /// H9: what two parties may read in two ways is refused.
    #[test]
    fn h9_what_can_be_read_in_two_ways_is_refused() {
        for rest in [
            "Content-Length: 5\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: chunked\r\nContent-Length: 5",
            "Content-Length: 5\r\nContent-Length: 6",
            "Content-Length: 5\r\nContent-Length: 5",
            "Content-Length: 5, 5",
            "Content-Length: +5",
            "Content-Length: 0x5",
            "Content-Length: -1",
            "Content-Length: ",
            "Content-Length: 99999999999999999999",
            "Content-Length : 5",
            "Transfer-Encoding: gzip",
            "Transfer-Encoding: gzip, chunked",
            "Transfer-Encoding: chunked, identity",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: \u{b}chunked",
            "Transfer-Encoding\u{0}: chunked",
            "A: b\r\n c: d",
            "A: b\r\n\tc",
            "A: b\nC: d",
            "A: b\rC: d",
            "A: b\u{0}c",
            "no colon",
            ": no name",
            " Host: x",
        ] {
            let verdict = judge(&format!("POST / HTTP/1.1\r\nHost: x\r\n{rest}\r\n\r\n"));
            assert!(matches!(verdict, Err(Refusal::Malformed(_))), "{rest:?}: {verdict:?}");
        }
        for line in [
            "POST / HTTP/1.1 ",
            "POST  / HTTP/1.1",
            "POST /a b HTTP/1.1",
            "POST /",
            "P\u{1}ST / HTTP/1.1",
            "POST a HTTP/1.1",
            "POST * HTTP/1.1",
            "POST /\u{7f} HTTP/1.1",
            "POST /#a HTTP/1.1",
            "POST http://other/ HTTP/1.1",
            "POST ftp://x/ HTTP/1.1",
            "\u{16}\u{3}\u{1}",
            "POST / http/1.1",
        ] {
            let verdict = judge(&format!("{line}\r\nHost: x\r\n\r\n"));
            assert!(matches!(verdict, Err(Refusal::Malformed(_))), "{line:?}: {verdict:?}");
        }
        let chunks = judge("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n");
        assert!(matches!(chunks, Err(Refusal::Malformed(_))), "{chunks:?}");
    }

    /// H7, H13: bounds, and versions that are off.
    #[test]
    fn h7_h13_bounds_and_versions() {
        let fields = |count: usize| format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(count));
        let target = |bytes: usize| format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(bytes - 1));
        let value = |bytes: usize| format!("GET / HTTP/1.1\r\na: {}\r\n\r\n", "b".repeat(bytes - 23));
        for (head, verdict) in [
            (fields(MAX_FIELDS), Ok(Framing::Length(0))),
            (fields(MAX_FIELDS + 1), Err(Refusal::HeadTooLarge)),
            (target(MAX_TARGET_BYTES), Ok(Framing::Length(0))),
            (target(MAX_TARGET_BYTES + 1), Err(Refusal::TargetTooLong)),
            (target(MAX_BYTES * 2), Err(Refusal::TargetTooLong)),
            (value(MAX_BYTES), Ok(Framing::Length(0))),
            (value(MAX_BYTES + 1), Err(Refusal::HeadTooLarge)),
            ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), Err(Refusal::Version)),
            ("GET / HTTP/1.2\r\n\r\n".to_owned(), Err(Refusal::Version)),
            ("GET / HTTP/1.1\r\nExpect: a-miracle\r\n\r\n".to_owned(), Err(Refusal::Expectation)),
        ] {
            assert_eq!(judge(&head), verdict, "{}", head.chars().take(40).collect::<String>());
        }
        let endless = "a".repeat(MAX_BYTES);
        assert_eq!(find_end(endless.as_bytes(), &mut 0), Err(Refusal::TargetTooLong));
        let endless = format!("GET / HTTP/1.1\r\na: {endless}");
        assert_eq!(find_end(endless.as_bytes(), &mut 0), Err(Refusal::HeadTooLarge));
    }

    proptest! {
        /// B4: no bytes make it panic, and how they are cut into reads does not matter.
        #[test]
        fn b4_cuts_do_not_matter(bytes in prop::collection::vec(head_byte(), 0..200), cut in 0..200_usize) {
            let whole = find_end(&bytes, &mut 0);
            if let Ok(Some(end)) = whole {
                let _ = check(&bytes[..end]);
            }
            let mut from = 0;
            let first = find_end(&bytes[..cut.min(bytes.len())], &mut from);
            let cut = if first == Ok(None) { find_end(&bytes, &mut from) } else { first };
            prop_assert_eq!(cut, whole);
        }
    }

    fn head_byte() -> impl Strategy<Value = u8> {
        prop_oneof![Just(b'\r'), Just(b'\n'), Just(b':'), Just(b' '), Just(b'a'), any::<u8>()]
    }
}
