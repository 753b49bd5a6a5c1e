//! Archives of parts: what DOCX, PPTX, XLSX, ODT and EPUB files are made of.
//!
//! A part is read whole, by its name; nothing is ever unpacked to disk, so a name that climbs out of a folder leads
//! nowhere. How many parts there are, how tightly one is packed and what all of them unpack to together is bounded,
//! by what is really unpacked and not by what the archive says of itself.

use std::io::{Cursor, Read as _, Write as _, sink};

use zip::ZipArchive;
use zip::read::ZipFile;
use zip::result::ZipError;

use crate::docs::format::{FormatError, encoding, xml};

/// An archive whose parts unpack to more, all together, is an attack.
const MAX_UNPACKED_BYTES: u64 = 64 * 1024 * 1024;

/// The same for workbooks, whose sheets are read as a stream.
const MAX_STREAMED_BYTES: u64 = 512 * 1024 * 1024;

/// The book with the most pictures has fewer parts.
const MAX_PARTS: usize = 50_000;

/// XML is packed to a twentieth, at most to a hundredth. A bomb uses what the method gives: a thousandth.
const MAX_RATIO: u64 = 500;

/// Small parts may be packed as tightly as they like.
const MIN_RATIO_BYTES: u64 = 8 * 1024 * 1024;

/// Where every archive of this kind begins.
const SIGNATURE: &[u8] = b"PK\x03\x04";

/// The archive, and how many bytes its parts may still unpack to.
pub struct Package<'a> {
    archive: ZipArchive<Cursor<&'a [u8]>>,
    left: u64,
}

/// A part that another part refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    /// The name by which the other part calls it.
    pub id: String,
    /// What it is there: the last word of the type, such as `slide`.
    pub kind: String,
    /// Its name in the package.
    pub part: String,
}

impl<'a> Package<'a> {
    /// Opens an archive.
    pub fn open(bytes: &'a [u8]) -> Result<Self, FormatError> {
        let archive = ZipArchive::new(Cursor::new(bytes)).map_err(malformed)?;
        if archive.len() > MAX_PARTS {
            return Err(FormatError::TooMuch(format!("it has more than {MAX_PARTS} parts")));
        }
        Ok(Self { archive, left: MAX_UNPACKED_BYTES })
    }

    /// The names of all parts.
    pub fn names(&self) -> Vec<String> {
        self.archive.file_names().flatten().map(std::borrow::Cow::into_owned).collect()
    }

    /// The part that holds the text of an office document, as the relations of the package name it.
    pub fn main_part(&mut self) -> Result<Option<String>, FormatError> {
        Ok(self.relations("")?.into_iter().find(|relation| relation.kind == "officeDocument").map(|main| main.part))
    }

    /// The parts that a part refers to inside the package. The package itself is the part without a name.
    pub fn relations(&mut self, part: &str) -> Result<Vec<Relation>, FormatError> {
        let (folder, name) = part.rsplit_once('/').unwrap_or(("", part));
        let text = self.optional(format!("{folder}/_rels/{name}.rels").trim_start_matches('/'))?;
        let relations = xml::elements(&text, "Relationship").into_iter().filter_map(|relation| {
            let is_outside = relation.attribute("TargetMode").is_some_and(|mode| mode == "External");
            let (kind, target) = (relation.attribute("Type")?, relation.attribute("Target")?);
            let kind = kind.rsplit('/').next().unwrap_or_default().to_owned();
            let id = relation.attribute("Id").unwrap_or_default();
            (!is_outside).then(|| Relation { id, kind, part: resolve(part, &target) })
        });
        Ok(relations.collect())
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
        let packed = file.compressed_size();
        let mut bytes = Vec::new();
        file.take(self.left + 1).read_to_end(&mut bytes).map_err(|error| FormatError::Malformed(error.to_string()))?;
        let unpacked = bytes.len() as u64;
        self.left = self.left.checked_sub(unpacked).ok_or_else(|| too_much(MAX_UNPACKED_BYTES))?;
        check_ratio(packed, unpacked)?;
        Ok(Some(encoding::decode(&bytes, None)))
    }

    /// Unpacks every part that is no picture, keeping nothing: a reader that streams parts by itself is safe after it.
    pub fn check_unpacked(&mut self) -> Result<(), FormatError> {
        let mut left = MAX_STREAMED_BYTES;
        for index in 0..self.archive.len() {
            let file = self.archive.by_index(index).map_err(malformed)?;
            if is_media(&file) {
                continue;
            }
            let packed = file.compressed_size();
            let unpacked = unpacked_bytes(file, left)?;
            left = left.checked_sub(unpacked).ok_or_else(|| too_much(MAX_STREAMED_BYTES))?;
            check_ratio(packed, unpacked)?;
        }
        Ok(())
    }
}

