//! From the text of a value to what it means. Pure; a message says what would be right and never repeats the value,
//! since it may be a secret.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use reqwest::Url;
use tracing::Level;

use crate::config::settings::{Network, RateLimit};
use crate::text::Language;

/// What a setting takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// Any text.
    Text,
    /// A secret of at least so many bytes.
    Secret {
        /// Fewer are refused.
        min_bytes: usize,
    },
    /// A number.
    Number {
        /// The smallest.
        min: f64,
        /// The largest.
        max: f64,
    },
    /// A whole number.
    Whole {
        /// The smallest.
        min: u64,
        /// The largest.
        max: u64,
    },
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Python's or tracing's words.
    LogLevel,
    /// A host name or an IP address.
    Host,
    /// An IP address with a port.
    Address,
    /// IP addresses and networks, separated by commas.
    Networks,
    /// Origins, separated by commas.
    Origins,
    /// An `http` or `https` URL.
    Url,
    /// The same, of an API: it may have a query.
    ApiUrl,
    /// The same, of a proxy: it may have a user name and a password.
    ProxyUrl,
    /// The same without a path.
    Site,
    /// `sqlite:` and a path.
    DatabaseUrl,
    /// A file that exists.
    ExistingFile,
    /// A file that need not exist.
    File,
    /// A folder that need not exist.
    Folder,
    /// `N/s` or `off`.
    Rate,
    /// ISO 639-3 codes, separated by commas.
    Languages,
    /// A JSON object.
    Json,
}

impl Kind {
    /// Whether a password may stand within the value.
    pub fn is_url(self) -> bool {
        matches!(self, Self::Url | Self::ApiUrl | Self::ProxyUrl | Self::Site | Self::DatabaseUrl)
    }

    /// Says what would be right when `value` is not. Relative paths are looked up in `folder`.
    pub fn check(self, value: &str, folder: &Path) -> Result<(), String> {
        match self {
            Self::Text => Ok(()),
            Self::Secret { min_bytes } => secret(value, min_bytes),
            Self::Number { min, max } => number(value, min, max),
            Self::Whole { min, max } => whole(value, min, max).map(drop),
            Self::Choice(words) => choice(value, words).map(drop),
            Self::LogLevel => log_level(value).map(drop),
            Self::Host => host(value).map(drop),
            Self::Address => address(value),
            Self::Networks => networks(value).map(drop),
            Self::Origins => origins(value).map(drop),
            Self::Url => http_url(value).map(drop),
            Self::ApiUrl => api_url(value).map(drop),
            Self::ProxyUrl => proxy_url(value).map(drop),
            Self::Site => site_url(value).map(drop),
            Self::DatabaseUrl => database_url(value),
            Self::ExistingFile => path_is(&folder.join(value), "a file that exists", Path::is_file),
            Self::File => path_is(&folder.join(value), "a file, not a folder", |path| !path.is_dir()),
            Self::Folder => path_is(&folder.join(value), "a folder, not a file", |path| !path.is_file()),
            Self::Rate => rate(value).map(drop),
            Self::Languages => languages(value).map(drop),
            Self::Json => json_object(value).map(drop),
        }
    }
}

/// A whole number within bounds.
pub fn whole(value: &str, min: u64, max: u64) -> Result<u64, String> {
    let parsed = value.parse().ok().filter(|number| (min..=max).contains(number));
    parsed.ok_or_else(|| format!("must be a whole number from {min} to {max}"))
}

/// ISO 639-3 codes of languages that are told apart.
pub fn languages(value: &str) -> Result<Vec<String>, String> {
    let codes = value.split(',').map(str::trim).filter(|code| !code.is_empty());
    codes
        .map(|code| {
            let known = Language::from_code(&code.to_ascii_lowercase());
            known.map(|language| language.code().to_owned()).ok_or_else(|| {
                "must be language codes of three letters (ISO 639-3), separated by commas, such as deu,fra".to_owned()
            })
        })
        .collect()
}

