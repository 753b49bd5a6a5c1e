//! What can be said of a store when it is made or changed: its end and its metadata. Checked before anything is sent.

use std::collections::BTreeMap;

use crate::error::Failure;
use crate::exit::Exit;
use crate::openai::vector_store::{ExpiresAfter, MAX_KEY_CHARS, MAX_PAIRS, MAX_VALUE_CHARS};

/// The metadata key that marks stores made here.
pub(super) const MADE_BY: &str = "made_by";
/// Its value.
pub(super) const OURS: &str = "chatbotctl";
/// Keys with this beginning are the program's own: a lease, say.
pub(super) const RESERVED: &str = "chatbotctl_";
/// What the service counts the days from.
const ANCHOR: &str = "last_active_at";
/// The longest life that the service grants without use, in days.
const MAX_DAYS: u32 = 365;
/// A name is for people to read, and to type when its store is deleted.
const MAX_NAME_CHARS: usize = 256;

/// `--expires-after-days`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expiry {
    /// So many days after its last use.
    Days(u32),
    /// Not by itself.
    Never,
}

impl Expiry {
    /// As the service takes it.
    pub(super) fn wire(self) -> Option<ExpiresAfter> {
        match self {
            Self::Days(days) => Some(ExpiresAfter { anchor: ANCHOR.to_owned(), days }),
            Self::Never => None,
        }
    }
}

/// Reads `--expires-after-days`.
pub(super) fn parse_expiry(text: &str) -> Result<Expiry, String> {
    if text.eq_ignore_ascii_case("never") {
        return Ok(Expiry::Never);
    }
    match text.parse() {
        Ok(days) if (1..=MAX_DAYS).contains(&days) => Ok(Expiry::Days(days)),
        _ => Err(format!("give 1 to {MAX_DAYS} days, or `never`")),
    }
}

/// Reads a name of a store.
pub(super) fn parse_name(text: &str) -> Result<String, String> {
    let name = text.trim();
    match name.chars().count() {
        0 => Err("a name has at least one letter".to_owned()),
        count if count > MAX_NAME_CHARS => Err(format!("a name has at most {MAX_NAME_CHARS} characters")),
        _ if name.chars().any(char::is_control) => Err("a name is one line".to_owned()),
        _ => Ok(name.to_owned()),
    }
}

/// Reads `--metadata KEY=VALUE`.
pub(super) fn parse_pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write KEY=VALUE")?;
    let key = key.trim();
    if key.is_empty() || key.chars().count() > MAX_KEY_CHARS {
        return Err(format!("a key has 1 to {MAX_KEY_CHARS} characters"));
    }
    if key.starts_with(RESERVED) || key == MADE_BY {
        return Err(format!("`{key}` is written by the program itself; choose another key"));
    }
    if value.chars().count() > MAX_VALUE_CHARS {
        return Err(format!("a value has at most {MAX_VALUE_CHARS} characters"));
    }
    Ok((key.to_owned(), value.to_owned()))
}

/// The pairs with the given ones in their place; an empty value takes a pair away.
pub(super) fn merged(
    mut pairs: BTreeMap<String, String>,
    given: Vec<(String, String)>,
) -> Result<BTreeMap<String, String>, Failure> {
    for (key, value) in given {
        if value.is_empty() {
            pairs.remove(&key);
        } else {
            pairs.insert(key, value);
        }
    }
    if pairs.len() > MAX_PAIRS {
        let why = format!("a store holds at most {MAX_PAIRS} pairs, and this would make {}", pairs.len());
        return Err(Failure::new("vector-store/metadata", Exit::Usage, "set the metadata", why)
            .fix("take a pair away with --metadata KEY="));
    }
    Ok(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_kept_before_anything_is_sent() {
        assert_eq!(parse_expiry("never"), Ok(Expiry::Never));
        assert_eq!(parse_expiry("365"), Ok(Expiry::Days(365)));
        for bad in ["0", "366", "-1", "soon", ""] {
            assert!(parse_expiry(bad).is_err(), "{bad}");
        }
        assert_eq!(parse_pair("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        for bad in ["a", "=b", "chatbotctl_lease=x", "made_by=me", &format!("{}=x", "k".repeat(65))] {
            assert!(parse_pair(bad).is_err(), "{bad}");
        }
        assert!(parse_pair(&format!("k={}", "v".repeat(513))).is_err());
        assert!(parse_name("a\nb").is_err() && parse_name(&"n".repeat(257)).is_err());
    }

    #[test]
    fn pairs_are_replaced_taken_away_and_counted() {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let pairs = BTreeMap::from([pair("a", "1"), pair("b", "2")]);
        let changed = merged(pairs, vec![pair("a", "3"), pair("b", "")]).unwrap();
        assert_eq!(changed, BTreeMap::from([pair("a", "3")]));
        let many = (0..17).map(|n| pair(&n.to_string(), "x")).collect();
        assert_eq!(merged(BTreeMap::new(), many).unwrap_err().exit, Exit::Usage);
    }
}
