//! Uploads one document, once: after a lost answer it looks for the file before it sends it again.

use std::sync::PoisonError;

use tokio::task::{JoinError, spawn_blocking};
use tokio::time::sleep;

use crate::error::Problem;
use crate::event::Event;
use crate::hosted::apply::{Apply, Task};
use crate::hosted::name::{Name, content_mark, store_mark};
use crate::hosted::prepare::{self, Form, Prepared};
use crate::hosted::render::RenderError;
use crate::hosted::service::Enough;
use crate::openai::OpenAiError;
use crate::openai::file::{Body, Upload};

/// How often a document is sent at the most.
const ATTEMPTS: u32 = 3;

/// Why a document was not uploaded.
pub(super) enum UploadError {
    /// It is the document's fault.
    Document(Problem),
    /// A call failed.
    Call(OpenAiError),
    /// A background task ended before its time.
    Task(JoinError),
}

impl From<OpenAiError> for UploadError {
    fn from(error: OpenAiError) -> Self {
        Self::Call(error)
    }
}

impl From<JoinError> for UploadError {
    fn from(error: JoinError) -> Self {
        Self::Task(error)
    }
}

impl Apply<'_> {
    /// The file of a document: one that was uploaded already, or a new one.
    pub(super) async fn upload(&self, task: Task<'_>) -> Result<String, UploadError> {
        let Task { change, wanted, .. } = task;
        self.observer.observe(Event::Working { item: change.path.clone() });
        if let Some(file_id) = &change.file_id {
            // A list of files may lag behind: it is asked for itself.
            if self.service.file(file_id).await?.is_some() {
                return Ok(file_id.clone());
            }
        }
        let prepared = prepare::prepare(self.reader, self.docs_dir, &wanted.file, wanted.form).await;
        let prepared = prepared.map_err(UploadError::Document)?;
        check_content(task, &prepared)?;
        let name = Name {
            store: store_mark(self.service.store_id()),
            content: content_mark(&wanted.document_id, &wanted.sha256, &wanted.recipe),
        };
        let filename = name.render(&change.path, &prepared.extension);
        let is_streamed = matches!(prepared.body, Body::Path { .. }) && prepared.form == Form::Original;
        let upload = Upload { filename, mime_type: prepared.mime_type, body: prepared.body };
        let file_id = self.send(&upload, &name).await?;
        if is_streamed {
            self.check_unchanged(task, &file_id).await?;
        }
        Ok(file_id)
    }

    async fn send(&self, upload: &Upload, name: &Name) -> Result<String, OpenAiError> {
        let mut attempts = 0;
        loop {
            attempts += 1;
            let error = match self.service.upload(upload).await {
                Ok(file) if attempts > 1 => return Ok(self.doubted(name, file.id)),
                Ok(file) => return Ok(file.id),
                Err(error) => error,
            };
            if !error.may_be_done && !error.is_temporary() {
                return Err(error);
            }
            if let Some(file_id) = self.find(name, upload.body.len()).await? {
                return Ok(self.doubted(name, file_id));
            }
            if attempts >= ATTEMPTS {
                return Err(error);
            }
            sleep(self.service.wait_after(attempts, &error)).await;
        }
    }

    /// Notes that there may be more files of this name.
    fn doubted(&self, name: &Name, file_id: String) -> String {
        let mut doubtful = self.doubtful.lock().unwrap_or_else(PoisonError::into_inner);
        doubtful.insert(name.clone(), file_id.clone());
        file_id
    }

    /// A whole file of this name; the newest of several. The others are swept away at the end.
    async fn find(&self, name: &Name, bytes: u64) -> Result<Option<String>, OpenAiError> {
        let mut found = None;
        let take = |file: crate::openai::file::File| {
            let is_whole = file.bytes.is_none_or(|size| size == bytes);
            if is_whole && Name::parse(&file.filename).as_ref() == Some(name) {
                found = Some(file.id);
                return Enough::Yes;
            }
            Enough::No
        };
        self.service.each_account_file(take).await?;
        Ok(found)
    }

    /// What was streamed must still be what was hashed, else it goes again.
    async fn check_unchanged(&self, task: Task<'_>, file_id: &str) -> Result<(), UploadError> {
        let found = task.wanted.file.clone();
        let opened = spawn_blocking(move || prepare::open_unchanged(&found)).await?;
        if let Err(error) = opened {
            self.service.delete(file_id).await?;
            return Err(UploadError::Document(Problem::new(&task.change.path, "document/changed", error.to_string())));
        }
        Ok(())
    }
}

/// What was read is compared with what was hashed: what the attributes say is always true.
fn check_content(task: Task<'_>, prepared: &Prepared) -> Result<(), UploadError> {
    let Task { change, wanted, .. } = task;
    if prepared.source_sha256.as_ref().is_some_and(|sha256| *sha256 != wanted.sha256) {
        return Err(UploadError::Document(RenderError::Changed.problem(&change.path)));
    }
    Ok(())
}