/// A JSON object.
pub fn json_object(value: &str) -> Result<serde_json::Value, String> {
    match serde_json::from_str(value) {
        Ok(object @ serde_json::Value::Object(_)) => Ok(object),
        Ok(_) => Err("must be a JSON object".to_owned()),
        Err(error) => Err(format!("must be a JSON object: line {}, column {}", error.line(), error.column())),
    }
}

/// A number within bounds.
pub fn fraction(value: &str) -> Result<f32, String> {
    let parsed = value.parse::<f32>().ok().filter(|number| (0.0..=1.0).contains(number));
    parsed.ok_or_else(|| "must be a number from 0 to 1".to_owned())
}

/// The word of the list that `value` is, in any case.
pub fn choice(value: &str, words: &'static [&'static str]) -> Result<&'static str, String> {
    let found = words.iter().find(|word| word.eq_ignore_ascii_case(value));
    found.copied().ok_or_else(|| format!("must be one of {}", words.join(", ")))
}

/// A level in Python's or tracing's words.
pub fn log_level(value: &str) -> Result<Level, String> {
    match value.to_ascii_lowercase().as_str() {
        "trace" => Ok(Level::TRACE),
        "debug" => Ok(Level::DEBUG),
        "info" => Ok(Level::INFO),
        "warn" | "warning" => Ok(Level::WARN),
        "error" | "critical" => Ok(Level::ERROR),
        _ => Err("must be one of DEBUG, INFO, WARNING, ERROR, CRITICAL, or trace, debug, info, warn, error".into()),
    }
}

/// A host as the system wants it: an IPv6 address without brackets.
pub fn host(value: &str) -> Result<String, String> {
    let bare = value.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(value);
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if bare.parse::<IpAddr>().is_ok() || (bare == value && bare.chars().all(is_name)) {
        Ok(bare.to_owned())
    } else {
        Err("must be an IP address or a host name, without scheme and port".to_owned())
    }
}

/// Whether only this machine reaches the host. A name or a form that is not surely local counts as reachable.
pub fn is_loopback(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    match bare.parse::<IpAddr>() {
        Ok(address) => address.to_canonical().is_loopback(),
        Err(_) => bare.eq_ignore_ascii_case("localhost"),
    }
}

/// An `http` or `https` URL, without a trailing slash.
pub fn http_url(value: &str) -> Result<String, String> {
    parse_url(value).map(|url| url.as_str().trim_end_matches('/').to_owned())
}

/// The URL of a site: an `http` or `https` URL without a path. The page and its routes stand at the root.
pub fn site_url(value: &str) -> Result<String, String> {
    let url = parse_url(value)?;
    match url.path() {
        "" | "/" => Ok(url.as_str().trim_end_matches('/').to_owned()),
        _ => Err("must end after the host: the bot stands at the root of its site".to_owned()),
    }
}

/// Whether the URL leads to this machine.
pub fn is_loopback_url(value: &str) -> bool {
    parse_url(value).is_ok_and(|url| url.host_str().is_some_and(is_loopback))
}

fn parse_url(value: &str) -> Result<Url, String> {
    let url = parse_any_url(value)?;
    without_password(&url)?;
    without_query(&url)?;
    Ok(url)
}

/// The URL of an API: without a trailing slash in its path, with a query where it has one (`?api-version=…`).
pub fn api_url(value: &str) -> Result<String, String> {
    let url = parse_any_url(value)?;
    without_password(&url)?;
    if url.fragment().is_some() {
        return Err("must end before the #".to_owned());
    }
    let (head, query) = url.as_str().split_once('?').map_or((url.as_str(), None), |(head, query)| (head, Some(query)));
    let head = head.trim_end_matches('/');
    Ok(query.map_or_else(|| head.to_owned(), |query| format!("{head}?{query}")))
}

