//! What the rules know of a folder: small facts about each file, never its text.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

use unicode_segmentation::UnicodeSegmentation as _;

use crate::docs::ReadFile;
use crate::docs::catalogue::{Bound, Catalogue};
use crate::docs::chunk;
use crate::docs::format::{self, FormatError, Parsed, csv};
use crate::docs::identity::is_sensible_title;
use crate::docs::walk::{FoundFile, Listing, SkipCode};
use crate::error::Problem;
use crate::ingest::language;
use crate::lint::finding::{self, Finding};
use crate::lint::line::Source;
use crate::lint::look::Read;
use crate::lint::near::{Signature, signature};
use crate::model::{Block, BlockKind, Locator};

/// How much of a file tells what it is.
const HEAD_BYTES: u64 = 8 * 1024;

/// A file that a reader exists for.
#[derive(Debug)]
pub struct Facts {
    /// The file.
    pub file: FoundFile,
    /// What its first bytes say it is, if that is not what its name says.
    pub disguise: Option<String>,
    /// Why it is a program.
    pub program: Option<&'static str>,
    /// Whether its mode says that it can be run.
    pub has_run_bit: bool,
    /// What was read, or why nothing was.
    pub content: Result<Content, FormatError>,
}

/// What is kept of a document's contents.
#[derive(Debug)]
pub struct Content {
    /// SHA-256, hexadecimal.
    pub sha256: String,
    /// Words of its text.
    pub words: usize,
    /// Chunks it gives.
    pub chunks: usize,
    /// Its language, ISO 639-3, when sure.
    pub language: Option<String>,
    /// Whether it gives itself a title.
    pub has_title: bool,
    /// Whether it is a table and nothing else: such have neither titles nor sentences.
    pub is_table: bool,
    /// For finding ones that are nearly the same.
    pub signature: Signature,
    /// The first place where characters are broken, and what stands there.
    pub broken: Option<(Locator, &'static str)>,
    /// Keys, passwords, personal data.
    pub findings: Vec<Finding>,
}

/// A file that no reader was asked for.
#[derive(Debug)]
pub struct Other {
    /// Path relative to the documents folder.
    pub path: String,
    /// Why it is left out, for programs.
    pub code: SkipCode,
    /// Why it is left out.
    pub reason: String,
    /// Why it is a program.
    pub program: Option<&'static str>,
}

/// All that the rules know.
#[derive(Debug)]
pub struct Folder {
    /// Files that a reader exists for, by path.
    pub files: Vec<Facts>,
    /// Files left out on purpose.
    pub others: Vec<Other>,
    /// What could not be looked at: path, code, message.
    pub problems: Vec<Problem>,
    /// What `documents.yaml` says, or why it cannot be used.
    pub catalogue: Result<Bound, String>,
}

/// Looks at one document. Runs on a background thread.
pub fn facts(file: FoundFile, read: Read) -> Facts {
    let head = head(&file.absolute);
    Facts {
        disguise: read.as_ref().map_or_else(|_| disguise(&file.path, &head), |read| read_otherwise(&file.path, read)),
        program: program(&head),
        has_run_bit: has_run_bit(&file.absolute),
        content: read.map(|read| content(&file, &read)),
        file,
    }
}

/// Adds what the listing says to the facts of the files. Blocks: it looks at files.
pub fn folder(root: &Path, listing: Listing, files: Vec<Facts>) -> Folder {
    let others = listing.skipped.into_iter().map(|skipped| {
        let absolute = root.join(&skipped.path);
        let is_file = absolute.symlink_metadata().is_ok_and(|metadata| metadata.is_file());
        let program = if is_file { program(&head(&absolute)) } else { None };
        Other { path: skipped.path, code: skipped.code, reason: skipped.reason, program }
    });
    let others = others.collect();
    let paths = files.iter().map(|facts| facts.file.path.as_str());
    let troubled = listing.problems.iter().map(|problem| problem.path.as_str());
    let catalogue = Catalogue::load(root).and_then(|catalogue| catalogue.bind(paths.chain(troubled)));
    let catalogue = catalogue.map_err(|error| error.to_string());
    Folder { files, others, problems: listing.problems, catalogue }
}

impl Folder {
    /// Whether there is nothing that could be looked at.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.problems.is_empty()
    }

