//! Query strings, and pages of listings.

use serde_json::{Value, json};

use crate::api::fields::{Checked, in_range};
use crate::api::refusal::Refusal;
use crate::world::or_null;

/// The parameters of a query string, decoded.
#[derive(Debug, Default)]
pub(crate) struct Query {
    pairs: Vec<(String, String)>,
}

/// Which part of a listing is wanted.
#[derive(Debug)]
pub(crate) struct Paging {
    limit: usize,
    ascending: bool,
    after: Option<String>,
    before: Option<String>,
    shifts: bool,
}

impl Query {
    /// Reads a query string; `api-version`, which Azure wants, is passed over.
    pub(crate) fn read(text: &str) -> Self {
        let pairs = text.split('&').filter(|pair| !pair.is_empty());
        let pairs = pairs.map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name).trim_end_matches("[]").to_owned(), decoded(value))
        });
        Self { pairs: pairs.filter(|(name, _)| name != "api-version").collect() }
    }

    pub(crate) fn only(&self, known: &[&str]) -> Checked<()> {
        let unknown = self.pairs.iter().find(|(name, _)| !known.contains(&name.as_str()));
        unknown.map_or(Ok(()), |(name, _)| Err(Refusal::unknown(name)))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        self.pairs.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect()
    }

    pub(crate) fn one_of(&self, name: &str, values: &[&str]) -> Checked<Option<&str>> {
        match self.get(name) {
            Some(value) if !values.contains(&value) => {
                Err(Refusal::value(name, &format!("supported are {}", values.join(", "))))
            }
            value => Ok(value),
        }
    }

    pub(crate) fn integer(&self, name: &str, min: u64, max: u64) -> Checked<Option<u64>> {
        let Some(text) = self.get(name) else { return Ok(None) };
        if text.strip_prefix('-').is_some_and(|rest| rest.parse::<u64>().is_ok()) {
            return in_range(name, 0, min.max(1)..=max).map(Some);
        }
        let number = text.parse().map_err(|_| Refusal::wrong_type(name, "an integer"))?;
        in_range(name, number, min..=max).map(Some)
    }

    /// `limit`, `order` and `after`, and `before` where `before` is known to the call.
    pub(crate) fn paging(&self, usual: u64, max: u64, shifts: bool) -> Checked<Paging> {
        let limit = self.integer("limit", 1, max)?.unwrap_or(usual);
        let ascending = self.one_of("order", &["asc", "desc"])? == Some("asc");
        let cursor = |name| self.get(name).map(str::to_owned);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(Paging { limit, ascending, after: cursor("after"), before: cursor("before"), shifts })
    }
}

impl Paging {
    /// One page out of all entries, which come oldest first.
    pub(crate) fn page<'a, T: 'a>(
        &self,
        entries: impl DoubleEndedIterator<Item = (&'a str, &'a T)>,
        show: impl Fn(&str, &T) -> Value,
    ) -> Checked<Value> {
        let mut entries: Vec<(&str, &T)> = entries.collect();
        if !self.ascending {
            entries.reverse();
        }
        let place = |name: &str, id: &str| {
            let found = entries.iter().position(|(known, _)| *known == id);
            found.ok_or_else(|| Refusal::value(name, &format!("no entry has the id '{id}'")))
        };
        let after = self.after.as_ref().map(|id| place("after", id)).transpose()?;
        let before = self.before.as_ref().map(|id| place("before", id)).transpose()?;
        let end = before.unwrap_or(entries.len());
        let mut start = after.map_or(0, |at| if self.shifts { at } else { at + 1 });
        if after.is_none() && before.is_some() {
            start = end.saturating_sub(self.limit);
        }
        let rest = entries.get(start..end.max(start)).unwrap_or_default();
        let page = &rest[..rest.len().min(self.limit)];
        let has_more = if after.is_none() && before.is_some() { start > 0 } else { rest.len() > page.len() };
        Ok(json!({
            "object": "list",
            "data": page.iter().map(|(id, thing)| show(id, thing)).collect::<Vec<_>>(),
            "first_id": or_null(page.first().map(|(id, _)| *id)),
            "last_id": or_null(page.last().map(|(id, _)| *id)),
            "has_more": has_more,
        }))
    }
}

/// Percent-decoding as in forms; what is no encoding stays.
pub(crate) fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let encoded = (byte == b'%').then(|| bytes.get(at + 1..at + 3)).flatten();
        let encoded = encoded.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        out.push(encoded.unwrap_or(if byte == b'+' { b' ' } else { byte }));
        at += if encoded.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}
