//! The table of document formats: one file and one row each.
//!
//! A reader turns bytes into blocks with locators. It trusts nothing: any bytes give blocks or an error, never a
//! panic. What a file is, its contents say first and its extension second.

pub mod blocks;
pub mod csv;
pub mod docx;
pub mod eml;
pub mod encoding;
pub mod epub;
pub mod html;
pub mod kind;
pub mod markdown;
pub mod marker;
pub mod odt;
pub mod package;
pub mod pdf;
pub mod plain;
pub mod pptx;
pub mod quiet;
pub mod rtf;
pub mod sheet;
pub mod slide;
pub mod table;
pub mod xlsx;
pub mod xml;

use serde::{Deserialize, Serialize};

use crate::docs::format::blocks::{MAX_BLOCKS, MAX_TEXT_BYTES};
use crate::docs::format::kind::{Kind, kind_of};
use crate::model::{Block, file_name};

/// The largest file of text that is read. Nobody writes more.
pub const TEXT_BYTES: u64 = 50 * 1024 * 1024;

/// The largest file of a format that holds pictures beside its text.
pub const MEDIA_BYTES: u64 = 512 * 1024 * 1024;

/// A file to parse.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// Path relative to the documents folder.
    pub path: &'a str,
    /// The file's contents.
    pub bytes: &'a [u8],
}

/// What a reader makes of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parsed {
    /// The title the document gives itself.
    pub title: Option<String>,
    /// The language the document says it is in, as written there.
    pub language: Option<String>,
    /// How many pages, slides or sheets it has, where the format has such.
    pub pages: Option<u32>,
    /// The format that it was read as, by its row of the table.
    pub format: String,
    /// What of it could not be read, a sentence each; the rest is here.
    #[serde(default)]
    pub notes: Vec<String>,
    /// The pieces, in reading order.
    pub blocks: Vec<Block>,
}

/// Why a file gives no blocks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum FormatError {
    /// It needs a password.
    #[error("it is encrypted; save it without a password")]
    Encrypted,
    /// It has no bytes.
    #[error("it is empty")]
    Empty,
    /// It holds no text.
    #[error("it holds no text")]
    NoText,
    /// It holds no text, and is of a format that scanners write.
    #[error("it holds no text (a scan, perhaps); run text recognition on it first")]
    Scan,
    /// It is too large.
    #[error("it has more than {} MB; split it", .0 / (1024 * 1024))]
    TooLarge(u64),
    /// It holds, or unpacks to, too much.
    #[error("{0}; split it")]
    TooMuch(String),
    /// It is not what it should be.
    #[error("it is damaged: {0}")]
    Malformed(String),
    /// No reader exists for it.
    #[error("{0}")]
    Unsupported(String),
    /// The system does not let us read it.
    #[error("it cannot be read: {0}")]
    Unreadable(String),
    /// Its reader ended before its time.
    #[error("the reader broke on it: {0}")]
    Crashed(String),
    /// Reading it takes longer than anything should, in seconds.
    #[error("reading it takes more than {0} s; split it, or save it anew")]
    TimedOut(u64),
    /// Its reader was ended from outside: the document may be as good as any.
    #[error("its reader was ended from outside: {0}")]
    Killed(String),
    /// Reading it takes longer by the clock, in seconds, than the machine should need for it.
    #[error(
        "reading it took more than {0} s by the clock; run the command again when the machine is less busy, or split it"
    )]
    Late(u64),
}

impl FormatError {
    /// Whether the next try may end otherwise though no byte of the document changed: what the system did is no
    /// property of the document.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Unreadable(_) | Self::Killed(_) | Self::Late(_))
    }

    /// The stable code of the problem.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Encrypted => "document/encrypted",
            Self::Empty | Self::NoText | Self::Scan => "document/no-text",
            Self::TooLarge(_) | Self::TooMuch(_) => "document/too-large",
            Self::Malformed(_) => "document/malformed",
            Self::Unsupported(_) => "document/unsupported",
            Self::Unreadable(_) => "document/unreadable",
            Self::Crashed(_) | Self::Killed(_) => "document/crashed",
            Self::TimedOut(_) | Self::Late(_) => "document/timeout",
        }
    }
}

