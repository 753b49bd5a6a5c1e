//! What is refused, and with which code: one row a rule.

use openai_stand_in::StandIn;
use serde_json::{Value, json};

use crate::client::{form, get, id, post, raw, send, started, store, upload};

/// What stands in rows for ids that only exist at run time.
struct Ids {
    store: String,
    file: String,
    vision: String,
    answer: String,
    conversation: String,
    upload: String,
}

fn ids(to: &StandIn) -> Ids {
    let (store, _) = store(to, &[]);
    let vision = form(to, "/files", &[("purpose", "vision")], Some(("file", "a.png", b"x"))).json();
    let said = post(to, "/responses", &json!({"model": "gpt-6-luna", "input": "hi"}));
    let upload_body = json!({"filename": "b.txt", "purpose": "assistants", "bytes": 6, "mime_type": "text/plain"});
    Ids {
        store,
        file: upload(to, "a.md", b"text"),
        vision: id(&vision),
        answer: id(&said),
        conversation: id(&post(to, "/conversations", &json!({}))),
        upload: id(&post(to, "/uploads", &upload_body)),
    }
}

fn filled(text: &str, ids: &Ids) -> String {
    text.replace("STORE", &ids.store)
        .replace("FILE", &ids.file)
        .replace("VISION", &ids.vision)
        .replace("ANSWER", &ids.answer)
        .replace("CONVERSATION", &ids.conversation)
        .replace("UPLOAD", &ids.upload)
}

/// Method and path, body, and what it is refused with: status and code.
type Row<'a> = (&'a str, Value, &'a str);

