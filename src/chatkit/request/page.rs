//! Lists, titles and feedback.

use crate::chatkit::request::Request;
use crate::chatkit::request::fields::{Fields, Outcome, check_chars, invalid, is_blank};
use crate::model::thread::{FeedbackKind, Order, PageQuery};

/// Characters of a title at the most.
pub const MAX_TITLE_CHARS: usize = 500;
/// Items that one piece of feedback names at the most.
pub const MAX_FEEDBACK_ITEMS: usize = 100;

/// Which piece of a list. Limits beyond what any page holds are cut, not refused: clients ask for 9999 to mean "all".
pub(super) fn parse(params: &mut Fields) -> Outcome<PageQuery> {
    let limit = params.optional_number("limit")?.map(|limit| u32::try_from(limit).unwrap_or(u32::MAX));
    let order = params.optional_choice("order", &[("asc", Order::Asc), ("desc", Order::Desc)])?;
    let after = params.optional_text("after")?;
    if after.as_deref() == Some("") {
        return Err(invalid(&format!("`{}` is empty", params.place("after"))));
    }
    Ok(PageQuery::new(limit, order.unwrap_or_default(), after))
}

/// A title that shows something.
pub(super) fn title(params: &mut Fields) -> Outcome<String> {
    let (title, place) = (params.text("title")?, params.place("title"));
    let title = title.trim_matches(is_blank);
    if title.is_empty() {
        return Err(invalid(&format!("`{place}` is empty")));
    }
    check_chars(title, MAX_TITLE_CHARS, &place)?;
    Ok(title.to_owned())
}

/// What a visitor thinks of some items.
pub(super) fn feedback(params: &mut Fields) -> Outcome<Request> {
    let thread_id = params.text("thread_id")?;
    let item_ids = params.texts("item_ids")?;
    if item_ids.len() > MAX_FEEDBACK_ITEMS {
        let place = params.place("item_ids");
        return Err(invalid(&format!("`{place}` has more than {MAX_FEEDBACK_ITEMS} entries")));
    }
    let kinds = [("positive", FeedbackKind::Positive), ("negative", FeedbackKind::Negative)];
    Ok(Request::Feedback { thread_id, item_ids, kind: params.choice("kind", &kinds)? })
}