/// The URL of a proxy: it may hold a user name and a password.
pub fn proxy_url(value: &str) -> Result<String, String> {
    let url = parse_any_url(value)?;
    without_query(&url)?;
    match url.path() {
        "" | "/" => Ok(url.as_str().trim_end_matches('/').to_owned()),
        _ => Err("must end after the host and the port".to_owned()),
    }
}

fn parse_any_url(value: &str) -> Result<Url, String> {
    let url = Url::parse(value).map_err(|_| "must be a URL such as https://bot.example.com".to_owned())?;
    if matches!(url.scheme(), "http" | "https") {
        Ok(url)
    } else {
        Err("must begin with http:// or https://".to_owned())
    }
}

fn without_password(url: &Url) -> Result<(), String> {
    let is_open = url.username().is_empty() && url.password().is_none();
    if is_open { Ok(()) } else { Err("must not hold a user name or a password".to_owned()) }
}

fn without_query(url: &Url) -> Result<(), String> {
    let is_bare = url.query().is_none() && url.fragment().is_none();
    if is_bare { Ok(()) } else { Err("must end before the ? or #".to_owned()) }
}

/// A list of origins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origins {
    /// Exact origins as browsers send them, each once.
    pub exact: Vec<String>,
    /// Whether `*` is among them.
    pub wildcard: bool,
}

/// Origins separated by commas: lower case, default ports left out.
pub fn origins(value: &str) -> Result<Origins, String> {
    let mut origins = Origins::default();
    for item in value.split(',').map(str::trim).filter(|item| !item.is_empty()) {
        if item == "*" {
            origins.wildcard = true;
            continue;
        }
        let origin = origin(item)?;
        if !origins.exact.contains(&origin) {
            origins.exact.push(origin);
        }
    }
    Ok(origins)
}

/// One origin: scheme, host and port, and nothing else.
fn origin(item: &str) -> Result<String, String> {
    let wrong = || {
        "must list origins such as https://example.com or http://localhost:5173, separated by commas, \
                    without path and wildcard"
            .to_owned()
    };
    let (_, rest) = item.split_once("://").ok_or_else(wrong)?;
    if rest.contains(['/', '\\', '?', '#', '@', '*']) || rest.contains(char::is_whitespace) {
        return Err(wrong());
    }
    parse_url(item).map(|url| url.origin().ascii_serialization()).map_err(|_| wrong())
}

/// `N/s` or `off`.
pub fn rate(value: &str) -> Result<RateLimit, String> {
    if value.eq_ignore_ascii_case("off") {
        return Ok(RateLimit::Off);
    }
    let number = value.strip_suffix("/s").and_then(|number| number.trim().parse::<f64>().ok());
    match number {
        Some(number) if number.is_finite() && number > 0.0 => Ok(RateLimit::PerSecond(number)),
        _ => Err("must be a number of requests a second, such as 5/s, or off".to_owned()),
    }
}

fn number(value: &str, min: f64, max: f64) -> Result<(), String> {
    match value.parse::<f64>() {
        Ok(number) if (min..=max).contains(&number) => Ok(()),
        _ => Err(format!("must be a number from {min} to {max}")),
    }
}

fn secret(value: &str, min_bytes: usize) -> Result<(), String> {
    if value.len() < min_bytes {
        return Err(format!("must have {min_bytes} bytes or more; `openssl rand -hex 32` makes a good one"));
    }
    if value.chars().any(char::is_control) {
        Err("must not hold control characters such as line breaks".to_owned())
    } else {
        Ok(())
    }
}

fn address(value: &str) -> Result<(), String> {
    let parsed = value.parse::<SocketAddr>();
    parsed.map(drop).map_err(|_| "must be an IP address with a port, such as 127.0.0.1:9002".to_owned())
}

/// IP addresses and networks, separated by commas.
pub fn networks(value: &str) -> Result<Vec<Network>, String> {
    let items = value.split(',').map(str::trim).filter(|item| !item.is_empty());
    items
        .map(network)
        .collect::<Option<_>>()
        .ok_or_else(|| "must list IP addresses or networks such as 10.0.0.0/8, separated by commas".to_owned())
}

