//! How values are shown without showing secrets.

use std::ops::Range;

use sha2::{Digest as _, Sha256};

use crate::clock::hex;
use crate::config::keys::Key;

/// Shorter values are too common as words to be searched for in other texts.
const MIN_REDACTED: usize = 8;
/// What stands for a secret within another text.
const STARS: &str = "***";

/// A value as `env show` prints it.
pub fn shown(key: &Key, value: &str) -> String {
    match (key.kind.is_url(), key.secret) {
        (true, _) if hides_nothing(value) => mask_url(value),
        (true, _) | (false, true) => fingerprint(value),
        (false, false) => value.to_owned(),
    }
}

/// A value as a problem names it.
pub fn told(key: &Key, value: &str) -> String {
    match (key.kind.is_url(), key.secret) {
        (true, _) if hides_nothing(value) => format!("`{}`", mask_url(value)),
        (true, _) | (false, true) => format!("a value of {} characters", value.chars().count()),
        (false, false) => format!("`{value}`"),
    }
}

/// Whether the place of a password in a URL is certain: an `@` without a scheme before it is not.
fn hides_nothing(url: &str) -> bool {
    url.contains("://") || !url.contains('@')
}

/// A secret as shown: that it is set, and eight digits by which two of them can be told apart.
pub fn fingerprint(value: &str) -> String {
    let digest = Sha256::digest(value.as_bytes());
    format!("set (fingerprint {})", hex(&digest[..4]))
}

/// A URL with its password, and query values that sound like secrets, replaced by `***`.
pub fn mask_url(url: &str) -> String {
    let (head, query) = match url.split_once('?') {
        Some((head, query)) if !head_ends_inside_userinfo(head, query) => (head, Some(query)),
        _ => (url, None),
    };
    let mut masked = mask_userinfo(head);
    if let Some(query) = query {
        masked.push('?');
        masked.push_str(&query.split('&').map(mask_pair).collect::<Vec<_>>().join("&"));
    }
    masked
}

/// The password within a URL, when it has one.
pub fn url_password(url: &str) -> Option<&str> {
    password_range(url).map(|range| &url[range])
}

/// Everything between the first `:` after the scheme and the last `@`, so that odd characters in a password hide it
/// no less. On the web a user's name alone is a token, so it counts as a password too.
fn password_range(url: &str) -> Option<Range<usize>> {
    let userinfo = url.find("://")? + 3;
    let end = userinfo + url[userinfo..].rfind('@')?;
    match url[userinfo..end].find(':') {
        Some(colon) => Some(userinfo + colon + 1..end),
        None => url.starts_with("http").then_some(userinfo..end),
    }
}

/// An unescaped `?` in a password: the `@` that ends the userinfo is still to come.
fn head_ends_inside_userinfo(head: &str, query: &str) -> bool {
    head.contains("://") && !head.contains('@') && query.contains('@')
}

/// The URL with stars for its password.
fn mask_userinfo(url: &str) -> String {
    match password_range(url) {
        Some(range) => format!("{}{STARS}{}", &url[..range.start], &url[range.end..]),
        None => url.to_owned(),
    }
}

/// One `name=value` of a query.
fn mask_pair(pair: &str) -> String {
    let sounds_secret = |name: &str| {
        let name = name.to_ascii_lowercase();
        ["pass", "pwd", "key", "secret", "token", "credential"].iter().any(|word| name.contains(word))
    };
    match pair.split_once('=') {
        Some((name, _)) if sounds_secret(name) => format!("{name}={STARS}"),
        _ => pair.to_owned(),
    }
}

/// Replaces known secrets wherever they turn up in a text that is about something else.
#[derive(Clone, Default)]
pub struct Redactor(Vec<String>);

impl Redactor {
    /// Knows these secrets.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let mut known: Vec<String> =
            secrets.into_iter().filter(|secret| secret.len() >= MIN_REDACTED).map(str::to_owned).collect();
        // The longest first, in case one secret is a part of another.
        known.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Self(known)
    }

    /// The text without them.
    pub fn redact(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), STARS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_short_and_stable() {
        assert_eq!(fingerprint("secret"), "set (fingerprint 2bb80d53)");
    }

    #[test]
    fn urls_lose_their_password_only() {
        assert_eq!(mask_url("postgres://bot:pw@host/db"), "postgres://bot:***@host/db");
        assert_eq!(mask_url("postgres://bot:p/w?@x@host/db"), "postgres://bot:***@host/db");
        assert_eq!(mask_url("postgres://host/db?password=pw&a=b"), "postgres://host/db?password=***&a=b");
        assert_eq!(mask_url("sqlite:chat.db?mode=rwc"), "sqlite:chat.db?mode=rwc");
        assert_eq!(mask_url("https://token@host"), "https://***@host");
        assert_eq!(mask_url("https://host/path"), "https://host/path");
    }

    #[test]
    fn secrets_in_other_texts_are_replaced() {
        let redactor = Redactor::new(["sk-12345678", "sk-12345678-longer", "off"]);
        assert_eq!(redactor.redact("port `sk-12345678-longer` off sk-12345678"), "port `***` off ***");
    }
}
