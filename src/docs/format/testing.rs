//! What the tests of several formats need: archives made of parts, and blocks drawn as lines.

use std::io::{Cursor, Read as _, Write as _};

use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use crate::docs::format::{FormatError, Input, Parsed, parse};
use crate::model::{Block, BlockKind};

/// An archive of these parts: name and contents.
pub fn archive<B: AsRef<[u8]>>(parts: &[(&str, B)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, contents) in parts {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(contents.as_ref()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// The parts of an archive: name and contents.
pub fn parts(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).unwrap();
    let names: Vec<String> = archive.file_names().map(|name| name.unwrap().into_owned()).collect();
    let read = |name: String| {
        let mut contents = Vec::new();
        archive.by_name(&name).unwrap().read_to_end(&mut contents).unwrap();
        (name, contents)
    };
    names.into_iter().map(read).collect()
}

/// Reads a file of this name.
pub fn read(path: &str, bytes: &[u8]) -> Result<Parsed, FormatError> {
    parse(Input { path, bytes })
}

/// A block a line: where it stands, what it is, its text.
pub fn draw(blocks: &[Block]) -> Vec<String> {
    blocks.iter().map(line).collect()
}

fn line(block: &Block) -> String {
    let place = &block.locator;
    let place = match (&place.sheet, place.rows, place.slide) {
        (Some(sheet), Some(rows), _) => format!("{sheet} {}-{} ", rows.0, rows.1),
        (_, _, Some(slide)) => format!("{slide} "),
        _ => String::new(),
    };
    let kind = match block.kind {
        BlockKind::Heading { level } => format!("h{level}"),
        BlockKind::Paragraph => "p".to_owned(),
        BlockKind::ListItem => "i".to_owned(),
        BlockKind::TableRow { header: true } => "H".to_owned(),
        BlockKind::TableRow { header: false } => "r".to_owned(),
        BlockKind::Code => "c".to_owned(),
    };
    format!("{place}{kind} {}", block.text)
}
