//! Ligatures that a font names, but that its map to characters does not know.
//!
//! Programs that print again what was printed by TeX write maps in which `ffi` is nothing, or an arrow. The name of the
//! glyph says what it is; a map that gives letters is believed before any name.

use std::collections::HashMap;

use pdf_extract::{Dictionary, Document, Object, Stream};

use crate::docs::format::pdf::unpack;

/// Names without the `_` between the letters.
const NAMES: [&str; 10] = ["ff", "fi", "fl", "ffi", "ffl", "ft", "fft", "fj", "st", "tt"];

/// The font's map to characters, unpacked and with its ligatures; `None` when it lacks none.
pub fn mended_map(document: &Document, font: &Dictionary, max_bytes: usize) -> Option<Stream> {
    let named = named(document, font);
    if named.is_empty() {
        return None;
    }
    let map = font.get_deref(b"ToUnicode", document).and_then(Object::as_stream).ok()?;
    let mut text = unpack::unpack(map, max_bytes)?;
    let missing = missing(&String::from_utf8_lossy(&text), named)?;
    let entries: Vec<String> =
        missing.iter().map(|(code, letters)| format!("<{code:02x}> <{}>", in_hex(letters))).collect();
    let added = format!("\n{} beginbfchar\n{}\nendbfchar\n", entries.len(), entries.join("\n"));
    // What stands later in a map counts.
    let end = text.windows(7).rposition(|word| word == b"endcmap").unwrap_or(text.len());
    text.splice(end..end, added.into_bytes());
    Some(Stream::new(Dictionary::new(), text))
}

/// The codes that the font gives to ligatures, and the letters of these.
fn named(document: &Document, font: &Dictionary) -> Vec<(u8, String)> {
    let encoding = font.get_deref(b"Encoding", document).and_then(Object::as_dict).ok();
    let differences = encoding.and_then(|encoding| encoding.get_deref(b"Differences", document).ok()?.as_array().ok());
    let mut named = Vec::new();
    let mut code: i64 = 0;
    for object in differences.into_iter().flatten() {
        match document.dereference(object) {
            Ok((_, Object::Integer(first))) => code = *first,
            Ok((_, Object::Name(name))) => {
                if let (Ok(code), Some(letters)) = (u8::try_from(code), letters(&String::from_utf8_lossy(name))) {
                    named.push((code, letters));
                }
                code = code.saturating_add(1);
            }
            _ => {}
        }
    }
    named
}

/// The letters of a ligature, by its name: `ffi`, `f_f_i` or `f_f_i.alt`.
fn letters(name: &str) -> Option<String> {
    let name = name.split('.').next().unwrap_or(name);
    let parts: Vec<&str> = name.split('_').collect();
    let is_letter = |part: &&str| part.len() == 1 && part.bytes().all(|byte| byte.is_ascii_alphabetic());
    let is_joined = (2..=4).contains(&parts.len()) && parts.iter().all(is_letter);
    (is_joined || NAMES.contains(&name)).then(|| parts.concat())
}

/// Those ligatures for which the map has something that is no letter. What the map does not have at all, the engine
/// finds by its name. `None` when there are none.
fn missing(map: &str, named: Vec<(u8, String)>) -> Option<Vec<(u8, String)>> {
    let entries = entries(map);
    let is_missing = |code: u8| entries.get(&code).is_some_and(|text| !text.chars().any(char::is_alphabetic));
    let missing: Vec<(u8, String)> = named.into_iter().filter(|(code, _)| is_missing(*code)).collect();
    (!missing.is_empty()).then_some(missing)
}

/// What a map has for codes of one byte.
fn entries(map: &str) -> HashMap<u8, String> {
    let mut entries = HashMap::new();
    for section in map.split("begin").skip(1) {
        let (kind, rest) = section.split_at(section.find(char::is_whitespace).unwrap_or(section.len()));
        let body = rest.split("end").next().unwrap_or_default();
        let strings: Vec<Vec<u16>> = body.split('<').skip(1).map(|text| from_hex(text.split('>').next())).collect();
        match kind {
            "bfchar" => {
                let entry = |pair: &[Vec<u16>]| Some((code(&pair[0])?, text(&pair[1], 0)));
                entries.extend(strings.chunks_exact(2).filter_map(entry));
            }
            "bfrange" if !body.contains('[') => {
                entries.extend(strings.chunks_exact(3).filter_map(range).flatten());
            }
            _ => {}
        }
    }
    entries
}

fn range(strings: &[Vec<u16>]) -> Option<impl Iterator<Item = (u8, String)>> {
    let [from, to, first] = strings else { return None };
    let (from, to) = (code(from)?, code(to)?);
    Some((from..=to).map(move |code| (code, text(first, code - from))))
}

/// A code of one byte.
fn code(units: &[u16]) -> Option<u8> {
    if let [unit] = units { u8::try_from(*unit).ok() } else { None }
}

/// The characters of an entry, or of one that stands so far behind it in its range.
fn text(units: &[u16], behind: u8) -> String {
    let mut units = units.to_vec();
    if let Some(last) = units.last_mut() {
        *last = last.wrapping_add(u16::from(behind));
    }
    String::from_utf16_lossy(&units)
}

fn from_hex(digits: Option<&str>) -> Vec<u16> {
    let digits: Vec<char> = digits.unwrap_or_default().chars().filter(|c| !c.is_whitespace()).collect();
    let unit = |digits: &[char]| u16::from_str_radix(&digits.iter().collect::<String>(), 16).unwrap_or(0);
    digits.chunks(4).map(unit).collect()
}

/// Characters as a map writes them.
fn in_hex(letters: &str) -> String {
    letters.encode_utf16().fold(String::new(), |hex, unit| hex + &format!("{unit:04x}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pdf_extract::dictionary;

    #[test]
    fn names_of_ligatures_are_letters() {
        for (name, expected) in [("ffi", "ffi"), ("f_f_l.alt", "ffl"), ("T_h", "Th"), ("f_t", "ft")] {
            assert_eq!(letters(name).as_deref(), Some(expected), "{name}");
        }
        for name in ["a", "fa", "period", "f_100", "_", "uni0041", ""] {
            assert_eq!(letters(name), None, "{name}");
        }
    }

    #[test]
    fn a_map_that_knows_letters_is_believed() {
        let document = Document::new();
        let mended = |entries: &str| {
            let map = format!("begincmap\n1 begincodespacerange\n<00><ff>\nendcodespacerange\n{entries}\nendcmap end");
            let font = dictionary! {
                "Encoding" => dictionary! { "Differences" => vec![33.into(), Object::Name(b"ffi".to_vec())] },
                "ToUnicode" => Stream::new(Dictionary::new(), map.into_bytes()),
            };
            mended_map(&document, &font, 10_000).map(|map| String::from_utf8(map.content).unwrap())
        };
        for known in ["00660066", "fb03"] {
            assert_eq!(mended(&format!("1 beginbfchar <21> <{known}> endbfchar")), None, "{known}");
        }
        assert_eq!(mended("1 beginbfrange <20><22><0061> endbfrange"), None);
        for nothing in [
            "1 beginbfchar <21> <0000> endbfchar",
            "1 beginbfchar\n<20> <0061>\n<21> <21B5>\nendbfchar",
            "1 beginbfrange\n<20><22><e002>\nendbfrange",
        ] {
            let map = mended(nothing).unwrap();
            assert!(map.ends_with("1 beginbfchar\n<21> <006600660069>\nendbfchar\nendcmap end"), "{map}");
        }
    }
}
