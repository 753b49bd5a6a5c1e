//! Words of one family: an employer employs, a Kündigungsfrist is about a Kündigung.

use crate::text::Language;

/// What a related word counts, against the word itself.
pub(super) const SHARE: f32 = 0.7;

/// Letters at the beginning that two words of a family share at least.
const MIN_SHARED_CHARS: usize = 4;
/// And the part of the longer one that these are.
const MIN_SHARED_PART: f32 = 0.7;
/// A part of a compound has this many letters at least.
const MIN_PART_CHARS: usize = 5;

/// Whether two terms of `language` are likely of one family.
pub(super) fn are_related(one: &str, other: &str, language: Option<Language>) -> bool {
    if one.chars().chain(other.chars()).any(|letter| !letter.is_alphabetic()) {
        return false;
    }
    let (one_length, other_length) = (one.chars().count(), other.chars().count());
    let shared = one.chars().zip(other.chars()).take_while(|(left, right)| left == right).count();
    if shared >= MIN_SHARED_CHARS && shared as f32 >= MIN_SHARED_PART * one_length.max(other_length) as f32 {
        return true;
    }
    let (part, whole, length) =
        if one_length < other_length { (one, other, one_length) } else { (other, one, other_length) };
    language.is_some_and(Language::joins_compounds)
        && length >= MIN_PART_CHARS
        && (whole.starts_with(part) || whole.ends_with(part))
}
