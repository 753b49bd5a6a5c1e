//! Any text is only text: kept as it is, and never read as a statement.

use std::time::{Duration, Instant};

use super::{answer_item, begin, on_every_backend, principal};
use crate::model::thread::{Order, PageQuery, ThreadStatus};
use crate::store::{Store, StoreError};

/// Each would fail, or work for seconds, if it became a part of a statement.
const INJECTIONS: [&str; 8] = [
    "' OR 1=1 --",
    "\" OR \"\"=\"",
    "'; DROP TABLE threads; --",
    "x' UNION SELECT hex(zeroblob(400000000)) --",
    "' AND 1=(SELECT COUNT(*) FROM (WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM n LIMIT 90000000) SELECT x FROM n)) --",
    "\u{0}'--",
    "%",
    "?1",
];
/// What no answer to them may take, on a slow machine either.
const SOON: Duration = Duration::from_secs(3);

/// S8: an injection changes neither the time nor the words of an answer.
#[tokio::test]
async fn s8_injections_are_unknown_ids_and_plain_titles() {
    on_every_backend(async |store| {
        let who = principal("a");
        let (thread, question) = begin(store, &who, "q").await;
        for text in INJECTIONS {
            let started = Instant::now();
            let page = PageQuery::new(None, Order::Desc, Some(text.to_owned()));
            let unknown = PageQuery::new(None, Order::Desc, Some("unknown".to_owned()));
            let said = |error: StoreError| error.to_string();
            let pairs = [
                (store.thread(&who, text).await.map(drop), store.thread(&who, "unknown").await.map(drop)),
                (store.delete_thread(&who, text).await, store.delete_thread(&who, "unknown").await),
                (store.threads(&who, &page).await.map(drop), store.threads(&who, &unknown).await.map(drop)),
                (
                    store.items(&who, &thread.id, &page).await.map(drop),
                    store.items(&who, &thread.id, &unknown).await.map(drop),
                ),
                (store.remove_item(&who, &thread.id, text).await, store.remove_item(&who, &thread.id, "unknown").await),
                (store.attachment(&who, text).await.map(drop), store.attachment(&who, "unknown").await.map(drop)),
                (
                    store.rename(&who, text, text).await.map(drop),
                    store.rename(&who, "unknown", "unknown").await.map(drop),
                ),
            ];
            for (place, (injected, plain)) in pairs.into_iter().enumerate() {
                let (injected, plain) = (injected.unwrap_err(), plain.unwrap_err());
                assert_eq!(said(injected), said(plain), "operation {place}: {text}");
            }
            assert_eq!(store.rename(&who, &thread.id, text).await.unwrap().title.as_deref(), Some(text));
            let nobody = principal(text);
            assert!(store.threads(&nobody, &PageQuery::new(None, Order::Desc, None)).await.unwrap().data.is_empty());
            assert_eq!(store.unnamed_bytes(&[text.to_owned()]).await.unwrap(), [text]);
            assert!(started.elapsed() < SOON, "{text} took {:?}", started.elapsed());
        }
        assert_eq!(store.recent(&who, &thread.id, 10).await.unwrap(), [question], "all is still there");
    })
    .await;
}

/// S7: NUL, both directions of writing, lone joiners and a long text come back as they were given.
#[tokio::test]
async fn s7_text_is_kept_as_it_is() {
    on_every_backend(async |store| {
        let who = principal("own\u{0}er");
        let texts = [
            "a\u{0}b\u{0}".to_owned(),
            "\u{202e}שלום \u{200d}👩‍🚀\u{fe0f} e\u{301}".to_owned(),
            "\u{1}\u{1b}[31m\r\n\t\u{7f}\u{2028}".to_owned(),
            "x".repeat(5_000_000),
            String::new(),
        ];
        for text in &texts {
            let (thread, question) = begin(store, &who, text).await;
            let answer = answer_item(&thread.id, text);
            store.add_item(&who, &answer).await.unwrap();
            assert_eq!(store.recent(&who, &thread.id, 2).await.unwrap(), [answer, question]);
            let titled = store.rename(&who, &thread.id, text).await.unwrap();
            assert_eq!(titled.title.as_ref(), Some(text));
            let status = ThreadStatus::Locked { reason: Some(text.clone()) };
            store.set_status(&who, &thread.id, &status).await.unwrap();
            let thread = store.thread(&who, &thread.id).await.unwrap();
            assert_eq!((thread.title.as_ref(), thread.status), (Some(text), status));
        }
        // Owners that are equal up to a NUL are two.
        let other = principal("own");
        assert!(store.threads(&other, &PageQuery::new(None, Order::Desc, None)).await.unwrap().data.is_empty());
        nul_in_an_id(store).await;
    })
    .await;
}

async fn nul_in_an_id(store: &dyn Store) {
    let who = principal("a");
    let (thread, _) = begin(store, &who, "q").await;
    let longer = format!("{}\u{0}", thread.id);
    assert!(matches!(store.thread(&who, &longer).await, Err(StoreError::NoSuchThread)));
}
