//! Attaches uploaded files, many in one call.

use tokio::time::sleep;

use crate::hosted::HostedError;
use crate::hosted::apply::flight::Flight;
use crate::hosted::apply::{Apply, Task};
use crate::openai::vector_store::Attachment;
use crate::openai::{ErrorKind, OpenAiError};

/// How often a batch is asked for at the most.
const ATTEMPTS: u32 = 3;

/// What came of attaching.
#[derive(Default)]
pub(super) struct Attached<'a> {
    /// What is being indexed.
    pub(super) flights: Vec<Flight<'a>>,
    /// What was refused. Its file stays unattached, and the next run finds it by its name.
    pub(super) failed: Vec<(Task<'a>, OpenAiError)>,
}

impl Apply<'_> {
    /// Attaches files, at most as many as a batch holds.
    pub(super) async fn attach<'t>(&self, files: Vec<(String, Task<'t>)>) -> Result<Attached<'t>, HostedError> {
        let attachments: Vec<Attachment> = files.iter().map(|(file_id, task)| task.attachment(file_id)).collect();
        let mut attempts = 0;
        loop {
            attempts += 1;
            let error = match self.service.create_batch(&attachments).await {
                Ok(batch) => {
                    return Ok(Attached {
                        flights: Flight::of(Some(batch.id), files).into_iter().collect(),
                        ..Attached::default()
                    });
                }
                Err(error) => error,
            };
            // One of them may be the cause: the others need not suffer for it.
            if matches!(error.kind, ErrorKind::Refused | ErrorKind::NotFound) {
                return self.one_by_one(files).await;
            }
            if !error.is_temporary() && !error.may_be_done {
                return Err(error.into());
            }
            if self.is_any_attached(&files).await? {
                // Done, and the answer was lost. Whatever of it is not there is attached when it is missed.
                return Ok(Attached { flights: Flight::of(None, files).into_iter().collect(), ..Attached::default() });
            }
            if attempts >= ATTEMPTS {
                return Err(error.into());
            }
            sleep(self.service.wait_after(attempts, &error)).await;
        }
    }

    /// First and last tell about a batch that the service takes as a whole.
    async fn is_any_attached(&self, files: &[(String, Task<'_>)]) -> Result<bool, OpenAiError> {
        for (file_id, _) in files.first().into_iter().chain(files.last()) {
            if self.service.store_file(file_id).await?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn one_by_one<'t>(&self, files: Vec<(String, Task<'t>)>) -> Result<Attached<'t>, HostedError> {
        let mut attached = Attached::default();
        let mut taken = Vec::new();
        for (file_id, task) in files {
            match self.attach_one(&file_id, task).await {
                Ok(()) => taken.push((file_id, task)),
                Err(error) if matches!(error.kind, ErrorKind::Refused | ErrorKind::NotFound) => {
                    attached.failed.push((task, error));
                }
                Err(error) => return Err(error.into()),
            }
        }
        attached.flights.extend(Flight::of(None, taken));
        Ok(attached)
    }

    /// Attaches one file; a call that may have been done is looked after before it is made again.
    pub(super) async fn attach_one(&self, file_id: &str, task: Task<'_>) -> Result<(), OpenAiError> {
        let attachment = task.attachment(file_id);
        let mut attempts = 0;
        loop {
            attempts += 1;
            let Err(error) = self.service.attach(&attachment).await else { return Ok(()) };
            if !error.is_temporary() && !error.may_be_done {
                return Err(error);
            }
            if self.service.store_file(file_id).await?.is_some() {
                return Ok(());
            }
            if attempts >= ATTEMPTS {
                return Err(error);
            }
            sleep(self.service.wait_after(attempts, &error)).await;
        }
    }
}
