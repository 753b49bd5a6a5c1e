//! PPTX. Each slide's title, text, tables, charts and speaker notes, in the order of the presentation.
//!
//! Slides are counted as the program that shows them counts, hidden ones included. Hidden slides are left out: whoever
//! gave the talk did not show them. What repeats on every slide (date, footer, number) is left out too.

mod chart;
mod shapes;

use std::collections::HashMap;

use crate::docs::format::blocks::Blocks;
use crate::docs::format::package::{self, Package, Relation};
use crate::docs::format::slide::Text;
use crate::docs::format::{Format, FormatError, Input, MEDIA_BYTES, Parsed, Sniff, xml};

/// The row of the table.
pub const FORMAT: Format = Format {
    name: "PPTX",
    extensions: &["pptx", "pptm", "ppsx", "potx"],
    media_type: "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    max_bytes: MEDIA_BYTES,
    is_shown: false,
    sniff,
    read,
};

fn sniff(bytes: &[u8]) -> Sniff {
    match package::has_part(bytes, |name| name.starts_with("ppt/")) {
        Some(true) => Sniff::Sure,
        Some(false) => Sniff::No,
        None => Sniff::Possible,
    }
}

fn read(input: Input<'_>) -> Result<Parsed, FormatError> {
    let mut package = Package::open(input.bytes)?;
    let main = package.main_part()?.unwrap_or_else(|| "ppt/presentation.xml".to_owned());
    let presentation =
        package.part(&main)?.ok_or_else(|| FormatError::Malformed("it has no list of slides".to_owned()))?;
    let relations = by_id(package.relations(&main)?);
    let ids = xml::elements(&presentation, "sldId").into_iter().filter_map(|slide| slide.prefixed_attribute("id"));
    let mut blocks = Blocks::default();
    let mut slides = 0;
    let mut damaged = None;
    for part in ids.filter_map(|id| relations.get(&id)).map(|slide| &slide.part) {
        slides += 1;
        // One broken slide does not hide the others.
        match read_slide(&mut package, part, slides, &mut blocks) {
            Err(FormatError::Malformed(error)) => damaged = Some(FormatError::Malformed(error)),
            other => other?,
        }
    }
    if let Some(error) = damaged.filter(|_| blocks.is_empty()) {
        return Err(error);
    }
    let core = package.optional("docProps/core.xml")?;
    let title = blocks.title().or_else(|| xml::text_of(&core, "title"));
    Ok(Parsed { title, pages: Some(slides), blocks: blocks.finish(), ..Parsed::default() })
}

fn by_id(relations: Vec<Relation>) -> HashMap<String, Relation> {
    relations.into_iter().map(|relation| (relation.id.clone(), relation)).collect()
}

fn read_slide(package: &mut Package<'_>, part: &str, number: u32, blocks: &mut Blocks) -> Result<(), FormatError> {
    let text = package.part(part)?.ok_or_else(|| FormatError::Malformed(format!("slide {number} is missing")))?;
    let relations = by_id(package.relations(part)?);
    let mut slide = shapes::parse(&text)?;
    if slide.is_hidden {
        return Ok(());
    }
    // Charts and diagrams are parts of their own; each is put where its frame stands.
    for (at, id) in std::mem::take(&mut slide.parts).into_iter().rev() {
        let Some(relation) = relations.get(&id) else { continue };
        let text = package.optional(&relation.part)?;
        let made = match relation.kind.as_str() {
            "chart" => chart::texts(&text),
            "diagramData" => shapes::paragraphs(&text),
            _ => Vec::new(),
        };
        slide.texts.splice(at..at, made);
    }
    if let Some(notes) = relations.values().find(|relation| relation.kind == "notesSlide") {
        let notes = shapes::parse(&package.optional(&notes.part)?)?;
        slide.texts.extend(notes.texts.into_iter().filter(|text| !matches!(text, Text::Title(_))));
    }
    slide.write(number, blocks);
    Ok(())
}

#[cfg(test)]
mod tests;
