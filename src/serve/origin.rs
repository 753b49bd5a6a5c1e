//! Which pages may make a visitor's browser change things here.
//!
//! A browser sends `Origin` with every request that changes state, and a page cannot forge it. Programs that are no
//! browsers send none and carry no one else's cookies.

use std::net::IpAddr;

use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};

use crate::config::AuthMode;
use crate::serve::ServeError;
use crate::serve::error::ApiError;

/// The origins that are let in.
#[derive(Debug, Clone)]
pub struct Origins {
    allowed: Vec<HeaderValue>,
    public_origin: Option<String>,
    auth_mode: AuthMode,
}

impl Origins {
    /// `CORS_ORIGINS`, the origin of `PUBLIC_URL`, and whatever the request itself was addressed to.
    pub fn new(cors_origins: &[String], public_url: Option<&Uri>, auth_mode: AuthMode) -> Result<Self, ServeError> {
        let allowed = cors_origins
            .iter()
            .map(|origin| HeaderValue::try_from(origin.trim_end_matches('/')))
            .collect::<Result<_, _>>()
            .map_err(|_| ServeError::Setting {
                key: "CORS_ORIGINS",
                why: "an origin holds a character that no header may hold".to_owned(),
            })?;
        Ok(Self { allowed, public_origin: public_url.and_then(origin_of), auth_mode })
    }

    /// The origins of `CORS_ORIGINS`.
    pub fn allowed(&self) -> &[HeaderValue] {
        &self.allowed
    }

    /// Refuses a request that changes state on behalf of a page from elsewhere.
    pub fn check(&self, method: &Method, headers: &HeaderMap) -> Result<(), ApiError> {
        if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
            return Ok(());
        }
        let is_from_elsewhere =
            headers.get("sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none");
        let may = match headers.get(header::ORIGIN) {
            Some(origin) if self.allowed.contains(origin) => true,
            Some(origin) => !is_from_elsewhere && self.is_own(origin, headers),
            None => !is_from_elsewhere,
        };
        if may { Ok(()) } else { Err(ApiError::forbidden("this origin is not allowed")) }
    }

    fn is_own(&self, origin: &HeaderValue, headers: &HeaderMap) -> bool {
        let Ok(origin) = origin.to_str() else {
            return false;
        };
        if self.public_origin.as_deref() == Some(origin) {
            return true;
        }
        let Ok(uri) = origin.parse::<Uri>() else {
            return false;
        };
        let (Some("http" | "https"), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return false;
        };
        let is_addressed = headers
            .get(header::HOST)
            .and_then(|host| host.to_str().ok())
            .is_some_and(|host| host.eq_ignore_ascii_case(authority.as_str()));
        // Without sign-in every local page is the same principal, so a foreign name that was made to point here
        // must not count as our own.
        is_addressed && (self.auth_mode != AuthMode::Off || is_loopback(authority.host()))
    }
}

/// The names under which the server may be addressed.
///
/// A page can have its own name point here (DNS rebinding); its browser then takes our answers for that page's own, and
/// no `Origin` is sent along. But the name it was called by stands in `Host`.
#[derive(Debug, Clone)]
pub enum Names {
    /// Any: behind cookies, a name never seen before is a visitor never seen before.
    Any,
    /// The loopback's, and that of `PUBLIC_URL`.
    Known(Option<String>),
}

impl Names {
    /// Any name only where visitors are told apart and no `PUBLIC_URL` says better.
    pub fn new(public_url: Option<&Uri>, auth_mode: AuthMode) -> Self {
        let public_host = public_url.and_then(Uri::host).map(str::to_owned);
        match (auth_mode, public_host) {
            (AuthMode::Visitor, None) => Self::Any,
            (_, public_host) => Self::Known(public_host),
        }
    }

    /// Refuses a request without exactly one valid `Host`, or one to another name.
    pub fn check(&self, headers: &HeaderMap) -> Result<(), ApiError> {
        let mut hosts = headers.get_all(header::HOST).iter();
        let host = match (hosts.next(), hosts.next()) {
            (Some(host), None) => host.to_str().ok().and_then(|host| host.parse::<Authority>().ok()),
            (None, _) => return Err(ApiError::bad_request("the `Host` header is missing")),
            _ => return Err(ApiError::bad_request("there is more than one `Host` header")),
        };
        let Some(host) = host.filter(|host| !host.as_str().contains('@') && !host.host().is_empty()) else {
            return Err(ApiError::bad_request("the `Host` header is not valid"));
        };
        if self.has(host.host()) {
            return Ok(());
        }
        let status = StatusCode::MISDIRECTED_REQUEST;
        Err(ApiError::new(status, "misdirected_request", "this server does not go by the name in the `Host` header"))
    }

