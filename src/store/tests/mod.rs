//! One story, told by every backend.

mod attachments;
mod pages;
mod text;
mod turns;
mod usage;

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use super::{BACKENDS, Backend, Feedback, OpenError, Store, StoreError, open, open_path};
use crate::clock::{IdSource as _, RandomIds};
use crate::model::thread::{
    AssistantMessage, FeedbackKind, InferenceOptions, ItemContent, Order, Page, PageQuery, Principal, Thread,
    ThreadItem, ThreadStatus, UserContent, UserMessage,
};
use crate::model::{Citation, Locator};
use crate::secret::Secret;

#[tokio::test]
async fn every_backend_tells_the_same_story() {
    for backend in BACKENDS {
        let folder = tempfile::tempdir().unwrap();
        let store = fresh(backend, folder.path()).await;
        a_thread_lives(store.as_ref()).await;
        nobody_reaches_anothers(store.as_ref()).await;
        titles_of_people_stay(store.as_ref()).await;
        locked_threads_take_no_messages(store.as_ref()).await;
        a_retry_forgets_what_came_after(store.as_ref()).await;
        feedback_is_all_or_nothing(store.as_ref()).await;
        store.close().await;
        assert!(store.ping().await.is_err(), "a closed store does not answer");
    }
}

async fn a_thread_lives(store: &dyn Store) {
    let who = principal("a");
    let (thread, question) = begin(store, &who, "What is the refund policy?").await;
    let answer = answer_item(&thread.id, "Thirty days.");
    store.add_item(&who, &answer).await.unwrap();
    assert_eq!(store.thread(&who, &thread.id).await.unwrap(), thread);
    assert_eq!(store.item(&who, &thread.id, &answer.id).await.unwrap(), answer);
    let page = store.items(&who, &thread.id, &PageQuery::new(None, Order::Asc, None)).await.unwrap();
    assert_eq!(page.data, [question, answer.clone()]);
    assert_eq!(store.newest_cited(&who, &thread.id).await.unwrap(), Some(answer));
    store.delete_thread(&who, &thread.id).await.unwrap();
    assert!(matches!(store.thread(&who, &thread.id).await, Err(StoreError::NoSuchThread)));
    let late = answer_item(&thread.id, "Too late.");
    assert!(matches!(store.add_item(&who, &late).await, Err(StoreError::NoSuchThread)));
    assert!(matches!(store.thread(&who, &thread.id).await, Err(StoreError::NoSuchThread)), "it stays deleted");
}

/// Another's id and an unknown id are the same answer, for every operation.
async fn nobody_reaches_anothers(store: &dyn Store) {
    let (owner, other) = (principal("owner"), principal("other"));
    let (thread, question) = begin(store, &owner, "mine").await;
    let unknown = RandomIds.new_id("thr");
    let page = PageQuery::new(None, Order::Desc, None);
    let feedback =
        Feedback { item_ids: vec![question.id.clone()], kind: FeedbackKind::Positive, given_at: Timestamp::UNIX_EPOCH };
    for (who, id) in [(&other, &thread.id), (&owner, &unknown)] {
        let item = user_item(id, "intruding");
        let refused = [
            store.thread(who, id).await.map(drop),
            store.items(who, id, &page).await.map(drop),
            store.item(who, id, &question.id).await.map(drop),
            store.add_item(who, &item).await,
            store.rename(who, id, "x").await.map(drop),
            store.delete_thread(who, id).await,
            store.rewind(who, id, &question.id).await.map(drop),
            store.set_feedback(who, id, &feedback).await,
            store.newest_cited(who, id).await.map(drop),
        ];
        for (place, result) in refused.into_iter().enumerate() {
            assert!(matches!(result, Err(StoreError::NoSuchThread)), "operation {place}: {result:?}");
        }
        assert_eq!(store.set_automatic_title(who, id, "x").await.unwrap(), None);
    }
    assert_eq!(store.threads(&other, &page).await.unwrap(), Page::empty());
    assert_eq!(store.items(&owner, &thread.id, &page).await.unwrap().data, [question]);
}

