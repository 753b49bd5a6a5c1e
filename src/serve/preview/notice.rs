//! What a preview says when it cannot show quite what was wanted.

use crate::serve::preview::Wanted;
use crate::serve::preview::flow::{Flow, Label, Piece};
use crate::serve::preview::quote::Marks;

/// One sentence or several; none when all is well. `target` is the piece that is shown, the first with `found` words
/// where there are such.
pub fn text(wanted: &Wanted, flow: &Flow<'_>, found: Option<&Marks>, target: Option<usize>) -> Option<String> {
    if flow.pieces.is_empty() {
        return Some("Nothing is indexed of this document at the moment.".to_owned());
    }
    let target = target.and_then(|piece| flow.pieces.get(piece));
    let sentences: Vec<String> = match found {
        Some(marks) => elsewhere(wanted, flow, marks).into_iter().collect(),
        None => {
            [no_words(wanted), no_place(wanted, target), no_heading(wanted, target)].into_iter().flatten().collect()
        }
    };
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

/// The words stand on another page than somebody believes. Words that go over its edge are on both.
fn elsewhere(wanted: &Wanted, flow: &Flow<'_>, marks: &Marks) -> Option<String> {
    let label = Label::of(&wanted.place)?;
    let mut labels =
        marks.iter().filter_map(|(piece, _)| flow.pieces.get(*piece)).map(|piece| Label::of(piece.locator));
    let first = labels.next()?;
    if first == Some(label) || labels.any(|own| own == Some(label)) {
        return None;
    }
    let name = label.name();
    Some(match first {
        Some(first) => format!("The quoted words stand at {}, not at {name}.", first.name()),
        None => format!("The quoted words stand here; the text of this document has no {name}."),
    })
}

fn no_words(wanted: &Wanted) -> Option<String> {
    let said = "The quoted words are not in the text of this document; it may have changed since.";
    wanted.quote.as_ref().map(|_| said.to_owned())
}

fn no_place(wanted: &Wanted, target: Option<&Piece<'_>>) -> Option<String> {
    let label = Label::of(&wanted.place)?;
    let is_shown = target.is_some_and(|piece| Label::of(piece.locator) == Some(label));
    (!is_shown).then(|| format!("{} holds no text here.", label.name()))
}

fn no_heading(wanted: &Wanted, target: Option<&Piece<'_>>) -> Option<String> {
    let heading = wanted.place.heading.as_deref()?;
    let is_shown = target.is_some_and(|piece| piece.is_below(heading));
    (!is_shown).then(|| format!("No text stands under the heading “{heading}” here."))
}
