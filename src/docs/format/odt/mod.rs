//! OpenDocument: texts (ODT), spreadsheets (ODS) and presentations (ODP).
//!
//! All three are one archive with the same words for paragraphs, lists and tables. Left out: what a reader of the
//! printed document does not see (comments, deleted text, hidden slides and sheets) and what repeats others (the table
//! of contents). Cells of a spreadsheet are written as the program showed them last.

mod body;
mod lists;
mod spreadsheet;
mod styles;

use crate::docs::format::blocks::Blocks;
use crate::docs::format::odt::body::Body;
use crate::docs::format::odt::styles::Styles;
use crate::docs::format::package::{self, Package};
use crate::docs::format::{Format, FormatError, Input, MEDIA_BYTES, Parsed, Sniff, xml};

/// The row of the table for texts.
pub const FORMAT: Format = Format {
    name: "ODT",
    extensions: &["odt", "ott"],
    media_type: "application/vnd.oasis.opendocument.text",
    max_bytes: MEDIA_BYTES,
    is_shown: false,
    sniff: |bytes| sniff(bytes, "text"),
    read,
};

/// The row of the table for spreadsheets.
pub const ODS: Format = Format {
    name: "ODS",
    extensions: &["ods", "ots"],
    media_type: "application/vnd.oasis.opendocument.spreadsheet",
    max_bytes: MEDIA_BYTES,
    is_shown: false,
    sniff: |bytes| sniff(bytes, "spreadsheet"),
    read,
};

/// The row of the table for presentations.
pub const ODP: Format = Format {
    name: "ODP",
    extensions: &["odp", "otp"],
    media_type: "application/vnd.oasis.opendocument.presentation",
    max_bytes: MEDIA_BYTES,
    is_shown: false,
    sniff: |bytes| sniff(bytes, "presentation"),
    read,
};

/// Where the contents of the first part begin when its name is `mimetype` (OpenDocument 1.3 part 2, 3.3).
const TYPE_AT: usize = 38;

fn sniff(bytes: &[u8], kind: &str) -> Sniff {
    let has_type = bytes.get(30..TYPE_AT) == Some(b"mimetype");
    let prefix = format!("application/vnd.oasis.opendocument.{kind}");
    if has_type && bytes[TYPE_AT..].starts_with(prefix.as_bytes()) {
        return Sniff::Sure;
    }
    match package::has_part(bytes, |name| name == "content.xml") {
        // The type is in the way when a program has packed it, against the rules; what is inside counts.
        Some(true) | None => Sniff::Possible,
        Some(false) => Sniff::No,
    }
}

fn read(input: Input<'_>) -> Result<Parsed, FormatError> {
    let mut package = Package::open(input.bytes)?;
    let manifest = package.optional("META-INF/manifest.xml")?;
    if !xml::elements(&manifest, "encryption-data").is_empty() {
        return Err(FormatError::Encrypted);
    }
    let content =
        package.part("content.xml")?.ok_or_else(|| FormatError::Malformed("it has no text part".to_owned()))?;
    let mut styles = Styles::default();
    styles.parse(&package.optional("styles.xml")?);
    styles.parse(&content);
    let mut blocks = Blocks::default();
    let is_spreadsheet = !xml::elements(&content, "spreadsheet").is_empty();
    let (title, pages) = if is_spreadsheet {
        (None, Some(spreadsheet::read(&content, &styles, &mut blocks)?))
    } else {
        Body::read(&content, &styles, &mut blocks)?
    };
    let meta = package.optional("meta.xml")?;
    let title = title.or_else(|| blocks.title()).or_else(|| xml::text_of(&meta, "title"));
    let language = xml::text_of(&meta, "language").or(styles.language);
    Ok(Parsed { title, language, pages, blocks: blocks.finish(), ..Parsed::default() })
}

#[cfg(test)]
mod tests;
