//! Puts what comes in any order back into the order of the work, as long as that costs little.
//!
//! Texts that answer a question equally well are told apart by their places in the index, so the same folder should be
//! put in in the same order every time. But a document that takes long holds up no others for it: what waits is
//! bounded in number, size and time, and goes ahead then.

use std::collections::BTreeMap;

use jiff::Timestamp;

const MAX_WAITING: usize = 256;
const MAX_WAITING_BYTES: usize = 16 * 1024 * 1024;
const MAX_WAITING_SECONDS: i64 = 20;

/// What has come and waits for what is before it.
pub(super) struct Order<T> {
    /// With their sizes.
    waiting: BTreeMap<usize, (T, usize)>,
    /// The place in the work up to which all has gone ahead, or is not waited for any more.
    next: usize,
    bytes: usize,
    /// When what waits began to wait.
    since: Option<Timestamp>,
}

impl<T> Default for Order<T> {
    fn default() -> Self {
        Self { waiting: BTreeMap::new(), next: 0, bytes: 0, since: None }
    }
}

impl<T> Order<T> {
    /// Takes what has come for this place in the work.
    pub(super) fn push(&mut self, place: usize, item: T, bytes: usize, now: Timestamp) {
        self.waiting.insert(place, (item, bytes));
        self.bytes += bytes;
        let waits = now.as_second() - self.since.get_or_insert(now).as_second();
        let is_first_here = self.waiting.contains_key(&self.next);
        let is_too_much = self.waiting.len() > MAX_WAITING || self.bytes > MAX_WAITING_BYTES;
        if !is_first_here && (is_too_much || waits >= MAX_WAITING_SECONDS) {
            self.wait_no_more();
        }
    }

    /// Lets everything go ahead that is here.
    pub(super) fn wait_no_more(&mut self) {
        let last = self.waiting.last_key_value().map(|(place, _)| place + 1);
        self.next = self.next.max(last.unwrap_or_default());
    }

    /// The next that may go ahead.
    pub(super) fn pop(&mut self) -> Option<T> {
        let first = self.waiting.first_entry().filter(|first| *first.key() <= self.next)?;
        self.next = self.next.max(first.key() + 1);
        let (item, bytes) = first.remove();
        self.bytes -= bytes;
        // Of what stays, nothing is known to be older than this.
        self.since = None;
        Some(item)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn popped(order: &mut Order<usize>) -> Vec<usize> {
        std::iter::from_fn(|| order.pop()).collect()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn what_comes_in_any_order_goes_in_one() {
        let mut order = Order::default();
        order.push(1, 1, 0, at(0));
        assert_eq!(popped(&mut order), [0; 0]);
        order.push(0, 0, 0, at(0));
        order.push(3, 3, 0, at(0));
        assert_eq!(popped(&mut order), [0, 1]);
        order.wait_no_more();
        order.push(2, 2, 0, at(0));
        order.push(4, 4, 0, at(0));
        assert_eq!(popped(&mut order), [2, 3, 4]);
    }

    #[test]
    fn what_waits_is_bounded_in_number_size_and_time() {
        let mut many = Order::default();
        (1..=MAX_WAITING).for_each(|place| many.push(place, place, 0, at(0)));
        assert_eq!(popped(&mut many).len(), 0);
        many.push(MAX_WAITING + 1, 0, 0, at(0));
        assert_eq!(popped(&mut many).len(), MAX_WAITING + 1);
        let mut large = Order::default();
        large.push(1, 1, MAX_WAITING_BYTES + 1, at(0));
        assert_eq!(popped(&mut large), [1]);
        let mut long = Order::default();
        long.push(1, 1, 0, at(0));
        long.push(2, 2, 0, at(MAX_WAITING_SECONDS));
        assert_eq!(popped(&mut long), [1, 2]);
        long.push(0, 0, 0, at(100));
        assert_eq!(popped(&mut long), [0]);
    }
}