/// Whether bytes are an archive that has a part of which `is` says yes; `None` when it does not open.
pub fn has_part(bytes: &[u8], is: impl Fn(&str) -> bool) -> Option<bool> {
    if !bytes.starts_with(SIGNATURE) {
        return Some(false);
    }
    let archive = ZipArchive::new(Cursor::new(bytes)).ok()?;
    Some(archive.file_names().flatten().any(|name| is(&name)))
}

/// The part that a reference inside `from` names: references are relative to the folder of the part they stand in.
pub fn resolve(from: &str, target: &str) -> String {
    let folder = if target.starts_with('/') { "" } else { from.rsplit_once('/').map_or("", |(folder, _)| folder) };
    let mut path: Vec<&str> = folder.split('/').collect();
    for step in target.split('/') {
        match step {
            ".." => {
                path.pop();
            }
            "." => {}
            step => path.push(step),
        }
    }
    path.retain(|step| !step.is_empty());
    path.join("/")
}

fn is_media(file: &ZipFile<'_, Cursor<&[u8]>>) -> bool {
    file.name().is_ok_and(|name| name.contains("/media/"))
}

/// What a part unpacks to, counted up to `limit` and one byte more.
fn unpacked_bytes(file: ZipFile<'_, Cursor<&[u8]>>, limit: u64) -> Result<u64, FormatError> {
    let mut sink = sink();
    let copied = std::io::copy(&mut file.take(limit + 1), &mut sink);
    sink.flush().and(copied).map_err(|error| FormatError::Malformed(error.to_string()))
}

fn check_ratio(packed: u64, unpacked: u64) -> Result<(), FormatError> {
    if unpacked > MIN_RATIO_BYTES && unpacked / packed.max(1) > MAX_RATIO {
        return Err(FormatError::TooMuch(format!("a part of it unpacks to more than {MAX_RATIO} times its size")));
    }
    Ok(())
}

fn too_much(limit: u64) -> FormatError {
    FormatError::TooMuch(format!("it unpacks to more than {} MB", limit / (1024 * 1024)))
}

fn malformed(error: ZipError) -> FormatError {
    match error {
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) => FormatError::Encrypted,
        error => FormatError::Malformed(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docs::format::testing::archive;

    #[test]
    fn references_are_relative_to_the_part_they_stand_in() {
        assert_eq!(resolve("ppt/slides/slide1.xml", "../charts/chart1.xml"), "ppt/charts/chart1.xml");
        assert_eq!(resolve("ppt/slides/slide1.xml", "/ppt/a.xml"), "ppt/a.xml");
        assert_eq!(resolve("", "ppt/presentation.xml"), "ppt/presentation.xml");
        assert_eq!(resolve("a/b.xml", "../../../../etc/passwd"), "etc/passwd");
        assert_eq!(resolve("OEBPS/content.opf", "./text//one.xhtml"), "OEBPS/text/one.xhtml");
    }

    #[test]
    fn relations_name_parts_of_the_package_only() {
        let relations = "<Relationships><Relationship Id='r1' Type='http://x/slide' Target='slides/1.xml'/>\
                         <Relationship Id='r2' Type='http://x/slide' Target='file:///etc' TargetMode='External'/></Relationships>";
        let bytes = archive(&[("ppt/_rels/presentation.xml.rels", relations)]);
        let found = Package::open(&bytes).unwrap().relations("ppt/presentation.xml").unwrap();
        let one = Relation { id: "r1".to_owned(), kind: "slide".to_owned(), part: "ppt/slides/1.xml".to_owned() };
        assert_eq!(found, [one]);
    }

    /// D6: what unpacks to too much is refused before it does.
    #[test]
    fn bombs_are_named() {
        let text = " ".repeat(9 << 20);
        let bytes = archive(&[("a.xml", &text)]);
        let mut package = Package::open(&bytes).unwrap();
        let error = FormatError::TooMuch("a part of it unpacks to more than 500 times its size".to_owned());
        assert_eq!(package.part("a.xml"), Err(error.clone()));
        assert_eq!(package.check_unpacked(), Err(error));
    }

    #[test]
    fn what_all_parts_unpack_to_is_bounded() {
        let bytes = archive(&[("a.xml", "four"), ("b.xml", "more")]);
        let mut package = Package { left: 6, ..Package::open(&bytes).unwrap() };
        assert_eq!(package.part("a.xml"), Ok(Some("four".to_owned())));
        assert_eq!(package.part("c.xml"), Ok(None));
        assert_eq!(package.part("b.xml"), Err(too_much(MAX_UNPACKED_BYTES)));
    }
}
