//! Archives of parts: what DOCX, PPTX, ODT and EPUB files are made of.
//!
//! A part is read whole, by its name; nothing is ever unpacked to disk, and what all parts unpack to together is
//! bounded.

use std::io::{Cursor, Read as _};

use zip::ZipArchive;
use zip::result::ZipError;

use crate::docs::format::{FormatError, encoding, xml};

/// An archive whose parts unpack to more, all together, is an attack.
const MAX_UNPACKED_BYTES: u64 = 32 * 1024 * 1024;

/// The archive, and how many bytes its parts may still unpack to.
pub struct Package<'a> {
    archive: ZipArchive<Cursor<&'a [u8]>>,
    left: u64,
}

impl<'a> Package<'a> {
    /// Opens an archive.
    pub fn open(bytes: &'a [u8]) -> Result<Self, FormatError> {
        let archive = ZipArchive::new(Cursor::new(bytes)).map_err(malformed)?;
        Ok(Self { archive, left: MAX_UNPACKED_BYTES })
    }

    /// The part that holds the text of an office document, as the relations of the package name it.
    pub fn main_part(&mut self) -> Result<Option<String>, FormatError> {
        let relations = self.optional("_rels/.rels")?;
        let named = xml::elements(&relations, "Relationship").into_iter().find_map(|relation| {
            let kind = relation.attribute("Type")?;
            kind.ends_with("/officeDocument").then(|| relation.attribute("Target"))?
        });
        Ok(named.map(|target| target.trim_start_matches('/').to_owned()))
    }

    /// The text of a part; empty when there is none of that name.
    pub fn optional(&mut self, name: &str) -> Result<String, FormatError> {
        Ok(self.part(name)?.unwrap_or_default())
    }

    /// The text of a part, when there is one of that name.
    pub fn part(&mut self, name: &str) -> Result<Option<String>, FormatError> {
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
        Ok(Some(encoding::decode(&bytes, None)))
    }
}

fn malformed(error: ZipError) -> FormatError {
    match error {
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) => FormatError::Encrypted,
        error => FormatError::Malformed(error.to_string()),
    }
}
