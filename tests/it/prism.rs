//! Every call of the client of OpenAI against Prism, which checks requests against the service's specification and
//! answers from it. `tests/openai/prism/run SPECIFICATION` starts Prism and runs this.

use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

use chatbotctl::config::settings::OpenAiSettings;
use chatbotctl::openai::file::{Body, Upload};
use chatbotctl::openai::organization::{Period, UsageKind};
use chatbotctl::openai::search::Search;
use chatbotctl::openai::vector_store::{Attachment, Attribute, Attributes, ExpiresAfter, FileStatus, StoreChange};
use chatbotctl::openai::{Client, ErrorKind, OpenAiError, Patience};
use chatbotctl::secret::Secret;
use serde_json::json;

use crate::retrieval::variable;

/// What was called, and what it ended in.
#[derive(Default)]
struct Calls(Vec<(&'static str, Result<(), String>)>);

impl Calls {
    async fn make<T>(&mut self, name: &'static str, call: impl Future<Output = Result<T, OpenAiError>>) {
        self.0.push((name, call.await.map(drop).map_err(|error| error.to_string())));
    }

    /// A call to which Prism invents an answer that makes no sense: always another page, or a completed upload without
    /// its file. That the client says so, after an answer that it read, is what is expected.
    async fn make_mocked<T>(&mut self, name: &'static str, call: impl Future<Output = Result<T, OpenAiError>>) {
        let done = call.await.map(drop);
        let is_nonsense = done.as_ref().is_err_and(|error| error.kind == ErrorKind::Broken && error.status.is_none());
        let done = if is_nonsense { Ok(()) } else { done };
        self.0.push((name, done.map_err(|error| error.to_string())));
    }
}

#[test]
fn every_call_is_what_the_specification_says_to_prism() {
    let Some(url) = variable("CHATBOTCTL_PRISM_URL") else {
        println!("not run: no Prism; `tests/openai/prism/run SPECIFICATION` starts one and runs this");
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let calls = runtime.block_on(every_call(&client(&url)));
    let failed: Vec<_> =
        calls.0.iter().filter_map(|(name, done)| Some(format!("{name}: {}", done.as_ref().err()?))).collect();
    println!("{} calls to Prism, {} failed", calls.0.len(), failed.len());
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

fn client(url: &str) -> Client {
    let settings = OpenAiSettings {
        base_url: url.to_owned(),
        api_key: Some(Secret::new("sk-prism")),
        admin_key: Some(Secret::new("sk-prism-admin")),
        organization: Some("org-1".to_owned()),
        project: Some("proj_1".to_owned()),
        ..Default::default()
    };
    // What Prism refuses it refuses again.
    let once = Patience { attempts: 1, head: Duration::from_mins(2), ..Default::default() };
    Client::with_patience(&settings, once).unwrap()
}

async fn every_call(client: &Client) -> Calls {
    let mut calls = Calls::default();
    files(client, &mut calls).await;
    stores(client, &mut calls).await;
    store_files(client, &mut calls).await;
    batches(client, &mut calls).await;
    others(client, &mut calls).await;
    organization(client, &mut calls).await;
    calls
}

fn upload(bytes: usize) -> Upload {
    let body = Body::Bytes(vec![b'a'; bytes].into());
    Upload { filename: "help.1a2b3c4d-0123456789ab.txt".to_owned(), mime_type: "text/plain", body }
}

async fn files(client: &Client, calls: &mut Calls) {
    calls.make("POST /files", client.upload(&upload(1000))).await;
    calls.make_mocked("POST /uploads, parts, complete", client.upload_by_parts(&upload(3000), 1000)).await;
    calls.make("GET /files", client.files(None)).await;
    calls.make("GET /files after", client.files(Some("file-abc"))).await;
    calls.make("GET /files/{id}", client.file("file-abc")).await;
    calls.make("GET /files/{id}/content", client.file_content("file-abc", 1_000_000)).await;
    calls.make("DELETE /files/{id}", client.delete_file("file-abc")).await;
}

async fn stores(client: &Client, calls: &mut Calls) {
    let change = StoreChange {
        name: Some("Help".to_owned()),
        expires_after: Some(Some(ExpiresAfter { anchor: "last_active_at".to_owned(), days: 7 })),
        metadata: Some(BTreeMap::from([("chatbotctl_lease".to_owned(), "a".to_owned())])),
    };
    let lasting = StoreChange { expires_after: Some(None), ..change.clone() };
    let search = Search {
        query: "How do I return an order?".to_owned(),
        max_num_results: Some(5),
        filters: Some(json!({ "type": "eq", "key": "tag_returns", "value": true })),
        ranking_options: Some(json!({ "ranker": "auto", "score_threshold": 0.2 })),
    };
    calls.make("POST /vector_stores", client.create_store(&change)).await;
    calls.make("POST /vector_stores (empty)", client.create_store(&StoreChange::default())).await;
    calls.make("GET /vector_stores", client.stores(Some("vs_1"))).await;
    calls.make("GET /vector_stores/{id}", client.store("vs_1")).await;
    calls.make("POST /vector_stores/{id}", client.update_store("vs_1", &change)).await;
    calls.make("POST /vector_stores/{id} (no end)", client.update_store("vs_1", &lasting)).await;
    calls.make("POST /vector_stores/{id}/search", client.search("vs_1", &search)).await;
    calls.make("DELETE /vector_stores/{id}", client.delete_store("vs_1")).await;
}

fn attachment() -> Attachment {
    let attributes = Attributes::from([
        ("path".to_owned(), Attribute::Text("help/returns.md".to_owned())),
        ("tag_returns".to_owned(), Attribute::Flag(true)),
        ("pages".to_owned(), Attribute::Number(7.0)),
    ]);
    let chunking = json!({ "type": "static", "static": { "max_chunk_size_tokens": 800, "chunk_overlap_tokens": 400 } });
    Attachment { file_id: "file-abc".to_owned(), attributes, chunking_strategy: Some(chunking) }
}

async fn store_files(client: &Client, calls: &mut Calls) {
    let completed = Some(FileStatus::Completed);
    let attributes = attachment().attributes;
    calls.make("POST …/files", client.attach("vs_1", &attachment())).await;
    calls.make("GET …/files", client.store_files("vs_1", Some("file-abc"), completed)).await;
    calls.make("GET …/files/{id}", client.store_file("vs_1", "file-abc")).await;
    calls.make("POST …/files/{id}", client.set_attributes("vs_1", "file-abc", &attributes)).await;
    calls.make_mocked("GET …/files/{id}/content", client.store_file_pieces("vs_1", "file-abc")).await;
    calls.make("DELETE …/files/{id}", client.detach("vs_1", "file-abc")).await;
}

async fn batches(client: &Client, calls: &mut Calls) {
    let plain = Attachment { chunking_strategy: None, ..attachment() };
    calls.make("POST …/file_batches", client.create_batch("vs_1", &[attachment(), plain])).await;
    calls.make("GET …/file_batches/{id}", client.batch("vs_1", "vsfb_1")).await;
    calls.make("POST …/file_batches/{id}/cancel", client.cancel_batch("vs_1", "vsfb_1")).await;
    let failed = Some(FileStatus::Failed);
    calls.make("GET …/file_batches/{id}/files", client.batch_files("vs_1", "vsfb_1", None, failed)).await;
}

async fn others(client: &Client, calls: &mut Calls) {
    let texts = ["How do I return an order?".to_owned()];
    // A list as `content` fits two of the specification's alternatives where it wants exactly one.
    let item = json!({ "type": "message", "role": "user", "content": texts[0] });
    let items = std::slice::from_ref(&item);
    let metadata = BTreeMap::from([("thread".to_owned(), "thr_1".to_owned())]);
    calls.make("GET /models", client.models()).await;
    calls.make("GET /models/{model}", client.model("gpt-6-luna")).await;
    calls.make("POST /embeddings", client.embeddings("text-embedding-3-small", &texts, Some(256))).await;
    calls.make("POST /moderations", client.moderate("omni-moderation-latest", &texts)).await;
    calls.make("POST /conversations", client.create_conversation(items, &metadata)).await;
    calls.make("GET /conversations/{id}", client.conversation("conv_1")).await;
    calls.make("GET /conversations/{id}/items", client.conversation_items("conv_1", Some("msg_1"))).await;
    calls.make("POST /conversations/{id}/items", client.add_conversation_items("conv_1", items)).await;
    calls.make("DELETE /conversations/{id}", client.delete_conversation("conv_1")).await;
    let question = json!({
        "model": "gpt-6-luna", "input": [item], "instructions": "Answer from the documents.", "stream": true,
        "include": ["file_search_call.results"], "max_output_tokens": 500, "store": false,
        "tools": [{ "type": "file_search", "vector_store_ids": ["vs_1"], "max_num_results": 5 }],
    });
    calls.make("POST /responses", client.respond(&question)).await;
}

async fn organization(client: &Client, calls: &mut Calls) {
    let period = Period { start: 1_760_000_000, end: Some(1_760_600_000), group_by: vec!["project_id".to_owned()] };
    let days = |groups: &[&str]| {
        let group_by = groups.iter().map(|group| (*group).to_owned()).collect();
        Period { group_by, ..period.clone() }
    };
    calls.make_mocked("GET /organization/costs", client.costs(&days(&["project_id", "line_item"]))).await;
    calls
        .make_mocked("GET /organization/usage/completions", client.usage(UsageKind::Completions, &days(&["model"])))
        .await;
    calls
        .make_mocked("GET /organization/usage/embeddings", client.usage(UsageKind::Embeddings, &days(&["model"])))
        .await;
    calls.make_mocked("GET /organization/usage/vector_stores", client.usage(UsageKind::VectorStores, &period)).await;
    let by_store = days(&["vector_store_id"]);
    calls
        .make_mocked("GET /organization/usage/file_search_calls", client.usage(UsageKind::FileSearchCalls, &by_store))
        .await;
}