/// What the contents of a file say about its being of a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sniff {
    /// It is, whatever its name says.
    Sure,
    /// It may be, when its name says so.
    Possible,
    /// It is not.
    No,
}

/// A row of the table.
pub struct Format {
    /// Its name.
    pub name: &'static str,
    /// Extensions, lower case, without the dot.
    pub extensions: &'static [&'static str],
    /// The media type under which the file is served.
    pub media_type: &'static str,
    /// The largest file that is read, in bytes.
    pub max_bytes: u64,
    /// Whether a browser shows it by itself; others are downloads.
    pub is_shown: bool,
    /// Looks at the contents.
    pub sniff: fn(&[u8]) -> Sniff,
    /// Reads the contents.
    pub read: fn(Input<'_>) -> Result<Parsed, FormatError>,
}

/// Every format.
pub static FORMATS: &[Format] = &[
    markdown::FORMAT,
    plain::FORMAT,
    html::FORMAT,
    csv::FORMAT,
    eml::FORMAT,
    rtf::FORMAT,
    pdf::FORMAT,
    docx::FORMAT,
    pptx::FORMAT,
    xlsx::FORMAT,
    xlsx::XLSB,
    xlsx::XLS,
    odt::FORMAT,
    odt::ODS,
    odt::ODP,
    epub::FORMAT,
];

/// The format of this name.
pub fn by_name(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.name == name)
}

/// The format that a file's extension names.
pub fn by_extension(path: &str) -> Option<&'static Format> {
    let extension = file_name(path).rsplit_once('.')?.1.to_ascii_lowercase();
    FORMATS.iter().find(|format| format.extensions.contains(&extension.as_str()))
}

/// The largest file of this name that is read, in bytes.
pub fn max_bytes(path: &str) -> u64 {
    by_extension(path).map_or(TEXT_BYTES, |format| format.max_bytes)
}

/// Why a file of this name is not read.
pub fn unsupported_reason(name: &str) -> String {
    match name.rsplit_once('.') {
        Some((_, extension)) => format!("no reader for `.{}` files", extension.to_lowercase()),
        None => "no extension tells its format".to_owned(),
    }
}

/// Finds the reader for a file and reads it.
pub fn parse(input: Input<'_>) -> Result<Parsed, FormatError> {
    if input.bytes.is_empty() {
        return Err(FormatError::Empty);
    }
    let format = detect(input)?;
    let parsed = (format.read)(input)?;
    let text_bytes: usize = parsed.blocks.iter().map(|block| block.text.len()).sum();
    if parsed.blocks.is_empty() {
        Err(if format.name == pdf::FORMAT.name { FormatError::Scan } else { FormatError::NoText })
    } else if parsed.blocks.len() > MAX_BLOCKS {
        Err(FormatError::TooMuch(format!("it has more than {MAX_BLOCKS} paragraphs, list items and table rows")))
    } else if text_bytes > MAX_TEXT_BYTES {
        Err(too_much_text())
    } else {
        Ok(Parsed { format: format.name.to_owned(), ..parsed })
    }
}

/// More text than any document has.
fn too_much_text() -> FormatError {
    FormatError::TooMuch(format!("it has more than {} MB of text", MAX_TEXT_BYTES / (1024 * 1024)))
}

/// What a file is, its contents say first and its extension second: what is surely a known format is read as that.
/// What is not, and cannot be what its name says, is named as what it is.
fn detect(input: Input<'_>) -> Result<&'static Format, FormatError> {
    let kind = kind_of(input.bytes);
    if let Kind::Format(format) = kind {
        return Ok(format);
    }
    if let Kind::OldOffice(office) = kind {
        return Err(office.problem());
    }
    let Some(format) = by_extension(input.path) else {
        return Err(FormatError::Unsupported(unsupported_reason(file_name(input.path))));
    };
    if (format.sniff)(input.bytes) == Sniff::Possible {
        return Ok(format);
    }
    let found = match kind {
        Kind::Encrypted => return Err(FormatError::Encrypted),
        Kind::Executable(name) => name,
        Kind::Text => "plain text",
        Kind::Other(media_type) => media_type,
        Kind::Format(_) | Kind::OldOffice(_) | Kind::Unknown => "something else",
    };
    Err(FormatError::Malformed(format!("its name says {}, its contents are {found}", format.name)))
}

#[cfg(test)]
mod mutations;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
