//! What a preview says when it cannot show quite what was wanted.

use crate::serve::preview::Wanted;
use crate::serve::preview::flow::{Flow, Label};

/// One sentence or two; none when all is well. `target` is the piece that is shown instead.
pub fn text(wanted: &Wanted, flow: &Flow<'_>, is_found: bool, target: Option<usize>) -> Option<String> {
    if flow.pieces.is_empty() {
        return Some("Nothing is indexed of this document at the moment.".to_owned());
    }
    let label = Label::of(&wanted.place);
    let has_place = target.and_then(|piece| flow.pieces.get(piece)).is_some_and(|piece| {
        let own = Label::of(piece.locator);
        label.is_none() || own == label
    });
    let place = label.filter(|_| !is_found && !has_place).map(|label| format!("{} holds no text here.", label.name()));
    let quote = (wanted.quote.is_some() && !is_found)
        .then(|| "The quoted words are not in the text of this document; it may have changed since.".to_owned());
    let sentences: Vec<String> = quote.into_iter().chain(place).collect();
    (!sentences.is_empty()).then(|| sentences.join(" "))
}
