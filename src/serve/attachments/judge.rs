//! What may be attached: a short list of kinds, each recognised by its extension and by how its bytes begin (D5).
//!
//! Nothing is parsed here. Whether a document is whole, and is what it seems, its reader says, in a process of its own.

use std::fs::File;
use std::io::{self, Read as _};

use crate::docs::format::{self, FORMATS, Format, Sniff};
use crate::model::attachment::AttachmentKind;

/// How much of a file is looked at, in bytes: the longest header that a format is recognised by.
const HEAD_BYTES: u64 = 64 * 1024;

/// Pictures that browsers show and that run nothing: extensions and type.
const IMAGES: [(&[&str], &str); 4] =
    [(&["png"], "image/png"), (&["jpg", "jpeg"], "image/jpeg"), (&["gif"], "image/gif"), (&["webp"], "image/webp")];

const PDF: &str = "application/pdf";
const ZIP_MARK: &[u8] = b"PK\x03\x04";
/// The old container of office programs, in which new ones keep what has a password.
const COMPOUND_MARK: &[u8] = &[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];

/// A kind of file that may be attached.
#[derive(Clone, Copy)]
pub enum Kind {
    /// A document whose text joins the conversation.
    Document(&'static Format),
    /// A picture, by its type.
    Image(&'static str),
}

/// Why a file may not be attached.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Files of that name are of no use here, or dangerous.
    #[error("files of this kind cannot be attached; these can: {}", accepted().join(" "))]
    NotAccepted,
    /// It has no bytes.
    #[error("the file is empty")]
    Empty,
    /// The bytes are not what the name says.
    #[error("the file's name says {0}, and its contents are something else")]
    Mismatch(&'static str),
}

impl Kind {
    /// The kind that a name says, if it is one that may be attached.
    pub fn by_name(name: &str) -> Result<Self, Refusal> {
        if let Some(format) = format::by_extension(name) {
            return Ok(Self::Document(format));
        }
        let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
        let is_named = |extensions: &[&str]| extension.as_deref().is_some_and(|own| extensions.contains(&own));
        let image = IMAGES.iter().find(|(extensions, _)| is_named(extensions));
        image.map(|(_, media_type)| Self::Image(media_type)).ok_or(Refusal::NotAccepted)
    }

    /// The media type, without parameters.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Document(format) => format.media_type.split(';').next().unwrap_or_default(),
            Self::Image(media_type) => media_type,
        }
    }

    /// Whether a page may show it as a picture.
    pub fn shown_as(self) -> AttachmentKind {
        match self {
            Self::Document(_) => AttachmentKind::File,
            Self::Image(_) => AttachmentKind::Image,
        }
    }

    /// Refuses bytes that do not begin as this kind does.
    ///
    /// A text may hold anything, HTML too: it stays a text, for that is how it is served.
    pub fn check(self, head: &[u8]) -> Result<(), Refusal> {
        if head.is_empty() {
            return Err(Refusal::Empty);
        }
        let fits = match self {
            Self::Image(media_type) => infer::get(head).is_some_and(|found| found.mime_type() == media_type),
            Self::Document(format) => begins_as(format, head),
        };
        if fits { Ok(()) } else { Err(Refusal::Mismatch(self.name())) }
    }

    /// Whether a reader took its bytes for what this kind says. A text may be read as any other.
    pub fn was_read_as(self, format_name: &str) -> bool {
        match self {
            Self::Document(format) => is_text(format) || format.name == format_name,
            Self::Image(_) => false,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Document(format) => format.name,
            Self::Image(media_type) => media_type,
        }
    }
}

fn begins_as(format: &Format, head: &[u8]) -> bool {
    if is_text(format) {
        return (format.sniff)(head) != Sniff::No;
    }
    if format.media_type == PDF {
        return (format.sniff)(head) == Sniff::Sure;
    }
    // Office documents and books are packages; the old workbook is none, nor is what has a password.
    head.starts_with(ZIP_MARK) || head.starts_with(COMPOUND_MARK)
}

/// Whether a format is text: its type has a charset, or it is one of the two that are older than that.
fn is_text(format: &Format) -> bool {
    format.media_type.contains(';') || matches!(format.media_type, "message/rfc822" | "application/rtf")
}

/// How a file begins; waits for the disk.
pub fn head(file: &File) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    file.take(HEAD_BYTES).read_to_end(&mut head)?;
    Ok(head)
}

/// The extensions that may be attached, each with its dot, as a page's file chooser wants them.
pub fn accepted() -> Vec<String> {
    let documents = FORMATS.iter().flat_map(|format| format.extensions);
    let images = IMAGES.iter().flat_map(|(extensions, _)| *extensions);
    documents.chain(images).map(|extension| format!(".{extension}")).collect()
}

#[cfg(test)]
mod tests {
    use super::{Kind, Refusal, accepted};

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0";
    const EXE: &[u8] = b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0\xb8\0\0\0";
    const HTML: &[u8] = b"<!doctype html><script>alert(1)</script>";

    fn judge(name: &str, bytes: &[u8]) -> Result<&'static str, Refusal> {
        let kind = Kind::by_name(name)?;
        kind.check(bytes)?;
        Ok(kind.media_type())
    }

    /// D5: extension and contents must agree, and the kind must be on the list.
    #[test]
    fn what_is_not_what_it_seems_is_refused() {
        for (name, bytes, expected) in [
            ("a.png", PNG, Some("image/png")),
            ("A.PNG", PNG, Some("image/png")),
            ("a.jpg", PNG, None),
            ("a.png", HTML, None),
            ("a.png", b"<svg xmlns='http://www.w3.org/2000/svg'/>", None),
            ("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", None),
            ("a.pdf", EXE, None),
            ("a.pdf", b"%PDF-1.7\n", Some("application/pdf")),
            // A polyglot: a page first, the mark of a PDF within its first bytes.
            ("a.pdf", b"<script>/*%PDF-1.7*/</script>", None),
            ("a.exe", EXE, None),
            ("a.png.exe", PNG, None),
            ("a", b"text", None),
            ("a.txt", EXE, None),
            ("a.txt", b"\x7fELF\x02\x01\x01\0\0\0", None),
            ("a.txt", PNG, None),
            ("a.txt", b"plain words", Some("text/plain")),
            ("a.txt", HTML, Some("text/plain")),
            ("a.md", b"# Title", Some("text/markdown")),
            ("a.html", HTML, Some("text/html")),
            ("a.docx", b"plain words", None),
            ("a.docx", PNG, None),
            (
                "a.docx",
                b"PK\x03\x04\x14\0",
                Some("application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
            ),
            ("a.rtf", b"plain words", None),
            ("a.rtf", b"{\\rtf1 words}", Some("application/rtf")),
            ("a.txt", b"", None),
        ] {
            assert_eq!(judge(name, bytes).ok(), expected, "{name}: {:?}", String::from_utf8_lossy(bytes));
        }
        assert_eq!(judge("a.txt", b""), Err(Refusal::Empty));
        let reads = |name: &str, format: &str| Kind::by_name(name).unwrap().was_read_as(format);
        assert!(reads("a.docx", "DOCX") && !reads("a.docx", "XLSX") && reads("a.txt", "HTML"));
        assert!(accepted().contains(&".pdf".to_owned()) && !accepted().contains(&".svg".to_owned()));
    }
}
