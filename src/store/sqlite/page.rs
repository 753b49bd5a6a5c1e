//! Pages of a list that follows a sequence.

use crate::model::thread::{Order, Page};

/// A bound that every row lies beyond.
pub(super) fn first_bound(order: Order) -> i64 {
    match order {
        Order::Asc => 0,
        Order::Desc => i64::MAX,
    }
}

/// Makes a page of the first rows; those beyond only tell that more follow.
pub(super) fn cut_page<T>(mut rows: Vec<T>, most: usize, id: fn(&T) -> &String) -> Page<T> {
    let has_more = rows.len() > most;
    rows.truncate(most);
    let after = match (has_more, rows.last()) {
        (true, Some(last)) => Some(id(last).clone()),
        _ => None,
    };
    Page { data: rows, has_more, after }
}
