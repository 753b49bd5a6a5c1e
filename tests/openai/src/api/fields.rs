//! The fields of a JSON object, taken one by one and refused by name.

use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use crate::api::refusal::Refusal;

/// What a check answers.
pub(crate) type Checked<T> = Result<T, Refusal>;

/// An object in a body, and where it is.
#[derive(Debug, Clone)]
pub(crate) struct Fields<'a> {
    map: &'a Map<String, Value>,
    place: String,
}

impl<'a> Fields<'a> {
    /// The body itself.
    pub(crate) fn body(map: &'a Map<String, Value>) -> Self {
        Self { map, place: String::new() }
    }

    /// An object that stands at `place`.
    pub(crate) fn at(value: &'a Value, place: &str) -> Checked<Self> {
        let map = value.as_object().ok_or_else(|| Refusal::wrong_type(place, "an object"))?;
        Ok(Self { map, place: place.to_owned() })
    }

    /// The full name of a field.
    pub(crate) fn name(&self, field: &str) -> String {
        if self.place.is_empty() { field.to_owned() } else { format!("{}.{field}", self.place) }
    }

    /// Refuses fields that are not among the known ones, and `null` in those that are not nullable.
    pub(crate) fn only(&self, known: &[&str], nullable: &[&str]) -> Checked<()> {
        for (field, value) in self.map {
            if !known.contains(&field.as_str()) && !nullable.contains(&field.as_str()) {
                return Err(Refusal::unknown(&self.name(field)));
            }
            if value.is_null() && !nullable.contains(&field.as_str()) {
                return Err(Refusal::wrong_type(&self.name(field), "a value, but got null instead"));
            }
        }
        Ok(())
    }

    /// The value, unless it is missing or null.
    pub(crate) fn get(&self, field: &str) -> Option<&'a Value> {
        self.map.get(field).filter(|value| !value.is_null())
    }

    pub(crate) fn has(&self, field: &str) -> bool {
        self.get(field).is_some()
    }

    pub(crate) fn need(&self, field: &str) -> Checked<&'a Value> {
        self.get(field).ok_or_else(|| Refusal::missing(&self.name(field)))
    }

    pub(crate) fn string(&self, field: &str) -> Checked<Option<&'a str>> {
        let Some(value) = self.get(field) else { return Ok(None) };
        value.as_str().map(Some).ok_or_else(|| Refusal::wrong_type(&self.name(field), "a string"))
    }

    pub(crate) fn need_string(&self, field: &str) -> Checked<&'a str> {
        self.need(field)?;
        self.string(field)?.ok_or_else(|| Refusal::missing(&self.name(field)))
    }

    /// A string of at most so many characters.
    pub(crate) fn short_string(&self, field: &str, max: usize) -> Checked<Option<&'a str>> {
        let text = self.string(field)?;
        if text.is_some_and(|text| text.chars().count() > max) {
            let name = self.name(field);
            let message = format!("Invalid '{name}': string too long. Expected at most {max} characters.");
            return Err(Refusal::bad("string_above_max_length", &name, message));
        }
        Ok(text)
    }

    /// A string out of a list.
    pub(crate) fn one_of(&self, field: &str, values: &[&str]) -> Checked<Option<&'a str>> {
        let text = self.string(field)?;
        if text.is_some_and(|text| !values.contains(&text)) {
            return Err(Refusal::value(&self.name(field), &format!("supported are {}", values.join(", "))));
        }
        Ok(text)
    }

    pub(crate) fn boolean(&self, field: &str) -> Checked<Option<bool>> {
        let Some(value) = self.get(field) else { return Ok(None) };
        value.as_bool().map(Some).ok_or_else(|| Refusal::wrong_type(&self.name(field), "a boolean"))
    }

    pub(crate) fn integer(&self, field: &str, range: RangeInclusive<u64>) -> Checked<Option<u64>> {
        let Some(value) = self.get(field) else { return Ok(None) };
        let name = self.name(field);
        if value.as_i64().is_some_and(i64::is_negative) {
            return Err(below(&name, *range.start()));
        }
        let number = value.as_u64().ok_or_else(|| Refusal::wrong_type(&name, "an integer"))?;
        in_range(&name, number, range).map(Some)
    }

    pub(crate) fn number(&self, field: &str, range: RangeInclusive<f64>) -> Checked<Option<f64>> {
        let Some(value) = self.get(field) else { return Ok(None) };
        let name = self.name(field);
        let number = value.as_f64().ok_or_else(|| Refusal::wrong_type(&name, "a number"))?;
        if number < *range.start() {
            let message = format!("Invalid '{name}': decimal below minimum value {}.", range.start());
            return Err(Refusal::bad("decimal_below_min_value", &name, message));
        }
        if number > *range.end() {
            let message = format!("Invalid '{name}': decimal above maximum value {}.", range.end());
            return Err(Refusal::bad("decimal_above_max_value", &name, message));
        }
        Ok(Some(number))
    }

    /// An array with so many entries.
    pub(crate) fn array(&self, field: &str, len: RangeInclusive<usize>) -> Checked<Option<&'a Vec<Value>>> {
        let Some(value) = self.get(field) else { return Ok(None) };
        let name = self.name(field);
        let array = value.as_array().ok_or_else(|| Refusal::wrong_type(&name, "an array"))?;
        if array.len() < *len.start() {
            let message = format!("Invalid '{name}': expected at least {} entries.", len.start());
            return Err(Refusal::bad("array_below_min_length", &name, message));
        }
        if array.len() > *len.end() {
            let message = format!("Invalid '{name}': expected at most {} entries, got {}.", len.end(), array.len());
            return Err(Refusal::bad("array_above_max_length", &name, message));
        }
        Ok(Some(array))
    }

    /// An array of strings.
    pub(crate) fn strings(&self, field: &str, len: RangeInclusive<usize>) -> Checked<Option<Vec<&'a str>>> {
        let Some(array) = self.array(field, len)? else { return Ok(None) };
        let name = |at: usize| format!("{}[{at}]", self.name(field));
        let texts = array.iter().enumerate();
        texts
            .map(|(at, value)| value.as_str().ok_or_else(|| Refusal::wrong_type(&name(at), "a string")))
            .collect::<Checked<Vec<_>>>()
            .map(Some)
    }

    /// An object within.
    pub(crate) fn object(&self, field: &str) -> Checked<Option<Fields<'a>>> {
        self.get(field).map(|value| Fields::at(value, &self.name(field))).transpose()
    }

    pub(crate) fn map(&self) -> &'a Map<String, Value> {
        self.map
    }
}

/// Refuses numbers out of range with the service's codes.
pub(crate) fn in_range(name: &str, number: u64, range: RangeInclusive<u64>) -> Checked<u64> {
    if number < *range.start() {
        return Err(below(name, *range.start()));
    }
    if number > *range.end() {
        let message = format!("Invalid '{name}': integer above maximum value {}.", range.end());
        return Err(Refusal::bad("integer_above_max_value", name, message));
    }
    Ok(number)
}

fn below(name: &str, min: u64) -> Refusal {
    let message = format!("Invalid '{name}': integer below minimum value {min}.");
    Refusal::bad("integer_below_min_value", name, message)
}
