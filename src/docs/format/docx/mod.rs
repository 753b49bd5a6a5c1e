//! DOCX. Headings by outline level, lists with their markers, tables as rows; no comments, no deleted text.
//!
//! The parts are read as a stream of XML events, so depth does not matter; what all of them unpack to is bounded.

mod body;
mod numbering;
mod styles;
mod xml;

use std::io::{Cursor, Read as _};

use zip::ZipArchive;
use zip::result::ZipError;

use crate::docs::format::blocks::Blocks;
use crate::docs::format::docx::body::Body;
use crate::docs::format::docx::numbering::Numbering;
use crate::docs::format::docx::styles::Styles;
use crate::docs::format::{Format, FormatError, Input, Parsed, Sniff};

/// The row of the table.
pub const FORMAT: Format = Format {
    name: "DOCX",
    extensions: &["docx", "docm"],
    media_type: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    is_shown: false,
    sniff,
    read,
};

/// An archive whose parts unpack to more, all together, is an attack.
const MAX_UNPACKED_BYTES: u64 = 32 * 1024 * 1024;

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
    let archive = ZipArchive::new(Cursor::new(input.bytes)).map_err(malformed)?;
    let mut package = Package { archive, left: MAX_UNPACKED_BYTES };
    let main = package.main_part()?;
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
    Ok(Parsed { title, language: styles.language, blocks: blocks.finish() })
}

/// The archive, and how many bytes its parts may still unpack to.
struct Package<'a> {
    archive: ZipArchive<Cursor<&'a [u8]>>,
    left: u64,
}

impl Package<'_> {
    /// The part that holds the text: the relations of the package name it, usually `word/document.xml`.
    fn main_part(&mut self) -> Result<String, FormatError> {
        let relations = self.optional("_rels/.rels")?;
        let named = xml::elements(&relations, "Relationship").into_iter().find_map(|relation| {
            let kind = relation.attribute("Type")?;
            kind.ends_with("/officeDocument").then(|| relation.attribute("Target"))?
        });
        Ok(named.map_or_else(|| "word/document.xml".to_owned(), |target| target.trim_start_matches('/').to_owned()))
    }

    fn optional(&mut self, name: &str) -> Result<String, FormatError> {
        Ok(self.part(name)?.unwrap_or_default())
    }

    fn part(&mut self, name: &str) -> Result<Option<String>, FormatError> {
        let file = match self.archive.by_name(name) {
            Ok(file) => file,
            Err(ZipError::FileNotFound) => return Ok(None),
            Err(error) => return Err(malformed(error)),
        };
        let mut bytes = Vec::new();
        file.take(self.left + 1).read_to_end(&mut bytes).map_err(|error| FormatError::Malformed(error.to_string()))?;
        let Some(left) = self.left.checked_sub(bytes.len() as u64) else {
            let limit = MAX_UNPACKED_BYTES / (1024 * 1024);
            return Err(FormatError::TooMuch(format!("it unpacks to more than {limit} MB")));
        };
        self.left = left;
        Ok(Some(crate::docs::format::encoding::decode(&bytes, None)))
    }
}

fn malformed(error: ZipError) -> FormatError {
    match error {
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) => FormatError::Encrypted,
        error => FormatError::Malformed(error.to_string()),
    }
}

#[cfg(test)]
mod tests;
