//! Secrets that are known by the name before them: passwords in addresses, `password = …`, keys of any issuer.
//!
//! The name alone says little ("Password: at least eight characters"), so the value must look like a secret too:
//! no word, no placeholder, no piece of code, and for nameless issuers of high entropy.

use std::collections::BTreeMap;

use crate::lint::sensitive::{Candidate, Class, Kind, Level, Pattern};

/// Longer values are data, not secrets that people write down.
const MAX_CHARS: usize = 256;
/// Bits a character, for values over the whole alphabet and for hexadecimal ones.
const MIN_ENTROPY: f64 = 3.5;
const MIN_HEX_ENTROPY: f64 = 3.0;
/// For a quoted password of letters only.
const MIN_WORD_ENTROPY: f64 = 3.2;

/// Every form.
pub(super) static PATTERNS: &[Pattern] = &[
    Pattern {
        kind: Kind { id: "connection-password", title: "password in an address", class: Class::Secret },
        // RFC 3986 section 3.2.1: `user:password@` in the authority of a URL.
        regex: r#"\b[A-Za-z][A-Za-z0-9+.-]{1,24}://[^\s:/?#@"'<>`|]*:(?P<v>[^\s/@"'<>`|]{3,})@[^\s/"'<>`|]"#,
        judge: password,
    },
    Pattern {
        kind: Kind { id: "password", title: "password", class: Class::Secret },
        regex: r#"(?i)(?:pass(?:word|wd|phrase|code)|\bpass|\bpwd|passwort|kennwort|contraseña|mot de passe|wachtwoord|hasło|\bsenha|пароль|パスワード|密码)["'*_`]{0,3}(?: (?:for|to|of|für|zum|zur|pour|du|de|del|para|voor) [^\n:=|.,;!?"'`]{1,40}?)?(?:\s+(?:is|are|lautet|ist|est|es|è|é)(?:\s*[:=]\s*|\s+)|\s*(?::=|=>|[:=|])\s*)(?P<v>["'`“„«][^"'`“”„«»\n]{6,}["'`“”»]|[^\s"'`|“”„«»]{6,})"#,
        judge: password,
    },
    Pattern {
        kind: Kind { id: "generic-secret", title: "key or token", class: Class::Secret },
        regex: r#"(?i)(?:secret|token|credential|(?:api|access|auth|signing|encryption|private|account|master|license)[ _-]?key)[A-Za-z0-9_-]{0,24}["'*`]{0,3}\s*(?::=|=>|[:=|])\s*["'`]?(?P<v>[A-Za-z0-9+/_=.~-]{16,})"#,
        judge: generic,
    },
];

fn password(candidate: &Candidate<'_>) -> Option<Level> {
    let raw = candidate.value();
    let value = raw.trim_matches(['"', '\'', '`', '“', '”', '„', '«', '»']);
    let is_quoted = value.len() < raw.len();
    let in_address = candidate.whole().contains("://");
    // Outside quotes a sentence goes on after the value.
    let value = if is_quoted { value } else { value.trim_end_matches(['.', ',', ';', ')', ':', '?', '…']) };
    let length = value.chars().count();
    if !(if in_address { 3 } else { 6 }..=MAX_CHARS).contains(&length) || is_placeholder(value) || is_code(value) {
        return None;
    }
    let letters = value.chars().any(char::is_alphabetic);
    let digits = value.chars().any(|c| c.is_ascii_digit());
    let inner = value.chars().skip(1).any(|c| c.is_ascii_punctuation() && !"-/'’.,".contains(c));
    let mixed = letters && (digits || inner) && !looks_like_prose(value);
    let only_digits = value.len() >= 8 && value.chars().all(|c| c.is_ascii_digit());
    let quoted_word = is_quoted && value.len() >= 12 && !value.contains(' ') && entropy(value) >= MIN_WORD_ENTROPY;
    (in_address || mixed || only_digits || quoted_word).then_some(Level::High)
}

fn generic(candidate: &Candidate<'_>) -> Option<Level> {
    let value = candidate.value().trim_end_matches(['.', '-', '_']);
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let letters = value.bytes().filter(u8::is_ascii_alphabetic).count();
    let is_hex = value.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    let min = if is_hex { MIN_HEX_ENTROPY } else { MIN_ENTROPY };
    let good = (16..=MAX_CHARS).contains(&value.len())
        && digits >= 2
        && letters >= 4
        && entropy(value) >= min
        && !is_placeholder(value)
        && !is_code(value)
        && !looks_like_name(value);
    good.then_some(Level::High)
}

