//! What the server keeps and forgets by itself, and what it makes of texts: without HTTP in between.

use std::fmt::Write as _;
use std::fs::File;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use jiff::{SignedDuration, Timestamp};
use tokio::io::AsyncRead;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::refused::until;
use super::{PNG, TEXT, settings};
use crate::answer::Engine;
use crate::blobs::{BlobError, BlobName, BlobStore, DerivedKind, FolderBlobs, Staged};
use crate::clock::{Clock, RandomIds};
use crate::config::AuthMode;
use crate::config::settings::{RateLimit, ServerSettings};
use crate::docs::reader::InProcess;
use crate::llm::{ChatModel, ChatRequest, LlmError, ModelEvent};
use crate::model::thread::{ItemContent, Principal, Thread, ThreadItem, ThreadStatus, UserContent, UserMessage};
use crate::secret::Secret;
use crate::serve::attachments::{self, clean, judge, text, upload};
use crate::serve::state::AppState;
use crate::serve::tests::bot::{NOW, TestIndex};
use crate::serve::{Deps, visitor};
use crate::store::{self, StoreError};

struct Silent;

impl ChatModel for Silent {
    fn name(&self) -> &'static str {
        "silent"
    }

    fn stream(&self, _request: ChatRequest) -> BoxStream<'static, Result<ModelEvent, LlmError>> {
        stream::empty().boxed()
    }
}

struct TestClock(Mutex<Timestamp>);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

struct Server {
    state: AppState,
    clock: Arc<TestClock>,
    blobs: FolderBlobs,
    /// Without permits, bytes that are kept wait here before anything names them.
    gate: Arc<Semaphore>,
    folder: tempfile::TempDir,
}

/// Bytes in a folder, whose keeping can be held up.
struct Gated {
    blobs: FolderBlobs,
    gate: Arc<Semaphore>,
}

#[async_trait]
impl BlobStore for Gated {
    async fn recover(&self) -> Result<(), BlobError> {
        self.blobs.recover().await
    }

    async fn stage(&self, from: &mut (dyn AsyncRead + Send + Unpin), max_bytes: u64) -> Result<Staged, BlobError> {
        self.blobs.stage(from, max_bytes).await
    }

    async fn keep(&self, staged: Staged) -> Result<(), BlobError> {
        self.blobs.keep(staged).await?;
        let _permit = self.gate.acquire().await.unwrap();
        Ok(())
    }

    async fn get(&self, name: &BlobName) -> Result<File, BlobError> {
        self.blobs.get(name).await
    }

    async fn delete(&self, name: &BlobName) -> Result<(), BlobError> {
        self.blobs.delete(name).await
    }

    async fn list(&self) -> Result<Vec<BlobName>, BlobError> {
        self.blobs.list().await
    }

    async fn put_derived(&self, name: &BlobName, kind: &DerivedKind, bytes: Vec<u8>) -> Result<(), BlobError> {
        self.blobs.put_derived(name, kind, bytes).await
    }

    async fn derived(&self, name: &BlobName, kind: &DerivedKind) -> Result<Option<Vec<u8>>, BlobError> {
        self.blobs.derived(name, kind).await
    }
}