    /// The documents that were read.
    pub fn read(&self) -> impl Iterator<Item = (&Facts, &Content)> {
        self.files.iter().filter_map(|facts| facts.content.as_ref().ok().map(|content| (facts, content)))
    }

    /// The paths of all files that are, or could be, documents.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        let files = self.files.iter().map(|facts| facts.file.path.as_str());
        files.chain(self.problems.iter().map(|problem| problem.path.as_str()))
    }

    /// Groups of values that are the same, by key.
    pub fn groups<'a, T>(items: impl Iterator<Item = (String, &'a T)>) -> Vec<Vec<&'a T>>
    where
        T: ?Sized,
    {
        let mut groups: BTreeMap<String, Vec<&'a T>> = BTreeMap::new();
        for (key, item) in items {
            groups.entry(key).or_default().push(item);
        }
        groups.into_values().filter(|group| group.len() > 1).collect()
    }
}

fn content(file: &FoundFile, read: &ReadFile) -> Content {
    let (path, parsed) = (file.path.as_str(), &read.parsed);
    Content {
        sha256: read.sha256.clone(),
        words: words(parsed),
        chunks: chunk::chunks("", &parsed.blocks).len(),
        language: language::detect(&parsed.blocks),
        has_title: has_title(parsed, path),
        is_table: is_table(parsed),
        signature: signature(parsed),
        broken: broken(parsed),
        findings: finding::find(path, parsed, &Source::new(file, read)),
    }
}

/// Words of a document, as Unicode sees them (UAX #29).
pub fn words(parsed: &Parsed) -> usize {
    parsed.blocks.iter().map(|block| block.text.unicode_words().count()).sum()
}

fn has_title(parsed: &Parsed, path: &str) -> bool {
    let is_heading = |kind: BlockKind| matches!(kind, BlockKind::Heading { level: 1 });
    parsed.title.as_deref().is_some_and(|title| is_sensible_title(title, path))
        || parsed.blocks.iter().any(|block| is_heading(block.kind))
}

fn is_table(parsed: &Parsed) -> bool {
    let is_row = |block: &Block| matches!(block.kind, BlockKind::TableRow { .. });
    parsed.format == csv::FORMAT.name || parsed.blocks.iter().all(is_row)
}

/// Characters that were lost, or read in a wrong encoding: UTF-8 taken for Windows-1252 turns `ü` into `Ã¼` and a
/// curly quote into `â€™`.
fn broken(parsed: &Parsed) -> Option<(Locator, &'static str)> {
    parsed.blocks.iter().find_map(|block| {
        let what = if block.text.contains(char::REPLACEMENT_CHARACTER) {
            "a character that could not be read (U+FFFD)"
        } else if is_twice_encoded(&block.text) {
            "UTF-8 that was read as something else and saved again (as in `Ã¼` for `ü`)"
        } else {
            return None;
        };
        Some((finding::redacted(&block.locator), what))
    })
}

fn is_twice_encoded(text: &str) -> bool {
    if !text.contains(['Ã', 'Â', 'â']) {
        return false;
    }
    let mut before = ' ';
    text.contains("â€")
        || text.chars().any(|c| {
            let found = matches!(before, 'Ã' | 'Â') && matches!(c, '\u{80}'..='\u{bf}' | 'Ÿ' | 'ž' | 'œ' | '„');
            before = c;
            found
        })
}

fn head(path: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    // What cannot be read is told by the reader.
    if let Ok(file) = File::open(path) {
        let _ = file.take(HEAD_BYTES).read_to_end(&mut bytes);
    }
    bytes
}