fn network(item: &str) -> Option<Network> {
    let (address, prefix) = item.split_once('/').map_or((item, None), |(address, prefix)| (address, Some(prefix)));
    let address = address.parse::<IpAddr>().ok()?;
    let longest = if address.is_ipv4() { 32 } else { 128 };
    let prefix = prefix.map_or(Some(longest), |prefix| prefix.parse().ok())?;
    (prefix <= longest).then_some(Network { address, prefix })
}

fn database_url(value: &str) -> Result<(), String> {
    let (scheme, rest) = value.split_once(':').unwrap_or(("", value));
    match scheme.to_ascii_lowercase().as_str() {
        "sqlite" if rest.trim_start_matches('/').is_empty() => Err("must name a file after sqlite:".to_owned()),
        "sqlite" => Ok(()),
        "postgres" | "postgresql" => {
            Err("is PostgreSQL, which is not built yet: this build opens sqlite: only, such as sqlite:chat.db"
                .to_owned())
        }
        _ => Err("must begin with sqlite:, such as sqlite:chat.db".to_owned()),
    }
}

fn path_is(path: &Path, expected: &str, is_right: impl Fn(&Path) -> bool) -> Result<(), String> {
    if is_right(path) { Ok(()) } else { Err(format!("must be {expected}")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_in_both_tongues_and_any_case() {
        assert_eq!(log_level("WARNING"), Ok(Level::WARN));
        assert_eq!(log_level("Critical"), Ok(Level::ERROR));
        assert_eq!(log_level("trace"), Ok(Level::TRACE));
        assert!(log_level("loud").is_err());
    }

    #[test]
    fn origins_are_exact_and_normal() {
        let found = origins(" HTTPS://Example.com:443 , http://localhost:5173,https://example.com,").unwrap();
        assert_eq!(found.exact, ["https://example.com", "http://localhost:5173"]);
        assert!(!found.wildcard && origins("*").unwrap().wildcard);
        for wrong in
            ["https://a.example/", "https://*.example", "a.example", "null", "ftp://a", "https://u@a", "https://"]
        {
            assert!(origins(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn loopback_is_only_what_is_surely_local() {
        for local in ["127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost", "::ffff:127.0.0.1"] {
            assert!(is_loopback(local), "{local}");
        }
        for open in ["0.0.0.0", "::", "192.168.1.1", "example.com", "localhost.example.com"] {
            assert!(!is_loopback(open), "{open}");
        }
        assert!(is_loopback_url("http://localhost:8002") && !is_loopback_url("https://bot.example.com"));
    }

    #[test]
    fn databases_are_sqlite() {
        assert_eq!(database_url("sqlite:chat.db"), Ok(()));
        assert_eq!(database_url("sqlite:///var/chat.db"), Ok(()));
        assert!(database_url("sqlite:").is_err());
        assert!(database_url("postgresql://a:b@c/d").unwrap_err().contains("not built"));
        assert!(database_url("mysql://a").is_err());
    }

    #[test]
    fn hosts_rates_networks_and_numbers() {
        assert_eq!(host("[::1]").as_deref(), Ok("::1"));
        assert!(host("http://a").is_err() && host("a:80").is_err() && host("a b").is_err());
        assert_eq!(rate("0.5/s"), Ok(RateLimit::PerSecond(0.5)));
        assert!(rate("0/s").is_err() && rate("5").is_err() && rate("inf/s").is_err());
        assert!(networks("10.0.0.0/8, ::1").is_ok() && networks("10.0.0.0/33").is_err());
        assert!(number("nan", 0.0, 2.0).is_err() && number("2", 0.0, 2.0).is_ok());
        assert!(whole("-1", 0, 5).is_err() && whole("5", 0, 5).is_ok());
    }
}
