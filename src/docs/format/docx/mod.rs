//! DOCX. Headings by outline level, lists with their markers, tables as rows; no comments, no deleted text.
//!
//! The parts are read as a stream of XML events, so depth does not matter; what all of them unpack to is bounded.

mod body;
mod numbering;
mod styles;

use std::io::Cursor;

use zip::ZipArchive;

use crate::docs::format::blocks::Blocks;
use crate::docs::format::docx::body::Body;
use crate::docs::format::docx::numbering::Numbering;
use crate::docs::format::docx::styles::Styles;
use crate::docs::format::package::Package;
use crate::docs::format::{Format, FormatError, Input, MEDIA_BYTES, Parsed, Sniff, xml};

/// The row of the table.
pub const FORMAT: Format = Format {
    name: "DOCX",
    extensions: &["docx", "docm"],
    media_type: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    max_bytes: MEDIA_BYTES,
    is_shown: false,
    sniff,
    read,
};

fn sniff(bytes: &[u8]) -> Sniff {
    if !bytes.starts_with(b"PK\x03\x04") {
        return Sniff::No;
    }
    let Ok(archive) = ZipArchive::new(Cursor::new(bytes)) else {
        return Sniff::Possible;
    };
    let has_text = archive.file_names().flatten().any(|name| name.starts_with("word/") && name.ends_with(".xml"));
    if has_text { Sniff::Sure } else { Sniff::No }
}

fn read(input: Input<'_>) -> Result<Parsed, FormatError> {
    let mut package = Package::open(input.bytes)?;
    let main = package.main_part()?.unwrap_or_else(|| "word/document.xml".to_owned());
    let folder = main.rsplit_once('/').map_or("", |(folder, _)| folder);
    let styles = Styles::parse(&package.optional(&format!("{folder}/styles.xml"))?);
    let numbering = Numbering::parse(&package.optional(&format!("{folder}/numbering.xml"))?);
    let document = package.part(&main)?.ok_or_else(|| FormatError::Malformed("it has no text part".to_owned()))?;
    let mut blocks = Blocks::default();
    let mut body = Body::new(&styles, numbering, &mut blocks);
    body.read(&document)?;
    let title = body.title();
    for notes in ["footnotes", "endnotes"] {
        let text = package.optional(&format!("{folder}/{notes}.xml"))?;
        Body::new(&styles, Numbering::default(), &mut blocks).read(&text)?;
    }
    let core = package.optional("docProps/core.xml")?;
    let title = title.or_else(|| blocks.title()).or_else(|| xml::text_of(&core, "title"));
    Ok(Parsed { title, language: styles.language, blocks: blocks.finish(), ..Parsed::default() })
}

#[cfg(test)]
mod tests;