fn check(rows: &[Row<'_>]) {
    let to = started();
    let ids = ids(&to);
    let before = to.state();
    for (call, body, refusal) in rows {
        let body: Value = serde_json::from_str(&filled(&body.to_string(), &ids)).unwrap();
        let body = (!body.is_null()).then_some(body);
        let (method, path) = call.split_once(' ').unwrap();
        let answer = send(&to, method, &filled(path, &ids), body.as_ref());
        let (status, code) = answer.refused();
        assert_eq!(
            format!("{status} {}", code.as_str().unwrap_or("null")),
            *refusal,
            "{call} {body:?}: {}",
            answer.text()
        );
        let error = &answer.json()["error"];
        for field in ["message", "type", "param", "code"] {
            assert!(error.get(field).is_some(), "{call}: no `{field}` in {error}");
        }
        assert!(answer.header("x-request-id").is_some_and(|id| id.starts_with("req_")), "{call}");
    }
    assert_eq!(to.state(), before, "what is refused changes nothing");
}

fn many(count: usize) -> Value {
    (0..count).map(|at| (format!("k{at}"), Value::from(at))).collect::<serde_json::Map<_, _>>().into()
}

#[test]
fn stores_refuse_what_the_description_refuses() {
    let long = "x".repeat(513);
    check(&[
        ("POST /vector_stores", json!({"nme": "x"}), "400 unknown_parameter"),
        ("POST /vector_stores", json!({"name": null}), "400 invalid_type"),
        ("POST /vector_stores", json!({"name": 7}), "400 invalid_type"),
        ("POST /vector_stores", json!({"metadata": many(1)}), "400 invalid_type"),
        ("POST /vector_stores", json!({"metadata": {"k": long}}), "400 string_above_max_length"),
        ("POST /vector_stores", json!({"file_ids": vec!["FILE"; 501]}), "400 array_above_max_length"),
        ("POST /vector_stores", json!({"file_ids": ["file-none"]}), "404 null"),
        (
            "POST /vector_stores",
            json!({"expires_after": {"anchor": "last_active_at", "days": 366}}),
            "400 integer_above_max_value",
        ),
        ("POST /vector_stores", json!({"expires_after": {"anchor": "created_at", "days": 1}}), "400 invalid_value"),
        (
            "POST /vector_stores",
            json!({"chunking_strategy": {"type": "static", "static": {"max_chunk_size_tokens": 99, "chunk_overlap_tokens": 0}}}),
            "400 integer_below_min_value",
        ),
        (
            "POST /vector_stores",
            json!({"chunking_strategy": {"type": "static", "static": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 51}}}),
            "400 invalid_value",
        ),
        ("POST /vector_stores/STORE", json!({"description": "x"}), "400 unknown_parameter"),
        ("GET /vector_stores?limit=0", Value::Null, "400 integer_below_min_value"),
        ("GET /vector_stores?limit=101", Value::Null, "400 integer_above_max_value"),
        ("GET /vector_stores?limit=x", Value::Null, "400 invalid_type"),
        ("GET /vector_stores?order=up", Value::Null, "400 invalid_value"),
        ("GET /vector_stores?after=vs_none", Value::Null, "400 invalid_value"),
        ("GET /vector_stores?offset=1", Value::Null, "400 unknown_parameter"),
        ("GET /vector_stores/vs_none", Value::Null, "404 null"),
        ("DELETE /vector_stores/vs_none", Value::Null, "404 null"),
        ("POST /vector_stores/STORE/files", json!({}), "400 missing_required_parameter"),
        ("POST /vector_stores/STORE/files", json!({"file_id": "FILE", "path": "x"}), "400 unknown_parameter"),
        ("POST /vector_stores/STORE/files", json!({"file_id": "file-none"}), "404 null"),
        ("POST /vector_stores", json!({"file_ids": ["VISION"]}), "400 invalid_value"),
        ("POST /vector_stores/STORE/files", json!({"file_id": "VISION"}), "400 invalid_value"),
        (
            "POST /vector_stores/STORE/files",
            json!({"file_id": "FILE", "attributes": many(17)}),
            "400 object_above_max_properties",
        ),
        (
            "POST /vector_stores/STORE/files",
            json!({"file_id": "FILE", "attributes": {"x".repeat(65): 1}}),
            "400 string_above_max_length",
        ),
        (
            "POST /vector_stores/STORE/files",
            json!({"file_id": "FILE", "attributes": {"k": long}}),
            "400 string_above_max_length",
        ),
        ("POST /vector_stores/STORE/files", json!({"file_id": "FILE", "attributes": {"k": null}}), "400 invalid_type"),
        ("POST /vector_stores/STORE/files", json!({"file_id": "FILE", "attributes": {"k": [1]}}), "400 invalid_type"),
        ("POST /vector_stores/STORE/files/FILE", json!({"attributes": {}}), "404 null"),
        ("DELETE /vector_stores/STORE/files/FILE", Value::Null, "404 null"),
        ("GET /vector_stores/STORE/files?filter=done", Value::Null, "400 invalid_value"),
        ("POST /vector_stores/STORE/file_batches", json!({}), "400 missing_required_parameter"),
        ("POST /vector_stores/STORE/file_batches", json!({"file_ids": []}), "400 array_below_min_length"),
        (
            "POST /vector_stores/STORE/file_batches",
            json!({"file_ids": vec!["FILE"; 2001]}),
            "400 array_above_max_length",
        ),
        (
            "POST /vector_stores/STORE/file_batches",
            json!({"file_ids": ["FILE"], "files": [{"file_id": "FILE"}]}),
            "400 mutually_exclusive_parameters",
        ),
        (
            "POST /vector_stores/STORE/file_batches",
            json!({"files": [{"file_id": "FILE", "name": "x"}]}),
            "400 unknown_parameter",
        ),
        ("GET /vector_stores/STORE/file_batches/vsfb_none", Value::Null, "404 null"),
        ("POST /vector_stores/STORE/search", json!({}), "400 missing_required_parameter"),
        ("POST /vector_stores/STORE/search", json!({"query": "x".repeat(4097)}), "400 string_above_max_length"),
        (
            "POST /vector_stores/STORE/search",
            json!({"query": "x", "max_num_results": 51}),
            "400 integer_above_max_value",
        ),
        (
            "POST /vector_stores/STORE/search",
            json!({"query": "x", "ranking_options": {"score_threshold": 1.5}}),
            "400 decimal_above_max_value",
        ),
        (
            "POST /vector_stores/STORE/search",
            json!({"query": "x", "filters": {"type": "like", "key": "a", "value": "b"}}),
            "400 invalid_value",
        ),
        (
            "POST /vector_stores/STORE/search",
            json!({"query": "x", "filters": {"type": "in", "key": "a", "value": "b"}}),
            "400 invalid_type",
        ),
        (
            "POST /vector_stores/STORE/search",
            json!({"query": "x", "filters": {"type": "and", "filters": []}}),
            "400 array_below_min_length",
        ),
    ]);
}

