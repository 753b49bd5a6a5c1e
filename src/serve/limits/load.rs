//! What all callers together may keep in progress. Beyond that a request is told at once to come again, while what
//! has begun goes on.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Requests whose answer has not begun. Most take milliseconds; this many are a standstill.
const MAX_REQUESTS: usize = 1024;
/// Answers that are being told.
const MAX_ANSWERS: usize = 3000;

/// The bounds, and what counts against them.
pub struct Load {
    requests: Arc<Semaphore>,
    max_answers: usize,
}

/// One of the requests in progress, until it is dropped.
pub struct Place {
    _permit: OwnedSemaphorePermit,
}

impl Default for Load {
    fn default() -> Self {
        Self { requests: Arc::new(Semaphore::new(MAX_REQUESTS)), max_answers: MAX_ANSWERS }
    }
}

impl Load {
    /// A place for one more request, if there is one.
    pub fn take(&self) -> Option<Place> {
        Arc::clone(&self.requests).try_acquire_owned().ok().map(|permit| Place { _permit: permit })
    }

    /// Whether another answer may begin while `running` are being told.
    pub fn has_room_for_answer(&self, running: usize) -> bool {
        running < self.max_answers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_come_back() {
        let load = Load { requests: Arc::new(Semaphore::new(1)), max_answers: 1 };
        let place = load.take();
        assert!(place.is_some() && load.take().is_none());
        drop(place);
        assert!(load.take().is_some());
        assert!(load.has_room_for_answer(0) && !load.has_room_for_answer(1));
    }
}
