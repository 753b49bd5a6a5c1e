//! Fields of a request's objects, taken one by one. What is wrong is named by its place, in words of our own: a caller's
//! values are not repeated.

use serde_json::{Map, Value};

use crate::chatkit::request::{MAX_DEPTH, RequestError};

/// A value, or why the request is refused.
pub(super) type Outcome<T> = Result<T, RequestError>;

/// An object of the request, and where it stands.
pub(super) struct Fields {
    map: Map<String, Value>,
    path: String,
}

impl Fields {
    /// The object at this place; an empty path is the body itself.
    pub(super) fn new(map: Map<String, Value>, path: String) -> Self {
        Self { map, path }
    }

    /// The value at this place, which must be an object.
    pub(super) fn of(value: Value, path: String) -> Outcome<Self> {
        match value {
            Value::Object(map) => Ok(Self { map, path }),
            _ => Err(wrong(&path, "an object")),
        }
    }

    /// `metadata` may be left out, but is no null.
    pub(super) fn check_metadata(&self) -> Outcome<()> {
        match self.map.get("metadata") {
            Some(metadata) if !metadata.is_object() => Err(wrong("metadata", "an object")),
            _ => Ok(()),
        }
    }

    /// Where this object's field stands.
    pub(super) fn place(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// Any value; null is one.
    pub(super) fn any(&mut self, name: &str) -> Outcome<Value> {
        self.map.remove(name).ok_or_else(|| invalid(&format!("missing field `{}`", self.place(name))))
    }

    /// Any value that is not null, if there is one.
    pub(super) fn optional(&mut self, name: &str) -> Option<Value> {
        self.map.remove(name).filter(|value| !value.is_null())
    }

    /// A string.
    pub(super) fn text(&mut self, name: &str) -> Outcome<String> {
        let value = self.any(name)?;
        text_of(value, &self.place(name))
    }

    /// A string, or nothing.
    pub(super) fn optional_text(&mut self, name: &str) -> Outcome<Option<String>> {
        let place = self.place(name);
        self.optional(name).map(|value| text_of(value, &place)).transpose()
    }

    /// An object whose fields are known.
    pub(super) fn object(&mut self, name: &str) -> Outcome<Self> {
        let value = self.any(name)?;
        Self::of(value, self.place(name))
    }

    /// An object whose fields are known, or nothing.
    pub(super) fn optional_object(&mut self, name: &str) -> Outcome<Option<Self>> {
        let place = self.place(name);
        self.optional(name).map(|value| Self::of(value, place)).transpose()
    }

    /// An object that is kept as it is, within [`MAX_DEPTH`].
    pub(super) fn free_object(&mut self, name: &str) -> Outcome<Map<String, Value>> {
        let value = self.any(name)?;
        let place = self.place(name);
        check_depth(&value, &place)?;
        Self::of(value, place).map(|fields| fields.map)
    }

    /// The entries of a list, each with its place.
    pub(super) fn list(&mut self, name: &str) -> Outcome<impl Iterator<Item = (Value, String)> + use<>> {
        let value = self.any(name)?;
        list_of(value, &self.place(name))
    }

    /// The strings of a list.
    pub(super) fn texts(&mut self, name: &str) -> Outcome<Vec<String>> {
        self.list(name)?.map(|(value, place)| text_of(value, &place)).collect()
    }

    /// `true` or `false`; left out it is `false`.
    pub(super) fn flag(&mut self, name: &str) -> Outcome<bool> {
        match self.map.remove(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(flag),
            Some(_) => Err(wrong(&self.place(name), "true or false")),
        }
    }

    /// A whole number from 0, or nothing.
    pub(super) fn optional_number(&mut self, name: &str) -> Outcome<Option<u64>> {
        match self.optional(name) {
            None => Ok(None),
            Some(value) => {
                value.as_u64().map(Some).ok_or_else(|| wrong(&self.place(name), "a whole number that is not negative"))
            }
        }
    }

    /// A whole number from 0.
    pub(super) fn number(&mut self, name: &str) -> Outcome<u64> {
        let value = self.any(name)?;
        value.as_u64().ok_or_else(|| wrong(&self.place(name), "a whole number that is not negative"))
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(&mut self, name: &str, words: &[(&str, T)]) -> Outcome<T> {
        let word = self.text(name)?;
        choose(&word, words, &self.place(name))
    }

    /// One of a few words, or nothing.
    pub(super) fn optional_choice<T: Copy>(&mut self, name: &str, words: &[(&str, T)]) -> Outcome<Option<T>> {
        let word = self.optional_text(name)?;
        word.map(|word| choose(&word, words, &self.place(name))).transpose()
    }

    /// The object's own keys with their values and places, for an object whose keys are the caller's.
    pub(super) fn into_entries(self) -> impl Iterator<Item = (String, Value, String)> {
        let Self { map, path } = self;
        map.into_iter().map(move |(key, value)| {
            let place = format!("{path}.{}", shorten(&key));
            (key, value, place)
        })
    }
}

/// The entries of a list, each with its place, which is written down only when its turn comes: a list can be long.
pub(super) fn list_of(value: Value, place: &str) -> Outcome<impl Iterator<Item = (Value, String)> + use<>> {
    let Value::Array(values) = value else {
        return Err(wrong(place, "a list"));
    };
    let place = place.to_owned();
    Ok(values.into_iter().enumerate().map(move |(index, value)| (value, format!("{place}[{index}]"))))
}

/// The string at this place.
pub(super) fn text_of(value: Value, place: &str) -> Outcome<String> {
    match value {
        Value::String(text) => Ok(text),
        _ => Err(wrong(place, "a string")),
    }
}

/// Refuses a free-form value that is nested too deep.
pub(super) fn check_depth(value: &Value, place: &str) -> Outcome<()> {
    // The parser has bounded the nesting, so this recursion is bounded, too.
    fn depth(value: &Value) -> usize {
        match value {
            Value::Array(values) => 1 + values.iter().map(depth).max().unwrap_or_default(),
            Value::Object(map) => 1 + map.values().map(depth).max().unwrap_or_default(),
            _ => 0,
        }
    }
    if depth(value) > MAX_DEPTH {
        return Err(invalid(&format!("`{place}` is nested more than {MAX_DEPTH} levels deep")));
    }
    Ok(())
}

/// Refuses text of more characters than this.
pub(super) fn check_chars(text: &str, max: usize, place: &str) -> Outcome<()> {
    match text.chars().nth(max) {
        Some(_) => Err(invalid(&format!("`{place}` has more than {max} characters"))),
        None => Ok(()),
    }
}

/// A request that is refused for this.
pub(super) fn invalid(message: &str) -> RequestError {
    RequestError::Invalid(message.to_owned())
}

/// Messages may name the caller's own words; they need not return all of them.
pub(super) fn shorten(text: &str) -> String {
    const MAX_CHARS: usize = 100;
    match text.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// White space, and characters that show nothing.
pub(super) fn is_blank(each: char) -> bool {
    each.is_whitespace() || each.is_control() || "\u{200b}\u{200c}\u{200d}\u{2060}\u{feff}".contains(each)
}

fn choose<T: Copy>(word: &str, words: &[(&str, T)], place: &str) -> Outcome<T> {
    let known = words.iter().find(|(name, _)| *name == word);
    known.map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<String> = words.iter().map(|(name, _)| format!("`{name}`")).collect();
        wrong(place, &names.join(" or "))
    })
}

fn wrong(place: &str, expected: &str) -> RequestError {
    invalid(&format!("`{place}` must be {expected}"))
}
