//! Large files: an upload that is begun, filled with parts and completed.
//!
//! A part is safe to send again, so one lost connection costs one part. Until the upload is completed there is no file:
//! whatever fails before leaves nothing behind, and the upload is cancelled, also when the caller gives up.

use std::fs;
use std::io::Read as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use md5::{Digest as _, Md5};
use serde::Deserialize;
use serde_json::json;
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::clock::hex;
use crate::openai::address::segment;
use crate::openai::call::Call;
use crate::openai::client::Client;
use crate::openai::file::File;
use crate::openai::pace::Cost;
use crate::openai::piece::{Piece, Source};
use crate::openai::retry::Safety;
use crate::openai::{ErrorKind, FailedCall, OpenAiError};

/// The size of a part, and of the largest file that goes in one request. The service says 64 MB; this is that in either
/// reading of MB.
pub(super) const PART_BYTES: u64 = 64_000_000;
/// Parts on their way at once.
const PARTS_AT_ONCE: usize = 3;
/// The service forgets an upload an hour after it was begun.
const WHOLE: Duration = Duration::from_mins(55);
/// For the cancelling of an upload, which is only a courtesy.
const CANCELLING: Duration = Duration::from_secs(5);
/// How much of a file is hashed at a time.
const CHUNK: usize = 256 * 1024;

#[derive(Deserialize)]
struct Begun {
    id: String,
}

#[derive(Deserialize)]
struct Sent {
    id: String,
}

#[derive(Deserialize)]
struct Completed {
    #[serde(default)]
    file: Option<File>,
}

/// Uploads a file for retrieval in parts.
pub(super) async fn upload_in_parts(client: &Client, whole: Piece) -> Result<File, OpenAiError> {
    let asked = json!({
        "filename": whole.filename, "purpose": "assistants", "bytes": whole.len(), "mime_type": whole.mime_type,
    });
    // One that was begun twice costs nothing: the forgotten one ends by itself.
    let begin = Call::post("/uploads").json(&asked)?.safe(Safety::Idempotent).costs(Cost::Upload);
    let begun: Begun = client.send(&begin).await.map_err(nothing_done)?;
    let mut pending = Pending { client: client.clone(), id: begun.id, is_open: true };
    match timeout(WHOLE, fill(client, &pending.id, whole)).await {
        Ok(Ok((parts, md5))) => pending.complete(&parts, &md5).await,
        Ok(Err(error)) => {
            pending.cancel().await;
            Err(nothing_done(error))
        }
        Err(_) => {
            pending.cancel().await;
            let call = format!("POST /uploads/{}/parts", pending.id);
            Err(FailedCall::new(&call, ErrorKind::TimedOut, "the parts took longer than an upload lives").into())
        }
    }
}

/// An upload that is not completed is no file.
fn nothing_done(error: OpenAiError) -> OpenAiError {
    FailedCall { may_be_done: false, ..FailedCall::clone(&error) }.into()
}

/// Sends all parts; gives their ids in order, and the MD5 of the whole.
async fn fill(client: &Client, upload_id: &str, whole: Piece) -> Result<(Vec<String>, String), OpenAiError> {
    let path = format!("/uploads/{}/parts", segment(upload_id));
    let refused = |why: String| OpenAiError::from(FailedCall::new(&format!("POST {path}"), ErrorKind::Refused, why));
    let hashing = Hashing::default();
    let is_over = Arc::clone(&hashing.0);
    let source = whole.source().clone();
    let hash = spawn_blocking(move || md5_of(&source, &is_over));
    let sent = whole.parts(PART_BYTES).into_iter().map(|part| send_part(client.clone(), path.clone(), part));
    let parts: Vec<String> = stream::iter(sent).buffered(PARTS_AT_ONCE).try_collect().await?;
    let md5 = match hash.await {
        Ok(Ok(md5)) => md5,
        Ok(Err(why)) => return Err(refused(why)),
        Err(_) => return Err(refused("its hash was not computed".to_owned())),
    };
    whole.source().check_unchanged().await.map_err(refused)?;
    Ok((parts, md5))
}

async fn send_part(client: Client, path: String, part: Piece) -> Result<String, OpenAiError> {
    let call = Call::post(path).form(&[], "data", &part).safe(Safety::Idempotent).costs(Cost::Upload);
    client.send(&call).await.map(|sent: Sent| sent.id)
}

/// An upload that somebody must complete or cancel.
struct Pending {
    client: Client,
    id: String,
    is_open: bool,
}

impl Pending {
    /// Makes the file. When the answer is lost there may be one: then nothing is cancelled.
    async fn complete(&mut self, parts: &[String], md5: &str) -> Result<File, OpenAiError> {
        let path = format!("/uploads/{}/complete", segment(&self.id));
        let call = Call::post(&path).json(&json!({ "part_ids": parts, "md5": md5 }))?;
        match self.client.send::<Completed>(&call).await {
            Ok(completed) => {
                self.is_open = false;
                completed.file.ok_or_else(|| {
                    let failed = FailedCall::new(&call.name(), ErrorKind::Broken, "the answer names no file");
                    FailedCall { may_be_done: true, ..failed }.into()
                })
            }
            Err(error) => {
                if error.may_be_done {
                    self.is_open = false;
                } else {
                    self.cancel().await;
                }
                Err(error)
            }
        }
    }

    async fn cancel(&mut self) {
        self.is_open = false;
        cancel(&self.client, &self.id).await;
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if let (true, Ok(runtime)) = (self.is_open, Handle::try_current()) {
            let (client, id) = (self.client.clone(), std::mem::take(&mut self.id));
            runtime.spawn(async move { cancel(&client, &id).await });
        }
    }
}

async fn cancel(client: &Client, upload_id: &str) {
    let call = Call::post(format!("/uploads/{}/cancel", segment(upload_id))).safe(Safety::Idempotent);
    if let Ok(Err(error)) = timeout(CANCELLING, client.bytes(&call)).await {
        tracing::info!(kind = ?error.kind, upload_id, "an upload was not cancelled; it ends by itself within an hour");
    }
}

/// Tells the thread that hashes when nobody waits for it any more.
#[derive(Default)]
struct Hashing(Arc<AtomicBool>);

impl Drop for Hashing {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn md5_of(source: &Source, is_over: &AtomicBool) -> Result<String, String> {
    let mut hash = Md5::new();
    match source {
        Source::Bytes(bytes) => hash.update(bytes),
        Source::File { path, .. } => {
            let unreadable = |error: std::io::Error| format!("`{}` cannot be read: {error}", path.display());
            let mut file = fs::File::open(path).map_err(unreadable)?;
            let mut chunk = vec![0; CHUNK];
            while !is_over.load(Ordering::Relaxed) {
                match file.read(&mut chunk).map_err(unreadable)? {
                    0 => break,
                    read => hash.update(&chunk[..read]),
                }
            }
        }
    }
    Ok(hex(&hash.finalize()))
}