async fn titles_of_people_stay(store: &dyn Store) {
    let who = principal("a");
    let (thread, _) = begin(store, &who, "q").await;
    let titled = store.set_automatic_title(&who, &thread.id, "automatic").await.unwrap().unwrap();
    assert_eq!(titled.title.as_deref(), Some("automatic"));
    assert_eq!(store.set_automatic_title(&who, &thread.id, "automatic").await.unwrap(), None, "nothing changed");
    let titled = store.set_automatic_title(&who, &thread.id, "better").await.unwrap().unwrap();
    assert_eq!(titled.title.as_deref(), Some("better"));
    let renamed = store.rename(&who, &thread.id, "Refunds ✅").await.unwrap();
    assert!(renamed.title_is_users);
    assert_eq!(store.set_automatic_title(&who, &thread.id, "again").await.unwrap(), None);
    assert_eq!(store.thread(&who, &thread.id).await.unwrap().title.as_deref(), Some("Refunds ✅"));
}

async fn locked_threads_take_no_messages(store: &dyn Store) {
    let who = principal("a");
    for status in [ThreadStatus::Locked { reason: Some("paid".into()) }, ThreadStatus::Closed { reason: None }] {
        let (active, first) = thread_with("q");
        let thread = Thread { status, ..active };
        let answer = answer_item(&thread.id, "a");
        let question = user_item(&thread.id, "q");
        // A thread that is locked from the start cannot take its first message either: both or neither.
        assert!(matches!(store.create_thread(&who, &thread, &first).await, Err(StoreError::NotActive)));
        assert!(matches!(store.thread(&who, &thread.id).await, Err(StoreError::NoSuchThread)));
        let beginning = ThreadItem { thread_id: thread.id.clone(), ..answer };
        store.create_thread(&who, &thread, &beginning).await.unwrap();
        assert_eq!(store.thread(&who, &thread.id).await.unwrap(), thread);
        assert!(matches!(store.add_item(&who, &question).await, Err(StoreError::NotActive)));
        store.add_item(&who, &answer_item(&thread.id, "an answer under way ends")).await.unwrap();
    }
}

async fn a_retry_forgets_what_came_after(store: &dyn Store) {
    let who = principal("a");
    let (thread, first) = begin(store, &who, "first").await;
    let answer = answer_item(&thread.id, "a");
    store.add_item(&who, &answer).await.unwrap();
    store.add_item(&who, &user_item(&thread.id, "second")).await.unwrap();
    let (elsewhere, _) = begin(store, &who, "elsewhere").await;
    let refused = store.rewind(&who, &thread.id, &answer.id).await;
    assert!(matches!(refused, Err(StoreError::NotUserMessage)));
    let refused = store.rewind(&who, &elsewhere.id, &first.id).await;
    assert!(matches!(refused, Err(StoreError::NoSuchItem)), "an item of another thread");
    let message = store.rewind(&who, &thread.id, &first.id).await.unwrap();
    assert_eq!(ItemContent::UserMessage(message), first.content);
    let page = PageQuery::new(None, Order::Asc, None);
    assert_eq!(store.items(&who, &thread.id, &page).await.unwrap().data, [first]);
    assert_eq!(store.items(&who, &elsewhere.id, &page).await.unwrap().data.len(), 1);
}

async fn feedback_is_all_or_nothing(store: &dyn Store) {
    let who = principal("a");
    let (thread, question) = begin(store, &who, "q").await;
    let (_, foreign) = begin(store, &who, "q").await;
    let give = |item_ids: &[&ThreadItem], kind| Feedback {
        item_ids: item_ids.iter().map(|item| item.id.clone()).collect(),
        kind,
        given_at: Timestamp::UNIX_EPOCH,
    };
    let mixed = give(&[&question, &foreign], FeedbackKind::Positive);
    assert!(matches!(store.set_feedback(&who, &thread.id, &mixed).await, Err(StoreError::NoSuchItem)));
    for kind in [FeedbackKind::Positive, FeedbackKind::Negative] {
        store.set_feedback(&who, &thread.id, &give(&[&question], kind)).await.unwrap();
    }
    // Feedback goes with its item.
    store.delete_thread(&who, &thread.id).await.unwrap();
}

#[tokio::test]
async fn unusable_locations_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let refused = open(&Secret::new("postgresql://bot:hunter2@db/bot")).await.err().unwrap().to_string();
    assert!(refused.contains("`postgresql:`") && refused.contains("sqlite:"), "{refused}");
    assert!(!refused.contains("hunter2"));
    for url in ["sqlite:", "sqlite::memory:", "sqlite://"] {
        assert!(matches!(open(&Secret::new(url)).await, Err(OpenError::NoPath { .. })), "{url}");
    }
    let text = folder.path().join("notes.txt");
    std::fs::write(&text, "this is a text, and long enough to be no database header").unwrap();
    let result = open(&Secret::new(text.to_str().unwrap())).await;
    assert!(matches!(result, Err(OpenError::Open { .. })));
    assert!(std::fs::read_to_string(&text).unwrap().starts_with("this is a text"), "it is left as it was");
}