/// Why these bytes are a program.
fn program(head: &[u8]) -> Option<&'static str> {
    use infer::app;
    // Text may begin with `MZ`, a program for Windows has zeros soon.
    let is_binary = head.iter().take(64).any(|byte| *byte == 0);
    match () {
        () if app::is_elf(head) => Some("a program for Linux (ELF)"),
        () if app::is_exe(head) && is_binary => Some("a program for Windows"),
        () if app::is_mach(head) => Some("a program for macOS (Mach-O)"),
        () if app::is_java(head) => Some("Java bytecode"),
        () if app::is_wasm(head) => Some("WebAssembly"),
        () if app::is_dex(head) => Some("an Android program"),
        () if is_script(head) => Some("a script (its first line names an interpreter)"),
        () => None,
    }
}

/// `#!/bin/sh`; a heading of Markdown has a space or another `#` there.
fn is_script(head: &[u8]) -> bool {
    head.strip_prefix(b"#!").is_some_and(|rest| rest.trim_ascii_start().starts_with(b"/"))
}

/// What a document was read as, where that is not what its name says.
fn read_otherwise(path: &str, read: &ReadFile) -> Option<String> {
    let (named, found) = (format::by_extension(path)?, read.parsed.format.as_str());
    (named.name != found).then(|| format!("its name says {}, its contents are {found}", named.name))
}

/// What a file that could not be read is, where that is surely not what its name says.
fn disguise(path: &str, head: &[u8]) -> Option<String> {
    let named = format::by_extension(path)?;
    let kind = infer::get(head)?;
    let is_text = |media_type: &str| media_type.starts_with("text/");
    let found = format::by_extension(&format!("x.{}", kind.extension()));
    let same = found.is_some_and(|found| found.name == named.name)
        || named.extensions.contains(&kind.extension())
        || (is_text(kind.mime_type()) && is_text(named.media_type) && kind.extension() != "html");
    // Office formats are archives; a password makes them containers of the old kind, which another rule tells.
    let is_container = matches!(kind.extension(), "zip" | "doc" | "xls" | "ppt" | "msi" | "ole");
    let holds = !is_text(named.media_type) && named.media_type != "application/pdf";
    (!(same || is_container && holds))
        .then(|| format!("its name says {}, its contents are {}", named.name, kind.mime_type()))
}

#[cfg(unix)]
fn has_run_bit(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn has_run_bit(path: &Path) -> bool {
    let _ = fs::symlink_metadata(path);
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_known_by_their_first_bytes() {
        assert_eq!(program(b"#!/bin/sh\n"), Some("a script (its first line names an interpreter)"));
        assert!(program(&[b"\x7fELF".as_slice(), &[0; 60]].concat()).is_some());
        assert!(program(&[b"MZ".as_slice(), &[0; 60]].concat()).is_some());
        for text in [b"#! Important".as_slice(), b"MZ is a code", b"# Title", b""] {
            assert_eq!(program(text), None);
        }
    }

    #[test]
    fn a_disguise_is_seen_and_likeness_is_none() {
        assert!(disguise("notes.txt", b"%PDF-1.7\n").is_some());
        assert!(disguise("scan.pdf", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR").is_some());
        assert!(disguise("page.md", b"<!DOCTYPE html><html>").is_some());
        assert!(disguise("page.html", b"<!DOCTYPE html><html>").is_none());
        assert!(disguise("a.pdf", b"%PDF-1.7\n").is_none());
        assert!(disguise("a.docx", b"PK\x03\x04").is_none());
        assert!(disguise("a.md", b"# Title").is_none());
    }

    #[test]
    fn wrong_encodings_are_seen() {
        assert!(is_twice_encoded("GrÃ¼ÃŸe"));
        assert!(is_twice_encoded("donâ€™t"));
        for good in ["Ça va à São Paulo", "Â peine, Ãrea", "château", "Größe"] {
            assert!(!is_twice_encoded(good), "{good}");
        }
    }
}
