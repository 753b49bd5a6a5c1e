//! A document's chunks as one flow of pieces, in reading order, cut into parts that a browser shows at once.

use std::ops::Range;

use crate::model::{BlockKind, Chunk, Locator};

/// A part ends with the chunk that reaches this weight, in bytes of text and of the markup around it.
const PART_BYTES: usize = 48 * 1024;

/// What the markup of a piece weighs, about.
const PIECE_BYTES: usize = 64;

/// One run of a chunk: a block, or a part of a long one.
#[derive(Debug, Clone, Copy)]
pub struct Piece<'a> {
    /// Its text as it is indexed.
    pub text: &'a str,
    /// What it is.
    pub kind: BlockKind,
    /// Where it stands.
    pub locator: &'a Locator,
    /// The headings above it, outermost first, without the document's title.
    pub headings: &'a [String],
    /// Whether it is the header of a table that goes on from the chunk before: it is cited, and not shown twice.
    pub is_repeated: bool,
}

impl Piece<'_> {
    /// Whether a heading is the innermost above the piece, or the piece itself.
    pub fn is_under(&self, heading: &str) -> bool {
        let innermost = self.locator.heading.as_ref().or(self.headings.last());
        innermost.is_some_and(|innermost| is_same(innermost, heading))
    }

    /// Whether a heading is any of those above the piece.
    pub fn is_below(&self, heading: &str) -> bool {
        self.is_under(heading) || self.headings.iter().any(|above| is_same(above, heading))
    }
}

/// Whether two headings are the same words.
fn is_same(one: &str, other: &str) -> bool {
    one.split_whitespace().eq(other.split_whitespace())
}

/// A document.
#[derive(Debug)]
pub struct Flow<'a> {
    /// All its pieces.
    pub pieces: Vec<Piece<'a>>,
    /// What is shown at once, as ranges of the pieces. Parts end where chunks end.
    pub parts: Vec<Range<usize>>,
}

impl<'a> Flow<'a> {
    /// Joins the chunks. The outermost heading is left out where it says the same as `title`.
    pub fn new(chunks: &'a [Chunk], title: &str) -> Self {
        let mut pieces: Vec<Piece<'a>> = Vec::new();
        let mut parts = Vec::new();
        let (mut start, mut weight) = (0, 0);
        let mut header: Vec<Piece<'a>> = Vec::new();
        for chunk in chunks {
            let own = own_pieces(chunk, title, &header);
            weight += own.iter().map(|piece| piece.text.len() + PIECE_BYTES).sum::<usize>();
            pieces.extend(own);
            header = open_header(&pieces, header);
            if weight >= PART_BYTES {
                parts.push(start..pieces.len());
                (start, weight) = (pieces.len(), 0);
            }
        }
        if start < pieces.len() {
            parts.push(start..pieces.len());
        }
        Self { pieces, parts }
    }

    /// The part that a piece is in.
    pub fn part_of(&self, piece: usize) -> usize {
        self.parts.iter().position(|part| part.contains(&piece)).unwrap_or_default()
    }

    /// The first piece of a place: under its heading, or where no such heading is, at its page, slide or sheet.
    pub fn first_of(&self, place: &Locator) -> Option<usize> {
        let label = Label::of(place);
        let under = place.heading.as_deref().and_then(|heading| self.first_under(heading, label));
        under.or_else(|| label.and_then(|label| self.first_at(label)))
    }