async fn server() -> Server {
    let folder = tempfile::tempdir().unwrap();
    let store = store::open(&Secret::new(folder.path().join("t.db").to_str().unwrap())).await.unwrap();
    let index = Arc::new(TestIndex::new());
    let clock = Arc::new(TestClock(Mutex::new(NOW.parse().unwrap())));
    let blobs = FolderBlobs::new(folder.path().join("attachments"));
    let gate = Arc::new(Semaphore::new(Semaphore::MAX_PERMITS));
    let settings = ServerSettings {
        host: String::new(),
        port: 0,
        database_url: None,
        cors_origins: Vec::new(),
        public_url: None,
        auth_mode: AuthMode::Off,
        visitor_key: None,
        rate_limit: RateLimit::Off,
        daily_tokens: None,
        trusted_proxies: Vec::new(),
        attachments: Some(settings()),
        ops: None,
    };
    let deps = Deps {
        store,
        engine: Engine { index: index.clone(), model: Arc::new(Silent), max_search_results: 5 },
        index,
        clock: clock.clone(),
        ids: Arc::new(RandomIds),
        docs_dir: folder.path().to_owned(),
        blobs: Arc::new(Gated { blobs: blobs.clone(), gate: Arc::clone(&gate) }),
        attachment_reader: Arc::new(InProcess),
        operators: None,
        models: super::super::bot::no_models(),
        assistant_name: String::new(),
        settings,
        visitor_key: visitor::load_key(folder.path(), None).unwrap(),
    };
    Server { state: AppState::new(deps).unwrap(), clock, blobs, gate, folder }
}

/// The files of kept bytes, without those that are being staged.
fn kept_files(server: &Server) -> Vec<std::path::PathBuf> {
    let shards = std::fs::read_dir(server.folder.path().join("attachments")).into_iter().flatten();
    let shards = shards.map(|shard| shard.unwrap().path()).filter(|shard| !shard.ends_with("incoming"));
    shards.flat_map(|shard| std::fs::read_dir(shard).unwrap()).map(|file| file.unwrap().path()).collect()
}

fn who() -> Principal {
    Principal { id: "local".to_owned() }
}

async fn take(server: &Server, name: &str, bytes: &[u8]) -> crate::model::attachment::Attachment {
    upload::take(&server.state, &who(), name, &mut &*bytes).await.unwrap_or_else(|error| panic!("{name}: {error:?}"))
}

/// A thread with one message that has these attachments.
async fn thread_with(server: &Server, ids: &[String]) -> String {
    let state = &server.state;
    let thread = Thread {
        id: state.ids.new_id("thr"),
        created_at: state.clock.now(),
        title: None,
        title_is_users: false,
        status: ThreadStatus::Active,
    };
    let message = UserMessage {
        content: vec![UserContent::InputText { text: "q".to_owned() }],
        attachments: attachments::claim(state, &who(), ids).await.unwrap(),
        quoted_text: None,
        inference_options: crate::model::thread::InferenceOptions::default(),
    };
    let item = ThreadItem {
        id: state.ids.new_id("msg"),
        thread_id: thread.id.clone(),
        created_at: state.clock.now(),
        content: ItemContent::UserMessage(message),
    };
    state.store.create_thread(&who(), &thread, &item).await.unwrap();
    thread.id
}

#[tokio::test]
async fn what_no_message_takes_expires_after_a_day() {
    let server = server().await;
    let (used, unused) = (take(&server, "a.md", TEXT).await, take(&server, "b.png", PNG).await);
    thread_with(&server, std::slice::from_ref(&used.id)).await;
    let found = async |id: &str| server.state.store.attachment(&who(), id).await;
    let forward = |hours: i64| {
        let mut now = server.clock.0.lock().unwrap();
        *now = now.saturating_add(SignedDuration::from_hours(hours)).unwrap();
    };
    forward(23);
    clean::sweep(&server.state).await;
    assert!(found(&unused.id).await.is_ok());
    forward(2);
    clean::sweep(&server.state).await;
    assert!(matches!(found(&unused.id).await, Err(StoreError::NoSuchAttachment)));
    assert!(found(&used.id).await.is_ok());
    let left = server.blobs.list().await.unwrap();
    assert_eq!(left, [BlobName::parse(used.sha256.as_deref().unwrap()).unwrap()], "the bytes went too");
}

