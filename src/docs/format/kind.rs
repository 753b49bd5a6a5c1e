//! What the contents of a file are, whatever its name says.
//!
//! The readers are chosen with it, and the rules about folders name files with it that are not what they seem.

use crate::docs::format::{FORMATS, Format, FormatError, Sniff, encoding};

/// The old container of office programs (MS-CFB): documents, workbooks, slides, mails, encrypted files.
const COMPOUND_MARK: &[u8] = &[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];

/// Compound files name their streams in the directory, which may be anywhere; so much is looked through.
const COMPOUND_BYTES: usize = 64 * 1024 * 1024;

/// What some bytes are.
#[derive(Clone, Copy)]
pub enum Kind {
    /// A document of a format that is read, beyond doubt.
    Format(&'static Format),
    /// Text: plain text, Markdown, a table of text, source code.
    Text,
    /// A program or a script with an interpreter: its name for people.
    Executable(&'static str),
    /// A document of an old office program, which is not read.
    OldOffice(OldOffice),
    /// An office document with a password.
    Encrypted,
    /// Something else, by its media type.
    Other(&'static str),
    /// Nothing that is known.
    Unknown,
}

/// The old binary formats of office programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OldOffice {
    /// `.doc`
    Word,
    /// `.ppt`
    PowerPoint,
    /// `.msg`
    Outlook,
}

impl OldOffice {
    /// The problem that names it, and what to do.
    pub fn problem(self) -> FormatError {
        let (name, new) = match self {
            Self::Word => ("Word document (.doc)", ".docx"),
            Self::PowerPoint => ("PowerPoint presentation (.ppt)", ".pptx"),
            Self::Outlook => ("Outlook message (.msg)", ".eml"),
        };
        FormatError::Unsupported(format!("it is an old binary {name}; save it as {new}"))
    }
}

/// What bytes are.
pub fn kind_of(bytes: &[u8]) -> Kind {
    if let Some(format) = FORMATS.iter().find(|format| (format.sniff)(bytes) == Sniff::Sure) {
        return Kind::Format(format);
    }
    if bytes.starts_with(COMPOUND_MARK) {
        return compound(bytes);
    }
    if let Some(name) = executable(bytes) {
        return Kind::Executable(name);
    }
    if encoding::sniff_text(bytes) == Sniff::Possible {
        return Kind::Text;
    }
    infer::get(bytes).map_or(Kind::Unknown, |kind| Kind::Other(kind.mime_type()))
}

/// Whether bytes are an old container with a workbook that no password locks.
pub fn is_old_workbook(bytes: &[u8]) -> bool {
    bytes.starts_with(COMPOUND_MARK) && has_stream(bytes, "Workbook") && !has_stream(bytes, "EncryptedPackage")
}

fn has_stream(bytes: &[u8], name: &str) -> bool {
    let name: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
    bytes[..bytes.len().min(COMPOUND_BYTES)].windows(name.len()).any(|window| window == name)
}

/// What is in an old container, by the names of its streams.
fn compound(bytes: &[u8]) -> Kind {
    let has = |name: &str| has_stream(bytes, name);
    // A locked document of the new formats is kept in this container too.
    if has("EncryptedPackage") {
        return Kind::Encrypted;
    }
    let kinds = [
        ("WordDocument", OldOffice::Word),
        ("PowerPoint Document", OldOffice::PowerPoint),
        ("__substg1.0_", OldOffice::Outlook),
    ];
    let found = kinds.into_iter().find(|(stream, _)| has(stream));
    found.map_or(Kind::Other("application/x-ole-storage"), |(_, office)| Kind::OldOffice(office))
}

/// Programs by their first bytes: ELF, PE, Mach-O, WebAssembly, Java, scripts.
fn executable(bytes: &[u8]) -> Option<&'static str> {
    let starts = |mark: &[u8]| bytes.starts_with(mark);
    if starts(b"\x7fELF") {
        Some("ELF program")
    } else if is_windows_program(bytes) {
        Some("Windows program")
    } else if [&b"\xfe\xed\xfa\xce"[..], b"\xfe\xed\xfa\xcf", b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe"]
        .iter()
        .any(|mark| starts(mark))
    {
        Some("Mach-O program")
    } else if starts(b"\0asm") {
        Some("WebAssembly program")
    } else if starts(b"\xca\xfe\xba\xbe") {
        Some("Java class or Mach-O program")
    } else if starts(b"#!/") || starts(b"#! /") {
        Some("script")
    } else {
        None
    }
}

/// `MZ` alone begins many a text; the header of a program points to another one.
fn is_windows_program(bytes: &[u8]) -> bool {
    let Some(offset) = bytes.get(0x3c..0x40).filter(|_| bytes.starts_with(b"MZ")) else {
        return false;
    };
    let offset = u32::from_le_bytes(offset.try_into().unwrap_or_default());
    usize::try_from(offset).is_ok_and(|at| bytes.get(at..).is_some_and(|rest| rest.starts_with(b"PE\0\0")))
}