    /// The first piece under a heading, at a place where one is named. A heading with text below other headings only
    /// begins with the first of these.
    fn first_under(&self, heading: &str, label: Option<Label<'_>>) -> Option<usize> {
        let is_at = |piece: &Piece<'_>| label.is_none() || Label::of(piece.locator) == label;
        let first =
            |fits: &dyn Fn(&Piece<'_>) -> bool| self.pieces.iter().position(|piece| is_at(piece) && fits(piece));
        first(&|piece| piece.is_under(heading)).or_else(|| first(&|piece| piece.is_below(heading)))
    }

    /// The first piece at a place; of a page or slide without text, the next one that has some, or the last.
    fn first_at(&self, label: Label<'_>) -> Option<usize> {
        let labels = || self.pieces.iter().map(|piece| Label::of(piece.locator));
        let exact = labels().position(|own| own == Some(label));
        exact.or_else(|| labels().position(|own| own.is_some_and(|own| own.follows(label)))).or_else(|| {
            let is_numbered = matches!(label, Label::Page(_) | Label::Slide(_));
            self.pieces.len().checked_sub(1).filter(|_| is_numbered && labels().any(|own| own.is_some()))
        })
    }
}

/// The pieces of one chunk. `header` is that of the table at the end of the chunk before.
fn own_pieces<'a>(chunk: &'a Chunk, title: &str, header: &[Piece<'a>]) -> Vec<Piece<'a>> {
    let headings = match chunk.heading_path.split_first() {
        Some((first, rest)) if first == title => rest,
        _ => &chunk.heading_path,
    };
    let mut own: Vec<Piece<'a>> = chunk
        .spans
        .iter()
        .filter_map(|span| {
            let text = chunk.text.get(span.start..span.end)?;
            Some(Piece { text, kind: span.kind, locator: &span.locator, headings, is_repeated: false })
        })
        .collect();
    let is_same =
        |(a, b): (&Piece<'_>, &Piece<'_>)| a.text == b.text && a.locator == b.locator && a.headings == b.headings;
    // Header alone would be a table of its own that happens to look the same.
    let goes_on = own.get(header.len()).is_some_and(|next| next.kind == BlockKind::TableRow { header: false });
    if !header.is_empty() && goes_on && own.iter().zip(header).all(is_same) {
        own.iter_mut().take(header.len()).for_each(|piece| piece.is_repeated = true);
    }
    own
}

/// The header of the table that the pieces end with. `before` is what it was a chunk ago.
fn open_header<'a>(pieces: &[Piece<'a>], before: Vec<Piece<'a>>) -> Vec<Piece<'a>> {
    let is_row = |piece: &&Piece<'a>| matches!(piece.kind, BlockKind::TableRow { .. });
    let is_header = |piece: &&Piece<'a>| piece.kind == BlockKind::TableRow { header: true };
    let body = pieces.iter().rev().take_while(|piece| is_row(piece) && !is_header(piece)).count();
    let above = &pieces[..pieces.len() - body];
    let rows = above.iter().rev().take_while(is_header).count();
    let header = &above[above.len() - rows..];
    match header.first() {
        Some(first) if first.is_repeated => before,
        _ => header.to_vec(),
    }
}

/// A place that a reader can turn to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Label<'a> {
    /// Counted from 1.
    Page(u32),
    /// Counted from 1.
    Slide(u32),
    /// By its name.
    Sheet(&'a str),
}

impl<'a> Label<'a> {
    /// The place that a locator names, if any.
    pub fn of(locator: &'a Locator) -> Option<Self> {
        let sheet = locator.sheet.as_deref().map(Self::Sheet);
        sheet.or(locator.slide.map(Self::Slide)).or(locator.page.map(Self::Page))
    }

    /// For people.
    pub fn name(self) -> String {
        match self {
            Self::Page(number) => format!("Page {number}"),
            Self::Slide(number) => format!("Slide {number}"),
            Self::Sheet(name) => format!("Sheet {name}"),
        }
    }

    /// For addresses: an id without blanks, not yet escaped.
    pub fn anchor(self) -> String {
        match self {
            Self::Page(number) => format!("page-{number}"),
            Self::Slide(number) => format!("slide-{number}"),
            Self::Sheet(name) => format!("sheet-{}", name.split_whitespace().collect::<Vec<_>>().join("-")),
        }
    }

    fn follows(self, other: Label<'_>) -> bool {
        match (self, other) {
            (Self::Page(own), Label::Page(other)) | (Self::Slide(own), Label::Slide(other)) => own > other,
            _ => false,
        }
    }
}
