//! What the stub does when one of its widgets is touched.

use crate::llm::ModelEvent;
use crate::llm::stub::items;
use crate::model::item::{Action, Beside, Cue, Which, Widget};
use crate::model::thread::ItemContent;

/// What `update` makes of a widget.
const UPDATED: &str = "Refund status: updated";

/// `update` replaces the widget, `remove` removes it; all others only say that they were seen.
pub(super) fn events(action: &Action, widget: Option<&(String, Widget)>) -> Vec<ModelEvent> {
    let which = widget.map(|(item_id, _)| Which::Id(item_id.clone()));
    let beside = match (action.r#type.as_str(), which) {
        ("update", Some(which)) => Beside::ItemReplaced { which, content: items::card(UPDATED) },
        ("remove", Some(which)) => Beside::ItemRemoved { which },
        _ => Beside::Progress { icon: None, text: "Refreshing".to_owned() },
    };
    vec![ModelEvent::Beside(beside)]
}

/// `refresh` gives the widget as it is, `update` another; all others give nothing.
pub(super) fn act(cue: &Cue) -> Option<ItemContent> {
    let Cue::Action { action, widget: Some((_, widget)) } = cue else {
        return None;
    };
    match action.r#type.as_str() {
        "refresh" => Some(ItemContent::Widget(widget.clone())),
        "update" => Some(items::card(UPDATED)),
        _ => None,
    }
}
