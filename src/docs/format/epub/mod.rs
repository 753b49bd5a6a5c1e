//! EPUB. The chapters in the order of the spine (EPUB 3.3, 5.7), each read as the page of HTML that it is.
//!
//! Tables of contents and covers are left out. A book whose chapters are encrypted is; one that only hides its fonts
//! is not.

mod opf;

use crate::docs::format::blocks::{Blocks, Place};
use crate::docs::format::epub::opf::Opf;
use crate::docs::format::package::{self, Package};
use crate::docs::format::{Format, FormatError, Input, MEDIA_BYTES, Parsed, Sniff, html, xml};

/// The row of the table.
pub const FORMAT: Format = Format {
    name: "EPUB",
    extensions: &["epub"],
    media_type: "application/epub+zip",
    max_bytes: MEDIA_BYTES,
    is_shown: false,
    sniff,
    read,
};

const CONTAINER: &str = "META-INF/container.xml";

fn sniff(bytes: &[u8]) -> Sniff {
    match package::has_part(bytes, |name| name == CONTAINER) {
        Some(true) => Sniff::Sure,
        Some(false) => Sniff::No,
        None => Sniff::Possible,
    }
}

fn read(input: Input<'_>) -> Result<Parsed, FormatError> {
    let mut package = Package::open(input.bytes)?;
    let container = package.optional(CONTAINER)?;
    let roots = xml::elements(&container, "rootfile");
    let root = roots.first().and_then(|root| root.attribute("full-path")).map(|path| package::resolve("", &path));
    let root = root.ok_or_else(|| FormatError::Malformed("it does not say where its contents are".to_owned()))?;
    let text =
        package.part(&root)?.ok_or_else(|| FormatError::Malformed("its list of contents is missing".to_owned()))?;
    let opf = Opf::parse(&root, &text);
    let encrypted = encrypted_parts(&package.optional("META-INF/encryption.xml")?);
    let mut blocks = Blocks::default();
    for chapter in &opf.chapters {
        if encrypted.contains(chapter) {
            return Err(FormatError::Encrypted);
        }
        // A chapter that is listed and missing does not hide the others.
        let text = package.optional(chapter)?;
        blocks.extend(html::fragment(&without_empty_elements(&text))?, Place::default());
    }
    Ok(Parsed { title: opf.title, language: opf.language, blocks: blocks.finish(), ..Parsed::default() })
}

/// The parts that need a key. Fonts that are only made hard to copy are never chapters.
fn encrypted_parts(text: &str) -> Vec<String> {
    let references = xml::elements(text, "CipherReference").into_iter();
    references
        .filter_map(|reference| Some(package::resolve("", &opf::decode_path(&reference.attribute("URI")?))))
        .collect()
}

/// Elements that HTML closes by itself.
const VOID: &[&str] =
    &["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"];

/// Writes out empty elements: `<title/>` is whole in XML, but for HTML it opens a title that never ends.
fn without_empty_elements(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("/>") {
        let (before, after) = rest.split_at(at);
        rest = &after[2..];
        out.push_str(before);
        let name = before.rfind('<').map(|open| &before[open + 1..]).filter(|tag| !tag.contains('>'));
        let name = name.and_then(|tag| tag.split_whitespace().next()).filter(|name| !name.starts_with(['!', '?', '/']));
        match name {
            Some(name) if VOID.contains(&name.to_ascii_lowercase().as_str()) => out.push_str("/>"),
            Some(name) => {
                out.push_str("></");
                out.push_str(name);
                out.push('>');
            }
            None => out.push_str("/>"),
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests;
