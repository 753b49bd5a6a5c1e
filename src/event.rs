//! What engines tell while they work. Engines print nothing; an [`Observer`] decides what becomes of an event.

use crate::error::Problem;

/// A step of a longer job.
#[derive(Debug, Clone)]
pub enum Event {
    /// A job of so many steps begins (for sync: files to look at or to index).
    Started {
        /// What is being done, for people: "scanning", "indexing".
        task: &'static str,
        /// How many steps, when known.
        total: Option<u64>,
    },
    /// How many bytes the steps of the job that has just begun handle in all.
    Sized {
        /// Bytes.
        bytes: u64,
    },
    /// A step begins.
    Working {
        /// What the step is about: a path.
        item: String,
    },
    /// One step is done.
    Advanced {
        /// What the step was about: a path.
        item: String,
        /// Bytes handled.
        bytes: u64,
    },
    /// One thing went wrong; the job goes on.
    Problem(Problem),
    /// The job is done.
    Finished,
}

/// Receives events; called from any thread.
pub trait Observer: Send + Sync {
    /// Takes note of one event.
    fn observe(&self, event: Event);
}

/// Takes note of nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {
    fn observe(&self, _event: Event) {}
}
