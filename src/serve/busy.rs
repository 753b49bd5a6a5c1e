//! One answer at a time per thread.
//!
//! An answer keeps its [`Slot`] until its last write, so a message that follows a hang-up finds the partial answer
//! stored before it. Whoever deletes a thread tells the answer in it, which then ends at once.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// How long a message waits for the answer before it, which may be stopping.
const PATIENCE: Duration = Duration::from_secs(1);

/// The threads that are being answered.
#[derive(Debug, Default)]
pub struct Busy {
    /// Each with what tells its answer that the thread is gone.
    threads: Mutex<HashMap<String, CancellationToken>>,
    freed: Notify,
}

/// The right to answer in one thread; given back when dropped.
#[derive(Debug)]
pub struct Slot {
    busy: Arc<Busy>,
    thread_id: String,
    gone: CancellationToken,
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
            if let Entry::Vacant(free) = self.lock().entry(thread_id.to_owned()) {
                let gone = free.insert(CancellationToken::new()).clone();
                return Slot { busy: Arc::clone(self), thread_id: thread_id.to_owned(), gone };
            }
            freed.await;
        }
    }

    /// Tells the answer in a thread, if there is one, that the thread was deleted.
    pub fn thread_is_gone(&self, thread_id: &str) {
        if let Some(gone) = self.lock().get(thread_id) {
            gone.cancel();
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, CancellationToken>> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    /// Waits until the thread is deleted.
    pub async fn thread_gone(&self) {
        self.gone.cancelled().await;
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.busy.lock().remove(&self.thread_id);
        self.busy.freed.notify_waiters();
    }
}
