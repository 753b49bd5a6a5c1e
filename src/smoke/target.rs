//! What is looked at: the address of a ChatKit endpoint, and headers to send along.

use std::net::IpAddr;

use reqwest::Url;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderName, HeaderValue, TRANSFER_ENCODING};

use crate::smoke::SmokeError;

/// Where the endpoint is when the address has no path.
const DEFAULT_PATH: &str = "/knowledge/chatkit";

/// The address of a ChatKit endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// It, complete.
    pub url: Url,
}

/// A header that every request carries.
pub type Header = (HeaderName, HeaderValue);

impl Target {
    /// Reads an address; one without a path is that of a server, whose endpoint has its usual place.
    pub fn parse(text: &str) -> Result<Self, SmokeError> {
        let refuse = |why: &str| SmokeError::Target(why.to_owned());
        let mut url = Url::parse(text.trim()).map_err(|error| refuse(&format!("is not valid: {error}")))?;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err(refuse("needs the form http://HOST:PORT or https://HOST/PATH"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refuse("must not hold a name or a password; set PROBE_TOKEN instead"));
        }
        url.set_fragment(None);
        if url.path() == "/" {
            url.set_path(DEFAULT_PATH);
        }
        Ok(Self { url })
    }

    /// Whether it is on this machine, where nobody else needs to be asked.
    pub fn is_loopback(&self) -> bool {
        let host = self.url.host_str().unwrap_or_default();
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        address.map_or(host.eq_ignore_ascii_case("localhost"), |address| address.is_loopback())
    }

    /// An address that the server named, when it lies on the same origin: no other is ever contacted (C5).
    pub fn same_origin(&self, address: &str) -> Option<Url> {
        let url = self.url.join(address).ok()?;
        (url.origin() == self.url.origin()).then_some(url)
    }
}

/// Reads `Name: value`. Headers that frame a message are refused: they belong to the client.
pub fn parse_header(line: &str) -> Result<Header, SmokeError> {
    let refuse = |why: &str| SmokeError::Header(why.to_owned());
    let (name, value) = line.split_once(':').ok_or_else(|| refuse("needs the form `Name: value`"))?;
    let name: HeaderName = name.trim().parse().map_err(|_| refuse("has a name that HTTP does not allow"))?;
    let mut value: HeaderValue =
        value.trim().parse().map_err(|_| refuse(&format!("`{name}` has a value that HTTP does not allow")))?;
    if [HOST, CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING].contains(&name) {
        return Err(refuse(&format!("`{name}` is set by the cases themselves")));
    }
    value.set_sensitive(true);
    Ok((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_without_a_path_gets_the_usual_one() {
        let path = |text: &str| Target::parse(text).unwrap().url.to_string();
        assert_eq!(path("http://127.0.0.1:8002"), "http://127.0.0.1:8002/knowledge/chatkit");
        assert_eq!(path("https://bot.example/chatkit#x"), "https://bot.example/chatkit");
    }

    #[test]
    fn other_schemes_and_passwords_are_refused() {
        for text in ["ftp://x", "file:///etc/passwd", "bot.example", "http://", "http://a:hunter2@x/"] {
            let error = Target::parse(text).unwrap_err().to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    /// C6: what is not on this machine is asked for.
    #[test]
    fn only_this_machine_is_loopback() {
        let is = |text: &str| Target::parse(text).unwrap().is_loopback();
        assert!(is("http://127.0.0.1:1") && is("http://[::1]:1") && is("http://localhost/x"));
        assert!(!is("http://127.0.0.1.example") && !is("http://10.0.0.1") && !is("http://localhost.example"));
    }

    /// C5: an address that a server names is contacted on its own origin only.
    #[test]
    fn only_the_same_origin_is_contacted() {
        let target = Target::parse("http://127.0.0.1:8002").unwrap();
        assert_eq!(target.same_origin("/upload/1").unwrap().as_str(), "http://127.0.0.1:8002/upload/1");
        for other in ["http://127.0.0.1:8003/x", "https://127.0.0.1:8002/x", "//169.254.169.254/x", "file:///x"] {
            assert_eq!(target.same_origin(other), None, "{other}");
        }
    }

    #[test]
    fn headers_are_read_strictly() {
        assert_eq!(parse_header("X-Tenant: a:b").unwrap().1, "a:b");
        for line in ["none", "a b: c", "x: \u{1}", "Host: other", "content-length: 1"] {
            assert!(parse_header(line).is_err(), "{line}");
        }
    }
}