/// S3: bytes that a kill left without a name, and half files, are gone after the start; an upload is never lost.
#[tokio::test]
async fn a_sweep_removes_what_has_no_name_and_nothing_else() {
    let server = server().await;
    let named = take(&server, "a.md", TEXT).await;
    for unnamed in [&b"killed before it was named"[..], b"and another"] {
        let staged = server.blobs.stage(&mut &*unnamed, 100).await.unwrap();
        server.blobs.keep(staged).await.unwrap();
    }
    std::mem::forget(server.blobs.stage(&mut &b"half"[..], 100).await.unwrap());
    clean::recover(&server.state).await;
    assert!(!server.folder.path().join("attachments/incoming").exists());
    let stop = CancellationToken::new();
    let cleaning = tokio::spawn(clean::keep_clean(server.state.clone(), stop.clone()));
    // Meanwhile others upload, and delete: no sweep takes bytes that are about to get their name.
    for round in 0..20 {
        let bytes = format!("# Round\n\nround {round}\n");
        let (one, two) = tokio::join!(take(&server, "x.md", bytes.as_bytes()), async {
            clean::sweep(&server.state).await;
            take(&server, "y.md", bytes.as_bytes()).await
        });
        server.state.store.delete_attachment(&who(), &one.id).await.unwrap();
        clean::sweep(&server.state).await;
        assert!(attachments::open(&server.state, &who(), &two.id).await.is_ok(), "round {round}");
        server.state.store.delete_attachment(&who(), &two.id).await.unwrap();
    }
    clean::sweep(&server.state).await;
    stop.cancel();
    cleaning.await.unwrap();
    assert_eq!(server.blobs.list().await.unwrap().len(), 1);
    assert!(attachments::open(&server.state, &who(), &named.id).await.is_ok());
}

/// S1, S3: who hangs up while its bytes get their name leaves neither bytes without a name nor a name without bytes.
#[tokio::test]
async fn a_hang_up_at_the_end_of_an_upload_does_not_part_name_and_bytes() {
    let server = server().await;
    let closed = server.gate.forget_permits(Semaphore::MAX_PERMITS);
    let state = server.state.clone();
    let uploading = tokio::spawn(async move { upload::take(&state, &who(), "a.png", &mut &*PNG).await.map(drop) });
    until("the bytes are kept", || !kept_files(&server).is_empty()).await;
    uploading.abort();
    assert!(uploading.await.unwrap_err().is_cancelled());
    let sweeping = tokio::spawn({
        let state = server.state.clone();
        async move { clean::sweep(&state).await }
    });
    server.gate.add_permits(closed);
    sweeping.await.unwrap();
    assert_eq!(kept_files(&server).len(), 1, "the upload was whole, and has its name");
    let again = take(&server, "b.png", PNG).await;
    assert!(attachments::open(&server.state, &who(), &again.id).await.is_ok());
}

#[tokio::test]
async fn the_text_of_a_threads_files_joins_its_turns() {
    let server = server().await;
    let text = take(&server, "Kettle.md", TEXT).await;
    let same = take(&server, "Same.md", TEXT).await;
    let table = take(&server, "prices.csv", b"item,price\nkettle,30\n").await;
    let picture = take(&server, "cat.png", PNG).await;
    // A document that its reader finds nothing in is taken, and told.
    let blank = take(&server, "blank.md", b"\n\n").await;
    let ids = [&text, &same, &table, &picture, &blank].map(|each| each.id.clone());
    let thread_id = thread_with(&server, &ids).await;
    let attached = text::of_thread(&server.state, &who(), &thread_id).await.unwrap();
    let seen: Vec<_> = attached.hits.iter().map(|hit| (hit.chunk.document_id.as_str(), hit.path.as_str())).collect();
    assert_eq!(seen, [(table.id.as_str(), "prices.csv"), (same.id.as_str(), "Same.md")], "equal files count once");
    assert!(attached.hits[1].chunk.text.contains("three years"));
    assert_eq!(attached.hits[1].chunk.heading_path, ["Warranty"]);
    let gaps: Vec<_> = attached.gaps.iter().map(|(attachment, _)| attachment.id.as_str()).collect();
    assert_eq!(gaps, [blank.id.as_str(), picture.id.as_str()]);
    assert_eq!(attached.gaps[0].1, "it holds no text");
    // What was read is remembered with the bytes; without it the file is read again.
    let name = BlobName::parse(text.sha256.as_deref().unwrap()).unwrap();
    let kind = DerivedKind::new("md");
    assert!(server.blobs.derived(&name, &kind).await.unwrap().is_some());
    server.blobs.put_derived(&name, &kind, b"damaged".to_vec()).await.unwrap();
    let again = text::of_thread(&server.state, &who(), &thread_id).await.unwrap();
    assert_eq!(again.hits, attached.hits);
    assert_ne!(server.blobs.derived(&name, &kind).await.unwrap(), Some(b"damaged".to_vec()), "and remembered anew");
    let stranger = Principal { id: "other".to_owned() };
    let foreign = text::of_thread(&server.state, &stranger, &thread_id).await;
    assert!(matches!(foreign, Err(StoreError::NoSuchThread)), "A15: nobody else gets it");
}

