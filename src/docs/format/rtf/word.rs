//! What the control words mean.

use crate::docs::format::rtf::charset::{self, Charset};
use crate::docs::format::rtf::{Reader, State, body};

/// Where text goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Destination {
    /// To the document.
    Body,
    /// To a footnote.
    Note,
    /// To the number or bullet before a paragraph.
    Marker,
    /// Nowhere: the table of fonts.
    Fonts,
    /// To the names of styles.
    Styles,
    /// Nowhere, but a title may be inside.
    Info,
    /// To the document's title.
    Title,
    /// Nowhere.
    Skipped,
}

/// The destination that a word opens.
fn destination(word: &str) -> Option<Destination> {
    Some(match word {
        "fonttbl" => Destination::Fonts,
        "stylesheet" => Destination::Styles,
        "info" => Destination::Info,
        "title" => Destination::Title,
        "listtext" | "pntext" => Destination::Marker,
        "footnote" => Destination::Note,
        // The properties of a shape and its old form; the text inside it counts.
        "shpinst" | "shptxt" | "fldrslt" | "result" => Destination::Body,
        "colortbl" | "pict" | "objdata" | "objclass" | "header" | "headerl" | "headerr" | "headerf" | "footer"
        | "footerl" | "footerr" | "footerf" | "annotation" | "atnid" | "atnauthor" | "atnref" | "atndate" | "xe"
        | "tc" | "tcn" | "fldinst" | "filetbl" | "revtbl" | "listtable" | "listoverridetable" | "rsidtbl"
        | "nonshppict" | "sp" | "shprslt" | "themedata" | "colorschememapping" | "datastore" | "latentstyles"
        | "generator" | "nonesttables" | "ftnsep" | "ftnsepc" | "ftncn" | "aftnsep" | "aftnsepc" | "aftncn"
        | "template" | "bkmkstart" | "bkmkend" | "private" | "mmathPr" | "xmlnstbl" | "userprops" | "pgptbl" => {
            Destination::Skipped
        }
        _ => return None,
    })
}

/// The level of heading that a style stands for, by its name.
pub fn heading_level(name: &str) -> Option<u8> {
    let name = name.trim().to_lowercase();
    if name == "title" {
        return Some(1);
    }
    let level: u8 = name.strip_prefix("heading ")?.trim().parse().ok()?;
    (1..=9).contains(&level).then_some(level.min(6))
}

impl Reader {
    /// Acts on a control word.
    pub fn word(&mut self, word: &str, number: Option<i32>, is_optional: bool) {
        if self.state.destination == Destination::Skipped {
            return;
        }
        if let Some(opened) = destination(word) {
            // A title of something else than the document is text.
            let is_lost = opened == Destination::Title && self.state.destination != Destination::Info;
            if !is_lost {
                self.state.destination = opened;
            }
            return;
        }
        if is_optional {
            self.state.destination = Destination::Skipped;
            return;
        }
        match word {
            "u" => self.unit(number.unwrap_or_default()),
            "uc" => self.state.substitutes = usize::try_from(number.unwrap_or(1)).unwrap_or(1).min(16),
            "par" | "sect" => self.end_paragraph(),
            "pard" => self.state.paragraph = body::Format::default(),
            "cell" | "row" | "nestcell" | "nestrow" | "trowd" | "trhdr" => self.table(word),
            _ => match sign(word) {
                Some(sign) => self.text(sign),
                None => self.format(word, number),
            },
        }
    }

    fn table(&mut self, word: &str) {
        if self.state.destination != Destination::Body {
            return;
        }
        match word {
            "cell" => self.body.end_cell(),
            "row" => self.body.end_row(),
            "trowd" => self.body.row_is_header(false),
            "trhdr" => self.body.row_is_header(true),
            // A table in a cell is words of the cell.
            _ => self.text(" "),
        }
    }

    fn format(&mut self, word: &str, number: Option<i32>) {
        let is_on = number != Some(0);
        let level = |number: Option<i32>| number.and_then(|number| u8::try_from(number).ok());
        match word {
            "ansicpg" => self.charset(number.and_then(charset::code_page)),
            "mac" => self.charset(charset::code_page(10000)),
            "f" => self.font(number.unwrap_or_default()),
            "fcharset" => self.font_charset(number.and_then(charset::font_charset)),
            "cpg" => self.font_charset(number.and_then(charset::code_page)),
            "plain" => {
                let charset = self.default_charset;
                self.state = State { charset, is_hidden: false, is_bold: false, ..self.state };
            }
            "v" => self.state.is_hidden = is_on,
            "deleted" => self.state.is_deleted = is_on,
            "b" => self.state.is_bold = is_on,
            "intbl" => self.state.paragraph.in_table = true,
            "ilvl" => self.state.paragraph.level = usize::from(level(number).unwrap_or_default()),
            "s" if self.state.destination == Destination::Styles => self.style = number.unwrap_or_default(),
            "s" => self.state.paragraph.heading = number.and_then(|style| self.styles.get(&style)).copied(),
            // Nine is the level of running text.
            "outlinelevel" if self.state.destination == Destination::Styles => {}
            "outlinelevel" => {
                let outline = level(number).filter(|level| *level < 9).map(|level| (level + 1).min(6));
                self.state.paragraph.heading = outline.or(self.state.paragraph.heading);
            }
            _ => {}
        }
    }

    fn charset(&mut self, charset: Option<Charset>) {
        self.default_charset = charset.unwrap_or_default();
        self.state.charset = self.default_charset;
    }

    fn font(&mut self, font: i32) {
        if self.state.destination == Destination::Fonts {
            self.font = font;
        } else {
            self.state.charset = self.fonts.get(&font).copied().unwrap_or(self.default_charset);
        }
    }

    fn font_charset(&mut self, charset: Option<Charset>) {
        if let Some(charset) = charset.filter(|_| self.state.destination == Destination::Fonts) {
            self.fonts.insert(self.font, charset);
        }
    }
}

/// The sign that a word stands for.
fn sign(word: &str) -> Option<&'static str> {
    Some(match word {
        "tab" => "\t",
        "line" | "page" | "column" | "enspace" | "emspace" | "qmspace" | "softline" => " ",
        "emdash" => "—",
        "endash" => "–",
        "lquote" => "‘",
        "rquote" => "’",
        "ldblquote" => "“",
        "rdblquote" => "”",
        "bullet" => "•",
        "zwj" => "\u{200d}",
        "zwnj" => "\u{200c}",
        _ => return None,
    })
}
