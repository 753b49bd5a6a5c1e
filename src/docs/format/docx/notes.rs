//! Footnotes and endnotes, each to be written where it is referred to.

use std::collections::HashMap;

use crate::docs::format::FormatError;
use crate::docs::format::blocks::Blocks;
use crate::docs::format::docx::body::{Body, Parts};
use crate::docs::format::docx::numbering::Numbering;
use crate::docs::format::docx::styles::Styles;
use crate::docs::format::xml::{self, Token};

/// The texts of the notes, by kind and id.
#[derive(Debug, Default)]
pub struct Notes {
    texts: HashMap<(Kind, String), Vec<String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Foot,
    End,
}

impl Notes {
    /// Reads `footnotes.xml` and `endnotes.xml`.
    pub fn parse(footnotes: &str, endnotes: &str, styles: &Styles) -> Result<Self, FormatError> {
        let mut notes = Self::default();
        for (kind, text) in [(Kind::Foot, footnotes), (Kind::End, endnotes)] {
            let mut open = Vec::new();
            let mut id = None;
            let whole = xml::walk(text, |token| match &token {
                Token::Start(element) if is_note(&element.name) => id = element.attribute("id"),
                Token::End(name) if is_note(name) => {
                    let texts = texts(std::mem::take(&mut open), styles);
                    notes.texts.extend(id.take().map(|id| ((kind, id), texts)));
                }
                _ if id.is_some() => open.push(token),
                _ => {}
            });
            if !whole {
                return Err(FormatError::Malformed("its notes are not well-formed".to_owned()));
            }
        }
        Ok(notes)
    }

    /// The paragraphs of a note. A note that is referred to twice is written once.
    pub fn take(&mut self, reference: &str, id: &str) -> Vec<String> {
        let kind = if reference == "endnoteReference" { Kind::End } else { Kind::Foot };
        self.texts.remove(&(kind, id.to_owned())).unwrap_or_default()
    }
}

fn is_note(name: &str) -> bool {
    matches!(name, "footnote" | "endnote")
}

fn texts(tokens: Vec<Token>, styles: &Styles) -> Vec<String> {
    let mut blocks = Blocks::default();
    let parts = Parts { styles, numbering: Numbering::default(), notes: Notes::default() };
    let mut body = Body::new(parts, &mut blocks);
    for token in tokens {
        body.token(token);
    }
    blocks.finish().into_iter().map(|block| block.text).collect()
}