#[test]
fn answers_refuse_what_the_description_refuses() {
    let ask = |extra: Value| {
        let mut body = json!({"model": "gpt-6-luna", "input": "hi"});
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        body
    };
    let tool = |extra: Value| {
        let mut tool = json!({"type": "file_search", "vector_store_ids": ["STORE"]});
        tool.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        json!({"tools": [tool]})
    };
    check(&[
        ("POST /responses", json!({"input": "hi"}), "400 missing_required_parameter"),
        ("POST /responses", json!({"model": "gpt-6-luna"}), "400 missing_required_parameter"),
        ("POST /responses", ask(json!({"max_tokens": 100})), "400 unknown_parameter"),
        ("POST /responses", ask(json!({"input": null})), "400 invalid_type"),
        ("POST /responses", ask(json!({"input": 7})), "400 invalid_type"),
        ("POST /responses", ask(json!({"input": [{"role": "visitor", "content": "x"}]})), "400 invalid_value"),
        (
            "POST /responses",
            ask(json!({"input": [{"role": "user", "content": [{"type": "output_text", "text": "x"}]}]})),
            "400 invalid_value",
        ),
        (
            "POST /responses",
            ask(json!({"input": [{"role": "assistant", "content": [{"type": "input_text", "text": "x"}]}]})),
            "400 invalid_value",
        ),
        ("POST /responses", ask(json!({"input": [{"type": "thought"}]})), "400 invalid_value"),
        ("POST /responses", ask(json!({"max_output_tokens": 15})), "400 integer_below_min_value"),
        ("POST /responses", ask(json!({"temperature": 0.3})), "400 unsupported_parameter"),
        ("POST /responses", ask(json!({"top_p": 0.5})), "400 unsupported_parameter"),
        ("POST /responses", ask(json!({"model": "gpt-5.4-mini", "temperature": 0.3})), "400 unsupported_parameter"),
        ("POST /responses", ask(json!({"model": "gpt-4.1-mini", "temperature": 2.1})), "400 decimal_above_max_value"),
        (
            "POST /responses",
            ask(json!({"model": "gpt-4.1-mini", "reasoning": {"effort": "low"}})),
            "400 unsupported_parameter",
        ),
        ("POST /responses", ask(json!({"reasoning": {"effort": "huge"}})), "400 invalid_value"),
        ("POST /responses", ask(json!({"previous_response_id": "resp_none"})), "400 previous_response_not_found"),
        (
            "POST /responses",
            ask(json!({"previous_response_id": "ANSWER", "conversation": "CONVERSATION"})),
            "400 mutually_exclusive_parameters",
        ),
        ("POST /responses", ask(json!({"include": ["file_search.results"]})), "400 invalid_value"),
        ("POST /responses", ask(json!({"stream_options": {"include_obfuscation": false}})), "400 invalid_value"),
        ("POST /responses", ask(json!({"safety_identifier": "x".repeat(65)})), "400 string_above_max_length"),
        ("POST /responses", ask(json!({"tool_choice": {"type": "file_search"}})), "400 invalid_value"),
        ("POST /responses", ask(json!({"tools": [{"type": "web_search"}]})), "400 invalid_value"),
        ("POST /responses", ask(json!({"tools": [{"type": "file_search"}]})), "400 missing_required_parameter"),
        ("POST /responses", ask(tool(json!({"vector_store_ids": []}))), "400 array_below_min_length"),
        ("POST /responses", ask(tool(json!({"max_num_results": 0}))), "400 integer_below_min_value"),
        ("POST /responses", ask(tool(json!({"ranking_options": {"ranker": "none"}}))), "400 invalid_value"),
        ("POST /responses", ask(tool(json!({"top_k": 3}))), "400 unknown_parameter"),
        ("POST /responses", ask(json!({"input": "x".repeat(1_700_000)})), "400 context_length_exceeded"),
        ("POST /responses", ask(tool(json!({"vector_store_ids": ["vs_none"]}))), "404 null"),
        ("POST /responses", ask(json!({"conversation": "conv_none"})), "404 null"),
        ("POST /responses", ask(json!({"model": "gpt-3"})), "404 model_not_found"),
        ("GET /responses/resp_none", Value::Null, "404 null"),
        ("POST /responses/ANSWER/cancel", Value::Null, "400 null"),
    ]);
}

