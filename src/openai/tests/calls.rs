//! Every call, once, against a strict service.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use openai_stand_in::{Act, Fault, Rules};
use serde_json::json;

use crate::openai::organization::{Period, UsageKind};
use crate::openai::search::Search;
use crate::openai::tests::{patience, service_and_client, service_and_client_with, settings, store_and_file, upload};
use crate::openai::vector_store::{Attachment, Attribute, Attributes, FileStatus, StoreChange};
use crate::openai::{Client, ErrorKind, Patience};

fn attributes(path: &str) -> Attributes {
    Attributes::from([
        ("path".to_owned(), Attribute::Text(path.to_owned())),
        ("tag_returns".to_owned(), Attribute::Flag(true)),
        ("size".to_owned(), Attribute::Number(7.0)),
    ])
}

async fn completed(client: &Client, store_id: &str, file_id: &str) {
    for _ in 0..100 {
        if client.store_file(store_id, file_id).await.unwrap().status == FileStatus::Completed {
            return;
        }
    }
    panic!("the file is not indexed");
}

#[tokio::test]
async fn files_and_stores_are_made_changed_searched_and_deleted() {
    let (service, client) = service_and_client().await;
    let (store, file) = store_and_file(&client).await;
    assert_eq!(client.file(&file.id).await.unwrap(), file);
    let attachment = Attachment { file_id: file.id.clone(), attributes: attributes("a.txt"), chunking_strategy: None };
    client.attach(&store.id, &attachment).await.unwrap();
    completed(&client, &store.id, &file.id).await;

    let changed = client.set_attributes(&store.id, &file.id, &attributes("b.txt")).await.unwrap();
    assert_eq!(changed.attributes, Some(attributes("b.txt")));
    let text = client.store_file_pieces(&store.id, &file.id).await.unwrap().concat();
    assert!(text.contains("thirty days"), "{text}");
    let search = Search { query: "returned orders".to_owned(), max_num_results: Some(3), ..Default::default() };
    let found = client.search(&store.id, &search).await.unwrap();
    assert_eq!(found[0].file_id, file.id);

    let change = StoreChange { name: Some("Other".to_owned()), ..Default::default() };
    assert_eq!(client.update_store(&store.id, &change).await.unwrap().name.as_deref(), Some("Other"));
    assert_eq!(client.store(&store.id).await.unwrap().file_counts.completed, 1);
    client.detach(&store.id, &file.id).await.unwrap();
    client.delete_file(&file.id).await.unwrap();
    client.delete_file(&file.id).await.unwrap();
    assert_eq!(client.file(&file.id).await.unwrap_err().kind, ErrorKind::NotFound);
    client.delete_store(&store.id).await.unwrap();
    assert_eq!(client.delete_store(&store.id).await.unwrap_err().kind, ErrorKind::NotFound);
    assert!(service.state().files.is_empty() && service.state().stores.is_empty());
}

#[tokio::test]
async fn a_batch_is_made_looked_at_and_given_up() {
    let (_service, client) = service_and_client().await;
    let (store, file) = store_and_file(&client).await;
    let second = client.upload(&upload("b.txt", "Refunds take five days.")).await.unwrap();
    let files: Vec<Attachment> = [&file.id, &second.id]
        .into_iter()
        .map(|id| Attachment { file_id: id.clone(), attributes: attributes(id), chunking_strategy: None })
        .collect();
    let batch = client.create_batch(&store.id, &files).await.unwrap();
    client.batch(&store.id, &batch.id).await.unwrap();
    let rows: Vec<_> = client.all_batch_files(&store.id, &batch.id, None).try_collect().await.unwrap();
    assert_eq!(rows.len(), 2);
    completed(&client, &store.id, &second.id).await;
    let rows: Vec<_> = client.all_store_files(&store.id, Some(FileStatus::Completed)).try_collect().await.unwrap();
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().any(|row| row.attributes == Some(attributes(&second.id))));
    assert_eq!(client.batch(&store.id, &batch.id).await.unwrap().file_counts.total, 2);
    client.cancel_batch(&store.id, &batch.id).await.unwrap();
}

#[tokio::test]
async fn lists_are_read_to_their_end_also_when_pages_overlap() {
    let (service, client) = service_and_client().await;
    for number in 0..230 {
        let name = Some(format!("Store {number}"));
        client.create_store(&StoreChange { name, ..Default::default() }).await.unwrap();
    }
    for act in [None, Some(Act::ShiftingPages)] {
        service.heal();
        if let Some(act) = act {
            service.fail(Fault::always(act));
        }
        let stores: Vec<_> = client.all_stores().try_collect().await.unwrap();
        let names: std::collections::BTreeSet<_> = stores.iter().map(|store| store.name.clone()).collect();
        assert_eq!((stores.len(), names.len()), (230, 230));
    }
    let file = client.upload(&upload("a.txt", "a")).await.unwrap();
    let files: Vec<_> = client.all_files().try_collect().await.unwrap();
    assert_eq!(files, [file]);
}

