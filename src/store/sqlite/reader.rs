//! The threads that read. Each operation sees one state of the database, whatever is written meanwhile.

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::mpsc::Receiver;

use crate::store::StoreError;
use crate::store::sqlite::failure::blames_the_connection;
use crate::store::sqlite::job::{Job, Ran};
use crate::store::sqlite::session::Session;
use crate::store::sqlite::statement::change;

/// What is to be read, for whichever reader is free.
pub(super) type SharedQueue = Arc<Mutex<Receiver<Box<dyn Job>>>>;

/// Works until nobody can ask any more, then ends the connection.
pub(super) fn run(mut session: Session, queue: &SharedQueue) {
    while let Some(mut job) = next(queue) {
        if !job.begin() {
            continue;
        }
        let (end, is_sound) = match session.connection() {
            Ok(connection) => in_snapshot(connection, job.as_mut()),
            Err(error) => (Err(error), true),
        };
        if !is_sound {
            session.forget();
        }
        job.answer(end);
    }
    session.close();
}

/// One reader waits at the queue, the others for their turn to.
fn next(queue: &SharedQueue) -> Option<Box<dyn Job>> {
    queue.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv()
}

/// Runs a job in a transaction; tells how that ended and whether the connection is still good.
fn in_snapshot(connection: &Connection, job: &mut dyn Job) -> (Result<(), StoreError>, bool) {
    if let Err(error) = change(connection, "BEGIN DEFERRED", []) {
        return (Err(error), false);
    }
    let ran = job.run(connection);
    let ended = change(connection, "ROLLBACK", []).is_ok();
    let blamed = matches!(&ran, Ran::Failed(error) if blames_the_connection(error));
    (Ok(()), ended && !blamed)
}