#[tokio::test]
async fn any_path_is_taken_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let mut names: Vec<OsString> =
        ["a b", "what?mode=memory", "#1", "100%20", "sqlite:x", "file:y", "ä/ö", "a//b"].map(OsString::from).to_vec();
    #[cfg(unix)]
    names.push(std::os::unix::ffi::OsStringExt::from_vec(vec![b'x', 0xff, b'y']));
    for name in names {
        let path = folder.path().join(&name).join("threads.db");
        let store = open_path(&path).await.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        begin(store.as_ref(), &principal("a"), "q").await;
        store.close().await;
        let bytes = std::fs::metadata(&path).unwrap().len();
        assert!(bytes > 0, "{}: it lies where it was asked for", path.display());
    }
    let upper = Secret::new(format!("SQLite:{}", folder.path().join("upper.db").display()));
    assert!(open(&upper).await.is_ok(), "a scheme has no case");
    assert!(folder.path().join("upper.db").exists());
    for odd in ["x.db?mode=ro", "x.db#1", "//x.db?cache=shared"] {
        let refused = open(&Secret::new(format!("sqlite:{odd}"))).await.err().unwrap();
        assert!(matches!(refused, OpenError::Parameters { .. }), "{odd}: {refused}");
    }
}

/// Lets every backend, fresh, tell the same.
pub(in crate::store) async fn on_every_backend(tell: impl AsyncFn(&dyn Store)) {
    for backend in BACKENDS {
        let folder = tempfile::tempdir().unwrap();
        let store = fresh(backend, folder.path()).await;
        tell(store.as_ref()).await;
        store.close().await;
    }
}

pub(in crate::store) async fn fresh(backend: &Backend, folder: &Path) -> Arc<dyn Store> {
    let name = RandomIds.new_id("db");
    let location = match backend.scheme {
        "sqlite" => folder.join(name).to_str().unwrap().to_owned(),
        other => panic!("say how to make a fresh `{other}` store"),
    };
    open(&Secret::new(format!("{}:{location}", backend.scheme))).await.unwrap()
}

pub(in crate::store) async fn begin(store: &dyn Store, who: &Principal, question: &str) -> (Thread, ThreadItem) {
    let (thread, item) = thread_with(question);
    store.create_thread(who, &thread, &item).await.unwrap();
    (thread, item)
}

pub(in crate::store) fn thread_with(question: &str) -> (Thread, ThreadItem) {
    let thread = Thread {
        id: RandomIds.new_id("thr"),
        // The same for all: order must not hang on time.
        created_at: Timestamp::from_microsecond(1_700_000_000_123_456).unwrap(),
        title: None,
        title_is_users: false,
        status: ThreadStatus::Active,
    };
    let item = user_item(&thread.id, question);
    (thread, item)
}

pub(in crate::store) fn principal(id: &str) -> Principal {
    Principal { id: id.to_owned() }
}

pub(in crate::store) fn user_item(thread_id: &str, text: &str) -> ThreadItem {
    item(
        thread_id,
        ItemContent::UserMessage(UserMessage {
            attachments: Vec::new(),
            content: vec![UserContent::InputText { text: text.to_owned() }],
            quoted_text: Some("nul \u{0}, quote \", emoji 🦀".to_owned()),
            inference_options: InferenceOptions::default(),
        }),
    )
}

pub(in crate::store) fn answer_item(thread_id: &str, text: &str) -> ThreadItem {
    let citation = Citation {
        chunk_id: "c".into(),
        document_id: "d".into(),
        path: "a/refunds.md".into(),
        title: "Refunds".into(),
        description: None,
        quote: "Thirty days".into(),
        locator: Locator { page: Some(3), ..Locator::default() },
        index: 12,
        located: true,
    };
    let message = AssistantMessage { text: text.to_owned(), citations: vec![citation], links: Vec::new() };
    item(thread_id, ItemContent::AssistantMessage(message))
}

pub(in crate::store) fn item(thread_id: &str, content: ItemContent) -> ThreadItem {
    ThreadItem {
        id: RandomIds.new_id("msg"),
        thread_id: thread_id.to_owned(),
        created_at: Timestamp::from_microsecond(1_700_000_000_123_456).unwrap(),
        content,
    }
}
