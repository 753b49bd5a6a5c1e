//! The one thread that writes. What waits is written together, so that one sync covers all of it.
//!
//! Every job has a savepoint of its own within the transaction: one that is refused undoes only itself. All are
//! answered after the commit; if that fails, none of them was written, and all are told so. Nobody is kept waiting
//! for company: a job that comes alone is committed alone.

use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::mpsc::Receiver;

use crate::store::StoreError;
use crate::store::sqlite::checkpoint::Checkpoints;
use crate::store::sqlite::failure::blames_the_connection;
use crate::store::sqlite::job::{Job, Ran};
use crate::store::sqlite::session::Session;
use crate::store::sqlite::statement::change;

/// Jobs in one transaction at the most.
const MAX_JOBS: usize = 128;
/// Work in one transaction at the most; what comes later waits for the next.
const MAX_WORK: Duration = Duration::from_millis(5);

/// What the thread has.
pub(super) struct Writer {
    /// The connection.
    pub(super) session: Session,
    /// What is to be done.
    pub(super) queue: Receiver<Box<dyn Job>>,
    /// When the log is moved into the database.
    pub(super) checkpoints: Checkpoints,
}

impl Writer {
    /// Works until nobody can ask any more, then ends the connection.
    pub(super) fn run(mut self) {
        while let Some(first) = self.queue.blocking_recv() {
            self.serve(first);
        }
        // The last connection beside this one.
        self.checkpoints.end();
        self.session.close();
    }

    fn serve(&mut self, first: Box<dyn Job>) {
        let mut batch = vec![first];
        let end = self.write(&mut batch);
        if end.as_ref().is_err_and(blames_the_connection) {
            self.session.forget();
        }
        let is_written = end.is_ok();
        for job in batch {
            job.answer(end.clone());
        }
        if is_written && let Ok(connection) = self.session.connection() {
            self.checkpoints.after_commit(connection);
        }
    }

    /// Writes what waits, in one transaction; `batch` has all that were tried, also when it fails.
    fn write(&mut self, batch: &mut Vec<Box<dyn Job>>) -> Result<(), StoreError> {
        let connection = self.session.connection()?;
        run(connection, "BEGIN IMMEDIATE")?;
        let written = fill(connection, &mut self.queue, batch).and_then(|()| run(connection, "COMMIT"));
        if written.is_err() && !connection.is_autocommit() {
            run(connection, "ROLLBACK")?;
        }
        written?;
        self.session.check()
    }
}

fn fill(
    connection: &Connection,
    queue: &mut Receiver<Box<dyn Job>>,
    batch: &mut Vec<Box<dyn Job>>,
) -> Result<(), StoreError> {
    let started = Instant::now();
    let mut tried = 0;
    while let Some(job) = batch.get_mut(tried) {
        if job.begin() {
            in_savepoint(connection, job.as_mut())?;
        }
        tried += 1;
        let has_room = tried < MAX_JOBS && started.elapsed() < MAX_WORK;
        if has_room && let Ok(next) = queue.try_recv() {
            batch.push(next);
        }
    }
    Ok(())
}

/// Runs a job so that it can be undone alone. It fails only when the whole transaction is lost: some failures, as a
/// full disk, make SQLite undo all of it.
fn in_savepoint(connection: &Connection, job: &mut dyn Job) -> Result<(), StoreError> {
    run(connection, "SAVEPOINT job")?;
    match job.run(connection) {
        Ran::Done => {}
        Ran::Failed(error) if connection.is_autocommit() => return Err(error),
        Ran::Refused | Ran::Failed(_) => run(connection, "ROLLBACK TO job")?,
    }
    run(connection, "RELEASE job")
}

fn run(connection: &Connection, statement: &str) -> Result<(), StoreError> {
    change(connection, statement, []).map(drop)
}
