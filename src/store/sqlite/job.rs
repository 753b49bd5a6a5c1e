//! What a connection's thread is asked to do, and the answer to who asked.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::mpsc::error::SendTimeoutError;
use tokio::sync::{mpsc, oneshot};

use crate::store::StoreError;

/// How long a job waits for a place in a queue.
const QUEUE_TIMEOUT: Duration = Duration::from_secs(10);

/// One operation. It is run once or not at all, then answered.
pub(super) trait Job: Send {
    /// Whether somebody still waits for it.
    fn is_wanted(&self) -> bool;
    /// Does the work; a panic in it is its own failure.
    fn run(&mut self, connection: &Connection) -> Ran;
    /// Tells the outcome, or, if its transaction did not end well, that.
    fn answer(self: Box<Self>, end: Result<(), StoreError>);
}

/// How work went.
#[derive(Debug)]
pub(super) enum Ran {
    /// It is to be kept.
    Done,
    /// It was refused, and is to be undone.
    Refused,
    /// The database failed, and the transaction may be lost with it.
    Failed(StoreError),
}

/// Where jobs wait for a connection.
pub(super) type Queue = mpsc::Sender<Box<dyn Job>>;

/// Does work on a connection's thread. Dropping the future gives the work up as a whole, or not at all.
pub(super) async fn ask<T: Send + 'static>(
    queue: Queue,
    work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let (reply, answer) = oneshot::channel();
    let job: Box<dyn Job> = Box::new(Asked { work: Some(work), outcome: None, reply });
    queue.send_timeout(job, QUEUE_TIMEOUT).await.map_err(|error| match error {
        SendTimeoutError::Timeout(_) => StoreError::Busy,
        SendTimeoutError::Closed(_) => StoreError::Closed,
    })?;
    // Not before the answer, or the thread could end while a job lies in its queue.
    let outcome = answer.await;
    drop(queue);
    outcome.unwrap_or(Err(StoreError::Closed))
}

struct Asked<T, W> {
    work: Option<W>,
    outcome: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, W> Job for Asked<T, W>
where
    T: Send,
    W: FnOnce(&Connection) -> Result<T, StoreError> + Send,
{
    fn is_wanted(&self) -> bool {
        !self.reply.is_closed()
    }

    fn run(&mut self, connection: &Connection) -> Ran {
        let Some(work) = self.work.take() else { return Ran::Refused };
        let outcome = catch_unwind(AssertUnwindSafe(|| work(connection))).unwrap_or(Err(StoreError::Panicked));
        let ran = match &outcome {
            Ok(_) => Ran::Done,
            Err(error @ (StoreError::Storage { .. } | StoreError::Backend(_))) => Ran::Failed(error.clone()),
            Err(_) => Ran::Refused,
        };
        self.outcome = Some(outcome);
        ran
    }

    fn answer(self: Box<Self>, end: Result<(), StoreError>) {
        let outcome = match (end, self.outcome) {
            (Ok(()), Some(outcome)) => outcome,
            (Ok(()), None) => Err(StoreError::Closed),
            (Err(error), _) => Err(error),
        };
        // Who no longer waits needs no answer.
        let _ = self.reply.send(outcome);
    }
}