#[test]
fn other_calls_refuse_what_the_description_refuses() {
    let embed = |extra: Value| {
        let mut body = json!({"model": "text-embedding-3-small", "input": "hi"});
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        body
    };
    check(&[
        ("GET /files?limit=10001", Value::Null, "400 integer_above_max_value"),
        ("GET /files?before=FILE", Value::Null, "400 unknown_parameter"),
        ("GET /files/file-none", Value::Null, "404 null"),
        ("GET /files/FILE/content", Value::Null, "400 null"),
        (
            "POST /uploads",
            json!({"filename": "a.md", "purpose": "user_data", "bytes": 1, "mime_type": "text/plain"}),
            "400 invalid_value",
        ),
        (
            "POST /uploads",
            json!({"filename": "a.md", "purpose": "assistants", "bytes": 8_u64 * 1024 * 1024 * 1024 + 1, "mime_type": "x/y"}),
            "400 integer_above_max_value",
        ),
        ("POST /uploads/UPLOAD/complete", json!({"part_ids": ["part_none"]}), "404 null"),
        ("POST /uploads/UPLOAD/complete", json!({"part_ids": []}), "400 array_below_min_length"),
        ("GET /models/gpt-3", Value::Null, "404 model_not_found"),
        ("POST /moderations", json!({"input": []}), "400 array_below_min_length"),
        ("POST /embeddings", embed(json!({"input": ""})), "400 invalid_value"),
        ("POST /embeddings", embed(json!({"input": vec!["x"; 2049]})), "400 array_above_max_length"),
        ("POST /embeddings", embed(json!({"encoding_format": "hex"})), "400 invalid_value"),
        ("POST /embeddings", embed(json!({"dimensions": 1537})), "400 integer_above_max_value"),
        (
            "POST /conversations",
            json!({"items": vec![json!({"role": "user", "content": "x"}); 21]}),
            "400 array_above_max_length",
        ),
        ("POST /conversations/CONVERSATION/items", json!({"items": []}), "400 array_below_min_length"),
        (
            "POST /chat/completions",
            json!({"model": "gpt-6-luna", "messages": [{"role": "user", "content": "x"}], "max_tokens": 9}),
            "400 unsupported_parameter",
        ),
        ("GET /assistants", Value::Null, "404 null"),
        ("DELETE /models", Value::Null, "405 null"),
        ("GET /organization/costs?start_time=1", Value::Null, "403 null"),
    ]);
}

#[test]
fn forms_are_checked_like_bodies() {
    let to = started();
    let file = Some(("file", "a.md", b"text".as_slice()));
    let refused = |fields: &[(&str, &str)], file| {
        let (status, code) = form(&to, "/files", fields, file).refused();
        format!("{status} {}", code.as_str().unwrap_or("null"))
    };
    let (purpose, anchor) = (("purpose", "assistants"), ("expires_after[anchor]", "created_at"));
    let lives = |seconds| ("expires_after[seconds]", seconds);
    let missing = "400 missing_required_parameter";
    assert_eq!(refused(&[], file), missing);
    assert_eq!(refused(&[("purpose", "retrieval")], file), "400 invalid_value");
    assert_eq!(refused(&[purpose, ("name", "x")], file), "400 unknown_parameter");
    assert_eq!(refused(&[purpose], None), missing);
    assert_eq!(refused(&[purpose], Some(("data", "a.md", b"text"))), missing);
    assert_eq!(refused(&[purpose, lives("3600")], file), missing);
    assert_eq!(refused(&[purpose, anchor, lives("3599")], file), "400 integer_below_min_value");
    assert_eq!(refused(&[purpose, anchor, lives("2592001")], file), "400 integer_above_max_value");
    assert!(to.state().files.is_empty());
}

/// A wrong key is told from none; the key of administrators opens their reports only.
#[test]
fn keys_are_checked() {
    let to = started();
    let with = |header: &str, path: &str| raw(&to, "GET", path, header, b"").unwrap().refused();
    assert_eq!(with("", "/models"), (401, Value::Null));
    assert_eq!(with("Authorization: Bearer sk-wrong\r\n", "/models"), (401, "invalid_api_key".into()));
    assert_eq!(with(&format!("Authorization: {}\r\n", to.key()), "/models"), (401, "invalid_api_key".into()));
    let admin = format!("Authorization: Bearer {}\r\n", to.admin_key());
    assert_eq!(with(&admin, "/models"), (403, Value::Null));
    let costs = raw(&to, "GET", "/organization/costs?start_time=1700000000", &admin, b"").unwrap();
    assert_eq!(costs.status, 200, "{}", costs.text());
    let azure = raw(&to, "GET", "/openai/v1/models?api-version=preview", &format!("api-key: {}\r\n", to.key()), b"");
    assert_eq!(azure.unwrap().status, 200);
    let logged = serde_json::to_string(&to.log()).unwrap();
    assert!(!logged.contains(to.key()) && !logged.contains(to.admin_key()), "the log has no keys");
}

#[test]
fn bodies_that_are_no_json_are_refused() {
    let to = started();
    let key = format!("Authorization: Bearer {}\r\n", to.key());
    let json = format!("{key}Content-Type: application/json\r\n");
    for (headers, body) in [(&json, "{"), (&json, "[]"), (&json, ""), (&key, "{}")] {
        let answer = raw(&to, "POST", "/vector_stores", headers, body.as_bytes()).unwrap();
        assert_eq!(answer.status, 400, "{body}: {}", answer.text());
    }
    assert_eq!(get(&to, "/vector_stores")["data"], json!([]));
}
