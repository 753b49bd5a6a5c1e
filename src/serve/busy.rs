//! One answer at a time per thread.
//!
//! An answer keeps its [`Slot`] until its last write, so a message that follows a hang-up finds the partial answer
//! stored before it.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

/// How long a message waits for the answer before it, which may be stopping.
const PATIENCE: Duration = Duration::from_secs(1);

/// The threads that are being answered.
#[derive(Debug, Default)]
pub struct Busy {
    threads: Mutex<HashSet<String>>,
    freed: Notify,
}

/// The right to answer in one thread; given back when dropped.
#[derive(Debug)]
pub struct Slot {
    busy: Arc<Busy>,
    thread_id: String,
}

impl Busy {
    /// Takes the slot of a thread, waiting a little for an answer that is ending. `None`: it goes on.
    pub async fn take(self: &Arc<Self>, thread_id: &str) -> Option<Slot> {
        tokio::time::timeout(PATIENCE, self.wait_for(thread_id)).await.ok()
    }

    async fn wait_for(self: &Arc<Self>, thread_id: &str) -> Slot {
        loop {
            let freed = self.freed.notified();
            tokio::pin!(freed);
            // Registered before looking, so that no notice is missed in between.
            freed.as_mut().enable();
            if self.lock().insert(thread_id.to_owned()) {
                return Slot { busy: Arc::clone(self), thread_id: thread_id.to_owned() };
            }
            freed.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<String>> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.busy.lock().remove(&self.thread_id);
        self.busy.freed.notify_waiters();
    }
}
