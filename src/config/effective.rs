//! The settings as they came out, to be compared: with those of another reading, or with those of another server.
//!
//! Values stay in here. What leaves is which settings differ, and a fingerprint that nobody can search for the values
//! of secrets, because it is made with a key.

use sha2::{Digest as _, Sha256};

use crate::clock::hex;
use crate::config::keys::Key;
use crate::secret::Secret;

/// Every setting with its value.
#[derive(Debug, Clone, Default)]
pub struct Effective {
    /// Profile and base: they decide some defaults.
    profile: String,
    rows: Vec<(&'static Key, Option<Secret>)>,
}

impl Effective {
    pub(super) fn new<'a>(profile: String, rows: impl Iterator<Item = (&'static Key, Option<&'a str>)>) -> Self {
        Self { profile, rows: rows.map(|(key, value)| (key, value.map(Secret::new))).collect() }
    }

    /// The settings whose values differ, in the order of the table.
    pub fn differing(&self, other: &Self) -> Vec<&'static Key> {
        let differs = |key: &&'static Key| self.value(key.name) != other.value(key.name);
        other.rows.iter().map(|(key, _)| *key).filter(differs).collect()
    }

    /// What is in force once a running server has taken over what it can of `fresh`.
    #[must_use]
    pub fn taking_over(&self, fresh: &Self) -> Self {
        let taken = |(key, value): &(&'static Key, Option<Secret>)| {
            let value = if key.is_live { value.as_ref() } else { self.value(key.name) };
            (*key, value.cloned())
        };
        Self { profile: self.profile.clone(), rows: fresh.rows.iter().map(taken).collect() }
    }

    /// 32 hexadecimal digits: equal for equal settings under the same key, and of no use to guess a secret with.
    pub fn fingerprint(&self, key: &[u8]) -> String {
        let mut inner = Sha256::new_with_prefix(key);
        let mut part = |text: &[u8]| {
            inner.update((text.len() as u64).to_be_bytes());
            inner.update(text);
        };
        part(self.profile.as_bytes());
        for (key, value) in &self.rows {
            part(key.name.as_bytes());
            // Unset and empty are the same to the resolver, and so here.
            part(value.as_ref().map_or("", Secret::expose).as_bytes());
        }
        // Twice, as HMAC does it, so that nothing can be appended to what was hashed.
        let outer = Sha256::new_with_prefix(key).chain_update(inner.finalize()).finalize();
        hex(&outer[..16])
    }

    fn value(&self, name: &str) -> Option<&Secret> {
        self.rows.iter().find(|(key, _)| key.name == name).and_then(|(_, value)| value.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::keys::find;

    fn effective(rows: &[(&str, &str)]) -> Effective {
        Effective::new("dev".to_owned(), rows.iter().map(|(name, value)| (find(name).unwrap(), Some(*value))))
    }

    #[test]
    fn equal_settings_have_equal_fingerprints_and_others_have_not() {
        let settings = effective(&[("LOG_LEVEL", "INFO"), ("OPENAI_API_KEY", "sk-secret")]);
        let again = effective(&[("LOG_LEVEL", "INFO"), ("OPENAI_API_KEY", "sk-secret")]);
        let other = effective(&[("LOG_LEVEL", "INFO"), ("OPENAI_API_KEY", "sk-other")]);
        let shifted = effective(&[("LOG_LEVEL", "INFOO"), ("OPENAI_API_KEY", "sk-secret")]);
        let print = settings.fingerprint(b"key");
        assert_eq!(print, again.fingerprint(b"key"));
        assert_eq!(print.len(), 32);
        for different in [other.fingerprint(b"key"), shifted.fingerprint(b"key"), settings.fingerprint(b"another")] {
            assert_ne!(print, different);
        }
        assert!(!format!("{settings:?}").contains("sk-secret"));
    }

    #[test]
    fn a_running_server_takes_over_what_is_live() {
        let old = effective(&[("LOG_LEVEL", "INFO"), ("SERVER_PORT", "1"), ("AUTH_MODE", "off")]);
        let new = effective(&[("LOG_LEVEL", "DEBUG"), ("SERVER_PORT", "2"), ("AUTH_MODE", "off")]);
        let names = |keys: Vec<&'static Key>| keys.iter().map(|key| key.name).collect::<Vec<_>>();
        assert_eq!(names(old.differing(&new)), ["LOG_LEVEL", "SERVER_PORT"]);
        let in_force = old.taking_over(&new);
        assert_eq!(names(in_force.differing(&new)), ["SERVER_PORT"], "it is told again until the restart");
    }
}
