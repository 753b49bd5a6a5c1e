//! Makes fonts plain for the engine, and tells which are bold.
//!
//! The engine misreads widths that are written for a range of characters, gives up on maps it does not know, and
//! unpacks font programs it has no use for, again for each page.

mod ligatures;

use pdf_extract::{Dictionary, Document, Object, ObjectId};

use crate::docs::format::pdf::unpack;

/// A font of all Han characters has fewer.
const MAX_WIDTHS: usize = 200_000;
/// The largest map from a font's codes to characters, unpacked, in bytes.
const MAX_MAP_BYTES: usize = 4 * 1024 * 1024;
/// The largest font program that is looked at, unpacked, in bytes.
const MAX_PROGRAM_BYTES: usize = 8 * 1024 * 1024;
/// Flags of a font descriptor: bold in small sizes too (ISO 32000-1, table 123).
const FORCE_BOLD: i64 = 1 << 18;
/// What the weights of bold faces begin with.
const BOLD_WEIGHT: f32 = 600.0;

/// Prepares all fonts of a document.
pub fn prepare(document: &mut Document) {
    let ids: Vec<ObjectId> = document.objects.keys().copied().collect();
    for id in ids {
        let Some(mended) = document.objects.get(&id).and_then(|object| mend(document, object)) else {
            continue;
        };
        document.objects.insert(id, Object::Dictionary(mended));
    }
}

/// Whether a font is a bold one.
pub fn is_bold(document: &Document, font: &Dictionary) -> bool {
    let descendants = resolve(document, font, b"DescendantFonts").and_then(|object| object.as_array().ok());
    let descendant = descendants
        .and_then(|fonts| document.dereference(fonts.first()?).ok())
        .and_then(|(_, object)| object.as_dict().ok());
    let name = font.get(b"BaseFont").and_then(Object::as_name).unwrap_or_default();
    let name = String::from_utf8_lossy(name).to_lowercase();
    let face = name.split_once('+').map_or(name.as_str(), |(_, face)| face);
    let named = ["bold", "black", "heavy", "demi"].iter().any(|word| face.contains(word)) || face.starts_with("cmbx");
    named || [Some(font), descendant].into_iter().flatten().any(|font| is_described_as_bold(document, font))
}

fn is_described_as_bold(document: &Document, font: &Dictionary) -> bool {
    let Some(descriptor) = resolve(document, font, b"FontDescriptor").and_then(|object| object.as_dict().ok()) else {
        return false;
    };
    let weight = descriptor.get(b"FontWeight").and_then(Object::as_float).unwrap_or(0.0);
    let flags = descriptor.get(b"Flags").and_then(Object::as_i64).unwrap_or(0);
    weight >= BOLD_WEIGHT || flags & FORCE_BOLD != 0
}

/// A font or a descriptor as the engine reads it right; `None` for everything else, and where nothing is to be done.
fn mend(document: &Document, object: &Object) -> Option<Dictionary> {
    let dict = object.as_dict().ok()?;
    let mut mended = dict.clone();
    let mut changed = false;
    if let Some(Object::Array(widths)) = resolve(document, dict, b"W") {
        mended.set("W", Object::Array(plain_widths(document, widths)));
        changed = true;
    }
    if let Ok(Object::Array(descendants)) = dict.get(b"DescendantFonts") {
        let plain = |font: &Object| mend(document, font).map_or_else(|| font.clone(), Object::Dictionary);
        mended.set("DescendantFonts", Object::Array(descendants.iter().map(plain).collect()));
        changed = true;
    }
    for (key, max_bytes) in
        [("ToUnicode", MAX_MAP_BYTES), ("FontFile", MAX_PROGRAM_BYTES), ("FontFile3", MAX_PROGRAM_BYTES)]
    {
        if resolve(document, dict, key.as_bytes()).is_some_and(|object| !is_plain(object, max_bytes)) {
            mended.remove(key.as_bytes());
            changed = true;
        }
    }
    if let Some(map) = ligatures::mended_map(document, &mended, MAX_MAP_BYTES) {
        mended.set("ToUnicode", map);
        changed = true;
    }
    changed |= mended.remove(b"FontFile2").is_some();
    changed.then_some(mended)
}

fn is_plain(object: &Object, max_bytes: usize) -> bool {
    match object {
        Object::Stream(stream) => unpack::fits(stream, max_bytes),
        Object::Name(name) => name == b"Identity-H",
        _ => false,
    }
}

/// Widths with one entry for each character: `10 12 500` becomes `10 [500 500 500]`.
fn plain_widths(document: &Document, widths: &[Object]) -> Vec<Object> {
    let resolved: Vec<&Object> =
        widths.iter().filter_map(|object| document.dereference(object).ok()).map(|(_, object)| object).collect();
    let mut plain = Vec::new();
    let mut count = 0;
    let mut rest = resolved.as_slice();
    while let [first, second, after @ ..] = rest {
        let Ok(from) = first.as_i64() else { break };
        let (each, after): (Vec<Object>, &[&Object]) = match (second, after) {
            (Object::Array(each), after) => (each.iter().map(|width| number(document, width)).collect(), after),
            (to, [width, after @ ..]) => {
                let Ok(to) = to.as_i64() else { break };
                let range = usize::try_from(to.saturating_sub(from).saturating_add(1)).unwrap_or(0);
                (vec![number(document, width); range.min(MAX_WIDTHS)], after)
            }
            _ => break,
        };
        count += each.len();
        if count > MAX_WIDTHS {
            break;
        }
        plain.extend([Object::Integer(from), Object::Array(each)]);
        rest = after;
    }
    plain
}

fn number(document: &Document, object: &Object) -> Object {
    let width = document.dereference(object).ok().and_then(|(_, object)| object.as_float().ok());
    Object::Real(width.unwrap_or(0.0))
}

fn resolve<'a>(document: &'a Document, holder: &'a Dictionary, key: &[u8]) -> Option<&'a Object> {
    document.dereference(holder.get(key).ok()?).ok().map(|(_, object)| object)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_of_ranges_are_spelled_out() {
        let document = Document::new();
        let widths: Vec<Object> =
            vec![0.into(), vec![750.into()].into(), 15.into(), 17.into(), 277.into(), 20.into(), "rubbish".into()];
        let plain = plain_widths(&document, &widths);
        let width = Object::Real(277.0);
        let expected: Vec<Object> = vec![
            0.into(),
            vec![Object::Real(750.0)].into(),
            15.into(),
            vec![width.clone(), width.clone(), width].into(),
        ];
        assert_eq!(plain, expected);
        let endless: Vec<Object> = vec![0.into(), i64::MAX.into(), 500.into()];
        assert!(plain_widths(&document, &endless).len() <= 2);
    }

    #[test]
    fn bold_is_named_or_described() {
        let document = Document::new();
        let font = |name: &str| {
            let mut font = Dictionary::new();
            font.set("BaseFont", Object::Name(name.into()));
            font
        };
        assert!(is_bold(&document, &font("AAAAAB+CMBX12")));
        assert!(is_bold(&document, &font("Helvetica-BoldOblique")));
        assert!(!is_bold(&document, &font("DEMIAB+Helvetica")));
        let mut heavy = font("F1");
        let mut descriptor = Dictionary::new();
        descriptor.set("FontWeight", 700);
        heavy.set("FontDescriptor", descriptor);
        assert!(is_bold(&document, &heavy));
    }
}