#[tokio::test]
async fn texts_become_vectors_and_verdicts() {
    let patient = Patience { head: Duration::from_mins(1), ..patience() };
    let (_service, client) = service_and_client_with(Rules::default(), patient).await;
    let texts: Vec<String> = (0..2050).map(|number| format!("text {number}")).collect();
    let embeddings = client.embeddings("text-embedding-3-small", &texts, None).await.unwrap();
    assert_eq!(embeddings.vectors.len(), 2050);
    assert!(embeddings.tokens > 0);
    let single = client.embeddings("text-embedding-3-small", &texts[2049..], None).await.unwrap();
    assert_eq!(single.vectors[0], embeddings.vectors[2049]);

    let texts = ["Good morning.".to_owned(), "flag-me please".to_owned()];
    let verdicts = client.moderate("omni-moderation-latest", &texts).await.unwrap();
    assert_eq!(verdicts.iter().map(|verdict| verdict.flagged).collect::<Vec<_>>(), [false, true]);
    assert!(!verdicts[1].reasons().is_empty());
    assert!(client.moderate("omni-moderation-latest", &[]).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_conversation_keeps_its_items() {
    let (_service, client) = service_and_client().await;
    let item = |text: &str| json!({ "type": "message", "role": "user", "content": text });
    let metadata = BTreeMap::from([("thread".to_owned(), "thr_1".to_owned())]);
    let made = client.create_conversation(&[item("One")], &metadata).await.unwrap();
    client.add_conversation_items(&made.id, &[item("Two")]).await.unwrap();
    assert_eq!(client.conversation_items(&made.id, None).await.unwrap().data.len(), 2);
    assert_eq!(client.conversation(&made.id).await.unwrap().metadata, Some(metadata));
    client.delete_conversation(&made.id).await.unwrap();
    assert_eq!(client.conversation(&made.id).await.unwrap_err().kind, ErrorKind::NotFound);
}

#[tokio::test]
async fn models_tell_their_last_day() {
    let (_service, client) = service_and_client().await;
    assert!(client.models().await.unwrap().iter().any(|model| model.id == "gpt-6-luna"));
    assert_eq!(client.model("gpt-4.1-mini").await.unwrap().shutdown_date.as_deref(), Some("2027-01-14"));
}

#[tokio::test]
async fn only_a_key_of_an_administrator_reads_costs_and_the_others_are_told_so() {
    let (service, client) = service_and_client().await;
    let now = jiff::Timestamp::now().as_second();
    let period = Period { start: now - 40 * 86_400, end: Some(now), ..Default::default() };
    assert!(!client.costs(&period).await.unwrap().is_empty());
    for kind in [UsageKind::Completions, UsageKind::Embeddings, UsageKind::VectorStores, UsageKind::FileSearchCalls] {
        client.usage(kind, &period).await.unwrap();
    }
    let mut wrong = settings(&service);
    wrong.admin_key.clone_from(&wrong.api_key);
    let error = Client::new(wrong).unwrap().costs(&period).await.unwrap_err();
    assert!(error.message.contains("OPENAI_ADMIN_KEY"), "{error}");
    let without = Client::new(crate::config::settings::OpenAiSettings { admin_key: None, ..settings(&service) });
    let error = without.unwrap().costs(&period).await.unwrap_err();
    assert!(error.kind == ErrorKind::WrongKey && error.message.contains("OPENAI_ADMIN_KEY"), "{error}");
}

#[tokio::test]
async fn ids_with_odd_characters_reach_nothing_else() {
    let (service, client) = service_and_client().await;
    let (store, file) = store_and_file(&client).await;
    for odd in ["", ".", "..", "../vector_stores", "x?y=1", "x#y", &format!("{}/../..", file.id), "é\n"] {
        // A file that is not there counts as deleted; what counts is that nothing else was.
        client.delete_file(odd).await.unwrap();
        client.delete_store(odd).await.unwrap_err();
    }
    assert!(client.store(&store.id).await.is_ok() && client.file(&file.id).await.is_ok());
    assert!(
        service.log().iter().all(|call| call.path.starts_with("/files") || call.path.starts_with("/vector_stores"))
    );
}
