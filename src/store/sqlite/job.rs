//! What a connection's thread is asked to do, and the answer to who asked.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::mpsc::error::SendTimeoutError;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

use crate::store::StoreError;

/// How long a job waits until a thread begins it. A disk that does not answer must not collect callers.
const QUEUE_TIMEOUT: Duration = Duration::from_secs(10);

/// One operation. It is run once or not at all, then answered.
pub(super) trait Job: Send {
    /// Whether it is to be run: somebody waits for it. From then on it cannot be given up.
    fn begin(&self) -> bool;
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
    ask_within(QUEUE_TIMEOUT, queue, work).await
}

/// [`ask`], with a time in which the work must be begun.
async fn ask_within<T: Send + 'static>(
    timeout: Duration,
    queue: Queue,
    work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let deadline = Instant::now() + timeout;
    let (reply, mut answer) = oneshot::channel();
    let is_decided = Arc::new(AtomicBool::new(false));
    let job: Box<dyn Job> =
        Box::new(Asked { work: Some(work), is_decided: Arc::clone(&is_decided), outcome: None, reply });
    queue.send_timeout(job, timeout).await.map_err(|error| match error {
        SendTimeoutError::Timeout(_) => StoreError::Busy,
        SendTimeoutError::Closed(_) => StoreError::Closed,
    })?;
    let outcome = match timeout_at(deadline, &mut answer).await {
        Ok(outcome) => outcome,
        Err(_) if !is_decided.swap(true, Ordering::AcqRel) => return Err(StoreError::Busy),
        // It was begun: only its thread knows what comes of it.
        Err(_) => answer.await,
    };
    // Not before the answer, or the thread could end while a job lies in its queue.
    drop(queue);
    outcome.unwrap_or(Err(StoreError::Closed))
}

struct Asked<T, W> {
    work: Option<W>,
    /// Whether it is begun, or given up; whoever sets it first has decided which.
    is_decided: Arc<AtomicBool>,
    outcome: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, W> Job for Asked<T, W>
where
    T: Send,
    W: FnOnce(&Connection) -> Result<T, StoreError> + Send,
{
    fn begin(&self) -> bool {
        !self.reply.is_closed() && !self.is_decided.swap(true, Ordering::AcqRel)
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

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_millis(20);

    /// A thread that is stuck keeps nobody for ever, and does not do later what was given up.
    #[tokio::test]
    async fn what_is_not_begun_in_time_is_given_up_as_a_whole() {
        let (queue, mut jobs) = mpsc::channel::<Box<dyn Job>>(1);
        let waiting = ask_within(SHORT, queue.clone(), |_| Ok(()));
        let outcome = tokio::time::timeout(Duration::from_secs(10), waiting).await.expect("it ends");
        assert!(matches!(outcome, Err(StoreError::Busy)), "{outcome:?}");
        // The one before still has the place.
        assert!(matches!(ask_within(SHORT, queue, |_| Ok(())).await, Err(StoreError::Busy)));
        assert!(!jobs.recv().await.unwrap().begin());
    }

    #[tokio::test]
    async fn what_is_begun_is_waited_for() {
        let (queue, mut jobs) = mpsc::channel::<Box<dyn Job>>(1);
        let asked = tokio::spawn(ask_within(SHORT, queue, |_| Ok(7)));
        let mut job = jobs.recv().await.unwrap();
        assert!(job.begin());
        tokio::time::sleep(SHORT * 5).await;
        assert!(matches!(job.run(&Connection::open_in_memory().unwrap()), Ran::Done));
        job.answer(Ok(()));
        assert_eq!(asked.await.unwrap().unwrap(), 7);
    }
}