/// What documentation writes where a reader has to write something else.
fn is_placeholder(value: &str) -> bool {
    const WHOLE: [&str; 16] = [
        "pass",
        "password",
        "passwd",
        "passwort",
        "kennwort",
        "secret",
        "pwd",
        "pw",
        "user",
        "username",
        "token",
        "required",
        "optional",
        "null",
        "none",
        "undefined",
    ];
    const PARTS: [&str; 12] = [
        "your",
        "example",
        "placeholder",
        "changeme",
        "change_me",
        "change-me",
        "xxxx",
        "****",
        "....",
        "…",
        "dummy",
        "redacted",
    ];
    let lower = value.to_lowercase();
    let first = lower.chars().next();
    WHOLE.contains(&lower.as_str())
        || PARTS.iter().any(|part| lower.contains(part))
        || lower.starts_with(['$', '<', '{', '[', '%', '*', '(', '•'])
        || lower.chars().all(|c| Some(c) == first)
}

/// A reference to a value, or a call, is not the value.
fn is_code(value: &str) -> bool {
    let is_path = |value: &str| {
        let parts: Vec<&str> = value.split(['.', ':']).filter(|part| !part.is_empty()).collect();
        parts.len() > 1
            && parts.iter().all(|part| {
                part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                    && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
            })
    };
    value.contains("://")
        || value.contains("${")
        || value.contains("{{")
        || value.contains("](")
        || value.contains("()")
        || value.ends_with('(')
        || value.starts_with(['/', '.', '&', '#'])
        || value.contains("->")
        || value.contains('<')
        || is_path(value)
}

/// Words joined by hyphens and the like: `case-sensitive`, `min_length_8`, `2-factor`, `128-bit`.
fn looks_like_prose(value: &str) -> bool {
    if is_pass_phrase(value) {
        return false;
    }
    if let Some((number, word)) = value.split_once('-')
        && number.len() <= 4
        && number.bytes().all(|b| b.is_ascii_digit())
        && word.chars().all(char::is_alphabetic)
    {
        return true;
    }
    let parts: Vec<&str> = value.split(['-', '_', '/', ' ', '(', ')', ',', '.', ':']).collect();
    let is_plain = |part: &&str| {
        part.chars().all(char::is_alphabetic) || (part.len() <= 2 && part.bytes().all(|b| b.is_ascii_digit()))
    };
    parts.len() > 1 && parts.iter().all(is_plain)
}

/// `Blue-Horse-77`: words and a number of two digits at the end, none of them a word of rules for passwords.
fn is_pass_phrase(value: &str) -> bool {
    const OF_RULES: [&str; 14] = [
        "min",
        "max",
        "minimum",
        "maximum",
        "length",
        "least",
        "most",
        "chars",
        "characters",
        "digits",
        "factor",
        "level",
        "version",
        "days",
    ];
    let parts: Vec<&str> = value.split(['-', '_', '.']).collect();
    let Some((number, words)) = parts.split_last() else { return false };
    let is_word = |word: &&str| {
        word.chars().count() >= 3
            && word.chars().all(char::is_alphabetic)
            && !OF_RULES.contains(&word.to_lowercase().as_str())
    };
    number.len() == 2 && number.bytes().all(|b| b.is_ascii_digit()) && words.len() >= 2 && words.iter().all(is_word)
}

/// Names of files, versions, dates and settings, in words of letters or of digits.
fn looks_like_name(value: &str) -> bool {
    let parts: Vec<&str> = value.split(['-', '_', '.', '/', '=']).filter(|part| !part.is_empty()).collect();
    let is_plain = |part: &&str| {
        part.bytes().all(|b| b.is_ascii_alphabetic()) || (part.len() <= 8 && part.bytes().all(|b| b.is_ascii_digit()))
    };
    parts.len() > 1 && parts.iter().all(is_plain)
}

/// Shannon's entropy in bits a character.
fn entropy(value: &str) -> f64 {
    let mut counts: BTreeMap<char, f64> = BTreeMap::new();
    for c in value.chars() {
        *counts.entry(c).or_default() += 1.0;
    }
    let total: f64 = counts.values().sum();
    counts.values().map(|count| -(count / total) * (count / total).log2()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entropy_is_in_bits() {
        assert!((entropy("aaaa")).abs() < 1e-9);
        assert!((entropy("abcd") - 2.0).abs() < 1e-9);
    }
}