    fn has(&self, host: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Known(public_host) => {
                is_loopback(host) || public_host.as_ref().is_some_and(|public| public.eq_ignore_ascii_case(host))
            }
        }
    }
}

/// Scheme, host and port, as browsers write an origin.
fn origin_of(url: &Uri) -> Option<String> {
    let (scheme, host) = (url.scheme_str()?, url.host()?.to_ascii_lowercase());
    let standard = match scheme {
        "https" => 443,
        _ => 80,
    };
    match url.port_u16() {
        Some(port) if port != standard => Some(format!("{scheme}://{host}:{port}")),
        _ => Some(format!("{scheme}://{host}")),
    }
}

/// Whether a name or an address, with or without brackets, is this machine's own.
pub fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || host.to_ascii_lowercase().ends_with(".localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};

    use super::{Names, Origins};
    use crate::config::AuthMode;

    type Headers = &'static [(&'static str, &'static str)];

    #[test]
    fn who_may_change_things() {
        let url = "https://Bot.example".parse().unwrap();
        let cors = ["https://shop.example".to_owned()];
        let visitor = Origins::new(&cors, Some(&url), AuthMode::Visitor).unwrap();
        let off = Origins::new(&[], None, AuthMode::Off).unwrap();
        let cases: &[(&Origins, Headers, bool)] = &[
            (&visitor, &[], true),
            (&visitor, &[("origin", "https://bot.example")], true),
            (&visitor, &[("origin", "https://shop.example"), ("sec-fetch-site", "cross-site")], true),
            (&visitor, &[("origin", "https://evil.example")], false),
            (&visitor, &[("origin", "null")], false),
            (&visitor, &[("origin", "http://in:8"), ("host", "in:8")], true),
            (&visitor, &[("origin", "http://in:8"), ("host", "in:9")], false),
            (&visitor, &[("origin", "http://in:8"), ("host", "in:8"), ("sec-fetch-site", "same-origin")], true),
            (&visitor, &[("sec-fetch-site", "cross-site")], false),
            (&visitor, &[("sec-fetch-site", "same-site")], false),
            (&visitor, &[("sec-fetch-site", "none")], true),
            (&off, &[("origin", "http://127.0.0.1:8"), ("host", "127.0.0.1:8")], true),
            (&off, &[("origin", "http://localhost:8"), ("host", "localhost:8")], true),
            (&off, &[("origin", "http://[::1]:8"), ("host", "[::1]:8")], true),
            (&off, &[("origin", "http://rebound.example:8"), ("host", "rebound.example:8")], false),
        ];
        for (origins, headers, allowed) in cases {
            let map: HeaderMap = headers
                .iter()
                .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
                .collect();
            assert_eq!(origins.check(&Method::POST, &map).is_ok(), *allowed, "{headers:?}");
            assert!(origins.check(&Method::GET, &map).is_ok());
        }
    }

    #[test]
    fn which_names_are_ours() {
        let url = "https://Bot.example".parse().unwrap();
        let everywhere = ["localhost", "LOCALHOST:8", "127.0.0.1:8", "127.9.9.9", "[::1]:8"];
        let public = ["bot.example", "BOT.example:443"];
        let foreign =
            ["rebound.example:8", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1", "bot.example."];
        let invalid = ["", ":80", "a b", "evil.example@localhost", "localhost/x", "[::1"];
        let cases = [
            (Names::new(None, AuthMode::Off), false, false),
            (Names::new(Some(&url), AuthMode::Off), true, false),
            (Names::new(Some(&url), AuthMode::Visitor), true, false),
            (Names::new(None, AuthMode::Visitor), true, true),
        ];
        for (names, has_public, has_foreign) in cases {
            let is_ours = |host: &'static str| {
                names.check(&HeaderMap::from_iter([(header::HOST, HeaderValue::from_static(host))])).is_ok()
            };
            for (hosts, ours) in
                [(&everywhere[..], true), (&public, has_public), (&foreign, has_foreign), (&invalid, false)]
            {
                for host in hosts {
                    assert_eq!(is_ours(host), ours, "{names:?}: {host}");
                }
            }
        }
    }
}