/// H19: however many ask at once, the text of a few threads is in memory.
#[tokio::test]
async fn few_answers_hold_text_at_a_time() {
    let server = server().await;
    let thread_id = thread_with(&server, &[take(&server, "a.md", TEXT).await.id]).await;
    let who = who();
    let gather = || text::of_thread(&server.state, &who, &thread_id);
    let mut held = Vec::new();
    for _ in 0..text::AT_ONCE {
        held.push(gather().await.unwrap());
    }
    let more = tokio::time::timeout(std::time::Duration::from_millis(100), gather()).await;
    assert!(more.is_err(), "another one waits");
    drop(held.pop());
    assert_eq!(gather().await.unwrap().hits.len(), 1);
}

/// D5: what its reader refused after the upload, for it had no time then, is not taken a second time.
#[tokio::test]
async fn what_was_found_to_be_something_else_stays_refused() {
    let server = server().await;
    let name = BlobName::parse(take(&server, "a.md", TEXT).await.sha256.as_deref().unwrap()).unwrap();
    let Ok(judge::Kind::Document(format)) = judge::Kind::by_name("a.md") else { panic!("Markdown is a document") };
    text::remember(&server.state, &name, format, &text::Reading::Refused("it is something else".to_owned())).await;
    let again = upload::take(&server.state, &who(), "b.md", &mut &*TEXT).await.unwrap_err();
    assert_eq!(axum::response::IntoResponse::into_response(again).status(), 415);
}

#[tokio::test]
async fn a_very_long_text_is_used_up_to_a_bound() {
    let server = server().await;
    let mut long = String::new();
    for at in 0..9_000 {
        write!(long, "# Part {at}\n\nAbout {at}.\n\n").unwrap();
    }
    let mut ids = Vec::new();
    for name in ["a.md", "b.md", "c.md"] {
        ids.push(take(&server, name, format!("{long}{name}").as_bytes()).await.id);
    }
    ids.push(take(&server, "Kettle.md", TEXT).await.id);
    let thread_id = thread_with(&server, &ids).await;
    let attached = text::of_thread(&server.state, &who(), &thread_id).await.unwrap();
    assert_eq!(attached.hits.len(), 8_000);
    assert_eq!(attached.hits[0].path, "Kettle.md", "what came last has its place");
    let gaps: Vec<_> = attached.gaps.iter().map(|(attachment, _)| attachment.name.as_str()).collect();
    assert_eq!(gaps, ["c.md", "b.md", "a.md"]);
    let first = BlobName::parse(attached.gaps[2].0.sha256.as_deref().unwrap()).unwrap();
    server.blobs.put_derived(&first, &DerivedKind::new("md"), b"damaged".to_vec()).await.unwrap();
    text::of_thread(&server.state, &who(), &thread_id).await.unwrap();
    let left = server.blobs.derived(&first, &DerivedKind::new("md")).await.unwrap();
    assert_eq!(left.as_deref(), Some(&b"damaged"[..]), "what has no room is not read either");
}
