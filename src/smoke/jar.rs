//! The cookies that a bot gave one visitor. They go back to the target alone, so paths and domains do not matter.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use reqwest::header::{HeaderMap, HeaderValue, SET_COOKIE};

/// More cookies are not kept.
const MAX_COOKIES: usize = 20;

/// One visitor's cookies.
#[derive(Debug, Default)]
pub(super) struct Jar(Mutex<BTreeMap<String, String>>);

impl Jar {
    /// Takes what an answer sets.
    pub(super) fn take(&self, headers: &HeaderMap) {
        let mut cookies = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for given in headers.get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok()) {
            let pair = given.split(';').next().unwrap_or_default();
            if let Some((name, value)) = pair.split_once('=')
                && cookies.len() < MAX_COOKIES
            {
                cookies.insert(name.trim().to_owned(), value.trim().to_owned());
            }
        }
    }

    /// The `Cookie` header, when there is any cookie.
    pub(super) fn header(&self) -> Option<HeaderValue> {
        let cookies = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let pairs: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if pairs.is_empty() { None } else { HeaderValue::from_str(&pairs.join("; ")).ok() }
    }
}
