//! Gives a file whose table of objects is wrong a new one, made from the objects that are there.
//!
//! Files that went through a transfer as text, or lost their end, keep their objects: only the way to them is lost.
//! Nothing in the file is changed; the new table stands behind it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// No larger file is copied for it, in bytes.
const MAX_BYTES: usize = 256 * 1024 * 1024;
/// The largest number of an object that readers must know (ISO 32000-1, annex C).
const MAX_NUMBER: u32 = 8_388_607;
/// More objects than the largest real files have.
const MAX_OBJECTS: usize = 1_000_000;
/// A word between spaces before `obj`, at most.
const MAX_DIGITS: usize = 10;

/// The file with a new table; `None` when it has no objects, or is encrypted: its key stands in the lost part.
pub fn repaired(bytes: &[u8]) -> Option<Vec<u8>> {
    let start = find(bytes, b"%PDF-", 0)?;
    let bytes = &bytes[start..];
    if bytes.len() > MAX_BYTES || find(bytes, b"/Encrypt", 0).is_some() {
        return None;
    }
    let places = places(bytes);
    let last = places.keys().next_back()?;
    let mut tail = String::from("\nxref\n");
    for (number, (generation, place)) in &places {
        let _ = write!(tail, "{number} 1\n{place:010} {generation:05} n \n");
    }
    let table = bytes.len() + 1;
    let _ = write!(tail, "trailer\n<< /Size {} >>\nstartxref\n{table}\n%%EOF\n", last + 1);
    let mut repaired = Vec::with_capacity(bytes.len() + tail.len());
    repaired.extend_from_slice(bytes);
    repaired.extend_from_slice(tail.as_bytes());
    Some(repaired)
}

/// Generation and place of each object, by its number; of two with one number the later is the newer.
fn places(bytes: &[u8]) -> BTreeMap<u32, (u16, usize)> {
    let mut places = BTreeMap::new();
    let mut cursor = 0;
    while let Some(at) = bytes[cursor..].iter().position(|byte| matches!(byte, b'o' | b's')).map(|at| cursor + at) {
        let rest = &bytes[at..];
        cursor = at + 1;
        if is_stream(rest) && !bytes[..at].ends_with(b"end") {
            // What looks like an object in there is none of this file's.
            cursor = find(bytes, b"endstream", at).map_or(cursor, |end| end + b"endstream".len());
        } else if let Some((number, generation, place)) = rest.starts_with(b"obj").then(|| head(bytes, at)).flatten() {
            places.insert(number, (generation, place));
        }
        if places.len() > MAX_OBJECTS {
            return BTreeMap::new();
        }
    }
    places
}

fn is_stream(rest: &[u8]) -> bool {
    rest.starts_with(b"stream\n") || rest.starts_with(b"stream\r")
}

/// Number, generation and place of the object whose `obj` stands there.
fn head(bytes: &[u8], at: usize) -> Option<(u32, u16, usize)> {
    let (generation, at) = number_before(bytes, at)?;
    let (number, place) = number_before(bytes, at)?;
    (number <= MAX_NUMBER).then_some((number, u16::try_from(generation).ok()?, place))
}

/// The number that ends before a place, and where it begins. Spaces may stand between.
fn number_before(bytes: &[u8], at: usize) -> Option<(u32, usize)> {
    let window = &bytes[at.saturating_sub(2 * MAX_DIGITS)..at];
    let word = window.trim_ascii_end();
    let digits = word.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let end = at - (window.len() - word.len());
    let text = std::str::from_utf8(&bytes[end - digits..end]).ok()?;
    Some((text.parse().ok()?, end - digits))
}

fn find(bytes: &[u8], wanted: &[u8], from: usize) -> Option<usize> {
    bytes[from..].windows(wanted.len()).position(|window| window == wanted).map(|at| from + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_found_where_they_are() {
        let file =
            b"%PDF-1.4\n1 0 obj\n<<>>\nendobj 12  3\nobj<</Length 9>>stream\n7 0 obj x\nendstream endobj\n1 0 obj 5";
        let places = places(file);
        assert_eq!(places.keys().copied().collect::<Vec<u32>>(), [1, 12]);
        assert_eq!((places[&12], places[&1].0), ((3, 29), 0));
        assert!(file[places[&1].1..].ends_with(b"1 0 obj 5") && places[&1].1 > 29);
        assert_eq!(repaired(b"%PDF-1.4\nobj 0 obj endobj"), None);
        assert_eq!(repaired(b"%PDF-1.4\n1 0 obj\nendobj trailer <</Encrypt 1 0 R>>"), None);
    }
}
