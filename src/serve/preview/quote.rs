//! Finds quoted words among the pieces, whatever white space lies between them.

use std::ops::Range;

use crate::model::Locator;
use crate::serve::preview::flow::Piece;

/// What of each piece is quoted: its number, and a range of its text.
pub type Marks = Vec<(usize, Range<usize>)>;

/// Where the words stand; of several places, the one that fits `place` best.
pub fn find(pieces: &[Piece<'_>], quote: &str, place: &Locator) -> Option<Marks> {
    let needle = squeezed(quote);
    if needle.is_empty() {
        return None;
    }
    let (text, starts) = joined(pieces);
    let mut best: Option<(u32, usize)> = None;
    for (at, _) in text.match_indices(&needle).take(MAX_PLACES) {
        let piece = starts.partition_point(|start| *start <= at).saturating_sub(1);
        let score = pieces.get(piece).map_or(0, |piece| fits(piece, place));
        if best.is_none_or(|(known, _)| score > known) {
            best = Some((score, at));
        }
        if score == ALL {
            break;
        }
    }
    let (_, at) = best?;
    Some(marks(pieces, &starts, &(at..at + needle.len())))
}

/// Words that stand in more places than these are no quote.
const MAX_PLACES: usize = 10_000;

/// When everything that is said of a place fits.
const ALL: u32 = 15;

/// How well a piece fits a place. Pages, slides and sheets say more than headings, which may repeat.
fn fits(piece: &Piece<'_>, place: &Locator) -> u32 {
    let own = piece.locator;
    let heading = place.heading.as_deref().is_none_or(|heading| piece.is_under(heading));
    u32::from(place.page.is_none() || own.page == place.page) * 8
        + u32::from(place.slide.is_none() || own.slide == place.slide) * 4
        + u32::from(place.sheet.is_none() || own.sheet == place.sheet) * 2
        + u32::from(heading)
}

/// All text with single blanks, and where each piece begins in it.
fn joined(pieces: &[Piece<'_>]) -> (String, Vec<usize>) {
    let mut text = String::with_capacity(pieces.iter().map(|piece| piece.text.len() + 1).sum());
    let mut starts = Vec::with_capacity(pieces.len());
    for piece in pieces {
        starts.push(text.len());
        for word in piece.text.split_whitespace() {
            text.push_str(word);
            text.push(' ');
        }
    }
    (text, starts)
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Maps a range of the joined text back to the pieces it touches.
fn marks(pieces: &[Piece<'_>], starts: &[usize], found: &Range<usize>) -> Marks {
    let first = starts.partition_point(|start| *start <= found.start).saturating_sub(1);
    let touched = pieces.iter().zip(starts).enumerate().skip(first).take_while(|(_, (_, start))| **start < found.end);
    touched
        .filter_map(|(number, (piece, start))| {
            let within = found.start.saturating_sub(*start)..found.end - start;
            original(piece.text, &within).map(|range| (number, range))
        })
        .collect()
}

/// A range of a text's squeezed form as a range of the text itself.
fn original(text: &str, squeezed: &Range<usize>) -> Option<Range<usize>> {
    let mut passed = 0;
    let mut range: Option<Range<usize>> = None;
    for word in text.split_whitespace() {
        let at = word.as_ptr() as usize - text.as_ptr() as usize;
        let (from, to) = (squeezed.start.max(passed), squeezed.end.min(passed + word.len()));
        if from < to {
            let (start, end) = (at + from - passed, at + to - passed);
            range = Some(range.map_or(start..end, |known| known.start..end));
        }
        passed += word.len() + 1;
    }
    range
}
