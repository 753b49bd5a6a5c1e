//! Reads the fields of one object and notes what is wrong with them.

use jiff::Timestamp;
use jiff::civil::DateTime;
use serde_json::{Map, Value};

use crate::smoke::shape::{Fault, Rule};

/// One object, read field by field.
pub(super) struct Object<'a> {
    fields: &'a Map<String, Value>,
    place: String,
    rule: Rule,
    faults: &'a mut Vec<Fault>,
}

impl<'a> Object<'a> {
    /// The object in `value`; anything else is a fault, and nothing.
    pub(super) fn read(value: &'a Value, place: &str, rule: Rule, faults: &'a mut Vec<Fault>) -> Option<Self> {
        let Value::Object(fields) = value else {
            faults.push(Fault { rule, what: format!("{place} is {}, not an object", name(value)) });
            return None;
        };
        Some(Self { fields, place: place.to_owned(), rule, faults })
    }

    /// Notes a fault of a field.
    pub(super) fn fault(&mut self, rule: Rule, key: &str, what: &str) {
        self.faults.push(Fault { rule, what: format!("{}.{key} {what}", self.place) });
    }

    /// A field that is always there, of this type.
    fn always(&mut self, key: &str, wanted: &str, fits: impl Fn(&Value) -> bool) -> Option<&'a Value> {
        match self.fields.get(key) {
            Some(value) if fits(value) => return Some(value),
            Some(value) => self.fault(self.rule, key, &format!("is {}, not {wanted}", name(value))),
            None => self.fault(self.rule, key, "is missing"),
        }
        None
    }

    /// A field that may be left out, and is never null.
    fn perhaps(&mut self, key: &str, wanted: &str, fits: impl Fn(&Value) -> bool) -> Option<&'a Value> {
        match self.fields.get(key)? {
            Value::Null => self.fault(Rule::Null, key, "is null; an optional field is left out"),
            value if fits(value) => return Some(value),
            value => self.fault(self.rule, key, &format!("is {}, not {wanted}", name(value))),
        }
        None
    }

    /// A text that is always there.
    pub(super) fn text(&mut self, key: &str) -> &'a str {
        self.always(key, "a string", Value::is_string).and_then(Value::as_str).unwrap_or_default()
    }

    /// An id: a text with something in it.
    pub(super) fn id(&mut self, key: &str) {
        if self.fields.get(key).is_some_and(|value| value == "") {
            self.fault(self.rule, key, "is empty");
        } else {
            self.text(key);
        }
    }

    /// Texts that may be left out.
    pub(super) fn maybe_texts(&mut self, keys: &[&str]) {
        for key in keys {
            self.perhaps(key, "a string", Value::is_string);
        }
    }

    /// One of these words, always there.
    pub(super) fn word(&mut self, key: &str, words: &[&str]) -> &'a str {
        let word = self.text(key);
        if !word.is_empty() && !words.contains(&word) {
            self.fault(self.rule, key, &format!("is `{word}`, not one of {}", words.join(", ")));
        }
        word
    }

    /// True or false, always there.
    pub(super) fn flag(&mut self, key: &str) -> bool {
        self.always(key, "true or false", Value::is_boolean).and_then(Value::as_bool).unwrap_or_default()
    }

    /// A whole number from 0, always there.
    pub(super) fn whole(&mut self, key: &str) {
        self.always(key, "a whole number", Value::is_u64);
    }

    /// A whole number from 0 that may be left out.
    pub(super) fn maybe_whole(&mut self, key: &str) {
        self.perhaps(key, "a whole number", Value::is_u64);
    }

    /// A number that may be left out.
    pub(super) fn maybe_number(&mut self, key: &str) {
        self.perhaps(key, "a number", Value::is_number);
    }

    /// A list that is always there.
    pub(super) fn list(&mut self, key: &str) -> &'a [Value] {
        self.always(key, "a list", Value::is_array).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// A list of texts that may be left out.
    pub(super) fn maybe_text_list(&mut self, key: &str) {
        let texts = |value: &Value| value.as_array().is_some_and(|list| list.iter().all(Value::is_string));
        self.perhaps(key, "a list of strings", texts);
    }

    /// An object that is always there.
    pub(super) fn object(&mut self, key: &str) -> Option<&'a Value> {
        self.always(key, "an object", Value::is_object)
    }

    /// An object that may be left out.
    pub(super) fn maybe_object(&mut self, key: &str) -> Option<&'a Value> {
        self.perhaps(key, "an object", Value::is_object)
    }

    /// A time: RFC 3339 in UTC.
    pub(super) fn time(&mut self, key: &str) {
        let text = self.text(key);
        if text.is_empty() {
            return;
        }
        match (text.parse::<Timestamp>(), text.parse::<DateTime>()) {
            (Ok(_), _) if text.ends_with('Z') || text.ends_with("+00:00") => {}
            (Ok(_), _) => self.fault(Rule::Zone, key, "is not in UTC"),
            (Err(_), Ok(_)) => self.fault(Rule::Zone, key, "has no zone, so browsers read it as their local time"),
            (Err(_), Err(_)) => self.fault(Rule::Time, key, &format!("is `{}`, not a time", shorten(text))),
        }
    }

    /// Whether there is such a field, whatever it is.
    pub(super) fn has(&self, key: &str) -> bool {
        self.fields.contains_key(key)
    }

    /// Judges what a field holds by another reader.
    pub(super) fn inner(&mut self, key: &str, value: &Value, read: fn(&Value, &str, &mut Vec<Fault>)) {
        read(value, &format!("{}.{key}", self.place), self.faults);
    }

    /// Judges every entry of a list by another reader.
    pub(super) fn each(&mut self, key: &str, read: fn(&Value, &str, &mut Vec<Fault>)) {
        for (at, value) in self.list(key).iter().enumerate() {
            read(value, &format!("{}.{key}[{at}]", self.place), self.faults);
        }
    }
}

/// What a value is, without its content.
fn name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn shorten(text: &str) -> String {
    text.chars().take(40).collect()
}
