//! DOCX. Headings by outline level, lists with their markers, tables as rows; no comments, no deleted or hidden text,
//! no headers and footers, no table of contents. Pages have no numbers: where they break is up to the program, its
//! fonts and its printer, and a wrong page is worse than none.
//!
//! The parts are read as a stream of XML events, so depth does not matter; what all of them unpack to is bounded.

mod body;
mod notes;
mod numbering;
mod styles;

use crate::docs::format::blocks::Blocks;
use crate::docs::format::docx::body::{Body, Parts};
use crate::docs::format::docx::notes::Notes;
use crate::docs::format::docx::numbering::Numbering;
use crate::docs::format::docx::styles::Styles;
use crate::docs::format::package::{self, Package};
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
    match package::has_part(bytes, |name| name.starts_with("word/")) {
        Some(true) => Sniff::Sure,
        Some(false) => Sniff::No,
        None => Sniff::Possible,
    }
}

fn read(input: Input<'_>) -> Result<Parsed, FormatError> {
    let mut package = Package::open(input.bytes)?;
    let main = package.main_part()?.unwrap_or_else(|| "word/document.xml".to_owned());
    let folder = main.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut other = |name: &str| package.optional(&format!("{folder}/{name}.xml"));
    let styles = Styles::parse(&other("styles")?);
    let numbering = Numbering::parse(&other("numbering")?);
    let notes = Notes::parse(&other("footnotes")?, &other("endnotes")?, &styles)?;
    let document = package.part(&main)?.ok_or_else(|| FormatError::Malformed("it has no text part".to_owned()))?;
    let mut blocks = Blocks::default();
    let title = Body::new(Parts { styles: &styles, numbering, notes }, &mut blocks).read(&document)?;
    let core = package.optional("docProps/core.xml")?;
    let title = title.or_else(|| blocks.title()).or_else(|| xml::text_of(&core, "title"));
    Ok(Parsed { title, language: styles.language, blocks: blocks.finish(), ..Parsed::default() })
}

#[cfg(test)]
mod tests;
