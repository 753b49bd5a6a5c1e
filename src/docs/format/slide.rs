//! What stands on a slide, whatever format it comes from.

use crate::docs::format::blocks::{Blocks, Place};

/// A piece of a slide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Text {
    /// Its title.
    Title(String),
    /// A paragraph.
    Paragraph(String),
    /// An item of a list: level from 0, marker, text.
    Item(usize, String, String),
    /// A row of a table.
    Row {
        /// Whether it is the header.
        header: bool,
        /// The cells.
        cells: Vec<String>,
    },
}

/// What stands on a slide.
#[derive(Debug, Default)]
pub struct Slide {
    /// Whether it is left out when the presentation is shown.
    pub is_hidden: bool,
    /// The pieces, in the order of the file.
    pub texts: Vec<Text>,
    /// Charts and diagrams: before which piece they stand, and the id of the relation to the part.
    pub parts: Vec<(usize, String)>,
}

impl Slide {
    /// Writes the slide as blocks: its title first, wherever it stands in the file.
    pub fn write(self, number: u32, blocks: &mut Blocks) {
        let place = Place { slide: Some(number), ..Place::default() };
        let (titles, others): (Vec<Text>, Vec<Text>) =
            self.texts.into_iter().partition(|text| matches!(text, Text::Title(_)));
        let title =
            titles.iter().filter_map(|text| if let Text::Title(text) = text { Some(text.as_str()) } else { None });
        let title = title.collect::<Vec<&str>>().join(" ");
        blocks.slide();
        if !title.trim().is_empty() {
            blocks.heading(1, &title, place);
        }
        for text in others {
            match text {
                Text::Title(_) => {}
                Text::Paragraph(text) => blocks.paragraph(&text, place),
                Text::Item(level, marker, text) => blocks.list_item(level, &marker, &text, place),
                Text::Row { header, cells } => blocks.table_row(header, &cells, place),
            }
        }
    }
}
